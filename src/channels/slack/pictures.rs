//! Charts in Slack: a picture is uploaded once, and shown by the file's name from then on. A card never fails for want of one: where a
//! picture can not be had, it goes without.

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use jiff::Timestamp;
use sha2::{Digest as _, Sha256};

use super::api::{Api, CallError};
use super::place::Uploaded;
use crate::cards::picture::{caption, in_words, png};
use crate::config::{DeliveryConfig, SlackConfig};
use crate::http::breaker::Breaker;

/// How long after an upload Slack may still be looking through the file. So long a message that shows it is refused.
const LOOKED_THROUGH: Duration = Duration::from_secs(15);

/// How long one waits before a message that shows such a file is sent again.
const AGAIN: Duration = Duration::from_secs(3);

/// How long no picture is uploaded after a no that somebody has to mend: the cards go on without.
const AFTER_NO: Duration = Duration::from_hours(1);

/// Files that are kept in mind: more than stand in a channel at once.
const KNOWN_MAX: usize = 1_000;

/// A picture that a card shows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Picture {
    /// What Slack calls the file.
    pub file: String,
    /// Of which bytes it is.
    pub hash: String,
    /// What it shows, for who does not see it.
    pub words: String,
    /// What it is of, and what is drawn how.
    pub caption: String,
}

/// The pictures of one workspace.
pub(super) struct Pictures {
    api: Api,
    is_on: bool,
    breaker: Breaker,
    mind: Mutex<Mind>,
}

/// What this process knows of files; what a message shows is kept with its receipt too.
#[derive(Default)]
struct Mind {
    files: BTreeMap<String, File>,
    /// Until when nothing is uploaded.
    rest: Option<Timestamp>,
}

/// What is known of a picture.
enum File {
    /// It was uploaded then.
    Up { file: String, at: Timestamp },
    /// Slack does not take a message that shows it.
    Refused,
}

impl Pictures {
    pub(super) fn new(api: &Api, slack: &SlackConfig, delivery: &DeliveryConfig) -> Self {
        Self {
            api: api.clone(),
            is_on: slack.charts,
            breaker: Breaker::new(delivery.breaker_failures, delivery.breaker_pause),
            mind: Mutex::default(),
        }
    }

    fn mind(&self) -> MutexGuard<'_, Mind> {
        self.mind.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The picture of a chart, uploaded where it is not yet. `shown` is the one that the message shows by now. None where there is none to be
    /// had at the moment.
    pub(super) async fn of(&self, chart: Option<&str>, shown: Option<&Uploaded>, at: Timestamp) -> Option<Picture> {
        let chart = chart.filter(|_| self.is_on)?;
        let png = png(chart)?;
        let hash = hex::encode(&Sha256::digest(&png)[..12]);
        let caption = caption(chart);
        let picture = |file: String| Picture { file, hash: hash.clone(), words: in_words(chart), caption: caption.clone() };
        match self.mind().files.get(&hash) {
            Some(File::Up { file, .. }) => return Some(picture(file.clone())),
            Some(File::Refused) => return None,
            None => {}
        }
        if let Some(shown) = shown.filter(|shown| shown.hash == hash) {
            return Some(picture(shown.file.clone()));
        }
        if self.mind().rest.is_some_and(|until| at < until) || self.breaker.admit(at).is_err() {
            return None;
        }
        match self.api.upload(&caption, png).await {
            Ok(file) => {
                self.breaker.answered();
                self.keep(&hash, File::Up { file: file.clone(), at });
                Some(picture(file))
            }
            Err(error) => {
                self.failed(&error, at);
                None
            }
        }
    }

    fn keep(&self, hash: &str, file: File) {
        let mut mind = self.mind();
        if mind.files.len() >= KNOWN_MAX {
            // What a message shows is known from its receipt too: at worst a picture that was refused is tried once more.
            mind.files.clear();
        }
        mind.files.insert(hash.to_owned(), file);
    }

    fn failed(&self, error: &CallError, at: Timestamp) {
        let rest = match error {
            CallError::TooMany(wait) | CallError::NotReady(wait) => *wait,
            CallError::Lost(_) => {
                tracing::warn!("A chart could not be uploaded to Slack ({error}); its card goes without");
                self.breaker.failed(at);
                return;
            }
            CallError::Refused(word) => {
                let scope = if word == "missing_scope" { "give the app files:write and install it again; " } else { "" };
                tracing::warn!("Slack takes no pictures (it says {word}): {scope}until then cards go without their chart");
                AFTER_NO
            }
        };
        self.breaker.answered();
        self.mind().rest = at.checked_add(rest).ok();
    }

    /// A message that shows this picture was refused. Answers how long to wait before it is sent again, where Slack may still be looking
    /// through the file; else the picture is shown no more.
    pub(super) fn refused(&self, picture: &Picture, at: Timestamp) -> Option<Duration> {
        let up = match self.mind().files.get(&picture.hash) {
            Some(File::Up { at, .. }) => Some(*at),
            Some(File::Refused) | None => None,
        };
        let until = up.and_then(|up| up.checked_add(LOOKED_THROUGH).ok());
        if until.is_some_and(|until| at < until) {
            return Some(AGAIN);
        }
        self.keep(&picture.hash, File::Refused);
        None
    }
}

impl From<&Picture> for Uploaded {
    fn from(picture: &Picture) -> Self {
        Self { file: picture.file.clone(), hash: picture.hash.clone() }
    }
}
