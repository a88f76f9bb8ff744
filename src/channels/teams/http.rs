//! `POST /teams/messages`: everything that Teams tells the bot.
//!
//! Invariants: nothing of a request has any effect before its token is checked, and what its body says of itself is held against the
//! token; what was asked is on the disk before it is answered; the request of a button is answered within some seconds and never with nothing;
//! one that comes again is answered as it was the first time, by whichever process.

use std::sync::Arc;
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
use tokio::time::Instant;
use tower_http::limit::RequestBodyLimitLayer;

use super::api::Api;
use super::keys::Keys;
use super::signed::{Token, Unsigned, check};
use super::wire::{self, Came, Place};
use super::{CHANNEL_ID, reply, view};
use crate::channels::chat::heard::Heard;
use crate::channels::chat::inbox::{Inbox, LATER};
use crate::store::{StoreError, TeamsConversation, TeamsKind};

/// Largest request: a message of Teams has at most some 100 KB.
const BODY_MAX: usize = 256 * 1024;

/// How long whoever pressed waits at most. Teams gives up after some five seconds and says that the app can not be reached.
const WAIT: Duration = Duration::from_millis(3_500);

/// How often it is looked whether another one has answered the same request.
const LOOK_EVERY: Duration = Duration::from_millis(100);

/// What requests are taken with.
pub(super) struct Door {
    /// Where what was asked goes.
    pub(super) inbox: Inbox,
    /// Who signs.
    pub(super) keys: Keys,
    /// Which services may be spoken to.
    pub(super) api: Api,
}

/// The route.
pub(super) fn routes(door: Door) -> Router<()> {
    Router::new()
        .route("/teams/messages", post(messages))
        .layer(DefaultBodyLimit::disable())
        .layer(RequestBodyLimitLayer::new(BODY_MAX))
        .with_state(Arc::new(door))
}

async fn messages(State(door): State<Arc<Door>>, headers: HeaderMap, body: Result<Bytes, BytesRejection>) -> Response {
    let body = match taken(&door, &headers, body).await {
        Ok(body) => body,
        Err((status, why)) => return refuse(status, &why),
    };
    let came = wire::activity(&body, &door.inbox.state.config.teams);
    if let Came::Foreign(why) = came {
        return refuse(StatusCode::FORBIDDEN, &why);
    }
    match answer(&door, &body, came).await {
        Ok(answer) => answer,
        Err(error) => {
            tracing::error!(error = &error as &dyn std::error::Error, "What was asked in Teams could not be kept");
            refuse(StatusCode::SERVICE_UNAVAILABLE, "it could not be kept: try again")
        }
    }
}

/// The body of a request that is Teams'.
async fn taken(
    door: &Door,
    headers: &HeaderMap,
    body: Result<Bytes, BytesRejection>,
) -> Result<Value, (StatusCode, String)> {
    let body = body.map_err(|rejection| (rejection.status(), "the body could not be read".to_owned()))?;
    let state = &door.inbox.state;
    // Before the body is read as anything: nothing of it has an effect until whose it is is known.
    let checked = check(&door.keys, &state.config.teams, headers, state.clock.wire()).await;
    let token = checked.map_err(|unsigned| match unsigned {
        Unsigned::Refused(why) => (StatusCode::UNAUTHORIZED, why.to_owned()),
        // Whose it is can not be known while the directory is away: this asks Teams to send it again.
        Unsigned::NotNow(error) => (StatusCode::SERVICE_UNAVAILABLE, error.to_string()),
    })?;
    let bad = |why: &str| (StatusCode::BAD_REQUEST, why.to_owned());
    let body: Value = serde_json::from_slice(&body).map_err(|_| bad("the body is no JSON"))?;
    if !body.is_object() {
        return Err(bad("the body is no activity"));
    }
    fits(door, &token, &body).map_err(|why| (StatusCode::FORBIDDEN, why))?;
    Ok(body)
}

/// Does what a body says of where it comes from fit its token?
fn fits(door: &Door, token: &Token, body: &Value) -> Result<(), String> {
    let service = body["serviceUrl"].as_str().unwrap_or_default();
    if service.is_empty() || service.trim_end_matches('/') != token.service_url.trim_end_matches('/') {
        return Err("its token is for another service".to_owned());
    }
    door.api.allowed(service).map_err(|error| error.to_string())?;
    // A key speaks for some channels only, and Teams is one among many behind the same connector.
    if !token.endorsements.iter().any(|channel| channel == CHANNEL_ID) {
        return Err("the key of its token does not speak for Teams".to_owned());
    }
    Ok(())
}

async fn answer(door: &Door, body: &Value, came: Came) -> Result<Response, StoreError> {
    let state = &door.inbox.state;
    match came {
        Came::Pressed(heard) => {
            keep_person(door, body).await?;
            Ok(replied(&pressed(door, &heard).await?))
        }
        Came::Shown { case, user } => {
            let shown = tokio::time::timeout(WAIT, view::answer(state, &user, &case)).await;
            let later = || reply::error(500, "InternalError", "Reeve could not show the card now.");
            Ok(replied(&match shown {
                Ok(Ok(reply)) => reply,
                Ok(Err(error)) => {
                    tracing::warn!("A card could not be shown anew: {error:#}");
                    later()
                }
                Err(_) => later(),
            }))
        }
        Came::Said(heard) => {
            keep_person(door, body).await?;
            let place = wire::place(body, true);
            if place.kind == TeamsKind::Personal {
                keep_place(door, body, &place).await?;
            }
            door.inbox.keep(&heard).await?;
            Ok(StatusCode::OK.into_response())
        }
        Came::Told(place) => {
            keep_place(door, body, &place).await?;
            Ok(StatusCode::OK.into_response())
        }
        Came::Unclear(why) => Ok(replied(&reply::error(400, "BadRequest", &format!("This is {why}.")))),
        // Teams wants to hear that it arrived; that nothing follows from it is our business.
        Came::Nothing(_) | Came::Foreign(_) => Ok(StatusCode::OK.into_response()),
    }
}

/// Works on what was pressed. Answers what whoever pressed is told, the same whenever it comes again.
async fn pressed(door: &Door, heard: &Heard) -> Result<Value, StoreError> {
    let until = Instant::now() + WAIT;
    let ended = door.inbox.keep_and_work(heard, WAIT).await?;
    if let Some(reply) = ended.and_then(|ended| ended.reply) {
        return Ok(reply);
    }
    loop {
        // Somebody has worked on it before, or does just now.
        let kept = door.inbox.state.store.find_chat_answer(&heard.id).await?;
        if let Some(reply) = kept.and_then(|kept| serde_json::from_str(&kept).ok()) {
            return Ok(reply);
        }
        if Instant::now() + LOOK_EVERY > until {
            return Ok(reply::message(LATER));
        }
        tokio::time::sleep(LOOK_EVERY).await;
    }
}

/// Keeps a conversation that the bot is in, or forgets one that it was taken out of.
async fn keep_place(door: &Door, body: &Value, place: &Place) -> Result<(), StoreError> {
    let state = &door.inbox.state;
    if place.conversation.is_empty() {
        return Ok(());
    }
    if !place.is_in {
        let gone = state.store.forget_teams_conversation(&place.conversation, &place.team).await?;
        tracing::info!(gone, "The bot was taken out of a conversation of Teams");
        return Ok(());
    }
    let conversation = TeamsConversation {
        id: place.conversation.clone(),
        tenant: state.config.teams.tenant.clone(),
        kind: place.kind,
        service_url: body["serviceUrl"].as_str().unwrap_or_default().to_owned(),
        bot: place.bot.clone(),
        team: place.team.clone(),
        person: place.person.clone(),
        seen_at: state.clock.wire(),
    };
    state.store.keep_teams_conversation(&conversation).await
}

/// Keeps by which id Teams knows whoever acts.
async fn keep_person(door: &Door, body: &Value) -> Result<(), StoreError> {
    let (person, user) = (wire::user(body), body["from"]["id"].as_str().unwrap_or_default());
    if person.is_empty() || user.is_empty() {
        return Ok(());
    }
    let state = &door.inbox.state;
    state.store.keep_teams_person(&state.config.teams.tenant, &person, user, state.clock.wire()).await
}

fn replied(reply: &Value) -> Response {
    (StatusCode::OK, [(CACHE_CONTROL, "no-store")], Json(reply)).into_response()
}

fn refuse(status: StatusCode, why: &str) -> Response {
    tracing::warn!(status = status.as_u16(), "A request to /teams was refused: {why}");
    (status, [(CACHE_CONTROL, "no-store")], Json(json!({ "error": why }))).into_response()
}
