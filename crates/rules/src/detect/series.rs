//! Series of demand as the book has them: what was wanted on each day that is over, and which days teach nothing.

use std::collections::{BTreeMap, BTreeSet};

use jiff::civil::Date;

use super::demand::SPIKE_UNITS;
use super::gather::{Overview, hash_of};
use reeve_domain::book::{Book, Place};
use reeve_domain::calendar::{days_between, plus_days};
use reeve_domain::ids::LocationId;
use reeve_domain::money::Quantity;
use reeve_domain::record::SaleLine;
use reeve_domain::shelf::Shelf;
use reeve_models::demand::Series;
use reeve_models::formulas::median_of_sorted;

/// Share of an order's units in one line from which the order was placed for that line (with [`BULK_TIMES`], D-BULK).
const BULK_SHARE: f64 = 0.8;

/// One line above this many times the usual line is a bulk order (handbook §4.1).
pub(super) const BULK_TIMES: f64 = 5.0;

/// Earlier lines from which the usual line is known.
const USUAL_LINES: usize = 5;

/// Days of history over which series are scored at least. What is usual is learned from the last eight weeks, weekdays from all
/// of them; what happened before says little about today and would cost as much to go through as what did not.
const SCORED_DAYS: i32 = 150;

/// The first day of every series: the book's first, or where that is long ago the first of a month, so that series begin anew
/// once a month and not every day. None in a book without any day.
pub(super) fn scored_from(book: &Book) -> Option<Date> {
    let long_ago = plus_days(book.closed, -SCORED_DAYS).first_of_month();
    book.first_day().map(|first| first.max(long_ago))
}

/// One customer's bulk order, by the line that makes it one.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Bulk {
    /// The sale line.
    pub(super) line: String,
    /// The order's name.
    pub(super) order: String,
    /// How much of the item it took.
    pub(super) qty: Quantity,
}

/// What the series of all items are read off against: the days, and what is said of whole locations.
pub(super) struct Ground<'b> {
    pub(super) book: &'b Book,
    /// The first day of every series.
    pub(super) first: Date,
    /// Orders that are another order once more: they are no demand.
    twins: &'b BTreeSet<u64>,
    /// Units in the orders that have several lines, of whatever item.
    order_units: &'b BTreeMap<u64, f64>,
    /// By location: the days that are over there, and of which of them data are missing.
    days: BTreeMap<&'b LocationId, (Vec<Date>, Vec<bool>)>,
}

impl<'b> Ground<'b> {
    /// Of a book whose first day is `first`.
    pub(super) fn of(book: &'b Book, first: Date, overview: &'b Overview) -> Self {
        let Overview { feeds, twins, order_units, .. } = overview;
        let of = |location: &'b LocationId| {
            let days = book.days_from(first, location);
            let silent = days.iter().map(|day| feeds.is_silent(location, *day)).collect();
            (location, (days, silent))
        };
        Self { book, first, twins, order_units, days: book.locations.keys().map(of).collect() }
    }

    /// The days of a location that are over, and of which of them data are missing.
    pub(super) fn days_of(&self, location: &LocationId) -> (&[Date], &[bool]) {
        self.days.get(location).map_or((&[], &[]), |(days, silent)| (days, silent))
    }

    /// Of each day at a place: is the item on promotion?
    pub(super) fn promoted(&self, (item, location): &Place) -> Vec<bool> {
        let days = self.days_of(location).0;
        let running: Vec<(Date, Date)> = self.book.promotions_at(item, location).map(|p| (p.from, p.to)).collect();
        days.iter().map(|day| running.iter().any(|(from, to)| from <= day && day <= to)).collect()
    }

    fn is_twin(&self, line: &SaleLine) -> bool {
        !self.twins.is_empty() && self.twins.contains(&hash_of(&line.order_id))
    }

    /// The series of a place, and its bulk orders by day.
    pub(super) fn series(&self, place: &Place, shelf: &Shelf<'_>) -> (Series, BTreeMap<Date, Bulk>) {
        let (book, first) = (self.book, self.first);
        let (days, silent) = self.days_of(&place.1);
        let mut units = shelf.units.clone();
        let out = &shelf.out;
        let delisted = book.items.get(&place.0).and_then(|i| i.delisted_at).map(|at| book.calendar.day_of(at));
        let mut blocked: Vec<bool> = days.iter().map(|day| delisted.is_some_and(|from| *day >= from)).collect();
        for (day, line) in shelf.sales.iter().filter(|(_, line)| self.is_twin(line)) {
            // The second of two orders that are one is not demand.
            if let Some(at) = index(first, *day).filter(|at| *at < units.len() && *day >= shelf.lines_from) {
                units[at] -= line.qty.to_f64();
            }
        }
        // Before it was first there or first sold an item was not on offer: those days are not days of little demand.
        let launched = (0..units.len()).find(|at| units[*at] > 0.0 || !out[*at]).unwrap_or(units.len());
        blocked.iter_mut().take(launched).for_each(|day| *day = true);
        // A day that has not come says nothing, whatever it looks like.
        blocked.iter_mut().zip(silent).for_each(|(blocked, silent)| *blocked |= silent);
        // Twice as much as the rest of the week in one line says nothing about the next week.
        let bulk = bulk_orders(book, self.order_units, &shelf.sales);
        for at in bulk.keys().filter_map(|day| index(first, *day)) {
            if let Some(blocked) = blocked.get_mut(at) {
                *blocked = true;
            }
        }
        // A day that ended without stock and still sold the usual has lost
        // nothing that could be seen: it may be learned from.
        let usual = reeve_models::formulas::median(&units).unwrap_or(0.0);
        let censored = (0..units.len()).map(|at| (out[at] || (at > 0 && out[at - 1])) && units[at] < usual).collect();
        (Series { first, units, censored, promo: self.promoted(place), blocked }, bulk)
    }

    /// The series with the day that still runs as if it were a whole day. None where too little was sold on it to be anything
    /// yet.
    pub(super) fn with_running_day(&self, place: &Place, shelf: &Shelf<'_>, series: &Series) -> Option<Series> {
        let (item, location) = place;
        let day = plus_days(self.book.closed_at(location), 1);
        let again = shelf.sales.iter().filter(|(at, line)| self.is_twin(line) && *at == day && day >= shelf.lines_from);
        let sold = shelf.so_far - again.map(|(_, line)| line.qty.to_f64()).sum::<f64>();
        if sold < SPIKE_UNITS {
            return None;
        }
        let mut series = series.clone();
        series.units.push(sold);
        // It is only asked whether it is far above the usual already. Whether it is quiet is known when it is over.
        series.censored.push(false);
        series.promo.push(self.book.promotion_on(item, location, day).is_some());
        series.blocked.push(false);
        Some(series)
    }
}

pub(super) fn index(first: Date, day: Date) -> Option<usize> {
    usize::try_from(days_between(first, day)).ok()
}

/// D-BULK as an explanation, by day: one line far above the usual line before that day, in an order that is hardly anything
/// else, while the rest of the day is ordinary. A surge that happens to fall on one customer's ordinary order is still a surge.
fn bulk_orders(book: &Book, units: &BTreeMap<u64, f64>, sales: &[(Date, &SaleLine)]) -> BTreeMap<Date, Bulk> {
    // Where clocks are put back over midnight a later line can be of an earlier day.
    let mut sales: Vec<&(Date, &SaleLine)> = sales.iter().collect();
    sales.sort_by_key(|(day, _)| *day);
    let mut found = BTreeMap::new();
    // The lines of the days before, smallest first.
    let mut before: Vec<f64> = Vec::with_capacity(sales.len());
    for lines in sales.chunk_by(|a, b| a.0 == b.0) {
        if let Some((day, largest)) = lines.iter().max_by(|a, b| a.1.qty.cmp(&b.1.qty)) {
            let usual = median_of_sorted(&before).filter(|_| before.len() >= USUAL_LINES);
            if usual.is_some_and(|usual| largest.qty.to_f64() > BULK_TIMES * usual) && makes_its_order(book, units, largest)
            {
                let (line, order) = (largest.id.clone(), largest.order_name.clone());
                found.insert(*day, Bulk { line, order, qty: largest.qty });
            }
        }
        for (_, line) in lines {
            let qty = line.qty.to_f64();
            before.insert(before.partition_point(|earlier| earlier.total_cmp(&qty).is_le()), qty);
        }
    }
    found
}

/// Is an order hardly anything else than this line?
fn makes_its_order(book: &Book, units: &BTreeMap<u64, f64>, line: &SaleLine) -> bool {
    let alone = || book.lines_of_sale(&line.order_id).iter().map(|l| l.qty.to_f64()).sum();
    let order = units.get(&hash_of(&line.order_id)).copied().unwrap_or_else(alone);
    line.qty.to_f64() >= BULK_SHARE * order
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use reeve_domain::calendar::Calendar;
    use reeve_domain::ids::ItemId;
    use reeve_domain::record::Record;

    use super::*;

    /// The bulk order of one day, by a walk over all lines of the place.
    fn by_scan(book: &Book, place: &Place, day: Date) -> Option<Bulk> {
        let lines = book.sales_at(&place.0, &place.1);
        let calendar = book.calendar_of(&place.1);
        let largest = lines.iter().filter(|l| calendar.day_of(l.ordered_at) == day).max_by(|a, b| a.qty.cmp(&b.qty))?;
        let before = lines.iter().filter(|l| calendar.day_of(l.ordered_at) < day);
        let before: Vec<f64> = before.map(|l| l.qty.to_f64()).collect();
        let usual = reeve_models::formulas::median(&before).filter(|_| before.len() >= 5)?;
        let qty = largest.qty.to_f64();
        if qty <= BULK_TIMES * usual {
            return None;
        }
        let order: f64 = book.lines_of_sale(&largest.order_id).iter().map(|l| l.qty.to_f64()).sum();
        let bulk = || Bulk { line: largest.id.clone(), order: largest.order_name.clone(), qty: largest.qty };
        (qty >= BULK_SHARE * order).then(bulk)
    }

    proptest! {
        #[test]
        fn bulk_orders_are_those_that_each_day_alone_would_find(
            sales in prop::collection::vec((0_i64..40, 0_i64..5, 1_i64..30, 0_u8..20), 0..80),
        ) {
            let place = (ItemId::new("7"), LocationId::new("1"));
            let now: jiff::Timestamp = "2026-11-06T12:00:00Z".parse().unwrap();
            let line = |(nth, (days, hours, units, order)): (usize, (i64, i64, i64, u8))| Record::SaleLine(SaleLine {
                id: nth.to_string(),
                order_id: order.to_string(),
                order_name: format!("S{order}"),
                customer: "1".to_owned(),
                reference: String::new(),
                // Most are of one item, so that orders hold others, too.
                item: ItemId::new(if nth % 5 == 4 { "8" } else { "7" }),
                location: place.1.clone(),
                // Few lines are large.
                qty: Quantity::units(if units > 25 { units } else { units % 3 + 1 }),
                price: None,
                ordered_at: now - jiff::SignedDuration::from_hours(24 * days + hours),
            });
            let book = Book::new(now, Calendar::utc(), sales.into_iter().enumerate().map(line));
            let first = plus_days(book.today, -45);
            let all = bulk_orders(&book, &BTreeMap::new(), &book.shelf(&place.0, &place.1, first).sales);
            for day in (0..50).map(|at| plus_days(first, at)) {
                prop_assert_eq!(all.get(&day).cloned(), by_scan(&book, &place, day));
            }
        }
    }
}
