//! `[teams]`: the tenant of Microsoft Teams in which people are shown cases and decide on them, and the webhook of a workflow that
//! only posts.

use std::time::Duration;

use secrecy::{ExposeSecret as _, SecretString};
use serde::Deserialize;

use super::read::read_secret;
use super::{ConfigError, Patience};
use crate::domain::setting::duration;
use crate::ports::is_loopback;

/// The name of the destination that is the configured channel; others are `teams:` and their id.
pub const TEAMS: &str = "teams";

/// What stands for the configured channel in `teams.digest`.
const CHANNEL: &str = "channel";

/// The destination that is the workflow's webhook, without `teams:`.
const WORKFLOW: &str = "workflow";

/// Where the tenant stands in `teams.token_url`.
const TENANT: &str = "{tenant}";

/// Longest gap between two attempts: what waits is seen soon after Teams is back.
const LONGEST_GAP: Duration = Duration::from_mins(5);

/// `[teams]`
#[derive(Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TeamsConfig {
    pub app_id: String,
    pub app_secret: SecretString,
    pub app_secret_file: String,
    pub tenant: String,
    pub channel: String,
    pub digest: Vec<String>,
    /// Who gets a planner's own digest.
    #[serde(skip)]
    pub planners: Vec<String>,
    pub workflow_url: SecretString,
    pub workflow_url_file: String,
    #[serde(deserialize_with = "duration")]
    pub timeout: Duration,
    pub attempts: u32,
    pub per_second: f64,
    pub burst: u32,
    pub metadata_url: String,
    pub issuer: String,
    pub token_url: String,
    pub service_hosts: Vec<String>,
}

impl std::fmt::Debug for TeamsConfig {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self { app_id, tenant, channel, digest, service_hosts, .. } = self;
        f.debug_struct("TeamsConfig")
            .field("app_id", app_id)
            .field("tenant", tenant)
            .field("channel", channel)
            .field("digest", digest)
            .field("service_hosts", service_hosts)
            .finish_non_exhaustive()
    }
}

/// What a destination of Teams is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TeamsTarget<'a> {
    /// A channel, by its id (`19:…`).
    Channel(&'a str),
    /// A person, by the id that the directory has for them.
    Person(&'a str),
    /// The webhook of a workflow.
    Workflow,
}

impl TeamsConfig {
    /// Is anything of the bot set? Then all that is needed has to be, which is checked when the settings are read.
    pub fn has_bot(&self) -> bool {
        !self.app_secret.expose_secret().is_empty()
            || [&self.app_id, &self.tenant, &self.channel].iter().any(|text| !text.is_empty())
    }

    /// Is there a workflow that posts?
    pub fn has_workflow(&self) -> bool {
        !self.workflow_url.expose_secret().is_empty()
    }

    /// Is anything sent to Teams?
    pub fn is_set(&self) -> bool {
        self.has_bot() || self.has_workflow()
    }

    /// The destinations that are in it: the channel, and who else gets the digest. None where it is not set.
    pub fn destinations(&self) -> Vec<String> {
        let mut all: Vec<String> = self.has_bot().then(|| TEAMS.to_owned()).into_iter().collect();
        all.extend(self.digests().into_iter().filter(|name| name != TEAMS));
        for planner in self.planners.iter().map(|id| format!("{TEAMS}:{id}")) {
            if !all.contains(&planner) {
                all.push(planner);
            }
        }
        all
    }

    /// The destinations that get the digest.
    pub fn digests(&self) -> Vec<String> {
        let name = |id: &String| if id == CHANNEL { TEAMS.to_owned() } else { format!("{TEAMS}:{id}") };
        let mut all: Vec<String> = if self.has_bot() { self.digest.iter().map(name).collect() } else { Vec::new() };
        // Whoever sets up a workflow wants the digest there: nothing else can be sent to it.
        all.extend(self.has_workflow().then(|| format!("{TEAMS}:{WORKFLOW}")));
        all
    }

    /// What a destination is.
    pub fn target<'a>(&'a self, destination: &'a str) -> Option<TeamsTarget<'a>> {
        if destination == TEAMS {
            return self.has_bot().then_some(TeamsTarget::Channel(&self.channel));
        }
        let id = destination.strip_prefix(TEAMS)?.strip_prefix(':')?;
        if id == WORKFLOW {
            return self.has_workflow().then_some(TeamsTarget::Workflow);
        }
        // Only who is named in the settings: a row of the outbox can be written past Reeve.
        let named = self.has_bot() && self.digest.iter().chain(&self.planners).any(|to| to == id);
        named.then(|| if is_channel(id) { TeamsTarget::Channel(id) } else { TeamsTarget::Person(id) })
    }

    /// Where a token of the bot is asked for.
    pub fn token_address(&self) -> String {
        self.token_url.replace(TENANT, &self.tenant)
    }

    /// How patient one is with it.
    pub fn patience(&self) -> Patience {
        // An attempt may have to ask for a token, to begin a conversation, and to say the same with less: several calls.
        Patience { timeout: self.timeout * 6, attempts: self.attempts, longest_gap: LONGEST_GAP }
    }

    pub(super) fn read_secrets(&mut self) -> Result<(), ConfigError> {
        read_secret("teams.app_secret_file", &self.app_secret_file, &mut self.app_secret)?;
        read_secret("teams.workflow_url_file", &self.workflow_url_file, &mut self.workflow_url)
    }

    pub(super) fn check(&self) -> Result<(), ConfigError> {
        let bad = |key: &str, message: String| {
            Err(ConfigError::Key { key: format!("teams.{key}"), origin: "[teams]".to_owned(), message })
        };
        // A workflow only takes what is posted to it: it can be there without a bot.
        if self.has_workflow() && !is_safe(self.workflow_url.expose_secret()) {
            return bad("workflow_url", "must begin with https://, as the workflow shows it".to_owned());
        }
        if !self.has_bot() {
            return Ok(());
        }
        let secret = self.app_secret.expose_secret();
        if secret.is_empty() || !secret.bytes().all(|b| b.is_ascii_graphic()) {
            return bad(
                "app_secret",
                "Teams is set up in part: set the client secret of the app's registration too, by REEVE_TEAMS__APP_SECRET or \
                 teams.app_secret_file; or leave app_id, tenant and channel empty"
                    .to_owned(),
            );
        }
        for (key, id, what) in [("app_id", &self.app_id, "app"), ("tenant", &self.tenant, "tenant")] {
            if !is_directory_id(id) {
                return bad(key, format!("{id:?} is no {what}'s id: it stands in the overview of the app's registration"));
            }
        }
        if !is_channel(&self.channel) {
            return bad(
                "channel",
                format!("{:?} is no channel's id (19:…): it is a part of the link to the channel, decoded", self.channel),
            );
        }
        if let Some(other) = self.digest.iter().find(|to| *to != CHANNEL && !is_channel(to) && !is_person(to)) {
            return bad(
                "digest",
                format!("{other:?} is neither \"channel\" nor the id of a channel (19:…) or of a person in the directory"),
            );
        }
        for (key, address) in [("metadata_url", &self.metadata_url), ("token_url", &self.token_url)] {
            if !is_safe(address) {
                return bad(key, format!("{address:?} must begin with https://: what comes from there is believed"));
            }
        }
        if self.issuer.is_empty() {
            return bad("issuer", "must say who signs for Teams".to_owned());
        }
        let is_host = |host: &String| {
            !host.is_empty() && host.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'-' | b':'))
        };
        if self.service_hosts.is_empty() || !self.service_hosts.iter().all(is_host) {
            return bad("service_hosts", "must name the hosts that the bot's token may be sent to".to_owned());
        }
        Ok(())
    }
}

/// Could a digest be sent to this id, of a channel or of a person?
pub(super) fn may_get_digest(id: &str) -> bool {
    is_channel(id) || is_person(id)
}

/// Is it a channel's id?
fn is_channel(id: &str) -> bool {
    id.len() > 3 && id.len() <= 200 && id.starts_with("19:") && id.bytes().all(|b| b.is_ascii_graphic() && b != b'/')
}

/// Could it be the id of something in the directory? It stands in addresses.
fn is_directory_id(id: &str) -> bool {
    !id.is_empty() && id.len() <= 80 && id.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'-'))
}

/// Is it a person's id? Never the word for something else.
fn is_person(id: &str) -> bool {
    is_directory_id(id) && id.len() == 36 && id.bytes().filter(|b| *b == b'-').count() == 4
}

/// Is what goes there safe on its way, or does it not leave this machine?
fn is_safe(address: &str) -> bool {
    let host = |rest: &str| is_loopback(rest.split('/').next().unwrap_or_default());
    address.starts_with("https://") || address.strip_prefix("http://").is_some_and(host)
}

#[cfg(test)]
mod tests {
    use crate::config::{Config, TeamsTarget};

    const ARI: &str = "6a1f0f7c-5a0b-4a63-9d4e-0c7a5a4f0001";
    const WHOLE: [(&str, &str); 4] = [
        ("APP_ID", "11111111-2222-3333-4444-555555555555"),
        ("APP_SECRET", "s3cr3t"),
        ("TENANT", "99999999-8888-7777-6666-555555555555"),
        ("CHANNEL", "19:stock@thread.tacv2"),
    ];

    fn with(change: &[(&str, &str)]) -> Result<Config, String> {
        let mut all: Vec<(String, String)> = Vec::new();
        for (key, value) in WHOLE.iter().chain(change) {
            let name = format!("REEVE_TEAMS__{key}");
            all.retain(|(known, _)| *known != name);
            all.push((name, (*value).to_owned()));
        }
        Config::load_from(None, &all).map_err(|error| error.to_string())
    }

    #[test]
    fn without_a_key_there_is_no_teams_and_with_all_there_is() {
        let none = Config::load_from(None, &[]).unwrap();
        assert!(!none.teams.is_set() && none.teams.destinations().is_empty());
        let config = with(&[("DIGEST", &format!("channel, {ARI}, 19:other@thread.tacv2"))]).unwrap();
        let named = ["teams".to_owned(), format!("teams:{ARI}"), "teams:19:other@thread.tacv2".to_owned()];
        assert_eq!(config.teams.destinations(), named);
        assert_eq!(config.teams.target("teams"), Some(TeamsTarget::Channel("19:stock@thread.tacv2")));
        assert_eq!(config.teams.target(&named[1]), Some(TeamsTarget::Person(ARI)));
        assert_eq!(config.teams.target(&named[2]), Some(TeamsTarget::Channel("19:other@thread.tacv2")));
        for other in ["teams:19:nobody", "teams:workflow", "slack", "teamsters"] {
            assert_eq!(config.teams.target(other), None, "{other}");
        }
        assert!(config.destination_names().contains("teams") && config.card_destinations() == ["teams"]);
        assert!(config.teams.token_address().contains("/99999999-8888-7777-6666-555555555555/oauth2/v2.0/token"));
    }

    #[test]
    fn a_workflow_alone_gets_the_digest_and_nothing_else() {
        let url = [("REEVE_TEAMS__WORKFLOW_URL".to_owned(), "https://flow.example/s3cr3t".to_owned())];
        let config = Config::load_from(None, &url).unwrap();
        assert!(!config.teams.has_bot() && config.card_destinations().is_empty());
        assert_eq!(config.digest_destinations(), ["teams:workflow"]);
        assert_eq!(config.teams.target("teams:workflow"), Some(TeamsTarget::Workflow));
        assert_eq!(config.teams.target("teams"), None);
    }

    #[test]
    fn what_is_missing_is_named_with_what_to_do() {
        for (change, named) in [
            (&[("APP_SECRET", "")][..], "REEVE_TEAMS__APP_SECRET"),
            (&[("APP_ID", "the bot")], "teams.app_id"),
            (&[("TENANT", "a/b")], "teams.tenant"),
            (&[("CHANNEL", "General")], "teams.channel"),
            (&[("DIGEST", "everybody")], "teams.digest"),
            (&[("METADATA_URL", "http://login.example.com/x")], "https://"),
            (&[("TOKEN_URL", "http://login.example.com/x")], "https://"),
            (&[("WORKFLOW_URL", "http://flow.example.com/x")], "https://"),
            (&[("ISSUER", "")], "teams.issuer"),
            (&[("SERVICE_HOSTS", "https://smba.trafficmanager.net/")], "teams.service_hosts"),
            (&[("BURST", "0")], "teams.burst"),
        ] {
            let error = with(change).unwrap_err();
            assert!(error.contains(named), "{change:?}: {error}");
        }
        assert!(with(&[("TOKEN_URL", "http://127.0.0.1:4050/{tenant}/token")]).is_ok());
    }

    #[test]
    fn its_secrets_are_never_printed() {
        let config = with(&[("APP_SECRET", "s3cr3t"), ("WORKFLOW_URL", "https://flow.example/s3cr3t")]).unwrap();
        assert!(!format!("{config:?}").contains("s3cr3t"));
    }
}
