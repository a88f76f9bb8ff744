//! Cases: one or more exceptions with one root cause and one decision to make. The unit that people see.

use jiff::Timestamp;
use jiff::civil::Date;
use serde::{Deserialize, Serialize};

use super::action::Range;
use super::decision::WakeCondition;
use super::exception::{ExceptionType, Subject};
use super::ids::{CaseId, ExceptionId, PersonId};
use super::mode::Mode;
use super::money::{Money, Quantity};

/// Where a case stands (handbook §8).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "state", rename_all = "snake_case")]
pub enum CaseState {
    /// Found, not judged yet.
    New,
    /// Judged, and by what is known no decision would gain anything: its exceptions hold and are counted below the line, and nobody
    /// is asked. Where that changes, or somebody wants to know, it becomes a case that waits for people.
    Latent,
    /// In the queue.
    Open,
    /// Put off until a day or until `wake` holds, whichever comes first.
    Snoozed {
        /// The day on which it comes back at the latest.
        until: Date,
        /// What it was worth when it was put off.
        value_then: Money,
        /// What brings it back earlier.
        #[serde(default)]
        wake: WakeCondition,
        /// What was wrong when it was put off.
        #[serde(default)]
        codes_then: Vec<ExceptionType>,
    },
    /// Somebody decided; the hand-off may still be in its undo window.
    Decided,
    /// Handed off; the ERP is being watched.
    Verifying,
    /// Done with.
    Closed,
    /// Its exceptions went away by themselves.
    ResolvedItself,
    /// The last date on which anything helped has passed.
    Expired,
    /// Folded into another case.
    Merged { into: CaseId },
    /// Its scope is in shadow: it is watched and drafted, and nobody is told or asked.
    Shadow,
    /// It was in shadow and is over: its exceptions went away by themselves, or its scope was taken to another mode.
    ShadowOver { to: Option<Mode> },
    /// Nobody decided it before its scope was taken to another mode.
    Withdrawn { to: Mode },
}

impl CaseState {
    /// Names of the states in which a case is not over.
    pub const LIVE: &'static [&'static str] = &["new", "latent", "open", "snoozed", "decided", "verifying"];

    /// Names of the states in which a case is judged anew whenever something has changed, and drafted where that is worth it.
    pub const JUDGED: &'static [&'static str] = &["new", "latent", "open", "shadow"];

    /// Names of the states in which a case waits for people.
    pub const UNDECIDED: &'static [&'static str] = &["new", "open"];

    /// Names of the states in which a case has a place in the digest's order: above the line, or below it.
    pub const RANKED: &'static [&'static str] = &["new", "latent", "open"];

    /// The name in the store and in filters.
    pub fn name(&self) -> &'static str {
        match self {
            Self::New => "new",
            Self::Latent => "latent",
            Self::Open => "open",
            Self::Snoozed { .. } => "snoozed",
            Self::Decided => "decided",
            Self::Verifying => "verifying",
            Self::Closed => "closed",
            Self::ResolvedItself => "resolved_itself",
            Self::Expired => "expired",
            Self::Merged { .. } => "merged",
            Self::Shadow => "shadow",
            Self::ShadowOver { .. } => "shadow_over",
            Self::Withdrawn { .. } => "withdrawn",
        }
    }

    /// May a new signal still join it?
    pub fn is_live(&self) -> bool {
        Self::LIVE.contains(&self.name())
    }
}

/// Lanes come before money: few, and configured (handbook §6 rule 1).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Lane {
    /// A bill that must be paid within three working days.
    BillDue,
    /// An item the configuration names.
    KeyItem,
    /// Everything else.
    Ordinary,
}

/// The ranking figures of a case (handbook §6).
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Rank {
    /// Lane before money.
    pub lane: Lane,
    /// Probability that it is real.
    pub p: f64,
    /// V: the best action's net benefit, at least zero, with its doubt.
    pub value: Range,
    /// Expected loss if nothing is done (L₀): the money at stake.
    pub at_stake: Money,
    /// The last day on which the best action can be decided and keep nine tenths of its value.
    pub deadline: Date,
    /// Days left to decide: deadline − now − usual approval time.
    pub slack_days: f64,
    /// u: the share of V that perishes by the next digest.
    pub perishing: f64,
    /// P = V·(λ + (1 − λ)·u).
    pub priority: Money,
    /// What is lost of V if the decision waits for the next digest; nothing where that can not be computed.
    #[serde(default)]
    pub wait_cost: Money,
    /// Is something missing without which its money can not be known? Then it is worth nothing only as far as anybody can say.
    #[serde(default)]
    pub unknown: bool,
    /// What the deadline hangs on, so that it does not move later while that is no better.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub hangs_on: Option<HangsOn>,
}

/// What a deadline hangs on: while it is the same and no better, tomorrow's deadline is not later than today's.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct HangsOn {
    /// A shortage's place (`75@3`), or an action's code.
    pub what: String,
    /// Units that are there.
    pub available: Quantity,
    /// The same and all that is on order.
    pub position: Quantity,
}

impl HangsOn {
    /// Is it the same as `before` and no better?
    pub fn is_no_better_than(&self, before: &Self) -> bool {
        self.what == before.what && self.available <= before.available && self.position <= before.position
    }
}

impl Case {
    /// Has nobody been told of it, on a page, in a digest or in the log?
    pub fn is_untold(&self) -> bool {
        self.state.is_unseen() && !self.wanted
    }
}

/// One root cause, one decision.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Case {
    /// The hash of the fingerprint of the exception that opened it.
    pub id: CaseId,
    /// Counts up with every change; guards against lost updates.
    pub version: i64,
    /// Where it stands.
    pub state: CaseState,
    /// Its exceptions, in order of joining.
    pub exceptions: Vec<ExceptionId>,
    /// The types of its exceptions, most telling first.
    pub codes: Vec<ExceptionType>,
    /// The subject of its leading exception.
    pub subject: Subject,
    /// The links it owns: an exception that shares one joins.
    pub links: Vec<String>,
    /// One sentence: what happened.
    pub headline: String,
    /// Set once evidence and candidates are there.
    pub rank: Option<Rank>,
    /// The hash of the evidence that the current recommendations rest on.
    pub evidence_hash: Option<String>,
    /// Who looks after it.
    pub owner: Option<PersonId>,
    /// Was it asked for, by a person or by the digest's draw? Then it is drafted, whatever it is worth.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub wanted: bool,
    /// When it was found.
    pub opened_at: Timestamp,
    /// When it last changed.
    pub updated_at: Timestamp,
}
