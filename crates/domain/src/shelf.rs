//! A shelf: what the book says of an item at a location day by day, read off its records once for whoever needs several of it.

use jiff::civil::Date;

use super::book::Book;
use super::calendar::plus_days;
use super::ids::{ItemId, LocationId};
use super::record::SaleLine;

/// The days of an item at a location, from a first day to the last that is over there.
#[derive(Clone, Debug)]
pub struct Shelf<'b> {
    /// Its sale lines with the location's day of each, in order of time; those of other days, too.
    pub sales: Vec<(Date, &'b SaleLine)>,
    /// The first day of which lines are its demand: [`Book::lines_from`].
    pub lines_from: Date,
    /// Wanted on each day: [`Book::demand_by_day`].
    pub units: Vec<f64>,
    /// Wanted so far on the day that still runs: [`Book::sold_today`].
    pub so_far: f64,
    /// Did each day close with nothing on hand: [`Book::out_by_day`].
    pub out: Vec<bool>,
}

impl Book {
    /// The shelf of an item at a location from `first` on.
    pub fn shelf(&self, item: &ItemId, location: &LocationId, first: Date) -> Shelf<'_> {
        let sales = self.dated_sales(item, location);
        let lines_from = self.lines_from(item, location);
        let closed = self.closed_at(location);
        let running = plus_days(closed, 1);
        let wanted = |from, to| self.demand_of(item, location, &sales, lines_from, (from, to));
        let units = wanted(first, closed);
        let so_far = wanted(running, running).first().copied().unwrap_or(0.0);
        let out = self.out_by_day(item, location, first);
        Shelf { sales, lines_from, units, so_far, out }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::tests::random::{a_book, places};

    proptest! {
        #[test]
        fn a_shelf_says_what_each_question_alone_does(book in a_book()) {
            let first = plus_days(book.today, -40);
            for (item, location) in places(&book) {
                let shelf = book.shelf(&item, &location, first);
                prop_assert_eq!(&shelf.units, &book.demand_by_day(&item, &location, first));
                prop_assert_eq!(&shelf.out, &book.out_by_day(&item, &location, first));
                prop_assert_eq!(shelf.so_far.to_bits(), book.sold_today(&item, &location).to_bits());
                prop_assert_eq!(shelf.lines_from, book.lines_from(&item, &location));
                prop_assert_eq!(shelf.sales.len(), book.sales_at(&item, &location).len());
            }
        }
    }
}
