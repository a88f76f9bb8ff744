//! When Teams is slow, away, or says no: nothing is lost, what can be known to stand there is not put up twice, and what is shown in the
//! end is the newest state.

use std::time::Duration;

use reeve::domain::audit::AuditEntry;
use reeve::store::OutboxState;
use reeve_testing::teams::{Fault, check_card};
use serde_json::json;

use super::bench::{ARI, Bench};
use crate::support::databases::databases;

/// Lets so much time pass that whatever is to be tried again is.
async fn try_again(bench: &Bench, times: usize) {
    for _ in 0..times {
        bench.later(Duration::from_mins(6));
        bench.show().await;
    }
}

/// Somebody has done what was asked for.
async fn enable(bench: &Bench) {
    let now = bench.world.clock.now();
    let entry = AuditEntry::by("ari", "web", now, "destination.enabled", "destination:teams".to_owned());
    bench.world.store.enable_destination("teams", &entry).await.unwrap();
}

#[tokio::test]
async fn what_passes_is_tried_again_and_put_up_once() {
    for (call, fault) in [
        ("begin", Fault::TooMany(Some(7))),
        ("begin", Fault::TooMany(None)),
        ("begin", Fault::Status(412)),
        ("begin", Fault::Status(500)),
        ("begin", Fault::Status(502)),
        ("begin", Fault::Status(504)),
        ("begin", Fault::Drop),
        ("begin", Fault::Hang),
        ("token", Fault::Status(503)),
        ("token", Fault::Drop),
        ("token", Fault::TooMany(Some(5))),
    ] {
        let bench = Bench::new().await;
        bench.teams.fail(call, fault.clone());
        bench.show().await;
        try_again(&bench, 2).await;
        assert_eq!((bench.cards().len(), bench.teams.faults_left()), (1, 0), "{call} {fault:?}");
        let dead = bench.world.store.list_outbox(OutboxState::Dead).await.unwrap();
        assert!(dead.is_empty(), "{call} {fault:?}: {dead:?}");
        bench.press(ARI, &bench.cards()[0], "reeve.approve", &[]).await;
        assert!(bench.card().await.shown().contains("approved by Ari Approver"), "{call} {fault:?}");
    }
}

#[tokio::test]
async fn a_card_whose_answer_is_lost_may_stand_there_twice_and_every_one_of_them_decides_once() {
    let bench = Bench::new().await;
    bench.teams.fail("begin", Fault::LoseAnswer);
    bench.show().await;
    try_again(&bench, 2).await;
    // The connector has no way to look for the first one: that it is there can not be known.
    let cards = bench.cards();
    assert_eq!(cards.len(), 2);
    let said = bench.press(ARI, &cards[0], "reeve.approve", &[]).await;
    assert!(said.contains("Approved"), "the one that nobody knows of decides too: {said}");
    bench.press(ARI, &cards[1], "reeve.approve", &[]).await;
    assert_eq!(bench.decisions().await, 1);
    bench.show().await;
    assert!(bench.cards()[1].shown().contains("approved by Ari Approver"));
}

#[tokio::test]
async fn as_long_as_teams_says_nothing_is_sent() {
    let bench = Bench::new().await;
    bench.teams.fail("begin", Fault::TooMany(Some(120)));
    bench.show().await;
    bench.later(Duration::from_secs(119));
    bench.show().await;
    assert_eq!(bench.teams.calls("begin").len(), 1);
    bench.later(Duration::from_secs(2));
    bench.show().await;
    assert_eq!((bench.teams.calls("begin").len(), bench.cards().len()), (2, 1));
}

#[tokio::test]
async fn a_change_whose_answer_was_lost_and_one_that_fails_are_made_again() {
    for fault in [Fault::LoseAnswer, Fault::TooMany(Some(3)), Fault::Status(502), Fault::Drop, Fault::Hang] {
        let bench = Bench::new().await;
        let card = bench.card().await;
        bench.press(ARI, &card, "reeve.approve", &[]).await;
        bench.teams.fail("put", fault.clone());
        bench.show().await;
        try_again(&bench, 2).await;
        let after = bench.cards();
        assert_eq!((after.len(), &after[0].id), (1, &card.id), "{fault:?}");
        assert!(after[0].shown().contains("approved by Ari Approver"), "{fault:?}");
    }
}

#[tokio::test]
async fn what_is_too_large_is_said_with_less_and_can_still_be_decided() {
    let bench = Bench::new().await;
    let whole = bench.card().await.activity.to_string();
    // The picture goes first, and nothing else with it.
    let no_chart = Bench::new().await;
    no_chart.teams.take_at_most(whole.len() - 400);
    let card = no_chart.card().await;
    assert!(whole.contains("\"Image\"") && !card.shown().contains("\"Image\""));
    assert!(card.shown().contains("The chart is on the page. The page shows"), "{}", card.shown());
    let bytes = card.activity.to_string().len();
    let less = Bench::new().await;
    less.teams.take_at_most(bytes - 400);
    let card = less.card().await;
    check_card(card.card()).unwrap();
    assert!(card.activity.to_string().len() < bytes && card.shown().contains("more on the page"), "{}", card.shown());
    less.press(ARI, &card, "reeve.approve", &[]).await;
    assert_eq!(less.decisions().await, 1);
}

#[tokio::test]
async fn a_card_that_is_refused_is_said_in_plain_text() {
    let bench = Bench::new().await;
    bench.teams.fail("begin", Fault::Says(400, "BadSyntax"));
    bench.show().await;
    let posted = bench.teams.posted().pop().unwrap();
    let text = posted.activity["text"].as_str().unwrap();
    assert!(posted.card().is_null() && text.contains("receipt WH/IN/00012"), "{text}");
    assert!(text.contains("https://reeve.example.com/cases/"), "{text}");
}

#[tokio::test]
async fn what_nobody_can_get_through_waits_until_somebody_has_done_something() {
    for (call, fault, remedy) in [
        ("token", Fault::Says(401, "invalid_client"), "teams.app_secret"),
        ("token", Fault::Says(400, "unauthorized_client"), "teams.app_secret"),
        ("begin", Fault::Says(403, "BotNotInConversationRoster"), "add the app to the team"),
        ("begin", Fault::Says(404, "ConversationNotFound"), "teams.channel"),
    ] {
        let bench = Bench::new().await;
        bench.teams.fail(call, fault.clone());
        bench.show().await;
        try_again(&bench, 3).await;
        assert!(bench.cards().is_empty(), "{fault:?}: nothing more is tried");
        let state = bench.world.store.list_destinations().await.unwrap().remove(0);
        let why = state.disabled_why.unwrap();
        assert!(why.contains(remedy) && why.contains("reeve outbox enable teams"), "{why}");
        assert!(!why.contains("holdout-client-secret"), "{why}");
        enable(&bench).await;
        bench.show().await;
        assert_eq!(bench.cards().len(), 1, "{fault:?}: nothing was lost");
    }
}

#[tokio::test]
async fn what_will_never_be_taken_is_a_dead_letter_and_holds_up_nothing() {
    let bench = Bench::new().await;
    bench.teams.fail("begin", Fault::Says(409, "SomeNewWord"));
    bench.show().await;
    let dead = bench.world.store.list_outbox(OutboxState::Dead).await.unwrap();
    assert_eq!(dead.len(), 1);
    assert!(dead[0].last_error.as_deref().unwrap().contains("SomeNewWord"), "{:?}", dead[0].last_error);
}

#[tokio::test]
async fn a_token_is_asked_for_with_the_secret_and_again_where_it_was_taken_back() {
    let bench = Bench::new().await;
    let card = bench.card().await;
    bench.press(ARI, &card, "reeve.approve", &[]).await;
    bench.show().await;
    assert_eq!(bench.teams.calls("token").len(), 1, "one serves for all");
    let form = bench.teams.calls("token")[0].as_str().unwrap().to_owned();
    assert!(
        form.contains("grant_type=client_credentials")
            && form.contains("scope=https%3A%2F%2Fapi.botframework.com%2F.default"),
        "{form}"
    );
    bench.tell_bot(&bench.teams.write(ARI, "help")).await;
    bench.inbox.work_off().await.unwrap();
    let before = bench.teams.calls("token").len();
    bench.teams.end_tokens();
    bench.tell_bot(&bench.teams.write(ARI, "queue")).await;
    bench.inbox.work_off().await.unwrap();
    assert_eq!(bench.teams.calls("token").len(), before + 1, "it was taken back before its time");
    assert!(bench.teams.posted().pop().unwrap().shown().contains("waits for you"));
}

#[tokio::test]
async fn a_card_that_somebody_deleted_is_put_up_again_while_it_can_be_decided() {
    let bench = Bench::new().await;
    let card = bench.card().await;
    bench.teams.delete(&card.id);
    let filled = [("field.quantity", json!(30)), ("field.date", json!("2026-10-09"))];
    bench.press(ARI, &card, "reeve.edit", &filled).await;
    let again = bench.card().await;
    assert!(again.id != card.id && again.shown().to_lowercase().contains("edited by ari approver"));
    bench.press(super::bench::FAY, &again, "reeve.approve", &[]).await;
    bench.teams.delete(&again.id);
    bench.show().await;
    assert!(bench.cards().is_empty(), "what is over is not put up again");
    assert!(bench.world.store.list_outbox(OutboxState::Dead).await.unwrap().is_empty());
}

#[tokio::test]
async fn before_the_app_is_added_cards_wait_and_after_it_is_taken_out_they_do_too() {
    for db in databases().await {
        let bench = Bench::on(db, |_, _| {}).await;
        bench.tell_bot(&bench.teams.team_changes(ARI, false)).await;
        bench.show().await;
        try_again(&bench, 2).await;
        assert!(bench.teams.calls("begin").is_empty(), "nobody knows where to");
        assert_eq!(bench.world.store.list_outbox(OutboxState::Pending).await.unwrap().len(), 1);
        bench.tell_bot(&bench.teams.team_changes(ARI, true)).await;
        try_again(&bench, 1).await;
        assert_eq!(bench.cards().len(), 1, "and none is lost");
    }
}
