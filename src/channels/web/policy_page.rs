//! The approval policy as an auditor reads it, who stands in for whom, and giving one's own rights to somebody for some days.

use axum::Form;
use axum::extract::State;
use axum::extract::rejection::FormRejection;
use axum::http::StatusCode;
use axum::response::{Html, IntoResponse, Redirect, Response};
use jiff::civil::Date;
use serde::Deserialize;
use serde_json::{Value, json};

use super::error::WebError;
use super::frame::{Choice, Shell};
use super::session::SignedIn;
use super::templates;
use crate::approve::DelegationRefused;
use crate::cards::names::actor_name;
use crate::cards::plain;
use crate::channels::ChannelState;
use crate::domain::ids::PersonId;
use crate::domain::policy::{Delegation, lint, may_turn_down, show};

/// What the form of a new delegation sends.
#[derive(Default, Deserialize)]
pub(super) struct NewDelegation {
    #[serde(default)]
    csrf: String,
    #[serde(default)]
    to: String,
    #[serde(default)]
    from: String,
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

/// `GET /policy`
pub(super) async fn policy(State(state): State<ChannelState>, who: SignedIn) -> Result<Html<String>, WebError> {
    Ok(Html(page(&state, &who, &NewDelegation::default(), None).await?))
}

/// `POST /policy/stand-ins`
pub(super) async fn delegate(
    State(state): State<ChannelState>,
    who: SignedIn,
    form: Result<Form<NewDelegation>, FormRejection>,
) -> Result<Response, WebError> {
    let Form(form) = form.map_err(|rejection| WebError::BadRequest(rejection.body_text()))?;
    who.check(&form.csrf)?;
    let day = |text: &str| text.trim().parse::<Date>();
    let (Ok(from), Ok(until)) = (day(&form.from), day(&form.until)) else {
        return refused(&state, &who, &form, StatusCode::BAD_REQUEST, "choose a first and a last day").await;
    };
    let to = PersonId::new(form.to.trim());
    match state.approvals.delegate(&who.person.id, &to, (from, until), &form.reason, "web").await {
        Ok(_) => Ok(Redirect::to("/policy#stand-ins").into_response()),
        Err(refusal) => refused(&state, &who, &form, status(&refusal), &refusal.to_string()).await,
    }
}

/// `POST /policy/stand-ins/end`
pub(super) async fn end(
    State(state): State<ChannelState>,
    who: SignedIn,
    form: Result<Form<End>, FormRejection>,
) -> Result<Response, WebError> {
    let Form(form) = form.map_err(|rejection| WebError::BadRequest(rejection.body_text()))?;
    who.check(&form.csrf)?;
    match state.approvals.end_delegation(&form.id, &who.person.id, "web").await {
        Ok(()) => Ok(Redirect::to("/policy#stand-ins").into_response()),
        Err(refusal) => refused(&state, &who, &NewDelegation::default(), status(&refusal), &refusal.to_string()).await,
    }
}

fn status(refusal: &DelegationRefused) -> StatusCode {
    match refusal {
        DelegationRefused::Bad(_) | DelegationRefused::Past(_) => StatusCode::BAD_REQUEST,
        DelegationRefused::NotYours(..) => StatusCode::FORBIDDEN,
        DelegationRefused::Unknown(_) | DelegationRefused::Busy => StatusCode::CONFLICT,
        DelegationRefused::Failed(error) => {
            tracing::error!(error = format!("{error:#}"), "a delegation could not be kept");
            StatusCode::SERVICE_UNAVAILABLE
        }
    }
}

async fn refused(
    state: &ChannelState,
    who: &SignedIn,
    form: &NewDelegation,
    status: StatusCode,
    why: &str,
) -> Result<Response, WebError> {
    Ok((status, Html(page(state, who, form, Some(why)).await?)).into_response())
}

async fn page(
    state: &ChannelState,
    who: &SignedIn,
    form: &NewDelegation,
    refused: Option<&str>,
) -> Result<String, WebError> {
    let (policy, people) = (&state.config.rules.policy, &state.config.people);
    let document = show(policy, people);
    let today = state.config.rules.calendar.calendar().day_of(state.clock.now());
    let mut delegations = state.store.list_delegations().await?;
    let findings: Vec<String> = lint(policy, people, &delegations).iter().map(ToString::to_string).collect();
    delegations.retain(|d| d.revoked_at.is_none() && d.ends >= today);
    let stand_in = |d: &Delegation| -> Value {
        json!({
            "id": d.id,
            "who": actor_name(d.to.as_str(), people),
            "for": actor_name(d.from.as_str(), people),
            "from": d.starts,
            "until": d.ends,
            "reason": plain(&d.reason),
            "mine": d.from == who.person.id || d.to == who.person.id,
        })
    };
    let others = people.iter().filter(|p| p.id != who.person.id && p.decides() && !p.is_machine());
    let choices: Vec<Choice> =
        others.map(|p| Choice { value: p.id.to_string(), name: plain(&p.name), chosen: p.id.as_str() == form.to }).collect();
    let values = json!({
        "shell": Shell::of("Approval policy", "/policy", who),
        "document": document,
        "findings": findings,
        "stand_ins": delegations.iter().map(stand_in).collect::<Vec<_>>(),
        "people": choices,
        "may": policy.delegation.allowed && may_turn_down(&who.person).is_ok(),
        "longest": policy.delegation.longest_days,
        "today": today,
        "from": if form.from.is_empty() { today.to_string() } else { plain(&form.from) },
        "until": plain(&form.until),
        "reason": plain(&form.reason),
        "refused": refused,
    });
    Ok(templates::render("policy.html", &values)?)
}
