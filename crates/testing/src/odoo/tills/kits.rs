//! Bills of material, by which a product is a kit.

use serde_json::json;

use super::{DOZEN, Retail, UNIT, at, put};
use crate::odoo::FakeOdoo;

impl Retail {
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
}
