//! Tills: sessions that open and close, what is rung up, and how that is booked.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::{COMPANY, CUSTOMERS, Retail, UNIT, at, put, stamp, stock};
use crate::odoo::FakeOdoo;

/// A line at a till; below zero what is brought back.
#[derive(Clone, Debug)]
pub(super) struct Rung {
    product: i64,
    units: f64,
}

#[derive(Debug)]
pub(super) struct Session {
    shop: i64,
    at_closing: bool,
    /// Rung up and not booked.
    pending: Vec<Rung>,
}

impl Retail {
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
        // It leaves with a delivery of its own, not with what the session books when it closes.
        open.pending.truncate(open.pending.len() - goods.len());
        let shop = open.shop;
        // Nothing has left the shelf yet.
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
                // Odoo computes this view from the lines; the fake computes nothing, so it is a row here.
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
