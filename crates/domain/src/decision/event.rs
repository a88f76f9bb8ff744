//! What can happen to a recommendation.

use jiff::SignedDuration;
use jiff::civil::Date;

use super::{RejectReason, WakeCondition};
use crate::action::Action;
use crate::ids::PersonId;

/// What can happen to a recommendation.
#[derive(Clone, Debug, PartialEq)]
pub enum Event {
    /// Every check passed.
    Check,
    /// Put before people.
    Queue,
    /// A person agrees, for somebody where they stand in. `needs_second`: the tier takes another signature.
    Approve { by: PersonId, on_behalf_of: Vec<PersonId>, needs_second: bool },
    /// The same for content that a person edited; `action` is what it says now.
    ApproveEdited { by: PersonId, on_behalf_of: Vec<PersonId>, needs_second: bool, action: Box<Action> },
    /// A person refuses.
    Reject { by: PersonId, reason: RejectReason },
    /// A person puts it off.
    Snooze { by: PersonId, until: Date, wake: WakeCondition },
    /// A person asks another one by name.
    Forward { by: PersonId, to: PersonId },
    /// Whoever was asked gives it back.
    Return { by: PersonId },
    /// The snooze is over.
    Wake,
    /// Nobody decided in time: the next step of the policy's chain.
    Escalate { level: u8 },
    /// Nothing helps any more.
    Expire,
    /// The facts changed, a sibling was chosen, or its case was folded into another.
    Supersede,
    /// A person takes their decision back, `window` being the longest time after it.
    Undo { by: PersonId, window: SignedDuration },
    /// The signed event has left.
    HandOff,
    /// The signed event will not leave: a person discarded it, or its time has passed.
    NotSent,
    /// Seen in the ERP.
    SeenDone,
    /// Seen in the ERP in part.
    SeenPartly,
    /// Not seen in the ERP in time, or its executor says that it will not be done.
    NotSeen,
    /// Its executor says that it was taken back.
    SeenUndone,
    /// Of a plan of several steps that was carried out, wholly or in part, a step was taken back. `holds`: another still holds.
    StepUndone { holds: bool },
}

impl Event {
    /// The name in messages.
    pub fn name(&self) -> &'static str {
        match self {
            Self::Check => "check",
            Self::Queue => "queue",
            Self::Approve { .. } => "approve",
            Self::ApproveEdited { .. } => "approve as edited",
            Self::Reject { .. } => "reject",
            Self::Snooze { .. } => "snooze",
            Self::Forward { .. } => "pass on",
            Self::Return { .. } => "return",
            Self::Wake => "wake",
            Self::Escalate { .. } => "escalate",
            Self::Expire => "expire",
            Self::Supersede => "supersede",
            Self::Undo { .. } => "undo",
            Self::HandOff => "hand off",
            Self::NotSent => "note as not sent",
            Self::SeenDone => "note as carried out",
            Self::SeenPartly => "note as partly carried out",
            Self::NotSeen => "note as not carried out",
            Self::SeenUndone => "note as undone",
            Self::StepUndone { .. } => "note a step as undone",
        }
    }
}
