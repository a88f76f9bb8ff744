//! Customers' orders and their deliveries.

use serde_json::json;

use super::{COMPANY, CUSTOMER, CUSTOMERS, Retail, UNIT, at, put, quant, stamp, stock};
use crate::odoo::FakeOdoo;

impl Retail {
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

    pub(super) fn end_delivery(fake: &FakeOdoo, picking: i64, when: &str, done: bool) {
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
}
