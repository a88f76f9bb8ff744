//! Supply: lead times that have moved away from the master value, and master data that block the arithmetic
//! (handbook §4.5).

use std::collections::BTreeSet;

use crate::domain::action::Range;
use crate::domain::book::Place;
use crate::domain::calendar::days_between;
use crate::domain::evidence::FactValue;
use crate::domain::exception::Exception;
use crate::domain::money::Money;
use crate::domain::record::{PurchaseLine, RecordKind, RecordRef};
use crate::domain::workings::Made;
use crate::models::formulas;

use super::desk::{Desk, Question, item_ref, range, units};
use super::projection;

/// Share of the policy cost that remains after the supplier was asked to return to the agreed lead time.
const LEFT_AFTER_CONTACT: f64 = 0.9;

/// A lead time that is no longer the one the master data say: safety stock sized for the wrong one, over a year, and the
/// margin a reorder point that is too low loses in the next cycle.
pub(super) fn lead_time_shift(desk: &mut Desk<'_>, exception: &Exception) {
    let view = desk.view;
    let book = view.book;
    let Some(supplier) = &exception.signal.subject.supplier else { return };
    let source = RecordRef::new(RecordKind::Supplier, supplier.as_str());
    let company = super::desk::company_of(view);
    let places: BTreeSet<Place> = book
        .po_lines
        .values()
        .filter(|l| &l.supplier == supplier && l.confirmed && book.company_of(&l.location) == company)
        .map(|l| (l.item.clone(), l.location.clone()))
        .collect();
    let z = projection::service_z(view);
    let mut keys = Vec::new();
    for place in places {
        let (item, location) = &place;
        let terms = book.supplier_prices_at(item, location, book.today);
        let listed = terms.into_iter().find(|p| &p.supplier == supplier).map(|p| p.lead_days);
        let (Some(listed), Some(lead)) = (listed, projection::lead_time(book, &place, supplier)) else { continue };
        if !view.outlook.daily.contains_key(&place) {
            continue;
        }
        let Some((margin, mut cites)) = desk.margin(item) else { continue };
        let Some(cost) = desk.cost(item) else { continue };
        let (rate, rate_cite) = desk.holding(item);
        let (recapture, recapture_cite) = desk.recapture(item);
        let (mu_d, sigma_d) = view.outlook.per_day(&place);
        let old = f64::from(listed);
        let (old_mu, old_sigma) = formulas::lead_time_demand(mu_d, sigma_d, old, 0.0);
        let (new_mu, new_sigma) = formulas::lead_time_demand(mu_d, sigma_d, lead.days, lead.sd);
        let (old_safety, new_safety) = (formulas::safety_stock(z, old_sigma), formulas::safety_stock(z, new_sigma));
        let held = formulas::holding_cost((new_safety - old_safety).abs(), cost.price.to_f64(), rate, 365.0);
        let short = formulas::expected_shortage(new_mu, new_sigma, formulas::reorder_point(old_mu, old_safety))
            - formulas::expected_shortage(new_mu, new_sigma, formulas::reorder_point(new_mu, new_safety));
        let lost = formulas::lost_margin(short.max(0.0), margin, recapture);
        let amount = range(held, held + lost, held + 2.0 * lost);
        cites.extend([rate_cite, recapture_cite]);
        cites.push(desk.item_fact(
            item,
            &format!("listed_lead@{supplier}"),
            "lead time in the master data",
            FactValue::days(old),
        ));
        cites.push(desk.item_fact(
            item,
            &format!("lead_time@{supplier}"),
            "lead time of an order",
            FactValue::days(lead.days),
        ));
        cites.push(desk.place_fact(
            item,
            location,
            "safety_listed",
            "safety stock for the listed lead time",
            units(old_safety),
        ));
        cites.push(desk.place_fact(
            item,
            location,
            "safety_needed",
            "safety stock for the real lead time",
            units(new_safety),
        ));
        let label = "yearly policy cost of the lead time";
        cites.push(desk.place_fact(item, location, "policy_cost", label, FactValue::Money(amount.expected)));
        let key = format!("policy:{item}@{location}");
        let name = format!("{} at {}", book.item_label(item), book.location_name(location));
        let (cost, lead_sd) = (cost.price, lead.sd);
        let made = Made::LeadTime { daily: mu_d, sigma: sigma_d, listed: old, lead: lead.days, lead_sd, cost, margin };
        desk.lose_by(&key, format!("{label}: {name}"), amount, cites, made);
        keys.push(key);
    }
    let name = book.supplier_name(supplier);
    desk.contact(&Question {
        role: "supplier",
        partner: supplier.as_str(),
        about: "the lead time, which has moved away from the agreed one",
        keys: &keys,
        left: LEFT_AFTER_CONTACT,
        latest: desk.today_plus(14),
        source,
    });
    desk.escalate("which lead time the master data should carry", "purchasing (master data)");
    desk.watch.get_or_insert_with(|| format!("the next receipts from {name} keep to the lead time"));
}

/// Master data that block the arithmetic: what is wrong is known, what it costs is not.
pub(super) fn master_data(desk: &mut Desk<'_>, exception: &Exception) {
    let subject = &exception.signal.subject;
    if let Some(item) = &subject.item {
        let label = desk.view.book.item_label(item);
        desk.cost(item);
        if desk.view.book.items.get(item).is_some_and(|i| i.list_price.is_none()) {
            desk.miss(format!("list price of {label}"), "the margin of a lost sale");
        }
        if desk.view.book.supplier_prices(item, desk.view.book.today).is_empty() {
            desk.miss(format!("supplier with a valid price for {label}"), "a purchase order");
        }
    }
    let source = subject.item.as_ref().map_or_else(
        || RecordRef::new(RecordKind::Supplier, subject.supplier.as_ref().map_or("unknown", |s| s.as_str())),
        item_ref,
    );
    desk.contact(&Question {
        role: "data owner",
        partner: "data owner",
        about: &exception.signal.headline.clone(),
        keys: &[],
        left: 1.0,
        latest: desk.today_plus(14),
        source,
    });
    desk.escalate("which value the master data should carry", "data owner");
}

/// An order that is overdue as a whole: nothing but the question, where no shortage is expected from it.
pub(super) fn overdue_order(desk: &mut Desk<'_>, exception: &Exception) {
    let book = desk.view.book;
    let subject = &exception.signal.subject;
    let lines = match (&subject.po_line, &subject.order) {
        (Some(line), _) => book.po_lines.get(line).into_iter().collect(),
        (None, Some(order)) => book.lines_of_order(order),
        (None, None) => Vec::new(),
    };
    let mut value = Money::ZERO;
    let mut cites = Vec::new();
    let mut first = None;
    for line in lines {
        let open = book.open_quantity(&line.id);
        if !open.is_positive() {
            continue;
        }
        first = first.or(Some(line));
        let source = super::desk::line_ref(&line.id);
        cites.push(desk.fact(
            source.clone(),
            "open",
            &format!("still to come on {}", line.order_name),
            FactValue::Quantity(open),
        ));
        if let Some(price) = line.price {
            value += open * price;
            cites.push(desk.fact(source, "price", "agreed price", FactValue::Price(price)));
        }
    }
    let Some(line) = first else { return };
    let source = super::desk::line_ref(&line.id);
    cites.push(desk.fact(source.clone(), "open_value", "value still to come", FactValue::Money(value)));
    let key = format!("overdue:{}", line.order_id);
    // What is not here on time has to be bridged: the holding cost of the open value over the days it is late.
    let place = (line.item.clone(), line.location.clone());
    let ahead = projection::arrivals(book, &place).iter().find(|a| a.po_line == line.id).map_or(0, |a| a.day);
    let late = days_between(book.calendar.day_of(line.promised), book.today).max(0) + projection::in_days(ahead);
    if let Some(owner) = desk.delays_elsewhere(line) {
        let note = FactValue::Text(format!("counted in {owner}"));
        cites.push(desk.fact(source, "counted_elsewhere", "cost of bridging the delay", note));
        let what = format!("bridging the delay of {}, counted in another case", line.order_name);
        desk.lose(&key, what, Range::default(), cites);
        ask_and_watch(desk, line, key);
        return;
    }
    let (rate, rate_cite) = desk.holding(&line.item);
    let held = formulas::holding_cost(value.to_f64(), 1.0, rate, f64::from(late));
    let amount = range(held / 2.0, held, held * 2.0);
    cites.push(rate_cite);
    cites.push(desk.fact(
        source.clone(),
        "overdue_days",
        "days late, with those expected",
        FactValue::days(f64::from(late)),
    ));
    cites.push(desk.fact(source, "overdue_cost", "cost of bridging the delay", FactValue::Money(amount.expected)));
    let made = Made::Overdue { value, days: f64::from(late) };
    desk.lose_by(&key, format!("bridging the delay of {}", line.order_name), amount, cites, made);
    ask_and_watch(desk, line, key);
}

fn ask_and_watch(desk: &mut Desk<'_>, line: &PurchaseLine, key: String) {
    super::replenish::ask_overdue(desk, &line.id, &[key]);
    let name = line.order_name.clone();
    desk.watch.get_or_insert_with(|| format!("{name} is received, or promised again"));
}
