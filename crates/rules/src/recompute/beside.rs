//! The actions of a card beside what its money was computed for: with which quantities, where, and on which stock. A sum that is right
//! of another action proves nothing.

use super::Line;
use super::again::Again;
use super::costs::units;
use super::facts::number;
use reeve_domain::action::{Action, Param};
use reeve_domain::money::{Quantity, UnitPrice};
use reeve_domain::recommendation::{Drafter, Recommendation};
use reeve_domain::workings::{Change, Effect, Made};

/// What the workings say of the card's actions. What people edited is compared as it was: the money was computed for that.
pub(super) fn lines(again: Again<'_>, effect: &Effect, rec: &Recommendation) -> Vec<Line> {
    let actions: Vec<&Action> = match &rec.drafter {
        Drafter::Edited { was, was_then, .. } => std::iter::once(was.as_ref()).chain(was_then).collect(),
        _ => rec.candidate.actions().collect(),
    };
    let Some(change) = &effect.change else { return Vec::new() };
    let mut lines = match change {
        Change::Together(steps) => together(&actions, steps),
        change => actions.first().map_or_else(Vec::new, |action| step("", action, change)),
    };
    lines.extend(surplus(again, effect, change));
    if let (Some(Action::AdjustParam { param, old, new, .. }), Change::Adjusted(more)) = (actions.first(), change) {
        lines.push(adjusted(again, effect, (*param, *old, *new), more));
    }
    if let (Some(Action::Markdown { item, percent, .. }), Change::Reduced { off, .. }) = (actions.first(), change) {
        let list = again.facts.fact(&format!("item:{item}/list_price")).and_then(number);
        let asked = list.map_or(f64::NAN, |list| list * percent / 100.0);
        let near = (asked - off).abs() <= 1e-9 * off.abs().max(1.0);
        lines.push(Line::near(
            "reduction of a unit",
            format!("{asked:.4}"),
            format!("{off:.4}"),
            near,
            "list price × percent",
        ));
    }
    lines
}

/// Each step of a plan beside its own change.
fn together(actions: &[&Action], changes: &[Change]) -> Vec<Line> {
    let from = "the steps that the money was computed with";
    let mut lines = vec![Line::same("steps", actions.len(), changes.len(), from)];
    for (number, (action, change)) in (1..).zip(actions.iter().zip(changes)) {
        let step = step(&format!("step {number}: "), action, change);
        if step.is_empty() && !is_of(action, change) {
            let figure = format!("step {number}");
            lines.push(Line::near(figure, action.code(), "another action", false, "the change that it was computed with"));
        }
        lines.extend(step);
    }
    lines
}

/// Is it a change of this action that has neither a quantity nor a place?
fn is_of(action: &Action, change: &Change) -> bool {
    matches!((action, change), (Action::Contact { .. } | Action::Recount { .. }, Change::Asked { .. }))
}

/// Quantity and place of one action beside those of its change.
fn step(name: &str, action: &Action, change: &Change) -> Vec<Line> {
    let (quantity, at) = match (change, action) {
        (Change::Moved { place, from, quantity, .. }, Action::Transfer { item, from: donor, to, .. }) => {
            (*quantity, Some((format!("{item}@{donor} to {item}@{to}"), format!("{from} to {place}"))))
        }
        (Change::Sooner { line, quantity, kits, .. }, Action::Expedite { po_line, .. }) => {
            (kits.unwrap_or(*quantity), Some((po_line.clone(), line.clone())))
        }
        (Change::Sooner { line, quantity, .. }, Action::SplitShip { po_line, .. })
        | (Change::Raised { line, quantity, .. }, Action::IncreasePo { po_line, .. }) => {
            (*quantity, Some((po_line.clone(), line.clone())))
        }
        (
            Change::Ordered { place, quantity, .. },
            Action::NewPo { item, destination, .. } | Action::AltSupplier { item, destination, .. },
        ) => (*quantity, Some((format!("{item}@{destination}"), place.clone()))),
        (Change::Less { quantity, .. } | Change::Held { quantity, .. } | Change::SentBack { quantity, .. }, _) => {
            (*quantity, None)
        }
        _ => return Vec::new(),
    };
    let mut lines = Vec::new();
    if let (Some(stated), Some(frozen)) = (action.quantity(), units(quantity)) {
        let figure = format!("{name}quantity");
        lines.push(Line::same(figure, stated, frozen, "the quantity that the money was computed with"));
    }
    lines.extend(at.map(|(stated, frozen)| {
        Line::same(format!("{name}place"), stated, frozen, "the place that the money was computed for")
    }));
    lines
}

/// The stock that a change takes less of is the stock that is at stake: on another one it would save what nobody loses.
fn surplus(again: Again<'_>, effect: &Effect, change: &Change) -> Vec<Line> {
    let (Change::Less { surplus, .. } | Change::Reduced { surplus, .. }) = change else { return Vec::new() };
    let line = |key: &String| {
        let part = again.workings.parts.get(key).map(|part| &part.made);
        let (at_stake, same) = match part {
            Some(Made::Excess(of)) => (of.units.to_string(), of == surplus),
            _ => ("none".to_owned(), false),
        };
        Line::near(format!("stock beyond the need, {key}"), surplus.units, at_stake, same, "the stock that is at stake")
    };
    effect.changed.iter().map(line).collect()
}

/// The new value of a parameter beside what is held more because of it, or beside the lead time that was found.
fn adjusted(
    again: Again<'_>,
    effect: &Effect,
    (param, old, new): (Param, Quantity, Quantity),
    more: &[(f64, UnitPrice, f64)],
) -> Line {
    let figure = "new value";
    if param == Param::LeadDays {
        let mut leads = effect.shares.keys().filter_map(|key| match &again.workings.parts.get(key)?.made {
            Made::Cycle { lead, .. } => Some(Quantity::ceil_units(*lead)),
            _ => None,
        });
        return match leads.next() {
            Some(lead) => Line::same(figure, new, lead, "the lead time of the newest orders"),
            None => Line::near(figure, new, "none", false, "no part of the loss has a lead time"),
        };
    }
    let from = "the old one, and what is held more";
    match more {
        [(added, ..)] => {
            let again = units(*added).map_or_else(|| "none".to_owned(), |added| (old + added).to_string());
            Line::same(figure, new, again, from)
        }
        _ => Line::near(figure, new, "none", false, from),
    }
}
