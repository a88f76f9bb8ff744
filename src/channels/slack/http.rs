//! `/slack/…`: interactions, commands and events over HTTP, for who has a public address.
//!
//! Invariants: nothing is taken from a request before its signature is checked over the bytes as they came; what was asked is on the disk
//! before it is acknowledged; the acknowledgement does not wait for the work. Of a form that was sent, Slack wants to hear within three
//! seconds what is wrong with its fields: that long is waited for, and no longer.

use std::collections::BTreeMap;
use std::time::Duration;

use axum::body::Bytes;
use axum::extract::rejection::BytesRejection;
use axum::extract::{DefaultBodyLimit, State};
use axum::http::header::CACHE_CONTROL;
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use axum::routing::post;
use axum::{Json, Router};
use serde_json::{Value, json};
use tower_http::limit::RequestBodyLimitLayer;

use super::signed::check;
use super::views::block_of;
use super::wire::{self, Came};
use crate::channels::chat::act::Ended;
use crate::channels::chat::inbox::Inbox;

/// Largest request: an interaction brings the whole message along.
const BODY_MAX: usize = 512 * 1024;

/// How long the sender of a form waits at most. Slack gives up after three seconds.
pub(super) const FORM_WAIT: Duration = Duration::from_millis(2_200);

/// The routes of HTTP mode.
pub(super) fn routes(inbox: Inbox) -> Router<()> {
    Router::new()
        .route("/slack/interactions", post(interactions))
        .route("/slack/commands", post(commands))
        .route("/slack/events", post(events))
        // One limit, ours: the framework's own would be a second.
        .layer(DefaultBodyLimit::disable())
        .layer(RequestBodyLimitLayer::new(BODY_MAX))
        .with_state(inbox)
}

async fn interactions(State(inbox): State<Inbox>, headers: HeaderMap, body: Result<Bytes, BytesRejection>) -> Response {
    let body = match taken(&inbox, &headers, body) {
        Ok(body) => body,
        Err((status, why)) => return refuse(status, why),
    };
    // Slack sends the JSON as one field of a form.
    let payload = form(&body).remove("payload").and_then(|payload| serde_json::from_str::<Value>(&payload).ok());
    let Some(payload) = payload else { return refuse(StatusCode::BAD_REQUEST, "there is no payload") };
    answer(&inbox, wire::interaction(&payload, &inbox.state.config.slack)).await
}

async fn commands(State(inbox): State<Inbox>, headers: HeaderMap, body: Result<Bytes, BytesRejection>) -> Response {
    let body = match taken(&inbox, &headers, body) {
        Ok(body) => body,
        Err((status, why)) => return refuse(status, why),
    };
    let fields = form(&body);
    let field = |name: &str| fields.get(name).cloned().unwrap_or_default();
    answer(&inbox, wire::command(&field, &inbox.state.config.slack)).await
}

async fn events(State(inbox): State<Inbox>, headers: HeaderMap, body: Result<Bytes, BytesRejection>) -> Response {
    let body = match taken(&inbox, &headers, body) {
        Ok(body) => body,
        Err((status, why)) => return refuse(status, why),
    };
    let Ok(body) = serde_json::from_slice::<Value>(&body) else {
        return refuse(StatusCode::BAD_REQUEST, "the body is no JSON");
    };
    answer(&inbox, wire::event(&body, &inbox.state.config.slack)).await
}

/// The body of a request that is Slack's.
fn taken(
    inbox: &Inbox,
    headers: &HeaderMap,
    body: Result<Bytes, BytesRejection>,
) -> Result<Bytes, (StatusCode, &'static str)> {
    let body = body.map_err(|rejection| (rejection.status(), "the body could not be read"))?;
    let now = inbox.state.clock.wire();
    let secret = &inbox.state.config.slack.signing_secret;
    check(secret, headers, &body, now).map_err(|why| (StatusCode::UNAUTHORIZED, why))?;
    Ok(body)
}

/// Writes down what came, and acknowledges it.
async fn answer(inbox: &Inbox, came: Came) -> Response {
    match came {
        Came::Asked(heard) => match inbox.keep(&heard).await {
            Ok(_) => acknowledged(),
            Err(error) => not_kept(&error),
        },
        // Worked on before it is answered: a refusal can stand at its field in this answer only.
        Came::Sent(heard) => match inbox.keep_and_work(&heard, FORM_WAIT).await {
            Ok(ended) => match ended.as_ref().and_then(errors) {
                Some(errors) => (StatusCode::OK, [(CACHE_CONTROL, "no-store")], Json(errors)).into_response(),
                None => acknowledged(),
            },
            Err(error) => not_kept(&error),
        },
        Came::Challenge(word) => Json(json!({ "challenge": word })).into_response(),
        // Slack wants to hear that it arrived; that nothing follows from it is our business.
        Came::Nothing(_) => acknowledged(),
        Came::Foreign(why) => refuse(StatusCode::FORBIDDEN, &why),
    }
}

/// What the sender of a form is told about its fields, where something is wrong with one.
pub(super) fn errors(ended: &Ended) -> Option<Value> {
    let (field, said) = ended.field.as_ref().filter(|(field, _)| !field.is_empty())?;
    Some(json!({ "response_action": "errors", "errors": { block_of(field): said } }))
}

fn acknowledged() -> Response {
    StatusCode::OK.into_response()
}

fn not_kept(error: &crate::store::StoreError) -> Response {
    tracing::error!(error = error as &dyn std::error::Error, "What was asked in Slack could not be kept");
    refuse(StatusCode::SERVICE_UNAVAILABLE, "it could not be kept: try again")
}

fn refuse(status: StatusCode, why: &str) -> Response {
    tracing::warn!(status = status.as_u16(), "A request to /slack was refused: {why}");
    (status, [(CACHE_CONTROL, "no-store")], Json(json!({ "error": why }))).into_response()
}

/// The fields of a form's body; of one that stands there twice the last.
fn form(body: &[u8]) -> BTreeMap<String, String> {
    form_urlencoded::parse(body).into_owned().collect()
}
