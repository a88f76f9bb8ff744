//! `reeve events`, as a person types it.

use reeve::domain::audit::AuditEntry;
use reeve::store::{EventState, NewEvent, Settled, Store};
use serde_json::{Value, json};

use crate::support::binary::reeve;

#[tokio::test]
async fn what_is_in_quarantine_is_listed_shown_and_replayed() {
    let folder = tempfile::tempdir().unwrap();
    let url = format!("sqlite:{}", folder.path().join("r.db").display());
    let store = Store::open_and_migrate(&url).await.unwrap();
    let at = "2026-10-05T09:00:00Z".parse().unwrap();
    let body = "{\"type\":\"supplier.note.v1\",\"data\":\"\u{202e}\\u001b[2J\"}";
    let event = NewEvent { id: "acme/1".into(), source: "acme".into(), received_at: at, body: body.into() };
    store.keep_event(&event).await.unwrap();
    let seen = store.get_event("acme/1").await.unwrap();
    let (kind, quarantined) = (Some("supplier.note.v1".to_owned()), Some("data: invalid type".to_owned()));
    let settled = Settled { kind, quarantined, retry_at: None, seen: None, records: vec![] };
    let entry = AuditEntry {
        at,
        actor: "stage:understand".into(),
        channel: "stage".into(),
        action: "event.quarantined".into(),
        subject: "event:acme/1".into(),
        content: String::new(),
        detail: json!({}),
    };
    store.settle_event(&seen, &settled, at, &entry).await.unwrap();

    let on = |args: &[&str]| reeve(&[&["--store", url.as_str()], args].concat(), &[]);
    let listed = on(&["events", "list", "--state", "quarantined"]).fine();
    assert!(listed.contains("acme/1 data: invalid type") && listed.ends_with("1 events\n"), "{listed}");
    assert_eq!(on(&["events", "list", "--state", "received"]).fine(), "0 events\n");
    let shown = on(&["events", "show", "acme/1"]).fine();
    assert!(!shown.contains(['\u{202e}', '\u{1b}']) && shown.contains("\\u{202e}\\u001b[2J"), "{shown}");
    let told: Value = serde_json::from_str(&on(&["--json", "events", "show", "acme/1"]).fine()).unwrap();
    assert_eq!((told["state"].as_str(), told["body"].as_str()), (Some("quarantined"), Some(body)));

    assert!(on(&["events", "replay", "--all-quarantined"]).fine().starts_with("1 events are looked at anew"));
    assert_eq!(store.get_event("acme/1").await.unwrap().state, EventState::Received);
    assert_eq!(store.list_audit_of("event:acme/1").await.unwrap()[1].entry.action, "event.replayed");
    let missing = on(&["events", "replay", "acme/2"]).error();
    assert!(missing.contains("there is no event \"acme/2\" in the store"), "{missing}");
    assert!(on(&["events", "sources"]).fine().starts_with("0 senders"));
}
