//! The audit log's entries and their chain.
//!
//! Each entry carries the hash of the one before it; changing, dropping or inserting an entry breaks every later hash.
//! The head is written into every digest, so a log that was rewritten whole is found out too.
//!
//! The encoding is canonical: nine fields in fixed order, each closed by the byte 1F, which no field holds. So two entries
//! that differ anywhere are different bytes. docs/AUDIT.md says it byte for byte, for whoever recomputes it with other tools.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::ids::content_hash;

/// The hash before the first entry.
pub const GENESIS: &str = "0000000000000000000000000000000000000000000000000000000000000000";

/// The channel of whatever is done by a command at the machine itself: whoever may start it can give any name, so the name
/// proves less there than on a page that one signs in to.
pub const BY_COMMAND: &str = "cli";

/// The channel of what the machine does by itself.
pub const BY_STAGE: &str = "stage";

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

/// The byte that closes each field where an entry is hashed. No field may hold it.
pub const CLOSE: char = '\u{1f}';

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
    /// What `actor` did to `subject` through `channel`: a person, a command that names nobody, or a destination that reports.
    pub fn by(actor: &str, channel: &str, at: Timestamp, action: &str, subject: String) -> Self {
        Self {
            at,
            actor: actor.to_owned(),
            channel: channel.to_owned(),
            action: action.to_owned(),
            subject,
            content: String::new(),
            detail: serde_json::json!({}),
        }
    }

    /// What a stage did by itself: `by_stage("detect", …)`. No stage can come in through another channel than its own, and nobody
    /// else through that one.
    pub fn by_stage(stage: &str, at: Timestamp, action: &str, subject: String) -> Self {
        Self::by(&format!("stage:{stage}"), BY_STAGE, at, action, subject)
    }

    /// Bound to this content.
    #[must_use]
    pub fn on(self, content: String) -> Self {
        Self { content, ..self }
    }

    /// With more that is worth keeping.
    #[must_use]
    pub fn with(self, detail: serde_json::Value) -> Self {
        Self { detail, ..self }
    }

    /// Did the machine do it by itself?
    pub fn is_by_stage(&self) -> bool {
        self.channel == BY_STAGE
    }

    /// Does a field hold the byte that closes fields? Then words could move from one field to the next and the hash would not
    /// tell. JSON writes it as an escape, so the detail never does.
    pub fn is_ambiguous(&self) -> bool {
        [&self.actor, &self.channel, &self.action, &self.subject, &self.content].iter().any(|text| text.contains(CLOSE))
    }

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
    /// It holds a byte that Reeve never writes.
    #[error("audit entry {seq} holds the control character 1F, which Reeve does not write: it was not written by it")]
    Ambiguous { seq: i64 },
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
    /// A walk that begins behind entry `seq` with the hash `head`: for a part of a log.
    pub fn behind(seq: i64, head: String) -> Self {
        Self { seq, head }
    }

    /// Checks the next entry.
    ///
    /// # Errors
    /// Says what is wrong with the first entry that is not what was written.
    pub fn step(&mut self, next: &Chained) -> Result<(), ChainError> {
        // The place in the chain comes first: where an entry is missing, everything behind it looks changed.
        if next.seq != self.seq + 1 {
            return Err(ChainError::Gap { expected: self.seq + 1, found: next.seq });
        }
        if next.previous != self.head {
            return Err(ChainError::Link { seq: next.seq });
        }
        if next.entry.is_ambiguous() {
            return Err(ChainError::Ambiguous { seq: next.seq });
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

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_stage_is_known_by_its_channel_and_a_person_has_the_channel_they_came_through() {
        let at = Timestamp::UNIX_EPOCH;
        let stage = AuditEntry::by_stage("detect", at, "case.opened", "case:c-1".to_owned());
        assert_eq!((&*stage.actor, &*stage.channel, stage.is_by_stage()), ("stage:detect", "stage", true));
        assert_eq!((&*stage.content, &stage.detail), ("", &serde_json::json!({})), "an object that more can be put into");
        let person = AuditEntry::by("ada", BY_COMMAND, at, "case.woken", "case:c-1".to_owned())
            .on("e1".to_owned())
            .with(serde_json::json!({ "why": "asked" }));
        assert_eq!((&*person.actor, &*person.channel, person.is_by_stage()), ("ada", "cli", false));
        assert_eq!((&*person.content, &person.detail["why"]), ("e1", &serde_json::json!("asked")));
    }

    fn entry(fields: [&str; 5], detail: serde_json::Value) -> AuditEntry {
        let [actor, channel, action, subject, content] = fields.map(str::to_owned);
        AuditEntry { at: Timestamp::UNIX_EPOCH, actor, channel, action, subject, content, detail }
    }

    #[test]
    fn the_hash_is_the_documented_one() {
        // printf '%s\x1f' <64 zeros> 1 0 ada web case.opened case:1 '' '{"n":1}' | sha256sum
        let one = entry(["ada", "web", "case.opened", "case:1", ""], serde_json::json!({ "n": 1 }));
        assert_eq!(one.chain_hash(1, GENESIS), "f1b37a376d7f3310ed6e5fd19d4e3b36747c87adf0e4369e6c901c7960c8da86");
    }

    #[test]
    fn an_entry_whose_words_could_move_to_another_field_is_refused() {
        let moved = entry(["ada\u{1f}web", "cli", "x", "y", ""], serde_json::json!({}));
        let hash = moved.chain_hash(1, GENESIS);
        let chained = Chained { seq: 1, entry: moved, previous: GENESIS.to_owned(), hash };
        assert_eq!(ChainWalk::default().step(&chained), Err(ChainError::Ambiguous { seq: 1 }));
    }

    proptest! {
        #[test]
        fn entries_that_differ_have_different_hashes(
            one in proptest::array::uniform5("[a-c:|\u{1e}\u{20}]{0,3}"),
            other in proptest::array::uniform5("[a-c:|\u{1e}\u{20}]{0,3}"),
        ) {
            let hash = |fields: &[String; 5]| {
                entry(fields.each_ref().map(String::as_str), serde_json::json!({})).chain_hash(1, GENESIS)
            };
            prop_assert_eq!(hash(&one) == hash(&other), one == other);
        }
    }
}
