//! One item: where it is, what comes, what it costs, and on which terms.

use jiff::civil::Date;

use super::{OpenLines, at_price};
use crate::domain::book::Book;
use crate::domain::calendar::plus_days;
use crate::domain::ids::{ItemId, LocationId, SupplierId};
use crate::domain::money::{Money, Quantity, UnitPrice};
use crate::domain::record::{Item, RecordKind, RecordRef};
use crate::rules::place_key;

/// Days over which sales are added up: four whole weeks.
const SOLD_DAYS: i32 = 28;

/// What there is of an item.
#[derive(Clone, Debug, PartialEq)]
pub struct ItemSheet {
    /// The record.
    pub record: RecordRef,
    /// SKU and name; text from outside.
    pub label: String,
    /// Category; text from outside.
    pub category: String,
    /// The stock unit's name.
    pub unit: String,
    /// Landed cost of a unit; None where the ERP has none.
    pub cost: Option<UnitPrice>,
    /// Net list price of a unit; None where the ERP has none.
    pub list_price: Option<UnitPrice>,
    /// May it be sold?
    pub sellable: bool,
    /// Where it is carried or in stock.
    pub places: Vec<PlaceRow>,
    /// What is on its way.
    pub open: OpenLines,
    /// Who sells it, and how, today.
    pub terms: Vec<TermsRow>,
    /// The links of signals that are about it: live cases own them.
    pub links: Vec<String>,
}

/// An item at a place.
#[derive(Clone, Debug, PartialEq)]
pub struct PlaceRow {
    /// Where.
    pub location: LocationId,
    /// Its name; text from outside.
    pub name: String,
    /// On hand, in stock units.
    pub on_hand: Quantity,
    /// What customers wait for.
    pub waiting: Quantity,
    /// On hand less what is waited for.
    pub available: Quantity,
    /// What is available at cost; None without a cost.
    pub value: Option<Money>,
    /// Still to come on orders.
    pub incoming: Quantity,
    /// The day on which the next of it is due.
    pub next: Option<Date>,
    /// Units asked for in the four weeks up to the last day that was closed.
    pub sold: f64,
    /// Reorder point and level, where the ERP has a rule, with the rule.
    pub rule: Option<(RecordRef, Quantity, Quantity)>,
}

/// On which terms a supplier sells it.
#[derive(Clone, Debug, PartialEq)]
pub struct TermsRow {
    /// The record.
    pub record: RecordRef,
    /// Who sells.
    pub supplier: (SupplierId, String),
    /// Net price of a unit; None where its currency can not be converted.
    pub price: Option<UnitPrice>,
    /// Least quantity of an order; zero where there is none.
    pub least: Quantity,
    /// Days from order to receipt, calendar days.
    pub lead_days: u32,
}

/// The sheet of an item, from a book that has its sales.
pub fn item_sheet(book: &Book, id: &ItemId) -> Option<ItemSheet> {
    let item = book.items.get(id)?;
    // Stock can lie where an item is not carried any more, and has to be seen.
    let mut places = book.carriers_of(id);
    places.extend(book.stocked_at(id));
    places.sort();
    places.dedup();
    let lines = book.lines_of_item(id);
    // Of lines that are over nothing is open any more: what a case is about came lately, or not yet.
    let links = places.iter().map(|place| place_key::shortage(id, place));
    let links = links.chain(lines.iter().rev().take(super::LINES * 4).map(|line| format!("line:{}", line.id))).collect();
    Some(ItemSheet {
        record: RecordRef::new(RecordKind::Item, id.as_str()),
        label: item.label(),
        category: item.category.clone(),
        unit: item.unit.clone(),
        cost: item.cost,
        list_price: item.list_price,
        sellable: item.sellable,
        places: places.iter().map(|place| place_row(book, item, place)).collect(),
        open: OpenLines::of(book, lines),
        terms: book
            .supplier_prices(id, book.today)
            .into_iter()
            .map(|terms| TermsRow {
                record: RecordRef::new(RecordKind::SupplierPrice, terms.id.as_str()),
                supplier: (terms.supplier.clone(), book.supplier_name(&terms.supplier)),
                price: terms.price,
                least: terms.min_qty,
                lead_days: terms.lead_days,
            })
            .collect(),
        links,
    })
}

fn place_row(book: &Book, item: &Item, location: &LocationId) -> PlaceRow {
    let id = &item.id;
    let incoming = book.incoming(id, location);
    let available = book.available(id, location);
    let since = plus_days(book.closed_at(location), 1 - SOLD_DAYS);
    PlaceRow {
        location: location.clone(),
        name: book.location_name(location),
        on_hand: book.on_hand(id, location),
        waiting: book.waiting(id, location),
        available,
        // Where customers wait for more than there is, the shelf is worth nothing, and not less.
        value: at_price(available.max(Quantity::ZERO), book.cost(id, location)),
        next: incoming.first().map(|first| first.promised),
        incoming: incoming.into_iter().map(|one| one.qty).sum(),
        sold: book.demand_by_day(id, location, since).into_iter().sum(),
        rule: book
            .rule(id, location)
            .map(|rule| (RecordRef::new(RecordKind::ReorderRule, rule.id.as_str()), rule.min, rule.max)),
    }
}
