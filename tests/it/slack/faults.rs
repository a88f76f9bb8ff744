//! When Slack is slow, away, or says no: nothing is lost, nothing is put up twice, and what is shown in the end is the newest state.

use std::time::Duration;

use reeve::channels::chat::inbox::Inbox;
use reeve::channels::slack;
use reeve::domain::case::{Case, CaseState};
use reeve::store::OutboxState;
use reeve_testing::slack::{ELSEWHERE, Fault, Signed};

use super::bench::{ARI, Bench};
use crate::support::databases::databases;

/// Lets so much time pass that whatever is to be tried again is.
async fn try_again(bench: &Bench, times: usize) {
    for _ in 0..times {
        bench.later(Duration::from_mins(6));
        bench.show().await;
    }
}

#[tokio::test]
async fn what_passes_is_tried_again_and_put_up_once() {
    for fault in [
        Fault::TooMany(Some(7)),
        Fault::TooMany(None),
        Fault::Status(500),
        Fault::Status(503),
        Fault::Drop,
        Fault::Hang,
        Fault::LoseAnswer,
        Fault::Says("ratelimited"),
        Fault::Says("internal_error"),
        Fault::Says("service_unavailable"),
    ] {
        let bench = Bench::new().await;
        bench.slack.fail("chat.postMessage", fault.clone());
        bench.show().await;
        try_again(&bench, 2).await;
        assert_eq!((bench.cards().len(), bench.slack.faults_left()), (1, 0), "{fault:?}");
        let dead = bench.world.store.list_outbox(OutboxState::Dead).await.unwrap();
        assert!(dead.is_empty(), "{fault:?}: {dead:?}");
        // It can be found again to be changed.
        bench.interact(&bench.slack.press(ARI, &bench.cards()[0], "reeve/approve")).await;
        assert!(bench.card().await.shown().contains("approved by Ari Approver"), "{fault:?}");
        assert_eq!(bench.cards().len(), 1, "{fault:?}");
    }
}

#[tokio::test]
async fn as_long_as_slack_says_nothing_is_sent() {
    let bench = Bench::new().await;
    bench.slack.fail("chat.postMessage", Fault::TooMany(Some(120)));
    bench.show().await;
    bench.later(Duration::from_secs(119));
    bench.show().await;
    assert_eq!(bench.slack.calls("chat.postMessage").len(), 1);
    bench.later(Duration::from_secs(2));
    bench.show().await;
    assert_eq!((bench.slack.calls("chat.postMessage").len(), bench.cards().len()), (2, 1));
}

#[tokio::test]
async fn a_change_whose_answer_was_lost_and_one_that_fails_are_made_again() {
    for fault in [Fault::LoseAnswer, Fault::TooMany(Some(3)), Fault::Status(502), Fault::Drop] {
        let bench = Bench::new().await;
        let card = bench.card().await;
        bench.interact(&bench.slack.press(ARI, &card, "reeve/approve")).await;
        bench.slack.fail("chat.update", fault.clone());
        bench.show().await;
        try_again(&bench, 2).await;
        let after = bench.cards();
        assert_eq!((after.len(), &after[0].ts), (1, &card.ts), "{fault:?}");
        assert!(after[0].shown().contains("approved by Ari Approver"), "{fault:?}");
    }
}

#[tokio::test]
async fn a_channel_that_was_away_gets_every_card_once_in_its_last_state_and_in_order() {
    let bench = Bench::new().await;
    // Three more cases, each with what the first has.
    for (n, id) in ["c-2", "c-3", "c-4"].into_iter().enumerate() {
        let case = bench.world.store.get_case(&reeve::domain::ids::CaseId::new(id)).await.unwrap();
        let first = &bench.world.recommendations[0];
        let mut rec = first.clone();
        (rec.id, rec.case_id) = (reeve::domain::ids::RecommendationId::new(format!("r-{n}")), case.id.clone());
        let next = Case { version: case.version + 1, ..case.clone() };
        let entry = reeve::domain::audit::AuditEntry::by_stage(
            "draft",
            bench.world.clock.now(),
            "recommendation.queued",
            format!("case:{id}"),
        );
        bench.world.store.replace_recommendations(&next, case.version, &[rec], &[entry]).await.unwrap();
    }
    for _ in 0..40 {
        bench.slack.fail("chat.postMessage", Fault::Status(503));
    }
    bench.show().await;
    try_again(&bench, 3).await;
    // Meanwhile one of them is over.
    let store = &bench.world.store;
    let case = store.get_case(&bench.world.case.id).await.unwrap();
    let entry = reeve::domain::audit::AuditEntry::by_stage(
        "detect",
        bench.world.clock.now(),
        "case.resolved",
        format!("case:{}", case.id),
    );
    let next = Case { state: CaseState::ResolvedItself, version: case.version + 1, ..case.clone() };
    store.advance_case(&next, case.version, &[entry]).await.unwrap();
    try_again(&bench, 60).await;
    assert_eq!(bench.slack.faults_left(), 0);
    let posted = bench.slack.posted();
    let shows: Vec<&str> = posted.iter().map(|p| p.metadata["event_payload"]["shows"].as_str().unwrap()).collect();
    assert_eq!(shows, ["case:c-00112233aabbccdd", "case:c-2", "case:c-3", "case:c-4"]);
    assert!(posted[0].shown().contains("resolved by itself") && posted[0].buttons("reeve/").is_empty());
    assert!(store.list_outbox(OutboxState::Dead).await.unwrap().is_empty());
}

#[tokio::test]
async fn blocks_that_are_refused_are_said_in_plain_text() {
    let bench = Bench::on(databases().await.remove(0), |config| config.slack.charts = false).await;
    bench.slack.fail("chat.postMessage", Fault::Says("invalid_blocks"));
    let card = bench.card().await;
    assert!(card.blocks.is_empty() && card.text.contains("receipt WH/IN/00012"), "{card:?}");
    assert_eq!(bench.cards().len(), 1);
}

#[tokio::test]
async fn what_nobody_can_get_through_waits_until_somebody_has_done_something() {
    for word in ["token_revoked", "not_in_channel", "channel_not_found", "missing_scope", "is_archived"] {
        let bench = Bench::new().await;
        bench.slack.fail("chat.postMessage", Fault::Says(word));
        bench.show().await;
        try_again(&bench, 3).await;
        assert_eq!(bench.slack.calls("chat.postMessage").len(), 1, "{word}: nothing more is tried");
        let state = bench.world.store.list_destinations().await.unwrap().remove(0);
        let why = state.disabled_why.unwrap();
        assert!(why.contains(word) && why.contains("reeve outbox enable slack"), "{why}");
        let now = bench.world.clock.now();
        let entry =
            reeve::domain::audit::AuditEntry::by("ari", "web", now, "destination.enabled", "destination:slack".to_owned());
        bench.world.store.enable_destination("slack", &entry).await.unwrap();
        bench.show().await;
        assert_eq!(bench.cards().len(), 1, "{word}: nothing was lost");
    }
}

#[tokio::test]
async fn what_will_never_be_taken_is_a_dead_letter_and_holds_up_nothing() {
    let bench = Bench::new().await;
    bench.slack.fail("chat.postMessage", Fault::Says("some_new_word"));
    bench.show().await;
    let dead = bench.world.store.list_outbox(OutboxState::Dead).await.unwrap();
    assert_eq!(dead.len(), 1);
    assert!(dead[0].last_error.as_deref().unwrap().contains("some_new_word"), "{:?}", dead[0].last_error);
}

#[tokio::test]
async fn a_card_that_somebody_deleted_is_put_up_again_while_it_can_be_decided() {
    let bench = Bench::new().await;
    let card = bench.card().await;
    bench.interact(&bench.slack.press(ARI, &card, "reeve/forward")).await;
    bench.slack.delete(&card.ts);
    bench.interact(&bench.slack.send_form(ARI, &[("to", "fay")])).await;
    let again = bench.card().await;
    assert!(again.ts != card.ts && again.shown().contains("passed on to Fay Finance"));
    bench.interact(&bench.slack.press("UFAY", &again, "reeve/approve")).await;
    bench.slack.delete(&again.ts);
    bench.show().await;
    assert!(bench.cards().is_empty(), "what is over is not put up again");
    assert!(bench.world.store.list_outbox(OutboxState::Dead).await.unwrap().is_empty());
}

#[tokio::test]
async fn a_card_that_is_put_up_again_and_whose_answer_is_lost_stands_there_once() {
    let bench = Bench::new().await;
    let card = bench.card().await;
    bench.interact(&bench.slack.press(ARI, &card, "reeve/forward")).await;
    bench.slack.delete(&card.ts);
    for _ in 0..2 {
        bench.slack.fail("chat.postMessage", Fault::LoseAnswer);
    }
    bench.interact(&bench.slack.send_form(ARI, &[("to", "fay")])).await;
    bench.show().await;
    try_again(&bench, 4).await;
    let cards = bench.cards();
    assert_eq!(cards.len(), 1, "{cards:#?}");
    assert!(cards[0].shown().contains("passed on to Fay Finance"));
    assert!(bench.world.store.list_outbox(OutboxState::Pending).await.unwrap().is_empty());
}

#[tokio::test]
async fn a_channel_that_the_app_is_not_in_is_told_of() {
    let db = databases().await.remove(0);
    let bench = Bench::on(db, |config| config.slack.channel = ELSEWHERE.to_owned()).await;
    bench.show().await;
    let state = bench.world.store.list_destinations().await.unwrap().remove(0);
    assert!(state.disabled_why.unwrap().contains("/invite"));
}

#[tokio::test]
async fn what_was_acknowledged_before_the_process_died_is_done_by_the_next_one() {
    for db in databases().await {
        let bench = Bench::on(db, |_| {}).await;
        let card = bench.card().await;
        let click = bench.slack.press(ARI, &card, "reeve/approve");
        let signed = Signed::interaction(&click, bench.seconds());
        assert_eq!(bench.post("/slack/interactions", &signed).await.status, 200);
        // It was taken out, and whoever did it is gone.
        let taken =
            bench.world.store.claim_chat("slack", None, bench.world.clock.wire(), Duration::from_mins(1)).await.unwrap();
        assert!(taken.is_some());
        let (next, _): (Inbox, _) = slack::inbox(&bench.world.state).unwrap();
        assert_eq!(next.work_off().await.unwrap(), 0, "somebody may still be at it");
        bench.later(Duration::from_secs(61));
        assert_eq!(next.work_off().await.unwrap(), 1);
        assert_eq!((bench.state_of_first().await, bench.decisions().await), ("approved".to_owned(), 1));
        // Slack sends it again, to whoever listens.
        let again = Signed::interaction(&click, bench.seconds());
        assert_eq!(bench.post("/slack/interactions", &again).await.status, 200);
        assert_eq!(next.work_off().await.unwrap(), 0);
        assert_eq!(bench.decisions().await, 1);
    }
}

#[tokio::test]
async fn what_was_decided_before_the_answer_could_be_given_is_answered_the_same() {
    let bench = Bench::new().await;
    let card = bench.card().await;
    let click = bench.slack.press(ARI, &card, "reeve/approve");
    bench.slack.fail("response_url", Fault::Status(404));
    bench.slack.fail("chat.postEphemeral", Fault::Status(500));
    bench.interact(&click).await;
    assert_eq!(bench.state_of_first().await, "approved", "the decision stands");
    assert!(bench.slack.ephemeral().is_empty());
    assert!(bench.card().await.shown().contains("approved by Ari Approver"), "and everybody sees it");
}
