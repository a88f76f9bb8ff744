//! What is not done over when a case is drafted again: evidence that says the same as before, and what people have answered
//! on it.

use std::collections::BTreeSet;

use crate::domain::action::{Action, Candidate};
use crate::domain::decision::RecommendationState;
use crate::domain::evidence::Bundle;
use crate::domain::policy::Policy;
use crate::domain::recommendation::{Drafter, Recommendation};
use crate::store::{Store, StoreError};

/// Keeps the workings of the latest evidence where the facts and every figure are the same: a forecast that moved by less than
/// any figure shows makes no new evidence, and what people have begun on the old one stands.
pub(super) fn keep_workings(bundle: &mut Bundle, latest: &Bundle) {
    let figures = |b: &Bundle| b.workings.as_ref().map(|w| w.figures.clone());
    if figures(bundle) == figures(latest) && bundle.facts_hash() == latest.facts_hash() {
        bundle.workings.clone_from(&latest.workings);
    }
}

/// The evidence that proposals were rejected on and that says the same as this, to the last fact.
pub(super) async fn same_facts(
    store: &Store,
    bundle: &Bundle,
    hash: &str,
    current: &[(Recommendation, i64)],
) -> Result<BTreeSet<String>, StoreError> {
    let mut same = BTreeSet::from([hash.to_owned()]);
    let facts = bundle.facts_hash();
    let rejected = current.iter().filter(|(r, _)| matches!(r.state, RecommendationState::Rejected { .. }));
    let others: BTreeSet<&str> = rejected.map(|(r, _)| r.evidence_hash.as_str()).filter(|h| *h != hash).collect();
    for other in others {
        match store.get_bundle(&bundle.case_id, other).await {
            Ok(earlier) if earlier.facts_hash() == facts => {
                same.insert(other.to_owned());
            }
            Ok(_) | Err(StoreError::NotFound { .. }) => {}
            Err(error) => return Err(error),
        }
    }
    Ok(same)
}

/// What people have answered on the evidence that still stands. It is not asked again in other words.
pub(super) struct Answered<'a> {
    /// Signed by one of two, passed on to somebody, or edited and waiting for somebody else: they stay as they are.
    pub(super) held: Vec<&'a Recommendation>,
    /// Plans that are not proposed anew, by what their steps do: rejected, or held.
    gone: Vec<Vec<&'a Action>>,
}

impl<'a> Answered<'a> {
    /// What was answered on this evidence, and rejected on any that says the same.
    pub(super) fn on(evidence_hash: &str, same_facts: &BTreeSet<String>, current: &'a [(Recommendation, i64)]) -> Self {
        let (mut held, mut gone) = (Vec::new(), Vec::new());
        for (rec, _) in current.iter().filter(|(r, _)| same_facts.contains(&r.evidence_hash)) {
            let edited = matches!(rec.drafter, Drafter::Edited { .. });
            let signed = rec.state.first_signature().is_some();
            let asked = matches!(rec.state, RecommendationState::Forwarded { .. });
            // On this very evidence: a signature holds for the figures that were read, to the cent.
            let holds = rec.evidence_hash == evidence_hash && is_undecided(rec) && (edited || signed || asked);
            if holds {
                held.push(rec);
            }
            if holds || matches!(rec.state, RecommendationState::Rejected { .. }) {
                gone.push(rec.candidate.actions().collect());
                // Whoever edited a plan has answered what it said before.
                if let Drafter::Edited { was, was_then, .. } = &rec.drafter {
                    gone.push(std::iter::once(was.as_ref()).chain(was_then).collect());
                }
            }
        }
        Self { held, gone }
    }

    /// Was this plan answered already? What was refused is not asked again with something beside it, or in another order.
    pub(super) fn is_answered(&self, candidate: &Candidate) -> bool {
        self.gone.iter().any(|plan| plan.iter().all(|gone| candidate.actions().any(|action| action == *gone)))
    }
}

/// Is it put before people at all? Nobody is asked what the policy does not permit, what they have answered, or a plan whose
/// steps can not stand together: the queue would set it aside, and it would be drafted again for ever.
pub(super) fn is_asked(candidate: &Candidate, answered: &Answered<'_>, policy: &Policy) -> bool {
    policy.permits_all(candidate.actions()) && candidate.clash().is_none() && !answered.is_answered(candidate)
}

/// Does it still wait for somebody?
pub(super) fn is_undecided(recommendation: &Recommendation) -> bool {
    matches!(recommendation.state, RecommendationState::Drafted | RecommendationState::Shadow | RecommendationState::Checked)
        || recommendation.state.is_waiting()
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use jiff::Timestamp;

    use super::*;
    use crate::domain::action::{MoneySum, Range};
    use crate::domain::decision::{Before, RejectReason};
    use crate::domain::evidence::{Fact, FactValue};
    use crate::domain::ids::{CaseId, PersonId};
    use crate::domain::money::Money;
    use crate::domain::recommendation::Prose;
    use crate::domain::record::{RecordKind, RecordRef};
    use crate::domain::workings::{Forecast, Workings};
    use crate::store::testing::{on_each, with_case};

    fn bundle(version: u32, fact: i64, mean: f64, figures: &str) -> Bundle {
        let source = RecordRef::new(RecordKind::Item, "75");
        let fact = Fact::new(source, "on_hand@3", "on hand", FactValue::Number(fact.into()), Timestamp::UNIX_EPOCH);
        let forecasts = BTreeMap::from([("75@3".to_owned(), Forecast::of([(mean, 1.0)]))]);
        Bundle {
            case_id: CaseId::new("case-1"),
            version,
            as_of: Timestamp::UNIX_EPOCH,
            facts: BTreeMap::from([(fact.id.clone(), fact)]),
            missing: vec![],
            workings: Some(Box::new(Workings { forecasts, figures: figures.into(), ..Workings::default() })),
        }
    }

    #[test]
    fn a_forecast_that_moves_no_figure_makes_no_new_evidence() {
        let first = bundle(1, 5, 2.0, "same");
        for (next, stands) in [
            // Less than any figure shows; one that shows; a fact that moved beside it; and no workings to compare.
            (bundle(2, 5, 2.000_000_001, "same"), true),
            (bundle(2, 5, 2.1, "other"), false),
            (bundle(2, 6, 2.000_000_001, "same"), false),
            (Bundle { workings: None, ..bundle(2, 5, 2.0, "") }, false),
        ] {
            let mut kept = next.clone();
            keep_workings(&mut kept, &first);
            assert_eq!(kept.hash() == first.hash(), stands, "{next:?}");
            assert!(stands || kept == next);
        }
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn what_was_rejected_on_the_same_facts_stays_rejected_when_only_the_arithmetic_moved() {
        on_each(|store| async move {
            with_case(&store, "case-1", 100).await;
            let (first, other) = (bundle(1, 5, 2.0, "a"), bundle(2, 6, 2.0, "a"));
            store.insert_bundle(&first).await.unwrap();
            store.insert_bundle(&other).await.unwrap();
            let now = bundle(3, 5, 2.1, "b");
            assert_ne!(now.hash(), first.hash());
            let rejected = |on: &str| {
                let candidate = Candidate {
                    id: "A1".to_owned(),
                    action: Action::NoAction { reason: on.to_owned() },
                    summary: String::new(),
                    money: MoneySum::nothing(1.0, Range::default()),
                    value: Money::ZERO,
                    latest_date: "2026-10-09".parse().unwrap(),
                    checks: vec![],
                    cites: vec![],
                    then: vec![],
                };
                let (case, at) = (CaseId::new("case-1"), Timestamp::UNIX_EPOCH);
                let drafter = Drafter::Playbook { because: None };
                let mut rec = Recommendation::drafted(case, 1, candidate, Prose::default(), on.to_owned(), drafter, at);
                let by = PersonId::new("ada");
                rec.state =
                    RecommendationState::Rejected { by, at, reason: RejectReason::WrongDate, before: Before::default() };
                (rec, 1)
            };
            // On the same facts, on others, and on evidence that is no longer kept and so can not be compared.
            let current = [rejected(&first.hash()), rejected(&other.hash()), rejected("gone")];
            let same = same_facts(&store, &now, &now.hash(), &current).await.unwrap();
            assert_eq!(same, BTreeSet::from([now.hash(), first.hash()]));
            let answered = Answered::on(&now.hash(), &same, &current);
            assert_eq!((answered.gone.len(), answered.held.len()), (1, 0));
        })
        .await;
    }
}
