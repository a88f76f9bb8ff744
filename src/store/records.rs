//! Records and the cursors up to which their sources were read.

use std::collections::BTreeMap;

use jiff::Timestamp;
use jiff::civil::Date;
use sqlx::{Any, AssertSqlSafe, Row as _, Transaction};

use super::{Store, StoreError, row, settings};
use crate::domain::ids::{ItemId, LocationId};
use crate::domain::record::{Observed, Record, RecordRef};
use crate::ports::Page;

/// Rows in one statement: 100 × 7 values stay far below the limits of both databases (32,766 and 65,535).
const CHUNK: usize = 100;

impl Store {
    /// Keeps a page of records and moves the source's cursor, both or neither; `at` is the time of reading. Answers how
    /// many records are new or changed: a page that is applied again changes nothing.
    ///
    /// # Errors
    /// [`StoreError::OtherSource`] when the store was first filled from another source.
    pub async fn apply_page(&self, source: &str, page: &Page, at: Timestamp) -> Result<u64, StoreError> {
        let mut tx = self.begin().await?;
        let kept = settings::settle(&mut tx, "source.identity", source).await?;
        if kept != source {
            return Err(StoreError::OtherSource { kept, offered: source.to_owned() });
        }
        // One statement may touch a row once, so of a record's versions in the page only the newest goes in.
        let mut newest: BTreeMap<RecordRef, &Observed> = BTreeMap::new();
        for observed in &page.observed {
            let slot = newest.entry(observed.record.key()).or_insert(observed);
            if observed.changed_at >= slot.changed_at {
                *slot = observed;
            }
        }
        let newest: Vec<(RecordRef, &Observed)> = newest.into_iter().collect();
        let mut changed = 0;
        for chunk in newest.chunks(CHUNK) {
            changed += upsert(&mut tx, chunk).await?;
        }
        sqlx::query(
            "insert into cursors (source, position, moved_at) values ($1, $2, $3)
             on conflict (source) do update set position = excluded.position, moved_at = excluded.moved_at",
        )
        .bind(source)
        .bind(page.next.as_str())
        .bind(row::ms(at))
        .execute(&mut *tx)
        .await?;
        tx.commit().await?;
        Ok(changed)
    }

    /// Up to where `source` was read.
    pub async fn find_cursor(&self, source: &str) -> Result<Option<String>, StoreError> {
        let found = sqlx::query("select source, position from cursors where source = $1")
            .bind(source)
            .fetch_optional(&self.pool)
            .await?;
        found.map(|r| row::get(&r, "cursors", "position")).transpose()
    }

    /// Every record, ordered by the names of its kind and its id, the same on every database.
    pub async fn load_records(&self) -> Result<Vec<Record>, StoreError> {
        let rows = sqlx::query("select id, kind, body from records").fetch_all(&self.pool).await?;
        let mut records = Vec::with_capacity(rows.len());
        for r in &rows {
            let key = (row::get::<String>(r, "records", "kind")?, row::get::<String>(r, "records", "id")?);
            records.push((key, row::json::<Record>(r, "records", "body")?));
        }
        // Databases order text by their own rules; Rust's are the same everywhere.
        records.sort_by(|a, b| a.0.cmp(&b.0));
        Ok(records.into_iter().map(|(_, record)| record).collect())
    }

    /// When the newest change became visible; None while there is no record.
    pub async fn newest_change(&self) -> Result<Option<Timestamp>, StoreError> {
        let newest =
            sqlx::query("select 'newest' as id, max(changed_at) as changed_at from records").fetch_one(&self.pool).await?;
        row::time_opt(&newest, "records", "changed_at")
    }

    /// How many records there are of each kind.
    pub async fn count_records(&self) -> Result<BTreeMap<String, i64>, StoreError> {
        let rows = sqlx::query("select kind, count(*) as n from records group by kind").fetch_all(&self.pool).await?;
        rows.iter().map(|r| Ok((row::get(r, "records", "kind")?, r.try_get("n")?))).collect()
    }
}

async fn upsert(tx: &mut Transaction<'_, Any>, chunk: &[(RecordRef, &Observed)]) -> Result<u64, StoreError> {
    let rows: Vec<String> = (0..chunk.len()).map(|i| format!("({})", row::placeholders(i * 7 + 1, 7))).collect();
    let sql = format!(
        "insert into records (kind, id, item_id, location_id, happened_at, changed_at, body) values {}
         on conflict (kind, id) do update set
             item_id = excluded.item_id, location_id = excluded.location_id, happened_at = excluded.happened_at,
             changed_at = excluded.changed_at, body = excluded.body
         where excluded.changed_at > records.changed_at
            or (excluded.changed_at = records.changed_at and excluded.body <> records.body)",
        rows.join(", ")
    );
    // Safe: the text is made of placeholders only.
    let mut query = sqlx::query(AssertSqlSafe(sql));
    for (key, observed) in chunk {
        let about = about(&observed.record);
        query = query
            .bind(key.kind.as_str())
            .bind(key.id.clone())
            .bind(about.item.map(|id| id.0.clone()))
            .bind(about.location.map(|id| id.0.clone()))
            .bind(about.happened_at)
            .bind(row::ms(observed.changed_at))
            .bind(row::body(&observed.record));
    }
    Ok(query.execute(&mut **tx).await?.rows_affected())
}

/// The columns beside a record's body.
#[derive(Default)]
struct About<'r> {
    item: Option<&'r ItemId>,
    location: Option<&'r LocationId>,
    happened_at: Option<i64>,
}

fn about(record: &Record) -> About<'_> {
    let day = |date: Date| Some(date.to_zoned(jiff::tz::TimeZone::UTC).ok()?.timestamp().as_millisecond());
    match record {
        Record::Item(r) => About { item: Some(&r.id), ..About::default() },
        Record::Location(r) => About { location: Some(&r.id), ..About::default() },
        Record::Supplier(_) => About::default(),
        Record::SupplierPrice(r) => About { item: Some(&r.item), ..About::default() },
        Record::ReorderRule(r) => About { item: Some(&r.item), location: Some(&r.location), happened_at: None },
        Record::Promotion(r) => About { item: Some(&r.item), location: None, happened_at: day(r.from) },
        Record::SaleLine(r) => {
            About { item: Some(&r.item), location: Some(&r.location), happened_at: Some(row::ms(r.ordered_at)) }
        }
        Record::PoLine(r) => {
            About { item: Some(&r.item), location: Some(&r.location), happened_at: Some(row::ms(r.ordered_at)) }
        }
        Record::Move(r) => About {
            item: Some(&r.item),
            location: r.to.as_ref().or(r.from.as_ref()),
            happened_at: Some(row::ms(r.done_at.unwrap_or(r.created_at))),
        },
        Record::BillLine(r) => About { item: r.item.as_ref(), location: None, happened_at: day(r.billed_on) },
    }
}
