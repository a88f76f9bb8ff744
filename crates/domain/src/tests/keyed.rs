//! What an index gives is what a walk over all records would.

use std::collections::BTreeMap;

use jiff::Timestamp;
use proptest::prelude::*;

use super::random::{a_book, places, records};
use crate::book::{Book, numeric};
use crate::calendar::Calendar;
use crate::ids::SupplierId;
use crate::record::{MoveKind, Record, StockMove};

/// The ids of records, for comparing which and in which order.
fn ids<'r, T: crate::table::Row + 'r>(records: impl IntoIterator<Item = &'r T>) -> Vec<String> {
    records.into_iter().map(|record| record.id().to_owned()).collect()
}

fn in_time(mut moves: Vec<&StockMove>) -> Vec<&StockMove> {
    moves.sort_by_key(|m| (m.done_at.unwrap_or(Timestamp::MAX), numeric(&m.id)));
    moves
}

proptest! {
    #[test]
    fn places_have_their_records(book in a_book()) {
        for (item, location) in places(&book) {
            let sales = book.sale_lines.values().filter(|l| l.item == item && l.location == location);
            let mut sales: Vec<_> = sales.collect();
            sales.sort_by_key(|l| (l.ordered_at, numeric(&l.id)));
            prop_assert_eq!(ids(book.sales_at(&item, &location)), ids(sales));
            let touches = |m: &&StockMove| {
                m.item == item && (m.from.as_ref() == Some(&location) || m.to.as_ref() == Some(&location))
            };
            let moves = in_time(book.every_move().into_iter().filter(touches).collect());
            prop_assert_eq!(ids(book.moves_at(&item, &location)), ids(moves));
            let lines = book.po_lines.values().filter(|l| l.item == item && l.location == location && !l.to_customer);
            let mut lines: Vec<_> = lines.collect();
            lines.sort_by_key(|l| (l.ordered_at, numeric(&l.id)));
            prop_assert_eq!(ids(book.po_lines_at(&item, &location)), ids(lines));
        }
    }

    #[test]
    fn orders_suppliers_and_bills_have_their_lines(book in a_book()) {
        for n in 0..20 {
            let id = n.to_string();
            prop_assert_eq!(
                ids(book.lines_of_order(&id)),
                ids(book.po_lines.values().filter(|l| l.order_id == id))
            );
            let name = format!("P{n}");
            prop_assert_eq!(
                ids(book.lines_named(&name)),
                ids(book.po_lines.values().filter(|l| l.order_name == name))
            );
            prop_assert_eq!(
                ids(book.lines_of_sale(&id)),
                ids(book.sale_lines.values().filter(|l| l.order_id == id))
            );
            let name = format!("S{n}");
            prop_assert_eq!(
                ids(book.sales_named(&name)),
                ids(book.sale_lines.values().filter(|l| l.order_name == name))
            );
            let supplier = SupplierId::new(id.clone());
            prop_assert_eq!(
                ids(book.lines_of_supplier(&supplier)),
                ids(book.po_lines.values().filter(|l| l.supplier == supplier))
            );
            let of_supplier = |order: &&str| book.lines_of_order(order).first().is_some_and(|l| l.supplier == supplier);
            let orders: Vec<&str> = book.orders().into_iter().filter(of_supplier).collect();
            prop_assert_eq!(book.orders_of_supplier(&supplier), orders);
            prop_assert_eq!(
                ids(book.lines_of_bill(&id)),
                ids(book.bill_lines.values().filter(|l| l.bill_id == id))
            );
            let name = format!("B{n}");
            prop_assert_eq!(
                ids(book.bill_lines_named(&name)),
                ids(book.bill_lines.values().filter(|l| l.bill_name == name))
            );
        }
    }

    #[test]
    fn lines_and_documents_have_their_moves(book in a_book()) {
        for n in 0..60 {
            let id = n.to_string();
            let of_line = book.every_move().into_iter().filter(|m| book.line_of(m) == Some(id.as_str()));
            let of_line = in_time(of_line.collect());
            // Only what its documents ask for makes a kit of a line.
            let asks = |m: &&StockMove| m.kind == MoveKind::Receipt && m.returns.is_none() && m.asked.is_some();
            prop_assert!(!book.is_kit(&id) || of_line.iter().any(asks));
            prop_assert_eq!(ids(book.moves_of_po_line(&id)), ids(of_line));
            let of_sale = in_time(book.every_move().into_iter().filter(|m| m.sale_line.as_ref() == Some(&id)).collect());
            prop_assert_eq!(ids(book.moves_of_sale_line(&id)), ids(of_sale));
            let document = format!("D{n}");
            prop_assert_eq!(
                ids(book.moves_of_document(&document)),
                ids(book.every_move().into_iter().filter(|m| m.document == document))
            );
            prop_assert_eq!(
                ids(book.moves_returning(&id)),
                ids(book.every_move().into_iter().filter(|m| m.returns.as_ref() == Some(&id)))
            );
        }
    }

    #[test]
    fn of_two_records_with_one_id_the_last_stands_and_ids_rise(records in records()) {
        let mut last: BTreeMap<String, StockMove> = BTreeMap::new();
        for record in &records {
            if let Record::Move(m) = record {
                last.insert(m.id.clone(), m.clone());
            }
        }
        let book = Book::new(Timestamp::from_second(1_793_000_000).unwrap(), Calendar::utc(), records);
        prop_assert_eq!(book.every_move().len(), last.len());
        prop_assert!(book.every_move().into_iter().zip(last.values()).all(|(kept, last)| kept == last));
        prop_assert!(last.keys().all(|id| book.find_move(id).is_some_and(|m| m.id == *id)));
        prop_assert!(book.find_move("none").is_none());
    }

    #[test]
    fn what_is_asked_of_a_line_leaves_out_the_repeats(book in a_book()) {
        for line in book.po_lines.values() {
            let repeats = |bill: &str| book.repeats().iter().any(|r| r.is_taken() && r.later == bill);
            prop_assert!(book.asked(&line.id).iter().all(|b| !repeats(&b.bill_id)));
        }
        let mut later: Vec<&str> = book.repeats().iter().map(|r| r.later.as_str()).collect();
        later.sort_unstable();
        prop_assert!(later.windows(2).all(|pair| pair[0] != pair[1]), "each bill repeats once");
    }
}
