//! Master data as a whole, and what of it is news.
//!
//! It is loaded when a page of changes touches it and what is in memory is older. What differs from what was told before is
//! told; the first time, everything.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;

use super::left_out::LeftOut;
use super::live::{Live, Tables};
use super::told::Suffixes;
use super::working::SALE_LINE;
use super::{News, Told};
use crate::kits::Kits;
use crate::live::costs::COSTS;
use crate::live::streams::{Extent, STREAMS};
use crate::rows::{Care, Currencies, Feed, Masters, Rates};
use reeve_domain::record::{Record, RecordKind, RecordRef};
use reeve_ports::{BoxError, Mirror};

/// Families that are one record to a row.
const SINGLE: [(&str, RecordKind); 3] = [
    ("product.product", RecordKind::Item),
    ("stock.warehouse", RecordKind::Location),
    ("stock.warehouse.orderpoint", RecordKind::ReorderRule),
];
/// Families that may be several.
const SEVERAL: [&str; 3] = ["product.supplierinfo", "product.pricelist.item", "loyalty.program"];

/// Master data, translated.
pub(super) struct Base {
    pub(super) masters: Masters,
    /// All changes up to here are in it.
    pub(super) covers: i64,
    records: BTreeMap<RecordRef, Record>,
    /// What was told, where anything was by this process.
    before: Option<BTreeMap<RecordRef, Record>>,
    ids: BTreeMap<&'static str, BTreeSet<i64>>,
    suffixes: Suffixes,
}

impl Base {
    /// Loads it from the mirror, whose changes reach `last` at least.
    pub(super) async fn load(
        mirror: &dyn Mirror,
        told: &Told,
        last: i64,
        older: Option<Self>,
        left_out: &mut LeftOut,
    ) -> Result<Self, BoxError> {
        let (before, suffixes) = match older {
            Some(older) => (older.before, older.suffixes),
            None => (None, Suffixes::load(mirror).await?),
        };
        // First the count, then the rows: what comes in between is in the rows, and told again.
        let covers = newest(mirror, last).await?;
        let mut tables = Tables::default();
        for stream in STREAMS.iter().filter(|stream| stream.extent == Extent::Master) {
            tables.add(stream.model, mirror.all(stream.model).await?);
        }
        tables.add(COSTS, mirror.all(COSTS).await?);
        // The mirror may be read while some of its rows wait for others: what is not understood now is tried again later.
        let care = Care::lenient();
        let mut feed = Feed::default();
        let mut masters = translate(&tables, told, &care, &mut feed);
        masters.kits = Kits::load(mirror).await?;
        // All master data was read, so what was left out of it before and is not now is no gap any more.
        left_out.settle_whole(&tables, care.into_problems());
        let ids = SINGLE.iter().map(|(model, _)| *model).chain(SEVERAL).map(|model| (model, tables.ids(model).collect()));
        let records = feed.into_last_versions();
        Ok(Self { masters, covers, records, before, ids: ids.collect(), suffixes })
    }

    /// Tells what is new since it was told last, and what became of the rows that changed.
    pub(super) fn tell(&mut self, changed: &BTreeMap<&'static str, BTreeSet<i64>>, news: &mut News) {
        let first = self.before.is_none();
        let before = self.before.take().unwrap_or_default();
        for (key, record) in &self.records {
            if before.get(key) != Some(record) {
                news.put(record.clone());
            }
        }
        for key in before.into_keys().filter(|key| !self.records.contains_key(key)) {
            // That nothing lists a supplier's prices does not say that nobody names it.
            if key.kind != RecordKind::Supplier {
                news.gone(key);
            }
        }
        // What was told before the start is not known, so at the first telling each row that gives no record is taken back.
        let of_first = |model| self.ids.get(model).into_iter().flatten().copied().filter(move |_| first);
        let of_changed = |model| changed.get(model).into_iter().flatten().copied();
        let gone = |key: RecordRef, news: &mut News| {
            if !self.records.contains_key(&key) {
                news.gone(key);
            }
        };
        for (model, kind) in SINGLE {
            for id in of_first(model).chain(of_changed(model)) {
                gone(RecordRef::new(kind, id.to_string()), news);
            }
        }
        // These rows become several records, and only the ids that were given out say which of them may be gone.
        for model in SEVERAL {
            let several: Vec<i64> = self.suffixes.rows(model).filter(|_| first).collect();
            for id in of_first(model).chain(of_changed(model)).chain(several) {
                for key in self.suffixes.keys(model, id) {
                    gone(key, news);
                }
            }
        }
        self.suffixes.note(self.records.values());
        self.before = Some(self.records.clone());
    }

    /// Tells that lines of customers' orders are gone which were told under components that their kits no longer have, and
    /// keeps in mind what is told.
    pub(super) fn tell_parts(&mut self, lines: &BTreeSet<i64>, news: &mut News) {
        for line in lines {
            for key in self.suffixes.keys(SALE_LINE, *line) {
                news.gone(key);
            }
        }
        self.suffixes.note(news.0.values().filter(|record| matches!(record, Record::SaleLine(_))));
    }

    /// Keeps what was told for several items.
    pub(super) async fn keep_told(&mut self, mirror: &dyn Mirror, at: Timestamp) -> Result<(), BoxError> {
        self.suffixes.save(mirror, at).await
    }
}

fn translate(tables: &Tables, told: &Told, care: &Care, feed: &mut Feed) -> Masters {
    let mut live = Live::new(tables, &told.companies, care);
    let result = Rates::read(&mut live, &told.currency, told.companies.first().copied())
        .and_then(|rates| Masters::read(&mut live, Currencies::Rates(rates), care, feed))
        .and_then(|masters| {
            masters.read_terms(&mut live, care, feed)?.tell(feed);
            Ok(masters)
        });
    match result {
        Ok(masters) => masters,
        Err(never) => match never {},
    }
}

/// The mirror's count at its newest change, which is `known` or later.
async fn newest(mirror: &dyn Mirror, known: i64) -> Result<i64, BoxError> {
    let (mut low, mut step) = (known, 1);
    // Above `low` there may be changes, above `high` there are none.
    let mut high = loop {
        let high = low + step;
        match mirror.changes(high, 1).await?.first() {
            Some(change) => (low, step) = (change.seq, step * 2),
            None => break high,
        }
    };
    while low < high {
        let middle = low + (high - low) / 2;
        match mirror.changes(middle, 1).await?.first() {
            Some(change) => low = change.seq,
            None => high = middle,
        }
    }
    Ok(low)
}
