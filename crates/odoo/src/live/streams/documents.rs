//! Documents among the streams.

use super::table::{MASTER, may, must, renamed, term};
use super::{Absent, Against, Extent, Stream};

const DOCUMENTS: Stream = Stream { extent: Extent::Documents, ..MASTER };
const DETAIL: Stream = Stream { extent: Extent::Detail, ..MASTER };

const BILLS: &[&str] = &["in_invoice", "in_refund"];
const CLOSED: &[&str] = &["done", "cancel"];
const STILL_ORDERED: &[&str] = &["draft", "sent", "to approve", "purchase"];
const TO_BE_PAID: &[&str] = &["not_paid", "partial", "in_payment"];

pub(super) const PURCHASE_ORDER: Stream = Stream {
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
};

pub(super) const PURCHASE_ORDER_LINE: Stream = Stream {
    model: "purchase.order.line",
    fields: &[
        must("id"),
        must("order_id"),
        may("display_type", Absent::Empty, ""),
        must("product_id"),
        renamed("product_uom", "product_uom_id", Absent::Empty, "quantities in other units than the stock unit"),
        may("product_packaging_id", Absent::Empty, ""),
        must("product_qty"),
        must("price_unit"),
        may("discount", Absent::Zero, "discounts of suppliers"),
        must("date_planned"),
        must("create_date"),
        may("company_id", Absent::Empty, ""),
        may("is_downpayment", Absent::Empty, ""),
        may("qty_received", Absent::Zero, ""),
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
};

pub(super) const STOCK_PICKING: Stream = Stream {
    model: "stock.picking",
    fields: &[
        must("id"),
        must("name"),
        must("scheduled_date"),
        must("create_date"),
        may("backorder_id", Absent::Empty, "what went into backorders"),
        may("partner_id", Absent::Empty, "whom a transfer is for"),
        may("company_id", Absent::Empty, ""),
        may("owner_id", Absent::Empty, ""),
    ],
    links: &["backorder_id", "partner_id"],
    dated_by: "scheduled_date",
    open: &[term("state", "not in", Against::Words(CLOSED))],
    detail: &[term("picking_type_id.code", "=", Against::Text("outgoing"))],
    costs: "names of transfers, and what went into backorders",
    ..DOCUMENTS
};

pub(super) const SALE_ORDER: Stream = Stream {
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
};

pub(super) const SALE_ORDER_LINE: Stream = Stream {
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
};

pub(super) const STOCK_SCRAP: Stream = Stream {
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
};

pub(super) const STOCK_LOT: Stream = Stream {
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
};

pub(super) const STOCK_MOVE: Stream = Stream {
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
        // Without the field every return is one that the order is credited for.
        may("to_refund", Absent::True, ""),
        may("is_subcontract", Absent::Empty, ""),
        may("restrict_partner_id", Absent::Empty, ""),
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
};

pub(super) const ACCOUNT_MOVE: Stream = Stream {
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
};

pub(super) const ACCOUNT_MOVE_LINE: Stream = Stream {
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
};
