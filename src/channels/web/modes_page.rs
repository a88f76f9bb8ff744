//! What is live, in shadow and off: the rules with where they come from, changing them, and the second person's confirmation.

use axum::Form;
use axum::extract::rejection::FormRejection;
use axum::extract::{Query, State};
use axum::http::StatusCode;
use axum::response::{Html, IntoResponse, Redirect, Response};
use serde::Deserialize;
use serde_json::{Value, json};

use super::error::WebError;
use super::frame::{Choice, Shell};
use super::session::SignedIn;
use super::templates;
use crate::cards::names::{actor_name, moment};
use crate::cards::plain;
use crate::channels::ChannelState;
use crate::domain::exception::ExceptionType;
use crate::domain::mode::{Mode, ModeScope};
use crate::domain::policy::Role;
use crate::pipeline::modes::{self, Changed, InForce};
use crate::store::ModeStep;

#[derive(Deserialize)]
pub(super) struct Shown {
    #[serde(default)]
    done: String,
}

/// What the form of a change sends.
#[derive(Default, Deserialize)]
pub(super) struct Wish {
    #[serde(default)]
    csrf: String,
    #[serde(default)]
    category: String,
    #[serde(default)]
    location: String,
    #[serde(default)]
    supplier: String,
    #[serde(default, rename = "type")]
    code: String,
    /// A mode; `clear` takes back what was set.
    #[serde(default)]
    mode: String,
    #[serde(default)]
    reason: String,
}

/// `GET /modes`
pub(super) async fn modes(
    State(state): State<ChannelState>,
    who: SignedIn,
    Query(shown): Query<Shown>,
) -> Result<Html<String>, WebError> {
    let done = match shown.done.as_str() {
        "set" => Some("Set. It holds from the next look on; what people have decided goes on."),
        "proposed" => Some("Proposed. A second person has to confirm it here."),
        "same" => Some("It was so already; nothing was changed."),
        _ => None,
    };
    Ok(Html(page(&state, &who, &Wish::default(), None, done).await?))
}

/// `POST /modes`
pub(super) async fn change(
    State(state): State<ChannelState>,
    who: SignedIn,
    form: Result<Form<Wish>, FormRejection>,
) -> Result<Response, WebError> {
    let Form(form) = form.map_err(|rejection| WebError::BadRequest(rejection.body_text()))?;
    who.check(&form.csrf)?;
    let (scope, mode) = match asked(&form) {
        Ok(asked) => asked,
        Err(why) => return refused(&state, &who, &form, StatusCode::BAD_REQUEST, &why).await,
    };
    let by = (&who.person.id, "web", &who.hand);
    match modes::change(&state.store, &state.config, &state.clock, by, (&scope, mode), &form.reason).await {
        Ok(done) => {
            let done = match done {
                Changed::Set(_) => "set",
                Changed::Proposed(_) => "proposed",
                Changed::Same => "same",
            };
            Ok(Redirect::to(&format!("/modes?done={done}")).into_response())
        }
        Err(why) => refused(&state, &who, &form, StatusCode::CONFLICT, &format!("{why:#}")).await,
    }
}

fn asked(form: &Wish) -> Result<(ModeScope, Option<Mode>), String> {
    let parts =
        [("category", &form.category), ("location", &form.location), ("supplier", &form.supplier), ("type", &form.code)];
    let named = parts.into_iter().filter(|(_, name)| !name.trim().is_empty()).map(|(what, name)| format!("{what}={name}"));
    let named: Vec<String> = named.collect();
    let scope = ModeScope::read(named.iter().map(String::as_str)).map_err(|bad| bad.to_string())?;
    let mode = match form.mode.as_str() {
        "clear" => None,
        mode => Some(mode.parse::<Mode>().map_err(|bad| bad.to_string())?),
    };
    Ok((scope, mode))
}

async fn refused(
    state: &ChannelState,
    who: &SignedIn,
    form: &Wish,
    status: StatusCode,
    why: &str,
) -> Result<Response, WebError> {
    Ok((status, Html(page(state, who, form, Some(why), None).await?)).into_response())
}

async fn page(
    state: &ChannelState,
    who: &SignedIn,
    form: &Wish,
    refused: Option<&str>,
    done: Option<&str>,
) -> Result<String, WebError> {
    let InForce { modes, rules, proposed, .. } = modes::in_force(&state.store, &state.config).await?;
    let (people, zone) = (&state.config.people, &state.config.rules.calendar.timezone);
    let unknown = modes::unknown_names(&state.store, modes.rules.iter().map(|rule| &rule.scope)).await?;
    let scope = |scope: &ModeScope| {
        json!({
            "says": plain(&scope.to_string()),
            "category": scope.category, "location": scope.location, "supplier": scope.supplier,
            "type": scope.code.map(ExceptionType::code),
        })
    };
    let by = |step: &ModeStep| json!({ "by": actor_name(step.by.as_str(), people), "at": moment(step.at, zone), "reason": plain(&step.reason) });
    let rule = |rule: &modes::Rule| json!({ "scope": scope(&rule.rule.scope), "mode": rule.rule.mode, "set": rule.set.as_ref().map(by) });
    let wish = |step: &ModeStep| {
        json!({
            "scope": scope(&step.scope), "step": by(step), "mine": step.by == who.person.id,
            "mode": step.mode.map_or("clear", Mode::name),
            "wish": step.mode.map_or("as configured", Mode::name),
        })
    };
    let choice = |value: &str, name: &str, chosen: bool| Choice { value: value.to_owned(), name: name.to_owned(), chosen };
    let types = ExceptionType::ALL.iter().map(|c| choice(c.code(), &format!("{c} · {}", c.name()), c.code() == form.code));
    let kinds = [
        ("shadow", "shadow: watched, nobody is asked"),
        ("live", "live: put before people"),
        ("off", "off: not even seen"),
        ("clear", "as configured: take back what was set"),
    ];
    // Whoever may stop Reeve may put into shadow; off and live are refused at the door to who may not (decision 71).
    let may = !who.person.is_machine() && (who.person.decides() || who.person.is(Role::Admin));
    let values = json!({
        "shell": Shell::of("Modes", "/modes", who),
        "refused": refused.map(plain),
        "done": done,
        "rules": rules.iter().map(rule).collect::<Vec<Value>>(),
        "proposed": proposed.iter().map(wish).collect::<Vec<Value>>(),
        "unknown": unknown.iter().map(|line| plain(line)).collect::<Vec<_>>(),
        "shadow": state.store.count_cases_in(&["shadow"]).await?,
        "may": may,
        "may_operate": modes::may_operate(&who.person),
        "types": types.collect::<Vec<_>>(),
        "modes": kinds.into_iter().map(|(value, name)| choice(value, name, value == form.mode)).collect::<Vec<_>>(),
        "form": {
            "category": plain(&form.category), "location": plain(&form.location),
            "supplier": plain(&form.supplier), "reason": plain(&form.reason),
        },
    });
    Ok(templates::render("modes.html", &values)?)
}
