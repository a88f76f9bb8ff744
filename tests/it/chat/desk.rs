//! A world and everything that works on chats, whichever chats they are.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use jiff::{SignedDuration, Timestamp};
use reeve::channels::ChannelState;
use reeve::channels::chat::inbox::Inbox;
use reeve::channels::chat::tell::Tell;
use reeve::config::Config;
use reeve::domain::ids::PersonId;
use reeve::people::{By, ChatChannel, ChatUser, Identities};
use reeve::pipeline::context::Context;
use reeve::pipeline::deliver::{Deliver, Delivered};
use reeve::pipeline::moment::Moments;
use reeve::pipeline::{Progress, Stage as _};
use reeve::ports::{Page, PortError, Ports, Senders, Source};

use crate::support::databases::TestDb;
use crate::web::http::{Answer, send};
use crate::web::world::World;

pub(crate) struct Desk {
    pub(crate) world: World,
    pub(crate) inbox: Inbox,
    pub(crate) tell: Tell,
    pub(crate) deliver: Deliver,
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

impl Desk {
    /// At half past seven: an hour earlier nobody is disturbed yet. `chats` says what is sent with, and what clicks go through.
    pub(crate) async fn on(db: TestDb, config: Box<Config>, chats: impl FnOnce(&ChannelState) -> (Senders, Inbox)) -> Self {
        // On the heap: the settings are much, and tests hold this within their own.
        let world = Box::pin(World::on(db, *config)).await;
        let state = &world.state;
        let (store, config, clock) = (state.store.clone(), state.config.clone(), state.clock.clone());
        let (senders, inbox) = chats(state);
        let charts = state.charts.clone();
        let context = Context {
            store: store.clone(),
            config: config.clone(),
            ports: Ports { source: Arc::new(Silent), model: None, senders: senders.clone() },
            clock: clock.clone(),
            moments: Arc::new(Moments::new(store.clone(), config.clone(), clock.clone())),
            memories: Arc::new(reeve::memory::Memories::by_numbers(store.clone())),
            hint: Arc::default(),
        };
        let desk = Self { world, inbox, tell: Tell { context, charts }, deliver: Deliver { store, config, clock, senders } };
        desk.later(Duration::from_hours(1));
        desk
    }

    /// Who is who.
    pub(crate) fn identities(&self) -> Identities {
        let state = &self.world.state;
        Identities { store: state.store.clone(), config: state.config.clone(), clock: state.clock.clone() }
    }

    /// A code for a person, made on the page.
    pub(crate) async fn code_for(&self, person: &str, chat: ChatChannel) -> String {
        let by = By { actor: person, channel: "web" };
        self.identities().invite(&PersonId::new(person), chat, by).await.unwrap().code
    }

    /// Links a user of a chat with a person.
    pub(crate) async fn link(&self, chat: ChatChannel, tenant: &str, user: &str, person: &str) {
        let code = self.code_for(person, chat).await;
        self.identities().confirm(&ChatUser::new(chat, tenant, user).unwrap(), &code).await.unwrap();
    }

    /// Tells chats, and sends what is due.
    pub(crate) async fn show(&self) -> Delivered {
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

    /// Sends a request of a chat over HTTP.
    pub(crate) async fn post(&self, path: &str, headers: &[(String, String)], body: &str) -> Answer {
        let headers: Vec<(&str, &str)> = headers.iter().map(|(name, value)| (&**name, &**value)).collect();
        send(&self.world, "POST", path, &headers, body).await
    }

    /// What the machine's clock says.
    pub(crate) fn seconds(&self) -> i64 {
        self.world.clock.wire().as_second()
    }

    /// Lets time pass.
    pub(crate) fn later(&self, passed: Duration) {
        let now = self.world.clock.now();
        self.world.clock.set(now.checked_add(SignedDuration::try_from(passed).unwrap()).unwrap());
    }

    /// The state of the first recommendation.
    pub(crate) async fn state_of_first(&self) -> String {
        let (rec, _) = self.world.store.get_recommendation(&self.world.recommendations[0].id).await.unwrap();
        rec.state.name().to_owned()
    }

    /// Decisions that were kept.
    pub(crate) async fn decisions(&self) -> usize {
        self.world.store.list_decisions(Timestamp::UNIX_EPOCH).await.unwrap().len()
    }
}
