//! What leaves: the kinds of messages that the outbox holds.
//!
//! Whoever puts a message in says its kind, and the kind is kept beside the body. Nobody has to find it out from the body
//! again: the body is for the receiver.

use serde::{Deserialize, Serialize};

/// The kind of a message on its way out.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum OutboxKind {
    /// A recommendation that was approved, as it stands or after an edit: whoever gets it carries it out.
    Approved,
    /// The ERP shows nothing of a hand-off in time. Goes to whoever got the hand-off.
    NotSeen,
    /// A destination can not be reached. Goes to the fallback.
    Stuck,
    /// A head of the audit log, to be kept outside of it.
    Anchor,
    /// A case as people in a chat see it: put up once, and shown anew whenever it has changed.
    Card,
    /// The digest of a day, for a chat.
    Digest,
    /// A word beside a case that a chat shows: that it waits too long, to those who are asked next.
    Reminder,
}

impl OutboxKind {
    /// Every one.
    pub const ALL: [Self; 7] =
        [Self::Approved, Self::NotSeen, Self::Stuck, Self::Anchor, Self::Card, Self::Digest, Self::Reminder];

    /// What is shown to people in chats. Each chat shows it in its own way, so these kinds have a sender for each; which one
    /// a message goes to, its destination says.
    pub const SHOWN: [Self; 3] = [Self::Card, Self::Digest, Self::Reminder];

    /// The name in the store, in logs and in lists.
    pub fn name(self) -> &'static str {
        match self {
            Self::Approved => "approved",
            Self::NotSeen => "not_seen",
            Self::Stuck => "stuck",
            Self::Anchor => "anchor",
            Self::Card => "card",
            Self::Digest => "digest",
            Self::Reminder => "reminder",
        }
    }

    /// What it is, for people who look at the outbox.
    pub fn words(self) -> &'static str {
        match self {
            Self::Approved => "approval",
            Self::NotSeen => "nothing seen of a hand-off",
            Self::Stuck => "a destination is down",
            Self::Anchor => "head of the audit log",
            Self::Card => "card of a case",
            Self::Digest => "digest of a day",
            Self::Reminder => "reminder of a case",
        }
    }

    /// Is it shown to people in a chat, and not sent to who carries something out?
    pub fn is_shown(self) -> bool {
        Self::SHOWN.contains(&self)
    }

    /// The kind of this name.
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.name() == name)
    }
}

#[cfg(test)]
mod tests {
    use super::OutboxKind;

    #[test]
    fn every_name_reads_back_as_its_kind_also_in_json() {
        for kind in OutboxKind::ALL {
            assert_eq!(OutboxKind::named(kind.name()), Some(kind));
            assert_eq!(serde_json::to_value(kind).unwrap(), kind.name());
        }
        assert_eq!(OutboxKind::named("Approved"), None);
    }
}
