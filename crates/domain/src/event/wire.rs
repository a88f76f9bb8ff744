//! The words of each type of event as senders write them, version 1. `config/events` holds the same as JSON Schema.
//!
//! What a sender adds beyond these is ignored. Lines are named after the documents that carry them (EDI 855, 856, 861, 810
//! and their EDIFACT counterparts); an item is named by our id, our SKU, its
//! GTIN or the supplier's code, whichever the sender has.

use std::fmt;

use jiff::civil::Date;
use rust_decimal::Decimal;
use rust_decimal::prelude::FromPrimitive as _;
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::de::{Error, Visitor};
use serde::{Deserialize, Deserializer};

use crate::notice::CarrierState;

/// A new delivery date for lines of our orders.
#[derive(Clone, Debug, PartialEq, Deserialize, JsonSchema)]
pub struct SupplierDelay {
    /// Our order, such as P00051; a line may name another.
    pub order: Option<Name>,
    /// Our id of the order, where the sender was told it: it settles which one is meant where several have the name.
    pub order_id: Option<Name>,
    /// Our id of the supplier whose order it is, or its name as we write it; a hook bound to one need not say.
    pub supplier: Option<Name>,
    /// Our id of the company that ordered, where several number their orders alike.
    pub company: Option<Name>,
    /// The lines that are late; none: every line of the order.
    #[serde(default)]
    pub lines: Vec<OrderLine>,
    /// The new promise.
    #[schemars(schema_with = "day")]
    pub new_date: Date,
    /// Why, for people.
    #[serde(default)]
    pub reason: String,
}

/// A supplier confirms an order, wholly or with changes (EDI 855, ORDRSP).
#[derive(Clone, Debug, PartialEq, Deserialize, JsonSchema)]
pub struct OrderConfirmation {
    /// Our order.
    pub order: Name,
    /// Our id of the order, where the sender was told it: it settles which one is meant where several have the name.
    pub order_id: Option<Name>,
    /// Our id of the supplier whose order it is, or its name as we write it; a hook bound to one need not say.
    pub supplier: Option<Name>,
    /// Our id of the company that ordered, where several number their orders alike.
    pub company: Option<Name>,
    /// The lines as confirmed; none: every line as ordered.
    #[serde(default)]
    pub lines: Vec<OrderLine>,
    /// The date promised for lines that name none.
    #[serde(default)]
    #[schemars(schema_with = "day_or_none")]
    pub date: Option<Date>,
}

/// A line of one of our orders.
#[derive(Clone, Debug, PartialEq, Deserialize, JsonSchema)]
pub struct OrderLine {
    /// Our order, where it is not the event's.
    pub order: Option<Name>,
    /// Our id of the order, as of the event.
    pub order_id: Option<Name>,
    /// Our id of the line, where the sender was told it.
    pub line: Option<Name>,
    /// Our id of the item.
    pub item_id: Option<Name>,
    /// Our SKU.
    pub sku: Option<Name>,
    /// The item's GTIN.
    pub gtin: Option<Name>,
    /// The supplier's own code of the item.
    pub supplier_code: Option<Name>,
    /// The sender's words for the item.
    pub description: Option<String>,
    /// How many, in `unit`.
    pub qty: Option<Amount>,
    /// The unit of quantity and price: a code of UN/ECE Recommendation 20 (EA, DZN, KGM) or 21 (CS, XBX), or our name of it;
    /// none: our stock unit.
    pub unit: Option<String>,
    /// How many of our stock unit one `unit` holds, where that is a package of which we may not know it.
    pub pack_qty: Option<Amount>,
    /// Net price of one `unit`, in the company's currency.
    pub price: Option<Amount>,
    /// The date promised.
    #[serde(default)]
    #[schemars(schema_with = "day_or_none")]
    pub date: Option<Date>,
}

/// Goods have left the supplier (ASN, EDI 856, DESADV).
#[derive(Clone, Debug, PartialEq, Deserialize, JsonSchema)]
pub struct ShipNotice {
    /// The sender's number of the shipment (856 BSN02, DESADV BGM).
    pub shipment: Name,
    /// When it left.
    #[schemars(schema_with = "day")]
    pub shipped_on: Date,
    /// When it should arrive.
    #[serde(default)]
    #[schemars(schema_with = "day_or_none")]
    pub expected_on: Option<Date>,
    /// The carrier.
    pub carrier: Option<String>,
    /// The carrier's tracking number.
    pub tracking: Option<String>,
    /// How many packages or pallets.
    pub packages: Option<u32>,
    /// Their serial shipping container codes.
    #[serde(default)]
    pub sscc: Vec<String>,
    /// The shipment number that this notice replaces.
    pub replaces: Option<Name>,
    /// Our order; a line may name another.
    pub order: Option<Name>,
    /// Our id of the order, where the sender was told it: it settles which one is meant where several have the name.
    pub order_id: Option<Name>,
    /// Our id of the supplier whose order it is, or its name as we write it; a hook bound to one need not say.
    pub supplier: Option<Name>,
    /// Our id of the company that ordered, where several number their orders alike.
    pub company: Option<Name>,
    /// What is in it.
    pub lines: Vec<GoodsLine>,
}

/// What a warehouse received (EDI 861, RECADV; 944 of an outside warehouse).
#[derive(Clone, Debug, PartialEq, Deserialize, JsonSchema)]
pub struct ReceiptAdvice {
    /// The sender's number of the shipment, as on the ship notice.
    #[serde(default)]
    pub shipment: Option<Name>,
    /// When it came.
    #[serde(default)]
    #[schemars(schema_with = "day_or_none")]
    pub received_on: Option<Date>,
    /// Our order; a line may name another.
    pub order: Option<Name>,
    /// Our id of the order, where the sender was told it: it settles which one is meant where several have the name.
    pub order_id: Option<Name>,
    /// Our id of the supplier whose order it is, or its name as we write it; a hook bound to one need not say.
    pub supplier: Option<Name>,
    /// Our id of the company that ordered, where several number their orders alike.
    pub company: Option<Name>,
    /// What came.
    pub lines: Vec<GoodsLine>,
}

/// Goods of one line of our order.
#[derive(Clone, Debug, PartialEq, Deserialize, JsonSchema)]
pub struct GoodsLine {
    /// Our order, where it is not the event's.
    pub order: Option<Name>,
    /// Our id of the order, as of the event.
    pub order_id: Option<Name>,
    /// Our id of the line, where the sender was told it.
    pub line: Option<Name>,
    /// Our id of the item.
    pub item_id: Option<Name>,
    /// Our SKU.
    pub sku: Option<Name>,
    /// The item's GTIN.
    pub gtin: Option<Name>,
    /// The supplier's own code of the item.
    pub supplier_code: Option<Name>,
    /// The sender's words for the item.
    pub description: Option<String>,
    /// How many, in `unit`.
    pub qty: Amount,
    /// The unit of the quantity: a code of UN/ECE Recommendation 20 (EA, DZN, KGM) or 21 (CS, XBX), or our name of it;
    /// none: our stock unit.
    pub unit: Option<String>,
    /// How many of our stock unit one `unit` holds, where that is a package of which we may not know it.
    pub pack_qty: Option<Amount>,
    /// Lot or batch.
    pub lot: Option<String>,
    /// Best before or expiry.
    #[serde(default)]
    #[schemars(schema_with = "day_or_none")]
    pub expires_on: Option<Date>,
    /// The package or pallet it is in (SSCC).
    pub sscc: Option<String>,
}

/// A supplier's bill (EDI 810, INVOIC).
#[derive(Clone, Debug, PartialEq, Deserialize, JsonSchema)]
pub struct Invoice {
    /// The supplier's number.
    pub number: Name,
    /// The bill's date.
    #[schemars(schema_with = "day")]
    pub date: Date,
    /// Currency of all its amounts (ISO 4217).
    #[schemars(length(equal = 3))]
    pub currency: String,
    /// Our id of the supplier, or its name as we write it; where none is given, the order says it.
    pub supplier: Option<Name>,
    /// Our order; a line may name another.
    pub order: Option<Name>,
    /// Our id of the order, where the sender was told it: it settles which one is meant where several have the name.
    pub order_id: Option<Name>,
    /// Our id of the company that ordered, where several number their orders alike.
    pub company: Option<Name>,
    /// What is billed.
    pub lines: Vec<BilledLine>,
    /// All taxes.
    pub tax: Option<Amount>,
    /// What is to be paid, taxes included.
    pub total: Option<Amount>,
}

/// A line of a supplier's bill.
#[derive(Clone, Debug, PartialEq, Deserialize, JsonSchema)]
pub struct BilledLine {
    /// Our order, where it is not the event's.
    pub order: Option<Name>,
    /// Our id of the order, as of the event.
    pub order_id: Option<Name>,
    /// Our id of the line, where the sender was told it.
    pub line: Option<Name>,
    /// Our id of the item.
    pub item_id: Option<Name>,
    /// Our SKU.
    pub sku: Option<Name>,
    /// The item's GTIN.
    pub gtin: Option<Name>,
    /// The supplier's own code of the item.
    pub supplier_code: Option<Name>,
    /// The sender's words for the item.
    pub description: Option<String>,
    /// How many, in `unit`.
    pub qty: Amount,
    /// The unit of quantity and price: a code of UN/ECE Recommendation 20 (EA, DZN, KGM) or 21 (CS, XBX), or our name of it;
    /// none: our stock unit.
    pub unit: Option<String>,
    /// How many of our stock unit one `unit` holds, where that is a package of which we may not know it.
    pub pack_qty: Option<Amount>,
    /// Net price of one `unit`.
    pub price: Amount,
    /// Tax of the line.
    pub tax: Option<Amount>,
}

/// A supplier gives credit, or announces that it will: for goods that it takes back or did not deliver, or for a price
/// (EDI 812, INVOIC 381). What a line says is taken off, so nothing in it is below zero.
#[derive(Clone, Debug, PartialEq, Deserialize, JsonSchema)]
pub struct CreditNote {
    /// The supplier's number of the credit note, or of its acceptance of a return.
    pub number: Name,
    /// Its date.
    #[schemars(schema_with = "day")]
    pub date: Date,
    /// Currency of all its amounts (ISO 4217).
    #[schemars(length(equal = 3))]
    pub currency: String,
    /// Our id of the supplier, or its name as we write it; where none is given, the order says it.
    pub supplier: Option<Name>,
    /// Our order; a line may name another.
    pub order: Option<Name>,
    /// Our id of the order, where the sender was told it: it settles which one is meant where several have the name.
    pub order_id: Option<Name>,
    /// Our id of the company that ordered, where several number their orders alike.
    pub company: Option<Name>,
    /// The supplier's number of the bill that it takes back, wholly or partly.
    pub bill: Option<Name>,
    /// Why, for people.
    #[serde(default)]
    pub reason: String,
    /// What is credited.
    pub lines: Vec<BilledLine>,
    /// All taxes.
    pub tax: Option<Amount>,
    /// What is given back, taxes included.
    pub total: Option<Amount>,
}

/// What a web shop or marketplace offers for sale.
#[derive(Clone, Debug, PartialEq, Deserialize, JsonSchema)]
pub struct ChannelStock {
    /// The channel's name.
    pub channel: Name,
    /// What it offers of each item.
    pub items: Vec<OfferedItem>,
}

/// What a channel offers of one item.
#[derive(Clone, Debug, PartialEq, Deserialize, JsonSchema)]
pub struct OfferedItem {
    /// Our id of the item.
    pub item_id: Option<Name>,
    /// Our SKU.
    pub sku: Option<Name>,
    /// The item's GTIN.
    pub gtin: Option<Name>,
    /// From where it would ship: our id or code of the location; none: from anywhere.
    pub location: Option<Name>,
    /// How many are offered.
    pub published: Amount,
}

/// Where a shipment is (EDI 214, IFTSTA).
#[derive(Clone, Debug, PartialEq, Deserialize, JsonSchema)]
pub struct CarrierStatus {
    /// The shipment or transfer document, as the carrier was told: a number of ours such as WH/OUT/00012, or the shipment of a
    /// ship notice.
    pub document: Name,
    /// Where it is.
    pub status: CarrierState,
    /// When it should arrive.
    #[serde(default)]
    #[schemars(schema_with = "day_or_none")]
    pub expected_on: Option<Date>,
}

/// A promotion that is planned.
#[derive(Clone, Debug, PartialEq, Deserialize, JsonSchema)]
pub struct PromotionBrief {
    /// Its name.
    pub name: String,
    /// The items in it.
    pub items: Vec<PromotedItem>,
    /// First day.
    #[schemars(schema_with = "day")]
    pub from: Date,
    /// Last day.
    #[schemars(schema_with = "day")]
    pub to: Date,
    /// The brief itself, for people.
    #[serde(default)]
    pub text: String,
}

/// An item in a promotion.
#[derive(Clone, Debug, PartialEq, Deserialize, JsonSchema)]
pub struct PromotedItem {
    /// Our id of the item.
    pub item_id: Option<Name>,
    /// Our SKU.
    pub sku: Option<Name>,
    /// The item's GTIN.
    pub gtin: Option<Name>,
    /// Expected sales as a multiple of what is usual.
    pub expected_uplift: Option<f64>,
}

/// Something a supplier wrote.
#[derive(Clone, Debug, PartialEq, Deserialize, JsonSchema)]
pub struct SupplierNote {
    /// Our id of the supplier, or its name as we write it; a hook bound to one need not say.
    pub supplier: Option<Name>,
    /// What it wrote.
    pub text: String,
}

/// An id, number or name: text, or a whole number.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Name(pub String);

impl Name {
    /// Longest one that is taken.
    const MAX: usize = 120;
}

impl<'de> Deserialize<'de> for Name {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Reader;
        impl Visitor<'_> for Reader {
            type Value = Name;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, "an id or name of 1 to {} characters", Name::MAX)
            }
            fn visit_str<E: Error>(self, text: &str) -> Result<Name, E> {
                let text = text.trim();
                if text.is_empty() || text.chars().count() > Name::MAX {
                    return Err(E::invalid_length(text.chars().count(), &self));
                }
                Ok(Name(text.to_owned()))
            }
            fn visit_u64<E: Error>(self, number: u64) -> Result<Name, E> {
                Ok(Name(number.to_string()))
            }
        }
        deserializer.deserialize_any(Reader)
    }
}

impl JsonSchema for Name {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "Name".into()
    }
    fn inline_schema() -> bool {
        true
    }
    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({ "type": ["string", "integer"], "minLength": 1, "maxLength": Self::MAX, "minimum": 0 })
    }
}

/// A quantity, price or amount: a number, or its decimal digits as text where a binary number would not be exact.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Amount(pub Decimal);

impl<'de> Deserialize<'de> for Amount {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Reader;
        impl Visitor<'_> for Reader {
            type Value = Amount;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a number such as 12.5 or \"12.50\"")
            }
            fn visit_u64<E: Error>(self, number: u64) -> Result<Amount, E> {
                Ok(Amount(Decimal::from(number)))
            }
            fn visit_i64<E: Error>(self, number: i64) -> Result<Amount, E> {
                Ok(Amount(Decimal::from(number)))
            }
            fn visit_f64<E: Error>(self, number: f64) -> Result<Amount, E> {
                let exact = Decimal::from_f64(number).map(|d| Amount(d.round_dp(6).normalize()));
                exact.ok_or_else(|| E::invalid_value(serde::de::Unexpected::Float(number), &self))
            }
            fn visit_str<E: Error>(self, text: &str) -> Result<Amount, E> {
                let exact = text.trim().parse::<Decimal>().map(|d| Amount(d.round_dp(6).normalize()));
                exact.map_err(|_| E::invalid_value(serde::de::Unexpected::Str(text), &self))
            }
        }
        deserializer.deserialize_any(Reader)
    }
}

impl JsonSchema for Amount {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "Amount".into()
    }
    fn inline_schema() -> bool {
        true
    }
    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({ "type": ["number", "string"], "pattern": "^-?[0-9]+(\\.[0-9]+)?$" })
    }
}

fn day(_: &mut SchemaGenerator) -> Schema {
    json_schema!({ "type": "string", "format": "date" })
}

fn day_or_none(_: &mut SchemaGenerator) -> Schema {
    json_schema!({ "type": ["string", "null"], "format": "date" })
}
