//! Suppliers, what they ask, and reorder rules.
//!
//! A partner is a supplier once something names it as one: a price, a purchase order or a bill. Each record is visible from
//! its `create_date`; the recording has only today's values of prices and rules, and shows them from then on.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use rust_decimal::Decimal;

use super::catalog::{Catalog, some_price};
use super::error::RecordingError;
use super::feed::Feed;
use super::places::Places;
use super::reader::Reader;
use super::row::{Cell, Model, Row};
use crate::domain::ids::SupplierId;
use crate::domain::money::Quantity;
use crate::domain::record::{Record, ReorderRule, Supplier, SupplierPrice};

static PARTNER: Model = Model { name: "res.partner", needs: &["id", "name", "create_date"] };
static SUPPLIERINFO: Model = Model {
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
};
static ORDERPOINT: Model = Model {
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
};

/// Partners, and which of them supply.
pub(super) struct Suppliers {
    partners: BTreeMap<i64, (Timestamp, String)>,
    suppliers: BTreeSet<i64>,
}

impl Suppliers {
    /// Reads the partners.
    pub(super) fn read(reader: &mut Reader<'_>) -> Result<Self, RecordingError> {
        let mut partners = BTreeMap::new();
        reader.rows(&PARTNER, |row| {
            partners.insert(row.id()?, (row.time("create_date")?, row.text("name")?));
            Ok(())
        })?;
        Ok(Self { partners, suppliers: BTreeSet::new() })
    }

    /// The supplier a row names; it must be recorded.
    pub(super) fn named(&mut self, row: &Row, field: &'static str) -> Result<SupplierId, RecordingError> {
        let id = row.must_link(field)?;
        if !self.partners.contains_key(&id) {
            return Err(row.dangling(field, "res.partner"));
        }
        self.suppliers.insert(id);
        Ok(SupplierId::new(id.to_string()))
    }

    /// Puts the suppliers on the feed.
    pub(super) fn tell(self, feed: &mut Feed) {
        for (id, (created_at, name)) in self.partners {
            if self.suppliers.contains(&id) {
                feed.push(created_at, Record::Supplier(Supplier { id: SupplierId::new(id.to_string()), name }));
            }
        }
    }
}

/// Supplier prices. A row for a template counts for each of its variants; the id then carries the variant's.
pub(super) fn read_supplier_prices(
    reader: &mut Reader<'_>,
    catalog: &Catalog,
    suppliers: &mut Suppliers,
    feed: &mut Feed,
) -> Result<(), RecordingError> {
    reader.rows(&SUPPLIERINFO, |row| {
        let supplier = suppliers.named(&row, "partner_id")?;
        let products = match row.link("product_id")? {
            Some(_) => vec![catalog.product(&row, "product_id")?],
            None => catalog.variants(&row, "product_tmpl_id")?,
        };
        let lead_days = row.count("delay")?;
        let lead_days = u32::try_from(lead_days)
            .map_err(|_| row.wrong("delay", "whole days", &Cell::Number(f64::MAX), "correct the lead time in Odoo"))?;
        let price = row.net_price("price")?;
        let known_currency = catalog.is_company_currency(&row, "currency_id")?;
        let several = products.len() > 1;
        for product in products.into_iter().filter(|product| product.stocked) {
            // Prices and minimums are per purchase unit (a carton), items are kept in stock units (a piece).
            let unit = catalog.purchase_unit(product);
            let record = SupplierPrice {
                id: if several { format!("{}-{}", row.id()?, product.item) } else { row.id()?.to_string() },
                supplier: supplier.clone(),
                item: product.item.clone(),
                price: if known_currency { some_price((price / unit).round_dp(6)) } else { None },
                min_qty: Quantity((row.count("min_qty")? * unit).round_dp(4).normalize()),
                lead_days,
                valid_from: row.date_opt("date_start")?,
                valid_to: row.date_opt("date_end")?,
                sequence: row.number("sequence")? as i64,
            };
            feed.push(row.time("create_date")?, Record::SupplierPrice(record));
        }
        Ok(())
    })
}

/// Reorder rules. Archived ones are left out: nobody knows since when they have not counted.
pub(super) fn read_reorder_rules(
    reader: &mut Reader<'_>,
    catalog: &Catalog,
    places: &Places,
    feed: &mut Feed,
) -> Result<(), RecordingError> {
    reader.rows(&ORDERPOINT, |row| {
        let product = catalog.product(&row, "product_id")?;
        let location =
            places.warehouse(&row, "warehouse_id")?.ok_or_else(|| row.dangling("warehouse_id", "stock.warehouse"))?;
        if !product.stocked || !row.flag("active")? {
            return Ok(());
        }
        let multiple = row.count("qty_multiple")?;
        let record = ReorderRule {
            id: row.id()?.to_string(),
            item: product.item.clone(),
            location,
            min: Quantity(row.quantity("product_min_qty")?),
            max: Quantity(row.quantity("product_max_qty")?),
            multiple: if multiple.is_zero() { Quantity(Decimal::ONE) } else { Quantity(multiple) },
        };
        feed.push(row.time("create_date")?, Record::ReorderRule(record));
        Ok(())
    })
}
