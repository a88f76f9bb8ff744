//! One step of a case's life: everything that moves together is written together.

use super::{
    DecisionRow, DrillEnd, MuteEnd, NewMute, NewOutbox, Notice, Outcome, Store, StoreError, Unsent, audit, cases,
    dead_letters, decisions, delegations, drills, health, mutes, notices, outbox, outcomes, recommendations,
};
use crate::domain::audit::AuditEntry;
use crate::domain::case::Case;
use crate::domain::decision::DecisionVerb;
use crate::domain::recommendation::Recommendation;

/// What moves together. Cases and recommendations come with the version that was seen; a case's own version is that plus
/// one.
#[derive(Clone, Copy, Debug, Default)]
pub struct Change<'a> {
    /// What somebody decided, where the step is a decision.
    pub decision: Option<&'a DecisionRow>,
    /// How many approvals and undos there were when this one was judged, where limits that add up over decisions played a part: any
    /// other one that was kept since makes it a conflict.
    pub decisions_seen: Option<i64>,
    /// The delegations on which it was judged, made and ended: any that came or went since makes it a conflict.
    pub delegations_seen: Option<(i64, i64)>,
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
    /// A message that does not leave any more: it, or nothing of the whole step.
    pub unsent: Option<Unsent<'a>>,
    /// Whom to tell something.
    pub notices: &'a [Notice],
    /// What became of recommendations.
    pub outcomes: &'a [Outcome],
    /// A mute that begins.
    pub mute: Option<&'a NewMute<'a>>,
    /// A mute that ends before its day.
    pub unmute: Option<&'a MuteEnd>,
    /// A drill that was answered.
    pub drill: Option<&'a DrillEnd>,
    /// Who did what.
    pub entries: &'a [AuditEntry],
}

impl Store {
    /// Makes a step, all of it or nothing. A decision whose connection was lost on the way is written once more: should the
    /// first have been kept all the same, its idempotency key makes the second a [`StoreError::Duplicate`].
    ///
    /// # Errors
    /// [`StoreError::Duplicate`] when the decision's idempotency key was used before or the same is muted already, [`StoreError::Conflict`] when a case
    /// or recommendation is not at the version that was seen or a message is not where it was, [`StoreError::AlreadyLeft`] when a message can not be taken
    /// back any more.
    pub async fn advance(&self, change: Change<'_>) -> Result<(), StoreError> {
        match self.advance_once(change).await {
            Err(error) if change.decision.is_some() && health::was_lost(&error) => self.advance_once(change).await,
            done => done,
        }
    }

    async fn advance_once(&self, change: Change<'_>) -> Result<(), StoreError> {
        let mut tx = self.begin().await?;
        // First: the same click a second time is known by its key, whatever else would refuse it.
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
        if let Some(unsent) = change.unsent {
            dead_letters::end(&mut tx, unsent).await?;
        }
        for message in change.outbox {
            outbox::insert(&mut tx, message).await?;
        }
        for notice in change.notices {
            notices::insert(&mut tx, notice).await?;
        }
        for outcome in change.outcomes {
            outcomes::upsert(&mut tx, outcome).await?;
        }
        if let Some(mute) = change.mute {
            mutes::insert(&mut tx, mute).await?;
        }
        if let Some(ending) = change.unmute {
            mutes::end(&mut tx, ending).await?;
        }
        if let Some(ending) = change.drill {
            drills::end(&mut tx, ending).await?;
        }
        // Late, since it locks the log's head, and so every other decision, until the transaction ends.
        audit::append(&mut tx, change.entries).await?;
        if let Some(seen) = change.decisions_seen {
            // After the log's head is locked: every decision writes to the log, so none can come in between any more.
            let own =
                i64::from(change.decision.is_some_and(|d| matches!(d.verb, DecisionVerb::Approve | DecisionVerb::Undo)));
            if decisions::count(&mut *tx).await? != seen + own {
                return Err(StoreError::Conflict);
            }
        }
        if let Some(seen) = change.delegations_seen
            && delegations::count(&mut *tx).await? != seen
        {
            return Err(StoreError::Conflict);
        }
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

#[cfg(test)]
mod tests {
    use serde_json::json;

    use crate::domain::case::{Case, CaseState};
    use crate::domain::decision::DecisionVerb;
    use crate::domain::decision::{Before, RecommendationState as State};
    use crate::domain::ids::{ItemId, PersonId};
    use crate::domain::money::Money;
    use crate::domain::outbox::OutboxKind;
    use crate::domain::outcome::Findings;
    use crate::domain::recommendation::Recommendation;
    use crate::store::testing::{at, entry, moved, on_each, recommendation, with_case};
    use crate::store::{Change, DecisionRow, NewOutbox, OutboxState, Outcome, Store, StoreError};

    fn decision(key: &str, verb: DecisionVerb, rec: &Recommendation) -> DecisionRow {
        DecisionRow {
            id: key.to_owned(),
            case_id: rec.case_id.clone(),
            recommendation_id: rec.id.clone(),
            person: PersonId::new("ada"),
            verb,
            content_hash: rec.content_hash(),
            reason: None,
            // PostgreSQL keeps no NUL in text, so it is replaced on the way in for both.
            note: "as agreed \0 by phone".to_owned(),
            value: Money::from_minor(1_200),
            at: at(50),
            body: json!({"policy": 1}),
        }
    }

    fn message() -> NewOutbox {
        NewOutbox {
            id: "m1".to_owned(),
            kind: OutboxKind::Approved,
            channel: "webhook".to_owned(),
            body: "{}".to_owned(),
            created_at: at(50),
            due_at: at(350),
            lane: "case-1".to_owned(),
            about: String::new(),
            step: 1,
            expires_at: None,
            shows: String::new(),
        }
    }

    fn with_state(rec: &Recommendation, state: State) -> Recommendation {
        Recommendation { state, ..rec.clone() }
    }

    /// A case with one queued recommendation.
    async fn queued(store: &Store) -> (Case, Recommendation) {
        let case = with_case(store, "case-1", 100).await;
        let case = moved(&case, CaseState::Open);
        let rec = recommendation(&case, 1, State::Queued);
        store.replace_recommendations(&case, 1, std::slice::from_ref(&rec), &[entry("drafted")]).await.unwrap();
        (case, rec)
    }

    async fn approve(store: &Store, key: &str, case: &Case, rec: &Recommendation) -> Result<Case, StoreError> {
        let case = moved(case, CaseState::Decided);
        let approved =
            with_state(rec, State::Approved { by: vec![PersonId::new("ada")], at: at(50), before: Before::default() });
        store
            .record_decision(
                &decision(key, DecisionVerb::Approve, rec),
                &[(approved, 1)],
                (&case, case.version - 1),
                &[message()],
                &[entry("recommendation.approved")],
            )
            .await?;
        Ok(case)
    }

    #[tokio::test]
    async fn a_decision_moves_case_recommendation_outbox_and_log_together() {
        on_each(|store| async move {
            let (case, rec) = queued(&store).await;
            let decided = approve(&store, "click-1", &case, &rec).await.unwrap();
            assert_eq!(store.get_case(&case.id).await.unwrap(), decided);
            let (now, version) = store.get_recommendation(&rec.id).await.unwrap();
            assert_eq!((now.state.name(), version), ("approved", 2));
            assert_eq!(store.list_outbox(OutboxState::Pending).await.unwrap().len(), 1);
            let kept = store.find_decision("click-1").await.unwrap().unwrap();
            assert_eq!((kept.note.as_str(), kept.body), ("as agreed \u{fffd} by phone", json!({"policy": 1})));
            assert_eq!(store.list_decisions(at(50)).await.unwrap().len(), 1);
            assert!(store.list_decisions(at(51)).await.unwrap().is_empty());
            let values = store.decided_values(at(0)).await.unwrap();
            assert_eq!((values[0].about.item.clone(), values[0].value.minor), (Some(ItemId::new("75")), 1_200));
            assert_eq!(store.verify_audit().await.unwrap().0, 3);
        })
        .await;
    }

    #[tokio::test]
    async fn the_same_decision_twice_is_once() {
        on_each(|store| async move {
            let (case, rec) = queued(&store).await;
            let decided = approve(&store, "click-1", &case, &rec).await.unwrap();
            let again = approve(&store, "click-1", &case, &rec).await;
            assert!(matches!(again, Err(StoreError::Duplicate)), "{again:?}");
            assert_eq!(store.get_case(&case.id).await.unwrap(), decided);
            assert_eq!(store.verify_audit().await.unwrap().0, 3);
        })
        .await;
    }

    #[tokio::test]
    async fn of_two_people_who_decide_at_once_one_wins() {
        on_each(|store| async move {
            let (case, rec) = queued(&store).await;
            let (a, b) = tokio::join!(approve(&store, "click-1", &case, &rec), approve(&store, "click-2", &case, &rec),);
            assert_eq!(usize::from(a.is_ok()) + usize::from(b.is_ok()), 1, "{a:?} {b:?}");
            let lost = a.err().or(b.err()).unwrap();
            assert!(matches!(lost, StoreError::Conflict), "{lost:?}");
            assert_eq!(store.list_decisions(at(0)).await.unwrap().len(), 1);
            assert_eq!(store.list_outbox(OutboxState::Pending).await.unwrap().len(), 1);
        })
        .await;
    }

    #[tokio::test]
    async fn undo_takes_everything_back_or_nothing() {
        on_each(|store| async move {
            let (case, rec) = queued(&store).await;
            let case = approve(&store, "click-1", &case, &rec).await.unwrap();
            let undo = decision("click-2", DecisionVerb::Undo, &rec);
            let cases = [(moved(&case, CaseState::Open), case.version)];
            let recs = [(with_state(&rec, State::Queued), 2)];
            let entries = [entry("recommendation.undone")];
            let change = Change {
                decision: Some(&undo),
                cases: &cases,
                recommendations: &recs,
                cancel: &["m1"],
                entries: &entries,
                ..Change::default()
            };
            // Taken out first, so that the undo comes too late.
            let late = store.claim_due(at(350), 1, std::time::Duration::from_secs(1)).await.unwrap();
            let refused = store.advance(change).await;
            assert!(matches!(refused, Err(StoreError::AlreadyLeft { .. })), "{refused:?}");
            assert_eq!(store.get_case(&case.id).await.unwrap(), case, "nothing of it happened");
            assert_eq!(store.find_decision("click-2").await.unwrap(), None);

            // Given up and queued anew, it is pending again and can be taken back after all.
            store.mark_dead(&late[0], at(400), "gone", &[]).await.unwrap();
            store.replay_dead("m1", at(500), &[]).await.unwrap();
            store.advance(change).await.unwrap();
            assert_eq!(store.get_case(&case.id).await.unwrap().state, CaseState::Open);
            assert!(store.decided_values(at(0)).await.unwrap().is_empty(), "what was undone does not count");
            assert_eq!(store.list_outbox(OutboxState::Cancelled).await.unwrap().len(), 1);
        })
        .await;
    }

    #[tokio::test]
    async fn an_outcome_replaces_an_earlier_reading() {
        on_each(|store| async move {
            let (_, rec) = queued(&store).await;
            for (ms, state) in [(60, State::Partly), (70, State::CarriedOut)] {
                let outcome = Outcome { recommendation_id: rec.id.clone(), at: at(ms), state, found: Findings::default() };
                let outcomes = [outcome];
                store.advance(Change { outcomes: &outcomes, ..Change::default() }).await.unwrap();
            }
            let outcome = store.find_outcome(&rec.id).await.unwrap().unwrap();
            assert_eq!(outcome.state, State::CarriedOut);
            assert_eq!(store.list_outcomes(at(0)).await.unwrap().len(), 1);
        })
        .await;
    }
}
