//! What no rule sees: lines within every tolerance that are not their supplier's way.
//!
//! Each takes the type, the subject, the actions and the money of the like exception that a rule finds. Where a rule has spoken
//! of the same side of a line, that is the exception.

use reeve_domain::book::Book;
use reeve_domain::calendar::{days_between, plus_days};
use reeve_domain::evidence::FactValue;
use reeve_domain::exception::{ExceptionType as T, Signal, Subject};
use reeve_domain::money::{Money, Quantity, UnitPrice};
use reeve_domain::record::{BillLine, PurchaseLine, RecordKind};
use reeve_models::receiving::ReceivingKind as K;

use super::{Judged, words};
use crate::detect::facts::{fact, line_facts, record};
use crate::detect::receiving::subject_of_line;
use crate::settings::Settings;

/// What the detector is called in signals; behind it stands its version.
pub(crate) const DETECTOR: &str = "receiving-habits";

/// Sides of a line: of what a rule has said to one of them, nothing is left to say.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Side {
    Quantity,
    Day,
    Price,
}

fn side_of(code: T) -> Option<Side> {
    match code {
        T::RShort | T::ROver | T::RUom | T::RDup | T::RDamage | T::RAsn | T::FQty => Some(Side::Quantity),
        T::RLate | T::REarly | T::SOverdue | T::SDelay => Some(Side::Day),
        T::FPrice => Some(Side::Price),
        _ => None,
    }
}

/// What is found: type, until when it is news, and what happened in words without the habit.
struct Found<'b> {
    code: T,
    /// The last day on which it opens a case; None while a bill is unpaid.
    until: Option<i32>,
    what: String,
    bill: Option<&'b BillLine>,
    facts: Vec<reeve_domain::evidence::Fact>,
}

/// The signal of a line that the detector is sure of and no rule has spoken of; `ruled` are the types that rules have.
pub(super) fn signal(book: &Book, settings: &Settings, judged: &Judged<'_>, ruled: &[T]) -> Option<Signal> {
    if 1.0 - judged.probability() > settings.detect.false_share {
        return None;
    }
    let line = judged.line;
    let found = match judged.score.kind {
        K::Short => short(book, settings, line),
        K::Over | K::DuplicateReceipt | K::WrongUnit => over(book, settings, line),
        K::Late | K::Early => timing(book, settings, line),
        K::PriceUp | K::PriceDown => price(book, line),
        K::BilledNotReceived => billed(book, line),
    }?;
    if ruled.iter().any(|code| side_of(*code) == side_of(found.code)) {
        return None;
    }
    let kind = match found.code {
        T::ROver => K::Over,
        _ => judged.score.kind,
    };
    let habit = judged.habit(kind);
    let headline = format!("{} Within tolerance, but {}.", found.what, words::beside_habit(&habit));
    let (subject, period) = match found.bill {
        Some(bill) => (Subject { bill: Some(bill.bill_id.clone()), ..subject_of_line(line) }, format!("bill {}", bill.bill_id)),
        None => (subject_of_line(line), "line".to_owned()),
    };
    let complete = judged.score.complete;
    let detector = format!("{DETECTOR}/{}", habit.detector);
    let mut signal = Signal::rule(&detector, found.code, subject, period, (complete, complete), headline)
        .link(format!("line:{}", line.id))
        .with(line_facts(book, line))
        .with(found.facts)
        .with(judged.facts(book, &habit));
    if let Some(days) = found.until {
        signal = signal.opens_until(plus_days(complete, days));
    }
    signal.score = judged.probability();
    signal.drivers = words::drivers(&judged.score.features);
    signal.habit = Some(Box::new(habit));
    Some(signal)
}

fn short(book: &Book, settings: &Settings, line: &PurchaseLine) -> Option<Found<'static>> {
    let missing = book.missing(line);
    let what = format!(
        "{} delivered {} of {} {} on {}: {missing} short.",
        book.supplier_name(&line.supplier),
        line.qty - missing,
        line.qty,
        book.item_label(&line.item),
        line.order_name
    );
    let until = Some(settings.detect.claim_days);
    missing.is_positive().then_some(Found { code: T::RShort, until, what, bill: None, facts: Vec::new() })
}

fn over(book: &Book, settings: &Settings, line: &PurchaseLine) -> Option<Found<'static>> {
    let excess = book.excess(line);
    let what = format!(
        "{} delivered {} of {} for {} ordered on {}: {excess} too many.",
        book.supplier_name(&line.supplier),
        line.qty + excess,
        book.item_label(&line.item),
        line.qty,
        line.order_name
    );
    let until = Some(settings.detect.claim_days);
    excess.is_positive().then_some(Found { code: T::ROver, until, what, bill: None, facts: Vec::new() })
}

fn timing(book: &Book, settings: &Settings, line: &PurchaseLine) -> Option<Found<'static>> {
    let calendar = book.calendar_of(&line.location);
    let received = calendar.day_of(book.receipts(&line.id).first()?.done_at?);
    let promised = calendar.day_of(line.promised_first);
    let days = days_between(promised, received);
    let (code, off) = if days > 0 { (T::RLate, "late") } else { (T::REarly, "early") };
    let unit = if days.abs() == 1 { "day" } else { "days" };
    let what = format!(
        "{} of {} from {} came {} {unit} {off}: promised {promised}, received {received}.",
        book.item_label(&line.item),
        line.order_name,
        book.supplier_name(&line.supplier),
        days.abs(),
    );
    let source = || record(RecordKind::PoLine, &line.id);
    let facts = vec![
        fact(book, source(), "received_on", "first receipt", FactValue::Date(received)),
        fact(book, source(), "days_off", "days after the promise", FactValue::days(f64::from(days))),
    ];
    let until = Some(settings.detect.event_days);
    (days != 0).then_some(Found { code, until, what, bill: None, facts })
}

fn price<'b>(book: &'b Book, line: &PurchaseLine) -> Option<Found<'b>> {
    let agreed = line.price?;
    let unpaid = |bill: &&&BillLine| book.is_unpaid(bill) && bill.qty.is_positive() && bill.price.is_some_and(|p| p != agreed);
    let asked = book.asked(&line.id);
    let bill = *asked.iter().find(unpaid)?;
    let price = bill.price?;
    let variance = bill.qty * UnitPrice(price.0 - agreed.0);
    let direction = if variance > Money::ZERO { "above the order" } else { "in our favour" };
    let what = format!(
        "{} billed {} at {price} on {}, ordered at {agreed}: {} {direction} for {} units.",
        book.supplier_name(&line.supplier),
        book.item_label(&line.item),
        bill.bill_name,
        variance.abs(),
        bill.qty
    );
    let source = || record(RecordKind::BillLine, &bill.id);
    let facts = vec![
        fact(book, source(), "price", "billed price", FactValue::Price(price)),
        fact(book, source(), "price_variance", "price variance", FactValue::Money(variance)),
    ];
    (variance != Money::ZERO).then_some(Found { code: T::FPrice, until: None, what, bill: Some(bill), facts })
}

fn billed<'b>(book: &'b Book, line: &PurchaseLine) -> Option<Found<'b>> {
    let asked = book.asked(&line.id);
    let bill = *asked.iter().rev().find(|bill| bill.qty.is_positive() && book.is_unpaid(bill))?;
    let total: Quantity = asked.iter().map(|bill| bill.qty).sum();
    let received = book.billable(line);
    let over = total - received;
    let what = format!(
        "{} billed {total} of {} on {}, {received} were received: {over} too many.",
        book.supplier_name(&line.supplier),
        book.item_label(&line.item),
        bill.bill_name
    );
    let facts = vec![fact(
        book,
        record(RecordKind::PoLine, &line.id),
        "billed",
        "billed in all",
        FactValue::Quantity(total),
    )];
    over.is_positive().then_some(Found { code: T::FQty, until: None, what, bill: Some(bill), facts })
}
