//! Suppliers, what they ask, and reorder rules.
//!
//! A partner is a supplier once something names it as one: a price, a purchase order or a bill. Each record is visible from
//! its `create_date`; the recording has only today's values of prices and rules, and shows them from then on.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use rust_decimal::Decimal;

use super::Rows;
use super::care::{Care, RowError};
use super::catalog::{Catalog, foreign, some_price};
use super::feed::Feed;
use super::places::Places;
use super::row::{Model, Row};
use crate::rows::cell::Cell;
use reeve_domain::ids::SupplierId;
use reeve_domain::money::Quantity;
use reeve_domain::packs::SupplierKeys;
use reeve_domain::record::{Record, ReorderRule, Supplier, SupplierPrice};

pub(super) static PARTNER: Model = Model { name: "res.partner", needs: &["id", "name", "create_date"], optional: &[] };
pub(super) static SUPPLIERINFO: Model = Model {
    name: "product.supplierinfo",
    needs: &[
        "id",
        "partner_id",
        "product_tmpl_id",
        "product_id",
        "price",
        "discount",
        "currency_id",
        "min_qty",
        "delay",
        "date_start",
        "date_end",
        "sequence",
        "create_date",
    ],
    optional: &["product_uom", "company_id", "product_code", "product_name"],
};
pub(super) static ORDERPOINT: Model = Model {
    name: "stock.warehouse.orderpoint",
    needs: &[
        "id",
        "active",
        "product_id",
        "warehouse_id",
        "product_min_qty",
        "product_max_qty",
        "qty_multiple",
        "create_date",
    ],
    optional: &["replenishment_uom_id"],
};

/// Partners: when each was entered, and its name.
#[derive(Debug, Default)]
pub(crate) struct Partners(BTreeMap<i64, (Timestamp, String)>);

impl Partners {
    /// Reads the partners.
    pub(super) fn read<R: Rows>(rows: &mut R) -> Result<Self, R::Error> {
        let mut partners = BTreeMap::new();
        rows.each(&PARTNER, |row| {
            partners.insert(row.id()?, (row.time("create_date")?, row.text("name")?));
            Ok(())
        })?;
        Ok(Self(partners))
    }

    /// A partner as a supplier.
    pub(crate) fn supplier(&self, id: i64) -> Option<Supplier> {
        self.0.get(&id).map(|(_, name)| Supplier { id: SupplierId::new(id.to_string()), name: name.clone() })
    }
}

/// Partners, and which of them supply.
pub(crate) struct Suppliers<'a> {
    partners: &'a Partners,
    named: BTreeSet<i64>,
}

impl<'a> Suppliers<'a> {
    /// Nobody supplies yet.
    pub(super) fn new(partners: &'a Partners) -> Self {
        Self { partners, named: BTreeSet::new() }
    }

    /// The supplier a row names; it must be known.
    pub(super) fn named(&mut self, row: &Row, field: &'static str, care: &Care) -> Result<SupplierId, RowError> {
        let id = row.must_link(field)?;
        if self.partners.0.contains_key(&id) {
            self.named.insert(id);
        } else {
            // Whose name can not be read is a supplier all the same.
            care.or(Err(row.dangling(field, "res.partner")), ())?;
        }
        Ok(SupplierId::new(id.to_string()))
    }

    /// Puts the suppliers on the feed.
    pub(crate) fn tell(self, feed: &mut Feed) {
        for id in self.named {
            if let (Some((created_at, _)), Some(supplier)) = (self.partners.0.get(&id), self.partners.supplier(id)) {
                feed.push(*created_at, Record::Supplier(supplier));
            }
        }
    }
}

/// Supplier prices. A row for a template counts for each of its variants; the id then carries the variant's.
pub(super) fn read_supplier_prices<R: Rows>(
    rows: &mut R,
    catalog: &Catalog,
    care: &Care,
    suppliers: &mut Suppliers<'_>,
    feed: &mut Feed,
) -> Result<(), R::Error> {
    rows.each(&SUPPLIERINFO, |row| {
        let supplier = suppliers.named(row, "partner_id", care)?;
        let products = match row.link("product_id")? {
            Some(_) => vec![catalog.product(row, "product_id")?],
            None => catalog.variants(row, "product_tmpl_id")?,
        };
        // A lead time below zero or in broken days would move every projection of the item.
        let lead_days = row.count("delay")?;
        let lead_days = u32::try_from(lead_days)
            .map_err(|_| row.wrong("delay", "whole days", &Cell::Number(f64::MAX), "correct the lead time in Odoo"))?;
        let price = row.net_price("price")?;
        let factor = catalog.factor(row, "currency_id", row.date_opt("date_start")?, care)?;
        let currency = catalog.foreign(row, "currency_id")?;
        let several = products.len() > 1;
        for product in products.into_iter().filter(|product| product.stocked) {
            // Prices and minimums are per purchase unit (a carton), items are kept in stock units (a piece).
            let unit = catalog.purchase_units(row, "product_uom", product)?;
            let record = SupplierPrice {
                id: if several { format!("{}-{}", row.id()?, product.item) } else { row.id()?.to_string() },
                supplier: supplier.clone(),
                item: product.item.clone(),
                price: factor.and_then(|factor| some_price((price / unit * factor).round_dp(6))),
                foreign: currency.and_then(|currency| foreign(currency, price / unit)),
                company: row.company().map(|id| id.to_string()),
                min_qty: Quantity((row.count("min_qty")? * unit).round_dp(4).normalize()),
                lead_days,
                valid_from: row.date_opt("date_start")?,
                valid_to: row.date_opt("date_end")?,
                sequence: row.number("sequence")? as i64,
                keys: SupplierKeys {
                    // What is no text is no code: it only helps to find the item.
                    code: row.text("product_code").unwrap_or_default().trim().to_owned(),
                    name: row.text("product_name").unwrap_or_default().trim().to_owned(),
                    pack: catalog.purchase_pack(row, "product_uom", product)?,
                },
            };
            feed.push(row.time("create_date")?, Record::SupplierPrice(record));
        }
        Ok(())
    })
}

/// Reorder rules. Archived ones are left out: nobody knows since when they have not counted.
pub(super) fn read_reorder_rules<R: Rows>(
    rows: &mut R,
    catalog: &Catalog,
    places: &Places,
    feed: &mut Feed,
) -> Result<(), R::Error> {
    rows.each(&ORDERPOINT, |row| {
        let product = catalog.product(row, "product_id")?;
        let location =
            places.warehouse(row, "warehouse_id")?.ok_or_else(|| row.dangling("warehouse_id", "stock.warehouse"))?;
        if !product.stocked || !row.flag("active")? {
            return Ok(());
        }
        // From 19 on the multiple is a unit: a carton.
        let multiple = match row.link("replenishment_uom_id")? {
            Some(_) => catalog.stock_units(row, "replenishment_uom_id", product)?,
            None => row.count("qty_multiple")?,
        };
        let record = ReorderRule {
            id: row.id()?.to_string(),
            item: product.item.clone(),
            location,
            min: Quantity(row.quantity("product_min_qty")?),
            max: Quantity(row.quantity("product_max_qty")?),
            // Odoo has zero where nobody set a multiple: any quantity may be ordered.
            multiple: if multiple.is_zero() { Quantity(Decimal::ONE) } else { Quantity(multiple) },
        };
        feed.push(row.time("create_date")?, Record::ReorderRule(record));
        Ok(())
    })
}
