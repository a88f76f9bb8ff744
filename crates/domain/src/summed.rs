//! What the ERP sums for us: stock as it states it, and demand by day, where the data is too much to be read line by line.

use std::collections::{BTreeMap, BTreeSet};

use jiff::civil::Date;
use serde::{Deserialize, Serialize};

use super::book::Book;
use super::ids::{ItemId, LocationId};
use super::money::Quantity;

/// Stock of an item at a location as the ERP states it now. Where there is one, it is the truth; done moves that are known
/// only say how it came about.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct StockLevel {
    /// What.
    pub item: ItemId,
    /// Where.
    pub location: LocationId,
    /// On hand (OH), of any sign.
    pub on_hand: Quantity,
    /// Of it, promised to orders and transfers.
    pub reserved: Quantity,
    /// Of it, sold at the tills and not booked yet: it has left the shelf, not the books. Below zero where more was brought
    /// back.
    #[serde(default)]
    pub unposted: Quantity,
}

/// A calendar month of an item's demand at a location, summed by day where the data is. Days are those of the location's
/// time zone, by number in the month; a day that is not there had nothing.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct DemandMonth {
    /// What.
    pub item: ItemId,
    /// Where.
    pub location: LocationId,
    /// The month's first day.
    pub month: Date,
    /// Shipped to customers and sold at the tills, by day.
    #[serde(with = "by_day")]
    pub sold: BTreeMap<u8, Quantity>,
    /// Of earlier sales, brought back on the day.
    #[serde(default, with = "by_day", skip_serializing_if = "BTreeMap::is_empty")]
    pub returned: BTreeMap<u8, Quantity>,
    /// Of both, at the tills: sold less brought back on the day. A customer's order that is settled at a till is not in it, as
    /// it is told by its lines.
    #[serde(default, with = "by_day", skip_serializing_if = "BTreeMap::is_empty")]
    pub tills: BTreeMap<u8, Quantity>,
    /// Of what was sold, customers' orders that were settled at a till. As demand they are told by the orders' lines, where the
    /// order is served from.
    #[serde(default, with = "by_day", skip_serializing_if = "BTreeMap::is_empty")]
    pub settled: BTreeMap<u8, Quantity>,
    /// Of days on which it was counted: what the tills had sold before and booked later. The count found it missing in the
    /// books, not on the shelf.
    #[serde(default, with = "by_day", skip_serializing_if = "BTreeMap::is_empty")]
    pub unposted: BTreeMap<u8, Quantity>,
    /// Days that closed with nothing on hand, or will if nothing more moves: their demand is censored, not zero (handbook
    /// §3.1).
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub out: BTreeSet<u8>,
    /// On hand by the books when the month closed, or will if nothing more moves.
    pub closing: Quantity,
    /// Of it, sold at the tills before and booked after: it was on the books, not on the shelf. Below zero where more was
    /// brought back.
    #[serde(default, skip_serializing_if = "is_nothing")]
    pub unposted_at_close: Quantity,
    /// Of what counts took off the books on a day: what the tills had sold before and booked only after the month. It had left
    /// the shelf when it was rung up.
    #[serde(default, with = "by_day", skip_serializing_if = "BTreeMap::is_empty")]
    pub counted_ahead: BTreeMap<u8, Quantity>,
}

fn is_nothing(quantity: &Quantity) -> bool {
    quantity.is_zero()
}

impl DemandMonth {
    /// On the shelf when the month closed.
    pub fn left(&self) -> Quantity {
        self.closing - self.unposted_at_close
    }
}

impl Book {
    /// Sold at the tills, gone from the shelf and still on the books: open sessions are booked when they close.
    pub fn unposted(&self, item: &ItemId, location: &LocationId) -> Quantity {
        let level = self.stock_levels.get(&(item.clone(), location.clone()));
        level.map_or(Quantity::ZERO, |level| level.unposted)
    }

    /// On the shelf now: on hand by the books less what the tills have sold and not booked yet.
    pub fn on_shelf(&self, item: &ItemId, location: &LocationId) -> Quantity {
        self.on_hand(item, location) - self.unposted(item, location)
    }

    /// What the tills had sold before the last count of a day and booked after it: missing in the books, not on the shelf.
    pub fn unposted_when_counted(&self, item: &ItemId, location: &LocationId, day: Date) -> Quantity {
        let months = self.demand_months.get(&(item.clone(), location.clone()));
        let month = months.and_then(|months| months.iter().find(|m| m.month == day.first_of_month()));
        month.and_then(|month| month.unposted.get(&day.day().unsigned_abs())).copied().unwrap_or_default()
    }
}

/// Days as keys of a JSON object, which are text: a number's text is not read back as a number inside [`super::record::Record`], whose tag
/// is found first.
mod by_day {
    use std::collections::BTreeMap;
    use std::fmt;

    use serde::de::{Error, MapAccess, Visitor};
    use serde::{Deserialize, Deserializer, Serializer};

    use super::Quantity;

    pub(super) fn serialize<S: Serializer>(days: &BTreeMap<u8, Quantity>, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map(days.iter().map(|(day, quantity)| (day.to_string(), quantity)))
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<BTreeMap<u8, Quantity>, D::Error> {
        deserializer.deserialize_map(Days)
    }

    /// Reads days where they stand: months are most of what a large shop has, and a text of its own for each of their days would
    /// cost more than its number does.
    struct Days;

    impl<'de> Visitor<'de> for Days {
        type Value = BTreeMap<u8, Quantity>;

        fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str("quantities by the number of the day")
        }

        fn visit_map<M: MapAccess<'de>>(self, mut map: M) -> Result<Self::Value, M::Error> {
            let mut days = BTreeMap::new();
            while let Some((Day(day), quantity)) = map.next_entry()? {
                days.insert(day, quantity);
            }
            Ok(days)
        }
    }

    /// The number of a day in its month, as a key.
    struct Day(u8);

    impl<'de> Deserialize<'de> for Day {
        fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
            deserializer.deserialize_str(Number)
        }
    }

    struct Number;

    impl Visitor<'_> for Number {
        type Value = Day;

        fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str("the number of a day in its month, as text")
        }

        fn visit_str<E: Error>(self, text: &str) -> Result<Day, E> {
            text.parse().map(Day).map_err(E::custom)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::record::Record;

    #[test]
    fn a_month_of_demand_reads_back_as_it_was_written() {
        let day = |n: i64| Quantity::units(n);
        let month = Record::DemandMonth(DemandMonth {
            item: ItemId::new("7"),
            location: LocationId::new("1"),
            month: "2026-10-01".parse().unwrap(),
            sold: BTreeMap::from([(1, day(3)), (19, day(12))]),
            returned: BTreeMap::from([(2, day(1))]),
            tills: BTreeMap::new(),
            settled: BTreeMap::from([(1, day(2))]),
            unposted: BTreeMap::from([(4, day(2))]),
            out: BTreeSet::from([3, 4]),
            closing: day(-2),
            unposted_at_close: day(1),
            counted_ahead: BTreeMap::from([(9, day(4))]),
        });
        let text = serde_json::to_string(&month).unwrap();
        assert_eq!(serde_json::from_str::<Record>(&text).unwrap(), month);
    }
}
