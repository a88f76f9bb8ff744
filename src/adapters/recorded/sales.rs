//! Lines of customers' orders.
//!
//! Visible when the order is confirmed (`date_order`), never before order and line were entered (`create_date`).
//! Quotations and cancelled orders are no demand; reward, section and note lines are no goods.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;

use super::catalog::{Catalog, some_price};
use super::error::RecordingError;
use super::feed::Feed;
use super::places::Places;
use super::reader::Reader;
use super::row::Model;
use crate::domain::ids::LocationId;
use crate::domain::money::Quantity;
use crate::domain::record::{Record, SaleLine};

static ORDER: Model = Model {
    name: "sale.order",
    needs: &[
        "id",
        "name",
        "state",
        "partner_id",
        "client_order_ref",
        "date_order",
        "warehouse_id",
        "currency_id",
        "create_date",
    ],
};
static LINE: Model = Model {
    name: "sale.order.line",
    needs: &[
        "id",
        "order_id",
        "product_id",
        "product_uom",
        "product_uom_qty",
        "price_unit",
        "discount",
        "warehouse_id",
        "display_type",
        "is_reward_line",
        "create_date",
    ],
};

struct Order {
    name: String,
    confirmed: bool,
    customer: String,
    reference: String,
    ordered_at: Timestamp,
    visible_at: Timestamp,
    location: Option<LocationId>,
    known_currency: bool,
}

/// Puts the sale lines on the feed and gives back the ids of all that were recorded, counted or not.
pub(super) fn read(
    reader: &mut Reader<'_>,
    catalog: &Catalog,
    places: &Places,
    feed: &mut Feed,
) -> Result<BTreeSet<i64>, RecordingError> {
    let mut orders = BTreeMap::new();
    reader.rows(&ORDER, |row| {
        let ordered_at = row.time("date_order")?;
        let order = Order {
            name: row.text("name")?,
            confirmed: matches!(row.text("state")?.as_str(), "sale" | "done"),
            customer: row.must_link("partner_id")?.to_string(),
            reference: row.text("client_order_ref")?,
            ordered_at,
            visible_at: ordered_at.max(row.time("create_date")?),
            location: places.warehouse(&row, "warehouse_id")?,
            known_currency: catalog.is_company_currency(&row, "currency_id")?,
        };
        orders.insert(row.id()?, order);
        Ok(())
    })?;
    let mut lines = BTreeSet::new();
    reader.rows(&LINE, |row| {
        lines.insert(row.id()?);
        let order_id = row.must_link("order_id")?;
        let order = orders.get(&order_id).ok_or_else(|| row.dangling("order_id", "sale.order"))?;
        if !order.confirmed || !row.text("display_type")?.is_empty() || row.flag("is_reward_line")? {
            return Ok(());
        }
        let product = catalog.product(&row, "product_id")?;
        if !product.stocked {
            return Ok(());
        }
        let unit = catalog.stock_units(&row, "product_uom", product)?;
        let location = match places.warehouse(&row, "warehouse_id")? {
            Some(location) => location,
            None => order.location.clone().ok_or_else(|| row.dangling("warehouse_id", "stock.warehouse"))?,
        };
        let price = row.net_price("price_unit")? / unit;
        let record = SaleLine {
            id: row.id()?.to_string(),
            order_id: order_id.to_string(),
            order_name: order.name.clone(),
            customer: order.customer.clone(),
            reference: order.reference.clone(),
            item: product.item.clone(),
            location,
            qty: Quantity((row.quantity("product_uom_qty")? * unit).round_dp(4).normalize()),
            price: if order.known_currency { some_price(price.round_dp(6)) } else { None },
            ordered_at: order.ordered_at,
        };
        feed.push(order.visible_at.max(row.time("create_date")?), Record::SaleLine(record));
        Ok(())
    })?;
    Ok(lines)
}
