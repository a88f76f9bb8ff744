//! The life of a recommendation, as one total function (handbook §8). It knows no clock and no store.
//!
//! What holds for every sequence of events: nothing is approved without a person's approval; only what is approved is handed
//! off; what is rejected, expired or superseded is never approved (short of the rejecter's own undo inside the window); a
//! snooze passes nothing; passing on and escalating move a question to other people and never answer it. Whether a person
//! *may* decide is [`super::policy`]'s business, what becomes of the case [`super::case_life`]'s.

mod before;
mod event;
mod reason;

use jiff::civil::Date;
use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

use super::action::Action;
use super::ids::PersonId;
use super::money::Money;

pub use self::before::Before;
pub use self::event::Event;
pub use self::reason::RejectReason;

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

    /// The name in the store and in messages.
    pub fn name(&self) -> &'static str {
        match self {
            Self::Drafted => "drafted",
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

/// Something that can not happen to a recommendation where it stands.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum TransitionError {
    /// The event does not fit the state.
    #[error("can not {event} a recommendation that is {}", from.replace('_', " "))]
    Refused { from: &'static str, event: &'static str },
    /// The undo window has passed.
    #[error("the decision of {decided_at} can no longer be undone: the window closed at {closed_at}")]
    WindowClosed { decided_at: Timestamp, closed_at: Timestamp },
    /// Only who decided may take it back.
    #[error("{by} did not make this decision and can not undo it; ask {}", names(decided_by))]
    NotYours { by: PersonId, decided_by: Vec<PersonId> },
    /// Only whom it is with may pass it on or return it.
    #[error("it is with {with}, so {by} can not pass it on or return it; decide it, or ask {with}")]
    NotWithYou { by: PersonId, with: PersonId },
    /// To oneself, or to somebody it came from.
    #[error("{to} has had it already; return it, decide it, or ask somebody else")]
    Circle { to: PersonId },
    /// It has been passed on often enough.
    #[error("it has been passed on {FORWARDS_MAX} times; decide it, or return it")]
    TooManyForwards,
}

fn names(people: &[PersonId]) -> String {
    people.iter().map(PersonId::as_str).collect::<Vec<_>>().join(" or ")
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
            Event::SeenDone if matches!(self, Self::HandedOff | Self::Partly | Self::NotCarriedOut | Self::CarriedOut) => {
                Ok(Self::CarriedOut)
            }
            Event::SeenPartly if matches!(self, Self::HandedOff | Self::Partly | Self::NotCarriedOut) => Ok(Self::Partly),
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
            | Event::SeenUndone => Err(refused),
        }
    }

    /// Not yet decided, so that time or new facts may still end it.
    fn may_still_end(&self) -> bool {
        self.is_waiting() || matches!(self, Self::Drafted | Self::Checked)
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
mod tests {
    use proptest::prelude::*;

    use super::*;

    const WINDOW: SignedDuration = SignedDuration::from_mins(5);

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(1_790_000_000 + second).unwrap()
    }

    fn ada() -> PersonId {
        PersonId::new("ada")
    }

    fn bob() -> PersonId {
        PersonId::new("bob")
    }

    fn approve(by: PersonId, needs_second: bool) -> Event {
        Event::Approve { by, on_behalf_of: vec![], needs_second }
    }

    fn undo(by: PersonId) -> Event {
        Event::Undo { by, window: WINDOW }
    }

    fn nothing() -> Action {
        Action::NoAction { reason: "seasonal".into() }
    }

    /// Every state, once with each shape that matters.
    fn states() -> Vec<RecommendationState> {
        use RecommendationState as S;
        let until = "2026-10-09".parse().unwrap();
        vec![
            S::Drafted,
            S::Checked,
            S::Queued,
            S::Signed { by: ada(), on_behalf_of: vec![], at: at(0) },
            S::Forwarded { to: bob(), via: vec![ada()], at: at(0), level: 0, signed: None },
            S::Escalated { level: 1, at: at(0), signed: None },
            S::Approved { by: vec![ada()], at: at(0), before: Before::default() },
            S::ApprovedWithEdit { by: vec![ada()], at: at(0), edited: Box::new(nothing()), before: Before::default() },
            S::Rejected { by: ada(), at: at(0), reason: RejectReason::Policy, before: Before::default() },
            S::Snoozed { by: ada(), until, wake: WakeCondition::Grew, before: Before::default() },
            S::Expired,
            S::Superseded,
            S::HandedOff,
            S::CarriedOut,
            S::Partly,
            S::NotCarriedOut,
            S::Undone,
        ]
    }

    /// Every event, by ada.
    fn events() -> Vec<Event> {
        vec![
            Event::Check,
            Event::Queue,
            approve(ada(), false),
            Event::ApproveEdited { by: ada(), on_behalf_of: vec![], needs_second: false, action: Box::new(nothing()) },
            Event::Reject { by: ada(), reason: RejectReason::Policy },
            Event::Snooze { by: ada(), until: "2026-10-09".parse().unwrap(), wake: WakeCondition::Grew },
            Event::Forward { by: ada(), to: bob() },
            Event::Return { by: ada() },
            Event::Wake,
            Event::Escalate { level: 1 },
            Event::Expire,
            Event::Supersede,
            undo(ada()),
            Event::HandOff,
            Event::NotSent,
            Event::SeenDone,
            Event::SeenPartly,
            Event::NotSeen,
            Event::SeenUndone,
        ]
    }

    #[test]
    fn every_pair_of_state_and_event_has_its_answer() {
        // Rows: states; columns: events, as above. `.` refused, `=` stays, else the first letters of what follows.
        let table = "
            drafted            ch .  .  .  .  .  .  .  .  .  ex su .  .  .  .  .  .  .
            checked            .  qu .  .  .  .  .  .  .  .  ex su .  .  .  .  .  .  .
            queued             .  .  ap ae re sn fo .  .  es ex su .  .  .  .  .  .  .
            signed             .  .  =  =  re sn fo .  .  es ex su qu .  .  .  .  .  .
            forwarded          .  .  ap ae re sn =  .  .  es ex su qu .  .  .  .  .  .
            escalated          .  .  ap ae re sn fo .  .  =  ex su .  .  .  .  .  .  .
            approved           .  .  =  .  .  .  .  .  .  .  .  .  qu ha no .  .  .  .
            approved_with_edit .  .  .  =  .  .  .  .  .  .  .  .  qu ha no .  .  .  .
            rejected           .  .  .  .  =  .  .  .  .  .  .  .  qu .  .  .  .  .  .
            snoozed            .  .  .  .  re =  .  .  qu .  ex su qu .  .  .  .  .  .
            expired            .  .  .  .  .  .  .  .  .  .  =  .  .  .  .  .  .  .  .
            superseded         .  .  .  .  .  .  .  .  .  .  .  =  .  .  .  .  .  .  .
            handed_off         .  .  .  .  .  .  .  .  .  .  .  .  .  =  .  ca pa no un
            carried_out        .  .  .  .  .  .  .  .  .  .  .  .  .  .  .  =  .  .  un
            partly             .  .  .  .  .  .  .  .  .  .  .  .  .  .  .  ca =  .  un
            not_carried_out    .  .  .  .  .  .  .  .  .  .  .  .  .  ha =  ca pa =  un
            undone             .  .  .  .  .  .  .  .  .  .  .  .  .  .  .  .  .  .  =";
        let rows: Vec<Vec<&str>> = table.trim().lines().map(|l| l.split_whitespace().collect()).collect();
        assert_eq!(rows.len(), states().len());
        for (state, row) in states().into_iter().zip(rows) {
            assert_eq!(state.name(), row[0]);
            assert_eq!(row.len(), events().len() + 1, "{row:?}");
            for (event, expected) in events().into_iter().zip(&row[1..]) {
                let what = format!("{} + {}", state.name(), event.name());
                match (*expected, state.clone().after(event, at(1))) {
                    (".", result) => assert!(result.is_err(), "{what} gave {result:?}"),
                    ("=", result) => assert_eq!(result.as_ref(), Ok(&state), "{what}"),
                    ("ae", result) => assert_eq!(result.unwrap().name(), "approved_with_edit", "{what}"),
                    (start, result) => {
                        let name = result.unwrap_or_else(|e| panic!("{what}: {e}")).name();
                        assert!(name.starts_with(start), "{what} gave {name}");
                    }
                }
            }
        }
    }

    #[test]
    fn four_eyes_take_a_different_second_person() {
        let signed = RecommendationState::Queued.after(approve(ada(), true), at(0)).unwrap();
        assert_eq!(signed.clone().after(approve(ada(), false), at(1)).unwrap().name(), "signed");
        let approved = signed.after(approve(bob(), false), at(2)).unwrap();
        assert_eq!(who_approved(&approved), Some((vec![ada(), bob()], at(2))));
    }

    #[test]
    fn an_undo_is_for_whoever_decided_inside_the_window_and_before_the_hand_off() {
        for decided in [approve(ada(), false), Event::Reject { by: ada(), reason: RejectReason::NotReal }] {
            let state = RecommendationState::Queued.after(decided, at(0)).unwrap();
            assert_eq!(state.clone().after(undo(ada()), at(299)), Ok(RecommendationState::Queued));
            assert!(matches!(state.clone().after(undo(ada()), at(300)), Err(TransitionError::WindowClosed { .. })));
            assert!(matches!(state.after(undo(bob()), at(1)), Err(TransitionError::NotYours { .. })));
        }
        assert!(RecommendationState::HandedOff.after(undo(ada()), at(1)).is_err());
    }

    #[test]
    fn a_contrary_later_decision_is_refused_and_the_same_one_again_is_not() {
        let rejected =
            RecommendationState::Queued.after(Event::Reject { by: ada(), reason: RejectReason::NotReal }, at(0)).unwrap();
        let same = Event::Reject { by: ada(), reason: RejectReason::NotReal };
        assert_eq!(rejected.clone().after(same, at(9)), Ok(rejected.clone()));
        let error = rejected.after(approve(bob(), false), at(9)).unwrap_err().to_string();
        assert_eq!(error, "can not approve a recommendation that is rejected");
    }

    #[test]
    fn passing_on_keeps_the_first_signature_and_goes_no_further_than_two_hands() {
        let forward = |by: &str, to: &str| Event::Forward { by: PersonId::new(by), to: PersonId::new(to) };
        let signed = RecommendationState::Queued.after(approve(ada(), true), at(0)).unwrap();
        let with_bob = signed.clone().after(forward("ada", "bob"), at(1)).unwrap();
        assert_eq!(with_bob.first_signature(), signed.first_signature());
        let not_with_you = with_bob.clone().after(forward("cleo", "dan"), at(2)).unwrap_err();
        assert!(matches!(not_with_you, TransitionError::NotWithYou { .. }), "{not_with_you}");
        assert!(matches!(with_bob.clone().after(forward("bob", "ada"), at(2)), Err(TransitionError::Circle { .. })));
        assert!(matches!(signed.clone().after(forward("ada", "ada"), at(2)), Err(TransitionError::Circle { .. })));
        let with_cleo = with_bob.clone().after(forward("bob", "cleo"), at(2)).unwrap();
        assert_eq!(with_cleo.clone().after(forward("cleo", "dan"), at(3)), Err(TransitionError::TooManyForwards));
        assert_eq!(with_bob.clone().after(Event::Return { by: bob() }, at(3)), Ok(signed));
        assert!(matches!(
            with_bob.clone().after(Event::Return { by: ada() }, at(3)),
            Err(TransitionError::NotWithYou { .. })
        ));
        // Whoever else may decide still may.
        let done = with_bob.after(approve(PersonId::new("dan"), false), at(4)).unwrap();
        assert_eq!(who_approved(&done), Some((vec![ada(), PersonId::new("dan")], at(4))));
    }

    #[test]
    fn the_same_snooze_again_is_the_same_decision_and_another_is_not() {
        let snooze = |day: &str, wake| Event::Snooze { by: ada(), until: day.parse().unwrap(), wake };
        let same = snooze("2026-10-09", WakeCondition::Grew);
        let snoozed = RecommendationState::Queued.after(same.clone(), at(0)).unwrap();
        assert!(snoozed.same_decision(&same));
        assert!(!snoozed.same_decision(&snooze("2026-10-10", WakeCondition::Grew)));
        assert!(!snoozed.same_decision(&snooze("2026-10-09", WakeCondition::StageChanged)));
    }

    #[test]
    fn an_escalation_only_rises_and_takes_nothing_away() {
        let signed = RecommendationState::Queued.after(approve(ada(), true), at(0)).unwrap();
        let first = signed.clone().after(Event::Escalate { level: 1 }, at(1)).unwrap();
        assert_eq!((first.level(), first.first_signature()), (1, signed.first_signature()));
        assert_eq!(first.clone().after(Event::Escalate { level: 1 }, at(9)), Ok(first.clone()));
        let second = first.after(Event::Escalate { level: 2 }, at(2)).unwrap();
        assert!(second.clone().after(Event::Escalate { level: 1 }, at(3)).is_err());
        let forwarded = second.clone().after(Event::Forward { by: ada(), to: bob() }, at(4)).unwrap();
        let back = forwarded.after(Event::Return { by: bob() }, at(5)).unwrap();
        assert_eq!((back.level(), back.first_signature()), (2, second.first_signature()));
        let undone = back.after(undo(ada()), at(6)).unwrap();
        assert_eq!((undone.level(), undone.first_signature()), (2, None));
    }

    #[test]
    fn a_decision_taken_back_leaves_the_recommendation_where_it_stood() {
        let (cleo, dan) = (PersonId::new("cleo"), PersonId::new("dan"));
        let escalated = RecommendationState::Queued.after(Event::Escalate { level: 2 }, at(0)).unwrap();
        let with_bob = escalated.clone().after(Event::Forward { by: ada(), to: bob() }, at(1)).unwrap();
        let signed = with_bob.clone().after(approve(cleo.clone(), true), at(2)).unwrap();
        let RecommendationState::Forwarded { to, via, level, signed: first, .. } = &signed else {
            panic!("a first signature takes the name off: {signed:?}")
        };
        assert_eq!((to, via.as_slice(), *level), (&bob(), &[ada()][..], 2));
        assert_eq!(first.as_ref().map(|s| (s.by.clone(), s.at)), Some((cleo.clone(), at(2))));
        let signed_when_escalated = escalated.clone().after(approve(cleo.clone(), true), at(2)).unwrap();
        assert_eq!((signed_when_escalated.name(), signed_when_escalated.level()), ("escalated", 2));
        assert_eq!(signed_when_escalated.after(undo(cleo.clone()), at(9)), Ok(escalated.clone()));

        for stood in [RecommendationState::Queued, escalated, with_bob.clone(), signed.clone()] {
            for decision in [approve(dan.clone(), false), Event::Reject { by: dan.clone(), reason: RejectReason::Policy }] {
                let decided = stood.clone().after(decision, at(3)).unwrap();
                assert_eq!(decided.after(undo(dan.clone()), at(4)), Ok(stood.clone()));
            }
        }
        // Whoever takes the decision back takes their own signature back with it.
        let approved = signed.clone().after(approve(dan.clone(), false), at(3)).unwrap();
        assert_eq!(approved.after(undo(cleo.clone()), at(4)), Ok(with_bob.clone()));
        // What was signed may have changed while it was put off; who is asked has not.
        let snooze = Event::Snooze { by: dan, until: "2026-10-09".parse().unwrap(), wake: WakeCondition::Grew };
        let snoozed = signed.after(snooze, at(3)).unwrap();
        assert_eq!(snoozed.clone().after(undo(ada()), at(99)), Ok(with_bob.clone()));
        let refused =
            snoozed.clone().after(Event::Reject { by: cleo.clone(), reason: RejectReason::Policy }, at(4)).unwrap();
        assert_eq!(refused.after(undo(cleo), at(5)), Ok(with_bob));
        assert_eq!(snoozed.after(Event::Wake, at(99)), Ok(RecommendationState::Queued));
    }

    #[test]
    fn what_was_stored_before_it_was_kept_where_things_stood_still_loads() {
        let text = r#"{"state":"approved","by":["ada"],"at":"2026-10-08T08:00:00Z"}"#;
        let stored: RecommendationState = serde_json::from_str(text).unwrap();
        let RecommendationState::Approved { before, .. } = &stored else { panic!("{stored:?}") };
        assert_eq!(before, &Before::default());
        assert_eq!(serde_json::to_string(&stored).unwrap(), text, "what stood nowhere in particular is written as before");
        let signature = Signature { by: bob(), on_behalf_of: vec![], at: at(1) };
        let before = Before { signed: Some(signature), ..Before::default() };
        let newer = RecommendationState::Rejected { by: ada(), at: at(2), reason: RejectReason::Policy, before };
        assert_eq!(serde_json::from_str::<RecommendationState>(&serde_json::to_string(&newer).unwrap()).unwrap(), newer);
    }

    #[test]
    fn what_can_not_leave_any_more_is_not_carried_out_until_it_is_seen_all_the_same() {
        let approved = RecommendationState::Queued.after(approve(ada(), false), at(0)).unwrap();
        let unsent = approved.after(Event::NotSent, at(1)).unwrap();
        assert_eq!(unsent, RecommendationState::NotCarriedOut);
        assert_eq!(unsent.clone().after(Event::NotSent, at(2)), Ok(unsent.clone()));
        for again in [approve(ada(), false), approve(bob(), false), undo(ada())] {
            assert!(unsent.clone().after(again.clone(), at(2)).is_err(), "{again:?}");
        }
        assert_eq!(unsent.clone().after(Event::SeenDone, at(3)), Ok(RecommendationState::CarriedOut));
        assert_eq!(unsent.after(Event::HandOff, at(3)), Ok(RecommendationState::HandedOff), "it had arrived");
        assert!(RecommendationState::HandedOff.after(Event::NotSent, at(4)).is_err(), "what left has left");
    }

    fn who_approved(state: &RecommendationState) -> Option<(Vec<PersonId>, Timestamp)> {
        match state {
            RecommendationState::Approved { by, at, .. } => Some((by.clone(), *at)),
            _ => None,
        }
    }

    fn any_event() -> impl Strategy<Value = Event> {
        let by = || prop_oneof![Just(ada()), Just(bob())];
        prop_oneof![
            Just(Event::Check),
            Just(Event::Queue),
            (by(), any::<bool>()).prop_map(|(by, two)| approve(by, two)),
            (by(), any::<bool>()).prop_map(|(by, needs_second)| Event::ApproveEdited {
                by,
                on_behalf_of: vec![],
                needs_second,
                action: Box::new(nothing())
            }),
            (by(), 0..RejectReason::ALL.len()).prop_map(|(by, i)| Event::Reject { by, reason: RejectReason::ALL[i] }),
            by().prop_map(|by| Event::Snooze { by, until: "2026-10-09".parse().unwrap(), wake: WakeCondition::Grew }),
            (by(), by()).prop_map(|(by, to)| Event::Forward { by, to }),
            by().prop_map(|by| Event::Return { by }),
            Just(Event::Wake),
            (1u8..4).prop_map(|level| Event::Escalate { level }),
            Just(Event::Expire),
            Just(Event::Supersede),
            by().prop_map(undo),
            Just(Event::HandOff),
            Just(Event::NotSent),
            Just(Event::SeenDone),
            Just(Event::SeenPartly),
            Just(Event::NotSeen),
            Just(Event::SeenUndone),
        ]
    }

    fn is_approval(event: &Event) -> bool {
        matches!(event, Event::Approve { .. } | Event::ApproveEdited { .. })
    }

    fn is_approved(state: &RecommendationState) -> bool {
        matches!(state, RecommendationState::Approved { .. } | RecommendationState::ApprovedWithEdit { .. })
    }

    proptest! {
        #![proptest_config(ProptestConfig { cases: 2_000, ..ProptestConfig::default() })]

        #[test]
        fn whatever_happens_only_people_approve_and_only_the_approved_leaves(
            // Starting near the queue makes deep states likely.
            steps in prop::collection::vec((any_event(), 0i64..200), 1..40)
        ) {
            let mut now = 0;
            let mut state = RecommendationState::Queued;
            let mut approved_at = None;
            let mut dead = false;
            for (event, wait) in steps {
                now += wait;
                let before = state.clone();
                let Ok(after) = state.clone().after(event.clone(), at(now)) else { continue };
                if is_approved(&after) && !is_approved(&before) {
                    prop_assert!(is_approval(&event), "{before:?} + {event:?}");
                    prop_assert!(!matches!(before, RecommendationState::Snoozed { .. }), "a snooze passed");
                    prop_assert!(!dead, "a dead one was approved");
                    if let Some(first) = before.first_signature() {
                        let (RecommendationState::Approved { by: two, .. }
                        | RecommendationState::ApprovedWithEdit { by: two, .. }) = &after
                        else {
                            unreachable!("it is approved")
                        };
                        prop_assert!(two.len() == 2 && two[0] == first.by && two[1] != two[0]);
                    }
                    approved_at = Some(now);
                }
                if after == RecommendationState::HandedOff && before != after {
                    // What was told not to have left was approved before.
                    let unsent = before == RecommendationState::NotCarriedOut;
                    prop_assert!(is_approved(&before) || (unsent && approved_at.is_some()), "{before:?} was handed off");
                }
                if is_approved(&before) && after.is_waiting() {
                    let open = approved_at.is_some_and(|then| now - then < WINDOW.as_secs());
                    let undone = matches!(event, Event::Undo { .. });
                    prop_assert!(undone && open, "approved at {approved_at:?}, back at {now}");
                }
                dead = match &after {
                    RecommendationState::Expired
                    | RecommendationState::Superseded
                    | RecommendationState::Rejected { .. } => true,
                    // Only the rejecter's own undo brings one back.
                    _ => dead && !matches!((&before, &event), (RecommendationState::Rejected { .. }, Event::Undo { .. })),
                };
                state = after;
            }
        }
    }
}
