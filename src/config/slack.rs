//! `[slack]`: the workspace in which people are shown cases and decide on them.

use std::time::Duration;

use secrecy::{ExposeSecret as _, SecretString};
use serde::Deserialize;

use super::read::read_secret;
use super::{ConfigError, Patience};
use crate::domain::setting::duration;
use crate::ports::is_loopback;

/// The name of the destination that is the configured channel; others are `slack:` and their id.
pub const SLACK: &str = "slack";

/// What stands for the configured channel in `slack.digest`.
const CHANNEL: &str = "channel";

/// Longest gap between two attempts: what waits is seen soon after Slack is back.
const LONGEST_GAP: Duration = Duration::from_mins(5);

/// How clicks come in.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum SlackMode {
    /// By a socket that Reeve opens: no address of Reeve's has to be reachable.
    #[default]
    Socket,
    /// By signed requests to Reeve's own address.
    Http,
}

/// `[slack]`
#[derive(Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SlackConfig {
    pub mode: SlackMode,
    pub api_base: String,
    pub bot_token: SecretString,
    pub bot_token_file: String,
    pub app_token: SecretString,
    pub app_token_file: String,
    pub signing_secret: SecretString,
    pub signing_secret_file: String,
    pub team: String,
    pub app_id: String,
    pub channel: String,
    pub digest: Vec<String>,
    pub charts: bool,
    /// Who gets a planner's own digest.
    #[serde(skip)]
    pub planners: Vec<String>,
    #[serde(deserialize_with = "duration")]
    pub timeout: Duration,
    pub attempts: u32,
    pub per_second: f64,
    pub burst: u32,
    pub updates_per_minute: u32,
}

impl std::fmt::Debug for SlackConfig {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self { mode, api_base, team, app_id, channel, digest, .. } = self;
        f.debug_struct("SlackConfig")
            .field("mode", mode)
            .field("api_base", api_base)
            .field("team", team)
            .field("app_id", app_id)
            .field("channel", channel)
            .field("digest", digest)
            .finish_non_exhaustive()
    }
}

impl SlackConfig {
    /// Is anything of it set? Then all that is needed has to be, which is checked when the settings are read.
    pub fn is_set(&self) -> bool {
        let secrets = [&self.bot_token, &self.app_token, &self.signing_secret];
        secrets.iter().any(|secret| !secret.expose_secret().is_empty())
            || [&self.team, &self.app_id, &self.channel].iter().any(|text| !text.is_empty())
    }

    /// The destinations that are in it: the channel, and who else gets the digest. None where it is not set.
    pub fn destinations(&self) -> Vec<String> {
        if !self.is_set() {
            return Vec::new();
        }
        let mut all = vec![SLACK.to_owned()];
        all.extend(self.digests().into_iter().filter(|name| name != SLACK));
        for planner in self.planners.iter().map(|id| format!("{SLACK}:{id}")) {
            if !all.contains(&planner) {
                all.push(planner);
            }
        }
        all
    }

    /// The destinations that get the digest.
    pub fn digests(&self) -> Vec<String> {
        let name = |id: &String| if id == CHANNEL { SLACK.to_owned() } else { format!("{SLACK}:{id}") };
        if self.is_set() { self.digest.iter().map(name).collect() } else { Vec::new() }
    }

    /// The channel or user that a destination is.
    pub fn target<'a>(&'a self, destination: &'a str) -> Option<&'a str> {
        if destination == SLACK {
            return Some(&self.channel);
        }
        destination
            .strip_prefix(SLACK)?
            .strip_prefix(':')
            // Only who is named in the settings: a row of the outbox can be written past Reeve.
            .filter(|id| self.digest.iter().chain(&self.planners).any(|to| to == id))
    }

    /// How patient one is with it.
    pub fn patience(&self) -> Patience {
        // An attempt may have to upload a picture, to look whether an earlier one arrived, and to say the same without the picture and in
        // plain text: several calls.
        Patience { timeout: self.timeout * 8, attempts: self.attempts, longest_gap: LONGEST_GAP }
    }

    pub(super) fn read_secrets(&mut self) -> Result<(), ConfigError> {
        read_secret("slack.bot_token_file", &self.bot_token_file, &mut self.bot_token)?;
        read_secret("slack.app_token_file", &self.app_token_file, &mut self.app_token)?;
        read_secret("slack.signing_secret_file", &self.signing_secret_file, &mut self.signing_secret)
    }

    pub(super) fn check(&self) -> Result<(), ConfigError> {
        let bad = |key: &str, message: String| {
            Err(ConfigError::Key { key: format!("slack.{key}"), origin: "[slack]".to_owned(), message })
        };
        if !self.is_set() {
            return Ok(());
        }
        let has = |secret: &SecretString, start: &str| {
            let secret = secret.expose_secret();
            secret.len() > start.len() && secret.starts_with(start) && secret.bytes().all(|b| b.is_ascii_graphic())
        };
        // A token begins with what it is for: the app's is not taken for the bot's.
        if !has(&self.bot_token, "xoxb-") {
            return bad(
                "bot_token",
                "Slack is set up in part: set the bot token too (xoxb-…, app settings, OAuth & Permissions), by \
                 REEVE_SLACK__BOT_TOKEN or slack.bot_token_file; or leave the whole of [slack] empty"
                    .to_owned(),
            );
        }
        match self.mode {
            SlackMode::Socket if !has(&self.app_token, "xapp-") => {
                return bad(
                    "app_token",
                    "Socket Mode needs the app-level token (xapp-…, app settings, Basic Information, scope \
                     connections:write), by REEVE_SLACK__APP_TOKEN or slack.app_token_file; or set slack.mode to \"http\""
                        .to_owned(),
                );
            }
            SlackMode::Http if !has(&self.signing_secret, "") => {
                return bad(
                    "signing_secret",
                    "what Slack sends over HTTP is only known by its signature: set the signing secret (app settings, Basic \
                     Information), by REEVE_SLACK__SIGNING_SECRET or slack.signing_secret_file; or set slack.mode to \"socket\""
                        .to_owned(),
                );
            }
            _ => {}
        }
        let id = |text: &str, starts: &[char]| {
            text.len() >= 2 && text.starts_with(starts) && text.bytes().all(|b| b.is_ascii_alphanumeric())
        };
        if !id(&self.team, &['T', 'E']) {
            return bad("team", format!("{:?} is no workspace's id (T…): it is in the address of the workspace", self.team));
        }
        if !id(&self.app_id, &['A']) {
            return bad("app_id", format!("{:?} is no app's id (A…): app settings, Basic Information", self.app_id));
        }
        if self.channel.is_empty() || self.channel.len() > 80 || !self.channel.bytes().all(|b| b.is_ascii_graphic()) {
            return bad(
                "channel",
                format!(
                    "{:?} is no channel: give its id (C…), which stands at the end of its details in Slack",
                    self.channel
                ),
            );
        }
        if let Some(other) = self.digest.iter().find(|to| *to != CHANNEL && !id(to, &['C', 'G', 'D', 'U', 'W'])) {
            return bad("digest", format!("{other:?} is neither \"channel\" nor the id of a channel or a user (C…, U…)"));
        }
        // The token goes there; in the open only to a double on this machine.
        let base = &self.api_base;
        if !base.starts_with("https://") && !base.strip_prefix("http://").is_some_and(is_on_this_machine) {
            return bad("api_base", format!("{base:?} must begin with https://: the token goes there"));
        }
        Ok(())
    }
}

/// Is the address, without its scheme, one of this machine? There an emulator may listen, and no token leaves it.
fn is_on_this_machine(address: &str) -> bool {
    is_loopback(address.split('/').next().unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use crate::config::{Config, SlackMode};

    const WHOLE: [(&str, &str); 5] = [
        ("BOT_TOKEN", "xoxb-1"),
        ("APP_TOKEN", "xapp-1"),
        ("TEAM", "T000000001"),
        ("APP_ID", "A0HOLDOUT"),
        ("CHANNEL", "C2EAF21CB2"),
    ];

    fn with(change: &[(&str, &str)]) -> Result<Config, String> {
        let mut all: Vec<(String, String)> = Vec::new();
        for (key, value) in WHOLE.iter().chain(change) {
            let name = format!("REEVE_SLACK__{key}");
            all.retain(|(known, _)| *known != name);
            all.push((name, (*value).to_owned()));
        }
        Config::load_from(None, &all).map_err(|error| error.to_string())
    }

    #[test]
    fn without_a_key_there_is_no_slack_and_with_all_there_is() {
        let none = Config::load_from(None, &[]).unwrap();
        assert!(!none.slack.is_set() && none.slack.destinations().is_empty());
        let config = with(&[("DIGEST", "channel, U7")]).unwrap();
        assert_eq!(config.slack.mode, SlackMode::Socket);
        assert_eq!(config.slack.destinations(), ["slack", "slack:U7"]);
        assert_eq!(config.slack.digests(), ["slack", "slack:U7"]);
        assert_eq!(config.slack.target("slack"), Some("C2EAF21CB2"));
        assert_eq!(config.slack.target("slack:U7"), Some("U7"));
        assert_eq!((config.slack.target("slack:U8"), config.slack.target("webhook")), (None, None));
        assert!(config.destination_names().contains("slack"));
    }

    #[test]
    fn what_is_missing_is_named_with_what_to_do() {
        for (change, named) in [
            (&[("BOT_TOKEN", "")][..], "REEVE_SLACK__BOT_TOKEN"),
            (&[("BOT_TOKEN", "xapp-1")], "xoxb-"),
            (&[("APP_TOKEN", "")], "connections:write"),
            (&[("MODE", "http")], "signing secret"),
            (&[("TEAM", "acme")], "slack.team"),
            (&[("APP_ID", "")], "slack.app_id"),
            (&[("CHANNEL", "")], "slack.channel"),
            (&[("DIGEST", "everybody")], "slack.digest"),
            (&[("API_BASE", "http://slack.example.com/api")], "https://"),
            (&[("BURST", "0")], "slack.burst"),
        ] {
            let error = with(change).unwrap_err();
            assert!(error.contains(named), "{change:?}: {error}");
        }
        assert!(with(&[("MODE", "http"), ("SIGNING_SECRET", "s"), ("APP_TOKEN", "")]).is_ok());
        assert!(with(&[("API_BASE", "http://127.0.0.1:4040/api")]).is_ok());
    }

    #[test]
    fn its_secrets_are_never_printed() {
        let config =
            with(&[("BOT_TOKEN", "xoxb-s3cr3t"), ("APP_TOKEN", "xapp-s3cr3t"), ("SIGNING_SECRET", "s3cr3t")]).unwrap();
        assert!(!format!("{config:?}").contains("s3cr3t"));
    }
}
