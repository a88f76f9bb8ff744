//! What is shown while a drill waits: nothing by which it could be known.

use super::*;

#[tokio::test]
async fn everybody_is_shown_the_drill_and_only_the_digest_what_is_really_proposed() {
    let bench = Bench::new("1").await;
    let wrong = bench.planted().await;
    let all = bench.control.store.list_recommendations(&CaseId::new("case-1")).await.unwrap();
    let drills = bench.control.store.list_drills().await.unwrap();
    let ids = |recs: Vec<(Recommendation, i64)>| recs.into_iter().map(|(r, _)| r.id).collect::<Vec<_>>();
    let (seen, real) = (ids(cards(all.clone(), &drills)), ids(true_ones(all.clone(), &drills)));
    assert_eq!((seen.len(), real.len(), all.len()), (2, 2, 3));
    assert!(seen.contains(&wrong.id) && !seen.contains(&drills[0].instead_of));
    assert!(!real.contains(&wrong.id) && real.contains(&drills[0].instead_of));
    // When it is answered, what is real is shown again, and nothing of the drill.
    bench.decide("k1", "ari", &wrong, Verb::Approve).await.unwrap();
    let all = bench.control.store.list_recommendations(&CaseId::new("case-1")).await.unwrap();
    let drills = bench.control.store.list_drills().await.unwrap();
    assert!(ids(cards(all.clone(), &drills)).contains(&drills[0].instead_of));
    assert!(hidden(&all, &drills).is_empty());
}

#[tokio::test]
async fn the_log_that_is_shown_tells_nothing_of_a_waiting_drill_and_all_of_an_answered_one() {
    let bench = Bench::new("1").await;
    let store = &bench.control.store;
    let queued = async |rec: &Recommendation| {
        let entry = entry(QUEUED, "stage:approve", rec, json!({ "case": rec.case_id, "rank": rec.rank }), start());
        store.append_audit(&[entry]).await.unwrap();
    };
    for rec in bench.recs("case-1").await {
        queued(&rec).await;
    }
    let shown = async || {
        let recs = store.list_recommendations_in(State::WAITING).await.unwrap();
        let log = store.list_audit(0, 100).await.unwrap();
        let mut told = told(log, &recs, &store.list_drills().await.unwrap());
        told.retain(|e| e.entry.action != "digest.made");
        told.into_iter().map(|e| format!("{} {} {}", e.entry.action, e.entry.subject, e.entry.detail)).collect::<Vec<_>>()
    };
    let before = shown().await;
    let wrong = bench.planted().await;
    let original = store.list_drills().await.unwrap()[0].instead_of.clone();
    let mentions = json!({ "recommendations": [original, wrong.id] });
    store.append_audit(&[entry("case.woken", "stage:approve", &wrong, mentions, start())]).await.unwrap();
    assert_eq!(shown().await, before, "planting one more changes nothing that is shown");
    assert!(!before.join(" ").contains(QUEUED), "{before:?}");
    bench.decide("k1", "ari", &wrong, Verb::Approve).await.unwrap();
    let after = shown().await.join("\n");
    assert!(after.contains(&format!("{QUEUED} recommendation:{}", wrong.id)) && after.contains("drill.accepted"), "{after}");
    assert!(!after.contains(&format!("{QUEUED} recommendation:{original}")), "it waits as any other: {after}");
    assert_eq!(store.list_audit(0, 100).await.unwrap().len(), 6, "the log itself holds everything");
}

#[tokio::test]
async fn no_refusal_and_no_count_gives_a_drill_away() {
    let bench = Bench::new("1").await;
    let names: Vec<String> = (1..=8).map(|n| format!("case-{n}")).collect();
    for name in &names[1..] {
        bench.case(name).await;
    }
    bench.digest(&names.iter().map(|name| line(name)).collect::<Vec<_>>()).await;
    assert_eq!(plant(&bench.control).await.unwrap(), names.len());
    let drills = bench.control.store.list_drills().await.unwrap();
    assert!(drills.iter().any(|d| d.instead_of < d.recommendation_id), "or the order of ids hides the fault");
    for (n, drill) in drills.iter().enumerate() {
        let recs = bench.recs(drill.case_id.as_str()).await;
        for rec in recs.iter().filter(|r| r.id != drill.instead_of) {
            let request = DecisionRequest {
                idempotency_key: format!("stale-{n}-{}", rec.id),
                person: PersonId::new("ari"),
                channel: "web".into(),
                hand: crate::domain::hand::Hand::Own,
                recommendation_id: rec.id.clone(),
                content_hash: "0".repeat(64),
                verb: Verb::Approve,
            };
            let refused = bench.approvals.decide(&request).await.unwrap_err();
            let DecisionRefused::FactsChanged { newest, .. } = refused else { panic!("{refused}") };
            assert_eq!(newest.as_ref(), Some(&drill.recommendation_id));
        }
        // One of the two that are shown is turned down: one stays.
        let second = recs.iter().find(|r| r.rank == 2).unwrap();
        let verb = Verb::Reject { reason: RejectReason::WrongQuantity, note: String::new() };
        let answer = bench.decide(&format!("r{n}"), "ari", second, verb).await.unwrap();
        assert_eq!(answer.said, "Rejected; 1 other proposals of the case stay.");
    }
}

#[tokio::test]
async fn the_draw_of_drills_hangs_on_a_secret_of_the_store() {
    let (one, other) = (Bench::new("1").await, Bench::new("1").await);
    let key = async |bench: &Bench| {
        plant(&bench.control).await.unwrap();
        bench.control.store.find_setting(KEY).await.unwrap().expect("made when it is first needed")
    };
    let (first, second) = (key(&one).await, key(&other).await);
    assert_eq!(first.len(), 64);
    assert_ne!(first, second);
    assert_eq!(key(&one).await, first, "and then it stays");
    let drawn = |key: &str| -> Vec<usize> {
        (0..1_000).filter(|n| is_drawn(key, today(), &CaseId::new(format!("case-{n}")), 0.1)).collect()
    };
    assert_ne!(drawn(&first), drawn(&second), "who does not know the secret can not compute the draw");
    assert_eq!(drawn(&first), drawn(&first));
}
