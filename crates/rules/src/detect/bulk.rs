//! One customer's order that is far above the usual and has not left yet (D-BULK; handbook §4.1): it takes what all others want.
//!
//! What has left is history, and explains its day's demand (`series`); here is what can still be decided.

use super::facts::{fact, place_fact, record};
use super::fulfil::{open_deliveries, promised};
use crate::outlook::Outlook;
use crate::place_key;
use crate::settings::Settings;
use reeve_domain::book::Book;
use reeve_domain::calendar::{days_between, plus_days};
use reeve_domain::evidence::FactValue;
use reeve_domain::exception::{ExceptionType as T, Signal, Subject};
use reeve_domain::ids::{ItemId, LocationId};
use reeve_domain::record::{RecordKind, SaleLine};
use reeve_models::formulas::median;

const DETECTOR: &str = "bulk-rules/1";

/// Days before it in which an order line is compared with others, and how many of them it takes.
const USUAL_DAYS: i32 = 56;
const USUAL_LINES: usize = 10;
/// Units below which no order is bulk, whatever is usual.
const UNITS_LEAST: f64 = 10.0;

/// D-BULK at each place of an item.
pub(super) fn signals_of(book: &Book, settings: &Settings, outlook: &Outlook, item: &ItemId) -> Vec<Signal> {
    book.carriers_of(item).iter().flat_map(|location| at_place(book, settings, outlook, item, location)).collect()
}

fn at_place(book: &Book, settings: &Settings, outlook: &Outlook, item: &ItemId, location: &LocationId) -> Vec<Signal> {
    let open = open_deliveries(book, item, location);
    if open.is_empty() {
        return Vec::new();
    }
    // Who is served before others are short takes nothing from anybody.
    let (until, _) = book.relief(item, location, settings.detect.horizon_days);
    let days = days_between(book.today, until).max(1) as u32;
    let (wanted, _) = outlook.window(&(item.clone(), location.clone()), 0, days);
    let free = book.available(item, location);
    if free.to_f64() >= wanted {
        return Vec::new();
    }
    let from = plus_days(book.today, -USUAL_DAYS);
    let lines: Vec<&SaleLine> = book
        .sales_at(item, location)
        .into_iter()
        .filter(|line| book.calendar.day_of(line.ordered_at) >= from && line.qty.is_positive())
        .collect();
    let mut found = Vec::new();
    for m in open {
        let Some(line) = m.sale_line.as_ref().and_then(|id| lines.iter().find(|line| line.id == *id)) else { continue };
        // An order's other lines of the item are the same wish, so they do not make it usual.
        let others: Vec<f64> = lines.iter().filter(|l| l.order_id != line.order_id).map(|l| l.qty.to_f64()).collect();
        let Some(usual) = median(&others).filter(|_| others.len() >= USUAL_LINES) else { continue };
        let units = line.qty.to_f64();
        if units < UNITS_LEAST || units <= settings.detect.bulk_factor * usual {
            continue;
        }
        let slip = slip_of(book, item, units, usual);
        let headline = format!(
            "{} asks for {} of {} at {}, {usual:.0} are usual: {free} would be free then, {wanted:.0} are wanted until {until}{slip}.",
            line.order_name,
            line.qty,
            book.item_label(item),
            book.location_name(location)
        );
        let source = || record(RecordKind::SaleLine, &line.id);
        let mut facts = vec![
            fact(book, source(), "qty", "ordered", FactValue::Quantity(line.qty)),
            fact(book, source(), "usual", "usual order line", FactValue::number(usual, 1)),
            place_fact(book, item, location, "available", "free", FactValue::Quantity(free)),
            place_fact(book, item, location, "bulk_wanted", "wanted by others until relief", FactValue::number(wanted, 1)),
        ];
        facts.extend(promised(book, m).map(|due| fact(book, source(), "promised", "promised for", FactValue::Date(due))));
        let day = book.calendar.day_of(line.ordered_at);
        let subject = Subject { document: Some(line.order_name.clone()), ..Subject::at(item, location) };
        let signal = Signal::rule(DETECTOR, T::DBulk, subject, format!("line {}", line.id), (day, book.today), headline);
        found.push(signal.link(place_key::shortage(item, location)).with(facts));
    }
    found
}

/// A quantity that is the usual one times a pack, ten or a hundred may be a slip of whoever typed it.
fn slip_of(book: &Book, item: &ItemId, units: f64, usual: f64) -> String {
    let packs = book.items.get(item).into_iter().flat_map(|item| &item.keys.packs).map(|pack| pack.qty.to_f64());
    let times = packs.chain([10.0, 100.0]).find(|times| *times > 1.0 && (units / usual / times - 1.0).abs() < 0.01);
    times.map_or_else(String::new, |times| format!("; it is {times:.0} times the usual, perhaps a slip"))
}
