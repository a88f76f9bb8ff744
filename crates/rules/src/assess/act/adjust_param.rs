//! ADJUST-PARAM: a reorder point, a maximum or a lead time as it should be (handbook §5).

use rust_decimal::Decimal;

use crate::assess::checks::{Checks, still};
use crate::assess::gathered::{Gathered, Proposal};
use crate::scene::Scene;
use reeve_domain::action::{Action, Param};
use reeve_domain::book::Place;
use reeve_domain::calendar::{days_between, plus_days};
use reeve_domain::evidence::FactValue;
use reeve_domain::exception::ExceptionType;
use reeve_domain::ids::SupplierId;
use reeve_domain::money::{Money, Quantity, UnitPrice};
use reeve_domain::record::RecordRef;
use reeve_domain::workings::Change;
use reeve_models::formulas;

/// Observations that a change must rest on (handbook §5).
const LEAST_OBSERVATIONS: usize = 10;
/// Days back in which receipts count as observations of a lead time.
const OBSERVED_DAYS: i32 = 365;

/// A parameter as it is and as it should be, and what that changes.
pub(in crate::assess) struct Cure<'c> {
    pub place: &'c Place,
    pub param: Param,
    pub record: String,
    pub old: Quantity,
    pub new: Quantity,
    /// Units that are held more, each with its unit cost and the days of a cycle.
    pub more: Vec<(f64, UnitPrice, f64)>,
    /// The parts of the loss that it ends.
    pub keys: &'c [String],
    pub cycle: f64,
}

/// What it makes the ERP order: the units that are held more, at their cost.
fn ordered(more: &[(f64, UnitPrice, f64)]) -> Money {
    more.iter().map(|(units, cost, _)| Quantity::ceil_units(*units) * *cost).sum()
}

/// Proposes it. It costs what is held more, for a cycle; it commits what the ERP orders because of it.
pub(in crate::assess) fn adjust(gathered: &mut Gathered<'_>, cure: Cure<'_>) {
    let Cure { place, param, record, old, new, mut more, keys, cycle } = cure;
    // A level is held from what the rule says to what it will say, in whole units, and not from one computed point to another.
    if let (Param::ReorderPoint | Param::OrderUpTo, [only]) = (param, more.as_mut_slice()) {
        only.0 = (new - old).to_f64();
    }
    let value = ordered(&more);
    let book = gathered.scene.book;
    let (item, location) = place;
    let (rate, rate_cite) = gathered.holding(item);
    // A lead time on the price list is that of several places, so what is held more is a sum over them.
    let held = more.iter().map(|(units, cost, days)| formulas::holding_cost(*units, cost.to_f64(), rate, *days)).sum();
    let cost = Money::from_f64(held);
    let source = param.field(&record).0;
    let label = "holding what is needed more, for a cycle";
    let cites = vec![
        rate_cite,
        gathered.fact(source.clone(), "cost_adjust", label, FactValue::Money(cost)),
        gathered.assume(source.clone(), "adjust_left_0", "share of the loss that remains with it corrected", 0.0),
        gathered.fact(source.clone(), "adjust_value", "value of what is held more", FactValue::Money(value)),
        gathered.fact(source, "cycle_days", "days of a cycle", FactValue::days(cycle)),
    ];
    let name = book.item_label(item);
    let summary = match param {
        Param::LeadDays => format!("Change the lead time of {name} on the price list from {old} to {new} days."),
        _ => format!("Raise the reorder minimum of {name} at {} from {old} to {new}.", book.location_name(location)),
    };
    gathered.proposals.push(Proposal {
        action: Action::AdjustParam { param, record, old, new, until: None },
        summary,
        then: Vec::new(),
        after: Gathered::leaving(keys, 0.0),
        cost,
        regret: cost,
        value,
        latest: gathered.today_plus(14),
        cites,
        change: Some(Change::Adjusted(more)),
    });
}

/// Observations behind a change: received lines of the supplier where a lead time has moved, days of demand where the rule never
/// fitted it, else days of demand since the level has changed.
fn observations(scene: &Scene<'_>, param: Param, record: &RecordRef) -> usize {
    let book = scene.book;
    let rule = book.rule_by_id(&record.id);
    let shifted = scene.exceptions.iter().find(|e| e.signal.code == ExceptionType::SLtShift);
    let named = shifted.and_then(|e| e.signal.subject.supplier.clone());
    let listed = (param == Param::LeadDays).then(|| book.supplier_price(&record.id).map(|p| p.supplier.clone())).flatten();
    if let Some(supplier) = listed.or(named) {
        return received(scene, &supplier);
    }
    let Some(rule) = rule else { return 0 };
    let of_rule = |e: &&reeve_domain::exception::Exception| e.signal.subject.item.as_ref() == Some(&rule.item);
    // A rule that does not fit was always so: all days since the first sale speak against it.
    if scene.exceptions.iter().filter(of_rule).any(|e| e.signal.code == ExceptionType::SParam) {
        let days = book.demand_by_day(&rule.item, &rule.location, plus_days(book.closed, 1 - OBSERVED_DAYS));
        return days.iter().skip_while(|units| **units <= 0.0).count();
    }
    let since = scene.exceptions.iter().filter(of_rule).map(|e| e.signal.from).min();
    since.map_or(0, |since| usize::try_from(days_between(since, book.closed) + 1).unwrap_or(0))
}

/// Lines of a supplier that were received in the last year.
fn received(scene: &Scene<'_>, supplier: &SupplierId) -> usize {
    let book = scene.book;
    let since = plus_days(book.today, -OBSERVED_DAYS);
    let came = |line: &&&reeve_domain::record::PurchaseLine| {
        book.receipts(&line.id).first().and_then(|m| m.done_at).is_some_and(|at| book.calendar.day_of(at) >= since)
    };
    book.lines_of_supplier(supplier).iter().filter(came).count()
}

/// A parameter may move by this share of its old value at most; more is for human judgement.
const PARAM_SHARE: Decimal = Decimal::from_parts(5, 0, 0, false, 1);

/// ADJUST-PARAM.
pub(in crate::assess) fn check(scene: &Scene<'_>, c: &mut Checks, action: &Action) {
    let Action::AdjustParam { param, record, old, new, .. } = action else { return };
    let (record, field) = param.field(record);
    still(scene, c, &record, field, &old.to_string());
    // A parameter that is set by a handful of days is set by chance, and stays long after.
    let seen = observations(scene, *param, &record);
    c.hard("enough observations", seen >= LEAST_OBSERVATIONS, format!("{seen} ≥ {LEAST_OBSERVATIONS}"));
    let room = (old.0 * PARAM_SHARE).abs();
    let fits = (new.0 - old.0).abs() <= room && !new.0.is_sign_negative();
    c.hard("change within 50 % of the old value", fits, format!("{old} to {new}"));
    // What a rule orders whose minimum is above its maximum nobody knows.
    if let Some(rule) = scene.book.rule_by_id(&record.id) {
        let (min, max) = match param {
            Param::ReorderPoint => (*new, rule.max),
            Param::OrderUpTo => (rule.min, *new),
            Param::LeadDays => (Quantity::ZERO, Quantity::ZERO),
        };
        c.hard("minimum is not above the maximum", !max.is_positive() || min <= max, format!("{min} ≤ {max}"));
    }
}
