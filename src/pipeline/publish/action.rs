//! An action as an executor reads it: every parameter, quantities with their unit, money with its currency.

use rust_decimal::Decimal;

use super::Terms;
use super::wire::{Act, Amount, Cash, Comparison, Condition, Field, Operator, Price};
use crate::domain::action::{Action, Check, Param};
use crate::domain::money::{Money, Quantity, UnitPrice};

/// The action in plain words (handbook §5, "What the executor does").
pub fn plain_name(action: &Action) -> &'static str {
    action.entry().does
}

/// The action with its parameters. None for what Reeve does itself and nobody outside could.
pub(super) fn act(action: &Action, terms: &Terms) -> Option<Act> {
    // Each amount with its unit or currency: an executor need not know in what this company counts.
    let units = |quantity: &Quantity| Amount { amount: decimal(*quantity), unit: terms.unit.clone() };
    let money = |amount: &Money| cash(*amount, terms);
    let price = |price: &UnitPrice| Price {
        amount: price.0.normalize().to_string(),
        currency: terms.currency.clone(),
        per: terms.unit.clone(),
    };
    // Without a rest: a new action does not compile until somebody has said how executors are told of it.
    Some(match action.clone() {
        Action::Expedite { po_line, quantity, new_date, surcharge_max } => {
            Act::Expedite { po_line, quantity: units(&quantity), new_date, surcharge_max: money(&surcharge_max) }
        }
        Action::DeferPo { po_line, quantity, new_date } => Act::DeferPo { po_line, quantity: units(&quantity), new_date },
        Action::CancelPo { po_line, quantity } => Act::CancelPo { po_line, quantity: units(&quantity) },
        Action::NewPo { item, supplier, quantity, price: paid, need_date, destination } => Act::NewPo {
            item: item.0,
            supplier: supplier.0,
            quantity: units(&quantity),
            price: price(&paid),
            need_date,
            destination: destination.0,
        },
        Action::IncreasePo { po_line, ordered, quantity } => {
            Act::IncreasePo { po_line, ordered: units(&ordered), quantity: units(&quantity) }
        }
        Action::SplitShip { po_line, quantity, date_now, date_rest } => {
            Act::SplitShip { po_line, quantity: units(&quantity), date_now, date_rest }
        }
        Action::AltSupplier { item, supplier, quantity, price: paid, need_date, destination, instead_of } => {
            Act::AltSupplier {
                item: item.0,
                supplier: supplier.0,
                quantity: units(&quantity),
                price: price(&paid),
                need_date,
                destination: destination.0,
                instead_of,
            }
        }
        Action::Transfer { item, from, to, quantity, ship_on } => {
            Act::Transfer { item: item.0, from: from.0, to: to.0, quantity: units(&quantity), ship_on }
        }
        Action::Reallocate { item, location, from_line, to_line, quantity } => {
            Act::Reallocate { item: item.0, location: location.0, from_line, to_line, quantity: units(&quantity) }
        }
        Action::AdjustParam { param, record, old, new, until } => {
            let param = match param {
                Param::ReorderPoint => Field::ReorderPoint,
                Param::OrderUpTo => Field::OrderUpTo,
                Param::LeadDays => Field::LeadDays,
            };
            Act::AdjustParam { param, record, old: decimal(old), new: decimal(new), until }
        }
        Action::ForecastFix { item, location, from, to, old, new, reason } => {
            Act::ForecastFix { item: item.0, location: location.0, from, to, old: units(&old), new: units(&new), reason }
        }
        Action::MarkEvent { item, location, from, to, reason } => {
            Act::MarkEvent { item: item.0, location: location.0, from, to, reason }
        }
        Action::AdjustStock { item, location, difference, reason } => {
            Act::AdjustStock { item: item.0, location: location.0, difference: units(&difference), reason }
        }
        Action::HoldQc { document, item, location, quantity, until, reason } => {
            Act::HoldQc { document, item: item.0, location: location.0, quantity: units(&quantity), until, reason }
        }
        Action::Return { receipt, item, location, supplier, quantity, reason } => Act::Return {
            receipt,
            item: item.0,
            location: location.0,
            supplier: supplier.0,
            quantity: units(&quantity),
            reason,
        },
        Action::FixMaster { record, field, old, new, source } => {
            Act::FixMaster { record: record.to_string(), field, old, new, source }
        }
        Action::PromoChange { promotion, item, new_to } => Act::PromoChange { promotion, item: item.0, new_to },
        Action::Markdown { item, percent, from, to } => Act::Markdown { item: item.0, percent, from, to },
        Action::Recount { item, location, deadline, not_by } => {
            Act::Recount { item: item.0, location: location.0, deadline, not_by }
        }
        Action::Claim { supplier, lines, quantity, value, basis, bill } => {
            Act::Claim { supplier: supplier.0, lines, quantity: units(&quantity), value: money(&value), basis, bill }
        }
        Action::BlockBill { bill, disputed, reason } => Act::BlockBill { bill, disputed: money(&disputed), reason },
        Action::AcceptVar { document, variance, reason } => Act::AcceptVar { document, variance: money(&variance), reason },
        Action::ReverseDoc { document, duplicate_of } => Act::ReverseDoc { document, duplicate_of },
        Action::Contact { role, partner, about, answer_by } => Act::Contact { role, partner, about, answer_by },
        Action::Monitor { condition, until } => Act::Monitor { condition, until },
        Action::NoAction { reason } => Act::NoAction { reason },
        Action::Escalate { unclear, to } => Act::Escalate { unclear, to },
        Action::Mute { .. } => return None,
    })
}

/// An amount as a decimal text without grouping: `1234.50`.
pub(super) fn cash(amount: Money, terms: &Terms) -> Cash {
    Cash { amount: Decimal::new(amount.minor, 2).to_string(), currency: terms.currency.clone() }
}

fn decimal(quantity: Quantity) -> String {
    quantity.0.normalize().to_string()
}

/// The hard checks: what must still hold.
pub(super) fn conditions(checks: &[Check]) -> Vec<Condition> {
    checks.iter().filter(|check| check.hard).map(condition).collect()
}

fn condition(check: &Check) -> Condition {
    let text = if check.detail.is_empty() { check.name.clone() } else { format!("{}: {}", check.name, check.detail) };
    Condition { text, check: check.name.clone(), compares: comparison(&check.detail) }
}

/// Two figures and how they compare, where a check's figures are just that: `48 ≤ 60`, `1,200.00 ≤ 5,000.00`.
fn comparison(detail: &str) -> Option<Comparison> {
    let signs = [
        ("≤", Operator::AtMost),
        ("≥", Operator::AtLeast),
        ("<", Operator::Below),
        (">", Operator::Above),
        ("=", Operator::Equal),
    ];
    let figure = |text: &str| {
        // Checks are written for people, who get their thousands parted by commas.
        let plain: String = text.trim().chars().filter(|c| *c != ',').collect();
        plain.parse::<Decimal>().ok().map(|d| d.to_string())
    };
    signs.into_iter().find_map(|(sign, operator)| {
        let (left, right) = detail.split_once(sign)?;
        Some(Comparison { left: figure(left)?, operator, right: figure(right)? })
    })
}
