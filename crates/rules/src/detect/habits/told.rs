//! What people are told of a habit: counts and probabilities, each computed from what is frozen. The audit computes the same again.

use reeve_domain::evidence::FactValue;
use reeve_domain::exception::Signal;
use reeve_domain::habit::Habit;
use reeve_models::receiving::changed;
use rust_decimal::Decimal;
use rust_decimal::prelude::ToPrimitive;

use super::DETECTOR;

fn count(n: impl Into<u64>) -> FactValue {
    FactValue::Number(Decimal::from(n.into()))
}

/// What a line is shown as beside the supplier's earlier ones: field, label and value. The audit computes the same again.
pub(crate) fn facts_of(habit: &Habit, probability: f64) -> Vec<(String, &'static str, FactValue)> {
    let kind = &habit.kind;
    vec![
        ("habit_p".to_owned(), "probability that the line is not this supplier's way", FactValue::number(probability, 4)),
        ("habit_detector".to_owned(), "judged by", FactValue::Text(habit.detector.clone())),
        (
            "habit_before".to_owned(),
            "earlier lines of the supplier that it is compared with",
            count(habit.before.len() as u64),
        ),
        (format!("{kind}_as_far"), "of the supplier's earlier lines as far off or further", count(habit.as_far() as u64)),
    ]
}

/// The same of the supplier's newest deliveries beside those before.
pub(crate) fn run_facts_of(habit: &Habit) -> Vec<(String, &'static str, FactValue)> {
    let (newest, before) = habit.runs();
    let kind = &habit.kind;
    vec![
        (format!("{kind}_run_p"), "probability that this has become the supplier's way", FactValue::number(run(habit), 4)),
        (format!("{kind}_newest"), "of the supplier's newest deliveries off to the same side", count(newest.off)),
        ("habit_newest".to_owned(), "the supplier's newest deliveries", count(newest.of)),
        (format!("{kind}_earlier"), "of the supplier's deliveries before off to the same side", count(before.off)),
        ("habit_earlier".to_owned(), "the supplier's deliveries before", count(before.of)),
        (format!("{kind}_usual"), "of all suppliers' deliveries off to that side", FactValue::percent(habit.usual * 100.0)),
    ]
}

/// The probability that the supplier's newest deliveries are another habit than the one before.
pub(crate) fn run(habit: &Habit) -> f64 {
    let (newest, before) = habit.runs();
    shown(changed((newest.off, newest.of), (before.off, before.of), habit.usual))
}

/// The probability that a signal's line is not its supplier's way, where that is known.
pub(crate) fn probability_of(signal: &Signal) -> Option<f64> {
    let habit = signal.habit.as_ref()?;
    if signal.is_made_by(DETECTOR) {
        return Some(signal.score);
    }
    let id = format!("po_line:{}/habit_p", habit.line);
    match &signal.facts.iter().find(|fact| fact.id.as_str() == id)?.value {
        FactValue::Number(p) => p.to_f64(),
        _ => None,
    }
}

/// A probability as its fact shows it: whatever is computed from it can be computed again.
pub(crate) fn shown(probability: f64) -> f64 {
    (probability * 10_000.0).round() / 10_000.0
}
