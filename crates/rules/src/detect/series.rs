//! Series of demand as the book has them: what was wanted on each day that is over, and which days teach nothing.

use std::collections::BTreeSet;

use jiff::civil::Date;

use super::demand::SPIKE_UNITS;
use super::feed::Feeds;
use reeve_domain::book::{Book, Place};
use reeve_domain::calendar::{days_between, plus_days};
use reeve_domain::money::Quantity;
use reeve_models::demand::{DayScore, DemandParams, Series, score_series};

/// Share of an order's units in one line from which the order was placed for that line (with [`BULK_TIMES`], D-BULK).
const BULK_SHARE: f64 = 0.8;

/// One line above this many times the usual line is a bulk order (handbook §4.1).
pub(super) const BULK_TIMES: f64 = 5.0;

/// The day that still runs at a place, scored as a whole day. None where too little was sold on it to be anything yet.
pub(super) fn running_day(
    book: &Book,
    place: &Place,
    series: &Series,
    twins: &BTreeSet<String>,
    params: &DemandParams,
) -> Option<DayScore> {
    let (item, location) = place;
    let day = plus_days(book.closed_at(location), 1);
    let sold = book.sold_today(item, location) - twins_on(book, place, twins, day);
    if sold < SPIKE_UNITS {
        return None;
    }
    let mut series = series.clone();
    series.units.push(sold);
    series.censored.push(false);
    series.promo.push(book.promotion_on(item, location, day).is_some());
    series.blocked.push(false);
    score_series(&series, params).pop()
}

/// Units on a day in orders that are another order once more: they are no demand.
pub(super) fn twins_on(book: &Book, place: &Place, twins: &BTreeSet<String>, day: Date) -> f64 {
    let (calendar, from) = (book.calendar_of(&place.1), book.lines_from(&place.0, &place.1));
    let lines = book.sales_at(&place.0, &place.1).into_iter().filter(|l| twins.contains(&l.order_id));
    lines.filter(|l| day >= from && calendar.day_of(l.ordered_at) == day).map(|l| l.qty.to_f64()).sum()
}

pub(super) fn series_of(book: &Book, place: &Place, first: Date, twins: &BTreeSet<String>, feeds: &Feeds) -> Series {
    let (item, location) = place;
    let mut units = book.demand_by_day(item, location, first);
    let days = book.days_from(first, location);
    let out = book.out_by_day(item, location, first);
    let lines_from = book.lines_from(item, location);
    let delisted = book.items.get(item).and_then(|i| i.delisted_at).map(|at| book.calendar.day_of(at));
    let mut blocked: Vec<bool> = days.iter().map(|day| delisted.is_some_and(|from| *day >= from)).collect();
    for line in book.sales_at(item, location).into_iter().filter(|l| twins.contains(&l.order_id)) {
        // The second of two orders that are one is not demand.
        let day = book.calendar_of(location).day_of(line.ordered_at);
        if let Some(at) = index(first, day).filter(|at| *at < units.len() && day >= lines_from) {
            units[at] -= line.qty.to_f64();
        }
    }
    // Before it was first there or first sold an item was not on offer: those days are not days of little demand.
    let launched = (0..units.len()).find(|at| units[*at] > 0.0 || !out[*at]).unwrap_or(units.len());
    blocked.iter_mut().take(launched).for_each(|day| *day = true);
    // A day that has not come says nothing, whatever it looks like.
    for (at, day) in days.iter().enumerate() {
        blocked[at] |= feeds.is_silent(location, *day);
    }
    // Twice as much as the rest of the week in one line says nothing about the next week.
    for (at, day) in days.iter().enumerate() {
        blocked[at] |= bulk_order(book, place, *day).is_some();
    }
    let usual = reeve_models::formulas::median(&units).unwrap_or(0.0);
    let censored = (0..units.len()).map(|at| (out[at] || (at > 0 && out[at - 1])) && units[at] < usual).collect();
    let promo = days.iter().map(|day| book.promotion_on(item, location, *day).is_some()).collect();
    Series { first, units, censored, promo, blocked }
}

pub(super) fn index(first: Date, day: Date) -> Option<usize> {
    usize::try_from(days_between(first, day)).ok()
}

/// D-BULK as an explanation: one line far above the usual line, in an order that is hardly anything else, while the rest of
/// the day is ordinary. A surge that happens to fall on one customer's ordinary order is still a surge.
pub(super) fn bulk_order(book: &Book, place: &Place, day: Date) -> Option<(String, String, Quantity)> {
    let lines = book.sales_at(&place.0, &place.1);
    let calendar = book.calendar_of(&place.1);
    let largest = lines.iter().filter(|l| calendar.day_of(l.ordered_at) == day).max_by(|a, b| a.qty.cmp(&b.qty))?;
    let before: Vec<f64> = lines.iter().filter(|l| calendar.day_of(l.ordered_at) < day).map(|l| l.qty.to_f64()).collect();
    let usual = reeve_models::formulas::median(&before).filter(|_| before.len() >= 5)?;
    let qty = largest.qty.to_f64();
    if qty <= BULK_TIMES * usual {
        return None;
    }
    let order: f64 = book.lines_of_sale(&largest.order_id).iter().map(|l| l.qty.to_f64()).sum();
    (qty >= BULK_SHARE * order).then(|| (largest.id.clone(), largest.order_name.clone(), largest.qty))
}
