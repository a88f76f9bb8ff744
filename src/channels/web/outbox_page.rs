//! What is on its way out: how each destination is doing, what is stuck and why, and what was handed off and is not to be seen.

use axum::extract::State;
use axum::response::Html;
use serde_json::json;

use super::error::WebError;
use super::frame::Shell;
use super::session::SignedIn;
use super::templates;
use crate::cards::names::moment;
use crate::cards::plain;
use crate::channels::ChannelState;
use crate::pipeline::deliver::stuck::{Picture, arrived, picture};

/// Messages on one screen; what is stuck longest comes first.
const SHOWN: usize = 200;

/// Messages that have arrived, on one screen: enough to find the one that somebody asks about on the phone.
const ARRIVED: usize = 20;

/// `GET /outbox`
pub(super) async fn outbox(State(state): State<ChannelState>, who: SignedIn) -> Result<Html<String>, WebError> {
    let zone = &state.config.rules.calendar.timezone;
    let Picture { destinations, held, unseen, .. } = picture(&state.store, &state.config, state.clock.now()).await?;
    let destinations: Vec<_> = destinations
        .iter()
        .map(|d| json!({ "name": plain(&d.name), "down": d.down, "says": plain(&d.says), "waiting": d.waiting, "dead": d.dead }))
        .collect();
    let shown: Vec<_> = held
        .iter()
        .take(SHOWN)
        .map(|h| {
            json!({
                "id": h.id, "what": h.kind.words(), "destination": plain(&h.destination), "case": h.case, "since": moment(h.since, zone),
                "dead": h.dead, "attempts": h.attempts, "why": plain(&h.why),
            })
        })
        .collect();
    let unseen: Vec<_> = unseen
        .iter()
        .map(|u| json!({ "case": u.case, "summary": plain(&u.summary), "since": moment(u.since, zone), "why": plain(&u.why) }))
        .collect();
    let arrived: Vec<_> = arrived(&state.store, ARRIVED)
        .await?
        .iter()
        .map(|a| {
            json!({
                "id": a.id, "what": a.kind.words(), "destination": plain(&a.destination), "case": a.case,
                "at": a.at.map(|at| moment(at, zone)), "reference": a.reference.as_deref().map(plain),
            })
        })
        .collect();
    let values = json!({
        "shell": Shell::of("Outbox", "/outbox", &who),
        "destinations": destinations,
        "held": shown,
        "more": held.len().saturating_sub(SHOWN),
        "unseen": unseen,
        "arrived": arrived,
    });
    Ok(Html(templates::render("outbox.html", &values)?))
}
