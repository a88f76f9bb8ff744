//! What may stand in a recording: the one table of known fields, each with how its cells are treated.
//!
//! A field that is not in the table is left out, and a cell that has not the form its treatment expects becomes empty: what
//! nobody thought of stays at home.

use self::Treat::{Company, Document, Flag, Id, Ids, Name, Number, Origin, Partner, Path, Secret, User, When, Word};
use crate::live::costs::PRODUCT;
use crate::rows::COMPANY_COSTS;

/// How a cell is treated.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Treat {
    /// A reference or the row's own id, without a name.
    Id,
    /// A list of ids.
    Ids,
    /// A list of pairs of an id and a number.
    Pairs,
    /// A number.
    Number,
    /// Yes or no.
    Flag,
    /// A day or a time.
    When,
    /// One of the words that Odoo itself has for a state or a kind.
    Word,
    /// Ids with slashes between.
    Path,
    /// A name of goods, places, units or promotions: kept.
    Name,
    /// A document's own name: kept where it looks like one.
    Document,
    /// Text that may name documents: these are kept, anything else becomes a mark.
    Origin,
    /// Free text and other people's references: a mark, the same for the same text.
    Secret,
    /// A partner's name: `Supplier 12` or `Customer 17`.
    Partner,
    /// A company's name: `Company 1`.
    Company,
    /// A user: a small number.
    User,
}

/// Every field that may stand in a recording, by model.
pub(super) static TABLE: &[(&str, &[(&str, Treat)])] = &[
    ("res.currency", &[("id", Id), ("name", Name)]),
    ("res.company", &[("id", Id), ("name", Company), ("currency_id", Id), ("parent_id", Id)]),
    ("res.currency.rate", &[("id", Id), ("name", When), ("currency_id", Id), ("rate", Number), ("company_id", Id)]),
    ("uom.uom", &[("id", Id), ("name", Name), ("factor", Number), ("category_id", Id), ("relative_uom_id", Id)]),
    ("product.category", &[("id", Id), ("complete_name", Name), ("parent_path", Path)]),
    (
        "product.template",
        &[
            ("id", Id),
            ("name", Name),
            ("uom_id", Id),
            ("categ_id", Id),
            ("uom_po_id", Id),
            ("list_price", Number),
            ("sale_ok", Flag),
            ("is_storable", Flag),
            ("type", Word),
            ("active", Flag),
            ("company_id", Id),
            ("uom_ids", Ids),
            ("create_date", When),
            ("write_date", When),
        ],
    ),
    (
        "product.product",
        &[
            ("id", Id),
            ("product_tmpl_id", Id),
            ("default_code", Name),
            ("barcode", Name),
            ("standard_price", Number),
            ("active", Flag),
            ("create_date", When),
            ("write_date", When),
            ("company_id", Id),
        ],
    ),
    (
        "product.packaging",
        &[("id", Id), ("name", Name), ("product_id", Id), ("qty", Number), ("barcode", Name), ("company_id", Id)],
    ),
    ("product.uom", &[("id", Id), ("product_id", Id), ("uom_id", Id), ("barcode", Name), ("company_id", Id)]),
    ("res.partner", &[("id", Id), ("name", Partner), ("create_date", When)]),
    ("stock.warehouse", &[("id", Id), ("code", Name), ("name", Name), ("create_date", When), ("company_id", Id)]),
    ("stock.location", &[("id", Id), ("usage", Word), ("warehouse_id", Id), ("scrap_location", Flag), ("company_id", Id)]),
    ("stock.picking.type", &[("id", Id), ("warehouse_id", Id), ("code", Word), ("company_id", Id)]),
    (
        "stock.warehouse.orderpoint",
        &[
            ("id", Id),
            ("product_id", Id),
            ("warehouse_id", Id),
            ("product_min_qty", Number),
            ("product_max_qty", Number),
            ("create_date", When),
            ("active", Flag),
            ("qty_multiple", Number),
            ("replenishment_uom_id", Id),
            ("company_id", Id),
        ],
    ),
    (
        "product.supplierinfo",
        &[
            ("id", Id),
            ("partner_id", Id),
            ("product_tmpl_id", Id),
            ("price", Number),
            ("currency_id", Id),
            ("create_date", When),
            ("product_id", Id),
            ("product_code", Secret),
            ("product_name", Secret),
            ("product_uom", Id),
            ("discount", Number),
            ("min_qty", Number),
            ("delay", Number),
            ("date_start", When),
            ("date_end", When),
            ("sequence", Number),
            ("company_id", Id),
        ],
    ),
    ("product.pricelist", &[("id", Id), ("name", Name)]),
    (
        "product.pricelist.item",
        &[
            ("id", Id),
            ("applied_on", Word),
            ("product_id", Id),
            ("product_tmpl_id", Id),
            ("categ_id", Id),
            ("compute_price", Word),
            ("percent_price", Number),
            ("price_discount", Number),
            ("fixed_price", Number),
            ("currency_id", Id),
            ("date_start", When),
            ("date_end", When),
            ("pricelist_id", Id),
            ("create_date", When),
            ("company_id", Id),
        ],
    ),
    (
        "loyalty.program",
        &[
            ("id", Id),
            ("name", Name),
            ("date_to", When),
            ("create_date", When),
            ("date_from", When),
            ("active", Flag),
            ("company_id", Id),
        ],
    ),
    ("loyalty.rule", &[("id", Id), ("program_id", Id), ("product_ids", Ids), ("active", Flag), ("company_id", Id)]),
    (
        "loyalty.reward",
        &[
            ("id", Id),
            ("program_id", Id),
            ("reward_type", Word),
            ("discount_mode", Word),
            ("discount", Number),
            ("discount_product_ids", Ids),
            ("active", Flag),
            ("company_id", Id),
        ],
    ),
    (
        "purchase.order",
        &[
            ("id", Id),
            ("name", Document),
            ("state", Word),
            ("partner_id", Id),
            ("currency_id", Id),
            ("date_order", When),
            ("date_approve", When),
            ("picking_type_id", Id),
            ("picking_ids", Ids),
            ("company_id", Id),
            ("create_date", When),
            ("write_date", When),
        ],
    ),
    (
        "purchase.order.line",
        &[
            ("id", Id),
            ("order_id", Id),
            ("display_type", Word),
            ("product_id", Id),
            ("product_uom", Id),
            ("product_packaging_id", Id),
            ("product_qty", Number),
            ("price_unit", Number),
            ("discount", Number),
            ("date_planned", When),
            ("create_date", When),
            ("company_id", Id),
            ("is_downpayment", Flag),
            ("qty_received", Number),
        ],
    ),
    (
        "stock.picking",
        &[
            ("id", Id),
            ("name", Document),
            ("scheduled_date", When),
            ("create_date", When),
            ("backorder_id", Id),
            ("partner_id", Id),
            ("company_id", Id),
            ("owner_id", Id),
        ],
    ),
    (
        "sale.order",
        &[
            ("id", Id),
            ("name", Document),
            ("state", Word),
            ("partner_id", Id),
            ("date_order", When),
            ("currency_id", Id),
            ("create_date", When),
            ("client_order_ref", Secret),
            ("warehouse_id", Id),
            ("company_id", Id),
        ],
    ),
    (
        "sale.order.line",
        &[
            ("id", Id),
            ("order_id", Id),
            ("display_type", Word),
            ("product_id", Id),
            ("product_uom", Id),
            ("product_uom_qty", Number),
            ("price_unit", Number),
            ("discount", Number),
            ("warehouse_id", Id),
            ("reward_id", Id),
            ("is_downpayment", Flag),
            ("create_date", When),
            ("company_id", Id),
        ],
    ),
    ("stock.scrap", &[("id", Id), ("name", Secret), ("create_date", When), ("origin", Secret), ("move_ids", Ids)]),
    (
        "stock.lot",
        &[
            ("id", Id),
            ("name", Secret),
            ("product_id", Id),
            ("create_date", When),
            ("expiration_date", When),
            ("company_id", Id),
        ],
    ),
    (
        "stock.move",
        &[
            ("id", Id),
            ("product_id", Id),
            ("product_uom", Id),
            ("product_uom_qty", Number),
            ("quantity", Number),
            ("state", Word),
            ("location_id", Id),
            ("location_dest_id", Id),
            ("is_inventory", Flag),
            ("scrapped", Flag),
            ("scrap_id", Id),
            ("name", Origin),
            ("reference", Origin),
            ("origin", Origin),
            ("origin_returned_move_id", Id),
            ("picking_id", Id),
            ("purchase_line_id", Id),
            ("sale_line_id", Id),
            ("partner_id", Id),
            ("company_id", Id),
            ("date", When),
            ("date_deadline", When),
            ("create_date", When),
            ("write_date", When),
            ("create_uid", User),
            ("to_refund", Flag),
            ("is_subcontract", Flag),
            ("restrict_partner_id", Id),
        ],
    ),
    (
        "account.move",
        &[
            ("id", Id),
            ("name", Document),
            ("move_type", Word),
            ("state", Word),
            ("partner_id", Id),
            ("currency_id", Id),
            ("date", When),
            ("payment_state", Word),
            ("ref", Secret),
            ("invoice_origin", Origin),
            ("invoice_date", When),
            ("invoice_date_due", When),
            ("company_id", Id),
            ("create_date", When),
            ("write_date", When),
            ("create_uid", User),
            ("reversed_entry_id", Id),
        ],
    ),
    (
        "account.move.line",
        &[
            ("id", Id),
            ("move_id", Id),
            ("display_type", Word),
            ("product_id", Id),
            ("product_uom_id", Id),
            ("quantity", Number),
            ("price_unit", Number),
            ("discount", Number),
            ("purchase_line_id", Id),
            ("company_id", Id),
        ],
    ),
];

/// How a field is treated; None: it does not leave the house.
pub(super) fn treat(model: &str, field: &str) -> Option<Treat> {
    if (model, field) == (PRODUCT, COMPANY_COSTS) {
        return Some(Treat::Pairs);
    }
    let (_, fields) = TABLE.iter().find(|(of, _)| *of == model)?;
    fields.iter().find(|(name, _)| *name == field).map(|(_, treat)| *treat)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;
    use crate::live::streams::STREAMS;

    #[test]
    fn every_field_of_every_stream_is_in_the_table_and_nothing_else() {
        let streams: BTreeSet<(&str, &str)> =
            STREAMS.iter().flat_map(|s| s.fields.iter().map(|f| (s.model, f.name))).collect();
        let table: BTreeSet<(&str, &str)> =
            TABLE.iter().flat_map(|(model, fields)| fields.iter().map(|(name, _)| (*model, *name))).collect();
        assert_eq!(table, streams);
    }
}
