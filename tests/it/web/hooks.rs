//! Events over real HTTP: what is taken, what is refused, and that nothing acknowledged is lost.

use reeve::config::Config;
use reeve::store::EventState;
use serde_json::{Value, json};
use standardwebhooks::Webhook;

use super::http::{Answer, send};
use super::world::{EVIL, World, now};

const KEY: &str = "whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oD";
const NEXT: &str = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";
const PATH: &str = "abcdefghijklmnopqrstuvwx";

async fn world() -> World {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("reeve.toml");
    let hooks = format!(
        "[events]\nbody_max = 4096\nper_minute = 50\n\
         [[hooks]]\nname = \"acme\"\nsecret = \"{KEY}\"\nsecret_next = \"{NEXT}\"\n\
         [[hooks]]\nname = \"erp\"\nkind = \"odoo\"\nsecret = \"{PATH}\"\nsecret_next = \"{KEY}\"\n"
    );
    std::fs::write(&file, hooks).unwrap();
    World::of(Config::load_from(Some(&file), &[]).unwrap()).await
}

/// A call of hook `source`, signed with `key` at `late` seconds after now.
async fn call(world: &World, source: &str, key: &str, id: &str, late: i64, body: &str) -> Answer {
    let at = now().as_second() + late;
    let signature = Webhook::new(key).unwrap().sign(id, at, body.as_bytes()).unwrap();
    let at = at.to_string();
    let headers = [("webhook-id", id), ("webhook-timestamp", &at), ("webhook-signature", &signature)];
    send(world, "POST", &format!("/hooks/{source}"), &headers, body).await
}

fn delay() -> String {
    json!({ "type": "supplier.delay.v1", "timestamp": "2026-10-09T06:00:00Z",
            "data": { "order": "P00051", "new_date": "2026-10-20", "reason": EVIL } })
    .to_string()
}

#[tokio::test]
async fn an_event_is_on_the_disk_before_it_is_acknowledged_and_counts_once() {
    let world = world().await;
    let body = delay();
    for key in [KEY, NEXT, KEY] {
        let answer = call(&world, "acme", key, "msg_1", 0, &body).await;
        assert_eq!(answer.status, 202, "{}", answer.body);
        let told: Value = serde_json::from_str(&answer.body).unwrap();
        assert_eq!(told, json!({ "id": "acme/msg_1", "state": "accepted" }));
        let kept = world.store.get_event("acme/msg_1").await.unwrap();
        assert_eq!((kept.state, kept.body.as_str()), (EventState::Received, body.as_str()));
    }
    assert_eq!(world.store.list_events(None, 10).await.unwrap().len(), 1);
    let other = call(&world, "acme", KEY, "msg_1", 0, "{}").await;
    assert!(other.status == 409 && other.body.contains("another event"), "{}", other.body);
    assert_eq!(world.store.get_event("acme/msg_1").await.unwrap().body, body);
}

#[tokio::test]
async fn what_is_signed_is_kept_even_when_it_can_not_be_understood() {
    let world = world().await;
    for (id, body) in [("1", "not JSON"), ("2", ""), ("3", EVIL)] {
        assert_eq!(call(&world, "acme", KEY, id, 0, body).await.status, 202);
        assert_eq!(world.store.get_event(&format!("acme/{id}")).await.unwrap().body, body);
    }
}

#[tokio::test]
async fn what_is_not_signed_now_by_a_known_sender_is_refused_and_leaves_nothing() {
    let world = world().await;
    let body = delay();
    let stranger = "whsec_AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA";
    for (source, key, late, status) in [
        ("acme", stranger, 0, 401),
        ("acme", KEY, -301, 401),
        ("acme", KEY, 301, 401),
        ("nobody", KEY, 0, 404),
        ("erp", stranger, 0, 401),
    ] {
        let answer = call(&world, source, key, "msg_1", late, &body).await;
        assert_eq!(answer.status, status, "{source} {late}: {}", answer.body);
        assert!(answer.body.contains("\"error\""), "{}", answer.body);
    }
    assert_eq!(send(&world, "POST", "/hooks/acme", &[], &body).await.status, 401);
    assert_eq!(send(&world, "POST", &format!("/hooks/acme/{KEY}"), &[], &body).await.status, 401);
    assert_eq!(send(&world, "POST", &format!("/hooks/erp/{PATH}x"), &[], "{}").await.status, 401);
    assert_eq!(send(&world, "GET", "/hooks/acme", &[], "").await.status, 405);
    assert!(world.store.list_events(None, 10).await.unwrap().is_empty());
}

#[tokio::test]
async fn a_body_beyond_the_limit_is_refused_before_it_is_read() {
    let world = world().await;
    let fits = call(&world, "acme", KEY, "1", 0, &"x".repeat(4096)).await;
    assert_eq!(fits.status, 202);
    let larger = call(&world, "acme", KEY, "2", 0, &"x".repeat(4097)).await;
    assert_eq!(larger.status, 413);
    assert_eq!(world.store.list_events(None, 10).await.unwrap().len(), 1);
}

#[tokio::test]
async fn a_sender_that_sends_too_much_is_told_when_to_go_on() {
    let world = world().await;
    for id in 0..50 {
        assert_eq!(call(&world, "acme", KEY, &id.to_string(), 0, "{}").await.status, 202);
    }
    let answer = call(&world, "acme", KEY, "50", 0, "{}").await;
    assert_eq!((answer.status, answer.header("retry-after")), (429, "60"));
    world.clock.set(now() + jiff::SignedDuration::from_secs(60));
    assert_eq!(call(&world, "acme", KEY, "50", 0, "{}").await.status, 202);
}

#[tokio::test]
async fn a_gateway_under_another_name_is_let_in_to_the_hooks_and_to_nothing_else() {
    let world = world().await;
    let (body, at) = (delay(), now().as_second());
    let signature = Webhook::new(KEY).unwrap().sign("1", at, body.as_bytes()).unwrap();
    let at = at.to_string();
    let headers = [
        ("Host", "reeve.example.com"),
        ("webhook-id", "1"),
        ("webhook-timestamp", at.as_str()),
        ("webhook-signature", signature.as_str()),
    ];
    assert_eq!(send(&world, "POST", "/hooks/acme", &headers, &body).await.status, 202);
    assert_eq!(send(&world, "GET", "/", &headers, "").await.status, 403);
}

/// What real Odoo 18 and 19 sent when a receipt was validated.
const ODOO: [&str; 2] =
    [include_str!("../../odoo-answers/rule_calls_18.json"), include_str!("../../odoo-answers/rule_calls_19.json")];

#[tokio::test]
async fn a_call_of_an_odoo_rule_is_noted_and_nothing_is_taken_from_it() {
    let world = world().await;
    let mut calls = 0;
    for recorded in ODOO {
        let recorded: Value = serde_json::from_str(recorded).unwrap();
        for call in recorded["received"].as_array().unwrap() {
            let body = call["body_text"].as_str().unwrap();
            let answer = send(&world, "POST", &format!("/hooks/erp/{PATH}"), &[], body).await;
            assert_eq!((answer.status, answer.body.as_str()), (202, "{\"state\":\"noted\"}"));
            calls += 1;
        }
    }
    assert!(calls >= 6, "{calls}");
    // Or signed by a gateway before it.
    assert_eq!(call(&world, "erp", KEY, "1", 0, "{}").await.status, 202);
    assert!(world.store.list_events(None, 10).await.unwrap().is_empty());
}
