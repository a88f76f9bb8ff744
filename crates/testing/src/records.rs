//! Records as a source would tell them, each whole and plain. A test names what it is about and leaves the rest:
//! `StockMove { qty: Quantity::units(20), ..moved("31", MoveKind::Receipt, None, Some("2")) }`.

use std::collections::BTreeMap;

use jiff::civil::Date;
use jiff::tz::TimeZone;
use jiff::{Span, Timestamp};
use reeve_domain::ids::{ItemId, LocationId, SupplierId};
use reeve_domain::money::{Quantity, UnitPrice};
use reeve_domain::packs::{ItemKeys, SupplierKeys};
use reeve_domain::record::{
    BillLine, Item, Location, MoveKind, Promotion, PromotionSource, PurchaseLine, SaleLine, StockMove, Supplier,
    SupplierPrice,
};

/// So many days from Monday, 2 November 2026, on which made-up books are read.
pub fn day(offset: i32) -> Date {
    jiff::civil::date(2026, 11, 2) + Span::new().days(offset)
}

/// Noon of that day, UTC.
///
/// # Panics
/// Beyond all calendars.
pub fn at(offset: i32) -> Timestamp {
    day(offset).at(12, 0, 0, 0).to_zoned(TimeZone::UTC).expect("UTC has each noon").timestamp()
}

/// An item that costs 4.00 and sells at 10.00.
pub fn item(id: &str) -> Item {
    Item {
        id: ItemId::new(id),
        sku: format!("AC-{id:0>3}"),
        name: "Kitchen scale".into(),
        category: "Kitchen".into(),
        unit: "Units".into(),
        cost: UnitPrice::from_erp(4.0),
        costs: BTreeMap::new(),
        list_price: UnitPrice::from_erp(10.0),
        sellable: true,
        delisted_at: None,
        keys: ItemKeys::default(),
    }
}

/// A place of the one company there is; its code is the beginning of its name.
pub fn location(id: &str, name: &str) -> Location {
    let code = name.chars().take(3).collect::<String>().to_uppercase();
    Location { id: LocationId::new(id), code, name: name.into(), company: None, company_name: String::new() }
}

/// A supplier.
pub fn supplier(id: &str, name: &str) -> Supplier {
    Supplier { id: SupplierId::new(id), name: name.into() }
}

/// Supplier 9 has an item at 4.00, from one piece on, in a week.
pub fn supplier_price(item: &str) -> SupplierPrice {
    SupplierPrice {
        id: format!("price-{item}"),
        supplier: SupplierId::new("9"),
        item: ItemId::new(item),
        price: UnitPrice::from_erp(4.0),
        foreign: None,
        company: None,
        min_qty: Quantity::ZERO,
        lead_days: 7,
        valid_from: None,
        valid_to: None,
        sequence: 1,
        keys: SupplierKeys::default(),
    }
}

/// One piece of item 1 is to go from one place to another, of which one may be no place of ours; user 7 wrote it.
pub fn moved(id: &str, kind: MoveKind, from: Option<&str>, to: Option<&str>) -> StockMove {
    StockMove {
        id: id.into(),
        kind,
        item: ItemId::new("1"),
        from: from.map(LocationId::new),
        to: to.map(LocationId::new),
        qty: Quantity::units(1),
        created_at: at(-60),
        scheduled_at: None,
        done_at: None,
        document: format!("DOC/{id}"),
        document_id: Some(id.into()),
        origin: String::new(),
        po_line: None,
        sale_line: None,
        partner: None,
        deadline: None,
        returns: None,
        to_replace: false,
        asked: None,
        owner: None,
        entered_by: Some("7".into()),
        reason: String::new(),
    }
}

/// A hundred of item 1 at 8.00 for place 2, ordered from supplier 9 ten days ago for today, by an order of its own (`5<id>`).
pub fn po_line(id: &str) -> PurchaseLine {
    PurchaseLine {
        id: id.into(),
        order_id: format!("5{id}"),
        order_name: format!("P000{id}"),
        supplier: SupplierId::new("9"),
        item: ItemId::new("1"),
        location: LocationId::new("2"),
        qty: Quantity::units(100),
        price: UnitPrice::from_erp(8.0),
        foreign: None,
        company: None,
        ordered_at: at(-10),
        promised_first: at(0),
        promised: at(0),
        confirmed: true,
        draft: false,
        pack: None,
        to_customer: false,
        kits_received: None,
        kit: None,
    }
}

/// Supplier 9 bills a hundred of item 1 at 8.00 for an order line, by a bill of its own (`7<line>`), yesterday, to be paid in twenty days.
pub fn bill_line(id: &str, po_line: &str) -> BillLine {
    BillLine {
        id: id.into(),
        bill_id: format!("7{po_line}"),
        bill_name: format!("BILL/2026/{po_line}"),
        reference: "INV-1".into(),
        origin: String::new(),
        supplier: SupplierId::new("9"),
        po_line: Some(po_line.into()),
        item: Some(ItemId::new("1")),
        qty: Quantity::units(100),
        price: UnitPrice::from_erp(8.0),
        billed_on: day(-1),
        due_on: Some(day(20)),
        foreign: None,
        company: None,
        paid: false,
        partly: false,
        reversed: false,
        created_at: at(-1),
        entered_by: None,
        reverses: None,
    }
}

/// A customer orders one of item 1 at 10.00 from place 2, today.
pub fn sale_line(id: &str) -> SaleLine {
    SaleLine {
        id: id.into(),
        order_id: id.into(),
        order_name: format!("S{id}"),
        customer: "5".into(),
        reference: String::new(),
        item: ItemId::new("1"),
        location: LocationId::new("2"),
        qty: Quantity::units(1),
        price: UnitPrice::from_erp(10.0),
        ordered_at: at(0),
    }
}

/// An item is a fifth cheaper everywhere from one day to another.
pub fn promotion(id: &str, item: &str, from: Date, to: Date) -> Promotion {
    Promotion {
        id: id.into(),
        source: PromotionSource::Pricelist,
        item: ItemId::new(item),
        name: "Autumn".into(),
        from,
        to,
        percent: 20.0,
        company: None,
    }
}
