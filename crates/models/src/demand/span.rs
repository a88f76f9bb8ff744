//! One span of days tested against those before it: has the level changed at its start?

use std::ops::Range;

use super::DemandParams;
use super::baseline::{History, dispersion};
use super::outliers;
use super::packed::{ByWeekday, Part};
use super::shift::{
    AFTER_DAYS_MIN, BEFORE_DAYS, BEFORE_DAYS_MIN, BEFORE_DAYS_MIN_RENEWED, Found, STILL_DAYS, Shift, TESTS, departed,
};
use super::tail::Demand;

/// Last days of a trend that its level is taken from.
const TREND_LEVEL_DAYS: usize = 7;

/// The days from `start` to `today`, as a step or as a trend, and those before them.
pub(super) struct Span<'a> {
    start: usize,
    today: usize,
    pub(super) trend: bool,
    pub(super) before: Part<'a>,
    /// Their numbers in the list of those that may be learned from.
    pub(super) before_range: Range<usize>,
    pub(super) after: Part<'a>,
}

/// What the days before a span come to.
#[derive(Clone, Copy, Debug)]
pub(super) struct Ground {
    /// Units a day.
    pub(super) level: f64,
    pub(super) dispersion: f64,
    /// Days learned from.
    pub(super) n: f64,
}

/// What was to be expected of a span, and what was sold, both on the same scale.
#[derive(Clone, Copy, Debug)]
pub(super) struct Sold {
    pub(super) demand: Demand,
    pub(super) units: f64,
}

impl<'a> Span<'a> {
    /// None where there are too few days for a test.
    pub(super) fn of(history: &'a History<'_>, start: usize, today: usize, trend: bool) -> Option<Self> {
        let (from, enough) = match history.learn_from {
            0 => (0, BEFORE_DAYS_MIN),
            // The start of the level that holds now is compared with the level before it, and no span may straddle it.
            since if start == since && !trend => (0, BEFORE_DAYS_MIN),
            since if start > since => (since, BEFORE_DAYS_MIN_RENEWED),
            _ => return None,
        };
        let before_range = history.learnable_range(from.max(start.saturating_sub(BEFORE_DAYS)), start);
        let before = history.learned(before_range.clone());
        let after = history.clean_part(start, today + 1);
        let tested = before.len() >= enough && after.len() >= AFTER_DAYS_MIN;
        tested.then_some(Self { start, today, trend, before, before_range, after })
    }

    /// The shift, if the level is on the other side of what it was for most of the span.
    pub(super) fn test(&self, history: &History<'_>, factors: &[f64; 7], params: &DemandParams) -> Option<Found> {
        let ground = self.ground(factors, params);
        let after = self.level_after();
        let changed = after - ground.level;
        // Before the tails, which cost most.
        if !departed(mean(self.after.last(STILL_DAYS).levels), ground.level, changed, 0.25) {
            return None;
        }
        let p = self.sold(ground, factors, params).p(changed < 0.0)?;
        let shift = Shift {
            since: history.date(self.start),
            days: (self.today + 1 - self.start) as u32,
            before: ground.level,
            after,
            ratio: after / ground.level,
            p: (p * TESTS).min(1.0),
        };
        Some(Found { shift, start: self.start })
    }

    pub(super) fn level_after(&self) -> f64 {
        mean(if self.trend { self.after.last(TREND_LEVEL_DAYS).levels } else { self.after.levels })
    }

    fn ground(&self, factors: &[f64; 7], params: &DemandParams) -> Ground {
        let levels = self.before.levels;
        let usual = outliers::limit(levels, params.outlier_sd);
        let within = |limit: f64| levels.iter().copied().filter(move |&level| level <= limit);
        let (n, learned) = if let Some((mean, _)) = usual.of_all {
            (levels.len() as f64, mean)
        } else {
            let n = outliers::kept(levels, usual.value) as f64;
            (n, within(usual.value).sum::<f64>() / n)
        };
        let level = learned.max(0.5 / n);
        let limit = within(usual.value).fold(level, f64::max);
        // A level that was raised to the least there can be may take in a day or two that were left out.
        let kept = outliers::kept(levels, limit) as f64;
        Ground { level, dispersion: dispersion(&self.before, limit, kept, level, factors, params), n }
    }

    /// Adds the span up against `ground`.
    pub(super) fn sold(&self, ground: Ground, factors: &[f64; 7], params: &DemandParams) -> Sold {
        let Ground { level, dispersion, n } = ground;
        let expected = ByWeekday::new(|weekday| level * factors[weekday]);
        let variances = ByWeekday::new(|weekday| {
            let mean = level * factors[weekday];
            mean + dispersion * mean * mean
        });
        // One odd day is no shift: each counts up to a limit, and the largest as much as the second largest.
        let most = ByWeekday::new(|weekday| {
            let mean = level * factors[weekday];
            mean + params.outlier_sd * (mean + dispersion * mean * mean).sqrt()
        });
        let counted = |at: usize| self.after.units[at].min(most.of(self.after.weekdays[at]));
        let (mut top, mut first, mut second) = (0, f64::NEG_INFINITY, 0.0);
        for at in 0..self.after.len() {
            let units = counted(at);
            if units >= first {
                (top, second, first) = (at, first.max(0.0), units);
            } else {
                second = f64::max(second, units);
            }
        }
        let days = (self.today + 1 - self.start) as f64;
        let (mut sum, mut mean, mut variance, mut squares) = (0.0, 0.0, 0.0, 0.0);
        for (at, (&day, &weekday)) in self.after.days.iter().zip(self.after.weekdays).enumerate() {
            let weight = if self.trend { (day + 1 - self.start) as f64 / days } else { 1.0 };
            let units = if at == top && !self.trend { second } else { counted(at) };
            sum += weight * units;
            mean += weight * expected.of(weekday);
            squares += weight * weight * expected.of(weekday);
            variance += weight * weight * variances.of(weekday);
        }
        // A weighted sum of counts is taken as a count times the scale at which its Poisson part has the right variance.
        let scale = squares / mean;
        let level_variance = (1.0 / level + dispersion) / n;
        let demand = Demand { mean: mean / scale, variance: (variance + mean * mean * level_variance) / (scale * scale) };
        Sold { demand, units: sum / scale }
    }
}

impl Sold {
    /// The smaller tail, if it lies on the side of the change. The two tails overlap: where one is far below a half, the other
    /// is above it and need not be counted.
    fn p(self, falls: bool) -> Option<f64> {
        let Self { demand, units } = self;
        let near = if falls { demand.at_most(units) } else { demand.at_least(units) };
        if near < 0.49 {
            return Some(near);
        }
        let far = if falls { demand.at_least(units) } else { demand.at_most(units) };
        let (low, high) = if falls { (near, far) } else { (far, near) };
        ((low < high) == falls).then_some(low.min(high))
    }
}

/// The mean, added up in order.
pub(super) fn mean(values: &[f64]) -> f64 {
    values.iter().sum::<f64>() / values.len() as f64
}
