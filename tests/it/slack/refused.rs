//! What is forged, replayed, late, too large, or from elsewhere changes nothing.

use std::time::Duration;

use reeve_testing::slack::{Signed, signed_at};
use serde_json::{Value, json};

use super::bench::{ARI, Bench, EVE};

/// What the platform's own SDKs took: `http.block_actions.signed`, shortened to what its signature is over.
const SAMPLE_SECONDS: i64 = 1_795_407_327;
const SAMPLE: &str = "{\"token\":\"legacy-verification-token\",\"challenge\":\"3eZbrw1aBm2rZgRNFdxV2595E9CY3gmdALWMmHkvFXO7tYXAYM8P\",\"type\":\"url_verification\"}";
const SAMPLE_SIGNATURE: &str = "v0=81b4a23933f3683647bcd69e0921a468c731c523429a2bd44015e5ea8bf71956";

const FORM: &str = "application/x-www-form-urlencoded";

async fn nothing_changed(bench: &Bench, what: &str) {
    bench.inbox.work_off().await.unwrap();
    assert_eq!((bench.decisions().await, bench.state_of_first().await), (0, "queued".to_owned()), "{what}");
}

fn with(payload: &Value, pointer: &str, value: &str) -> Value {
    let mut changed = payload.clone();
    *changed.pointer_mut(pointer).unwrap() = value.into();
    changed
}

#[tokio::test]
async fn the_handshake_that_others_signed_is_answered() {
    let bench = Bench::new().await;
    bench.world.clock.set(jiff::Timestamp::from_second(SAMPLE_SECONDS).unwrap());
    let headers = [
        ("content-type", "application/json"),
        ("x-slack-request-timestamp", "1795407327"),
        ("x-slack-signature", SAMPLE_SIGNATURE),
    ];
    let headers = headers.map(|(name, value)| (name.to_owned(), value.to_owned())).to_vec();
    let answer = bench.post("/slack/events", &Signed { headers, body: SAMPLE.to_owned() }).await;
    let said: Value = serde_json::from_str(&answer.body).unwrap();
    assert_eq!((answer.status, said["challenge"].as_str().unwrap().len()), (200, 52));
}

#[tokio::test]
async fn what_is_not_signed_by_slack_and_now_is_refused() {
    let bench = Bench::new().await;
    let card = bench.card().await;
    let click = bench.slack.press(ARI, &card, "reeve/approve");
    let now = bench.seconds();
    let body = Signed::interaction(&click, now).body;
    let signed = |secret: &str, seconds: i64| signed_at(secret, seconds, FORM, body.clone());
    let ours = "holdout-signing-secret";
    let mut table = vec![
        ("forged", signed("another-secret", now), 401),
        ("without a secret", signed("", now), 401),
        ("late", signed(ours, now - 301), 401),
        ("from the future", signed(ours, now + 301), 401),
        ("unsigned", Signed { headers: vec![], body: body.clone() }, 401),
        ("changed after it was signed", Signed { body: format!("{body}&x=1"), ..signed(ours, now) }, 401),
        ("no payload", signed_at(ours, now, FORM, "x=1".to_owned()), 400),
        ("no JSON", signed_at(ours, now, FORM, "payload=%7B".to_owned()), 400),
    ];
    let mut twice = signed(ours, now);
    let signature = twice.headers.iter().find(|(name, _)| name == "x-slack-signature").unwrap().clone();
    twice.headers.push(signature);
    table.push(("signed twice", twice, 401));
    let large = format!("payload=%7B%7D&x={}", "a".repeat(600 * 1024));
    table.push(("oversized", signed_at(ours, now, FORM, large), 413));
    for (what, signed, status) in table {
        assert_eq!(bench.post("/slack/interactions", &signed).await.status, status, "{what}");
        nothing_changed(&bench, what).await;
    }
    // The same request within its time is known: it was kept once.
    bench.later(Duration::from_secs(299));
    assert_eq!(bench.post("/slack/interactions", &signed(ours, now)).await.status, 200);
    assert_eq!(bench.post("/slack/interactions", &signed(ours, now)).await.status, 200);
    bench.inbox.work_off().await.unwrap();
    assert_eq!(bench.decisions().await, 1);
}

#[tokio::test]
async fn what_comes_from_elsewhere_or_is_about_something_else_changes_nothing() {
    let bench = Bench::new().await;
    let card = bench.card().await;
    let click = bench.slack.press(ARI, &card, "reeve/approve");
    let value: Value = serde_json::from_str(click["actions"][0]["value"].as_str().unwrap()).unwrap();
    let button = |field: &str, text: Value| {
        let mut changed = value.clone();
        changed[field] = text;
        with(&click, "/actions/0/value", &changed.to_string())
    };
    let table = [
        ("another workspace", with(&click, "/team/id", "T000000002"), 403, ""),
        ("a user of another workspace", with(&click, "/user/team_id", "T000000002"), 403, ""),
        ("another app", with(&click, "/api_app_id", "A0OTHER"), 403, ""),
        ("an unknown user", with(&click, "/user/id", EVE), 200, "does not know who you are"),
        ("no user", with(&click, "/user/id", ""), 200, ""),
        ("an unknown case", button("r", json!("r-unknown")), 200, "knows nothing of this card"),
        ("an id that is none", button("r", json!("'; drop table cases")), 200, "knows nothing of this card"),
        ("another content", button("h", json!("0".repeat(64))), 200, "the facts changed"),
        ("another verb", button("v", json!("drill")), 200, ""),
        ("a merge", button("v", json!("merge")), 200, ""),
        ("a value that is none", with(&click, "/actions/0/value", "R-1042:3"), 200, ""),
        ("a button of another app", with(&click, "/actions/0/action_id", "rec_approve"), 200, ""),
        ("another type", with(&click, "/type", "message_action"), 200, ""),
    ];
    for (n, (what, payload, status, says)) in table.into_iter().enumerate() {
        let before = bench.slack.ephemeral().len();
        // Each is a click of its own.
        let payload = with(&payload, "/trigger_id", &format!("trigger-{n}"));
        assert_eq!(bench.interact(&payload).await.status, status, "{what}");
        let said = if bench.slack.ephemeral().len() > before { bench.slack.last_said() } else { String::new() };
        assert!(said.contains(says) && said.is_empty() == says.is_empty(), "{what}: {said:?}");
        nothing_changed(&bench, what).await;
    }
}

#[tokio::test]
async fn an_answer_is_sent_to_slack_and_to_nobody_else() {
    let bench = Bench::new().await;
    let card = bench.card().await;
    let other = reeve_testing::endpoint::Endpoint::saying(reeve_testing::endpoint::Says::status(200)).await;
    let click = with(&bench.slack.press(ARI, &card, "reeve/approve"), "/response_url", &format!("{}/actions/x", other.url));
    bench.interact(&click).await;
    assert_eq!(bench.state_of_first().await, "approved");
    assert!(other.asked().is_empty(), "nobody else hears of it");
    assert_eq!(bench.slack.calls("chat.postEphemeral").len(), 1, "it is answered in the channel");
}

#[tokio::test]
async fn a_click_on_what_has_changed_since_and_a_link_that_ended_are_refused() {
    let bench = Bench::new().await;
    let card = bench.card().await;
    let edit = bench.slack.press(ARI, &card, "reeve/edit");
    bench.interact(&edit).await;
    let form = bench.slack.send_form(ARI, &[("quantity", "30"), ("date", "2026-10-09")]);
    assert_eq!(bench.interact(&form).await.body, "");
    assert_eq!(bench.decisions().await, 1, "{}", bench.slack.last_said());
    // The card as it was before the edit.
    bench.interact(&bench.slack.press("UFAY", &card, "reeve/approve")).await;
    assert!(bench.slack.last_said().contains("the facts changed"), "{}", bench.slack.last_said());
    let newer = bench.card().await;
    assert!(
        newer.shown().contains("30") && newer.shown().to_lowercase().contains("edited by ari approver"),
        "{}",
        newer.shown()
    );
    bench.later(Duration::from_hours(24 * 400));
    bench.interact(&bench.slack.press("UFAY", &newer, "reeve/approve")).await;
    assert!(bench.slack.last_said().contains("ended on"), "{}", bench.slack.last_said());
    assert_eq!(bench.decisions().await, 1);
}
