//! What became of a recommendation after it was approved, as the ERP, its executor and the calendar tell.

use jiff::civil::Date;
use serde::{Deserialize, Serialize};

use super::action::{Action, MoneySum};
use super::decision::{Event, RecommendationState};
use super::money::Money;

/// What is known of what became of a recommendation. Each reading adds to it or takes the place of the one before.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Findings {
    /// What was to be done.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub action: Option<Action>,
    /// What it was worth when it was approved.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub predicted: Option<MoneySum>,
    /// By what it is known, for people.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub seen: Option<String>,
    /// It was handed off to an executor that does not report, and leaves no trace: whether it was done, nobody can tell.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub nobody_can_tell: bool,
    /// Why it never left, where it did not.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub not_sent: Option<String>,
    /// What came of it up to its horizon, once that is over.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub measured: Option<Measured>,
    /// Of a plan of several steps, what became of each that anything is known of.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub steps: Vec<StepFound>,
}

/// What became of one step of a plan. It was handed off by itself, and is read back by itself.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct StepFound {
    /// Which step, from 1.
    pub step: u32,
    /// The message that handed it off.
    pub message: String,
    /// Where it stands: a step lives as a recommendation of one step does once that is handed off.
    pub state: RecommendationState,
    /// By what it is known, for people.
    pub seen: String,
    /// It never left.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub never_left: bool,
    /// Whether it was done, nobody can tell: see [`Findings::nobody_can_tell`].
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub nobody_can_tell: bool,
}

impl StepFound {
    /// Does it hold, wholly or in part?
    pub fn holds(&self) -> bool {
        matches!(self.state, RecommendationState::CarriedOut | RecommendationState::Partly)
    }

    /// Where a plan stands whose steps all stand here; None while one of them is not settled, and of none.
    ///
    /// One that is not seen may be seen later, and is watched; so a plan counts as taken back only where no step is left that
    /// may still be.
    pub fn whole(steps: &[Self]) -> Option<RecommendationState> {
        use RecommendationState as S;
        let settled = |step: &Self| matches!(step.state, S::CarriedOut | S::Partly | S::NotCarriedOut | S::Undone);
        if steps.is_empty() || !steps.iter().all(settled) {
            return None;
        }
        // A step that never left was undone by nobody. Where none of them left, nothing was carried out.
        let all = |wanted: &dyn Fn(&Self) -> bool| steps.iter().all(wanted);
        Some(if all(&|step| step.state == S::CarriedOut) {
            S::CarriedOut
        } else if steps.iter().any(Self::holds) {
            S::Partly
        } else if all(&|step| step.state == S::Undone || step.never_left) && !all(&|step| step.never_left) {
            S::Undone
        } else {
            S::NotCarriedOut
        })
    }

    /// What happens to a plan that stands at `from` when its steps come to stand for `to`; None where nothing does.
    pub fn event(from: &RecommendationState, to: &RecommendationState) -> Option<Event> {
        use RecommendationState as S;
        match (from, to) {
            (from, to) if from == to => None,
            (_, S::CarriedOut) => Some(Event::SeenDone),
            (_, S::Undone) => Some(Event::SeenUndone),
            (S::CarriedOut, S::Partly) => Some(Event::StepUndone { holds: true }),
            (S::CarriedOut | S::Partly, S::NotCarriedOut) => Some(Event::StepUndone { holds: false }),
            (_, S::Partly) => Some(Event::SeenPartly),
            (_, S::NotCarriedOut) => Some(Event::NotSeen),
            _ => None,
        }
    }
}

impl Findings {
    /// Was what came of it measured at its horizon?
    pub fn is_measured(&self) -> bool {
        self.measured.is_some()
    }

    /// Did it never leave?
    pub fn never_left(&self) -> bool {
        self.not_sent.is_some()
    }
}

/// What happened up to the horizon, beside what was predicted.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Measured {
    /// The last day that counts.
    pub horizon: Date,
    /// The loss that came, at the same prices as the prediction; None where the records can not tell.
    pub actual_loss: Option<Money>,
    /// The loss that was expected without the action.
    pub predicted_loss: Money,
    /// Predicted loss less actual loss less what the action cost; None where the loss is not known.
    pub benefit: Option<Money>,
    /// How it was measured, for people.
    pub basis: String,
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(state: RecommendationState) -> StepFound {
        let never_left = false;
        StepFound { step: 1, message: "m".into(), state, seen: String::new(), never_left, nobody_can_tell: false }
    }

    #[test]
    fn a_plan_stands_where_its_steps_leave_it_and_can_always_get_there() {
        use RecommendationState as S;
        let unsent = StepFound { never_left: true, ..found(S::NotCarriedOut) };
        let all = [S::CarriedOut, S::Partly, S::NotCarriedOut, S::Undone].map(found);
        let table: [(&[StepFound], Option<S>); 9] = [
            (&[], None),
            (&[found(S::CarriedOut), found(S::HandedOff)], None),
            (&[found(S::CarriedOut), found(S::CarriedOut)], Some(S::CarriedOut)),
            (&[found(S::CarriedOut), found(S::NotCarriedOut)], Some(S::Partly)),
            (&[found(S::CarriedOut), found(S::Undone)], Some(S::Partly)),
            (&[found(S::NotCarriedOut), unsent.clone()], Some(S::NotCarriedOut)),
            // What is not seen may be seen later: the plan is watched.
            (&[found(S::NotCarriedOut), found(S::Undone)], Some(S::NotCarriedOut)),
            (&[unsent.clone(), found(S::Undone)], Some(S::Undone)),
            (&[unsent.clone(), unsent], Some(S::NotCarriedOut)),
        ];
        for (steps, whole) in table {
            assert_eq!(StepFound::whole(steps), whole, "{steps:?}");
        }
        // From wherever a plan of two stands, it can follow one step that moves as a step may.
        for (one, other) in all.iter().flat_map(|one| all.iter().map(move |other| (one, other))) {
            let from = StepFound::whole(&[one.clone(), other.clone()]).unwrap();
            for event in [Event::SeenDone, Event::SeenPartly, Event::NotSeen, Event::SeenUndone] {
                let Ok(moved) = one.state.clone().after(event, jiff::Timestamp::UNIX_EPOCH) else { continue };
                let to = StepFound::whole(&[found(moved), other.clone()]).unwrap();
                let Some(event) = StepFound::event(&from, &to) else { continue };
                let after = from.clone().after(event, jiff::Timestamp::UNIX_EPOCH);
                assert_eq!(after, Ok(to), "{one:?} beside {other:?}");
            }
        }
    }

    /// What the release before kept, word for word.
    #[test]
    fn what_was_kept_before_reads_as_the_same() {
        let settled = r#"{"nobody_can_tell":false,"seen":"ordered"}"#;
        let found: Findings = serde_json::from_str(settled).unwrap();
        assert_eq!((found.seen.as_deref(), found.nobody_can_tell, found.is_measured()), (Some("ordered"), false, false));
        let unsent = r#"{"not_sent":"discarded by Dan, because done by phone","seen":"not sent: …"}"#;
        let found: Findings = serde_json::from_str(unsent).unwrap();
        assert!(found.never_left() && !found.is_measured());
        let measured = r#"{"measured":{"actual_loss":null,"basis":"the item has no margin in the records","benefit":null,
            "horizon":"2026-10-22","predicted_loss":12345}}"#;
        let found: Findings = serde_json::from_str(measured).unwrap();
        assert_eq!(
            found.measured.as_ref().map(|m| (m.predicted_loss, m.actual_loss)),
            Some((Money::from_minor(12_345), None))
        );
        assert_eq!(serde_json::from_str::<Findings>("{}").unwrap(), Findings::default());
        assert_eq!(serde_json::from_value::<Findings>(serde_json::to_value(&found).unwrap()).unwrap(), found);
    }
}
