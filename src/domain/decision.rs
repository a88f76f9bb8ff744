//! The life of a recommendation, as one total function (handbook §8). It knows no clock and no store.

use jiff::Timestamp;
use jiff::civil::Date;
use serde::{Deserialize, Serialize};

use super::action::Action;
use super::ids::PersonId;

/// Where a recommendation stands.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "state", rename_all = "snake_case")]
pub enum RecommendationState {
    /// Written, not yet checked.
    Drafted,
    /// Every check passed.
    Checked,
    /// Waiting for people.
    Queued,
    /// One of two signatures is there.
    Signed { by: PersonId, at: Timestamp },
    /// Approved as it stands; leaves when the undo window has passed.
    Approved { by: Vec<PersonId>, at: Timestamp },
    /// Approved with other values; leaves when the undo window has passed.
    ApprovedWithEdit { by: Vec<PersonId>, at: Timestamp, edited: Box<Action> },
    /// Refused, with a reason.
    Rejected { by: PersonId, at: Timestamp, reason: RejectReason },
    /// Put off.
    Snoozed { by: PersonId, until: Date },
    /// Nobody decided in time.
    Expired,
    /// The facts changed, or a sibling was chosen.
    Superseded,
    /// The signed event is in the outbox.
    HandedOff,
    /// Seen in the ERP.
    CarriedOut,
    /// Seen in the ERP in part.
    Partly,
    /// Not seen in the ERP in time.
    NotCarriedOut,
}

impl RecommendationState {
    /// The name in the store and in messages.
    pub fn name(&self) -> &'static str {
        match self {
            Self::Drafted => "drafted",
            Self::Checked => "checked",
            Self::Queued => "queued",
            Self::Signed { .. } => "signed",
            Self::Approved { .. } => "approved",
            Self::ApprovedWithEdit { .. } => "approved_with_edit",
            Self::Rejected { .. } => "rejected",
            Self::Snoozed { .. } => "snoozed",
            Self::Expired => "expired",
            Self::Superseded => "superseded",
            Self::HandedOff => "handed_off",
            Self::CarriedOut => "carried_out",
            Self::Partly => "partly",
            Self::NotCarriedOut => "not_carried_out",
        }
    }
}

/// Why a recommendation was refused (handbook §7). One is required.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum RejectReason {
    /// There is no problem.
    NotReal,
    /// There is, but this is not what to do about it.
    RealButWrongAction,
    /// Somebody did it already.
    AlreadyHandled,
    /// The quantity is wrong.
    WrongQuantity,
    /// The date is wrong.
    WrongDate,
    /// The supplier or the location is wrong.
    WrongSupplierOrLocation,
    /// Too little money for the trouble.
    NotWorthIt,
    /// Something Reeve does not know; the text says what.
    MissingContext,
    /// Against a policy.
    Policy,
    /// The same as another case.
    Duplicate,
}

impl RejectReason {
    /// Every reason, in the handbook's order.
    pub const ALL: [Self; 10] = [
        Self::NotReal,
        Self::RealButWrongAction,
        Self::AlreadyHandled,
        Self::WrongQuantity,
        Self::WrongDate,
        Self::WrongSupplierOrLocation,
        Self::NotWorthIt,
        Self::MissingContext,
        Self::Policy,
        Self::Duplicate,
    ];

    /// The handbook's code: `not-real`.
    pub fn code(self) -> &'static str {
        match self {
            Self::NotReal => "not-real",
            Self::RealButWrongAction => "real-but-wrong-action",
            Self::AlreadyHandled => "already-handled",
            Self::WrongQuantity => "wrong-quantity",
            Self::WrongDate => "wrong-date",
            Self::WrongSupplierOrLocation => "wrong-supplier-or-location",
            Self::NotWorthIt => "not-worth-it",
            Self::MissingContext => "missing-context",
            Self::Policy => "policy",
            Self::Duplicate => "duplicate",
        }
    }
}
