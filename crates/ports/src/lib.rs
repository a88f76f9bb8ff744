//! Every way out of the process: small traits that adapters fill. The inside knows no vendor.

mod address;
pub mod clock;
mod memory;
mod model;
mod send;

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use jiff::Timestamp;

use reeve_domain::record::Observed;

pub use self::address::{bare_host, is_loopback, shown_address};
pub use self::memory::{Embedder, Near, Nearest, Point, Space, VectorIndex};
pub use self::model::{LanguageModel, ModelError, ModelReply, ModelRequest, NoWay, Unread};
pub use self::send::{Outgoing, Receipt, Sender, Senders, Shown, TwoSenders};

/// A source's error, boxed.
pub type BoxError = Box<dyn std::error::Error + Send + Sync>;

/// Why an outside system did not do what was asked. Callers ask one thing: is it worth trying again?
#[derive(Debug, thiserror::Error)]
pub enum PortError {
    /// It may work later.
    #[error("{service} is unavailable")]
    Transient {
        /// Which system.
        service: &'static str,
        /// When it asked to be left alone until.
        retry_after: Option<Duration>,
        /// What happened.
        source: BoxError,
    },
    /// It was handed over whole, and nobody heard whether it was taken: it may have arrived. Of a receiver that knows no key by which
    /// what is sent twice is one; any other is asked again, as after [`PortError::Transient`].
    #[error("{service} did not say whether it took it")]
    Unknown {
        /// Which system.
        service: &'static str,
        /// What happened.
        source: BoxError,
    },
    /// It is left alone on purpose until then; what was brought in before stays.
    #[error("{service} is left alone until {until}")]
    Resting {
        /// Which system.
        service: &'static str,
        /// When it may be asked again, by the machine's clock.
        until: Timestamp,
    },
    /// It says that it is gone for good: nothing more is to be sent to it.
    #[error("{service} says that it is gone")]
    Gone {
        /// Which system.
        service: &'static str,
    },
    /// Nothing gets through to it until somebody has changed something there: a right, a token, an invitation. What waits for
    /// it waits.
    #[error("{service} takes nothing until somebody changes that: {why}")]
    Shut {
        /// Which system.
        service: &'static str,
        /// What it said, and what to do about it.
        why: String,
    },
    /// It will not work however often it is tried.
    #[error("{service} does not work as it is set up")]
    Permanent {
        /// Which system.
        service: &'static str,
        /// What happened.
        source: BoxError,
    },
}

/// A page of records, in the order in which a reader could have seen them.
#[derive(Clone, Debug, Default)]
pub struct Page {
    /// The records.
    pub observed: Vec<Observed>,
    /// Where the next page starts. Opaque to everybody but the source.
    pub next: String,
    /// Is there more up to the asked time?
    pub more: bool,
}

/// A part of a source that is read on its own, and so has a watermark of its own.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Stream {
    /// Its name in the store.
    pub name: &'static str,
    /// What it tells of, for people: `sales`.
    pub tells: &'static str,
    /// Is it told by [`Source::read`]? Otherwise its records are told while they are brought in.
    pub paged: bool,
}

/// The stream of a source that is read as one.
pub const RECORDS: Stream = Stream { name: "records", tells: "sales, orders, receipts, counts and bills", paged: true };

/// Where records come from. It can only read: there is no method by which anything could be written.
#[async_trait]
pub trait Source: Send + Sync {
    /// Names the source and what it holds; the store refuses to mix two that differ.
    fn identity(&self) -> String;

    /// Reads records that became visible after `cursor` (None: from the beginning) and not later than `until`, at most
    /// `limit` of them.
    async fn read(&self, cursor: Option<&str>, until: Timestamp, limit: usize) -> Result<Page, PortError>;

    /// The first and last time at which anything changed, for sources that have an end.
    fn span(&self) -> Option<(Timestamp, Timestamp)>;

    /// Brings in what has changed outside, so that [`Source::read`] can tell it. A source that holds everything has nothing
    /// to do. What was brought in before an error stays.
    async fn refresh(&self, _until: Timestamp) -> Result<(), PortError> {
        Ok(())
    }

    /// The streams that it is read by.
    fn streams(&self) -> &'static [Stream] {
        &[RECORDS]
    }

    /// After a refresh that failed: up to where the streams that are told while they are brought in were read all the same.
    async fn brought_in(&self) -> Result<Vec<(&'static str, Timestamp)>, PortError> {
        Ok(Vec::new())
    }

    /// What can not be read and what it costs, for people: one line each, the same every time while nothing changes.
    async fn gaps(&self) -> Result<Vec<Gap>, PortError> {
        Ok(Vec::new())
    }
}

/// Something that the source does not tell, and what is not seen for it.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, serde::Serialize, serde::Deserialize)]
pub struct Gap {
    /// What is missing, in the source's words: `loyalty.program`, `product.product.standard_price`.
    pub what: String,
    /// Why: `module loyalty is not installed`, `access refused`, `3 rows name a product that can not be read`.
    pub why: String,
    /// What Reeve does not see for it: `promotions by loyalty programmes`.
    pub costs: String,
}

impl std::fmt::Display for Gap {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Not read: {} ({})", self.what, self.why)?;
        if self.costs.is_empty() { Ok(()) } else { write!(f, "; not seen for it: {}", self.costs) }
    }
}

/// A row of the ERP as it was read: a copy, kept so that changes are recognised and rows can be put together.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MirrorRow {
    /// The ERP's id in its stream.
    pub id: i64,
    /// The cells as a JSON list, in the order of the stream's fields.
    pub body: String,
    /// Up to three ids of other rows by which this one is looked for, in the order that the stream says.
    pub links: [Option<i64>; 3],
}

/// A row that came, changed or went since a point in the mirror's own count of changes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MirrorChange {
    /// The mirror's count at the change: each change has a higher one.
    pub seq: i64,
    /// The stream.
    pub stream: String,
    /// The row's id.
    pub id: i64,
    /// Has it been deleted in the ERP?
    pub gone: bool,
    /// When it was read.
    pub read_at: Timestamp,
}

/// Where a source keeps its copy of the ERP's rows. Every change is on the disk, together with the position up to which its
/// stream was read, before it is acknowledged.
#[async_trait]
pub trait Mirror: Send + Sync {
    /// Up to where a stream was read: whatever was given to the last [`Mirror::keep`] of it.
    async fn position(&self, stream: &str) -> Result<Option<String>, BoxError>;

    /// Keeps rows (new or changed; one that is the same as the kept one is no change), marks others as gone, and moves the
    /// stream's position: all or nothing. Answers how many rows changed.
    async fn keep(
        &self,
        stream: &str,
        rows: &[MirrorRow],
        gone: &[i64],
        position: &str,
        at: Timestamp,
    ) -> Result<u64, BoxError>;

    /// Keeps records that need no rows (sums by groups) and moves the stream's position: all or nothing. Answers how many
    /// records changed.
    async fn keep_records(&self, stream: &str, records: &[Observed], position: &str, at: Timestamp)
    -> Result<u64, BoxError>;

    /// Ids of a stream's rows above `after` that are not gone, ascending, at most `limit`.
    async fn ids(&self, stream: &str, after: i64, limit: usize) -> Result<Vec<i64>, BoxError>;

    /// Changes after `seq`, oldest first, at most `limit`. A row that changed twice stands once, at its last change.
    async fn changes(&self, after: i64, limit: usize) -> Result<Vec<MirrorChange>, BoxError>;

    /// Rows by id, those that are there, by ascending id.
    async fn rows(&self, stream: &str, ids: &[i64]) -> Result<Vec<MirrorRow>, BoxError>;

    /// Rows whose `link` (0, 1 or 2) is one of `targets`, by ascending id.
    async fn linked(&self, stream: &str, link: usize, targets: &[i64]) -> Result<Vec<MirrorRow>, BoxError>;

    /// All rows of a stream, by ascending id. For master data only.
    async fn all(&self, stream: &str) -> Result<Vec<MirrorRow>, BoxError>;
}

/// All the ways out that a process has.
#[derive(Clone)]
pub struct Ports {
    /// The ERP, or a recording of one.
    pub source: Arc<dyn Source>,
    /// A language model, where one is configured.
    pub model: Option<Arc<dyn LanguageModel>>,
    /// Who sends what waits in the outbox, by kinds of messages. What nobody sends waits.
    pub senders: Senders,
}
