//! Notices: what a partner or another system announced, each checked and put into the field's words.
//!
//! A notice is data, never an instruction: it can raise an exception and stand as a fact, it can not add an action or move a
//! number of ours. Quantities are in the item's stock unit, whatever unit the sender stated them in.

use jiff::Timestamp;
use jiff::civil::Date;
use serde::{Deserialize, Serialize};

use super::ids::{ItemId, LocationId, SupplierId};
use super::money::{Money, Quantity, UnitPrice};

/// One announcement.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Notice {
    /// `<source>/<the sender's id of the event>`: the same event is the same notice. An event about several items on a channel
    /// or in a promotion is a notice for each, with `#0`, `#1` … behind.
    pub id: String,
    /// Who sent it: the name of the hook.
    pub source: String,
    /// When it happened, as the sender says.
    pub occurred_at: Timestamp,
    /// When it came in.
    pub received_at: Timestamp,
    /// What it says.
    pub content: NoticeContent,
}

impl Notice {
    /// When it was said: the sender's time, but never after it came in, as a clock that runs ahead would win for ever.
    pub fn told_at(&self) -> Timestamp {
        self.occurred_at.min(self.received_at)
    }
}

/// What a notice says.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "notice", rename_all = "snake_case")]
pub enum NoticeContent {
    /// A supplier will deliver later.
    SupplierDelay {
        /// Our purchase lines.
        lines: Vec<NoticeLine>,
        /// The new promise.
        new_date: Date,
        /// Text from outside.
        reason: String,
    },
    /// A supplier confirms an order, wholly or with changes.
    OrderConfirmation {
        /// The lines, each with quantity, price and date as confirmed.
        lines: Vec<NoticeLine>,
    },
    /// Goods are on their way (ASN, EDI 856, DESADV).
    ShipNotice {
        /// The sender's number of the shipment.
        shipment: String,
        /// When it left.
        shipped_on: Date,
        /// When it should arrive.
        expected_on: Option<Date>,
        /// Packages or pallets, where told.
        packages: Option<u32>,
        /// What is in it.
        lines: Vec<NoticeLine>,
        /// The shipment that this notice replaces.
        replaces: Option<String>,
    },
    /// What a warehouse that is not in the ERP received.
    ReceiptAdvice {
        /// The shipment, where named.
        shipment: String,
        /// What came.
        lines: Vec<NoticeLine>,
    },
    /// A supplier's bill, before it is in the ERP (EDI 810, INVOIC).
    Invoice {
        /// The supplier's number.
        number: String,
        /// Who bills.
        supplier: Option<SupplierId>,
        /// The bill's date.
        billed_on: Date,
        /// What is to be paid, taxes included; None where it is not told or in another currency than the company's.
        total: Option<Money>,
        /// What is billed; without prices where it is billed in another currency than the company's.
        lines: Vec<NoticeLine>,
    },
    /// A supplier gives credit, before it is in the ERP (EDI 812, INVOIC 381): a kind of its own, never a bill below zero.
    CreditNote {
        /// The supplier's number.
        number: String,
        /// Who gives it.
        supplier: Option<SupplierId>,
        /// Its date.
        credited_on: Date,
        /// The supplier's number of the bill that it takes back; empty where it names none.
        bill: String,
        /// What is given back, taxes included; None where it is not told or in another currency than the company's.
        total: Option<Money>,
        /// What is credited, above zero; without prices where it is in another currency than the company's.
        lines: Vec<NoticeLine>,
        /// Text from outside.
        reason: String,
    },
    /// What a web shop or marketplace offers for sale.
    ChannelStock {
        /// The channel's name.
        channel: String,
        /// What.
        item: ItemId,
        /// From where it would ship; None when from anywhere.
        location: Option<LocationId>,
        /// How many are offered.
        published: Quantity,
    },
    /// Where a shipment is.
    CarrierStatus {
        /// The shipment or transfer document, as the carrier was told.
        document: String,
        /// In transit, delivered, lost or damaged: the carrier's word, checked against a list.
        status: CarrierState,
        /// When it should arrive.
        expected_on: Option<Date>,
    },
    /// A promotion that is planned.
    PromotionBrief {
        /// Its name. Text from outside.
        name: String,
        /// Which item.
        item: ItemId,
        /// First day.
        from: Date,
        /// Last day.
        to: Date,
        /// Expected sales as a multiple of what is usual.
        expected_uplift: Option<f64>,
        /// Text from outside.
        text: String,
    },
    /// Something a supplier wrote.
    SupplierNote {
        /// Who.
        supplier: SupplierId,
        /// Text from outside.
        text: String,
    },
}

/// A line of a notice.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct NoticeLine {
    /// Our purchase line, once it was found by order, line and item; None when the order has no such line.
    pub po_line: Option<String>,
    /// The order's name as the sender wrote it: `P00051`.
    pub order: String,
    /// The item, once it was found by id, SKU, barcode or the supplier's code.
    pub item: Option<ItemId>,
    /// What the sender calls the item.
    pub item_text: String,
    /// How many.
    pub qty: Option<Quantity>,
    /// Net price of a unit.
    pub price: Option<UnitPrice>,
    /// When.
    pub date: Option<Date>,
    /// Lot or batch.
    pub lot: String,
}

/// Where a carrier says a shipment is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum CarrierState {
    /// Handed to the carrier.
    PickedUp,
    /// On its way.
    InTransit,
    /// Held up.
    Delayed,
    /// Arrived.
    Delivered,
    /// Can not be found.
    Lost,
    /// Arrived or found damaged.
    Damaged,
}
