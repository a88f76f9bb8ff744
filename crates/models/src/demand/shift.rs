//! Has the level changed? Steps and slow trends, tested against the weeks before them.

use jiff::civil::Date;

use super::DemandParams;
use super::baseline::History;
use super::span::Span;
use super::sums::Sums;
use crate::formulas::{mean_sd, median};

/// Lengths of a step tried, in days: short ones singly, longer ones in growing distances, for they differ less.
const STEPS: [usize; 8] = [5, 6, 7, 9, 11, 14, 17, 21];
/// Lengths of a slow trend tried, in days.
const TRENDS: [usize; 3] = [14, 21, 28];
/// Days behind the split that it is compared with, where there are as many.
pub(super) const BEFORE_DAYS: usize = 56;
/// Fewest days before the split; half a window.
pub(super) const BEFORE_DAYS_MIN: usize = 21;
/// Fewest days of a level that was confirmed as new before it can shift again.
pub(super) const BEFORE_DAYS_MIN_RENEWED: usize = 14;
/// Fewest clean days that make a step rather than an incident.
pub(super) const AFTER_DAYS_MIN: usize = 5;
/// Two-sided tests of eleven nested spans, worth about six independent ones, for they share most of their days: simulated
/// on 73,200 days of pure noise, a corrected p below 0.01 came on 1.0 % of the days and one below 1e-4 on 0.02 %.
pub(super) const TESTS: f64 = 2.0 * 6.0;
/// Days at the end of a shift that must still be on its side.
pub(super) const STILL_DAYS: usize = 3;

/// A change of level, a step or a trend.
#[derive(Clone, Debug, PartialEq)]
pub struct Shift {
    /// First day of the changed level (or of the trend).
    pub since: Date,
    /// Days from then up to the day of the score, both included.
    pub days: u32,
    /// Mean per day before, without weekday effect.
    pub before: f64,
    /// Mean per day since; of a trend, over its last week.
    pub after: f64,
    /// `after` ÷ `before`.
    pub ratio: f64,
    /// Probability of a difference like this, either way, without a change; corrected for the number of spans tried.
    pub p: f64,
}

/// A trend must be this much likelier than any step to be called one: a step fits most trends, and is the plainer story.
const TREND_P_FACTOR: f64 = 0.01;

/// A shift and what the baseline needs to know of it.
#[derive(Clone, Debug)]
pub(super) struct Found {
    pub(super) shift: Shift,
    /// Index of its first day.
    pub(super) start: usize,
}

/// The likeliest shift that still holds on day `today`, if its p is at most `most`. Looks at no later day.
pub(super) fn find(
    history: &History<'_>,
    today: usize,
    factors: &[f64; 7],
    params: &DemandParams,
    most: f64,
) -> Option<Found> {
    let known = (history.learn_from > 0 && today + 1 - history.learn_from <= 28).then(|| today + 1 - history.learn_from);
    let sums = Sums::of(history, today, factors);
    let likeliest = |lengths: &mut dyn Iterator<Item = usize>, trend: bool, all: bool| {
        lengths
            .filter_map(|days| Span::of(history, (today + 1).checked_sub(days)?, today, trend))
            .filter(|span| all || !span.is_surely_above(most, &sums, factors, params))
            .filter_map(|span| span.test(history, factors, params))
            .min_by(|a, b| a.shift.p.total_cmp(&b.shift.p))
    };
    let is_likely = |found: &Option<Found>| found.as_ref().is_some_and(|found| found.shift.p <= most);
    let mut steps = STEPS.into_iter().chain(known);
    let mut step = likeliest(&mut steps.clone(), false, false);
    let trend = likeliest(&mut TRENDS.into_iter(), true, false);
    // Spans that are surely above `most` are passed over, which is exact: a group with a p up to it has its least among
    // the others; if neither group has one, nothing is reported; and beside a likely step, an unlikely trend changes nothing,
    // for its p is the larger. Only beside a likely trend it matters which of the unlikely steps is the likeliest.
    if !is_likely(&step) {
        if !is_likely(&trend) {
            return None;
        }
        step = likeliest(&mut steps, false, true);
    }
    let found = match (step, trend) {
        (Some(step), Some(trend)) if trend.shift.p < step.shift.p * TREND_P_FACTOR => trend,
        // Whatever it is called, that something changed is as likely as the clearer of the two says.
        (Some(step), Some(trend)) if (trend.shift.ratio < 1.0) == (step.shift.ratio < 1.0) => {
            let p = step.shift.p.min(trend.shift.p);
            Found { shift: Shift { p, ..step.shift }, ..step }
        }
        (step, trend) => step.or(trend)?,
    };
    (found.shift.p <= most).then_some(found)
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
pub(super) fn departed(level: f64, before: f64, changed: f64, share: f64) -> bool {
    (level - before) * changed.signum() > share * changed.abs()
}
