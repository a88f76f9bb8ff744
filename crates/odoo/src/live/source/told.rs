//! Which records a row was told as, where it may be several: a price of a template counts for each of its variants, a kit's
//! line of an order is one of each component, and which those are may change. Kept in the mirror, and never forgotten: to tell again that a record is gone costs nothing,
//! not to tell it would leave it for ever.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;

use reeve_domain::record::{Record, RecordKind, RecordRef};
use reeve_ports::{BoxError, Mirror, MirrorRow};

/// The families whose ids carry an item's: their stream, their kind, what stands before the row's id, where it is kept.
const FAMILIES: [(&str, RecordKind, &str, &str); 4] = [
    ("sale.order.line", RecordKind::SaleLine, "", "told/sale.order.line"),
    ("product.supplierinfo", RecordKind::SupplierPrice, "", "told/product.supplierinfo"),
    ("product.pricelist.item", RecordKind::Promotion, "pricelist-", "told/product.pricelist.item"),
    ("loyalty.program", RecordKind::Promotion, "loyalty-", "told/loyalty.program"),
];

/// Items that rows were told for, by stream and row.
#[derive(Debug, Default)]
pub(super) struct Suffixes {
    of: BTreeMap<&'static str, BTreeMap<i64, BTreeSet<i64>>>,
    /// What is not kept yet.
    new: BTreeSet<(&'static str, i64)>,
}

impl Suffixes {
    /// As it was kept.
    pub(super) async fn load(mirror: &dyn Mirror) -> Result<Self, BoxError> {
        let mut all = Self::default();
        for (stream, _, _, kept) in FAMILIES {
            let items = |row: MirrorRow| (row.id, serde_json::from_str(&row.body).unwrap_or_default());
            all.of.insert(stream, mirror.all(kept).await?.into_iter().map(items).collect());
        }
        Ok(all)
    }

    /// Remembers that these records are told.
    pub(super) fn note<'r>(&mut self, records: impl Iterator<Item = &'r Record>) {
        for key in records.map(Record::key) {
            for (stream, kind, before, _) in FAMILIES {
                if kind != key.kind {
                    continue;
                }
                let Some((row, item)) = key.id.strip_prefix(before).and_then(|rest| rest.split_once('-')) else { continue };
                if let (Ok(row), Ok(item)) = (row.parse(), item.parse())
                    && self.of.entry(stream).or_default().entry(row).or_default().insert(item)
                {
                    self.new.insert((stream, row));
                }
            }
        }
    }

    /// Every key under which a row of `model` may have been told.
    pub(super) fn keys(&self, model: &str, row: i64) -> Vec<RecordRef> {
        let Some((stream, kind, before, _)) = FAMILIES.into_iter().find(|family| family.0 == model) else {
            return Vec::new();
        };
        let items = self.of.get(stream).and_then(|rows| rows.get(&row));
        let several = items.into_iter().flatten().map(|item| RecordRef::new(kind, format!("{before}{row}-{item}")));
        std::iter::once(RecordRef::new(kind, format!("{before}{row}"))).chain(several).collect()
    }

    /// The rows of `model` that were told for several items.
    pub(super) fn rows(&self, model: &str) -> impl Iterator<Item = i64> {
        self.of.get(model).into_iter().flat_map(|rows| rows.keys().copied())
    }

    /// Keeps what is new.
    pub(super) async fn save(&mut self, mirror: &dyn Mirror, at: Timestamp) -> Result<(), BoxError> {
        let new = std::mem::take(&mut self.new);
        for (stream, _, _, kept) in FAMILIES {
            let body = |row: &i64| serde_json::to_string(&self.of[stream][row]).expect("numbers");
            let ids = new.iter().filter(|(of, _)| *of == stream).map(|(_, row)| *row);
            let rows: Vec<MirrorRow> = ids.map(|id| MirrorRow { id, body: body(&id), links: [None; 3] }).collect();
            if !rows.is_empty() {
                mirror.keep(kept, &rows, &[], "told", at).await?;
            }
        }
        Ok(())
    }
}
