//! The client for Odoo against answers of real servers (`tests/odoo-answers`), replayed on loopback, and against what stands
//! between a client and a server: gateways, sign-in pages, cut connections.
#![expect(clippy::unwrap_used, reason = "a test that can not go on has failed")]

mod groups;
mod protocols;
mod refusals;
mod wire;

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::http::HeaderMap;
use jiff::Timestamp;
use reeve::clock::Clock;
use reeve::config::{Config, OdooConfig};
use reeve::odoo::live::call::{Domain, ReadGroups, ReadRows, Scope, Server};
use reeve::odoo::live::connect::connect;
use reeve::odoo::live::error::OdooError;
use reeve_testing::endpoint::{Asked, Endpoint, Says};
use serde_json::Value;

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
