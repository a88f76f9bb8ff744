//! Names of records, for screens that show a few subjects and need no book.

use std::collections::{BTreeMap, BTreeSet};

use sqlx::AssertSqlSafe;
use sqlx::any::AnyRow;

use super::{Store, StoreError, row};
use crate::domain::ids::ItemId;
use crate::domain::record::{Record, RecordKind, RecordRef};

/// Rows that one statement names.
const SOME: usize = 500;

impl Store {
    /// What these items, locations and suppliers are called; others have no names. Names are text from outside.
    pub async fn list_names_of(&self, records: &BTreeSet<RecordRef>) -> Result<BTreeMap<RecordRef, String>, StoreError> {
        let mut names = BTreeMap::new();
        for kind in [RecordKind::Item, RecordKind::Location, RecordKind::Supplier] {
            let ids: Vec<&str> = records.iter().filter(|r| r.kind == kind).map(|r| r.id.as_str()).collect();
            for some in ids.chunks(SOME) {
                let sql = format!(
                    "select id, kind, body from records where kind = $1 and id in ({})",
                    row::placeholders(2, some.len())
                );
                // Safe: the text is made of placeholders only.
                let mut query = sqlx::query(AssertSqlSafe(sql)).bind(kind.as_str());
                for id in some {
                    query = query.bind(*id);
                }
                for r in &query.fetch_all(&self.pool).await? {
                    names.extend(named(r)?);
                }
            }
        }
        Ok(names)
    }

    /// The names of the items, locations and suppliers that hold one of `numbers`, and of some that do not.
    pub async fn list_names_with(&self, numbers: &[String]) -> Result<Vec<String>, StoreError> {
        let mut names = Vec::new();
        for some in numbers.chunks(SOME) {
            let holds = (1..=some.len()).map(|n| format!("body like ${n}")).collect::<Vec<_>>().join(" or ");
            let sql = format!(
                "select id, kind, body from records where kind in ('item', 'location', 'supplier') and ({holds})
                 order by kind, id"
            );
            // Safe: the text is made of placeholders only.
            let mut query = sqlx::query(AssertSqlSafe(sql));
            for number in some {
                query = query.bind(format!("%{number}%"));
            }
            for r in &query.fetch_all(&self.pool).await? {
                names.extend(named(r)?.map(|(_, name)| name));
            }
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

/// A record's key and name, where it has one.
fn named(r: &AnyRow) -> Result<Option<(RecordRef, String)>, StoreError> {
    let record: Record = row::json(r, "records", "body")?;
    let name = match &record {
        Record::Item(item) => item.label(),
        Record::Location(location) => location.name.clone(),
        Record::Supplier(supplier) => supplier.name.clone(),
        _ => return Ok(None),
    };
    Ok(Some((record.key(), name)))
}
