//! How much of each lot is on which warehouse's shelves: one question more for products of which levels are read, and none at all
//! where the ERP knows no lot.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;

use super::call::{Domain, ReadRows};
use super::demand::{Asking, End, Ground, Product, SumsError};
use super::error::OdooError;
use reeve_domain::ids::{ItemId, LocationId};
use reeve_domain::money::Quantity;
use reeve_domain::record::{LotStock, Observed, Record, RecordKind, RecordRef};

const QUANT: &str = "stock.quant";
const LOT: &str = "stock.lot";

/// Does the ERP know any lot that may be read?
pub(super) async fn has_any(asking: &Asking) -> Result<bool, OdooError> {
    // Without the module, or without the right, there are none to speak of.
    if asking.readable(LOT).await?.is_err() || !asking.has(QUANT, "lot_id").await? {
        return Ok(false);
    }
    let ask = ReadRows {
        model: LOT.to_owned(),
        domain: Domain::all(),
        fields: vec!["name".to_owned()],
        order: "id",
        limit: 1,
        scope: asking.scope(None),
    };
    Ok(!asking.server.rows(&ask).await?.is_empty())
}

/// What is on the shelves of the products' lots. Of a product that has any, or had when it was read last, every warehouse is told.
pub(super) async fn read(
    asking: &Asking,
    ground: &Ground,
    products: &[Product],
    lotted: &mut BTreeSet<i64>,
    at: Timestamp,
) -> Result<Vec<Observed>, SumsError> {
    if products.is_empty() {
        return Ok(Vec::new());
    }
    let ids: Vec<i64> = products.iter().map(|p| p.id).collect();
    let shelves: Vec<i64> = ground.shelves().map(|(id, _)| id).collect();
    let domain = Domain::all().and("product_id", "in", ids).and("location_id", "in", shelves);
    let groups = asking.groups(QUANT, domain, &["product_id", "location_id", "lot_id"], &["quantity"], None).await?;
    let mut held: BTreeMap<(i64, i64), (BTreeMap<String, Quantity>, Quantity)> = BTreeMap::new();
    let mut has: BTreeSet<i64> = BTreeSet::new();
    for group in &groups {
        let [product, location, lot] = [0, 1, 2].map(|at| asking.key(QUANT, group, at));
        let (Some(product), Some(End::Shelf(warehouse))) = (product?, location?.map(|id| ground.end(id))) else { continue };
        let sum = group.sums[0];
        let quantity = Quantity::from_erp(sum).ok_or_else(|| asking.garbled(QUANT, format!("{sum} is no quantity")))?;
        // What stands there without a lot counts beside them: the sum of the lots alone would be less than the stock.
        let (lots, without) = held.entry((product, warehouse)).or_default();
        match lot? {
            Some(lot) => {
                has.insert(product);
                *lots.entry(lot.to_string()).or_default() += quantity;
            }
            None => *without += quantity,
        }
    }
    let mut records = Vec::new();
    for product in products.iter().filter(|p| has.contains(&p.id) || lotted.contains(&p.id)) {
        for warehouse in ground.zones.iter().flat_map(|zone| &zone.warehouses) {
            let (item, location) = (ItemId::new(product.id.to_string()), LocationId::new(warehouse.to_string()));
            // Without any lot left there is nothing to be said of lots, whatever stands there without one.
            let stock = held.remove(&(product.id, *warehouse)).filter(|(lots, _)| !lots.is_empty());
            let record = match stock {
                Some((lots, without)) => Record::LotStock(LotStock { item, location, lots, without }),
                None => Record::Gone(RecordRef::new(RecordKind::LotStock, format!("{item}/{location}"))),
            };
            records.push(Observed { changed_at: at, record });
        }
    }
    // Remembered, so that a product whose last lot is gone is told as gone once, and then asked about no more.
    for product in products {
        if has.contains(&product.id) {
            lotted.insert(product.id);
        } else {
            lotted.remove(&product.id);
        }
    }
    Ok(records)
}
