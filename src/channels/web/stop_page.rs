//! Stopping Reeve and letting it go on: who did, why, and what goes on meanwhile.

use axum::Form;
use axum::extract::State;
use axum::extract::rejection::FormRejection;
use axum::http::StatusCode;
use axum::response::{Html, IntoResponse, Redirect, Response};
use serde::Deserialize;
use serde_json::json;

use super::error::WebError;
use super::frame::Shell;
use super::session::SignedIn;
use super::templates;
use crate::cards::names::{actor_name, moment};
use crate::cards::plain;
use crate::channels::ChannelState;
use crate::pipeline::stop::{self, Stopped, may_resume, may_stop};

/// What a form sends.
#[derive(Default, Deserialize)]
pub(super) struct Wish {
    #[serde(default)]
    csrf: String,
    #[serde(default)]
    reason: String,
}

/// `GET /stop`
pub(super) async fn show(State(state): State<ChannelState>, who: SignedIn) -> Result<Html<String>, WebError> {
    Ok(Html(page(&state, &who, "", None).await?))
}

/// `POST /stop`
pub(super) async fn begin(
    State(state): State<ChannelState>,
    who: SignedIn,
    form: Result<Form<Wish>, FormRejection>,
) -> Result<Response, WebError> {
    let Form(form) = form.map_err(|rejection| WebError::BadRequest(rejection.body_text()))?;
    who.check(&form.csrf)?;
    let by = (&who.person.id, "web");
    let done = stop::stop(&state.store, &state.config, &state.clock, by, &form.reason).await;
    // One that holds already stands; the page shows whose it is.
    answer(&state, &who, &form, done.map(drop)).await
}

/// `POST /stop/end`
pub(super) async fn end(
    State(state): State<ChannelState>,
    who: SignedIn,
    form: Result<Form<Wish>, FormRejection>,
) -> Result<Response, WebError> {
    let Form(form) = form.map_err(|rejection| WebError::BadRequest(rejection.body_text()))?;
    who.check(&form.csrf)?;
    let by = (&who.person.id, "web");
    let done = stop::resume(&state.store, &state.config, &state.clock, by, &form.reason).await;
    answer(&state, &who, &form, done.map(drop)).await
}

async fn answer(state: &ChannelState, who: &SignedIn, form: &Wish, done: anyhow::Result<()>) -> Result<Response, WebError> {
    match done {
        Ok(()) => Ok(Redirect::to("/stop").into_response()),
        Err(why) => {
            let page = page(state, who, &form.reason, Some(&format!("{why:#}"))).await?;
            Ok((StatusCode::CONFLICT, Html(page)).into_response())
        }
    }
}

async fn page(state: &ChannelState, who: &SignedIn, reason: &str, refused: Option<&str>) -> Result<String, WebError> {
    let holds = stop::stopped(&state.store, &state.config).await?;
    let zone = &state.config.rules.calendar.timezone;
    let stopped = |Stopped { by, file }: &Stopped| {
        let by = by.as_ref().map(|stop| {
            let who = actor_name(stop.by.as_str(), &state.config.people);
            json!({ "who": who, "at": moment(stop.at, zone), "reason": plain(&stop.reason) })
        });
        json!({ "by": by, "file": file.as_ref().map(|file| plain(&file.says())) })
    };
    let values = json!({
        "shell": Shell::of("Stop", "/stop", who),
        "refused": refused.map(plain),
        "stopped": holds.as_ref().map(stopped),
        "may_stop": may_stop(&who.person),
        "may_resume": may_resume(&who.person),
        "reason": plain(reason),
    });
    Ok(templates::render("stop.html", &values)?)
}
