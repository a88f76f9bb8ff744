//! A retailer with tills, made event by event as Odoo would: sessions that open and close, stock booked at once or at closing,
//! kits whose components leave, customers' orders settled at a till, refunds, down payments, counts.
//!
//! It keeps an account of its own of what was wanted and what left the shelf ([`Retail::wanted`], [`Retail::shelf`]): what a
//! reader must find, not reckoned from rows.

use std::collections::BTreeMap;

use jiff::Timestamp;
use jiff::civil::Date;
use jiff::tz::TimeZone;
use serde_json::{Value, json};

use super::FakeOdoo;
use super::schema::{FieldDef, ModelDef, name_in};
use super::state::State;

const COMPANY: i64 = 1;
const UNIT: i64 = 1;
pub const DOZEN: i64 = 2;
const VENDORS: i64 = 4;
const CUSTOMERS: i64 = 5;
const LOSSES: i64 = 14;
const CUSTOMER: i64 = 50;

/// A line of a bill of material: its id, the component, how many of its unit.
type BillLine = (i64, i64, f64);

/// A line at a till; below zero what is brought back.
#[derive(Clone, Debug)]
struct Rung {
    product: i64,
    units: f64,
}

#[derive(Debug)]
struct Session {
    shop: i64,
    at_closing: bool,
    /// Rung up and not booked.
    pending: Vec<Rung>,
}

/// The retailer.
#[derive(Debug, Default)]
pub struct Retail {
    bills: BTreeMap<i64, Vec<BillLine>>,
    sessions: BTreeMap<i64, Session>,
    /// Lines of customers' orders: order → (line, product, units, the delivery's picking).
    orders: BTreeMap<i64, Vec<(i64, i64, f64)>>,
    deliveries: BTreeMap<i64, (i64, i64)>,
    /// What was wanted of each item at each shop by day.
    pub wanted: BTreeMap<(i64, i64), BTreeMap<Date, f64>>,
    /// What is on the shelf.
    pub shelf: BTreeMap<(i64, i64), f64>,
    down_payment: i64,
}

/// `2026-11-10 09:00`, UTC.
fn at(text: &str) -> Timestamp {
    format!("{}:00Z", text.replace(' ', "T")).parse().expect("a time")
}

fn stamp(text: &str) -> String {
    format!("{text}:00")
}

/// Makes a row under 18's names, leaving out the fields that this version does not have.
fn put(state: &mut State, model: &str, values: &Value) -> i64 {
    let id = values["id"].as_i64().unwrap_or_else(|| state.reserve(model));
    let known = values.as_object().expect("values are an object").iter().filter(|(name, _)| *name != "id");
    let known = known.filter_map(|(name, value)| Some((name_in(&state.schema, state.version, model, name)?, value.clone())));
    let known: serde_json::Map<String, Value> = known.collect();
    state.create_as(model, id, state.now, &Value::Object(known));
    id
}

fn stock(shop: i64) -> i64 {
    100 + shop
}

impl Retail {
    /// A company with `shops`, a till in each, on an empty server.
    pub fn open(fake: &FakeOdoo, shops: i64) -> Self {
        fake.set_now(at("2026-10-01 06:00"));
        fake.install_point_of_sale();
        fake.with(|state| {
            install_kits(state);
            masters(state);
            for shop in 1..=shops {
                place(state, shop);
            }
        });
        let retail = Self { down_payment: Self::product(fake, "Down payment", "service"), ..Self::default() };
        for shop in 1..=shops {
            let values = json!({"id": shop, "name": format!("Till {shop}"), "picking_type_id": shop * 10 + 2,
                "company_id": COMPANY, "down_payment_product_id": retail.down_payment});
            fake.with(|state| put(state, "pos.config", &values));
        }
        retail
    }

    /// A product: `stored`, or a `service` or a `combo`, or anything else of which no stock is kept.
    pub fn product(fake: &FakeOdoo, name: &str, kind: &str) -> i64 {
        let kind_name = if matches!(kind, "service" | "combo") { kind } else { "consu" };
        fake.with(|state| {
            let values = json!({"name": name, "type": kind_name, "is_storable": kind == "stored", "categ_id": 1,
                "uom_id": UNIT, "uom_po_id": UNIT, "list_price": 9.0, "standard_price": 4.0, "sale_ok": true});
            let template = put(state, "product.template", &values);
            let values = json!({"id": template, "name": name, "default_code": name, "product_tmpl_id": template, "categ_id": 1,
                "type": kind_name, "is_storable": kind == "stored", "uom_id": UNIT, "standard_price": 4.0});
            put(state, "product.product", &values)
        })
    }

    /// A bill of material by which a product is a kit: `per` of it are these components, each in a unit.
    pub fn kit(&mut self, fake: &FakeOdoo, product: i64, per: f64, parts: &[(i64, f64, i64)]) -> i64 {
        let mut lines = Vec::new();
        let bill = fake.with(|state| {
            let bill = put(
                state,
                "mrp.bom",
                &json!({"product_tmpl_id": product, "product_qty": per, "product_uom_id": UNIT, "type": "phantom",
                    "sequence": 1, "company_id": false}),
            );
            for (component, quantity, unit) in parts {
                let values = json!({"bom_id": bill, "product_id": component, "product_qty": quantity, "product_uom_id": unit,
                    "bom_product_template_attribute_value_ids": []});
                let units = if *unit == DOZEN { quantity * 12.0 } else { *quantity };
                lines.push((put(state, "mrp.bom.line", &values), *component, units / per));
            }
            bill
        });
        self.bills.insert(product, lines);
        bill
    }

    /// Another variant of a product's template, which bears a value of an attribute.
    pub fn variant(fake: &FakeOdoo, of: i64, name: &str, value: i64) -> i64 {
        let kind = fake.rows("product.product")[&of].clone();
        fake.with(|state| {
            // Products and templates share their ids here.
            let id = state.reserve("product.template");
            let values = json!({"id": id, "name": name, "default_code": name, "product_tmpl_id": of, "categ_id": 1,
                "type": kind["type"], "is_storable": kind.get("is_storable"), "uom_id": UNIT, "standard_price": 4.0,
                "product_template_attribute_value_ids": [value]});
            put(state, "product.product", &values)
        })
    }

    /// A value of an attribute.
    pub fn value(fake: &FakeOdoo, attribute: i64) -> i64 {
        fake.with(|state| put(state, "product.template.attribute.value", &json!({"attribute_line_id": attribute})))
    }

    /// A bill for the variants of a template, each with its value; each component stands there for the variants with a value,
    /// or without one for all.
    pub fn kit_of_variants(
        &mut self,
        fake: &FakeOdoo,
        template: i64,
        variants: &[(i64, i64)],
        parts: &[(i64, f64, Option<i64>)],
    ) {
        let bill = json!({"product_tmpl_id": template, "product_qty": 1.0, "product_uom_id": UNIT, "type": "phantom",
            "sequence": 1, "company_id": false});
        let bill = fake.with(|state| put(state, "mrp.bom", &bill));
        for (component, quantity, only_for) in parts {
            let values: Vec<i64> = only_for.iter().copied().collect();
            let row = json!({"bom_id": bill, "product_id": component, "product_qty": quantity, "product_uom_id": UNIT,
                "bom_product_template_attribute_value_ids": values});
            let line = fake.with(|state| put(state, "mrp.bom.line", &row));
            for (variant, value) in variants {
                let lines = self.bills.entry(*variant).or_default();
                lines.extend(only_for.is_none_or(|only| only == *value).then_some((line, *component, *quantity)));
            }
        }
    }

    /// Changes how many of the first component a kit takes.
    pub fn change_kit(&mut self, fake: &FakeOdoo, product: i64, when: &str, quantity: f64) {
        fake.set_now(at(when));
        let line = &mut self.bills.get_mut(&product).expect("it is a kit")[0];
        line.2 = quantity;
        fake.write("mrp.bom.line", line.0, &json!({"product_qty": quantity}));
    }

    /// What a product is made of, down to what is on shelves: the bill's line, the component, how many.
    fn take_apart(&self, product: i64, units: f64) -> Vec<(Option<i64>, i64, f64)> {
        match self.bills.get(&product) {
            None => vec![(None, product, units)],
            Some(lines) => lines
                .iter()
                .flat_map(|(line, component, per)| {
                    if self.bills.contains_key(component) {
                        self.take_apart(*component, units * per)
                    } else {
                        vec![(Some(*line), *component, units * per)]
                    }
                })
                .collect(),
        }
    }

    fn want(&mut self, product: i64, shop: i64, when: &str, units: f64) {
        let day = at(when).to_zoned(TimeZone::UTC).date();
        for (_, component, units) in self.take_apart(product, units) {
            *self.wanted.entry((component, shop)).or_default().entry(day).or_default() += units;
        }
    }

    fn leave(&mut self, product: i64, shop: i64, units: f64) {
        for (_, component, units) in self.take_apart(product, units) {
            *self.shelf.entry((component, shop)).or_default() -= units;
        }
    }

    /// A move of one product, done or planned; quants follow what is done.
    fn moved(state: &mut State, values: &Value, done: Option<&str>) -> i64 {
        let (product, units) = (values["product_id"].as_i64().expect("a product"), values["units"].as_f64().expect("units"));
        let mut all = json!({"product_uom": UNIT, "product_uom_qty": units, "product_qty": units,
            "quantity": if done.is_some() { units } else { 0.0 }, "state": if done.is_some() { "done" } else { "assigned" },
            "company_id": COMPANY, "name": "move", "reference": "move"});
        for (name, value) in values.as_object().expect("an object").iter().filter(|(name, _)| *name != "units") {
            all[name] = value.clone();
        }
        if let Some(done) = done {
            all["date"] = json!(stamp(done));
            for (field, sign) in [("location_id", -1.0), ("location_dest_id", 1.0)] {
                quant(state, product, all[field].as_i64().expect("a place"), sign * units);
            }
        }
        put(state, "stock.move", &all)
    }

    /// Goods come in.
    pub fn receive(&mut self, fake: &FakeOdoo, product: i64, shop: i64, units: f64, when: &str) {
        fake.set_now(at(when));
        *self.shelf.entry((product, shop)).or_default() += units;
        let values = json!({"product_id": product, "units": units, "location_id": VENDORS, "location_dest_id": stock(shop)});
        fake.with(|state| Self::moved(state, &values, Some(when)));
    }

    /// Somebody counts what is there by the books' account, and the books follow: `found` on the shelf.
    pub fn count(&mut self, fake: &FakeOdoo, product: i64, shop: i64, found: f64, when: &str) {
        fake.set_now(at(when));
        self.shelf.insert((product, shop), found);
        fake.with(|state| {
            let off = found - on_books(state, product, stock(shop));
            let (from, to) = if off < 0.0 { (stock(shop), LOSSES) } else { (LOSSES, stock(shop)) };
            let values = json!({"product_id": product, "units": off.abs(), "location_id": from, "location_dest_id": to,
                "is_inventory": true});
            Self::moved(state, &values, Some(when));
        });
    }

    /// A confirmed customer's order, with a delivery that waits.
    pub fn order(&mut self, fake: &FakeOdoo, shop: i64, goods: &[(i64, f64)], when: &str) -> i64 {
        fake.set_now(at(when));
        for (product, units) in goods {
            self.want(*product, shop, when, *units);
        }
        let (order, lines, picking) = fake.with(|state| {
            let order = put(
                state,
                "sale.order",
                &json!({"name": format!("S{when}"), "state": "sale", "partner_id": CUSTOMER, "date_order": stamp(when),
                    "warehouse_id": shop, "currency_id": 1, "company_id": COMPANY}),
            );
            let picking = put(
                state,
                "stock.picking",
                &json!({"name": format!("OUT/{order}"), "scheduled_date": stamp(when), "state": "assigned",
                    "picking_type_id": shop * 10 + 1, "company_id": COMPANY, "location_id": stock(shop),
                    "location_dest_id": CUSTOMERS}),
            );
            let mut lines = Vec::new();
            for (product, units) in goods {
                let values = json!({"order_id": order, "product_id": product, "product_uom": UNIT, "product_uom_qty": units,
                    "price_unit": 9.0, "warehouse_id": shop, "company_id": COMPANY});
                let line = put(state, "sale.order.line", &values);
                lines.push((line, *product, *units));
                for (bill, component, units) in self.take_apart(*product, *units) {
                    let values = json!({"product_id": component, "units": units, "location_id": stock(shop),
                        "location_dest_id": CUSTOMERS, "picking_id": picking, "sale_line_id": line, "bom_line_id": bill,
                        "date": stamp(when)});
                    Self::moved(state, &values, None);
                }
            }
            (order, lines, picking)
        });
        self.orders.insert(order, lines);
        self.deliveries.insert(order, (picking, shop));
        order
    }

    fn end_delivery(fake: &FakeOdoo, picking: i64, when: &str, done: bool) {
        fake.write("stock.picking", picking, &json!({"state": if done { "done" } else { "cancel" }}));
        for (id, row) in fake.rows("stock.move") {
            if row["picking_id"] == json!(picking) {
                let units = row["product_uom_qty"].as_f64().expect("units");
                if done {
                    let values = json!({"state": "done", "quantity": units, "date": stamp(when)});
                    fake.write("stock.move", id, &values);
                    fake.with(|state| {
                        for (field, sign) in [("location_id", -1.0), ("location_dest_id", 1.0)] {
                            let product = row["product_id"].as_i64().expect("a product");
                            quant(state, product, row[field].as_i64().expect("a place"), sign * units);
                        }
                    });
                } else {
                    fake.write("stock.move", id, &json!({"state": "cancel", "product_uom_qty": 0.0}));
                }
            }
        }
    }

    /// The order is shipped.
    pub fn deliver(&mut self, fake: &FakeOdoo, order: i64, when: &str) {
        fake.set_now(at(when));
        let (picking, shop) = self.deliveries[&order];
        for (_, product, units) in self.orders[&order].clone() {
            self.leave(product, shop, units);
        }
        Self::end_delivery(fake, picking, when, true);
    }

    /// A till opens. Its stock is booked when it closes, or with each order.
    pub fn session(&mut self, fake: &FakeOdoo, shop: i64, at_closing: bool, when: &str) -> i64 {
        fake.set_now(at(when));
        let values = json!({"name": format!("POS/{when}"), "config_id": shop, "state": "opened", "start_at": stamp(when),
            "stop_at": false, "update_stock_at_closing": at_closing});
        let id = fake.with(|state| put(state, "pos.session", &values));
        self.sessions.insert(id, Session { shop, at_closing, pending: Vec::new() });
        id
    }

    /// Something is paid at a till; below zero it is brought back.
    pub fn ring(&mut self, fake: &FakeOdoo, session: i64, goods: &[(i64, f64)], when: &str) -> i64 {
        let shop = self.sessions[&session].shop;
        for (product, units) in goods {
            self.want(*product, shop, when, *units);
        }
        let lines: Vec<Value> = goods.iter().map(|(product, units)| json!({"product_id": product, "qty": units})).collect();
        self.pay(fake, session, &lines, when)
    }

    /// The same with what is no goods beside them: tips, discounts, gift cards, the heads of combos. Nobody wants those.
    pub fn ring_with(
        &mut self,
        fake: &FakeOdoo,
        session: i64,
        goods: &[(i64, f64)],
        no_goods: &[(i64, f64)],
        when: &str,
    ) -> i64 {
        let shop = self.sessions[&session].shop;
        for (product, units) in goods {
            self.want(*product, shop, when, *units);
        }
        let line = |(product, units): &(i64, f64)| json!({"product_id": product, "qty": units});
        let lines: Vec<Value> = no_goods.iter().chain(goods).map(line).collect();
        self.pay(fake, session, &lines, when)
    }

    /// Something is paid with an invoice: its stock is booked at once, whatever the session does.
    pub fn ring_invoiced(&mut self, fake: &FakeOdoo, session: i64, goods: &[(i64, f64)], when: &str) {
        let order = self.ring(fake, session, goods, when);
        let open = self.sessions.get_mut(&session).expect("it is open");
        let rung = open.pending.split_off(open.pending.len() - goods.len());
        let pickings = self.book(fake, session, &rung, Some(order), when);
        fake.write("pos.order", order, &json!({"picking_ids": pickings}));
    }

    /// Something is paid that will be delivered later: a delivery of the order's own waits. Its id.
    pub fn ring_to_deliver(&mut self, fake: &FakeOdoo, session: i64, goods: &[(i64, f64)], when: &str) -> i64 {
        let order = self.ring(fake, session, goods, when);
        let open = self.sessions.get_mut(&session).expect("it is open");
        open.pending.truncate(open.pending.len() - goods.len());
        let shop = open.shop;
        for (product, units) in goods {
            self.leave(*product, shop, -*units);
        }
        let picking = fake.with(|state| {
            let values = json!({"name": format!("OUT/{order}"), "scheduled_date": stamp(when), "state": "assigned",
                "picking_type_id": shop * 10 + 1, "company_id": COMPANY, "location_id": stock(shop),
                "location_dest_id": CUSTOMERS, "pos_session_id": session, "pos_order_id": order});
            let picking = put(state, "stock.picking", &values);
            for (product, units) in goods {
                for (bill, component, units) in self.take_apart(*product, *units) {
                    let values = json!({"product_id": component, "units": units, "location_id": stock(shop),
                        "location_dest_id": CUSTOMERS, "picking_id": picking, "bom_line_id": bill, "date": stamp(when)});
                    Self::moved(state, &values, None);
                }
            }
            picking
        });
        fake.write("pos.order", order, &json!({"shipping_date": &when[..10], "picking_ids": [picking]}));
        self.deliveries.insert(order, (picking, shop));
        self.orders.insert(order, goods.iter().map(|(product, units)| (0, *product, *units)).collect());
        order
    }

    /// A customer's order is paid for and taken at a till; what was to be delivered of it is not, any more.
    pub fn settle(&mut self, fake: &FakeOdoo, session: i64, order: i64, when: &str) -> i64 {
        let lines: Vec<Value> = self.orders[&order]
            .iter()
            .map(|(line, product, units)| {
                json!({"product_id": product, "qty": units, "sale_order_line_id": line, "sale_order_origin_id": order})
            })
            .collect();
        let paid = self.pay(fake, session, &lines, when);
        Self::end_delivery(fake, self.deliveries[&order].0, when, false);
        paid
    }

    /// Part of a customer's order is paid ahead at a till. Odoo adds a line to the order.
    pub fn pay_down(&mut self, fake: &FakeOdoo, session: i64, order: i64, when: &str) {
        fake.set_now(at(when));
        let product = self.down_payment;
        let line = fake.with(|state| {
            let values = json!({"order_id": order, "product_id": product, "product_uom": UNIT, "product_uom_qty": 0.0,
                "price_unit": 20.0, "is_downpayment": true, "company_id": COMPANY});
            put(state, "sale.order.line", &values)
        });
        let line = json!({"product_id": product, "qty": 1.0, "sale_order_line_id": line, "sale_order_origin_id": order});
        self.pay(fake, session, &[line], when);
    }

    fn pay(&mut self, fake: &FakeOdoo, session: i64, lines: &[Value], when: &str) -> i64 {
        fake.set_now(at(when));
        let Session { shop, at_closing, .. } = self.sessions[&session];
        let mut rung = Vec::new();
        let order = fake.with(|state| {
            let values = json!({"name": format!("Order {when}"), "session_id": session, "config_id": shop, "state": "paid",
                "date_order": stamp(when), "company_id": COMPANY, "picking_ids": [], "shipping_date": false});
            let order = put(state, "pos.order", &values);
            for line in lines {
                let mut values = line.clone();
                (values["order_id"], values["company_id"]) = (json!(order), json!(COMPANY));
                let id = put(state, "pos.order.line", &values);
                let report = json!({"id": id, "order_id": order, "session_id": session, "config_id": shop, "state": "paid",
                    "date": stamp(when), "product_id": line["product_id"], "product_qty": line["qty"], "company_id": COMPANY});
                put(state, "report.pos.order", &report);
                let (product, units) = (line["product_id"].as_i64().expect("an id"), line["qty"].as_f64().expect("units"));
                rung.push(Rung { product, units });
            }
            order
        });
        for line in &rung {
            self.leave(line.product, shop, line.units);
        }
        if at_closing {
            self.sessions.get_mut(&session).expect("it is open").pending.extend(rung);
        } else {
            let pickings = self.book(fake, session, &rung, Some(order), when);
            fake.write("pos.order", order, &json!({"picking_ids": pickings}));
        }
        order
    }

    /// Books what was rung up: one picking for what went, one for what came back.
    fn book(&self, fake: &FakeOdoo, session: i64, rung: &[Rung], order: Option<i64>, when: &str) -> Vec<i64> {
        let shop = self.sessions[&session].shop;
        let mut pickings = Vec::new();
        for back in [false, true] {
            let mut moves: BTreeMap<(i64, Option<i64>), f64> = BTreeMap::new();
            for line in rung.iter().filter(|line| (line.units < 0.0) == back && moves_goods(fake, line.product)) {
                for (bill, component, units) in self.take_apart(line.product, line.units.abs()) {
                    *moves.entry((component, bill)).or_default() += units;
                }
            }
            if moves.is_empty() {
                continue;
            }
            let (from, to) = if back { (CUSTOMERS, stock(shop)) } else { (stock(shop), CUSTOMERS) };
            fake.with(|state| {
                let values = json!({"name": format!("POS/{when}"), "scheduled_date": stamp(when), "state": "done",
                    "picking_type_id": shop * 10 + 2, "company_id": COMPANY, "location_id": from, "location_dest_id": to,
                    "pos_session_id": session, "pos_order_id": order});
                let picking = put(state, "stock.picking", &values);
                for ((component, bill), units) in moves {
                    let values = json!({"product_id": component, "units": units, "location_id": from,
                        "location_dest_id": to, "picking_id": picking, "bom_line_id": bill});
                    Self::moved(state, &values, Some(when));
                }
                pickings.push(picking);
            });
        }
        pickings
    }

    /// The till closes: what is not booked yet is booked.
    pub fn close(&mut self, fake: &FakeOdoo, session: i64, when: &str) {
        fake.set_now(at(when));
        let pending = std::mem::take(&mut self.sessions.get_mut(&session).expect("it is open").pending);
        self.book(fake, session, &pending, None, when);
        fake.write("pos.session", session, &json!({"state": "closed", "stop_at": stamp(when)}));
        for model in ["pos.order", "report.pos.order"] {
            for (id, _) in fake.rows(model).into_iter().filter(|(_, row)| row["session_id"] == json!(session)) {
                fake.write(model, id, &json!({"state": "done"}));
            }
        }
    }
}

/// Odoo moves goods and nothing else.
fn moves_goods(fake: &FakeOdoo, product: i64) -> bool {
    !matches!(fake.rows("product.product")[&product]["type"].as_str(), Some("service" | "combo"))
}

fn on_books(state: &State, product: i64, location: i64) -> f64 {
    let rows = state.rows("stock.quant");
    let here = rows.values().filter(|row| row["product_id"] == json!(product) && row["location_id"] == json!(location));
    here.map(|row| row["quantity"].as_f64().expect("a quantity")).sum()
}

fn quant(state: &mut State, product: i64, location: i64, change: f64) {
    let rows = state.rows("stock.quant");
    let here = rows.iter().find(|(_, row)| row["product_id"] == json!(product) && row["location_id"] == json!(location));
    let held = here.map_or(0.0, |(_, row)| row["quantity"].as_f64().expect("a quantity")) + change;
    match here {
        // What is empty is deleted.
        Some((id, _)) if held.abs() < 1e-9 => state.unlink("stock.quant", *id),
        Some((id, _)) => state.write("stock.quant", *id, &json!({"quantity": held})),
        None => {
            let values = json!({"product_id": product, "location_id": location, "quantity": held, "reserved_quantity": 0.0,
                "company_id": COMPANY});
            put(state, "stock.quant", &values);
        }
    }
}

/// Installs manufacturing, as far as kits need it.
fn install_kits(state: &mut State) {
    type Fields<'a> = &'a [(&'a str, &'a str, Option<&'a str>)];
    let models: [(&str, &str, Fields<'_>); 3] = [
        (
            "mrp.bom",
            "Bill of Material",
            &[
                ("active", "boolean", None),
                ("type", "selection", None),
                ("product_id", "many2one", Some("product.product")),
                ("product_tmpl_id", "many2one", Some("product.template")),
                ("product_qty", "float", None),
                ("product_uom_id", "many2one", Some("uom.uom")),
                ("sequence", "integer", None),
                ("company_id", "many2one", Some("res.company")),
            ],
        ),
        (
            "mrp.bom.line",
            "Bill of Material Line",
            &[
                ("bom_id", "many2one", Some("mrp.bom")),
                ("product_id", "many2one", Some("product.product")),
                ("product_qty", "float", None),
                ("product_uom_id", "many2one", Some("uom.uom")),
                ("bom_product_template_attribute_value_ids", "many2many", Some("product.template.attribute.value")),
            ],
        ),
        (
            "product.template.attribute.value",
            "Product Template Attribute Value",
            &[("attribute_line_id", "many2one", Some("product.template.attribute.line"))],
        ),
    ];
    for (model, label, fields) in models {
        let own = [("id", "integer", None), ("create_date", "datetime", None), ("write_date", "datetime", None)];
        let fields =
            own.iter().chain(fields).map(|(name, kind, of)| ((*name).to_owned(), FieldDef::stored(name, kind, *of)));
        state.schema.insert(model.to_owned(), ModelDef { label: label.to_owned(), fields: fields.collect() });
    }
    state.add_field("stock.move", "bom_line_id", "many2one", Some("mrp.bom.line"));
}

fn masters(state: &mut State) {
    let mut make = |model: &str, values: Value| put(state, model, &values);
    make("res.currency", json!({"id": 1, "name": "USD"}));
    make("res.company", json!({"id": COMPANY, "name": "Retail", "currency_id": 1}));
    make("product.category", json!({"id": 1, "name": "All", "complete_name": "All", "parent_path": "1/"}));
    make("stock.location", json!({"id": VENDORS, "name": "Vendors", "usage": "supplier"}));
    make("stock.location", json!({"id": CUSTOMERS, "name": "Customers", "usage": "customer"}));
    make("stock.location", json!({"id": LOSSES, "name": "Losses", "usage": "inventory"}));
    let newer = state.version == super::Version::V19;
    for (id, name, units) in [(UNIT, "Units", 1.0), (DOZEN, "Dozens", 12.0)] {
        let relative = if newer && id != UNIT { json!(UNIT) } else { json!(false) };
        let factor = if newer { units } else { 1.0 / units };
        let values = json!({"id": id, "name": name, "factor": factor, "category_id": 1, "relative_uom_id": relative});
        put(state, "uom.uom", &values);
    }
}

fn place(state: &mut State, shop: i64) {
    let mut make = |model: &str, values: Value| put(state, model, &values);
    make(
        "stock.warehouse",
        json!({"id": shop, "name": format!("Shop {shop}"), "code": format!("S{shop}"), "company_id": COMPANY,
            "lot_stock_id": stock(shop)}),
    );
    make(
        "stock.location",
        json!({"id": stock(shop), "name": "Stock", "usage": "internal", "warehouse_id": shop, "company_id": COMPANY}),
    );
    for (kind, code) in [(0, "incoming"), (1, "outgoing"), (2, "outgoing")] {
        let values =
            json!({"id": shop * 10 + kind, "name": code, "code": code, "warehouse_id": shop, "company_id": COMPANY});
        make("stock.picking.type", values);
    }
}
