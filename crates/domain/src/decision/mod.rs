//! The life of a recommendation, as one total function (handbook §8). It knows no clock and no store.
//!
//! What holds for every sequence of events: nothing is approved without a person's approval; only what is approved is handed
//! off; what is rejected, expired or superseded is never approved (short of the rejecter's own undo inside the window); a
//! snooze passes nothing; passing on and escalating move a question to other people and never answer it. Whether a person
//! *may* decide is [`super::policy`]'s business, what becomes of the case [`super::case_life`]'s.

mod before;
mod error;
mod event;
mod reason;
mod verb;

use jiff::civil::Date;
use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

use super::action::Action;
use super::ids::PersonId;
use super::money::Money;

pub use self::before::Before;
pub use self::error::TransitionError;
pub use self::event::Event;
pub use self::reason::RejectReason;
pub use self::verb::DecisionVerb;

/// How often a recommendation may be passed on before somebody decides, returns it or lets it be escalated: longer chains
/// only hide that nobody does.
pub const FORWARDS_MAX: usize = 2;

/// One of the signatures that a recommendation takes.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Signature {
    /// Who signed.
    pub by: PersonId,
    /// For whom, nearest first, where they stood in for somebody.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub on_behalf_of: Vec<PersonId>,
    /// When.
    pub at: Timestamp,
}

/// What ends a snooze before its day does.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "when", rename_all = "snake_case")]
pub enum WakeCondition {
    /// The case's value rose by a fifth and 50.00 (handbook §6 rule 4).
    #[default]
    Grew,
    /// The case's value rose above this.
    ValueAbove { value: Money },
    /// What is wrong moved on: another type of exception joined the case, or its type changed (handbook §8 "stage change").
    StageChanged,
}

/// Where a recommendation stands.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "state", rename_all = "snake_case")]
pub enum RecommendationState {
    /// Written, not yet checked.
    Drafted,
    /// Written for a case that is in shadow: nobody is asked, so nobody can decide it.
    Shadow,
    /// Every check passed.
    Checked,
    /// Waiting for people.
    Queued,
    /// One of two signatures is there.
    Signed {
        /// Who signed.
        by: PersonId,
        /// For whom, nearest first, where they stood in for somebody.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        on_behalf_of: Vec<PersonId>,
        /// When.
        at: Timestamp,
    },
    /// Somebody was asked by name. Whoever else may decide it still may: a name is no lock.
    Forwarded {
        /// With whom it is now.
        to: PersonId,
        /// Through whose hands it went, first one first: the last of them passed it on to `to`.
        via: Vec<PersonId>,
        /// When it was passed on last.
        at: Timestamp,
        /// The level that it had been escalated to, 0 for none.
        level: u8,
        /// The first signature, where there is one.
        signed: Option<Signature>,
    },
    /// Nobody decided in time, so more people were asked.
    Escalated {
        /// The step of the policy's chain, from 1.
        level: u8,
        /// When.
        at: Timestamp,
        /// The first signature, where there is one.
        signed: Option<Signature>,
    },
    /// Approved as it stands; leaves when the undo window has passed.
    Approved {
        /// Who signed, first one first.
        by: Vec<PersonId>,
        /// When the last one did.
        at: Timestamp,
        /// Where it stood: what taking the decision back restores.
        #[serde(default, skip_serializing_if = "Before::is_queued")]
        before: Before,
    },
    /// Approved with other values; leaves when the undo window has passed.
    ApprovedWithEdit {
        /// Who signed, first one first.
        by: Vec<PersonId>,
        /// When the last one did.
        at: Timestamp,
        /// What it says now.
        edited: Box<Action>,
        /// Where it stood.
        #[serde(default, skip_serializing_if = "Before::is_queued")]
        before: Before,
    },
    /// Refused, with a reason.
    Rejected {
        /// Who refused.
        by: PersonId,
        /// When.
        at: Timestamp,
        /// Why.
        reason: RejectReason,
        /// Where it stood.
        #[serde(default, skip_serializing_if = "Before::is_queued")]
        before: Before,
    },
    /// Put off: until the day or until the condition holds, whichever comes first.
    Snoozed {
        /// Who put it off.
        by: PersonId,
        /// Until when.
        until: Date,
        /// What ends it earlier.
        #[serde(default)]
        wake: WakeCondition,
        /// Where it stood, without what was signed: that may have changed by the time anybody takes this back.
        #[serde(default, skip_serializing_if = "Before::is_queued")]
        before: Before,
    },
    /// Nobody decided in time.
    Expired,
    /// The facts changed, a sibling was chosen, or its case was folded into another.
    Superseded,
    /// The signed event is in the outbox.
    HandedOff,
    /// Seen in the ERP.
    CarriedOut,
    /// Seen in the ERP in part.
    Partly,
    /// Not seen in the ERP in time, its executor says that it will not be done, or it never left.
    NotCarriedOut,
    /// Its executor took it back after it was handed off.
    Undone,
}

impl RecommendationState {
    /// The names of the states in which a person may still decide, as the store keeps them.
    pub const WAITING: &'static [&'static str] = &["queued", "signed", "forwarded", "escalated", "snoozed"];

    /// The state of this name, of those in which nothing but the name is kept: after the hand-off.
    pub fn after_hand_off(name: &str) -> Option<Self> {
        let all = [Self::HandedOff, Self::CarriedOut, Self::Partly, Self::NotCarriedOut, Self::Undone];
        all.into_iter().find(|state| state.name() == name)
    }

    /// The name in the store and in messages.
    pub fn name(&self) -> &'static str {
        match self {
            Self::Drafted => "drafted",
            Self::Shadow => "shadow",
            Self::Checked => "checked",
            Self::Queued => "queued",
            Self::Signed { .. } => "signed",
            Self::Forwarded { .. } => "forwarded",
            Self::Escalated { .. } => "escalated",
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
            Self::Undone => "undone",
        }
    }
}

impl RecommendationState {
    /// May a person still decide it? It was put before people, and nobody's decision ended that.
    pub fn is_waiting(&self) -> bool {
        Self::WAITING.contains(&self.name())
    }

    /// The signature that is there already while another is waited for.
    pub fn first_signature(&self) -> Option<Signature> {
        match self {
            Self::Signed { by, on_behalf_of, at } => {
                Some(Signature { by: by.clone(), on_behalf_of: on_behalf_of.clone(), at: *at })
            }
            Self::Forwarded { signed, .. } | Self::Escalated { signed, .. } => signed.clone(),
            _ => None,
        }
    }

    /// Put before people and not put off: this is where an approval can come from.
    pub fn is_before_people(&self) -> bool {
        self.is_waiting() && !matches!(self, Self::Snoozed { .. })
    }

    /// Is `event` the decision that already stands, by the same person? Then repeating it changes nothing.
    pub fn same_decision(&self, event: &Event) -> bool {
        match (self, event) {
            (Self::Approved { by, .. }, Event::Approve { by: again, .. }) => by.contains(again),
            (Self::ApprovedWithEdit { by, edited, .. }, Event::ApproveEdited { by: again, action, .. }) => {
                by.contains(again) && edited == action
            }
            (Self::Rejected { by, reason, .. }, Event::Reject { by: again, reason: same }) => by == again && reason == same,
            (Self::Snoozed { by, until, wake, .. }, Event::Snooze { by: again, until: same, wake: also }) => {
                by == again && until == same && wake == also
            }
            (Self::Forwarded { to, via, .. }, Event::Forward { by, to: again }) => via.last() == Some(by) && to == again,
            (Self::Escalated { level, .. } | Self::Forwarded { level, .. }, Event::Escalate { level: again }) => {
                level == again
            }
            // A first signature is given once. The same person again completes nothing, and is no fault either.
            (waiting, Event::Approve { by, .. } | Event::ApproveEdited { by, .. }) => {
                waiting.first_signature().is_some_and(|first| first.by == *by)
            }
            _ => false,
        }
    }

    /// Where a recommendation stands after `event` at `now`.
    ///
    /// The decision that stands already, repeated by the same person, and news from the ERP heard twice change nothing.
    ///
    /// # Errors
    /// [`TransitionError`] for whatever does not fit: among it every decision contrary to the one that stands.
    pub fn after(self, event: Event, now: Timestamp) -> Result<Self, TransitionError> {
        if self.same_decision(&event) {
            return Ok(self);
        }
        let refused = TransitionError::Refused { from: self.name(), event: event.name() };
        match event {
            Event::Check if self == Self::Drafted => Ok(Self::Checked),
            Event::Queue if self == Self::Checked => Ok(Self::Queued),
            Event::Approve { by, on_behalf_of, needs_second } if self.is_before_people() => {
                let before = self.before();
                match (&before.signed, needs_second) {
                    (None, true) => Ok(before.signed_by(Signature { by, on_behalf_of, at: now })),
                    (Some(_), true) => Err(refused),
                    (_, false) => Ok(Self::Approved { by: before.everybody(by), at: now, before }),
                }
            }
            Event::ApproveEdited { by, on_behalf_of, needs_second, action } if self.is_before_people() => {
                let before = self.before();
                match (&before.signed, needs_second) {
                    (None, true) => Ok(before.signed_by(Signature { by, on_behalf_of, at: now })),
                    (Some(_), true) => Err(refused),
                    (_, false) => Ok(Self::ApprovedWithEdit { by: before.everybody(by), at: now, edited: action, before }),
                }
            }
            Event::Reject { by, reason } if self.is_waiting() => {
                Ok(Self::Rejected { by, at: now, reason, before: self.before() })
            }
            // Signatures do not outlive a snooze: what they signed may have changed by then.
            Event::Snooze { by, until, wake } if self.is_waiting() => {
                Ok(Self::Snoozed { by, until, wake, before: self.before().unsigned() })
            }
            Event::Forward { by, to } if self.is_before_people() => self.forwarded(by, to, now),
            Event::Return { by } => match self {
                Self::Forwarded { to, .. } if to != by => Err(TransitionError::NotWithYou { by, with: to }),
                forwarded @ Self::Forwarded { .. } => Ok(forwarded.before().nameless().restored()),
                _ => Err(refused),
            },
            Event::Wake if matches!(self, Self::Snoozed { .. }) => Ok(Self::Queued),
            Event::Escalate { level } if self.is_before_people() && level > self.level() => {
                Ok(Self::Escalated { level, at: now, signed: self.first_signature() })
            }
            Event::Expire if self.may_still_end() || self == Self::Expired => Ok(Self::Expired),
            Event::Supersede if self.may_still_end() || self == Self::Superseded => Ok(Self::Superseded),
            Event::Undo { by, window } => self.undone(by, window, now, refused),
            // What was told not to have left may have arrived all the same: what arrived is handed off.
            Event::HandOff
                if matches!(
                    self,
                    Self::Approved { .. } | Self::ApprovedWithEdit { .. } | Self::HandedOff | Self::NotCarriedOut
                ) =>
            {
                Ok(Self::HandedOff)
            }
            Event::NotSent
                if matches!(self, Self::Approved { .. } | Self::ApprovedWithEdit { .. } | Self::NotCarriedOut) =>
            {
                Ok(Self::NotCarriedOut)
            }
            // What ended as not carried out is still watched: what was done by phone shows in the ERP later.
            Event::SeenDone if matches!(self, Self::HandedOff | Self::Partly | Self::NotCarriedOut | Self::CarriedOut) => {
                Ok(Self::CarriedOut)
            }
            Event::SeenPartly if matches!(self, Self::HandedOff | Self::Partly | Self::NotCarriedOut) => Ok(Self::Partly),
            Event::StepUndone { holds } if matches!(self, Self::CarriedOut | Self::Partly) => {
                Ok(if holds { Self::Partly } else { Self::NotCarriedOut })
            }
            Event::NotSeen if matches!(self, Self::HandedOff | Self::NotCarriedOut) => Ok(Self::NotCarriedOut),
            Event::SeenUndone
                if matches!(
                    self,
                    Self::HandedOff | Self::CarriedOut | Self::Partly | Self::NotCarriedOut | Self::Undone
                ) =>
            {
                Ok(Self::Undone)
            }
            Event::Check
            | Event::Queue
            | Event::Approve { .. }
            | Event::ApproveEdited { .. }
            | Event::Reject { .. }
            | Event::Snooze { .. }
            | Event::Forward { .. }
            | Event::Wake
            | Event::Escalate { .. }
            | Event::Expire
            | Event::Supersede
            | Event::HandOff
            | Event::NotSent
            | Event::SeenDone
            | Event::SeenPartly
            | Event::NotSeen
            | Event::StepUndone { .. }
            | Event::SeenUndone => Err(refused),
        }
    }

    /// Not yet decided, so that time or new facts may still end it.
    fn may_still_end(&self) -> bool {
        self.is_waiting() || matches!(self, Self::Drafted | Self::Shadow | Self::Checked)
    }

    /// The step of the policy's chain that it has been escalated to.
    pub fn level(&self) -> u8 {
        match self {
            Self::Escalated { level, .. } | Self::Forwarded { level, .. } => *level,
            _ => 0,
        }
    }

    fn forwarded(self, by: PersonId, to: PersonId, now: Timestamp) -> Result<Self, TransitionError> {
        let (level, signed) = (self.level(), self.first_signature());
        let mut via = match self {
            Self::Forwarded { to: with, .. } if with != by => return Err(TransitionError::NotWithYou { by, with }),
            Self::Forwarded { via, .. } => via,
            _ => Vec::new(),
        };
        if via.len() >= FORWARDS_MAX {
            return Err(TransitionError::TooManyForwards);
        }
        via.push(by);
        if via.contains(&to) {
            return Err(TransitionError::Circle { to });
        }
        Ok(Self::Forwarded { to, via, at: now, level, signed })
    }

    fn undone(
        self,
        by: PersonId,
        window: SignedDuration,
        now: Timestamp,
        refused: TransitionError,
    ) -> Result<Self, TransitionError> {
        match self {
            Self::Snoozed { before, .. } => Ok(before.restored()),
            // A lone signature has released nothing, so it may be withdrawn until the second one is there.
            Self::Signed { .. } | Self::Escalated { signed: Some(_), .. } => {
                let before = self.before();
                yours(by, before.signed.iter().map(|first| first.by.clone()).collect())?;
                Ok(before.unsigned().restored())
            }
            Self::Forwarded { .. } => {
                let before = self.before();
                if before.signed.as_ref().is_some_and(|first| first.by == by) {
                    return Ok(before.unsigned().restored());
                }
                // Whoever passed it on last asks nobody any more.
                yours(by, before.passed.iter().filter_map(|passed| passed.via.last().cloned()).collect())?;
                Ok(before.nameless().restored())
            }
            Self::Approved { by: decided, at, before } | Self::ApprovedWithEdit { by: decided, at, before, .. } => {
                yours(by.clone(), decided)?;
                in_window(at, window, now)?;
                // Whoever takes the decision back takes their own signature back with it, were it the first.
                let own = before.signed.as_ref().is_some_and(|first| first.by == by);
                Ok(if own { before.unsigned() } else { before }.restored())
            }
            Self::Rejected { by: decided, at, before, .. } => {
                yours(by, vec![decided])?;
                in_window(at, window, now)?;
                Ok(before.restored())
            }
            Self::Drafted
            | Self::Shadow
            | Self::Checked
            | Self::Queued
            | Self::Escalated { signed: None, .. }
            | Self::Expired
            | Self::Superseded
            | Self::HandedOff
            | Self::CarriedOut
            | Self::Partly
            | Self::NotCarriedOut
            | Self::Undone => Err(refused),
        }
    }
}

fn yours(by: PersonId, decided_by: Vec<PersonId>) -> Result<(), TransitionError> {
    if decided_by.contains(&by) { Ok(()) } else { Err(TransitionError::NotYours { by, decided_by }) }
}

fn in_window(decided_at: Timestamp, window: SignedDuration, now: Timestamp) -> Result<(), TransitionError> {
    let closed_at = decided_at.checked_add(window).unwrap_or(Timestamp::MAX);
    if now < closed_at { Ok(()) } else { Err(TransitionError::WindowClosed { decided_at, closed_at }) }
}

#[cfg(test)]
mod tests;
