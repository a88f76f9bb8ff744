//! The book's demand as a panel: every item at every location where it was ever sold, over the same days.
//!
//! What a day says is what was known at its close. A location is closed on a weekday on which it has sold nothing at all
//! for eight weeks; what it never sold up to a day is closed there on that day. The books know no holidays.

use jiff::civil::Date;

use super::feed::Feeds;
use super::gather::Overview;
use super::series::{Ground, index};
use reeve_domain::book::{Book, Place};
use reeve_domain::shelf::Shelf;
use reeve_models::demand::panel::{Cell, Panel, PanelError, SeriesKey, TRADING_HOURS};

/// Weeks without a sale on a weekday after which a location counts as closed on it.
const CLOSED_WEEKS: usize = 8;

/// The cells of a series.
pub(super) type Cells = (SeriesKey, Vec<Cell>);

/// The demand of a book; nothing where nothing was ever sold.
///
/// # Errors
/// None that a book could meet: its days and places are in order.
pub fn panel(book: &Book, feeds: &Feeds) -> Result<Option<Panel>, PanelError> {
    let Some(first) = book.first_day() else { return Ok(None) };
    let overview = Overview { feeds: feeds.clone(), ..Overview::default() };
    let (days, ground) = (book.days_anywhere(first), Ground::of(book, first, &overview));
    let of = |place: Place| {
        let shelf = book.shelf(&place.0, &place.1, first);
        cells(&ground, &place, &shelf, &ground.promoted(&place), &days)
    };
    let series = book.places().into_iter().filter_map(of).collect();
    assemble(days, series)
}

/// A panel of series over the same days, in any order; nothing where there are none.
///
/// # Errors
/// None that a book could meet: its days are in order, and no place has two series.
pub(super) fn assemble(days: Vec<Date>, mut series: Vec<Cells>) -> Result<Option<Panel>, PanelError> {
    if days.is_empty() || series.is_empty() {
        return Ok(None);
    }
    // By location first: whether a location was closed is asked of all its items together.
    series.sort_by(|a, b| a.0.cmp(&b.0));
    for of_location in series.chunk_by_mut(|a, b| a.0.location == b.0.location) {
        let mut sold: Vec<f32> = vec![0.0; days.len()];
        for (_, cells) in of_location.iter() {
            sold.iter_mut().zip(cells).for_each(|(sold, cell)| *sold += cell.units);
        }
        // Today and the same weekday of the weeks before.
        let weeks = |at: usize| (0..=CLOSED_WEEKS).map(move |week| at.checked_sub(7 * week));
        let closed = |at: usize| weeks(at).all(|day| day.is_some_and(|day| sold[day] <= 0.0));
        let closed: Vec<bool> = (0..days.len()).map(closed).collect();
        for (_, cells) in of_location {
            cells.iter_mut().zip(&closed).for_each(|(cell, closed)| cell.open &= !closed);
        }
    }
    Panel::of_series(days, series).map(Some)
}

/// The cells of a place; none where nothing was ever sold there. `promo` says of each day that is over there whether the item
/// was on promotion.
pub(super) fn cells(ground: &Ground<'_>, place: &Place, shelf: &Shelf<'_>, promo: &[bool], days: &[Date]) -> Option<Cells> {
    let launched = shelf.units.iter().position(|units| *units > 0.0)?;
    let (item, location) = place;
    let book = ground.book;
    let (out, silent) = (&shelf.out, ground.days_of(location).1);
    // Silence before a launch, after a delisting or on days whose data are missing is no fall in demand.
    let delisted = book.items.get(item).and_then(|item| item.delisted_at).map(|at| book.calendar.day_of(at));
    let prices = prices(shelf, ground.first, days.len());
    let cell = |(at, day): (usize, &Date)| {
        // Where the day still runs it is no day yet, though it is over elsewhere.
        let Some(units) = shelf.units.get(at) else { return Cell { price: prices[at], ..Cell::CLOSED } };
        // Out at the close of the day before, at its own close, or at both: half the hours for each.
        let ends = [at > 0 && out[at - 1], out[at]].into_iter().filter(|out| *out).count();
        Cell {
            // What came back is no demand.
            units: units.max(0.0) as f32,
            price: prices[at],
            stockout_hours: TRADING_HOURS * ends as f32 / 2.0,
            promo: promo[at],
            holiday: false,
            open: at >= launched && delisted.is_none_or(|from| *day < from) && !silent[at],
        }
    };
    let key = SeriesKey { location: location.to_string(), item: item.to_string() };
    Some((key, days.iter().enumerate().map(cell).collect()))
}

/// The mean price of a unit on each day, that of the day before where nothing was sold at a price that is known.
fn prices(shelf: &Shelf<'_>, first: Date, days: usize) -> Vec<f32> {
    let mut sums = vec![(0.0, 0.0); days];
    for (day, line) in &shelf.sales {
        let at = index(first, *day);
        if let (Some(sum), Some(price)) = (at.and_then(|at| sums.get_mut(at)), line.price) {
            let qty = line.qty.to_f64().max(0.0);
            *sum = (sum.0 + qty * price.to_f64(), sum.1 + qty);
        }
    }
    // A day without a sale has the price of the last one: the shelf's price does not vanish because nobody buys.
    let mut last = 0.0;
    let mut price = |(money, units): (f64, f64)| {
        if units > 0.0 && money > 0.0 {
            last = (money / units) as f32;
        }
        last
    };
    sums.into_iter().map(&mut price).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use reeve_domain::calendar::{Calendar, plus_days};
    use reeve_domain::ids::{ItemId, LocationId};
    use reeve_domain::money::{Quantity, UnitPrice};
    use reeve_domain::record::{MoveKind, Record, SaleLine, StockMove};
    use reeve_testing::records;

    const FIRST: &str = "2026-07-06";

    fn day(number: i32) -> Date {
        plus_days(FIRST.parse().unwrap(), number)
    }

    fn noon(number: i32) -> jiff::Timestamp {
        format!("{}T12:00:00Z", day(number)).parse().unwrap()
    }

    fn item(id: &str) -> Record {
        Record::Item(records::item(id))
    }

    fn sale(number: i32, item: &str, units: i64, price: Option<f64>) -> Record {
        Record::SaleLine(SaleLine {
            item: ItemId::new(item),
            location: LocationId::new("1"),
            qty: Quantity::units(units),
            price: price.and_then(UnitPrice::from_erp),
            ordered_at: noon(number),
            ..records::sale_line(&format!("{number}-{item}"))
        })
    }

    fn stock(number: i32, kind: MoveKind, units: i64) -> Record {
        let (from, to) = if kind == MoveKind::Delivery { (Some("1"), None) } else { (None, Some("1")) };
        Record::Move(StockMove {
            item: ItemId::new("a"),
            qty: Quantity::units(units),
            created_at: noon(number),
            done_at: Some(noon(number)),
            ..records::moved(&format!("m{number}"), kind, from, to)
        })
    }

    /// A shop of one location: `a` sells every day but Sundays for eleven weeks, `b` from the second week on, `c` never.
    fn shop() -> Panel {
        let location = records::location("1", "One");
        let mut records = vec![item("a"), item("b"), item("c"), Record::Location(location)];
        for number in (0..77).filter(|number| number % 7 != 6) {
            records.push(sale(number, "a", 2, (number < 10).then_some(1.5)));
            if number >= 7 {
                records.push(sale(number, "b", 1, Some(4.0)));
            }
        }
        // Out from the close of the 20th day on until goods come on the 22nd.
        records.extend([
            stock(0, MoveKind::Receipt, 30),
            stock(20, MoveKind::Delivery, 30),
            stock(22, MoveKind::Receipt, 90),
        ]);
        records.push(Record::Promotion(records::promotion("loyalty-1", "a", day(30), day(31))));
        let book = Book::new(Calendar::utc().close_of(day(76)), Calendar::utc(), records);
        panel(&book, &Feeds::default()).unwrap().unwrap()
    }

    #[test]
    fn what_was_never_sold_has_no_series_and_nothing_is_open_before_its_first_sale() {
        let panel = shop();
        let items: Vec<&str> = panel.keys().iter().map(|key| key.item.as_str()).collect();
        assert_eq!((items, panel.days().len()), (vec!["a", "b"], 77));
        assert!(panel.series(0)[0].open);
        assert!(!panel.series(1)[5].open && panel.series(1)[7].open);
    }

    #[test]
    fn a_weekday_without_sales_is_closed_once_eight_weeks_have_shown_it() {
        let panel = shop();
        let sundays: Vec<bool> = (0..11).map(|week| panel.series(0)[7 * week + 6].open).collect();
        assert_eq!(sundays, [vec![true; 8], vec![false; 3]].concat());
        assert!((0..77).filter(|day| day % 7 != 6).all(|day| panel.series(0)[day].open));
    }

    #[test]
    fn a_cell_says_price_promotion_and_hours_without_stock() {
        let panel = shop();
        let cells = panel.series(0);
        assert_eq!((cells[9].price, cells[50].price, panel.series(1)[7].price), (1.5, 1.5, 4.0));
        let promo: Vec<usize> = (0..77).filter(|day| cells[*day].promo).collect();
        assert_eq!(promo, [30, 31]);
        let hours: Vec<f32> = cells[19..24].iter().map(|cell| cell.stockout_hours).collect();
        assert_eq!(hours, [0.0, 8.0, 16.0, 8.0, 0.0]);
        assert!((cells[10].units - 2.0).abs() < 1e-6);
    }
}
