//! What is said of purchase lines beside their suppliers' habits, and what that does to the probability of the case, a second time.

use std::collections::BTreeMap;

use super::Line;
use super::facts::Frozen;
use crate::detect::habits::{facts_of, run, run_facts_of, shown};
use crate::settings::Models;
use reeve_domain::evidence::FactValue;
use reeve_domain::exception::ExceptionType as T;
use reeve_domain::habit::Habit;
use reeve_domain::ids::FactId;
use reeve_domain::workings::{Odds, Workings};
use reeve_models::formulas;
use reeve_models::receiving::Features;

/// A line for each fact that the frozen habits give again.
pub(super) fn facts(frozen: Frozen<'_>, workings: &Workings, models: &Models) -> BTreeMap<FactId, Line> {
    let mut found = BTreeMap::new();
    for habit in workings.habits.values() {
        let probability = probability(habit, models);
        for (field, _, value) in facts_of(habit, probability.unwrap_or_default()).into_iter().chain(run_facts_of(habit)) {
            let id = format!("po_line:{}/{field}", habit.line);
            let Some(fact) = frozen.fact(&id) else { continue };
            let line = match (field.as_str(), probability) {
                ("habit_p", None) => {
                    let why = format!("judged by {}, which is neither in the registry nor in this program", habit.detector);
                    Line::not_frozen(id, fact.value.show(), why)
                }
                ("habit_p", Some(_)) => {
                    Line::same(id, fact.value.show(), value.show(), "the line's frozen features, judged again")
                }
                _ => Line::same(
                    id,
                    fact.value.show(),
                    value.show(),
                    "the supplier's frozen lines and deliveries, counted again",
                ),
            };
            found.insert(fact.id.clone(), line);
        }
    }
    if let Some((id, stated)) = frozen.0.facts.iter().find(|(id, _)| id.as_str().ends_with("/p_real"))
        && !workings.odds.is_empty()
    {
        let p = workings.odds.iter().map(|odds| p_of(odds, workings, models)).fold(0.0, f64::max).clamp(0.0, 1.0);
        let from = "what people decided of each type, and what is said of the supplier's habits";
        found.insert(id.clone(), Line::same(id.as_str(), stated.value.show(), FactValue::number(p, 4).show(), from));
    }
    found
}

/// The probability again, by the version that judged it then.
fn probability(habit: &Habit, models: &Models) -> Option<f64> {
    let features = Features::from_values(&habit.features)?;
    Some(shown(models.receiving_of(&habit.detector)?.probability(&features)))
}

/// What one exception says of the probability of the case.
fn p_of(odds: &Odds, workings: &Workings, models: &Models) -> f64 {
    // What a detector alone has found is as sure as the line by itself, or as the supplier's newest deliveries together.
    let habit = odds.by.as_ref().and_then(|by| workings.habits.get(by)).and_then(|habit| {
        let alone = probability(habit, models)?;
        let run = Some(run(habit)).filter(|run| !odds.ruled && odds.habit == Some(*run));
        Some(run.unwrap_or(alone))
    });
    let p = match (odds.code.parse(), habit.or(odds.habit)) {
        (Ok(T::ILow), _) => formulas::low_stock_p(odds.said, odds.learnt, odds.prior),
        (Ok(T::FDupBill), _) => odds.learnt * odds.said,
        (_, Some(habit)) => formulas::habit_p(habit, odds.learnt, odds.prior, odds.ruled),
        _ => odds.learnt,
    };
    p * odds.left
}
