//! The HTTP side: which path is which protocol, what is kept of each request, how answers go wrong.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use axum::body::{Body, Bytes};
use axum::extract::ConnectInfo;
use axum::http::{HeaderMap, Method, Response, StatusCode, Uri, header};
use serde_json::{Value, json};

use super::Version;
use super::fail::Fail;
use super::faults::{Fault, Faults};
use super::state::State;
use super::wire::Fuse;
use super::{json2, jsonrpc};

/// A request as the server saw it.
#[derive(Clone, Debug)]
pub struct Call {
    /// `/jsonrpc`, `/json/2/stock.move/search_read`.
    pub path: String,
    /// `object`, `common`, `db`; `json/2`; empty for plain pages.
    pub service: String,
    /// The model, for calls of methods.
    pub model: String,
    /// The method.
    pub method: String,
    /// Arguments by position and by name, without database, user and secret.
    pub args: Value,
    /// How many bytes the answer had.
    pub answered: usize,
    /// How long the server needed for it.
    pub took: Duration,
}

impl Call {
    /// Is it one that only reads? The services' own questions do too.
    pub fn is_read(&self) -> bool {
        match self.service.as_str() {
            "object" | "json/2" => super::calls::READS.contains(&self.method.as_str()),
            "common" => ["version", "login", "authenticate"].contains(&self.method.as_str()),
            "db" => ["list", "server_version", "db_exist"].contains(&self.method.as_str()),
            _ => self.method.is_empty(),
        }
    }
}

/// What the handlers share.
#[derive(Clone, Debug)]
pub(super) struct Shared {
    pub state: Arc<Mutex<State>>,
    pub traffic: Arc<Mutex<Vec<Call>>>,
    pub faults: Faults,
}

impl Shared {
    pub(super) fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn calls(&self) -> MutexGuard<'_, Vec<Call>> {
        self.traffic.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// An answer before it goes onto the wire.
pub(super) struct Reply {
    pub status: u16,
    pub kind: &'static str,
    pub body: Vec<u8>,
    pub extra: Vec<(&'static str, String)>,
}

pub(super) const JSON: &str = "application/json; charset=utf-8";
pub(super) const HTML: &str = "text/html; charset=utf-8";

impl Reply {
    pub(super) fn json(status: u16, body: Vec<u8>) -> Self {
        Self { status, kind: JSON, body, extra: Vec::new() }
    }

    pub(super) fn html(status: u16, body: &str) -> Self {
        Self { status, kind: HTML, body: body.as_bytes().to_vec(), extra: Vec::new() }
    }

    /// The page on which werkzeug tells of a request that fits no route of its type.
    pub(super) fn wrong_type(status: u16, path: &str, kind: &str) -> Self {
        let title = if status == 415 { "Unsupported Media Type" } else { "Bad Request" };
        let hint = if status == 415 { "<br><br>Please verify the Content-Type request header and try again." } else { "" };
        Self::html(
            status,
            &format!(
                "<!doctype html>\n<html lang=en>\n<title>{status} {title}</title>\n<h1>{title}</h1>\n<p>Request inferred type \
                 is compatible with [&#39;http&#39;] but &#39;{path}&#39; is type=&#39;{kind}&#39;.{hint}</p>\n"
            ),
        )
    }
}

/// What was asked, as far as it can be seen before it is answered.
pub(super) struct Asked {
    pub service: String,
    pub model: String,
    pub method: String,
    pub args: Value,
}

pub(super) fn is_json(headers: &HeaderMap) -> bool {
    let kind = headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    kind.split(';').next().is_some_and(|kind| kind.trim() == "application/json")
}

/// Answers a request.
pub(super) async fn handle(
    shared: Shared,
    ConnectInfo(fuse): ConnectInfo<Fuse>,
    method: Method,
    uri: Uri,
    headers: HeaderMap,
    body: Bytes,
) -> Response<Body> {
    let path = uri.path().to_owned();
    let asked = match path.as_str() {
        "/jsonrpc" => jsonrpc::asked(&body),
        _ if path.starts_with("/json/2/") => json2::asked(&path, &body),
        _ => Asked { service: String::new(), model: String::new(), method: String::new(), args: Value::Null },
    };
    let begun = Instant::now();
    // Fault and answer under one lock: a test's change falls before a request or behind it, never into it.
    let (mut reply, fault, now) = {
        let mut state = shared.state();
        let fault = shared.faults.strike(&asked.model, &asked.method, &mut state);
        let reply = match fault {
            Some(fault) => troubled(&state, &path, fault),
            None => None,
        };
        let reply = reply.unwrap_or_else(|| answer(&mut state, &method, &path, &headers, &body));
        (reply, fault, state.now())
    };
    if fault == Some(Fault::Truncated) {
        reply.body.truncate(reply.body.len() / 2);
    }
    let call = Call {
        path,
        service: asked.service,
        model: asked.model,
        method: asked.method,
        args: asked.args,
        answered: reply.body.len(),
        took: begun.elapsed(),
    };
    // Noted before it hangs or is cut: the server was asked all the same.
    shared.calls().push(call);
    match fault {
        Some(Fault::Hang) => std::future::pending::<()>().await,
        Some(Fault::Cut) => fuse.light(256 + reply.body.len() as i64 / 2),
        _ => {}
    }
    let mut response = Response::builder()
        .status(StatusCode::from_u16(reply.status).expect("the fake's status codes exist"))
        .header(header::SERVER, "Werkzeug/2.2.2 Python/3.11.7")
        .header(header::CONTENT_TYPE, reply.kind)
        .header(header::CONNECTION, "close")
        .header(header::DATE, now.strftime("%a, %d %b %Y %H:%M:%S GMT").to_string());
    for (name, value) in reply.extra {
        response = response.header(name, value);
    }
    response.body(Body::from(reply.body)).expect("the fake's headers are well-formed")
}

/// The answer of a request that goes wrong, where the fault is in the answer.
fn troubled(state: &State, path: &str, fault: Fault) -> Option<Reply> {
    let wait = |reply: Reply, after: Option<u64>| {
        let extra = after.map(|seconds| ("Retry-After", seconds.to_string())).into_iter().collect();
        Some(Reply { extra, ..reply })
    };
    let odoo = |fail: Fail| {
        if path == "/jsonrpc" {
            Some(Reply::json(200, fail.json_rpc(state.version, &json!(1)).to_string().into_bytes()))
        } else {
            Some(Reply::json(fail.status, fail.data().to_string().into_bytes()))
        }
    };
    match fault {
        Fault::TooMany(after) => wait(Reply::html(429, "<html><title>429 Too Many Requests</title></html>"), after),
        Fault::Unavailable(after) => wait(Reply::html(503, "<html><title>503 Service Unavailable</title></html>"), after),
        Fault::BadGateway => Some(Reply::html(
            502,
            "<html>\r\n<head><title>502 Bad Gateway</title></head>\r\n<body>\r\n<center><h1>502 Bad \
             Gateway</h1></center>\r\n<hr><center>nginx</center>\r\n</body>\r\n</html>\r\n",
        )),
        Fault::LoginPage => Some(Reply::html(
            200,
            "<!DOCTYPE html>\n<html lang=\"en-US\">\n<head><title>Login | Odoo</title></head>\n<body><form \
             class=\"oe_login_form\" action=\"/web/login\" method=\"post\"></form></body>\n</html>\n",
        )),
        Fault::SessionLost if path == "/jsonrpc" => odoo(Fail::denied()),
        Fault::SessionLost => odoo(Fail::unauthorized("Invalid apikey")),
        Fault::ServerError => odoo(Fail::attribute("'NoneType' object has no attribute 'id'")),
        Fault::SerializationFailure => odoo(Fail {
            name: "psycopg2.errors.SerializationFailure",
            message: "could not serialize access due to concurrent update\n".to_owned(),
            status: 500,
        }),
        // These are answered as usual and spoilt on the way.
        Fault::Hang | Fault::Cut | Fault::Truncated => None,
    }
}

/// What `common.version` tells.
pub(super) fn version_info(version: Version) -> Value {
    let major = match version {
        Version::V17 => 17,
        Version::V18 => 18,
        Version::V19 => 19,
    };
    json!({
        "server_version": format!("{major}.0"),
        "server_version_info": [major, 0, 0, "final", 0, ""],
        "server_serie": format!("{major}.0"),
        "protocol_version": 1,
    })
}

fn answer(state: &mut State, method: &Method, path: &str, headers: &HeaderMap, body: &[u8]) -> Reply {
    match path {
        "/jsonrpc" if method != Method::POST || !is_json(headers) => Reply::wrong_type(400, path, "json"),
        "/jsonrpc" => jsonrpc::answer(state, body),
        "/web/health" => {
            Reply { kind: "application/json", ..Reply::json(200, json!({"status": "pass"}).to_string().into_bytes()) }
        }
        "/web/webclient/version_info" if method == Method::POST => {
            let answer = json!({"jsonrpc": "2.0", "id": 1, "result": version_info(state.version)});
            Reply::json(200, answer.to_string().into_bytes())
        }
        "/web/version" | "/json/version" if state.version == Version::V19 => {
            let info = version_info(state.version);
            let answer = json!({"version_info": info["server_version_info"], "version": info["server_version"]});
            Reply::json(200, answer.to_string().into_bytes())
        }
        _ if path.starts_with("/json/2/") && state.version == Version::V19 => {
            json2::answer(state, method, path, headers, body)
        }
        _ => Reply {
            kind: "text/html;charset=utf-8",
            ..Reply::html(404, "<!DOCTYPE html>\n<html>\n    <head>\n        <title>Odoo</title>\n    </head>\n</html>\n")
        },
    }
}
