//! `[events]` and `[[hooks]]`: who may send events, by which secrets, and within which limits.

use std::collections::BTreeSet;
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use secrecy::{ExposeSecret, SecretString};
use serde::Deserialize;

use super::ConfigError;
use crate::domain::event::EventType;
use crate::domain::ids::SupplierId;
use crate::domain::setting::duration;

/// Shortest secret in a path: with letters and digits, more than anybody can try.
const PATH_SECRET_MIN: usize = 24;

/// `[events]`
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct EventsConfig {
    pub body_max: usize,
    #[serde(deserialize_with = "duration")]
    pub window: Duration,
    pub per_minute: u32,
    pub keep_days: u32,
}

/// What a hook takes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum HookKind {
    /// Signed events, each kept and understood.
    #[default]
    Events,
    /// Calls of an Odoo automation rule: each says that something has changed, and nothing more is taken from it.
    Odoo,
}

/// `[[hooks]]`: one sender.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct HookConfig {
    pub name: String,
    #[serde(default)]
    pub kind: HookKind,
    #[serde(default)]
    pub secret: SecretString,
    #[serde(default)]
    pub secret_file: String,
    #[serde(default)]
    pub secret_next: SecretString,
    #[serde(default)]
    pub secret_next_file: String,
    #[serde(default)]
    pub supplier: String,
    #[serde(default)]
    pub types: Vec<EventType>,
}

impl HookConfig {
    /// The supplier whose word this is, where it may speak for one only.
    pub fn supplier(&self) -> Option<SupplierId> {
        (!self.supplier.is_empty()).then(|| SupplierId::new(self.supplier.as_str()))
    }

    /// May it send events of this type?
    pub fn may_send(&self, kind: EventType) -> bool {
        self.types.is_empty() || self.types.contains(&kind)
    }

    /// The keys of its signatures: those of its secrets that begin with `whsec_`.
    pub fn signing_keys(&self) -> Vec<Vec<u8>> {
        self.secrets().filter_map(|s| STANDARD.decode(s.strip_prefix("whsec_")?).ok()).collect()
    }

    /// What may stand in the path of an Odoo rule's call: its other secrets. One secret never serves both ways, as paths end
    /// up in logs.
    pub fn path_secrets(&self) -> Vec<SecretString> {
        let odoo = self.kind == HookKind::Odoo;
        self.secrets().filter(|s| odoo && !s.starts_with("whsec_")).map(SecretString::from).collect()
    }

    fn secrets(&self) -> impl Iterator<Item = &str> {
        [&self.secret, &self.secret_next].into_iter().map(ExposeSecret::expose_secret).filter(|s| !s.is_empty())
    }
}

pub(super) fn check(events: &EventsConfig, hooks: &[HookConfig]) -> Result<(), ConfigError> {
    let bad = |key: &str, message: String| {
        Err(ConfigError::Key { key: key.to_owned(), origin: "[[hooks]] and [events]".to_owned(), message })
    };
    if !(1024..=16 * 1024 * 1024).contains(&events.body_max) {
        return bad("events.body_max", "must be 1024 to 16777216 bytes".to_owned());
    }
    if events.window > Duration::from_hours(1) {
        return bad("events.window", "must not be above 1h: so long an overheard call could be sent again".to_owned());
    }
    if events.per_minute == 0 || !(2..=3650).contains(&events.keep_days) {
        return bad("events.per_minute, events.keep_days", "must be at least 1, and 2 to 3650".to_owned());
    }
    let mut names = BTreeSet::new();
    for hook in hooks {
        let name = hook.name.as_str();
        if name.is_empty() || name.len() > 60 || !name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'_') {
            return bad("hooks.name", format!("{name:?} must be letters, digits, - and _, as it stands in the address"));
        }
        if !names.insert(name) {
            return bad("hooks.name", format!("{name:?} is there twice"));
        }
        if hook.secrets().next().is_none() {
            return bad("hooks.secret", format!("hook {name:?} has no secret, so anybody could call it; set one"));
        }
        for secret in hook.secrets() {
            // Says what is wrong and never shows the secret.
            if let Some(problem) = fault(hook.kind, secret) {
                return bad("hooks.secret", format!("hook {name:?}: {problem}"));
            }
        }
        if hook.kind == HookKind::Odoo && (!hook.supplier.is_empty() || !hook.types.is_empty()) {
            return bad("hooks.kind", format!("hook {name:?}: an odoo hook carries no events, so no supplier and no types"));
        }
    }
    Ok(())
}

fn fault(kind: HookKind, secret: &str) -> Option<&'static str> {
    match (secret.strip_prefix("whsec_"), kind) {
        (Some(encoded), _) => {
            // The convention's bounds: a shorter key could be guessed.
            let usable = STANDARD.decode(encoded).is_ok_and(|key| (24..=64).contains(&key.len()));
            (!usable).then_some("a signing secret is whsec_ followed by base64 of 24 to 64 bytes")
        }
        (None, HookKind::Events) => Some("a signing secret is whsec_ followed by base64 of 24 to 64 bytes"),
        (None, HookKind::Odoo) => {
            let plain = secret.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'_');
            (!plain || secret.len() < PATH_SECRET_MIN)
                .then_some("a secret for the path must be at least 24 letters, digits, - and _")
        }
    }
}

#[cfg(test)]
mod tests {
    use crate::config::{Config, ConfigError};

    fn with(hooks: &str) -> Result<Config, ConfigError> {
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("reeve.toml");
        std::fs::write(&file, hooks).unwrap();
        std::fs::write(dir.path().join("key"), "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw\n").unwrap();
        let text = hooks.replace("DIR", dir.path().to_str().unwrap());
        std::fs::write(&file, text).unwrap();
        Config::load_from(Some(&file), &[])
    }

    const KEY: &str = "secret = \"whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw\"";

    #[test]
    fn two_secrets_hold_at_once_and_one_may_come_from_a_file() {
        let config = with(
            "[[hooks]]\nname = \"acme\"\nsupplier = \"12\"\ntypes = [\"supplier.delay.v1\"]\n\
             secret = \"whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oD\"\nsecret_next_file = \"DIR/key\"\n",
        );
        let config = config.unwrap();
        assert_eq!(config.hooks[0].signing_keys().len(), 2);
        assert!(!format!("{config:?}").contains("C2FVsBQI"));
        assert!(Config::load_from(None, &[]).unwrap().hooks.is_empty());
    }

    #[test]
    fn a_secret_of_an_odoo_hook_serves_the_path_or_the_signature_and_never_both() {
        let config = with(&format!(
            "[[hooks]]\nname = \"erp\"\nkind = \"odoo\"\n{KEY}\nsecret_next = \"abcdefghijklmnopqrstuvwx\"\n"
        ));
        let hook = &config.unwrap().hooks[0];
        assert_eq!((hook.signing_keys().len(), hook.path_secrets().len()), (1, 1));
    }

    #[test]
    fn a_hook_that_anybody_could_call_is_refused_without_showing_its_secret() {
        for (hooks, named) in [
            ("[[hooks]]\nname = \"a\"\n".to_owned(), "has no secret"),
            ("[[hooks]]\nname = \"a\"\nsecret = \"hunter2\"\n".to_owned(), "whsec_"),
            ("[[hooks]]\nname = \"a\"\nsecret = \"whsec_aHVudGVyMg==\"\n".to_owned(), "24 to 64 bytes"),
            ("[[hooks]]\nname = \"a\"\nkind = \"odoo\"\nsecret = \"hunter2\"\n".to_owned(), "at least 24"),
            (format!("[[hooks]]\nname = \"a/b\"\n{KEY}\n"), "must be letters"),
            (format!("[[hooks]]\nname = \"a\"\n{KEY}\n[[hooks]]\nname = \"a\"\n{KEY}\n"), "twice"),
            (format!("[[hooks]]\nname = \"a\"\ntypes = [\"x.v1\"]\n{KEY}\n"), "x.v1"),
            ("[events]\nbody_max = 1\n".to_owned(), "events.body_max"),
            ("[events]\nwindow = \"2h\"\n".to_owned(), "events.window"),
        ] {
            let error = with(&hooks).unwrap_err().to_string();
            assert!(error.contains(named), "{error}");
            assert!(!error.contains("hunter2") && !error.contains("aHVudGVy"), "{error}");
        }
    }
}
