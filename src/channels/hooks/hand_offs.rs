//! `POST /hand-offs/{message}`: an executor says what became of what was handed to it.
//!
//! Signed with the destination's own secret. A report is on the disk, with its audit entry, before it is acknowledged; the same
//! call again is the same report. It is the executor's word and moves nothing here: what follows from it, `pipeline::verify`
//! decides, and no figure is ever taken from it.

use axum::Router;
use axum::body::Bytes;
use axum::extract::rejection::BytesRejection;
use axum::extract::{DefaultBodyLimit, Path, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::Response;
use axum::routing::post;
use jiff::{SignedDuration, Timestamp};
use serde::Deserialize;
use serde_json::json;
use standardwebhooks::Webhook;
use tower_http::limit::RequestBodyLimitLayer;

use super::signed::{Refusal, answer, check, unread};
use crate::channels::ChannelState;
use crate::config::DestinationConfig;
use crate::domain::audit::AuditEntry;
use crate::domain::ids::content_hash;
use crate::store::{Kept, OutboxState, Report, Reported};

/// Largest report.
const BODY_MAX: usize = 16 * 1024;
/// Longest note that is kept, in characters.
const NOTE_MAX: usize = 2_000;
/// Longest reference that is kept, in characters.
const REFERENCE_MAX: usize = 200;

/// What an executor sends. What else stands there is ignored.
#[derive(Deserialize)]
struct Said {
    state: Reported,
    #[serde(default)]
    note: String,
    #[serde(default)]
    reference: String,
    #[serde(default)]
    at: Option<Timestamp>,
}

/// The route, with a body limit of its own.
pub(super) fn routes() -> Router<ChannelState> {
    Router::new()
        .route("/hand-offs/{message}", post(report))
        .layer(DefaultBodyLimit::disable())
        .layer(RequestBodyLimitLayer::new(BODY_MAX))
}

fn keys(destination: &DestinationConfig) -> Vec<Webhook> {
    destination.signing_keys().into_iter().filter_map(|key| Webhook::from_bytes(key).ok()).collect()
}

/// `POST /hand-offs/{message}`
async fn report(
    State(state): State<ChannelState>,
    Path(message): Path<String>,
    headers: HeaderMap,
    body: Result<Bytes, BytesRejection>,
) -> Result<Response, Refusal> {
    let (now, wire) = (state.clock.now(), state.clock.wire());
    let body = body.map_err(|rejection| unread(&rejection))?;
    let window = SignedDuration::try_from(state.config.events.window).unwrap_or(SignedDuration::ZERO);
    let found = state.store.find_outbox(&message).await.map_err(|error| not_kept(&message, &error))?;
    // There is something to report on where an approval stands behind it, it was tried, and it was not taken back.
    let Some(row) = found.filter(|row| row.state != OutboxState::Cancelled && row.attempts > 0 && !row.about.is_empty())
    else {
        // Only who could have got one is told that there is none.
        let all: Vec<Webhook> = state.config.all_destinations().iter().flat_map(keys).collect();
        check(&all, &headers, &body, wire, window)?;
        return Err(Refusal::NotFound("no such message was handed off"));
    };
    let destination = state.config.destination(&row.channel);
    let keys = destination.as_ref().map(keys).unwrap_or_default();
    // With the secret of the destination that got it: one executor does not report on what another has in hand.
    let (id, text) = check(&keys, &headers, &body, wire, window)?;
    // After the signature: whoever can not sign must not use up an executor's minute.
    if let Some(seconds) = state.hooks.too_many(&format!("hand-off {}", row.channel), wire) {
        return Err(Refusal::TooMany(seconds));
    }
    let said: Said = serde_json::from_str(text).map_err(|_| {
        Refusal::Bad(
            "the body must be JSON with a state: accepted, carried_out, partly, not_carried_out or undone; note and \
             reference are texts, at is a time such as 2026-10-08T12:00:00Z",
        )
    })?;
    let cut = |text: &str, most| text.chars().take(most).collect::<String>();
    let report = Report {
        // Ids of calls are the sender's own, so two executors may come with the same one.
        id: format!("{}/{id}", row.channel),
        message_id: row.id,
        destination: row.channel,
        state: said.state,
        note: cut(&said.note, NOTE_MAX),
        reference: cut(&said.reference, REFERENCE_MAX),
        said_at: said.at,
        received_at: now,
    };
    let entry = AuditEntry::by(
        &format!("destination:{}", report.destination),
        "hand-off",
        now,
        "hand_off.reported",
        format!("recommendation:{}", row.about),
    )
    // The report as it came: what is kept of its note may be cut.
    .on(content_hash(&[text]))
    .with(json!({
        "message": report.message_id,
        "report": report.id,
        "state": report.state,
        "note": report.note,
        "reference": report.reference,
        "at": report.said_at.map(|at| at.to_string()),
    }));
    match state.store.keep_report(&report, &content_hash(&[text]), &entry).await {
        Ok(Kept::New) => state.hooks.wake(),
        Ok(Kept::Same) => {}
        Ok(Kept::Other) => return Err(Refusal::Other),
        Err(error) => return Err(not_kept(&message, &error)),
    }
    Ok(answer(StatusCode::ACCEPTED, &json!({ "id": report.id, "state": "kept" })))
}

fn not_kept(message: &str, error: &crate::store::StoreError) -> Refusal {
    tracing::error!(message, error = error as &dyn std::error::Error, "A report on {message} could not be kept");
    Refusal::NotKept
}
