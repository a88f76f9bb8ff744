//! The audit log's entries and their chain.
//!
//! Each entry carries the hash of the one before it; changing, dropping or inserting an entry breaks every later hash.
//! The head is written into every digest, so a log that was rewritten whole is found out too.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::ids::content_hash;

/// The hash before the first entry.
pub const GENESIS: &str = "0000000000000000000000000000000000000000000000000000000000000000";

/// What is to be written down: who did what to which thing, with which content.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct AuditEntry {
    /// When.
    pub at: Timestamp,
    /// Who: a person's id, or `stage:detect` for the machine. A stage is never an approver.
    pub actor: String,
    /// Through what: `web`, `cli`, `stage`.
    pub channel: String,
    /// What was done: `case.opened`, `recommendation.approved`.
    pub action: String,
    /// To what: `case:…`, `recommendation:…`.
    pub subject: String,
    /// The content it binds to, where there is one: a content or evidence hash.
    pub content: String,
    /// Anything else worth keeping, as a JSON object.
    pub detail: serde_json::Value,
}

/// An entry in the log.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Chained {
    /// Counts up from 1 without a gap.
    pub seq: i64,
    /// The entry.
    pub entry: AuditEntry,
    /// The hash of the entry before.
    pub previous: String,
    /// The hash of this one.
    pub hash: String,
}

impl AuditEntry {
    /// The hash of this entry at place `seq` after `previous`.
    pub fn chain_hash(&self, seq: i64, previous: &str) -> String {
        content_hash(&[
            previous,
            &seq.to_string(),
            &self.at.as_millisecond().to_string(),
            &self.actor,
            &self.channel,
            &self.action,
            &self.subject,
            &self.content,
            &self.detail.to_string(),
        ])
    }
}

/// What is wrong with a chain, and where.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ChainError {
    /// A number is missing or doubled.
    #[error("audit entry {expected} is missing: the next one is numbered {found}")]
    Gap { expected: i64, found: i64 },
    /// The entry does not follow the one before.
    #[error("audit entry {seq} does not follow entry {}: its link to it is broken", seq - 1)]
    Link { seq: i64 },
    /// The entry's content is not what was hashed.
    #[error("audit entry {seq} was changed after it was written")]
    Content { seq: i64 },
}

/// Walks a chain in order, one entry at a time, in constant memory.
#[derive(Clone, Debug)]
pub struct ChainWalk {
    seq: i64,
    head: String,
}

impl Default for ChainWalk {
    fn default() -> Self {
        Self { seq: 0, head: GENESIS.to_owned() }
    }
}

impl ChainWalk {
    /// Checks the next entry.
    ///
    /// # Errors
    /// Says what is wrong with the first entry that is not what was written.
    pub fn step(&mut self, next: &Chained) -> Result<(), ChainError> {
        if next.seq != self.seq + 1 {
            return Err(ChainError::Gap { expected: self.seq + 1, found: next.seq });
        }
        if next.previous != self.head {
            return Err(ChainError::Link { seq: next.seq });
        }
        if next.entry.chain_hash(next.seq, &next.previous) != next.hash {
            return Err(ChainError::Content { seq: next.seq });
        }
        self.seq = next.seq;
        self.head.clone_from(&next.hash);
        Ok(())
    }

    /// How many entries were walked, and the hash of the last.
    pub fn head(&self) -> (i64, &str) {
        (self.seq, &self.head)
    }
}
