//! The client for Odoo against answers of real servers (`tests/odoo-answers`), replayed on loopback, and against what stands
//! between a client and a server: gateways, sign-in pages, cut connections.
#![expect(clippy::unwrap_used, reason = "a test that can not go on has failed")]

use std::collections::{BTreeMap, BTreeSet};
use std::io::Write as _;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::http::HeaderMap;
use jiff::Timestamp;
use reeve::clock::Clock;
use reeve::config::{Config, OdooConfig, OdooProtocol};
use reeve::odoo::live::call::{Domain, Group, ReadGroups, ReadRows, Right, Scope, Server, Version};
use reeve::odoo::live::connect::connect;
use reeve::odoo::live::error::OdooError;
use reeve::odoo::rows::cell::Cell;
use reeve_testing::endpoint::{Asked, Endpoint, Says};
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::task::JoinSet;

const KEY: &str = "0123456789abcdef0123456789abcdef01234567";

/// All that may ever be sent.
const READS: [&str; 12] = [
    "check_access_rights",
    "common.authenticate",
    "common.version",
    "context_get",
    "db.list",
    "fields_get",
    "formatted_read_group",
    "has_access",
    "read_group",
    "search",
    "search_count",
    "search_read",
];

/// The answer recorded in `tests/odoo-answers/<name>.json`.
fn recorded(name: &str) -> Says {
    let path = format!("{}/tests/odoo-answers/{name}.json", env!("CARGO_MANIFEST_DIR"));
    let text = std::fs::read_to_string(&path).unwrap_or_else(|e| panic!("{path}: {e}"));
    let file: Value = serde_json::from_str(&text).unwrap();
    let response = &file["response"];
    let headers = response["headers"].as_object().unwrap();
    let is_json = headers["Content-Type"].as_str().unwrap().starts_with("application/json");
    Says {
        status: u16::try_from(response["status"].as_u64().unwrap()).unwrap(),
        headers: headers.iter().map(|(name, value)| (name.clone(), value.as_str().unwrap().to_owned())).collect(),
        body: match &response["body"] {
            Value::String(page) if !is_json => page.clone().into_bytes(),
            body => body.to_string().into_bytes(),
        },
    }
}

/// A request as it came.
#[derive(Clone, Debug)]
struct Seen {
    /// `stock.move.search_read`, `common.version`, or the path of anything else.
    asked: String,
    path: String,
    headers: HeaderMap,
    body: Value,
}

impl Seen {
    /// Named arguments of a question to a model.
    fn arguments(&self) -> &Value {
        if self.path == "/jsonrpc" { &self.body["params"]["args"][6] } else { &self.body }
    }
}

#[derive(Clone, Default)]
struct Replay {
    replies: Arc<Mutex<BTreeMap<String, Says>>>,
    seen: Arc<Mutex<Vec<Seen>>>,
}

/// What a request asks, in one word.
fn asked(path: &str, body: &Value) -> String {
    if path == "/jsonrpc" {
        let params = &body["params"];
        let text = |value: &Value| value.as_str().unwrap().to_owned();
        return match params["service"].as_str().unwrap() {
            "object" => {
                assert_eq!(params["method"], "execute_kw");
                format!("{}.{}", text(&params["args"][3]), text(&params["args"][4]))
            }
            service => format!("{service}.{}", text(&params["method"])),
        };
    }
    path.strip_prefix("/json/2/").map_or_else(|| path.to_owned(), |rest| rest.replace('/', "."))
}

/// What was recorded for the question that this is.
fn answer(replay: &Replay, request: Asked) -> Says {
    let body = request.json();
    assert_eq!(request.method, if request.path == "/web/version" { "GET" } else { "POST" });
    let asked = asked(&request.path, &body);
    let seen = Seen { asked: asked.clone(), path: request.path, headers: request.headers, body };
    replay.seen.lock().unwrap().push(seen);
    replay.replies.lock().unwrap().get(&asked).cloned().unwrap_or_else(|| recorded("18/http_404"))
}

/// A server that replays.
struct Fake {
    replay: Replay,
    url: String,
    _running: Endpoint,
}

impl Fake {
    async fn start(replies: &[(&str, Says)]) -> Self {
        let replay = Replay::default();
        let replays = replay.clone();
        let running = Endpoint::start(move |request| std::future::ready(Some(answer(&replays, request)))).await;
        let fake = Self { replay, url: running.url.clone(), _running: running };
        for (asked, reply) in replies {
            fake.set(asked, reply.clone());
        }
        fake
    }

    fn set(&self, asked: &str, reply: Says) {
        self.replay.replies.lock().unwrap().insert(asked.to_owned(), reply);
    }

    /// An 18, signed in to.
    async fn odoo_18() -> (Self, Arc<dyn Server>) {
        let fake = Self::start(&[
            ("common.version", recorded("18/version")),
            ("common.authenticate", recorded("18/authenticate_ok")),
        ])
        .await;
        let server = fake.connect(&fake.config()).await.unwrap();
        (fake, server)
    }

    /// A 19, signed in to by JSON-2.
    async fn odoo_19() -> (Self, Arc<dyn Server>) {
        let fake = Self::start(&[
            ("/web/version", recorded("19/web_version")),
            ("res.users.context_get", recorded("19/context_get")),
        ])
        .await;
        let server = fake.connect(&fake.config()).await.unwrap();
        (fake, server)
    }

    fn config(&self) -> OdooConfig {
        config(&self.url)
    }

    async fn connect(&self, config: &OdooConfig) -> Result<Arc<dyn Server>, OdooError> {
        connect(config, &Clock::standing_at(Timestamp::UNIX_EPOCH)).await
    }

    async fn refusal(&self, config: &OdooConfig) -> OdooError {
        self.connect(config).await.err().expect("the connection is refused")
    }

    fn seen(&self) -> Vec<Seen> {
        self.replay.seen.lock().unwrap().clone()
    }

    fn last(&self) -> Seen {
        self.seen().pop().unwrap()
    }
}

fn config(url: &str) -> OdooConfig {
    let mut config = Config::load_from(None, &[]).unwrap().odoo;
    url.clone_into(&mut config.url);
    "retail".clone_into(&mut config.database);
    "reeve".clone_into(&mut config.user);
    config.api_key = KEY.to_owned().into();
    config.timeout = Duration::from_secs(20);
    config
}

fn rows_of(model: &str, fields: &[&str]) -> ReadRows {
    ReadRows {
        model: model.to_owned(),
        domain: Domain::all().and("id", ">", 7),
        fields: fields.iter().map(|field| (*field).to_owned()).collect(),
        order: "id",
        limit: 500,
        scope: Scope { companies: vec![1, 2], time_zone: None },
    }
}

fn by_day(zone: &str) -> ReadGroups {
    ReadGroups {
        model: "stock.move".to_owned(),
        domain: Domain::all().and("state", "=", "done"),
        by: vec!["date:day".to_owned()],
        sums: vec!["quantity".to_owned()],
        scope: Scope { companies: Vec::new(), time_zone: Some(zone.to_owned()) },
    }
}

/// Asks for moves, whatever the server has been told to answer to that.
async fn told(fake: &Fake, server: &dyn Server, reply: Says) -> OdooError {
    fake.set("stock.move.search_read", reply);
    server.rows(&rows_of("stock.move", &["product_id"])).await.unwrap_err()
}

#[tokio::test]
async fn an_18_is_signed_in_to_once_and_asked_by_json_rpc() {
    let (fake, server) = Fake::odoo_18().await;
    assert_eq!(server.version(), Version::V18);
    assert_eq!(server.name(), format!("{} (retail)", fake.url));
    fake.set("stock.move.search_read", recorded("18/load_none_many2one_as_id"));
    let rows =
        server.rows(&rows_of("stock.move", &["id", "location_id", "product_id", "picking_id", "gone"])).await.unwrap();
    let [first, ..] = rows.as_slice() else { panic!("{rows:?}") };
    // In the order asked, the id not repeated, what did not come empty.
    let n = Cell::Number;
    assert_eq!(*first, [n(35.0), n(8.0), n(52.0), Cell::Flag(false), Cell::Flag(false)]);
    server.rows(&rows_of("stock.move", &["product_id"])).await.unwrap();
    let asked: Vec<String> = fake.seen().into_iter().map(|seen| seen.asked).collect();
    let expected =
        ["/web/version", "common.version", "common.authenticate", "stock.move.search_read", "stock.move.search_read"];
    assert_eq!(asked, expected);
    let last = fake.last();
    assert_eq!(last.headers["content-type"], "application/json");
    assert_eq!(last.headers["user-agent"], concat!("reeve/", env!("CARGO_PKG_VERSION")));
    assert!(last.headers["accept-encoding"].to_str().unwrap().contains("gzip"));
    assert_eq!(last.body["params"]["args"].as_array().unwrap()[..3], [json!("retail"), json!(2), json!(KEY)]);
    let context = json!({ "active_test": false, "tz": "UTC", "allowed_company_ids": [1, 2] });
    let domain = json!([["id", ">", 7]]);
    let expected =
        json!({ "domain": domain, "fields": ["product_id"], "order": "id", "limit": 500, "load": "", "context": context });
    assert_eq!(*last.arguments(), expected);
}

#[tokio::test]
async fn a_19_is_asked_by_json_2_with_the_key_in_a_header_only() {
    let (fake, server) = Fake::odoo_19().await;
    assert_eq!(server.version(), Version::V19);
    fake.set("stock.move.search_read", recorded("19/search_read_load_none"));
    let rows = server.rows(&rows_of("stock.move", &["picking_id", "product_id"])).await.unwrap();
    assert_eq!(rows[0], [Cell::Number(1.0), Cell::Flag(false), Cell::Number(36.0)]);
    let last = fake.last();
    assert_eq!(last.path, "/json/2/stock.move/search_read");
    assert_eq!(last.headers["content-type"], "application/json");
    assert_eq!(last.headers["authorization"], format!("Bearer {KEY}"));
    assert_eq!(last.headers["x-odoo-database"], "retail");
    assert!(!last.body.to_string().contains(KEY));
    assert_eq!(last.body["load"], "");
}

#[tokio::test]
async fn the_protocol_can_be_chosen_and_json_2_only_where_there_is_one() {
    let replies = [
        ("/web/version", recorded("19/web_version")),
        ("common.authenticate", recorded("19/authenticate_ok")),
        ("stock.move.search_read", recorded("19/jsonrpc_search_read")),
    ];
    let fake = Fake::start(&replies).await;
    let mut config = fake.config();
    config.protocol = OdooProtocol::JsonRpc;
    let server = fake.connect(&config).await.unwrap();
    assert_eq!(server.version(), Version::V19);
    // Names come along where the server does not mind what was asked; the id is what counts.
    let rows = server.rows(&rows_of("stock.move", &["product_id"])).await.unwrap();
    assert_eq!(rows[0][1].id(), Some(36));
    assert_eq!(fake.last().path, "/jsonrpc");

    let fake = Fake::start(&[("common.version", recorded("18/version"))]).await;
    let mut config = fake.config();
    config.protocol = OdooProtocol::Json2;
    assert!(matches!(fake.refusal(&config).await, OdooError::Setting { key: "odoo.protocol", .. }));
}

#[tokio::test]
async fn nothing_but_reads_is_ever_sent() {
    for version in [Version::V18, Version::V19] {
        let (fake, server) = if version == Version::V18 { Fake::odoo_18().await } else { Fake::odoo_19().await };
        let scope = Scope::default();
        // The answers do not matter here.
        drop(server.fields("stock.move").await);
        drop(server.rows(&rows_of("stock.move", &["product_id"])).await);
        drop(server.ids("stock.move", &Domain::all(), 5, &scope).await);
        drop(server.count("stock.move", &Domain::all(), &scope).await);
        drop(server.groups(&by_day("UTC")).await);
        for right in [Right::Read, Right::Create, Right::Write, Right::Unlink] {
            drop(server.may("stock.move", right).await);
        }
        let sent: BTreeSet<String> = fake.seen().into_iter().map(|seen| seen.asked).collect();
        assert!(sent.len() >= 8, "{sent:?}");
        for one in sent {
            let known = one == "/web/version" || READS.contains(&one.rsplit('.').next().unwrap()) || READS.contains(&&*one);
            assert!(known, "{one}");
        }
    }
}

#[tokio::test]
async fn ids_counts_fields_and_rights_are_understood() {
    let (fake, server) = Fake::odoo_18().await;
    let scope = Scope::default();
    fake.set("stock.move.search", recorded("18/search_ids"));
    fake.set("stock.move.search_count", recorded("18/count"));
    fake.set("stock.move.fields_get", recorded("18/fields_get"));
    fake.set("product.product.has_access", recorded("18/has_access_yes"));
    fake.set("stock.move.has_access", recorded("18/has_access_no"));
    assert_eq!(server.ids("stock.move", &Domain::all(), 5, &scope).await.unwrap(), [109, 108, 107, 106, 105]);
    assert_eq!(server.count("stock.move", &Domain::all(), &scope).await, Ok(106));
    let fields = server.fields("stock.move").await.unwrap();
    assert!(fields["product_id"].stored && fields["product_id"].kind == "many2one");
    assert!(!fields["forecast_availability"].stored && !fields["forecast_availability"].searchable);
    assert_eq!(server.may("product.product", Right::Write).await, Ok(true));
    assert_eq!(server.may("stock.move", Right::Write).await, Ok(false));
    // Of no records: the rights of the model as a whole.
    assert_eq!(fake.last().body["params"]["args"][5], json!([[]]));

    let (fake, server) = Fake::odoo_19().await;
    fake.set("stock.move.search", recorded("19/search"));
    fake.set("stock.move.search_count", recorded("19/search_count"));
    fake.set("stock.move.has_access", Says::raw(200, "application/json; charset=utf-8", "false"));
    assert_eq!(server.ids("stock.move", &Domain::all(), 5, &scope).await.unwrap(), [77, 76, 75, 74, 73]);
    assert_eq!(server.count("stock.move", &Domain::all(), &scope).await, Ok(77));
    assert_eq!(server.may("stock.move", Right::Unlink).await, Ok(false));
    assert_eq!(fake.last().body, json!({ "ids": [], "operation": "unlink" }));
}

#[tokio::test]
async fn a_17_is_asked_for_rights_in_its_own_way() {
    let fake = Fake::start(&[
        (
            "common.version",
            Says::raw(200, "application/json", r#"{"jsonrpc":"2.0","id":1,"result":{"server_version":"17.0"}}"#),
        ),
        ("common.authenticate", recorded("18/authenticate_ok")),
        ("stock.move.check_access_rights", recorded("18/has_access_no")),
    ])
    .await;
    let server = fake.connect(&fake.config()).await.unwrap();
    assert_eq!(server.version(), Version::V17);
    assert_eq!(server.may("stock.move", Right::Create).await, Ok(false));
    assert_eq!(*fake.last().arguments(), json!({ "operation": "create", "raise_exception": false }));
}

fn day(day: &str, sum: f64, count: u64) -> Group {
    Group { keys: vec![Cell::Text(day.to_owned())], sums: vec![sum], count }
}

#[tokio::test]
async fn the_day_of_a_group_is_the_zones_day_whatever_its_label_says() {
    let (fake, server) = Fake::odoo_18().await;
    fake.set("stock.move.read_group", recorded("18/by_day_with_tz"));
    let groups = server.groups(&by_day("Asia/Tokyo")).await.unwrap();
    assert_eq!(groups, [day("2026-11-09", 5.0, 1), day("2026-11-16", 3.0, 1), day("2026-11-23", 2011.0, 55)]);
    let last = fake.last();
    let asked = last.arguments();
    assert_eq!(asked["context"]["tz"], "Asia/Tokyo");
    assert_eq!((&asked["lazy"], &asked["fields"]), (&json!(false), &json!(["quantity:sum"])));

    // Auckland's day begins before that of UTC: 2025-12-03 11:00 there is the fourth.
    fake.set("stock.move.read_group", recorded("18/groups_auckland"));
    let mut ask = by_day("Pacific/Auckland");
    ask.by = ["product_id", "location_id", "date:day"].map(str::to_owned).to_vec();
    let groups = server.groups(&ask).await.unwrap();
    let first = Group {
        keys: vec![Cell::Number(96.0), Cell::Number(39.0), Cell::Text("2025-12-04".to_owned())],
        sums: vec![1390.0],
        count: 1,
    };
    assert_eq!(groups[0], first);
}

#[tokio::test]
async fn a_19_groups_by_its_own_method_and_means_the_same() {
    let (fake, server) = Fake::odoo_19().await;
    fake.set("stock.move.formatted_read_group", recorded("19/formatted_read_group"));
    let groups = server.groups(&by_day("UTC")).await.unwrap();
    assert_eq!(groups[..2], [day("2024-11-23", 110.0, 1), day("2024-12-23", 120.0, 1)]);
    fake.set("stock.move.formatted_read_group", recorded("19/groups_auckland"));
    let mut ask = by_day("Pacific/Auckland");
    ask.by = ["product_id", "location_id", "date:day"].map(str::to_owned).to_vec();
    let groups = server.groups(&ask).await.unwrap();
    // 2025-11-25 11:00 in UTC.
    let keys = vec![Cell::Number(170.0), Cell::Number(2.0), Cell::Text("2025-11-26".to_owned())];
    assert_eq!(groups[0], Group { keys, sums: vec![2.0], count: 1 });
    fake.set("stock.move.formatted_read_group", recorded("19/formatted_read_group"));
    server.groups(&by_day("UTC")).await.unwrap();
    let last = fake.last();
    assert_eq!(last.body["aggregates"], json!(["quantity:sum", "__count"]));
    assert_eq!(last.body["groupby"], json!(["date:day"]));
}

#[tokio::test]
async fn what_json_rpc_refuses_is_told_apart() {
    let (fake, server) = Fake::odoo_18().await;
    let login = OdooError::RefusedLogin { url: fake.url.clone(), who: " of \"reeve\"".to_owned() };
    let field = OdooError::UnknownField { model: "res.partner".to_owned(), field: "no_such_field".to_owned() };
    for (file, expected) in [
        ("execute_wrong_password", login.clone()),
        ("inactive_user", login.clone()),
        ("unknown_uid", login),
        ("unknown_model", OdooError::UnknownModel { model: "stock.move".to_owned() }),
        ("unknown_field_in_read", field.clone()),
        ("unknown_field_in_domain", field.clone()),
        ("unknown_field_in_order", field),
        ("execute_unknown_database", OdooError::WrongDatabase { url: fake.url.clone(), database: "retail".to_owned() }),
    ] {
        assert_eq!(told(&fake, &*server, recorded(&format!("18/{file}"))).await, expected, "{file}");
    }
    for file in ["domain_bad_operator", "domain_bad_datetime", "bad_arguments", "company_not_allowed", "unknown_method"] {
        let error = told(&fake, &*server, recorded(&format!("18/{file}"))).await;
        assert!(matches!(error, OdooError::Server { .. }), "{file}: {error:?}");
        assert!(!error.is_transient() && !error.to_string().contains('\n'), "{file}: {error}");
    }
}

#[tokio::test]
async fn a_refused_model_is_named_with_the_groups_that_grant_it() {
    let (fake, server) = Fake::odoo_18().await;
    let denied = |model: &str, groups: &str| OdooError::AccessDenied { model: model.to_owned(), groups: groups.to_owned() };
    let granted = ": it is granted to Administration/Access Rights";
    assert_eq!(told(&fake, &*server, recorded("18/access_denied_model")).await, denied("ir.model.access", granted));
    let granted = ": it is granted to Invoicing/Invoicing, Sales/User: Own Documents Only, \
                   Technical/Show Accounting Features - Readonly";
    assert_eq!(told(&fake, &*server, recorded("18/access_denied_by_one_field")).await, denied("sale.order.option", granted));
    let granted = ": its field value is granted to 'Inventory / Administrator'";
    assert_eq!(told(&fake, &*server, recorded("18/access_denied_field_group")).await, denied("stock.quant", granted));

    let (fake, server) = Fake::odoo_19().await;
    let granted = ": it is granted to Role / Administrator";
    assert_eq!(told(&fake, &*server, recorded("19/reader_unreadable_model")).await, denied("ir.config_parameter", granted));
    let granted = ": its field value is granted to 'Inventory / Administrator'";
    assert_eq!(told(&fake, &*server, recorded("19/field_denied")).await, denied("stock.quant", granted));
}

#[tokio::test]
async fn a_model_that_may_not_be_read_has_no_fields() {
    let (fake, server) = Fake::odoo_18().await;
    // Odoo tells the fields of models that may not be read, too.
    fake.set("stock.move.fields_get", recorded("18/fields_get"));
    fake.set("stock.move.search", recorded("18/access_denied_model"));
    assert!(matches!(server.fields("stock.move").await, Err(OdooError::AccessDenied { .. })));
    fake.set("stock.move.fields_get", recorded("18/unknown_model"));
    assert!(matches!(server.fields("stock.move").await, Err(OdooError::UnknownModel { .. })));
}

#[tokio::test]
async fn what_json_2_refuses_is_told_apart() {
    let (fake, server) = Fake::odoo_19().await;
    let login = OdooError::RefusedLogin { url: fake.url.clone(), who: String::new() };
    let field = OdooError::UnknownField { model: "stock.move".to_owned(), field: "nope".to_owned() };
    for (file, expected) in [
        ("err_bad_key", login.clone()),
        ("err_no_auth", login),
        ("err_unknown_model", OdooError::UnknownModel { model: "stock.move".to_owned() }),
        ("err_unknown_field", field.clone()),
        ("err_unknown_field_domain", field.clone()),
        ("err_unknown_field_order", field),
    ] {
        assert_eq!(told(&fake, &*server, recorded(&format!("19/{file}"))).await, expected, "{file}");
    }
    for file in ["err_bad_domain", "err_nonstored_domain", "err_not_json", "err_unknown_method", "err_bad_argument"] {
        let error = told(&fake, &*server, recorded(&format!("19/{file}"))).await;
        assert!(matches!(error, OdooError::Server { .. }), "{file}: {error:?}");
    }
    let error = told(&fake, &*server, recorded("19/err_wrong_content_type")).await;
    assert!(matches!(error, OdooError::Garbled { .. }), "{error:?}");
}

#[tokio::test]
async fn a_sign_in_that_fails_says_why_and_is_tried_once() {
    let fake = Fake::start(&[
        ("common.version", recorded("18/version")),
        ("common.authenticate", recorded("18/authenticate_wrong_password")),
    ])
    .await;
    let error = fake.refusal(&fake.config()).await;
    assert!(matches!(error, OdooError::RefusedLogin { .. }) && !error.is_transient(), "{error:?}");
    assert_eq!(fake.seen().iter().filter(|seen| seen.asked == "common.authenticate").count(), 1);
    fake.set("common.authenticate", recorded("18/login_unknown_database"));
    let wrong = OdooError::WrongDatabase { url: fake.url.clone(), database: "retail".to_owned() };
    assert_eq!(fake.refusal(&fake.config()).await, wrong);

    let fake =
        Fake::start(&[("/web/version", recorded("19/web_version")), ("res.users.context_get", recorded("19/err_bad_key"))])
            .await;
    assert!(matches!(fake.refusal(&fake.config()).await, OdooError::RefusedLogin { .. }));
    fake.set("res.users.context_get", recorded("19/wrong_database"));
    assert!(matches!(fake.refusal(&fake.config()).await, OdooError::WrongDatabase { .. }));
}

#[tokio::test]
async fn an_empty_database_is_found_where_there_is_only_one() {
    let fake = Fake::start(&[
        ("common.version", recorded("18/version")),
        ("common.authenticate", recorded("18/authenticate_ok")),
        ("db.list", recorded("18/db_list")),
    ])
    .await;
    let mut config = fake.config();
    config.database = String::new();
    let several = fake.refusal(&config).await.to_string();
    assert!(several.starts_with("odoo.database") && several.contains("retail, retail19, retail_pristine"), "{several}");
    fake.set("db.list", Says::raw(200, "application/json", r#"{"jsonrpc":"2.0","id":1,"result":["only"]}"#));
    assert_eq!(fake.connect(&config).await.unwrap().name(), format!("{} (only)", fake.url));
    assert_eq!(fake.last().body["params"]["args"][0], "only");
    // Most servers on the internet do not tell.
    fake.set("db.list", recorded("18/execute_wrong_password"));
    assert!(matches!(fake.refusal(&config).await, OdooError::Setting { key: "odoo.database", .. }));
}

#[tokio::test]
async fn versions_that_are_not_spoken_are_refused_and_newer_ones_read_as_19() {
    let said =
        |version: &str| Says::json(200, &json!({ "jsonrpc": "2.0", "id": 1, "result": { "server_version": version } }));
    let fake = Fake::start(&[("common.version", said("16.0"))]).await;
    let error = fake.refusal(&fake.config()).await;
    assert_eq!(error, OdooError::Unsupported { url: fake.url.clone(), version: "16.0".to_owned() });
    assert!(error.to_string().contains("17, 18 and 19"));
    fake.set("common.version", said("20.0"));
    fake.set("res.users.context_get", recorded("19/context_get"));
    assert_eq!(fake.connect(&fake.config()).await.unwrap().version(), Version::V19);
}

#[tokio::test]
async fn what_is_not_odoo_is_said_to_be_none() {
    let fake = Fake::start(&[]).await;
    let error = fake.refusal(&fake.config()).await;
    assert!(matches!(&error, OdooError::Unreachable { detail, .. } if detail.contains("not Odoo")), "{error:?}");
    for missing in ["odoo.api_key", "odoo.user"] {
        let mut config = fake.config();
        fake.set("common.version", recorded("18/version"));
        if missing == "odoo.user" {
            config.user = String::new();
        } else {
            config.api_key = String::new().into();
        }
        assert!(fake.refusal(&config).await.to_string().starts_with(missing));
    }
}

#[tokio::test]
async fn a_server_that_asks_for_a_pause_is_busy() {
    let (fake, server) = Fake::odoo_18().await;
    for (status, wait) in [(429, Some(7)), (502, None), (503, Some(30)), (504, None)] {
        let page = Says::raw(status, "text/html", "<h1>later</h1>");
        let reply = wait.map_or(page.clone(), |seconds: u64| page.clone().with("Retry-After", &seconds.to_string()));
        let error = told(&fake, &*server, reply).await;
        let OdooError::Busy { retry_after, .. } = &error else { panic!("{status}: {error:?}") };
        assert_eq!(*retry_after, wait.map(Duration::from_secs));
    }
    // The server's own database has trouble that passes.
    let data = json!({ "name": "psycopg2.OperationalError", "message": "server closed the connection unexpectedly\n" });
    let body = json!({ "jsonrpc": "2.0", "id": 1, "error": { "code": 200, "message": "Odoo Server Error", "data": data } });
    let error = told(&fake, &*server, Says::json(200, &body)).await;
    assert!(matches!(error, OdooError::Busy { .. }), "{error:?}");
}

#[tokio::test]
async fn what_no_odoo_says_is_garbled() {
    let (fake, server) = Fake::odoo_18().await;
    let json = "application/json; charset=utf-8";
    for (why, reply) in [
        ("a sign-in page", Says::raw(200, "text/html; charset=utf-8", "<form action=\"/web/login\">")),
        ("an error page", Says::raw(500, "text/html", "<h1>Internal Server Error</h1>")),
        ("nothing", Says::raw(200, json, "")),
        ("an early end", Says::raw(200, json, r#"{"jsonrpc": "2.0", "id": 1, "result": [{"id": 1, "product_"#)),
        ("more behind the end", Says::raw(200, json, r#"{"jsonrpc": "2.0", "id": 1, "result": []} oops"#)),
        ("no result", recorded("18/method_returning_none")),
        ("another kind of result", recorded("18/count")),
        ("a row without id", Says::raw(200, json, r#"{"result": [{"product_id": 5}]}"#)),
        ("a bare list", Says::raw(200, json, "[]")),
    ] {
        let error = told(&fake, &*server, reply).await;
        assert!(matches!(error, OdooError::Garbled { .. }) && error.is_transient(), "{why}: {error:?}");
    }
}

#[tokio::test]
async fn a_redirect_is_named_and_never_followed() {
    let elsewhere = Fake::start(&[]).await;
    let (fake, server) = Fake::odoo_19().await;
    for status in [301, 302, 307, 308] {
        let reply = Says::raw(status, "text/html", "").with("Location", &format!("{}/json/2/x/y", elsewhere.url));
        let error = told(&fake, &*server, reply).await;
        assert!(matches!(&error, OdooError::Unreachable { detail, .. } if detail.contains(&elsewhere.url)), "{error:?}");
    }
    assert!(elsewhere.seen().is_empty());
}

#[tokio::test]
async fn a_zipped_answer_is_understood() {
    let (fake, server) = Fake::odoo_19().await;
    let mut reply = recorded("19/search_read_load_none");
    let mut zip = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    zip.write_all(&reply.body).unwrap();
    reply.body = zip.finish().unwrap();
    fake.set("stock.move.search_read", reply.with("Content-Encoding", "gzip"));
    assert_eq!(server.rows(&rows_of("stock.move", &["product_id"])).await.unwrap().len(), 3);
}

#[tokio::test]
async fn twenty_thousand_rows_are_one_answer() {
    let (fake, server) = Fake::odoo_18().await;
    let row = |id: u32| json!({ "id": id, "product_id": id % 7 + 1, "note": format!("row {id}"), "tags": [1, 2, 3] });
    let body = json!({ "jsonrpc": "2.0", "id": 1, "result": (1..=20_000).map(row).collect::<Vec<_>>() });
    fake.set("stock.move.search_read", Says::json(200, &body));
    let rows = server.rows(&rows_of("stock.move", &["tags", "product_id"])).await.unwrap();
    assert_eq!(rows.len(), 20_000);
    let tags = Cell::List(vec![Cell::Number(1.0), Cell::Number(2.0), Cell::Number(3.0)]);
    assert_eq!(rows[19_999], [Cell::Number(20_000.0), tags, Cell::Number(f64::from(20_000 % 7 + 1))]);
}

/// Answers the version, then whatever `then` says to whoever asks for more.
async fn raw(then: &'static str) -> (String, JoinSet<()>) {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let mut running = JoinSet::new();
    running.spawn(async move {
        for turn in 0.. {
            let (mut stream, _) = listener.accept().await.unwrap();
            let mut request = vec![0; 64 * 1024];
            let read = stream.read(&mut request).await.unwrap();
            assert!(read > 0);
            let version = r#"{"version": "19.0", "version_info": [19, 0, 0, "final", 0, ""]}"#;
            let first = format!(
                "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nConnection: close\r\nContent-Length: {}\r\n\r\n{version}",
                version.len(),
            );
            stream.write_all(if turn == 0 { first.as_bytes() } else { then.as_bytes() }).await.unwrap();
            stream.shutdown().await.unwrap();
        }
    });
    (url, running)
}

#[tokio::test]
async fn a_connection_that_is_cut_is_an_error_that_passes() {
    let cut = "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 5000\r\n\r\n{\"uid\": 2, \"la";
    let (url, _running) = raw(cut).await;
    let error = connect(&config(&url), &Clock::standing_at(Timestamp::UNIX_EPOCH)).await.err().unwrap();
    assert!(matches!(&error, OdooError::Garbled { detail, .. } if detail.contains("14 bytes")), "{error:?}");
    let (url, _running) = raw("").await;
    let error = connect(&config(&url), &Clock::standing_at(Timestamp::UNIX_EPOCH)).await.err().unwrap();
    assert!(matches!(error, OdooError::Unreachable { .. }), "{error:?}");
}

#[tokio::test]
async fn a_server_that_hangs_or_is_not_there_is_unreachable() {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let mut config = config(&format!("http://{}", listener.local_addr().unwrap()));
    config.timeout = Duration::from_millis(200);
    let clock = Clock::standing_at(Timestamp::UNIX_EPOCH);
    let error = connect(&config, &clock).await.err().unwrap();
    assert!(matches!(&error, OdooError::Unreachable { detail, .. } if detail.contains("0.2 s")), "{error:?}");
    drop(listener);
    let error = connect(&config, &clock).await.err().unwrap();
    assert!(matches!(error, OdooError::Unreachable { .. }) && error.is_transient(), "{error:?}");
}

#[tokio::test]
async fn no_recorded_refusal_shows_a_traceback_or_the_key() {
    let folder = |version: &str| format!("{}/tests/odoo-answers/{version}", env!("CARGO_MANIFEST_DIR"));
    let mut errors = 0;
    for version in ["18", "19"] {
        let (fake, server) = if version == "18" { Fake::odoo_18().await } else { Fake::odoo_19().await };
        let mut files: Vec<_> = std::fs::read_dir(folder(version)).unwrap().map(|file| file.unwrap().path()).collect();
        files.sort();
        for file in files {
            let name = file.file_stem().unwrap().to_str().unwrap();
            let mut reply = recorded(&format!("{version}/{name}"));
            // A server that repeats what it was sent: the key stands in every message.
            let text = String::from_utf8(reply.body).unwrap();
            reply.body = text.replace(r#""message":""#, &format!(r#""message":"{KEY} "#)).into_bytes();
            fake.set("stock.move.search_read", reply);
            let Err(error) = server.rows(&rows_of("stock.move", &["product_id"])).await else { continue };
            let shown = format!("{error} {error:?}");
            assert!(!shown.contains(KEY), "{name}: {shown}");
            assert!(!shown.contains("Traceback") && !shown.contains("/opt/odoo"), "{name}: {shown}");
            assert!(error.to_string().chars().count() < 1000, "{name}: {shown}");
            errors += 1;
        }
    }
    assert!(errors > 30, "{errors}");
}
