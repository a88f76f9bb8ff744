//! An endpoint for tests: a real HTTP server on a free port, and one manner of answering.

use std::sync::{Arc, Mutex};

use axum::Router;
use axum::body::Body;
use axum::extract::State;
use axum::http::Response;
use secrecy::SecretString;
use serde_json::{Value, json};
use tokio::task::JoinSet;

use crate::config::{Config, ModelConfig};

/// What it answers.
#[derive(Clone, Debug)]
pub(crate) struct Says {
    pub(crate) status: u16,
    pub(crate) headers: Vec<(&'static str, String)>,
    pub(crate) body: Vec<u8>,
}

impl Says {
    pub(crate) fn raw(status: u16, kind: &str, body: impl Into<Vec<u8>>) -> Self {
        Self { status, headers: vec![("content-type", kind.to_owned())], body: body.into() }
    }

    pub(crate) fn json(status: u16, body: &Value) -> Self {
        Self::raw(status, "application/json", body.to_string())
    }

    pub(crate) fn with(mut self, name: &'static str, value: &str) -> Self {
        self.headers.push((name, value.to_owned()));
        self
    }
}

/// What it was asked.
pub(crate) struct Asked {
    pub(crate) body: Value,
    /// How often it was asked before.
    pub(crate) before: usize,
}

impl Asked {
    /// A draft of the case that `reeve doctor` makes up, by a model that knows no form unless it is told.
    pub(crate) fn draft(&self) -> Value {
        if !self.body.to_string().contains("additionalProperties") {
            return json!({ "best": "A1", "because": "It stops the loss soonest." });
        }
        json!({
            "abstain": false,
            "abstain_reason": "",
            "choices": [{
                "candidate": "A1",
                "confidence_percent": 60,
                "rationale": "This comes first since it stops the loss soonest and needs the least from others.",
                "risks": "The partner may refuse.",
                "would_change": "A newer word from the partner would change it.",
                "message": "",
                "cites": ["po_line:183/qty"]
            }]
        })
    }

    /// The same as text.
    pub(crate) fn text(&self) -> String {
        self.draft().to_string()
    }
}

/// A chat completion with this content.
pub(crate) fn completion(content: impl Into<Value>) -> Value {
    json!({
        "id": "c-1", "object": "chat.completion", "created": 1_793_460_600, "model": "stub-1",
        "choices": [{ "index": 0, "message": { "role": "assistant", "content": content.into() }, "finish_reason": "stop" }],
        "usage": { "prompt_tokens": 2000, "completion_tokens": 200, "total_tokens": 2200 }
    })
}

/// A running endpoint. It ends when dropped.
pub(crate) struct Stub {
    /// Its base address.
    pub(crate) url: String,
    asked: Arc<Mutex<Vec<Value>>>,
    _server: JoinSet<()>,
}

#[derive(Clone)]
struct Manner {
    says: fn(&Asked) -> Says,
    asked: Arc<Mutex<Vec<Value>>>,
}

impl Stub {
    /// Starts one.
    pub(crate) async fn start(says: fn(&Asked) -> Says) -> Self {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}/v1", listener.local_addr().unwrap());
        let asked = Arc::new(Mutex::new(Vec::new()));
        let router = Router::new().fallback(answer).with_state(Manner { says, asked: Arc::clone(&asked) });
        let mut server = JoinSet::new();
        server.spawn(async move { axum::serve(listener, router).await.unwrap() });
        Self { url, asked, _server: server }
    }

    /// The requests so far.
    pub(crate) fn asked(&self) -> Vec<Value> {
        self.asked.lock().unwrap().clone()
    }

    /// The configuration that leads to it.
    pub(crate) fn config(&self) -> ModelConfig {
        let mut config = Config::load_from(None, &[]).unwrap().model;
        config.base_url.clone_from(&self.url);
        "stub".clone_into(&mut config.name);
        config.api_key = SecretString::from("sk-not-for-logs".to_owned());
        config
    }
}

async fn answer(State(manner): State<Manner>, body: String) -> Response<Body> {
    let body: Value = serde_json::from_str(&body).unwrap();
    let before = {
        let mut asked = manner.asked.lock().unwrap();
        asked.push(body.clone());
        asked.len() - 1
    };
    let Says { status, headers, body } = (manner.says)(&Asked { body, before });
    let mut response = Response::builder().status(status);
    for (name, value) in headers {
        response = response.header(name, value);
    }
    response.body(Body::from(body)).unwrap()
}
