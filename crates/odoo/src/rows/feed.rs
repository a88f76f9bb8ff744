//! The order in which a reader could have seen the records: by time, then by family, id and version.

use std::collections::BTreeMap;

use jiff::Timestamp;

use reeve_domain::record::{Observed, Record, RecordKind, RecordRef};

/// Records in the making of a feed.
#[derive(Debug, Default)]
pub(crate) struct Feed {
    observed: Vec<Observed>,
}

impl Feed {
    /// Adds a version. Versions of one record are added oldest first.
    pub(crate) fn push(&mut self, changed_at: Timestamp, record: Record) {
        self.observed.push(Observed { changed_at, record });
    }

    /// The records in order. Families stand in the order in which they refer to each other, so that an item comes before
    /// what names it; the sort is stable, so that versions of the same instant stay as they were added.
    pub(crate) fn sorted(self) -> Vec<Observed> {
        let mut observed = self.observed;
        observed.sort_by_cached_key(|o| {
            let key = o.record.key();
            (o.changed_at, key.kind, number_in(&key.id), key.id)
        });
        observed
    }

    /// The last version of each record, by key: what a row says now.
    pub(crate) fn into_last_versions(self) -> BTreeMap<RecordRef, Record> {
        self.observed.into_iter().map(|o| (o.record.key(), o.record)).collect()
    }
}

/// Orders `9` before `10`, and `pricelist-2-70` by its first number.
fn number_in(id: &str) -> u64 {
    let digits: String = id.chars().skip_while(|c| !c.is_ascii_digit()).take_while(char::is_ascii_digit).collect();
    digits.parse().unwrap_or(u64::MAX)
}

/// First and last time of business: moves, orders and bills. Master data may be years older or have been touched since.
pub(crate) fn span_of_business(sorted: &[Observed]) -> Option<(Timestamp, Timestamp)> {
    let is_business = |o: &&Observed| {
        let kind = o.record.key().kind;
        matches!(kind, RecordKind::SaleLine | RecordKind::PoLine | RecordKind::Move | RecordKind::BillLine)
    };
    let first = sorted.iter().find(is_business)?;
    let last = sorted.iter().rev().find(is_business)?;
    Some((first.changed_at, last.changed_at))
}
