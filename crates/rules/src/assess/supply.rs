//! Supply: lead times that have moved away from the master value, and master data that block the arithmetic
//! (handbook §4.5).

use std::collections::BTreeSet;

use crate::detect::supply::{COUNTED, LeadShift, lead_shift};
use crate::role::Role;
use reeve_domain::action::Param;
use reeve_domain::book::Place;
use reeve_domain::calendar::days_between;
use reeve_domain::evidence::FactValue;
use reeve_domain::exception::Exception;
use reeve_domain::ids::SupplierId;
use reeve_domain::money::{Money, Quantity, UnitPrice};
use reeve_domain::record::{PurchaseLine, RecordKind, RecordRef, ReorderRule};
use reeve_domain::workings::Made;
use reeve_models::formulas;

use super::act::adjust_param::{self, Cure};
use super::gathered::{Gathered, Question, item_ref, line_ref, range, units};
use super::projection;

/// Parameters that are offered to be changed at most: those that save most.
const CURES: usize = 3;
/// A cycle is at most so many days long: longer ones come of a level that hardly anything sells from.
const CYCLE_DAYS_MOST: f64 = 365.0;

/// A place whose orders come later than they are reordered for.
struct Late {
    place: Place,
    key: String,
    lost: Money,
    /// The protection in force and the one with the lead time corrected, in units.
    in_force: f64,
    corrected: f64,
    /// Days listed, and with the shift.
    listed: f64,
    real: f64,
    /// The ERP's rule, where its minimum is the protection in force.
    rule: Option<ReorderRule>,
    /// The supplier's price, which carries the lead time.
    price: String,
    cost: UnitPrice,
    /// Days until it is ordered again.
    cycle: f64,
}

/// A lead time that is no longer the one the master data say. At stake is what one cycle loses: the expected shortage at the
/// protection in force less the same with the lead time corrected, in the same demand and the same doubt. Where the ERP has a
/// minimum, the next order comes when the position falls below it: that is the protection in force, and may well be enough.
/// What holding more would cost is the price of the cure, not of the fault.
pub(super) fn lead_time_shift(gathered: &mut Gathered<'_>, exception: &Exception) {
    let scene = gathered.scene;
    let book = scene.book;
    let Some(supplier) = &exception.signal.subject.supplier else { return };
    let source = RecordRef::new(RecordKind::Supplier, supplier.as_str());
    // What another company orders of the same supplier is that company's loss.
    let company = super::gathered::company_of(scene);
    let ours = |l: &&PurchaseLine| l.confirmed && book.company_of(&l.location) == company;
    let ordered = book.lines_of_supplier(supplier).into_iter().filter(ours);
    let places: BTreeSet<Place> = ordered.map(|l| (l.item.clone(), l.location.clone())).collect();
    let shift = lead_shift(book, scene.settings, supplier, company);
    let mut late: Vec<Late> = Vec::new();
    // A place whose rule or demand is said to need more is counted there (`detect/supply`).
    let counted = |place: &Place| {
        let id = format!("{}/{COUNTED}@{}", item_ref(&place.0), place.1);
        exception.signal.facts.iter().any(|fact| fact.id.as_str() == id)
    };
    for place in places.into_iter().filter(|place| !counted(place)) {
        late.extend(shift.and_then(|shift| cycle_loss(gathered, place, supplier, shift)));
    }
    late.sort_by(|a, b| b.lost.cmp(&a.lost).then_with(|| a.place.cmp(&b.place)));
    // In order of the loss, so that the few cures that are offered are those that save most.
    adjust(gathered, &late);
    let keys: Vec<String> = late.iter().map(|l| l.key.clone()).collect();
    let name = book.supplier_name(supplier);
    gathered.contact(&Question {
        role: Role::Supplier,
        partner: supplier.as_str(),
        about: "the lead time, which has moved away from the agreed one",
        keys: &keys,
        left: gathered.scene.settings.left.question_lead_time,
        latest: gathered.today_plus(14),
        source,
    });
    gathered.escalate("which lead time the master data should carry", "purchasing (master data)");
    gathered.watch.get_or_insert_with(|| format!("the next receipts from {name} keep to the lead time"));
}

/// What the next cycle at a place loses because of the shift. None where the place is ordered from somebody else, or what the
/// arithmetic needs is not there.
fn cycle_loss(gathered: &mut Gathered<'_>, place: Place, supplier: &SupplierId, shift: LeadShift) -> Option<Late> {
    let scene = gathered.scene;
    let book = scene.book;
    let (item, location) = &place;
    let price = projection::offer(book, &place).filter(|offer| &offer.supplier == supplier)?;
    // What a higher level costs at the same place is of the same cycle.
    let key = format!("policy:{item}@{location}");
    if !scene.outlook.daily.contains_key(&place) || gathered.parts.contains_key(&key) {
        return None;
    }
    let (margin, mut cites) = gathered.margin(item)?;
    let cost = gathered.cost(item)?.price;
    let (recapture, recapture_cite) = gathered.recapture(item);
    cites.push(recapture_cite);
    let (daily, sigma) = scene.outlook.per_day(&place);
    let listed = f64::from(price.lead_days);
    let real = (listed + shift.days).max(0.0);
    let point = |days: f64| {
        let (mu, sigma) = formulas::lead_time_demand(daily, sigma, days, shift.sd);
        formulas::reorder_point(mu, formulas::safety_stock(projection::service_z(scene), sigma))
    };
    // The ERP reorders at its minimum where it has one; else people do, at the point that the listed lead time gives.
    let rule = book.rule(item, location).filter(|rule| rule.min.is_positive());
    let minimum = rule.map(|rule| rule.min.to_f64());
    let in_force = minimum.unwrap_or(point(listed));
    let corrected = in_force + (point(real) - point(listed)).max(0.0);
    // Both protections against the lead time as it is: the difference is what the wrong entry costs in one cycle.
    let (mu, sd) = formulas::lead_time_demand(daily, sigma, real, shift.sd);
    let short = formulas::late_reorder_shortage(mu, sd, in_force, corrected);
    let lost = formulas::lost_margin(short, margin, recapture);
    let amount = range(0.0, lost, 2.0 * lost);
    let label = if rule.is_some() { "the ERP's reorder minimum" } else { "reorder point for the listed lead time" };
    let corrected_label = "the same with the lead time corrected";
    let loss_label = "margin lost in one cycle by the longer lead time";
    let days = FactValue::days;
    cites.extend([
        gathered.item_fact(item, &format!("listed_lead@{supplier}"), "lead time in the master data", days(listed)),
        gathered.item_fact(item, &format!("lead_now@{supplier}"), "lead time of the newest orders", days(real)),
        gathered.place_fact(item, location, "protection", label, units(in_force)),
        gathered.place_fact(item, location, "protection_needed", corrected_label, units(corrected)),
        gathered.place_fact(item, location, "cycle_demand", "expected demand in that lead time", units(mu)),
        gathered.place_fact(item, location, "cycle_sigma", "deviation of that demand", units(sd)),
        gathered.place_fact(item, location, "cycle_short", "units short in one cycle because of it", units(short)),
        gathered.place_fact(item, location, "cycle_loss", loss_label, FactValue::Money(amount.expected)),
    ]);
    let name = format!("{} at {}", book.item_label(item), book.location_name(location));
    let reordered = match rule {
        Some(rule) => format!("reordered at the ERP's minimum of {}", rule.min),
        None => format!("reordered for {listed:.0} days"),
    };
    let made = Made::Cycle { daily, sigma, listed, lead: real, lead_sd: shift.sd, minimum, margin };
    gathered.lose_by(&key, format!("lost margin of one cycle, {reordered}: {name}"), amount, cites, made);
    // A cycle is as long as what is ordered lasts, and no shorter than the rhythm in which is ordered.
    let review = projection::review_days(book, supplier, location);
    let gap = rule.map_or(0.0, |rule| (rule.max - rule.min).to_f64());
    let cycle = if daily > 0.0 { (gap / daily).clamp(review, CYCLE_DAYS_MOST) } else { CYCLE_DAYS_MOST };
    let (rule, price) = (rule.cloned(), price.id.clone());
    Some(Late { key, lost: amount.expected, in_force, corrected, listed, real, rule, price, cost, cycle, place })
}

/// The cure: the ERP's minimum, or the lead time on the price list, as they should be. It costs what is held more, for a cycle.
fn adjust(gathered: &mut Gathered<'_>, late: &[Late]) {
    let mut changed: BTreeSet<&str> = BTreeSet::new();
    for one in late.iter().filter(|l| l.lost > Money::ZERO) {
        let record = one.rule.as_ref().map_or(one.price.as_str(), |rule| rule.id.as_str());
        if changed.len() >= CURES || !changed.insert(record) {
            continue;
        }
        // A lead time on the price list is that of every place which has no minimum of its own.
        let shared = |l: &&Late| match &one.rule {
            Some(rule) => l.rule.as_ref().is_some_and(|r| r.id == rule.id),
            None => l.rule.is_none() && l.price == one.price,
        };
        let cured: Vec<&Late> = late.iter().filter(shared).collect();
        adjust_one(gathered, one, &cured);
    }
}

fn adjust_one(gathered: &mut Gathered<'_>, one: &Late, cured: &[&Late]) {
    let (param, record, old, new) = if let Some(rule) = &one.rule {
        (Param::ReorderPoint, rule.id.clone(), rule.min, Quantity::ceil_units(one.corrected))
    } else {
        (Param::LeadDays, one.price.clone(), Quantity::ceil_units(one.listed), Quantity::ceil_units(one.real))
    };
    let more = cured.iter().map(|l| (l.corrected - l.in_force, l.cost, l.cycle)).collect();
    let keys: Vec<String> = cured.iter().map(|l| l.key.clone()).collect();
    let cure = Cure { place: &one.place, param, record, old, new, more, keys: &keys, cycle: one.cycle };
    adjust_param::adjust(gathered, cure);
}

/// A supplier that delivers less well than it did. What that costs is counted where it costs: as shortages, claims and longer lead
/// times; asking is what is left.
pub(super) fn performance(gathered: &mut Gathered<'_>, exception: &Exception) {
    let Some(supplier) = &exception.signal.subject.supplier else { return };
    let name = gathered.scene.book.supplier_name(supplier);
    gathered.contact(&Question {
        role: Role::Supplier,
        partner: supplier.as_str(),
        about: "deliveries that have come late or short more often than before",
        keys: &[],
        left: 1.0,
        latest: gathered.today_plus(14),
        source: RecordRef::new(RecordKind::Supplier, supplier.as_str()),
    });
    gathered.watch.get_or_insert_with(|| format!("the next lines from {name} come in time and in full"));
}

/// Sales that were low because nothing was there: what was not sold is gone, and what can be helped is the next forecast that is
/// made of them.
pub(super) fn censored(gathered: &mut Gathered<'_>, exception: &Exception) {
    let Some((item, location)) = super::gathered::place_of(exception) else { return };
    let book = gathered.scene.book;
    let name = format!("{} at {}", book.item_label(&item), book.location_name(&location));
    gathered.escalate(&format!("whether the forecast of {name} was made of days without stock"), "demand planning");
    gathered.watch.get_or_insert_with(|| format!("{name} stays in stock"));
}

/// Goods that come at another price than their cost in the books: nobody owes anything, and the margin is another than it looks.
pub(super) fn cost_variance(gathered: &mut Gathered<'_>, exception: &Exception) {
    let Some(item) = &exception.signal.subject.item else { return };
    let label = gathered.scene.book.item_label(item);
    gathered.contact(&Question {
        role: Role::DataOwner,
        partner: "data owner",
        about: &format!("the cost of {label}, which is not what it is bought at"),
        keys: &[],
        left: 1.0,
        latest: gathered.today_plus(14),
        source: item_ref(item),
    });
    gathered.escalate(&format!("whether {label} still sells at a price that its cost allows"), "sales price review");
}

/// A late supplier that nobody can stand in for: the shortage says what it costs, a person who else could sell it.
pub(super) fn single_source(gathered: &mut Gathered<'_>, exception: &Exception) {
    let Some(item) = &exception.signal.subject.item else { return };
    let label = gathered.scene.book.item_label(item);
    gathered.escalate(&format!("who else could sell {label}"), "purchasing");
}

/// Master data that block the arithmetic: what is wrong is known, what it costs is not.
pub(super) fn master_data(gathered: &mut Gathered<'_>, exception: &Exception) {
    let subject = &exception.signal.subject;
    if let Some(item) = &subject.item {
        let label = gathered.scene.book.item_label(item);
        // What is missing is told as missing, never taken for zero: the case then asks and suggests nothing.
        gathered.cost(item);
        if gathered.scene.book.items.get(item).is_some_and(|i| i.list_price.is_none()) {
            gathered.miss(format!("list price of {label}"), "the margin of a lost sale");
        }
        if gathered.scene.book.supplier_prices(item, gathered.scene.book.today).is_empty() {
            gathered.miss(format!("supplier with a valid price for {label}"), "a purchase order");
        }
    }
    if let Some(item) = &subject.item {
        super::act::fix_master::missing_cost(gathered, item);
    }
    let source = subject.item.as_ref().map_or_else(
        || RecordRef::new(RecordKind::Supplier, subject.supplier.as_ref().map_or("unknown", |s| s.as_str())),
        item_ref,
    );
    gathered.contact(&Question {
        role: Role::DataOwner,
        partner: "data owner",
        about: &exception.signal.headline.clone(),
        keys: &[],
        left: 1.0,
        latest: gathered.today_plus(14),
        source,
    });
    gathered.escalate("which value the master data should carry", "data owner");
}

/// An order that is overdue as a whole. Its goods are not here, and nobody pays for holding them: what it can cost is the margin
/// that its items lose, which is counted as the shortage of each. When it comes is asked even where nothing is short.
pub(super) fn overdue_order(gathered: &mut Gathered<'_>, exception: &Exception) {
    let book = gathered.scene.book;
    let mut value = Money::ZERO;
    let mut first = None;
    for line in super::lines_of(gathered.scene, exception) {
        let open = book.open_quantity(&line.id);
        if !open.is_positive() {
            continue;
        }
        first = first.or(Some(line));
        let label = format!("still to come on {}", line.order_name);
        gathered.fact(line_ref(&line.id), "open", &label, FactValue::Quantity(open));
        if let Some(price) = line.price {
            value += open * price;
            gathered.fact(line_ref(&line.id), "price", "agreed price", FactValue::Price(price));
        }
    }
    let Some(line) = first else { return };
    let late = days_between(book.calendar.day_of(line.promised_first), book.today).max(0);
    gathered.fact(line_ref(&line.id), "open_value", "value still to come", FactValue::Money(value));
    gathered.fact(line_ref(&line.id), "overdue_days", "days after the first promise", FactValue::days(f64::from(late)));
    super::act::contact::ask_overdue(gathered, &line.id, &[]);
    let name = line.order_name.clone();
    gathered.watch.get_or_insert_with(|| format!("{name} is received, or promised again"));
}
