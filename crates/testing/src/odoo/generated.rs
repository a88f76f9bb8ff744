//! Fills the fake with a large made-up retailer: items × locations × days, the same for the same seed. Master data, purchase
//! orders with their lines, receipts and bills, and stock are rows; deliveries to customers are computed ([`super::sales`]).

use std::sync::Arc;

use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;
use serde_json::{Value, json};

use super::cell::{Cell, DAY, SECOND, days_of};
use super::sales::Sales;
use super::schema::name_in;
use super::state::{CREATED, ID, Row, State, WRITTEN};
use super::{Version, purchases};

/// How large it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Size {
    /// Items that are stocked.
    pub items: i64,
    /// Warehouses, one stock location each.
    pub locations: i64,
    /// Days of history.
    pub days: i64,
    /// What makes this retailer differ from another of the same size.
    pub seed: u64,
}

pub(super) const SUPPLIERS: i64 = 40;
pub(super) const UNIT: i64 = 1;
const DOZEN: i64 = 2;
pub(super) const CURRENCY: i64 = 1;
pub(super) const COMPANY: i64 = 1;
pub(super) const VENDORS: i64 = 4;
const CUSTOMERS: i64 = 5;
const LOSSES: i64 = 14;
pub(super) const FIRST_PARTNER: i64 = 100;
pub(super) const FIRST_STOCK: i64 = 100;
pub(super) const FIRST_ITEM: i64 = 1000;

/// The last day: everything generated is before its midnight.
fn end() -> i64 {
    days_of(2026, 11, 1) * DAY
}

/// Adds rows of one model fast: values by column, checked once.
pub(super) struct Rows<'a> {
    state: &'a mut State,
    model: &'static str,
    places: Vec<Option<usize>>,
    names: &'static [&'static str],
}

impl<'a> Rows<'a> {
    /// Columns under Odoo 18's names; what this version does not have is left out.
    pub(super) fn of(state: &'a mut State, model: &'static str, names: &'static [&'static str]) -> Self {
        let place = |state: &mut State, name: &str| {
            let here = name_in(&state.schema, state.version, model, name)?;
            let field = state.field(model, &here);
            Some(state.table_mut(model).column(&field))
        };
        let places = names.iter().map(|name| place(state, name)).collect();
        Self { state, model, places, names }
    }

    pub(super) fn put(&mut self, id: i64, written: i64, cells: Vec<Cell>) {
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

pub(super) fn text(text: impl AsRef<str>) -> Cell {
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
pub(super) fn seed(state: &mut State, size: Size) {
    let start = end() - size.days * DAY;
    state.now = end() - 3600 * SECOND;
    masters(state, size, start);
    items(state, size, start);
    stock(state, size);
    purchases::make(state, size, start);
    // Far above the id of any row, as computed sales must not meet one.
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
        // From 19 on a unit's factor goes the other way.
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

pub(super) fn price_of(item: i64) -> f64 {
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
