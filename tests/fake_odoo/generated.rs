//! Fills the fake with a large made-up retailer: items × locations × days, the same for the same seed. Master data, purchase
//! orders with their lines, receipts and bills, and stock are rows; deliveries to customers are computed ([`super::sales`]).

use std::sync::Arc;

use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;
use serde_json::{Value, json};

use super::Version;
use super::cell::{Cell, DAY, SECOND, date_text, days_of, time_text};
use super::sales::Sales;
use super::schema::name_in;
use super::state::{CREATED, ID, Row, State, WRITTEN};

/// How large it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Size {
    /// Items that are stocked.
    pub(crate) items: i64,
    /// Warehouses, one stock location each.
    pub(crate) locations: i64,
    /// Days of history.
    pub(crate) days: i64,
    /// What makes this retailer differ from another of the same size.
    pub(crate) seed: u64,
}

const SUPPLIERS: i64 = 40;
const UNIT: i64 = 1;
const DOZEN: i64 = 2;
const CURRENCY: i64 = 1;
const COMPANY: i64 = 1;
const VENDORS: i64 = 4;
const CUSTOMERS: i64 = 5;
const LOSSES: i64 = 14;
const FIRST_PARTNER: i64 = 100;
const FIRST_STOCK: i64 = 100;
const FIRST_ITEM: i64 = 1000;
/// Lines of a purchase order.
const LINES: i64 = 20;

/// The last day: everything generated is before its midnight.
fn end() -> i64 {
    days_of(2026, 11, 1) * DAY
}

/// Adds rows of one model fast: values by column, checked once.
struct Rows<'a> {
    state: &'a mut State,
    model: &'static str,
    places: Vec<Option<usize>>,
    names: &'static [&'static str],
}

impl<'a> Rows<'a> {
    /// Columns under Odoo 18's names; what this version does not have is left out.
    fn of(state: &'a mut State, model: &'static str, names: &'static [&'static str]) -> Self {
        let place = |state: &mut State, name: &str| {
            let here = name_in(&state.schema, state.version, model, name)?;
            let field = state.field(model, &here);
            Some(state.table_mut(model).column(&field))
        };
        let places = names.iter().map(|name| place(state, name)).collect();
        Self { state, model, places, names }
    }

    fn put(&mut self, id: i64, written: i64, cells: Vec<Cell>) {
        debug_assert_eq!(cells.len(), self.names.len(), "{}", self.model);
        let table = self.state.table_mut(self.model);
        let mut row: Row = table.blank();
        for (place, cell) in self.places.iter().zip(cells) {
            if let Some(place) = place {
                row[*place] = cell;
            }
        }
        row[ID] = Cell::Int(id);
        row[CREATED] = Cell::Time(written);
        row[WRITTEN] = Cell::Time(written);
        table.put(row);
    }
}

fn text(text: impl AsRef<str>) -> Cell {
    Cell::text(text.as_ref())
}

/// Writes a row under 18's names, leaving out the fields that this version does not have.
fn row(state: &mut State, model: &str, id: i64, at: i64, values: &Value) {
    let known = values
        .as_object()
        .expect("values are an object")
        .iter()
        .filter_map(|(name, value)| Some((name_in(&state.schema, state.version, model, name)?, value.clone())));
    let known: serde_json::Map<String, Value> = known.collect();
    state.create_as(model, id, at, &Value::Object(known));
}

/// Makes the retailer. The clock shows the evening of its last day.
pub(crate) fn seed(state: &mut State, size: Size) {
    let start = end() - size.days * DAY;
    state.now = end() - 3600 * SECOND;
    masters(state, size, start);
    items(state, size, start);
    stock(state, size);
    purchases(state, size, start);
    let first = 10_000_000;
    let stocks: Vec<i64> = (0..size.locations).map(|place| FIRST_STOCK + place).collect();
    let sales = Sales {
        first,
        items: size.items,
        places: size.locations,
        days: size.days,
        start,
        seed: size.seed,
        products: (0..size.items).map(|item| FIRST_ITEM + item).collect(),
        warehouses: (1..=size.locations).collect(),
        out_types: (0..size.locations).map(|place| 2 + place * 2).collect(),
        stocks,
        customers: CUSTOMERS,
        unit: UNIT,
        company: COMPANY,
    };
    let moves = state.table_mut("stock.move");
    moves.next_id = sales.end();
    moves.sales = Some(Arc::new(sales));
}

fn masters(state: &mut State, size: Size, start: i64) {
    let rows = [
        (
            "res.currency",
            CURRENCY,
            json!({"name": "EUR", "rate": 1.0, "symbol": "€", "rounding": 0.01, "decimal_places": 2}),
        ),
        ("res.currency.rate", 1, json!({"name": "2025-01-01", "rate": 1.0, "currency_id": CURRENCY, "company_id": COMPANY})),
        ("res.company", COMPANY, json!({"name": "Retail", "currency_id": CURRENCY, "partner_id": 1})),
        ("res.partner", 1, json!({"name": "Retail", "complete_name": "Retail", "is_company": true})),
        ("product.category", 1, json!({"name": "All", "complete_name": "All"})),
        ("stock.location", VENDORS, json!({"name": "Vendors", "complete_name": "Partners/Vendors", "usage": "supplier"})),
        (
            "stock.location",
            CUSTOMERS,
            json!({"name": "Customers", "complete_name": "Partners/Customers", "usage": "customer"}),
        ),
        (
            "stock.location",
            LOSSES,
            json!({"name": "Inventory adjustment", "complete_name": "Virtual Locations/Inventory adjustment",
                   "usage": "inventory", "company_id": COMPANY}),
        ),
    ];
    for (model, id, values) in rows {
        row(state, model, id, start, &values);
    }
    for (id, name, factor) in [(UNIT, "Units", 1.0), (DOZEN, "Dozens", 12.0)] {
        if state.version == Version::V19 {
            let relative = if id == UNIT { Value::Bool(false) } else { json!(UNIT) };
            let values = json!({"name": name, "factor": factor, "relative_factor": factor, "relative_uom_id": relative});
            state.create_as("uom.uom", id, start, &values);
        } else {
            let kind = if id == UNIT { "reference" } else { "bigger" };
            let values = json!({"name": name, "factor": 1.0 / factor, "factor_inv": factor, "rounding": 0.01,
                                "category_id": 1, "uom_type": kind});
            state.create_as("uom.uom", id, start, &values);
        }
    }
    if state.version != Version::V19 {
        state.create_as("uom.category", 1, start, &json!({"name": "Unit"}));
    }
    for nth in 0..SUPPLIERS {
        let name = format!("Supplier {nth:02}");
        let id = FIRST_PARTNER + nth;
        let values = json!({"name": name, "complete_name": name, "is_company": true, "supplier_rank": 1,
                            "commercial_partner_id": id});
        row(state, "res.partner", id, start, &values);
    }
    for place in 0..size.locations {
        let code = format!("W{place:02}");
        let (view, stock, warehouse) = (FIRST_STOCK + 1000 + place, FIRST_STOCK + place, place + 1);
        let (receipts, deliveries) = (1 + place * 2, 2 + place * 2);
        let rows = [
            ("stock.location", view, json!({"name": code, "complete_name": code, "usage": "view", "company_id": COMPANY})),
            (
                "stock.location",
                stock,
                json!({"name": "Stock", "complete_name": format!("{code}/Stock"), "usage": "internal", "location_id": view,
                       "warehouse_id": warehouse, "company_id": COMPANY}),
            ),
            (
                "stock.warehouse",
                warehouse,
                json!({"name": format!("Shop {place:02}"), "code": code, "company_id": COMPANY, "lot_stock_id": stock,
                       "view_location_id": view, "in_type_id": receipts, "out_type_id": deliveries, "partner_id": 1}),
            ),
            (
                "stock.picking.type",
                receipts,
                json!({"name": "Receipts", "code": "incoming", "warehouse_id": warehouse, "company_id": COMPANY,
                       "default_location_src_id": VENDORS, "default_location_dest_id": stock}),
            ),
            (
                "stock.picking.type",
                deliveries,
                json!({"name": "Delivery Orders", "code": "outgoing", "warehouse_id": warehouse, "company_id": COMPANY,
                       "default_location_src_id": stock, "default_location_dest_id": CUSTOMERS}),
            ),
        ];
        for (model, id, values) in rows {
            row(state, model, id, start, &values);
        }
    }
}

fn price_of(item: i64) -> f64 {
    (199 + item * 37 % 4800) as f64 / 100.0
}

fn items(state: &mut State, size: Size, start: i64) {
    for item in 0..size.items {
        let (id, code, name) = (FIRST_ITEM + item, format!("SKU{item:05}"), format!("Item {item}"));
        let price = price_of(item);
        let template = json!({
            "name": name, "default_code": code, "type": "consu", "is_storable": true, "tracking": "none", "categ_id": 1,
            "uom_id": UNIT, "uom_po_id": UNIT, "list_price": price * 2.0, "standard_price": price, "sale_ok": true,
            "purchase_ok": true, "product_variant_id": id, "product_variant_ids": [id],
        });
        row(state, "product.template", id, start, &template);
        let product = json!({
            "name": name, "default_code": code, "product_tmpl_id": id, "type": "consu", "is_storable": true,
            "tracking": "none", "categ_id": 1, "uom_id": UNIT, "uom_po_id": UNIT, "lst_price": price * 2.0,
            "list_price": price * 2.0, "standard_price": price, "sale_ok": true, "purchase_ok": true,
        });
        row(state, "product.product", id, start, &product);
        let terms = json!({
            "partner_id": FIRST_PARTNER + item % SUPPLIERS, "product_tmpl_id": id, "price": price, "min_qty": 1.0,
            "delay": 3 + item % 18, "currency_id": CURRENCY, "company_id": COMPANY, "product_uom": UNIT, "sequence": 1,
        });
        row(state, "product.supplierinfo", id, start, &terms);
    }
}

fn stock(state: &mut State, size: Size) {
    let at = state.now - DAY;
    let mut quants = Rows::of(
        state,
        "stock.quant",
        &["product_id", "location_id", "quantity", "reserved_quantity", "in_date", "company_id", "warehouse_id"],
    );
    let mut rng = ChaCha8Rng::seed_from_u64(size.seed ^ 1);
    let pairs = (0..size.items).flat_map(|item| (0..size.locations).map(move |place| (item, place)));
    for (nth, (item, place)) in pairs.enumerate() {
        let on_hand = f64::from(rng.gen_range(-1..60));
        quants.put(
            nth as i64 + 1,
            at + nth as i64,
            vec![
                Cell::Int(FIRST_ITEM + item),
                Cell::Int(FIRST_STOCK + place),
                Cell::Float(on_hand),
                Cell::Float(if on_hand > 40.0 { 2.0 } else { 0.0 }),
                Cell::Time(at),
                Cell::Int(COMPANY),
                Cell::Int(place + 1),
            ],
        );
    }
    let mut points = Rows::of(
        state,
        "stock.warehouse.orderpoint",
        &[
            "name",
            "product_id",
            "location_id",
            "warehouse_id",
            "product_min_qty",
            "product_max_qty",
            "company_id",
            "trigger",
            "active",
        ],
    );
    let pairs = (0..size.items).flat_map(|item| (0..size.locations).map(move |place| (item, place)));
    for (nth, (item, place)) in pairs.enumerate() {
        let least = (5 + item % 15) as f64;
        points.put(
            nth as i64 + 1,
            at,
            vec![
                text(format!("OP/{nth:06}")),
                Cell::Int(FIRST_ITEM + item),
                Cell::Int(FIRST_STOCK + place),
                Cell::Int(place + 1),
                Cell::Float(least),
                Cell::Float(least * 3.0),
                Cell::Int(COMPANY),
                text("auto"),
                Cell::True,
            ],
        );
    }
}

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

fn purchases(state: &mut State, size: Size, start: i64) {
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
