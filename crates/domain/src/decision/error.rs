//! Why something can not happen to a recommendation, for the person who asked for it.

use jiff::Timestamp;

use super::FORWARDS_MAX;
use crate::ids::PersonId;

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
