//! Pointers at records: which family, and the ERP's id in it. People see them, facts cite them.

use std::fmt;

use serde::{Deserialize, Serialize};

/// A pointer to one record, as shown to people and cited by facts: `po_line:183`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct RecordRef {
    /// Which family.
    pub kind: RecordKind,
    /// The ERP's id in it.
    pub id: String,
}

impl RecordRef {
    /// Points at record `id` of family `kind`.
    pub fn new(kind: RecordKind, id: impl Into<String>) -> Self {
        Self { kind, id: id.into() }
    }
}

impl fmt::Display for RecordRef {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.kind.as_str(), self.id)
    }
}

/// The families of records.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RecordKind {
    /// A product.
    Item,
    /// A store or warehouse.
    Location,
    /// A supplier.
    Supplier,
    /// A supplier's price, lead time and minimum for an item.
    SupplierPrice,
    /// A minimum/maximum rule.
    ReorderRule,
    /// A price promotion.
    Promotion,
    /// A line of a customer's order.
    SaleLine,
    /// A line of a purchase order.
    PoLine,
    /// A stock move.
    Move,
    /// A line of a supplier's bill.
    BillLine,
    /// Stock of an item at a location, as the ERP states it.
    StockLevel,
    /// A month of an item's demand at a location.
    DemandMonth,
    /// A batch of a product.
    Lot,
    /// The lots of an item at a location, as the ERP states them.
    LotStock,
    /// What a partner or another system announced.
    Notice,
    /// What a person decided here. No record of the ERP's: only cited, where Reeve judges itself.
    Decision,
    /// A case that people decided here. No record of the ERP's: only cited, where memory shows it beside a like one.
    Case,
}

impl RecordKind {
    /// The name in citations and in the store.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Item => "item",
            Self::Location => "location",
            Self::Supplier => "supplier",
            Self::SupplierPrice => "supplier_price",
            Self::ReorderRule => "reorder_rule",
            Self::Promotion => "promotion",
            Self::SaleLine => "sale_line",
            Self::PoLine => "po_line",
            Self::Move => "move",
            Self::BillLine => "bill_line",
            Self::StockLevel => "stock_level",
            Self::DemandMonth => "demand_month",
            Self::Lot => "lot",
            Self::LotStock => "lot_stock",
            Self::Notice => "notice",
            Self::Decision => "decision",
            Self::Case => "case",
        }
    }
}
