//! What is put before people, and what is not asked again.

use std::collections::BTreeSet;

use super::super::answered::{Answered, is_asked};
use super::*;
use crate::domain::action::{Action, MoneySum, Range, Step};
use crate::domain::decision::{Before, RecommendationState, RejectReason};
use crate::domain::ids::{CaseId, PersonId};
use crate::domain::money::Money;
use crate::domain::recommendation::Prose;
use jiff::Timestamp;

fn candidate(reason: &str) -> Candidate {
    Candidate {
        id: reason.to_owned(),
        action: Action::NoAction { reason: reason.to_owned() },
        summary: String::new(),
        money: MoneySum::nothing(1.0, Range::default()),
        value: Money::ZERO,
        latest_date: "2026-10-09".parse().unwrap(),
        checks: vec![],
        cites: vec![],
        then: vec![],
    }
}

fn proposed(reason: &str, evidence: &str, state: RecommendationState, drafter: Drafter) -> (Recommendation, i64) {
    let mut rec = Recommendation::drafted(
        CaseId::new("case-1"),
        1,
        candidate(reason),
        Prose::default(),
        evidence.to_owned(),
        drafter,
        Timestamp::UNIX_EPOCH,
    );
    rec.state = state;
    (rec, 1)
}

#[test]
fn what_people_answered_is_not_asked_again_while_its_evidence_stands() {
    use RecommendationState as S;
    let by = PersonId::new("ada");
    let playbook = || Drafter::Playbook { because: None };
    let at = Timestamp::UNIX_EPOCH;
    let queued = proposed("a", "e1", S::Queued, playbook());
    let first = queued.0.id.clone();
    let was = Box::new(candidate("d").action);
    let current = [
        queued,
        proposed(
            "b",
            "e1",
            S::Rejected { by: by.clone(), at, reason: RejectReason::WrongDate, before: Before::default() },
            playbook(),
        ),
        proposed("c", "e1", S::Signed { by: by.clone(), on_behalf_of: vec![], at }, playbook()),
        proposed("e", "e1", S::Queued, Drafter::Edited { editors: vec![by.clone()], first, was, was_then: vec![] }),
        proposed("f", "e0", S::Rejected { by, at, reason: RejectReason::WrongDate, before: Before::default() }, playbook()),
    ];
    let answered = Answered::on("e1", &BTreeSet::from(["e1".to_owned()]), &current);
    for (reason, gone) in [("a", false), ("b", true), ("c", true), ("d", true), ("e", true), ("f", false)] {
        assert_eq!(answered.is_answered(&candidate(reason)), gone, "{reason}");
    }
    assert_eq!(answered.held.len(), 2);
}

#[test]
fn a_plan_that_the_queue_would_set_aside_is_not_drafted() {
    let policy = &crate::config::Config::load_from(None, &[]).unwrap().rules.policy;
    let nobody = Answered::on("e1", &BTreeSet::new(), &[]);
    let watch = |what: &str| Action::Monitor { condition: what.to_owned(), until: "2026-10-09".parse().unwrap() };
    let plan = |steps: [&str; 2]| {
        let then = vec![Step { action: watch(steps[1]), summary: String::new(), checks: vec![] }];
        Candidate { action: watch(steps[0]), then, ..candidate("a") }
    };
    assert!(is_asked(&plan(["price", "stock"]), &nobody, policy));
    assert!(!is_asked(&plan(["price", "price"]), &nobody, policy), "both would look for one trace");
}
