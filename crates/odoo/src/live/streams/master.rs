//! Master data among the streams.

use super::table::{MASTER, may, must, renamed, term};
use super::{Absent, Against, Stream};
use crate::live::call::Version;

pub(super) const RES_CURRENCY: Stream = Stream {
    model: "res.currency",
    fields: &[must("id"), must("name")],
    costs: "amounts in other currencies than the configured one",
    ..MASTER
};

pub(super) const RES_COMPANY: Stream = Stream {
    model: "res.company",
    fields: &[must("id"), must("name"), must("currency_id"), may("parent_id", Absent::Empty, "")],
    costs: "everything: nothing is known without the company and its currency",
    ..MASTER
};

pub(super) const RES_CURRENCY_RATE: Stream = Stream {
    model: "res.currency.rate",
    fields: &[
        must("id"),
        must("name"),
        must("currency_id"),
        must("rate"),
        may("company_id", Absent::Empty, "rates of one company count for all"),
    ],
    links: &["currency_id", "company_id"],
    costs: "amounts in other currencies than the configured one",
    ..MASTER
};

pub(super) const UOM_UOM: Stream = Stream {
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
};

pub(super) const PRODUCT_CATEGORY: Stream = Stream {
    model: "product.category",
    fields: &[must("id"), must("complete_name"), must("parent_path")],
    costs: "categories of items, and promotions by category",
    ..MASTER
};

pub(super) const PRODUCT_TEMPLATE: Stream = Stream {
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
        may("uom_ids", Absent::NoIds, ""),
        must("create_date"),
        must("write_date"),
    ],
    links: &["categ_id"],
    costs: "everything: nothing is known without products",
    ..MASTER
};

pub(super) const PRODUCT_PRODUCT: Stream = Stream {
    model: "product.product",
    fields: &[
        must("id"),
        must("product_tmpl_id"),
        may("default_code", Absent::Empty, "internal references (SKU)"),
        may("barcode", Absent::Empty, "items that partners name by GTIN"),
        may("standard_price", Absent::Zero, "costs, and every amount that rests on them"),
        may("active", Absent::True, ""),
        must("create_date"),
        must("write_date"),
        may("company_id", Absent::Empty, ""),
    ],
    links: &["product_tmpl_id"],
    costs: "everything: nothing is known without products",
    ..MASTER
};

pub(super) const PRODUCT_PACKAGING: Stream = Stream {
    model: "product.packaging",
    fields: &[
        must("id"),
        must("name"),
        must("product_id"),
        must("qty"),
        may("barcode", Absent::Empty, "packages that partners name by GTIN"),
        may("company_id", Absent::Empty, ""),
    ],
    links: &["product_id"],
    costs: "packages of items: what partners announce by the case can not be counted",
    versions: Version::V17..=Version::V18,
    ..MASTER
};

pub(super) const PRODUCT_UOM: Stream = Stream {
    model: "product.uom",
    fields: &[must("id"), must("product_id"), must("uom_id"), must("barcode"), may("company_id", Absent::Empty, "")],
    links: &["product_id"],
    costs: "barcodes of items in other units: what partners name by them is not found",
    versions: Version::V19..=Version::V19,
    ..MASTER
};

pub(super) const RES_PARTNER: Stream = Stream {
    model: "res.partner",
    fields: &[must("id"), must("name"), must("create_date")],
    either: &[
        // Customers are pseudonyms: their rows are not read.
        term("commercial_partner_id.supplier_rank", ">", Against::Number(0)),
        term("is_company", "=", Against::Flag(true)),
    ],
    costs: "names of suppliers",
    ..MASTER
};

pub(super) const STOCK_WAREHOUSE: Stream = Stream {
    model: "stock.warehouse",
    fields: &[must("id"), must("code"), must("name"), must("create_date"), must("company_id")],
    costs: "everything: nothing is known without warehouses",
    ..MASTER
};

pub(super) const STOCK_LOCATION: Stream = Stream {
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
};

pub(super) const STOCK_PICKING_TYPE: Stream = Stream {
    model: "stock.picking.type",
    fields: &[must("id"), must("warehouse_id"), may("code", Absent::Empty, ""), may("company_id", Absent::Empty, "")],
    costs: "where purchase orders deliver to",
    ..MASTER
};

pub(super) const STOCK_WAREHOUSE_ORDERPOINT: Stream = Stream {
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
};

pub(super) const PRODUCT_SUPPLIERINFO: Stream = Stream {
    model: "product.supplierinfo",
    fields: &[
        must("id"),
        must("partner_id"),
        must("product_tmpl_id"),
        must("price"),
        must("currency_id"),
        must("create_date"),
        may("product_id", Absent::Empty, ""),
        may("product_code", Absent::Empty, "items that suppliers name by their own codes"),
        may("product_name", Absent::Empty, "items that suppliers name by their own names"),
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
};

pub(super) const PRODUCT_PRICELIST: Stream = Stream {
    model: "product.pricelist",
    fields: &[must("id"), must("name")],
    costs: "names of promotions by price list",
    ..MASTER
};

pub(super) const PRODUCT_PRICELIST_ITEM: Stream = Stream {
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
};

pub(super) const LOYALTY_PROGRAM: Stream = Stream {
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
};

pub(super) const LOYALTY_RULE: Stream = Stream {
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
};

pub(super) const LOYALTY_REWARD: Stream = Stream {
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
};
