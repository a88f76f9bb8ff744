//! Matching: what was billed against what was received and agreed (handbook §3.4 three-way match, §4.3).
//!
//! All arithmetic here is exact. A bill that repeats another (`duplicate`) is taken out before quantities are compared, so
//! that one duplicate does not look like a wrong quantity on each of its lines; what was taken back is not in the book's bills.

use jiff::civil::Date;

use super::duplicate;
use super::facts::{fact, line_facts, record};
use crate::settings::Settings;
use reeve_domain::ahead::Excess;
use reeve_domain::book::Book;
use reeve_domain::calendar::days_between;
use reeve_domain::evidence::FactValue;
use reeve_domain::exception::{ExceptionType as T, Signal, Subject};
use reeve_domain::money::{Money, Quantity, UnitPrice};
use reeve_domain::record::{BillLine, PurchaseLine, RecordKind};

const DETECTOR: &str = "matching-rules/2";

/// Everything that matching has to say on the book's day.
pub(super) fn signals(book: &Book, settings: &Settings) -> Vec<Signal> {
    let mut found = duplicate::signals(book);
    for line in book.po_lines.values().filter(|l| l.confirmed) {
        let billed = book.asked(&line.id);
        found.extend(price(book, settings, line, &billed));
        found.extend(quantity(book, settings, line, &billed));
        found.extend(order_price(book, settings, line, &billed));
    }
    found
}

fn subject_of(line: &PurchaseLine, bill: Option<&BillLine>) -> Subject {
    Subject {
        item: Some(line.item.clone()),
        location: Some(line.location.clone()),
        supplier: Some(line.supplier.clone()),
        order: Some(line.order_id.clone()),
        po_line: Some(line.id.clone()),
        bill: bill.map(|b| b.bill_id.clone()),
        document: None,
    }
}

fn bill_facts(book: &Book, bill: &BillLine) -> Vec<reeve_domain::evidence::Fact> {
    let source = || record(RecordKind::BillLine, &bill.id);
    let mut facts = vec![
        fact(book, source(), "qty", "billed", FactValue::Quantity(bill.qty)),
        fact(book, source(), "bill", "bill", FactValue::Text(bill.bill_name.clone())),
        fact(book, source(), "bill_date", "bill date", FactValue::Date(bill.billed_on)),
    ];
    facts.extend(bill.price.map(|p| fact(book, source(), "price", "billed price", FactValue::Price(p))));
    facts.extend(bill.due_on.map(|due| fact(book, source(), "due", "bill due", FactValue::Date(due))));
    facts
}

/// F-PRICE on a bill: the bill's price against the order's. Passes only within both tolerances (§3.5).
fn price(book: &Book, settings: &Settings, line: &PurchaseLine, billed: &[&BillLine]) -> Option<Signal> {
    let agreed = line.price?;
    // Only what is unpaid: of a paid bill nothing can be held back any more.
    let bill = billed.iter().find(|b| {
        book.is_unpaid(b) && b.qty.is_positive() && asked_price(b).is_some_and(|p| !passes(settings, agreed, p, b.qty))
    })?;
    let asked = bill.price?;
    let variance = bill.qty * UnitPrice(asked.0 - agreed.0);
    let direction = if variance > Money::ZERO { "above the order" } else { "in our favour" };
    let headline = format!(
        "{} billed {} at {asked} on {}, ordered at {agreed}: {} {direction} for {} units.",
        book.supplier_name(&line.supplier),
        book.item_label(&line.item),
        bill.bill_name,
        variance.abs(),
        bill.qty
    );
    Some(price_signal(book, line, bill, variance, headline))
}

/// What a unit is billed at; goods that are given free have no price to compare.
fn asked_price(bill: &BillLine) -> Option<UnitPrice> {
    bill.price.filter(|p| p.0 > rust_decimal::Decimal::ZERO)
}

fn price_signal(book: &Book, line: &PurchaseLine, bill: &BillLine, variance: Money, headline: String) -> Signal {
    let difference =
        fact(book, record(RecordKind::BillLine, &bill.id), "price_variance", "price variance", FactValue::Money(variance));
    let days = (bill.billed_on, bill.billed_on);
    Signal::rule(DETECTOR, T::FPrice, subject_of(line, Some(bill)), format!("bill {}", bill.bill_id), days, headline)
        .link(format!("line:{}", line.id))
        .with(line_facts(book, line))
        .with(bill_facts(book, bill))
        .with([difference])
}

fn passes(settings: &Settings, agreed: UnitPrice, asked: UnitPrice, qty: Quantity) -> bool {
    let off = UnitPrice(asked.0 - agreed.0);
    let share = off.to_f64().abs() <= agreed.to_f64() * settings.tolerances.price_percent / 100.0 + 1e-9;
    // Both sides have to pass: two per cent of a large line are money, and a cent on a nail is a large share.
    share && (qty * off).abs() <= settings.tolerances.price_line
}

/// F-PRICE on an order: the order's price against the supplier's price list, before any bill comes.
fn order_price(book: &Book, settings: &Settings, line: &PurchaseLine, billed: &[&BillLine]) -> Option<Signal> {
    let ordered_on = book.calendar.day_of(line.ordered_at);
    let asked = line.price?;
    let listed = book.list_entry(line)?;
    let agreed = book.list_price(line, listed)?;
    if passes(settings, agreed, asked, line.qty) || !still_matters(book, settings, line, billed) {
        return None;
    }
    // The supplier billed what the list says: nothing hangs on the order's price any more.
    if !billed.is_empty() && billed.iter().all(|b| asked_price(b).is_some_and(|p| passes(settings, agreed, p, b.qty))) {
        return None;
    }
    let variance = line.qty * UnitPrice(asked.0 - agreed.0);
    let direction = if variance > Money::ZERO { "above the agreement" } else { "in our favour" };
    let as_ordered = |b: &&BillLine| asked_price(b).is_some_and(|p| passes(settings, asked, p, b.qty));
    let billed_so = if billed.iter().any(as_ordered) { ", and billed as ordered" } else { "" };
    let headline = format!(
        "{} {} is ordered from {} at {asked}, the price list says {agreed}: {} {direction} for {} units{billed_so}.",
        line.order_name,
        book.item_label(&line.item),
        book.supplier_name(&line.supplier),
        variance.abs(),
        line.qty
    );
    let facts = [
        fact(book, record(RecordKind::SupplierPrice, &listed.id), "price", "price list", FactValue::Price(agreed)),
        fact(
            book,
            record(RecordKind::PoLine, &line.id),
            "order_variance",
            "order beyond the list price",
            FactValue::Money(variance),
        ),
    ];
    let days = (ordered_on, ordered_on);
    let signal = Signal::rule(DETECTOR, T::FPrice, subject_of(line, None), "order".to_owned(), days, headline);
    Some(signal.link(format!("line:{}", line.id)).with(line_facts(book, line)).with(facts))
}

/// An order's price can be put right until the bill is paid; without a bill, until the goods are long in.
fn still_matters(book: &Book, settings: &Settings, line: &PurchaseLine, billed: &[&BillLine]) -> bool {
    if let Some(bill) = billed.first() {
        return book.is_unpaid(bill);
    }
    let last: Option<Date> =
        book.receipts(&line.id).iter().filter_map(|m| m.done_at).max().map(|at| book.calendar.day_of(at));
    last.is_none_or(|day| days_between(day, book.today) <= settings.detect.claim_days * 2)
}

/// F-QTY: billed more than received, over all bills and credit notes of a line. What is billed before it comes counts once it
/// is late, or where the bill must be paid before it comes.
fn quantity(book: &Book, settings: &Settings, line: &PurchaseLine, billed: &[&BillLine]) -> Option<Signal> {
    let bill = billed.iter().rev().find(|b| b.qty.is_positive() && book.is_unpaid(b))?;
    // Receipts that went back to be replaced count too: the supplier may bill them.
    let received = book.billable(line);
    let total: Quantity = billed.iter().map(|b| b.qty).sum();
    let excess = Excess::of(book, line, total, received, settings.tolerances.late_days);
    let habit = excess.habit(book, line);
    let held = excess.holds_back(bill.due_on, habit);
    let over = if held { excess.over } else { excess.never() };
    // The tolerance is on the sum over all bills, or many small ones would hide a large one.
    let within = over.to_f64() <= settings.tolerances.quantity_units
        || over.to_f64() <= received.to_f64() * settings.tolerances.quantity_percent / 100.0;
    if within {
        return None;
    }
    let agreed = line.price?;
    let variance = over * agreed;
    let billed = format!(
        "{} billed {total} of {} on {}, {received} were received",
        book.supplier_name(&line.supplier),
        book.item_label(&line.item),
        bill.bill_name
    );
    let (outstanding, expected) = (excess.outstanding, excess.expected);
    let headline = if !held {
        format!("{billed}: {over} too many, {variance} at the order's price.")
    } else if excess.late {
        format!(
            "{billed}, {outstanding} are outstanding since {expected}: {over} billed and not here, {variance} at the order's price."
        )
    } else {
        let due = bill.due_on.map_or_else(|| "at once".to_owned(), |due| format!("on {due}"));
        format!(
            "{billed}, {outstanding} are promised for {expected}: the bill is due {due}, {variance} would be paid before the goods come."
        )
    };
    let source = || record(RecordKind::PoLine, &line.id);
    let mut facts = vec![
        fact(book, source(), "billed", "billed in all", FactValue::Quantity(total)),
        fact(book, source(), "quantity_variance", "quantity variance", FactValue::Money(variance)),
    ];
    if excess.outstanding.is_positive() {
        facts.push(fact(book, source(), "outstanding", "billed and still to come", FactValue::Quantity(outstanding)));
        facts.push(fact(book, source(), "rest_expected", "the rest is expected", FactValue::Date(expected)));
    }
    if held && habit.lines > 0 {
        let words = format!("{} of {} orders that came in parts", habit.whole, habit.lines);
        facts.push(fact(book, source(), "billed_ahead", "billed whole before all had come", FactValue::Text(words)));
    }
    let days = (bill.billed_on, bill.billed_on);
    let signal =
        Signal::rule(DETECTOR, T::FQty, subject_of(line, Some(bill)), format!("bill {}", bill.bill_id), days, headline);
    Some(signal.link(format!("line:{}", line.id)).with(line_facts(book, line)).with(bill_facts(book, bill)).with(facts))
}
