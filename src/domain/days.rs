//! What the book says of each day: what was wanted, what was on hand, whether there was anything to sell.
//!
//! Two accounts of demand meet here. Single sale lines say what was wanted on the day it was ordered; sums by day, made where
//! the data is, say what was shipped and sold at the tills. Lines are the better account and are used from the first day on
//! which all of them are read; before it, and where an item is never sold by lines, the sums are. An order of the days before
//! that is shipped in the days after counts in neither: it is a few days' worth at the seam, once.

use jiff::civil::Date;

use super::book::{Book, Place, signed};
use super::calendar::{days_between, plus_days};
use super::ids::{ItemId, LocationId};
use super::record::{DemandMonth, MoveKind};

impl Book {
    /// The first day of which single sale lines are an item's demand at a location; [`Date::MAX`] where it is never sold by
    /// lines. Without sums in the book the lines are all there is.
    pub fn lines_from(&self, item: &ItemId, location: &LocationId) -> Date {
        if self.demand_months.is_empty() {
            return Date::MIN;
        }
        let Some(from) = self.detail_from else { return Date::MAX };
        let last = self.sales_at(item, location).last().map(|line| self.calendar.day_of(line.ordered_at));
        if last.is_some_and(|day| day >= from) { from } else { Date::MAX }
    }

    /// Wanted by customers on each day from `from` to today: ordered, whether or not it could be shipped. Where only sums are
    /// known: shipped and sold, less what came back, which can be below zero.
    pub fn demand_by_day(&self, item: &ItemId, location: &LocationId, from: Date) -> Vec<f64> {
        let mut days = vec![0.0; day_count(from, self.today)];
        let lines_from = self.lines_from(item, location);
        for line in self.sales_at(item, location) {
            let day = self.calendar.day_of(line.ordered_at);
            if day >= lines_from
                && let Some(slot) = slot(&mut days, from, day)
            {
                *slot += line.qty.to_f64();
            }
        }
        for month in self.months(item, location) {
            let parts = [(&month.sold, 1.0, false), (&month.returned, -1.0, false), (&month.tills, 1.0, true)];
            for (sums, sign, beside_lines) in parts {
                for (number, quantity) in sums {
                    let day = day_of(month, *number);
                    if (day >= lines_from) == beside_lines
                        && let Some(slot) = slot(&mut days, from, day)
                    {
                        *slot += sign * quantity.to_f64();
                    }
                }
            }
        }
        days
    }

    /// On hand at the close of each day from `from` to today: what moves add up to or, where the ERP states levels, walked
    /// back from them, and held at each month's end to what was summed there.
    pub fn on_hand_by_day(&self, item: &ItemId, location: &LocationId, from: Date) -> Vec<f64> {
        let mut days = vec![0.0; day_count(from, self.today)];
        let months = if self.stock_levels.is_empty() { &[] } else { self.months(item, location) };
        let mut before = 0.0;
        for m in self.moves_at(item, location) {
            let Some(done) = m.done_at else { continue };
            let day = self.calendar.day_of(done);
            // What customers took and brought stands in the month's sums, of which single moves may be a part only.
            if matches!(m.kind, MoveKind::Delivery | MoveKind::CustomerReturn) && month_of(months, day).is_some() {
                continue;
            }
            let change = signed(m, location).to_f64();
            match slot(&mut days, from, day) {
                Some(slot) => *slot += change,
                None => before += change,
            }
        }
        for month in months {
            for (sums, sign) in [(&month.sold, -1.0), (&month.returned, 1.0)] {
                for (number, quantity) in sums {
                    if let Some(slot) = slot(&mut days, from, day_of(month, *number)) {
                        *slot += sign * quantity.to_f64();
                    }
                }
            }
        }
        if self.stock_levels.is_empty() {
            let mut level = before;
            for day in &mut days {
                level += *day;
                *day = level;
            }
            return days;
        }
        let mut level = self.on_hand(item, location).to_f64();
        for (at, slot) in days.iter_mut().enumerate().rev() {
            let day = plus_days(from, i32::try_from(at).unwrap_or(i32::MAX));
            if day == day.last_of_month() && day < self.today {
                // A month without a record is one in which nothing happened.
                level = months.iter().rfind(|m| m.month <= day).map_or(level, |m| m.closing.to_f64());
            }
            level -= std::mem::replace(slot, level);
        }
        days
    }

    /// Did each day from `from` to today close with nothing on hand? Then what was sold is less than what was wanted
    /// (handbook §3.1).
    pub fn out_by_day(&self, item: &ItemId, location: &LocationId, from: Date) -> Vec<bool> {
        let months = self.months(item, location);
        let levels = self.on_hand_by_day(item, location, from);
        let out = |(at, level): (usize, f64)| {
            let day = plus_days(from, i32::try_from(at).unwrap_or(i32::MAX));
            month_of(months, day).map_or(level <= 0.0, |month| month.out.contains(&day.day().unsigned_abs()))
        };
        levels.into_iter().enumerate().map(out).collect()
    }

    /// The days from `from` to today.
    pub fn days_from(&self, from: Date) -> Vec<Date> {
        (0..=days_between(from, self.today)).map(|i| plus_days(from, i)).collect()
    }

    fn months(&self, item: &ItemId, location: &LocationId) -> &[DemandMonth] {
        let place: Place = (item.clone(), location.clone());
        self.demand_months.get(&place).map_or(&[], Vec::as_slice)
    }
}

/// The day that a number means in a month. A number that the month does not have is its last day.
pub(super) fn day_of(month: &DemandMonth, number: u8) -> Date {
    plus_days(month.month, i32::from(number) - 1).min(month.month.last_of_month())
}

fn month_of(months: &[DemandMonth], day: Date) -> Option<&DemandMonth> {
    let at = months.partition_point(|m| m.month <= day).checked_sub(1)?;
    months.get(at).filter(|m| m.month == day.first_of_month())
}

fn day_count(from: Date, today: Date) -> usize {
    usize::try_from(days_between(from, today) + 1).unwrap_or(0)
}

fn slot(days: &mut [f64], from: Date, day: Date) -> Option<&mut f64> {
    usize::try_from(days_between(from, day)).ok().and_then(|i| days.get_mut(i))
}
