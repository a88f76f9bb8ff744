//! `[webhook]`, `[[destinations]]` and `[delivery]`: who carries out what was approved, and how it gets there.
//!
//! Each approved recommendation goes to exactly one destination: two executors would do it twice.

use std::collections::BTreeSet;
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use secrecy::{ExposeSecret, SecretString};
use serde::Deserialize;

use super::mail::MAIL;
use super::slack::SLACK;
use super::teams::TEAMS;
use super::{Config, ConfigError};
use crate::domain::setting::duration;
use crate::ports::shown_address;

/// The name of the destination in `[webhook]`.
pub const WEBHOOK: &str = "webhook";

/// `[webhook]`: gets what no other destination takes.
#[derive(Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct WebhookConfig {
    pub url: String,
    pub secret: SecretString,
    pub secret_file: String,
    #[serde(deserialize_with = "duration")]
    pub timeout: Duration,
    pub attempts: u32,
    pub per_second: f64,
    pub burst: u32,
    pub reports: bool,
}

impl std::fmt::Debug for WebhookConfig {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("WebhookConfig").field("url", &shown_address(&self.url)).finish_non_exhaustive()
    }
}

/// `[[destinations]]`: one more.
#[derive(Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DestinationConfig {
    pub name: String,
    pub url: String,
    #[serde(default)]
    pub secret: SecretString,
    #[serde(default)]
    pub secret_file: String,
    #[serde(default = "ten_seconds", deserialize_with = "duration")]
    pub timeout: Duration,
    #[serde(default = "ten")]
    pub attempts: u32,
    #[serde(default = "five")]
    pub per_second: f64,
    #[serde(default = "ten")]
    pub burst: u32,
    #[serde(default)]
    pub reports: bool,
    #[serde(default)]
    pub actions: Vec<String>,
}

impl std::fmt::Debug for DestinationConfig {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let url = shown_address(&self.url);
        f.debug_struct("DestinationConfig").field("name", &self.name).field("url", &url).finish_non_exhaustive()
    }
}

fn ten_seconds() -> Duration {
    Duration::from_secs(10)
}

fn ten() -> u32 {
    10
}

fn five() -> f64 {
    5.0
}

/// `[delivery]`: how patient the outbox is.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DeliveryConfig {
    #[serde(deserialize_with = "duration")]
    pub first_gap: Duration,
    #[serde(deserialize_with = "duration")]
    pub longest_gap: Duration,
    #[serde(deserialize_with = "duration")]
    pub margin: Duration,
    pub breaker_failures: u32,
    #[serde(deserialize_with = "duration")]
    pub breaker_pause: Duration,
    #[serde(deserialize_with = "duration")]
    pub stuck_after: Duration,
    pub fallback: String,
}

/// How patient one is with a destination.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Patience {
    /// How long one attempt may take.
    pub timeout: Duration,
    /// After how many attempts a message is given up.
    pub attempts: u32,
    /// The longest gap between two of them.
    pub longest_gap: Duration,
}

impl DestinationConfig {
    /// The keys of its signatures, which are the same in both directions.
    pub fn signing_keys(&self) -> Vec<Vec<u8>> {
        let secrets = self.secret.expose_secret().split_whitespace();
        secrets.filter_map(|s| STANDARD.decode(s.strip_prefix("whsec_")?).ok()).collect()
    }
}

impl Config {
    /// Everybody who may be sent to, `[webhook]` first where it is set.
    pub fn all_destinations(&self) -> Vec<DestinationConfig> {
        let WebhookConfig { url, secret, secret_file, timeout, attempts, per_second, burst, reports } = &self.webhook;
        let first = (!url.is_empty()).then(|| DestinationConfig {
            name: WEBHOOK.to_owned(),
            url: url.clone(),
            secret: secret.clone(),
            secret_file: secret_file.clone(),
            timeout: *timeout,
            attempts: *attempts,
            per_second: *per_second,
            burst: *burst,
            reports: *reports,
            actions: Vec::new(),
        });
        first.into_iter().chain(self.destinations.iter().cloned()).collect()
    }

    /// The destination of this name, where there is one.
    pub fn destination(&self, name: &str) -> Option<DestinationConfig> {
        self.all_destinations().into_iter().find(|d| d.name == name)
    }

    /// Everybody who may be sent to, by name. Another way out (a chat, mail) puts the names of its destinations here.
    pub fn destination_names(&self) -> BTreeSet<String> {
        let own = self.all_destinations().into_iter().map(|d| d.name);
        own.chain(self.slack.destinations()).chain(self.teams.destinations()).chain(self.mail.destinations()).collect()
    }

    /// The destinations at which cases are shown as they stand: one for each chat.
    pub fn card_destinations(&self) -> Vec<String> {
        let chats = [(self.slack.is_set(), SLACK), (self.teams.has_bot(), TEAMS)];
        chats.into_iter().filter(|(is_set, _)| *is_set).map(|(_, name)| name.to_owned()).collect()
    }

    /// The destinations that get the digest of each day in a chat.
    pub fn digest_destinations(&self) -> Vec<String> {
        self.slack.digests().into_iter().chain(self.teams.digests()).collect()
    }

    /// The workspace or directory that people of a chat are of; None for one that is not set up.
    pub fn chat_tenant(&self, chat: &str) -> Option<&str> {
        match chat {
            SLACK => self.slack.is_set().then_some(&self.slack.team),
            TEAMS => self.teams.has_bot().then_some(&self.teams.tenant),
            _ => None,
        }
    }

    /// How patient one is with the destination of this name; as with the webhook where there is none. Another way out answers for
    /// its own here.
    pub fn patience(&self, name: &str) -> Patience {
        if self.slack.destinations().iter().any(|slack| slack == name) {
            return self.slack.patience();
        }
        if self.teams.destinations().iter().any(|teams| teams == name) {
            return self.teams.patience();
        }
        if self.mail.target(name).is_some() {
            return self.mail.patience();
        }
        let longest_gap = self.delivery.longest_gap;
        let webhook = Patience { timeout: self.webhook.timeout, attempts: self.webhook.attempts, longest_gap };
        self.destination(name).map_or(webhook, |d| Patience { timeout: d.timeout, attempts: d.attempts, longest_gap })
    }

    /// Who carries out the action of this code: the first destination that names it, else `[webhook]`.
    pub fn route(&self, code: &str) -> &str {
        let named = self.destinations.iter().find(|d| d.actions.iter().any(|action| action == code));
        named.map_or(WEBHOOK, |d| &d.name)
    }
}

pub(super) fn check(config: &Config) -> Result<(), ConfigError> {
    let bad = |key: &str, message: String| {
        let origin = "[webhook], [[destinations]] and [delivery]".to_owned();
        Err(ConfigError::Key { key: key.to_owned(), origin, message })
    };
    // A chat's destinations are called after it.
    let mut names = BTreeSet::from([WEBHOOK, SLACK, TEAMS, MAIL]);
    for d in &config.destinations {
        let name = d.name.as_str();
        if name.is_empty() || name.len() > 60 || !name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'_') {
            return bad("destinations.name", format!("{name:?} must be 1 to 60 letters, digits, - and _"));
        }
        if !names.insert(name) {
            return bad(
                "destinations.name",
                format!("{name:?} is there twice, or is the name of [webhook], [slack], [teams] or [mail]"),
            );
        }
        if d.url.is_empty() {
            return bad("destinations.url", format!("destination {name:?} has no address"));
        }
    }
    // [webhook] is no entry of the list, and is held to the same.
    let webhook = (&config.webhook.attempts, &config.webhook.per_second, &config.webhook.burst);
    for (attempts, per_second, burst) in
        config.destinations.iter().map(|d| (&d.attempts, &d.per_second, &d.burst)).chain([webhook])
    {
        if *attempts == 0 || *burst == 0 || !(per_second.is_finite() && *per_second > 0.0) {
            return bad("attempts, per_second, burst", "must be above 0, or nothing would ever be sent".to_owned());
        }
    }
    let DeliveryConfig { first_gap, longest_gap, breaker_failures, fallback, .. } = &config.delivery;
    if first_gap > longest_gap {
        return bad("delivery.first_gap", "must not be above delivery.longest_gap".to_owned());
    }
    if *breaker_failures == 0 {
        return bad("delivery.breaker_failures", "must be at least 1".to_owned());
    }
    if !fallback.is_empty() && config.destination(fallback).is_none() {
        return bad("delivery.fallback", format!("{fallback:?} is no destination; name one of [[destinations]]"));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use crate::config::{Config, ConfigError};

    fn with(text: &str) -> Result<Config, ConfigError> {
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("reeve.toml");
        std::fs::write(&file, text).unwrap();
        Config::load_from(Some(&file), &[])
    }

    const WMS: &str = "[[destinations]]\nname = \"wms\"\nurl = \"http://127.0.0.1:9/\"\n";

    #[test]
    fn an_action_goes_to_the_first_destination_that_names_it_and_else_to_the_webhook() {
        let text =
            format!("{WMS}actions = [\"TRANSFER\", \"RECOUNT\"]\n{}actions = [\"TRANSFER\"]\n", WMS.replace("wms", "b"));
        let config = with(&text).unwrap();
        assert_eq!(config.route("TRANSFER"), "wms");
        assert_eq!(config.route("NEW-PO"), "webhook");
        assert!(config.destination("webhook").is_none(), "it has no address");
        assert_eq!(config.all_destinations().len(), 2);
    }

    #[test]
    fn a_destination_that_nothing_could_be_sent_to_is_refused() {
        for (text, named) in [
            (format!("{WMS}{WMS}"), "twice"),
            (WMS.replace("wms", "webhook"), "[webhook]"),
            (WMS.replace("wms", "a b"), "letters"),
            (format!("{WMS}burst = 0\n"), "above 0"),
            ("[webhook]\nper_second = 0.0\n".to_owned(), "above 0"),
            ("[delivery]\nfallback = \"nobody\"\n".to_owned(), "no destination"),
            ("[delivery]\nfirst_gap = \"9h\"\n".to_owned(), "longest_gap"),
        ] {
            let error = with(&text).unwrap_err().to_string();
            assert!(error.contains(named), "{error}");
        }
    }
}
