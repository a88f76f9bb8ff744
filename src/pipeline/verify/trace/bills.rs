//! Bills and documents: what was credited, left unpaid, released or reversed since.

use std::collections::BTreeSet;

use jiff::Timestamp;

use super::Trace;
use crate::domain::bill::TakenBack;
use crate::domain::book::Book;
use crate::domain::ids::SupplierId;
use crate::domain::money::Quantity;
use crate::domain::record::{BillLine, MoveKind, PurchaseLine, StockMove};

/// The lines of the bill of this name or id.
fn lines_of<'b>(book: &'b Book, bill: &str) -> Vec<&'b BillLine> {
    book.bill_lines.values().filter(|b| b.bill_name == bill || b.bill_id == bill).collect()
}

fn taken(taken: &TakenBack) -> Trace {
    if taken.whole { Trace::Wholly(taken.words()) } else { Trace::Partly(taken.words()) }
}

/// A claim on a bill is met when the bill is taken back.
pub(super) fn claimed_of_bill(book: &Book, bill: &str) -> Trace {
    book.taken_back(bill).map_or(Trace::Nothing, taken)
}

/// A claim on order lines is met by a credit note for one of them.
pub(super) fn claimed(book: &Book, supplier: &SupplierId, po_lines: &[String], since: Timestamp) -> Trace {
    let credit = book.bill_lines.values().find(|b| {
        &b.supplier == supplier
            && b.qty < Quantity::ZERO
            && b.created_at > since
            && b.po_line.as_ref().is_some_and(|l| po_lines.contains(l))
    });
    credit.map_or(Trace::Nothing, |b| Trace::Wholly(format!("credit note {}", b.bill_name)))
}

pub(super) fn blocked(book: &Book, bill: &str, since: Timestamp) -> Trace {
    let lines = lines_of(book, bill);
    let taken = lines.iter().find_map(|b| book.taken_back(&b.bill_id).filter(|taken| taken.whole));
    match lines.as_slice() {
        [] => Trace::Nothing,
        _ if taken.is_some() => {
            Trace::Wholly(format!("{bill} was taken back unpaid: {}", taken.map(TakenBack::words).unwrap_or_default()))
        }
        lines if lines.iter().any(|b| !book.is_unpaid(b)) => Trace::Nothing,
        // A bill that is not due yet is unpaid anyhow: it was held only when its day has passed.
        lines => match lines.iter().filter_map(|b| b.due_on).max() {
            Some(due) if due < book.today => Trace::Wholly(format!("{bill} was due on {due} and is unpaid")),
            None if book.calendar.day_of(since) < book.today => Trace::Wholly(format!("{bill} is unpaid")),
            _ => Trace::TooEarly,
        },
    }
}

/// The line is closed (nothing to come), or the bill is released (paid).
pub(super) fn accepted(book: &Book, document: &str) -> Trace {
    let bills = lines_of(book, document);
    if !bills.is_empty() {
        return Trace::of(bills.iter().all(|b| b.paid), || format!("{document} is released"));
    }
    let lines: Vec<&PurchaseLine> =
        book.po_lines.values().filter(|l| l.order_name == document || l.id == document).collect();
    if lines.is_empty() {
        // A count or a receipt: accepting it changes nothing that could be read.
        return Trace::Unseen;
    }
    Trace::of(lines.iter().all(|l| book.open_quantity(&l.id).is_zero()), || format!("{document} has nothing to come"))
}

/// A receipt is reversed by a return, a bill by a credit note, an order by its cancellation.
pub(super) fn reversed(book: &Book, document: &str, since: Timestamp) -> Trace {
    let returned = |m: &&StockMove| {
        let takes_back = matches!(m.kind, MoveKind::SupplierReturn | MoveKind::CustomerReturn);
        let original = m.returns.as_ref().and_then(|id| book.find_move(id));
        let names_it = m.origin.contains(document) || original.is_some_and(|original| original.document == document);
        takes_back && m.created_at > since && names_it
    };
    if let Some(m) = book.every_move().into_iter().find(returned) {
        return Trace::Wholly(format!("return {}", m.document));
    }
    // That it stood when the reversal was approved is a hard check: whatever took it back came since.
    let bills: BTreeSet<&str> = lines_of(book, document).into_iter().map(|b| b.bill_id.as_str()).collect();
    if let Some(back) = bills.into_iter().find_map(|bill| book.taken_back(bill)) {
        return taken(back);
    }
    // It was there when the reversal was approved (a hard check): what is called so nowhere any more was cancelled.
    let sold: Vec<_> = book.sale_lines.values().filter(|l| l.order_name == document).collect();
    let known = book.every_move().into_iter().any(|m| m.document == document && !m.qty.is_zero())
        || book.bill_lines.values().any(|b| b.bill_name == document);
    let withdrawn = |line: &str| {
        let deliveries = book.moves_of_sale_line(line);
        !deliveries.is_empty() && deliveries.iter().all(|m| m.done_at.is_none() && m.qty.is_zero())
    };
    Trace::of(!known && sold.iter().all(|l| withdrawn(&l.id)), || format!("{document} is cancelled"))
}
