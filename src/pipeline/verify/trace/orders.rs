//! Orders: what was ordered, added, promised, split or cancelled since.

use std::collections::BTreeSet;

use jiff::Timestamp;
use jiff::civil::Date;

use super::Trace;
use crate::domain::book::Book;
use crate::domain::ids::{ItemId, LocationId, SupplierId};
use crate::domain::money::Quantity;
use crate::domain::record::{MoveKind, PurchaseLine, StockMove};

/// Ordered since, drafts included: the executor's flow makes drafts that a buyer confirms.
pub(super) fn ordered(
    book: &Book,
    item: &ItemId,
    supplier: &SupplierId,
    destination: &LocationId,
    quantity: Quantity,
    since: Timestamp,
) -> Trace {
    let drafts = book.draft_lines.values().filter(|l| &l.item == item && &l.location == destination);
    let confirmed = book.po_lines_at(item, destination).into_iter().filter(|l| l.confirmed);
    let lines: Vec<&PurchaseLine> =
        confirmed.chain(drafts).filter(|l| l.ordered_at > since && &l.supplier == supplier).collect();
    let names: BTreeSet<&str> = lines.iter().map(|l| l.order_name.as_str()).collect();
    let names: Vec<&str> = names.into_iter().collect();
    Trace::quantity(lines.iter().map(|l| l.qty).sum(), quantity, &format!("ordered in {}", names.join(", ")))
}

/// More on a line of which `before` were ordered.
pub(super) fn increased(book: &Book, po_line: &str, before: Quantity, quantity: Quantity) -> Trace {
    match book.po_lines.get(po_line) {
        Some(line) => Trace::quantity(line.qty - before, quantity, &format!("added to {}", line.order_name)),
        None => Trace::Nothing,
    }
}

pub(super) fn promise(book: &Book, po_line: &str, kept: impl Fn(Date) -> bool) -> Trace {
    let Some(line) = book.po_lines.get(po_line) else { return Trace::Nothing };
    let promised = book.calendar.day_of(line.promised);
    Trace::of(kept(promised), || format!("{} is promised for {promised}", line.order_name))
}

pub(super) fn split(book: &Book, po_line: &str, now: Quantity, since: Timestamp) -> Trace {
    let receipts: Vec<&StockMove> =
        book.moves_of_po_line(po_line).into_iter().filter(|m| m.kind == MoveKind::Receipt).collect();
    let came: Quantity = receipts.iter().filter(|m| m.done_at.is_some_and(|at| at > since)).map(|m| m.qty).sum();
    // Once goods have come there may be one open receipt left, or none: what came says more than what is planned.
    if came.is_positive() {
        return Trace::quantity(came, now, "received of the first part");
    }
    let days: BTreeSet<_> = receipts
        .iter()
        .filter(|m| m.done_at.is_none())
        .filter_map(|m| m.deadline.or(m.scheduled_at))
        .map(|at| book.calendar.day_of(at))
        .collect();
    Trace::of(days.len() >= 2, || "the line has two receipts on two days".to_owned())
}

pub(super) fn cancelled(book: &Book, po_line: &str, quantity: Quantity) -> Trace {
    let Some(line) = book.po_lines.get(po_line) else {
        return Trace::Wholly("the line is gone from the ERP".to_owned());
    };
    let open = book.open_quantity(po_line);
    if !line.confirmed || open.is_zero() {
        return Trace::Wholly(format!("{} has nothing to come", line.order_name));
    }
    if open < quantity { Trace::Partly(format!("{open} units are still to come")) } else { Trace::Nothing }
}
