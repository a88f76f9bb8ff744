//! Names of records, for screens that show a few subjects and need no book.

use std::collections::BTreeMap;

use super::{Store, StoreError, row};
use crate::domain::ids::ItemId;
use crate::domain::record::{Record, RecordRef};

impl Store {
    /// What items, locations and suppliers are called. Names are text from outside.
    pub async fn list_names(&self) -> Result<BTreeMap<RecordRef, String>, StoreError> {
        let rows = sqlx::query("select id, kind, body from records where kind in ('item', 'location', 'supplier')")
            .fetch_all(&self.pool)
            .await?;
        let mut names = BTreeMap::new();
        for r in &rows {
            let record: Record = row::json(r, "records", "body")?;
            let name = match &record {
                Record::Item(item) => item.label(),
                Record::Location(location) => location.name.clone(),
                Record::Supplier(supplier) => supplier.name.clone(),
                _ => continue,
            };
            names.insert(record.key(), name);
        }
        Ok(names)
    }

    /// The name of an item's stock unit; None where the item is not known.
    pub async fn find_unit(&self, item: &ItemId) -> Result<Option<String>, StoreError> {
        let found = sqlx::query("select id, body from records where kind = 'item' and id = $1")
            .bind(item.as_str())
            .fetch_optional(&self.pool)
            .await?;
        let Some(r) = found else { return Ok(None) };
        match row::json(&r, "records", "body")? {
            Record::Item(item) => Ok(Some(item.unit)),
            _ => Ok(None),
        }
    }
}
