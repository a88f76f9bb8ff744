//! What became of recommendations, as the ERP shows it.

use jiff::Timestamp;
use sqlx::any::AnyRow;
use sqlx::{Any, Transaction};

use super::{Store, StoreError, row};
use crate::domain::decision::RecommendationState;
use crate::domain::ids::RecommendationId;
use crate::domain::outcome::Findings;

/// What became of a recommendation: one for each, the newest reading.
#[derive(Clone, Debug, PartialEq)]
pub struct Outcome {
    /// Of which.
    pub recommendation_id: RecommendationId,
    /// When it was read.
    pub at: Timestamp,
    /// The recommendation's state by then: one of those after the hand-off.
    pub state: RecommendationState,
    /// What is known of it.
    pub found: Findings,
}

impl Store {
    /// What became of a recommendation, where that is known.
    pub async fn find_outcome(&self, id: &RecommendationId) -> Result<Option<Outcome>, StoreError> {
        let found = sqlx::query("select recommendation_id, at, state, body from outcomes where recommendation_id = $1")
            .bind(id.as_str())
            .fetch_optional(&self.pool)
            .await?;
        found.map(|r| outcome(&r)).transpose()
    }

    /// The outcomes read at or after `since`, oldest first.
    pub async fn list_outcomes(&self, since: Timestamp) -> Result<Vec<Outcome>, StoreError> {
        let rows = sqlx::query(
            "select recommendation_id, at, state, body from outcomes where at >= $1 order by at, recommendation_id",
        )
        .bind(row::ms(since))
        .fetch_all(&self.pool)
        .await?;
        rows.iter().map(outcome).collect()
    }
}

fn outcome(r: &AnyRow) -> Result<Outcome, StoreError> {
    let state: &str = row::get(r, "outcomes", "state")?;
    let unknown = || row::corrupt(r, "outcomes", "state", format!("{state:?} is no state after a hand-off").into());
    Ok(Outcome {
        recommendation_id: RecommendationId(row::get(r, "outcomes", "recommendation_id")?),
        at: row::time(r, "outcomes", "at")?,
        state: RecommendationState::after_hand_off(state).ok_or_else(unknown)?,
        found: row::json(r, "outcomes", "body")?,
    })
}

/// Keeps an outcome in place of an earlier reading.
pub(super) async fn upsert(tx: &mut Transaction<'_, Any>, outcome: &Outcome) -> Result<(), StoreError> {
    sqlx::query(
        "insert into outcomes (recommendation_id, at, state, body) values ($1, $2, $3, $4)
         on conflict (recommendation_id) do update set at = excluded.at, state = excluded.state, body = excluded.body",
    )
    .bind(outcome.recommendation_id.as_str())
    .bind(row::ms(outcome.at))
    .bind(outcome.state.name())
    .bind(row::body(&outcome.found))
    .execute(&mut **tx)
    .await?;
    Ok(())
}
