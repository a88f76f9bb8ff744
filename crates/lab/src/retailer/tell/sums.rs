//! What is summed: demand by month, stock as it stands, and the stock with which the records begin.

use std::collections::{BTreeMap, BTreeSet};

use reeve_domain::calendar::days_between;
use reeve_domain::money::Quantity;
use reeve_domain::record::{DemandMonth, MoveKind, Record, StockLevel};

use super::{Teller, location};
use crate::retailer::life::{Life, SeriesLife};

impl Teller<'_> {
    /// Where moves are told from the first day on, what was there before is booked in as opening stock.
    pub(super) fn openings(&mut self, life: &Life) {
        if self.retailer.detail_from() > 0 {
            return;
        }
        for series in life.series.iter().filter(|s| s.opening > 0) {
            let at = self.retailer.at(0, 0);
            let opening = self.moved(MoveKind::Opening, (None, Some(series.location)), series.opening, at);
            self.tell(at, Record::Move(opening));
        }
    }

    /// A place's months and what is left.
    pub(super) fn sums(&mut self, series: &SeriesLife) {
        let last = self.retailer.last();
        let mut day = 0;
        while day <= last {
            let first = self.retailer.date(day);
            // The first and last month may be parts of one.
            let ends = (day + days_between(first, first.last_of_month())).min(last);
            self.month(series, day, ends);
            day = ends + 1;
        }
        let level = StockLevel {
            item: self.item.clone(),
            location: location(series.location),
            on_hand: Quantity::units(series.close.last().copied().unwrap_or(0)),
            reserved: Quantity::ZERO,
            unposted: Quantity::ZERO,
        };
        self.tell(self.retailer.at(last + 1, 0), Record::StockLevel(level));
    }

    fn month(&mut self, series: &SeriesLife, begins: i32, ends: i32) {
        let first = self.retailer.date(begins);
        let (mut sold, mut out) = (BTreeMap::new(), BTreeSet::new());
        for day in begins..=ends {
            let number = (first.day() + i8::try_from(day - begins).unwrap_or(0)).unsigned_abs();
            let (units, close) = (series.sold[day as usize], series.close[day as usize]);
            if units > 0 {
                sold.insert(number, Quantity::units(i64::from(units)));
            }
            if close <= 0 {
                out.insert(number);
            }
        }
        let month = DemandMonth {
            item: self.item.clone(),
            location: location(series.location),
            month: first.first_of_month(),
            sold,
            returned: BTreeMap::new(),
            tills: BTreeMap::new(),
            settled: BTreeMap::new(),
            unposted: BTreeMap::new(),
            out,
            closing: Quantity::units(series.close[ends as usize]),
            unposted_at_close: Quantity::ZERO,
            counted_ahead: BTreeMap::new(),
        };
        // Told on the morning after the last day that it sums, when a look could have read it.
        self.tell(self.retailer.at(ends + 1, 0), Record::DemandMonth(month));
    }
}
