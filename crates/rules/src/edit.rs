//! An edited recommendation: the same case, evidence and rank, with other quantities or dates.
//!
//! An edit may change nothing else: another item, supplier, price or text would be another recommendation, which no check
//! has seen. Figures are not recomputed here; what the money was computed for is said instead.

use jiff::Timestamp;
use jiff::civil::Date;
use rust_decimal::Decimal;
use rust_decimal::prelude::ToPrimitive;

use reeve_domain::action::{Action, Candidate, Check, Step};
use reeve_domain::ids::PersonId;
use reeve_domain::money::{Money, Quantity};
use reeve_domain::policy::Person;
use reeve_domain::recommendation::{Drafter, Prose, Recommendation};
use reeve_domain::{units, words};

/// `old` with the quantity and the dates of `new`, and what they were and are; or why that is no edit.
///
/// A claim's value follows its quantity in proportion: it is computed, not typed.
pub fn edited_action(old: &Action, new: &Action) -> Result<(Action, Vec<String>), String> {
    let mut merged = old.clone();
    let mut changes = Changes(Vec::new());
    let mut asked = new.clone();
    if std::mem::discriminant(&merged) == std::mem::discriminant(new) {
        if let (Action::Claim { quantity, value, bill: None, .. }, Action::Claim { quantity: to, .. }) = (&mut merged, new) {
            let scaled = scale(*value, *quantity, *to);
            changes.quantity(quantity, *to)?;
            changes.set("value", value, scaled);
        } else if let (Some(quantity), Some(to)) = (merged.quantity_mut(), new.quantity()) {
            changes.quantity(quantity, to)?;
        }
        if let (Some((field, date)), Some((_, to))) = (merged.date_mut(), new.date()) {
            changes.set(field.name, date, to);
        }
    }
    // A claim's typed value is ignored above; anything else that differs is more than an edit.
    if let (Action::Claim { value, .. }, Action::Claim { value: computed, .. }) = (&mut asked, &merged) {
        *value = *computed;
    }
    if asked != merged {
        return Err(format!(
            "only the quantity and the dates of {} can be edited; for anything else reject it with real-but-wrong-action",
            old.code()
        ));
    }
    if changes.0.is_empty() {
        return Err("nothing was changed; approve it as it stands".to_owned());
    }
    Ok((merged, changes.0))
}

struct Changes(Vec<String>);

impl Changes {
    fn set<T: PartialEq + Copy + std::fmt::Display>(&mut self, what: &str, old: &mut T, new: T) {
        if *old != new {
            self.0.push(format!("{what} {old} → {new}"));
            *old = new;
        }
    }

    fn quantity(&mut self, old: &mut Quantity, new: Quantity) -> Result<(), String> {
        if new.0 <= Decimal::ZERO {
            return Err(format!("a quantity must be above 0, not {}; to do nothing, reject it", new.0));
        }
        if old.0 != new.0 {
            self.0.push(format!("quantity {} → {}", old.0.normalize(), new.0.normalize()));
            *old = new;
        }
        Ok(())
    }
}

/// Decimals of what is weighed, measured or of an unknown unit: a gram of a kilogram. The ERP rounds to its own on the way.
const DECIMALS: u32 = 3;

/// Can so much be counted in the item's unit? Pieces and packages are whole; of anything else there is a smallest part. What
/// the ERP itself counts in smaller parts, as `was` shows, may be edited in those.
pub fn is_countable(asked: Quantity, was: Quantity, unit: &str) -> Result<(), String> {
    let whole = match units::measure(unit) {
        Some(measure) => measure.dimension == units::Dimension::Count,
        None => !unit.is_empty() && units::container(unit).is_some(),
    };
    let decimals = was.0.normalize().scale().max(if whole { 0 } else { DECIMALS });
    if asked.0.normalize().scale() <= decimals {
        return Ok(());
    }
    let (asked, unit) = (asked.0.normalize(), words::cut(unit, 40));
    let unit = if unit.is_empty() { String::new() } else { format!(" of {unit}") };
    Err(match decimals {
        0 => format!("{asked}{unit} can not be counted: take a whole number"),
        n => format!("{asked}{unit} can not be counted: take at most {n} decimals"),
    })
}

/// `amount` in the proportion of the quantities, rounded up to the minor unit: never below what is committed.
fn scale(amount: Money, from: Quantity, to: Quantity) -> Money {
    if from.0 <= Decimal::ZERO {
        return amount;
    }
    let minor = Decimal::from(amount.minor).checked_mul(to.0).and_then(|m| m.checked_div(from.0));
    Money::from_minor(minor.and_then(|m| m.ceil().to_i64()).unwrap_or(i64::MAX))
}

/// What an edited action is worth for limits: in proportion of the quantities, where all of it is quantity times price. What
/// has fixed parts (a surcharge, a van) grows with its quantity and does not shrink: an edit must not lower the tier of
/// money that the action still authorises.
pub fn edited_value(value: Money, old: &Action, new: &Action) -> Money {
    let scaled = match (old.quantity(), new.quantity()) {
        (Some(from), Some(to)) if from.0 != to.0 => scale(value, from, to),
        _ => return value,
    };
    if by_piece(new) { scaled } else { scaled.max(value) }
}

/// Is all of what an action is worth quantity times price?
pub fn by_piece(action: &Action) -> bool {
    action.entry().by_piece
}

/// What a plan is worth for limits once its step `number` is `new`. Of a plan of several steps it never falls: how much of its
/// value is that step's is not kept, and an edit must not lower the tier of what the others commit.
pub fn plan_value(old: &Candidate, number: u32, new: &Action) -> Money {
    let Some(step) = old.step(number) else { return old.value };
    let value = edited_value(old.value, step.action, new);
    if old.is_plan() { value.max(old.value) } else { value }
}

/// One step of a plan as somebody changed it.
#[derive(Clone, Debug, PartialEq)]
pub struct Edited {
    /// Which step, from 1.
    pub step: u32,
    /// What it says now.
    pub action: Action,
    /// What changed, in words.
    pub changes: Vec<String>,
    /// The checks of every step of the plan as it is now, in order.
    pub checks: Vec<Vec<Check>>,
}

/// The recommendation that `old` becomes by the edit of `editor`. Whoever edited an earlier version counts as an editor of
/// this one too, so two people can not pass their own values through each other.
pub fn edited(old: &Recommendation, editor: &Person, edit: Edited, now: Timestamp) -> Recommendation {
    let Edited { step: number, action, changes, checks } = edit;
    let value = plan_value(&old.candidate, number, &action);
    let changed = format!("Changed by {} on {now}: {}.", editor.name, changes.join(", "));
    let mut by: Vec<PersonId> = editors(old).to_vec();
    if !by.contains(&editor.id) {
        by.push(editor.id.clone());
    }
    let (first, was, was_then) = if let Drafter::Edited { first, was, was_then, .. } = &old.drafter {
        (first.clone(), was.clone(), was_then.clone())
    } else {
        let then = old.candidate.then.iter().map(|step| step.action.clone()).collect();
        (old.id.clone(), Box::new(old.candidate.action.clone()), then)
    };
    let mut candidate = Candidate { value, ..old.candidate.clone() };
    for (step, checks) in old.candidate.steps().zip(checks) {
        let new = if step.number == number {
            Step { action: action.clone(), summary: format!("{changed} Before: {}", step.summary), checks }
        } else {
            Step { action: step.action.clone(), summary: step.summary.to_owned(), checks }
        };
        candidate = candidate.with_step(step.number, new);
    }
    Recommendation::drafted(
        old.case_id.clone(),
        old.rank,
        candidate,
        Prose {
            rationale: format!("{changed} The money was computed before the change. {}", old.prose.rationale),
            // A drafted message names the old quantity or date, and claims were decided on them.
            message: None,
            claims: Vec::new(),
            question: String::new(),
            ..old.prose.clone()
        },
        old.evidence_hash.clone(),
        Drafter::Edited { editors: by, first, was, was_then },
        now,
    )
}

/// Who edited it, first one first.
pub fn editors(recommendation: &Recommendation) -> &[PersonId] {
    match &recommendation.drafter {
        Drafter::Edited { editors, .. } => editors,
        Drafter::Playbook { .. } | Drafter::Model { .. } => &[],
    }
}

/// The action with another quantity and date, where it has them.
pub fn action_with(action: &Action, new_quantity: Option<Quantity>, day: Option<Date>) -> Action {
    let mut edited = action.clone();
    if let (Some(quantity), Some(new)) = (edited.quantity_mut(), new_quantity) {
        *quantity = new;
    }
    if let (Some((_, date)), Some(new)) = (edited.date_mut(), day) {
        *date = new;
    }
    edited
}

#[cfg(test)]
mod tests {
    use super::*;
    use reeve_domain::ids::{ItemId, LocationId, SupplierId};

    fn transfer(quantity: i64, to: &str) -> Action {
        Action::Transfer {
            item: ItemId::new("7"),
            from: LocationId::new("1"),
            to: LocationId::new(to),
            quantity: Quantity::units(quantity),
            ship_on: "2026-10-09".parse().unwrap(),
        }
    }

    fn claim(quantity: i64, value: i64) -> Action {
        Action::Claim {
            supplier: SupplierId::new("9"),
            lines: vec!["3".into()],
            quantity: Quantity::units(quantity),
            value: Money::from_minor(value),
            basis: "short".into(),
            bill: None,
        }
    }

    #[test]
    fn quantity_and_date_can_be_edited_and_nothing_else() {
        let (action, changes) = edited_action(&transfer(40, "2"), &transfer(30, "2")).unwrap();
        assert_eq!(action, transfer(30, "2"));
        assert_eq!(changes, ["quantity 40 → 30"]);
        assert!(edited_action(&transfer(40, "2"), &transfer(30, "3")).unwrap_err().contains("only the quantity"));
        assert!(edited_action(&transfer(40, "2"), &claim(40, 1)).unwrap_err().contains("only the quantity"));
        assert!(edited_action(&transfer(40, "2"), &transfer(40, "2")).unwrap_err().contains("nothing was changed"));
        assert!(edited_action(&transfer(40, "2"), &transfer(0, "2")).unwrap_err().contains("above 0"));
    }

    #[test]
    fn a_quantity_is_counted_in_parts_that_its_unit_has() {
        let quantity = |text: &str| Quantity(text.parse().unwrap());
        for (asked, was, unit, fits) in [
            ("12", "40", "Units", true),
            ("12.000", "40", "Units", true),
            ("0.0004", "40", "Units", false),
            ("11.5", "40", "Units", false),
            ("0.5", "40", "Dozens", false),
            ("2.5", "40", "Carton", false),
            ("0.5", "40", "CS", false),
            ("11.5", "0.5", "Units", true),
            ("11.25", "0.5", "Units", false),
            ("12.345", "40", "kg", true),
            ("12.3456", "40", "kg", false),
            ("0.0004", "40", "", false),
            ("0.4", "40", "", true),
        ] {
            let found = is_countable(quantity(asked), quantity(was), unit);
            assert_eq!(found.is_ok(), fits, "{asked} {unit}: {found:?}");
        }
        let said = is_countable(quantity("0.0004"), quantity("40"), "Units").unwrap_err();
        assert_eq!(said, "0.0004 of Units can not be counted: take a whole number");
    }

    #[test]
    fn a_claims_value_follows_its_quantity_whatever_was_typed() {
        let (action, _) = edited_action(&claim(3, 1_000), &claim(2, 99_999)).unwrap();
        assert_eq!(action, claim(2, 667));
    }
}
