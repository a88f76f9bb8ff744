//! Records: what the ERP said, in the field's words, one value for each row that matters.
//!
//! A source (`ports::Source`) turns vendor rows into these. Every quantity is in the item's stock unit, every
//! time is UTC. `changed_at` is when the row (in this version) became visible to a reader; a record with the same key and
//! a later `changed_at` replaces the earlier one.

use jiff::Timestamp;
use jiff::civil::Date;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

use super::ids::{ItemId, LocationId, SupplierId};
pub use super::lot::{Lot, LotStock};
use super::money::{Quantity, UnitPrice};
use super::notice::Notice;
use super::packs::{ItemKeys, Pack};
pub use super::reference::{RecordKind, RecordRef};
pub use super::summed::{DemandMonth, StockLevel};
pub use super::terms::{Foreign, ReorderRule, SupplierPrice};

/// One record with the time from which a reader could see it in this form.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Observed {
    /// When this version became visible.
    pub changed_at: Timestamp,
    /// What it says.
    pub record: Record,
}

/// What the ERP said.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "record", rename_all = "snake_case")]
pub enum Record {
    /// See [`Item`].
    Item(Item),
    /// See [`Location`].
    Location(Location),
    /// See [`Supplier`].
    Supplier(Supplier),
    /// See [`SupplierPrice`].
    SupplierPrice(SupplierPrice),
    /// See [`ReorderRule`].
    ReorderRule(ReorderRule),
    /// See [`Promotion`].
    Promotion(Promotion),
    /// See [`SaleLine`].
    SaleLine(SaleLine),
    /// See [`PurchaseLine`].
    PoLine(PurchaseLine),
    /// See [`StockMove`].
    Move(StockMove),
    /// See [`BillLine`].
    BillLine(BillLine),
    /// See [`StockLevel`].
    StockLevel(StockLevel),
    /// See [`DemandMonth`].
    DemandMonth(DemandMonth),
    /// See [`Lot`].
    Lot(Lot),
    /// See [`LotStock`].
    LotStock(LotStock),
    /// See [`Notice`].
    Notice(Notice),
    /// The record of this key is no more: it was deleted in the ERP, or no longer means anything.
    Gone(RecordRef),
}

impl Record {
    /// Family and id: the record's key in the store.
    pub fn key(&self) -> RecordRef {
        match self {
            Self::Item(r) => RecordRef::new(RecordKind::Item, r.id.as_str()),
            Self::Location(r) => RecordRef::new(RecordKind::Location, r.id.as_str()),
            Self::Supplier(r) => RecordRef::new(RecordKind::Supplier, r.id.as_str()),
            Self::SupplierPrice(r) => RecordRef::new(RecordKind::SupplierPrice, r.id.clone()),
            Self::ReorderRule(r) => RecordRef::new(RecordKind::ReorderRule, r.id.clone()),
            Self::Promotion(r) => RecordRef::new(RecordKind::Promotion, r.id.clone()),
            Self::SaleLine(r) => RecordRef::new(RecordKind::SaleLine, r.id.clone()),
            Self::PoLine(r) => RecordRef::new(RecordKind::PoLine, r.id.clone()),
            Self::Move(r) => RecordRef::new(RecordKind::Move, r.id.clone()),
            Self::BillLine(r) => RecordRef::new(RecordKind::BillLine, r.id.clone()),
            Self::StockLevel(r) => RecordRef::new(RecordKind::StockLevel, format!("{}/{}", r.item, r.location)),
            Self::DemandMonth(r) => {
                let month = format!("{:04}-{:02}", r.month.year(), r.month.month());
                RecordRef::new(RecordKind::DemandMonth, format!("{}/{}/{month}", r.item, r.location))
            }
            Self::Lot(r) => RecordRef::new(RecordKind::Lot, r.id.clone()),
            Self::LotStock(r) => RecordRef::new(RecordKind::LotStock, format!("{}/{}", r.item, r.location)),
            Self::Notice(r) => RecordRef::new(RecordKind::Notice, r.id.clone()),
            Self::Gone(key) => key.clone(),
        }
    }
}

/// A product that is bought, stocked and sold.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Item {
    /// The ERP's id.
    pub id: ItemId,
    /// Internal reference (SKU); empty when the ERP has none.
    pub sku: String,
    /// Name. Text from outside: shown, never obeyed.
    pub name: String,
    /// Product category.
    pub category: String,
    /// Name of the stock unit.
    pub unit: String,
    /// Landed unit cost. None when the ERP has none or zero: missing is a value.
    pub cost: Option<UnitPrice>,
    /// The same for each company (the ERP's id), where several have their own. Then `cost` holds where no company is known.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub costs: BTreeMap<String, UnitPrice>,
    /// Net list price of one unit. None when missing or zero.
    pub list_price: Option<UnitPrice>,
    /// May it be sold? False once it is delisted.
    pub sellable: bool,
    /// From when `sellable` is false, where it is.
    pub delisted_at: Option<Timestamp>,
    /// Its barcode and packages.
    #[serde(default, skip_serializing_if = "ItemKeys::is_empty")]
    pub keys: ItemKeys,
}

impl Item {
    /// `AC-006 Espresso beans 1 kg`.
    pub fn label(&self) -> String {
        if self.sku.is_empty() { self.name.clone() } else { format!("{} {}", self.sku, self.name) }
    }
}

/// A store or warehouse.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Location {
    /// The ERP's id.
    pub id: LocationId,
    /// Short code: `NOR`.
    pub code: String,
    /// Name.
    pub name: String,
    /// The company it belongs to (the ERP's id), where the ERP tells.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub company: Option<String>,
    /// That company's name; empty where it is not told.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub company_name: String,
}

/// A supplier.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Supplier {
    /// The ERP's id.
    pub id: SupplierId,
    /// Name. Text from outside.
    pub name: String,
}

/// How a promotion is written in the ERP.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PromotionSource {
    /// A dated line of a price list.
    Pricelist,
    /// A loyalty or coupon programme.
    Loyalty,
}

/// A dated price reduction of one item.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Promotion {
    /// The ERP's id, with its source: `pricelist-2`, `loyalty-5`.
    pub id: String,
    /// Where it is kept.
    pub source: PromotionSource,
    /// Which item.
    pub item: ItemId,
    /// Name. Text from outside.
    pub name: String,
    /// First day, inclusive.
    pub from: Date,
    /// Last day, inclusive.
    pub to: Date,
    /// Reduction in percent of the list price.
    pub percent: f64,
    /// The company whose shops it runs in (the ERP's id); None: in all.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub company: Option<String>,
}

impl Promotion {
    /// Does it run in the shops of a company? Where the ERP does not say whose they are, it does.
    pub fn runs_in(&self, company: Option<&str>) -> bool {
        self.company.is_none() || company.is_none() || self.company.as_deref() == company
    }
}

/// A line of a customer's confirmed order: what was wanted, when it was wanted.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct SaleLine {
    /// The ERP's id.
    pub id: String,
    /// The order's id.
    pub order_id: String,
    /// The order's name: `S00294`.
    pub order_name: String,
    /// The customer, as a pseudonym (the ERP's partner id; never a name).
    pub customer: String,
    /// The customer's own reference on the order; empty when none. Text from outside.
    pub reference: String,
    /// What.
    pub item: ItemId,
    /// From where it is to be served.
    pub location: LocationId,
    /// How much, in stock units.
    pub qty: Quantity,
    /// Net price of a unit on the order.
    pub price: Option<UnitPrice>,
    /// When it was ordered.
    pub ordered_at: Timestamp,
}

/// A line of a purchase order.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct PurchaseLine {
    /// The ERP's id.
    pub id: String,
    /// The order's id.
    pub order_id: String,
    /// The order's name: `P00051`.
    pub order_name: String,
    /// From whom.
    pub supplier: SupplierId,
    /// What.
    pub item: ItemId,
    /// To where.
    pub location: LocationId,
    /// Ordered, in stock units. Negative on a line by which goods go back.
    pub qty: Quantity,
    /// Net price of a unit. None when its currency can not be converted.
    pub price: Option<UnitPrice>,
    /// The same as it was ordered, where that was in another currency.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub foreign: Option<Foreign>,
    /// The company that ordered (the ERP's id), where the ERP tells.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub company: Option<String>,
    /// When the order was confirmed.
    pub ordered_at: Timestamp,
    /// The first date promised, kept even when the ERP's field is rewritten later.
    pub promised_first: Timestamp,
    /// The date promised now.
    pub promised: Timestamp,
    /// Is the order confirmed and not cancelled?
    pub confirmed: bool,
    /// Is it still a draft (a request for quotation), which binds nobody?
    #[serde(default)]
    pub draft: bool,
    /// The package or unit that it was ordered in, where that is not the stock unit.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pack: Option<Pack>,
    /// Do the goods go straight to a customer? Then they never come to `location`, which only says who ordered.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub to_customer: bool,
    /// Of a kit: how many whole ones the ERP says were received, once its components are in.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub kits_received: Option<Quantity>,
    /// The product's name, where it is a kit of which no stock is kept: it is no item, only its components are.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub kit: Option<String>,
}

/// What a stock move means.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum MoveKind {
    /// From a supplier into stock.
    Receipt,
    /// From stock to a customer.
    Delivery,
    /// From a customer back into stock.
    CustomerReturn,
    /// From stock back to a supplier.
    SupplierReturn,
    /// Between two locations of the company.
    Transfer,
    /// A count's correction (in: found, out: missing).
    Count,
    /// Opening stock, booked as a correction but nobody's loss.
    Opening,
    /// Thrown away.
    Scrap,
}

/// A movement of stock, planned or done.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct StockMove {
    /// The ERP's id.
    pub id: String,
    /// What it means.
    pub kind: MoveKind,
    /// What moves.
    pub item: ItemId,
    /// The location it leaves, where that is one of ours.
    pub from: Option<LocationId>,
    /// The location it reaches, where that is one of ours.
    pub to: Option<LocationId>,
    /// Planned quantity while open, moved quantity when done; stock units, never negative.
    pub qty: Quantity,
    /// When it was entered.
    pub created_at: Timestamp,
    /// For when it is planned; None once it is done or where nobody planned it.
    #[serde(default)]
    pub scheduled_at: Option<Timestamp>,
    /// When it was done; None while it is planned.
    pub done_at: Option<Timestamp>,
    /// The document it belongs to: `PAR/IN/00013`, `SP/00001`.
    pub document: String,
    /// The document's id in the ERP, where there is one (Odoo: the picking).
    pub document_id: Option<String>,
    /// The order it follows from, as the ERP words it; empty when none.
    pub origin: String,
    /// The purchase line it fulfils.
    pub po_line: Option<String>,
    /// The sale line it fulfils.
    pub sale_line: Option<String>,
    /// The supplier or customer on the document (the ERP's partner id).
    pub partner: Option<String>,
    /// The promised date on the move, where it has one.
    pub deadline: Option<Timestamp>,
    /// The move this one takes back. A receipt that takes a return back comes in its place.
    pub returns: Option<String>,
    /// Of goods that go back to a supplier: are they to be replaced, not credited?
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub to_replace: bool,
    /// Of a component of a kit that was ordered: how many the document asks for, done or not. None where the line's own item moves.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub asked: Option<Quantity>,
    /// Whose goods they are, where they are not ours (consignment; the ERP's partner id): we hold them and do not own them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub owner: Option<String>,
    /// The person who entered it (the ERP's user id): a pseudonym.
    pub entered_by: Option<String>,
    /// Reason given, for scraps and counts. Text from outside.
    pub reason: String,
}

/// A line of a supplier's bill.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct BillLine {
    /// The ERP's id.
    pub id: String,
    /// The bill's id.
    pub bill_id: String,
    /// The bill's name: `BILL/2026/09/0010`.
    pub bill_name: String,
    /// The supplier's own number on it. Text from outside.
    pub reference: String,
    /// The order it names, as the ERP words it.
    pub origin: String,
    /// Who bills.
    pub supplier: SupplierId,
    /// The purchase line it bills; None when unmatched.
    pub po_line: Option<String>,
    /// What is billed.
    pub item: Option<ItemId>,
    /// Billed quantity in stock units; negative on a credit note.
    pub qty: Quantity,
    /// Net price of a unit. None when its currency can not be converted.
    pub price: Option<UnitPrice>,
    /// The bill's date.
    pub billed_on: Date,
    /// When it must be paid.
    pub due_on: Option<Date>,
    /// The price as it was billed, where that was in another currency.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub foreign: Option<Foreign>,
    /// The company that is billed (the ERP's id), where the ERP tells.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub company: Option<String>,
    /// Has it been paid (wholly or partly)?
    pub paid: bool,
    /// Is only a part of it settled, by a payment or a credit note?
    #[serde(default)]
    pub partly: bool,
    /// Does the ERP say that it was reversed?
    #[serde(default)]
    pub reversed: bool,
    /// When it was entered.
    pub created_at: Timestamp,
    /// The person who entered it (the ERP's user id): a pseudonym.
    #[serde(default)]
    pub entered_by: Option<String>,
    /// The bill that this one takes back.
    #[serde(default)]
    pub reverses: Option<String>,
}
