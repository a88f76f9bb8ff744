//! What executors report, over real HTTP: what is kept, what is refused, and what people see of it. The n8n flow of
//! `config/n8n` takes and reports what is really signed.

use std::io::Write as _;
use std::process::{Command, Stdio};
use std::time::Duration;

use base64::Engine as _;
use reeve::adapters::webhook::SignedWebhook;
use reeve::clock::Clock;
use reeve::config::Config;
use reeve::domain::outbox::OutboxKind;
use reeve::ports::{Outgoing, Receipt, Sender as _};
use reeve::store::{NewOutbox, Reported};
use reeve_testing::endpoint::{Endpoint, Says};
use secrecy::SecretString;
use serde_json::{Value, json};
use standardwebhooks::Webhook;

use super::http::{Answer, Visitor, send};
use super::world::{EVIL, World, now};

const KEY: &str = "whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oD";
const OLD: &str = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";
const OTHER: &str = "whsec_aG9sZG91dC1zZWNyZXQtMzItYnl0ZXMtbG9uZyEhISE=";
const FLOW: &str = include_str!("../../../config/n8n/reeve-handoff.json");

/// A world in which `msg_1` was sent to the webhook and `msg_2` waits.
async fn world() -> World {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("reeve.toml");
    let text = format!(
        "[webhook]\nurl = \"http://127.0.0.1:9/\"\nsecret = \"{KEY} {OLD}\"\nreports = true\n\
         [[destinations]]\nname = \"wms\"\nurl = \"http://127.0.0.1:9/\"\nsecret = \"{OTHER}\"\n"
    );
    std::fs::write(&file, text).unwrap();
    let world = World::of(Config::load_from(Some(&file), &[]).unwrap()).await;
    for id in ["msg_1", "msg_2"] {
        let message = NewOutbox {
            id: id.to_owned(),
            kind: OutboxKind::Approved,
            channel: "webhook".to_owned(),
            body: "{}".to_owned(),
            created_at: now(),
            due_at: now(),
            lane: world.case.id.to_string(),
            about: world.recommendations[0].id.to_string(),
            step: 1,
            expires_at: None,
            shows: String::new(),
        };
        world.store.enqueue(&[message], &[]).await.unwrap();
    }
    let row = world.store.claim_due(now(), 1, Duration::from_secs(1)).await.unwrap().remove(0);
    assert_eq!(row.id, "msg_1");
    world.store.mark_sent(&row, now(), &Receipt::unnamed(now()), &[]).await.unwrap();
    world
}

async fn report(world: &World, message: &str, key: &str, id: &str, late: i64, body: &str) -> Answer {
    let at = now().as_second() + late;
    let signature = Webhook::new(key).unwrap().sign(id, at, body.as_bytes()).unwrap();
    let at = at.to_string();
    let headers = [("webhook-id", id), ("webhook-timestamp", &at), ("webhook-signature", &signature)];
    send(world, "POST", &format!("/hand-offs/{message}"), &headers, body).await
}

fn done() -> String {
    json!({ "state": "carried_out", "note": EVIL, "reference": "P00051", "at": "2026-10-09T06:29:00Z", "x": 1 }).to_string()
}

#[tokio::test]
async fn a_report_is_kept_with_its_entry_before_it_is_acknowledged_and_counts_once() {
    let world = Box::pin(world()).await;
    let about = world.recommendations[0].id.as_str();
    for key in [KEY, OLD, KEY] {
        let answer = report(&world, "msg_1", key, "r1", 0, &done()).await;
        let told: Value = serde_json::from_str(&answer.body).unwrap();
        assert_eq!((answer.status, told), (202, json!({ "id": "webhook/r1", "state": "kept" })));
        let kept = world.store.list_reports_about(about).await.unwrap();
        assert_eq!((kept.len(), kept[0].state, kept[0].note.as_str()), (1, Reported::CarriedOut, EVIL));
        let log = world.store.list_audit_of(&format!("recommendation:{about}")).await.unwrap();
        assert_eq!(log.iter().filter(|e| e.entry.action == "hand_off.reported").count(), 1);
    }
    let other = report(&world, "msg_1", KEY, "r1", 0, r#"{"state":"undone"}"#).await;
    assert_eq!(other.status, 409, "{}", other.body);
    assert_eq!(world.store.list_reports_about(about).await.unwrap()[0].state, Reported::CarriedOut);
    world.store.verify_audit().await.unwrap();
}

#[tokio::test]
async fn what_its_destination_did_not_sign_now_is_refused_and_leaves_nothing() {
    let world = Box::pin(world()).await;
    for (message, key, late, status) in [
        ("msg_1", OTHER, 0, 401),
        ("msg_1", KEY, -301, 401),
        ("msg_1", KEY, 301, 401),
        ("msg_2", KEY, 0, 404),
        ("msg_9", KEY, 0, 404),
        ("msg_9", "whsec_AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA", 0, 401),
    ] {
        let answer = report(&world, message, key, "r1", late, &done()).await;
        assert_eq!(answer.status, status, "{message} {late}: {}", answer.body);
    }
    assert_eq!(send(&world, "POST", "/hand-offs/msg_1", &[], &done()).await.status, 401);
    for bad in ["", "{}", r#"{"state":"done"}"#, r#"{"state":"undone","at":"soon"}"#, "[]"] {
        assert_eq!(report(&world, "msg_1", KEY, "r2", 0, bad).await.status, 400, "{bad}");
    }
    assert_eq!(report(&world, "msg_1", KEY, "r3", 0, &"x".repeat(17 * 1024)).await.status, 413);
    assert!(world.store.list_reports_about(world.recommendations[0].id.as_str()).await.unwrap().is_empty());
}

#[tokio::test]
async fn people_see_what_is_stuck_and_what_was_reported_and_it_is_text_to_them() {
    let world = Box::pin(world()).await;
    assert_eq!(report(&world, "msg_1", KEY, "r1", 0, &done()).await.status, 202);
    let pia = Visitor::sign_in(&world, "pia").await;
    let page = pia.get("/outbox").await;
    assert_eq!(page.status, 200);
    assert!(page.body.contains("msg_2") && page.body.contains("due since"), "{}", page.body);
    assert!(page.body.contains("webhook") && page.body.contains("wms"));
    let page = pia.get(&format!("/cases/{}", world.case.id)).await;
    assert!(page.body.contains("hand off reported") && page.body.contains("P00051"), "{}", page.body);
    assert!(!page.body.contains(EVIL));
    assert_eq!(send(&world, "GET", "/outbox", &[], "").await.status, 303, "nobody sees it before signing in");
}

fn node_of<'f>(flow: &'f Value, name: &str) -> &'f Value {
    let nodes = flow["nodes"].as_array().unwrap();
    nodes.iter().find(|n| n["name"] == name).unwrap_or_else(|| panic!("the flow has no node {name:?}"))
}

#[test]
fn the_flow_has_a_branch_for_every_action_and_every_link_leads_somewhere() {
    let flow: Value = serde_json::from_str(FLOW).unwrap();
    let schema = reeve::pipeline::publish::wire::Outward::Approved.schema();
    let acts = schema["properties"]["data"]["properties"]["action"]["oneOf"].as_array().unwrap();
    let codes: Vec<&str> = acts.iter().map(|act| act["properties"]["code"]["const"].as_str().unwrap()).collect();
    assert_eq!(codes.len(), 27);
    let rules = node_of(&flow, "Action")["parameters"]["rules"]["values"].as_array().unwrap();
    let branches = flow["connections"]["Action"]["main"].as_array().unwrap();
    assert_eq!((rules.len(), branches.len()), (codes.len(), codes.len() + 1), "one for each, and one for what is not known");
    for (place, rule) in rules.iter().enumerate() {
        let code = rule["conditions"]["conditions"][0]["rightValue"].as_str().unwrap();
        assert!(codes.contains(&code), "{code}");
        assert_eq!(branches[place][0]["node"], code);
    }
    let names: Vec<&str> = flow["nodes"].as_array().unwrap().iter().map(|n| n["name"].as_str().unwrap()).collect();
    for (from, outputs) in flow["connections"].as_object().unwrap() {
        assert!(names.contains(&from.as_str()), "{from}");
        for to in outputs["main"].as_array().unwrap().iter().flat_map(|o| o.as_array().unwrap()) {
            assert!(names.contains(&to["node"].as_str().unwrap()), "{to}");
        }
    }
    assert_eq!(node_of(&flow, "Webhook")["parameters"]["options"]["rawBody"], true, "what is signed are the bytes");
    assert!(flow["id"].is_string(), "n8n's command line imports no flow without one");
    assert!(!FLOW.contains("whsec_M") && !FLOW.contains("whsec_C"), "a secret stands in the flow");
}

/// What n8n keeps with `$getWorkflowStaticData` it writes at the end of an execution, the later over the earlier: of executions
/// that overlap only one would be known. The node writes at once.
#[test]
fn the_flow_acts_only_on_what_is_signed_and_not_known_yet() {
    let flow: Value = serde_json::from_str(FLOW).unwrap();
    let to = |from: &str| {
        let outputs = flow["connections"][from]["main"].as_array().unwrap();
        outputs.iter().map(|o| o[0]["node"].as_str().unwrap()).collect::<Vec<_>>()
    };
    assert_eq!((to("Webhook"), to("Verify")), (vec!["Verify"], vec!["From Reeve"]));
    assert_eq!((to("From Reeve"), to("Not known yet")), (vec!["Not known yet", "Answer"], vec!["Answer"]));
    assert_eq!(to("Answer"), ["Kind"]);
    let node = node_of(&flow, "Not known yet");
    assert_eq!(node["type"], "n8n-nodes-base.removeDuplicates");
    assert_eq!(node["parameters"]["operation"], "removeItemsSeenInPreviousExecutions");
    // Without it nobody would answer a delivery that is known.
    assert_eq!(node["alwaysOutputData"], true);
    assert!(!FLOW.contains("getWorkflowStaticData"));
}

/// Runs the code and the expressions of the flow's nodes as n8n does, one call for each line of input. What the node "Not known
/// yet" has written down stays between them; an item that it knows goes on as an empty one.
const HARNESS: &str = r"
const lines = require('fs').readFileSync(0, 'utf8').split('\n').filter(Boolean).map((line) => JSON.parse(line));
const { verify, report, signed, key, body, status } = lines[0];
const AsyncFunction = Object.getPrototypeOf(async function () {}).constructor;
const known = new Set();
const $env = lines[0].env;
(async () => {
  for (const { headers, raw, at, outcome } of lines.slice(1)) {
    const real = Date.now;
    if (at) Date.now = () => at * 1000;
    const item = { json: { headers }, binary: { data: { data: raw } } };
    const run = (code, input, $) => new AsyncFunction('$input', '$env', '$', 'require', code)
      .call({}, input, $env, $, require);
    const [out] = await run(verify, { first: () => item, all: () => [item] });
    const node = () => ({ first: () => out });
    const says = (expression, $json) => new Function('$json', '$', `return ${expression.slice(4, -3)}`)($json, node);
    let next = out.json;
    let reported;
    if (says(signed, next)) {
      const id = says(key, next);
      if (known.has(id)) next = {};
      known.add(id);
      if (next.event) {
        const given = { json: outcome ? { ...next, outcome } : next };
        [reported] = await run(report, { first: () => given, all: () => [given] }, node);
      }
    }
    Date.now = real;
    const answer = JSON.parse(says(body, next));
    console.log(JSON.stringify({ ...next, answer, status: says(status, next), reported: reported && reported.json }));
  }
})().catch((error) => { console.error(error); process.exit(1); });
";

/// What the flow made of each call. None, with a word about it, where node is not installed.
#[expect(clippy::disallowed_methods, reason = "the flow's code is run by what runs it in n8n")]
fn in_node(calls: &[Value]) -> Option<Vec<Value>> {
    let flow: Value = serde_json::from_str(FLOW).unwrap();
    let code = |name| &node_of(&flow, name)["parameters"]["jsCode"];
    let env = json!({ "REEVE_WEBHOOK_SECRET": format!("{KEY} {OLD}"), "REEVE_URL": "http://reeve.example.com/" });
    let parameter = |name, path: &str| node_of(&flow, name)["parameters"].pointer(path).unwrap();
    let mut input = json!({
        "verify": code("Verify"),
        "report": code("Report"),
        "signed": parameter("From Reeve", "/conditions/conditions/0/leftValue"),
        "key": parameter("Not known yet", "/dedupeValue"),
        "body": parameter("Answer", "/responseBody"),
        "status": parameter("Answer", "/options/responseCode"),
        "env": env,
    })
    .to_string();
    for call in calls {
        input = format!("{input}\n{call}");
    }
    let started = Command::new("node")
        .args(["-e", HARNESS])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn();
    // Where node is not installed, the structure of the flow is what is looked at.
    let Ok(mut child) = started else { return None };
    child.stdin.take().unwrap().write_all(input.as_bytes()).unwrap();
    let ended = child.wait_with_output().unwrap();
    assert!(ended.status.success(), "{}", String::from_utf8_lossy(&ended.stderr));
    Some(String::from_utf8(ended.stdout).unwrap().lines().map(|line| serde_json::from_str(line).unwrap()).collect())
}

/// What the real sender put on the wire for `body`: headers and bytes.
async fn on_the_wire(id: &str, body: &str, secret: &str) -> Value {
    let receiver = Endpoint::saying(Says::status(200)).await;
    let sender = SignedWebhook::new(&receiver.url, &SecretString::from(secret), Duration::from_secs(5)).unwrap();
    let message = Outgoing {
        kind: OutboxKind::Approved,
        to: "webhook".into(),
        id: id.into(),
        body: body.into(),
        at: Clock::standing_at(now()).now(),
        shown: reeve::ports::Shown::default(),
    };
    sender.send(&message).await.unwrap();
    let got = &receiver.asked()[0];
    let names = ["content-type", "webhook-id", "webhook-timestamp", "webhook-signature"];
    let headers: serde_json::Map<String, Value> =
        names.iter().map(|name| ((*name).to_owned(), got.header(name).into())).collect();
    json!({ "headers": headers, "raw": base64::engine::general_purpose::STANDARD.encode(&got.body) })
}

fn event(id: &str, expires: &str) -> String {
    json!({
        "specversion": "1.0", "id": id, "source": "reeve", "type": "reeve.recommendation.approved.v1",
        "time": "2026-10-09T06:00:00Z", "datacontenttype": "application/json",
        "data": { "action": { "code": "TRANSFER", "parameters": { "note": "é 漢字 ₣" } }, "expires_at": expires },
    })
    .to_string()
}

#[tokio::test]
async fn the_flow_takes_what_reeve_signs_once_and_refuses_the_rest_and_reeve_takes_its_reports() {
    let world = Box::pin(world()).await;
    let (good, late) = (event("msg_1", "2026-10-12T22:00:00Z"), event("msg_2", "2026-10-09T06:00:00Z"));
    let at = now().as_second();
    let with = |mut call: Value, at: i64, outcome: Value| {
        call["at"] = at.into();
        call["outcome"] = outcome;
        call
    };
    let sent = on_the_wire("msg_1", &good, KEY).await;
    let mut tampered = sent.clone();
    tampered["raw"] = on_the_wire("msg_1", &good.replace("TRANSFER", "NEW-PO"), OTHER).await["raw"].clone();
    let mut unsigned = sent.clone();
    unsigned["headers"]["webhook-signature"] = "".into();
    let outcome = json!({ "state": "partly", "note": "38 of 40", "reference": "WH/INT/7" });
    let calls = [
        with(tampered, at, Value::Null),
        with(unsigned, at, Value::Null),
        with(on_the_wire("msg_1", &good, OTHER).await, at, Value::Null),
        with(sent.clone(), at + 301, Value::Null),
        with(sent.clone(), at - 301, Value::Null),
        with(on_the_wire("msg_x", &good, KEY).await, at, Value::Null),
        with(sent.clone(), at, outcome.clone()),
        with(sent, at + 60, outcome),
        with(on_the_wire("msg_2", &late, OLD).await, at, Value::Null),
    ];
    let Some(made) = in_node(&calls) else { return };
    let statuses: Vec<i64> = made.iter().map(|m| m["status"].as_i64().unwrap()).collect();
    assert_eq!(statuses, [401, 401, 401, 401, 401, 400, 202, 200, 202], "{made:#?}");
    assert!(made[..6].iter().all(|m| m["ok"] == false && m.get("kind").is_none() && m["reported"].is_null()));
    assert_eq!((&made[6]["kind"], &made[6]["code"]), (&json!("reeve.recommendation.approved.v1"), &json!("TRANSFER")));
    assert_eq!((made[7].get("kind"), &made[7]["reported"]), (None, &Value::Null));
    assert_eq!(made[6]["answer"], json!({ "id": "msg_1", "state": "accepted" }));
    assert_eq!(made[7]["answer"], json!({ "id": "msg_1", "state": "known" }));
    assert_eq!(made[8]["kind"], "expired");

    // What the flow says goes to the real endpoint.
    let told = &made[6]["reported"];
    assert_eq!(told["url"], "http://reeve.example.com/hand-offs/msg_1");
    let of = |name: &str| told[name].as_str().unwrap();
    let headers = [("webhook-id", of("id")), ("webhook-timestamp", of("time")), ("webhook-signature", of("signature"))];
    for _ in 0..2 {
        let answer = send(&world, "POST", "/hand-offs/msg_1", &headers, of("body")).await;
        assert_eq!(answer.status, 202, "{}", answer.body);
    }
    let kept = world.store.list_reports_about(world.recommendations[0].id.as_str()).await.unwrap();
    assert_eq!((kept.len(), kept[0].state, kept[0].reference.as_str()), (1, Reported::Partly, "WH/INT/7"));
    let expired: Value = serde_json::from_str(made[8]["reported"]["body"].as_str().unwrap()).unwrap();
    assert_eq!(expired["state"], "not_carried_out");
}
