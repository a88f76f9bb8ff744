//! A line of an event, whatever its kind: what it says of itself.

use super::items::Keys;
use super::orders::OrderKeys;
use crate::domain::event::wire::{Amount, BilledLine, GoodsLine, Name, OrderLine};

/// A line as any of the documents carries it.
#[derive(Clone, Copy, Default)]
pub(super) struct Asked<'a> {
    pub(super) order: OrderKeys<'a>,
    pub(super) line: Option<&'a Name>,
    pub(super) keys: Keys<'a>,
    pub(super) qty: Option<Amount>,
    pub(super) unit: Option<&'a str>,
    pub(super) pack_qty: Option<Amount>,
    pub(super) price: Option<Amount>,
    pub(super) date: Option<jiff::civil::Date>,
    pub(super) lot: Option<&'a str>,
}

impl<'a> From<&'a OrderLine> for Asked<'a> {
    fn from(l: &'a OrderLine) -> Self {
        Self {
            order: OrderKeys { name: l.order.as_ref(), id: l.order_id.as_ref() },
            line: l.line.as_ref(),
            keys: Keys {
                item_id: l.item_id.as_ref(),
                sku: l.sku.as_ref(),
                gtin: l.gtin.as_ref(),
                supplier_code: l.supplier_code.as_ref(),
                description: l.description.as_deref(),
            },
            qty: l.qty,
            unit: l.unit.as_deref(),
            pack_qty: l.pack_qty,
            price: l.price,
            date: l.date,
            lot: None,
        }
    }
}

impl<'a> From<&'a GoodsLine> for Asked<'a> {
    fn from(l: &'a GoodsLine) -> Self {
        Self {
            order: OrderKeys { name: l.order.as_ref(), id: l.order_id.as_ref() },
            line: l.line.as_ref(),
            keys: Keys {
                item_id: l.item_id.as_ref(),
                sku: l.sku.as_ref(),
                gtin: l.gtin.as_ref(),
                supplier_code: l.supplier_code.as_ref(),
                description: l.description.as_deref(),
            },
            qty: Some(l.qty),
            unit: l.unit.as_deref(),
            pack_qty: l.pack_qty,
            price: None,
            date: None,
            lot: l.lot.as_deref(),
        }
    }
}

impl<'a> From<&'a BilledLine> for Asked<'a> {
    fn from(l: &'a BilledLine) -> Self {
        Self {
            order: OrderKeys { name: l.order.as_ref(), id: l.order_id.as_ref() },
            line: l.line.as_ref(),
            keys: Keys {
                item_id: l.item_id.as_ref(),
                sku: l.sku.as_ref(),
                gtin: l.gtin.as_ref(),
                supplier_code: l.supplier_code.as_ref(),
                description: l.description.as_deref(),
            },
            qty: Some(l.qty),
            unit: l.unit.as_deref(),
            pack_qty: l.pack_qty,
            price: Some(l.price),
            date: None,
            lot: None,
        }
    }
}
