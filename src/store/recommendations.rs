//! Recommendations. Their content never changes, their state does, guarded by a version.

use sqlx::any::AnyRow;
use sqlx::{Any, AssertSqlSafe, Transaction};

use super::{Store, StoreError, audit, cases, row};
use crate::domain::audit::AuditEntry;
use crate::domain::case::Case;
use crate::domain::decision::RecommendationState;
use crate::domain::ids::{CaseId, RecommendationId};
use crate::domain::recommendation::Recommendation;

/// Nobody has decided them yet: they may be superseded.
fn is_undecided(state: &RecommendationState) -> bool {
    use RecommendationState as S;
    matches!(state, S::Drafted | S::Checked | S::Queued | S::Snoozed { .. } | S::Signed { .. })
}

/// Set aside without a decision: when the same content comes back, so do they.
fn is_set_aside(state: &RecommendationState) -> bool {
    matches!(state, RecommendationState::Superseded | RecommendationState::Expired)
}

impl Store {
    /// Replaces what a case proposes: its undecided recommendations that are not in `recs` become superseded, new ones are
    /// inserted as given, ones that were set aside before come back as given, undecided or decided ones stay as they are.
    /// The case moves from version `seen`. All or nothing.
    ///
    /// # Errors
    /// [`StoreError::Conflict`] when the case is not at `seen` any more.
    pub async fn replace_recommendations(
        &self,
        case: &Case,
        seen: i64,
        recs: &[Recommendation],
        entries: &[AuditEntry],
    ) -> Result<(), StoreError> {
        let mut tx = self.begin().await?;
        cases::advance(&mut tx, case, seen).await?;
        let rows = sqlx::query("select id, version, body from recommendations where case_id = $1 order by id")
            .bind(case.id.as_str())
            .fetch_all(&mut *tx)
            .await?;
        let kept = rows.iter().map(versioned).collect::<Result<Vec<_>, _>>()?;
        for (old, version) in &kept {
            if is_undecided(&old.state) && !recs.iter().any(|rec| rec.id == old.id) {
                let old = Recommendation { state: RecommendationState::Superseded, ..old.clone() };
                advance(&mut tx, &old, *version).await?;
            }
        }
        for rec in recs {
            match kept.iter().find(|(old, _)| old.id == rec.id) {
                None => insert(&mut tx, rec).await?,
                Some((old, version)) if is_set_aside(&old.state) => advance(&mut tx, rec, *version).await?,
                Some(_) => {}
            }
        }
        audit::append(&mut tx, entries).await?;
        Ok(tx.commit().await?)
    }

    /// What a case proposes and proposed, each with its version: by the drafter's order, then age.
    pub async fn list_recommendations(&self, case: &CaseId) -> Result<Vec<(Recommendation, i64)>, StoreError> {
        let rows =
            sqlx::query("select id, version, body from recommendations where case_id = $1 order by rank, drafted_at, id")
                .bind(case.as_str())
                .fetch_all(&self.pool)
                .await?;
        rows.iter().map(versioned).collect()
    }

    /// The recommendations in any of `states` (names as in [`RecommendationState::name`]; none means all), each with its
    /// version: by case, then the drafter's order.
    pub async fn list_recommendations_in(&self, states: &[&str]) -> Result<Vec<(Recommendation, i64)>, StoreError> {
        let filter = match states.len() {
            0 => String::new(),
            n => format!("where state in ({})", row::placeholders(1, n)),
        };
        // Safe: the text is made of placeholders only.
        let mut query = sqlx::query(AssertSqlSafe(format!(
            "select id, version, body from recommendations {filter} order by case_id, rank, drafted_at, id"
        )));
        for state in states {
            query = query.bind(*state);
        }
        query.fetch_all(&self.pool).await?.iter().map(versioned).collect()
    }

    /// A recommendation and its version.
    ///
    /// # Errors
    /// [`StoreError::NotFound`].
    pub async fn get_recommendation(&self, id: &RecommendationId) -> Result<(Recommendation, i64), StoreError> {
        let found = sqlx::query("select id, version, body from recommendations where id = $1")
            .bind(id.as_str())
            .fetch_optional(&self.pool)
            .await?;
        match found {
            Some(found) => versioned(&found),
            None => Err(StoreError::NotFound { what: "recommendation", id: id.to_string() }),
        }
    }
}

fn versioned(r: &AnyRow) -> Result<(Recommendation, i64), StoreError> {
    Ok((row::json(r, "recommendations", "body")?, row::get(r, "recommendations", "version")?))
}

/// Keeps a new recommendation.
pub(super) async fn insert(tx: &mut Transaction<'_, Any>, rec: &Recommendation) -> Result<(), StoreError> {
    let done = sqlx::query(
        "insert into recommendations
             (id, case_id, rank, state, version, evidence_hash, content_hash, value_minor, drafted_at, body)
         values ($1, $2, $3, $4, 1, $5, $6, $7, $8, $9)
         on conflict (id) do nothing",
    )
    .bind(rec.id.as_str())
    .bind(rec.case_id.as_str())
    .bind(i64::from(rec.rank))
    .bind(rec.state.name())
    .bind(rec.evidence_hash.as_str())
    .bind(rec.content_hash())
    .bind(rec.candidate.value.minor)
    .bind(row::ms(rec.drafted_at))
    .bind(row::body(rec))
    .execute(&mut **tx)
    .await?;
    if done.rows_affected() == 0 {
        return Err(StoreError::Conflict);
    }
    Ok(())
}

/// Moves a recommendation on from version `seen`. Its content is what its id was made of and stays.
pub(super) async fn advance(tx: &mut Transaction<'_, Any>, rec: &Recommendation, seen: i64) -> Result<(), StoreError> {
    let moved = sqlx::query(
        "update recommendations set state = $1, version = version + 1, drafted_at = $2, body = $3
         where id = $4 and version = $5",
    )
    .bind(rec.state.name())
    .bind(row::ms(rec.drafted_at))
    .bind(row::body(rec))
    .bind(rec.id.as_str())
    .bind(seen)
    .execute(&mut **tx)
    .await?;
    if moved.rows_affected() == 0 {
        return Err(StoreError::Conflict);
    }
    Ok(())
}
