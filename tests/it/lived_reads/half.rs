//! A look that breaks off in the middle: sums have come in, documents have not. Half of a story is none.

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use async_trait::async_trait;
use jiff::Timestamp;
use reeve::app::App;
use reeve::clock::Clock;
use reeve::config::Config;
use reeve::domain::ids::{ItemId, LocationId};
use reeve::domain::money::Quantity;
use reeve::domain::record::{Observed, Record, RecordKind, RecordRef, StockLevel};
use reeve::odoo::recorded::Recorded;
use reeve::ports::{Mirror, Page, PortError, Ports, Senders, Source, Stream};
use reeve::store::{Store, Which};

use super::at;
use crate::support::databases::databases;

const STREAMS: &[Stream] = &[
    Stream { name: "documents", tells: "orders and receipts", paged: true },
    Stream { name: "levels", tells: "stock on hand", paged: false },
];

/// A server whose levels are told while they are read.
struct Summed {
    recording: Recorded,
    store: Store,
    breaks_off: AtomicBool,
}

impl Summed {
    async fn levels(&self, record: Record, at: Timestamp) {
        let told = [Observed { changed_at: at, record }];
        self.store.keep_records("levels", &told, "1", at).await.expect("the store answers");
    }
}

#[async_trait]
impl Source for Summed {
    fn identity(&self) -> String {
        self.recording.identity()
    }

    fn streams(&self) -> &'static [Stream] {
        STREAMS
    }

    async fn refresh(&self, until: Timestamp) -> Result<(), PortError> {
        // The only level that is known: as if every other place were empty.
        let (item, location) = (ItemId::new("1"), LocationId::new("1"));
        if !self.breaks_off.load(Ordering::SeqCst) {
            self.levels(Record::Gone(RecordRef::new(RecordKind::StockLevel, format!("{item}/{location}"))), until).await;
            return Ok(());
        }
        let level =
            StockLevel { item, location, on_hand: Quantity::ZERO, reserved: Quantity::ZERO, unposted: Quantity::ZERO };
        self.levels(Record::StockLevel(level), until).await;
        Err(PortError::Transient { service: "Odoo", retry_after: None, source: "the connection was reset".into() })
    }

    async fn brought_in(&self) -> Result<Vec<(&'static str, Timestamp)>, PortError> {
        Ok(vec![("levels", at("2026-10-31T06:00:00Z"))])
    }

    async fn read(&self, cursor: Option<&str>, until: Timestamp, limit: usize) -> Result<Page, PortError> {
        self.recording.read(cursor, until, limit).await
    }

    fn span(&self) -> Option<(Timestamp, Timestamp)> {
        self.recording.span()
    }
}

#[tokio::test]
async fn half_of_a_look_is_not_judged_and_the_digest_says_which_half_is_missing() {
    for database in databases().await {
        let store = Store::open_and_migrate(&database.store_url()).await.expect("the store opens");
        let recording = Recorded::open(Path::new("evals/recordings/odoo-18-retailer"), "USD").expect("it opens");
        let server = Arc::new(Summed { recording, store: store.clone(), breaks_off: AtomicBool::new(false) });
        let clock = Clock::standing_at(at("2026-10-30T18:00:00Z"));
        let app = || {
            let config = Arc::new(Config::load_from(None, &[]).expect("the defaults load"));
            let source: Arc<dyn Source> = server.clone();
            App::new(config, store.clone(), Ports { source, model: None, senders: Senders::default() }, clock.clone())
        };
        let found = async || {
            let all = store.list_exceptions(Which::All).await.expect("the store answers");
            all.iter().map(|e| format!("{} {:?} {}", e.signal.fingerprint(), e.state, e.misses)).collect::<Vec<_>>()
        };
        app().run_until_idle().await.expect("the stages come to rest");
        let before = found().await;

        server.breaks_off.store(true, Ordering::SeqCst);
        for now in ["2026-10-31T06:00:00Z", "2026-10-31T08:00:00Z"] {
            clock.set(at(now));
            // Also in a process that has never seen the whole.
            let app = app();
            assert!(app.run_until_idle().await.is_err(), "reading fails");
            for stage in app.stages().iter().skip(1) {
                while let Ok(reeve::pipeline::Progress::Advanced(_)) = stage.run_once().await {}
            }
        }
        assert_eq!(found().await, before, "every place but one looks empty, and nobody has been told");
        let digest = store.find_digest("2026-10-31".parse().expect("a day")).await.expect("the store answers");
        let unread = digest.expect("no longer than the deadline").digest.unread;
        assert_eq!(unread[0], "Not in it: yesterday's orders and receipts after 18:00 UTC.", "levels were read");
        let down = "The source has been down since 2026-10-31 06:00 UTC: Odoo is unavailable: the connection was reset.";
        assert_eq!(unread[1..], [down]);

        server.breaks_off.store(false, Ordering::SeqCst);
        clock.set(at("2026-10-31T09:00:00Z"));
        app().run_until_idle().await.expect("the stages come to rest");
        assert_ne!(found().await, before, "the whole is looked at");
        let marks = store.list_watermarks().await.expect("the store answers");
        assert!(marks.iter().all(|mark| mark.looked_at == Some(at("2026-10-31T09:00:00Z")) && mark.failing.is_none()));
        store.close().await;
    }
}
