//! Small random books, whose records name each other and what is not there, in any order and some twice.

use std::collections::BTreeMap;

use jiff::Timestamp;
use proptest::prelude::*;

use crate::book::{Book, Place};
use crate::calendar::Calendar;
use crate::ids::{ItemId, LocationId, SupplierId};
use crate::money::{Quantity, UnitPrice};
use crate::record::{BillLine, Item, Location, MoveKind, PurchaseLine, Record, SaleLine, StockMove};

const NOW: i64 = 1_793_000_000;

/// A time in the forty days before now.
fn at(hours: u16) -> Timestamp {
    Timestamp::from_second(NOW - i64::from(hours % 960) * 3600).unwrap()
}

fn item(n: u8) -> ItemId {
    ItemId::new((n % 3).to_string())
}

fn location(n: u8) -> LocationId {
    LocationId::new((n % 3).to_string())
}

/// Every item at every location that the records could name.
pub(crate) fn places(_book: &Book) -> Vec<Place> {
    (0..3).flat_map(|i| (0..3).map(move |l| (item(i), location(l)))).collect()
}

/// The numbers that a record is made of.
type Drawn = (u8, u8, u8, u8, u8, u16);

fn sale((id, a, b, c, d, hours): Drawn) -> Record {
    Record::SaleLine(SaleLine {
        id: (id % 40).to_string(),
        order_id: (c % 9).to_string(),
        order_name: format!("S{}", d % 6),
        customer: "1".to_owned(),
        reference: String::new(),
        item: item(a),
        location: location(b),
        qty: Quantity::units(i64::from(d % 9)),
        price: None,
        ordered_at: at(hours),
    })
}

fn purchase((id, a, b, c, d, hours): Drawn) -> Record {
    Record::PoLine(PurchaseLine {
        id: (id % 20).to_string(),
        order_id: (c % 9).to_string(),
        order_name: format!("P{}", c % 5),
        supplier: SupplierId::new((d % 3).to_string()),
        item: item(a),
        location: location(b),
        qty: Quantity::units(i64::from(d % 9) + 1),
        price: UnitPrice::from_erp(2.0),
        foreign: None,
        company: None,
        ordered_at: at(hours),
        promised_first: at(hours / 2),
        promised: at(hours / 2),
        confirmed: d % 4 != 0,
        draft: d % 7 == 6,
        pack: None,
        to_customer: d % 5 == 4,
        kits_received: (a % 4 == 3).then(|| Quantity::units(1)),
        kit: None,
    })
}

fn stock_move((id, a, b, c, d, hours): Drawn) -> Record {
    use MoveKind::{Count, CustomerReturn, Delivery, Receipt, Scrap, SupplierReturn, Transfer};
    let kind = [Receipt, Delivery, Receipt, SupplierReturn, Transfer, CustomerReturn, Count, Scrap][usize::from(c % 8)];
    Record::Move(StockMove {
        id: (id % 60).to_string(),
        kind,
        item: item(a),
        from: (c % 3 != 0).then(|| location(b)),
        to: (c % 3 != 1).then(|| location(d)),
        qty: Quantity::units(i64::from(d % 7)),
        created_at: at(hours),
        scheduled_at: None,
        done_at: (d % 5 != 0).then(|| at(hours / 3)),
        document: format!("D{}", b % 9),
        document_id: None,
        origin: String::new(),
        po_line: (d % 3 != 0).then(|| (c % 20).to_string()),
        sale_line: (d % 3 == 0).then(|| (c % 40).to_string()),
        partner: None,
        deadline: None,
        returns: (a % 3 == 2).then(|| (b % 60).to_string()),
        to_replace: false,
        asked: (b % 3 == 1).then(|| Quantity::units(i64::from(d % 4))),
        owner: None,
        entered_by: None,
        reason: String::new(),
    })
}

fn bill((id, a, b, c, d, hours): Drawn) -> Record {
    Record::BillLine(BillLine {
        id: (id % 30).to_string(),
        bill_id: (b % 12).to_string(),
        bill_name: format!("B{}", b % 8),
        reference: format!("R-{}", c % 10),
        origin: if d % 4 == 0 { format!("B{}", c % 8) } else { String::new() },
        supplier: SupplierId::new((d % 3).to_string()),
        po_line: (a % 4 != 0).then(|| (c % 20).to_string()),
        item: (a % 5 != 0).then(|| item(a)),
        qty: Quantity::units(i64::from(d % 7) - 2),
        price: UnitPrice::from_erp(2.0),
        billed_on: at(hours).to_zoned(jiff::tz::TimeZone::UTC).date(),
        due_on: None,
        foreign: None,
        company: None,
        paid: a % 6 == 0,
        partly: false,
        reversed: a % 9 == 8,
        created_at: at(hours),
        entered_by: None,
        reverses: (d % 6 == 0).then(|| (c % 12).to_string()),
    })
}

fn master() -> Vec<Record> {
    let of_item = |n: u8| {
        Record::Item(Item {
            id: item(n),
            sku: String::new(),
            name: n.to_string(),
            category: String::new(),
            unit: "Units".to_owned(),
            cost: None,
            costs: BTreeMap::new(),
            list_price: None,
            sellable: true,
            delisted_at: None,
            keys: crate::packs::ItemKeys::default(),
        })
    };
    let of_location = |n: u8| {
        let (id, code) = (location(n), n.to_string());
        let company = (n > 0).then(|| (n % 2).to_string());
        let company_name = if n == 1 { "One".to_owned() } else { String::new() };
        Record::Location(Location { id, code: code.clone(), name: code, company, company_name })
    };
    (0..3).map(of_item).chain((0..3).map(of_location)).collect()
}

/// The records of a random book, each with the number that puts it in its place.
pub(crate) fn records() -> impl Strategy<Value = Vec<Record>> {
    let drawn = || any::<(u8, u8, u8, u8, u8, u16)>();
    let many = |most: usize| prop::collection::vec(drawn(), 0..most);
    (many(60), many(30), many(90), many(40)).prop_map(|(sales, purchases, moves, bills)| {
        let sales = sales.into_iter().map(sale);
        let rest = purchases.into_iter().map(purchase).chain(moves.into_iter().map(stock_move));
        master().into_iter().chain(sales).chain(rest).chain(bills.into_iter().map(bill)).collect()
    })
}

/// A random book.
pub(crate) fn a_book() -> impl Strategy<Value = Book> {
    records().prop_map(|records| Book::new(Timestamp::from_second(NOW).unwrap(), Calendar::utc(), records))
}
