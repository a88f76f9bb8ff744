//! What the store tells of links between chat users and people: rows, tries of codes, and what came of them.

use jiff::Timestamp;

use crate::domain::hand::Hand;
use crate::domain::ids::PersonId;

/// Where a link stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum IdentityState {
    /// Waits for its proof: a code typed in the chat, or the person's word on the page.
    Pending,
    /// Proved.
    Verified,
    /// Ended: taken back, replaced, or never proved in time.
    Revoked,
}

impl IdentityState {
    /// The name in the store.
    pub fn name(self) -> &'static str {
        match self {
            Self::Pending => "pending",
            Self::Verified => "verified",
            Self::Revoked => "revoked",
        }
    }

    pub(super) fn named(name: &str) -> Option<Self> {
        [Self::Pending, Self::Verified, Self::Revoked].into_iter().find(|state| state.name() == name)
    }
}

/// A link between a chat user and a person.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct IdentityRow {
    /// Its id.
    pub id: String,
    /// `slack`, `teams`, `email`.
    pub channel: String,
    /// The workspace or directory; empty until a code was typed somewhere, and for e-mail.
    pub tenant: String,
    /// The chat tool's own id of the user; empty until a code was typed.
    pub user_id: String,
    /// Whose it is.
    pub person: PersonId,
    /// Where it stands.
    pub state: IdentityState,
    /// When it was asked for.
    pub made_at: Timestamp,
    /// By whom: the person, or an administrator.
    pub made_by: String,
    /// The part of the code by which it is found; None where no code was made.
    pub code_id: Option<String>,
    /// The hash of the code's secret part. Never leaves the store: rows that are read have None here.
    pub code_hash: Option<String>,
    /// How many codes were tried on it.
    pub attempts: i64,
    /// Until when it can be proved.
    pub confirm_by: Timestamp,
    /// When it was proved.
    pub verified_at: Option<Timestamp>,
    /// By whom.
    pub verified_by: String,
    /// Until when it holds.
    pub expires_at: Option<Timestamp>,
    /// When it ended.
    pub ended_at: Option<Timestamp>,
    /// Who ended it.
    pub ended_by: String,
    /// Why.
    pub ended_why: String,
    /// When the person was told, where somebody else had a hand in it; None while they are still to be told.
    pub told_at: Option<Timestamp>,
    /// Whose hand could have made it: who asked for the code, or said yes on the page. What is done through the link is theirs.
    pub hand: Hand,
}

/// A code typed in a chat.
#[derive(Clone, Copy, Debug)]
pub struct CodeTry<'a> {
    /// Where it was typed.
    pub channel: &'a str,
    /// In which workspace or directory.
    pub tenant: &'a str,
    /// By which chat user.
    pub user_id: &'a str,
    /// By which the link is found.
    pub code_id: &'a str,
    /// The hash of the rest.
    pub code_hash: &'a str,
    /// When.
    pub now: Timestamp,
    /// Most tries: of one link, and of one chat user since `window_start`.
    pub tries_max: i64,
    /// Tries before this are forgotten.
    pub window_start: Timestamp,
    /// Until when the link holds if it fits.
    pub expires_at: Timestamp,
}

/// What came of a code.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum CodeOutcome {
    /// It fits: the link holds. The others are those that it ended.
    Fits(Box<IdentityRow>, Vec<IdentityRow>),
    /// There is no link that waits for it, or the rest is wrong: whose link was tried, and how many tries are left on it.
    Wrong(Option<(PersonId, i64)>),
    /// This chat user has tried too often; nothing was compared. True when this is the first time that it is said.
    TooMany(bool),
}

/// What ends when a link is proved.
#[derive(Clone, Copy, Debug)]
pub struct Proof<'a> {
    /// Who proved it.
    pub by: &'a str,
    /// When.
    pub at: Timestamp,
    /// Until when it holds.
    pub expires_at: Timestamp,
    /// Whose hand the proof could be, where that is not the hand that asked for the link.
    pub hand: Option<&'a Hand>,
}
