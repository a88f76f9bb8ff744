//! The real program with a workspace beside it: a made-up retailer is looked at, its cases are put up, and people decide there, also while the
//! program is killed.

use std::time::{Duration, Instant};

use reeve::config::Config;
use reeve::domain::ids::PersonId;
use reeve::people::{By, ChatChannel, ChatUser, Identities};
use reeve::store::Store;
use reeve_testing::slack::{self as workspace, Posted, Slack};
use serde_json::Value;

use crate::support::binary::{reeve, started};
use crate::support::databases::databases;

/// The morning after the last day of the retailer's records.
const STANDS_AT: &str = "2026-10-09T06:10:00Z";

/// How long anything may take before it counts as stuck.
const STUCK: Duration = Duration::from_mins(4);

/// Waits until something is there.
async fn until<T>(what: &str, look: impl AsyncFn() -> Option<T>) -> T {
    let began = Instant::now();
    loop {
        if let Some(found) = look().await {
            return found;
        }
        assert!(began.elapsed() < STUCK, "{what}");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

fn settings(slack: &Slack, store: &str) -> String {
    format!(
        "[store]\nurl = \"{store}\"\n[web]\nlisten = \"127.0.0.1:0\"\n[worker]\nperiod = \"200ms\"\nlease = \"2s\"\n\
         [slack]\napi_base = \"{}\"\nbot_token = \"{}\"\napp_token = \"{}\"\nteam = \"{}\"\napp_id = \"{}\"\nchannel = \"{}\"\n\
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
    let (db, slack, folder) = (databases().await.remove(0), Slack::start().await, tempfile::tempdir().unwrap());
    let file = folder.path().join("reeve.toml");
    std::fs::write(&file, settings(&slack, &db.store_url())).unwrap();
    let (file, log) = (file.to_str().unwrap().to_owned(), folder.path().join("reeve.log"));
    let store = Store::open_and_migrate(&db.store_url()).await.unwrap();
    let size = ["--items", "12", "--locations", "3", "--days", "100", "--injected", "0.3", "--seed", "5"];
    reeve(&[&["--store", &db.store_url(), "lab", "retailer"], size.as_slice()].concat(), &[]).fine();
    let began = reeve::clock::Clock::System.now();
    store.put_setting("demo.stands_at", &format!("{STANDS_AT} {began}")).await.unwrap();

    let config = std::sync::Arc::new(Config::load_from(Some(std::path::Path::new(&file)), &[]).unwrap());
    let identities = Identities { store: store.clone(), config, clock: reeve::clock::Clock::System };
    let by = By { actor: "dan", channel: "web" };
    let code = identities.invite(&PersonId::new("dan"), ChatChannel::Slack, by).await.unwrap().code;
    let user = ChatUser::new(ChatChannel::Slack, workspace::TEAM, "UDAN").unwrap();
    identities.confirm(&user, &code).await.unwrap();

    let start = || started(&["--config", &file, "serve"], &log);
    let mut process = start();
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
        process.kill().unwrap();
        process.wait().unwrap();
        killed.push(decide);
        // Else the dead program's socket could still be taken for the next one's.
        slack.links().until(|links| links.newest().is_none()).await;
        process = start();
        slack.links().until(|links| links.newest().is_some()).await;
    }
    for click in &killed {
        let id = id_of(click);
        until(&format!("{id} is done by the next program"), async || store.find_chat_outcome(&id).await.unwrap()).await;
    }
    // Each decided at most once, and the log says what the tables say.
    let decisions = store.list_decisions(jiff::Timestamp::UNIX_EPOCH).await.unwrap();
    let mut about: Vec<_> = decisions.iter().map(|decision| decision.recommendation_id.clone()).collect();
    about.sort();
    about.dedup();
    assert_eq!(about.len(), decisions.len());
    let mut shown: Vec<String> =
        cards(&slack).iter().map(|card| card.metadata["event_payload"]["shows"].as_str().unwrap().to_owned()).collect();
    let all = shown.len();
    shown.sort();
    shown.dedup();
    assert_eq!(shown.len(), all, "no card is there twice");
    store.verify_audit().await.unwrap();
    process.kill().unwrap();
    process.wait().unwrap();
}
