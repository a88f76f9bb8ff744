//! What a click says, what it is answered, and why it may be refused.

use jiff::Timestamp;
use jiff::civil::Date;
use serde::{Deserialize, Serialize};

use crate::domain::action::{Action, Check};
use crate::domain::case_life::CaseRefused;
use crate::domain::decision::{DecisionVerb, RejectReason, TransitionError, WakeCondition};
use crate::domain::hand::Hand;
use crate::domain::ids::{CaseId, PersonId, RecommendationId};
use crate::domain::money::Money;
use crate::domain::policy::{Refusal, Refused, Tier};

fn first_step() -> u32 {
    1
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde passes what it may leave out by reference")]
fn is_first_step(step: &u32) -> bool {
    *step == 1
}

/// What a person wants to happen.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "verb", rename_all = "snake_case")]
pub enum Verb {
    /// Do it.
    Approve,
    /// Do it with these quantities and dates; somebody else has to approve that.
    Edit {
        /// Which step of a plan, from 1.
        #[serde(default = "first_step", skip_serializing_if = "is_first_step")]
        step: u32,
        /// What the step is to say.
        action: Box<Action>,
    },
    /// Do not do it.
    Reject { reason: RejectReason, note: String },
    /// Ask again on that day, or when `wake` holds.
    Snooze {
        until: Date,
        #[serde(default)]
        wake: WakeCondition,
    },
    /// Ask somebody else by name.
    Forward {
        to: PersonId,
        #[serde(default)]
        note: String,
    },
    /// Give it back to whoever passed it on.
    Return {
        #[serde(default)]
        note: String,
    },
    /// The case is the same as another: fold it into that one.
    Merge { into: CaseId },
    /// Take back one's own decision.
    Undo,
}

impl Verb {
    /// What it is, without what it says beside it.
    pub fn kind(&self) -> DecisionVerb {
        match self {
            Self::Approve => DecisionVerb::Approve,
            Self::Edit { .. } => DecisionVerb::Edit,
            Self::Reject { .. } => DecisionVerb::Reject,
            Self::Snooze { .. } => DecisionVerb::Snooze,
            Self::Forward { .. } => DecisionVerb::Forward,
            Self::Return { .. } => DecisionVerb::Return,
            Self::Merge { .. } => DecisionVerb::Merge,
            Self::Undo => DecisionVerb::Undo,
        }
    }
}

/// One click.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct DecisionRequest {
    /// Made once for each click and sent again with each retry of it.
    pub idempotency_key: String,
    /// Who is signed in.
    pub person: PersonId,
    /// Through what: `web`, `cli`.
    pub channel: String,
    /// Whose hand it could have been.
    pub hand: Hand,
    /// On what.
    pub recommendation_id: RecommendationId,
    /// The content that was on the screen.
    pub content_hash: String,
    /// What they want.
    pub verb: Verb,
}

/// What came of a click. The same click is answered the same.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct DecisionAnswer {
    /// The recommendation now in question: after an edit it is the new one.
    pub recommendation_id: RecommendationId,
    /// The state it came to, by name.
    pub state: String,
    /// Its tier, where the decision depended on it.
    pub tier: Option<Tier>,
    /// Every rule that mattered, in plain words.
    #[serde(default)]
    pub because: Vec<String>,
    /// What the limits were compared with: this value and what counts together with it.
    pub counted: Money,
    /// True when somebody else still has to sign.
    pub needs_second: bool,
    /// Until when it can be undone; afterwards an approval leaves.
    pub undo_until: Option<Timestamp>,
    /// One sentence for the person.
    pub said: String,
    /// When it was decided.
    pub at: Timestamp,
}

impl DecisionAnswer {
    /// The state that is answered for a drill: it was no recommendation, and nothing follows from the click.
    pub const DRILL: &'static str = "drill";

    /// Was it a drill?
    pub fn is_drill(&self) -> bool {
        self.state == Self::DRILL
    }
}

/// Why a click changed nothing. Written for the person who clicked.
#[derive(Debug, thiserror::Error)]
pub enum DecisionRefused {
    /// Not configured.
    #[error("there is no person {0:?} in the configuration; add them under [[people]]")]
    UnknownPerson(String),
    /// Never existed here.
    #[error("there is no recommendation {0:?}; open the case again")]
    UnknownRecommendation(String),
    /// Another content is on the screen than the one that is stored, or the evidence has moved.
    #[error(
        "the facts changed since this was shown, so the click was not counted{}; {}",
        moved_words(moved),
        newest_words(newest.as_ref())
    )]
    FactsChanged {
        /// What changed, where that is known: "on hand: 40 then, 12 now".
        moved: Vec<String>,
        /// What to look at instead.
        newest: Option<RecommendationId>,
    },
    /// A hard check no longer holds.
    #[error("it can not be done any more: {}", failed_words(.0))]
    ChecksFailed(Vec<Check>),
    /// The policy says no.
    #[error(transparent)]
    NotAllowed(#[from] Refusal),
    /// The policy asks for somebody else.
    #[error(transparent)]
    MayNotSign(Refused),
    /// Two steps that take two people could be one person's.
    #[error("{who} {what} this, and {}", one_hand_words(first.as_ref(), second))]
    OneHand {
        /// In whose name the first step was done.
        who: String,
        /// What was done: "signed", "changed".
        what: &'static str,
        /// Whose hand the first step could have been; None where that is not known.
        first: Option<Hand>,
        /// Whose hand this step could have been.
        second: Hand,
    },
    /// Somebody was first.
    #[error("{who} {what} at {at}; the first decision counts")]
    AlreadyDecided {
        /// Their name.
        who: String,
        /// What they did: "approved this".
        what: String,
        /// When.
        at: Timestamp,
    },
    /// It does not fit where the recommendation stands.
    #[error(transparent)]
    Transition(#[from] TransitionError),
    /// It does not fit where the case stands.
    #[error(transparent)]
    Case(#[from] CaseRefused),
    /// The edit changes more than it may.
    #[error("{0}")]
    BadEdit(String),
    /// Something in the request is missing or out of range.
    #[error("{0}")]
    BadRequest(String),
    /// The idempotency key was used for a click with another content, by another person, or on something else.
    #[error("this idempotency key was used for another click; make a new one for each click")]
    KeyReused,
    /// The delivery has begun.
    #[error("it is on its way to the receiver already and can no longer be undone; undo it there")]
    Leaving,
    /// Passed on to somebody who could do nothing with it, or merged into what can not take it.
    #[error("{0}")]
    Nowhere(String),
    /// A batch holds what does not belong together.
    #[error("a batch takes approvals of one kind of action and one tier; this is {found} and the first is {first}")]
    MixedBatch {
        /// The first one's action and tier.
        first: String,
        /// This one's.
        found: String,
    },
    /// Its scope is in shadow or off: nobody decides on it.
    #[error("{0}")]
    NotLive(String),
    /// Others keep deciding at the same moment.
    #[error(
        "somebody else was changing this at the same moment; look at it again and repeat the click if you still want to"
    )]
    Busy,
    /// Not the person's fault.
    #[error("the decision could not be kept, and nothing was changed: {0:#}")]
    Failed(anyhow::Error),
}

/// Why two steps could be one person's, and what to do about it.
fn one_hand_words(first: Option<&Hand>, second: &Hand) -> String {
    let came = |hand: &Hand| match hand {
        Hand::Own => "in person".to_owned(),
        Hand::Command(user) => format!("by a command of {user}"),
        Hand::MadeByCommand(user) if user.is_empty() => "by a link or token that some command made".to_owned(),
        Hand::MadeByCommand(user) => format!("by a link or token that {user} made by command"),
    };
    let unknown = |hand: &Hand| hand.user() == Some("") || hand.user() == Some("unknown");
    let remedy = if first.is_none_or(unknown) {
        "Let them take that back and do it again, with a new link or token: of what was made before Reeve kept it, nobody knows \
         who made it"
    } else {
        "Let one of you make their link under an account of their own at the machine (`reeve sign-in`); where links are handed to \
         their people and used by nobody else, say so with identity.links_are_handed_over"
    };
    let first = first.map_or_else(|| "in a way that is not known".to_owned(), came);
    format!(
        "two people have to do it: that came {first} and this {}, so it could be one person with two names. {remedy}",
        came(second)
    )
}

fn moved_words(moved: &[String]) -> String {
    if moved.is_empty() { String::new() } else { format!(" ({})", moved.join("; ")) }
}

fn newest_words(newest: Option<&RecommendationId>) -> String {
    newest.map_or_else(
        || "nothing is proposed on the new facts yet".to_owned(),
        |id| format!("look at {id}, which rests on the new ones"),
    )
}

fn failed_words(checks: &[Check]) -> String {
    let each: Vec<String> = checks.iter().map(|c| format!("{} ({})", c.name, c.detail)).collect();
    each.join("; ")
}
