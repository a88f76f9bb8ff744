//! Demand of many items at many locations over the same days: what the detectors of demand read.
//!
//! A panel is a table of series × days without holes; what the books do not have of a day is a closed cell. Nothing in it
//! says what is odd.

use jiff::civil::Date;

/// Hours in which an item can be sold on an open day; stock-out hours are counted out of these.
pub const TRADING_HOURS: f32 = 16.0;

/// What the books say of one item at one location on one day.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Cell {
    /// Units sold, in the stock unit; returns are not in it.
    pub units: f32,
    /// Price of a unit, in any unit of money that is the same over the series; 0 where it is not known.
    pub price: f32,
    /// Hours of [`TRADING_HOURS`] in which the system itself knew that there was no stock.
    pub stockout_hours: f32,
    /// On promotion.
    pub promo: bool,
    /// A holiday for the location.
    pub holiday: bool,
    /// The location was open, so that the item could be sold.
    pub open: bool,
}

impl Cell {
    /// A day of which there is nothing.
    pub const CLOSED: Self = Self { units: 0.0, price: 0.0, stockout_hours: 0.0, promo: false, holiday: false, open: false };

    /// Share of the trading hours with stock, as far as the system knew: 0 to 1.
    pub fn availability(&self) -> f32 {
        1.0 - self.stockout_hours.clamp(0.0, TRADING_HOURS) / TRADING_HOURS
    }
}

/// Whose demand a series is.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct SeriesKey {
    /// The location.
    pub location: String,
    /// The item.
    pub item: String,
}

/// Series × days.
#[derive(Clone, Debug, PartialEq)]
pub struct Panel {
    days: Vec<Date>,
    keys: Vec<SeriesKey>,
    /// By series.
    cells: Vec<Vec<Cell>>,
    locations: Vec<usize>,
    items: Vec<usize>,
}

/// Why cells are no panel.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PanelError {
    /// Too few or too many cells for the series and days.
    #[error("{series} series of {days} days need {} cells, and there are {cells}", series * days)]
    Shape {
        /// Series named.
        series: usize,
        /// Days named.
        days: usize,
        /// Cells given.
        cells: usize,
    },
    /// Days or series that are not in rising order, or named twice.
    #[error("{what} must be in rising order, each once; number {at} is not above the one before")]
    Order {
        /// What is out of order.
        what: &'static str,
        /// Index of the first that is.
        at: usize,
    },
}

impl Panel {
    /// A panel of `cells`, series after series in the order of `keys`, each over all `days`.
    ///
    /// # Errors
    /// Days and keys must rise, and there must be a cell for each pair of them.
    pub fn new(days: Vec<Date>, keys: Vec<SeriesKey>, cells: Vec<Cell>) -> Result<Self, PanelError> {
        if cells.len() != days.len() * keys.len() {
            return Err(PanelError::Shape { series: keys.len(), days: days.len(), cells: cells.len() });
        }
        let (each, mut cells) = (days.len(), cells.into_iter());
        let series = keys.into_iter().map(|key| (key, cells.by_ref().take(each).collect())).collect();
        Self::of_series(days, series)
    }

    /// A panel of series, each with a cell for each of all `days`: nothing is copied, however many there are.
    ///
    /// # Errors
    /// As [`Panel::new`].
    pub fn of_series(days: Vec<Date>, series: Vec<(SeriesKey, Vec<Cell>)>) -> Result<Self, PanelError> {
        let (keys, cells): (Vec<SeriesKey>, Vec<Vec<Cell>>) = series.into_iter().unzip();
        if cells.iter().any(|cells| cells.len() != days.len()) {
            let there = cells.iter().map(Vec::len).sum();
            return Err(PanelError::Shape { series: keys.len(), days: days.len(), cells: there });
        }
        let rising = |what, at: Option<usize>| at.map_or(Ok(()), |at| Err(PanelError::Order { what, at: at + 1 }));
        rising("days", days.windows(2).position(|pair| pair[0] >= pair[1]))?;
        rising("series", keys.windows(2).position(|pair| pair[0] >= pair[1]))?;
        let locations = numbered(keys.iter().map(|key| key.location.as_str()));
        let items = numbered(keys.iter().map(|key| key.item.as_str()));
        Ok(Self { days, keys, cells, locations, items })
    }

    /// The panel as it was before day number `until`.
    ///
    /// # Errors
    /// None that a panel could meet: its own days and series are in order.
    pub fn until(&self, until: usize) -> Result<Self, PanelError> {
        let until = until.min(self.days.len());
        let cells = (0..self.keys.len()).flat_map(|series| self.series(series)[..until].iter().copied()).collect();
        Self::new(self.days[..until].to_vec(), self.keys.clone(), cells)
    }

    /// The days, rising.
    pub fn days(&self) -> &[Date] {
        &self.days
    }

    /// The series, rising by location, then item.
    pub fn keys(&self) -> &[SeriesKey] {
        &self.keys
    }

    /// One series, a cell for each day.
    pub fn series(&self, series: usize) -> &[Cell] {
        &self.cells[series]
    }

    /// One series, to be changed.
    pub fn series_mut(&mut self, series: usize) -> &mut [Cell] {
        &mut self.cells[series]
    }

    /// For each series the number of its location: equal for equal locations, from 0 on without gaps.
    pub fn locations(&self) -> &[usize] {
        &self.locations
    }

    /// For each series the number of its item, as [`Panel::locations`].
    pub fn items(&self) -> &[usize] {
        &self.items
    }
}

/// A number for each name, by alphabet.
fn numbered<'a>(names: impl Iterator<Item = &'a str> + Clone) -> Vec<usize> {
    let mut sorted: Vec<&str> = names.clone().collect();
    sorted.sort_unstable();
    sorted.dedup();
    names.map(|name| sorted.partition_point(|other| *other < name)).collect()
}

#[cfg(test)]
mod tests {
    use jiff::civil::date;

    use super::*;

    fn key(location: &str, item: &str) -> SeriesKey {
        SeriesKey { location: location.to_owned(), item: item.to_owned() }
    }

    #[test]
    fn a_panel_numbers_locations_and_items_and_refuses_what_is_none() {
        let days = vec![date(2026, 1, 1), date(2026, 1, 2)];
        let keys = vec![key("a", "y"), key("b", "x"), key("b", "y")];
        let panel = Panel::new(days.clone(), keys.clone(), vec![Cell::CLOSED; 6]).unwrap();
        assert_eq!((panel.locations(), panel.items()), (&[0, 1, 1][..], &[1, 0, 1][..]));
        assert_eq!(panel.series(2).len(), 2);
        let short = Panel::new(days.clone(), keys.clone(), vec![Cell::CLOSED; 5]).unwrap_err();
        assert_eq!(short.to_string(), "3 series of 2 days need 6 cells, and there are 5");
        let twice = Panel::new(vec![days[0], days[0]], keys, vec![Cell::CLOSED; 6]).unwrap_err();
        assert_eq!(twice, PanelError::Order { what: "days", at: 1 });
    }
}
