//! What has to be filled in first: inputs on the card, forms as answers, what is wrong with a field, and what follows.

use reeve::domain::decision::RejectReason;
use reeve_testing::teams::{buttons, check_card};
use serde_json::{Value, json};

use super::bench::{ARI, Bench, FAY};

/// The inputs under the button of a card that unfolds them.
fn inputs(card: &Value, title: &str) -> Vec<Value> {
    let actions = card["actions"].as_array().unwrap();
    let unfold = actions.iter().find(|action| action["title"] == title).unwrap_or_else(|| panic!("no {title}: {card}"));
    unfold["card"]["body"].as_array().unwrap().clone()
}

#[tokio::test]
async fn a_rejection_asks_for_its_reason_and_says_what_is_missing() {
    let bench = Bench::new().await;
    let card = bench.card().await;
    let reasons = inputs(card.card(), "Reject…");
    assert_eq!(reasons[0]["choices"].as_array().unwrap().len(), RejectReason::ALL.len());
    for (filled, says) in [
        (vec![("field.reason", json!("missing-context"))], "what context is missing"),
        (vec![("field.reason", json!("because"))], "Choose a reason"),
        (vec![], "Choose a reason"),
    ] {
        let said = bench.press(ARI, &card, "reeve.reject", &filled).await;
        assert!(said.contains(says) && said.contains("activity.message"), "{filled:?}: {said}");
    }
    assert_eq!(bench.decisions().await, 0);
    let filled = [("field.reason", json!("not-worth-it")), ("field.note", json!("we deliver tomorrow"))];
    let said = bench.press(ARI, &card, "reeve.reject", &filled).await;
    assert!(said.contains("Rejected"), "{said}");
    assert_eq!((bench.state_of_first().await.as_str(), bench.decisions().await), ("rejected", 1));
    let kept = bench.world.store.list_decisions(jiff::Timestamp::UNIX_EPOCH).await.unwrap().remove(0);
    assert_eq!((kept.reason, &*kept.note), (Some(RejectReason::NotWorthIt), "we deliver tomorrow"));
    assert!(bench.card().await.shown().contains("rejected by Ari Approver"));
}

#[tokio::test]
async fn an_edit_needs_somebody_else_and_says_what_is_no_quantity() {
    let bench = Bench::new().await;
    let card = bench.card().await;
    let edit = inputs(card.card(), "Change…");
    assert_eq!((&edit[0]["value"], &edit[1]["value"]), (&json!(40), &json!("2026-10-09")));
    for quantity in [json!("many"), json!(0), json!(-3)] {
        let filled = [("field.quantity", quantity.clone()), ("field.date", json!("2026-10-09"))];
        let said = bench.press(ARI, &card, "reeve.edit", &filled).await;
        assert!(said.contains("activity.message"), "{quantity}: {said}");
        assert_eq!(bench.decisions().await, 0, "{quantity}: {said}");
    }
    let filled = [("field.quantity", json!(30)), ("field.date", json!("2026-10-09"))];
    let said = bench.press(ARI, &card, "reeve.edit", &filled).await;
    assert!(said.contains("Somebody else has to approve it"), "{said}");
    let card = bench.card().await;
    let said = bench.press(ARI, &card, "reeve.approve", &[]).await;
    assert!(said.contains("Not counted"), "who changed it does not sign it: {said}");
    let said = bench.press(FAY, &card, "reeve.approve", &[]).await;
    assert!(said.contains("Approved"), "{said}");
}

#[tokio::test]
async fn putting_off_and_asking_somebody_are_filled_in_too() {
    let bench = Bench::new().await;
    let card = bench.card().await;
    let form = bench.invoke(&bench.teams.press(ARI, &card, "reeve.forward", &[])).await;
    check_card(&form["value"]).unwrap();
    let send = buttons(&form["value"], "reeve.forward").pop().unwrap();
    let filled = [("field.to", json!("fay")), ("field.note", json!("is it worth it?"))];
    let said = bench.invoke(&bench.teams.press_button(ARI, &card, &send, &filled)).await;
    assert_eq!(bench.state_of_first().await, "forwarded", "{said}");
    let card = bench.card().await;
    assert!(card.shown().contains("passed on to Fay Finance by Ari Approver"));
    let late = [("field.until", json!("2030-01-01")), ("field.wake", json!("grew"))];
    let said = bench.press(FAY, &card, "reeve.snooze", &late).await;
    assert!(said.contains("activity.message") && bench.state_of_first().await == "forwarded", "{said}");
    let filled = [("field.until", json!("2026-10-12")), ("field.wake", json!("stage"))];
    bench.press(FAY, &card, "reeve.snooze", &filled).await;
    assert_eq!(bench.state_of_first().await, "snoozed");
    let card = bench.card().await;
    assert!(
        card.shown().contains("snoozed until 2026-10-12") && card.buttons("reeve.approve").is_empty(),
        "{}",
        card.shown()
    );
}

#[tokio::test]
async fn why_shows_the_arithmetic_with_its_facts_and_decides_nothing() {
    let bench = Bench::new().await;
    let card = bench.card().await;
    let why = bench.invoke(&bench.teams.press(ARI, &card, "reeve.why", &[])).await;
    check_card(&why["value"]).unwrap();
    let said = why.to_string();
    for part in ["probability that it is real", "NB = 896.68", "unit cost = 7.20", "you can approve it"] {
        assert!(said.contains(part), "{part}: {said}");
    }
    assert!(!said.contains("ignore all rules"), "what a supplier wrote is for the page");
    let back = buttons(&why["value"], "reeve.look").pop().unwrap();
    let again = bench.invoke(&bench.teams.press_button(ARI, &card, &back, &[])).await;
    assert!(!buttons(&again["value"], "reeve.approve").is_empty(), "it leads back to the card: {again}");
    assert_eq!((bench.decisions().await, bench.world.store.count_chat_waiting().await.unwrap()), (0, 0));
}
