//! A real HTTP server on a free port with one manner of answering, or of not answering. It keeps what it was asked.

use std::sync::{Arc, Mutex, PoisonError};

use axum::body::{Body, Bytes, to_bytes};
use axum::http::{HeaderMap, Method, Response};
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use serde_json::Value;
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinSet;

/// What it was asked.
#[derive(Clone, Debug)]
pub struct Asked {
    /// The method.
    pub method: Method,
    /// The path, without what follows a question mark.
    pub path: String,
    /// The headers.
    pub headers: HeaderMap,
    /// The body.
    pub body: Bytes,
    /// How often it was asked before.
    pub before: usize,
}

impl Asked {
    /// The body as text.
    ///
    /// # Panics
    /// Where it is none.
    pub fn text(&self) -> &str {
        std::str::from_utf8(&self.body).expect("the body is UTF-8")
    }

    /// The body as JSON; nothing is null.
    ///
    /// # Panics
    /// Where it is none.
    pub fn json(&self) -> Value {
        if self.body.is_empty() { Value::Null } else { serde_json::from_slice(&self.body).expect("the body is JSON") }
    }

    /// A header that has to be there once; nothing where it is not.
    pub fn header(&self, name: &str) -> &str {
        self.headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default()
    }
}

/// What it answers.
#[derive(Clone, Debug)]
pub struct Says {
    /// The status code.
    pub status: u16,
    /// The headers.
    pub headers: Vec<(String, String)>,
    /// The body.
    pub body: Vec<u8>,
}

impl Says {
    /// A status and nothing else.
    pub fn status(status: u16) -> Self {
        Self { status, headers: Vec::new(), body: Vec::new() }
    }

    /// A body of some kind.
    pub fn raw(status: u16, kind: &str, body: impl Into<Vec<u8>>) -> Self {
        Self { body: body.into(), ..Self::status(status) }.with("content-type", kind)
    }

    /// A body of JSON.
    pub fn json(status: u16, body: &Value) -> Self {
        Self::raw(status, "application/json", body.to_string())
    }

    /// The same with another header.
    #[must_use]
    pub fn with(mut self, name: &str, value: &str) -> Self {
        self.headers.push((name.to_owned(), value.to_owned()));
        self
    }
}

/// A running server. It ends when dropped.
#[derive(Debug)]
pub struct Endpoint {
    /// `http://127.0.0.1:1234`, without a slash at the end.
    pub url: String,
    asked: Arc<Mutex<Vec<Asked>>>,
    _server: JoinSet<()>,
}

impl Endpoint {
    /// Starts one. Where `manner` says nothing the connection is closed without an answer, where it takes its time the caller
    /// waits.
    ///
    /// # Panics
    /// Where no port is free.
    pub async fn start<M, F>(manner: M) -> Self
    where
        M: Fn(Asked) -> F + Send + Sync + 'static,
        F: Future<Output = Option<Says>> + Send + 'static,
    {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port is free");
        let url = format!("http://{}", listener.local_addr().expect("a bound listener has an address"));
        let asked = Arc::new(Mutex::new(Vec::new()));
        let (manner, kept) = (Arc::new(manner), Arc::clone(&asked));
        let mut server = JoinSet::new();
        server.spawn(async move {
            // Ends with the server, and every connection with it.
            let mut connections = JoinSet::new();
            while let Ok((stream, _)) = listener.accept().await {
                connections.spawn(serve(stream, Arc::clone(&manner), Arc::clone(&kept)));
            }
        });
        Self { url, asked, _server: server }
    }

    /// Starts one that always answers the same.
    pub async fn saying(says: Says) -> Self {
        Self::start(move |_| std::future::ready(Some(says.clone()))).await
    }

    /// What it was asked so far.
    pub fn asked(&self) -> Vec<Asked> {
        self.asked.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

/// Answers the requests of one connection.
async fn serve<M, F>(stream: TcpStream, manner: Arc<M>, kept: Arc<Mutex<Vec<Asked>>>)
where
    M: Fn(Asked) -> F + Send + Sync + 'static,
    F: Future<Output = Option<Says>> + Send + 'static,
{
    let service = service_fn(|request: axum::http::Request<hyper::body::Incoming>| {
        let (manner, kept) = (Arc::clone(&manner), Arc::clone(&kept));
        async move {
            let (parts, body) = request.into_parts();
            let body = to_bytes(Body::new(body), usize::MAX).await.map_err(|_| Closed)?;
            let asked = {
                let mut kept = kept.lock().unwrap_or_else(PoisonError::into_inner);
                let path = parts.uri.path().to_owned();
                let asked = Asked { method: parts.method, path, headers: parts.headers, body, before: kept.len() };
                kept.push(asked.clone());
                asked
            };
            // An error of the service closes the connection.
            let Says { status, headers, body } = manner(asked).await.ok_or(Closed)?;
            let response = Response::builder().status(status);
            let response = headers.into_iter().fold(response, |response, (name, value)| response.header(name, value));
            response.body(Body::from(body)).map_err(|_| Closed)
        }
    });
    // Whoever asked may be gone: that is its own business.
    drop(http1::Builder::new().serve_connection(TokioIo::new(stream), service).await);
}

/// The connection is closed without an answer.
#[derive(Debug)]
struct Closed;

impl std::fmt::Display for Closed {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("closed without an answer")
    }
}

impl std::error::Error for Closed {}
