//! Facts as detectors state them: a record's field with its label, or a few fields that belong together.

use reeve_domain::book::Book;
use reeve_domain::evidence::{Fact, FactValue};
use reeve_domain::ids::{ItemId, LocationId};
use reeve_domain::record::{PurchaseLine, RecordKind, RecordRef};

/// Points at a record.
pub(super) fn record(kind: RecordKind, id: &str) -> RecordRef {
    RecordRef::new(kind, id)
}

/// A fact read with the book.
pub(super) fn fact(book: &Book, source: RecordRef, field: &str, label: &str, value: FactValue) -> Fact {
    Fact::new(source, field, label, value, book.as_of)
}

/// A figure about an item at a location.
pub(super) fn place_fact(
    book: &Book,
    item: &ItemId,
    location: &LocationId,
    field: &str,
    label: &str,
    value: FactValue,
) -> Fact {
    fact(book, record(RecordKind::Item, item.as_str()), &format!("{field}@{location}"), label, value)
}

/// Ordered, received, open, price and promise of a purchase line.
pub(super) fn line_facts(book: &Book, line: &PurchaseLine) -> Vec<Fact> {
    let source = || record(RecordKind::PoLine, &line.id);
    let day = |at| FactValue::Date(book.calendar.day_of(at));
    let mut facts = vec![
        fact(book, source(), "qty", "ordered", FactValue::Quantity(line.qty)),
        fact(book, source(), "received", "received", FactValue::Quantity(book.received(&line.id))),
        fact(book, source(), "open", "still open", FactValue::Quantity(book.open_quantity(&line.id))),
        fact(book, source(), "promised_first", "first promise", day(line.promised_first)),
        fact(book, source(), "promised", "promised now", day(line.promised)),
    ];
    let (back, replaced) = (book.sent_back(&line.id), book.replaced(&line.id));
    for (field, label, qty) in [("sent_back", "sent back", back), ("replaced", "came in place of it", replaced)] {
        if qty.is_positive() {
            facts.push(fact(book, source(), field, label, FactValue::Quantity(qty)));
        }
    }
    if let Some(price) = line.price {
        facts.push(fact(book, source(), "price", "order price", FactValue::Price(price)));
    }
    facts
}
