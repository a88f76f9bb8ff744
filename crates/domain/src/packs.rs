//! By which codes and in which packages items go: what the ERP knows of them, for finding out what a partner means.

use serde::{Deserialize, Serialize};

use super::money::Quantity;

/// A package of an item, or a unit in which it is bought: `Carton 12`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Pack {
    /// Its name. Text from outside.
    pub name: String,
    /// Its own barcode; empty when it has none.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub barcode: String,
    /// How many stock units it holds, above zero.
    pub qty: Quantity,
}

/// The codes of an item beside its SKU, and its packages.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ItemKeys {
    /// The barcode of one stock unit, as a rule a GTIN; empty when it has none.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub barcode: String,
    /// Its packages.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub packs: Vec<Pack>,
}

impl ItemKeys {
    /// Is there nothing in it?
    pub fn is_empty(&self) -> bool {
        self.barcode.is_empty() && self.packs.is_empty()
    }
}

/// What a supplier calls an item, and in what it sells it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct SupplierKeys {
    /// The supplier's code of it; empty when none is noted. Text from outside.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub code: String,
    /// The supplier's name of it; empty when none is noted. Text from outside.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub name: String,
    /// The unit in which it is bought, where that is not the stock unit.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pack: Option<Pack>,
}

impl SupplierKeys {
    /// Is there nothing in it?
    pub fn is_empty(&self) -> bool {
        self.code.is_empty() && self.name.is_empty() && self.pack.is_none()
    }
}
