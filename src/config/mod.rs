//! One configuration, mirroring `config/default.toml` key for key.
//!
//! `default.toml` → the operator's file → the environment (`REEVE_SECTION__KEY`). Parsed once into types that can not hold
//! a bad value; an unknown key is an error that names it. Only this file reads the environment.

mod access;
mod destinations;
mod hooks;
mod limits;
mod mail;
mod memory;
mod planners;
mod read;
mod slack;
mod teams;
mod work;
mod writer;

use std::path::{Path, PathBuf};
use std::time::Duration;

use secrecy::SecretString;
use serde::Deserialize;

pub use self::access::{ApiConfig, IdentityConfig};
pub use self::destinations::{DeliveryConfig, DestinationConfig, Patience, WEBHOOK, WebhookConfig};
pub use self::hooks::{EventsConfig, HookConfig, HookKind};
pub use self::mail::{MAIL, MailConfig, MailTls};
pub use self::memory::{EmbeddingEndpoint, EmbeddingKind, IndexKind, MemoryConfig};
pub use self::planners::PlannerConfig;
pub use self::slack::{SLACK, SlackConfig, SlackMode};
pub use self::teams::{TEAMS, TeamsConfig, TeamsTarget};
pub use self::work::{ApprovalConfig, AuditConfig, KpiConfig, ModeRuleConfig, ModesConfig, NoiseConfig, SafetyConfig};
pub use crate::odoo::{OdooConfig, OdooProtocol};
pub use crate::rules::settings::{DEFAULT_TOML, Settings};

use self::read::{merge, parse, read, read_secret, set};
use crate::domain::setting::{duration, money};

use crate::domain::money::Money;
use crate::domain::policy::{Person, Policy};
use crate::models::receiving::Detector;
use crate::ports::shown_address;
use crate::rules::prompts::DraftPrompt;
use crate::rules::settings::Models;

/// Why a configuration can not be used. Each message names the key and what to do.
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    /// The file could not be read.
    #[error("can not read the configuration file {path}: {source}; check the path given with --config")]
    Unreadable { path: PathBuf, source: std::io::Error },
    /// It is not TOML.
    #[error("{origin} is not valid TOML: {message}")]
    Syntax { origin: String, message: String },
    /// A key is unknown or its value is bad.
    #[error("configuration key `{key}` (from {origin}): {message}")]
    Key { key: String, origin: String, message: String },
}

/// Everything that can be set.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Config {
    pub store: StoreConfig,
    pub source: SourceConfig,
    pub odoo: OdooConfig,
    /// `[calendar]`, `[money]`, `[costs]`, `[tolerances]`, `[detect]`, `[channel]`, `[ranking]`, `[companies]` and `[priority]`.
    #[serde(skip, default = "Settings::defaults")]
    pub rules: Settings,
    pub approval: ApprovalConfig,
    pub safety: SafetyConfig,
    pub modes: ModesConfig,
    pub audit: AuditConfig,
    pub kpi: KpiConfig,
    pub noise: NoiseConfig,
    pub model: ModelConfig,
    pub memory: MemoryConfig,
    pub webhook: WebhookConfig,
    pub delivery: DeliveryConfig,
    pub destinations: Vec<DestinationConfig>,
    pub slack: SlackConfig,
    pub teams: TeamsConfig,
    pub mail: MailConfig,
    pub web: WebConfig,
    pub identity: IdentityConfig,
    pub api: ApiConfig,
    pub worker: WorkerConfig,
    pub events: EventsConfig,
    pub hooks: Vec<HookConfig>,
    pub people: Vec<Person>,
    pub planners: Vec<PlannerConfig>,
}

/// `[store]`
#[derive(Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct StoreConfig {
    pub url: String,
}

impl std::fmt::Debug for StoreConfig {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        // The store itself says where it is, with its database and without its password.
        f.debug_struct("StoreConfig").field("url", &shown_address(&self.url)).finish()
    }
}

/// `[source]`
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SourceConfig {
    pub recording: PathBuf,
    pub page: usize,
}

/// `[model]`
#[derive(Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ModelConfig {
    pub base_url: String,
    pub name: String,
    pub api_key: SecretString,
    pub api_key_file: String,
    #[serde(deserialize_with = "duration")]
    pub timeout: Duration,
    pub tokens_max: u32,
    pub calls_per_day: u32,
    #[serde(deserialize_with = "money")]
    pub price_per_1000_tokens: Money,
    pub concurrency: usize,
    /// Folder of the prompt; empty: the one that comes with the program.
    pub prompt: String,
}

impl std::fmt::Debug for ModelConfig {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let url = shown_address(&self.base_url);
        f.debug_struct("ModelConfig").field("base_url", &url).field("name", &self.name).finish_non_exhaustive()
    }
}

/// `[web]`
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct WebConfig {
    pub listen: String,
    pub base_url: String,
    pub session_hours: u32,
    pub connections_max: usize,
}

/// `[worker]`
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct WorkerConfig {
    #[serde(deserialize_with = "duration")]
    pub period: Duration,
    #[serde(deserialize_with = "duration")]
    pub lease: Duration,
}

impl Config {
    /// Loads the defaults, then `file`, then the environment.
    ///
    /// # Errors
    /// Names the file, the key and the remedy.
    pub fn load(file: Option<&Path>) -> Result<Self, ConfigError> {
        #[expect(clippy::disallowed_methods, reason = "this is the one place that reads the environment")]
        let environment: Vec<(String, String)> =
            std::env::vars_os().filter_map(|(k, v)| Some((k.into_string().ok()?, v.into_string().ok()?))).collect();
        Self::load_from(file, &environment)
    }

    /// The same with a given environment.
    ///
    /// # Errors
    /// As [`Self::load`].
    pub fn load_from(file: Option<&Path>, environment: &[(String, String)]) -> Result<Self, ConfigError> {
        let own = match file {
            None => None,
            Some(path) => {
                let text = std::fs::read_to_string(path)
                    .map_err(|source| ConfigError::Unreadable { path: path.to_owned(), source })?;
                let origin = path.display().to_string();
                let own = parse(&origin, &text)?;
                Some((origin, own))
            }
        };
        Self::put_together(own, environment)
    }

    /// The defaults with the sections of `own`, which `origin` names in errors, and nothing of the environment: what a
    /// scenario is run by.
    ///
    /// # Errors
    /// As [`Self::load`].
    pub fn of_table(origin: &str, own: toml::Table) -> Result<Self, ConfigError> {
        Self::put_together(Some((origin.to_owned(), own)), &[])
    }

    fn put_together(own: Option<(String, toml::Table)>, environment: &[(String, String)]) -> Result<Self, ConfigError> {
        let mut table = parse("the built-in defaults", DEFAULT_TOML)?;
        let mut origin = "the built-in defaults".to_owned();
        if let Some((named, own)) = own {
            origin = named;
            // Here, where all sections are still together: below, each part knows only its own.
            if let Some(unknown) = own.keys().find(|section| !table.contains_key(*section)) {
                let known: Vec<String> = table.keys().map(|section| format!("`{section}`")).collect();
                let message = format!("unknown section `{unknown}`, expected one of {}", known.join(", "));
                return Err(ConfigError::Key { key: unknown.clone(), origin, message });
            }
            merge(&mut table, own);
        }
        for (name, value) in environment {
            let Some(rest) = name.strip_prefix("REEVE_") else { continue };
            let Some((section, key)) = rest.split_once("__") else {
                return Err(ConfigError::Key {
                    key: rest.to_lowercase(),
                    origin: format!("the environment variable {name}"),
                    message: "a section and its key are joined by two underscores, as in REEVE_MODEL__NAME".to_owned(),
                });
            };
            set(&mut table, &section.to_lowercase(), &key.to_lowercase(), name, value)?;
            origin = format!("{origin} and the environment");
        }
        // The rules' sections belong to a package that knows nothing of the rest
        // (decision 55), so they are read by themselves.
        let rules = Settings::SECTIONS.iter().filter_map(|section| table.remove_entry(*section)).collect();
        let mut config: Self = read(&origin, table)?;
        config.rules = read(&origin, rules)?;
        config.check(&origin)?;
        config.with_policy()?.with_models()?.with_prompt()?.with_secret_files()
    }

    /// Reads the policy. The one that comes with the program holds in any currency; one of the operator's own names its.
    fn with_policy(mut self) -> Result<Self, ConfigError> {
        let bad = |message: String| ConfigError::Key {
            key: "approval.policy_file".to_owned(),
            origin: self.approval.policy_file.clone(),
            message,
        };
        if self.approval.policy_file.is_empty() {
            self.rules.policy.currency.clone_from(&self.rules.money.currency);
            self.rules.policy.hours.time_zone = self.rules.calendar.timezone.clone();
            return Ok(self);
        }
        let path = PathBuf::from(&self.approval.policy_file);
        let text = std::fs::read_to_string(&path).map_err(|source| bad(format!("the file can not be read: {source}")))?;
        let policy = Policy::parse(&self.approval.policy_file, &text).map_err(|error| bad(error.to_string()))?;
        if policy.currency != self.rules.money.currency {
            let (policy, company) = (&policy.currency, &self.rules.money.currency);
            return Err(bad(format!("its currency is {policy} and the company's is {company}; make them the same")));
        }
        self.rules.policy = policy;
        Ok(self)
    }

    /// Gives the rules the detector of receiving that a store begins with. What people promote later stands in the store.
    fn with_models(mut self) -> Result<Self, ConfigError> {
        let named = &self.rules.detect.receiving_model;
        let detector = match named.as_str() {
            "unsupervised" => Detector::unsupervised(),
            "trained" => Detector::shipped(),
            _ => {
                return Err(ConfigError::Key {
                    key: "detect.receiving_model".to_owned(),
                    origin: named.clone(),
                    message: "must be \"unsupervised\" or \"trained\"; bring a detector of your own into the registry with \
                              `reeve models add`, have it judged with `reeve models validate`, and promote it"
                        .to_owned(),
                });
            }
        };
        self.rules.models = Models::default().with_receiving(detector);
        Ok(self)
    }

    /// Gives the rules the prompt that is named.
    fn with_prompt(mut self) -> Result<Self, ConfigError> {
        if !self.model.prompt.is_empty() {
            let named = Path::new(&self.model.prompt);
            self.rules.prompt = DraftPrompt::read(named).map_err(|error| ConfigError::Key {
                key: "model.prompt".to_owned(),
                origin: self.model.prompt.clone(),
                message: error.to_string(),
            })?;
        }
        Ok(self)
    }

    fn with_secret_files(mut self) -> Result<Self, ConfigError> {
        read_secret("model.api_key_file", &self.model.api_key_file, &mut self.model.api_key)?;
        let embedding = &mut self.memory.endpoint;
        read_secret("memory.endpoint.api_key_file", &embedding.api_key_file, &mut embedding.api_key)?;
        let qdrant = &mut self.memory.qdrant;
        read_secret("memory.qdrant.api_key_file", &qdrant.api_key_file, &mut qdrant.api_key)?;
        read_secret("odoo.api_key_file", &self.odoo.api_key_file, &mut self.odoo.api_key)?;
        read_secret("webhook.secret_file", &self.webhook.secret_file, &mut self.webhook.secret)?;
        read_secret("kpi.metrics_token_file", &self.kpi.metrics_token_file, &mut self.kpi.metrics_token)?;
        for destination in &mut self.destinations {
            read_secret("destinations.secret_file", &destination.secret_file, &mut destination.secret)?;
        }
        for hook in &mut self.hooks {
            read_secret("hooks.secret_file", &hook.secret_file, &mut hook.secret)?;
            read_secret("hooks.secret_next_file", &hook.secret_next_file, &mut hook.secret_next)?;
        }
        self.slack.read_secrets()?;
        self.teams.read_secrets()?;
        self.mail.read_secrets()?;
        // Last, as a secret can come from a file.
        self.slack.check()?;
        self.teams.check()?;
        mail::check(&self)?;
        planners::check(&self)?;
        // Each chat sends to those whom it knows.
        self.slack.planners = self.planners_in(SLACK);
        self.teams.planners = self.planners_in(TEAMS);
        hooks::check(&self.events, &self.hooks)?;
        destinations::check(&self)?;
        let to = &self.audit.anchor_destination;
        if !to.is_empty() && self.destination(to).is_none() {
            return Err(ConfigError::Key {
                key: "audit.anchor_destination".to_owned(),
                origin: "[audit]".to_owned(),
                message: format!("{to:?} is no destination; set webhook.url, or name one of [[destinations]]"),
            });
        }
        Ok(self)
    }

    fn check(&self, origin: &str) -> Result<(), ConfigError> {
        let bad = |key: &str, message: &str| {
            Err(ConfigError::Key { key: key.to_owned(), origin: origin.to_owned(), message: message.to_owned() })
        };
        for (key, share) in [
            ("money.holding_rate", self.rules.money.holding_rate),
            ("money.recapture", self.rules.money.recapture),
            ("money.cancelled", self.rules.money.cancelled),
            ("costs.expedite_rate", self.rules.costs.expedite_rate),
            ("costs.expedite_saves", self.rules.costs.expedite_saves),
            ("detect.spike_p", self.rules.detect.spike_p),
            ("detect.collapse_p", self.rules.detect.collapse_p),
            ("detect.shift_p", self.rules.detect.shift_p),
            ("detect.false_share", self.rules.detect.false_share),
            ("detect.low_probability", self.rules.detect.low_probability),
            ("detect.confirm_lead_share", self.rules.detect.confirm_lead_share),
            ("ranking.lambda", self.rules.ranking.lambda),
            ("noise.proposal_share", self.noise.proposal_share),
        ] {
            if !(0.0..=1.0).contains(&share) {
                return bad(key, "must be between 0 and 1");
            }
        }
        // At a half there is no buffer, and no stock is enough to be sure.
        if !(self.rules.detect.service_level > 0.5 && self.rules.detect.service_level < 1.0) {
            return bad("detect.service_level", "must be above 0.5 and below 1");
        }
        if self.model.price_per_1000_tokens < Money::ZERO {
            return bad("model.price_per_1000_tokens", "must not be negative");
        }
        if let Err((key, message)) = self.rules.calendar.check() {
            return bad(key, message);
        }
        if self.rules.money.currency.len() != 3 || !self.rules.money.currency.bytes().all(|b| b.is_ascii_uppercase()) {
            return bad("money.currency", "must be an ISO 4217 code such as \"USD\"");
        }
        if let Err((key, message)) = limits::check(self) {
            return bad(key, &message);
        }
        if self.rules.detect.window_days < self.rules.detect.warmup_days {
            return bad("detect.warmup_days", "must not be above detect.window_days");
        }
        if let Err(message) = self.modes.check() {
            return bad("modes.rules", &message);
        }
        if self.model.base_url.is_empty() != self.model.name.is_empty() {
            return bad("model.name", "set both model.base_url and model.name, or neither");
        }
        access::check(self).or_else(|(key, message)| bad(key, &message))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn with_env(name: &str, value: &str) -> Result<Config, ConfigError> {
        Config::load_from(None, &[(name.to_owned(), value.to_owned())])
    }

    #[test]
    fn the_defaults_load() {
        let config = Config::load_from(None, &[]).unwrap();
        assert_eq!(config.rules.ranking.capacity, 15);
        assert_eq!(config.rules.policy.currency, config.rules.money.currency);
    }

    #[test]
    fn the_detector_of_receiving_is_the_one_that_is_named() {
        let version = |named: &str| {
            let config = with_env("REEVE_DETECT__RECEIVING_MODEL", named).unwrap();
            config.rules.models.receiving.version().to_owned()
        };
        assert!(version("unsupervised").starts_with("unsupervised-"));
        let trained = version("trained");
        assert!(trained.starts_with("trained-"));
        let refused = with_env("REEVE_DETECT__RECEIVING_MODEL", "/none/here.json").unwrap_err().to_string();
        assert!(refused.contains("detect.receiving_model") && refused.contains("reeve models add"), "{refused}");
    }

    #[test]
    fn the_environment_overrides_and_a_bad_value_names_key_and_origin() {
        assert_eq!(with_env("REEVE_RANKING__CAPACITY", "7").unwrap().rules.ranking.capacity, 7);
        let error = with_env("REEVE_RANKING__CAPACITY", "many").unwrap_err().to_string();
        assert!(error.contains("ranking.capacity") && error.contains("REEVE_RANKING__CAPACITY"), "{error}");
        let error = with_env("REEVE_RANKING__CAPACTY", "7").unwrap_err().to_string();
        assert!(error.contains("no such key"), "{error}");
    }

    #[test]
    fn an_unknown_key_in_a_file_is_named_with_its_section() {
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("reeve.toml");
        std::fs::write(&file, "[ranking]\ncapactiy = 3\n").unwrap();
        let error = Config::load_from(Some(&file), &[]).unwrap_err().to_string();
        assert!(error.contains("ranking") && error.contains("capactiy"), "{error}");
    }

    #[test]
    fn a_key_out_of_range_is_refused() {
        let error = with_env("REEVE_MONEY__RECAPTURE", "1.5").unwrap_err().to_string();
        assert!(error.contains("money.recapture") && error.contains("between 0 and 1"), "{error}");
        assert!(with_env("REEVE_CALENDAR__TIMEZONE", "Mars/Olympus").is_err());
        let error = with_env("REEVE_CALENDAR__DIGEST_DEADLINE", "25h").unwrap_err().to_string();
        assert!(error.contains("calendar.digest_deadline") && error.contains("at most a day"), "{error}");
    }

    #[test]
    fn secrets_do_not_show_in_debug_output() {
        let config = with_env("REEVE_MODEL__API_KEY", "sk-very-secret").unwrap();
        assert!(!format!("{config:?}").contains("sk-very-secret"));
    }

    #[test]
    fn a_configuration_never_prints_a_secret() {
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("reeve.toml");
        let text = "[store]\nurl = \"postgres://ada:s3cr3t@db/reeve?password=s3cr3t\"\n\
             [odoo]\nurl = \"https://ada:s3cr3t@erp.example/s3cr3t\"\nproxy = \"http://ada:s3cr3t@proxy:3128\"\napi_key = \"s3cr3t\"\n\
             [model]\nbase_url = \"https://llm.example/s3cr3t/v1?key=s3cr3t\"\nname = \"m\"\napi_key = \"s3cr3t\"\n\
             [webhook]\nurl = \"https://hooks.example/T0/s3cr3t\"\nsecret = \"whsec_s3cr3t\"\n\
             [kpi]\nmetrics_token = \"s3cr3t\"\n\
             [[destinations]]\nname = \"wms\"\nurl = \"https://s3cr3t@wms.example/?token=s3cr3t\"\nsecret = \"whsec_s3cr3t\"\n";
        std::fs::write(&file, text).unwrap();
        let config = Config::load_from(Some(&file), &[]).unwrap();
        let printed = format!("{config:?} {config:#?} {:?}", config.all_destinations());
        assert!(!printed.contains("s3cr3t"), "{printed}");
        assert!(printed.contains("https://hooks.example/…") && printed.contains("https://wms.example/…"), "{printed}");
    }
}
