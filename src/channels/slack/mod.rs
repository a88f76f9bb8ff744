//! Slack: how what is shown looks there, and how what is asked there comes in. It decides nothing and keeps nothing; what is not Slack's own
//! form stands in [`super::chat`].
//!
//! Out, [`send`] puts cards and digests up, drawn by [`blocks`], with charts that [`pictures`] uploads. In, by signed requests (`http`, [`signed`]) or by a socket that Reeve opens
//! (`socket`); [`wire`] reads what comes by either. [`voice`] answers the one who asked, with `views` for forms.

pub mod api;
pub mod blocks;
mod http;
pub mod pictures;
mod place;
mod press;
pub mod send;
pub mod signed;
mod socket;
mod text;
mod views;
pub mod voice;
pub mod wire;

use std::sync::Arc;

use axum::Router;
use tokio_util::sync::CancellationToken;

use self::api::Api;
use self::voice::SlackVoice;
use super::ChannelState;
use super::chat::inbox::Inbox;
use crate::config::SlackMode;

/// What it is called in errors.
const SERVICE: &str = "Slack";

/// The inbox of the configured workspace; None where none is.
pub fn inbox(state: &ChannelState) -> Option<(Inbox, Api)> {
    let slack = &state.config.slack;
    slack.is_set().then(|| {
        let api = Api::new(slack, state.clock.clone());
        (Inbox::new(state.clone(), Arc::new(SlackVoice { api: api.clone(), state: state.clone() })), api)
    })
}

/// The addresses that Slack calls, where it does.
pub(super) fn routes(state: &ChannelState) -> Router<()> {
    match inbox(state) {
        Some((inbox, _)) if state.config.slack.mode == SlackMode::Http => http::routes(inbox),
        _ => Router::new(),
    }
}

/// Works on what is asked in Slack, and keeps the socket open where that is how it comes, until `stop`.
pub async fn work(state: ChannelState, stop: CancellationToken) {
    let Some((inbox, api)) = inbox(&state) else { return };
    let worker = inbox.clone().run(stop.clone());
    if state.config.slack.mode == SlackMode::Socket {
        tokio::join!(worker, socket::run(inbox, api, stop));
    } else {
        worker.await;
    }
}
