//! A live Odoo server as a source: rows that were pulled into the mirror, told as domain records.
//!
//! [`Source::read`] takes the mirror's changes in their order (the cursor is the mirror's own count), puts the changed rows
//! together with the rows they refer to, translates them by the same `rows` as a recording, and tells each record as it
//! is now. A row that gives no record (any more) is told as gone.
//!
//! Master data (products, units, places, terms, …) is held as a whole, as everything refers to it; documents are fetched as
//! they are needed: memory is master data and the working set of `limit` changes, which may give more records than that.
//! Rows that can not be understood are left out, counted and kept in mind (`left_out`): they are tried again when what
//! they miss comes. Nothing here asks the server: that is done by what is given as [`Refresh`].

mod left_out;
pub(in crate::live) mod live;
mod masters;
#[cfg(test)]
pub(in crate::live) mod tests;
mod told;
mod working;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use async_trait::async_trait;
use jiff::Timestamp;
use tokio::sync::Mutex;

use self::left_out::LeftOut;
pub(crate) use self::left_out::gaps_of;
use self::masters::Base;
use self::working::Targets;
use super::costs::{COSTS, PRODUCT};
use super::streams::{Extent, stream_of};
use crate::kits;
use reeve_domain::record::{Observed, Record, RecordKind, RecordRef};
use reeve_ports::{BoxError, Gap, Mirror, MirrorChange, Page, PortError, Source, Stream};

/// Something that brings news of the server into the mirror.
#[async_trait]
pub trait Refresh: Send + Sync {
    /// Brings in what has changed up to `until`. What was brought in before an error stays.
    async fn refresh(&self, until: Timestamp) -> Result<(), PortError>;

    /// What it can not read.
    async fn gaps(&self) -> Result<Vec<Gap>, PortError>;
}

/// What is to be told of a server.
#[derive(Clone, Debug)]
pub struct Told {
    /// Server and database, without secrets: [`super::call::Server::name`].
    pub name: String,
    /// The companies whose rows are told; empty: all. The first is the one of rows that name none.
    pub companies: Vec<i64>,
    /// `money.currency`, ISO 4217.
    pub currency: String,
}

/// A live server.
pub struct OdooSource {
    told: Told,
    mirror: Arc<dyn Mirror>,
    refresh: Option<Box<dyn Refresh>>,
    state: Mutex<State>,
}

/// What is kept in memory between pages. All of it can be made again from the mirror.
#[derive(Default)]
struct State {
    base: Option<Base>,
    /// Where the last page ended: a page that is asked for again was lost, and with it what it told.
    ended: Option<i64>,
    left_out: Option<LeftOut>,
}

/// What is read on its own. Rows are told by pages; sums and levels are records as soon as they are read.
const STREAMS_READ: &[Stream] = &[
    Stream { name: "documents", tells: "orders, receipts, counts and bills", paged: true },
    Stream { name: DEMAND, tells: "sales", paged: false },
    Stream { name: LEVELS, tells: "stock on hand", paged: false },
];

/// The stream of sums of demand.
pub(in crate::live) const DEMAND: &str = "demand";

/// The stream of stock levels.
pub(in crate::live) const LEVELS: &str = "levels";

/// Where the mirror keeps when the last look at a stream of sums began that ended well.
pub(in crate::live) fn read_up_to(stream: &str) -> String {
    format!("odoo/read-up-to/{stream}")
}

/// Why a cursor was refused.
#[derive(Debug, thiserror::Error)]
#[error("the cursor {0:?} is not one of a live Odoo; use a new store")]
struct CursorError(String);

impl OdooSource {
    /// Tells what is in `mirror`. `refresh` brings it up to date; without one it is told as it is.
    pub fn new(told: Told, mirror: Arc<dyn Mirror>, refresh: Option<Box<dyn Refresh>>) -> Self {
        Self { told, mirror, refresh, state: Mutex::default() }
    }

    /// What a page of changes says, as records.
    async fn tell(&self, changes: &[MirrorChange], state: &mut State) -> Result<Vec<Observed>, BoxError> {
        let Some(at) = changes.iter().map(|change| change.read_at).max() else { return Ok(Vec::new()) };
        let mut changed: BTreeMap<&'static str, BTreeSet<i64>> = BTreeMap::new();
        let mut kits = BTreeSet::new();
        let mut last_master = None;
        for change in changes {
            if change.stream == kits::KEPT {
                kits.insert(change.id);
                last_master = Some(change.seq);
                continue;
            }
            if change.stream == COSTS {
                // What a product costs is said of the product.
                changed.entry(PRODUCT).or_default().insert(change.id);
                last_master = Some(change.seq);
                continue;
            }
            // Other parts keep other things there.
            let Some(stream) = stream_of(&change.stream) else { continue };
            changed.entry(stream.model).or_default().insert(change.id);
            if stream.extent == Extent::Master {
                last_master = Some(change.seq);
            }
        }
        if changed.is_empty() && kits.is_empty() {
            return Ok(Vec::new());
        }
        let mut left_out = match state.left_out.take() {
            Some(left_out) => left_out,
            None => LeftOut::load(&*self.mirror).await?,
        };
        let mut news = News::default();
        let stale = match (&state.base, last_master) {
            (None, _) => true,
            (Some(base), Some(seq)) => base.covers < seq,
            (Some(_), None) => false,
        };
        if stale {
            let last = changes.last().map_or(0, |change| change.seq);
            let base = Base::load(&*self.mirror, &self.told, last, state.base.take(), &mut left_out).await?;
            state.base = Some(base);
        }
        let base = state.base.as_mut().expect("it was just loaded, where there was none");
        if last_master.is_some() {
            base.tell(&changed, &mut news);
        }
        let mut targets = Targets::of(&*self.mirror, &changed, &left_out).await?;
        targets.add_kits(&*self.mirror, &kits).await?;
        working::tell_suppliers(&*self.mirror, &base.masters.partners, &changed, &mut news).await?;
        let rows = targets.rows(&*self.mirror).await?;
        let (records, problems) = working::translate(&rows, &base.masters, &self.told.companies);
        left_out.forget(&changed);
        left_out.settle(&rows, problems);
        targets.tell(records, &mut news);
        base.tell_parts(targets.sale_lines(), &mut news);
        base.keep_told(&*self.mirror, at).await?;
        left_out.save(&*self.mirror, at).await?;
        state.left_out = Some(left_out);
        Ok(news.into_observed(at))
    }

    async fn page(&self, cursor: Option<&str>, until: Timestamp, limit: usize) -> Result<Page, BoxError> {
        let mut at = match cursor {
            None => 0,
            Some(text) => text.parse().map_err(|_| CursorError(text.to_owned()))?,
        };
        let limit = limit.max(1);
        let mut state = self.state.lock().await;
        if state.ended != Some(at) {
            state.base = None;
        }
        // Until it has gone well, what is in memory may be ahead of what was told.
        state.ended = None;
        loop {
            let mut changes = self.mirror.changes(at, limit).await?;
            let found = changes.len();
            changes.truncate(changes.iter().take_while(|change| change.read_at <= until).count());
            let more = found == limit && changes.len() == found;
            let observed = self.tell(&changes, &mut state).await?;
            at = changes.last().map_or(at, |change| change.seq);
            // A page of nothing would look like the end.
            if !observed.is_empty() || !more {
                state.ended = Some(at);
                return Ok(Page { observed, next: at.to_string(), more });
            }
        }
    }
}

#[async_trait]
impl Source for OdooSource {
    fn identity(&self) -> String {
        format!("odoo:{}", self.told.name)
    }

    async fn read(&self, cursor: Option<&str>, until: Timestamp, limit: usize) -> Result<Page, PortError> {
        self.page(cursor, until, limit).await.map_err(|source| {
            if source.is::<CursorError>() {
                PortError::Permanent { service: "Odoo", source }
            } else {
                PortError::Transient { service: "the store", retry_after: None, source }
            }
        })
    }

    fn span(&self) -> Option<(Timestamp, Timestamp)> {
        None
    }

    async fn refresh(&self, until: Timestamp) -> Result<(), PortError> {
        match &self.refresh {
            Some(refresh) => refresh.refresh(until).await,
            None => Ok(()),
        }
    }

    fn streams(&self) -> &'static [Stream] {
        STREAMS_READ
    }

    async fn brought_in(&self) -> Result<Vec<(&'static str, Timestamp)>, PortError> {
        let store = |source| PortError::Transient { service: "the store", retry_after: None, source };
        let mut read = Vec::new();
        for stream in STREAMS_READ.iter().filter(|stream| !stream.paged) {
            let at = self.mirror.position(&read_up_to(stream.name)).await.map_err(store)?;
            read.extend(at.and_then(|text| text.parse().ok()).map(|at| (stream.name, at)));
        }
        Ok(read)
    }

    async fn gaps(&self) -> Result<Vec<Gap>, PortError> {
        let mut gaps = match &self.refresh {
            Some(refresh) => refresh.gaps().await?,
            None => Vec::new(),
        };
        let store = |source| PortError::Transient { service: "the store", retry_after: None, source };
        let unread = gaps.iter().map(|gap| gap.what.clone()).collect();
        gaps.extend(LeftOut::load(&*self.mirror).await.map_err(store)?.gaps(&unread));
        gaps.sort();
        gaps.dedup();
        Ok(gaps)
    }
}

/// Records to be told, the last word on each.
#[derive(Debug, Default)]
struct News(BTreeMap<RecordRef, Record>);

impl News {
    fn put(&mut self, record: Record) {
        self.0.insert(record.key(), record);
    }

    /// There is no such record, unless one is told.
    fn gone(&mut self, key: RecordRef) {
        self.0.entry(key.clone()).or_insert(Record::Gone(key));
    }

    fn gone_id(&mut self, kind: RecordKind, id: i64) {
        self.gone(RecordRef::new(kind, id.to_string()));
    }

    fn into_observed(self, changed_at: Timestamp) -> Vec<Observed> {
        self.0.into_values().map(|record| Observed { changed_at, record }).collect()
    }
}
