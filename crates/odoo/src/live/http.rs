//! Carries one request to the Odoo server and its answer back. Knows addresses, status codes and limits, not what Odoo says.
//!
//! Every text that leaves here for people goes through [`Transport::clean`]: one line, shortened, without the key.

use std::time::Duration;

use reqwest::header::{ACCEPT, CONTENT_TYPE, HeaderMap, HeaderValue, LOCATION};
use reqwest::{StatusCode, Url};
use secrecy::{ExposeSecret, SecretString};

use super::error::OdooError;
use crate::settings::OdooConfig;
use reeve_domain::words::{cut, plain, quoted, with_causes};
use reeve_http::retry::retry_after;
use reeve_http::{Proxy, Route, client_by};
use reeve_ports::clock::Clock;
use reeve_ports::is_loopback;

/// Longest answer that is read, so that no server can fill the memory. A page of 20,000 rows has about 10 MiB.
pub(super) const BODY_MAX: usize = 256 * 1024 * 1024;

/// Longest text of a server that is shown, in characters.
const TEXT_MAX: usize = 400;

/// Longest wait that a server can ask for.
const WAIT_MAX: Duration = Duration::from_hours(1);

/// Shortest text that counts as a secret: replacing shorter ones would garble every message and hide nothing.
const SECRET_MIN: usize = 4;

/// The way to one server.
pub(super) struct Transport {
    client: reqwest::Client,
    root: Url,
    shown: String,
    secrets: Vec<SecretString>,
    clock: Clock,
    timeout: Duration,
    body_max: usize,
}

/// What came back.
pub(super) struct Answer {
    /// The status code.
    pub(super) status: StatusCode,
    /// Does it say that it is JSON?
    pub(super) is_json: bool,
    /// Where it sends to, if it does.
    location: Option<String>,
    /// The body.
    pub(super) body: Vec<u8>,
}

impl Transport {
    /// The way that the configuration describes.
    pub(super) fn new(config: &OdooConfig, clock: Clock) -> Result<Self, OdooError> {
        let setting = |key: &'static str, message: String| OdooError::Setting { key, message };
        let bad = || setting("odoo.url", "it is not an address such as https://erp.example.com".to_owned());
        let given = Url::parse(config.url.trim()).map_err(|_| bad())?;
        if !matches!(given.scheme(), "http" | "https") || given.host_str().is_none_or(str::is_empty) {
            return Err(bad());
        }
        // An address is shown in logs and on pages, so no secret may stand in it.
        if !given.username().is_empty() || given.password().is_some() {
            let message = "it holds a user or password: set odoo.user and odoo.api_key instead".to_owned();
            return Err(setting("odoo.url", message));
        }
        // Odoo lives at the root of its host, so a pasted `/web` or `/odoo` is dropped.
        let shown = given.origin().ascii_serialization();
        let root = Url::parse(&shown).map_err(|_| bad())?;

        let mut secrets = vec![config.api_key.clone()];
        let proxy = match config.proxy.trim() {
            // A server on this machine is never behind a proxy.
            "" if root.host_str().is_some_and(is_loopback) => Proxy::None,
            "" => Proxy::Environment,
            // A proxy's password is a secret like the key: errors of the connection may quote the address.
            address => {
                secrets.extend(Url::parse(address).ok().and_then(|url| url.password().map(SecretString::from)));
                Proxy::At(address.to_owned())
            }
        };
        let ca_file = (!config.ca_file.is_empty()).then(|| config.ca_file.clone().into());
        let client = client_by(&Route { ca_file, proxy }, config.timeout).map_err(|error| {
            let key = match error {
                reeve_http::RouteError::Proxy => "odoo.proxy",
                reeve_http::RouteError::Client(_) => "odoo.url",
                _ => "odoo.ca_file",
            };
            setting(key, error.to_string())
        })?;
        secrets.retain(|secret| secret.expose_secret().len() >= SECRET_MIN);
        Ok(Self { client, root, shown, secrets, clock, timeout: config.timeout, body_max: BODY_MAX })
    }

    /// The server's address, without secrets.
    pub(super) fn shown(&self) -> &str {
        &self.shown
    }

    /// Does the key go over the network without encryption?
    pub(super) fn is_open(&self) -> bool {
        self.root.scheme() == "http" && !self.root.host_str().is_some_and(is_loopback)
    }

    /// Sends a JSON body to a path.
    pub(super) async fn post(&self, what: &str, path: &str, headers: HeaderMap, body: Vec<u8>) -> Result<Answer, OdooError> {
        let request = self.client.post(self.at(path)).headers(headers);
        // Odoo compares this header to the letter in some versions: no charset behind it.
        let request = request.header(CONTENT_TYPE, HeaderValue::from_static("application/json"));
        let answer = self.send(what, request.body(body)).await?;
        if answer.status.is_redirection() {
            let to = answer.location.as_deref().unwrap_or("nowhere");
            let detail = self.clean(&format!("it sends to another address, {to}; if that is right, set odoo.url to it"));
            return Err(OdooError::Unreachable { url: self.shown.clone(), detail });
        }
        Ok(answer)
    }

    /// Asks for a path. A redirect is an answer.
    pub(super) async fn get(&self, what: &str, path: &str) -> Result<Answer, OdooError> {
        self.send(what, self.client.get(self.at(path))).await
    }

    fn at(&self, path: &str) -> Url {
        let mut url = self.root.clone();
        url.set_path(path);
        url
    }

    async fn send(&self, what: &str, request: reqwest::RequestBuilder) -> Result<Answer, OdooError> {
        let request = request.header(ACCEPT, HeaderValue::from_static("application/json"));
        let mut response = request.send().await.map_err(|error| self.unreachable(error))?;
        let status = response.status();
        // Before the body is read: a gateway that asks to be left alone answers with any page it likes.
        if is_busy(status) {
            return Err(OdooError::Busy {
                url: self.shown.clone(),
                detail: format!("HTTP {}", status.as_u16()),
                retry_after: retry_after(response.headers(), self.clock.wire(), WAIT_MAX),
            });
        }
        let is_json = is_json(response.headers());
        let location = response.headers().get(LOCATION).and_then(|to| to.to_str().ok()).map(str::to_owned);
        let mut body = Vec::new();
        loop {
            let chunk = match response.chunk().await {
                Ok(Some(chunk)) => chunk,
                Ok(None) => break,
                Err(error) if error.is_timeout() => return Err(self.unreachable(error)),
                Err(error) => {
                    let why = self.clean(&with_causes(&error.without_url()));
                    return Err(self.garbled(what, &format!("it ended after {} bytes ({why})", body.len())));
                }
            };
            // By what has come and not by the length that was announced, which a server may leave out or get wrong.
            if body.len() + chunk.len() > self.body_max {
                return Err(self.garbled(what, &format!("it is longer than {} MiB", self.body_max / (1024 * 1024))));
            }
            body.extend_from_slice(&chunk);
        }
        Ok(Answer { status, is_json, location, body })
    }

    /// The same in quotes, for a sentence of ours.
    pub(super) fn quote(&self, text: &str) -> String {
        quoted(&self.clean(text), TEXT_MAX)
    }

    fn unreachable(&self, error: reqwest::Error) -> OdooError {
        let detail = if error.is_timeout() && !error.is_connect() {
            format!("no answer within {} s", self.timeout.as_secs_f64())
        } else {
            // The caller names the address.
            self.clean(&with_causes(&error.without_url()))
        };
        OdooError::Unreachable { url: self.shown.clone(), detail }
    }

    /// An answer that is not what Odoo answers.
    pub(super) fn garbled(&self, what: &str, detail: &str) -> OdooError {
        OdooError::Garbled { url: self.shown.clone(), what: self.clean(what), detail: self.clean(detail) }
    }

    /// A text without secrets.
    pub(super) fn redact(&self, text: &str) -> String {
        self.secrets.iter().fold(text.to_owned(), |text, secret| text.replace(secret.expose_secret(), "***"))
    }

    /// A text from outside as it may be shown: one line of what can be seen, shortened, without secrets.
    pub(super) fn clean(&self, text: &str) -> String {
        // Twice: a secret with something invisible in it shows only when that is gone.
        cut(&self.redact(&plain(&self.redact(text))), TEXT_MAX)
    }
}

fn is_busy(status: StatusCode) -> bool {
    matches!(
        status,
        StatusCode::TOO_MANY_REQUESTS
            | StatusCode::BAD_GATEWAY
            | StatusCode::SERVICE_UNAVAILABLE
            | StatusCode::GATEWAY_TIMEOUT
    )
}

fn is_json(headers: &HeaderMap) -> bool {
    headers
        .get(CONTENT_TYPE)
        .and_then(|kind| kind.to_str().ok())
        .is_some_and(|kind| kind.split(';').next().is_some_and(|kind| kind.trim().eq_ignore_ascii_case("application/json")))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn config(url: &str) -> OdooConfig {
        let mut odoo = crate::settings::defaults();
        odoo.url = url.to_owned();
        odoo.api_key = SecretString::from("0123456789abcdef0123456789abcdef01234567".to_owned());
        odoo
    }

    fn transport(url: &str) -> Result<Transport, OdooError> {
        Transport::new(&config(url), Clock::standing_at(jiff::Timestamp::UNIX_EPOCH))
    }

    #[test]
    fn an_address_is_brought_to_its_root_and_what_is_none_is_refused() {
        assert_eq!(transport("https://erp.example.com/odoo?debug=1").unwrap().shown(), "https://erp.example.com");
        assert_eq!(transport("http://127.0.0.1:8069/").unwrap().shown(), "http://127.0.0.1:8069");
        for bad in ["", "erp.example.com", "ftp://erp.example.com", "http://"] {
            assert!(matches!(transport(bad), Err(OdooError::Setting { key: "odoo.url", .. })), "{bad}");
        }
        let Err(error) = transport("https://me:s3cret@erp.example.com") else { panic!("a password in the address") };
        assert!(!error.to_string().contains("s3cret"));
    }

    #[test]
    fn only_a_plain_connection_to_another_machine_is_open() {
        assert!(transport("http://erp.example.com").unwrap().is_open());
        assert!(!transport("https://erp.example.com").unwrap().is_open());
        assert!(!transport("http://[::1]:8069").unwrap().is_open());
        assert!(!transport("http://localhost:8069").unwrap().is_open());
    }

    #[test]
    fn a_text_from_outside_is_one_short_line_without_the_key() {
        let transport = transport("http://127.0.0.1:1").unwrap();
        let text = transport.clean("no\n\u{1b}[31m key 0123456789abcdef0123456789abcdef01234567 here");
        assert_eq!(text, "no [31m key *** here");
        assert_eq!(transport.clean("k\u{202e}ey 0123456789abcdef\u{200b}0123456789abcdef01234567"), "key ***");
        assert_eq!(transport.clean(&"x".repeat(9000)).chars().count(), TEXT_MAX);
        assert_eq!(transport.quote("no” said “Odoo"), "“no' said 'Odoo”");
    }
}
