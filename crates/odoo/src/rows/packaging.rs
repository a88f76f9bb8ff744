//! Packages of products and their barcodes: `product.packaging` up to Odoo 18; from 19 on barcodes for a product in a unit
//! (`product.uom`) and the units that its template lists.
//!
//! Both need not be there: recordings may be older than the reading of them, and a package only helps to understand partners.

use std::collections::BTreeMap;

use rust_decimal::Decimal;

use super::Rows;
use super::row::{Model, Row};
use super::units::Units;
use reeve_domain::money::Quantity;
use reeve_domain::packs::Pack;

pub(super) static PACKAGING: Model =
    Model { name: "product.packaging", needs: &["id", "name", "product_id", "qty"], optional: &["barcode", "company_id"] };
pub(super) static UNIT_BARCODE: Model =
    Model { name: "product.uom", needs: &["id", "product_id", "uom_id", "barcode"], optional: &["company_id"] };

/// Packages as they were entered.
#[derive(Debug, Default)]
pub(super) struct Packagings {
    by_product: BTreeMap<i64, Vec<i64>>,
    packs: BTreeMap<i64, Pack>,
    barcodes: BTreeMap<i64, Vec<(i64, String)>>,
}

impl Packagings {
    /// Reads them.
    pub(super) fn read<R: Rows>(rows: &mut R) -> Result<Self, R::Error> {
        let mut all = Self::default();
        rows.each_if_any(&PACKAGING, |row| {
            let (id, qty) = (row.id()?, row.quantity("qty")?);
            let Some(product) = row.link("product_id")? else { return Ok(()) };
            // Odoo lets a package of nothing be saved; it says nothing about how many there are.
            if qty > Decimal::ZERO {
                let qty = Quantity(qty.normalize());
                let pack = Pack { name: row.text("name")?, barcode: row.text("barcode")?.trim().to_owned(), qty };
                all.packs.insert(id, pack);
                all.by_product.entry(product).or_default().push(id);
            }
            Ok(())
        })?;
        rows.each_if_any(&UNIT_BARCODE, |row| {
            let barcode = row.text("barcode")?.trim().to_owned();
            if let (Some(product), Some(unit)) = (row.link("product_id")?, row.link("uom_id")?) {
                all.barcodes.entry(product).or_default().push((unit, barcode));
            }
            Ok(())
        })?;
        Ok(all)
    }

    /// The package with this id.
    pub(super) fn by_id(&self, id: i64) -> Option<&Pack> {
        self.packs.get(&id)
    }

    /// The packages of a product that is kept in `stock_unit` and may be sold in `units` beside it.
    pub(super) fn of(&self, product: i64, stock_unit: i64, units: &[i64], known: &Units) -> Vec<Pack> {
        let entered = self.by_product.get(&product).into_iter().flatten().filter_map(|id| self.packs.get(id)).cloned();
        let mut packs: Vec<Pack> = entered.collect();
        let coded = self.barcodes.get(&product).map(Vec::as_slice).unwrap_or_default();
        let listed = units.iter().filter(|unit| coded.iter().all(|(of, _)| of != *unit));
        let all = coded.iter().map(|(unit, barcode)| (*unit, barcode.as_str())).chain(listed.map(|unit| (*unit, "")));
        packs.extend(all.filter_map(|(unit, barcode)| pack_of(known, unit, stock_unit, barcode)));
        packs
    }
}

/// A unit as a package of the stock unit; None where it is no multiple or part of it. The stock unit itself only counts with a
/// barcode of its own.
pub(super) fn pack_of(known: &Units, unit: i64, stock_unit: i64, barcode: &str) -> Option<Pack> {
    if unit == stock_unit && barcode.is_empty() {
        return None;
    }
    let qty = Quantity(known.ratio(unit, stock_unit)?);
    Some(Pack { name: known.name(unit).to_owned(), barcode: barcode.to_owned(), qty })
}

/// The ids in a list that may be missing; what is no list of ids says nothing.
pub(super) fn ids(row: &Row, field: &'static str) -> Vec<i64> {
    row.links(field).unwrap_or_default()
}
