//! What whoever knows the whole recording, and what was injected into it, says of a case.

use std::collections::BTreeSet;
use std::sync::Arc;

use crate::app::App;
use crate::clock::Clock;
use crate::config::Config;
use crate::domain::book::Book;
use crate::domain::case::Case;
use crate::domain::exception::{Exception, ExceptionState};
use crate::lab::grade::truth::{Truth, ran_out};
use crate::pipeline::Stage;
use crate::ports::{Ports, Senders, Source};
use crate::store::Store;
use crate::worker;

/// The cause of a shortage that nobody put in and that came all the same.
const RAN_OUT: &str = "ran out";

/// Why something is wrong, as the truth has it.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Cause {
    /// Its class: `receipt_late`.
    pub(super) class: String,
    /// Which event of that class; empty for what nobody put in.
    pub(super) event: String,
}

/// The truth, with the records of all days.
pub(super) struct Hindsight {
    truth: Truth,
    book: Book,
}

impl Hindsight {
    pub(super) async fn of(config: &Arc<Config>, source: &Arc<dyn Source>, truth: Truth) -> anyhow::Result<Self> {
        let calendar = config.rules.calendar.calendar();
        let clock = Clock::standing_at(calendar.close_of(truth.window.1));
        let store = Store::open_and_migrate("sqlite::memory:").await?;
        let ports = Ports { source: Arc::clone(source), model: None, senders: Senders::default() };
        let app = App::new(Arc::clone(config), store.clone(), ports, clock.clone());
        let reads: Vec<Box<dyn Stage>> = app.stages().into_iter().filter(|stage| stage.name() == "observe").collect();
        worker::run_until_idle(&reads, &store, &clock).await?;
        let book = config.rules.settled(Book::new(clock.now(), calendar, store.load_records().await?));
        store.close().await;
        Ok(Self { truth, book })
    }

    /// Why an exception is real; nothing where it is not. As docs/LIVED.md counts it: about an injected anomaly, or a shortage
    /// whose place did run out.
    fn causes_of(&self, exception: &Exception) -> BTreeSet<Cause> {
        // A life that begins late sees for the first time what began long before: an event is held against the day that the signal
        // itself speaks of, where that is earlier.
        let began = self.book.calendar.close_of(exception.signal.from).min(exception.first_seen);
        let exception = &Exception { first_seen: began, ..exception.clone() };
        let injected = self.truth.events.iter().filter(|event| !event.explained);
        let shown = injected.filter(|event| event.is_shown_by(&self.book, exception));
        let mut causes: BTreeSet<Cause> =
            shown.map(|event| Cause { class: event.class.clone(), event: event.id.clone() }).collect();
        if causes.is_empty() && ran_out(&self.book, exception) {
            causes.insert(Cause { class: RAN_OUT.to_owned(), event: String::new() });
        }
        causes
    }

    /// Why a case is real as it stands; nothing where it is not.
    pub(super) async fn causes(&self, store: &Store, case: &Case) -> anyhow::Result<BTreeSet<Cause>> {
        let open = store.list_case_exceptions(&case.id).await?.into_iter().filter(|e| e.state == ExceptionState::Open);
        Ok(open.flat_map(|exception| self.causes_of(&exception)).collect())
    }
}
