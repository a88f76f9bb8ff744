//! Events that went wrong elsewhere (tests/cases), against the bundled recording with their rows, on each database.
#![expect(clippy::unwrap_used, reason = "what a test stands on may fail it")]

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use jiff::Timestamp;
use reeve::app::App;
use reeve::clock::Clock;
use reeve::config::Config;
use reeve::domain::exception::ExceptionType;
use reeve::domain::notice::NoticeContent;
use reeve::domain::record::{Record, RecordKind};
use reeve::odoo::recorded::Recorded;
use reeve::ports::{Ports, Senders};
use reeve::store::{EventState, NewEvent, Store, Which};
use serde_json::Value;

use crate::support::databases::databases;
use crate::support::recordings::with_case;

fn case(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/cases").join(name)
}

fn at(time: &str) -> Timestamp {
    time.parse().unwrap()
}

/// Reads the shop until the event came, takes it, and looks again at `later`. What became of the event.
async fn played(store: &Store, name: &str, event: &str, hook: &str, later: Timestamp) -> (EventState, String) {
    let folder = tempfile::tempdir().unwrap();
    let settings = folder.path().join("reeve.toml");
    let secret = "whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oD";
    let hooks = format!(
        "[[hooks]]\nname = \"edi\"\nsecret = \"{secret}\"\n[[hooks]]\nname = \"homestead\"\nsecret = \"{secret}\"\nsupplier = \"46\"\n"
    );
    fs::write(&settings, hooks).unwrap();
    let config = Arc::new(Config::load_from(Some(&settings), &[]).unwrap());
    let shop = with_case(&format!("{name}/rows.json"));
    let ports =
        Ports { source: Arc::new(Recorded::open(shop.path(), "USD").unwrap()), model: None, senders: Senders::default() };
    let body = fs::read_to_string(case(name).join(event)).unwrap();
    let told: Value = serde_json::from_str(&body).unwrap();
    let came = at(told["timestamp"].as_str().unwrap());
    let clock = Clock::standing_at(came);
    let app = App::new(config, store.clone(), ports, clock.clone());
    app.run_until_idle().await.unwrap();
    let id = format!("{hook}/1");
    store.keep_event(&NewEvent { id: id.clone(), source: hook.into(), received_at: came, body }).await.unwrap();
    app.run_until_idle().await.unwrap();
    clock.set(later);
    app.run_until_idle().await.unwrap();
    let row = store.get_event(&id).await.unwrap();
    (row.state, row.reason.unwrap_or_default())
}

#[tokio::test]
async fn two_equal_lines_are_quiet_when_both_came() {
    for event in ["event.json", "event-sum.json"] {
        for db in databases().await {
            let store = Store::open_and_migrate(&db.store_url()).await.unwrap();
            let outcome = played(&store, "asn-two-equal-lines", event, "edi", at("2026-10-30T20:00:00Z")).await;
            assert_eq!(outcome, (EventState::Understood, String::new()), "{event} on {}", db.kind());
            let seen = store.list_exceptions(Which::All).await.unwrap();
            let asn: Vec<String> = seen
                .into_iter()
                .filter(|e| e.signal.code == ExceptionType::RAsn && e.signal.headline.contains("DES-1"))
                .map(|e| e.signal.headline)
                .collect();
            assert_eq!(asn, Vec::<String>::new(), "{event} on {}", db.kind());
        }
    }
}

#[tokio::test]
async fn an_order_name_of_two_is_ambiguous_at_a_gateway_and_clear_at_a_suppliers_hook() {
    for db in databases().await {
        let store = Store::open_and_migrate(&db.store_url()).await.unwrap();
        let later = at("2026-10-31T20:00:00Z");
        let (state, reason) = played(&store, "one-order-name-two-companies", "event.json", "edi", later).await;
        assert_eq!(state, EventState::Quarantined, "{}", db.kind());
        for part in [
            "order P00085 may be",
            "(supplier 46)",
            "order_id 88",
            "order_id 85",
            "name its line, item, supplier or company",
        ] {
            assert!(reason.contains(part), "{part}: {reason}");
        }
        assert!(store.load_records_of(&[RecordKind::Notice]).await.unwrap().is_empty());
    }
    for db in databases().await {
        let store = Store::open_and_migrate(&db.store_url()).await.unwrap();
        let later = at("2026-10-31T20:00:00Z");
        let outcome = played(&store, "one-order-name-two-companies", "event.json", "homestead", later).await;
        assert_eq!(outcome, (EventState::Understood, String::new()), "{}", db.kind());
        let notices = store.load_records_of(&[RecordKind::Notice]).await.unwrap();
        let [Record::Notice(notice)] = notices.as_slice() else { panic!("{notices:?}") };
        let NoticeContent::SupplierDelay { lines, .. } = &notice.content else { panic!("{notice:?}") };
        assert_eq!(lines.iter().map(|l| l.po_line.as_deref()).collect::<Vec<_>>(), [Some("380")]);
    }
}
