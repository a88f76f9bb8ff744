//! Terms: what suppliers ask, and by which rules is reordered.

use jiff::civil::Date;
use serde::{Deserialize, Serialize};

use super::ids::{ItemId, LocationId, SupplierId};
use super::money::{Quantity, UnitPrice};
use super::packs::SupplierKeys;

/// A price in the currency in which it was agreed, where that is not the company's.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Foreign {
    /// The ERP's id of the currency.
    pub currency: String,
    /// Net price of a unit in it.
    pub price: UnitPrice,
}

/// What a supplier asks for an item.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct SupplierPrice {
    /// The ERP's id.
    pub id: String,
    /// Who sells.
    pub supplier: SupplierId,
    /// What.
    pub item: ItemId,
    /// Net price of a unit. None when it is in a currency that can not be converted.
    pub price: Option<UnitPrice>,
    /// The same as it was agreed, where that was in another currency.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub foreign: Option<Foreign>,
    /// The company for which it was agreed (the ERP's id); None: for all.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub company: Option<String>,
    /// Least quantity of an order (MOQ); zero when there is none.
    pub min_qty: Quantity,
    /// Lead time in calendar days, order to receipt.
    pub lead_days: u32,
    /// First day of validity.
    pub valid_from: Option<Date>,
    /// Last day of validity.
    pub valid_to: Option<Date>,
    /// Order among the item's suppliers: lowest first.
    pub sequence: i64,
    /// What the supplier calls the item, and in what it sells it.
    #[serde(default, skip_serializing_if = "SupplierKeys::is_empty")]
    pub keys: SupplierKeys,
}

/// A minimum/maximum rule for an item at a location.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ReorderRule {
    /// The ERP's id.
    pub id: String,
    /// What.
    pub item: ItemId,
    /// Where.
    pub location: LocationId,
    /// Reorder point.
    pub min: Quantity,
    /// Order-up-to level.
    pub max: Quantity,
    /// Pack multiple; one where none is set.
    pub multiple: Quantity,
}
