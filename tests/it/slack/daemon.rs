//! The real program with a workspace beside it: a made-up retailer is looked at, its cases are put up, and people decide there, also while the
//! program is killed.

use reeve::people::ChatChannel;
use reeve_testing::slack::{self as workspace, Posted, Slack};
use serde_json::Value;

use crate::chat::program::{Installed, until};

fn settings(slack: &Slack) -> String {
    format!(
        "[slack]\napi_base = \"{}\"\nbot_token = \"{}\"\napp_token = \"{}\"\nteam = \"{}\"\napp_id = \"{}\"\nchannel = \"{}\"\n\
         per_second = 1000.0\nburst = 1000\nupdates_per_minute = 60000\n",
        slack.api,
        workspace::BOT,
        workspace::APP,
        workspace::TEAM,
        workspace::APP_ID,
        workspace::CHANNEL
    )
}

fn cards(slack: &Slack) -> Vec<Posted> {
    let is_card = |p: &Posted| p.metadata["event_payload"]["shows"].as_str().is_some_and(|shows| shows.starts_with("case:"));
    slack.posted().into_iter().filter(is_card).collect()
}

fn id_of(click: &Value) -> String {
    format!("slack/action/{}", click["trigger_id"].as_str().unwrap())
}

#[tokio::test(flavor = "multi_thread")]
async fn cases_are_put_up_and_decided_and_a_killed_program_loses_no_click() {
    let slack = Slack::start().await;
    let shop = Installed::with(&settings(&slack), ChatChannel::Slack, workspace::TEAM, "UDAN").await;
    let store = &shop.store;
    let mut process = shop.serve();
    let first = until("a card is put up", async || cards(&slack).into_iter().next()).await;
    until("a socket is open", async || slack.links().newest()).await;

    // A click, all the way: acknowledged, decided, shown.
    let click = slack.press("UDAN", &first, "reeve/approve");
    slack.links().deliver("interactive", &click).await;
    let outcome = until("the click is dealt with", async || store.find_chat_outcome(&id_of(&click)).await.unwrap()).await;
    until("the answer is given", async || slack.ephemeral().pop()).await;
    if outcome == "approve: approved" {
        until("the card says so", async || {
            cards(&slack).into_iter().find(|card| card.ts == first.ts && card.shown().contains("approved by Dan Director"))
        })
        .await;
    }

    // Others, each acknowledged; the program is killed as soon as it has said so.
    let mut killed = Vec::new();
    for card in cards(&slack).into_iter().filter(|card| card.ts != first.ts).take(3) {
        let decide = slack.press("UDAN", &card, "reeve/approve");
        slack.links().deliver("interactive", &decide).await;
        process.killed();
        killed.push(decide);
        // Else the dead program's socket could still be taken for the next one's.
        slack.links().until(|links| links.newest().is_none()).await;
        process = shop.serve();
        slack.links().until(|links| links.newest().is_some()).await;
    }
    for click in &killed {
        let id = id_of(click);
        until(&format!("{id} is done by the next program"), async || store.find_chat_outcome(&id).await.unwrap()).await;
    }
    shop.is_sound().await;
    let mut shown: Vec<String> =
        cards(&slack).iter().map(|card| card.metadata["event_payload"]["shows"].as_str().unwrap().to_owned()).collect();
    let all = shown.len();
    shown.sort();
    shown.dedup();
    assert_eq!(shown.len(), all, "no card is there twice");
    process.killed();
}
