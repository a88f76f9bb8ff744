//! Looking along the baseline: what a promotion added, and what the next days should bring.

use jiff::{ToSpan, civil::Date};

use super::baseline::weekday;
use super::{DayScore, Series, is_set};

/// z of an 80 % band.
const BAND_Z: f64 = 1.281_551_6;

/// What a promotion added.
#[derive(Clone, Debug, PartialEq)]
pub struct Uplift {
    /// Days that were counted.
    pub days: u32,
    /// Units that would have been sold without it.
    pub expected_baseline: f64,
    /// Units sold.
    pub actual: f64,
    /// `actual` ÷ `expected_baseline`.
    pub ratio: f64,
    /// Lower end of the 80 % band of the ratio.
    pub low: f64,
    /// Upper end of the 80 % band of the ratio.
    pub high: f64,
}

/// Actual ÷ baseline from `from` to `to`, both included, over the days that could be sold and are not blocked.
/// `scores` are those of `series`. `None` without such days, or where nothing was to be expected.
///
/// The band takes the noise of a day to grow in proportion when more is sold, and by its root when less is.
pub fn promo_uplift(series: &Series, scores: &[DayScore], from: Date, to: Date) -> Option<Uplift> {
    let (mut days, mut expected, mut actual, mut variance) = (0_u32, 0.0, 0.0, 0.0);
    for (index, score) in scores.iter().enumerate() {
        let counted = (from..=to).contains(&score.day) && !score.censored && !is_set(&series.blocked, index);
        if counted && score.learned_days > 0 && score.actual.is_finite() {
            days += 1;
            expected += score.expected;
            actual += score.actual.max(0.0);
            variance += score.sigma * score.sigma;
        }
    }
    if days == 0 || expected <= 0.0 {
        return None;
    }
    let ratio = actual / expected;
    let spread = BAND_Z * ratio.max(ratio.sqrt()) * variance.sqrt() / expected;
    Some(Uplift { days, expected_baseline: expected, actual, ratio, low: (ratio - spread).max(0.0), high: ratio + spread })
}

/// Mean and deviation of demand on each of `days` days from `from` on: current level × weekday, without promotions.
///
/// Uses the scores of days before `from` only. A confirmed shift is in their level already. Empty when nothing is known.
pub fn project(scores: &[DayScore], from: Date, days: u32) -> Vec<(f64, f64)> {
    let known = &scores[..scores.partition_point(|score| score.day < from)];
    let Some(last) = known.last().filter(|last| last.learned_days > 0) else { return Vec::new() };
    (0..i64::from(days))
        .map(|ahead| {
            let wanted = weekday(from.saturating_add(ahead.days()));
            // The latest day of the same weekday; at most a week back unless the series is younger than that.
            let same = known.iter().rev().take(7).find(|score| weekday(score.day) == wanted).filter(|s| s.expected > 0.0);
            same.map_or((last.level, last.sigma), |same| {
                let mean = last.level * same.weekday_factor;
                (mean, same.sigma * mean / same.expected)
            })
        })
        .collect()
}
