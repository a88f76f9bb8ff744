//! Stock: what the evidence decides without a model: counts, losses, scraps, returns, negative and missing stock
//! (handbook §4.4, and D-RETURN, D-DATA).

use std::collections::BTreeMap;

use jiff::civil::Date;
use statrs::distribution::{DiscreteCDF, Poisson};

use super::classes::Classes;
use super::counted;
use super::facts::{fact, place_fact, record};
use super::gather::Overview;
use super::master;
use crate::settings::Settings;
use reeve_domain::book::Book;
use reeve_domain::calendar::{days_between, iso_week, plus_days};
use reeve_domain::evidence::FactValue;
use reeve_domain::exception::{ExceptionType as T, Signal, Subject};
use reeve_domain::ids::{ItemId, LocationId};
use reeve_domain::money::Quantity;
use reeve_domain::record::{MoveKind, RecordKind, SaleLine, StockMove};

const DETECTOR: &str = "stock-rules/1";

/// Losses by count on one subject within these days that make a cluster, and how many it takes.
pub const SHRINK_DAYS: i32 = 42;
const SHRINK_COUNTS: usize = 3;

/// A scrap below this many units is breakage of the day, whatever the history says.
const SCRAP_UNITS_MIN: f64 = 5.0;

/// Largest Poisson tail at which three days of returns are a surge. Returns are looked at for every item and location on
/// every day, so one in ten thousand keeps false alarms to about one a season for a few hundred series.
const RETURN_P: f64 = 1e-4;

/// Days before today on which returns are looked at.
const RETURN_DAYS: i32 = 2;

/// What is usual over the whole chain.
#[derive(Clone, Debug, Default)]
pub(super) struct Chain {
    /// Units that are scrapped at once, in the middle; None where nothing ever was.
    scrap: Option<f64>,
    /// Units that come back to a place in three days.
    returns: f64,
}

impl Chain {
    /// `back` came back at the sales' `places` before the last days.
    pub(super) fn of(book: &Book, back: Quantity, places: usize) -> Self {
        let scrapped = book.supply_moves.values().filter(|m| m.kind == MoveKind::Scrap && m.done_at.is_some());
        let scraps: Vec<f64> = scrapped.map(|m| m.qty.to_f64()).collect();
        let back = (back + came_back(book, book.supply_moves.values())).to_f64();
        let days = book.first_day().map_or(0, |first| days_between(first, book.today)).max(14);
        // Half a return of doubt where nothing has come back yet.
        let returns = (back + 0.5) / f64::from(days) * f64::from(RETURN_DAYS + 1) / places.max(1) as f64;
        Self { scrap: reeve_models::formulas::median(&scraps), returns }
    }
}

/// What customers brought back before the days that returns are looked at.
pub(super) fn came_back<'m>(book: &Book, moves: impl Iterator<Item = &'m StockMove>) -> Quantity {
    let before = moves.filter(|m| m.kind == MoveKind::CustomerReturn && m.done_at.is_some() && age(book, m) > RETURN_DAYS);
    before.map(|m| m.qty).sum()
}

/// Days since a move was done.
fn age(book: &Book, m: &StockMove) -> i32 {
    m.done_at.map_or(i32::MAX, |at| days_between(book.calendar.day_of(at), book.today))
}

/// Everything that the stock records have to say of an item on the book's day.
pub(super) fn signals_of(book: &Book, settings: &Settings, overview: &Overview, item: &ItemId) -> Vec<Signal> {
    let (mut found, Overview { classes, chain, .. }) = (Vec::new(), overview);
    for location in book.carriers_of(item) {
        let moves = book.moves_at(item, &location);
        found.extend(counts(book, settings, item, &location, &moves, classes));
        found.extend(shrink(book, settings, item, &location, &moves, classes));
        found.extend(negative(book, item, &location));
        found.extend(scraps(book, settings, item, &location, &moves, chain.scrap));
        found.extend(returns(book, settings, item, &location, &moves, chain.returns));
    }
    if book.is_used(item) {
        found.extend(master::signal(book, item));
        found.extend(units(book, item));
    }
    found
}

/// M-MASTER: a package that the item and its supplier count otherwise. Whatever is ordered or received in it is wrong by that.
fn units(book: &Book, item: &ItemId) -> Option<Signal> {
    let known = book.items.get(item)?;
    // Packs are known by their names. Others may well hold other quantities; two of one name may not.
    let sold = book.supplier_prices(item, book.today).into_iter().find_map(|price| {
        let theirs = price.keys.pack.as_ref()?;
        let ours = known.keys.packs.iter().find(|pack| pack.name == theirs.name && pack.qty != theirs.qty)?;
        Some((price, theirs, ours))
    });
    let (price, theirs, ours) = sold?;
    let headline = format!(
        "{} is bought from {} in {} of {}, and is kept in {} of {}: one of them is wrong.",
        known.label(),
        book.supplier_name(&price.supplier),
        theirs.name,
        theirs.qty,
        ours.name,
        ours.qty
    );
    let subject = Subject { item: Some(item.clone()), supplier: Some(price.supplier.clone()), ..Subject::default() };
    let facts = [
        fact(
            book,
            record(RecordKind::SupplierPrice, &price.id),
            "pack",
            "pack that it is bought in",
            FactValue::Quantity(theirs.qty),
        ),
        fact(
            book,
            record(RecordKind::Item, item.as_str()),
            "pack",
            "the same pack as it is kept",
            FactValue::Quantity(ours.qty),
        ),
    ];
    let days = (book.today, book.today);
    let signal = Signal::rule(DETECTOR, T::MMaster, subject, "units".to_owned(), days, headline);
    Some(signal.link(format!("master:{item}")).with(facts))
}

/// Is a count's difference beyond the tolerance of its class? Passes within either side (§3.5).
fn beyond(
    book: &Book,
    settings: &Settings,
    (item, location): (&ItemId, &LocationId),
    off: Quantity,
    before: Quantity,
    classes: &Classes,
) -> bool {
    // Dear items are counted more exactly (A 1 %, B 2 %, C 5 %); what is in no class counts as C.
    let factor = match classes.at(book, item, location) {
        Some('A') => 1.0,
        Some('B') => 2.0,
        _ => 5.0,
    };
    let share = before.to_f64().abs() * settings.tolerances.count_percent * factor / 100.0;
    let value = book.cost(item, location).map(|cost| (off.abs() * cost).abs());
    let small_value = value.is_some_and(|v| v <= settings.tolerances.count_value);
    !(off.to_f64().abs() <= settings.tolerances.count_units || off.to_f64().abs() <= share || small_value)
}

/// I-COUNT
fn counts(
    book: &Book,
    settings: &Settings,
    item: &ItemId,
    location: &LocationId,
    moves: &[&StockMove],
    classes: &Classes,
) -> Vec<Signal> {
    let mut found = Vec::new();
    for (m, off, before) in counted::lines(book, item, location, moves) {
        let Some(day) = m.done_at.map(|at| book.calendar.day_of(at)) else { continue };
        if days_between(day, book.today) > settings.detect.keep(settings.detect.event_days)
            || !beyond(book, settings, (item, location), off, before, classes)
        {
            continue;
        }
        let words = if off.is_positive() { format!("{off} more") } else { format!("{} fewer", off.abs()) };
        let answers = book.answered_by(m);
        let why = answers.map_or_else(String::new, |(receipt, qty)| format!("; {receipt} had booked in {qty} too many"));
        let headline = format!(
            "A count of {} at {} found {words} than the books: {before} in the books, {} counted{why}.",
            book.item_label(item),
            book.location_name(location),
            before + off
        );
        let source = || record(RecordKind::Move, &m.id);
        let mut facts = vec![
            fact(book, source(), "difference", "count difference", FactValue::Quantity(off)),
            fact(book, source(), "before", "in the books before", FactValue::Quantity(before)),
            fact(book, source(), "counted", "counted", FactValue::Quantity(before + off)),
            fact(book, source(), "done_on", "counted on", FactValue::Date(day)),
        ];
        facts.extend(
            m.entered_by.iter().map(|who| {
                fact(book, source(), "counter", "entered by (pseudonym)", FactValue::Text(format!("user {who}")))
            }),
        );
        let signal =
            Signal::rule(DETECTOR, T::ICount, Subject::at(item, location), format!("count {}", m.id), (day, day), headline);
        let signal = signal.opens_until(plus_days(day, settings.detect.event_days));
        found.push(signal.link(format!("books:{item}@{location}")).with(facts));
    }
    found
}

/// I-SHRINK: losses by count that repeat.
fn shrink(
    book: &Book,
    settings: &Settings,
    item: &ItemId,
    location: &LocationId,
    moves: &[&StockMove],
    classes: &Classes,
) -> Option<Signal> {
    let losses: Vec<(&StockMove, Quantity)> = counted::lines(book, item, location, moves)
        .into_iter()
        .filter(|(_, off, before)| !off.is_positive() && beyond(book, settings, (item, location), *off, *before, classes))
        .filter(|(m, ..)| m.done_at.is_some_and(|at| days_between(book.calendar.day_of(at), book.today) <= SHRINK_DAYS))
        .map(|(m, off, _)| (m, off))
        .collect();
    let first = book.calendar.day_of(losses.first()?.0.done_at?);
    let last = book.calendar.day_of(losses.last()?.0.done_at?);
    if losses.len() < SHRINK_COUNTS || days_between(last, book.today) > settings.detect.keep(settings.detect.claim_days) {
        return None;
    }
    let lost: Quantity = losses.iter().map(|(_, off)| off.abs()).sum();
    let place = (item.clone(), location.clone());
    let all = counted::counts(book, &place).iter().filter(|count| count.day >= first).count();
    let counts = counted::in_words(losses.len(), all);
    let headline = format!(
        "{counts} of {} at {} found stock missing: {lost} units since {first}.",
        book.item_label(item),
        book.location_name(location)
    );
    let facts = losses.iter().map(|(m, off)| {
        fact(book, record(RecordKind::Move, &m.id), "difference", "count difference", FactValue::Quantity(*off))
    });
    let lost = place_fact(book, item, location, "shrink_units", "missing in all", FactValue::Quantity(lost));
    let signal = Signal::rule(
        DETECTOR,
        T::IShrink,
        Subject::at(item, location),
        format!("since {}", iso_week(first)),
        (first, last),
        headline,
    );
    let signal = signal.opens_until(plus_days(last, settings.detect.claim_days));
    // The period moves on as old counts leave the window; the link keeps the cluster one case.
    Some(signal.link(format!("books:{item}@{location}")).with(facts.collect::<Vec<_>>()).with([lost]))
}

/// I-NEG
fn negative(book: &Book, item: &ItemId, location: &LocationId) -> Option<Signal> {
    let on_hand = book.on_hand(item, location);
    if on_hand >= Quantity::ZERO {
        return None;
    }
    let headline = format!(
        "The books say {on_hand} of {} at {}: something left that was never booked in.",
        book.item_label(item),
        book.location_name(location)
    );
    let level = place_fact(book, item, location, "on_hand", "on hand", FactValue::Quantity(on_hand));
    let signal = Signal::rule(
        DETECTOR,
        T::INeg,
        Subject::at(item, location),
        iso_week(book.today),
        (book.today, book.today),
        headline,
    );
    Some(signal.link(format!("books:{item}@{location}")).with([level]))
}

/// I-SCRAP: far above what is usually thrown away at once.
fn scraps(
    book: &Book,
    settings: &Settings,
    item: &ItemId,
    location: &LocationId,
    moves: &[&StockMove],
    typical: Option<f64>,
) -> Vec<Signal> {
    let mut found = Vec::new();
    for m in moves.iter().filter(|m| m.kind == MoveKind::Scrap && m.from.as_ref() == Some(location)) {
        let Some(day) = m.done_at.map(|at| book.calendar.day_of(at)) else { continue };
        let large = m.qty.to_f64() >= SCRAP_UNITS_MIN.max(typical.unwrap_or(1.0) * 4.0);
        if !large || days_between(day, book.today) > settings.detect.keep(settings.detect.event_days) {
            continue;
        }
        let headline = format!(
            "{} of {} were scrapped at {} on {day} ({}).",
            m.qty,
            book.item_label(item),
            book.location_name(location),
            m.document
        );
        let source = || record(RecordKind::Move, &m.id);
        let mut facts = vec![
            fact(book, source(), "qty", "scrapped", FactValue::Quantity(m.qty)),
            fact(book, source(), "done_on", "scrapped on", FactValue::Date(day)),
        ];
        if !m.reason.is_empty() {
            facts.push(fact(book, source(), "reason", "reason given", FactValue::Text(m.reason.clone())).from_outside());
        }
        facts.extend(
            typical.map(|t| place_fact(book, item, location, "scrap_usual", "usual scrap", FactValue::number(t, 1))),
        );
        let subject = Subject { document: Some(m.document.clone()), ..Subject::at(item, location) };
        let signal = Signal::rule(DETECTOR, T::IScrap, subject, "scrap".to_owned(), (day, day), headline)
            .opens_until(plus_days(day, settings.detect.event_days));
        found.push(signal.link(format!("scrap:{}", m.id)).with(facts));
    }
    found
}

/// D-RETURN: returns that follow each other, against the item's own rate over the whole chain. Three days of them have to be beyond
/// it; what came back before and after, without a pause, belongs to them.
fn returns(
    book: &Book,
    settings: &Settings,
    item: &ItemId,
    location: &LocationId,
    moves: &[&StockMove],
    expected: f64,
) -> Option<Signal> {
    let day = |m: &StockMove| m.done_at.map(|at| book.calendar.day_of(at));
    let kept = settings.detect.keep(RETURN_DAYS);
    let mut back: Vec<(Date, &StockMove)> = moves
        .iter()
        .filter(|m| m.kind == MoveKind::CustomerReturn)
        .filter_map(|m| Some((day(m)?, *m)))
        .filter(|(day, _)| days_between(*day, book.today) <= kept)
        .collect();
    back.sort_by(|(a, m), (b, n)| (a, &m.id).cmp(&(b, &n.id)));
    let far = |days: &[(Date, &StockMove)]| {
        days.iter().any(|(from, _)| {
            let within = days.iter().filter(|(day, _)| (0..=RETURN_DAYS).contains(&days_between(*from, *day)));
            let units: f64 = within.map(|(_, m)| m.qty.to_f64()).sum();
            // Returns are few and independent, so a Poisson tail says how
            // odd so many are; under three nothing is a surge.
            let tail = Poisson::new(expected).map_or(1.0, |p| p.sf((units as u64).saturating_sub(1)));
            units >= 3.0 && tail <= RETURN_P
        })
    };
    // The newest run that is beyond it.
    let recent = back.chunk_by(|(a, _), (b, _)| days_between(*a, *b) <= RETURN_DAYS).rfind(|run| far(run))?;
    let (first, last) = (recent.first()?.0, recent.last()?.0);
    let total: Quantity = recent.iter().map(|(_, m)| m.qty).sum();
    let span = f64::from(days_between(first, last).max(RETURN_DAYS) + 1);
    let usual = expected * span / f64::from(RETURN_DAYS + 1);
    let days = if first == last { format!("on {first}") } else { format!("from {first} to {last}") };
    let headline = format!(
        "{total} of {} came back at {} {days}; {usual:.2} would be usual.",
        book.item_label(item),
        book.location_name(location)
    );
    let mut facts: Vec<_> = recent
        .iter()
        .map(|(_, m)| fact(book, record(RecordKind::Move, &m.id), "qty", "returned", FactValue::Quantity(m.qty)))
        .collect();
    facts.push(place_fact(book, item, location, "returns", "returned in these days", FactValue::Quantity(total)));
    facts.push(place_fact(book, item, location, "returns_usual", "usual in as many days", FactValue::number(usual, 2)));
    let signal = Signal::rule(DETECTOR, T::DReturn, Subject::at(item, location), iso_week(first), (first, last), headline)
        .opens_until(plus_days(last, RETURN_DAYS));
    Some(signal.link(format!("returns:{item}@{location}")).with(facts))
}

/// Pairs of orders of one customer on one day with the same lines, entered in the last `days`: the second is probably the
/// first, entered again.
fn twins<'l>(book: &Book, lines: &'l [SaleLine], days: i32) -> Vec<(Vec<&'l SaleLine>, Vec<&'l SaleLine>)> {
    let mut orders: BTreeMap<&str, Vec<&SaleLine>> = BTreeMap::new();
    for line in lines {
        if days_between(book.calendar.day_of(line.ordered_at), book.today) <= days {
            orders.entry(&line.order_id).or_default().push(line);
        }
    }
    let mut seen: BTreeMap<String, Vec<&SaleLine>> = BTreeMap::new();
    let mut found = Vec::new();
    let mut by_time: Vec<Vec<&SaleLine>> = orders.into_values().collect();
    by_time.sort_by_key(|lines| (lines[0].ordered_at, lines[0].order_id.clone()));
    for lines in by_time {
        let first = lines[0];
        let day = book.calendar.day_of(first.ordered_at);
        let mut content: Vec<String> = lines.iter().map(|l| format!("{}x{}", l.item, l.qty)).collect();
        content.sort();
        let key = format!("{} {} {day} {}", first.customer, first.location, content.join(" "));
        // One line alone proves little: people do order the same thing twice.
        let Some(twin) = seen.get(&key).filter(|_| lines.len() >= 2) else {
            seen.insert(key, lines);
            continue;
        };
        found.push((twin.clone(), lines));
    }
    found
}

/// D-DATA: two orders of one customer on one day with the same lines: probably entered twice.
pub(super) fn twin_orders(book: &Book, settings: &Settings, mut lines: Vec<SaleLine>) -> Vec<Signal> {
    let mut found = Vec::new();
    lines.sort_by(|a, b| a.id.cmp(&b.id));
    for (twin, lines) in twins(book, &lines, settings.detect.keep(settings.detect.event_days)) {
        let first = lines[0];
        let day = book.calendar.day_of(first.ordered_at);
        let headline = format!(
            "{} repeats {} line by line: {} lines for the same customer at {} on {day}.",
            first.order_name,
            twin[0].order_name,
            lines.len(),
            book.location_name(&first.location)
        );
        let subject = Subject {
            location: Some(first.location.clone()),
            document: Some(format!("{},{}", twin[0].order_name, first.order_name)),
            ..Subject::default()
        };
        let facts = lines.iter().map(|l| {
            let label = format!("ordered again, {}", book.item_label(&l.item));
            fact(book, record(RecordKind::SaleLine, &l.id), "qty", &label, FactValue::Quantity(l.qty))
        });
        let signal = Signal::rule(DETECTOR, T::DData, subject, "order".to_owned(), (day, day), headline)
            .opens_until(plus_days(day, settings.detect.event_days));
        found.push(signal.link(format!("order:{}", first.order_id)).with(facts.collect::<Vec<_>>()));
    }
    found
}
