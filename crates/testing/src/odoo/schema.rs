//! Which models and fields a server has. The lists are those of real servers (`fields/`), trimmed to what the fake knows.

use std::collections::BTreeMap;

use super::Version;
use super::cell::Kind;

/// A field.
#[derive(Clone, Debug)]
pub struct FieldDef {
    pub name: String,
    /// Odoo's name of the type.
    pub kind_name: String,
    pub kind: Kind,
    pub store: bool,
    pub searchable: bool,
    pub sortable: bool,
    /// The model that is referred to.
    pub relation: Option<String>,
}

impl FieldDef {
    /// A stored field.
    pub fn stored(name: &str, kind: &str, relation: Option<&str>) -> Self {
        Self {
            name: name.to_owned(),
            kind_name: kind.to_owned(),
            kind: Kind::of(kind),
            store: true,
            searchable: true,
            sortable: true,
            relation: relation.map(str::to_owned),
        }
    }
}

/// A model.
#[derive(Clone, Debug)]
pub struct ModelDef {
    /// What people call it; errors do.
    pub label: String,
    pub fields: BTreeMap<String, FieldDef>,
}

/// The models of a server by name.
pub(super) type Schema = BTreeMap<String, ModelDef>;

/// The models of a version.
pub(super) fn of(version: Version) -> Schema {
    let text = match version {
        Version::V17 | Version::V18 => include_str!("fields/v18.txt"),
        Version::V19 => include_str!("fields/v19.txt"),
    };
    let mut schema = Schema::new();
    let mut current = String::new();
    for line in text.lines().filter(|line| !line.starts_with('#')) {
        if let Some(head) = line.strip_prefix("= ") {
            let (model, label) = head.split_once(' ').expect("a model has a label");
            model.clone_into(&mut current);
            schema.insert(current.clone(), ModelDef { label: label.to_owned(), fields: BTreeMap::new() });
            continue;
        }
        let parts: Vec<&str> = line.split(' ').collect();
        let mut field = FieldDef::stored(parts[0], parts[1], parts.get(3).copied());
        field.store = parts[2].contains('s');
        field.searchable = parts[2].contains('q');
        field.sortable = parts[2].contains('o');
        let model = schema.get_mut(&current).expect("a field stands below its model");
        model.fields.insert(field.name.clone(), field);
    }
    schema
}

/// Fields that Odoo 19 renamed: model, name in 18, name in 19.
pub(super) const RENAMED: &[(&str, &str, &str)] = &[
    ("purchase.order", "notes", "note"),
    ("purchase.order.line", "product_uom", "product_uom_id"),
    ("purchase.order.line", "taxes_id", "tax_ids"),
    ("sale.order.line", "product_uom", "product_uom_id"),
    ("sale.order.line", "tax_id", "tax_ids"),
    ("product.supplierinfo", "product_uom", "product_uom_id"),
];

/// What a field that is called `name` in 18 is called in `version`; `None` where it is gone.
pub(super) fn name_in(schema: &Schema, version: Version, model: &str, name: &str) -> Option<String> {
    let renamed = RENAMED.iter().find(|(of, old, _)| version == Version::V19 && *of == model && *old == name);
    let name = renamed.map_or(name, |(_, _, new)| new);
    schema.get(model)?.fields.contains_key(name).then(|| name.to_owned())
}

/// The order in which a model's rows come when none is asked for (`_order` of the model in Odoo 18).
pub(super) fn default_order(model: &str) -> &'static str {
    match model {
        "account.move" => "date desc, name desc, invoice_date desc, id desc",
        "account.move.line" => "date desc, move_name desc, id",
        "product.product" => "default_code, name, id",
        "product.template" => "is_favorite desc, name",
        "product.supplierinfo" => "sequence, min_qty desc, price, id",
        "purchase.order" => "priority desc, id desc",
        "purchase.order.line" | "sale.order.line" => "order_id, sequence, id",
        "res.partner" => "complete_name, id desc",
        "res.company" => "sequence, name",
        "res.currency" => "active desc, name",
        "res.currency.rate" => "name desc, id",
        "res.users" => "login",
        "sale.order" => "date_order desc, id desc",
        "stock.location" | "product.category" => "complete_name, id",
        "stock.move" | "stock.warehouse" => "sequence, id",
        "stock.picking" => "priority desc, scheduled_date asc, id desc",
        "stock.picking.type" => "is_favorite desc, sequence, id",
        "stock.scrap" => "id desc",
        "stock.warehouse.orderpoint" => "location_id, company_id, id",
        "pos.order" => "date_order desc, name desc, id desc",
        _ => "id",
    }
}

/// The fields whose value depends on the company in whose light it is read.
pub(super) const COMPANY_DEPENDENT: &[(&str, &str)] =
    &[("product.product", "standard_price"), ("product.template", "standard_price")];

/// The field that leads to the parent, where rows form a tree.
pub(super) fn parent_field(model: &str) -> &'static str {
    if model == "stock.location" { "location_id" } else { "parent_id" }
}
