//! Stock in the days to come, again: from the frozen demand, stock and receipts (handbook §3.4). Written on its own and not
//! with the code that drafted the card, so that a mistake in one of them shows.
//!
//! A receipt is usable from the day after it arrives.

use reeve_domain::action::Range;
use reeve_domain::money::Money;
use reeve_domain::workings::{Change, Forecast, Receipt, Stake};
use reeve_models::formulas;

/// Standard normal deviate of the 90th percentile.
pub(super) const NINE_IN_TEN: f64 = 1.281_6;
/// A shortage below this many units is none.
const LEAST_UNITS: f64 = 0.05;
/// By how much the share of recaptured sales may be off either way (handbook §6 rule 3).
const DOUBT: f64 = 0.1;

/// Stock and receipts, as they are or as an action makes them.
#[derive(Clone, Debug)]
pub(super) struct Stock {
    pub(super) supply: f64,
    /// Units that customers wait for: what comes is theirs first.
    pub(super) waiting: f64,
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
        Self { supply: stake.supply, waiting: stake.waiting, receipts: stake.receipts.clone() }
    }

    /// With `quantity` more (or less) now.
    pub(super) fn with(&self, quantity: f64) -> Self {
        Self { supply: self.supply + quantity, ..self.clone() }
    }

    /// With one receipt more.
    pub(super) fn with_receipt(&self, day: u32, quantity: f64, sd: f64) -> Self {
        let mut all = self.receipts.clone();
        let at = all.iter().position(|r| r.day > day).unwrap_or(all.len());
        all.insert(at, Receipt { line: String::new(), day, quantity, sd });
        Self { receipts: all, ..self.clone() }
    }

    /// With `quantity` of a line on another day.
    pub(super) fn with_moved(&self, line: &str, quantity: f64, day: u32) -> Self {
        let rest = |r: &Receipt| {
            let quantity = if r.line == line { r.quantity - quantity.min(r.quantity) } else { r.quantity };
            Receipt { quantity, ..r.clone() }
        };
        let receipts = self.receipts.iter().map(rest).filter(|r| r.quantity > 0.0).collect();
        Self { receipts, ..self.clone() }.with_receipt(day, quantity, 0.0)
    }

    /// With steps that are decided `wait` days later; what then comes too late changes nothing.
    pub(super) fn after(&self, steps: &[&Change], wait: u32) -> Self {
        steps.iter().fold(self.clone(), |stock, step| match (step, step.day_after(wait)) {
            (Change::Moved { quantity, .. }, Some(day)) => stock.with_receipt(day, *quantity, 0.0),
            (Change::Sooner { line, quantity, .. }, Some(day)) => stock.with_moved(line, *quantity, day),
            (Change::Ordered { quantity, sd, .. } | Change::Raised { quantity, sd, .. }, Some(day)) => {
                stock.with_receipt(day, *quantity, *sd)
            }
            _ => stock,
        })
    }

    /// What is free for those who ask up to day `day`.
    fn free(&self, day: u32) -> f64 {
        let came: f64 = self.receipts.iter().filter(|r| r.day < day).map(|r| r.quantity).sum();
        self.supply + (came - self.waiting).max(0.0)
    }

    /// Units waited for, each by the part of its wait until day `served` that is over when it is served.
    fn waited(&self, served: u32) -> f64 {
        let mut left = self.waiting;
        let mut sum = 0.0;
        for receipt in &self.receipts {
            let now = receipt.quantity.clamp(0.0, left);
            sum += now * formulas::waited_share(f64::from(receipt.day), f64::from(served));
            left -= now;
        }
        sum + left
    }

    /// The first day whose demand, with that of the days before, is more than what is free by then.
    fn runs_out(&self, forecast: &Forecast, days: u32) -> Option<u32> {
        (1..=days).find(|&day| demand(forecast, day).0 > self.free(day) + 1e-9)
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
        let supply = self.free(day);
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

/// What is lost of those who will ask, what not ordering adds, and what is lost of those who wait.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(super) struct Losses {
    pub(super) lost: Range,
    pub(super) more: Range,
    pub(super) waited: Range,
}

impl Losses {
    /// The one that a part's key means.
    pub(super) fn of(self, key: &str) -> Range {
        match key.split_once(':') {
            Some(("unordered", _)) => self.more,
            Some(("waited", _)) => self.waited,
            _ => self.lost,
        }
    }

    fn put(self, other: Self, put: impl Fn(Range, Range) -> Range) -> Self {
        Self { lost: put(self.lost, other.lost), more: put(self.more, other.more), waited: put(self.waited, other.waited) }
    }

    /// These, and with the probability `share` the others.
    pub(super) fn mixed(self, others: Self, share: f64) -> Self {
        let part = |range: Range, share: f64| each(range, |m| Money::from_f64(m.to_f64() * share));
        self.put(others, |these, others| both(part(others, share), part(these, 1.0 - share), |a, b| a + b))
    }

    /// Never more than `most`.
    pub(super) fn at_most(self, most: Self) -> Self {
        self.put(most, |a, b| both(a, b, Ord::min))
    }
}

/// What a window's shortage costs: fewer or more units, and more or fewer sales recaptured. Those who wait fill the cap first.
fn cost(stake: &Stake, recapture: f64, window: &Window) -> Range {
    let lost = |units: f64, recapture: f64| {
        let units = stake.cap.map_or(units, |cap| units.min((cap - stake.waiting).max(0.0)));
        formulas::lost_margin(units, stake.margin, recapture.clamp(0.0, 1.0))
    };
    range(lost(window.low, recapture + DOUBT), lost(window.units, recapture), lost(window.high, recapture - DOUBT))
}

/// The day on which those who wait are served if nobody does anything.
fn served(stake: &Stake) -> u32 {
    stake.receipts.iter().map(|r| r.day).fold(stake.until, u32::min)
}

/// The losses of a shortage with these stocks and receipts.
pub(super) fn losses(stake: &Stake, recapture: f64, forecast: &Forecast, stock: &Stock) -> Losses {
    let lost = cost(stake, recapture, &stock.worst(forecast, stake.until, stake.until_sd));
    let more = stake
        .unordered
        .map_or_else(Range::default, |until| beyond(cost(stake, recapture, &stock.worst(forecast, until, 0.0)), lost));
    let waited = if stock.waiting > 0.0 {
        let capped = stake.cap.map_or(1.0, |cap| (cap / stock.waiting).min(1.0));
        let margin = stock.waited(served(stake)) * capped * stake.margin;
        let share = stake.cancelled.unwrap_or(0.0);
        range(margin * share / 2.0, margin * share, margin * (share * 2.0).min(1.0))
    } else {
        Range::default()
    };
    Losses { lost, more, waited }
}

/// The day from which on what arrives saves nothing: the end of the worst window, or where nobody will ask in vain the day on
/// which those who wait are served.
fn relief(stake: &Stake, forecast: &Forecast, stock: &Stock) -> u32 {
    let worst = stock.worst(forecast, stake.until, stake.until_sd);
    if worst.units >= LEAST_UNITS { worst.days } else { served(stake) }
}

/// What an answer on a day leaves of `now`, that ends the shortage but for a share: what is lost until then is lost.
pub(super) fn answered(
    stake: &Stake,
    recapture: f64,
    forecast: &Forecast,
    (stock, now): (&Stock, Losses),
    (day, left): (u32, f64),
) -> Losses {
    if day >= relief(stake, forecast, stock) {
        return now;
    }
    let so_far = Stake { until: day, until_sd: 0.0, ..stake.clone() };
    let share = |range: Range, share: f64| each(range, |m| Money::from_f64(m.to_f64() * share));
    let gone = Losses {
        lost: losses(&so_far, recapture, forecast, stock).lost,
        more: Range::default(),
        waited: share(now.waited, formulas::waited_share(f64::from(day), f64::from(served(stake)))),
    }
    .at_most(now);
    let rest = now.put(gone, |now, gone| share(beyond(now, gone), left));
    gone.put(rest, |gone, rest| both(gone, rest, |a, b| a + b))
}

/// The steps of a change that work on a place.
pub(super) fn steps<'c>(change: &'c Change, place: &str) -> Vec<&'c Change> {
    let Change::Together(steps) = change else { return vec![change] };
    let elsewhere = |step: &Change| match step {
        Change::Moved { place: at, .. }
        | Change::Sooner { place: at, .. }
        | Change::Raised { place: at, .. }
        | Change::Ordered { place: at, .. } => at != place,
        _ => false,
    };
    steps.iter().filter(|step| !elsewhere(step)).collect()
}

/// The demand where a step makes less of it on some days; none where none does.
pub(super) fn quieter(forecast: &Forecast, steps: &[&Change], wait: u32) -> Option<Forecast> {
    let (from, to, share) = steps.iter().find_map(|step| match step {
        Change::Quieter { to, share, .. } => Some((step.day_after(wait)?, *to, *share)),
        _ => None,
    })?;
    let days = (1..).zip(forecast.days()).map(|(at, (mean, sigma))| {
        let share = if at < from || at > to { 1.0 } else { share };
        (mean * share, sigma * share)
    });
    Some(Forecast::of(days))
}

/// Days for which a decision can wait whose effect comes on day `lead`, so that it comes before stock has run out.
pub(super) fn days_to_decide(stake: &Stake, forecast: &Forecast, lead: u32) -> u32 {
    let stock = Stock::of(stake);
    if stock.supply - stock.waiting <= 0.0 {
        return 0;
    }
    let horizon = stake.unordered.unwrap_or(stake.until);
    formulas::days_to_decide(stock.runs_out(forecast, horizon).unwrap_or(horizon), lead)
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

/// Units wanted beyond a supply: at the 10th percentile, expected, at the 90th.
pub(super) fn beyond_supply(mu: f64, sigma: f64, supply: f64) -> [f64; 3] {
    let at = |z: f64| (mu + z * sigma - supply).max(0.0);
    [at(-NINE_IN_TEN), formulas::expected_shortage(mu, sigma, supply), at(NINE_IN_TEN)]
}
