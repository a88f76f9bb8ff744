//! What time does: it reminds, escalates and ends, and never approves.

use super::*;

#[tokio::test]
async fn a_case_that_is_signed_once_still_runs_out_of_time() {
    let (bench, recs) = Bench::queued(20_000).await;
    bench.approve("ari", &recs[0]).await.unwrap();
    bench.later(5 * 24 * 60);
    assert_eq!(bench.it.remind_and_expire().await.unwrap().expired, 1);
    assert_eq!(bench.state(&recs[0].id).await, "expired");
    assert!(bench.approve("fay", &recs[0]).await.is_err());
    assert_eq!(bench.pending().await, 0);
}

#[tokio::test]
async fn a_clock_that_goes_back_releases_nothing_early() {
    let (bench, recs) = Bench::queued(500).await;
    bench.approve("ari", &recs[0]).await.unwrap();
    // As after a correction of the machine's time: what is due is compared, never counted.
    bench.later(-24 * 60);
    let now = bench.it.clock.now();
    assert!(bench.it.store.claim_due(now, 9, std::time::Duration::from_mins(1)).await.unwrap().is_empty());
    assert_eq!(bench.it.remind_and_expire().await.unwrap(), Sweep::default());
    bench.decide("ari", &recs[0], Verb::Undo).await.unwrap();
    assert_eq!(bench.pending().await, 0);
}

#[tokio::test]
async fn silence_reminds_then_escalates_then_expires_and_never_approves() {
    let (bench, recs) = Bench::queued(500).await;
    let mut told = Vec::new();
    // A week in half days, each with its own sweep: nothing may be told twice.
    for _ in 0..14 {
        bench.later(12 * 60);
        let sweep = bench.it.remind_and_expire().await.unwrap();
        told.push((sweep.reminded, sweep.escalated, sweep.expired));
    }
    let mut expected = vec![(0, 0, 0); 14];
    // Thursday 08:00 on: eight working hours are over in the evening, when nobody is disturbed; sixteen on Friday afternoon,
    // and then it is the weekend.
    expected[1] = (1, 0, 0);
    expected[7] = (0, 1, 0);
    // The last useful day is the 12th; the 13th begins after nine half days.
    expected[9] = (0, 0, 1);
    assert_eq!(told, expected);
    assert_eq!((bench.state(&recs[0].id).await, bench.case_state("case-1").await), ("expired".into(), "expired".into()));
    assert_eq!(bench.pending().await, 0);
    let log = bench.it.store.list_audit_of("case:case-1").await.unwrap();
    let told = |action: &str| log.iter().find(|e| e.entry.action == action).unwrap().entry.detail["told"].to_string();
    assert_eq!(
        (told("case.reminded"), told("case.escalated")),
        (r#"["ari","pia"]"#.into(), r#"["ari","dan","fay"]"#.into())
    );
    assert_eq!(log.last().unwrap().entry.detail["lost_to_waiting"], 10_000);
    assert!(bench.approve("ari", &recs[0]).await.is_err());
}

#[tokio::test]
async fn the_other_proposals_leave_the_queue_when_the_undo_window_has_passed() {
    let (bench, recs) = Bench::queued(500).await;
    bench.approve("ari", &recs[0]).await.unwrap();
    assert_eq!(bench.it.remind_and_expire().await.unwrap().cleared, 0);
    bench.later(5);
    assert_eq!(bench.it.remind_and_expire().await.unwrap().cleared, 1);
    assert_eq!(bench.state(&recs[1].id).await, "superseded");
    assert_eq!(bench.state(&recs[0].id).await, "approved");
}

#[tokio::test]
async fn what_could_only_leave_after_its_last_day_is_not_acknowledged() {
    let (bench, recs) = Bench::queued(500).await;
    // Three minutes before the 12th ends: the undo window of five would end after it.
    let to_midnight = SignedDuration::from_hours(4 * 24 + 16) - SignedDuration::from_mins(3);
    bench.it.clock.set(start() + to_midnight);
    let refused = bench.approve("ari", &recs[0]).await.unwrap_err().to_string();
    assert!(refused.contains("would leave after that"), "{refused}");
    assert_eq!(bench.pending().await, 0);
}
