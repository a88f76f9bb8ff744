//! Records and the cursors up to which their sources were read.

use std::collections::{BTreeMap, BTreeSet};

use futures_util::TryStreamExt as _;
use jiff::Timestamp;
use jiff::civil::Date;
use rayon::prelude::*;
use sqlx::any::AnyRow;
use sqlx::{Any, AssertSqlSafe, Row as _, Transaction};

use super::changed::{self, Changed};
use super::{Backend, Store, StoreError, row, settings};
use crate::domain::ids::{ItemId, LocationId};
use crate::domain::record::{Observed, Record, RecordKind, RecordRef};
use crate::domain::sales::is_sale_record;
use crate::ports::Page;

/// Rows in one statement: 100 × 8 values stay far below the limits of both databases (32,766 and 65,535).
const CHUNK: usize = 100;

/// Items that one statement names.
const ITEMS: usize = 500;

impl Store {
    /// Keeps a page of records and moves the source's cursor, both or neither; `at` is the time of reading. Answers how
    /// many records are new or changed: a page that is applied again changes nothing.
    ///
    /// # Errors
    /// [`StoreError::OtherSource`] when the store was first filled from another source.
    pub async fn apply_page(&self, source: &str, page: &Page, at: Timestamp) -> Result<u64, StoreError> {
        let mut tx = self.begin().await?;
        let kept = settings::settle(&mut tx, "source.identity", source).await?;
        // Ids of two sources mean different things, and in one book they would meet.
        if kept != source {
            return Err(StoreError::OtherSource { kept, offered: source.to_owned() });
        }
        let changed = put_all(&mut tx, &page.observed).await?;
        move_cursor(&mut tx, source, &page.next, at).await?;
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

    /// The bodies of every record that is no sale, in no order.
    ///
    /// # Errors
    /// The database's.
    pub async fn load_supply(&self) -> Result<Bodies, StoreError> {
        let mut bodies = Bodies::default();
        self.add_bodies("sale = 0", &[], &mut bodies).await?;
        Ok(bodies)
    }

    /// The bodies of all that there is of the sales of some items, in no order.
    ///
    /// # Errors
    /// The database's.
    pub async fn load_sales_of(&self, items: &BTreeSet<ItemId>) -> Result<Bodies, StoreError> {
        let mut bodies = Bodies::default();
        let items: Vec<&ItemId> = items.iter().collect();
        for some in items.chunks(ITEMS) {
            let filter = format!("sale = 1 and item_id in ({})", row::placeholders(1, some.len()));
            self.add_bodies(&filter, some, &mut bodies).await?;
        }
        Ok(bodies)
    }

    /// The database joins the bodies of an item and a kind to one text: a row costs it, and the way from it, more than its text.
    async fn add_bodies(&self, filter: &str, items: &[&ItemId], bodies: &mut Bodies) -> Result<(), StoreError> {
        let joined = match self.backend {
            Backend::Sqlite => "group_concat(body, char(10))",
            Backend::Postgres => "string_agg(body, chr(10))",
        };
        let sql = format!(
            "select coalesce(item_id, '') as id, kind, {joined} as bodies from records where {filter} group by item_id, kind"
        );
        // Safe: the text is made of placeholders and of words of this file only.
        let mut query = sqlx::query(AssertSqlSafe(sql));
        for item in items {
            query = query.bind(item.as_str());
        }
        let mut rows = query.fetch(&self.pool);
        while let Some(found) = rows.try_next().await? {
            bodies.0.push(Joined {
                item: row::get(&found, "records", "id")?,
                kind: row::get(&found, "records", "kind")?,
                bodies: row::get(&found, "records", "bodies")?,
            });
        }
        Ok(())
    }

    /// How many records of sales each item has.
    ///
    /// # Errors
    /// The database's.
    pub async fn count_sales(&self) -> Result<BTreeMap<ItemId, u64>, StoreError> {
        let sql = "select item_id as id, count(*) as n from records where sale = 1 group by item_id";
        let rows = sqlx::query(sql).fetch_all(&self.pool).await?;
        let count = |r: &AnyRow| {
            let item: Option<String> = row::get(r, "records", "id")?;
            let n: i64 = row::get(r, "records", "n")?;
            Ok(item.map(|item| (ItemId::new(item), u64::try_from(n).unwrap_or(0))))
        };
        rows.iter().filter_map(|r| count(r).transpose()).collect()
    }

    /// Every record of some kinds, in no order.
    pub async fn load_records_of(&self, kinds: &[RecordKind]) -> Result<Vec<Record>, StoreError> {
        let sql = format!("select id, body from records where kind in ({})", row::placeholders(1, kinds.len()));
        // Safe: the text is made of placeholders only.
        let mut query = sqlx::query(AssertSqlSafe(sql));
        for kind in kinds {
            query = query.bind(kind.as_str());
        }
        let rows = query.fetch_all(&self.pool).await?;
        rows.iter().map(|r| row::json(r, "records", "body")).collect()
    }

    /// When the newest change became visible; None while there is no record.
    pub async fn newest_change(&self) -> Result<Option<Timestamp>, StoreError> {
        let newest =
            sqlx::query("select 'newest' as id, max(changed_at) as changed_at from records").fetch_one(&self.pool).await?;
        row::time_opt(&newest, "records", "changed_at")
    }

    /// How often records have changed: when it is the same as before, none has.
    pub async fn count_record_changes(&self) -> Result<i64, StoreError> {
        self.counter("records").await
    }

    /// How often what the source tells has changed, which events add nothing to: when it is the same as before, it told nothing.
    pub async fn count_told_changes(&self) -> Result<i64, StoreError> {
        self.counter("told").await
    }

    async fn counter(&self, name: &str) -> Result<i64, StoreError> {
        let row = sqlx::query("select name as id, n from counters where name = $1").bind(name).fetch_one(&self.pool).await?;
        row::get(&row, "counters", "n")
    }

    /// How many records there are of each kind.
    pub async fn count_records(&self) -> Result<BTreeMap<String, i64>, StoreError> {
        let rows = sqlx::query("select kind, count(*) as n from records group by kind").fetch_all(&self.pool).await?;
        rows.iter().map(|r| Ok((row::get(r, "records", "kind")?, r.try_get("n")?))).collect()
    }
}

/// Records as the store has them, still to be read: that takes all cores for a moment, so whoever asks chooses where.
#[derive(Default)]
pub struct Bodies(Vec<Joined>);

/// The bodies of an item's records of one kind, a line each: JSON has no line breaks of its own.
struct Joined {
    item: String,
    kind: String,
    bodies: String,
}

impl Bodies {
    /// Reads them.
    ///
    /// # Errors
    /// [`StoreError::Corrupt`] for one that is none.
    pub fn read(self) -> Result<Vec<Record>, StoreError> {
        let read: Vec<Vec<Record>> = self.0.par_iter().map(Joined::read).collect::<Result<_, _>>()?;
        Ok(read.into_iter().flatten().collect())
    }
}

impl Joined {
    fn read(&self) -> Result<Vec<Record>, StoreError> {
        self.bodies
            .lines()
            .map(|body| {
                read_as(&self.kind, body).map_err(|error| StoreError::Corrupt {
                    table: "records",
                    id: format!("a {} of item {}", self.kind, self.item),
                    column: "body",
                    source: Box::new(error),
                })
            })
            .collect()
    }
}

/// A record of a kind. Whoever knows the kind reads it at once: a record that has to say first what it is takes twice as long.
fn read_as(kind: &str, body: &str) -> Result<Record, serde_json::Error> {
    Ok(match kind {
        "sale_line" => Record::SaleLine(serde_json::from_str(body)?),
        "move" => Record::Move(serde_json::from_str(body)?),
        "demand_month" => Record::DemandMonth(serde_json::from_str(body)?),
        "stock_level" => Record::StockLevel(serde_json::from_str(body)?),
        "reorder_rule" => Record::ReorderRule(serde_json::from_str(body)?),
        _ => serde_json::from_str(body)?,
    })
}

/// Puts records in as part of a larger change; answers how many are new or changed.
pub(super) async fn put_all(tx: &mut Transaction<'_, Any>, observed: &[Observed]) -> Result<u64, StoreError> {
    // One statement may touch a row once, so of a record's versions in the page only the newest goes in.
    let mut newest: BTreeMap<RecordRef, &Observed> = BTreeMap::new();
    for observed in observed {
        let slot = newest.entry(observed.record.key()).or_insert(observed);
        if observed.changed_at >= slot.changed_at {
            *slot = observed;
        }
    }
    let (gone, there): (Vec<_>, Vec<_>) =
        newest.into_iter().partition(|(_, observed)| matches!(observed.record, Record::Gone(_)));
    let (mut rows, mut changed) = (0, Changed::default());
    for chunk in there.chunks(CHUNK) {
        // Before they are written over: afterwards nobody knows any more what they were about.
        add_former(tx, chunk, &mut changed).await?;
        let keys = upsert(tx, chunk).await?;
        rows += keys.len() as u64;
        let touched = chunk.iter().filter(|(key, _)| keys.contains(&(key.kind.as_str().to_owned(), key.id.clone())));
        touched.for_each(|(_, observed)| changed.add(&observed.record));
    }
    for (key, observed) in &gone {
        // What was told again since it went is there: an older word does not take it away.
        let sql = "delete from records where kind = $1 and id = $2 and changed_at <= $3 returning id, body";
        let deleted = sqlx::query(sql)
            .bind(key.kind.as_str())
            .bind(key.id.clone())
            .bind(row::ms(observed.changed_at))
            .fetch_all(&mut **tx)
            .await?;
        for r in &deleted {
            rows += 1;
            changed.add_as_it_was(row::json(r, "records", "body"));
        }
    }
    // A page that comes a second time counts as no change, so nobody looks again because of it.
    if rows > 0 {
        note_change(tx, observed.iter().any(|one| one.record.key().kind != RecordKind::Notice)).await?;
        changed::note(tx, &changed).await?;
    }
    Ok(rows)
}

/// Writes down that records have changed; `told`: what the source tells is among them.
pub(super) async fn note_change(tx: &mut Transaction<'_, Any>, told: bool) -> Result<(), StoreError> {
    sqlx::query("update counters set n = n + 1 where name = 'records' or (name = 'told' and $1 = 1)")
        .bind(i64::from(told))
        .execute(&mut **tx)
        .await?;
    Ok(())
}

/// Moves a cursor as part of a larger change.
pub(super) async fn move_cursor(
    tx: &mut Transaction<'_, Any>,
    source: &str,
    position: &str,
    at: Timestamp,
) -> Result<(), StoreError> {
    sqlx::query(
        "insert into cursors (source, position, moved_at) values ($1, $2, $3)
         on conflict (source) do update set position = excluded.position, moved_at = excluded.moved_at",
    )
    .bind(source)
    .bind(position)
    .bind(row::ms(at))
    .execute(&mut **tx)
    .await?;
    Ok(())
}

/// Adds what records are about that go over to another item: whoever looks again must look at the one that they leave, too.
async fn add_former(
    tx: &mut Transaction<'_, Any>,
    chunk: &[(RecordRef, &Observed)],
    changed: &mut Changed,
) -> Result<(), StoreError> {
    let rows: Vec<String> = (0..chunk.len())
        .map(|i| {
            let (kind, id, item) = (3 * i + 1, 3 * i + 2, 3 * i + 3);
            format!("select cast(${kind} as text) as kind, cast(${id} as text) as id, cast(${item} as text) as item")
        })
        .collect();
    let sql = format!(
        "select r.id, r.body from ({}) v join records r on r.kind = v.kind and r.id = v.id
         where coalesce(r.item_id, '') <> coalesce(v.item, '')",
        rows.join(" union all ")
    );
    // Safe: the text is made of placeholders only.
    let mut query = sqlx::query(AssertSqlSafe(sql));
    for (key, observed) in chunk {
        query = query.bind(key.kind.as_str()).bind(key.id.clone()).bind(about(&observed.record).item.map(|id| id.0.clone()));
    }
    for r in &query.fetch_all(&mut **tx).await? {
        changed.add_as_it_was(row::json(r, "records", "body"));
    }
    Ok(())
}

/// Puts records in; answers the kinds and ids of those that are new or changed.
async fn upsert(
    tx: &mut Transaction<'_, Any>,
    chunk: &[(RecordRef, &Observed)],
) -> Result<BTreeSet<(String, String)>, StoreError> {
    let rows: Vec<String> = (0..chunk.len()).map(|i| format!("({})", row::placeholders(i * 8 + 1, 8))).collect();
    let sql = format!(
        "insert into records (kind, id, item_id, location_id, happened_at, changed_at, body, sale) values {}
         on conflict (kind, id) do update set
             item_id = excluded.item_id, location_id = excluded.location_id, happened_at = excluded.happened_at,
             changed_at = excluded.changed_at, body = excluded.body, sale = excluded.sale
         where excluded.changed_at >= records.changed_at and excluded.body <> records.body
         returning id, kind",
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
            .bind(row::body(&observed.record))
            .bind(i64::from(is_sale_record(&observed.record)));
    }
    let rows = query.fetch_all(&mut **tx).await?;
    rows.iter().map(|r| Ok((row::get(r, "records", "kind")?, row::get(r, "records", "id")?))).collect()
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
        Record::Supplier(_) | Record::Gone(_) => About::default(),
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
        Record::StockLevel(r) => About { item: Some(&r.item), location: Some(&r.location), happened_at: None },
        Record::Lot(r) => About { item: Some(&r.item), location: None, happened_at: Some(row::ms(r.created_at)) },
        Record::LotStock(r) => About { item: Some(&r.item), location: Some(&r.location), happened_at: None },
        Record::DemandMonth(r) => About { item: Some(&r.item), location: Some(&r.location), happened_at: day(r.month) },
        Record::Notice(r) => About { item: None, location: None, happened_at: Some(row::ms(r.occurred_at)) },
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use crate::domain::ids::SupplierId;
    use crate::domain::record::{Observed, Record, Supplier};
    use crate::ports::Page;
    use crate::store::testing::{at, on_each};
    use crate::store::{Store, StoreError};

    fn supplier(id: u32, name: &str, changed: i64) -> Observed {
        let record = Record::Supplier(Supplier { id: SupplierId::new(id.to_string()), name: name.to_owned() });
        Observed { changed_at: at(changed), record }
    }

    fn page(observed: Vec<Observed>, next: &str) -> Page {
        Page { observed, next: next.to_owned(), more: false }
    }

    #[tokio::test]
    async fn changes_are_counted_and_what_changes_nothing_is_not() {
        on_each(|store| async move {
            let seen = async || (store.count_record_changes().await.unwrap(), store.count_told_changes().await.unwrap());
            let (records, told) = seen().await;
            let made = supplier(1, "S", 1);
            store.apply_page("erp", &page(vec![made.clone()], "1"), at(1)).await.unwrap();
            assert_eq!(seen().await, (records + 1, told + 1));
            store.apply_page("erp", &page(vec![made.clone()], "1"), at(2)).await.unwrap();
            assert_eq!(seen().await, (records + 1, told + 1), "the same again changes nothing");
            let gone = Observed { record: Record::Gone(made.record.key()), changed_at: at(3) };
            store.apply_page("erp", &page(vec![gone], "1"), at(3)).await.unwrap();
            assert_eq!(seen().await, (records + 2, told + 2), "as many records as before, and other ones");
        })
        .await;
    }

    #[tokio::test]
    async fn the_same_page_twice_is_once() {
        on_each(|store| async move {
            // More rows than one statement takes.
            let mut observed: Vec<Observed> = (0..250).map(|i| supplier(i, "S", 1)).collect();
            let record = Record::Location(reeve_testing::records::location("3", "North"));
            observed.push(Observed { changed_at: at(2), record });
            let page = page(observed, "p1");
            assert_eq!(store.apply_page("erp", &page, at(9)).await.unwrap(), 251);
            let first = store.load_records().await.unwrap();
            assert_eq!(store.apply_page("erp", &page, at(10)).await.unwrap(), 0);
            assert_eq!(store.load_records().await.unwrap(), first);
            assert_eq!(store.find_cursor("erp").await.unwrap().as_deref(), Some("p1"));
            assert_eq!(store.newest_change().await.unwrap(), Some(at(2)));
            let counts = store.count_records().await.unwrap();
            assert_eq!((counts["supplier"], counts["location"]), (250, 1));
            let keys: Vec<String> = first.iter().map(|r| r.key().to_string()).collect();
            assert_eq!(keys[..4], ["location:3", "supplier:0", "supplier:1", "supplier:10"]);
        })
        .await;
    }

    #[tokio::test]
    async fn the_later_version_of_a_record_wins_in_whatever_order_they_come() {
        on_each(|store| async move {
            let twice = page(vec![supplier(1, "newest", 5), supplier(1, "older", 3)], "p1");
            store.apply_page("erp", &twice, at(9)).await.unwrap();
            assert_eq!(names(&store).await, ["newest"]);
            store.apply_page("erp", &page(vec![supplier(1, "oldest", 1)], "p2"), at(9)).await.unwrap();
            assert_eq!(names(&store).await, ["newest"]);
            store.apply_page("erp", &page(vec![supplier(1, "corrected", 5)], "p3"), at(9)).await.unwrap();
            assert_eq!(names(&store).await, ["corrected"]);
        })
        .await;
    }

    #[tokio::test]
    async fn records_of_another_source_are_refused() {
        on_each(|store| async move {
            assert_eq!(store.newest_change().await.unwrap(), None);
            store.apply_page("erp", &page(vec![supplier(1, "S", 1)], "p1"), at(9)).await.unwrap();
            let error = store.apply_page("other", &page(vec![supplier(2, "T", 1)], "q1"), at(9)).await.unwrap_err();
            assert!(matches!(&error, StoreError::OtherSource { kept, .. } if kept == "erp"), "{error}");
            assert_eq!(names(&store).await, ["S"]);
            assert_eq!(store.find_cursor("other").await.unwrap(), None);
        })
        .await;
    }

    async fn names(store: &Store) -> Vec<String> {
        let records = store.load_records().await.unwrap();
        records.into_iter().filter_map(|r| if let Record::Supplier(s) = r { Some(s.name) } else { None }).collect()
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(24))]
        #[test]
        fn however_often_and_in_whatever_order_pages_come_the_newest_versions_stay(
            versions in proptest::collection::vec((0u32..4, 0i64..1000), 1..24),
            order in proptest::collection::vec(0usize..24, 0..24),
        ) {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
            runtime.block_on(async {
                let store = Store::open_and_migrate("sqlite::memory:").await.unwrap();
                let observed: Vec<Observed> =
                    versions.iter().map(|(id, changed)| supplier(*id, &format!("{id}@{changed}"), *changed)).collect();
                for i in order {
                    let one = page(vec![observed[i % observed.len()].clone()], "x");
                    store.apply_page("erp", &one, at(0)).await.unwrap();
                }
                store.apply_page("erp", &page(observed, "all"), at(0)).await.unwrap();
                let mut expected = std::collections::BTreeMap::new();
                for (id, changed) in versions {
                    let newest = expected.entry(id).or_insert(changed);
                    *newest = changed.max(*newest);
                }
                let expected: Vec<String> = expected.iter().map(|(id, changed)| format!("{id}@{changed}")).collect();
                assert_eq!(names(&store).await, expected);
            });
        }
    }
}
