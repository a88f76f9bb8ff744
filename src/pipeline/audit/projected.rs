//! Stock in the days to come, again: from the frozen demand, stock and receipts (handbook §3.4). Written on its own and not
//! with the code that drafted the card, so that a mistake in one of them shows.
//!
//! A receipt is usable from the day after it arrives.

use crate::domain::action::Range;
use crate::domain::money::Money;
use crate::domain::workings::{Forecast, Receipt, Stake};
use crate::models::formulas;

/// Standard normal deviate of the 90th percentile.
pub(super) const NINE_IN_TEN: f64 = 1.281_6;
/// By how much the share of recaptured sales may be off either way (handbook §6 rule 3).
const DOUBT: f64 = 0.1;

/// Stock and receipts, as they are or as an action makes them.
#[derive(Clone, Debug)]
pub(super) struct Stock {
    pub(super) supply: f64,
    pub(super) receipts: Vec<Receipt>,
}

/// Units short in the worst window, with what makes it.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Window {
    pub(super) units: f64,
    pub(super) low: f64,
    pub(super) high: f64,
    pub(super) days: u32,
    pub(super) mu: f64,
    pub(super) sigma: f64,
    pub(super) supply: f64,
}

impl Stock {
    pub(super) fn of(stake: &Stake) -> Self {
        Self { supply: stake.supply, receipts: stake.receipts.clone() }
    }

    /// With `quantity` more (or less) now.
    pub(super) fn with(&self, quantity: f64) -> Self {
        Self { supply: self.supply + quantity, receipts: self.receipts.clone() }
    }

    /// With one receipt more.
    pub(super) fn with_receipt(&self, day: u32, quantity: f64, sd: f64) -> Self {
        let mut all = self.receipts.clone();
        let at = all.iter().position(|r| r.day > day).unwrap_or(all.len());
        all.insert(at, Receipt { line: String::new(), day, quantity, sd });
        Self { supply: self.supply, receipts: all }
    }

    /// With `quantity` of a line on another day.
    pub(super) fn with_moved(&self, line: &str, quantity: f64, day: u32) -> Self {
        let rest = |r: &Receipt| {
            let quantity = if r.line == line { r.quantity - quantity.min(r.quantity) } else { r.quantity };
            Receipt { quantity, ..r.clone() }
        };
        let receipts = self.receipts.iter().map(rest).filter(|r| r.quantity > 0.0).collect();
        Self { supply: self.supply, receipts }.with_receipt(day, quantity, 0.0)
    }

    /// The worst of the windows from now to a receipt or to `until`.
    pub(super) fn worst(&self, forecast: &Forecast, until: u32, until_sd: f64) -> Window {
        let receipts = self.receipts.iter().filter(|r| r.day <= until).map(|r| (r.day, r.sd));
        let mut worst = Window { supply: self.supply, ..Window::default() };
        for (day, sd) in receipts.chain([(until, until_sd)]) {
            let window = self.window(forecast, day, sd);
            if window.units > worst.units {
                worst = window;
            }
        }
        worst
    }

    fn window(&self, forecast: &Forecast, day: u32, sd: f64) -> Window {
        let came: f64 = self.receipts.iter().filter(|r| r.day < day).map(|r| r.quantity).sum();
        let supply = self.supply + came;
        let (mu, of_demand) = demand(forecast, day);
        let a_day = if day == 0 { 0.0 } else { mu / f64::from(day) };
        let sigma = (of_demand.powi(2) + (a_day * sd).powi(2)).sqrt();
        let percentile = |shift: f64, z: f64| {
            let (mu, sigma) = demand(forecast, (f64::from(day) + shift).round().max(0.0) as u32);
            ((mu + z * sigma).max(0.0) - supply).max(0.0)
        };
        let (low, high) = (percentile(-sd, -NINE_IN_TEN), percentile(sd, NINE_IN_TEN));
        Window { units: formulas::expected_shortage(mu, sigma, supply), low, high, days: day, mu, sigma, supply }
    }
}

/// Mean and deviation of the demand of the first `days` days.
fn demand(forecast: &Forecast, days: u32) -> (f64, f64) {
    let (mut mean, mut variance) = (0.0, 0.0);
    for (m, sigma) in forecast.days().take(days as usize) {
        mean += m;
        variance += sigma * sigma;
    }
    (mean, variance.sqrt())
}

/// What a window's shortage costs: fewer or more units, and more or fewer sales recaptured.
pub(super) fn cost(stake: &Stake, recapture: f64, window: &Window) -> Range {
    let lost = |units: f64, recapture: f64| {
        let units = stake.cap.map_or(units, |cap| units.min(cap));
        formulas::lost_margin(units, stake.margin, recapture.clamp(0.0, 1.0))
    };
    range(lost(window.low, recapture + DOUBT), lost(window.units, recapture), lost(window.high, recapture - DOUBT))
}

/// What is lost until an order could arrive, and what waiting for the next one adds.
pub(super) fn losses(stake: &Stake, recapture: f64, forecast: &Forecast, stock: &Stock) -> (Range, Range) {
    let lost = cost(stake, recapture, &stock.worst(forecast, stake.until, stake.until_sd));
    let more = stake
        .unordered
        .map_or_else(Range::default, |until| beyond(cost(stake, recapture, &stock.worst(forecast, until, 0.0)), lost));
    (lost, more)
}

/// A range from computed ends; what lies on the wrong side of the mean is drawn to it.
pub(super) fn range(low: f64, expected: f64, high: f64) -> Range {
    let money = Money::from_f64;
    Range { low: money(low.min(expected)), expected: money(expected), high: money(high.max(expected)) }
}

/// A range with each of its ends changed.
pub(super) fn each(range: Range, change: impl Fn(Money) -> Money) -> Range {
    Range { low: change(range.low), expected: change(range.expected), high: change(range.high) }
}

/// Two ranges put together end by end.
pub(super) fn both(a: Range, b: Range, put: impl Fn(Money, Money) -> Money) -> Range {
    Range { low: put(a.low, b.low), expected: put(a.expected, b.expected), high: put(a.high, b.high) }
}

/// What `all` has more than `part`.
pub(super) fn beyond(all: Range, part: Range) -> Range {
    both(all, part, |all, part| (all - part).max(Money::ZERO))
}
