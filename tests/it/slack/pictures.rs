//! The chart on a card: uploaded once, and a card is never lost, late or there twice for want of it.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use jiff::Timestamp;
use reeve::cards::chart::ChartData;
use reeve::cards::flow_chart::FlowData;
use reeve::channels::ChartSource;
use reeve::channels::slack::send::SlackSender;
use reeve::config::Config;
use reeve::domain::exception::Subject;
use reeve::ports::Senders;
use reeve::store::OutboxState;
use reeve_testing::slack::{Fault, Posted};
use serde_json::Value;

use super::bench::{ARI, Bench};
use crate::chat::samples;
use crate::support::databases::databases;

/// The picture that a card shows.
fn picture(card: &Posted) -> Option<&Value> {
    card.blocks.iter().find(|block| block["type"] == "image")
}

fn uploads(bench: &Bench) -> usize {
    bench.slack.calls("files.completeUploadExternal").len()
}

/// The first choice is approved, and the card says so.
async fn approved(bench: &Bench) -> Posted {
    bench.interact(&bench.slack.press(ARI, &bench.cards()[0], "reeve/approve")).await;
    let card = bench.card().await;
    assert!(card.shown().contains("approved by Ari Approver"), "{}", card.shown());
    card
}

struct Another;

#[async_trait]
impl ChartSource for Another {
    async fn chart(&self, _: &Subject, _: Timestamp) -> Option<ChartData> {
        Some(samples::chart_data(21))
    }

    async fn flow(&self, _: &Subject) -> Option<FlowData> {
        None
    }
}

#[tokio::test]
async fn a_card_shows_its_chart_which_is_uploaded_once_for_all_changes() {
    for db in databases().await {
        let bench = Bench::on(db, |_| {}).await;
        let card = bench.card().await;
        let files = bench.slack.files();
        let image = picture(&card).unwrap();
        assert_eq!((files.len(), &image["slack_file"]["id"]), (1, &Value::from(&*files[0].id)));
        assert!(files[0].complete && files[0].bytes.starts_with(b"\x89PNG\r\n"));
        assert!(image["alt_text"].as_str().unwrap().starts_with("56 days from "), "{image}");
        assert!(image["title"]["text"].as_str().unwrap().contains("crosses: out of stock"), "{image}");
        assert!(!card.shown().contains("The chart is on the page"));
        // Evidence stands below what is to be decided.
        let at = |kind: &str| card.blocks.iter().position(|block| block["type"] == kind).unwrap();
        assert!(at("image") > at("actions"));
        let after = approved(&bench).await;
        assert_eq!(picture(&after), Some(image));
        assert_eq!((after.updates, uploads(&bench), bench.slack.calls("upload").len()), (1, 1, 1));
    }
}

#[tokio::test]
async fn the_next_process_knows_what_is_up_and_another_picture_is_uploaded() {
    let mut bench = Bench::new().await;
    let first = bench.card().await;
    let config = bench.world.state.config.clone();
    let sender = SlackSender::new(&config.slack, &config.delivery, bench.world.clock.clone());
    bench.deliver.senders = Senders::only(Arc::new(sender));
    let second = approved(&bench).await;
    assert_eq!((picture(&second), uploads(&bench)), (picture(&first), 1), "its receipt says which file it is");
    bench.tell.charts = Arc::new(Another);
    let said = bench.slack.ephemeral().pop().unwrap();
    let undo = &said["blocks"].as_array().unwrap().iter().find(|b| b["type"] == "actions").unwrap()["elements"][0];
    let (id, value) = (undo["action_id"].as_str().unwrap(), undo["value"].as_str().unwrap());
    bench.interact(&bench.slack.press_value(ARI, &second.ts, id, value)).await;
    let third = bench.card().await;
    assert_eq!((&third.ts, uploads(&bench)), (&second.ts, 2));
    assert_eq!(picture(&third).map(|image| image["slack_file"]["id"].clone()), Some("F00000002".into()));
}

#[tokio::test]
async fn where_no_picture_is_to_be_had_the_card_goes_without() {
    for method in ["files.getUploadURLExternal", "upload", "files.completeUploadExternal"] {
        for fault in [Fault::TooMany(Some(7)), Fault::TooMany(None), Fault::Status(500), Fault::Hang, Fault::Drop] {
            let bench = Bench::new().await;
            bench.slack.fail(method, fault.clone());
            let card = bench.card().await;
            assert_eq!((bench.cards().len(), picture(&card), bench.slack.faults_left()), (1, None, 0), "{method} {fault:?}");
            assert!(card.shown().contains("The chart is on the page"), "{method} {fault:?}");
            assert!(!card.buttons("reeve/approve").is_empty(), "it can be decided all the same");
            // It comes with the next change.
            bench.later(Duration::from_mins(1));
            let card = approved(&bench).await;
            assert!(picture(&card).is_some(), "{method} {fault:?}");
            assert!(bench.world.store.list_outbox(OutboxState::Dead).await.unwrap().is_empty());
        }
    }
}

#[tokio::test]
async fn uploads_rest_as_long_as_slack_says_and_cards_do_not() {
    let bench = Bench::new().await;
    bench.slack.fail("files.getUploadURLExternal", Fault::TooMany(Some(600)));
    bench.card().await;
    bench.later(Duration::from_secs(599));
    let card = approved(&bench).await;
    assert_eq!((picture(&card), bench.slack.calls("files.getUploadURLExternal").len()), (None, 1));
}

#[tokio::test]
async fn without_the_scope_cards_go_without_and_it_is_not_asked_for_each() {
    let bench = Bench::new().await;
    bench.slack.grant("chat:write,commands,channels:read,channels:history");
    assert_eq!(picture(&bench.card().await), None);
    assert_eq!(picture(&approved(&bench).await), None);
    assert_eq!(bench.slack.calls("files.getUploadURLExternal").len(), 1);
    let state = bench.world.store.list_destinations().await.unwrap();
    assert!(state.iter().all(|state| state.disabled_why.is_none()), "nothing waits for it: {state:?}");
}

#[tokio::test]
async fn while_slack_looks_through_a_file_the_card_waits_for_some_seconds_and_no_longer() {
    for (refusals, shown) in [(2, true), (100, false)] {
        let bench = Bench::new().await;
        bench.slack.look_through(refusals);
        bench.show().await;
        assert!(bench.cards().is_empty());
        for _ in 0..6 {
            bench.later(Duration::from_secs(3));
            bench.show().await;
        }
        let cards = bench.cards();
        assert_eq!((cards.len(), picture(&cards[0]).is_some(), uploads(&bench)), (1, shown, 1));
        let after = approved(&bench).await;
        assert_eq!((picture(&after).is_some(), uploads(&bench)), (shown, 1), "what was refused is not tried again");
    }
}

#[tokio::test]
async fn an_answer_that_was_lost_makes_no_second_card_and_no_second_file() {
    let bench = Bench::new().await;
    bench.slack.fail("chat.postMessage", Fault::LoseAnswer);
    bench.show().await;
    bench.later(Duration::from_mins(6));
    let card = bench.card().await;
    assert_eq!((bench.cards().len(), uploads(&bench), picture(&card).is_some()), (1, 1, true));
}

#[tokio::test]
async fn charts_can_be_switched_off() {
    let bench = Bench::on(databases().await.remove(0), |config: &mut Config| config.slack.charts = false).await;
    let card = bench.card().await;
    assert_eq!((picture(&card), bench.slack.calls("files.getUploadURLExternal").len()), (None, 0));
    assert!(card.shown().contains("The chart is on the page"));
}
