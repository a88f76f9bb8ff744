//! Clicks: what they write, which of several counts, and when one is refused.

use super::*;

#[tokio::test]
async fn an_approval_decides_the_case_and_waits_in_the_outbox_until_the_undo_window_has_passed() {
    let (bench, recs) = Bench::queued(500).await;
    let answer = bench.approve("ari", &recs[0]).await.unwrap();
    assert_eq!((answer.tier, answer.needs_second, &*answer.state), (Some(Tier::T1), false, "approved"));
    let due = start() + SignedDuration::from_mins(5);
    assert_eq!(answer.undo_until, Some(due));
    assert_eq!(bench.case_state("case-1").await, "decided");
    let rows = bench.it.store.list_outbox(OutboxState::Pending).await.unwrap();
    assert_eq!(rows.len(), 1);
    assert_eq!(rows[0].due_at, due);
    let event: serde_json::Value = serde_json::from_str(&rows[0].body).unwrap();
    assert_eq!(event["specversion"], "1.0");
    assert_eq!(event["id"], *rows[0].id);
    assert_eq!(event["type"], "reeve.recommendation.approved.v1");
    assert_eq!(event["data"]["content_hash"], recs[0].content_hash());
    assert_eq!(event["data"]["action"]["parameters"]["quantity"]["amount"], "40");
    assert_eq!(event["data"]["value"]["amount"], "500.00");
    assert_eq!(event["data"]["approved_by"], serde_json::json!(["ari"]));
    let log = bench.it.store.list_audit_of(&format!("recommendation:{}", recs[0].id)).await.unwrap();
    let last = &log.last().unwrap().entry;
    assert_eq!((&*last.action, &*last.actor, &*last.content), ("recommendation.approved", "ari", &*recs[0].content_hash()));
    assert_eq!(last.detail["policy"], bench.it.config.rules.policy.version());
    assert_eq!(last.detail["tier"], "T1");
    bench.it.store.verify_audit().await.unwrap();
}

#[tokio::test]
async fn the_same_click_is_answered_the_same_and_a_contrary_one_is_told_who_was_first() {
    let (bench, recs) = Bench::queued(500).await;
    let click = bench.click("ari", &recs[0], Verb::Approve);
    let first = bench.it.decide(&click).await.unwrap();
    bench.later(1);
    let before = bench.snapshot().await;
    assert_eq!(bench.it.decide(&click).await.unwrap(), first);
    let again = bench.approve("ari", &recs[0]).await.unwrap();
    assert_eq!((again.at, &*again.state), (first.at, "approved"));
    for (rec, verb, told) in [
        (&recs[0], reject(RejectReason::NotReal), "Ari Approver approved this at 2026-10-08T08:00:00Z"),
        (&recs[0], Verb::Approve, "Ari Approver approved this"),
        (&recs[1], Verb::Approve, "Ari Approver approved TRANSFER of this case"),
    ] {
        let error = bench.decide("fay", rec, verb).await.unwrap_err().to_string();
        assert!(error.contains(told), "{error}");
    }
    assert_eq!(bench.snapshot().await, before);
}

#[tokio::test]
async fn an_idempotency_key_is_for_one_click_only() {
    let (bench, recs) = Bench::queued(500).await;
    let click = bench.click("ari", &recs[0], Verb::Approve);
    bench.it.decide(&click).await.unwrap();
    for other in [
        DecisionRequest { verb: reject(RejectReason::Policy), ..click.clone() },
        DecisionRequest { person: PersonId::new("fay"), ..click.clone() },
        DecisionRequest { recommendation_id: recs[1].id.clone(), ..click.clone() },
    ] {
        assert!(matches!(bench.it.decide(&other).await, Err(DecisionRefused::KeyReused)), "{other:?}");
    }
}

#[tokio::test]
async fn of_clicks_at_the_same_moment_on_one_case_exactly_one_counts() {
    let (bench, recs) = Bench::queued(500).await;
    let clicks = [
        bench.click("ari", &recs[0], Verb::Approve),
        bench.click("fay", &recs[1], Verb::Approve),
        bench.click("dan", &recs[0], reject(RejectReason::NotReal)),
        bench.click("dan", &recs[1], Verb::Approve),
    ];
    let [a, b, c, d] = &clicks;
    let all = tokio::join!(bench.it.decide(a), bench.it.decide(b), bench.it.decide(c), bench.it.decide(d));
    let mut won = 0;
    for one in [all.0, all.1, all.2, all.3] {
        match one {
            Ok(_) => won += 1,
            Err(error) => assert!(matches!(error, DecisionRefused::AlreadyDecided { .. }), "{error}"),
        }
    }
    assert_eq!(won, 1);
    assert!(bench.pending().await <= 1);
    assert_eq!(bench.it.store.list_decisions(Timestamp::UNIX_EPOCH).await.unwrap().len(), 1);
}

#[tokio::test]
async fn a_click_on_other_content_or_on_old_evidence_is_refused_with_the_new_card() {
    let (bench, recs) = Bench::queued(500).await;
    let mut click = bench.click("ari", &recs[0], Verb::Approve);
    click.content_hash = "0".repeat(64);
    match bench.it.decide(&click).await {
        Err(DecisionRefused::FactsChanged { moved: _, newest }) => assert_eq!(newest, Some(recs[0].id.clone())),
        other => panic!("{other:?}"),
    }
    let new = on_evidence(&bench.it.store, "case-1", "e2", vec![(transfer("7", 30), 400)]).await;
    bench.it.submit().await.unwrap();
    let before = bench.snapshot().await;
    for verb in [Verb::Approve, reject(RejectReason::NotReal)] {
        match bench.decide("ari", &recs[0], verb).await {
            Err(DecisionRefused::FactsChanged { moved: _, newest }) => assert_eq!(newest, Some(new[0].id.clone())),
            other => panic!("{other:?}"),
        }
    }
    assert_eq!(bench.snapshot().await, before);
    bench.approve("ari", &new[0]).await.unwrap();
}

#[tokio::test]
async fn evidence_that_moved_without_a_new_card_refuses_too() {
    let (bench, recs) = Bench::queued(500).await;
    let mut case = bench.it.store.get_case(&CaseId::new("case-1")).await.unwrap();
    case.evidence_hash = Some("e2".into());
    case.version += 1;
    bench.it.store.advance_case(&case, case.version - 1, &[]).await.unwrap();
    let error = bench.approve("ari", &recs[0]).await.unwrap_err();
    assert!(matches!(error, DecisionRefused::FactsChanged { moved: _, newest: None }), "{error}");
}

#[tokio::test]
async fn a_hard_check_that_fails_at_the_click_refuses_it_and_is_named() {
    let (bench, recs) = Bench::queued(500).await;
    *bench.facts.broken.lock().unwrap() = Some("40 > 12");
    let before = bench.snapshot().await;
    let error = bench.approve("ari", &recs[0]).await.unwrap_err().to_string();
    assert_eq!(error, "it can not be done any more: quantity ≤ free quantity (40 > 12)");
    assert_eq!(bench.snapshot().await, before);
    // To say no, nothing needs to be possible.
    bench.decide("ari", &recs[0], reject(RejectReason::RealButWrongAction)).await.unwrap();
}

#[tokio::test]
async fn a_hard_check_that_fails_at_the_queue_keeps_it_out() {
    let bench = Bench::new().await;
    *bench.facts.broken.lock().unwrap() = Some("40 > 12");
    let recs = with_case(&bench.it.store, "case-1", vec![(transfer("7", 40), 500)]).await;
    assert_eq!(bench.it.submit().await.unwrap(), 0);
    assert_eq!(bench.state(&recs[0].id).await, "superseded");
    let log = bench.it.store.list_audit_of(&format!("recommendation:{}", recs[0].id)).await.unwrap();
    assert_eq!(log[0].entry.detail["failed"][0]["detail"], "40 > 12");
}

#[tokio::test]
async fn a_batch_takes_one_action_and_tier_and_lists_failures_singly() {
    let bench = Bench::new().await;
    let first = bench.case("case-1", "1", 300).await;
    let second = bench.case("case-2", "2", 300).await;
    let large = bench.case("case-3", "3", 3_000).await;
    let third = bench.case("case-4", "4", 600).await;
    let mut stale = bench.click("ari", &second[1], Verb::Approve);
    stale.content_hash = String::new();
    let batch = vec![
        bench.click("ari", &first[0], Verb::Approve),
        stale,
        bench.click("ari", &second[0], Verb::Approve),
        bench.click("ari", &large[0], Verb::Approve),
        bench.click("ari", &first[2], Verb::Approve),
        // Alone it would be T1; after the others it is not.
        bench.click("ari", &third[0], Verb::Approve),
        bench.click("ari", &third[1], reject(RejectReason::NotReal)),
    ];
    let answer = bench.it.decide_batch(batch).await;
    assert_eq!((answer.done.len(), answer.sum), (2, Money::from_minor(60_000)));
    let why: Vec<String> = answer.refused.iter().map(|f| f.because.to_string()).collect();
    assert_eq!(why.len(), 5);
    assert!(why[0].contains("facts changed"), "{why:?}");
    assert!(why[1].contains("TRANSFER T2") && why[1].contains("TRANSFER T1"), "{why:?}");
    assert!(why[2].contains("NO-ACTION T0"), "{why:?}");
    assert!(why[3].contains("TRANSFER T2"), "{why:?}");
    assert!(why[4].contains("approvals only"), "{why:?}");
}

#[tokio::test]
async fn a_decision_that_was_cut_off_before_its_commit_leaves_no_trace_and_can_be_repeated() {
    let (bench, recs) = Bench::queued(500).await;
    let before = bench.snapshot().await;
    let click = bench.click("ari", &recs[0], Verb::Approve);
    let mut cut_short = 0;
    // Dropped at each of its waiting points in turn, as a kill would, until it gets through.
    for polls in 1.. {
        let mut decision = Box::pin(bench.it.decide(&click));
        let finished = cut_off(&mut decision, polls).await;
        drop(decision);
        if finished {
            break;
        }
        let other = Store::open(&bench.url).await.unwrap();
        // The database may still be finishing what was cut off: look until two looks agree.
        let (kept, after) = loop {
            let kept = other.find_decision(&click.idempotency_key).await.unwrap().is_some();
            let after = bench.snapshot().await;
            if other.find_decision(&click.idempotency_key).await.unwrap().is_some() == kept {
                break (kept, after);
            }
        };
        other.close().await;
        if kept {
            // Committed, but the answer did not arrive: all of it is there.
            assert_eq!((bench.pending().await, bench.case_state("case-1").await), (1, "decided".into()));
        } else {
            assert_eq!(after, before, "half of it was written after {polls} steps");
            cut_short += 1;
        }
    }
    assert!(cut_short > 5, "it was cut off {cut_short} times only");
    let answer = bench.it.decide(&click).await.unwrap();
    assert_eq!(answer.state, "approved");
    assert_eq!(bench.pending().await, 1);
    bench.it.store.verify_audit().await.unwrap();
}

/// Drives `work` through at most `polls` steps; true when it finished.
async fn cut_off<F: Future + Unpin>(work: &mut F, polls: usize) -> bool {
    let mut left = polls;
    std::future::poll_fn(|context| {
        if left == 0 {
            return std::task::Poll::Ready(false);
        }
        left -= 1;
        std::pin::Pin::new(&mut *work).poll(context).map(|_| true)
    })
    .await
}

#[tokio::test]
async fn a_click_on_facts_that_read_otherwise_by_now_is_refused_with_what_moved() {
    let (bench, recs) = Bench::queued(500).await;
    let before = bench.snapshot().await;
    bench.facts.moved.lock().unwrap().push("on hand: 40 then, 12 now".into());
    let refused = bench.approve("ari", &recs[0]).await.unwrap_err();
    assert!(matches!(refused, DecisionRefused::FactsChanged { .. }));
    assert!(refused.to_string().contains("on hand: 40 then, 12 now"), "{refused}");
    assert_eq!(bench.snapshot().await, before);
    bench.facts.moved.lock().unwrap().clear();
    assert_eq!(bench.approve("ari", &recs[0]).await.unwrap().state, "approved");
}
