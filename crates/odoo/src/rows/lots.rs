//! Lots, and of a recording how much of each is on whose shelves.
//!
//! A lot is visible from its `create_date`; the day on which it expires is today's, as nobody keeps older ones. What is on the
//! shelves is read of a live server as sums (`live/levels`); of a recording it is what stood there when it was made, visible from
//! the last change of what is there.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;

use super::catalog::Catalog;
use super::feed::Feed;
use super::places::{Places, Usage};
use super::row::Model;
use super::{Masters, Rows};
use reeve_domain::ids::{ItemId, LocationId};
use reeve_domain::money::Quantity;
use reeve_domain::record::{Lot, LotStock, Record};

pub(super) static LOT: Model =
    Model { name: "stock.lot", needs: &["id", "name", "product_id", "create_date"], optional: &["expiration_date"] };
pub(super) static QUANT: Model = Model {
    name: "stock.quant",
    needs: &["id", "product_id", "location_id", "lot_id", "quantity", "write_date"],
    optional: &[],
};

impl Masters {
    /// Puts the lots on the feed, and gives back the items that have any.
    pub(crate) fn read_lots<R: Rows>(&self, rows: &mut R, feed: &mut Feed) -> Result<BTreeSet<ItemId>, R::Error> {
        let mut items = BTreeSet::new();
        rows.each_if_any(&LOT, |row| {
            let product = self.catalog.product(row, "product_id")?;
            if !product.stocked {
                return Ok(());
            }
            let record = Lot {
                id: row.id()?.to_string(),
                item: product.item.clone(),
                name: row.text("name")?,
                expires_at: row.time_opt("expiration_date")?,
                created_at: row.time("create_date")?,
            };
            // Stock without a lot is told beside the lots only of items that have any.
            items.insert(product.item.clone());
            feed.push(record.created_at, Record::Lot(record));
            Ok(())
        })?;
        Ok(items)
    }

    /// Puts what is on the shelves of lots on the feed, of these items.
    pub(crate) fn read_lot_stock<R: Rows>(
        &self,
        rows: &mut R,
        items: &BTreeSet<ItemId>,
        feed: &mut Feed,
    ) -> Result<(), R::Error> {
        let mut held: BTreeMap<(ItemId, LocationId), (Timestamp, LotStock)> = BTreeMap::new();
        rows.each_if_any(&QUANT, |row| {
            let (catalog, places): (&Catalog, &Places) = (&self.catalog, &self.places);
            let product = catalog.product(row, "product_id")?;
            let place = places.place(row, "location_id")?;
            // What is at a customer's, on its way or scrapped is on nobody's shelf.
            let shelf = place.warehouse.filter(|_| place.usage == Usage::Internal && !place.scrap);
            let Some(location) = shelf.and_then(|warehouse| places.location(warehouse)) else { return Ok(()) };
            if !items.contains(&product.item) {
                return Ok(());
            }
            let (at, qty) = (row.time("write_date")?, Quantity(row.quantity("quantity")?));
            let key = (product.item.clone(), location);
            let (seen, stock) = held.entry(key.clone()).or_insert_with(|| {
                let (item, location) = key;
                (at, LotStock { item, location, lots: BTreeMap::new(), without: Quantity::ZERO })
            });
            // As of the last change of any of them: nobody knows what stood there before.
            *seen = at.max(*seen);
            match row.link("lot_id")? {
                Some(lot) => *stock.lots.entry(lot.to_string()).or_insert(Quantity::ZERO) += qty,
                None => stock.without += qty,
            }
            Ok(())
        })?;
        for (at, stock) in held.into_values() {
            feed.push(at, Record::LotStock(stock));
        }
        Ok(())
    }
}
