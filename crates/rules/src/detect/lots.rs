//! Lots: what will not be sold before it expires (I-STALE), and what came with too little life left or without a lot at all
//! (R-LOT; handbook §4.2, §4.4).
//!
//! What expires first is taken first. So of the lots up to one of them as much is left over as any part of them leaves: the
//! largest surplus of what they hold beyond the demand until they expire.

use jiff::civil::Date;

use super::excess::sends_on;
use super::facts::{fact, place_fact, record};
use crate::outlook::Outlook;
use crate::place_key;
use crate::settings::Settings;
use reeve_domain::book::Book;
use reeve_domain::calendar::{days_between, plus_days, quarter};
use reeve_domain::evidence::{Fact, FactValue};
use reeve_domain::exception::{ExceptionType as T, Signal, Subject};
use reeve_domain::ids::{ItemId, LocationId};
use reeve_domain::lot::{HeldLot, Lot, LotStock};
use reeve_domain::money::Quantity;
use reeve_domain::record::{RecordKind, StockMove};
use reeve_models::formulas;

const DETECTOR: &str = "lot-rules/1";

/// Other lots of an item from which its usual shelf life is known.
const USUAL_LOTS: usize = 3;

/// What is left over of a lot when it expires, and from what that is computed.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct LeftOver {
    /// Units of it and of all that expires before it.
    pub supply: f64,
    /// Demand until the day before it expires, and its deviation.
    pub mu: f64,
    /// See `mu`.
    pub sigma: f64,
    /// Units left over of what expires before it.
    pub before: f64,
    /// Units left over of it.
    pub units: f64,
}

/// Everything that an item's lots have to say on the book's day.
pub(super) fn signals_of(book: &Book, settings: &Settings, outlook: &Outlook, item: &ItemId) -> Vec<Signal> {
    if book.lots_of(item).is_empty() {
        return Vec::new();
    }
    let mut found = Vec::new();
    for location in book.lot_stocks_of(item).map(|stock| &stock.location).filter(|at| book.locations.contains_key(*at)) {
        for (held, left) in left_over(book, settings, outlook, item, location) {
            found.extend(stale(book, item, location, &held, left));
        }
        found.extend(without_lot(book, settings, item, location));
    }
    found.extend(book.lots_of(item).iter().filter_map(|lot| short_lived(book, settings, item, lot)));
    found
}

/// Each lot at a place that expires soon (`detect.stale_days`), with what will be left of it. Of a place that sends the item on
/// nothing says what will be left, but of what has expired.
pub fn left_over<'b>(
    book: &'b Book,
    settings: &Settings,
    outlook: &Outlook,
    item: &ItemId,
    location: &LocationId,
) -> Vec<(HeldLot<'b>, LeftOver)> {
    let place = (item.clone(), location.clone());
    let days = if sends_on(book, settings, item, location) { 0 } else { settings.detect.stale_days };
    let (mut supply, mut before) = (0.0, 0.0_f64);
    let mut found = Vec::new();
    for held in book.held_lots(item, location) {
        let ahead = days_between(book.today, held.expires_on);
        if ahead > days {
            break;
        }
        supply += held.qty.to_f64();
        // On its last day it is not sold any more; what has expired sells to nobody.
        let (mu, sigma) = outlook.window(&place, 0, (ahead - 1).max(0) as u32);
        // Of all lots up to this one as much is left as the largest surplus of
        // any part of them: later sales can not undo an earlier loss.
        let all = formulas::expected_surplus(mu, sigma, supply).max(before);
        found.push((held, LeftOver { supply, mu, sigma, before, units: all - before }));
        before = all;
    }
    found
}

fn lot_fact(book: &Book, lot: &Lot, field: &str, label: &str, value: FactValue) -> Fact {
    fact(book, record(RecordKind::Lot, &lot.id), field, label, value)
}

fn units(value: f64) -> FactValue {
    FactValue::Quantity(Quantity(FactValue::rounded(value, 2)))
}

/// I-STALE: at least a unit of a lot will be left when it expires.
fn stale(book: &Book, item: &ItemId, location: &LocationId, held: &HeldLot<'_>, left: LeftOver) -> Option<Signal> {
    if left.units < 1.0 {
        return None;
    }
    let (label, at) = (book.item_label(item), book.location_name(location));
    let HeldLot { lot, qty, expires_on } = *held;
    let headline = if expires_on <= book.today {
        format!("{qty} of {label} at {at} are past their day: lot {} expired on {expires_on}.", lot.name)
    } else {
        let days = days_between(book.today, expires_on);
        format!(
            "{qty} of {label} at {at} expire on {expires_on}, in {days} days (lot {}); about {:.0} will be left.",
            lot.name, left.units
        )
    };
    let here = |field: &str| format!("{field}@{location}");
    let facts = [
        lot_fact(book, lot, "name", "lot", FactValue::Text(lot.name.clone())).from_outside(),
        lot_fact(book, lot, "expires_on", "expires on", FactValue::Date(expires_on)),
        lot_fact(book, lot, &here("held"), "of the lot on hand", FactValue::Quantity(qty)),
        lot_fact(book, lot, &here("stale_supply"), "of it and of what expires before", units(left.supply)),
        lot_fact(book, lot, &here("stale_demand"), "expected to be sold until then", units(left.mu)),
        lot_fact(book, lot, &here("stale_sigma"), "deviation of that demand", units(left.sigma)),
        lot_fact(book, lot, &here("stale_before"), "left of what expires before", units(left.before)),
        lot_fact(book, lot, &here("stale_units"), "left of the lot when it expires", units(left.units)),
    ];
    let subject = Subject::at(item, location);
    let signal = Signal::rule(DETECTOR, T::IStale, subject, format!("lot {}", lot.id), (book.today, book.today), headline);
    Some(signal.link(surplus_link(item, location)).link(lot_link(lot)).with(facts))
}

/// What everything shares that leaves too much of an item at a place.
pub(super) fn surplus_link(item: &ItemId, location: &LocationId) -> String {
    format!("surplus:{}", place_key::of(item, location))
}

fn lot_link(lot: &Lot) -> String {
    format!("lot:{}", lot.id)
}

/// The usual shelf life of an item when it comes, by its other lots: the middle one.
fn usual_life(book: &Book, item: &ItemId, but: &Lot) -> Option<f64> {
    let others = book.lots_of(item).iter().filter(|lot| lot.id != but.id && lot.created_at <= but.created_at);
    let lives: Vec<f64> = others.filter_map(|lot| book.shelf_life(lot)).filter(|days| *days > 0).map(f64::from).collect();
    if lives.len() < USUAL_LOTS { None } else { formulas::median(&lives) }
}

/// The receipt by which a lot came: the one of the item on the day of its entry, where there is only one.
fn receipt_of<'b>(book: &'b Book, lot: &'b Lot) -> Option<&'b StockMove> {
    let day = book.calendar.day_of(lot.created_at);
    let came = |m: &&StockMove| m.done_at.is_some_and(|at| days_between(day, book.calendar.day_of(at)).abs() <= 1);
    let mut all = book.receipts_of_item(&lot.item).filter(came);
    let first = all.next()?;
    all.next().is_none().then_some(first)
}

/// The same day and month the other way round, where both can be.
fn swapped(day: Date) -> Option<Date> {
    if day.day() == day.month() { None } else { Date::new(day.year(), day.day(), day.month()).ok() }
}

/// R-LOT: a lot that came with less of its shelf life than is usual, or without a day although others have one.
fn short_lived(book: &Book, settings: &Settings, item: &ItemId, lot: &Lot) -> Option<Signal> {
    let came = book.calendar.day_of(lot.created_at);
    if days_between(came, book.today) > settings.detect.keep(settings.detect.claim_days) {
        return None;
    }
    let held = |stock: &&LotStock| stock.lots.get(&lot.id).is_some_and(|qty| qty.is_positive());
    // What is gone was sold or thrown away: nothing of it can be sent back.
    let mut known = book.lot_stocks_of(item).filter(|stock| book.locations.contains_key(&stock.location));
    let location = &known.find(held)?.location;
    // A lot was entered with its receipt. Without one it was entered with all others when the shop began with lots or with this
    // ERP, and the day of its entry says nothing of how old it came.
    let receipt = receipt_of(book, lot)?;
    let usual = usual_life(book, item, lot)?;
    let label = book.item_label(item);
    let mut facts = vec![
        lot_fact(book, lot, "name", "lot", FactValue::Text(lot.name.clone())).from_outside(),
        lot_fact(book, lot, "came_on", "entered on", FactValue::Date(came)),
        lot_fact(book, lot, "life_usual", "usual days of shelf life on arrival", FactValue::days(usual)),
    ];
    let headline = match lot.expires_at {
        None => format!("Lot {} of {label} came on {came} without a day on which it expires.", lot.name),
        Some(at) => {
            let expires = book.calendar.day_of(at);
            let life = f64::from(days_between(came, expires));
            let enough = |life: f64| life >= usual * settings.detect.shelf_share;
            if enough(life) {
                return None;
            }
            facts.push(lot_fact(book, lot, "expires_on", "expires on", FactValue::Date(expires)));
            facts.push(lot_fact(book, lot, "life", "days of shelf life on arrival", FactValue::days(life)));
            // A date written the American way is no old stock.
            let slip = swapped(expires).filter(|day| enough(f64::from(days_between(came, *day))));
            let doubt = slip.map_or_else(String::new, |day| format!("; day and month may be swapped ({day})"));
            format!(
                "Lot {} of {label} came on {came} with {life:.0} days to live, {usual:.0} are usual: it expires on {expires}{doubt}.",
                lot.name
            )
        }
    };
    let line = book.line_of(receipt).and_then(|line| book.po_lines.get(line));
    let subject = Subject {
        supplier: line.map(|line| line.supplier.clone()),
        po_line: line.map(|line| line.id.clone()),
        order: line.map(|line| line.order_id.clone()),
        ..Subject::at(item, location)
    };
    let period = format!("lot {}", lot.id);
    let signal = Signal::rule(DETECTOR, T::RLot, subject, period, (came, came), headline)
        .opens_until(plus_days(came, settings.detect.claim_days))
        .link(lot_link(lot));
    Some(signal.with(facts))
}

/// R-LOT: goods on hand without a lot, of an item that has lots.
fn without_lot(book: &Book, settings: &Settings, item: &ItemId, location: &LocationId) -> Option<Signal> {
    let stock = book.lot_stock(item, location)?;
    let (without, named) = (stock.without, stock.lots.values().filter(|qty| qty.is_positive()).count());
    // Where no lot has a number none is missing: the item is simply not kept by lots there.
    if named == 0 || without.to_f64() <= settings.tolerances.count_units {
        return None;
    }
    let headline = format!(
        "{without} of {} at {} have no lot, all else there has one.",
        book.item_label(item),
        book.location_name(location)
    );
    let facts = [
        place_fact(book, item, location, "without_lot", "on hand without a lot", FactValue::Quantity(without)),
        place_fact(book, item, location, "lots", "lots on hand", FactValue::number(named as f64, 0)),
    ];
    let days = (book.today, book.today);
    let signal = Signal::rule(DETECTOR, T::RLot, Subject::at(item, location), quarter(book.today), days, headline);
    Some(signal.link(format!("books:{item}@{location}")).with(facts))
}
