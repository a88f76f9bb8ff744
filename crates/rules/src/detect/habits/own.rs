//! What no rule sees: lines within every tolerance that are not their supplier's way.
//!
//! Each takes the type, the subject, the actions and the money of the like exception that a rule finds. Where a rule has spoken
//! of the same side of a line, that is the exception.

use reeve_domain::book::Book;
use reeve_domain::calendar::{days_between, plus_days};
use reeve_domain::evidence::{Fact, FactValue};
use reeve_domain::exception::{ExceptionType as T, Signal, Subject};
use reeve_domain::habit::Habit;
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
    /// Days after it was complete for which it opens a case; None while a bill is unpaid.
    until: Option<i32>,
    what: String,
    bill: Option<&'b BillLine>,
    facts: Vec<Fact>,
    /// Is it within the tolerance that the rules have for it?
    within: bool,
}

/// Why a line is held to be none of its supplier's way.
struct Voice {
    kind: K,
    habit: Habit,
    p: f64,
    /// Is it the supplier's newest deliveries that say so, not the line by itself?
    by_run: bool,
}

/// The signal of a line that is surely odd and of which no rule has spoken; `ruled` are the types that rules have.
pub(super) fn signal(book: &Book, settings: &Settings, judged: &Judged<'_>, ruled: &[T]) -> Option<Signal> {
    let sure = |p: f64| 1.0 - p <= settings.detect.false_share;
    let said = |voice: &Voice| {
        let found = find(book, settings, judged.line, voice.kind)?;
        // A rule that has spoken of the same side has said it already, with a tolerance that a planner knows.
        (!ruled.iter().any(|code| side_of(*code) == side_of(found.code))).then_some(found)
    };
    let alone = Some(judged.probability()).filter(|p| sure(*p)).map(|p| {
        let kind = judged.score.kind;
        Voice { kind, habit: judged.habit(kind), p, by_run: false }
    });
    let runs = RUNS.into_iter().filter_map(|kind| {
        let habit = judged.run_habit(kind, sure)?;
        let p = super::run(&habit);
        sure(p).then_some(Voice { kind, habit, p, by_run: true })
    });
    // The surest speaks; of equals the line by itself.
    let mut best: Option<(Voice, Found<'_>)> = None;
    for voice in alone.into_iter().chain(runs) {
        if best.as_ref().is_none_or(|(known, _)| voice.p > known.p)
            && let Some(found) = said(&voice)
        {
            best = Some((voice, found));
        }
    }
    let (voice, found) = best?;
    Some(made(book, judged, voice, found))
}

/// Sides to which a supplier's way may change unseen. When goods come is looked at by order (S-LTSHIFT).
const RUNS: [K; 5] = [K::Short, K::Over, K::PriceUp, K::PriceDown, K::BilledNotReceived];

fn made(book: &Book, judged: &Judged<'_>, voice: Voice, found: Found<'_>) -> Signal {
    let line = judged.line;
    let Voice { habit, p, by_run, .. } = voice;
    let why = if by_run { words::run(&habit) } else { words::beside_habit(&habit) };
    let within = if found.within { "Within tolerance, but " } else { "No rule sees it: " };
    let headline = format!("{} {within}{why}.", found.what);
    let (subject, period) = match found.bill {
        Some(bill) => {
            (Subject { bill: Some(bill.bill_id.clone()), ..subject_of_line(line) }, format!("bill {}", bill.bill_id))
        }
        None => (subject_of_line(line), "line".to_owned()),
    };
    let complete = judged.score.complete;
    let detector = format!("{DETECTOR}/{}", habit.detector);
    let mut signal = Signal::rule(&detector, found.code, subject, period, (complete, complete), headline)
        .link(format!("line:{}", line.id))
        .with(line_facts(book, line))
        .with(found.facts)
        .with(judged.facts(book, super::facts_of(&habit, judged.probability())));
    if by_run {
        // One change of a supplier's way is one cause, however many lines show it.
        signal = signal
            .link(format!("habit:{}/{}", super::reading::vendor(book, line), habit.kind))
            .with(judged.facts(book, super::run_facts_of(&habit)));
    }
    if let Some(days) = found.until {
        signal = signal.opens_until(plus_days(complete, days));
    }
    signal.score = p;
    signal.drivers = words::drivers(&judged.score.features);
    signal.habit = Some(Box::new(habit));
    signal
}

fn find<'b>(book: &'b Book, settings: &Settings, line: &PurchaseLine, kind: K) -> Option<Found<'b>> {
    match kind {
        K::Short => short(book, settings, line),
        K::Over | K::DuplicateReceipt | K::WrongUnit => over(book, settings, line),
        K::Late | K::Early => timing(book, settings, line),
        K::PriceUp | K::PriceDown => price(book, line),
        K::BilledNotReceived => billed(book, line),
    }
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
    missing.is_positive().then_some(Found { code: T::RShort, until, what, bill: None, facts: Vec::new(), within: true })
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
    excess.is_positive().then_some(Found { code: T::ROver, until, what, bill: None, facts: Vec::new(), within: true })
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
    let tolerances = &settings.tolerances;
    let within = days <= tolerances.late_days && -days <= tolerances.early_days;
    (days != 0).then_some(Found { code, until, what, bill: None, facts, within })
}

fn price<'b>(book: &'b Book, line: &PurchaseLine) -> Option<Found<'b>> {
    // Of a paid bill nothing can be held back, as with the rule for prices.
    let agreed = line.price?;
    let unpaid =
        |bill: &&&BillLine| book.is_unpaid(bill) && bill.qty.is_positive() && bill.price.is_some_and(|p| p != agreed);
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
    (variance != Money::ZERO).then_some(Found { code: T::FPrice, until: None, what, bill: Some(bill), facts, within: true })
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
    let facts =
        vec![fact(book, record(RecordKind::PoLine, &line.id), "billed", "billed in all", FactValue::Quantity(total))];
    over.is_positive().then_some(Found { code: T::FQty, until: None, what, bill: Some(bill), facts, within: true })
}
