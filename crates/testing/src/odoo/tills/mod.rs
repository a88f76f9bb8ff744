//! A retailer with tills, made event by event as Odoo would: sessions that open and close, stock booked at once or at closing,
//! kits whose components leave, customers' orders settled at a till, refunds, down payments, counts.
//!
//! It keeps an account of its own of what was wanted and what left the shelf ([`Retail::wanted`], [`Retail::shelf`]): what a
//! reader must find, not reckoned from rows.

mod kits;
mod orders;
mod sessions;
mod world;

use std::collections::BTreeMap;

use jiff::Timestamp;
use jiff::civil::Date;
use jiff::tz::TimeZone;
use serde_json::{Value, json};

use self::sessions::Session;
use super::FakeOdoo;
use super::schema::name_in;
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
            world::install_kits(state);
            world::masters(state);
            for shop in 1..=shops {
                world::place(state, shop);
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
