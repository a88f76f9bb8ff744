//! F-DUPBILL: a bill that asks again for what another asked (handbook §4.3), with what speaks for it and against it as facts.

use super::facts::{fact, record};
use reeve_domain::bill::{Bill, ROUNDING};
use reeve_domain::book::Book;
use reeve_domain::evidence::{Fact, FactValue};
use reeve_domain::exception::{ExceptionType as T, Signal, Subject};
use reeve_domain::money::Money;
use reeve_domain::record::RecordKind;
use reeve_domain::repeat::Repeat;

const DETECTOR: &str = "matching-rules/2";

/// A signal for each bill that repeats another.
pub(super) fn signals(book: &Book) -> Vec<Signal> {
    let find = |id: &str| Bill::of_lines(book.lines_of_bill(id)).pop();
    let both = |repeat: &Repeat| signal(book, repeat, &find(&repeat.earlier)?, &find(&repeat.later)?);
    book.repeats().iter().filter_map(both).collect()
}

fn signal(book: &Book, repeat: &Repeat, earlier: &Bill<'_>, later: &Bill<'_>) -> Option<Signal> {
    let credited = book.taken_back(later.id).map_or(Money::ZERO, |taken| taken.credited);
    // What was credited is not paid again. A bill in another currency
    // without a rate has no amount, and is told all the same.
    let amount = later.total().map(|total| total - credited);
    if amount.is_some_and(|amount| amount <= ROUNDING) {
        return None;
    }
    let days = (earlier.first.billed_on, later.first.billed_on);
    let subject = Subject {
        supplier: Some(later.first.supplier.clone()),
        bill: Some(later.id.to_owned()),
        document: Some(earlier.id.to_owned()),
        ..Subject::default()
    };
    let headline = headline(book, repeat, earlier, later, amount);
    let mut signal = Signal::rule(DETECTOR, T::FDupBill, subject, "bill".to_owned(), days, headline);
    signal.score = repeat.score;
    let facts = facts(book, repeat, earlier, later, amount);
    let mut signal = signal.link(format!("bill:{}", later.id));
    if !repeat.is_taken() {
        // The bill check of its lines counts the bill too: what is billed beyond receipts is the same money.
        for line in later.lines.iter().filter_map(|l| l.po_line.as_ref()) {
            signal = signal.link(format!("line:{line}"));
        }
    }
    Some(signal.with(facts))
}

fn headline(book: &Book, repeat: &Repeat, earlier: &Bill<'_>, later: &Bill<'_>, amount: Option<Money>) -> String {
    let supplier = book.supplier_name(&later.first.supplier);
    let amount = amount.map_or_else(|| "an amount in another currency".to_owned(), |amount| amount.to_string());
    let (how, line_by_line) = match (repeat.same_lines, repeat.same_amount) {
        (true, _) => ("repeats", " line by line"),
        (false, true) => ("repeats", ""),
        (false, false) => ("carries the number and another amount of", ""),
    };
    let numbers = |bill: &Bill<'_>| match bill.first.reference.trim() {
        "" => "no number".to_owned(),
        number => number.to_owned(),
    };
    let doubt = if repeat.score < 0.5 { " perhaps" } else { "" };
    let paid = if repeat.paid { ", and both are paid" } else { "" };
    format!(
        "{supplier}{doubt} billed {amount} twice: {} {how} {}{line_by_line} ({} and {}){paid}.",
        later.first.bill_name,
        earlier.first.bill_name,
        numbers(later),
        numbers(earlier)
    )
}

fn facts(book: &Book, repeat: &Repeat, earlier: &Bill<'_>, later: &Bill<'_>, amount: Option<Money>) -> Vec<Fact> {
    let source = |bill: &Bill<'_>| record(RecordKind::BillLine, &bill.first.id);
    let date =
        |bill: &Bill<'_>, label: &str| fact(book, source(bill), "bill_date", label, FactValue::Date(bill.first.billed_on));
    let number = |bill: &Bill<'_>, label: &str| {
        fact(book, source(bill), "reference", label, FactValue::Text(bill.first.reference.clone())).from_outside()
    };
    let total = |bill: &Bill<'_>, label: &str, total: Option<Money>| {
        total.map(|total| fact(book, source(bill), "bill_total", label, FactValue::Money(total)))
    };
    let mut facts = vec![
        date(later, "bill date"),
        date(earlier, "date of the earlier bill"),
        number(later, "supplier's number"),
        number(earlier, "number of the earlier one"),
    ];
    facts.extend(total(later, "bill amount", amount));
    facts.extend(total(earlier, "amount of the earlier bill", earlier.total()));
    facts.extend(later.first.due_on.map(|due| fact(book, source(later), "due", "bill due", FactValue::Date(due))));
    for (nth, evidence) in repeat.evidence.iter().enumerate() {
        let (field, label) = if evidence.pro { ("for", "speaks for a duplicate") } else { ("against", "speaks against it") };
        facts.push(fact(
            book,
            source(later),
            &format!("{field}_{}", nth + 1),
            label,
            FactValue::Text(evidence.what.clone()),
        ));
    }
    facts
}
