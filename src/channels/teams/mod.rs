//! Microsoft Teams: how what is shown looks there, and how what is asked there comes in. It decides nothing; what is not Teams' own form
//! stands in [`super::chat`].
//!
//! Out, [`send`] puts cards and digests up, drawn by [`cards`]; `workflow` posts to a webhook that can do no more. In, by signed requests (`http`,
//! [`signed`], [`keys`]); [`wire`] reads them. [`voice`] answers the one who asked, with `forms` where something is to be filled in, and
//! `view` says how a card stands for one person.

pub mod api;
pub mod cards;
mod forms;
mod http;
pub mod keys;
mod press;
mod reply;
pub mod send;
pub mod signed;
mod text;
pub mod token;
mod view;
pub mod voice;
pub mod wire;
mod workflow;

use std::sync::Arc;

use axum::Router;
use tokio_util::sync::CancellationToken;

use self::api::Api;
use self::cards::LOOKERS_MAX;
use self::keys::Keys;
use self::voice::TeamsVoice;
use super::ChannelState;
use super::chat::inbox::Inbox;
use crate::clock::Clock;
use crate::store::{Store, StoreError};

/// What it is called in errors.
const SERVICE: &str = "Teams";

/// What the connector calls Teams among its channels.
const CHANNEL_ID: &str = "msteams";

/// The inbox of the configured bot; None where none is.
pub fn inbox(state: &ChannelState) -> Option<(Inbox, Api)> {
    let teams = &state.config.teams;
    teams.has_bot().then(|| {
        let api = Api::new(teams, state.clock.clone());
        (Inbox::new(state.clone(), Arc::new(TeamsVoice { api: api.clone(), state: state.clone() })), api)
    })
}

/// The address that Teams calls, where there is a bot.
pub(super) fn routes(state: &ChannelState) -> Router<()> {
    let Some((inbox, api)) = inbox(state) else { return Router::new() };
    let keys = Keys::new(&state.config.teams, state.clock.clone());
    http::routes(http::Door { inbox, keys, api })
}

/// Works on what is asked in Teams, until `stop`.
pub async fn work(state: ChannelState, stop: CancellationToken) {
    if let Some((inbox, _)) = inbox(&state) {
        inbox.run(stop).await;
    }
}

/// Whose apps are asked to look anew at a card that they show: people who are linked, as Teams calls them.
async fn lookers(store: &Store, tenant: &str, clock: &Clock) -> Result<Vec<String>, StoreError> {
    let most = i64::try_from(LOOKERS_MAX).unwrap_or(i64::MAX);
    store.list_teams_users(tenant, clock.wire(), most).await
}
