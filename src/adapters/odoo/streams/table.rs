//! The table of streams: one entry for each model that is read, parents before children.
//!
//! Names are Odoo 18's. What 17 or 19 calls otherwise is `renamed`; what they do not have is filled by `absent`.

use super::{Absent, Against, Extent, Field, Stream, Term};
use crate::adapters::odoo::call::Version;

/// A field without which the stream can not be read.
const fn must(name: &'static str) -> Field {
    Field { name, renamed: None, absent: Absent::Never, costs: "" }
}

/// A field that may be missing, and what is lost then (nothing, where it says nothing).
const fn may(name: &'static str, absent: Absent, costs: &'static str) -> Field {
    Field { name, renamed: None, absent, costs }
}

/// A field that Odoo 19 calls otherwise.
const fn renamed(name: &'static str, in_19: &'static str, absent: Absent, costs: &'static str) -> Field {
    Field { name, renamed: Some((Version::V19, in_19)), absent, costs }
}

const fn term(field: &'static str, operator: &'static str, value: Against) -> Term {
    Term { field, operator, value }
}

/// A stream of which everything is said by defaults: master data of every version, read whole.
const MASTER: Stream = Stream {
    model: "",
    fields: &[],
    links: &[],
    extent: Extent::Master,
    only: &[],
    either: &[],
    dated_by: "",
    open: &[],
    detail: &[],
    costs: "",
    versions: Version::V17..=Version::V19,
    first_seen: &[],
};

const DOCUMENTS: Stream = Stream { extent: Extent::Documents, ..MASTER };
const DETAIL: Stream = Stream { extent: Extent::Detail, ..MASTER };

const BILLS: &[&str] = &["in_invoice", "in_refund"];
const CLOSED: &[&str] = &["done", "cancel"];
const STILL_ORDERED: &[&str] = &["draft", "sent", "to approve", "purchase"];
const TO_BE_PAID: &[&str] = &["not_paid", "partial", "in_payment"];

/// Everything that is read row by row, parents before children.
pub static STREAMS: &[Stream] = &[
    Stream {
        model: "res.currency",
        fields: &[must("id"), must("name")],
        costs: "amounts in other currencies than the configured one",
        ..MASTER
    },
    Stream {
        model: "res.company",
        fields: &[must("id")],
        costs: "everything: nothing is known without the company and its currency",
        ..MASTER
    },
    Stream {
        model: "res.currency.rate",
        fields: &[
            must("id"),
            must("name"),
            must("currency_id"),
            must("rate"),
            may("company_id", Absent::Empty, "rates of one company count for all"),
            may("parent_id", Absent::Empty, ""),
        ],
        links: &["currency_id", "company_id"],
        costs: "amounts in other currencies than the configured one",
        ..MASTER
    },
    Stream {
        model: "uom.uom",
        fields: &[
            must("id"),
            must("name"),
            must("factor"),
            may("category_id", Absent::Empty, ""),
            may("relative_uom_id", Absent::Empty, ""),
        ],
        costs: "everything: quantities mean nothing without units",
        ..MASTER
    },
    Stream {
        model: "product.category",
        fields: &[must("id"), must("complete_name"), must("parent_path")],
        costs: "categories of items, and promotions by category",
        ..MASTER
    },
    Stream {
        model: "product.template",
        fields: &[
            must("id"),
            must("name"),
            must("uom_id"),
            may("categ_id", Absent::Empty, "categories of items"),
            may("uom_po_id", Absent::Empty, ""),
            may("list_price", Absent::Zero, "list prices, and the money at stake in lost sales"),
            may("sale_ok", Absent::True, "delistings"),
            may("is_storable", Absent::Empty, ""),
            may("type", Absent::Empty, ""),
            may("active", Absent::True, ""),
            may("company_id", Absent::Empty, ""),
            must("create_date"),
            must("write_date"),
        ],
        links: &["categ_id"],
        costs: "everything: nothing is known without products",
        ..MASTER
    },
    Stream {
        model: "product.product",
        fields: &[
            must("id"),
            must("product_tmpl_id"),
            may("default_code", Absent::Empty, "internal references (SKU)"),
            may("standard_price", Absent::Zero, "costs, and every amount that rests on them"),
            may("active", Absent::True, ""),
            must("create_date"),
            must("write_date"),
            may("company_id", Absent::Empty, ""),
        ],
        links: &["product_tmpl_id"],
        costs: "everything: nothing is known without products",
        ..MASTER
    },
    Stream {
        model: "res.partner",
        fields: &[must("id"), must("name"), must("create_date")],
        either: &[
            // Customers are pseudonyms: their rows are not read.
            term("commercial_partner_id.supplier_rank", ">", Against::Number(0)),
            term("is_company", "=", Against::Flag(true)),
        ],
        costs: "names of suppliers",
        ..MASTER
    },
    Stream {
        model: "stock.warehouse",
        fields: &[must("id"), must("code"), must("name"), must("create_date"), must("company_id")],
        costs: "everything: nothing is known without warehouses",
        ..MASTER
    },
    Stream {
        model: "stock.location",
        fields: &[
            must("id"),
            must("usage"),
            may("warehouse_id", Absent::Empty, "which warehouse a movement touches"),
            may("scrap_location", Absent::Empty, ""),
            may("company_id", Absent::Empty, ""),
        ],
        links: &["warehouse_id"],
        costs: "all movements of stock",
        ..MASTER
    },
    Stream {
        model: "stock.picking.type",
        fields: &[must("id"), must("warehouse_id"), may("code", Absent::Empty, ""), may("company_id", Absent::Empty, "")],
        costs: "where purchase orders deliver to",
        ..MASTER
    },
    Stream {
        model: "stock.warehouse.orderpoint",
        fields: &[
            must("id"),
            must("product_id"),
            must("warehouse_id"),
            must("product_min_qty"),
            must("product_max_qty"),
            must("create_date"),
            may("active", Absent::True, ""),
            may("qty_multiple", Absent::Zero, ""),
            may("replenishment_uom_id", Absent::Empty, ""),
            may("company_id", Absent::Empty, ""),
        ],
        links: &["product_id", "warehouse_id"],
        costs: "reorder rules: no reorder point but the computed one",
        ..MASTER
    },
    Stream {
        model: "product.supplierinfo",
        fields: &[
            must("id"),
            must("partner_id"),
            must("product_tmpl_id"),
            must("price"),
            must("currency_id"),
            must("create_date"),
            may("product_id", Absent::Empty, ""),
            renamed("product_uom", "product_uom_id", Absent::Empty, ""),
            may("discount", Absent::Zero, "discounts of suppliers"),
            may("min_qty", Absent::Zero, "least quantities of suppliers"),
            may("delay", Absent::Zero, "lead times"),
            may("date_start", Absent::Empty, "how long prices hold"),
            may("date_end", Absent::Empty, "how long prices hold"),
            may("sequence", Absent::Zero, "the order among an item's suppliers"),
            may("company_id", Absent::Empty, ""),
        ],
        links: &["product_tmpl_id", "product_id", "partner_id"],
        costs: "suppliers' prices, least quantities and lead times",
        ..MASTER
    },
    Stream {
        model: "product.pricelist",
        fields: &[must("id"), must("name")],
        costs: "names of promotions by price list",
        ..MASTER
    },
    Stream {
        model: "product.pricelist.item",
        fields: &[
            must("id"),
            must("applied_on"),
            must("compute_price"),
            must("pricelist_id"),
            must("create_date"),
            may("product_id", Absent::Empty, ""),
            may("product_tmpl_id", Absent::Empty, ""),
            may("categ_id", Absent::Empty, ""),
            may("percent_price", Absent::Zero, ""),
            may("price_discount", Absent::Zero, ""),
            may("fixed_price", Absent::Zero, ""),
            may("currency_id", Absent::Empty, ""),
            may("date_start", Absent::Empty, ""),
            may("date_end", Absent::Empty, ""),
            may("company_id", Absent::Empty, ""),
        ],
        links: &["pricelist_id", "product_tmpl_id", "product_id"],
        costs: "promotions by price list: their demand looks like a jump",
        ..MASTER
    },
    Stream {
        model: "loyalty.program",
        fields: &[
            must("id"),
            must("name"),
            must("date_to"),
            must("create_date"),
            may("date_from", Absent::Empty, "programmes of loyalty without a first day"),
            may("active", Absent::True, ""),
            may("company_id", Absent::Empty, ""),
        ],
        costs: "promotions by loyalty programme: their demand looks like a jump",
        ..MASTER
    },
    Stream {
        model: "loyalty.rule",
        fields: &[
            must("id"),
            must("program_id"),
            may("product_ids", Absent::NoIds, "which products a programme is for"),
            may("active", Absent::True, ""),
            may("company_id", Absent::Empty, ""),
        ],
        links: &["program_id"],
        costs: "which products a loyalty programme is for",
        ..MASTER
    },
    Stream {
        model: "loyalty.reward",
        fields: &[
            must("id"),
            must("program_id"),
            must("reward_type"),
            may("discount_mode", Absent::Empty, ""),
            may("discount", Absent::Zero, ""),
            may("discount_product_ids", Absent::NoIds, "which products a programme is for"),
            may("active", Absent::True, ""),
            may("company_id", Absent::Empty, ""),
        ],
        links: &["program_id"],
        costs: "promotions by loyalty programme: their demand looks like a jump",
        ..MASTER
    },
    Stream {
        model: "purchase.order",
        fields: &[
            must("id"),
            must("name"),
            must("state"),
            must("partner_id"),
            must("currency_id"),
            must("date_order"),
            may("date_approve", Absent::Empty, "when orders were confirmed"),
            may("picking_type_id", Absent::Empty, "where orders deliver to"),
            may("picking_ids", Absent::NoIds, "promises that were rewritten before the first look"),
            may("company_id", Absent::Empty, ""),
            must("create_date"),
            must("write_date"),
        ],
        links: &["partner_id"],
        dated_by: "date_order",
        open: &[term("state", "in", Against::Words(STILL_ORDERED)), term("receipt_status", "!=", Against::Text("full"))],
        costs: "purchase orders: what is on its way, late or short",
        ..DOCUMENTS
    },
    Stream {
        model: "purchase.order.line",
        fields: &[
            must("id"),
            must("order_id"),
            may("display_type", Absent::Empty, ""),
            must("product_id"),
            renamed("product_uom", "product_uom_id", Absent::Empty, "quantities in other units than the stock unit"),
            must("product_qty"),
            must("price_unit"),
            may("discount", Absent::Zero, "discounts of suppliers"),
            must("date_planned"),
            must("create_date"),
            may("company_id", Absent::Empty, ""),
        ],
        links: &["order_id", "product_id"],
        dated_by: "order_id.date_order",
        open: &[
            term("order_id.state", "in", Against::Words(STILL_ORDERED)),
            term("order_id.receipt_status", "!=", Against::Text("full")),
        ],
        first_seen: &["date_planned"],
        costs: "purchase orders: what is on its way, late or short",
        ..DOCUMENTS
    },
    Stream {
        model: "stock.picking",
        fields: &[
            must("id"),
            must("name"),
            must("scheduled_date"),
            must("create_date"),
            may("backorder_id", Absent::Empty, "what went into backorders"),
            may("partner_id", Absent::Empty, "whom a transfer is for"),
            may("company_id", Absent::Empty, ""),
        ],
        links: &["backorder_id", "partner_id"],
        dated_by: "scheduled_date",
        open: &[term("state", "not in", Against::Words(CLOSED))],
        detail: &[term("picking_type_id.code", "=", Against::Text("outgoing"))],
        costs: "names of transfers, and what went into backorders",
        ..DOCUMENTS
    },
    Stream {
        model: "sale.order",
        fields: &[
            must("id"),
            must("name"),
            must("state"),
            must("partner_id"),
            must("date_order"),
            must("currency_id"),
            must("create_date"),
            may("client_order_ref", Absent::Empty, "customers' own references"),
            may("warehouse_id", Absent::Empty, "from where orders are served"),
            may("company_id", Absent::Empty, ""),
        ],
        dated_by: "date_order",
        costs: "customers' orders: demand is what was shipped, not what was wanted",
        ..DETAIL
    },
    Stream {
        model: "sale.order.line",
        fields: &[
            must("id"),
            must("order_id"),
            may("display_type", Absent::Empty, ""),
            must("product_id"),
            renamed("product_uom", "product_uom_id", Absent::Empty, "quantities in other units than the stock unit"),
            must("product_uom_qty"),
            must("price_unit"),
            may("discount", Absent::Zero, "discounts to customers"),
            may("warehouse_id", Absent::Empty, ""),
            may("reward_id", Absent::Empty, ""),
            may("is_downpayment", Absent::Empty, ""),
            must("create_date"),
            may("company_id", Absent::Empty, ""),
        ],
        links: &["order_id", "product_id"],
        dated_by: "order_id.date_order",
        costs: "customers' orders: demand is what was shipped, not what was wanted",
        ..DETAIL
    },
    Stream {
        model: "stock.scrap",
        fields: &[
            must("id"),
            must("name"),
            must("create_date"),
            may("origin", Absent::Empty, "reasons of scraps"),
            may("move_ids", Absent::NoIds, ""),
        ],
        dated_by: "create_date",
        costs: "reasons of scraps",
        ..DOCUMENTS
    },
    Stream {
        model: "stock.lot",
        fields: &[
            must("id"),
            must("name"),
            must("product_id"),
            must("create_date"),
            may("expiration_date", Absent::Empty, "when lots expire (the module product_expiry tells it)"),
            may("company_id", Absent::Empty, ""),
        ],
        links: &["product_id"],
        dated_by: "create_date",
        costs: "lots and when they expire",
        ..DOCUMENTS
    },
    Stream {
        model: "stock.move",
        fields: &[
            must("id"),
            must("product_id"),
            must("product_uom"),
            must("product_uom_qty"),
            must("quantity"),
            must("state"),
            must("location_id"),
            must("location_dest_id"),
            may("is_inventory", Absent::Empty, ""),
            may("scrapped", Absent::Empty, ""),
            may("scrap_id", Absent::Empty, "which movements are scraps"),
            renamed("name", "inventory_name", Absent::Empty, "reasons of counts"),
            may("reference", Absent::Empty, "names of documents"),
            may("origin", Absent::Empty, "orders that movements follow from"),
            may("origin_returned_move_id", Absent::Empty, "which movements take others back"),
            may("picking_id", Absent::Empty, "which transfer a movement belongs to"),
            may("purchase_line_id", Absent::Empty, "which purchase line a receipt fulfils"),
            may("sale_line_id", Absent::Empty, "which order line a delivery fulfils"),
            may("partner_id", Absent::Empty, ""),
            may("company_id", Absent::Empty, ""),
            must("date"),
            may("date_deadline", Absent::Empty, "promised dates of transfers"),
            must("create_date"),
            must("write_date"),
            may("create_uid", Absent::Empty, ""),
        ],
        links: &["picking_id", "purchase_line_id", "product_id"],
        dated_by: "date",
        open: &[term("state", "not in", Against::Words(CLOSED))],
        detail: &[
            term("location_dest_id.usage", "=", Against::Text("customer")),
            term("location_id.usage", "=", Against::Text("customer")),
        ],
        costs: "movements of stock: receipts, deliveries, counts, scraps",
        ..DOCUMENTS
    },
    Stream {
        model: "account.move",
        fields: &[
            must("id"),
            must("name"),
            must("move_type"),
            must("state"),
            must("partner_id"),
            must("currency_id"),
            must("date"),
            may("payment_state", Absent::Empty, "which bills are paid"),
            may("ref", Absent::Empty, "suppliers' bill numbers: bills that came twice"),
            may("invoice_origin", Absent::Empty, "orders that bills name"),
            may("invoice_date", Absent::Empty, "dates of bills"),
            may("invoice_date_due", Absent::Empty, "when bills are due"),
            may("company_id", Absent::Empty, ""),
            must("create_date"),
            must("write_date"),
            may("create_uid", Absent::Empty, ""),
            may("reversed_entry_id", Absent::Empty, "which bills were taken back"),
        ],
        links: &["partner_id"],
        only: &[term("move_type", "in", Against::Words(BILLS))],
        dated_by: "date",
        open: &[term("payment_state", "in", Against::Words(TO_BE_PAID))],
        costs: "suppliers' bills: prices and quantities that differ from orders",
        ..DOCUMENTS
    },
    Stream {
        model: "account.move.line",
        fields: &[
            must("id"),
            must("move_id"),
            must("display_type"),
            must("product_id"),
            must("product_uom_id"),
            must("quantity"),
            must("price_unit"),
            may("discount", Absent::Zero, "discounts on bills"),
            may("purchase_line_id", Absent::Empty, "which purchase line is billed"),
            may("company_id", Absent::Empty, ""),
        ],
        links: &["move_id", "purchase_line_id", "product_id"],
        only: &[term("move_id.move_type", "in", Against::Words(BILLS)), term("display_type", "=", Against::Text("product"))],
        dated_by: "date",
        open: &[term("move_id.payment_state", "in", Against::Words(TO_BE_PAID))],
        costs: "suppliers' bills: prices and quantities that differ from orders",
        ..DOCUMENTS
    },
];

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn every_stream_begins_with_the_id_and_its_links_and_first_values_are_fields() {
        let mut models = BTreeSet::new();
        for stream in STREAMS {
            assert!(models.insert(stream.model), "{} stands twice", stream.model);
            assert_eq!(stream.fields[0].name, "id", "{}", stream.model);
            let names: BTreeSet<&str> = stream.fields.iter().map(|f| f.name).collect();
            assert_eq!(names.len(), stream.fields.len(), "{}", stream.model);
            assert!(stream.links.len() <= 3 && stream.either.len() <= 2 && stream.detail.len() <= 2, "{}", stream.model);
            for field in stream.links.iter().chain(stream.first_seen) {
                assert!(names.contains(field), "{}.{field}", stream.model);
            }
            assert_eq!(stream.dated_by.is_empty(), stream.extent == Extent::Master, "{}", stream.model);
            assert!(!stream.costs.is_empty(), "{}", stream.model);
        }
    }

    #[test]
    fn the_names_of_19_are_used_from_19_on() {
        let line = super::super::stream_of("purchase.order.line").unwrap();
        let unit = &line.fields[line.position("product_uom").unwrap()];
        assert_eq!(unit.name_on(Version::V17), "product_uom");
        assert_eq!(unit.name_on(Version::V19), "product_uom_id");
        assert_eq!(line.first_seen_position("date_planned"), Some(line.fields.len()));
    }
}
