//! Has the level changed? Steps and slow trends, tested against the weeks before them.

use super::baseline::{History, without_outliers};
use super::{DemandParams, Shift};
use crate::demand::tail::Demand;
use crate::formulas::{mean_sd, median};

/// Lengths of a step tried, in days: short ones singly, longer ones in growing distances, for they differ less.
const STEPS: [usize; 8] = [5, 6, 7, 9, 11, 14, 17, 21];
/// Lengths of a slow trend tried, in days.
const TRENDS: [usize; 3] = [14, 21, 28];
/// Days behind the split that it is compared with, where there are as many.
const BEFORE_DAYS: usize = 56;
/// Fewest days before the split; half a window.
const BEFORE_DAYS_MIN: usize = 21;
/// Fewest days of a level that was confirmed as new before it can shift again.
const BEFORE_DAYS_MIN_RENEWED: usize = 14;
/// Fewest clean days that make a step rather than an incident.
const AFTER_DAYS_MIN: usize = 5;
/// Two-sided tests of eleven nested spans, worth about six independent ones, for they share most of their days: simulated
/// on 73,200 days of pure noise, a corrected p below 0.01 came on 1.0 % of the days and one below 1e-4 on 0.02 %.
const TESTS: f64 = 2.0 * 6.0;
/// Days at the end of a shift that must still be on its side.
const STILL_DAYS: usize = 3;

/// A trend must be this much likelier than any step to be called one: a step fits most trends, and is the plainer story.
const TREND_P_FACTOR: f64 = 0.01;

/// A shift and what the baseline needs to know of it.
#[derive(Clone, Debug)]
pub(super) struct Found {
    pub(super) shift: Shift,
    /// Index of its first day.
    pub(super) start: usize,
}

/// The likeliest shift that still holds on day `today`. Looks at no later day.
pub(super) fn find(history: &History<'_>, today: usize, factors: &[f64; 7], params: &DemandParams) -> Option<Found> {
    let known = (history.learn_from > 0 && today + 1 - history.learn_from <= 28).then(|| today + 1 - history.learn_from);
    let likeliest = |lengths: &mut dyn Iterator<Item = usize>, trend: bool| {
        lengths
            .filter_map(|days| try_span(history, (today + 1).checked_sub(days)?, today, trend, factors, params))
            .min_by(|a, b| a.shift.p.total_cmp(&b.shift.p))
    };
    let step = likeliest(&mut STEPS.into_iter().chain(known), false);
    let trend = likeliest(&mut TRENDS.into_iter(), true);
    let found = match (step, trend) {
        (Some(step), Some(trend)) if trend.shift.p < step.shift.p * TREND_P_FACTOR => trend,
        // Whatever it is called, that something changed is as likely as the clearer of the two says.
        (Some(step), Some(trend)) if (trend.shift.ratio < 1.0) == (step.shift.ratio < 1.0) => {
            let p = step.shift.p.min(trend.shift.p);
            Found { shift: Shift { p, ..step.shift }, ..step }
        }
        (step, trend) => step.or(trend)?,
    };
    (found.shift.p <= params.report_p).then_some(found)
}

/// Tests the days from `start` to `today` against those before `start`, as a step or as a trend.
fn try_span(
    history: &History<'_>,
    start: usize,
    today: usize,
    trend: bool,
    factors: &[f64; 7],
    params: &DemandParams,
) -> Option<Found> {
    let (from, enough) = match history.learn_from {
        0 => (0, BEFORE_DAYS_MIN),
        // The start of the level that holds now is compared with the level before it, and no span may straddle it.
        since if start == since && !trend => (0, BEFORE_DAYS_MIN),
        since if start > since => (since, BEFORE_DAYS_MIN_RENEWED),
        _ => return None,
    };
    let before_days = history.learnable(from.max(start.saturating_sub(BEFORE_DAYS)), start);
    let after_days: Vec<usize> = (start..=today).filter(|&day| history.clean[day]).collect();
    if before_days.len() < enough || after_days.len() < AFTER_DAYS_MIN {
        return None;
    }
    let factor = |day: usize| factors[history.weekday(day)];
    let plain = |days: &[usize]| days.iter().map(|&day| history.units(day) / factor(day)).collect::<Vec<f64>>();
    let learned = without_outliers(&plain(&before_days), params.outlier_sd);
    let n = learned.len() as f64;
    let before = mean_sd(&learned).0.max(0.5 / n);
    let limit = learned.iter().copied().fold(before, f64::max);
    let kept: Vec<usize> = before_days.iter().copied().filter(|&day| history.units(day) / factor(day) <= limit).collect();
    let dispersion = history.dispersion(&kept, before, factors, params);
    let before_variance = (1.0 / before + dispersion) / n;

    // One odd day is no shift: each counts up to a limit, and the largest as much as the second largest.
    let deviation = |mean: f64| (mean + dispersion * mean * mean).sqrt();
    let mut after: Vec<f64> = after_days
        .iter()
        .map(|&day| history.units(day).min(before * factor(day) + params.outlier_sd * deviation(before * factor(day))))
        .collect();
    if let Some(top) = (0..after.len()).max_by(|&a, &b| after[a].total_cmp(&after[b])) {
        let second = (0..after.len()).filter(|&day| day != top).map(|day| after[day]).fold(0.0, f64::max);
        if !trend {
            after[top] = second;
        }
    }

    let (mut sum, mut mean, mut variance, mut squares) = (0.0, 0.0, 0.0, 0.0);
    for (&day, &units) in after_days.iter().zip(&after) {
        let weight = if trend { (day + 1 - start) as f64 / (today + 1 - start) as f64 } else { 1.0 };
        let expected = before * factor(day);
        sum += weight * units;
        mean += weight * expected;
        squares += weight * weight * expected;
        variance += weight * weight * (expected + dispersion * expected * expected);
    }
    // A weighted sum of counts is taken as a count times the scale at which its Poisson part has the right variance.
    let scale = squares / mean;
    let demand = Demand { mean: mean / scale, variance: (variance + mean * mean * before_variance) / (scale * scale) };
    let (low, high) = (demand.at_most(sum / scale), demand.at_least(sum / scale));

    let mean_of = |days: &[usize]| mean_sd(&plain(days)).0;
    let last = |days: usize| mean_of(&after_days[after_days.len().saturating_sub(days)..]);
    let after_level = if trend { last(7) } else { mean_of(&after_days) };
    let changed = after_level - before;
    let same_side = (low < high) == (changed < 0.0);
    let shift = Shift {
        since: history.date(start),
        days: (today + 1 - start) as u32,
        before,
        after: after_level,
        ratio: after_level / before,
        p: (low.min(high) * TESTS).min(1.0),
    };
    (departed(last(STILL_DAYS), before, changed, 0.25) && same_side).then_some(Found { shift, start })
}

/// The day since which the level is a new one: the first of the last `confirm_days` clean days, if these belong to a shift
/// as a whole. An incident of nearly as many days must not pass for a new level by taking in a few usual days, so both
/// halves, the last days and the very last one must have departed.
pub(super) fn lasting_since(
    history: &History<'_>,
    today: usize,
    shift: &Shift,
    factors: &[f64; 7],
    params: &DemandParams,
) -> Option<usize> {
    if (shift.days as usize) < params.confirm_days {
        return None;
    }
    let mut days: Vec<usize> = (0..=today).rev().filter(|&day| history.clean[day]).take(params.confirm_days).collect();
    days.reverse();
    let levels: Vec<f64> = days.iter().map(|&day| history.units(day) / factors[history.weekday(day)]).collect();
    let changed = median(&levels)? - shift.before;
    let (earlier, later) = levels.split_at(levels.len() / 2);
    let lasts = levels.len() >= params.confirm_days
        && [earlier, later, &levels[levels.len() - STILL_DAYS..]]
            .iter()
            .all(|part| departed(mean_sd(part).0, shift.before, changed, 0.6))
        && departed(levels[levels.len() - 1], shift.before, changed, 0.5);
    if lasts { days.first().copied() } else { None }
}

/// Whether a level is further from `before` than a share of the change, in its direction.
fn departed(level: f64, before: f64, changed: f64, share: f64) -> bool {
    (level - before) * changed.signum() > share * changed.abs()
}
