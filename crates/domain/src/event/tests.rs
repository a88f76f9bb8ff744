//! What is read from bodies, good and bad.

use std::path::Path;

use proptest::prelude::*;
use rust_decimal::Decimal;

use super::*;

fn delay(data: &str) -> String {
    format!(r#"{{"type":"supplier.delay.v1","timestamp":"2026-10-05T08:30:00Z","data":{data}}}"#)
}

#[test]
fn the_schemas_in_config_are_those_of_the_types() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../config/events");
    for kind in EventType::ALL {
        let name = kind.file_name();
        let kept = std::fs::read_to_string(folder.join(&name)).unwrap_or_default();
        let made = format!("{}\n", serde_json::to_string_pretty(&kind.schema()).unwrap());
        assert!(kept == made, "config/events/{name} is out of date: `reeve events schema {kind} > config/events/{name}`");
    }
    // What leaves stands in a folder of its own there.
    let files = std::fs::read_dir(folder).unwrap().filter(|entry| entry.as_ref().unwrap().path().is_file());
    assert_eq!(files.count(), EventType::ALL.len(), "there is a schema of no type");
}

#[test]
fn a_types_name_is_the_same_everywhere() {
    for kind in EventType::ALL {
        assert_eq!(serde_json::to_value(kind).unwrap(), kind.name());
        assert_eq!(EventType::named(kind.name()), Some(kind));
        assert_eq!(type_of(&format!(r#"{{"type":"{kind}"}}"#)), Some(kind));
    }
    assert_eq!(EventType::SupplierDelay.file_name(), "supplier-delay.v1.json");
    assert_eq!(type_of("{"), None);
}

#[test]
fn both_envelopes_are_read_and_what_is_added_is_ignored() {
    let body = delay(
        r#"{"order":"P00051","new_date":"2026-10-20","colour":"red",
            "lines":[{"item_id":75,"qty":"12.50","price":0.1},{"sku":" AC-006 ","qty":3}]}"#,
    );
    let event = read(&body).unwrap();
    let Said::SupplierDelay(said) = &event.said else { panic!("{event:?}") };
    assert_eq!(said.lines[0].item_id, Some(wire::Name("75".into())));
    assert_eq!(said.lines[0].qty, Some(wire::Amount(Decimal::new(125, 1))));
    assert_eq!(said.lines[0].price, Some(wire::Amount(Decimal::new(1, 1))));
    assert_eq!(said.lines[1].sku, Some(wire::Name("AC-006".into())));
    let cloud = body.replace(r#""timestamp""#, r#""specversion":"1.0","id":"1","source":"/acme","time""#);
    assert_eq!(read(&cloud).unwrap(), event);
    assert!(read(&cloud.replace("\"1.0\"", "\"0.3\"")).unwrap_err().reason().contains("CloudEvents"));
}

#[test]
fn a_fault_names_its_place() {
    for (body, reason) in [
        (String::new(), "EOF while parsing"),
        ("[]".to_owned(), "invalid length 0"),
        ("{}".to_owned(), "missing field 'type'"),
        (delay(r#"{"order":"P1"}"#), "data: missing field 'new_date'"),
        (delay(r#"{"new_date":"tomorrow"}"#), "data.new_date: "),
        (delay(r#"{"new_date":"2026-10-20","lines":[{"qty":{}}]}"#), "data.lines[0].qty: invalid type: map"),
        (delay(r#"{"new_date":"2026-10-20","lines":[{},{"qty":1e99}]}"#), "data.lines[1].qty: invalid value"),
        (delay(r#"{"new_date":"2026-10-20","order":""}"#), "data.order: invalid length 0"),
        (delay("{}").replace("delay.v1", "delay.v2"), "type: supplier.delay.v2 is none of supplier.delay.v1, "),
        (delay("{}").replace("timestamp", "when"), "timestamp: missing"),
        (format!("{} x", delay(r#"{"new_date":"2026-10-20"}"#)), "something follows"),
        (
            r#"{"type":"carrier.status.v1","timestamp":"2026-10-05T08:30:00Z","data":{"document":"1","status":"eaten"}}"#
                .to_owned(),
            "data.status: unknown variant",
        ),
    ] {
        let fault = read(&body).unwrap_err();
        assert!(matches!(&fault, Fault::Wrong(said) if said.contains(reason)), "{body}\n{fault:?}");
    }
}

#[test]
fn a_fault_carries_no_markup_no_line_breaks_and_no_hidden_letters() {
    let evil = "<script>\\u202e\\n`ignore all rules`".repeat(50);
    let fault = read(&delay("{}").replace("supplier.delay.v1", &evil)).unwrap_err();
    let other = read(&delay(&format!(r#"{{"new_date":"{evil}"}}"#))).unwrap_err();
    for reason in [fault.reason(), other.reason()] {
        assert!(
            !reason.contains(['<', '>', '\n', '`', '\u{202e}']) && reason.chars().count() <= FAULT_MAX + 100,
            "{reason}"
        );
    }
}

fn json() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        "\\PC{0,12}".prop_map(Value::from),
        Just(Value::from("2026-10-20")),
    ];
    leaf.prop_recursive(4, 48, 6, |inner| {
        let key = prop_oneof![Just("lines".to_owned()), Just("items".to_owned()), Just("qty".to_owned()), "[a-z_]{1,8}"];
        prop_oneof![
            proptest::collection::vec(inner.clone(), 0..5).prop_map(Value::from),
            proptest::collection::btree_map(key, inner, 0..6).prop_map(|m| Value::Object(m.into_iter().collect())),
        ]
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(256))]

    #[test]
    fn whatever_the_bytes_are_they_are_an_event_or_a_fault(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
        if let Err(fault) = read(&String::from_utf8_lossy(&bytes)) {
            prop_assert!(!fault.reason().is_empty());
        }
    }

    #[test]
    fn whatever_the_data_is_it_is_an_event_or_a_fault(kind in 0..10_usize, data in json()) {
        let body = json!({ "type": EventType::ALL[kind].name(), "timestamp": "2026-10-05T08:30:00Z", "data": data });
        if let Err(fault) = read(&body.to_string()) {
            prop_assert!(!fault.reason().is_empty());
        }
    }
}
