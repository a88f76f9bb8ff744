//! A world with a workspace beside it: one case with three recommendations, people who are linked, and everything that works on chats.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use jiff::{SignedDuration, Timestamp};
use reeve::channels::chat::inbox::Inbox;
use reeve::channels::chat::tell::Tell;
use reeve::channels::slack;
use reeve::channels::slack::send::SlackSender;
use reeve::config::Config;
use reeve::domain::ids::PersonId;
use reeve::people::{By, ChatChannel, ChatUser, Identities};
use reeve::pipeline::deliver::{Deliver, Delivered};
use reeve::pipeline::moment::Moments;
use reeve::pipeline::{Context, Progress, Stage as _};
use reeve::ports::{Page, PortError, Ports, Senders, Source};
use reeve_testing::slack::{self as workspace, Posted, Signed, Slack};
use serde_json::Value;

use crate::support::databases::{TestDb, databases};
use crate::web::http::{Answer, send};
use crate::web::world::World;

/// Linked: an approver, one with a higher tier, a planner.
pub(super) const ARI: &str = "UARI";
pub(super) const FAY: &str = "UFAY";
/// Not linked.
pub(super) const EVE: &str = "UEVE";

pub(super) struct Bench {
    pub(super) world: World,
    pub(super) slack: Slack,
    pub(super) inbox: Inbox,
    pub(super) tell: Tell,
    pub(super) deliver: Deliver,
}

/// A source that tells nothing more than what is in the store.
struct Silent;

#[async_trait]
impl Source for Silent {
    fn identity(&self) -> String {
        "made-up".to_owned()
    }

    async fn read(&self, _: Option<&str>, _: Timestamp, _: usize) -> Result<Page, PortError> {
        Ok(Page::default())
    }

    fn span(&self) -> Option<(Timestamp, Timestamp)> {
        None
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
        // On the heap: the settings are much, and tests hold this within their own.
        let world = Box::pin(World::on(db, *config)).await;
        let state = world.state.clone();
        let sender = SlackSender::new(&state.config.slack, &state.config.delivery, state.clock.clone());
        let senders = Senders::only(Arc::new(sender));
        let context = Context {
            store: state.store.clone(),
            config: state.config.clone(),
            ports: Ports { source: Arc::new(Silent), model: None, senders: senders.clone() },
            clock: state.clock.clone(),
            moments: Arc::new(Moments::new(state.store.clone(), state.config.clone(), state.clock.clone())),
            memories: Arc::new(reeve::memory::Memories::by_numbers(state.store.clone())),
            hint: Arc::default(),
        };
        let deliver =
            Deliver { store: state.store.clone(), config: state.config.clone(), clock: state.clock.clone(), senders };
        let (inbox, _) = slack::inbox(&state).unwrap();
        let bench = Self { world, slack, inbox, tell: Tell(context), deliver };
        for (user, person) in [(ARI, "ari"), (FAY, "fay")] {
            bench.link(user, person).await;
        }
        // At half past six nobody is disturbed yet.
        bench.later(Duration::from_hours(1));
        bench
    }

    /// Who is who.
    pub(super) fn identities(&self) -> Identities {
        let state = &self.world.state;
        Identities { store: state.store.clone(), config: state.config.clone(), clock: state.clock.clone() }
    }

    /// A code for a person, made on the page.
    pub(super) async fn code(&self, person: &str) -> String {
        let by = By { actor: person, channel: "web" };
        self.identities().invite(&PersonId::new(person), ChatChannel::Slack, by).await.unwrap().code
    }

    async fn link(&self, user: &str, person: &str) {
        let code = self.code(person).await;
        let user = ChatUser::new(ChatChannel::Slack, workspace::TEAM, user).unwrap();
        self.identities().confirm(&user, &code).await.unwrap();
    }

    /// Tells chats, and sends what is due.
    pub(super) async fn show(&self) -> Delivered {
        while self.tell.run_once().await.unwrap() != Progress::Idle {}
        let mut all = Delivered::default();
        loop {
            let done = self.deliver.run_once().await.unwrap();
            all.sent += done.sent;
            all.retried += done.retried;
            all.dead += done.dead;
            if done == Delivered::default() {
                return all;
            }
        }
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
        let headers: Vec<(&str, &str)> = signed.headers.iter().map(|(name, value)| (&**name, &**value)).collect();
        send(&self.world, "POST", path, &headers, &signed.body).await
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

    pub(super) fn seconds(&self) -> i64 {
        self.world.clock.wire().as_second()
    }

    /// Lets time pass.
    pub(super) fn later(&self, passed: Duration) {
        let now = self.world.clock.now();
        self.world.clock.set(now.checked_add(SignedDuration::try_from(passed).unwrap()).unwrap());
    }

    /// The state of the first recommendation.
    pub(super) async fn state_of_first(&self) -> String {
        let (rec, _) = self.world.store.get_recommendation(&self.world.recommendations[0].id).await.unwrap();
        rec.state.name().to_owned()
    }

    /// Decisions that were kept.
    pub(super) async fn decisions(&self) -> usize {
        self.world.store.list_decisions(Timestamp::UNIX_EPOCH).await.unwrap().len()
    }
}
