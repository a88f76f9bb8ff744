//! The purchases of the made-up retailer: orders, their lines, receipts with their moves, bills. Most come late, some short,
//! some dearer than was agreed.

use std::sync::Arc;

use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;

use super::cell::{Cell, DAY, SECOND, date_text, time_text};
use super::generated::{
    COMPANY, CURRENCY, FIRST_ITEM, FIRST_PARTNER, FIRST_STOCK, Rows, SUPPLIERS, Size, UNIT, VENDORS, price_of, text,
};
use super::state::State;

/// Lines of a purchase order.
const LINES: i64 = 20;

/// A purchase order that was drawn.
struct Order {
    id: i64,
    place: i64,
    supplier: i64,
    placed: i64,
    due: i64,
    /// When it came; `None` while it is open.
    came: Option<i64>,
    /// Item, ordered, received.
    lines: Vec<(i64, f64, f64)>,
}

/// Each shop orders each item about every 120 days, in orders of [`LINES`] lines.
fn orders(size: Size, start: i64, now: i64) -> Vec<Order> {
    let mut rng = ChaCha8Rng::seed_from_u64(size.seed ^ 2);
    let mut orders = Vec::new();
    let per_day = (size.items * size.locations / (120 * LINES)).max(1);
    for day in 0..size.days {
        for _ in 0..per_day {
            let placed = start + day * DAY + rng.gen_range(8..17) * 3600 * SECOND;
            let due = placed + rng.gen_range(3..20) * DAY;
            let came = due + rng.gen_range(-1..6) * DAY;
            let lines = (0..LINES.min(size.items)).map(|_| {
                let ordered = f64::from(rng.gen_range(2..50));
                let received = if rng.gen_bool(0.05) { (ordered * 0.8).floor() } else { ordered };
                (rng.gen_range(0..size.items), ordered, received)
            });
            let lines = lines.collect();
            orders.push(Order {
                id: orders.len() as i64 + 1,
                place: rng.gen_range(0..size.locations),
                supplier: FIRST_PARTNER + rng.gen_range(0..SUPPLIERS),
                placed,
                due,
                came: Some(came).filter(|came| *came < now),
                lines,
            });
        }
    }
    orders
}

/// Makes the orders and what came of them.
pub(super) fn make(state: &mut State, size: Size, start: i64) {
    let orders = orders(size, start, state.now);
    heads(state, &orders);
    lines(state, &orders);
    receipts(state, &orders);
    moves(state, &orders);
    bills(state, &orders);
}

fn written(order: &Order) -> i64 {
    order.came.unwrap_or(order.placed) + order.id % SECOND
}

fn heads(state: &mut State, orders: &[Order]) {
    let mut rows = Rows::of(
        state,
        "purchase.order",
        &[
            "name",
            "partner_id",
            "state",
            "date_order",
            "date_approve",
            "date_planned",
            "currency_id",
            "company_id",
            "picking_type_id",
            "receipt_status",
            "invoice_status",
            "origin",
            "user_id",
            "display_name",
        ],
    );
    for order in orders {
        let name = format!("P{:06}", order.id);
        let done = order.came.is_some();
        rows.put(
            order.id,
            written(order),
            vec![
                text(&name),
                Cell::Int(order.supplier),
                text("purchase"),
                Cell::Time(order.placed),
                Cell::Time(order.placed),
                Cell::Time(order.due),
                Cell::Int(CURRENCY),
                Cell::Int(COMPANY),
                Cell::Int(1 + order.place * 2),
                text(if done { "full" } else { "pending" }),
                text(if done { "invoiced" } else { "no" }),
                Cell::False,
                Cell::False,
                text(&name),
            ],
        );
    }
}

fn line_id(order: &Order, nth: usize) -> i64 {
    (order.id - 1) * LINES + nth as i64 + 1
}

fn lines(state: &mut State, orders: &[Order]) {
    let mut rows = Rows::of(
        state,
        "purchase.order.line",
        &[
            "order_id",
            "product_id",
            "product_qty",
            "product_uom_qty",
            "qty_received",
            "qty_invoiced",
            "price_unit",
            "product_uom",
            "date_planned",
            "partner_id",
            "company_id",
            "currency_id",
            "state",
            "sequence",
            "name",
            "discount",
            "move_ids",
        ],
    );
    for order in orders {
        for (nth, (item, ordered, received)) in order.lines.iter().enumerate() {
            let received = if order.came.is_some() { *received } else { 0.0 };
            rows.put(
                line_id(order, nth),
                written(order),
                vec![
                    Cell::Int(order.id),
                    Cell::Int(FIRST_ITEM + item),
                    Cell::Float(*ordered),
                    Cell::Float(*ordered),
                    Cell::Float(received),
                    Cell::Float(received),
                    Cell::Float(price_of(*item)),
                    Cell::Int(UNIT),
                    Cell::Time(order.due),
                    Cell::Int(order.supplier),
                    Cell::Int(COMPANY),
                    Cell::Int(CURRENCY),
                    text("purchase"),
                    Cell::Int(10),
                    text(format!("[SKU{item:05}] Item {item}")),
                    Cell::Float(0.0),
                    Cell::Ids(Arc::from([line_id(order, nth)])),
                ],
            );
        }
    }
}

fn receipts(state: &mut State, orders: &[Order]) {
    let mut rows = Rows::of(
        state,
        "stock.picking",
        &[
            "name",
            "partner_id",
            "state",
            "picking_type_id",
            "location_id",
            "location_dest_id",
            "scheduled_date",
            "date_deadline",
            "date_done",
            "date",
            "origin",
            "purchase_id",
            "company_id",
            "priority",
            "picking_type_code",
            "move_type",
            "display_name",
        ],
    );
    for order in orders {
        let name = format!("W{:02}/IN/{:06}", order.place, order.id);
        rows.put(
            order.id,
            written(order),
            vec![
                text(&name),
                Cell::Int(order.supplier),
                text(if order.came.is_some() { "done" } else { "assigned" }),
                Cell::Int(1 + order.place * 2),
                Cell::Int(VENDORS),
                Cell::Int(FIRST_STOCK + order.place),
                Cell::Time(order.due),
                Cell::Time(order.due),
                order.came.map_or(Cell::False, Cell::Time),
                Cell::Time(order.placed),
                text(format!("P{:06}", order.id)),
                Cell::Int(order.id),
                Cell::Int(COMPANY),
                text("0"),
                text("incoming"),
                text("direct"),
                text(&name),
            ],
        );
    }
}

fn moves(state: &mut State, orders: &[Order]) {
    let mut rows = Rows::of(
        state,
        "stock.move",
        &[
            "name",
            "reference",
            "product_id",
            "product_uom",
            "product_uom_qty",
            "product_qty",
            "quantity",
            "state",
            "date",
            "date_deadline",
            "location_id",
            "location_dest_id",
            "picking_id",
            "picking_type_id",
            "purchase_line_id",
            "origin",
            "company_id",
            "partner_id",
            "price_unit",
            "priority",
            "warehouse_id",
            "picked",
            "sequence",
            "procure_method",
            "is_inventory",
            "scrapped",
            "to_refund",
            "origin_returned_move_id",
        ],
    );
    for order in orders {
        let reference: Arc<str> = Arc::from(format!("W{:02}/IN/{:06}", order.place, order.id));
        let origin: Arc<str> = Arc::from(format!("P{:06}", order.id));
        for (nth, (item, ordered, received)) in order.lines.iter().enumerate() {
            let done = order.came.is_some();
            rows.put(
                line_id(order, nth),
                written(order),
                vec![
                    text(format!("[SKU{item:05}] Item {item}")),
                    Cell::Text(reference.clone()),
                    Cell::Int(FIRST_ITEM + item),
                    Cell::Int(UNIT),
                    Cell::Float(*ordered),
                    Cell::Float(*ordered),
                    Cell::Float(if done { *received } else { 0.0 }),
                    text(if done { "done" } else { "assigned" }),
                    Cell::Time(order.came.unwrap_or(order.due)),
                    Cell::Time(order.due),
                    Cell::Int(VENDORS),
                    Cell::Int(FIRST_STOCK + order.place),
                    Cell::Int(order.id),
                    Cell::Int(1 + order.place * 2),
                    Cell::Int(line_id(order, nth)),
                    Cell::Text(origin.clone()),
                    Cell::Int(COMPANY),
                    Cell::Int(order.supplier),
                    Cell::Float(price_of(*item)),
                    text("0"),
                    Cell::Int(order.place + 1),
                    if done { Cell::True } else { Cell::False },
                    Cell::Int(10),
                    text("make_to_stock"),
                    Cell::False,
                    Cell::False,
                    Cell::False,
                    Cell::False,
                ],
            );
        }
    }
}

fn bills(state: &mut State, orders: &[Order]) {
    let billed = || orders.iter().filter_map(|order| Some((order, order.came? + 2 * DAY)));
    let now = state.now;
    let mut rows = Rows::of(
        state,
        "account.move",
        &[
            "name",
            "ref",
            "move_type",
            "state",
            "payment_state",
            "partner_id",
            "invoice_date",
            "invoice_date_due",
            "date",
            "invoice_origin",
            "currency_id",
            "company_id",
            "display_name",
        ],
    );
    for (order, at) in billed().filter(|(_, at)| *at < now) {
        let (name, day) = (format!("BILL/{:06}", order.id), date_text(at / DAY));
        rows.put(
            order.id,
            at,
            vec![
                text(&name),
                text(format!("R{:06}", order.id)),
                text("in_invoice"),
                text("posted"),
                text("not_paid"),
                Cell::Int(order.supplier),
                text(&day),
                text(date_text(at / DAY + 30)),
                text(&day),
                text(format!("P{:06}", order.id)),
                Cell::Int(CURRENCY),
                Cell::Int(COMPANY),
                text(&name),
            ],
        );
    }
    let mut rows = Rows::of(
        state,
        "account.move.line",
        &[
            "move_id",
            "product_id",
            "quantity",
            "price_unit",
            "discount",
            "product_uom_id",
            "purchase_line_id",
            "display_type",
            "name",
            "partner_id",
            "company_id",
            "currency_id",
            "date",
            "parent_state",
            "move_type",
        ],
    );
    for (order, at) in billed().filter(|(_, at)| *at < now) {
        for (nth, (item, _, received)) in order.lines.iter().enumerate() {
            // One line in two hundred is dearer than was agreed.
            let dearer = if line_id(order, nth) % 200 == 0 { 1.1 } else { 1.0 };
            rows.put(
                line_id(order, nth),
                at,
                vec![
                    Cell::Int(order.id),
                    Cell::Int(FIRST_ITEM + item),
                    Cell::Float(*received),
                    Cell::Float((price_of(*item) * dearer * 100.0).round() / 100.0),
                    Cell::Float(0.0),
                    Cell::Int(UNIT),
                    Cell::Int(line_id(order, nth)),
                    text("product"),
                    text(format!("[SKU{item:05}] Item {item}")),
                    Cell::Int(order.supplier),
                    Cell::Int(COMPANY),
                    Cell::Int(CURRENCY),
                    text(&time_text(at)[..10]),
                    text("posted"),
                    text("in_invoice"),
                ],
            );
        }
    }
}
