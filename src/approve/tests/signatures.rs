//! Who may sign: tiers, second signatures, own counts and receipts, limits.

use super::*;

#[tokio::test]
async fn tier_three_takes_two_people_one_of_finance() {
    let (bench, recs) = Bench::queued(20_000).await;
    let answer = bench.approve("ari", &recs[0]).await.unwrap();
    assert!(answer.needs_second && answer.tier == Some(Tier::T3));
    assert_eq!((bench.state(&recs[0].id).await, bench.pending().await), ("signed".into(), 0));
    assert_eq!(bench.case_state("case-1").await, "open");
    // The same person again adds nothing; a director is not finance.
    assert!(bench.approve("ari", &recs[0]).await.unwrap().needs_second);
    let error = bench.approve("dan", &recs[0]).await.unwrap_err();
    assert!(matches!(error, DecisionRefused::MayNotSign(Refused { because: Refusal::Pair { .. }, .. })), "{error}");
    let answer = bench.approve("fay", &recs[0]).await.unwrap();
    assert!(!answer.needs_second);
    let (rec, _) = bench.it.store.get_recommendation(&recs[0].id).await.unwrap();
    assert!(matches!(&rec.state, State::Approved { by, .. } if by.len() == 2));
    assert_eq!(bench.pending().await, 1);
}

#[tokio::test]
async fn a_signature_can_be_withdrawn_until_the_second_is_there() {
    let (bench, recs) = Bench::queued(20_000).await;
    bench.approve("ari", &recs[0]).await.unwrap();
    // Far beyond the undo window, which is not what limits a first signature: nothing leaves by it.
    bench.later(60);
    bench.decide("ari", &recs[0], Verb::Undo).await.unwrap();
    assert_eq!(bench.state(&recs[0].id).await, "queued");
    assert!(bench.approve("fay", &recs[0]).await.unwrap().needs_second);
}

#[tokio::test]
async fn whoever_may_not_decide_is_refused_and_nothing_changes() {
    let (bench, recs) = Bench::queued(5_000).await;
    let before = bench.snapshot().await;
    for (person, expected) in [
        ("adm", "being an administrator"),
        ("pia", "takes an approver"),
        ("system", "the system never approves"),
        ("stage:draft", "no person \"stage:draft\""),
        ("eve", "no person \"eve\""),
    ] {
        let error = bench.approve(person, &recs[0]).await.unwrap_err().to_string();
        assert!(error.contains(expected), "{person}: {error}");
    }
    assert!(matches!(
        bench.decide("adm", &recs[0], reject(RejectReason::NotReal)).await,
        Err(DecisionRefused::NotAllowed(_))
    ));
    assert_eq!(bench.snapshot().await, before);
}

#[tokio::test]
async fn whose_count_or_receipt_it_concerns_can_not_approve_it() {
    let (bench, recs) = Bench::queued(500).await;
    bench.facts.concerned.lock().unwrap().push(PersonId::new("ari"));
    let error = bench.approve("ari", &recs[0]).await.unwrap_err();
    assert!(matches!(error, DecisionRefused::MayNotSign(Refused { because: Refusal::Touched(_), .. })), "{error}");
    bench.approve("fay", &recs[0]).await.unwrap();
}

#[tokio::test]
async fn a_first_signature_does_not_count_once_its_signer_is_concerned() {
    let (bench, recs) = Bench::queued(20_000).await;
    bench.approve("ari", &recs[0]).await.unwrap();
    bench.facts.concerned.lock().unwrap().push(PersonId::new("ari"));
    let error = bench.approve("fay", &recs[0]).await.unwrap_err();
    assert!(
        matches!(&error, DecisionRefused::MayNotSign(Refused { because: Refusal::Touched(who), .. }) if who == "Ari Approver"),
        "{error}"
    );
    // Ari can take it back, and then another pair can do it.
    bench.decide("ari", &recs[0], Verb::Undo).await.unwrap();
    assert!(bench.approve("fay", &recs[0]).await.unwrap().needs_second);
    assert!(!bench.approve("dan", &recs[0]).await.unwrap().needs_second);
}

#[tokio::test]
async fn splitting_an_order_does_not_lower_its_tier() {
    let mut bench = Bench::new().await;
    let mut config = (*bench.it.config).clone();
    // A short window, so that its end can be seen before the cases expire.
    config.rules.policy.cumulative.days = 2;
    bench.it.config = Arc::new(config);
    let mut tiers = Vec::new();
    for n in 0..4 {
        // The same item, and each time somebody whose own approvals do not count: only the item adds up.
        let recs = bench.case(&format!("case-{n}"), "7", 400).await;
        let person = ["ari", "fay", "dan", "dan"][n];
        tiers.push(bench.approve(person, &recs[0]).await.unwrap().tier.unwrap());
    }
    assert_eq!(tiers, [Tier::T1, Tier::T1, Tier::T2, Tier::T2]);
    let recs = bench.case("case-9", "8", 400).await;
    assert_eq!(bench.approve("fay", &recs[0]).await.unwrap().tier, Some(Tier::T1), "another item, another chain");
    bench.later(3 * 24 * 60);
    let recs = bench.case("case-5", "7", 400).await;
    assert_eq!(bench.approve("ari", &recs[0]).await.unwrap().tier, Some(Tier::T1), "after the window");
}

#[tokio::test]
async fn two_approvals_at_once_can_not_pass_a_limit_that_they_break_together() {
    let bench = Bench::new().await;
    let mine = bench.case("case-1", "7", 600).await;
    let theirs = bench.case("case-2", "7", 600).await;
    let store = Store::open(&bench.url).await.unwrap();
    let facts = Arc::new(Facts::default()) as Arc<dyn Recheck>;
    let process = Approvals { store, recheck: facts, ..bench.it.clone() };
    // The other one is committed after the sum for mine was read, and before mine is written.
    *bench.facts.meanwhile.lock().unwrap() =
        Some((process, Meanwhile::Clicks(bench.click("fay", &theirs[0], Verb::Approve))));
    let answer = bench.approve("ari", &mine[0]).await.unwrap();
    assert_eq!((answer.tier, answer.counted), (Some(Tier::T2), Money::from_minor(120_000)));
    assert_eq!(bench.pending().await, 2);
    bench.it.store.verify_audit().await.unwrap();
}
