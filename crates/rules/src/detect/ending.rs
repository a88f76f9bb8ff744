//! What is left of an item that is not sold any more (D-EOL; handbook §4.1): stock, and orders that still bring more of it.

use super::facts::{fact, place_fact, record};
use super::lots::surplus_link;
use crate::settings::Settings;
use reeve_domain::book::Book;
use reeve_domain::evidence::FactValue;
use reeve_domain::exception::{ExceptionType as T, Signal, Subject};
use reeve_domain::ids::{ItemId, LocationId};
use reeve_domain::money::{Money, Quantity};
use reeve_domain::record::RecordKind;

const DETECTOR: &str = "ending-rules/1";

/// D-EOL for each place that still has, or is to get, an item that is delisted.
pub(super) fn signals_of(book: &Book, settings: &Settings, item: &ItemId) -> Vec<Signal> {
    if book.items.get(item).is_none_or(|item| item.sellable) {
        return Vec::new();
    }
    book.locations.keys().filter_map(|location| ending(book, settings, item, location)).collect()
}

fn ending(book: &Book, settings: &Settings, item: &ItemId, location: &LocationId) -> Option<Signal> {
    let since = book.calendar.day_of(book.items.get(item)?.delisted_at?);
    let on_shelf = book.on_shelf(item, location).max(Quantity::ZERO);
    let on_order: Quantity = book.incoming(item, location).iter().map(|i| i.qty).sum();
    let worth: Money = (on_shelf + on_order) * book.cost(item, location)?;
    if worth < settings.detect.policy_value {
        return None;
    }
    let order = if on_order.is_positive() { format!(" and {on_order} are on order") } else { String::new() };
    let headline = format!(
        "{} is not sold since {since}: {on_shelf} are left at {}{order}, {worth} at cost.",
        book.item_label(item),
        book.location_name(location)
    );
    let facts = [
        fact(book, record(RecordKind::Item, item.as_str()), "delisted_on", "not sold since", FactValue::Date(since)),
        place_fact(book, item, location, "on_shelf", "on the shelf", FactValue::Quantity(on_shelf)),
        place_fact(book, item, location, "on_order", "on order", FactValue::Quantity(on_order)),
        place_fact(book, item, location, "end_worth", "both at cost", FactValue::Money(worth)),
    ];
    let days = (since, book.today);
    let signal = Signal::rule(DETECTOR, T::DEol, Subject::at(item, location), format!("end {since}"), days, headline);
    Some(signal.link(surplus_link(item, location)).with(facts))
}
