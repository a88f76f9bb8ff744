//! Holds the fake Odoo against recorded answers of real ones: every recorded request is put to it again. Errors must be the
//! same to the letter, results must have the same keys and types; what the incremental reading and the grouping depend on is
//! set up again and must come out equal.

#![expect(clippy::unwrap_used, reason = "what a test stands on may fail it")]

use std::time::Duration;

use reqwest::header::{CONTENT_TYPE, RETRY_AFTER};
use serde::Deserialize;
use serde_json::{Value, json};

use reeve_testing::odoo::{FakeOdoo, Fault, Seed, Size, Version};

#[derive(Deserialize)]
struct Exchange {
    name: String,
    request: Asked,
    response: Answered,
}

#[derive(Deserialize)]
struct Asked {
    method: String,
    path: String,
    headers: serde_json::Map<String, Value>,
    body: Value,
}

#[derive(Deserialize)]
struct Answered {
    status: u16,
    r#type: String,
    body: Value,
}

const V18: &str = include_str!("../odoo-answers/fake/v18.json");
const V19: &str = include_str!("../odoo-answers/fake/v19.json");

fn client() -> reqwest::Client {
    reeve::http::client(Duration::from_secs(20)).unwrap()
}

async fn put(client: &reqwest::Client, fake: &FakeOdoo, asked: &Asked) -> (u16, String, Value) {
    let method = reqwest::Method::from_bytes(asked.method.as_bytes()).unwrap();
    let mut request = client.request(method, fake.url() + &asked.path);
    for (name, value) in &asked.headers {
        request = request.header(name, value.as_str().unwrap());
    }
    let body = match &asked.body {
        Value::Null => String::new(),
        Value::String(text) => text.clone(),
        other => other.to_string(),
    };
    let answer = request.body(body).send().await.unwrap();
    let status = answer.status().as_u16();
    let kind = answer.headers()[CONTENT_TYPE].to_str().unwrap().to_owned();
    let text = answer.text().await.unwrap();
    (status, kind, serde_json::from_str(&text).unwrap_or(Value::String(text)))
}

/// Calls a method over JSON-RPC as the reader.
async fn ask(fake: &FakeOdoo, model: &str, method: &str, args: Value, named: Value) -> Value {
    let args = json!([fake.database(), 9, fake.key(), model, method, args, named]);
    let body = json!({"jsonrpc": "2.0", "method": "call", "id": 1,
                      "params": {"service": "object", "method": "execute_kw", "args": args}});
    let asked = Asked {
        method: "POST".to_owned(),
        path: "/jsonrpc".to_owned(),
        headers: json!({"Content-Type": "application/json"}).as_object().unwrap().clone(),
        body,
    };
    let (status, _, mut body) = put(&client(), fake, &asked).await;
    assert_eq!(status, 200);
    body["result"].take()
}

/// Which groups grant a right differs by what is installed.
fn without_groups(message: &str) -> String {
    match (message.find("following groups:"), message.find("Contact your administrator")) {
        (Some(from), Some(to)) => format!("{}…{}", &message[..from], &message[to..]),
        _ => message.to_owned(),
    }
}

/// What is different about two values in keys and types; empty cells fit anything.
fn difference(recorded: &Value, ours: &Value, at: &str) -> Option<String> {
    let empty = |value: &Value| matches!(value, Value::Bool(false)) || value.as_array().is_some_and(Vec::is_empty);
    match (recorded, ours) {
        (a, b) if empty(a) || empty(b) => None,
        (Value::Object(a), Value::Object(b)) => {
            let keys = |map: &serde_json::Map<String, Value>| map.keys().cloned().collect::<Vec<_>>();
            if keys(a) != keys(b) {
                return Some(format!("{at}: keys {:?}, ours {:?}", keys(a), keys(b)));
            }
            let mut inside = a.iter().filter(|(key, _)| !key.ends_with("domain"));
            inside.find_map(|(key, value)| difference(value, &b[key], &format!("{at}.{key}")))
        }
        (Value::Array(a), Value::Array(b)) => {
            let mut pairs = a.iter().zip(b).enumerate();
            pairs.find_map(|(nth, (a, b))| difference(a, b, &format!("{at}[{nth}]")))
        }
        (Value::Number(a), Value::Number(b)) if a.is_f64() == b.is_f64() => None,
        (Value::String(_), Value::String(_)) | (Value::Bool(_), Value::Bool(_)) | (Value::Null, Value::Null) => None,
        (a, b) => Some(format!("{at}: {a}, ours {b}")),
    }
}

/// What is different about two errors; both have a traceback.
fn error_difference(recorded: &Value, ours: &Value) -> Option<String> {
    if !ours["debug"].as_str().is_some_and(|debug| debug.starts_with("Traceback") && debug.contains("/opt/odoo")) {
        return Some(format!("an error without a traceback: {ours}"));
    }
    let told = |data: &Value| {
        let arguments = data["arguments"].to_string();
        (data["name"].clone(), without_groups(data["message"].as_str().unwrap_or_default()), without_groups(&arguments))
    };
    let (a, b) = (told(recorded), told(ours));
    (a.0 != b.0 || a.1 != b.1 || a.2.len().abs_diff(b.2.len()) > 2).then(|| format!("{a:?}\n   ours {b:?}"))
}

fn exchange_difference(recorded: &Answered, (status, kind, body): &(u16, String, Value)) -> Option<String> {
    if recorded.status != *status || recorded.r#type != *kind {
        return Some(format!("{} {:?}, ours {status} {kind:?} {body}", recorded.status, recorded.r#type));
    }
    let a = &recorded.body;
    if let (Value::String(a), Value::String(b)) = (a, body) {
        return (!b.starts_with(a.as_str())).then(|| format!("{a}\n   ours {b}"));
    }
    if a.get("error").is_some() && body.get("error").is_some() {
        let code = (a["error"]["code"] != body["error"]["code"]).then(|| "another code".to_owned());
        return code.or_else(|| error_difference(&a["error"]["data"], &body["error"]["data"]));
    }
    if a.get("debug").is_some() && body.get("debug").is_some() {
        return error_difference(a, body);
    }
    let result = |body: &Value| body.get("result").unwrap_or(body).clone();
    let (a, b) = (result(a), result(body));
    if a.as_array().is_some_and(|rows| !rows.is_empty()) && b.as_array().is_none_or(Vec::is_empty) {
        return Some(format!("{a}, ours {b}"));
    }
    difference(&a, &b, "result")
}

/// Rows that the recorded requests name by id, and an archived one.
fn named_rows(fake: &FakeOdoo) {
    fake.with(|state| {
        let now = state.now().as_microsecond();
        let product = *state.ids("product.product").first().unwrap();
        for id in [1, 2, 3, 5, 6, 7] {
            let values = json!({"product_id": product, "location_id": 8, "state": "done", "reference": "x"});
            state.create_as("stock.move", id, now, &values);
        }
        state.create_as(
            "stock.location",
            8,
            now,
            &json!({"name": "Stock", "complete_name": "WH/Stock", "usage": "internal"}),
        );
        state.create_as("stock.location", 9, now, &json!({"name": "Shelf", "location_id": 8, "usage": "internal"}));
        state.create_as("stock.quant", 1, now, &json!({"location_id": 9, "product_id": product, "quantity": 16.0}));
        state.create_as("res.partner", 1, now, &json!({"name": "My Company (San Francisco)"}));
        state.create_as("product.product", 5, now, &json!({"name": "Office Chair", "default_code": "FURN_7777"}));
        state.create_as(
            "res.users",
            2,
            now,
            &json!({"name": "Mitchell Admin", "login": "admin", "company_ids": [1],
                                                     "company_id": 1, "lang": "en_US", "tz": "Europe/Brussels"}),
        );
    });
}

async fn differences(recorded: &str, version: Version) -> Vec<String> {
    let exchanges: Vec<Exchange> = serde_json::from_str(recorded).unwrap();
    assert!(exchanges.len() > 30, "there are recordings");
    let fake = FakeOdoo::start(Seed::Recording, version).await;
    named_rows(&fake);
    let client = client();
    let mut differences = Vec::new();
    for exchange in &exchanges {
        let ours = put(&client, &fake, &exchange.request).await;
        if let Some(difference) = exchange_difference(&exchange.response, &ours) {
            differences.push(format!("{}: {difference}", exchange.name));
        }
    }
    differences
}

#[tokio::test]
async fn eighteen_is_answered_as_it_was_recorded() {
    let differences = differences(V18, Version::V18).await;
    assert!(differences.is_empty(), "\n{}\n", differences.join("\n"));
}

#[tokio::test]
async fn nineteen_is_answered_as_it_was_recorded() {
    let differences = differences(V19, Version::V19).await;
    assert!(differences.is_empty(), "\n{}\n", differences.join("\n"));
}

#[test]
fn a_difference_is_found() {
    assert!(difference(&json!([{"id": 1, "a": [1, "x"]}]), &json!([{"id": 7, "a": [2, "y"]}]), "").is_none());
    assert!(difference(&json!([{"id": 1, "a": false}]), &json!([{"id": 7, "a": 3}]), "").is_none());
    assert!(difference(&json!([{"id": 1, "a": [1, "x"]}]), &json!([{"id": 7, "a": 2}]), "").is_some());
    assert!(difference(&json!({"a": 1.0}), &json!({"a": 1}), "").is_some());
    assert!(difference(&json!({"a": 1}), &json!({"b": 1}), "").is_some());
}

fn at(text: &str) -> jiff::Timestamp {
    text.parse().unwrap()
}

/// Makes a done move that an hour of the recordings had.
fn done_move(fake: &FakeOdoo, date: &str, quantity: f64) -> i64 {
    fake.create("stock.move", &json!({"date": date, "quantity": quantity, "state": "done"}))
}

#[tokio::test]
async fn days_follow_the_zone_and_are_labelled_as_recorded() {
    let fake = FakeOdoo::start(Seed::Empty, Version::V18).await;
    done_move(&fake, "2026-11-09 03:23:46", 2.0);
    done_move(&fake, "2026-11-08 15:00:00", 3.0);
    done_move(&fake, "2026-11-08 14:59:59", 100.0);
    fake.create("stock.move", &json!({"date": "2026-11-09 05:00:00", "quantity": 7.0, "state": "draft"}));
    let named = json!({"lazy": false, "context": {"tz": "Asia/Tokyo"}});
    let args = json!([[["state", "=", "done"]], ["quantity:sum"], ["date:day"]]);
    let groups = ask(&fake, "stock.move", "read_group", args, named).await;
    // v18/read_group/by_day_with_tz, with two rows in the day instead of one.
    assert_eq!(
        groups[1],
        json!({"date:day": "09 Nov 2026", "__count": 2, "quantity": 5.0,
               "__domain": ["&", ["state", "=", "done"], "&", ["date", ">=", "2026-11-08 15:00:00"],
                            ["date", "<", "2026-11-09 15:00:00"]],
               "__range": {"date:day": {"from": "2026-11-08 15:00:00", "to": "2026-11-09 15:00:00"}}})
    );
    assert_eq!(groups.as_array().unwrap().len(), 2);
}

#[tokio::test]
async fn groups_of_nineteen_tell_what_they_add_to_the_domain() {
    let fake = FakeOdoo::start(Seed::Empty, Version::V19).await;
    done_move(&fake, "2024-11-23 10:00:00", 110.0);
    let named = json!({"groupby": ["date:day"], "aggregates": ["quantity:sum", "__count"]});
    let groups = ask(&fake, "stock.move", "formatted_read_group", json!([[["state", "=", "done"]]]), named).await;
    // v19/json2/formatted_read_group.
    assert_eq!(
        groups,
        json!([{"date:day": ["2024-11-23 00:00:00", "23 Nov 2024"],
                "__extra_domain": ["&", ["date", ">=", "2024-11-23 00:00:00"], ["date", "<", "2024-11-24 00:00:00"]],
                "quantity:sum": 110.0, "__count": 1}])
    );
}

/// The ids that a search for stamps finds.
async fn stamped(fake: &FakeOdoo, operator: &str, stamp: &str) -> Value {
    let domain = json!([[["write_date", operator, stamp]]]);
    ask(fake, "stock.move", "search", domain, json!({"order": "write_date, id"})).await
}

#[tokio::test]
async fn stamps_have_fractions_that_answers_do_not_show() {
    let fake = FakeOdoo::start(Seed::Empty, Version::V18).await;
    fake.set_now(at("2026-11-23T03:40:36.730142Z"));
    let id = fake.create("stock.move", &json!({}));
    let rows = ask(&fake, "stock.move", "search_read", json!([[], ["write_date"]]), json!({})).await;
    assert_eq!(rows, json!([{"id": id, "write_date": "2026-11-23 03:40:36"}]));
    assert_eq!(stamped(&fake, ">", "2026-11-23 03:40:36").await, json!([id]), "b_greater_than_returned_value…");
    assert_eq!(stamped(&fake, "=", "2026-11-23 03:40:36").await, json!([]), "c_equal_returned_value…");
    assert_eq!(stamped(&fake, ">=", "2026-11-23 03:40:37").await, json!([]), "e_next_second");
    assert_eq!(stamped(&fake, ">", "2026-11-23 03:40:36.999999").await, json!([]), "f_with_microseconds");
}

#[tokio::test]
async fn a_slow_transaction_appears_behind_the_watermark() {
    let fake = FakeOdoo::start(Seed::Empty, Version::V18).await;
    fake.set_now(at("2026-11-23T03:43:59.5Z"));
    let mut slow = fake.begin();
    let late = fake.with(|state| slow.create(state, "stock.move", json!({})));
    fake.set_now(at("2026-11-23T03:44:04.5Z"));
    let fast = fake.create("stock.move", &json!({}));
    assert!(late < fast, "the slow one took its id first");
    assert_eq!(stamped(&fake, ">=", "2026-11-23 00:00:00").await, json!([fast]));
    fake.commit(slow);
    assert_eq!(stamped(&fake, ">=", "2026-11-23 00:00:00").await, json!([late, fast]));
    assert_eq!(stamped(&fake, ">=", "2026-11-23 03:44:04").await, json!([fast]), "l_late_commit_3");
}

#[tokio::test]
async fn fields_are_described_as_asked() {
    let fake = FakeOdoo::start(Seed::Empty, Version::V19).await;
    let named = json!({"attributes": ["type", "store", "searchable", "relation"]});
    let fields = ask(&fake, "stock.move", "fields_get", json!([]), named).await;
    assert_eq!(fields["date"], json!({"searchable": true, "store": true, "type": "datetime"}));
    assert_eq!(fields["product_id"]["relation"], "product.product");
    assert_eq!(fields["forecast_availability"], json!({"searchable": false, "store": false, "type": "float"}));
    assert!(fields.get("name").is_none() && fields.get("scrapped").is_none(), "gone in 19");
    fake.with(|state| state.remove_field("stock.move", "origin"));
    assert!(ask(&fake, "stock.move", "fields_get", json!([]), json!({})).await.get("origin").is_none());
}

#[tokio::test]
async fn archived_and_deleted_rows_are_gone_from_what_is_read() {
    let fake = FakeOdoo::start(Seed::Empty, Version::V18).await;
    let [kept, archived, deleted] = [1, 2, 3].map(|_| fake.create("res.partner", &json!({"name": "x"})));
    fake.archive("res.partner", archived);
    fake.unlink("res.partner", deleted);
    let all = json!({"order": "id", "context": {"active_test": false}});
    assert_eq!(ask(&fake, "res.partner", "search", json!([[]]), json!({"order": "id"})).await, json!([kept]));
    assert_eq!(ask(&fake, "res.partner", "search", json!([[]]), all).await, json!([kept, archived]));
    assert_eq!(fake.rows("res.partner").len(), 2);
}

#[tokio::test]
async fn a_rule_shows_only_when_rows_are_asked_for() {
    let fake = FakeOdoo::start(Seed::Empty, Version::V18).await;
    let id = fake.create("stock.move.line", &json!({}));
    let may = |args: Value| ask(&fake, "stock.move.line", "has_access", args, json!({}));
    assert_eq!(may(json!([[], "write"])).await, json!(false));
    fake.refuse_by_rule("stock.move.line");
    assert_eq!(may(json!([[], "write"])).await, json!(true));
    assert_eq!(may(json!([[id], "write"])).await, json!(false));
    let rights = json!(["write"]);
    assert_eq!(ask(&fake, "stock.move.line", "check_access_rights", rights, json!({})).await, json!(true));
}

#[tokio::test]
async fn what_is_no_read_is_refused_and_remembered() {
    let fake = FakeOdoo::start(Seed::Recording, Version::V18).await;
    let before = fake.rows("res.partner");
    ask(&fake, "res.partner", "search_count", json!([[]]), json!({})).await;
    assert!(fake.writes_seen().is_empty());
    let id = *before.keys().next().unwrap();
    assert_eq!(ask(&fake, "res.partner", "write", json!([[id], {"name": "y"}]), json!({})).await, Value::Null);
    assert_eq!(fake.writes_seen().len(), 1);
    assert_eq!(fake.traffic()[1].method, "write");
    assert!(!format!("{:?}", fake.traffic()).contains(&fake.key()), "traffic holds no secret");
    assert_eq!(fake.rows("res.partner"), before);
}

#[tokio::test]
async fn faults_strike_as_planned() {
    let fake = FakeOdoo::start(Seed::Empty, Version::V19).await;
    let client = client();
    let faults = fake.faults();
    let send = |limit: u64| {
        let request = client.post(fake.url() + "/json/2/res.partner/search").bearer_auth(fake.key());
        request.json(&json!({"domain": [], "order": "id"})).timeout(Duration::from_millis(limit)).send()
    };
    faults.at(2, Fault::TooMany(Some(7)));
    assert_eq!(send(20_000).await.unwrap().status(), 200);
    let busy = send(20_000).await.unwrap();
    assert_eq!((busy.status().as_u16(), &busy.headers()[RETRY_AFTER]), (429, &"7".parse().unwrap()));
    faults.at(1, Fault::BadGateway);
    assert_eq!(send(20_000).await.unwrap().status(), 502);
    faults.at(1, Fault::Hang);
    assert!(send(50).await.unwrap_err().is_timeout());
    for _ in 0..2000 {
        fake.create("res.partner", &json!({}));
    }
    faults.at(1, Fault::Cut);
    assert!(send(20_000).await.unwrap().bytes().await.is_err(), "the body ends before its length");
    faults.at(1, Fault::Truncated);
    let text = send(20_000).await.unwrap().text().await.unwrap();
    assert!(text.starts_with("[1, 2") && serde_json::from_str::<Value>(&text).is_err());
    faults.at(1, Fault::LoginPage);
    assert!(send(20_000).await.unwrap().text().await.unwrap().contains("/web/login"));
    faults.on("search", Some("res.partner"), 1, Fault::SessionLost);
    assert_eq!(send(20_000).await.unwrap().status(), 401);
    faults.before(1, |state| state.unlink("res.partner", 1));
    assert!(send(20_000).await.unwrap().text().await.unwrap().starts_with("[2, 3"));
    fake.set_key_valid(false);
    assert_eq!(send(20_000).await.unwrap().status(), 401);
}

#[tokio::test]
async fn computed_deliveries_read_as_rows_do() {
    let size = Size { items: 6, locations: 3, days: 30, seed: 5 };
    let fake = FakeOdoo::start(Seed::Generated(size), Version::V18).await;
    let delivered = json!([["location_dest_id.usage", "=", "customer"], ["state", "=", "done"]]);
    let count = ask(&fake, "stock.move", "search_count", json!([delivered]), json!({})).await;
    let ids = ask(&fake, "stock.move", "search", json!([delivered]), json!({"order": "id"})).await;
    assert_eq!(count, json!(ids.as_array().unwrap().len()));
    assert!(count.as_u64().unwrap() > 80, "a quarter of 540");
    let by = json!([delivered, ["quantity:sum"], ["product_id", "location_id", "date:day"]]);
    let groups = ask(&fake, "stock.move", "read_group", by, json!({"lazy": false})).await;
    let summed: f64 = groups.as_array().unwrap().iter().map(|group| group["quantity"].as_f64().unwrap()).sum();
    let quantity = |row: &std::collections::BTreeMap<String, Value>| row["quantity"].as_f64().unwrap();
    let rows = fake.rows("stock.move");
    let listed: f64 = ids.as_array().unwrap().iter().map(|id| quantity(&rows[&id.as_i64().unwrap()])).sum();
    assert!((summed - listed).abs() < 1e-9, "{summed} {listed}");
    // A page by stamp goes on where the one before ended, and a changed delivery comes again.
    let one = ids[10].as_i64().unwrap();
    fake.write("stock.move", one, &json!({"quantity": 99.0}));
    let domain = json!([["write_date", ">=", jiff::fmt::strtime::format("%Y-%m-%d %H:%M:%S", fake.now()).unwrap()]]);
    let rows = json!([domain, ["quantity"]]);
    let rows = ask(&fake, "stock.move", "search_read", rows, json!({"order": "write_date, id"})).await;
    assert_eq!(rows, json!([{"id": one, "quantity": 99.0}]));
    let again = ask(&fake, "stock.move", "search", json!([delivered]), json!({"order": "id"})).await;
    assert_eq!(again, ids);
}
