//! What is passed on to somebody, and who stands in for whom.

use super::*;

fn give_back() -> Verb {
    Verb::Return { note: String::new() }
}

#[tokio::test]
async fn what_is_passed_on_asks_somebody_by_name_and_locks_nobody_out() {
    let (bench, recs) = Bench::queued(500).await;
    let before = bench.snapshot().await;
    // One does not exist, and the other's role decides nothing.
    for nobody in ["eve", "adm"] {
        let refused = bench.decide("pia", &recs[0], forward(nobody)).await.unwrap_err();
        assert!(matches!(refused, DecisionRefused::Nowhere(_)), "{refused}");
    }
    bench.facts.concerned.lock().unwrap().push(PersonId::new("fay"));
    let refused = bench.decide("pia", &recs[0], forward("fay")).await.unwrap_err().to_string();
    assert!(refused.contains("own count or receipt"), "{refused}");
    assert_eq!(bench.snapshot().await, before);

    let answer = bench.decide("pia", &recs[0], forward("ari")).await.unwrap();
    assert_eq!(answer.state, "forwarded");
    let told = bench.it.store.list_notices(&PersonId::new("ari")).await.unwrap();
    assert!(told[0].said.contains("Pia Planner asks you") && told[0].said.contains("you know this supplier"), "{told:?}");
    // Only whom it is with gives it back; the one who passed it on may take that back.
    let refused = bench.decide("dan", &recs[0], give_back()).await.unwrap_err();
    assert!(matches!(refused, DecisionRefused::Transition(TransitionError::NotWithYou { .. })), "{refused}");
    bench.decide("ari", &recs[0], give_back()).await.unwrap();
    assert_eq!(bench.state(&recs[0].id).await, "queued");
    assert!(bench.it.store.list_notices(&PersonId::new("pia")).await.unwrap()[0].said.contains("gave this back"));

    bench.decide("pia", &recs[0], forward("ari")).await.unwrap();
    let answer = bench.approve("dan", &recs[0]).await.unwrap();
    assert_eq!((answer.state.as_str(), bench.pending().await), ("approved", 1));
    assert!(bench.it.store.list_notices(&PersonId::new("ari")).await.unwrap().is_empty(), "it waits no more");
}

#[tokio::test]
async fn the_first_signature_stays_while_the_second_is_asked_for_by_name() {
    let (bench, recs) = Bench::queued(20_000).await;
    assert!(bench.approve("dan", &recs[0]).await.unwrap().needs_second);
    bench.decide("dan", &recs[0], forward("fay")).await.unwrap();
    let again = bench.approve("dan", &recs[0]).await.unwrap();
    assert!(again.needs_second, "one person's two signatures are one");
    let answer = bench.approve("fay", &recs[0]).await.unwrap();
    assert_eq!((answer.state.as_str(), bench.pending().await), ("approved", 1));
}

#[tokio::test]
async fn what_was_passed_on_is_superseded_like_everything_else_when_the_facts_move() {
    let (bench, recs) = Bench::queued(500).await;
    bench.decide("pia", &recs[0], forward("ari")).await.unwrap();
    // Other evidence replaces it though it is with somebody: being asked by name binds nobody to old facts.
    let new = on_evidence(&bench.it.store, "case-1", "e2", vec![(transfer("7", 30), 500)]).await;
    assert_eq!(bench.state(&recs[0].id).await, "superseded");
    bench.it.submit().await.unwrap();
    bench.approve("ari", &new[0]).await.unwrap();
}

#[tokio::test]
async fn who_stands_in_signs_with_the_other_s_rights_and_both_names_are_in_the_log() {
    let (bench, recs) = Bench::queued(500).await;
    let (ari, pia) = (PersonId::new("ari"), PersonId::new("pia"));
    let day = |text: &str| text.parse::<Date>().unwrap();
    assert!(bench.approve("pia", &recs[0]).await.is_err(), "a planner for themself does not");
    let made = bench.it.delegate(&ari, &pia, (day("2026-10-08"), day("2026-10-10")), "on leave", "web").await.unwrap();
    assert!(bench.it.store.list_notices(&pia).await.unwrap()[0].said.contains("You stand in for Ari Approver"));
    // Separation of duties holds for both.
    bench.facts.concerned.lock().unwrap().push(ari.clone());
    assert!(bench.approve("pia", &recs[0]).await.is_err());
    bench.facts.concerned.lock().unwrap().clear();
    assert_eq!(bench.approve("pia", &recs[0]).await.unwrap().state, "approved");
    let log = bench.it.store.list_audit_of(&format!("recommendation:{}", recs[0].id)).await.unwrap();
    let last = &log.last().unwrap().entry;
    assert_eq!((last.actor.as_str(), last.detail["on_behalf_of"].to_string()), ("pia", r#"["ari"]"#.to_owned()));
    // Ended, it holds no more; and nobody else could have ended it.
    assert!(bench.it.end_delegation(&made.id, &PersonId::new("dan"), "web").await.is_err());
    bench.it.end_delegation(&made.id, &ari, "web").await.unwrap();
    let recs = bench.case("case-2", "8", 500).await;
    assert!(bench.approve("pia", &recs[0]).await.is_err());
}

#[tokio::test]
async fn passing_on_again_and_again_tells_once_a_day() {
    let (bench, recs) = Bench::queued(500).await;
    let (fay, ari) = (PersonId::new("fay"), PersonId::new("ari"));
    let forward = || Verb::Forward { to: fay.clone(), note: String::new() };
    let told = async |who: &PersonId| bench.it.store.list_notices(who).await.unwrap().len();
    for _ in 0..3 {
        bench.decide("ari", &recs[0], forward()).await.unwrap();
        bench.later(1);
        bench.decide("fay", &recs[0], Verb::Return { note: String::new() }).await.unwrap();
        bench.later(1);
    }
    assert_eq!((told(&fay).await, told(&ari).await), (1, 1), "one that it was passed on, one that it came back");
    // Somebody else who asks, something else that is asked, and another day are to be told of.
    bench.decide("pia", &recs[0], forward()).await.unwrap();
    bench.decide("fay", &recs[0], Verb::Return { note: String::new() }).await.unwrap();
    assert_eq!(told(&fay).await, 2);
    bench.decide("ari", &recs[1], forward()).await.unwrap();
    assert_eq!(told(&fay).await, 3);
    bench.later(24 * 60);
    bench.decide("ari", &recs[0], forward()).await.unwrap();
    assert_eq!(told(&fay).await, 4);
}

#[tokio::test]
async fn the_same_rights_are_not_given_twice_for_the_same_days() {
    let (bench, _) = Bench::queued(500).await;
    let day = |text: &str| text.parse::<Date>().unwrap();
    let (ari, fay, dan) = (PersonId::new("ari"), PersonId::new("fay"), PersonId::new("dan"));
    let give = async |from: &PersonId, to: &PersonId, starts: &str, ends: &str| {
        bench.it.delegate(from, to, (day(starts), day(ends)), "on leave", "web").await
    };
    let made = give(&ari, &fay, "2026-10-08", "2026-10-10").await.unwrap();
    let before = bench.snapshot().await;
    // The same days, days that begin on its last one (which it includes), and a day inside of it.
    for (starts, ends) in [("2026-10-08", "2026-10-10"), ("2026-10-10", "2026-10-12"), ("2026-10-09", "2026-10-09")] {
        bench.later(1);
        let refused = give(&ari, &fay, starts, ends).await.unwrap_err().to_string();
        assert!(refused.contains("stands in for ari from 2026-10-08 to 2026-10-10 already"), "{refused}");
    }
    assert_eq!(bench.snapshot().await, before);
    give(&ari, &fay, "2026-10-11", "2026-10-12").await.unwrap();
    // Somebody else for the same days is another delegation: two may stand in for one.
    give(&ari, &dan, "2026-10-08", "2026-10-10").await.unwrap();
    // What was ended is in nobody's way; what is over is no longer read.
    bench.it.end_delegation(&made.id, &ari, "web").await.unwrap();
    give(&ari, &fay, "2026-10-08", "2026-10-10").await.unwrap();
    assert_eq!(bench.it.standing_in().await.unwrap().len(), 3);
    bench.later(24 * 60 * 4);
    assert_eq!(bench.it.standing_in().await.unwrap().len(), 1);
    assert!(bench.it.end_delegation(&made.id, &ari, "web").await.is_err(), "there is nothing to end any more");
}
