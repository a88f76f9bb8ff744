//! Days far above the rest, from which nothing is learned.

use crate::formulas::mean_sd;

/// With fewer days than this, all of them are learned from: something must be.
pub(super) const LEARNED_DAYS_MIN: usize = 7;

/// Up to which value days are learned from.
#[derive(Clone, Copy, Debug)]
pub(super) struct Limit {
    pub(super) value: f64,
    /// Mean and deviation of all values, where the limit leaves none out and they were worked out on the way.
    pub(super) of_all: Option<(f64, f64)>,
}

/// The value above which a day is not learned from: `deviations` above the mean, twice, for the first outlier hides others.
pub(super) fn limit(values: &[f64], deviations: f64) -> Limit {
    if values.len() < LEARNED_DAYS_MIN {
        return Limit { value: f64::INFINITY, of_all: None };
    }
    let (mean, sd) = moments(values, f64::INFINITY, values.len());
    let first = mean + deviations * sd.max(mean.sqrt());
    let kept = kept(values, first);
    // None left out: the second round would come to the same numbers.
    if kept == values.len() {
        return Limit { value: first, of_all: Some((mean, sd)) };
    }
    if kept < LEARNED_DAYS_MIN {
        return Limit { value: first, of_all: None };
    }
    let (mean, sd) = moments(values, first, kept);
    Limit { value: mean + deviations * sd.max(mean.sqrt()), of_all: None }
}

/// Mean and deviation of the values up to `limit`, of which there are `n`. What is left out adds nothing (+0), which leaves a
/// sum as it is to the last bit, and so the loops need not branch.
fn moments(values: &[f64], limit: f64, n: usize) -> (f64, f64) {
    let n = n as f64;
    let mean = values.iter().map(|&x| if x <= limit { x } else { 0.0 }).sum::<f64>() / n;
    let squares = values.iter().map(|&x| if x <= limit { (x - mean).powi(2) } else { 0.0 }).sum::<f64>();
    (mean, (squares / (n - 1.0)).sqrt())
}

/// How many of the values are not above `limit`.
pub(super) fn kept(values: &[f64], limit: f64) -> usize {
    values.iter().filter(|&&x| x <= limit).count()
}

/// Mean and deviation of the values that are not above the [`limit`].
pub(super) fn mean_sd_within(values: &[f64], deviations: f64) -> (f64, Option<f64>) {
    let limit = limit(values, deviations);
    match limit.of_all {
        Some((mean, sd)) => (mean, Some(sd)),
        None if limit.value.is_infinite() => mean_sd(values),
        None => {
            let n = kept(values, limit.value);
            let (mean, sd) = moments(values, limit.value, n);
            (mean, (n > 1).then_some(sd))
        }
    }
}
