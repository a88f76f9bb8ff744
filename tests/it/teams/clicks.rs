//! A button decides once, on both databases, and everybody sees it.

use reeve_testing::teams::{Posted, buttons};
use serde_json::{Value, json};

use super::bench::{ARI, Bench, EVE, FAY};
use crate::support::databases::databases;

const CARD: &str = "application/vnd.microsoft.card.adaptive";

#[tokio::test]
async fn a_signed_press_approves_once_and_the_card_says_so() {
    for db in databases().await {
        let bench = Bench::on(db, |_, _| {}).await;
        let card = bench.card().await;
        assert!(
            card.shown().contains("TRANSFER from Central Warehouse") && card.shown().contains("USD 896.68"),
            "{}",
            card.shown()
        );
        let activity = bench.teams.press(ARI, &card, "reeve.approve", &[]);
        let mut answers = Vec::new();
        for _ in 0..2 {
            answers.push(bench.invoke(&activity).await);
        }
        assert_eq!(answers[0], answers[1], "the same delivered again is answered the same");
        assert_eq!((&answers[0]["statusCode"], &answers[0]["type"]), (&json!(200), &json!(CARD)));
        let said = answers[0]["value"].to_string();
        assert!(said.contains("Approved") && said.contains("it can be undone"), "{said}");
        reeve_testing::teams::check_card(&answers[0]["value"]).unwrap();
        assert_eq!((bench.state_of_first().await.as_str(), bench.decisions().await), ("approved", 1));
        let subject = format!("recommendation:{}", bench.world.recommendations[0].id);
        let log = bench.world.store.list_audit_of(&subject).await.unwrap();
        let approved = log.iter().find(|e| e.entry.action == "recommendation.approved").unwrap();
        assert_eq!((&*approved.entry.actor, &*approved.entry.channel), ("ari", "teams"));

        let after = bench.card().await;
        assert_eq!((&after.id, after.updates), (&card.id, 1), "changed in place, for everybody");
        assert!(after.shown().contains("approved by Ari Approver"), "{}", after.shown());
        assert!(after.buttons("reeve.approve").is_empty(), "nothing is left to decide");
        assert_eq!(bench.cards().len(), 1);
        bench.world.store.verify_audit().await.unwrap();
    }
}

#[tokio::test]
async fn a_second_press_of_one_button_is_the_same_decision() {
    let bench = Bench::new().await;
    let card = bench.card().await;
    let mut answers = Vec::new();
    for _ in 0..2 {
        // Each with a name of its own.
        answers.push(bench.press(ARI, &card, "reeve.approve", &[]).await);
    }
    assert_eq!(bench.decisions().await, 1);
    assert_eq!(answers[0], answers[1], "answered the same");
}

#[tokio::test]
async fn a_press_that_comes_twice_at_once_is_one_and_both_are_answered() {
    for db in databases().await {
        let bench = Bench::on(db, |_, _| {}).await;
        let card = bench.card().await;
        let activity = bench.teams.press(ARI, &card, "reeve.approve", &[]);
        let (first, second, third) = tokio::join!(bench.invoke(&activity), bench.invoke(&activity), bench.invoke(&activity));
        assert_eq!((&first, &first), (&second, &third));
        assert!(first.to_string().contains("Approved"), "{first}");
        assert_eq!(bench.decisions().await, 1);
    }
}

#[tokio::test]
async fn an_undo_brings_the_buttons_back_and_a_press_on_them_is_a_new_one() {
    let bench = Bench::new().await;
    let card = bench.card().await;
    let said = bench.invoke(&bench.teams.press(ARI, &card, "reeve.approve", &[])).await;
    let undo = buttons(&said["value"], "reeve.undo").pop().unwrap();
    bench.show().await;
    let said = bench.invoke(&bench.teams.press_button(ARI, &card, &undo, &[])).await;
    assert_eq!(bench.state_of_first().await, "queued", "{said}");
    let back = bench.card().await;
    assert!(!back.buttons("reeve.approve").is_empty());
    bench.press(ARI, &back, "reeve.approve", &[]).await;
    assert_eq!((bench.state_of_first().await.as_str(), bench.decisions().await), ("approved", 3));
    assert_eq!((bench.cards().len(), &bench.card().await.id), (1, &card.id), "all in place");
}

#[tokio::test]
async fn each_person_sees_what_they_may_do_and_can_take_back() {
    let bench = Bench::new().await;
    let card = bench.card().await;
    assert!(card.card()["refresh"].is_null(), "nobody was heard yet");
    bench.write(ARI, "help").await;
    bench.write(FAY, "help").await;
    bench.write(EVE, "help").await;
    bench.press(ARI, &card, "reeve.approve", &[]).await;
    let card = bench.card().await;
    let asked: Vec<&str> =
        card.card()["refresh"]["userIds"].as_array().unwrap().iter().map(|user| user.as_str().unwrap()).collect();
    assert_eq!(asked.len(), 2, "who is not linked is not asked: {asked:?}");
    let look = async |user: &str| bench.invoke(&bench.teams.look(user, &card)).await;
    let (ari, fay, eve) = (look(ARI).await, look(FAY).await, look(EVE).await);
    assert_eq!(buttons(&ari["value"], "reeve.undo").len(), 1, "{ari}");
    assert!(buttons(&fay["value"], "reeve.undo").is_empty() && fay["type"] == CARD, "{fay}");
    assert_eq!((&eve["statusCode"], eve["value"]["code"].as_str()), (&json!(403), Some("Forbidden")), "{eve}");
    for shown in [&ari, &fay] {
        reeve_testing::teams::check_card(&shown["value"]).unwrap();
    }
    assert_eq!(bench.decisions().await, 1, "looking decides nothing");
}

#[tokio::test]
async fn whoever_is_not_linked_is_told_how_and_then_decides() {
    let bench = Bench::new().await;
    let card = bench.card().await;
    let said = bench.press(EVE, &card, "reeve.approve", &[]).await;
    assert!(said.contains("open /me on Reeve's page") && said.contains("activity.message"), "{said}");
    assert_eq!(bench.decisions().await, 0);
    let code = bench.code("dan", reeve::people::ChatChannel::Teams).await;
    let wrong = bench.write(EVE, "link ABCD-EFGH").await;
    assert!(wrong.to_lowercase().contains("code"), "{wrong}");
    let said = bench.write(EVE, &format!("link {code}")).await;
    assert!(said.contains("You are Dan Director here"), "{said}");
    let said = bench.press(EVE, &card, "reeve.approve", &[]).await;
    assert!(said.contains("Approved"), "{said}");
    assert!(bench.card().await.shown().contains("approved by Dan Director"));
}

/// What stands in the answer as a text.
fn text(answer: &Value) -> String {
    answer["value"].to_string()
}

#[tokio::test]
async fn an_old_button_says_how_it_stands_now() {
    let bench = Bench::new().await;
    let old: Posted = bench.card().await;
    let said = bench.invoke(&bench.teams.press(ARI, &old, "reeve.approve", &[])).await;
    let undo = buttons(&said["value"], "reeve.undo").pop().unwrap();
    bench.invoke(&bench.teams.press_button(ARI, &old, &undo, &[])).await;
    // The card that was not refreshed: its press was counted before, and was taken back since.
    let said = text(&bench.invoke(&bench.teams.press(ARI, &old, "reeve.approve", &[])).await);
    assert!(said.contains("Nothing was done now") && said.contains("It is queued"), "{said}");
    assert_eq!(bench.state_of_first().await, "queued");
}
