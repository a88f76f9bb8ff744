//! What is known of a series before a day: weekday profile, level, dispersion, and how sure each of them is.

use std::ops::Range;

use jiff::{ToSpan, civil::Date};

use super::outliers::{self, LEARNED_DAYS_MIN};
use super::packed::{ByWeekday, Packed, Part};
use super::profile::Settled;
use super::tail::Demand;
use super::{DemandParams, Series, is_set};
use crate::formulas::{DemandClass, demand_class, quantile_of_sorted};

/// Days before a day that a shift on it is compared with at most, its own days included: see `shift`.
pub(super) const LOOKED_AT_DAYS: usize = 28 + 56;

/// A series with what may be learned from it. Which days are held back changes as days go by, never backwards in time.
pub(super) struct History<'a> {
    pub(super) series: &'a Series,
    /// Neither censored nor promoted nor blocked.
    pub(super) clean: Vec<bool>,
    /// Clean, but part of a shift that was not confirmed.
    pub(super) held: Vec<bool>,
    /// No day from this one on is held back.
    held_until: usize,
    /// First day of the level that holds now: 0, or the start of the last confirmed shift.
    pub(super) learn_from: usize,
    first_weekday: usize,
    pub(super) sums: Vec<f64>,
    counts: Vec<usize>,
    pub(super) settled: Settled,
    powers: Vec<f64>,
    /// All clean days.
    days: Packed,
    /// Those of the last days that are not held back, where some are.
    free: Option<Packed>,
}

impl<'a> History<'a> {
    pub(super) fn new(series: &'a Series) -> Self {
        let days = series.units.len();
        // A number that is none can not be learned from either.
        let clean: Vec<bool> = (0..days)
            .map(|day| {
                let left_out = is_set(&series.censored, day) || is_set(&series.promo, day) || is_set(&series.blocked, day);
                !left_out && series.units[day].is_finite()
            })
            .collect();
        let first_weekday = weekday(series.first);
        let (mut sums, mut counts, mut packed) = (vec![0.0], vec![0], Packed::default());
        for (day, &is_clean) in clean.iter().enumerate() {
            let units = series.units[day].max(0.0);
            sums.push(sums[day] + if is_clean { units } else { 0.0 });
            counts.push(counts[day] + usize::from(is_clean));
            if is_clean {
                packed.push(day, ((first_weekday + day) % 7) as u8, units);
            }
        }
        Self {
            series,
            clean,
            held: vec![false; days],
            held_until: 0,
            learn_from: 0,
            first_weekday,
            sums,
            counts,
            settled: Settled::default(),
            powers: Vec::new(),
            days: packed,
            free: None,
        }
    }

    /// Holds the days from `from` to `to`, both included, back from learning, or no longer.
    pub(super) fn hold(&mut self, from: usize, to: usize, held: bool) {
        let days = &mut self.held[from..=to];
        self.settled.stale |= days.iter().any(|&day| day != held);
        days.fill(held);
        if held {
            self.held_until = self.held_until.max(to + 1);
        }
    }

    /// Units of a day; returns beyond sales count as nothing sold.
    pub(super) fn units(&self, day: usize) -> f64 {
        self.series.units[day].max(0.0)
    }

    /// The date of a day of the series.
    pub(super) fn date(&self, day: usize) -> Date {
        self.series.first.saturating_add(i64::try_from(day).unwrap_or(i64::MAX).days())
    }

    pub(super) fn weekday(&self, day: usize) -> usize {
        (self.first_weekday + day) % 7
    }

    /// The numbers of the days from `from` to before `to` in the list of those that may be learned from: clean, and not held
    /// back. None of them is more than [`LOOKED_AT_DAYS`] and `window_days` before the day that was fitted last.
    pub(super) fn learnable_range(&self, from: usize, to: usize) -> Range<usize> {
        let to = to.max(from);
        match &self.free {
            Some(free) => free.before(from)..free.before(to),
            None => self.counts[from]..self.counts[to],
        }
    }

    /// The days with these numbers of [`History::learnable_range`].
    pub(super) fn learned(&self, numbers: Range<usize>) -> Part<'_> {
        self.free.as_ref().unwrap_or(&self.days).part(numbers.start, numbers.end)
    }

    /// Days from `from` to before `to` that are clean.
    pub(super) fn clean_part(&self, from: usize, to: usize) -> Part<'_> {
        self.days.part(self.counts[from], self.counts[to.max(from)])
    }

    pub(super) fn clean_days(&self, from: usize, to: usize) -> usize {
        self.counts[to] - self.counts[from]
    }

    /// Picks out what is not held back of the days from `base` to before `to`.
    fn pick(&mut self, base: usize, to: usize) {
        // Nothing in reach is held back: the list of clean days is the one that is learned from.
        if self.held_until <= base {
            self.free = None;
            return;
        }
        let mut free = self.free.take().unwrap_or_default();
        free.clear();
        let part = self.clean_part(base, to);
        for ((&day, &weekday), &units) in part.days.iter().zip(part.weekdays).zip(part.units) {
            if !self.held[day] {
                free.push(day, weekday, units);
            }
        }
        self.free = Some(free);
    }

    /// Works out the levels of the days from `base` to `to`.
    fn level(&mut self, base: usize, to: usize, factors: &[f64; 7]) {
        self.days.level(self.counts[base], self.counts[to + 1], factors);
        if let Some(free) = &mut self.free {
            free.level(0, free.before(to), factors);
        }
    }

    /// The days before `to` that level and dispersion are learned from.
    fn window(&self, to: usize, params: &DemandParams) -> Part<'_> {
        let start = to.saturating_sub(params.window_days);
        let days = self.learned(self.learnable_range(start.max(self.learn_from), to));
        // After a new level, or where much is held back, a few days
        // would be no baseline: then all clean ones have to do.
        if days.len() < LEARNED_DAYS_MIN { self.clean_part(start, to) } else { days }
    }

    /// What is known before day `to`: nothing at or after it is looked at.
    pub(super) fn fit(&mut self, to: usize, params: &DemandParams) -> Baseline {
        // Nothing older is asked for by the window or by a shift.
        let base = to.saturating_sub(params.window_days.max(LOOKED_AT_DAYS));
        // Powers of the smoothing are the same for every day, and dear: each is computed once.
        for age in self.powers.len()..=to.min(params.window_days) {
            self.powers.push((1.0 - params.smoothing).powf(age as f64));
        }
        self.pick(base, to);
        self.settle(to, params);
        let relative_variance = match outliers::mean_sd_within(self.window(to, params).units, params.outlier_sd) {
            (mean, Some(sd)) if mean > 0.0 => (sd / mean).powi(2),
            _ => 1.0,
        };
        let (factors, factor_variances) = self.profile(to, relative_variance, params);
        self.level(base, to, &factors);

        let window = self.window(to, params);
        let limit = outliers::limit(window.levels, params.outlier_sd).value;
        let weighed = self.weighed(&window, limit, to, &factors);
        let n = weighed.days as f64;
        // An item that did not sell in n days may sell once in 2n: a sale is news, not an impossibility.
        let level = if weighed.days == 0 { 0.0 } else { (weighed.units / weighed.exposure).max(0.5 / n) };
        let dispersion = dispersion(&window, limit, n, level, &factors, params);
        let effective = if weighed.squares > 0.0 { weighed.weights * weighed.weights / weighed.squares } else { 0.0 };
        let level_variance = if effective > 0.0 { (1.0 / level + dispersion) / effective } else { 0.0 };
        Baseline {
            level,
            level_variance,
            dispersion,
            factors,
            factor_variances,
            class: demand_class(window.units).map(|(class, ..)| class),
            sale_share: (weighed.sold as f64 + 0.5) / (n + 1.0),
            learned_days: self.clean_days(to.saturating_sub(params.profile_days), to),
        }
    }

    /// Adds up the days whose level is not above `limit`, younger ones with more weight.
    fn weighed(&self, window: &Part<'_>, limit: f64, to: usize, factors: &[f64; 7]) -> Weighed {
        let factors = ByWeekday::new(|weekday| factors[weekday]);
        let mut all = Weighed::default();
        let of_days = window.days.iter().zip(window.weekdays).zip(window.units.iter().zip(window.levels));
        for ((&day, &weekday), (&units, &level)) in of_days {
            if level <= limit {
                let weight = self.powers[to - 1 - day];
                all.weights += weight;
                all.squares += weight * weight;
                all.units += weight * units;
                all.exposure += weight * factors.of(weekday);
                all.days += 1;
                all.sold += usize::from(units > 0.0);
            }
        }
        all
    }
}

/// Days added up by weight.
#[derive(Default)]
struct Weighed {
    days: usize,
    /// Days with a sale.
    sold: usize,
    weights: f64,
    /// Of the weights.
    squares: f64,
    units: f64,
    exposure: f64,
}

/// Variance beyond Poisson ÷ mean², by moments, drawn towards the assumed one: of the `n` days whose level is not above `limit`.
pub(super) fn dispersion(days: &Part<'_>, limit: f64, n: f64, level: f64, factors: &[f64; 7], params: &DemandParams) -> f64 {
    let (mut beyond, mut squares) = (0.0, 0.0);
    // Level and shrunk profile take about three degrees of freedom.
    let correction = if n > 6.0 { n / (n - 3.0) } else { 2.0 };
    let means = ByWeekday::new(|weekday| level * factors[weekday]);
    for ((&weekday, &units), &level) in days.weekdays.iter().zip(days.units).zip(days.levels) {
        if level <= limit {
            let mean = means.of(weekday);
            beyond += (units - mean).powi(2) * correction - mean;
            squares += mean * mean;
        }
    }
    drawn(n, beyond, squares, params)
}

/// What is measured of the dispersion on `n` days, drawn towards what is assumed.
pub(super) fn drawn(n: f64, beyond: f64, squares: f64, params: &DemandParams) -> f64 {
    let measured = if squares > 0.0 { beyond / squares } else { params.dispersion };
    let belief = params.dispersion_days;
    if n + belief > 0.0 { ((n * measured + belief * params.dispersion) / (n + belief)).max(0.0) } else { params.dispersion }
}

/// What is known before a day.
#[derive(Clone, Debug)]
pub(super) struct Baseline {
    /// Mean units a day over a week.
    pub(super) level: f64,
    /// Variance of the level ÷ level².
    pub(super) level_variance: f64,
    pub(super) dispersion: f64,
    pub(super) factors: [f64; 7],
    pub(super) factor_variances: [f64; 7],
    pub(super) class: Option<DemandClass>,
    /// Share of days with a sale.
    pub(super) sale_share: f64,
    pub(super) learned_days: usize,
}

impl Baseline {
    /// Mean of one day and its variance without the doubt about the level, which days share.
    pub(super) fn day(&self, weekday: usize) -> Demand {
        let mean = self.level * self.factors[weekday];
        Demand { mean, variance: mean + mean * mean * (self.dispersion + self.factor_variances[weekday]) }
    }
}

/// Shortest gap between sales, in days without one, that 99 of 100 gaps stay below, by chance and by experience. The gaps
/// are in order.
pub(super) fn usual_gap(sale_share: f64, gaps: &[f64]) -> f64 {
    let by_chance = (0.01_f64.ln() / (1.0 - sale_share).max(f64::MIN_POSITIVE).ln()).max(0.0);
    by_chance.max(quantile_of_sorted(gaps, 0.99).unwrap_or(0.0))
}

pub(super) fn weekday(day: Date) -> usize {
    usize::from(day.weekday().to_monday_zero_offset().unsigned_abs())
}
