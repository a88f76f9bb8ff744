//! Matching: what was billed against what was received and agreed (handbook §3.4 three-way match, §4.3).
//!
//! All arithmetic here is exact. A bill that repeats another is taken out before quantities are compared, so that one
//! duplicate does not look like a wrong quantity on each of its lines.

use std::collections::{BTreeMap, BTreeSet};

use jiff::civil::Date;

use super::facts::{fact, line_facts, record};
use crate::config::Config;
use crate::domain::book::{Book, numeric};
use crate::domain::calendar::days_between;
use crate::domain::evidence::FactValue;
use crate::domain::exception::{ExceptionType as T, Signal, Subject};
use crate::domain::money::{Money, Quantity, UnitPrice};
use crate::domain::record::{BillLine, PurchaseLine, RecordKind};

const DETECTOR: &str = "matching-rules/1";

/// Days between two bills that can still be the same one (handbook §4.3).
const DUPLICATE_DAYS: i32 = 3;

/// Everything that matching has to say on the book's day.
pub(super) fn signals(book: &Book, config: &Config) -> Vec<Signal> {
    let bills = bills(book);
    let mut found = Vec::new();
    let mut doubled = BTreeSet::new();
    for (i, later) in bills.iter().enumerate() {
        if let Some(earlier) = bills[..i].iter().find(|earlier| same_bill(earlier, later)) {
            doubled.insert(later.id);
            found.extend(duplicate(book, earlier, later));
        }
    }
    for line in book.po_lines.values().filter(|l| l.confirmed) {
        let billed: Vec<&BillLine> =
            book.bills(&line.id).into_iter().filter(|b| !doubled.contains(b.bill_id.as_str())).collect();
        found.extend(price(book, config, line, &billed));
        found.extend(quantity(book, config, line, &billed));
        found.extend(order_price(book, config, line, &billed));
    }
    found
}

/// A bill, put together from its lines.
struct Bill<'a> {
    id: &'a str,
    first: &'a BillLine,
    lines: Vec<&'a BillLine>,
}

fn bills(book: &Book) -> Vec<Bill<'_>> {
    let mut by_id: BTreeMap<&str, Vec<&BillLine>> = BTreeMap::new();
    for line in book.bill_lines.values() {
        by_id.entry(&line.bill_id).or_default().push(line);
    }
    let mut bills: Vec<Bill<'_>> = by_id.into_iter().map(|(id, lines)| Bill { id, first: lines[0], lines }).collect();
    bills.sort_by(|a, b| (a.first.created_at, numeric(a.id)).cmp(&(b.first.created_at, numeric(b.id))));
    bills
}

fn total(lines: &[&BillLine]) -> Option<Money> {
    lines.iter().map(|l| l.price.map(|p| l.qty * p)).sum()
}

/// The same supplier, the same lines or the same number, the same amount, a few days apart.
fn same_bill(a: &Bill<'_>, b: &Bill<'_>) -> bool {
    let lines = |bill: &Bill<'_>| {
        let mut lines: Vec<_> = bill.lines.iter().map(|l| (l.po_line.clone(), l.item.clone(), l.qty, l.price)).collect();
        lines.sort();
        lines
    };
    let apart = days_between(a.first.billed_on, b.first.billed_on).abs();
    let same_reference = !a.first.reference.is_empty() && a.first.reference == b.first.reference;
    a.first.supplier == b.first.supplier
        && apart <= DUPLICATE_DAYS
        && b.first.qty.is_positive()
        && total(&a.lines).is_some()
        && total(&a.lines) == total(&b.lines)
        && (same_reference || lines(a) == lines(b))
}

/// F-DUPBILL
fn duplicate(book: &Book, earlier: &Bill<'_>, later: &Bill<'_>) -> Option<Signal> {
    if later.first.paid || credited(book, later) {
        return None;
    }
    let amount = total(&later.lines)?;
    let supplier = book.supplier_name(&later.first.supplier);
    let headline = format!(
        "{supplier} billed {amount} twice: {} repeats {} line by line ({} and {}).",
        later.first.bill_name, earlier.first.bill_name, later.first.reference, earlier.first.reference
    );
    let subject = Subject {
        supplier: Some(later.first.supplier.clone()),
        bill: Some(later.id.to_owned()),
        document: Some(earlier.id.to_owned()),
        ..Subject::default()
    };
    let source = |bill: &Bill<'_>| record(RecordKind::BillLine, &bill.first.id);
    let mut facts = vec![
        fact(book, source(later), "bill_total", "bill amount", FactValue::Money(amount)),
        fact(book, source(later), "bill_date", "bill date", FactValue::Date(later.first.billed_on)),
        fact(book, source(earlier), "bill_total", "amount of the earlier bill", FactValue::Money(amount)),
        fact(book, source(earlier), "bill_date", "date of the earlier bill", FactValue::Date(earlier.first.billed_on)),
        fact(book, source(later), "reference", "supplier's number", FactValue::Text(later.first.reference.clone()))
            .from_outside(),
        fact(
            book,
            source(earlier),
            "reference",
            "number of the earlier one",
            FactValue::Text(earlier.first.reference.clone()),
        )
        .from_outside(),
    ];
    facts.extend(later.first.due_on.map(|due| fact(book, source(later), "due", "bill due", FactValue::Date(due))));
    let days = (earlier.first.billed_on, later.first.billed_on);
    let signal = Signal::rule(DETECTOR, T::FDupBill, subject, "bill".to_owned(), days, headline);
    Some(signal.link(format!("bill:{}", later.id)).with(facts))
}

fn credited(book: &Book, bill: &Bill<'_>) -> bool {
    book.bill_lines.values().any(|l| !l.qty.is_positive() && l.origin == bill.first.bill_name)
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

fn bill_facts(book: &Book, bill: &BillLine) -> Vec<crate::domain::evidence::Fact> {
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
fn price(book: &Book, config: &Config, line: &PurchaseLine, billed: &[&BillLine]) -> Option<Signal> {
    let agreed = line.price?;
    let bill = billed
        .iter()
        .find(|b| !b.paid && b.qty.is_positive() && b.price.is_some_and(|p| !passes(config, agreed, p, b.qty)))?;
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

fn passes(config: &Config, agreed: UnitPrice, asked: UnitPrice, qty: Quantity) -> bool {
    let off = UnitPrice(asked.0 - agreed.0);
    let share = off.to_f64().abs() <= agreed.to_f64() * config.tolerances.price_percent / 100.0 + 1e-9;
    share && (qty * off).abs() <= config.tolerances.price_line
}

/// F-PRICE on an order: the order's price against the supplier's price list, before any bill comes.
fn order_price(book: &Book, config: &Config, line: &PurchaseLine, billed: &[&BillLine]) -> Option<Signal> {
    let ordered_on = book.calendar.day_of(line.ordered_at);
    let asked = line.price?;
    let listed = book.list_entry(line)?;
    let agreed = book.list_price(line, listed)?;
    if passes(config, agreed, asked, line.qty) || !still_matters(book, config, line, billed) {
        return None;
    }
    let variance = line.qty * UnitPrice(asked.0 - agreed.0);
    let direction = if variance > Money::ZERO { "above the agreement" } else { "in our favour" };
    let headline = format!(
        "{} {} is ordered from {} at {asked}, the price list says {agreed}: {} {direction} for {} units.",
        line.order_name,
        book.item_label(&line.item),
        book.supplier_name(&line.supplier),
        variance.abs(),
        line.qty
    );
    let facts = [
        fact(book, record(RecordKind::SupplierPrice, &listed.id), "price", "price list", FactValue::Price(agreed)),
        fact(book, record(RecordKind::PoLine, &line.id), "price_variance", "price variance", FactValue::Money(variance)),
    ];
    let days = (ordered_on, ordered_on);
    let signal = Signal::rule(DETECTOR, T::FPrice, subject_of(line, None), "order".to_owned(), days, headline);
    Some(signal.link(format!("line:{}", line.id)).with(line_facts(book, line)).with(facts))
}

/// An order's price can be put right until the bill is paid; without a bill, until the goods are long in.
fn still_matters(book: &Book, config: &Config, line: &PurchaseLine, billed: &[&BillLine]) -> bool {
    if let Some(bill) = billed.first() {
        return !bill.paid;
    }
    let last: Option<Date> =
        book.receipts(&line.id).iter().filter_map(|m| m.done_at).max().map(|at| book.calendar.day_of(at));
    last.is_none_or(|day| days_between(day, book.today) <= config.detect.claim_days * 2)
}

/// F-QTY: billed more than received, over all bills and credit notes of a line.
fn quantity(book: &Book, config: &Config, line: &PurchaseLine, billed: &[&BillLine]) -> Option<Signal> {
    let bill = billed.iter().rev().find(|b| b.qty.is_positive() && !b.paid)?;
    let received = book.billable(line);
    let total: Quantity = billed.iter().map(|b| b.qty).sum();
    let over = total - received;
    let within = over.to_f64() <= config.tolerances.quantity_units
        || over.to_f64() <= received.to_f64() * config.tolerances.quantity_percent / 100.0;
    let pending = !received.is_positive() && book.today <= book.calendar.day_of(line.promised);
    if within || pending {
        return None;
    }
    let agreed = line.price?;
    let variance = over * agreed;
    let headline = format!(
        "{} billed {total} of {} on {}, {received} were received: {over} too many, {variance} at the order's price.",
        book.supplier_name(&line.supplier),
        book.item_label(&line.item),
        bill.bill_name
    );
    let facts = [
        fact(book, record(RecordKind::PoLine, &line.id), "billed", "billed in all", FactValue::Quantity(total)),
        fact(
            book,
            record(RecordKind::PoLine, &line.id),
            "quantity_variance",
            "quantity variance",
            FactValue::Money(variance),
        ),
    ];
    let days = (bill.billed_on, bill.billed_on);
    let signal =
        Signal::rule(DETECTOR, T::FQty, subject_of(line, Some(bill)), format!("bill {}", bill.bill_id), days, headline);
    Some(signal.link(format!("line:{}", line.id)).with(line_facts(book, line)).with(bill_facts(book, bill)).with(facts))
}
