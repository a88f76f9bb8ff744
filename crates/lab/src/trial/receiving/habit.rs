//! Vendors' habits: their delays as they were, everything else drawn.

use std::collections::BTreeMap;

use rand::Rng;
use rand_chacha::ChaCha8Rng;

use super::BaseLine;
use crate::draw::{chance, pick, weighted};
use reeve_models::formulas::median;

/// What a vendor does without anything being wrong.
#[derive(Clone, Debug)]
pub(super) struct Habit {
    /// Share of lines that come in two parts, and whether the parts are halves.
    pub(super) partial: f64,
    pub(super) halves: bool,
    /// Share of lines that are short, and the deviation of the short share; the same for over.
    pub(super) short_p: f64,
    pub(super) short_sd: f64,
    pub(super) over_p: f64,
    pub(super) over_sd: f64,
    /// Bills what was ordered when less came.
    pub(super) by_order: bool,
    /// Deviation of billed prices.
    pub(super) price_sd: f64,
    /// Days from the last receipt to the bill, and up to four more.
    pub(super) bill_lag: i64,
    /// Median of the delays in days, their spread, and their 5 % and 95 % points.
    pub(super) delay: f64,
    pub(super) delay_spread: f64,
    pub(super) delay_low: f64,
    pub(super) delay_high: f64,
    /// Days from order to promise.
    pub(super) lead: i64,
}

impl Habit {
    /// Whether a delay is far outside the habit, in truth.
    pub(super) fn is_far(&self, delay: f64) -> bool {
        (delay - self.delay).abs() > 3.5 * self.delay_spread.max(3.0) + 7.0
    }
}

/// Days from one date to another.
pub(super) fn days_between(from: jiff::civil::Date, to: jiff::civil::Date) -> i64 {
    i64::from(from.until(to).expect("two dates are a span of days apart").get_days())
}

/// Days from order to promise, where the base knows them.
pub(super) fn known_lead(line: &BaseLine) -> Option<f64> {
    let days = days_between(line.line.ordered, line.line.promised);
    (days > 0).then_some(days as f64)
}

/// The habits of each vendor.
pub(super) fn habits<'a>(base: &'a [BaseLine], rng: &mut ChaCha8Rng) -> BTreeMap<&'a str, Habit> {
    let mut of: BTreeMap<&str, Vec<&BaseLine>> = BTreeMap::new();
    for line in base {
        of.entry(&line.line.vendor).or_default().push(line);
    }
    let leads: Vec<f64> = base.iter().filter_map(known_lead).collect();
    let usual_lead = median(&leads).unwrap_or(0.0);
    let habit = |(vendor, lines): (&'a str, Vec<&BaseLine>)| {
        let mut delays: Vec<f64> =
            lines.iter().map(|line| days_between(line.line.promised, line.delivered) as f64).collect();
        delays.sort_by(f64::total_cmp);
        let delay = median(&delays).unwrap_or(0.0);
        let apart: Vec<f64> = delays.iter().map(|days| (days - delay).abs()).collect();
        let leads: Vec<f64> = lines.iter().filter_map(|line| known_lead(line)).collect();
        let habit = Habit {
            partial: pick(rng, &[0.02, 0.08, 0.25, 0.45]),
            short_p: pick(rng, &[0.0, 0.1, 0.3, 0.6]),
            short_sd: pick(rng, &[0.003, 0.01, 0.04, 0.10]),
            over_p: pick(rng, &[0.0, 0.05, 0.2]),
            over_sd: pick(rng, &[0.005, 0.02, 0.06]),
            by_order: chance(rng, 0.2),
            halves: chance(rng, 0.4),
            price_sd: weighted(rng, &[(0.0, 0.25), (0.002, 0.25), (0.008, 0.2), (0.02, 0.18), (0.06, 0.12)]),
            bill_lag: rng.gen_range(0..12),
            delay,
            // So the median distance is comparable with a standard deviation, and one lost delivery does not widen it.
            delay_spread: 1.4826 * median(&apart).unwrap_or(0.0),
            delay_low: quantile(&delays, 0.05),
            delay_high: quantile(&delays, 0.95),
            lead: median(&leads).unwrap_or(usual_lead).max(7.0).round() as i64,
        };
        (vendor, habit)
    };
    of.into_iter().map(habit).collect()
}

/// The value below which a share `p` lies of values in order, between two of them in proportion.
fn quantile(sorted: &[f64], p: f64) -> f64 {
    let at = p * (sorted.len() - 1) as f64;
    let (low, high) = (sorted[at.floor() as usize], sorted[at.ceil() as usize]);
    low + (high - low) * at.fract()
}
