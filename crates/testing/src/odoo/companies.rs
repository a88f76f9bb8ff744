//! Two companies on one server, as they are on a real one: each with its currency and rates, a warehouse of the same name and
//! code, orders of the same name, its own cost of the one item that both sell, and goods that one has sold to the other by way
//! of the transit location that belongs to neither.
//!
//! Alpha is in dollars and has a second store; it has 100 too many of the item. Beta is in euros and has run out. Northwind
//! delivers to both: to Alpha in time, to Beta late.

use serde_json::{Value, json};

use super::cell::{DAY, SECOND};
use super::schema::name_in;
use super::state::State;

pub const ALPHA: i64 = 1;
pub const BETA: i64 = 2;
const DOLLAR: i64 = 1;
const EURO: i64 = 2;
const YEN: i64 = 3;

/// Warehouses: Alpha's main one and its second store, and Beta's, which is called as Alpha's.
pub const ALPHA_MAIN: i64 = 1;
pub const ALPHA_NORTH: i64 = 2;
pub const BETA_MAIN: i64 = 3;
const WAREHOUSES: [(i64, &str, &str, i64); 3] =
    [(ALPHA_MAIN, "WH", "Main", ALPHA), (ALPHA_NORTH, "NOR", "North", ALPHA), (BETA_MAIN, "WH", "Main", BETA)];

/// What both companies sell, what only Alpha's main store has, and what nobody ever had.
pub const KETTLE: i64 = 50;
pub const LOCAL: i64 = 51;
pub const NEVER: i64 = 52;

/// Whose purchase of the kettle is which line.
pub const BETA_FROM_ALPHA: i64 = 205;
/// Beta's bill for it, and a bill in yen, of which there is no rate.
pub const BETA_BILL: i64 = 301;
/// The move with which Alpha shipped it.
pub const SHIPPED: i64 = 405;
/// The move with which Beta received it.
pub const RECEIVED: i64 = 406;

const VENDORS: i64 = 4;
const CUSTOMERS: i64 = 5;
const BORDER: i64 = 6;
const LOSSES: i64 = 7;
const NORTHWIND: i64 = 90;
const ALPHA_PARTNER: i64 = 91;
const BETA_PARTNER: i64 = 92;
const SHOPPER: i64 = 95;
const UNIT: i64 = 1;

/// The shelf of a warehouse.
fn shelf(warehouse: i64) -> i64 {
    20 + warehouse
}

/// A server on which a day is a number of days before its clock.
struct Writing<'a> {
    state: &'a mut State,
    next: i64,
}

impl Writing<'_> {
    /// Noon so many days before today.
    fn at(&self, days: i64) -> i64 {
        self.state.now.div_euclid(DAY) * DAY - days * DAY + 12 * 3600 * SECOND
    }

    fn text(&self, days: i64) -> String {
        super::cell::time_text(self.at(days))
    }

    fn day(&self, days: i64) -> String {
        self.text(days)[..10].to_owned()
    }

    /// A row under 18's names, written so many days before today. What this version does not have is left out.
    fn put(&mut self, model: &str, id: i64, days: i64, values: &Value) {
        let known: serde_json::Map<String, Value> = values
            .as_object()
            .expect("values are an object")
            .iter()
            .filter_map(|(name, value)| Some((name_in(&self.state.schema, self.state.version, model, name)?, value.clone())))
            .collect();
        let at = self.at(days);
        self.state.create_as(model, id, at, &Value::Object(known));
    }

    fn id(&mut self) -> i64 {
        self.next += 1;
        self.next
    }

    /// A done move.
    fn moved(&mut self, id: i64, days: i64, product: i64, ends: (i64, i64), quantity: f64, more: &Value) {
        let date = self.text(days);
        let mut values = json!({
            "name": "move", "product_id": product, "product_uom": UNIT, "product_uom_qty": quantity, "quantity": quantity,
            "state": "done", "location_id": ends.0, "location_dest_id": ends.1, "date": date, "reference": "",
        });
        for (name, value) in more.as_object().expect("values are an object") {
            values[name] = value.clone();
        }
        self.put("stock.move", id, days, &values);
    }
}

/// Fills an empty server. Its user reads both companies, Alpha first.
pub fn seed(state: &mut State) {
    for user in &mut state.users {
        user.companies = vec![ALPHA, BETA];
    }
    let mut writing = Writing { state, next: 1_000 };
    masters(&mut writing);
    stock_and_sales(&mut writing);
    purchases(&mut writing);
    between(&mut writing);
}

fn masters(w: &mut Writing<'_>) {
    const OLD: i64 = 200;
    for (id, name) in [(DOLLAR, "USD"), (EURO, "EUR"), (YEN, "JPY")] {
        w.put("res.currency", id, OLD, &json!({"name": name}));
    }
    // Each company keeps its own rates, of other currencies than its own; a dollar is four fifths of a euro.
    let from = w.day(OLD);
    for (id, currency, rate, company) in [(1, EURO, 0.8, ALPHA), (2, DOLLAR, 1.25, BETA)] {
        let values = json!({"name": from, "rate": rate, "currency_id": currency, "company_id": company});
        w.put("res.currency.rate", id, OLD, &values);
    }
    for (id, name, currency, partner) in
        [(ALPHA, "Alpha Ltd", DOLLAR, ALPHA_PARTNER), (BETA, "Beta GmbH", EURO, BETA_PARTNER)]
    {
        w.put("res.company", id, OLD, &json!({"name": name, "currency_id": currency, "partner_id": partner}));
        let values = json!({"name": name, "complete_name": name, "is_company": true, "supplier_rank": 1,
                            "commercial_partner_id": partner});
        w.put("res.partner", partner, OLD, &values);
    }
    let supplier = json!({"name": "Northwind", "complete_name": "Northwind", "is_company": true, "supplier_rank": 1,
                          "commercial_partner_id": NORTHWIND});
    w.put("res.partner", NORTHWIND, OLD, &supplier);
    w.put("product.category", 1, OLD, &json!({"name": "All", "complete_name": "All", "parent_path": "1/"}));
    w.put("uom.uom", UNIT, OLD, &json!({"name": "Units", "factor": 1.0, "category_id": 1}));
    for (id, usage, company) in [
        (VENDORS, "supplier", json!(false)),
        (CUSTOMERS, "customer", json!(false)),
        (BORDER, "transit", json!(false)),
        (LOSSES, "inventory", json!(ALPHA)),
        (LOSSES + 1, "inventory", json!(BETA)),
    ] {
        w.put("stock.location", id, OLD, &json!({"name": usage, "usage": usage, "company_id": company}));
    }
    for (id, code, name, company) in WAREHOUSES {
        w.put("stock.warehouse", id, OLD, &json!({"name": name, "code": code, "company_id": company}));
        let values = json!({"name": "Stock", "usage": "internal", "warehouse_id": id, "company_id": company});
        w.put("stock.location", shelf(id), OLD, &values);
        for (nth, kind) in [(0, "incoming"), (1, "outgoing")] {
            let values = json!({"name": kind, "code": kind, "warehouse_id": id, "company_id": company});
            w.put("stock.picking.type", id * 10 + nth, OLD, &values);
        }
    }
    for (id, name) in [(KETTLE, "Kettle"), (LOCAL, "Local honey"), (NEVER, "Special order lamp")] {
        let values = json!({"name": name, "type": "consu", "is_storable": true, "categ_id": 1, "uom_id": UNIT,
                            "uom_po_id": UNIT, "list_price": 20.0, "sale_ok": true});
        w.put("product.template", id, OLD, &values);
        let values = json!({"product_tmpl_id": id, "default_code": format!("K-{id}"), "is_storable": true, "uom_id": UNIT,
                            "standard_price": 8.0});
        w.put("product.product", id, OLD, &values);
    }
    // Alpha pays 8 dollars, Beta 10 euros, which are 12.50 dollars.
    w.state.set_company_value("product.product", "standard_price", KETTLE, ALPHA, &json!(8.0));
    w.state.set_company_value("product.product", "standard_price", KETTLE, BETA, &json!(10.0));
    for (id, company, currency, price, delay) in [(1, ALPHA, DOLLAR, 8.0, 5), (2, BETA, EURO, 10.0, 4)] {
        let values = json!({"partner_id": NORTHWIND, "product_tmpl_id": KETTLE, "price": price, "min_qty": 1.0,
                            "delay": delay, "currency_id": currency, "company_id": company, "sequence": 1});
        w.put("product.supplierinfo", id, OLD, &values);
    }
}

/// Three a day are sold at Alpha's main store and at Beta's for sixty days, and one of the honey at Alpha's.
fn stock_and_sales(w: &mut Writing<'_>) {
    let opening = |quantity: f64, product: i64, warehouse: i64, company: i64| (quantity, product, warehouse, company);
    for (quantity, product, warehouse, company) in [
        opening(292.0, KETTLE, ALPHA_MAIN, ALPHA),
        opening(100.0, LOCAL, ALPHA_MAIN, ALPHA),
        opening(160.0, KETTLE, BETA_MAIN, BETA),
    ] {
        let id = w.id();
        let from = if company == ALPHA { LOSSES } else { LOSSES + 1 };
        let more = json!({"company_id": company, "is_inventory": true, "name": "Opening stock"});
        w.moved(id, 100, product, (from, shelf(warehouse)), quantity, &more);
    }
    for days in 1..=60 {
        for (product, warehouse, company, quantity) in
            [(KETTLE, ALPHA_MAIN, ALPHA, 3.0), (LOCAL, ALPHA_MAIN, ALPHA, 1.0), (KETTLE, BETA_MAIN, BETA, 3.0)]
        {
            let id = w.id();
            let (date, currency) = (w.text(days), if company == ALPHA { DOLLAR } else { EURO });
            // Numbers are each company's own: both have an S00001.
            let name = format!("S{days:05}");
            let order = json!({"name": name, "state": "sale", "partner_id": SHOPPER, "date_order": date,
                               "warehouse_id": warehouse, "currency_id": currency, "company_id": company});
            w.put("sale.order", id, days, &order);
            let line = json!({"order_id": id, "product_id": product, "product_uom": UNIT, "product_uom_qty": quantity,
                              "price_unit": 20.0, "discount": 0.0, "warehouse_id": warehouse, "company_id": company});
            w.put("sale.order.line", id, days, &line);
            let more = json!({"company_id": company, "sale_line_id": id});
            w.moved(id, days, product, (shelf(warehouse), CUSTOMERS), quantity, &more);
        }
    }
    // What is left on the shelves: Alpha has plenty, Beta nothing, its quant is gone.
    for (id, product, warehouse, quantity, company) in
        [(1, KETTLE, ALPHA_MAIN, 200.0, ALPHA), (2, LOCAL, ALPHA_MAIN, 40.0, ALPHA)]
    {
        let values = json!({"product_id": product, "location_id": shelf(warehouse), "quantity": quantity,
                            "reserved_quantity": 0.0, "company_id": company, "warehouse_id": warehouse});
        w.put("stock.quant", id, 1, &values);
    }
}

/// An order that was received: its row, its line, its receipt.
#[expect(clippy::too_many_arguments, reason = "an order as it stands in the books")]
fn received(
    w: &mut Writing<'_>,
    (order, name): (i64, &str),
    company: i64,
    warehouse: i64,
    currency: i64,
    price: f64,
    (ordered, promised, came): (i64, i64, i64),
    quantity: f64,
) {
    let (at, due) = (w.text(ordered), w.text(promised));
    let values = json!({"name": name, "state": "purchase", "partner_id": NORTHWIND, "currency_id": currency, "date_order": at,
                        "date_approve": at, "picking_type_id": warehouse * 10, "company_id": company, "picking_ids": [],
                        "receipt_status": "full"});
    w.put("purchase.order", order, ordered, &values);
    let line = json!({"order_id": order, "product_id": KETTLE, "product_uom": UNIT, "product_qty": quantity,
                      "price_unit": price, "discount": 0.0, "date_planned": due, "company_id": company});
    w.put("purchase.order.line", order + 100, ordered, &line);
    let more = json!({"company_id": company, "purchase_line_id": order + 100, "reference": format!("WH/IN/{order}")});
    w.moved(order + 300, came, KETTLE, (VENDORS, shelf(warehouse)), quantity, &more);
}

/// Northwind keeps its promises to Alpha and breaks them to Beta. Orders of both are called alike.
fn purchases(w: &mut Writing<'_>) {
    for nth in 0..4 {
        let ordered = 40 - nth * 8;
        let name = format!("P{:05}", nth + 1);
        received(w, (110 + nth, &name), ALPHA, ALPHA_MAIN, DOLLAR, 8.0, (ordered, ordered - 5, ordered - 5), 25.0);
        received(w, (120 + nth, &name), BETA, BETA_MAIN, EURO, 10.0, (ordered, ordered - 4, ordered - 11), 2.0);
    }
}

/// Alpha sells Beta twelve kettles: they leave by way of the border and are received from it. Beta is billed for them.
fn between(w: &mut Writing<'_>) {
    let order = BETA_FROM_ALPHA - 100;
    let (ordered, due) = (w.text(12), w.text(8));
    let sale = json!({"name": "S00900", "state": "sale", "partner_id": BETA_PARTNER, "date_order": ordered,
                      "warehouse_id": ALPHA_MAIN, "currency_id": DOLLAR, "company_id": ALPHA});
    w.put("sale.order", 900, 12, &sale);
    let line = json!({"order_id": 900, "product_id": KETTLE, "product_uom": UNIT, "product_uom_qty": 12.0,
                      "price_unit": 16.5, "discount": 0.0, "warehouse_id": ALPHA_MAIN, "company_id": ALPHA});
    w.put("sale.order.line", 900, 12, &line);
    let more = json!({"company_id": ALPHA, "sale_line_id": 900, "partner_id": BETA_PARTNER, "reference": "WH/OUT/900"});
    w.moved(SHIPPED, 9, KETTLE, (shelf(ALPHA_MAIN), BORDER), 12.0, &more);
    let values = json!({"name": "P00900", "state": "purchase", "partner_id": ALPHA_PARTNER, "currency_id": EURO,
                        "date_order": ordered, "date_approve": ordered, "picking_type_id": BETA_MAIN * 10,
                        "company_id": BETA, "picking_ids": [], "receipt_status": "full"});
    w.put("purchase.order", order, 12, &values);
    let line = json!({"order_id": order, "product_id": KETTLE, "product_uom": UNIT, "product_qty": 12.0,
                      "price_unit": 13.2, "discount": 0.0, "date_planned": due, "company_id": BETA});
    w.put("purchase.order.line", BETA_FROM_ALPHA, 12, &line);
    let more = json!({"company_id": BETA, "purchase_line_id": BETA_FROM_ALPHA, "partner_id": ALPHA_PARTNER, "reference": "WH/IN/900"});
    w.moved(RECEIVED, 8, KETTLE, (BORDER, shelf(BETA_MAIN)), 12.0, &more);
    let (today, later) = (w.day(6), w.day(-24));
    for (id, name, currency, line, quantity, price) in [
        (BETA_BILL, "BILL/2026/0001", EURO, json!(BETA_FROM_ALPHA), 12.0, 13.2),
        (BETA_BILL + 1, "BILL/2026/0002", YEN, json!(false), 3.0, 1_500.0),
    ] {
        let bill = json!({"name": name, "move_type": "in_invoice", "state": "posted", "partner_id": ALPHA_PARTNER,
                          "currency_id": currency, "date": today, "invoice_date": today, "invoice_date_due": later,
                          "payment_state": "not_paid", "ref": name, "company_id": BETA});
        w.put("account.move", id, 6, &bill);
        let values = json!({"move_id": id, "display_type": "product", "product_id": KETTLE, "product_uom_id": UNIT,
                            "quantity": quantity, "price_unit": price, "discount": 0.0, "purchase_line_id": line,
                            "company_id": BETA, "date": today, "parent_state": "posted"});
        w.put("account.move.line", id, 6, &values);
    }
}
