//! A retailer of any size, made up from the statistics of the bundled series: for measuring how much the heart can carry.
//!
//! Records come item by item, so memory stays flat however many there are. Everything follows from the seed: each item draws
//! from streams of its own, so its records are the same whether the retailer has ten items or a million. What crosses items, an
//! order's rhythm and lateness, belongs to a block of five neighbours (`supply`) and hangs on nothing else.
//!
//! - `statistics`: what the numbers are and where they come from;
//! - `promotions`, `supply`, `injected`: what is planned of an item before its life begins;
//! - `life`: an item's life, day by day, at all its locations; stock is counted, nothing is sold that is not there;
//! - `tell`: that life as the records that a live source would have told of it, single documents in the last days, sums before.
//!
//! Days are days of UTC, which is the calendar of a configuration that says nothing else.

mod injected;
mod life;
mod names;
mod promotions;
mod statistics;
mod supply;
mod tell;

use jiff::Timestamp;
use jiff::civil::Date;
use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;
use reeve_domain::calendar::{Calendar, plus_days};
use reeve_domain::ids::content_id;
use reeve_domain::record::Observed;

pub use self::injected::{Kind, Truth};

/// Hour of the next morning at which everything up to the last day has been read.
const READ_HOUR: u8 = 6;

/// What orders are told of reaches back at least so many days, however few days of single sales are told.
const ORDER_DAYS: u32 = 60;

/// Locations times days of detail for which the ids of an item's records have room.
const ROOM_DAYS: f64 = 400_000.0;

/// How large a retailer is, and what is in it.
#[derive(Clone, Debug)]
pub struct Shape {
    /// How many items.
    pub items: u32,
    /// How many locations; the first is the distribution centre, which buys and carries every item.
    pub locations: u32,
    /// Days of history, as sums by month.
    pub days: u32,
    /// Of them, the last ones of which single sales and moves are told.
    pub detail_days: u32,
    /// Share of the items that a store lists, 0 to 1.
    pub listed: f64,
    /// Share of the series, items and blocks into which something is injected, 0 to 0.5.
    pub injected: f64,
    /// The seed.
    pub seed: u64,
    /// The last day.
    pub until: Date,
}

/// A shape that no retailer can have.
#[derive(Debug, thiserror::Error)]
#[error("a retailer's {what} must be from {least} to {most}, not {given}")]
pub struct ShapeError {
    what: &'static str,
    given: f64,
    least: f64,
    most: f64,
}

/// A made-up retailer.
#[derive(Clone, Debug)]
pub struct Retailer {
    shape: Shape,
    first: Date,
    /// Midnight at which the first day begins.
    begins: Timestamp,
}

/// What is told of one item, with what was injected into it.
#[derive(Clone, Debug, Default)]
pub struct Told {
    /// The records, in no order of time.
    pub observed: Vec<Observed>,
    /// What was injected.
    pub truth: Vec<Truth>,
    /// At how many locations it is listed.
    pub series: u32,
    /// How many of the records are moves.
    pub moves: u32,
}

/// What draws from a stream of its own.
#[derive(Clone, Copy)]
enum Draws {
    Item,
    Block,
    Supplier,
    Series,
    Injection,
    Hours,
}

impl Retailer {
    /// A retailer of this shape.
    ///
    /// # Errors
    /// Says what of it is out of bounds.
    pub fn new(shape: Shape) -> Result<Self, ShapeError> {
        let bounds = [
            ("number of items", f64::from(shape.items), 1.0, 1e6),
            ("number of locations", f64::from(shape.locations), 1.0, 1000.0),
            ("days", f64::from(shape.days), 60.0, 2000.0),
            ("days of detail", f64::from(shape.detail_days), 14.0, f64::from(shape.days)),
            ("listed share", shape.listed, 0.0, 1.0),
            ("injected share", shape.injected, 0.0, 0.5),
            ("locations times days of detail", f64::from(shape.locations) * f64::from(shape.detail_days), 14.0, ROOM_DAYS),
        ];
        for (what, given, least, most) in bounds {
            if !(least..=most).contains(&given) {
                return Err(ShapeError { what, given, least, most });
            }
        }
        let first = plus_days(shape.until, 1 - i32::try_from(shape.days).unwrap_or(i32::MAX));
        Ok(Self { first, begins: Calendar::utc().moment_of(first, 0), shape })
    }

    /// Its shape.
    pub fn shape(&self) -> &Shape {
        &self.shape
    }

    /// Names it with its shape: two that differ in anything have other names.
    pub fn identity(&self) -> String {
        let s = &self.shape;
        let text = format!(
            "{} {} {} {} {} {} {} {}",
            s.items, s.locations, s.days, s.detail_days, s.listed, s.injected, s.seed, s.until
        );
        content_id("retailer:", &[&text], 16)
    }

    /// When everything had been read: the morning after the last day.
    pub fn read_at(&self) -> Timestamp {
        Calendar::utc().moment_of(plus_days(self.shape.until, 1), READ_HOUR)
    }

    /// Locations and suppliers.
    pub fn masters(&self) -> Vec<Observed> {
        tell::masters(self)
    }

    /// Everything that is told of an item; they count from 1.
    pub fn item(&self, number: u32) -> Told {
        let plan = injected::plan(self, number);
        let life = life::live(self, &plan);
        tell::item(self, &plan, &life)
    }

    /// The stream of one thing: its numbers hang on nothing else that is drawn.
    fn draws(&self, whose: Draws, number: u64) -> ChaCha8Rng {
        let mut rng = ChaCha8Rng::seed_from_u64(self.shape.seed);
        rng.set_stream(number << 3 | whose as u64);
        rng
    }

    /// The number of a series among all that could be.
    fn series_number(item: u32, location: u32) -> u64 {
        u64::from(item) << 16 | u64::from(location)
    }

    /// The last day, counted from the first as 0.
    fn last(&self) -> i32 {
        i32::try_from(self.shape.days).unwrap_or(i32::MAX) - 1
    }

    /// The first day of which single sales and moves are told.
    fn detail_from(&self) -> i32 {
        self.last() + 1 - i32::try_from(self.shape.detail_days).unwrap_or(i32::MAX)
    }

    /// The first day on which a receipt is told, with its order and bill.
    fn orders_from(&self) -> i32 {
        let days = self.shape.detail_days.max(ORDER_DAYS);
        (self.last() + 1 - i32::try_from(days).unwrap_or(i32::MAX)).max(0)
    }

    fn date(&self, day: i32) -> Date {
        plus_days(self.first, day)
    }

    /// A minute of a day.
    fn at(&self, day: i32, minute: i32) -> Timestamp {
        let seconds = i64::from(day) * 86_400 + i64::from(minute) * 60;
        self.begins.checked_add(jiff::SignedDuration::from_secs(seconds)).unwrap_or(self.begins)
    }
}
