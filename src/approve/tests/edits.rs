//! Edits: who approves them, and what they are worth.

use super::*;

#[tokio::test]
async fn an_edit_that_raises_the_value_takes_the_approver_of_the_new_value() {
    let (bench, recs) = Bench::queued(8_000).await;
    let edit = Verb::Edit { step: 1, action: Box::new(transfer("7", 60)) };
    let answer = bench.decide("pia", &recs[0], edit).await.unwrap();
    let (edited, _) = bench.it.store.get_recommendation(&answer.recommendation_id).await.unwrap();
    assert_eq!(edited.candidate.value, Money::from_minor(1_200_000));
    let answer = bench.approve("ari", &edited).await.unwrap();
    assert!(answer.needs_second && answer.tier == Some(Tier::T3), "12,000 takes two people");
    assert!(matches!(bench.approve("dan", &edited).await, Err(DecisionRefused::MayNotSign(_))), "one of finance");
    assert!(!bench.approve("fay", &edited).await.unwrap().needs_second);
}

#[tokio::test]
async fn an_edit_waits_for_somebody_else_and_keeps_both_versions() {
    let (bench, recs) = Bench::queued(500).await;
    let edit = |units| Verb::Edit { step: 1, action: Box::new(transfer("7", units)) };
    let too_much = bench.decide("ari", &recs[0], edit(80)).await.unwrap_err();
    assert!(matches!(too_much, DecisionRefused::ChecksFailed(_)), "{too_much}");
    let other = Verb::Edit { step: 1, action: Box::new(transfer("8", 40)) };
    assert!(matches!(bench.decide("ari", &recs[0], other).await, Err(DecisionRefused::BadEdit(_))));

    let answer = bench.decide("ari", &recs[0], edit(60)).await.unwrap();
    assert_ne!(answer.recommendation_id, recs[0].id);
    assert_eq!(bench.state(&recs[0].id).await, "superseded");
    let (edited, _) = bench.it.store.get_recommendation(&answer.recommendation_id).await.unwrap();
    assert_eq!((edited.rank, edited.candidate.value), (1, Money::from_minor(75_000)));
    assert!(edited.candidate.summary.starts_with("Changed by Ari Approver on"), "{}", edited.candidate.summary);
    assert!(matches!(&edited.drafter, Drafter::Edited { was, .. } if **was == recs[0].candidate.action));
    let error = bench.approve("ari", &edited).await.unwrap_err();
    assert!(matches!(error, DecisionRefused::MayNotSign(Refused { because: Refusal::Touched(_), .. })), "{error}");

    // Another edit on top does not launder the first one.
    let answer = bench.decide("dan", &edited, edit(50)).await.unwrap();
    let (edited, _) = bench.it.store.get_recommendation(&answer.recommendation_id).await.unwrap();
    for person in ["ari", "dan"] {
        assert!(matches!(
            bench.approve(person, &edited).await,
            Err(DecisionRefused::MayNotSign(Refused { because: Refusal::Touched(_), .. }))
        ));
    }
    assert_eq!(bench.approve("fay", &edited).await.unwrap().state, "approved_with_edit");
    let rows = bench.it.store.list_outbox(OutboxState::Pending).await.unwrap();
    assert!(rows[0].body.contains(r#""quantity":{"amount":"50""#), "{}", rows[0].body);
}

#[tokio::test]
async fn an_edit_does_not_lower_what_fixed_parts_are_worth() {
    let bench = Bench::new().await;
    let recs = bench.case("case-1", "7", 1_500).await;
    let fewer = Verb::Edit { step: 1, action: Box::new(transfer("7", 10)) };
    let answer = bench.decide("pia", &recs[0], fewer).await.unwrap();
    let (edited, _) = bench.it.store.get_recommendation(&answer.recommendation_id).await.unwrap();
    assert_eq!(edited.candidate.value, recs[0].candidate.value, "a quarter of the units is not a quarter of the van");
    let answer = bench.approve("ari", &edited).await.unwrap();
    assert_eq!(answer.tier, Some(Tier::T2));
}
