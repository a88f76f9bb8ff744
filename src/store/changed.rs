//! What changed records are about, so that whoever looks again looks at that and not at everything.

use std::collections::BTreeSet;

use sqlx::{Any, AssertSqlSafe, Transaction};

use super::{Store, StoreError, row};
use crate::domain::ids::{ItemId, SupplierId};
use crate::domain::notice::{NoticeContent, NoticeLine};
use crate::domain::record::{MoveKind, Record};

const TABLE: &str = "changed";

/// Rows in one statement.
const CHUNK: usize = 200;

/// Items and suppliers of which something has changed.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Changed {
    /// Items.
    pub items: BTreeSet<ItemId>,
    /// Suppliers.
    pub suppliers: BTreeSet<SupplierId>,
    /// Has something changed that everything hangs on, such as the locations?
    pub everything: bool,
}

impl Changed {
    /// Adds what a record is about, where it was changed.
    pub(super) fn add(&mut self, record: &Record) {
        match record {
            Record::Item(r) => self.item(&r.id),
            Record::SupplierPrice(r) => {
                self.item(&r.item);
                self.suppliers.insert(r.supplier.clone());
            }
            Record::ReorderRule(r) => self.item(&r.item),
            Record::Promotion(r) => self.item(&r.item),
            Record::SaleLine(r) => self.item(&r.item),
            Record::StockLevel(r) => self.item(&r.item),
            Record::Lot(r) => self.item(&r.item),
            Record::LotStock(r) => self.item(&r.item),
            Record::DemandMonth(r) => self.item(&r.item),
            Record::PoLine(r) => {
                self.item(&r.item);
                self.suppliers.insert(r.supplier.clone());
            }
            Record::Move(r) => {
                self.item(&r.item);
                // Other moves say nothing of a supplier: neither how punctual it is nor what went back.
                if matches!(r.kind, MoveKind::Receipt | MoveKind::SupplierReturn) {
                    self.suppliers.extend(r.partner.clone().map(SupplierId::new));
                }
            }
            Record::BillLine(r) => {
                self.items.extend(r.item.clone());
                self.suppliers.insert(r.supplier.clone());
            }
            Record::Notice(r) => self.notice(&r.content),
            Record::Location(_) | Record::Supplier(_) => self.everything = true,
            // What is gone is told by what it was.
            Record::Gone(_) => {}
        }
    }

    /// Adds what a record was about that is gone or has become another. Where that can not be read any more, it may have been
    /// anything.
    pub(super) fn add_as_it_was(&mut self, record: Result<Record, StoreError>) {
        match record {
            Ok(record) => self.add(&record),
            Err(_) => self.everything = true,
        }
    }

    fn item(&mut self, item: &ItemId) {
        self.items.insert(item.clone());
    }

    fn notice(&mut self, content: &NoticeContent) {
        let lines: &[NoticeLine] = match content {
            NoticeContent::ChannelStock { item, .. } => {
                self.item(item);
                return;
            }
            // Carriers speak of documents, which are looked at whatever has changed.
            NoticeContent::CarrierStatus { .. } => return,
            NoticeContent::SupplierDelay { lines, .. }
            | NoticeContent::OrderConfirmation { lines }
            | NoticeContent::ShipNotice { lines, .. }
            | NoticeContent::ReceiptAdvice { lines, .. }
            | NoticeContent::Invoice { lines, .. } => lines,
            _ => &[],
        };
        // A line of ours that names no item may be of any; what names no line of ours is looked at with the orders.
        self.everything |= lines.iter().any(|line| line.po_line.is_some() && line.item.is_none());
        self.items.extend(lines.iter().filter_map(|line| line.item.clone()));
    }

    /// Is nothing changed?
    pub fn is_empty(&self) -> bool {
        self.items.is_empty() && self.suppliers.is_empty() && !self.everything
    }

    fn rows(&self) -> Vec<(&'static str, &str)> {
        let items = self.items.iter().map(|item| ("item", item.as_str()));
        let suppliers = self.suppliers.iter().map(|supplier| ("supplier", supplier.as_str()));
        items.chain(suppliers).chain(self.everything.then_some(("all", ""))).collect()
    }
}

/// Writes down that these have changed at the present count of changes.
pub(super) async fn note(tx: &mut Transaction<'_, Any>, changed: &Changed) -> Result<(), StoreError> {
    for some in changed.rows().chunks(CHUNK) {
        let values: Vec<String> = (0..some.len())
            .map(|at| {
                let (kind, id) = (2 * at + 1, 2 * at + 2);
                format!("select cast(${kind} as text) as kind, cast(${id} as text) as id")
            })
            .collect();
        let sql = format!(
            "insert into changed (kind, id, n)
             select v.kind, v.id, c.n from ({}) v cross join counters c where c.name = 'records'
             on conflict (kind, id) do update set n = excluded.n",
            values.join(" union all ")
        );
        // Safe: the text is made of placeholders only.
        let mut query = sqlx::query(AssertSqlSafe(sql));
        for (kind, id) in some {
            query = query.bind(*kind).bind(*id);
        }
        query.execute(&mut **tx).await?;
    }
    Ok(())
}

impl Store {
    /// What has changed since records had changed `n` times ([`Store::count_record_changes`]).
    ///
    /// # Errors
    /// The database's.
    pub async fn list_changed_since(&self, n: i64) -> Result<Changed, StoreError> {
        let rows = sqlx::query("select id, kind from changed where n > $1").bind(n).fetch_all(&self.pool).await?;
        let mut changed = Changed::default();
        for r in &rows {
            let (kind, id): (String, String) = (row::get(r, TABLE, "kind")?, row::get(r, TABLE, "id")?);
            match kind.as_str() {
                "item" => {
                    changed.items.insert(ItemId::new(id));
                }
                "supplier" => {
                    changed.suppliers.insert(SupplierId::new(id));
                }
                _ => changed.everything = true,
            }
        }
        Ok(changed)
    }

    /// Has anything changed of these items, or that everything hangs on, since records had changed `n` times?
    ///
    /// # Errors
    /// The database's.
    pub async fn has_changed_since(&self, n: i64, items: &BTreeSet<ItemId>) -> Result<bool, StoreError> {
        let items: Vec<&ItemId> = items.iter().collect();
        for some in items.chunks(CHUNK) {
            let sql = format!(
                "select id from changed where n > $1 and (kind = 'all' or (kind = 'item' and id in ({}))) limit 1",
                row::placeholders(2, some.len())
            );
            // Safe: the text is made of placeholders only.
            let mut query = sqlx::query(AssertSqlSafe(sql)).bind(n);
            for item in some {
                query = query.bind(item.as_str());
            }
            if query.fetch_optional(&self.pool).await?.is_some() {
                return Ok(true);
            }
        }
        Ok(false)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::record::{Observed, PurchaseLine};
    use crate::ports::Page;
    use crate::store::testing::{at, on_each};
    use reeve_testing::records;

    #[tokio::test]
    async fn what_changed_records_are_about_is_told_from_the_count_on_at_which_they_changed() {
        on_each(|store| async move {
            let observed = |record, changed| Observed { changed_at: at(changed), record };
            let put = async |all: Vec<Observed>, time: i64| {
                let page = Page { observed: all, next: time.to_string(), more: false };
                store.apply_page("erp", &page, at(time)).await.unwrap();
                store.count_record_changes().await.unwrap()
            };
            let sale = || Record::SaleLine(records::sale_line("1"));
            let Record::SaleLine(line) = sale() else { unreachable!() };
            let before = store.count_record_changes().await.unwrap();
            let first = put(vec![observed(sale(), 1)], 1).await;
            let items = BTreeSet::from([line.item.clone()]);
            assert_eq!(store.list_changed_since(before).await.unwrap().items, items);
            assert!(store.has_changed_since(before, &items).await.unwrap());
            put(vec![observed(sale(), 2)], 2).await;
            assert!(store.list_changed_since(first).await.unwrap().is_empty(), "the same again is no change");
            let order = records::po_line("7");
            let supplier = order.supplier.clone();
            let second = put(vec![observed(Record::PoLine(order), 3)], 3).await;
            assert_eq!(store.list_changed_since(first).await.unwrap().suppliers, BTreeSet::from([supplier]));
            let gone = Record::Gone(sale().key());
            put(vec![observed(gone, 4)], 4).await;
            let changed = store.list_changed_since(second).await.unwrap();
            assert_eq!((changed.items, changed.everything), (items, false));
            let moved = |item: &str, changed| {
                let item = ItemId::new(item);
                observed(Record::PoLine(PurchaseLine { item, ..records::po_line("7") }), changed)
            };
            let before = put(vec![moved("here", 5)], 5).await;
            // The same line of another item: the one that it was of has changed as well, by missing it.
            put(vec![moved("there", 6)], 6).await;
            let both = BTreeSet::from(["here", "there"].map(ItemId::new));
            assert_eq!(store.list_changed_since(before).await.unwrap().items, both, "the one that it left, too");
            let before = store.count_record_changes().await.unwrap();
            let gone = Record::Gone(Record::PoLine(records::po_line("7")).key());
            put(vec![observed(gone, 7)], 7).await;
            let changed = store.list_changed_since(before).await.unwrap();
            assert_eq!((changed.items, changed.everything), (BTreeSet::from([ItemId::new("there")]), false));
            let third = store.count_record_changes().await.unwrap();
            // A location concerns every item that lies there, so it is told as everything.
            put(vec![observed(Record::Location(records::location("3", "North")), 8)], 8).await;
            assert!(store.list_changed_since(third).await.unwrap().everything);
            assert!(store.has_changed_since(third, &BTreeSet::from([ItemId::new("none")])).await.unwrap());
        })
        .await;
    }
}
