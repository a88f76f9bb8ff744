//! A shop's mornings: the source is down, slow, read by half, back after days, and somebody has acted just before. What the
//! digest then says, and what it does not.
//!
//! The source is the bundled recording behind a server that a test may stop, slow down and add to.

mod demo;
mod half;
mod mornings;
mod serving;

use std::path::Path;
use std::sync::{Arc, Mutex, MutexGuard};

use async_trait::async_trait;
use jiff::Timestamp;
use reeve::app::App;
use reeve::clock::Clock;
use reeve::config::Config;
use reeve::domain::exception::Exception;
use reeve::domain::record::Observed;
use reeve::odoo::recorded::Recorded;
use reeve::ports::{Page, PortError, Ports, RECORDS, Senders, Source, Stream};
use reeve::store::{Store, StoredDigest, Which};

fn at(text: &str) -> Timestamp {
    text.parse().expect("a time")
}

/// What the server is to do.
#[derive(Default)]
struct Script {
    /// Nobody answers.
    down: bool,
    /// The next look takes until then.
    ends: Option<Timestamp>,
    /// What was done in the shop beyond the recording.
    done: Vec<Observed>,
    /// The last look that ended well.
    read_to: Option<Timestamp>,
}

struct Server {
    recording: Recorded,
    clock: Clock,
    script: Mutex<Script>,
}

impl Server {
    fn script(&self) -> MutexGuard<'_, Script> {
        self.script.lock().expect("no test panics while it holds it")
    }
}

#[async_trait]
impl Source for Server {
    fn identity(&self) -> String {
        self.recording.identity()
    }

    fn streams(&self) -> &'static [Stream] {
        &[RECORDS]
    }

    async fn refresh(&self, until: Timestamp) -> Result<(), PortError> {
        let mut script = self.script();
        if script.down {
            return Err(PortError::Transient { service: "Odoo", retry_after: None, source: "no route to host".into() });
        }
        if let Some(end) = script.ends.take() {
            self.clock.set(end);
        }
        script.read_to = Some(until);
        Ok(())
    }

    async fn read(&self, cursor: Option<&str>, until: Timestamp, limit: usize) -> Result<Page, PortError> {
        let Some(read_to) = self.script().read_to else { return Ok(Page::default()) };
        let mut page = self.recording.read(cursor, until.min(read_to), limit).await?;
        if !page.more {
            let (visible, later) =
                std::mem::take(&mut self.script().done).into_iter().partition(|o| o.changed_at <= read_to);
            self.script().done = later;
            page.observed.extend::<Vec<Observed>>(visible);
        }
        Ok(page)
    }

    fn span(&self) -> Option<(Timestamp, Timestamp)> {
        self.recording.span()
    }
}

/// A shop whose program is running.
struct Shop {
    server: Arc<Server>,
    clock: Clock,
    store: Store,
    app: App,
}

impl Shop {
    /// Opened at `now`, and read then.
    async fn open(url: &str, now: &str) -> Self {
        let recording = Recorded::open(Path::new("evals/recordings/odoo-18-retailer"), "USD").expect("it opens");
        let clock = Clock::standing_at(at(now));
        let server = Arc::new(Server { recording, clock: clock.clone(), script: Mutex::default() });
        let store = Store::open_and_migrate(url).await.expect("the store opens");
        let shop = Self { app: app(&store, &server, &clock), server, clock, store };
        shop.run().await;
        shop
    }

    async fn run(&self) {
        self.app.run_until_idle().await.expect("the stages come to rest");
    }

    /// Lets it be `now`, and the program do what it does then. While the server is down its reading fails, and the others work.
    async fn at(&self, now: &str) {
        self.clock.set(at(now));
        if !self.server.script().down {
            return self.run().await;
        }
        for stage in self.app.stages() {
            while let Ok(reeve::pipeline::Progress::Advanced(_)) = stage.run_once().await {}
        }
    }

    /// Ends the program and starts it anew.
    fn restart(&mut self) {
        self.app = app(&self.store, &self.server, &self.clock);
    }

    fn down(&self, down: bool) {
        self.server.script().down = down;
    }

    async fn digest(&self, day: &str) -> Option<StoredDigest> {
        self.store.find_digest(day.parse().expect("a day")).await.expect("the store answers")
    }

    /// Exceptions as they are kept.
    async fn found(&self) -> Vec<Exception> {
        self.store.list_exceptions(Which::All).await.expect("the store answers")
    }
}

fn app(store: &Store, server: &Arc<Server>, clock: &Clock) -> App {
    let config = Arc::new(Config::load_from(None, &[]).expect("the defaults load"));
    let source: Arc<dyn Source> = server.clone();
    App::new(config, store.clone(), Ports { source, model: None, senders: Senders::default() }, clock.clone())
}
