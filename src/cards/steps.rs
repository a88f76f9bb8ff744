//! The steps of a plan as its page shows them: what each does, what became of it, and what may be changed.

use serde::Serialize;

use super::case::CaseParts;
use super::plain;
use crate::domain::action::Check;
use crate::domain::audit::Chained;
use crate::domain::detail::{Detail as _, STEP_SETTLED, StepSettled};
use crate::domain::recommendation::Recommendation;
use crate::rules::card::CardStep;

#[derive(Serialize)]
pub(super) struct StepView {
    number: u32,
    action: &'static str,
    summary: String,
    checks: Vec<Check>,
    /// What became of it, once anything is known.
    found: Option<String>,
}

#[derive(Serialize)]
pub(super) struct EditView {
    pub(super) step: u32,
    pub(super) quantity: Option<String>,
    pub(super) date: Option<String>,
    pub(super) date_label: &'static str,
}

pub(super) fn step_view(r: &Recommendation, step: &CardStep, parts: &CaseParts<'_>) -> StepView {
    let CardStep { number, action, summary, checks } = step;
    let subject = format!("recommendation:{}", r.id);
    let of_it = |e: &&Chained| e.entry.subject == subject && e.entry.action == STEP_SETTLED;
    // Its newest entry holds: what is seen of a step can change.
    let settled = parts.history.iter().rev().filter(of_it).map(|e| StepSettled::of(&e.entry)).find(|s| s.step == *number);
    let found = settled.map(|s| format!("{}: {}", s.state.replace('_', " "), plain(&s.seen)));
    StepView { number: *number, action: action.code(), summary: summary.clone(), checks: checks.clone(), found }
}

/// What an edit of a step may change: the quantity and one date. None where there is neither.
pub(super) fn editable(step: &CardStep) -> Option<EditView> {
    let quantity = step.action.quantity().map(|q| q.to_string());
    let (date, date_label) = step.action.date().map(|(field, date)| (date.to_string(), field.label)).unzip();
    (quantity.is_some() || date.is_some()).then(|| EditView {
        step: step.number,
        quantity,
        date,
        date_label: date_label.unwrap_or_default(),
    })
}
