//! Lots of a scenario: how much of each is where, and when it expires.

use std::collections::BTreeMap;

use reeve_domain::ids::{ItemId, LocationId};
use reeve_domain::money::Quantity;
use reeve_domain::record::{Lot, LotStock, Observed, Record};
use serde::Deserialize;

use super::masters::quantity;
use super::when::Day;

/// A lot of an item at a location; of what is gone the quantity is left out.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LotSpec {
    pub id: String,
    pub item: String,
    pub at: String,
    /// On hand of it.
    #[serde(default)]
    pub now: f64,
    /// The day on which it expires; left out where nobody entered one.
    pub expires: Option<i32>,
    /// The day on which it came.
    pub came: i32,
}

/// The lots, each from the day on which it came, and what is left of them on the scenario's day.
pub(super) fn told(lots: &[LotSpec], day: &Day) -> Result<Vec<Observed>, String> {
    let mut told = Vec::new();
    let mut held: BTreeMap<(String, String), BTreeMap<String, Quantity>> = BTreeMap::new();
    for spec in lots {
        let created_at = day.noon(spec.came);
        let lot = Lot {
            id: spec.id.clone(),
            item: ItemId::new(spec.item.as_str()),
            name: format!("L{}", spec.id),
            expires_at: spec.expires.map(|on| day.noon(on)),
            created_at,
        };
        told.push(Observed { changed_at: created_at, record: Record::Lot(lot) });
        let left = quantity("now", spec.now)?;
        // An ERP keeps no row of a lot that is gone from the shelf.
        if left.is_positive() {
            held.entry((spec.item.clone(), spec.at.clone())).or_default().insert(spec.id.clone(), left);
        }
    }
    for ((item, at), lots) in held {
        let stock = LotStock { item: ItemId::new(item), location: LocationId::new(at), lots, without: Quantity::ZERO };
        told.push(Observed { changed_at: day.at(0, 0), record: Record::LotStock(stock) });
    }
    Ok(told)
}
