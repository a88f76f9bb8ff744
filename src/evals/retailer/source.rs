//! A made-up retailer as a source: read page by page, and afterwards, when nothing more comes.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use anyhow::Context;
use async_trait::async_trait;
use jiff::Timestamp;
use rayon::prelude::*;

use crate::domain::record::Observed;
use crate::lab::retailer::{Retailer, Told};
use crate::ports::{Page, PortError, Source};
use crate::store::Store;

/// Items that are made at once, on all cores.
const BATCH: u32 = 8;

/// The cursor behind the last record.
const END: &str = "end";

/// With what the identity of a made-up retailer begins.
const MADE_UP: &str = "retailer:";

/// Under which key the store keeps the identity of its source.
pub(super) const IDENTITY: &str = "source.identity";

/// Items from `from` on, at most a batch of them, in order.
pub(super) fn batch(retailer: &Retailer, from: u32) -> VecDeque<(u32, Told)> {
    let to = from.saturating_add(BATCH - 1).min(retailer.shape().items);
    let made: Vec<(u32, Told)> = (from..=to).into_par_iter().map(|item| (item, retailer.item(item))).collect();
    made.into()
}

/// Locations and suppliers come first, as what is told of item 0.
pub(super) fn masters(retailer: &Retailer) -> Told {
    Told { observed: retailer.masters(), ..Told::default() }
}

/// Item and record from which a cursor goes on; None where all was told.
pub(super) fn position(cursor: Option<&str>, retailer: &Retailer) -> anyhow::Result<Option<(u32, usize)>> {
    let Some(cursor) = cursor else { return Ok(Some((0, 0))) };
    if cursor == END {
        return Ok(None);
    }
    let at = cursor.split_once(':').and_then(|(item, record)| Some((item.parse().ok()?, record.parse().ok()?)));
    let at = at.filter(|(item, _)| *item <= retailer.shape().items);
    at.map(Some).with_context(|| format!("the cursor {cursor:?} is not one of a made-up retailer; use a new store"))
}

/// What was made ahead of what is told, and what of it was told to its end since it was last taken.
#[derive(Default)]
pub(super) struct Ahead {
    items: VecDeque<(u32, Told)>,
    pub(super) told: Vec<(u32, Told)>,
}

/// A made-up retailer that is read page by page.
pub(super) struct MadeUp {
    retailer: Retailer,
    ahead: Mutex<Ahead>,
}

impl MadeUp {
    pub(super) fn new(retailer: Retailer) -> Self {
        Self { retailer, ahead: Mutex::default() }
    }

    pub(super) fn ahead(&self) -> MutexGuard<'_, Ahead> {
        self.ahead.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The records from a position on, and the position behind them; None behind the last one.
    pub(super) fn page(&self, at: (u32, usize), limit: usize) -> (Vec<Observed>, Option<(u32, usize)>) {
        let (mut item, mut from) = at;
        let mut observed = Vec::new();
        let mut ahead = self.ahead();
        while item <= self.retailer.shape().items {
            if ahead.items.front().is_none_or(|(at, _)| *at != item) {
                // The master data come first: everything else refers to them.
                ahead.items = if item == 0 { [(0, masters(&self.retailer))].into() } else { batch(&self.retailer, item) };
            }
            let Some((_, told)) = ahead.items.front() else { break };
            let to = told.observed.len().min(from + limit - observed.len());
            observed.extend_from_slice(&told.observed[from.min(to)..to]);
            if to < told.observed.len() {
                return (observed, Some((item, to)));
            }
            let whole = ahead.items.pop_front();
            ahead.told.extend(whole);
            (item, from) = (item + 1, 0);
        }
        (observed, None)
    }
}

fn refused(error: anyhow::Error) -> PortError {
    PortError::Permanent { service: "the made-up retailer", source: error.into() }
}

#[async_trait]
impl Source for MadeUp {
    fn identity(&self) -> String {
        self.retailer.identity()
    }

    async fn read(&self, cursor: Option<&str>, _: Timestamp, limit: usize) -> Result<Page, PortError> {
        let Some(at) = position(cursor, &self.retailer).map_err(refused)? else {
            return Ok(Page { next: END.to_owned(), ..Page::default() });
        };
        // Making goods up takes the processor for a while: others must not wait on this thread.
        let (observed, next) = tokio::task::block_in_place(|| self.page(at, limit.max(1)));
        let cursor = next.map_or_else(|| END.to_owned(), |(item, record)| format!("{item}:{record}"));
        Ok(Page { observed, next: cursor, more: next.is_some() })
    }

    fn span(&self) -> Option<(Timestamp, Timestamp)> {
        None
    }
}

/// The source of a store that was filled with a made-up retailer: nothing more ever comes. None for any other store.
///
/// # Errors
/// The store's.
pub async fn filled(store: &Store) -> anyhow::Result<Option<Arc<dyn Source>>> {
    let identity = store.find_setting(IDENTITY).await?.filter(|identity| identity.starts_with(MADE_UP));
    Ok(identity.map(|identity| Arc::new(Filled(identity)) as Arc<dyn Source>))
}

/// See [`filled`].
struct Filled(String);

#[async_trait]
impl Source for Filled {
    fn identity(&self) -> String {
        self.0.clone()
    }

    async fn read(&self, cursor: Option<&str>, _: Timestamp, _: usize) -> Result<Page, PortError> {
        if cursor != Some(END) {
            return Err(refused(anyhow::anyhow!(
                "the store was not filled to the end; give the same `reeve lab` command again"
            )));
        }
        Ok(Page { next: END.to_owned(), ..Page::default() })
    }

    fn span(&self) -> Option<(Timestamp, Timestamp)> {
        None
    }
}
