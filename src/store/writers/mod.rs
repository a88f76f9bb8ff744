//! Language models as writers: what they were found at, what people did with them, and every draft that they made, graded.
//!
//! Rows are added and never changed. Drafts that were made in shadow stand here and in no other table.

use jiff::Timestamp;
use jiff::civil::Date;
use sqlx::any::AnyRow;

use super::{Notice, Store, StoreError, audit, notices, row};
use crate::domain::audit::AuditEntry;
use crate::domain::hand::Hand;
use crate::domain::ids::CaseId;
use crate::domain::writer::{DraftEnd, GradedDraft, Proof};

const STEPS_TABLE: &str = "writer_steps";
const DRAFTS_TABLE: &str = "writer_drafts";

/// A proof as it is kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeptProof {
    /// Its id: its hash.
    pub id: String,
    /// What was found.
    pub proof: Proof,
    /// Whether it passed, as the column says.
    pub passed: bool,
    /// Who had it made.
    pub by: String,
}

/// What a step does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum WriterChange {
    /// It waits for a second person.
    Proposed,
    /// People see its words from now on.
    Promoted,
    /// People see the playbook again.
    TakenBack,
}

impl WriterChange {
    /// The name in the store and in the log.
    pub fn name(self) -> &'static str {
        match self {
            Self::Proposed => "proposed",
            Self::Promoted => "promoted",
            Self::TakenBack => "taken_back",
        }
    }

    fn read(text: &str) -> Option<Self> {
        [Self::Proposed, Self::Promoted, Self::TakenBack].into_iter().find(|change| change.name() == text)
    }
}

/// A step of a writer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WriterStep {
    /// Its number, from 1, over all writers.
    pub seq: i64,
    /// Which writer, by its id.
    pub writer: String,
    /// What is done.
    pub change: WriterChange,
    /// Who: a person, or the stage that took the words back.
    pub by: String,
    /// When, in business time.
    pub at: Timestamp,
    /// Why, in their words.
    pub reason: String,
    /// Whose hand it could have been; None where that is not known, and of a stage.
    pub hand: Option<Hand>,
    /// The proof that it rests on; empty where it takes none.
    pub proof: String,
}

/// How many of a writer's drafts of one day ended so.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize)]
pub struct DraftCount {
    /// The business day.
    pub day: Date,
    /// Were they before people?
    pub shown: bool,
    /// How they ended.
    pub end: DraftEnd,
    /// How many.
    pub drafts: u32,
}

impl Store {
    /// Keeps a proof with the audit entry. The same once more changes nothing.
    pub async fn add_proof(&self, proof: &Proof, by: &str, entry: &AuditEntry) -> Result<String, StoreError> {
        let id = proof.hash();
        let mut tx = self.begin().await?;
        let done = sqlx::query(
            "insert into writer_proofs (id, writer, passed, body, made_by, made_at) values ($1, $2, $3, $4, $5, $6)
             on conflict (id) do nothing",
        )
        .bind(id.clone())
        .bind(proof.writer.id())
        .bind(yes(proof.passed()))
        .bind(row::body(proof))
        .bind(row::clean(by))
        .bind(row::ms(proof.at))
        .execute(&mut *tx)
        .await?;
        if done.rows_affected() == 1 {
            audit::append(&mut tx, std::slice::from_ref(entry)).await?;
        }
        tx.commit().await?;
        Ok(id)
    }

    /// The proofs of a writer, the newest first.
    pub async fn list_proofs(&self, writer: &str) -> Result<Vec<KeptProof>, StoreError> {
        let rows =
            sqlx::query("select id, passed, body, made_by from writer_proofs where writer = $1 order by made_at desc, id")
                .bind(writer)
                .fetch_all(&self.pool)
                .await?;
        rows.iter().map(proof).collect()
    }

    /// All steps of all writers, oldest first.
    pub async fn list_writer_steps(&self) -> Result<Vec<WriterStep>, StoreError> {
        sqlx::query(STEPS).fetch_all(&self.pool).await?.iter().map(step).collect()
    }

    /// Adds a step, with who is told and the audit entry. Its number is the one after the last that was seen.
    ///
    /// # Errors
    /// [`StoreError::Conflict`] when somebody else added one since.
    pub async fn add_writer_step(&self, step: &WriterStep, told: &[Notice], entry: &AuditEntry) -> Result<(), StoreError> {
        let mut tx = self.begin().await?;
        audit::lock(&mut tx).await?;
        let done = sqlx::query(
            "insert into writer_steps (seq, writer, step, set_by, set_at, reason, hand, proof)
             values ($1, $2, $3, $4, $5, $6, $7, $8) on conflict (seq) do nothing",
        )
        .bind(step.seq)
        .bind(step.writer.clone())
        .bind(step.change.name())
        .bind(row::clean(&step.by))
        .bind(row::ms(step.at))
        .bind(row::clean(&step.reason))
        .bind(step.hand.as_ref().map(Hand::recorded).unwrap_or_default())
        .bind(step.proof.clone())
        .execute(&mut *tx)
        .await?;
        if done.rows_affected() == 0 {
            return Err(StoreError::Conflict);
        }
        for notice in told {
            notices::insert(&mut tx, notice).await?;
        }
        audit::append(&mut tx, std::slice::from_ref(entry)).await?;
        Ok(tx.commit().await?)
    }

    /// Keeps a graded draft. Of one case on one evidence a writer has one: what is there stays.
    pub async fn add_writer_draft(&self, draft: &GradedDraft) -> Result<(), StoreError> {
        let mut tx = self.begin().await?;
        sqlx::query(
            "insert into writer_drafts (case_id, evidence_hash, writer, shown, day, ended, body, made_at)
             values ($1, $2, $3, $4, $5, $6, $7, $8) on conflict (case_id, evidence_hash, writer) do nothing",
        )
        .bind(draft.case.as_str())
        .bind(draft.evidence_hash.clone())
        .bind(draft.writer.clone())
        .bind(yes(draft.shown))
        .bind(draft.day.to_string())
        .bind(draft.end.name())
        .bind(row::body(draft))
        .bind(row::ms(draft.at))
        .execute(&mut *tx)
        .await?;
        Ok(tx.commit().await?)
    }

    /// Has a writer drafted a case on this evidence, in shadow or before people?
    pub async fn has_writer_draft(&self, case: &CaseId, evidence_hash: &str, writer: &str) -> Result<bool, StoreError> {
        let found =
            sqlx::query("select case_id from writer_drafts where case_id = $1 and evidence_hash = $2 and writer = $3")
                .bind(case.as_str())
                .bind(evidence_hash)
                .bind(writer)
                .fetch_optional(&self.pool)
                .await?;
        Ok(found.is_some())
    }

    /// The drafts of a writer from `since` to the day before `before`, in the order in which they were made.
    pub async fn list_writer_drafts(&self, writer: &str, since: Date, before: Date) -> Result<Vec<GradedDraft>, StoreError> {
        let rows = sqlx::query(
            "select case_id as id, body from writer_drafts where writer = $1 and day >= $2 and day < $3
             order by made_at, case_id, evidence_hash",
        )
        .bind(writer)
        .bind(since.to_string())
        .bind(before.to_string())
        .fetch_all(&self.pool)
        .await?;
        rows.iter().map(|r| row::json(r, DRAFTS_TABLE, "body")).collect()
    }

    /// How many drafts of a writer there are before the day `before`, by day, who saw them and how they ended.
    pub async fn count_writer_drafts(&self, writer: &str, before: Date) -> Result<Vec<DraftCount>, StoreError> {
        let rows = sqlx::query(
            "select day as id, day, shown, ended, count(*) as drafts from writer_drafts where writer = $1 and day < $2
             group by day, shown, ended order by day, shown, ended",
        )
        .bind(writer)
        .bind(before.to_string())
        .fetch_all(&self.pool)
        .await?;
        rows.iter().map(counted).collect()
    }
}

pub(super) const STEPS: &str =
    "select seq, writer, step, set_by, set_at, reason, hand, proof from writer_steps order by seq";

fn yes(is: bool) -> &'static str {
    if is { "yes" } else { "no" }
}

fn counted(r: &AnyRow) -> Result<DraftCount, StoreError> {
    let (day, ended): (&str, &str) = (row::get(r, DRAFTS_TABLE, "day")?, row::get(r, DRAFTS_TABLE, "ended")?);
    let drafts: i64 = row::get(r, DRAFTS_TABLE, "drafts")?;
    let end = DraftEnd::read(ended)
        .ok_or_else(|| row::corrupt(r, DRAFTS_TABLE, "ended", format!("{ended:?} is no end of a draft").into()))?;
    Ok(DraftCount {
        day: day.parse().map_err(|error: jiff::Error| row::corrupt(r, DRAFTS_TABLE, "day", Box::new(error)))?,
        shown: row::get::<&str>(r, DRAFTS_TABLE, "shown")? == "yes",
        end,
        drafts: u32::try_from(drafts).unwrap_or(u32::MAX),
    })
}

pub(super) fn proof(r: &AnyRow) -> Result<KeptProof, StoreError> {
    const TABLE: &str = "writer_proofs";
    Ok(KeptProof {
        id: row::get(r, TABLE, "id")?,
        proof: row::json(r, TABLE, "body")?,
        passed: row::get::<&str>(r, TABLE, "passed")? == "yes",
        by: row::get(r, TABLE, "made_by")?,
    })
}

pub(super) fn step(r: &AnyRow) -> Result<WriterStep, StoreError> {
    let said: &str = row::get(r, STEPS_TABLE, "step")?;
    let change = WriterChange::read(said).ok_or_else(|| {
        row::corrupt(r, STEPS_TABLE, "step", format!("{said:?} is nothing that is done with a writer").into())
    })?;
    Ok(WriterStep {
        seq: row::get(r, STEPS_TABLE, "seq")?,
        writer: row::get(r, STEPS_TABLE, "writer")?,
        change,
        by: row::get(r, STEPS_TABLE, "set_by")?,
        at: row::time(r, STEPS_TABLE, "set_at")?,
        reason: row::get(r, STEPS_TABLE, "reason")?,
        hand: Hand::read(row::get(r, STEPS_TABLE, "hand")?),
        proof: row::get(r, STEPS_TABLE, "proof")?,
    })
}

#[cfg(test)]
mod tests;
