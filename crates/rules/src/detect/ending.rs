//! What is left of an item that is not sold any more (D-EOL; handbook §4.1): stock, and orders that still bring more of it.

use std::collections::BTreeMap;

use jiff::civil::Date;

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

/// What a place still has, or is to get, of an item at its end.
struct Left {
    location: LocationId,
    on_shelf: Quantity,
    on_order: Quantity,
    worth: Money,
}

/// D-EOL for each place that still has, or is to get, an item that is delisted.
pub(super) fn signals_of(book: &Book, settings: &Settings, item: &ItemId) -> Vec<Signal> {
    let Some(known) = book.items.get(item).filter(|item| !item.sellable) else { return Vec::new() };
    let Some(since) = known.delisted_at.map(|at| book.calendar.day_of(at)) else { return Vec::new() };
    // Of one company: another's stock is another's to decide on.
    let mut of_company: BTreeMap<Option<&str>, Vec<Left>> = BTreeMap::new();
    for location in book.carriers_of(item) {
        let Some(left) = left_at(book, item, &location).filter(|left| left.worth >= settings.detect.policy_value) else {
            continue;
        };
        of_company.entry(book.company_of(&location)).or_default().push(left);
    }
    let mut found = Vec::new();
    for (company, all) in &of_company {
        found.extend(all.iter().map(|left| ending(book, item, since, left, (*company, all))));
    }
    found
}

fn left_at(book: &Book, item: &ItemId, location: &LocationId) -> Option<Left> {
    let on_shelf = book.on_shelf(item, location).max(Quantity::ZERO);
    let on_order: Quantity = book.incoming(item, location).iter().map(|i| i.qty).sum();
    let worth = (on_shelf + on_order) * book.cost(item, location)?;
    Some(Left { location: location.clone(), on_shelf, on_order, worth })
}

fn ending(book: &Book, item: &ItemId, since: Date, left: &Left, (company, all): (Option<&str>, &[Left])) -> Signal {
    let Left { location, on_shelf, on_order, worth } = left;
    let order = if on_order.is_positive() { format!(" and {on_order} are on order") } else { String::new() };
    // One delisting is one decision, whichever of its places gives the case its words.
    let everywhere = if all.len() > 1 {
        let worth: Money = all.iter().map(|left| left.worth).sum();
        format!("; {worth} at {} places in all", all.len())
    } else {
        String::new()
    };
    let headline = format!(
        "{} is not sold since {since}: {on_shelf} are left at {}{order}, {worth} at cost{everywhere}.",
        book.item_label(item),
        book.location_name(location)
    );
    let facts = [
        fact(book, record(RecordKind::Item, item.as_str()), "delisted_on", "not sold since", FactValue::Date(since)),
        place_fact(book, item, location, "on_shelf", "on the shelf", FactValue::Quantity(*on_shelf)),
        place_fact(book, item, location, "on_order", "on order", FactValue::Quantity(*on_order)),
        place_fact(book, item, location, "end_worth", "both at cost", FactValue::Money(*worth)),
    ];
    let days = (since, book.today);
    let signal = Signal::rule(DETECTOR, T::DEol, Subject::at(item, location), format!("end {since}"), days, headline);
    let end = match company.filter(|_| book.has_several_companies()) {
        Some(company) => format!("end:{item}@{company}"),
        None => format!("end:{item}"),
    };
    signal.link(end).link(surplus_link(item, location)).with(facts)
}
