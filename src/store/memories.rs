//! What is remembered, with the vectors by which it is found. The truth of memory: every index is a copy of this table.

use std::collections::BTreeSet;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use jiff::Timestamp;
use sqlx::any::AnyRow;
use sqlx::{Any, AssertSqlSafe, Transaction};

use super::{Store, StoreError, row, settings};
use crate::domain::ids::CaseId;
use crate::domain::remembered::{MemoryKind, Remembered};
use crate::ports::Point;

const TABLE: &str = "memories";

/// Ids that one statement names.
const NAMED: usize = 400;

/// Something remembered, with its vectors.
#[derive(Clone, Debug, PartialEq)]
pub struct Memory {
    /// What.
    pub what: Remembered,
    /// From when it may be shown.
    pub known_at: Timestamp,
    /// By its words, of length one; empty while no model has made it.
    pub text: Vec<f32>,
    /// The model that made it; empty while none has.
    pub model: String,
    /// By its numbers, of length one; empty for what has none.
    pub profile: Vec<f32>,
}

/// A change of memory since some other: a point to keep, or one to forget.
#[derive(Clone, Debug, PartialEq)]
pub enum MemoryChange {
    /// It is new or another now.
    Put(Box<Point>),
    /// It was forgotten.
    Gone {
        /// Which.
        id: String,
        /// The number of the change.
        seq: i64,
    },
}

impl MemoryChange {
    /// The number of the change.
    pub fn seq(&self) -> i64 {
        match self {
            Self::Put(point) => point.seq,
            Self::Gone { seq, .. } => *seq,
        }
    }
}

impl Store {
    /// Keeps memories, each in place of what was remembered of the same, and how far the story was read (a setting): all or nothing.
    /// What says the same as before is no change. Answers how many changed.
    ///
    /// # Errors
    /// The database's.
    pub async fn remember(&self, memories: &[Memory], read_up_to: Option<(&str, &str)>) -> Result<usize, StoreError> {
        let mut tx = self.begin().await?;
        let mut changed = 0;
        for memory in memories {
            changed += usize::from(upsert(&mut tx, memory).await?);
        }
        if let Some((key, value)) = read_up_to {
            settings::put(&mut tx, key, value).await?;
        }
        tx.commit().await?;
        Ok(changed)
    }

    /// Forgets what happened before `until`: words and vectors are wiped, and indexes are told. Answers how many.
    ///
    /// # Errors
    /// The database's.
    pub async fn forget_before(&self, until: Timestamp) -> Result<usize, StoreError> {
        let mut tx = self.begin().await?;
        let rows = sqlx::query("select id from memories where happened_at < $1 and gone = 0 order by id")
            .bind(row::ms(until))
            .fetch_all(&mut *tx)
            .await?;
        for r in &rows {
            wipe(&mut tx, row::get(r, TABLE, "id")?).await?;
        }
        tx.commit().await?;
        Ok(rows.len())
    }

    /// Forgets what is remembered of a case and is not among `left` (ids): what was decided on it and taken back since. Answers how
    /// many.
    ///
    /// # Errors
    /// The database's.
    pub async fn forget_of(&self, case: &CaseId, left: &BTreeSet<String>) -> Result<usize, StoreError> {
        let mut tx = self.begin().await?;
        let rows = sqlx::query("select id from memories where case_id = $1 and gone = 0 order by id")
            .bind(case.as_str())
            .fetch_all(&mut *tx)
            .await?;
        let mut gone = 0;
        for r in &rows {
            let id: &str = row::get(r, TABLE, "id")?;
            if !left.contains(id) {
                wipe(&mut tx, id).await?;
                gone += 1;
            }
        }
        tx.commit().await?;
        Ok(gone)
    }

    /// The changes after `seq`, oldest first, at most `limit`. What changed twice stands once, at its last change. Vectors of words are those
    /// of `model`: what another one made is left out until this one has read it, which is a change of its own.
    ///
    /// # Errors
    /// The database's.
    pub async fn list_memory_changes(&self, after: i64, limit: usize, model: &str) -> Result<Vec<MemoryChange>, StoreError> {
        let rows = sqlx::query(
            "select id, seq, kind, company, known_at, body, text_vector, profile, model, gone
             from memories where seq > $1 order by seq limit $2",
        )
        .bind(after)
        .bind(row::count(limit))
        .fetch_all(&self.pool)
        .await?;
        rows.iter().map(|r| change(r, model)).collect()
    }

    /// Those of these ids that are remembered, with their ids.
    ///
    /// # Errors
    /// The database's.
    pub async fn list_memories(&self, ids: &[String]) -> Result<Vec<(String, Memory)>, StoreError> {
        let mut found = Vec::new();
        for some in ids.chunks(NAMED) {
            let sql = format!(
                "select id, known_at, body, text_vector, profile, model from memories
                 where gone = 0 and id in ({}) order by id",
                row::placeholders(1, some.len())
            );
            // Safe: the text is made of placeholders only.
            let mut query = sqlx::query(AssertSqlSafe(sql));
            for id in some {
                query = query.bind(id.as_str());
            }
            for r in &query.fetch_all(&self.pool).await? {
                found.push((row::get(r, TABLE, "id")?, memory(r)?));
            }
        }
        Ok(found)
    }

    /// What others wrote about something (see [`Remembered::about`]) in a company, newest first, at most `limit`: written since, and known
    /// before, two moments.
    ///
    /// # Errors
    /// The database's.
    pub async fn list_notes(
        &self,
        company: &str,
        about: &str,
        (since, known_before): (Timestamp, Timestamp),
        limit: usize,
    ) -> Result<Vec<Memory>, StoreError> {
        let rows = sqlx::query(
            "select id, known_at, body, text_vector, profile, model from memories
             where about = $1 and happened_at >= $2 and known_at < $3 and company = $4 and gone = 0
             order by happened_at desc, id limit $5",
        )
        .bind(about)
        .bind(row::ms(since))
        .bind(row::ms(known_before))
        .bind(company)
        .bind(row::count(limit))
        .fetch_all(&self.pool)
        .await?;
        rows.iter().map(memory).collect()
    }

    /// Memories whose words another model made into a vector, or none has yet, by id, at most `limit`.
    ///
    /// # Errors
    /// The database's.
    pub async fn list_memories_not_of(&self, model: &str, limit: usize) -> Result<Vec<Memory>, StoreError> {
        let rows = sqlx::query(
            "select id, known_at, body, text_vector, profile, model from memories
             where gone = 0 and (model < $1 or model > $1) order by id limit $2",
        )
        .bind(model)
        .bind(row::count(limit))
        .fetch_all(&self.pool)
        .await?;
        rows.iter().map(memory).collect()
    }

    /// How many are remembered of each kind.
    ///
    /// # Errors
    /// The database's.
    pub async fn count_memories(&self) -> Result<Vec<(MemoryKind, usize)>, StoreError> {
        let rows = sqlx::query("select kind as id, count(*) as n from memories where gone = 0 group by kind order by kind")
            .fetch_all(&self.pool)
            .await?;
        let counted = |r: &AnyRow| {
            let n: i64 = row::get(r, TABLE, "n")?;
            Ok((kind(r, "id")?, usize::try_from(n).unwrap_or(0)))
        };
        rows.iter().map(counted).collect()
    }

    /// The number of the last change.
    ///
    /// # Errors
    /// The database's.
    pub async fn last_memory_change(&self) -> Result<i64, StoreError> {
        let r = sqlx::query("select name as id, n from counters where name = 'memories'").fetch_one(&self.pool).await?;
        row::get(&r, "counters", "n")
    }
}

async fn next(tx: &mut Transaction<'_, Any>) -> Result<i64, StoreError> {
    let r = sqlx::query("update counters set n = n + 1 where name = 'memories' returning name as id, n")
        .fetch_one(&mut **tx)
        .await?;
    row::get(&r, "counters", "n")
}

/// Wipes one, and leaves the mark by which indexes are told.
async fn wipe(tx: &mut Transaction<'_, Any>, id: &str) -> Result<(), StoreError> {
    let seq = next(tx).await?;
    sqlx::query(
        "update memories set gone = 1, seq = $2, body = '', text_vector = '', profile = '', case_id = null, about = ''
         where id = $1",
    )
    .bind(id)
    .bind(seq)
    .execute(&mut **tx)
    .await?;
    Ok(())
}

/// Keeps one; answers whether it says something else than before.
async fn upsert(tx: &mut Transaction<'_, Any>, memory: &Memory) -> Result<bool, StoreError> {
    let Memory { what, known_at, text, model, profile } = memory;
    let (id, body) = (what.id(), row::body(what));
    let (text, profile) = (written(text), written(profile));
    let known = sqlx::query("select id, body, text_vector, profile, model from memories where id = $1 and gone = 0")
        .bind(id.as_str())
        .fetch_optional(&mut **tx)
        .await?;
    // What says the same keeps its number: else every index would be told of everything again each day.
    if let Some(r) = known {
        let same = |column, with: &str| Ok::<bool, StoreError>(row::get::<&str>(&r, TABLE, column)? == with);
        if same("body", &body)? && same("text_vector", &text)? && same("profile", &profile)? && same("model", model)? {
            return Ok(false);
        }
    }
    let seq = next(tx).await?;
    sqlx::query(
        "insert into memories
             (id, seq, kind, company, case_id, known_at, happened_at, body, text_vector, profile, model, about, gone)
         values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, 0)
         on conflict (id) do update set seq = excluded.seq, case_id = excluded.case_id, known_at = excluded.known_at,
             happened_at = excluded.happened_at, about = excluded.about, body = excluded.body, text_vector = excluded.text_vector,
             profile = excluded.profile, model = excluded.model, gone = 0",
    )
    .bind(id.as_str())
    .bind(seq)
    .bind(what.kind.name())
    .bind(what.company.as_str())
    .bind(what.case.as_ref().map(CaseId::as_str))
    .bind(row::ms(*known_at))
    .bind(row::ms(what.at))
    .bind(body)
    .bind(text)
    .bind(profile)
    .bind(model.as_str())
    .bind(what.about())
    .execute(&mut **tx)
    .await?;
    Ok(true)
}

fn change(r: &AnyRow, model: &str) -> Result<MemoryChange, StoreError> {
    let (id, seq): (String, i64) = (row::get(r, TABLE, "id")?, row::get(r, TABLE, "seq")?);
    if row::get::<i64>(r, TABLE, "gone")? == 1 {
        return Ok(MemoryChange::Gone { id, seq });
    }
    let what: Remembered = row::json(r, TABLE, "body")?;
    let subject = what.subject;
    let is_of_model = !model.is_empty() && row::get::<&str>(r, TABLE, "model")? == model;
    Ok(MemoryChange::Put(Box::new(Point {
        id,
        seq,
        company: row::get(r, TABLE, "company")?,
        kind: kind(r, "kind")?,
        codes: what.codes.iter().map(|code| code.code().to_owned()).collect(),
        item: subject.item.map(|item| item.to_string()),
        supplier: subject.supplier.map(|supplier| supplier.to_string()),
        location: subject.location.map(|location| location.to_string()),
        known_at: row::get(r, TABLE, "known_at")?,
        text: if is_of_model { vector(r, "text_vector")? } else { Vec::new() },
        profile: vector(r, "profile")?,
    })))
}

fn memory(r: &AnyRow) -> Result<Memory, StoreError> {
    Ok(Memory {
        what: row::json(r, TABLE, "body")?,
        known_at: row::time(r, TABLE, "known_at")?,
        text: vector(r, "text_vector")?,
        model: row::get(r, TABLE, "model")?,
        profile: vector(r, "profile")?,
    })
}

fn kind(r: &AnyRow, column: &'static str) -> Result<MemoryKind, StoreError> {
    let name: &str = row::get(r, TABLE, column)?;
    MemoryKind::named(name).ok_or_else(|| row::corrupt(r, TABLE, column, format!("{name:?} is no kind of memory").into()))
}

fn written(vector: &[f32]) -> String {
    // In one order of bytes, so that a store that moves to another machine reads the same.
    let bytes: Vec<u8> = vector.iter().flat_map(|component| component.to_le_bytes()).collect();
    STANDARD.encode(bytes)
}

fn vector(r: &AnyRow, column: &'static str) -> Result<Vec<f32>, StoreError> {
    let text: &str = row::get(r, TABLE, column)?;
    let bytes = STANDARD.decode(text).map_err(|error| row::corrupt(r, TABLE, column, Box::new(error)))?;
    let (floats, rest) = bytes.as_chunks::<4>();
    if !rest.is_empty() {
        return Err(row::corrupt(r, TABLE, column, format!("{} bytes are no floats", bytes.len()).into()));
    }
    Ok(floats.iter().map(|four| f32::from_le_bytes(*four)).collect())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::exception::{ExceptionType, Subject};
    use crate::domain::ids::ItemId;
    use crate::store::testing::{at, on_each};

    fn memory(case: &str, words: &str, time: i64) -> Memory {
        Memory {
            what: Remembered {
                kind: MemoryKind::Case,
                company: "1".to_owned(),
                subject: Subject { item: Some(ItemId::new("7")), ..Subject::default() },
                codes: vec![ExceptionType::RShort],
                case: Some(CaseId::new(case)),
                notice: None,
                at: at(time),
                words: words.to_owned(),
                ended: None,
            },
            known_at: at(time + 10),
            text: vec![0.6, 0.8],
            model: "small@1".to_owned(),
            profile: vec![1.0, 0.0, 0.0],
        }
    }

    #[tokio::test]
    async fn what_says_the_same_is_no_change_and_what_is_forgotten_leaves_no_word() {
        on_each(|store| async move {
            let (one, two) = (memory("case-1", "short by eight", 1), memory("case-2", "late", 5));
            assert_eq!(store.remember(&[one.clone(), two.clone()], Some(("memory.read", "5"))).await.unwrap(), 2);
            assert_eq!(store.remember(&[one.clone(), two.clone()], None).await.unwrap(), 0, "the same again");
            let changes = store.list_memory_changes(0, 10, "small@1").await.unwrap();
            let [MemoryChange::Put(first), MemoryChange::Put(second)] = changes.as_slice() else { panic!("{changes:?}") };
            assert_eq!((first.seq, second.seq, store.last_memory_change().await.unwrap()), (1, 2, 2));
            assert_eq!((first.codes.clone(), first.item.clone()), (vec!["R-SHORT".to_owned()], Some("7".to_owned())));
            assert_eq!((first.text.clone(), first.profile.clone()), (one.text.clone(), one.profile.clone()));
            let of_another = store.list_memory_changes(0, 10, "small@2").await.unwrap();
            let MemoryChange::Put(unread) = &of_another[0] else { panic!("{of_another:?}") };
            assert!(unread.text.is_empty() && !unread.profile.is_empty(), "vectors of two models never meet");
            let found = store.list_memories(&[one.what.id(), "m-none".to_owned()]).await.unwrap();
            assert_eq!(found, [(one.what.id(), one.clone())]);
            // Another model has to see both again.
            assert_eq!(store.list_memories_not_of("small@2", 10).await.unwrap().len(), 2);
            assert!(store.list_memories_not_of("small@1", 10).await.unwrap().is_empty());
            assert_eq!(store.forget_before(at(3)).await.unwrap(), 1);
            let later = store.list_memory_changes(2, 10, "small@1").await.unwrap();
            assert_eq!(later, [MemoryChange::Gone { id: one.what.id(), seq: 3 }]);
            assert!(store.list_memories(&[one.what.id()]).await.unwrap().is_empty());
            let left = sqlx::query("select id from memories where body like '%short by eight%'").fetch_all(&store.pool);
            assert!(left.await.unwrap().is_empty(), "its words are gone");
            assert_eq!(store.count_memories().await.unwrap(), [(MemoryKind::Case, 1)]);
            let case = CaseId::new("case-2");
            assert_eq!(store.forget_of(&case, &BTreeSet::from([two.what.id()])).await.unwrap(), 0, "it still stands");
            assert_eq!(store.forget_of(&case, &BTreeSet::new()).await.unwrap(), 1, "it was taken back");
            assert!(store.count_memories().await.unwrap().is_empty());
            assert_eq!(store.find_setting("memory.read").await.unwrap().as_deref(), Some("5"));
        })
        .await;
    }
}
