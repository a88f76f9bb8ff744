//! A world with a mail server beside it, and everything that writes and sends letters.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use jiff::{SignedDuration, Timestamp};
use reeve::channels::mail::send::MailSender;
use reeve::channels::mail::tell::TellByMail;
use reeve::config::Config;
use reeve::domain::audit::AuditEntry;
use reeve::domain::digest::{Digest, DigestOf};
use reeve::domain::ids::PersonId;
use reeve::pipeline::context::Context;
use reeve::pipeline::deliver::{Deliver, Delivered};
use reeve::pipeline::moment::Moments;
use reeve::pipeline::{Progress, Stage as _};
use reeve::ports::{Page, PortError, Ports, Senders, Source};
use reeve::render;
use reeve::store::{OutboxState, StoredDigest};
use reeve_testing::smtp::{Arrived, Smtp};

use crate::support::databases::{TestDb, databases};
use crate::web::world::{World, today};

pub(super) struct Bench {
    pub(super) world: World,
    pub(super) smtp: Smtp,
    pub(super) tell: TellByMail,
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

/// The settings for a server, in a file's text: Dan gets the digest of everything, and everybody but Fay has an address.
pub(super) fn settings(smtp: &Smtp, more: &str) -> String {
    format!(
        "[web]\nbase_url = \"https://reeve.example.com\"\n\
         [mail]\nserver = \"127.0.0.1\"\nport = {}\ntls = \"none\"\nfrom = \"Reeve <reeve@example.com>\"\n\
         people = [\"pia=pia@example.com\", \"ari=ari@example.com\", \"dan=dan@example.com\"]\ndigest = [\"dan\"]\n\
         timeout = \"2s\"\nletter_timeout = \"4s\"\nper_second = 1000.0\nburst = 1000\n{more}",
        smtp.port
    )
}

impl Bench {
    /// On SQLite.
    pub(super) async fn new() -> Self {
        Self::on(databases().await.remove(0), "").await
    }

    /// The same on a database, with more settings of `[mail]` and behind it.
    pub(super) async fn on(db: TestDb, more: &str) -> Self {
        let smtp = Smtp::start().await;
        let text = settings(&smtp, more);
        Self::of(db, smtp, &text).await
    }

    /// The same with a server and settings of their own.
    pub(super) async fn of(db: TestDb, smtp: Smtp, text: &str) -> Self {
        let config = Config::of_table("a test", text.parse().unwrap()).unwrap();
        // On the heap: the settings are much, and tests hold this within their own.
        let world = Box::pin(World::on(db, config)).await;
        let (tell, deliver) = stages(&world);
        let bench = Self { world, smtp, tell, deliver };
        // At half past six nobody is disturbed yet.
        bench.later(Duration::from_hours(1));
        // What was said before there was mail is none of its business.
        bench.write().await;
        bench
    }

    /// Takes a step about the world's case, as the approval stage would: these people are told.
    pub(super) async fn waits(&self, action: &str, told: &[&str], hours: usize) {
        let detail = serde_json::json!({ "level": 1, "told": told, "waiting_hours": hours });
        let subject = format!("case:{}", self.world.case.id);
        let entry = AuditEntry::by_stage("approve", self.world.clock.now(), action, subject).with(detail);
        self.world.store.enqueue(&[], &[entry]).await.unwrap();
    }

    /// Makes today's digest of the world's case: everybody's, or a planner's own.
    pub(super) async fn make(&self, planner: Option<&str>, change: impl FnOnce(&mut Digest)) -> StoredDigest {
        let store = &self.world.store;
        let before = store.list_digests(9).await.unwrap().pop().expect("the world has yesterday's");
        let planner = planner.map(|id| DigestOf { id: PersonId::new(id), name: format!("{id} by name") });
        let mut digest = Digest { day: today(), planner, ..before.digest };
        change(&mut digest);
        let stored = StoredDigest {
            text: render::text(&digest),
            markdown: render::markdown(&digest),
            html: render::html(&digest),
            made_at: self.world.clock.now(),
            digest,
        };
        let entry = AuditEntry::by_stage("notify", stored.made_at, "digest.made", format!("digest:{}", today()));
        assert!(store.put_digest(&stored, &entry).await.unwrap());
        stored
    }

    /// Writes what there is to be written.
    pub(super) async fn write(&self) {
        while self.tell.run_once().await.unwrap() != Progress::Idle {}
    }

    /// Writes it, and sends what is due.
    pub(super) async fn send(&self) -> Delivered {
        self.write().await;
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

    /// What is in somebody's mailbox.
    pub(super) fn mailbox(&self, person: &str) -> Vec<Arrived> {
        self.smtp.kept().into_iter().filter(|letter| letter.to == format!("{person}@example.com")).collect()
    }

    /// Lets time pass.
    pub(super) fn later(&self, passed: Duration) {
        let now = self.world.clock.now();
        self.world.clock.set(now.checked_add(SignedDuration::try_from(passed).unwrap()).unwrap());
    }

    /// Lets so much time pass that whatever is to be tried again is.
    pub(super) async fn try_again(&self, times: usize) {
        for _ in 0..times {
            self.later(Duration::from_mins(20));
            self.send().await;
        }
    }

    /// How many messages are in a state.
    pub(super) async fn count(&self, state: OutboxState) -> usize {
        self.world.store.list_outbox(state).await.unwrap().len()
    }
}

/// What writes and what sends, as another process would have them.
pub(super) fn stages(world: &World) -> (TellByMail, Deliver) {
    let state = &world.state;
    let senders = Senders::only(Arc::new(MailSender::new(&state.config.mail, &state.config.delivery)));
    let context = Context {
        store: state.store.clone(),
        config: state.config.clone(),
        ports: Ports { source: Arc::new(Silent), model: None, senders: senders.clone() },
        clock: state.clock.clone(),
        moments: Arc::new(Moments::new(state.store.clone(), state.config.clone(), state.clock.clone())),
        memories: Arc::new(reeve::memory::Memories::by_numbers(state.store.clone())),
        hint: Arc::default(),
    };
    let deliver = Deliver { store: state.store.clone(), config: state.config.clone(), clock: state.clock.clone(), senders };
    (TellByMail { context, charts: state.charts.clone() }, deliver)
}
