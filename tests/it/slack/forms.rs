//! What has to be filled in first: forms, what is wrong with a field, and what follows.

use reeve::domain::decision::RejectReason;
use serde_json::Value;

use super::bench::{ARI, Bench, FAY};

async fn open(bench: &Bench, user: &str, button: &str) -> Value {
    let card = bench.card().await;
    bench.interact(&bench.slack.press(user, &card, button)).await;
    bench.slack.views().pop().unwrap_or_else(|| panic!("no form for {button}: {}", bench.slack.last_said()))
}

#[tokio::test]
async fn a_rejection_asks_for_its_reason_and_says_at_which_field_something_is_missing() {
    let bench = Bench::new().await;
    let view = open(&bench, ARI, "reeve/reject").await;
    let private = view["private_metadata"].as_str().unwrap();
    assert!(private.contains(&bench.world.recommendations[0].content_hash()) && private.len() < 3_000);
    let options = view["blocks"].as_array().unwrap().iter().find(|b| b["element"]["action_id"] == "reason").unwrap();
    assert_eq!(options["element"]["options"].as_array().unwrap().len(), RejectReason::ALL.len());

    let missing = bench.slack.send_form(ARI, &[("reason", "missing-context")]);
    let answer: Value = serde_json::from_str(&bench.interact(&missing).await.body).unwrap();
    assert_eq!(answer["response_action"], "errors");
    assert!(answer["errors"]["reeve/field/note"].as_str().unwrap().contains("what context is missing"), "{answer}");
    let none = bench.slack.send_form(ARI, &[("reason", "because")]);
    let answer: Value = serde_json::from_str(&bench.interact(&none).await.body).unwrap();
    assert!(answer["errors"]["reeve/field/reason"].is_string(), "{answer}");
    assert_eq!(bench.decisions().await, 0);

    let form = bench.slack.send_form(ARI, &[("reason", "not-worth-it"), ("note", "we deliver tomorrow")]);
    let answer = bench.interact(&form).await;
    assert_eq!((answer.status, &*answer.body), (200, ""), "the form closes");
    assert_eq!((bench.state_of_first().await, bench.decisions().await), ("rejected".to_owned(), 1));
    let kept = bench.world.store.list_decisions(jiff::Timestamp::UNIX_EPOCH).await.unwrap().remove(0);
    assert_eq!((kept.reason, &*kept.note), (Some(RejectReason::NotWorthIt), "we deliver tomorrow"));
    assert!(bench.slack.last_said().starts_with("Rejected"), "{}", bench.slack.last_said());
    assert!(bench.card().await.shown().contains("rejected by Ari Approver"));
}

#[tokio::test]
async fn an_edit_needs_somebody_else_and_says_what_is_no_quantity() {
    let bench = Bench::new().await;
    let view = open(&bench, ARI, "reeve/edit").await.to_string();
    assert!(view.contains("\"initial_value\":\"40\"") && view.contains("2026-10-09"), "{view}");
    for (quantity, says) in [("many", "is not a quantity"), ("0", ""), ("-3", "")] {
        let form = bench.slack.send_form(ARI, &[("quantity", quantity), ("date", "2026-10-09")]);
        let answer: Value = serde_json::from_str(&bench.interact(&form).await.body).unwrap();
        let said = answer["errors"]["reeve/field/quantity"].as_str().unwrap_or_else(|| panic!("{quantity}: {answer}"));
        assert!(said.contains(says), "{said}");
    }
    bench.interact(&bench.slack.send_form(ARI, &[("quantity", "30"), ("date", "2026-10-09")])).await;
    assert!(bench.slack.last_said().contains("Somebody else has to approve it"), "{}", bench.slack.last_said());
    let card = bench.card().await;
    bench.interact(&bench.slack.press(ARI, &card, "reeve/approve")).await;
    assert!(
        bench.slack.last_said().starts_with("Not counted"),
        "who changed it does not sign it: {}",
        bench.slack.last_said()
    );
    bench.interact(&bench.slack.press(FAY, &card, "reeve/approve")).await;
    assert!(bench.slack.last_said().starts_with("Approved"), "{}", bench.slack.last_said());
}

#[tokio::test]
async fn putting_off_and_asking_somebody_are_forms_too() {
    let bench = Bench::new().await;
    open(&bench, ARI, "reeve/forward").await;
    bench.interact(&bench.slack.send_form(ARI, &[("to", "fay"), ("note", "is it worth it?")])).await;
    assert_eq!(bench.state_of_first().await, "forwarded", "{}", bench.slack.last_said());
    assert!(bench.card().await.shown().contains("passed on to Fay Finance by Ari Approver"));
    open(&bench, FAY, "reeve/snooze").await;
    let late = bench.slack.send_form(FAY, &[("until", "2030-01-01"), ("wake", "grew")]);
    let answer: Value = serde_json::from_str(&bench.interact(&late).await.body).unwrap();
    assert!(answer["errors"]["reeve/field/until"].is_string(), "{answer}");
    bench.interact(&bench.slack.send_form(FAY, &[("until", "2026-10-12"), ("wake", "stage")])).await;
    assert_eq!(bench.state_of_first().await, "snoozed", "{}", bench.slack.last_said());
    let card = bench.card().await;
    assert!(
        card.shown().contains("snoozed until 2026-10-12") && card.buttons("reeve/approve").is_empty(),
        "{}",
        card.shown()
    );
}

#[tokio::test]
async fn why_shows_the_arithmetic_with_its_facts_and_decides_nothing() {
    let bench = Bench::new().await;
    let view = open(&bench, ARI, "reeve/why").await;
    assert!(view["submit"].is_null());
    let said = view.to_string();
    for part in ["probability that it is real", "NB = 896.68", "unit cost = 7.20", "you can approve it"] {
        assert!(said.contains(part), "{part}: {said}");
    }
    assert!(!said.contains("ignore all rules"), "what a supplier wrote is for the page");
    assert_eq!(bench.decisions().await, 0);
    assert_eq!(bench.world.store.count_chat_waiting().await.unwrap(), 0);
}

#[tokio::test]
async fn a_form_that_can_not_be_opened_in_time_is_told() {
    let bench = Bench::new().await;
    let card = bench.card().await;
    let click = bench.slack.press(ARI, &card, "reeve/reject");
    bench.slack.fail("views.open", reeve_testing::slack::Fault::Says("expired_trigger_id"));
    bench.interact(&click).await;
    assert!(bench.slack.last_said().contains("press the button again"), "{}", bench.slack.last_said());
}
