//! What is muted, by whom and until when; muting and ending a mute.

use axum::Form;
use axum::extract::rejection::FormRejection;
use axum::extract::{Query, State};
use axum::http::StatusCode;
use axum::response::{Html, IntoResponse, Redirect, Response};
use jiff::civil::Date;
use serde::Deserialize;
use serde_json::{Value, json};

use super::error::WebError;
use super::frame::{Choice, Shell};
use super::session::SignedIn;
use super::templates;
use crate::cards::names::{Names, actor_name, moment};
use crate::cards::plain;
use crate::channels::ChannelState;
use crate::domain::calendar::plus_days;
use crate::domain::exception::ExceptionType;
use crate::domain::mute::{Mute, MuteScope};
use crate::domain::policy::may_turn_down;
use crate::domain::record::{RecordKind, RecordRef};
use crate::pipeline::noise::{self, MuteRefused, MuteRequest, Muting, figures};
use crate::render::count;

/// Mutes that are over, shown at most.
const PAST: usize = 50;

/// What the form offers as scopes.
const SCOPES: [(&str, &str); 5] = [
    ("item", "an item (its id)"),
    ("location", "a location (its id)"),
    ("supplier", "a supplier (its id)"),
    ("category", "a category (its name)"),
    ("all", "the type as a whole"),
];

#[derive(Deserialize)]
pub(super) struct Shown {
    #[serde(default)]
    done: String,
}

#[derive(Default, Deserialize)]
pub(super) struct NewMute {
    #[serde(default)]
    csrf: String,
    #[serde(default)]
    code: String,
    #[serde(default)]
    scope: String,
    #[serde(default)]
    which: String,
    #[serde(default)]
    until: String,
    #[serde(default)]
    reason: String,
}

#[derive(Deserialize)]
pub(super) struct End {
    #[serde(default)]
    csrf: String,
    id: String,
}

/// `GET /mutes`
pub(super) async fn mutes(
    State(state): State<ChannelState>,
    who: SignedIn,
    Query(shown): Query<Shown>,
) -> Result<Html<String>, WebError> {
    let done = match shown.done.as_str() {
        "muted" => Some("Muted. Its cases are still found and counted."),
        "ended" => Some("The mute is over; its cases are shown again."),
        _ => None,
    };
    Ok(Html(page(&state, &who, &NewMute::default(), None, done).await?))
}

/// `POST /mutes`
pub(super) async fn add(
    State(state): State<ChannelState>,
    who: SignedIn,
    form: Result<Form<NewMute>, FormRejection>,
) -> Result<Response, WebError> {
    let Form(form) = form.map_err(|rejection| WebError::BadRequest(rejection.body_text()))?;
    who.check(&form.csrf)?;
    let request = match asked(&form, &who) {
        Ok(request) => request,
        Err(why) => return refused(&state, &who, &form, StatusCode::BAD_REQUEST, &why).await,
    };
    match noise::mute(&state.store, &state.config, &state.clock, &request).await {
        Ok(_) => Ok(Redirect::to("/mutes?done=muted").into_response()),
        Err(refusal) => refused(&state, &who, &form, status(&refusal), &refusal.to_string()).await,
    }
}

/// `POST /mutes/end`
pub(super) async fn end(
    State(state): State<ChannelState>,
    who: SignedIn,
    form: Result<Form<End>, FormRejection>,
) -> Result<Response, WebError> {
    let Form(form) = form.map_err(|rejection| WebError::BadRequest(rejection.body_text()))?;
    who.check(&form.csrf)?;
    match noise::unmute(&state.store, &state.config, &state.clock, &form.id, &who.person.id, "web").await {
        Ok(_) => Ok(Redirect::to("/mutes?done=ended").into_response()),
        Err(refusal) => refused(&state, &who, &NewMute::default(), status(&refusal), &refusal.to_string()).await,
    }
}

fn asked(form: &NewMute, who: &SignedIn) -> Result<MuteRequest, String> {
    let code: ExceptionType = form.code.parse().map_err(|_| "choose a type of exception".to_owned())?;
    let scope = if form.scope == "all" { "all".to_owned() } else { format!("{}:{}", form.scope, form.which.trim()) };
    let scope: MuteScope = scope.parse().map_err(|_| "say on which item, location, supplier or category".to_owned())?;
    let until: Date = form.until.trim().parse().map_err(|_| format!("{:?} is not a day such as 2026-10-31", form.until))?;
    let (person, channel) = (who.person.id.clone(), "web".to_owned());
    Ok(MuteRequest { person, channel, code, scope, until, reason: form.reason.clone() })
}

fn status(refusal: &MuteRefused) -> StatusCode {
    match refusal {
        MuteRefused::NotAllowed(_) | MuteRefused::TooMuch { .. } | MuteRefused::UnknownPerson(_) => StatusCode::FORBIDDEN,
        MuteRefused::BadDay { .. } | MuteRefused::NoReason => StatusCode::BAD_REQUEST,
        MuteRefused::Already { .. } | MuteRefused::Over => StatusCode::CONFLICT,
        MuteRefused::Unknown(_) => StatusCode::NOT_FOUND,
        MuteRefused::Failed(error) => {
            tracing::error!(error = format!("{error:#}"), "a mute could not be kept");
            StatusCode::SERVICE_UNAVAILABLE
        }
    }
}

async fn refused(
    state: &ChannelState,
    who: &SignedIn,
    form: &NewMute,
    status: StatusCode,
    why: &str,
) -> Result<Response, WebError> {
    Ok((status, Html(page(state, who, form, Some(why), None).await?)).into_response())
}

async fn page(
    state: &ChannelState,
    who: &SignedIn,
    form: &NewMute,
    refused: Option<&str>,
    done: Option<&'static str>,
) -> Result<String, WebError> {
    let (config, now) = (&state.config, state.clock.now());
    let today = config.rules.calendar.calendar().day_of(now);
    let (live, past): (Vec<Mute>, Vec<Mute>) = state.store.list_mutes().await?.into_iter().partition(|m| m.is_live(today));
    let names =
        Names(state.store.list_names_of(&live.iter().chain(past.iter().take(PAST)).filter_map(about).collect()).await?);
    let mut on = Vec::new();
    for mute in &live {
        // Each by itself: what two mutes hide is counted with both.
        let alone = Muting::of(&state.store, config, vec![mute.clone()]).await?;
        let hidden = alone.hidden(&state.store).await?.len();
        on.push(row(mute, state, &names, Some(&count(hidden, "case", "cases"))));
    }
    let choice = |value: &str, name: &str, chosen: &str| Choice {
        value: value.to_owned(),
        name: name.to_owned(),
        chosen: value == chosen,
    };
    let types = ExceptionType::ALL.iter().map(|t| choice(t.code(), &format!("{} · {}", t.code(), t.name()), &form.code));
    let noise = figures::by_detector(&state.store, today, config.noise.history_days).await.map_err(|error| {
        tracing::error!(error = format!("{error:#}"), "the noise of types could not be counted");
        WebError::BadRequest("The noise of types could not be counted just now.".to_owned())
    })?;
    let longest = i32::from(config.rules.policy.mutes.longest_days);
    let values = json!({
        "shell": Shell::of("Mutes", "/mutes", who),
        "currency": config.rules.money.currency,
        "cap": config.noise.mute_value_max.to_string(),
        "live": on,
        "lifted": Muting::load(&state.store, config, now).await?.lifted().iter().map(|said| plain(said)).collect::<Vec<_>>(),
        "look_back": noise::weight::LOOK_BACK_DAYS,
        "past": past.iter().take(PAST).map(|m| row(m, state, &names, None)).collect::<Vec<_>>(),
        "noise": noise.iter().map(noise_row).collect::<Vec<_>>(),
        "history_days": config.noise.history_days,
        "types": types.collect::<Vec<_>>(),
        "scopes": SCOPES.iter().map(|(value, name)| choice(value, name, &form.scope)).collect::<Vec<_>>(),
        "which": plain(&form.which),
        "reason": plain(&form.reason),
        "until": plain(&form.until),
        "first": plus_days(today, 1).to_string(),
        "last": plus_days(today, longest).to_string(),
        "may": may_turn_down(&who.person).is_ok(),
        "refused": refused,
        "done": done,
    });
    Ok(templates::render("mutes.html", &values)?)
}

fn row(mute: &Mute, state: &ChannelState, names: &Names, hides: Option<&str>) -> Value {
    let zone = &state.config.rules.calendar.timezone;
    let people = &state.config.people;
    json!({
        "id": mute.id,
        "code": mute.code.code(),
        "name": mute.code.name(),
        "scope": scope_text(&mute.scope, names),
        "owner": actor_name(mute.owner.as_str(), people),
        "made": moment(mute.made_at, zone),
        "until": mute.until.to_string(),
        "reason": plain(&mute.reason),
        "hides": hides,
        "ended": mute.ended.as_ref().map(|(at, by)| format!("{} by {}", moment(*at, zone), actor_name(by.as_str(), people))),
    })
}

/// How noisy a detector is on a type, with what is not known about it.
fn noise_row(figure: &figures::DetectorNoise) -> Value {
    let percent = |share: f64| format!("{:.0} %", share * 100.0);
    json!({
        "code": figure.code.code(),
        "name": figure.code.name(),
        "detector": plain(&figure.detector),
        "shown": figure.noise.shown,
        "rejected": figure.noise.rejected,
        "share": percent(figure.noise.share),
        "interval": format!("{} to {}", percent(figure.noise.low), percent(figure.noise.high)),
    })
}

/// The record that a mute's scope names.
fn about(mute: &Mute) -> Option<RecordRef> {
    match &mute.scope {
        MuteScope::Item(id) => Some(RecordRef::new(RecordKind::Item, id.as_str())),
        MuteScope::Location(id) => Some(RecordRef::new(RecordKind::Location, id.as_str())),
        MuteScope::Supplier(id) => Some(RecordRef::new(RecordKind::Supplier, id.as_str())),
        MuteScope::All | MuteScope::Category(_) => None,
    }
}

/// A scope for people: with the name of what it is about, and its id.
fn scope_text(scope: &MuteScope, names: &Names) -> String {
    let named = |what: &str, kind, id: &str| match names.0.get(&RecordRef::new(kind, id)) {
        Some(name) => format!("{} ({what} {})", plain(name), plain(id)),
        None => format!("{what} {}", plain(id)),
    };
    match scope {
        MuteScope::All => "everything of the type".to_owned(),
        MuteScope::Item(id) => named("item", RecordKind::Item, id.as_str()),
        MuteScope::Location(id) => named("location", RecordKind::Location, id.as_str()),
        MuteScope::Supplier(id) => named("supplier", RecordKind::Supplier, id.as_str()),
        MuteScope::Category(name) => format!("category {}", plain(name)),
    }
}
