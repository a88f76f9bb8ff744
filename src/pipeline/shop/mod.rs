//! Lays out the book of a shop and looks at it: whole where all sales fit into memory, else some items at a time.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use anyhow::Context;
use jiff::{SignedDuration, Timestamp};

use crate::config::Config;
use crate::domain::book::Book;
use crate::domain::ids::{ItemId, LocationId};
use crate::domain::record::Record;
use crate::rules::detect::gather::{Gathered, Overview};
use crate::rules::detect::{Looked, Seen, look};
use crate::store::{Changed, Store};

/// Records of sales that are looked at together where not all fit into memory: enough to keep all cores busy, and a small part
/// of a large shop.
const PART: u64 = 40_000;

/// Items that are looked at again together.
const ITEMS_AGAIN: usize = 50;

/// How long what is known of everybody lasts: it says how much of the running day is still to come.
const OVERVIEW_LASTS: SignedDuration = SignedDuration::from_hours(3);

/// Share of the items that may have changed for the rest to be taken from the look before.
const AGAIN_SHARE: f64 = 0.2;

/// A shop whose records were read up to a time.
pub(super) struct Shop<'s> {
    pub(super) store: &'s Store,
    pub(super) config: &'s Arc<Config>,
    pub(super) as_of: Timestamp,
    pub(super) now: Timestamp,
}

/// What a look comes to.
pub(super) struct LookedAt {
    pub(super) book: Book,
    pub(super) seen: Seen,
    /// Has the book all sales?
    pub(super) whole: bool,
}

impl Shop<'_> {
    pub(super) async fn look(&self) -> anyhow::Result<LookedAt> {
        let sales = self.store.count_sales().await.context("counting sales")?;
        if sales.values().sum::<u64>() <= self.config.rules.detect.sales_in_memory {
            self.look_whole().await
        } else {
            self.look_in_parts(&sales).await
        }
    }

    /// Looks at what has changed since a book of the same day and what was seen in it, and takes the rest from there. None where everything is to be
    /// looked at: another day has closed, much has changed, or something that all hangs on.
    pub(super) async fn look_again(
        &self,
        (known, before): (&Book, &Seen),
        changed: &Changed,
    ) -> anyhow::Result<Option<LookedAt>> {
        let few = changed.items.len() as f64 <= AGAIN_SHARE * known.items.len() as f64;
        // What is still to come of the day is forecast with what is known of everybody.
        let old = self.as_of.duration_since(before.overview.as_of) >= OVERVIEW_LASTS;
        if changed.everything || !few || old {
            return Ok(None);
        }
        let book = self.supply().await?.with_sums_of(known);
        // Each place closes its day in its own zone: where one has closed since, its demand has a day more.
        let same_day = |location: &LocationId| book.closed_at(location) == known.closed_at(location);
        if book.today != known.today || !book.locations.keys().all(same_day) {
            return Ok(None);
        }
        let mut items: BTreeSet<ItemId> = changed.items.clone();
        // An order of a kit moves the shelves of its components.
        for line in changed.items.iter().flat_map(|item| book.lines_of_item(item)) {
            items.extend(book.moves_of_po_line(&line.id).into_iter().map(|m| m.item.clone()));
        }
        let all: Vec<ItemId> = items.iter().filter(|item| book.items.contains_key(*item)).cloned().collect();
        let parts: Arc<[BTreeSet<ItemId>]> = all.chunks(ITEMS_AGAIN).map(|some| some.iter().cloned().collect()).collect();
        let book = Arc::new(book);
        let looked = self.look_at_parts(&book, &parts, &before.overview).await?;
        let seen = looked.after(before, &book, &self.config.rules, &items);
        Ok(Some(LookedAt { book: Arc::unwrap_or_clone(book), seen, whole: false }))
    }

    /// The book without any sales.
    async fn supply(&self) -> anyhow::Result<Book> {
        let supply = self.store.load_supply().await.context("loading the records")?;
        let lay_out = self.layout();
        let laid_out = tokio::task::spawn_blocking(move || anyhow::Ok(lay_out.book(supply.read()?)));
        laid_out.await.context("laying out the records")?
    }

    async fn look_at_parts(
        &self,
        book: &Arc<Book>,
        parts: &Arc<[BTreeSet<ItemId>]>,
        overview: &Arc<Overview>,
    ) -> anyhow::Result<Looked> {
        let (config, overview) = (Arc::clone(self.config), Arc::clone(overview));
        let look_at = move |looked: &mut Looked, part: &Book, items: &BTreeSet<ItemId>| {
            looked.at_items(part, &config.rules, &overview, items);
        };
        self.go_through(book, parts, Looked::default(), look_at).await
    }

    async fn look_whole(&self) -> anyhow::Result<LookedAt> {
        let records = self.store.load_records().await.context("loading the records")?;
        let lay_out = self.layout();
        let looked = tokio::task::spawn_blocking(move || {
            let (book, config) = (lay_out.book(records), &lay_out.config);
            let seen = look(&book, &config.rules);
            LookedAt { book, seen, whole: true }
        });
        looked.await.context("computing what the records say")
    }

    /// Goes through the items twice: what has to be known of all of them is gathered first. Of each part nothing stays but what
    /// it comes to.
    async fn look_in_parts(&self, sales: &BTreeMap<ItemId, u64>) -> anyhow::Result<LookedAt> {
        let book = Arc::new(self.supply().await?);
        let parts: Arc<[BTreeSet<ItemId>]> = parts(book.items.keys(), sales).into();
        let add = |gathered: &mut Gathered, part: &Book, _: &BTreeSet<ItemId>| gathered.merge(Gathered::of(part));
        // A class or a false-discovery bound hangs on every item, so no part can be judged before all were gone through
        // once.
        let gathered = self.go_through(&book, &parts, Gathered::default(), add).await?;
        let book = Arc::new(Book::clone(&book).with_sums(&gathered.sums));
        let overview = Arc::new(Overview::of(&book, &self.config.rules, gathered));
        let looked = self.look_at_parts(&book, &parts, &overview).await?;
        let config = Arc::clone(self.config);
        let judged = tokio::task::spawn_blocking(move || {
            let seen = looked.finish(&book, &config.rules, overview);
            LookedAt { book: Arc::unwrap_or_clone(book), seen, whole: false }
        });
        judged.await.context("judging what was seen of all items")
    }

    /// Shows `what` the book with the sales of each part, in order; it keeps what it makes of them in `state`. While one part is
    /// looked at the next one is loaded.
    async fn go_through<S: Send + 'static>(
        &self,
        book: &Arc<Book>,
        parts: &Arc<[BTreeSet<ItemId>]>,
        mut state: S,
        what: impl Fn(&mut S, &Book, &BTreeSet<ItemId>) + Send + Sync + 'static,
    ) -> anyhow::Result<S> {
        let what = Arc::new(what);
        let load = async |at: usize| match parts.get(at) {
            Some(items) => self.store.load_sales_of(items).await.context("loading sales").map(Some),
            None => Ok(None),
        };
        let (mut at, mut next) = (0, load(0).await?);
        while let Some(bodies) = next {
            let (book, parts, what) = (Arc::clone(book), Arc::clone(parts), Arc::clone(&what));
            let looking = tokio::task::spawn_blocking(move || {
                let part = book.with_sales_of(&parts[at], bodies.read()?);
                what(&mut state, &part, &parts[at]);
                anyhow::Ok(state)
            });
            // The next ones are read while these are looked at: one waits for the database, the other for a processor.
            at += 1;
            next = load(at).await?;
            state = looking.await.context("looking at some of the items")??;
        }
        Ok(state)
    }

    fn layout(&self) -> Layout {
        Layout { config: Arc::clone(self.config), as_of: self.as_of, now: self.now }
    }
}

/// How records are laid out as a book.
struct Layout {
    config: Arc<Config>,
    as_of: Timestamp,
    now: Timestamp,
}

impl Layout {
    fn book(&self, records: Vec<Record>) -> Book {
        let Self { config, as_of, now } = self;
        let book = Book::looked_at(*as_of, *now, config.rules.calendar.calendar(), records);
        config.rules.settled(book).with_detail_days(config.odoo.detail_days).with_zones(&config.odoo.zones())
    }
}

/// The items in order, as many together as have a part's records.
fn parts<'i>(items: impl Iterator<Item = &'i ItemId>, sales: &BTreeMap<ItemId, u64>) -> Vec<BTreeSet<ItemId>> {
    let mut parts: Vec<BTreeSet<ItemId>> = Vec::new();
    let mut records = PART;
    for item in items {
        let own = sales.get(item).copied().unwrap_or(0);
        if records + own > PART {
            parts.push(BTreeSet::new());
            records = 0;
        }
        // An item without sales takes room, too: else one part could hold a hundred thousand of them.
        records += own.max(1);
        if let Some(part) = parts.last_mut() {
            part.insert(item.clone());
        }
    }
    parts
}

#[cfg(test)]
mod tests;
