//! Announced delays and orders that nobody confirmed (S-DELAY, S-UNCONF; handbook §4.5).
//!
//! A delay counts where the goods are needed before the new date. A missing confirmation says something only of suppliers that
//! usually confirm.

use std::collections::BTreeMap;

use crate::place_key;
use jiff::civil::Date;

use super::facts::{fact, line_facts, place_fact, record};
use super::receiving::{subject_of_line, subject_of_order};
use crate::outlook::Outlook;
use crate::settings::Settings;
use reeve_domain::announced::Answers;
use reeve_domain::book::Book;
use reeve_domain::calendar::{days_between, plus_days, plus_working_days};
use reeve_domain::evidence::{Fact, FactValue};
use reeve_domain::exception::{ExceptionType as T, Signal};
use reeve_domain::ids::ItemId;
use reeve_domain::money::Quantity;
use reeve_domain::notice::NoticeContent;
use reeve_domain::record::{PurchaseLine, RecordKind};

const DETECTOR: &str = "announcement-rules/1";

/// Share of a supplier's orders, since the first that it confirmed, that must be confirmed for it to do so "usually".
const USUALLY: f64 = 0.5;

/// Everything that announced dates have to say of an item on the book's day.
pub(super) fn delays_of(book: &Book, settings: &Settings, outlook: &Outlook, item: &ItemId) -> Vec<Signal> {
    book.lines_of_item(item).into_iter().filter_map(|line| delay(book, settings, outlook, line)).collect()
}

/// Delays of lines whose item nobody knows, a kit for example: what is expected to be wanted of it is not known either.
pub(super) fn delays_of_unknown(book: &Book, settings: &Settings) -> Vec<Signal> {
    let unknown = book.po_lines.values().filter(|line| !book.items.contains_key(&line.item));
    unknown.filter_map(|line| delay(book, settings, &Outlook::default(), line)).collect()
}

/// Everything that missing confirmations have to say on the book's day.
pub(super) fn unanswered(book: &Book, settings: &Settings) -> Vec<Signal> {
    let answers = book.answers();
    book.orders().into_iter().filter_map(|order| unconfirmed(book, settings, &answers, order)).collect()
}

/// The first day on which the stock of a line's item would be gone if the line did not come. None where it lasts as long as
/// anybody can see; Err where the demand is not known.
fn wanted_from(book: &Book, outlook: &Outlook, line: &PurchaseLine) -> Result<Option<Date>, ()> {
    let place = (line.item.clone(), line.location.clone());
    if !outlook.daily.contains_key(&place) {
        return Err(());
    }
    let mut stock = book.available(&line.item, &line.location).to_f64();
    if stock < 0.0 {
        // Customers wait already: it is wanted today, whatever else is to come.
        return Ok(Some(book.today));
    }
    let mut others: BTreeMap<Date, f64> = BTreeMap::new();
    for other in book.incoming(&line.item, &line.location).into_iter().filter(|i| i.po_line != line.id) {
        // What arrives can be sold on the day after.
        *others.entry(plus_days(book.expected_on(other.promised), 1)).or_default() += other.qty.to_f64();
    }
    let mut day = book.today;
    for forecast in outlook.course(&place) {
        day = plus_days(day, 1);
        stock += others.get(&day).copied().unwrap_or(0.0) - forecast.mean;
        if stock < 0.0 {
            return Ok(Some(day));
        }
    }
    Ok(None)
}

/// S-DELAY: an open line whose newest date is later than its promise allows and than the goods are needed.
fn delay(book: &Book, settings: &Settings, outlook: &Outlook, line: &PurchaseLine) -> Option<Signal> {
    let open = book.open_quantity(&line.id);
    if !line.confirmed || !open.is_positive() {
        return None;
    }
    let due = book.due(line);
    let first = book.calendar.day_of(line.promised_first);
    let allowed = plus_days(first, settings.tolerances.late_days);
    let need = wanted_from(book, outlook, line);
    // Where demand is not known the first promise stands for the need: somebody once wanted it by then.
    let wanted = need.unwrap_or(Some(allowed))?;
    // A new date that has passed as well is no promise any more: the order is overdue.
    if due <= allowed || due <= wanted || due < book.today {
        return None;
    }
    let announced = book.announced(&line.id).filter(|a| a.date == due);
    let supplier = book.supplier_name(&line.supplier);
    let (item, order, place) = (book.item_label(&line.item), &line.order_name, book.location_name(&line.location));
    let answer = if announced.is_some() {
        format!("{supplier} announced {due} instead of {first} for {order} to {place}")
    } else {
        format!("{order} from {supplier} to {place} is now promised for {due} instead of {first}")
    };
    let headline = format!("{answer}: {open} of {item} still to come, wanted from {wanted}.");
    let mut facts = line_facts(book, line);
    let late = FactValue::days(f64::from(days_between(first, due)));
    facts.push(fact(book, record(RecordKind::PoLine, &line.id), "delay_days", "days after the first promise", late));
    facts.push(fact(book, record(RecordKind::PoLine, &line.id), "due", "to be expected", FactValue::Date(due)));
    if need.is_ok() {
        let label = "without it the stock is gone on";
        facts.push(place_fact(book, &line.item, &line.location, "wanted_from", label, FactValue::Date(wanted)));
    }
    if let Some(announced) = announced {
        facts.extend(notice_facts(book, &announced.notice, &line.id, due));
    }
    let signal = Signal::rule(DETECTOR, T::SDelay, subject_of_line(line), "promise".to_owned(), (first, due), headline);
    Some(signal.link(format!("timing:{}", line.order_id)).link(place_key::shortage(&line.item, &line.location)).with(facts))
}

/// What a notice says of a line's date, and in the sender's words why.
fn notice_facts(book: &Book, id: &str, line: &str, date: Date) -> Vec<Fact> {
    let Some(notice) = book.notices.get(id) else { return Vec::new() };
    let source = || record(RecordKind::Notice, id);
    let mut facts = vec![
        fact(book, source(), &format!("new_date@{line}"), "announced for", FactValue::Date(date)),
        fact(book, source(), "told_on", "announced on", FactValue::Date(book.told_on(notice))),
    ];
    if let NoticeContent::SupplierDelay { reason, .. } = &notice.content
        && !reason.trim().is_empty()
    {
        facts.push(fact(book, source(), "reason", "reason given", FactValue::Text(reason.clone())).from_outside());
    }
    facts
}

/// S-UNCONF: an order without an answer, from a supplier that usually answers.
fn unconfirmed(book: &Book, settings: &Settings, answers: &Answers, order: &str) -> Option<Signal> {
    let lines: Vec<&PurchaseLine> = book.lines_of_order(order).into_iter().filter(|l| l.confirmed).collect();
    let first = *lines.first()?;
    if lines.iter().any(|l| answers.knows(l) || !book.receipts(&l.id).is_empty()) {
        return None;
    }
    let open: Quantity = lines.iter().map(|l| book.open_quantity(&l.id)).sum();
    if !open.is_positive() {
        return None;
    }
    let ordered = book.calendar.day_of(first.ordered_at);
    let lead = days_between(ordered, book.calendar.day_of(first.promised_first)).max(0);
    // A supplier with a lead time of months may take its time to answer: the later of the two limits counts.
    let share = plus_days(ordered, (f64::from(lead) * settings.detect.confirm_lead_share).ceil() as i32);
    let by = plus_working_days(ordered, settings.detect.confirm_working_days).max(share);
    if book.today <= by {
        return None;
    }
    // Many suppliers never confirm anything. Only from those that do is silence news.
    let (confirmed, asked) = habit(book, answers, first);
    if confirmed < settings.detect.confirms_usually || (confirmed as f64) < USUALLY * asked as f64 {
        return None;
    }
    let silent = days_between(ordered, book.today);
    let headline = format!(
        "{} from {} to {} is not confirmed {silent} days after it was ordered, {open} units on {} lines: {confirmed} of the {asked} orders before it were.",
        first.order_name,
        book.supplier_name(&first.supplier),
        book.location_name(&first.location),
        lines.len()
    );
    let source = || record(RecordKind::PoLine, &first.id);
    let supplier = || record(RecordKind::Supplier, first.supplier.as_str());
    let facts = [
        fact(book, source(), "ordered_on", "ordered", FactValue::Date(ordered)),
        fact(book, source(), "confirm_by", "confirmation expected by", FactValue::Date(by)),
        fact(book, source(), "silent_days", "days without an answer", FactValue::days(f64::from(silent))),
        fact(book, source(), "open_total", "open on the order", FactValue::Quantity(open)),
        fact(book, supplier(), "confirmed_before", "earlier orders confirmed", FactValue::number(confirmed as f64, 0)),
        fact(
            book,
            supplier(),
            "asked_before",
            "earlier orders since the first confirmed",
            FactValue::number(asked as f64, 0),
        ),
    ];
    let days = (ordered, book.today);
    let subject = subject_of_order(first);
    let signal = Signal::rule(DETECTOR, T::SUnconf, subject, "confirmation".to_owned(), days, headline);
    Some(signal.link(format!("timing:{order}")).with(facts))
}

/// How many of a supplier's orders before this one it has confirmed, of how many since the first that it confirmed.
fn habit(book: &Book, answers: &Answers, line: &PurchaseLine) -> (usize, usize) {
    let mut earlier: BTreeMap<&str, jiff::Timestamp> = BTreeMap::new();
    for other in book.lines_of_supplier(&line.supplier).into_iter().filter(|l| l.confirmed) {
        if other.ordered_at < line.ordered_at && other.order_id != line.order_id {
            earlier.insert(&other.order_id, other.ordered_at);
        }
    }
    let confirmed: Vec<jiff::Timestamp> =
        answers.confirmed_by(&line.supplier).filter_map(|order| earlier.get(order).copied()).collect();
    let Some(first) = confirmed.iter().min() else { return (0, 0) };
    (confirmed.len(), earlier.values().filter(|at| *at >= first).count())
}
