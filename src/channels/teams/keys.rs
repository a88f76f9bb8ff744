//! The keys with which Teams signs what it sends: asked for where the settings say, kept for a day.
//!
//! Invariants: a key that is not known makes one look, and many that are not known make no more than one in five minutes, so that whoever
//! makes up keys can not have the directory asked for each; of callers that come together one asks and all are answered. Where it can not be
//! asked, keys that were good a day ago are good for one more, and none for longer.

use std::collections::BTreeMap;
use std::time::Duration;

use jiff::Timestamp;
use reqwest::Client;
use serde::Deserialize;
use tokio::sync::Mutex;

use super::api::{CallError, read_json};
use crate::clock::Clock;
use crate::config::TeamsConfig;
use crate::ports::is_loopback;

/// How long keys are taken as they are.
const FRESH: Duration = Duration::from_hours(24);
/// How long they may be used where they can not be asked for again.
const USABLE: Duration = Duration::from_hours(48);
/// How long nobody is asked after an answer, whatever key is not in it.
const AGAIN: Duration = Duration::from_mins(5);
/// How long nobody is asked after a failure.
const AGAIN_FAILED: Duration = Duration::from_secs(10);
/// Most keys that are kept: Teams has some dozens.
const KEYS_MAX: usize = 500;

/// A public key of RSA, and for which channels it speaks.
#[derive(Clone, Debug, Deserialize)]
pub struct Key {
    kid: String,
    /// The modulus, as the directory writes it.
    pub n: String,
    /// The exponent.
    pub e: String,
    /// The channels.
    #[serde(default)]
    pub endorsements: Vec<String>,
}

/// Why there is no key.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum KeyError {
    /// Nobody signs with it.
    #[error("it is signed with a key that Teams does not have")]
    Unknown,
    /// It can not be known now.
    #[error("the keys of Teams can not be read: {0}")]
    Unreachable(String),
}

#[derive(Debug, Default)]
struct Kept {
    keys: BTreeMap<String, Key>,
    /// When they were read.
    read_at: Option<Timestamp>,
    /// Until when nobody is asked.
    rests_until: Option<Timestamp>,
    failure: String,
}

/// The keys.
#[derive(Debug)]
pub struct Keys {
    client: Result<Client, String>,
    metadata_url: String,
    clock: Clock,
    kept: Mutex<Kept>,
}

impl Keys {
    /// None yet; they are asked for when the first is needed.
    pub fn new(teams: &TeamsConfig, clock: Clock) -> Self {
        Self {
            client: crate::http::client(teams.timeout).map_err(|error| error.to_string()),
            metadata_url: teams.metadata_url.clone(),
            clock,
            kept: Mutex::default(),
        }
    }

    /// The key of this name.
    ///
    /// # Errors
    /// [`KeyError`].
    pub async fn find(&self, kid: &str) -> Result<Key, KeyError> {
        // Held while it is asked: whoever comes meanwhile waits for the same answer.
        let mut kept = self.kept.lock().await;
        let now = self.clock.wire();
        let age = kept.read_at.map(|at| Duration::try_from(now.duration_since(at)).unwrap_or_default());
        let known = kept.keys.get(kid).cloned();
        if let (Some(key), Some(age)) = (&known, age)
            && age < FRESH
        {
            return Ok(key.clone());
        }
        if kept.rests_until.is_none_or(|until| now >= until) {
            match self.read().await {
                Ok(keys) => {
                    let read_at = Some(now);
                    *kept = Kept { keys, read_at, rests_until: later(now, AGAIN), failure: String::new() };
                    return kept.keys.get(kid).cloned().ok_or(KeyError::Unknown);
                }
                Err(error) => {
                    tracing::warn!("The keys of Teams can not be read: {error}");
                    (kept.rests_until, kept.failure) = (later(now, AGAIN_FAILED), error.to_string());
                }
            }
        }
        // A key outlives its day while the directory is away (decision 93); that
        // one is unknown is said only after an answer.
        match (known, age) {
            (Some(key), Some(age)) if age < USABLE => Ok(key),
            (None, Some(age)) if age < FRESH && kept.failure.is_empty() => Err(KeyError::Unknown),
            _ => Err(KeyError::Unreachable(kept.failure.clone())),
        }
    }

    /// How many keys speak for Teams, asked for anew.
    ///
    /// # Errors
    /// Where they can not be read.
    pub async fn count(&self) -> Result<usize, CallError> {
        let keys = self.read().await?;
        Ok(keys.values().filter(|key| key.endorsements.iter().any(|e| e == super::CHANNEL_ID)).count())
    }

    async fn read(&self) -> Result<BTreeMap<String, Key>, CallError> {
        let client = self.client.as_ref().map_err(|why| CallError::Lost(why.clone()))?;
        let metadata = read_json(client.get(&self.metadata_url), &self.clock).await?;
        let address = metadata["jwks_uri"].as_str().unwrap_or_default();
        // Keys that came in the clear could be anybody's.
        let in_the_clear = |url: &str| {
            url.strip_prefix("http://").is_some_and(|rest| is_loopback(rest.split('/').next().unwrap_or_default()))
        };
        if !(address.starts_with("https://") || in_the_clear(address) && in_the_clear(&self.metadata_url)) {
            return Err(CallError::Lost("the metadata names no safe address of keys".to_owned()));
        }
        let answer = read_json(client.get(address), &self.clock).await?;
        let all = answer["keys"].as_array().ok_or_else(|| CallError::Lost("the answer holds no keys".to_owned()))?;
        // One that is of another kind is nobody's here.
        let keys = all.iter().take(KEYS_MAX).filter_map(|key| Key::deserialize(key).ok());
        Ok(keys.map(|key| (key.kid.clone(), key)).collect())
    }
}

#[expect(clippy::unnecessary_wraps, reason = "it goes where there may be no time")]
fn later(now: Timestamp, pause: Duration) -> Option<Timestamp> {
    Some(now.checked_add(pause).unwrap_or(Timestamp::MAX))
}
