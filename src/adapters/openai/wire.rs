//! One request to the endpoint and what comes back, bounded: knows addresses, keys and statuses, not what is asked.

use std::io;
use std::time::Duration;

use reqwest::header::{AUTHORIZATION, CONTENT_TYPE, HeaderMap, HeaderValue};
use secrecy::{ExposeSecret, SecretString};
use serde_json::Value;

use super::SetupError;
use crate::clock::Clock;
use crate::domain::words::{quoted, with_causes};
use crate::http::retry::retry_after;
use crate::ports::{ModelError, NoWay, Unread};

/// Where questions go, below the base address.
pub(super) const QUESTIONS: &str = "/chat/completions";
/// Where texts go to be made vectors of.
pub(super) const EMBEDDINGS: &str = "/embeddings";

/// An endpoint as it is configured: its base address, its key, and how long one question may take.
#[derive(Clone, Copy)]
pub(super) struct Endpoint<'a> {
    pub(super) base_url: &'a str,
    pub(super) api_key: &'a SecretString,
    pub(super) timeout: Duration,
    /// Which section of the configuration names it.
    pub(super) section: &'static str,
}
/// Longest answer that is read, in MiB: a long chain of thoughts with the odds of each token is shorter.
pub(super) const ANSWER_MAX_MIB: usize = 4;
/// Longest piece of a refusal's body that is read, in bytes.
const REFUSAL_MAX: usize = 8 * 1024;
/// Longest piece of a body in the log, in characters.
const LOGGED_MAX: usize = 200;

/// Where to ask, and with which key.
pub(super) struct Wire {
    http: reqwest::Client,
    address: String,
    key: SecretString,
    headers: HeaderMap,
    timeout: Duration,
    clock: Clock,
}

/// What an endpoint said instead of an answer. Its body is for telling kinds apart and for the log; nobody is shown it.
#[derive(Debug)]
pub(super) struct Refusal {
    /// The HTTP status, or the one that stands in the body of an answer.
    pub(super) status: u16,
    /// When it asked to be left alone until.
    pub(super) retry_after: Option<Duration>,
    /// What it said, its beginning.
    pub(super) body: String,
    /// Does it stand in an answer with status 200? What lies before it may have been worked and has to be paid for.
    pub(super) inside: bool,
}

/// Why a request brought no body to read.
#[derive(Debug)]
pub(super) enum Failure {
    /// The endpoint refused.
    Refused(Refusal),
    /// No answer came, or too much of one.
    Lost { error: ModelError, again: bool },
}

impl Wire {
    /// To ask what stands below `path` of the endpoint.
    pub(super) fn new(endpoint: Endpoint<'_>, path: &str, http: reqwest::Client, clock: Clock) -> Result<Self, SetupError> {
        let base = endpoint.base_url.trim();
        let url = reqwest::Url::parse(base).ok();
        // What has a slip in it may hold a key all the same.
        let Some(mut url) = url.filter(|url| matches!(url.scheme(), "http" | "https") && url.has_host()) else {
            return Err(SetupError::BaseUrl { section: endpoint.section, url: crate::ports::shown_address(base) });
        };
        // What providers show to copy is often the whole address, with a query after it.
        let given = url.path().trim_end_matches('/');
        let given = format!("{}{path}", given.strip_suffix(path).unwrap_or(given));
        url.set_path(&given);
        let mut headers = HeaderMap::new();
        let key = endpoint.api_key.expose_secret();
        if !key.is_empty() {
            let mut value = HeaderValue::from_str(&format!("Bearer {key}"))
                .map_err(|_| SetupError::Key { section: endpoint.section })?;
            // So that no debug output of a request shows it.
            value.set_sensitive(true);
            headers.insert(AUTHORIZATION, value);
        }
        let address = url.to_string();
        Ok(Self { http, address, key: endpoint.api_key.clone(), headers, timeout: endpoint.timeout, clock })
    }

    /// Sends once.
    pub(super) async fn post(&self, body: &Value) -> Result<Vec<u8>, Failure> {
        let request = self.http.post(&self.address).headers(self.headers.clone()).header(CONTENT_TYPE, "application/json");
        let mut response = request.body(body.to_string()).send().await.map_err(|error| self.lost(&error))?;
        let status = response.status();
        if status.is_success() {
            return self.read(&mut response).await;
        }
        let retry_after = retry_after(response.headers(), self.clock.wire(), Duration::MAX);
        let mut body = Vec::new();
        // A body that breaks off still leaves the status to go by.
        while body.len() < REFUSAL_MAX {
            let Ok(Some(chunk)) = response.chunk().await else { break };
            body.extend_from_slice(&chunk[..chunk.len().min(REFUSAL_MAX - body.len())]);
        }
        let body = String::from_utf8_lossy(&body).into_owned();
        self.log(status.as_u16(), &body);
        Err(Failure::Refused(Refusal { status: status.as_u16(), retry_after, body, inside: false }))
    }

    async fn read(&self, response: &mut reqwest::Response) -> Result<Vec<u8>, Failure> {
        const MAX: usize = ANSWER_MAX_MIB * 1024 * 1024;
        let mut body = Vec::new();
        while let Some(chunk) = response.chunk().await.map_err(|error| self.lost(&error))? {
            // Asked again, it would be as long again.
            if body.len() + chunk.len() > MAX {
                return Err(Failure::Lost { error: ModelError::Unread(Unread::TooLong(ANSWER_MAX_MIB)), again: false });
            }
            body.extend_from_slice(&chunk);
        }
        Ok(body)
    }

    /// The beginning of what the endpoint said, for whoever looks for a fault, without the key should it echo that.
    pub(super) fn log(&self, status: u16, body: &str) {
        let key = self.key.expose_secret();
        let body = if key.is_empty() { body.to_owned() } else { body.replace(key, "(key)") };
        tracing::debug!(status, "The language model's server said {}", quoted(&body, LOGGED_MAX));
    }

    fn lost(&self, error: &reqwest::Error) -> Failure {
        if error.is_timeout() && !error.is_connect() {
            // After a time-out there is no time left.
            return Failure::Lost { error: ModelError::Late(self.timeout), again: false };
        }
        if error.is_decode() {
            return Failure::Lost { error: ModelError::Unread(Unread::NotJson), again: false };
        }
        let way = no_way(error);
        tracing::debug!("No answer of the language model: {}", quoted(&causes(error), LOGGED_MAX));
        // A name that is not known and a certificate that is not trusted stay so.
        Failure::Lost { error: ModelError::NoWay(way), again: !matches!(way, NoWay::Name | NoWay::Certificate) }
    }
}

fn no_way(error: &reqwest::Error) -> NoWay {
    let mut cause = std::error::Error::source(error);
    while let Some(inner) = cause {
        match inner.downcast_ref::<io::Error>().map(io::Error::kind) {
            Some(io::ErrorKind::ConnectionRefused) => return NoWay::Refused,
            Some(io::ErrorKind::ConnectionReset | io::ErrorKind::UnexpectedEof) if !error.is_connect() => {
                return NoWay::BrokeOff;
            }
            _ => {}
        }
        cause = inner.source();
    }
    // The client has no types for these: only its words tell them apart.
    let said = causes(error).to_lowercase();
    if said.contains("dns error") {
        NoWay::Name
    } else if said.contains("certificate") || said.contains("tls") {
        NoWay::Certificate
    } else if error.is_connect() {
        NoWay::Other
    } else {
        NoWay::BrokeOff
    }
}

fn causes(error: &reqwest::Error) -> String {
    // Not the error itself: it names the address, and there may be a key in that.
    std::error::Error::source(error).map(with_causes).unwrap_or_default()
}
