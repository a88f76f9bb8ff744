//! How people and machines come in: each channel learns who asks and what for, and hands that to [`crate::approve`]; what it shows
//! is made by [`crate::cards`].
//!
//! [`web`] has the pages, [`api`] answers programs that have a token, [`mcp`] assistants that have one, [`hooks`] takes signed events from machines, [`slack`] and
//! [`teams`] show cases and take clicks in a chat ([`chat`] is what all chats have in common), [`mail`] writes letters. All that speaks HTTP is served by one [`router`] over bounded `sockets`.

pub mod api;
pub mod chat;
pub mod hooks;
pub mod mail;
pub mod mcp;
mod quiet;
mod quota;
pub mod slack;
mod sockets;
mod state;
pub mod teams;
mod waits;
pub mod web;

use std::time::Duration;

use axum::Router;
use axum::http::StatusCode;
use tokio_util::sync::CancellationToken;
use tower_http::timeout::TimeoutLayer;

pub use self::api::document as api_document;
pub use self::sockets::serve;
use self::state::first_chart;
pub use self::state::{ChannelState, ChartSource};

/// Longest time for one request.
const REQUEST_MAX: Duration = Duration::from_secs(30);

/// Works on what people ask for in chats, until `stop`. What was acknowledged before a process ended is taken up here.
pub async fn listen_to_chats(state: ChannelState, stop: CancellationToken) {
    tokio::join!(slack::work(state.clone(), stop.clone()), teams::work(state, stop));
}

/// Pages, API, hooks and chats as one router.
pub fn router(state: ChannelState) -> Router {
    let timeout = || TimeoutLayer::with_status_code(StatusCode::SERVICE_UNAVAILABLE, REQUEST_MAX);
    let pages = web::routes(&state, timeout());
    // What machines send is signed and comes through gateways under other names: the guard of the pages is for browsers.
    let chats = slack::routes(&state).merge(teams::routes(&state)).layer(timeout());
    pages
        .merge(hooks::routes(&state).merge(api::routes(&state)).merge(mcp::routes(&state)).layer(timeout()))
        .with_state(state)
        .merge(chats)
}
