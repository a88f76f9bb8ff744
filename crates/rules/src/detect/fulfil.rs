//! Customers' orders that wait though they need not: past their day (O-LATE), picked short of stock that is there
//! (O-SHORTPICK), and goods kept for orders that do not move (I-RESERVE; handbook §4.4, §4.6).
//!
//! Where nothing is there they wait for stock, and that is a shortage: what is late shares its case.

use jiff::civil::Date;

use super::facts::{fact, place_fact, record};
use crate::outlook::Outlook;
use crate::place_key;
use crate::settings::Settings;
use reeve_domain::book::Book;
use reeve_domain::calendar::{days_between, plus_days};
use reeve_domain::evidence::{Fact, FactValue};
use reeve_domain::exception::{ExceptionType as T, Signal, Subject};
use reeve_domain::ids::{ItemId, LocationId};
use reeve_domain::money::Quantity;
use reeve_domain::record::{MoveKind, RecordKind, StockMove};

const DETECTOR: &str = "fulfilment-rules/1";

/// Deliveries that are listed; the rest are summed.
const LISTED: usize = 5;

/// What an item's open deliveries have to say at each place.
pub(super) fn signals_of(book: &Book, settings: &Settings, outlook: &Outlook, item: &ItemId) -> Vec<Signal> {
    let mut found = Vec::new();
    for location in book.carriers_of(item) {
        let open = open_deliveries(book, item, &location);
        if open.is_empty() {
            continue;
        }
        found.extend(late(book, settings, item, &location, &open));
        found.extend(short_pick(book, settings, item, &location, &open));
        found.extend(reserved(book, settings, outlook, item, &location, &open));
    }
    found
}

/// Deliveries to customers that have not left a place, oldest first.
pub fn open_deliveries<'b>(book: &'b Book, item: &ItemId, location: &LocationId) -> Vec<&'b StockMove> {
    let open = |m: &&StockMove| {
        m.kind == MoveKind::Delivery && m.done_at.is_none() && m.from.as_ref() == Some(location) && m.qty.is_positive()
    };
    let mut open: Vec<&StockMove> = book.moves_at(item, location).into_iter().filter(open).collect();
    open.sort_by_key(|m| (m.created_at, m.id.clone()));
    open
}

fn day(book: &Book, at: jiff::Timestamp) -> Date {
    book.calendar.day_of(at)
}

/// The day for which a delivery was promised, where somebody promised one.
pub fn promised(book: &Book, m: &StockMove) -> Option<Date> {
    m.deadline.map(|at| day(book, at))
}

/// Is a delivery past its day by more than the tolerance?
pub fn is_late(book: &Book, settings: &Settings, m: &StockMove) -> bool {
    promised(book, m).is_some_and(|due| days_between(due, book.today) > settings.tolerances.late_days)
}

fn sum(moves: &[&StockMove]) -> Quantity {
    moves.iter().map(|m| m.qty).sum()
}

fn delivery_facts(book: &Book, moves: &[&StockMove]) -> Vec<Fact> {
    let mut facts = Vec::new();
    for m in moves.iter().take(LISTED) {
        let source = || record(RecordKind::Move, &m.id);
        facts.push(fact(book, source(), "qty", &format!("open on {}", m.document), FactValue::Quantity(m.qty)));
        facts.extend(promised(book, m).map(|due| fact(book, source(), "promised", "promised for", FactValue::Date(due))));
    }
    facts
}

/// O-LATE: one for a place, whoever waits there.
fn late(book: &Book, settings: &Settings, item: &ItemId, location: &LocationId, open: &[&StockMove]) -> Option<Signal> {
    let late: Vec<&StockMove> = open.iter().copied().filter(|m| is_late(book, settings, m)).collect();
    let oldest = late.iter().filter_map(|m| promised(book, m)).min()?;
    let (units, free) = (sum(&late), book.on_shelf(item, location));
    let there = if free >= units {
        format!("{free} are there")
    } else if free.is_positive() {
        format!("only {free} are there")
    } else {
        "nothing is there".to_owned()
    };
    let headline = format!(
        "{} customer orders of {} at {} are past their day, {units} units, the oldest since {oldest}; {there}.",
        late.len(),
        book.item_label(item),
        book.location_name(location)
    );
    let mut facts = delivery_facts(book, &late);
    facts.extend([
        place_fact(book, item, location, "late_units", "units past their day", FactValue::Quantity(units)),
        place_fact(book, item, location, "on_shelf", "on the shelf", FactValue::Quantity(free)),
    ]);
    let days = (oldest, book.today);
    let signal = Signal::rule(DETECTOR, T::OLate, Subject::at(item, location), "orders".to_owned(), days, headline);
    // Where it is not there it waits for the same goods as the shortage.
    Some(signal.link(place_key::shortage(item, location)).with(facts))
}

/// O-SHORTPICK: a part of an order was shipped, and the rest was left though the books said that it was there.
fn short_pick(
    book: &Book,
    settings: &Settings,
    item: &ItemId,
    location: &LocationId,
    open: &[&StockMove],
) -> Option<Signal> {
    let mut newest: Option<(Date, &StockMove, Quantity)> = None;
    for rest in open {
        let Some(line) = &rest.sale_line else { continue };
        // A short pick leaves two moves of one sale line: what was picked, and the rest that was split off then.
        let done = book.moves_of_sale_line(line).into_iter().filter(|m| {
            m.kind == MoveKind::Delivery && m.done_at.is_some() && m.item == *item && m.from.as_ref() == Some(location)
        });
        let Some((picked, at)) = done.filter_map(|m| Some((m, m.done_at?))).max_by_key(|(_, at)| *at) else { continue };
        let on = day(book, at);
        // The books at the close of that day say what was there when it was picked; what came in since says nothing.
        let left = book.on_hand_by_day(item, location, on).first().copied().unwrap_or(0.0);
        let recent = days_between(on, book.today) <= settings.detect.keep(settings.detect.event_days);
        if !recent || left < rest.qty.to_f64() || rest.created_at < at {
            continue;
        }
        if newest.as_ref().is_none_or(|(day, ..)| on > *day) {
            newest = Some((on, picked, rest.qty));
        }
    }
    let (on, picked, rest) = newest?;
    let headline = format!(
        "{} of {} were picked at {} on {on} for {}, {rest} were left, and the books say they are there.",
        picked.qty,
        book.item_label(item),
        book.location_name(location),
        picked.document
    );
    let source = || record(RecordKind::Move, &picked.id);
    let facts = [
        fact(book, source(), "picked", "picked", FactValue::Quantity(picked.qty)),
        fact(book, source(), "short", "left behind", FactValue::Quantity(rest)),
        fact(book, source(), "done_on", "picked on", FactValue::Date(on)),
        place_fact(book, item, location, "on_hand", "on hand", FactValue::Quantity(book.on_hand(item, location))),
    ];
    let subject = Subject { document: Some(picked.document.clone()), ..Subject::at(item, location) };
    let signal = Signal::rule(DETECTOR, T::OShortPick, subject, format!("pick {}", picked.id), (on, on), headline)
        .opens_until(plus_days(on, settings.detect.event_days));
    Some(signal.link(format!("books:{item}@{location}")).with(facts))
}

/// Deliveries that have stood for so long that they only keep goods from others. What is for a day to come is made to order.
pub fn stuck<'b>(book: &Book, settings: &Settings, open: &[&'b StockMove]) -> Vec<&'b StockMove> {
    let old = |m: &&&StockMove| {
        days_between(day(book, m.created_at), book.today) > settings.detect.reserve_days
            && promised(book, m).is_none_or(|due| days_between(due, book.today) > settings.tolerances.late_days)
    };
    open.iter().filter(old).copied().collect()
}

/// I-RESERVE: nothing is free, though goods are there that old orders keep and do not take, while others want them.
fn reserved(
    book: &Book,
    settings: &Settings,
    outlook: &Outlook,
    item: &ItemId,
    location: &LocationId,
    open: &[&StockMove],
) -> Option<Signal> {
    let (free, on_shelf) = (book.available(item, location), book.on_shelf(item, location));
    if free.is_positive() || !on_shelf.is_positive() {
        return None;
    }
    let stuck = stuck(book, settings, open);
    let kept = sum(&stuck).min(on_shelf);
    // Goods that would not be enough for them wait for more, like everybody.
    if !kept.is_positive() || sum(&stuck) > on_shelf {
        return None;
    }
    let (daily, _) = outlook.per_day(&(item.clone(), location.clone()));
    let others = sum(open) - sum(&stuck);
    if daily <= 0.0 && !others.is_positive() {
        return None;
    }
    let oldest = stuck.iter().map(|m| day(book, m.created_at)).min()?;
    let headline = format!(
        "{kept} of {} at {} are kept for {} orders that have not moved since {oldest}; nothing is free, {others} wait and {daily:.1} a day are wanted.",
        book.item_label(item),
        book.location_name(location),
        stuck.len()
    );
    let mut facts = delivery_facts(book, &stuck);
    facts.extend([
        place_fact(book, item, location, "kept", "kept for orders that do not move", FactValue::Quantity(kept)),
        place_fact(book, item, location, "on_shelf", "on the shelf", FactValue::Quantity(on_shelf)),
        place_fact(book, item, location, "available", "free", FactValue::Quantity(free)),
        place_fact(book, item, location, "daily_demand", "usual demand a day", FactValue::number(daily, 2)),
    ]);
    let days = (oldest, book.today);
    let signal = Signal::rule(DETECTOR, T::IReserve, Subject::at(item, location), "reserved".to_owned(), days, headline);
    Some(signal.link(place_key::shortage(item, location)).with(facts))
}
