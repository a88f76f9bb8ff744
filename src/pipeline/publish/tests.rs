//! What leaves is what the schemas in `config/events/out` say, for every action.

use std::path::Path;

use serde_json::{Value, json};

use super::*;
use crate::domain::action::{Action, Candidate, Check, MoneySum, Param, Range};
use crate::domain::case::CaseState;
use crate::domain::exception::Subject as About;
use crate::domain::ids::{FactId, ItemId, LocationId, SupplierId};
use crate::domain::money::{Money, Quantity, UnitPrice};
use crate::domain::recommendation::{Drafter, Prose};
use crate::domain::record::{RecordKind, RecordRef};

/// One of each action of the catalogue.
fn one_of_each() -> Vec<Action> {
    let (item, supplier) = (ItemId::new("75"), SupplierId::new("12"));
    let (shop, store) = (LocationId::new("3"), LocationId::new("1"));
    let day = |text: &str| text.parse().unwrap();
    let (soon, later) = (day("2026-10-09"), day("2026-10-20"));
    // With a zero too many, so that a test sees that amounts leave in their shortest form.
    let quantity = Quantity("12.50".parse().unwrap());
    // More places than money has: a unit price is not rounded to cents.
    let price = UnitPrice("3.125".parse().unwrap());
    let money = Money::from_minor(123_450);
    let text = |text: &str| text.to_owned();
    vec![
        Action::Expedite { po_line: text("9"), quantity, new_date: soon, surcharge_max: money },
        Action::DeferPo { po_line: text("9"), quantity, new_date: later },
        Action::CancelPo { po_line: text("9"), quantity },
        Action::NewPo {
            item: item.clone(),
            supplier: supplier.clone(),
            quantity,
            price,
            need_date: later,
            destination: shop.clone(),
        },
        Action::IncreasePo { po_line: text("9"), ordered: Quantity::units(60), quantity },
        Action::SplitShip { po_line: text("9"), quantity, date_now: soon, date_rest: later },
        Action::AltSupplier {
            item: item.clone(),
            supplier: supplier.clone(),
            quantity,
            price,
            need_date: later,
            destination: shop.clone(),
            instead_of: text("9"),
        },
        Action::Transfer { item: item.clone(), from: store.clone(), to: shop.clone(), quantity, ship_on: soon },
        Action::Reallocate {
            item: item.clone(),
            location: shop.clone(),
            from_line: text("5"),
            to_line: text("6"),
            quantity,
        },
        Action::AdjustParam {
            param: Param::OrderUpTo,
            record: text("4"),
            old: quantity,
            new: Quantity::units(20),
            until: Some(later),
        },
        Action::ForecastFix {
            item: item.clone(),
            location: shop.clone(),
            from: soon,
            to: later,
            old: quantity,
            new: Quantity::ZERO,
            reason: text("a fair"),
        },
        Action::MarkEvent { item: item.clone(), location: shop.clone(), from: soon, to: later, reason: text("a fair") },
        Action::AdjustStock { item: item.clone(), location: shop.clone(), difference: -quantity, reason: text("counted") },
        Action::HoldQc {
            document: text("WH/IN/1"),
            item: item.clone(),
            location: shop.clone(),
            quantity,
            until: later,
            reason: text("wet"),
        },
        Action::Return {
            receipt: text("WH/IN/1"),
            item: item.clone(),
            location: shop.clone(),
            supplier: supplier.clone(),
            quantity,
            reason: text("wet"),
        },
        Action::FixMaster {
            record: RecordRef::new(RecordKind::Item, "75"),
            field: text("cost"),
            old: text("0"),
            new: text("3.10"),
            source: text("bill 8"),
        },
        Action::PromoChange { promotion: text("2"), item: item.clone(), new_to: soon },
        Action::Markdown { item: item.clone(), percent: 12.5, from: soon, to: later },
        Action::Recount { item, location: shop, deadline: soon, not_by: None },
        Action::Claim {
            supplier,
            lines: vec![text("9"), text("10")],
            quantity,
            value: money,
            basis: text("short by 12.5"),
            bill: None,
        },
        Action::BlockBill { bill: text("BILL/1"), disputed: money, reason: text("price") },
        Action::AcceptVar { document: text("BILL/1"), variance: -money, reason: text("rounding") },
        Action::ReverseDoc { document: text("BILL/2"), duplicate_of: text("BILL/1") },
        Action::Contact { role: text("supplier"), partner: text("12"), about: text("P00051"), answer_by: soon },
        Action::Monitor { condition: text("no receipt"), until: soon },
        Action::NoAction { reason: text("seasonal") },
        Action::Escalate { unclear: text("units"), to: text("finance") },
    ]
}

fn event_of(action: Action) -> (NewOutbox, Value) {
    let loss = |minor| Range::certain(Money::from_minor(minor));
    let check = |name: &str, detail: &str, hard| Check { name: name.into(), detail: detail.into(), passed: true, hard };
    let candidate = Candidate {
        id: "A1".into(),
        summary: "Do it for <script>".into(),
        action,
        money: MoneySum::new(0.8, loss(21_615), loss(2_320), Money::from_minor(2_500), Money::from_minor(600)),
        value: Money::from_minor(123_450),
        latest_date: "2026-10-12".parse().unwrap(),
        checks: vec![
            check("quantity ≤ stock to spare", "40 ≤ 1,190.5", true),
            check("line is open", "P00051 is purchase", true),
            // A soft one: it is told to people, and is no condition for an executor.
            check("supplier refused last time", "", false),
        ],
        cites: vec![FactId::new("po_line:9/qty")],
        then: vec![],
    };
    let case = Case {
        id: CaseId::new("c-1"),
        version: 1,
        state: CaseState::Decided,
        exceptions: vec![],
        codes: vec![],
        subject: About::at(&ItemId::new("75"), &LocationId::new("3")),
        links: vec![],
        headline: String::new(),
        rank: None,
        evidence_hash: Some("e1".into()),
        owner: None,
        wanted: false,
        opened_at: now(),
        updated_at: now(),
    };
    let drafter = Drafter::Playbook { because: None };
    let prose = Prose { message: Some("Dear …".into()), ..Prose::default() };
    let rec = Recommendation::drafted(case.id.clone(), 1, candidate, prose, "e1".into(), drafter, now());
    let config = Config::load_from(None, &[]).unwrap();
    let by = [PersonId::new("ari"), PersonId::new("fay")];
    let approval = Approval { by: &by, at: now(), tier: Tier::T3, policy_version: "p1" };
    let terms = [Terms::of(&config, &rec, &rec.candidate.action, "Units".into())];
    let row = events_for(&rec, &case, approval, &terms, now()).pop().expect("somebody outside can do it");
    let body = serde_json::from_str(&row.body).unwrap();
    (row, body)
}

fn now() -> Timestamp {
    "2026-10-08T08:00:00Z".parse().unwrap()
}

/// What of `value` is not as `schema` says. Knows the words that our schemas use, and refuses others.
fn faults(schema: &Value, value: &Value, at: &str, found: &mut Vec<String>) {
    let Some(schema) = schema.as_object() else { return };
    for (word, wants) in schema {
        let fits = match word.as_str() {
            "type" => types(wants).iter().any(|t| is(t, value)),
            "const" => value == wants,
            "enum" => wants.as_array().unwrap().contains(value),
            "required" => {
                let missing = |name: &&Value| value.is_object() && value.get(name.as_str().unwrap()).is_none();
                !wants.as_array().unwrap().iter().any(|name| missing(&name))
            }
            "properties" => {
                for (name, inner) in wants.as_object().unwrap() {
                    if let Some(part) = value.get(name) {
                        faults(inner, part, &format!("{at}.{name}"), found);
                    }
                }
                true
            }
            "items" => {
                for part in value.as_array().into_iter().flatten() {
                    faults(wants, part, &format!("{at}[]"), found);
                }
                true
            }
            "oneOf" | "anyOf" => {
                let fit = |one: &Value| {
                    let mut inner = Vec::new();
                    faults(one, value, at, &mut inner);
                    inner.is_empty()
                };
                let fitting = wants.as_array().unwrap().iter().filter(|one| fit(one)).count();
                if word == "oneOf" { fitting == 1 } else { fitting > 0 }
            }
            "minimum" => value.as_f64().is_none_or(|n| n >= wants.as_f64().unwrap()),
            "format" => match wants.as_str().unwrap() {
                "date" => value.as_str().is_none_or(|s| s.parse::<jiff::civil::Date>().is_ok() && s.len() == 10),
                "date-time" => value.as_str().is_none_or(|s| s.parse::<Timestamp>().is_ok()),
                "double" | "uint32" => true,
                other => panic!("this test does not know the format {other:?}"),
            },
            "$schema" | "$id" | "title" | "description" | "default" => true,
            other => panic!("this test does not know the word {other:?}"),
        };
        if !fits {
            found.push(format!("{at}: {value} does not fit {word} {wants}"));
        }
    }
}

fn types(wants: &Value) -> Vec<&str> {
    wants.as_str().map_or_else(|| wants.as_array().unwrap().iter().filter_map(Value::as_str).collect(), |one| vec![one])
}

fn is(kind: &str, value: &Value) -> bool {
    match kind {
        "object" => value.is_object(),
        "array" => value.is_array(),
        "string" => value.is_string(),
        "number" => value.is_number(),
        "integer" => value.is_i64() || value.is_u64(),
        "null" => value.is_null(),
        other => panic!("this test does not know the type {other:?}"),
    }
}

fn is_valid(kind: Outward, body: &Value) -> Vec<String> {
    let mut found = Vec::new();
    faults(&kind.schema(), body, "event", &mut found);
    found
}

#[test]
fn the_schemas_in_config_are_those_of_the_types() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("config/events/out");
    for kind in Outward::ALL {
        let name = kind.file_name();
        let kept = std::fs::read_to_string(folder.join(&name)).unwrap_or_default();
        let made = format!("{}\n", serde_json::to_string_pretty(&kind.schema()).unwrap());
        assert!(
            kept == made,
            "config/events/out/{name} is out of date: `reeve outbox schema {}` makes it anew",
            kind.name()
        );
    }
    assert_eq!(std::fs::read_dir(folder).unwrap().count(), Outward::ALL.len(), "there is a schema of no type");
}

#[test]
fn every_action_makes_a_valid_event_that_names_each_of_its_parameters() {
    let all = one_of_each();
    let mut codes: Vec<&str> = all.iter().map(Action::code).collect();
    codes.sort_unstable();
    codes.dedup();
    // The whole catalogue: an action that is added and not listed above fails here.
    assert_eq!(codes.len(), 27);
    for action in all {
        let kept = serde_json::to_value(&action).unwrap();
        let (code, name) = (action.code(), plain_name(&action));
        let (row, body) = event_of(action);
        assert_eq!(is_valid(Outward::Approved, &body), Vec::<String>::new(), "{code}");
        let told = &body["data"]["action"];
        assert_eq!((told["code"].as_str(), body["data"]["action_name"].as_str()), (Some(code), Some(name)));
        let told = told["parameters"].as_object().unwrap();
        let names = |of: &serde_json::Map<String, Value>| of.keys().cloned().collect::<std::collections::BTreeSet<_>>();
        let mut wanted = names(kept.as_object().unwrap());
        // It stands beside the parameters, not among them.
        wanted.remove("code");
        assert_eq!(names(told), wanted, "{code}");
        let again: Approved = serde_json::from_value(body["data"].clone()).unwrap();
        assert_eq!(serde_json::to_value(&again).unwrap(), body["data"], "{code}");
        let envelope = Envelope::read(&row.body).unwrap();
        assert_eq!((envelope.id.as_str(), row.about.as_str()), (row.id.as_str(), again.recommendation_id.as_str()));
        assert_eq!(again.idempotency_key, row.id);
    }
}

#[test]
fn quantities_have_a_unit_money_has_a_currency_and_conditions_have_their_figures() {
    let (row, body) = event_of(one_of_each().remove(3));
    let data = &body["data"];
    assert_eq!(data["action"]["parameters"]["quantity"], json!({ "amount": "12.5", "unit": "Units" }));
    assert_eq!(data["action"]["parameters"]["price"], json!({ "amount": "3.125", "currency": "USD", "per": "Units" }));
    assert_eq!(data["value"], json!({ "amount": "1234.50", "currency": "USD" }));
    assert_eq!(data["worth"]["benefit"]["amount"], "128.16");
    assert_eq!(
        data["conditions"],
        json!([
            { "text": "quantity ≤ stock to spare: 40 ≤ 1,190.5", "check": "quantity ≤ stock to spare",
              "compares": { "left": "40", "operator": "<=", "right": "1190.5" } },
            { "text": "line is open: P00051 is purchase", "check": "line is open" },
        ])
    );
    assert_eq!(data["expires_at"].as_str().map(str::to_owned), row.expires_at.map(|at| at.to_string()));
    assert!(row.expires_at.unwrap() > "2026-10-12T00:00:00Z".parse().unwrap());
    assert_eq!(data["approved_by"], json!(["ari", "fay"]));
    assert_eq!(data["case_link"], "http://127.0.0.1:8087/cases/c-1");
    assert_eq!(body["dataschema"], "urn:reeve:recommendation:approved:v1");
}

#[test]
fn a_body_that_is_not_what_the_schema_says_is_found() {
    let (_, body) = event_of(one_of_each().remove(7));
    for (place, wrong) in [
        ("/data/action/parameters/quantity/amount", json!(12)),
        ("/data/action/parameters/ship_on", json!("tomorrow")),
        ("/data/action/code", json!("DELETE-ALL")),
        ("/data/value", json!("12.00")),
        ("/data/conditions/0/compares/operator", json!("~")),
        ("/specversion", json!("2.0")),
    ] {
        let mut bad = body.clone();
        *bad.pointer_mut(place).unwrap() = wrong;
        assert!(!is_valid(Outward::Approved, &bad).is_empty(), "{place}");
    }
}

#[test]
fn the_notices_are_valid_too_and_are_told_apart() {
    let told = Stuck {
        idempotency_key: String::new(),
        destination: "wms".into(),
        since: now(),
        says: "fails".into(),
        waiting: 2,
        dead: 0,
    };
    let row = stuck(told.clone(), "ops", now());
    assert_eq!(is_valid(Outward::Stuck, &serde_json::from_str(&row.body).unwrap()), Vec::<String>::new());
    assert_eq!(Envelope::read(&row.body).unwrap().kind, Outward::Stuck);
    assert_eq!(stuck(told.clone(), "ops", now()).id, row.id, "one outage is one message");
    let drafter = Drafter::Playbook { because: None };
    let (_, body) = event_of(one_of_each().remove(0));
    let approved: Approved = serde_json::from_value(body["data"].clone()).unwrap();
    let candidate = Candidate {
        id: "A1".into(),
        action: one_of_each().remove(0),
        summary: approved.summary,
        money: MoneySum::nothing(1.0, Range::default()),
        value: Money::ZERO,
        latest_date: approved.latest_date,
        checks: vec![],
        cites: vec![],
        then: vec![],
    };
    let rec = Recommendation::drafted(CaseId::new("c-1"), 1, candidate, Prose::default(), "e1".into(), drafter, now());
    let row = not_seen(&rec, rec.candidate.step(1).unwrap(), "msg_1", "webhook", "http://reeve", now(), now());
    assert_eq!(is_valid(Outward::NotSeen, &serde_json::from_str(&row.body).unwrap()), Vec::<String>::new());
    assert!(Envelope::read("{}").is_none() && Envelope::read("not JSON").is_none());
}
