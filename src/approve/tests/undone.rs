//! What is taken back, rejected, put off or folded into another case.

use super::*;

#[tokio::test]
async fn an_undo_inside_the_window_restores_the_case_and_nothing_leaves() {
    let (bench, recs) = Bench::queued(500).await;
    bench.approve("ari", &recs[0]).await.unwrap();
    let error = bench.decide("fay", &recs[0], Verb::Undo).await.unwrap_err();
    assert!(matches!(error, DecisionRefused::Transition(TransitionError::NotYours { .. })), "{error}");
    bench.later(4);
    let undo = bench.click("ari", &recs[0], Verb::Undo);
    let answer = bench.it.decide(&undo).await.unwrap();
    // The same click again, as a page sends it that got no answer.
    assert_eq!(bench.it.decide(&undo).await.unwrap(), answer);
    assert_eq!((bench.pending().await, bench.case_state("case-1").await), (0, "open".into()));
    for rec in &recs {
        assert_eq!(bench.state(&rec.id).await, "queued");
    }
    // It can be approved anew, and that leaves under a new id.
    bench.approve("fay", &recs[0]).await.unwrap();
    assert_eq!(bench.pending().await, 1);
    assert_eq!(bench.it.store.list_outbox(OutboxState::Cancelled).await.unwrap().len(), 1);
}

#[tokio::test]
async fn an_undo_after_the_window_or_once_it_is_leaving_is_refused() {
    let (bench, recs) = Bench::queued(500).await;
    bench.approve("ari", &recs[0]).await.unwrap();
    bench.later(5);
    let error = bench.decide("ari", &recs[0], Verb::Undo).await.unwrap_err();
    assert!(matches!(error, DecisionRefused::Transition(TransitionError::WindowClosed { .. })), "{error}");
    // A sender whose clock runs ahead has taken it out already: the outbox has the last word.
    let other = bench.case("case-2", "9", 500).await;
    bench.approve("ari", &other[0]).await.unwrap();
    let ahead = bench.it.clock.now() + SignedDuration::from_mins(6);
    // Both: the first case's message is due by any clock, and it still lay there.
    assert_eq!(bench.it.store.claim_due(ahead, 9, std::time::Duration::from_mins(1)).await.unwrap().len(), 2);
    let before = bench.snapshot().await;
    assert!(matches!(bench.decide("ari", &other[0], Verb::Undo).await, Err(DecisionRefused::Leaving)));
    assert_eq!(bench.snapshot().await, before);
}

#[tokio::test]
async fn a_rejection_is_of_the_action_or_of_the_whole_case_as_its_reason_says() {
    let (bench, recs) = Bench::queued(500).await;
    bench.decide("pia", &recs[0], reject(RejectReason::WrongQuantity)).await.unwrap();
    assert_eq!((bench.state(&recs[1].id).await, bench.case_state("case-1").await), ("queued".into(), "open".into()));
    assert!(matches!(
        bench.decide("pia", &recs[1], reject(RejectReason::MissingContext)).await,
        Err(DecisionRefused::BadRequest(_))
    ));
    bench.later(1);
    // A reason that is about the case, not the proposal: it takes the others along.
    bench.decide("pia", &recs[1], reject(RejectReason::NotReal)).await.unwrap();
    assert_eq!((bench.state(&recs[2].id).await, bench.case_state("case-1").await), ("rejected".into(), "closed".into()));
    bench.decide("pia", &recs[1], Verb::Undo).await.unwrap();
    let states = [bench.state(&recs[0].id).await, bench.state(&recs[1].id).await, bench.state(&recs[2].id).await];
    assert_eq!(states, ["rejected", "queued", "queued"]);
    assert_eq!(bench.case_state("case-1").await, "open");
}

#[tokio::test]
async fn rejecting_the_last_proposal_closes_the_case() {
    let (bench, recs) = Bench::queued(500).await;
    for rec in &recs {
        assert_ne!(bench.case_state("case-1").await, "closed");
        bench.decide("pia", rec, reject(RejectReason::RealButWrongAction)).await.unwrap();
    }
    assert_eq!(bench.case_state("case-1").await, "closed");
}

#[tokio::test]
async fn a_snooze_puts_the_case_off_and_passes_nothing() {
    let (bench, recs) = Bench::queued(500).await;
    let until = |day: &str| Verb::Snooze { until: day.parse().unwrap(), wake: WakeCondition::Grew };
    // Today, in the past, and too far off.
    for day in ["2026-10-08", "2026-10-01", "2027-10-08"] {
        assert!(matches!(bench.decide("pia", &recs[0], until(day)).await, Err(DecisionRefused::BadRequest(_))), "{day}");
    }
    bench.decide("pia", &recs[0], until("2026-10-10")).await.unwrap();
    assert_eq!((bench.state(&recs[1].id).await, bench.case_state("case-1").await), ("snoozed".into(), "snoozed".into()));
    let error = bench.approve("ari", &recs[0]).await.unwrap_err();
    assert!(matches!(error, DecisionRefused::Transition(_)), "{error}");
    bench.later(24 * 60);
    assert_eq!(bench.it.remind_and_expire().await.unwrap(), Sweep::default());
    bench.later(24 * 60);
    assert_eq!(bench.it.remind_and_expire().await.unwrap().woken, 1);
    bench.approve("ari", &recs[0]).await.unwrap();
}

#[tokio::test]
async fn a_case_is_folded_into_another_once_and_only_while_both_wait() {
    let (bench, recs) = Bench::queued(500).await;
    let others = bench.case("case-2", "8", 500).await;
    let into = |id: &str| Verb::Merge { into: CaseId::new(id) };
    for nowhere in ["case-1", "case-9"] {
        let refused = bench.decide("pia", &recs[0], into(nowhere)).await.unwrap_err();
        assert!(matches!(refused, DecisionRefused::Nowhere(_)), "{refused}");
    }
    let version = bench.it.store.get_case(&CaseId::new("case-2")).await.unwrap().version;
    bench.decide("pia", &recs[0], into("case-2")).await.unwrap();
    assert_eq!(bench.case_state("case-1").await, "merged");
    for rec in &recs {
        assert_eq!(bench.state(&rec.id).await, "superseded");
        assert!(bench.approve("ari", rec).await.is_err(), "what was folded away can not be approved");
    }
    assert_eq!(bench.it.store.get_case(&CaseId::new("case-2")).await.unwrap().version, version + 1);
    assert_eq!(bench.state(&others[0].id).await, "queued");
    // A signature is somebody's word: it is not swept away by a merge.
    let (bench, recs) = Bench::queued(20_000).await;
    // A world of its own: in the first one, both cases have changed.
    bench.case("case-2", "8", 500).await;
    bench.approve("dan", &recs[0]).await.unwrap();
    let refused = bench.decide("pia", &recs[1], into("case-2")).await.unwrap_err().to_string();
    assert!(refused.contains("somebody has signed"), "{refused}");
}

#[tokio::test]
async fn a_snooze_ends_when_its_condition_holds_and_not_before() {
    let (bench, recs) = Bench::queued(500).await;
    let wake = WakeCondition::ValueAbove { value: Money::from_minor(90_000) };
    let verb = Verb::Snooze { until: "2026-10-12".parse().unwrap(), wake };
    bench.decide("pia", &recs[0], verb).await.unwrap();
    assert_eq!(bench.it.remind_and_expire().await.unwrap().woken, 0);
    let mut case = bench.it.store.get_case(&CaseId::new("case-1")).await.unwrap();
    // "Above" is not "at least".
    for (value, woken) in [(90_000, 0), (90_001, 1)] {
        case.version += 1;
        case.rank = Some(rank(value));
        bench.it.store.advance_case(&case, case.version - 1, &[]).await.unwrap();
        assert_eq!(bench.it.remind_and_expire().await.unwrap().woken, woken, "{value}");
    }
    assert_eq!(bench.state(&recs[0].id).await, "queued");
}

fn rank(value: i64) -> crate::domain::case::Rank {
    let range = Range::certain(Money::from_minor(value));
    crate::domain::case::Rank {
        lane: crate::domain::case::Lane::Ordinary,
        p: 1.0,
        value: range,
        at_stake: range.expected,
        deadline: "2026-10-20".parse().unwrap(),
        wait_cost: Money::ZERO,
        hangs_on: None,
        unknown: false,
        slack_days: 5.0,
        perishing: 0.5,
        priority: range.expected,
    }
}

#[tokio::test]
async fn taking_back_a_rejection_does_not_open_a_case_that_is_approved() {
    let (bench, recs) = Bench::queued(500).await;
    let wrong = Verb::Reject { reason: RejectReason::RealButWrongAction, note: String::new() };
    bench.decide("pia", &recs[1], wrong).await.unwrap();
    bench.approve("ari", &recs[0]).await.unwrap();
    let before = bench.snapshot().await;
    let refused = bench.decide("pia", &recs[1], Verb::Undo).await.unwrap_err().to_string();
    assert!(refused.contains("another proposal of this case is approved"), "{refused}");
    assert!(bench.approve("dan", &recs[1]).await.is_err());
    assert_eq!((bench.snapshot().await, bench.pending().await), (before, 1));
    // Taken back in order, everything is as it was.
    bench.decide("ari", &recs[0], Verb::Undo).await.unwrap();
    bench.decide("pia", &recs[1], Verb::Undo).await.unwrap();
    assert_eq!((bench.case_state("case-1").await, bench.pending().await), ("open".into(), 0));
}
