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
}

impl StepFound {
    /// Where a plan stands whose steps stand here; None while one of them is not settled.
    pub fn whole<'a>(steps: impl IntoIterator<Item = &'a RecommendationState>) -> Option<Event> {
        use RecommendationState as S;
        let steps: Vec<&S> = steps.into_iter().collect();
        let all = |wanted: &S| !steps.is_empty() && steps.iter().all(|step| *step == wanted);
        let settled = |step: &&S| matches!(step, S::CarriedOut | S::Partly | S::NotCarriedOut | S::Undone);
        if !steps.iter().all(settled) {
            return None;
        }
        let in_effect = steps.iter().any(|step| matches!(step, S::CarriedOut | S::Partly));
        Some(match in_effect {
            true if all(&S::CarriedOut) => Event::SeenDone,
            true => Event::SeenPartly,
            // Nothing of it holds: it says so that something was taken back, where something was.
            false if steps.contains(&&S::Undone) => Event::SeenUndone,
            false => Event::NotSeen,
        })
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
