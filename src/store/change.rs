//! One step of a case's life: everything that moves together is written together.

use super::{
    DecisionRow, NewOutbox, Outcome, Store, StoreError, audit, cases, decisions, outbox, outcomes, recommendations,
};
use crate::domain::audit::AuditEntry;
use crate::domain::case::Case;
use crate::domain::recommendation::Recommendation;

/// What moves together. Cases and recommendations come with the version that was seen; a case's own version is that plus
/// one.
#[derive(Clone, Copy, Debug, Default)]
pub struct Change<'a> {
    /// What somebody decided, where the step is a decision.
    pub decision: Option<&'a DecisionRow>,
    /// Cases with their new content.
    pub cases: &'a [(Case, i64)],
    /// Recommendations with their new state.
    pub recommendations: &'a [(Recommendation, i64)],
    /// New recommendations: what a person's edit makes of one.
    pub added: &'a [Recommendation],
    /// Messages to send.
    pub outbox: &'a [NewOutbox],
    /// Messages to take back: all of them, or nothing of the whole step happens.
    pub cancel: &'a [&'a str],
    /// What became of recommendations.
    pub outcomes: &'a [Outcome],
    /// Who did what.
    pub entries: &'a [AuditEntry],
}

impl Store {
    /// Makes a step, all of it or nothing.
    ///
    /// # Errors
    /// [`StoreError::Duplicate`] when the decision's idempotency key was used before, [`StoreError::Conflict`] when a case
    /// or recommendation is not at the version that was seen, [`StoreError::AlreadyLeft`] when a message can not be taken
    /// back any more.
    pub async fn advance(&self, change: Change<'_>) -> Result<(), StoreError> {
        let mut tx = self.begin().await?;
        if let Some(decision) = change.decision {
            decisions::insert(&mut tx, decision).await?;
        }
        for (case, seen) in change.cases {
            cases::advance(&mut tx, case, *seen).await?;
        }
        for (rec, seen) in change.recommendations {
            recommendations::advance(&mut tx, rec, *seen).await?;
        }
        for rec in change.added {
            recommendations::insert(&mut tx, rec).await?;
        }
        for id in change.cancel {
            if !outbox::cancel(&mut tx, id).await? {
                return Err(StoreError::AlreadyLeft { id: (*id).to_owned() });
            }
        }
        for message in change.outbox {
            outbox::insert(&mut tx, message).await?;
        }
        for outcome in change.outcomes {
            outcomes::upsert(&mut tx, outcome).await?;
        }
        audit::append(&mut tx, change.entries).await?;
        Ok(tx.commit().await?)
    }

    /// Records a decision with everything that follows from it: see [`Store::advance`].
    ///
    /// # Errors
    /// [`StoreError::Duplicate`] when its idempotency key was used before: nothing changes then. [`StoreError::Conflict`]
    /// when the case or a recommendation is not at the version that was seen.
    pub async fn record_decision(
        &self,
        decision: &DecisionRow,
        recommendations: &[(Recommendation, i64)],
        case: (&Case, i64),
        outbox: &[NewOutbox],
        entries: &[AuditEntry],
    ) -> Result<(), StoreError> {
        let cases = [(case.0.clone(), case.1)];
        let decision = Some(decision);
        self.advance(Change { decision, cases: &cases, recommendations, outbox, entries, ..Change::default() }).await
    }
}
