//! A world with a workspace beside it: one case with three recommendations, people who are linked, and everything that works on chats.

use std::ops::{Deref, DerefMut};
use std::sync::Arc;

use reeve::channels::slack;
use reeve::channels::slack::send::SlackSender;
use reeve::config::Config;
use reeve::people::ChatChannel;
use reeve::ports::Senders;
use reeve_testing::slack::{self as workspace, Posted, Signed, Slack};
use serde_json::Value;

use crate::chat::desk::Desk;
use crate::support::databases::{TestDb, databases};
use crate::web::http::Answer;

/// Linked: an approver, one with a higher tier, a planner.
pub(super) const ARI: &str = "UARI";
pub(super) const FAY: &str = "UFAY";
/// Not linked.
pub(super) const EVE: &str = "UEVE";

pub(super) struct Bench {
    desk: Desk,
    pub(super) slack: Slack,
}

impl Deref for Bench {
    type Target = Desk;

    fn deref(&self) -> &Desk {
        &self.desk
    }
}

impl DerefMut for Bench {
    fn deref_mut(&mut self) -> &mut Desk {
        &mut self.desk
    }
}

/// The settings for a workspace, with clicks by `mode`.
pub(super) fn config(slack: &Slack, mode: &str) -> Box<Config> {
    let all = [
        ("MODE", mode),
        ("API_BASE", &slack.api),
        ("BOT_TOKEN", workspace::BOT),
        ("APP_TOKEN", workspace::APP),
        ("SIGNING_SECRET", workspace::SECRET),
        ("TEAM", workspace::TEAM),
        ("APP_ID", workspace::APP_ID),
        ("CHANNEL", workspace::CHANNEL),
        ("PER_SECOND", "1000.0"),
        ("BURST", "1000"),
        ("UPDATES_PER_MINUTE", "60000"),
        ("TIMEOUT", "2s"),
    ];
    let mut all: Vec<(String, String)> =
        all.iter().map(|(key, value)| (format!("REEVE_SLACK__{key}"), (*value).to_owned())).collect();
    all.push(("REEVE_WEB__BASE_URL".to_owned(), "https://reeve.example.com".to_owned()));
    Box::new(Config::load_from(None, &all).unwrap())
}

impl Bench {
    /// On SQLite, with clicks over HTTP.
    pub(super) async fn new() -> Self {
        Self::on(databases().await.remove(0), |_| {}).await
    }

    /// The same on a database, with changed settings.
    pub(super) async fn on(db: TestDb, change: impl FnOnce(&mut Config)) -> Self {
        let slack = Slack::start().await;
        let mut config = config(&slack, "http");
        change(&mut config);
        Box::pin(Self::of(db, slack, config)).await
    }

    pub(super) async fn of(db: TestDb, slack: Slack, config: Box<Config>) -> Self {
        let desk = Desk::on(db, config, |state| {
            let sender = SlackSender::new(&state.config.slack, &state.config.delivery, state.clock.clone());
            (Senders::only(Arc::new(sender)), slack::inbox(state).unwrap().0)
        });
        let desk = Box::pin(desk).await;
        for (user, person) in [(ARI, "ari"), (FAY, "fay")] {
            desk.link(ChatChannel::Slack, workspace::TEAM, user, person).await;
        }
        Self { desk, slack }
    }

    /// A code for a person, made on the page.
    pub(super) async fn code(&self, person: &str) -> String {
        self.desk.code_for(person, ChatChannel::Slack).await
    }

    /// The card of the world's case, after everything is shown.
    pub(super) async fn card(&self) -> Posted {
        self.show().await;
        self.cards().pop().unwrap()
    }

    /// The cards of the world's case that stand in the channel.
    pub(super) fn cards(&self) -> Vec<Posted> {
        let shows = format!("case:{}", self.world.case.id);
        self.slack.posted().into_iter().filter(|p| p.metadata["event_payload"]["shows"] == shows).collect()
    }

    /// Sends a request over HTTP.
    pub(super) async fn post(&self, path: &str, signed: &Signed) -> Answer {
        self.desk.post(path, &signed.headers, &signed.body).await
    }

    /// An interaction over HTTP, signed now, acknowledged and worked on.
    pub(super) async fn interact(&self, payload: &Value) -> Answer {
        let answer = self.post("/slack/interactions", &Signed::interaction(payload, self.seconds())).await;
        self.inbox.work_off().await.unwrap();
        answer
    }

    /// A command over HTTP, in the same way.
    pub(super) async fn command(&self, user: &str, text: &str) -> String {
        let fields = self.slack.command(user, text);
        let answer = self.post("/slack/commands", &Signed::command(&fields, self.seconds())).await;
        assert_eq!((answer.status, &*answer.body), (200, ""));
        self.inbox.work_off().await.unwrap();
        self.slack.last_said()
    }
}
