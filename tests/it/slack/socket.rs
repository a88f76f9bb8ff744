//! Socket Mode: clicks without a public address.

use std::sync::Arc;

use reeve::channels::listen_to_chats;
use reeve_testing::slack::{Fault, Slack};
use serde_json::{Value, json};
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

use super::bench::{ARI, Bench, config};
use crate::support::databases::databases;

struct Listening {
    bench: Bench,
    stop: CancellationToken,
    task: JoinHandle<()>,
}

impl Listening {
    async fn start() -> Self {
        let slack = Slack::start().await;
        Self::of(slack).await
    }

    async fn of(slack: Slack) -> Self {
        let config = config(&slack, "socket");
        let bench = Bench::of(databases().await.remove(0), slack, config).await;
        let stop = CancellationToken::new();
        #[expect(clippy::disallowed_methods, reason = "ends with the test, which waits for it")]
        let task = tokio::spawn(listen_to_chats(bench.world.state.clone(), stop.clone()));
        bench.slack.links().until(|links| links.newest().is_some()).await;
        Self { bench, stop, task }
    }

    /// Waits until a request was dealt with.
    async fn dealt_with(&self, payload: &Value) -> String {
        let id = format!("slack/action/{}", payload["trigger_id"].as_str().unwrap());
        loop {
            if let Some(outcome) = self.bench.world.store.find_chat_outcome(&id).await.unwrap() {
                return outcome;
            }
            tokio::task::yield_now().await;
        }
    }

    async fn finish(self) {
        self.stop.cancel();
        self.task.await.unwrap();
    }
}

#[tokio::test]
async fn a_click_by_the_socket_is_acknowledged_and_approves_once() {
    let it = Listening::start().await;
    let card = it.bench.card().await;
    let click = it.bench.slack.press(ARI, &card, "reeve/approve");
    for _ in 0..2 {
        let ack = it.bench.slack.links().deliver("interactive", &click).await;
        assert!(ack["payload"].is_null(), "{ack}");
    }
    assert_eq!(it.dealt_with(&click).await, "approve: approved");
    assert_eq!((it.bench.state_of_first().await, it.bench.decisions().await), ("approved".to_owned(), 1));
    assert!(it.bench.card().await.shown().contains("approved by Ari Approver"));
    it.finish().await;
}

#[tokio::test]
async fn forms_commands_and_events_come_by_the_socket_too() {
    let it = Listening::start().await;
    let links = it.bench.slack.links();
    let card = it.bench.card().await;
    let click = it.bench.slack.press(ARI, &card, "reeve/reject");
    links.deliver("interactive", &click).await;
    it.dealt_with(&click).await;
    let missing = it.bench.slack.send_form(ARI, &[("reason", "missing-context")]);
    let ack = links.deliver("interactive", &missing).await;
    assert_eq!(ack["payload"]["response_action"], "errors");
    let form = it.bench.slack.send_form(ARI, &[("reason", "not-real")]);
    let ack = links.deliver("interactive", &form).await;
    assert!(ack["payload"].is_null(), "{ack}");
    assert_eq!(it.bench.state_of_first().await, "rejected", "it was done by then");
    links.deliver("slash_commands", &it.bench.slack.command(ARI, "queue")).await;
    links.deliver("events_api", &it.bench.slack.open_home(ARI)).await;
    links.deliver("something_new", &json!({ "type": "something_new" })).await;
    while it.bench.slack.home(ARI).is_none() || it.bench.world.store.count_chat_waiting().await.unwrap() > 0 {
        tokio::task::yield_now().await;
    }
    it.finish().await;
}

#[tokio::test]
async fn what_comes_from_another_workspace_is_acknowledged_and_does_nothing() {
    let it = Listening::start().await;
    let card = it.bench.card().await;
    let mut click = it.bench.slack.press(ARI, &card, "reeve/approve");
    click["team"]["id"] = "T000000002".into();
    it.bench.slack.links().deliver("interactive", &click).await;
    assert_eq!(it.bench.world.store.count_chat_waiting().await.unwrap(), 0);
    assert_eq!(it.bench.decisions().await, 0);
    it.finish().await;
}

#[tokio::test]
async fn when_a_socket_is_to_be_renewed_the_new_one_is_open_first() {
    let it = Listening::start().await;
    let links = it.bench.slack.links();
    let old = links.newest().unwrap();
    old.refresh();
    links.until(|links| links.opened() == 2).await;
    let card = it.bench.card().await;
    // What had been sent its way before is still heard there.
    let click = it.bench.slack.press(ARI, &card, "reeve/approve");
    let envelope = links.envelope("interactive", &click);
    old.send(envelope.clone());
    links.until(|links| links.ack(envelope["envelope_id"].as_str().unwrap()).is_some()).await;
    assert_eq!(it.dealt_with(&click).await, "approve: approved");
    old.close();
    links.until(|links| links.open() == [2]).await;
    // The new one hears, too: the same click again is the same.
    links.deliver("interactive", &click).await;
    assert_eq!(it.bench.decisions().await, 1);
    it.finish().await;
}

#[tokio::test]
async fn a_socket_that_closes_in_the_middle_of_a_click_loses_nothing() {
    let it = Listening::start().await;
    let links = it.bench.slack.links();
    let card = it.bench.card().await;
    let click = it.bench.slack.press(ARI, &card, "reeve/approve");
    let envelope = links.envelope("interactive", &click);
    let first = links.newest().unwrap();
    first.send(envelope.clone());
    first.close();
    // The next ways to open one fail first.
    it.bench.slack.fail("apps.connections.open", Fault::Status(503));
    it.bench.slack.fail("apps.connections.open", Fault::TooMany(Some(0)));
    links.until(|links| links.newest().is_some_and(|link| link.number > first.number)).await;
    // Slack had no acknowledgement, so it comes again.
    let mut again = envelope.clone();
    again["retry_attempt"] = 1.into();
    let id = envelope["envelope_id"].as_str().unwrap().to_owned();
    let before = links.acks().len();
    links.newest().unwrap().send(again);
    links.until(|links| links.acks().len() > before && links.ack(&id).is_some()).await;
    assert_eq!(it.dealt_with(&click).await, "approve: approved");
    assert_eq!(it.bench.decisions().await, 1);
    it.finish().await;
}

#[tokio::test]
async fn what_was_acknowledged_by_another_process_is_taken_up_at_the_start() {
    let slack = Slack::start().await;
    let config = config(&slack, "socket");
    let bench = Bench::of(databases().await.remove(0), slack, config).await;
    let card = bench.card().await;
    let click = bench.slack.press(ARI, &card, "reeve/approve");
    let reeve::channels::slack::wire::Came::Asked(heard) =
        reeve::channels::slack::wire::interaction(&click, &bench.world.state.config.slack)
    else {
        panic!("a click")
    };
    bench.inbox.keep(&heard).await.unwrap();
    let stop = CancellationToken::new();
    #[expect(clippy::disallowed_methods, reason = "ends with the test, which waits for it")]
    let task = tokio::spawn(listen_to_chats(bench.world.state.clone(), stop.clone()));
    let bench = Arc::new(bench);
    while bench.world.store.find_chat_outcome(&heard.id).await.unwrap().is_none() {
        tokio::task::yield_now().await;
    }
    assert_eq!(bench.state_of_first().await, "approved");
    stop.cancel();
    task.await.unwrap();
}
