//! Lots: goods of one batch, the day on which they expire, and how many of each lie where.
//!
//! What expires first is taken first; whoever sells otherwise has more left over than is reckoned here, never less.

use std::collections::BTreeMap;

use jiff::Timestamp;
use jiff::civil::Date;
use serde::{Deserialize, Serialize};

use super::book::numeric;
use super::calendar::days_between;
use super::ids::{ItemId, LocationId};
use super::money::Quantity;
use super::supply::Supply;

/// A batch of an item.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Lot {
    /// The ERP's id.
    pub id: String,
    /// Of what.
    pub item: ItemId,
    /// Its number. Text from outside.
    pub name: String,
    /// When it expires; None where nobody entered it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expires_at: Option<Timestamp>,
    /// When it was entered: as a rule with its receipt.
    pub created_at: Timestamp,
}

/// How much of each lot of an item is at a location, as the ERP states it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct LotStock {
    /// What.
    pub item: ItemId,
    /// Where.
    pub location: LocationId,
    /// On hand by the lot's id.
    pub lots: BTreeMap<String, Quantity>,
    /// On hand without a lot.
    #[serde(default, skip_serializing_if = "is_nothing")]
    pub without: Quantity,
}

fn is_nothing(quantity: &Quantity) -> bool {
    quantity.is_zero()
}

/// A lot that is on hand at a place.
#[derive(Clone, Copy, Debug)]
pub struct HeldLot<'b> {
    /// Which.
    pub lot: &'b Lot,
    /// How much of it is there.
    pub qty: Quantity,
    /// The day on which it expires, in the location's calendar; on it nothing of it is sold any more.
    pub expires_on: Date,
}

impl Supply {
    /// The lots of an item, whether anything of them is left or not, by id.
    pub fn lots_of(&self, item: &ItemId) -> &[Lot] {
        self.lots.get(item).map_or(&[], Vec::as_slice)
    }

    /// What the ERP states of the lots of an item at a location. None where it states nothing.
    pub fn lot_stock(&self, item: &ItemId, location: &LocationId) -> Option<&LotStock> {
        self.lot_stocks.get(&(item.clone(), location.clone()))
    }

    /// Where the ERP states something of an item's lots, with what it states, in the order of places.
    pub fn lot_stocks_of<'b>(&'b self, item: &'b ItemId) -> impl Iterator<Item = &'b LotStock> {
        let from = (item.clone(), LocationId::new(""));
        self.lot_stocks.range(from..).take_while(move |(place, _)| place.0 == *item).map(|(_, stock)| stock)
    }

    /// The lots of an item on hand at a location that have a day on which they expire, those that expire first first.
    pub fn held_lots<'b>(&'b self, item: &ItemId, location: &LocationId) -> Vec<HeldLot<'b>> {
        let Some(stock) = self.lot_stock(item, location) else { return Vec::new() };
        let calendar = self.calendar_of(location);
        let held = |lot: &'b Lot| {
            let qty = stock.lots.get(&lot.id).copied().filter(|qty| qty.is_positive())?;
            Some(HeldLot { lot, qty, expires_on: calendar.day_of(lot.expires_at?) })
        };
        let mut lots: Vec<HeldLot<'_>> = self.lots_of(item).iter().filter_map(held).collect();
        lots.sort_by(|a, b| (a.expires_on, numeric(&a.lot.id)).cmp(&(b.expires_on, numeric(&b.lot.id))));
        lots
    }

    /// Days from the entry of a lot to the day on which it expires; None where nobody entered that day.
    pub fn shelf_life(&self, lot: &Lot) -> Option<i32> {
        Some(days_between(self.calendar.day_of(lot.created_at), self.calendar.day_of(lot.expires_at?)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::book::Book;
    use crate::calendar::Calendar;
    use crate::record::Record;

    fn lot(id: &str, expires: Option<&str>) -> Record {
        let at = |day: &str| format!("{day}T23:30:00Z").parse().unwrap();
        let (item, name, created_at) = (ItemId::new("7"), format!("L{id}"), at("2026-10-01"));
        Record::Lot(Lot { id: id.into(), item, name, expires_at: expires.map(at), created_at })
    }

    #[test]
    fn what_is_on_hand_comes_in_the_order_in_which_it_expires() {
        let stock = LotStock {
            item: ItemId::new("7"),
            location: LocationId::new("1"),
            lots: [("1", 5), ("2", 3), ("3", 0), ("4", 9)].map(|(id, n)| (id.to_owned(), Quantity::units(n))).into(),
            without: Quantity::units(2),
        };
        let text = serde_json::to_string(&Record::LotStock(stock.clone())).unwrap();
        assert_eq!(serde_json::from_str::<Record>(&text).unwrap(), Record::LotStock(stock.clone()));
        let records = [
            lot("1", Some("2026-12-01")),
            lot("2", Some("2026-11-09")),
            lot("3", Some("2026-11-08")),
            lot("4", None),
            Record::LotStock(stock),
        ];
        let book = Book::new("2026-11-02T12:00:00Z".parse().unwrap(), Calendar::utc(), records);
        let held = book.held_lots(&ItemId::new("7"), &LocationId::new("1"));
        let told: Vec<(&str, String)> = held.iter().map(|h| (h.lot.id.as_str(), h.expires_on.to_string())).collect();
        assert_eq!(told, [("2", "2026-11-09".to_owned()), ("1", "2026-12-01".to_owned())]);
        assert_eq!(book.shelf_life(held[0].lot), Some(39));
        assert!(book.held_lots(&ItemId::new("7"), &LocationId::new("2")).is_empty());
    }
}
