//! What is known of a series before a day: weekday profile, level, dispersion, and how sure each of them is.

use jiff::{ToSpan, civil::Date};

use super::tail::Demand;
use super::{DemandParams, Series, is_set};
use crate::formulas::{DemandClass, demand_class, mean_sd, quantile_of_sorted};

/// Days to either side that make the local level to which a day is compared for the weekday profile: three whole weeks.
const LOCAL_DAYS: usize = 10;
/// With fewer learned days than this, held-back days are learned from all the same: something must be.
const LEARNED_DAYS_MIN: usize = 7;

/// A series with what may be learned from it. Which days are held back changes as days go by, never backwards in time.
pub(super) struct History<'a> {
    pub(super) series: &'a Series,
    /// Neither censored nor promoted nor blocked.
    pub(super) clean: Vec<bool>,
    /// Clean, but part of a shift that was not confirmed.
    pub(super) held: Vec<bool>,
    /// First day of the level that holds now: 0, or the start of the last confirmed shift.
    pub(super) learn_from: usize,
    first_weekday: usize,
    sums: Vec<f64>,
    counts: Vec<usize>,
    settled: Settled,
    powers: Vec<f64>,
}

/// Ratios to the local level of days whose local level does not change any more, by weekday, smallest first.
#[derive(Default)]
struct Settled {
    from: usize,
    to: usize,
    ratios: [Vec<f64>; 7],
    /// Which days are held back has changed.
    stale: bool,
    /// The ratios of one weekday with those that are not settled.
    all: Vec<f64>,
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
        let (mut sums, mut counts) = (vec![0.0], vec![0]);
        for (day, &is_clean) in clean.iter().enumerate() {
            sums.push(sums[day] + if is_clean { series.units[day].max(0.0) } else { 0.0 });
            counts.push(counts[day] + usize::from(is_clean));
        }
        let first_weekday = weekday(series.first);
        let held = vec![false; days];
        let settled = Settled::default();
        Self { series, clean, held, learn_from: 0, first_weekday, sums, counts, settled, powers: Vec::new() }
    }

    /// Holds the days from `from` to `to`, both included, back from learning, or no longer.
    pub(super) fn hold(&mut self, from: usize, to: usize, held: bool) {
        let days = &mut self.held[from..=to];
        self.settled.stale |= days.iter().any(|&day| day != held);
        days.fill(held);
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

    /// Days from `from` to before `to` that are clean and not held back.
    pub(super) fn learnable(&self, from: usize, to: usize) -> Vec<usize> {
        (from..to).filter(|&day| self.clean[day] && !self.held[day]).collect()
    }

    pub(super) fn clean_days(&self, from: usize, to: usize) -> usize {
        self.counts[to] - self.counts[from]
    }

    /// What is known before day `to`: nothing at or after it is looked at.
    pub(super) fn fit(&mut self, to: usize, params: &DemandParams) -> Baseline {
        let start = to.saturating_sub(params.window_days);
        let mut days = self.learnable(start.max(self.learn_from), to);
        if days.len() < LEARNED_DAYS_MIN {
            days = (start..to).filter(|&day| self.clean[day]).collect();
        }
        let raw: Vec<f64> = days.iter().map(|&day| self.units(day)).collect();
        let relative_variance = match mean_sd(&without_outliers(&raw, params.outlier_sd)) {
            (mean, Some(sd)) if mean > 0.0 => (sd / mean).powi(2),
            _ => 1.0,
        };
        let (factors, factor_variances) = self.profile(to, relative_variance, params);

        let level_of: Vec<f64> = days.iter().map(|&day| self.units(day) / factors[self.weekday(day)]).collect();
        let limit = outlier_limit(&level_of, params.outlier_sd);
        let kept: Vec<usize> = days.iter().zip(&level_of).filter(|(_, y)| **y <= limit).map(|(&day, _)| day).collect();
        for age in self.powers.len()..=to.saturating_sub(start) {
            self.powers.push((1.0 - params.smoothing).powf(age as f64));
        }
        let (mut weight_sum, mut weight_square_sum, mut units_sum, mut exposure) = (0.0, 0.0, 0.0, 0.0);
        for &day in &kept {
            let weight = self.powers[to - 1 - day];
            weight_sum += weight;
            weight_square_sum += weight * weight;
            units_sum += weight * self.units(day);
            exposure += weight * factors[self.weekday(day)];
        }
        let n = kept.len() as f64;
        // An item that did not sell in n days may sell once in 2n: a sale is news, not an impossibility.
        let level = if kept.is_empty() { 0.0 } else { (units_sum / exposure).max(0.5 / n) };
        let dispersion = self.dispersion(&kept, level, &factors, params);
        let effective = if weight_square_sum > 0.0 { weight_sum * weight_sum / weight_square_sum } else { 0.0 };
        let level_variance = if effective > 0.0 { (1.0 / level + dispersion) / effective } else { 0.0 };
        let sold = kept.iter().filter(|&&day| self.units(day) > 0.0).count() as f64;
        Baseline {
            level,
            level_variance,
            dispersion,
            factors,
            factor_variances,
            class: demand_class(&raw).map(|(class, ..)| class),
            sale_share: (sold + 0.5) / (n + 1.0),
            learned_days: self.clean_days(to.saturating_sub(params.profile_days), to),
        }
    }

    /// Weekday factors of mean 1 and the variance left in each, by ratio to the local level, shrunk towards 1.
    fn profile(&mut self, to: usize, relative_variance: f64, params: &DemandParams) -> ([f64; 7], [f64; 7]) {
        let first = to.saturating_sub(params.profile_days);
        let edge = to.saturating_sub(LOCAL_DAYS);
        let mut settled = std::mem::take(&mut self.settled);
        self.settle(&mut settled, first.min(edge), edge);
        let spread = params.weekday_spread * params.weekday_spread;
        // How many observations the belief "like any other day" is worth: noise ÷ spread (empirical Bayes).
        let worth = (relative_variance / spread).max(1.0);
        let (mut factors, mut variances) = ([1.0; 7], [spread; 7]);
        for weekday in 0..7 {
            let all = &mut settled.all;
            all.clear();
            all.extend_from_slice(&settled.ratios[weekday]);
            for day in (edge.max(first)..to).filter(|&day| self.weekday(day) == weekday) {
                if let Some(ratio) = self.ratio(day, to) {
                    insert(all, ratio);
                }
            }
            let n = all.len() as f64;
            if all.len() >= 4 {
                // One spike in eight weeks must not make a weekday: the largest counts as the second largest.
                let last = all.len() - 1;
                all[last] = all[last - 1];
            } else {
                // So few are added up as the days come: in another order the last digit may differ.
                all.clear();
                all.extend((first..to).filter(|&day| self.weekday(day) == weekday).filter_map(|day| self.ratio(day, to)));
            }
            factors[weekday] = (all.iter().sum::<f64>() + worth) / (n + worth);
            variances[weekday] = spread * worth / (n + worth);
        }
        self.settled = settled;
        let mean = factors.iter().sum::<f64>() / 7.0;
        (factors.map(|factor| factor / mean), variances)
    }

    /// A day's units ÷ the mean of the days around it, as known before day `to`, where there are enough.
    fn ratio(&self, day: usize, to: usize) -> Option<f64> {
        let (from, until) = (day.saturating_sub(LOCAL_DAYS), (day + LOCAL_DAYS + 1).min(to));
        let (sum, count) = (self.sums[until] - self.sums[from], self.clean_days(from, until));
        let counted = self.clean[day] && !self.held[day] && sum > 0.0 && count >= 7;
        counted.then(|| self.units(day) * count as f64 / sum)
    }

    /// Makes `settled` hold the ratios of the days from `first` to before `edge`.
    fn settle(&self, settled: &mut Settled, first: usize, edge: usize) {
        if settled.stale {
            settled.ratios.iter_mut().for_each(Vec::clear);
            (settled.from, settled.to, settled.stale) = (first, first, false);
        }
        let known = |day: usize| self.ratio(day, day + LOCAL_DAYS + 1);
        for day in settled.to..edge {
            if let Some(ratio) = known(day) {
                insert(&mut settled.ratios[self.weekday(day)], ratio);
            }
        }
        for day in settled.from..first {
            if let Some(ratio) = known(day) {
                let ratios = &mut settled.ratios[self.weekday(day)];
                // It was put in with these very bits: what it is made of can not change, or it is stale.
                ratios.remove(ratios.partition_point(|other| other.total_cmp(&ratio).is_lt()));
            }
        }
        (settled.from, settled.to) = (first, edge);
    }

    /// Variance beyond Poisson ÷ mean², by moments, drawn towards the assumed one.
    pub(super) fn dispersion(&self, days: &[usize], level: f64, factors: &[f64; 7], params: &DemandParams) -> f64 {
        let (mut beyond, mut squares) = (0.0, 0.0);
        let n = days.len() as f64;
        // Level and shrunk profile take about three degrees of freedom.
        let correction = if n > 6.0 { n / (n - 3.0) } else { 2.0 };
        for &day in days {
            let mean = level * factors[self.weekday(day)];
            beyond += (self.units(day) - mean).powi(2) * correction - mean;
            squares += mean * mean;
        }
        let measured = if squares > 0.0 { beyond / squares } else { params.dispersion };
        let belief = params.dispersion_days;
        if n + belief > 0.0 {
            ((n * measured + belief * params.dispersion) / (n + belief)).max(0.0)
        } else {
            params.dispersion
        }
    }
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

/// Puts a value where it belongs in a list that is in order.
fn insert(sorted: &mut Vec<f64>, value: f64) {
    sorted.insert(sorted.partition_point(|other| other.total_cmp(&value).is_lt()), value);
}

/// The values without those too far above the mean.
pub(super) fn without_outliers(values: &[f64], deviations: f64) -> Vec<f64> {
    let limit = outlier_limit(values, deviations);
    values.iter().copied().filter(|&x| x <= limit).collect()
}

/// The value above which a day is not learned from: `deviations` above the mean, twice, for the first outlier hides others.
fn outlier_limit(values: &[f64], deviations: f64) -> f64 {
    let mut limit = f64::INFINITY;
    for _ in 0..2 {
        let kept = || values.iter().filter(|&&x| x <= limit);
        let n = kept().count();
        if n >= LEARNED_DAYS_MIN {
            let mean = kept().sum::<f64>() / n as f64;
            let sd = (kept().map(|x| (x - mean).powi(2)).sum::<f64>() / (n as f64 - 1.0)).sqrt();
            let next = mean + deviations * sd.max(mean.sqrt());
            // None left out: the second round would come to the same.
            let same = n == values.len() && !values.iter().any(|&x| x > next);
            limit = next;
            if same {
                break;
            }
        }
    }
    limit
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
