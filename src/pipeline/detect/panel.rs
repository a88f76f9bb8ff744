//! The book's demand as a panel: every item at every location where it was ever sold, over the same days.
//!
//! What a day says is what was known at its close. A location is closed on a weekday on which it has sold nothing at all
//! for eight weeks; what it never sold up to a day is closed there on that day. The books know no holidays.

use std::collections::BTreeMap;

use jiff::civil::Date;

use crate::domain::book::{Book, Place};
use crate::domain::calendar::days_between;
use crate::models::demand::panel::{Cell, Panel, PanelError, SeriesKey, TRADING_HOURS};

/// Weeks without a sale on a weekday after which a location counts as closed on it.
const CLOSED_WEEKS: usize = 8;

/// The demand of a book; nothing where nothing was ever sold.
///
/// # Errors
/// None that a book could meet: its days and places are in order.
pub fn panel(book: &Book) -> Result<Option<Panel>, PanelError> {
    let Some(first) = book.first_day() else { return Ok(None) };
    let days = book.days_from(first);
    let mut series: BTreeMap<SeriesKey, Vec<Cell>> = BTreeMap::new();
    for place in book.places() {
        let units = book.demand_by_day(&place.0, &place.1, first);
        if let Some(launched) = units.iter().position(|units| *units > 0.0) {
            let key = SeriesKey { location: place.1.to_string(), item: place.0.to_string() };
            series.insert(key, cells(book, &place, first, &days, &units, launched));
        }
    }
    let mut by_location: BTreeMap<String, Vec<f32>> = BTreeMap::new();
    for (key, cells) in &series {
        let sold = by_location.entry(key.location.clone()).or_insert_with(|| vec![0.0; days.len()]);
        sold.iter_mut().zip(cells).for_each(|(sold, cell)| *sold += cell.units);
    }
    for (key, cells) in &mut series {
        let sold = &by_location[&key.location];
        for (at, cell) in cells.iter_mut().enumerate() {
            // Today and the same weekday of the weeks before.
            let weeks = (0..=CLOSED_WEEKS).map(|week| at.checked_sub(7 * week));
            let silent = weeks.map(|day| day.is_some_and(|day| sold[day] <= 0.0));
            cell.open &= !silent.into_iter().all(|silent| silent);
        }
    }
    let (keys, cells): (Vec<SeriesKey>, Vec<Vec<Cell>>) = series.into_iter().unzip();
    Panel::new(days, keys, cells.concat()).map(|panel| (!panel.keys().is_empty()).then_some(panel))
}

fn cells(book: &Book, place: &Place, first: Date, days: &[Date], units: &[f64], launched: usize) -> Vec<Cell> {
    let (item, location) = place;
    let out = book.out_by_day(item, location, first);
    let delisted = book.items.get(item).and_then(|item| item.delisted_at).map(|at| book.calendar.day_of(at));
    let prices = prices(book, place, first, days.len());
    let cell = |(at, day): (usize, &Date)| {
        // Out at the close of the day before, at its own close, or at both: half the hours for each.
        let ends = [at > 0 && out[at - 1], out[at]].into_iter().filter(|out| *out).count();
        Cell {
            // What came back is no demand.
            units: units[at].max(0.0) as f32,
            price: prices[at],
            stockout_hours: TRADING_HOURS * ends as f32 / 2.0,
            promo: book.promotion_on(item, *day).is_some(),
            holiday: false,
            open: at >= launched && delisted.is_none_or(|from| *day < from),
        }
    };
    days.iter().enumerate().map(cell).collect()
}

/// The mean price of a unit on each day, that of the day before where nothing was sold at a price that is known.
fn prices(book: &Book, place: &Place, first: Date, days: usize) -> Vec<f32> {
    let mut sums = vec![(0.0, 0.0); days];
    for line in book.sales_at(&place.0, &place.1) {
        let at = usize::try_from(days_between(first, book.calendar.day_of(line.ordered_at))).ok();
        if let (Some(sum), Some(price)) = (at.and_then(|at| sums.get_mut(at)), line.price) {
            let qty = line.qty.to_f64().max(0.0);
            *sum = (sum.0 + qty * price.to_f64(), sum.1 + qty);
        }
    }
    let mut last = 0.0;
    let mut price = |(money, units): (f64, f64)| {
        if units > 0.0 && money > 0.0 {
            last = (money / units) as f32;
        }
        last
    };
    sums.into_iter().map(&mut price).collect()
}
