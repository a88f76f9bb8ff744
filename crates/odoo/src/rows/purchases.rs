//! Lines of purchase orders, with the first promise kept.
//!
//! Visible when the order is approved, never before the line was entered. Requests for quotation bind nobody: they are
//! visible as drafts. A cancelled order's lines stay, unconfirmed from the order's last change on.
//!
//! Odoo lets users rewrite a line's `date_planned`, and the recording has only the last value. The order's first picking
//! keeps the date it was made for (`scheduled_date`). So: where that lies more than a day before the planned dates of *all*
//! the order's lines, the dates were rewritten; the picking's date is the first promise, and the new one becomes visible
//! when the recording proves that it was there: at the first receipt, else at the order's last change.

use std::collections::{BTreeMap, BTreeSet};

use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};
use rust_decimal::Decimal;

use super::care::{Care, RowError};
use super::catalog::{Product, foreign, some_price};
use super::feed::Feed;
use super::moves::Fulfilled;
use super::pickings::Pickings;
use super::places::Destination;
use super::row::{Model, Row};
use super::terms::Suppliers;
use super::{Masters, Rows};
use reeve_domain::ids::SupplierId;
use reeve_domain::money::Quantity;
use reeve_domain::record::{PurchaseLine, Record};

pub(super) static ORDER: Model = Model {
    name: "purchase.order",
    needs: &[
        "id",
        "name",
        "state",
        "partner_id",
        "currency_id",
        "date_order",
        "date_approve",
        "picking_type_id",
        "picking_ids",
        "create_date",
        "write_date",
    ],
    optional: &["company_id"],
};
pub(super) static LINE: Model = Model {
    name: "purchase.order.line",
    needs: &[
        "id",
        "order_id",
        "display_type",
        "product_id",
        "product_uom",
        "product_qty",
        "price_unit",
        "discount",
        "date_planned",
        "create_date",
    ],
    optional: &[FIRST_PLANNED, "is_downpayment", "product_packaging_id", "qty_received"],
};

/// The first `date_planned` that was seen of a line, where somebody looked before it was rewritten.
pub(crate) const FIRST_PLANNED: &str = "first seen: date_planned";

struct Order {
    name: String,
    supplier: SupplierId,
    destination: Destination,
    /// By what its amounts are multiplied; None: they can not be told in the configured currency.
    factor: Option<Decimal>,
    /// The currency, where it is not the configured one.
    foreign: Option<i64>,
    company: Option<String>,
    ordered_at: Timestamp,
    /// None where it was cancelled before it bound anybody.
    visible_at: Option<Timestamp>,
    draft: bool,
    cancelled: bool,
    written_at: Timestamp,
    /// What the first picking was made for.
    first_schedule: Option<Timestamp>,
}

struct Line {
    order: i64,
    /// None for sections, notes, down payments and what no stock is kept of.
    goods: Option<PurchaseLine>,
    /// The line of a product of which no stock is kept, as it is told where its components come: then it is a kit.
    kit: Option<PurchaseLine>,
    product: Option<i64>,
    /// What the ERP says was received of it, in stock units.
    received: Option<Decimal>,
    created_at: Timestamp,
}

/// The purchase orders, until the moves are known.
pub(super) struct Purchases {
    orders: BTreeMap<i64, Order>,
    lines: BTreeMap<i64, Line>,
}

impl Purchases {
    /// Reads orders and lines.
    pub(super) fn read<R: Rows>(
        rows: &mut R,
        masters: &Masters,
        care: &Care,
        suppliers: &mut Suppliers<'_>,
        pickings: &Pickings,
    ) -> Result<Self, R::Error> {
        let mut all = Self { orders: BTreeMap::new(), lines: BTreeMap::new() };
        let mut passed_over = BTreeSet::new();
        rows.each(&ORDER, |row| {
            // Marked before it is read: an order that is not understood is left out, and its lines then name it without
            // being wrong.
            passed_over.insert(row.id()?);
            all.orders.insert(row.id()?, read_order(row, masters, care, suppliers, pickings)?);
            passed_over.remove(&row.id()?);
            Ok(())
        })?;
        rows.each(&LINE, |row| {
            let order_id = row.must_link("order_id")?;
            let order = match all.orders.get(&order_id) {
                Some(order) => order,
                None if passed_over.contains(&order_id) => return Ok(()),
                None => return Err(row.dangling("order_id", "purchase.order")),
            };
            let created_at = row.time("create_date")?;
            let mut line = Line { order: order_id, goods: None, kit: None, product: None, received: None, created_at };
            if is_ordered(row, care)? {
                let product = masters.catalog.product(row, "product_id")?;
                line.product = row.link("product_id")?;
                // The count of what came is only used for kits, so a unit that is not understood costs nothing else.
                let unit = masters.catalog.stock_units(row, "product_uom", product).ok();
                line.received =
                    unit.and_then(|unit| Some((row.quantity("qty_received").ok()? * unit).round_dp(4).normalize()));
                if product.stocked {
                    line.goods = Some(read_goods(row, order_id, order, product, masters)?);
                } else {
                    // Most of these are services, whose odd units and prices are nobody's concern here.
                    let kit = read_goods(row, order_id, order, product, masters).ok();
                    line.kit = kit.map(|goods| PurchaseLine { kit: Some(product.name.clone()), ..goods });
                }
            }
            all.lines.insert(row.id()?, line);
            Ok(())
        })?;
        // Last, since whether dates were rewritten shows in all of an order's lines together.
        all.keep_first_promises();
        Ok(all)
    }

    fn keep_first_promises(&mut self) {
        let mut earliest: BTreeMap<i64, Timestamp> = BTreeMap::new();
        for line in self.lines.values() {
            if let Some(goods) = &line.goods {
                let planned = earliest.entry(line.order).or_insert(goods.promised);
                *planned = goods.promised.min(*planned);
            }
        }
        for line in self.lines.values_mut() {
            let (Some(goods), Some(schedule)) = (&mut line.goods, self.orders[&line.order].first_schedule) else { continue };
            // What was seen is better than what can be concluded.
            if goods.promised_first == goods.promised
                && earliest[&line.order].duration_since(schedule) > SignedDuration::from_hours(24)
            {
                goods.promised_first = schedule;
            }
        }
    }

    /// Was a line with this id recorded?
    pub(super) fn is_recorded(&self, line: i64) -> bool {
        self.lines.contains_key(&line)
    }

    /// The product that a line orders.
    pub(super) fn product(&self, line: i64) -> Option<i64> {
        self.lines.get(&line)?.product
    }

    /// In which foreign currency a line was ordered and by what its amounts are multiplied, where it was.
    pub(super) fn foreign(&self, line: i64) -> Option<(i64, Option<Decimal>)> {
        let order = self.orders.get(&self.lines.get(&line)?.order)?;
        Some((order.foreign?, order.factor))
    }

    /// The first promise of a line, where it was rewritten later.
    pub(super) fn rewritten_promise(&self, line: i64) -> Option<Timestamp> {
        let goods = self.lines.get(&line)?.goods.as_ref()?;
        (goods.promised_first != goods.promised).then_some(goods.promised_first)
    }

    /// Puts the lines on the feed.
    pub(super) fn tell(self, fulfilled: &Fulfilled, feed: &mut Feed) {
        for (id, line) in self.lines {
            let order = &self.orders[&line.order];
            // A line of a product that is not stocked is a kit only where receipts bring parts for it; else it is a service.
            let kit = line.kit.filter(|_| fulfilled.kits.contains(&id));
            let (Some(goods), Some(visible_at)) = (line.goods.or(kit), order.visible_at) else { continue };
            let visible_at = visible_at.max(line.created_at);
            let mut version = PurchaseLine { promised: goods.promised_first, ..goods.clone() };
            feed.push(visible_at, Record::PoLine(version.clone()));
            if goods.promised != goods.promised_first {
                version.promised = goods.promised;
                // When the date was rewritten nobody kept: it surely was by the first receipt, or by the order's last
                // change.
                let proven_at = fulfilled.first_receipt.get(&id).copied().unwrap_or(order.written_at);
                feed.push(proven_at.max(visible_at), Record::PoLine(version.clone()));
            }
            // The count is today's, so it is told only from the last receipt on.
            if let (Some(at), true) = (fulfilled.last_receipt.get(&id), fulfilled.kits.contains(&id)) {
                version.kits_received = line.received.map(Quantity);
                feed.push((*at).max(visible_at), Record::PoLine(version.clone()));
            }
            if order.cancelled {
                version.confirmed = false;
                feed.push(order.written_at.max(visible_at), Record::PoLine(version));
            }
        }
    }
}

fn read_order(
    row: &Row,
    masters: &Masters,
    care: &Care,
    suppliers: &mut Suppliers<'_>,
    pickings: &Pickings,
) -> Result<Order, RowError> {
    let state = row.text("state")?;
    let approved_at = row.time_opt("date_approve")?;
    let (asked_at, created_at) = (row.time("date_order")?, row.time("create_date")?);
    let draft = matches!(state.as_str(), "draft" | "sent" | "to approve");
    let visible_at = match state.as_str() {
        "purchase" | "done" => Some(approved_at.unwrap_or(asked_at).max(created_at)),
        // A cancelled order that was never approved bound nobody and was seen by nobody.
        "cancel" => approved_at,
        _ if draft => Some(created_at),
        _ => None,
    };
    let day = asked_at.to_zoned(TimeZone::UTC).date();
    Ok(Order {
        name: row.text("name")?,
        supplier: suppliers.named(row, "partner_id", care)?,
        destination: masters.places.destination(row, "picking_type_id")?,
        factor: masters.catalog.factor(row, "currency_id", Some(day), care)?,
        foreign: masters.catalog.foreign(row, "currency_id")?,
        company: row.company().map(|id| id.to_string()),
        ordered_at: approved_at.unwrap_or(asked_at),
        visible_at,
        draft,
        cancelled: state == "cancel",
        written_at: row.time("write_date")?,
        first_schedule: pickings.first_schedule(&row.links("picking_ids")?),
    })
}

/// Does a line order something? Sections and notes do not, nor do down payments, which have no product.
fn is_ordered(row: &Row, care: &Care) -> Result<bool, RowError> {
    let named = row.link("product_id")?.is_some();
    Ok(row.text("display_type")?.is_empty() && (named || (care.is_strict() && !row.flag("is_downpayment")?)))
}

fn read_goods(
    row: &Row,
    order_id: i64,
    order: &Order,
    product: &Product,
    masters: &Masters,
) -> Result<PurchaseLine, RowError> {
    let unit = masters.catalog.stock_units(row, "product_uom", product)?;
    let price: Decimal = row.net_price("price_unit")? / unit;
    let planned = row.time("date_planned")?;
    let (location, to_customer) = match &order.destination {
        Destination::Warehouse(location) => (location.clone(), false),
        Destination::Customer(location) => (location.clone(), true),
    };
    Ok(PurchaseLine {
        id: row.id()?.to_string(),
        order_id: order_id.to_string(),
        order_name: order.name.clone(),
        supplier: order.supplier.clone(),
        item: product.item.clone(),
        location,
        // Negative where goods go back by an order.
        qty: Quantity((row.quantity("product_qty")? * unit).round_dp(4).normalize()),
        price: order.factor.and_then(|factor| some_price((price * factor).round_dp(6))),
        foreign: order.foreign.and_then(|currency| foreign(currency, price)),
        company: order.company.clone(),
        ordered_at: order.ordered_at,
        // Where the first value was kept it is known; in a recording it is read off the picking afterwards.
        promised_first: row.time_opt(FIRST_PLANNED)?.unwrap_or(planned),
        promised: planned,
        confirmed: !order.draft,
        draft: order.draft,
        pack: masters.catalog.ordered_pack(row, product)?,
        to_customer,
        kits_received: None,
        kit: None,
    })
}
