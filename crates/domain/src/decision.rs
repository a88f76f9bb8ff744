//! The life of a recommendation, as one total function (handbook §8). It knows no clock and no store.
//!
//! What holds for every sequence of events: nothing is approved without a person's approval; only what is approved is handed
//! off; what is rejected, expired or superseded is never approved (short of the rejecter's own undo inside the window); a
//! snooze passes nothing. Whether a person *may* decide is [`super::policy`]'s business.

use jiff::civil::Date;
use jiff::{SignedDuration, Timestamp};
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

/// What can happen to a recommendation.
#[derive(Clone, Debug, PartialEq)]
pub enum Event {
    /// Every check passed.
    Check,
    /// Put before people.
    Queue,
    /// A person agrees. `needs_second`: the tier takes another signature.
    Approve { by: PersonId, needs_second: bool },
    /// The same for content that a person edited; `action` is what it says now.
    ApproveEdited { by: PersonId, needs_second: bool, action: Box<Action> },
    /// A person refuses.
    Reject { by: PersonId, reason: RejectReason },
    /// A person puts it off.
    Snooze { by: PersonId, until: Date },
    /// The snooze is over.
    Wake,
    /// Nothing helps any more.
    Expire,
    /// The facts changed, or a sibling was chosen.
    Supersede,
    /// A person takes their decision back, `window` being the longest time after it.
    Undo { by: PersonId, window: SignedDuration },
    /// The signed event has left.
    HandOff,
    /// Seen in the ERP.
    SeenDone,
    /// Seen in the ERP in part.
    SeenPartly,
    /// Not seen in the ERP in time.
    NotSeen,
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
            Self::Wake => "wake",
            Self::Expire => "expire",
            Self::Supersede => "supersede",
            Self::Undo { .. } => "undo",
            Self::HandOff => "hand off",
            Self::SeenDone => "note as carried out",
            Self::SeenPartly => "note as partly carried out",
            Self::NotSeen => "note as not carried out",
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
}

fn names(people: &[PersonId]) -> String {
    people.iter().map(PersonId::as_str).collect::<Vec<_>>().join(" or ")
}

impl RecommendationState {
    /// May a person still decide it? It was put before people, and nobody's decision ended that.
    pub fn is_waiting(&self) -> bool {
        matches!(self, Self::Queued | Self::Signed { .. } | Self::Snoozed { .. })
    }

    /// Is `event` the decision that already stands, by the same person? Then repeating it changes nothing.
    pub fn same_decision(&self, event: &Event) -> bool {
        match (self, event) {
            (Self::Signed { by, .. }, Event::Approve { by: again, .. } | Event::ApproveEdited { by: again, .. }) => {
                by == again
            }
            (Self::Approved { by, .. }, Event::Approve { by: again, .. }) => by.contains(again),
            (Self::ApprovedWithEdit { by, edited, .. }, Event::ApproveEdited { by: again, action, .. }) => {
                by.contains(again) && edited == action
            }
            (Self::Rejected { by, reason, .. }, Event::Reject { by: again, reason: same }) => by == again && reason == same,
            (Self::Snoozed { by, until }, Event::Snooze { by: again, until: same }) => by == again && until == same,
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
        match (self, event) {
            (Self::Drafted, Event::Check) => Ok(Self::Checked),
            (Self::Checked, Event::Queue) | (Self::Snoozed { .. }, Event::Wake | Event::Undo { .. }) => Ok(Self::Queued),

            (
                Self::Queued,
                Event::Approve { by, needs_second: true } | Event::ApproveEdited { by, needs_second: true, .. },
            ) => Ok(Self::Signed { by, at: now }),
            (Self::Queued, Event::Approve { by, needs_second: false }) => Ok(Self::Approved { by: vec![by], at: now }),
            (Self::Queued, Event::ApproveEdited { by, needs_second: false, action }) => {
                Ok(Self::ApprovedWithEdit { by: vec![by], at: now, edited: action })
            }
            // `same_decision` has taken out the same person: this one is another.
            (Self::Signed { by: first, .. }, Event::Approve { by, needs_second: false }) => {
                Ok(Self::Approved { by: vec![first, by], at: now })
            }
            (Self::Signed { by: first, .. }, Event::ApproveEdited { by, needs_second: false, action }) => {
                Ok(Self::ApprovedWithEdit { by: vec![first, by], at: now, edited: action })
            }
            (Self::Queued | Self::Signed { .. } | Self::Snoozed { .. }, Event::Reject { by, reason }) => {
                Ok(Self::Rejected { by, at: now, reason })
            }
            // Signatures do not outlive a snooze: what they signed may have changed by then.
            (Self::Queued | Self::Signed { .. } | Self::Snoozed { .. }, Event::Snooze { by, until }) => {
                Ok(Self::Snoozed { by, until })
            }

            // A lone signature has released nothing, so it may be withdrawn until the second one is there.
            (Self::Signed { by: decided, .. }, Event::Undo { by, .. }) => yours(by, vec![decided]).map(|()| Self::Queued),
            (
                Self::Approved { by: decided, at } | Self::ApprovedWithEdit { by: decided, at, .. },
                Event::Undo { by, window },
            ) => {
                yours(by, decided)?;
                in_window(at, window, now)?;
                Ok(Self::Queued)
            }
            (Self::Rejected { by: decided, at, .. }, Event::Undo { by, window }) => {
                yours(by, vec![decided])?;
                in_window(at, window, now)?;
                Ok(Self::Queued)
            }

            (
                Self::Drafted | Self::Checked | Self::Queued | Self::Signed { .. } | Self::Snoozed { .. } | Self::Expired,
                Event::Expire,
            ) => Ok(Self::Expired),
            (
                Self::Drafted | Self::Checked | Self::Queued | Self::Signed { .. } | Self::Snoozed { .. } | Self::Superseded,
                Event::Supersede,
            ) => Ok(Self::Superseded),

            (Self::Approved { .. } | Self::ApprovedWithEdit { .. } | Self::HandedOff, Event::HandOff) => Ok(Self::HandedOff),

            (Self::HandedOff | Self::Partly | Self::NotCarriedOut | Self::CarriedOut, Event::SeenDone) => {
                Ok(Self::CarriedOut)
            }
            (Self::HandedOff | Self::Partly | Self::NotCarriedOut, Event::SeenPartly) => Ok(Self::Partly),
            (Self::HandedOff | Self::NotCarriedOut, Event::NotSeen) => Ok(Self::NotCarriedOut),

            (from, event) => Err(TransitionError::Refused { from: from.name(), event: event.name() }),
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

impl RejectReason {
    /// Does the reason say that there is nothing to decide, whichever action is proposed? Then it closes the whole case;
    /// any other reason is about this one action.
    pub fn closes_case(self) -> bool {
        matches!(self, Self::NotReal | Self::AlreadyHandled | Self::NotWorthIt | Self::Policy | Self::Duplicate)
    }
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
        Event::Approve { by, needs_second }
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
            S::Signed { by: ada(), at: at(0) },
            S::Approved { by: vec![ada()], at: at(0) },
            S::ApprovedWithEdit { by: vec![ada()], at: at(0), edited: Box::new(nothing()) },
            S::Rejected { by: ada(), at: at(0), reason: RejectReason::Policy },
            S::Snoozed { by: ada(), until },
            S::Expired,
            S::Superseded,
            S::HandedOff,
            S::CarriedOut,
            S::Partly,
            S::NotCarriedOut,
        ]
    }

    /// Every event, by ada.
    fn events() -> Vec<Event> {
        vec![
            Event::Check,
            Event::Queue,
            approve(ada(), false),
            Event::ApproveEdited { by: ada(), needs_second: false, action: Box::new(nothing()) },
            Event::Reject { by: ada(), reason: RejectReason::Policy },
            Event::Snooze { by: ada(), until: "2026-10-09".parse().unwrap() },
            Event::Wake,
            Event::Expire,
            Event::Supersede,
            undo(ada()),
            Event::HandOff,
            Event::SeenDone,
            Event::SeenPartly,
            Event::NotSeen,
        ]
    }

    #[test]
    fn every_pair_of_state_and_event_has_its_answer() {
        // Rows: states; columns: events, as above. `.` refused, `=` stays, else the first letters of what follows.
        let table = "
            drafted            ch .  .  .  .  .  .  ex su .  .  .  .  .
            checked            .  qu .  .  .  .  .  ex su .  .  .  .  .
            queued             .  .  ap ae re sn .  ex su .  .  .  .  .
            signed             .  .  =  =  re sn .  ex su qu .  .  .  .
            approved           .  .  =  .  .  .  .  .  .  qu ha .  .  .
            approved_with_edit .  .  .  =  .  .  .  .  .  qu ha .  .  .
            rejected           .  .  .  .  =  .  .  .  .  qu .  .  .  .
            snoozed            .  .  .  .  re =  qu ex su qu .  .  .  .
            expired            .  .  .  .  .  .  .  =  .  .  .  .  .  .
            superseded         .  .  .  .  .  .  .  .  =  .  .  .  .  .
            handed_off         .  .  .  .  .  .  .  .  .  .  =  ca pa no
            carried_out        .  .  .  .  .  .  .  .  .  .  .  =  .  .
            partly             .  .  .  .  .  .  .  .  .  .  .  ca =  .
            not_carried_out    .  .  .  .  .  .  .  .  .  .  .  ca pa =";
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
        assert_eq!(approved, RecommendationState::Approved { by: vec![ada(), bob()], at: at(2) });
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

    fn any_event() -> impl Strategy<Value = Event> {
        let by = || prop_oneof![Just(ada()), Just(bob())];
        prop_oneof![
            Just(Event::Check),
            Just(Event::Queue),
            (by(), any::<bool>()).prop_map(|(by, two)| approve(by, two)),
            (by(), any::<bool>()).prop_map(|(by, needs_second)| Event::ApproveEdited {
                by,
                needs_second,
                action: Box::new(nothing())
            }),
            (by(), 0..RejectReason::ALL.len()).prop_map(|(by, i)| Event::Reject { by, reason: RejectReason::ALL[i] }),
            by().prop_map(|by| Event::Snooze { by, until: "2026-10-09".parse().unwrap() }),
            Just(Event::Wake),
            Just(Event::Expire),
            Just(Event::Supersede),
            by().prop_map(undo),
            Just(Event::HandOff),
            Just(Event::SeenDone),
            Just(Event::SeenPartly),
            Just(Event::NotSeen),
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
                    if let RecommendationState::Signed { by, .. } = &before {
                        let (RecommendationState::Approved { by: two, .. }
                        | RecommendationState::ApprovedWithEdit { by: two, .. }) = &after
                        else {
                            unreachable!("it is approved")
                        };
                        prop_assert!(two.len() == 2 && &two[0] == by && two[1] != two[0]);
                    }
                    approved_at = Some(now);
                }
                if after == RecommendationState::HandedOff && before != after {
                    prop_assert!(is_approved(&before), "{before:?} was handed off");
                }
                if is_approved(&before) && after == RecommendationState::Queued {
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
