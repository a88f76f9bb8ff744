//! A world with a tenant of Teams beside it, and a workspace of Slack where one is wanted: one case with three recommendations, people who
//! are linked, and everything that works on chats.

use std::ops::Deref;
use std::sync::Arc;
use std::time::Duration;

use reeve::channels::slack::send::SlackSender;
use reeve::channels::teams;
use reeve::channels::teams::send::TeamsSender;
use reeve::config::Config;
use reeve::people::ChatChannel;
use reeve::ports::{Sender, Senders};
use reeve_testing::slack::{self as workspace, Slack};
use reeve_testing::teams::{self as tenant, Posted, Signed, Teams};
use serde_json::Value;

use crate::chat::desk::Desk;
use crate::support::databases::{TestDb, databases};
use crate::web::http::Answer;

/// Linked: an approver, and one with a higher tier.
pub(super) const ARI: &str = "6a1f0f7c-5a0b-4a63-9d4e-0c7a5a4f0001";
pub(super) const FAY: &str = "6a1f0f7c-5a0b-4a63-9d4e-0c7a5a4f0002";
/// Not linked.
pub(super) const EVE: &str = "6a1f0f7c-5a0b-4a63-9d4e-0c7a5a4f0009";

pub(super) struct Bench {
    desk: Desk,
    pub(super) teams: Teams,
    pub(super) slack: Slack,
}

impl Deref for Bench {
    type Target = Desk;

    fn deref(&self) -> &Desk {
        &self.desk
    }
}

/// The settings for a tenant.
pub(super) fn config(teams: &Teams) -> Box<Config> {
    let all = [
        ("APP_ID", tenant::APP_ID.to_owned()),
        ("APP_SECRET", tenant::SECRET.to_owned()),
        ("TENANT", tenant::TENANT.to_owned()),
        ("CHANNEL", tenant::CHANNEL.to_owned()),
        ("METADATA_URL", format!("{}/v1/.well-known/openidconfiguration", teams.host)),
        ("TOKEN_URL", format!("{}/{{tenant}}/oauth2/v2.0/token", teams.host)),
        ("SERVICE_HOSTS", teams.authority().to_owned()),
        ("PER_SECOND", "1000.0".to_owned()),
        ("BURST", "1000".to_owned()),
        ("TIMEOUT", "2s".to_owned()),
    ];
    let mut all: Vec<(String, String)> =
        all.into_iter().map(|(key, value)| (format!("REEVE_TEAMS__{key}"), value)).collect();
    all.push(("REEVE_WEB__BASE_URL".to_owned(), "https://reeve.example.com".to_owned()));
    Box::new(Config::load_from(None, &all).unwrap())
}

impl Bench {
    /// On SQLite.
    pub(super) async fn new() -> Self {
        Self::on(databases().await.remove(0), |_, _| {}).await
    }

    /// The same on a database, with changed settings.
    pub(super) async fn on(db: TestDb, change: impl FnOnce(&mut Config, &Slack)) -> Self {
        let (teams, slack) = (Teams::start().await, Slack::start().await);
        let mut config = config(&teams);
        change(&mut config, &slack);
        Box::pin(Self::of(db, teams, slack, config)).await
    }

    async fn of(db: TestDb, teams: Teams, slack: Slack, config: Box<Config>) -> Self {
        let desk = Desk::on(db, config, |state| {
            let (config, clock) = (&state.config, &state.clock);
            let sender = TeamsSender::new(&config.teams, &config.delivery, state.store.clone(), clock.clone());
            let mut all: Vec<Arc<dyn Sender>> = vec![Arc::new(sender)];
            if config.slack.is_set() {
                all.push(Arc::new(SlackSender::new(&config.slack, &config.delivery, clock.clone())));
            }
            (Senders::new(all).unwrap(), teams::inbox(state).unwrap().0)
        });
        let desk = Box::pin(desk).await;
        for (user, person) in [(ARI, "ari"), (FAY, "fay")] {
            desk.link(ChatChannel::Teams, tenant::TENANT, user, person).await;
        }
        let bench = Self { desk, teams, slack };
        assert_eq!(bench.tell_bot(&bench.teams.team_changes(ARI, true)).await.status, 200);
        bench
    }

    /// A code for a person, made on the page.
    pub(super) async fn code(&self, person: &str, chat: ChatChannel) -> String {
        self.desk.code_for(person, chat).await
    }

    /// The card of the world's case, after everything is shown.
    pub(super) async fn card(&self) -> Posted {
        self.show().await;
        self.cards().pop().unwrap()
    }

    /// The cards of the world's case that stand in the channel.
    pub(super) fn cards(&self) -> Vec<Posted> {
        let is_ours = |posted: &Posted| {
            posted.conversation.starts_with(tenant::CHANNEL) && posted.shown().contains(self.world.case.id.as_str())
        };
        self.teams
            .posted()
            .into_iter()
            .filter(is_ours)
            .filter(|posted| !posted.shown().contains("waits for a decision"))
            .collect()
    }

    /// Sends a request.
    pub(super) async fn post(&self, signed: &Signed) -> Answer {
        self.desk.post("/teams/messages", &signed.headers, &signed.body).await
    }

    /// Sends an activity, signed now.
    pub(super) async fn tell_bot(&self, activity: &Value) -> Answer {
        self.post(&self.teams.sign(activity, self.seconds())).await
    }

    /// Sends an activity, signed now, that is to be answered by itself.
    pub(super) async fn invoke(&self, activity: &Value) -> Value {
        let answer = self.tell_bot(activity).await;
        assert_eq!(answer.status, 200, "{}", answer.body);
        serde_json::from_str(&answer.body).unwrap()
    }

    /// Somebody presses a button of a card. Answers what they are told, as one text.
    pub(super) async fn press(&self, user: &str, card: &Posted, verb: &str, inputs: &[(&str, Value)]) -> String {
        self.invoke(&self.teams.press(user, card, verb, inputs)).await.to_string()
    }

    /// Somebody writes to the bot alone. Answers what it says.
    pub(super) async fn write(&self, user: &str, text: &str) -> String {
        let answer = self.tell_bot(&self.teams.write(user, text)).await;
        assert_eq!((answer.status, &*answer.body), (200, ""));
        self.inbox.work_off().await.unwrap();
        self.teams.posted().pop().map(|posted| posted.shown()).unwrap_or_default()
    }
}

/// The settings of a workspace beside the tenant.
pub(super) fn with_slack(config: &mut Config, slack: &Slack) {
    let it = &mut config.slack;
    it.mode = reeve::config::SlackMode::Http;
    it.api_base.clone_from(&slack.api);
    it.bot_token = secrecy::SecretString::from(workspace::BOT.to_owned());
    it.signing_secret = secrecy::SecretString::from(workspace::SECRET.to_owned());
    (it.team, it.app_id, it.channel) =
        (workspace::TEAM.to_owned(), workspace::APP_ID.to_owned(), workspace::CHANNEL.to_owned());
    (it.per_second, it.burst, it.updates_per_minute) = (1_000.0, 1_000, 60_000);
    it.timeout = Duration::from_secs(2);
}
