//! Drills: recommendations that are wrong on purpose, to find out whether cards are read (handbook §10, rubber-stamp signal).
//!
//! That a recommendation is a drill stands nowhere but here. None ever leaves: the outbox refuses it.

use std::collections::BTreeSet;

use jiff::Timestamp;
use jiff::civil::Date;
use sqlx::any::AnyRow;
use sqlx::{Any, Transaction};

use super::{Store, StoreError, audit, recommendations, row};
use crate::domain::audit::AuditEntry;
use crate::domain::decision::RecommendationState;
use crate::domain::ids::{CaseId, PersonId, RecommendationId};
use crate::domain::recommendation::Recommendation;

/// Rows that one statement names.
const SOME: usize = 500;

const TABLE: &str = "drills";
const COLUMNS: &str = "recommendation_id, case_id, instead_of, day, field, what, planted_at, result, person, ended_at";

/// What a drill came to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize)]
#[serde(rename_all = "snake_case")]
pub enum DrillResult {
    /// Somebody turned it down, or put right what was wrong.
    Caught,
    /// Somebody approved it.
    Accepted,
    /// Nobody answered it: the day was over, the facts moved, or the case was answered another way. It says nothing.
    Withdrawn,
}

impl DrillResult {
    /// The name in the store and in the log.
    pub fn name(self) -> &'static str {
        match self {
            Self::Caught => "caught",
            Self::Accepted => "accepted",
            Self::Withdrawn => "withdrawn",
        }
    }
}

/// A recommendation that is wrong on purpose.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Drill {
    /// The wrong one.
    pub recommendation_id: RecommendationId,
    /// In which case it stands.
    pub case_id: CaseId,
    /// The true one that it stands for, and that is shown again afterwards.
    pub instead_of: RecommendationId,
    /// On which business day it was planted.
    pub day: Date,
    /// What is wrong in it: `quantity`, `date` or `place`.
    pub field: String,
    /// The same in a sentence, for whoever answered it.
    pub what: String,
    /// When it was planted.
    pub planted_at: Timestamp,
    /// What it came to, by whom and when; None while it waits.
    pub end: Option<(DrillResult, Option<PersonId>, Timestamp)>,
}

/// How a drill ends.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DrillEnd {
    /// Which one.
    pub recommendation_id: RecommendationId,
    /// What it came to.
    pub result: DrillResult,
    /// Who answered it, where somebody did.
    pub person: Option<PersonId>,
    /// When.
    pub at: Timestamp,
}

/// How drills were answered: what the rubber-stamp signal is made of.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct DrillCounts {
    /// Answered by a person.
    pub answered: u32,
    /// Turned down or put right.
    pub caught: u32,
    /// Approved.
    pub accepted: u32,
}

impl Store {
    /// Plants a drill: the wrong recommendation, the row that says so, and the audit entries, all or nothing.
    ///
    /// # Errors
    /// [`StoreError::Conflict`] when the same one was planted before.
    pub async fn plant_drill(&self, rec: &Recommendation, drill: &Drill, entries: &[AuditEntry]) -> Result<(), StoreError> {
        let mut tx = self.begin().await?;
        recommendations::insert(&mut tx, rec).await?;
        sqlx::query(
            "insert into drills (recommendation_id, case_id, instead_of, day, field, what, planted_at)
             values ($1, $2, $3, $4, $5, $6, $7)",
        )
        .bind(drill.recommendation_id.as_str())
        .bind(drill.case_id.as_str())
        .bind(drill.instead_of.as_str())
        .bind(drill.day.to_string())
        .bind(drill.field.as_str())
        .bind(row::clean(&drill.what))
        .bind(row::ms(drill.planted_at))
        .execute(&mut *tx)
        .await?;
        audit::append(&mut tx, entries).await?;
        Ok(tx.commit().await?)
    }

    /// Takes a drill back that nobody answered, and the wrong recommendation with it.
    ///
    /// # Errors
    /// [`StoreError::Conflict`] when somebody answered it in the meantime.
    pub async fn withdraw_drill(&self, drill: &Drill, at: Timestamp, entries: &[AuditEntry]) -> Result<(), StoreError> {
        let mut tx = self.begin().await?;
        let found = sqlx::query("select id, version, body from recommendations where id = $1")
            .bind(drill.recommendation_id.as_str())
            .fetch_one(&mut *tx)
            .await?;
        let mut rec: Recommendation = row::json(&found, "recommendations", "body")?;
        // Its case may have been drafted anew or decided meanwhile, which takes the wrong card off with the others.
        if rec.state != RecommendationState::Superseded {
            rec.state = RecommendationState::Superseded;
            recommendations::advance(&mut tx, &rec, row::get(&found, "recommendations", "version")?).await?;
        }
        let result = DrillResult::Withdrawn;
        end(&mut tx, &DrillEnd { recommendation_id: rec.id, result, person: None, at }).await?;
        audit::append(&mut tx, entries).await?;
        Ok(tx.commit().await?)
    }

    /// The drill that this recommendation is, where it is one.
    pub async fn find_drill(&self, id: &RecommendationId) -> Result<Option<Drill>, StoreError> {
        // Safe: the text is a constant.
        let sql = sqlx::AssertSqlSafe(format!("select {COLUMNS} from drills where recommendation_id = $1"));
        let found = sqlx::query(sql).bind(id.as_str()).fetch_optional(&self.pool).await?;
        found.map(|r| drill(&r)).transpose()
    }

    /// Every drill, oldest first.
    pub async fn list_drills(&self) -> Result<Vec<Drill>, StoreError> {
        // Safe: the text is a constant.
        let sql = sqlx::AssertSqlSafe(format!("select {COLUMNS} from drills order by planted_at, recommendation_id"));
        sqlx::query(sql).fetch_all(&self.pool).await?.iter().map(drill).collect()
    }

    /// The drills that nobody has answered and that were not taken back, oldest first.
    pub async fn list_waiting_drills(&self) -> Result<Vec<Drill>, StoreError> {
        let sql = format!("select {COLUMNS} from drills where result is null order by planted_at, recommendation_id");
        // Safe: the text is a constant.
        sqlx::query(sqlx::AssertSqlSafe(sql)).fetch_all(&self.pool).await?.iter().map(drill).collect()
    }

    /// The drills of a case, oldest first.
    pub async fn list_drills_of(&self, case: &CaseId) -> Result<Vec<Drill>, StoreError> {
        self.list_drills_in(&[case]).await
    }

    /// The drills of each of `cases`, oldest first.
    pub async fn list_drills_in(&self, cases: &[&CaseId]) -> Result<Vec<Drill>, StoreError> {
        let mut found = Vec::new();
        for some in cases.chunks(SOME) {
            let sql = format!("select {COLUMNS} from drills where case_id in ({})", row::placeholders(1, some.len()));
            // Safe: the text is made of a constant and placeholders only.
            let mut query = sqlx::query(sqlx::AssertSqlSafe(sql));
            for case in some {
                query = query.bind(case.as_str());
            }
            for r in &query.fetch_all(&self.pool).await? {
                found.push(drill(r)?);
            }
        }
        found.sort_by(|a, b| (a.planted_at, &a.recommendation_id).cmp(&(b.planted_at, &b.recommendation_id)));
        Ok(found)
    }

    /// Which recommendations are drills, answered or not: whoever counts decisions or money leaves them out.
    pub async fn drill_recommendations(&self) -> Result<BTreeSet<RecommendationId>, StoreError> {
        let rows = sqlx::query("select recommendation_id from drills").fetch_all(&self.pool).await?;
        rows.iter().map(|r| Ok(RecommendationId(row::get(r, TABLE, "recommendation_id")?))).collect()
    }

    /// How the drills were answered that were answered from `from` on and before `to`.
    pub async fn drill_counts(&self, from: Timestamp, to: Timestamp) -> Result<DrillCounts, StoreError> {
        let rows = sqlx::query(
            "select result, count(*) as n from drills where ended_at >= $1 and ended_at < $2 group by result order by result",
        )
        .bind(row::ms(from))
        .bind(row::ms(to))
        .fetch_all(&self.pool)
        .await?;
        let mut counts = DrillCounts::default();
        for r in &rows {
            let n = u32::try_from(row::get::<i64>(r, TABLE, "n")?).unwrap_or(u32::MAX);
            match row::get::<&str>(r, TABLE, "result")? {
                "caught" => counts.caught = n,
                "accepted" => counts.accepted = n,
                _ => {}
            }
        }
        counts.answered = counts.caught + counts.accepted;
        Ok(counts)
    }
}

/// Ends a drill, once.
pub(super) async fn end(tx: &mut Transaction<'_, Any>, ending: &DrillEnd) -> Result<(), StoreError> {
    let done = sqlx::query(
        "update drills set result = $1, person = $2, ended_at = $3 where recommendation_id = $4 and result is null",
    )
    .bind(ending.result.name())
    .bind(ending.person.as_ref().map(|p| p.0.clone()))
    .bind(row::ms(ending.at))
    .bind(ending.recommendation_id.as_str())
    .execute(&mut **tx)
    .await?;
    if done.rows_affected() == 0 {
        return Err(StoreError::Conflict);
    }
    Ok(())
}

/// Is this recommendation a drill? For whoever must not let one out.
pub(super) async fn is_drill(tx: &mut Transaction<'_, Any>, recommendation: &str) -> Result<bool, StoreError> {
    let found = sqlx::query("select recommendation_id from drills where recommendation_id = $1")
        .bind(recommendation)
        .fetch_optional(&mut **tx)
        .await?;
    Ok(found.is_some())
}

fn drill(r: &AnyRow) -> Result<Drill, StoreError> {
    let day: &str = row::get(r, TABLE, "day")?;
    let day = day.parse().map_err(|error: jiff::Error| row::corrupt(r, TABLE, "day", Box::new(error)))?;
    let result = match row::get::<Option<&str>>(r, TABLE, "result")? {
        None => None,
        Some("caught") => Some(DrillResult::Caught),
        Some("accepted") => Some(DrillResult::Accepted),
        Some("withdrawn") => Some(DrillResult::Withdrawn),
        Some(other) => return Err(row::corrupt(r, TABLE, "result", format!("{other:?} is no result").into())),
    };
    let person = row::get::<Option<String>>(r, TABLE, "person")?.map(PersonId);
    let ended_at = row::time_opt(r, TABLE, "ended_at")?;
    Ok(Drill {
        recommendation_id: RecommendationId(row::get(r, TABLE, "recommendation_id")?),
        case_id: CaseId(row::get(r, TABLE, "case_id")?),
        instead_of: RecommendationId(row::get(r, TABLE, "instead_of")?),
        day,
        field: row::get(r, TABLE, "field")?,
        what: row::get(r, TABLE, "what")?,
        planted_at: row::time(r, TABLE, "planted_at")?,
        end: result.zip(ended_at).map(|(result, at)| (result, person, at)),
    })
}
