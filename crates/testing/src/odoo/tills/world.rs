//! What stands before anything happens: manufacturing as far as kits need it, the company, its places.

use serde_json::{Value, json};

use super::{COMPANY, CUSTOMERS, DOZEN, LOSSES, UNIT, VENDORS, put, stock};
use crate::odoo::Version;
use crate::odoo::schema::{FieldDef, ModelDef};
use crate::odoo::state::State;

/// Installs manufacturing, as far as kits need it.
pub(super) fn install_kits(state: &mut State) {
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

pub(super) fn masters(state: &mut State) {
    let mut make = |model: &str, values: Value| put(state, model, &values);
    make("res.currency", json!({"id": 1, "name": "USD"}));
    make("res.company", json!({"id": COMPANY, "name": "Retail", "currency_id": 1}));
    make("product.category", json!({"id": 1, "name": "All", "complete_name": "All", "parent_path": "1/"}));
    make("stock.location", json!({"id": VENDORS, "name": "Vendors", "usage": "supplier"}));
    make("stock.location", json!({"id": CUSTOMERS, "name": "Customers", "usage": "customer"}));
    make("stock.location", json!({"id": LOSSES, "name": "Losses", "usage": "inventory"}));
    let newer = state.version == Version::V19;
    for (id, name, units) in [(UNIT, "Units", 1.0), (DOZEN, "Dozens", 12.0)] {
        let relative = if newer && id != UNIT { json!(UNIT) } else { json!(false) };
        let factor = if newer { units } else { 1.0 / units };
        let values = json!({"id": id, "name": name, "factor": factor, "category_id": 1, "relative_uom_id": relative});
        put(state, "uom.uom", &values);
    }
}

pub(super) fn place(state: &mut State, shop: i64) {
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
