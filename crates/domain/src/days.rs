//! What the book says of each day: what was wanted, what was on hand, whether there was anything to sell.
//!
//! Only days that are over at the location count. What the running day has brought so far is [`Book::sold_today`], and nothing
//! else: ten minutes of a day are not a day on which little was sold.
//!
//! Two accounts of demand meet here. Single sale lines say what was wanted on the day it was ordered; sums by day, made where
//! the data is, say what was shipped and sold at the tills. Lines are the better account and are used from the first day on
//! which all of them are read; before it, and where an item is never sold by lines, the sums are. An order of the days before
//! that is shipped in the days after counts in neither: it is a few days' worth at the seam, once.

use jiff::civil::Date;

use super::book::{Book, Place, signed};
use super::calendar::{days_between, plus_days};
use super::ids::{ItemId, LocationId};
use super::record::{DemandMonth, MoveKind, SaleLine};

impl Book {
    /// The first day of which single sale lines are an item's demand at a location; [`Date::MAX`] where it is never sold by
    /// lines. Without sums in the book the lines are all there is.
    pub fn lines_from(&self, item: &ItemId, location: &LocationId) -> Date {
        if !self.has_months() {
            return Date::MIN;
        }
        let Some(from) = self.lines_whole_from() else { return Date::MAX };
        let last = self.sales_at(item, location).last().map(|line| self.calendar.day_of(line.ordered_at));
        if last.is_some_and(|day| day >= from) { from } else { Date::MAX }
    }

    /// Wanted by customers on each day from `from` to the last that is over there: ordered, whether or not it could be shipped. Where only sums are
    /// known: shipped and sold, less what came back, which can be below zero.
    pub fn demand_by_day(&self, item: &ItemId, location: &LocationId, from: Date) -> Vec<f64> {
        let closed = self.closed_at(location);
        self.demand_until(item, location, from, closed)
    }

    /// Wanted so far on the day that still runs at the location. Zero where the last day read is over.
    pub fn sold_today(&self, item: &ItemId, location: &LocationId) -> f64 {
        let running = plus_days(self.closed_at(location), 1);
        self.demand_until(item, location, running, running).first().copied().unwrap_or(0.0)
    }

    fn demand_until(&self, item: &ItemId, location: &LocationId, from: Date, to: Date) -> Vec<f64> {
        let sales = self.dated_sales(item, location);
        self.demand_of(item, location, &sales, self.lines_from(item, location), (from, to))
    }

    /// Sale lines of an item served from a location, in order of time, with the location's day of each.
    pub(super) fn dated_sales(&self, item: &ItemId, location: &LocationId) -> Vec<(Date, &SaleLine)> {
        let calendar = self.calendar_of(location);
        self.sales_at(item, location).into_iter().map(|line| (calendar.day_of(line.ordered_at), line)).collect()
    }

    /// Wanted on each day from one to another, by lines whose days are known already.
    pub(super) fn demand_of(
        &self,
        item: &ItemId,
        location: &LocationId,
        sales: &[(Date, &SaleLine)],
        lines_from: Date,
        (from, to): (Date, Date),
    ) -> Vec<f64> {
        let mut days = vec![0.0; day_count(from, to)];
        for (day, line) in sales {
            if *day >= lines_from
                && let Some(slot) = slot(&mut days, from, *day)
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
            // An order that was taken here is told by its lines, perhaps where it was to be served from.
            for (number, quantity) in &month.settled {
                let day = day_of(month, *number);
                if day < lines_from
                    && self.lines_whole_from().is_some_and(|from| day >= from)
                    && let Some(slot) = slot(&mut days, from, day)
                {
                    *slot -= quantity.to_f64();
                }
            }
        }
        days
    }

    /// On hand at the close of each day from `from` to the last that is over there: what moves add up to or, where the ERP states levels, walked
    /// back from them, and held at each month's end to what was summed there.
    pub fn on_hand_by_day(&self, item: &ItemId, location: &LocationId, from: Date) -> Vec<f64> {
        let closed = self.closed_at(location);
        let mut days = vec![0.0; day_count(from, closed)];
        // What the running day has moved so far, to be taken off a level that is stated as of now.
        let mut since = 0.0;
        let months = if self.has_levels() { self.months(item, location) } else { &[] };
        let mut before = 0.0;
        for m in self.moves_at(item, location) {
            let Some(done) = m.done_at else { continue };
            let day = self.calendar_of(location).day_of(done);
            // What customers took and brought stands in the month's sums, of which single moves may be a part only.
            if matches!(m.kind, MoveKind::Delivery | MoveKind::CustomerReturn) && month_of(months, day).is_some() {
                continue;
            }
            let change = signed(m, location).to_f64();
            match slot(&mut days, from, day) {
                Some(slot) => *slot += change,
                None if day > closed => since += change,
                None => before += change,
            }
        }
        for month in months {
            for (sums, sign) in [(&month.sold, -1.0), (&month.returned, 1.0), (&month.counted_ahead, 1.0)] {
                for (number, quantity) in sums {
                    let (day, change) = (day_of(month, *number), sign * quantity.to_f64());
                    match slot(&mut days, from, day) {
                        Some(slot) => *slot += change,
                        None if day > closed => since += change,
                        None => {}
                    }
                }
            }
        }
        if !self.has_levels() {
            let mut level = before;
            for day in &mut days {
                level += *day;
                *day = level;
            }
            return days;
        }
        // The months say what was sold when it was rung up: so the level is that of the shelf, not of the books.
        let mut level = self.on_shelf(item, location).to_f64() - since;
        for (at, slot) in days.iter_mut().enumerate().rev() {
            let day = plus_days(from, i32::try_from(at).unwrap_or(i32::MAX));
            if day == day.last_of_month() && day < self.today {
                // A month without a record is one in which nothing happened.
                level = months.iter().rfind(|m| m.month <= day).map_or(level, |m| m.left().to_f64());
            }
            level -= std::mem::replace(slot, level);
        }
        days
    }

    /// Did each day from `from` to the last that is over there close with nothing on hand? Then what was sold is less than what was wanted
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

    /// The days from `from` to the last that is over at the location.
    pub fn days_from(&self, from: Date, location: &LocationId) -> Vec<Date> {
        (0..=days_between(from, self.closed_at(location))).map(|i| plus_days(from, i)).collect()
    }

    /// The days from `from` to the last that is over at any location.
    pub fn days_anywhere(&self, from: Date) -> Vec<Date> {
        let last = self.locations.keys().map(|location| self.closed_at(location)).max().unwrap_or(self.closed);
        (0..=days_between(from, last)).map(|i| plus_days(from, i)).collect()
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

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;
    use crate::calendar::Calendar;
    use crate::money::Quantity;
    use crate::record::{Record, SaleLine, StockLevel, StockMove};

    fn day(text: &str) -> Date {
        text.parse().unwrap()
    }

    fn place() -> (ItemId, LocationId) {
        (ItemId::new("7"), LocationId::new("1"))
    }

    fn sums(of: &[(u8, i64)]) -> BTreeMap<u8, Quantity> {
        of.iter().map(|(day, units)| (*day, Quantity::units(*units))).collect()
    }

    fn month(first: &str, sold: &[(u8, i64)], tills: &[(u8, i64)], out: &[u8], closing: i64) -> DemandMonth {
        let (item, location) = place();
        DemandMonth {
            item,
            location,
            month: day(first),
            sold: sums(sold),
            returned: BTreeMap::new(),
            tills: sums(tills),
            settled: BTreeMap::new(),
            unposted: BTreeMap::new(),
            out: out.iter().copied().collect(),
            closing: Quantity::units(closing),
            unposted_at_close: Quantity::ZERO,
            counted_ahead: BTreeMap::new(),
        }
    }

    fn line(id: &str, ordered: &str, units: i64) -> Record {
        let (item, location) = place();
        Record::SaleLine(SaleLine {
            id: id.to_owned(),
            order_id: id.to_owned(),
            order_name: format!("S{id}"),
            customer: "1".to_owned(),
            reference: String::new(),
            item,
            location,
            qty: Quantity::units(units),
            price: None,
            ordered_at: format!("{ordered}T12:00:00Z").parse().unwrap(),
        })
    }

    fn moved(id: &str, kind: MoveKind, done: &str, units: i64) -> Record {
        let (item, location) = place();
        let at = format!("{done}T12:00:00Z").parse().unwrap();
        let out = matches!(kind, MoveKind::Delivery);
        Record::Move(StockMove {
            id: id.to_owned(),
            kind,
            item,
            from: out.then(|| location.clone()),
            to: (!out).then_some(location),
            qty: Quantity::units(units),
            created_at: at,
            scheduled_at: None,
            done_at: Some(at),
            document: String::new(),
            document_id: None,
            origin: String::new(),
            po_line: None,
            sale_line: None,
            partner: None,
            deadline: None,
            returns: None,
            to_replace: false,
            asked: None,
            owner: None,
            entered_by: None,
            reason: String::new(),
        })
    }

    fn level(units: i64) -> Record {
        let (item, location) = place();
        let on_hand = Quantity::units(units);
        Record::StockLevel(StockLevel { item, location, on_hand, reserved: Quantity::ZERO, unposted: Quantity::ZERO })
    }

    /// At the close of 6 November.
    fn book(records: impl IntoIterator<Item = Record>) -> Book {
        let calendar = Calendar::utc();
        Book::new(calendar.close_of(day("2026-11-06")), calendar, records)
    }

    fn demand(book: &Book, from: &str) -> Vec<f64> {
        let (item, location) = place();
        book.demand_by_day(&item, &location, day(from))
    }

    #[test]
    fn lines_are_demand_from_the_day_on_which_all_are_read_and_sums_before_it_and_tills_throughout() {
        let mut october = month("2026-10-01", &[(29, 4), (31, 9)], &[(31, 2)], &[], 20);
        october.returned = sums(&[(29, 1)]);
        let november = month("2026-11-01", &[(3, 8), (4, 5)], &[(4, 5)], &[], 20);
        // An order of the spring that is still open, and those of the last five days.
        let lines = [line("1", "2026-04-01", 50), line("2", "2026-11-02", 6), line("3", "2026-11-06", 1)];
        let months = [Record::DemandMonth(october), Record::DemandMonth(november)];
        let book = book(months.into_iter().chain(lines)).with_detail_days(5);
        assert_eq!(demand(&book, "2026-10-29"), [3.0, 0.0, 9.0, 0.0, 6.0, 0.0, 5.0, 0.0, 1.0]);
        assert_eq!(book.first_day(), Some(day("2026-10-29")), "the old order is no demand of a day");
    }

    #[test]
    fn an_item_that_is_never_sold_by_lines_has_its_sums_throughout() {
        let november = Record::DemandMonth(month("2026-11-01", &[(3, 8), (4, 5)], &[(4, 5)], &[], 20));
        assert_eq!(demand(&book([november.clone()]), "2026-11-02"), [0.0, 8.0, 5.0, 0.0, 0.0]);
        let Record::SaleLine(mut other) = line("1", "2026-11-01", 3) else { unreachable!() };
        other.item = ItemId::new("8");
        let with_lines_of_another = book([november, Record::SaleLine(other)]).with_detail_days(30);
        assert_eq!(demand(&with_lines_of_another, "2026-11-02"), [0.0, 8.0, 5.0, 0.0, 0.0]);
    }

    #[test]
    fn without_sums_the_lines_are_all_there_is_and_moves_say_what_is_on_hand() {
        let records = [
            line("1", "2026-04-01", 50),
            line("2", "2026-11-05", 6),
            moved("3", MoveKind::Receipt, "2026-11-04", 9),
            moved("4", MoveKind::Delivery, "2026-11-05", 9),
        ];
        let book = book(records).with_detail_days(5);
        let (item, location) = place();
        assert_eq!(demand(&book, "2026-11-04"), [0.0, 6.0, 0.0]);
        assert_eq!(demand(&book, "2026-04-01")[..1], [50.0]);
        assert_eq!(book.on_hand_by_day(&item, &location, day("2026-11-03")), [0.0, 9.0, 0.0, 0.0]);
        assert_eq!(book.out_by_day(&item, &location, day("2026-11-03")), [true, false, true, true]);
        assert_eq!(book.first_day(), Some(day("2026-04-01")));
        assert_eq!(book.on_hand(&item, &location), Quantity::ZERO);
    }

    #[test]
    fn the_stated_level_is_the_truth_and_history_is_walked_back_from_it() {
        let (item, location) = place();
        // Of the moves only the receipt is known; deliveries stand in the sums. September had nothing.
        let records = [
            level(12),
            moved("1", MoveKind::Receipt, "2026-11-02", 10),
            moved("2", MoveKind::Delivery, "2026-11-04", 3),
            Record::DemandMonth(month("2026-11-01", &[(4, 3)], &[], &[], 12)),
            Record::DemandMonth(month("2026-10-01", &[(30, 7)], &[], &[], 5)),
            Record::DemandMonth(month("2026-08-01", &[(5, 1)], &[], &[30, 31], 0)),
        ];
        let book = book(records);
        assert_eq!(book.on_hand(&item, &location), Quantity::units(12));
        let levels = book.on_hand_by_day(&item, &location, day("2026-10-29"));
        assert_eq!(levels, [12.0, 5.0, 5.0, 5.0, 15.0, 15.0, 12.0, 12.0, 12.0]);
        // In a month without sums nothing moved: it is as empty as the last one with sums was left.
        let out = book.out_by_day(&item, &location, day("2026-08-29"));
        assert_eq!(out[..4], [false, true, true, true]);
        assert!(out[3..33].iter().all(|out| *out), "all September");
        assert!(!out[33..].iter().any(|out| *out));
        // Of a place for which nothing is stated, nothing is there.
        assert_eq!(book.on_hand(&item, &LocationId::new("2")), Quantity::ZERO);
    }

    #[test]
    fn an_order_that_was_taken_at_a_till_is_told_by_its_lines_wherever_they_are() {
        let mut november = month("2026-11-01", &[(3, 9), (5, 4)], &[(3, 2)], &[], 20);
        november.settled = sums(&[(3, 7)]);
        let Record::SaleLine(mut elsewhere) = line("1", "2026-11-02", 7) else { unreachable!() };
        elsewhere.location = LocationId::new("2");
        let sums_alone = book([Record::DemandMonth(november.clone())]);
        assert_eq!(demand(&sums_alone, "2026-11-02"), [0.0, 9.0, 0.0, 4.0, 0.0]);
        let served_elsewhere =
            book([Record::DemandMonth(november.clone()), Record::SaleLine(elsewhere)]).with_detail_days(30);
        assert_eq!(demand(&served_elsewhere, "2026-11-02"), [0.0, 2.0, 0.0, 4.0, 0.0]);
        let served_here = book([Record::DemandMonth(november), line("1", "2026-11-02", 7)]).with_detail_days(30);
        assert_eq!(demand(&served_here, "2026-11-02"), [7.0, 2.0, 0.0, 0.0, 0.0]);
    }

    #[test]
    fn what_is_not_posted_is_on_the_books_and_not_on_the_shelf() {
        let (item, location) = place();
        let Record::StockLevel(mut stated) = level(40) else { unreachable!() };
        stated.unposted = Quantity::units(38);
        let book =
            book([Record::StockLevel(stated), Record::DemandMonth(month("2026-11-01", &[(5, 38)], &[(5, 38)], &[], 40))]);
        assert_eq!(book.on_hand(&item, &location), Quantity::units(40));
        assert_eq!(book.available(&item, &location), Quantity::units(2));
        let levels = book.on_hand_by_day(&item, &location, day("2026-11-04"));
        assert_eq!(levels[..2], [40.0, 2.0], "on the shelf at each close");
    }

    #[test]
    fn a_session_that_is_open_over_the_end_of_a_month_has_emptied_the_shelf_before_it() {
        let (item, location) = place();
        // Rung up on the 31st and booked on the 1st; on the 5th the shelf is filled up.
        let mut october = month("2026-10-01", &[(31, 38)], &[(31, 38)], &[], 40);
        october.unposted_at_close = Quantity::units(38);
        let november = month("2026-11-01", &[], &[], &[], 12);
        let records = [
            level(12),
            moved("1", MoveKind::Receipt, "2026-11-05", 10),
            Record::DemandMonth(october),
            Record::DemandMonth(november),
        ];
        let levels = book(records).on_hand_by_day(&item, &location, day("2026-10-29"));
        assert_eq!(levels, [40.0, 40.0, 2.0, 2.0, 2.0, 2.0, 2.0, 12.0, 12.0]);
    }

    #[test]
    fn the_day_that_runs_is_no_day_yet_and_what_it_moved_is_taken_off_the_stated_level() {
        let (item, location) = place();
        let records = [
            level(12),
            line("1", "2026-11-05", 6),
            line("2", "2026-11-06", 4),
            moved("3", MoveKind::Receipt, "2026-11-06", 5),
            Record::DemandMonth(month("2026-11-01", &[(6, 4)], &[], &[], 11)),
        ];
        let morning = Book::new("2026-11-06T13:00:00Z".parse().unwrap(), Calendar::utc(), records).with_detail_days(30);
        assert_eq!((morning.today, morning.closed), (day("2026-11-06"), day("2026-11-05")));
        assert_eq!(demand(&morning, "2026-11-04"), [0.0, 6.0]);
        assert!((morning.sold_today(&item, &location) - 4.0).abs() < 1e-9);
        // 12 now, 4 sold and 5 come since the close: 11 were there.
        assert_eq!(morning.on_hand_by_day(&item, &location, day("2026-11-04")), [11.0, 11.0]);
        assert_eq!(morning.days_from(day("2026-11-04"), &location).len(), 2);
    }

    #[test]
    fn a_day_ends_in_the_zone_of_its_location() {
        let (item, location) = place();
        let north = crate::record::Location {
            id: location.clone(),
            code: "AKL".into(),
            name: "Auckland".into(),
            company: None,
            company_name: String::new(),
        };
        // Half past ten in the evening UTC is the next day's late morning in Auckland.
        let Record::SaleLine(mut late) = line("1", "2026-11-04", 3) else { unreachable!() };
        late.ordered_at = "2026-11-04T22:30:00Z".parse().unwrap();
        let records = [Record::Location(north), Record::SaleLine(late)];
        let zones = BTreeMap::from([("AKL".to_owned(), jiff::tz::TimeZone::get("Pacific/Auckland").unwrap())]);
        let at = "2026-11-05T12:00:00Z".parse().unwrap();
        let there = Book::new(at, Calendar::utc(), records.clone()).with_zones(&zones);
        assert_eq!((there.closed, there.closed_at(&location)), (day("2026-11-04"), day("2026-11-05")));
        assert_eq!(demand(&there, "2026-11-04"), [0.0, 3.0]);
        assert_eq!(there.on_hand(&item, &location), Quantity::ZERO);
        assert_eq!(demand(&Book::new(at, Calendar::utc(), records), "2026-11-04"), [3.0]);
    }

    #[test]
    fn a_day_that_sums_call_out_of_stock_is_one_whatever_single_moves_say() {
        let records = [level(5), Record::DemandMonth(month("2026-11-01", &[(1, 3)], &[], &[2, 3], 5))];
        let (item, location) = place();
        let out = book(records).out_by_day(&item, &location, day("2026-11-01"));
        assert_eq!(out, [false, true, true, false, false, false]);
    }
}
