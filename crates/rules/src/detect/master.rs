//! Master data: what is missing of an item for its money to be computed (handbook §4.5, M-MASTER).

use reeve_domain::book::Book;
use reeve_domain::evidence::{FactValue, Missing};
use reeve_domain::exception::{ExceptionType as T, Signal, Subject};
use reeve_domain::ids::ItemId;
use reeve_domain::record::RecordKind;

use super::facts::{fact, record};

const DETECTOR: &str = "stock-rules/1";

/// M-MASTER: an item that is sold or stocked without what the arithmetic needs.
pub(super) fn signal(book: &Book, item: &ItemId) -> Option<Signal> {
    let record_of = book.items.get(item)?;
    let mut missing = Vec::new();
    let carriers = book.carriers_of(item);
    let costed = if carriers.is_empty() {
        record_of.cost.is_some() || !record_of.costs.is_empty()
    } else {
        carriers.iter().all(|location| book.cost(item, location).is_some())
    };
    if !costed {
        missing.push("unit cost");
    }
    if record_of.list_price.is_none() {
        missing.push("list price");
    }
    // A list that has ended is another fault than none: whoever looks knows where.
    if book.supplier_prices(item, book.today).is_empty() {
        missing.push(if book.has_lapsed_price(item) {
            "valid supplier price (the list has ended)"
        } else {
            "valid supplier price"
        });
    }
    if missing.is_empty() || !record_of.sellable {
        return None;
    }
    let headline = format!("{} has no {}: its money can not be computed.", record_of.label(), missing.join(", no "));
    let subject = Subject { item: Some(item.clone()), ..Subject::default() };
    let mut signal = Signal::rule(DETECTOR, T::MMaster, subject, missing.join("+"), (book.today, book.today), headline)
        .link(format!("master:{item}"));
    signal.missing = missing
        .iter()
        .map(|what| Missing {
            what: format!("{what} of {}", record_of.label()),
            blocks: "every money figure of the item".to_owned(),
        })
        .collect();
    let name = fact(book, record(RecordKind::Item, item.as_str()), "name", "item", FactValue::Text(record_of.label()));
    Some(signal.with([name.from_outside()]))
}
