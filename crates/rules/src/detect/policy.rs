//! Policy: reorder rules that contradict themselves or the demand, or are missing (S-PARAM), and least orders that are far more
//! than is needed (S-MOQ; handbook §4.5). Once a quarter for a place, and only where money hangs on it.

use super::facts::{fact, place_fact, record};
use super::gather::Overview;
use super::stocking::Stocking;
use crate::outlook::Outlook;
use crate::place_key;
use crate::settings::Settings;
use reeve_domain::book::Book;
use reeve_domain::calendar::quarter;
use reeve_domain::evidence::{Fact, FactValue};
use reeve_domain::exception::{ExceptionType as T, Signal, Subject};
use reeve_domain::ids::{ItemId, LocationId};
use reeve_domain::money::{Money, Quantity};
use reeve_domain::record::{RecordKind, ReorderRule};
use reeve_models::formulas;

const DETECTOR: &str = "policy-rules/1";

/// A reorder point is too low only below this share of the demand of the lead time: people round, and forecasts move.
const LOW_SHARE: f64 = 0.75;
/// Expected loss of a cycle from which a reorder rule is worth a word.
const CYCLE_LEAST: Money = Money::from_minor(1_000);
/// Days of demand that a least order may leave over: what is more is a conflict.
const COVER_DAYS: f64 = 60.0;

/// What an item's rules and terms have to say at each place that carries it.
pub(super) fn signals_of(
    book: &Book,
    settings: &Settings,
    overview: &Overview,
    outlook: &Outlook,
    item: &ItemId,
) -> Vec<Signal> {
    // At its end an item is ordered by nobody: what its rules say harms nobody.
    if !book.items.get(item).is_some_and(|item| item.sellable) {
        return Vec::new();
    }
    let carriers = book.carriers_of(item);
    let ruled: Vec<&LocationId> = carriers.iter().filter(|location| book.rule(item, location).is_some()).collect();
    let mut found = Vec::new();
    for location in &carriers {
        let Some(stocking) = Stocking::of(book, settings, outlook, item, location) else { continue };
        // Where nothing is sold no rule is wrong enough.
        if stocking.daily <= 0.0 {
            continue;
        }
        let class = overview.classes.at(book, item, location);
        // Where no place of the company has a rule it orders by other means, and none is missing.
        let elsewhere = ruled.iter().any(|other| book.same_company(other, location));
        found.extend(parameter(book, settings, item, location, &stocking, (class, elsewhere)));
        found.extend(minimum(book, settings, item, location, &stocking));
    }
    found
}

/// What one cycle loses at a protection, beside the same at the reorder point that the demand asks for: units (handbook §3.3).
fn cycle_short(stocking: &Stocking<'_>, in_force: f64) -> f64 {
    formulas::late_reorder_shortage(stocking.lead_demand, stocking.lead_sigma, in_force, stocking.reorder)
}

/// S-PARAM
fn parameter(
    book: &Book,
    settings: &Settings,
    item: &ItemId,
    location: &LocationId,
    stocking: &Stocking<'_>,
    (class, ruled_elsewhere): (Option<char>, bool),
) -> Option<Signal> {
    let rule = book.rule(item, location);
    let name = format!("{} at {}", book.item_label(item), book.location_name(location));
    let (kind, words) = match rule {
        Some(rule) if rule.max.is_positive() && rule.min > rule.max => (
            "crossed",
            format!("The reorder rule of {name} has a minimum of {} above its maximum of {}.", rule.min, rule.max),
        ),
        // Without a minimum a rule says only in which packs is ordered, unless it is all that there is for an A item.
        Some(rule) if rule.min.is_positive() && rule.min.to_f64() < LOW_SHARE * stocking.lead_demand => (
            "low",
            format!(
                "{name} is reordered at {}, and {:.0} are sold in the {} days that an order takes.",
                rule.min, stocking.lead_demand, stocking.offer.lead_days
            ),
        ),
        Some(rule) if !rule.min.is_positive() && rule.max.is_positive() && class == Some('A') => {
            ("none", format!("{name} is an A item and is reordered only when nothing is left: its minimum is {}.", rule.min))
        }
        None if ruled_elsewhere && class == Some('A') => {
            ("missing", format!("{name} has no reorder rule; other places of this A item have one."))
        }
        _ => return None,
    };
    let in_force = rule.map_or(0.0, |rule| rule.min.to_f64());
    // A rule that contradicts itself is wrong whatever it costs; nobody can compute what it orders.
    let short = if kind == "crossed" { 0.0 } else { cycle_short(stocking, in_force) };
    let margin = book.margin(item, location)?.to_f64();
    // The rest is only worth a word where it loses something: many odd rules harm nobody.
    let lost = Money::from_f64(formulas::lost_margin(short, margin, settings.money.recapture));
    if kind != "crossed" && lost < CYCLE_LEAST {
        return None;
    }
    let mut facts = rule.map_or_else(Vec::new, |rule| rule_facts(book, rule));
    let source = || record(RecordKind::SupplierPrice, &stocking.offer.id);
    facts.push(fact(book, source(), "lead_days", "listed lead time", FactValue::days(f64::from(stocking.offer.lead_days))));
    let at = |field: &str, label: &str, value: f64| {
        place_fact(book, item, location, field, label, FactValue::Quantity(Quantity(FactValue::rounded(value, 2))))
    };
    facts.extend([
        at("param_daily", "expected demand a day", stocking.daily),
        at("param_lead_demand", "expected demand in the listed lead time", stocking.lead_demand),
        at("param_reorder", "reorder point for it", stocking.reorder),
    ]);
    let days = (book.today, book.today);
    let period = format!("{kind} {}", quarter(book.today));
    let signal = Signal::rule(DETECTOR, T::SParam, Subject::at(item, location), period, days, words);
    Some(signal.link(policy_link(item, location)).with(facts))
}

/// What everything shares by which a place is reordered at too low a point: one cycle, and one new value for its rule.
pub(super) fn policy_link(item: &ItemId, location: &LocationId) -> String {
    format!("policy:{}", place_key::of(item, location))
}

fn rule_facts(book: &Book, rule: &ReorderRule) -> Vec<Fact> {
    let source = || record(RecordKind::ReorderRule, &rule.id);
    vec![
        fact(book, source(), "min", "reorder minimum", FactValue::Quantity(rule.min)),
        fact(book, source(), "max", "reorder maximum", FactValue::Quantity(rule.max)),
    ]
}

/// S-MOQ: an order is due, and the least that can be ordered lasts far longer than it should.
fn minimum(
    book: &Book,
    settings: &Settings,
    item: &ItemId,
    location: &LocationId,
    stocking: &Stocking<'_>,
) -> Option<Signal> {
    let multiple = book.rule(item, location).map_or(1.0, |rule| rule.multiple.to_f64());
    // Supplier and rule may both ask for a least quantity; the larger one binds.
    let least = stocking.offer.min_qty.to_f64().max(multiple);
    if least <= 1.0 {
        return None;
    }
    let incoming: Quantity = book.incoming(item, location).iter().map(|i| i.qty).sum();
    let position = (book.available(item, location) + incoming).to_f64();
    let need = stocking.up_to - position;
    // It has to be due now. A least order that nobody has to place yet is no conflict.
    if position >= stocking.reorder || need <= 0.0 || need >= least {
        return None;
    }
    let order = formulas::order_quantity(stocking.up_to, position, stocking.offer.min_qty.to_f64(), multiple);
    let surplus = order - need;
    let cost = book.cost(item, location)?;
    let worth = Money::from_f64(surplus * cost.to_f64());
    if surplus / stocking.daily < COVER_DAYS || worth < settings.detect.policy_value {
        return None;
    }
    let supplier = &stocking.offer.supplier;
    let headline = format!(
        "{} needs {need:.0} of {}, {} takes orders from {least:.0} on: {surplus:.0} too many, {:.0} days of demand, {worth} at cost.",
        book.location_name(location),
        book.item_label(item),
        book.supplier_name(supplier),
        surplus / stocking.daily
    );
    let at = |field: &str, label: &str, value: f64| {
        place_fact(book, item, location, field, label, FactValue::Quantity(Quantity(FactValue::rounded(value, 2))))
    };
    let source = record(RecordKind::SupplierPrice, &stocking.offer.id);
    let facts = [
        fact(book, source, "min_qty", "least order", FactValue::Quantity(stocking.offer.min_qty)),
        at("moq_need", "needed", need),
        at("moq_order", "least that can be ordered", order),
        at("moq_surplus", "beyond the need", surplus),
        place_fact(book, item, location, "moq_worth", "the same at cost", FactValue::Money(worth)),
    ];
    let subject = Subject { supplier: Some(supplier.clone()), ..Subject::at(item, location) };
    let days = (book.today, book.today);
    let signal = Signal::rule(DETECTOR, T::SMoq, subject, quarter(book.today), days, headline);
    Some(signal.link(place_key::shortage(item, location)).with(facts))
}
