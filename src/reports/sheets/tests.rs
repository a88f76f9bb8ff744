//! Sheets of a small made-up book, worked out by hand.

use reeve_testing::records::{at, bill_line, day, item, location, moved, po_line, supplier, supplier_price};

use super::supplier::rows;
use super::{item_sheet, supplier_sheet};
use crate::config::Config;
use crate::domain::book::Book;
use crate::domain::calendar::Calendar;
use crate::domain::ids::{ItemId, SupplierId};
use crate::domain::money::{Money, Quantity};
use crate::domain::record::{MoveKind, PurchaseLine, Record, StockMove};

/// One item at one place: 30 on hand; a line of 100 that was due five days ago, of which 40 came, and one of 20 that is due in three days
/// and has no price.
fn book() -> Book {
    let came = |id: &str, qty: i64, done: i32| StockMove {
        qty: Quantity::units(qty),
        done_at: Some(at(done)),
        po_line: Some("11".into()),
        ..moved(id, MoveKind::Receipt, None, Some("2"))
    };
    let to_come = |id: &str, line: &str, qty: i64| StockMove {
        qty: Quantity::units(qty),
        po_line: Some(line.into()),
        ..moved(id, MoveKind::Receipt, None, Some("2"))
    };
    let lost =
        StockMove { qty: Quantity::units(10), done_at: Some(at(-2)), ..moved("34", MoveKind::Scrap, Some("2"), None) };
    let late = PurchaseLine { promised: at(-5), promised_first: at(-5), ..po_line("11") };
    let next = PurchaseLine { promised: at(3), price: None, qty: Quantity::units(20), ..po_line("12") };
    Book::new(
        at(0),
        Calendar::utc(),
        [
            Record::Item(item("1")),
            Record::Location(location("2", "Riverside Store")),
            Record::Supplier(supplier("9", "Nordic Traders")),
            Record::Supplier(supplier("8", "Aldo Foods")),
            Record::SupplierPrice(supplier_price("1")),
            Record::PoLine(late),
            Record::PoLine(next),
            Record::Move(came("31", 40, -4)),
            Record::Move(to_come("32", "11", 60)),
            Record::Move(to_come("33", "12", 20)),
            Record::Move(lost),
            Record::BillLine(bill_line("71", "11")),
        ],
    )
}

#[test]
fn an_item_says_what_is_there_what_comes_and_who_sells_it() {
    let book = book();
    let sheet = item_sheet(&book, &ItemId::new("1")).unwrap();
    assert_eq!(sheet.label, "AC-001 Kitchen scale");
    let place = &sheet.places[0];
    assert_eq!((sheet.places.len(), place.name.as_str()), (1, "Riverside Store"));
    assert_eq!((place.on_hand, place.available), (Quantity::units(30), Quantity::units(30)));
    assert_eq!(
        (place.value, place.incoming, place.next),
        (Some(Money::from_minor(12_000)), Quantity::units(80), Some(day(-5)))
    );
    assert_eq!((sheet.open.of, sheet.open.late, sheet.open.unpriced), (2, 1, 1));
    assert_eq!(sheet.open.value, Money::from_minor(48_000), "60 at 8.00; what has no price is counted and not valued");
    let orders: Vec<_> = sheet.open.lines.iter().map(|line| (line.order.as_str(), line.late)).collect();
    assert_eq!(orders, [("P00011", Some(5)), ("P00012", None)]);
    assert_eq!((sheet.terms.len(), sheet.terms[0].lead_days), (1, 7));
    for link in ["shortage:1@2", "line:11", "line:12"] {
        assert!(sheet.links.iter().any(|known| known == link), "{link} in {:?}", sheet.links);
    }
    assert_eq!(item_sheet(&book, &ItemId::new("404")), None);
}

#[test]
fn a_supplier_says_what_comes_how_punctual_it_was_and_what_is_unpaid() {
    let (book, config) = (book(), Config::load_from(None, &[]).unwrap());
    let sheet = supplier_sheet(&book, &config, &SupplierId::new("9")).unwrap();
    assert_eq!((sheet.name.as_str(), sheet.open.of, sheet.open.late), ("Nordic Traders", 2, 1));
    assert_eq!(sheet.unpaid, (1, Money::from_minor(80_000)));
    let otif = sheet.figures.iter().find(|kpi| kpi.id == "supplier_otif").unwrap();
    assert_eq!((otif.value, otif.n), (Some(0.0), 1), "one line was due, and came short");
    assert!(sheet.links.contains(&"leadtime:9".to_owned()));
    assert_eq!(supplier_sheet(&book, &config, &SupplierId::new("404")), None);
}

#[test]
fn suppliers_are_found_by_a_part_of_their_name() {
    let book = book();
    let names = |text: &str, skip, limit| {
        let (rows, of) = rows(&book, text, skip, limit);
        (rows.into_iter().map(|row| (row.name, row.open, row.late)).collect::<Vec<_>>(), of)
    };
    assert_eq!(names("", 0, 1), (vec![("Aldo Foods".to_owned(), 0, 0)], 2));
    assert_eq!(names("", 1, 1), (vec![("Nordic Traders".to_owned(), 2, 1)], 2));
    assert_eq!(names("NORD", 0, 9), (vec![("Nordic Traders".to_owned(), 2, 1)], 1));
}
