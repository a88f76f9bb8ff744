//! Sends approved recommendations to their destinations, signed by the Standard Webhooks convention.
//!
//! Each destination has its own address, secrets, limit and circuit breaker, so that one that is down holds up no other. One
//! attempt a call: when to try again is `pipeline::deliver`'s business. The body is signed and sent byte for byte as it
//! was approved; the id is the same for every attempt, the timestamp is the attempt's. Redirects are not followed, since the
//! signature is meant for the configured receiver alone.

use std::collections::BTreeMap;
use std::time::Duration;

use async_trait::async_trait;
use base64::Engine;
use jiff::Timestamp;
use reqwest::header::{CONTENT_TYPE, HeaderMap};
use reqwest::{Client, Response, StatusCode, Url};
use secrecy::{ExposeSecret, SecretString};
use standardwebhooks::{HEADER_WEBHOOK_ID, HEADER_WEBHOOK_SIGNATURE, HEADER_WEBHOOK_TIMESTAMP, Webhook};

use crate::config::{DeliveryConfig, DestinationConfig, WEBHOOK};
use crate::domain::outbox::OutboxKind;
use crate::domain::words::cut;
use crate::http::breaker::Breaker;
use crate::http::bucket::Bucket;
use crate::http::retry::retry_after;
use crate::ports::{Outgoing, PortError, Receipt, Sender};

const SERVICE: &str = "the webhook receiver";

/// What it is called where the configuration is wrong.
const NAME: &str = "webhook";

/// What is sent as a signed webhook. Not [`OutboxKind::ALL`]: a kind that is made for another way out is none of these.
const KINDS: &[OutboxKind] = &[OutboxKind::Approved, OutboxKind::NotSeen, OutboxKind::Stuck, OutboxKind::Anchor];

/// Receivers such as n8n read the body only under exactly this type; the CloudEvents one leaves it empty there.
const JSON: &str = "application/json";

/// The longest answer of a receiver that is looked at for its name of the message; a longer one is no acknowledgement that
/// anybody would write.
const ANSWER_BYTES: usize = 64 * 1024;

/// How long the body of an answer is waited for, once its status has acknowledged the message.
const ANSWER_TIME: Duration = Duration::from_secs(1);

/// Longest name of a message on the other side, in characters.
const REFERENCE_CHARS: usize = 200;

/// No receiver may put a delivery off for longer than this.
const LONGEST_WAIT: Duration = Duration::from_hours(24);

/// Why the sender can not be set up. Names the key and never shows the secret.
#[derive(Debug, thiserror::Error)]
pub enum SetupError {
    /// Not an address.
    #[error("`webhook.url` (or `url` of its [[destinations]]) must be an http or https address with a host: {0}")]
    Url(String),
    /// Not a usable secret.
    #[error(
        "`webhook.secret` (or `secret` of its [[destinations]]) must be whsec_ followed by base64 of 24 to 64 bytes; several, separated by a space, while one is being rotated"
    )]
    Secret,
    /// No TLS.
    #[error("the HTTP client can not be set up: {0}")]
    Client(String),
}

/// A sender to one receiver.
pub struct SignedWebhook {
    client: Client,
    url: Url,
    keys: Vec<Webhook>,
    bucket: Bucket,
    breaker: Breaker,
}

/// All destinations, by name.
pub struct Destinations(BTreeMap<String, SignedWebhook>);

impl Destinations {
    /// Sets up each of `all`.
    ///
    /// # Errors
    /// The destination's name, and what of it can not be used.
    pub fn new(all: &[DestinationConfig], delivery: &DeliveryConfig) -> Result<Self, (String, SetupError)> {
        let set_up = |d: &DestinationConfig| {
            let sender = SignedWebhook::new(&d.url, &d.secret, d.timeout).map_err(|error| (d.name.clone(), error))?;
            let sender = SignedWebhook {
                bucket: Bucket::new(d.per_second, d.burst),
                breaker: Breaker::new(delivery.breaker_failures, delivery.breaker_pause),
                ..sender
            };
            Ok((d.name.clone(), sender))
        };
        all.iter().map(set_up).collect::<Result<_, _>>().map(Self)
    }
}

#[async_trait]
impl Sender for Destinations {
    fn name(&self) -> &'static str {
        NAME
    }

    fn kinds(&self) -> &'static [OutboxKind] {
        KINDS
    }

    async fn send(&self, message: &Outgoing) -> Result<Receipt, PortError> {
        match self.0.get(&message.to) {
            Some(sender) => sender.send(message).await,
            None => Err(PortError::Permanent {
                service: SERVICE,
                source: format!("there is no destination {:?}", message.to).into(),
            }),
        }
    }

    fn knows(&self, destination: &str) -> bool {
        self.0.contains_key(destination)
    }

    fn free_at(&self, destination: &str, now: Timestamp) -> Timestamp {
        self.0.get(destination).map_or(now, |sender| sender.free_at(destination, now))
    }
}

impl SignedWebhook {
    /// Sets up a sender to `url`, signing with each of the secrets in `secret` (separated by spaces).
    ///
    /// # Errors
    /// Names the configuration key that can not be used.
    pub fn new(url: &str, secret: &SecretString, timeout: Duration) -> Result<Self, SetupError> {
        let url = Url::parse(url).map_err(|e| SetupError::Url(e.to_string()))?;
        if !matches!(url.scheme(), "http" | "https") || !url.has_host() {
            return Err(SetupError::Url(format!("the scheme is {:?}", url.scheme())));
        }
        let keys: Vec<Webhook> = secret.expose_secret().split_whitespace().map(key).collect::<Result<_, _>>()?;
        if keys.is_empty() {
            return Err(SetupError::Secret);
        }
        let client = crate::http::client(timeout).map_err(|e| SetupError::Client(e.to_string()))?;
        // Without a limit and without a rest, until somebody sets them.
        let (bucket, breaker) = (Bucket::new(f64::INFINITY, u32::MAX), Breaker::new(u32::MAX, Duration::from_mins(1)));
        Ok(Self { client, url, keys, bucket, breaker })
    }

    /// The `webhook-signature` header: one signature for each secret.
    fn signatures(&self, id: &str, seconds: i64, body: &str) -> Result<String, PortError> {
        let each: Result<Vec<String>, _> = self.keys.iter().map(|key| key.sign(id, seconds, body.as_bytes())).collect();
        each.map(|all| all.join(" ")).map_err(|e| PortError::Permanent { service: SERVICE, source: Box::new(e) })
    }
}

fn key(secret: &str) -> Result<Webhook, SetupError> {
    let encoded = secret.strip_prefix("whsec_").ok_or(SetupError::Secret)?;
    let bytes = base64::engine::general_purpose::STANDARD.decode(encoded).map_err(|_| SetupError::Secret)?;
    // The convention's bounds: a shorter key could be guessed.
    if !(24..=64).contains(&bytes.len()) {
        return Err(SetupError::Secret);
    }
    Webhook::from_bytes(bytes).map_err(|_| SetupError::Secret)
}

#[async_trait]
impl Sender for SignedWebhook {
    fn name(&self) -> &'static str {
        NAME
    }

    fn kinds(&self) -> &'static [OutboxKind] {
        KINDS
    }

    async fn send(&self, message: &Outgoing) -> Result<Receipt, PortError> {
        if message.id.contains('.') {
            // The signature joins its parts by dots: an id with one could be read two ways.
            let source = format!("the message id {:?} contains a dot", message.id).into();
            return Err(PortError::Permanent { service: SERVICE, source });
        }
        let seconds = message.at.as_second();
        let signatures = self.signatures(&message.id, seconds, &message.body)?;
        if let Err(wait) = self.breaker.admit(message.at) {
            let until = message.at.checked_add(wait).unwrap_or(Timestamp::MAX);
            return Err(PortError::Resting { service: SERVICE, until });
        }
        self.bucket.take(message.at);
        let response = self
            .client
            .post(self.url.clone())
            .header(CONTENT_TYPE, JSON)
            .header(HEADER_WEBHOOK_ID, &message.id)
            .header(HEADER_WEBHOOK_TIMESTAMP, seconds.to_string())
            .header(HEADER_WEBHOOK_SIGNATURE, signatures)
            .body(message.body.clone())
            .send()
            .await
            .map_err(|e| {
                self.breaker.failed(message.at);
                // Receivers' addresses often carry a token, and errors are kept: so without it.
                PortError::Transient { service: SERVICE, retry_after: None, source: Box::new(e.without_url()) }
            })?;
        let status = response.status();
        // That it is down or has too much counts against the receiver; that it refuses one message does not.
        if status.is_server_error() || status == StatusCode::TOO_MANY_REQUESTS {
            self.breaker.failed(message.at);
        } else {
            self.breaker.answered();
        }
        if status.is_success() {
            return Ok(Receipt { reference: reference(response).await, at: message.at });
        }
        if status == StatusCode::GONE {
            return Err(PortError::Gone { service: SERVICE });
        }
        // Any other refusal is tried again: what a receiver does not take now may be mended there within the day.
        let source = format!("it answered {status}").into();
        let retry_after = retry_after(response.headers(), message.at, LONGEST_WAIT);
        Err(PortError::Transient { service: SERVICE, retry_after, source })
    }

    /// By itself it is the way to what no other destination takes; the others are known by name to [`Destinations`].
    fn knows(&self, destination: &str) -> bool {
        destination == WEBHOOK
    }

    fn free_at(&self, _destination: &str, now: Timestamp) -> Timestamp {
        self.breaker.free_at(now).max(self.bucket.free_at(now))
    }
}

/// What the receiver calls the message: the `id` of its answer in JSON, or else the header `x-message-id`. It has acknowledged
/// already, so whatever is wrong with the rest of its answer makes no difference to that.
async fn reference(response: Response) -> Option<String> {
    let header = |headers: &HeaderMap, name: &str| headers.get(name)?.to_str().ok().map(str::to_owned);
    let by_header = header(response.headers(), "x-message-id");
    let is_json = header(response.headers(), CONTENT_TYPE.as_str()).is_some_and(|kind| kind.starts_with(JSON));
    // It has the message: what it calls it is nice to know, and not worth a queue behind a body that does not end.
    let body = tokio::time::timeout(ANSWER_TIME, answer(response));
    let by_body = if is_json { id_of(&body.await.unwrap_or_default()) } else { None };
    let named = cut(&by_body.or(by_header)?, REFERENCE_CHARS);
    (!named.is_empty()).then_some(named)
}

/// The `id` of an answer in JSON, as text.
fn id_of(answer: &[u8]) -> Option<String> {
    match serde_json::from_slice::<serde_json::Value>(answer).ok()?.get("id")? {
        serde_json::Value::String(text) => Some(text.clone()),
        serde_json::Value::Number(number) => Some(number.to_string()),
        _ => None,
    }
}

/// The body of an answer, as far as it is read; nothing of one that is longer.
async fn answer(mut response: Response) -> Vec<u8> {
    let mut body = Vec::new();
    while let Ok(Some(chunk)) = response.chunk().await {
        if body.len() + chunk.len() > ANSWER_BYTES {
            return Vec::new();
        }
        body.extend_from_slice(&chunk);
    }
    body
}

#[cfg(test)]
mod tests {
    use reeve_testing::endpoint::{Endpoint, Says};
    use reeve_testing::receiver::SECRET;

    use super::*;
    use crate::clock::Clock;

    fn sender(url: &str) -> SignedWebhook {
        SignedWebhook::new(url, &SecretString::from(SECRET), Duration::from_secs(5)).unwrap()
    }

    fn message() -> Outgoing {
        Outgoing {
            kind: OutboxKind::Approved,
            to: "webhook".into(),
            id: "msg_1".into(),
            body: "{\"a\": 1}".into(),
            at: Clock::System.now(),
            shown: crate::ports::Shown::default(),
        }
    }

    #[test]
    fn the_signature_is_the_one_that_independent_libraries_made() {
        // Made by npm standardwebhooks 1.1.1 and by PyPI standardwebhooks, which agreed.
        let body = concat!(
            r#"{"specversion":"1.0","id":"evt_01k9example","source":"/reeve/main","type":"io.reeve.decision.approved.v1","#,
            r#""subject":"recommendation/R-1042","time":"2026-11-23T04:15:27Z","datacontenttype":"application/json","#,
            r#""data":{"recommendation":"R-1042","revision":3,"content_hash":"sha256:0f…","action":"internal_transfer","#,
            r#""quantity":"24","decided_by":"ada@acme.example","note":"é 漢字 ₣"}}"#
        );
        let signed = sender("http://127.0.0.1:9/").signatures("msg_01k9example", 1_795_407_327, body).unwrap();
        assert_eq!(signed, "v1,zNZWl3gck2rSdYsYzrXhPov9tctq7q82kJnyIVfb4po=");
    }

    #[test]
    fn what_the_receiver_calls_a_message_is_an_id_in_json_and_nothing_else() {
        for (answer, id) in [
            (r#"{"id":"exec-7","message":"Workflow was started"}"#, Some("exec-7")),
            (r#"{"id":4711}"#, Some("4711")),
            (r#"{"id":{"id":"x"}}"#, None),
            (r#"{"message":"id"}"#, None),
            (r#"["id"]"#, None),
            ("ok", None),
            ("", None),
        ] {
            assert_eq!(id_of(answer.as_bytes()).as_deref(), id, "{answer}");
        }
    }

    /// What is kept of an answer of `body` with the header `x-message-id`, where it has one.
    async fn kept(kind: &str, body: &str, header: Option<&str>) -> Option<String> {
        let says = Says::raw(200, kind, body);
        let says = if let Some(id) = header { says.with("x-message-id", id) } else { says };
        let receiver = Endpoint::saying(says).await;
        let message = message();
        let receipt = sender(&receiver.url).send(&message).await.unwrap();
        assert_eq!(receipt.at, message.at);
        receipt.reference
    }

    #[tokio::test]
    async fn an_acknowledgement_keeps_the_receivers_name_of_the_message_where_there_is_one() {
        let json = "application/json; charset=utf-8";
        assert_eq!(kept(json, r#"{"id":"exec\n7"}"#, None).await.as_deref(), Some("exec 7"));
        assert_eq!(kept(json, r#"{"id":"7"}"#, Some("m-1")).await.as_deref(), Some("7"));
        assert_eq!(kept(json, "{", Some("m-1")).await.as_deref(), Some("m-1"));
        assert_eq!(kept("text/plain", r#"{"id":"7"}"#, None).await, None);
        assert_eq!(kept(json, r#"{"id":""}"#, None).await, None);
    }

    #[tokio::test]
    async fn a_receiver_can_verify_what_it_gets() {
        let receiver = Endpoint::saying(Says::status(202)).await;
        sender(&receiver.url).send(&message()).await.unwrap();
        let got = &receiver.asked()[0];
        assert_eq!((got.header("content-type"), got.text()), ("application/json", &*message().body));
        let key = Webhook::new(SECRET).unwrap();
        key.verify(&got.body, &got.headers).unwrap();
        assert!(key.verify(b"{\"a\": 2}", &got.headers).is_err());
    }

    #[tokio::test]
    async fn while_a_secret_is_rotated_either_one_verifies() {
        let receiver = Endpoint::saying(Says::status(200)).await;
        let other = "whsec_b3RoZXItc2VjcmV0LTMyLWJ5dGVzLWxvbmctYXMtd2VsbA==";
        let both = SecretString::from(format!("{SECRET} {other}"));
        SignedWebhook::new(&receiver.url, &both, Duration::from_secs(5)).unwrap().send(&message()).await.unwrap();
        let got = &receiver.asked()[0];
        for secret in [SECRET, other] {
            Webhook::new(secret).unwrap().verify(&got.body, &got.headers).unwrap();
        }
    }

    #[tokio::test]
    async fn only_gone_is_final_and_retry_after_is_heard() {
        let gone = Endpoint::saying(Says::status(410)).await;
        assert!(matches!(sender(&gone.url).send(&message()).await, Err(PortError::Gone { .. })));
        for status in [429, 400, 502] {
            let receiver = Endpoint::saying(Says::status(status).with("retry-after", "7")).await;
            match sender(&receiver.url).send(&message()).await {
                Err(PortError::Transient { retry_after, .. }) => assert_eq!(retry_after, Some(Duration::from_secs(7))),
                other => panic!("{status}: {other:?}"),
            }
        }
    }

    #[tokio::test]
    async fn a_redirect_is_not_followed() {
        let elsewhere = Endpoint::saying(Says::status(200)).await;
        let receiver = Endpoint::saying(Says::status(307).with("location", &elsewhere.url)).await;
        assert!(matches!(sender(&receiver.url).send(&message()).await, Err(PortError::Transient { .. })));
        assert!(elsewhere.asked().is_empty());
    }

    #[tokio::test]
    async fn a_receiver_that_is_not_there_is_tried_again_and_its_address_is_not_told() {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}/secret-path", listener.local_addr().unwrap());
        drop(listener);
        match sender(&url).send(&message()).await {
            Err(PortError::Transient { source, .. }) => assert!(!source.to_string().contains("secret-path"), "{source}"),
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn a_bad_secret_or_address_is_refused_and_not_shown() {
        for secret in ["", "aG9s", "whsec_c2hvcnQ=", "whsec_?"] {
            let error = SignedWebhook::new("https://x.example/", &SecretString::from(secret), Duration::from_secs(1));
            let error = error.err().expect("a bad secret").to_string();
            assert!(error.contains("webhook.secret") && (secret.is_empty() || !error.contains(secret)), "{error}");
        }
        for url in ["", "ftp://x.example/", "n8n"] {
            assert!(matches!(
                SignedWebhook::new(url, &SecretString::from(SECRET), Duration::from_secs(1)),
                Err(SetupError::Url(_))
            ));
        }
    }

    #[tokio::test]
    async fn a_destination_that_keeps_failing_is_left_alone_and_holds_up_no_other() {
        let (down, up) = (Endpoint::saying(Says::status(502)).await, Endpoint::saying(Says::status(200)).await);
        let text = format!(
            "[delivery]\nbreaker_failures = 2\nbreaker_pause = \"1min\"\n\
             [[destinations]]\nname = \"down\"\nurl = \"{}\"\nsecret = \"{SECRET}\"\nburst = 3\nper_second = 1.0\n\
             [[destinations]]\nname = \"up\"\nurl = \"{}\"\nsecret = \"{SECRET}\"\nburst = 3\nper_second = 1.0\n",
            down.url, up.url
        );
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("reeve.toml");
        std::fs::write(&file, text).unwrap();
        let config = crate::config::Config::load_from(Some(&file), &[]).unwrap();
        let all = Destinations::new(&config.all_destinations(), &config.delivery).unwrap();
        assert!(all.knows("up") && all.knows("down") && !all.knows("webhook"));
        let now = Clock::System.now();
        let to = |name: &str, seconds: i64| Outgoing {
            kind: OutboxKind::Approved,
            to: name.to_owned(),
            at: now.checked_add(jiff::SignedDuration::from_secs(seconds)).unwrap(),
            shown: crate::ports::Shown::default(),
            ..message()
        };
        for second in [0, 1] {
            assert!(matches!(all.send(&to("down", second)).await, Err(PortError::Transient { .. })));
        }
        // The second failure is the breaker's measure here, and from it the minute of rest counts.
        let rested = to("down", 61).at;
        assert_eq!(all.free_at("down", to("down", 2).at), rested);
        assert!(matches!(all.send(&to("down", 2)).await, Err(PortError::Resting { until, .. }) if until == rested));
        assert_eq!(down.asked().len(), 2, "left alone is not asked");
        for _ in 0..3 {
            all.send(&to("up", 0)).await.unwrap();
        }
        assert!(all.free_at("up", now) > now, "its burst is used up");
        assert_eq!(up.asked().len(), 3);
        assert!(all.send(&to("nobody", 0)).await.is_err());
    }
}
