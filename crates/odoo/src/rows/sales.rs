//! Lines of customers' orders.
//!
//! Visible when the order is confirmed (`date_order`), never before order and line were entered (`create_date`).
//! Quotations and cancelled orders are no demand; reward, section, note and down payment lines are no goods. A line of a kit
//! is a line of each of its components.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use jiff::tz::TimeZone;
use rust_decimal::Decimal;
use rust_decimal::prelude::FromPrimitive;

use super::care::{Care, RowError};
use super::catalog::some_price;
use super::feed::Feed;
use super::row::{Model, Row};
use super::{Masters, Rows};
use crate::kits::Part;
use reeve_domain::ids::LocationId;
use reeve_domain::money::Quantity;
use reeve_domain::record::{Record, SaleLine};

pub(super) static ORDER: Model = Model {
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
    optional: &["company_id"],
};
pub(super) static LINE: Model = Model {
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
    optional: &["reward_id", "is_downpayment", "company_id"],
};

struct Order {
    name: String,
    confirmed: bool,
    customer: String,
    reference: String,
    ordered_at: Timestamp,
    visible_at: Timestamp,
    location: Option<LocationId>,
    factor: Option<Decimal>,
}

/// Puts the sale lines on the feed and gives back the ids of all that there are, counted or not.
pub(super) fn read<R: Rows>(
    rows: &mut R,
    masters: &Masters,
    care: &Care,
    feed: &mut Feed,
) -> Result<BTreeSet<i64>, R::Error> {
    let mut orders = BTreeMap::new();
    let mut passed_over = BTreeSet::new();
    rows.each(&ORDER, |row| {
        // Marked before it is read: an order that is not understood is left out, and its lines then name it without being
        // wrong.
        passed_over.insert(row.id()?);
        orders.insert(row.id()?, read_order(row, masters, care)?);
        passed_over.remove(&row.id()?);
        Ok(())
    })?;
    let mut lines = BTreeSet::new();
    rows.each(&LINE, |row| {
        // Also of lines that are no demand: a delivery that names one is no mistake.
        lines.insert(row.id()?);
        let order_id = row.must_link("order_id")?;
        let order = match orders.get(&order_id) {
            Some(order) => order,
            None if passed_over.contains(&order_id) => return Ok(()),
            None => return Err(row.dangling("order_id", "sale.order")),
        };
        let is_reward = row.flag("is_reward_line")? || row.link("reward_id")?.is_some();
        if !order.confirmed || !row.text("display_type")?.is_empty() || is_reward || row.flag("is_downpayment")? {
            return Ok(());
        }
        for (visible_at, line) in read_goods(row, order_id, order, masters, care)? {
            feed.push(visible_at, Record::SaleLine(line));
        }
        Ok(())
    })?;
    Ok(lines)
}

fn read_order(row: &Row, masters: &Masters, care: &Care) -> Result<Order, RowError> {
    let ordered_at = row.time("date_order")?;
    let day = ordered_at.to_zoned(TimeZone::UTC).date();
    Ok(Order {
        name: row.text("name")?,
        confirmed: matches!(row.text("state")?.as_str(), "sale" | "done"),
        customer: row.must_link("partner_id")?.to_string(),
        reference: row.text("client_order_ref")?,
        ordered_at,
        visible_at: ordered_at.max(row.time("create_date")?),
        location: masters.places.warehouse(row, "warehouse_id")?,
        factor: masters.catalog.factor(row, "currency_id", Some(day), care)?,
    })
}

fn read_goods(
    row: &Row,
    order_id: i64,
    order: &Order,
    masters: &Masters,
    care: &Care,
) -> Result<Vec<(Timestamp, SaleLine)>, RowError> {
    if !care.is_strict() && row.link("product_id")?.is_none() {
        return Ok(Vec::new());
    }
    let product = masters.catalog.product(row, "product_id")?;
    let visible_at = order.visible_at.max(row.time("create_date")?);
    // What was ordered stays what it was when a kit is made up otherwise afterwards.
    let kit = masters.kits.parts_at(row.must_link("product_id")?, row.company(), visible_at);
    if !product.stocked && kit.is_none() {
        return Ok(Vec::new());
    }
    let unit = masters.catalog.stock_units(row, "product_uom", product)?;
    let location = match masters.places.warehouse(row, "warehouse_id")? {
        Some(location) => location,
        None => order.location.clone().ok_or_else(|| row.dangling("warehouse_id", "stock.warehouse"))?,
    };
    // A price below zero is a reduction entered as a line of goods: the goods count, the price says nothing.
    let price = care.or(row.net_price("price_unit"), Decimal::ZERO)? / unit;
    let quantity = row.quantity("product_uom_qty")? * unit;
    let whole = SaleLine {
        id: row.id()?.to_string(),
        order_id: order_id.to_string(),
        order_name: order.name.clone(),
        customer: order.customer.clone(),
        reference: order.reference.clone(),
        item: product.item.clone(),
        location,
        qty: Quantity(quantity.round_dp(4).normalize()),
        price: order.factor.and_then(|factor| some_price((price * factor).round_dp(6))),
        ordered_at: order.ordered_at,
    };
    let lines = match kit {
        None => vec![whole],
        Some(parts) => components(parts, quantity, &whole, masters),
    };
    Ok(lines.into_iter().map(|line| (visible_at, line)).collect())
}

/// The line of a kit as a line for each component of which stock is kept. What one of them costs the customer is not known.
fn components(parts: &[Part], quantity: Decimal, whole: &SaleLine, masters: &Masters) -> Vec<SaleLine> {
    // A bill may list a component twice: its record's id has room for one.
    let mut units: BTreeMap<i64, Decimal> = BTreeMap::new();
    for part in parts {
        *units.entry(part.product).or_default() += Decimal::from_f64(part.quantity).unwrap_or_default() * quantity;
    }
    let line = |(component, units): (i64, Decimal)| {
        let product = masters.catalog.by_id(component).filter(|product| product.stocked)?;
        Some(SaleLine {
            id: format!("{}-{component}", whole.id),
            item: product.item.clone(),
            qty: Quantity(units.round_dp(4).normalize()),
            price: None,
            ..whole.clone()
        })
    };
    units.into_iter().filter_map(line).collect()
}
