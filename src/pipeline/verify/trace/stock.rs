//! Stock: what moved between places, was counted, held, sent back or delivered since.

use jiff::Timestamp;

use super::Trace;
use crate::domain::book::Book;
use crate::domain::ids::{ItemId, LocationId};
use crate::domain::money::Quantity;
use crate::domain::record::{MoveKind, StockMove};

/// Direct moves, and legs by way of a transit location: what left for it counts, and so does what is planned to arrive.
pub(super) fn transferred(
    book: &Book,
    item: &ItemId,
    from: &LocationId,
    to: &LocationId,
    quantity: Quantity,
    since: Timestamp,
) -> Trace {
    let since_then = |m: &&StockMove| m.kind == MoveKind::Transfer && m.created_at > since;
    let arrives: Vec<&StockMove> =
        book.moves_at(item, to).into_iter().filter(since_then).filter(|m| m.to.as_ref() == Some(to)).collect();
    let direct: Quantity = arrives.iter().filter(|m| m.from.as_ref() == Some(from)).map(|m| m.qty).sum();
    // No move names both ends here. So much counts as has left for the transit and is also to arrive from one.
    let by_way: Quantity = arrives.iter().filter(|m| m.from.is_none()).map(|m| m.qty).sum();
    let left: Quantity = book
        .moves_at(item, from)
        .into_iter()
        .filter(since_then)
        .filter(|m| m.from.as_ref() == Some(from) && m.to.is_none())
        .map(|m| m.qty)
        .sum();
    Trace::quantity(direct + by_way.min(left), quantity, "moved or on the way")
}

pub(super) fn reallocated(book: &Book, to_line: &str, quantity: Quantity, since: Timestamp) -> Trace {
    let served = |m: &&StockMove| m.kind == MoveKind::Delivery && m.done_at.is_some_and(|at| at > since);
    let served: Quantity = book.moves_of_sale_line(to_line).into_iter().filter(served).map(|m| m.qty).sum();
    Trace::quantity(served, quantity, "delivered on the order that was to be served first")
}

pub(super) fn recounted(book: &Book, item: &ItemId, location: &LocationId, since: Timestamp) -> Trace {
    match counts(book, item, location, since).last() {
        Some(count) => Trace::Wholly(format!("count {}", count.document)),
        None => Trace::Nothing,
    }
}

pub(super) fn adjusted(book: &Book, item: &ItemId, location: &LocationId, difference: Quantity, since: Timestamp) -> Trace {
    let posted: Quantity = counts(book, item, location, since)
        .iter()
        .map(|m| if m.to.as_ref() == Some(location) { m.qty } else { -m.qty })
        .sum();
    // Both signs turned, so that a loss is compared as a find is.
    let (posted, wanted) = if difference.is_positive() { (posted, difference) } else { (-posted, -difference) };
    Trace::quantity(posted, wanted, "posted by a count")
}

fn counts<'b>(book: &'b Book, item: &ItemId, location: &LocationId, since: Timestamp) -> Vec<&'b StockMove> {
    let counted = |m: &&StockMove| m.kind == MoveKind::Count && m.created_at > since;
    book.moves_at(item, location).into_iter().filter(counted).collect()
}

pub(super) fn held(book: &Book, item: &ItemId, location: &LocationId, quantity: Quantity, since: Timestamp) -> Trace {
    let left = |m: &&StockMove| {
        m.kind == MoveKind::Transfer && m.created_at > since && m.from.as_ref() == Some(location) && m.to.is_none()
    };
    let held: Quantity = book.moves_at(item, location).into_iter().filter(left).map(|m| m.qty).sum();
    Trace::quantity(held, quantity, "moved out of the saleable stock")
}

pub(super) fn sent_back(book: &Book, item: &ItemId, location: &LocationId, quantity: Quantity, since: Timestamp) -> Trace {
    let back = |m: &&StockMove| m.kind == MoveKind::SupplierReturn && m.created_at > since;
    let back: Vec<&StockMove> = book.moves_at(item, location).into_iter().filter(back).collect();
    let names: Vec<&str> = back.iter().map(|m| m.document.as_str()).collect();
    Trace::quantity(back.iter().map(|m| m.qty).sum(), quantity, &format!("sent back in {}", names.join(", ")))
}
