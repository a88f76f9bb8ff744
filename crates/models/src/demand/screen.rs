//! Which spans need no exact test: those that can only come to no shift, or to one with too large a p.
//!
//! A span is first added up in another order: as a difference of sums, from which outliers are taken off. Every addend is
//! positive, so what is left is as good as the exact sum but for 1e-14 of the largest of these sums, which `sums` sees to is
//! 1e-10 of what is left at most; and where a decision hangs on less than [`TOLERANCE`], none is made. What is decided is
//! whether to work out a probability, never the probability.

use super::DemandParams;
use super::baseline::drawn;
use super::outliers::LEARNED_DAYS_MIN;
use super::shift::{STILL_DAYS, TESTS};
use super::span::{Ground, Sold, Span, mean};
use super::sums::{After, Before, Sums};
use super::tail::Demand;

/// Share of a number that two ways of adding it up may be apart: a hundred times what they are, a deviation of a tenth of the
/// mean included.
const TOLERANCE: f64 = 1e-6;

impl Span<'_> {
    /// Whether [`Span::test`] certainly comes to nothing, or to a p above `p`. `false` says nothing.
    pub(super) fn is_surely_above(&self, p: f64, sums: &Sums, factors: &[f64; 7], params: &DemandParams) -> bool {
        // A bound, to spare the exact test where it can not matter;
        // wherever rounding could decide, the answer is "not sure".
        let Some(kept) = self.kept(sums, factors, params) else { return false };
        let end = sums.after(self.after.len());
        let after = if self.trend { self.level_after() } else { end.levels / self.after.len() as f64 };
        let last = mean(self.after.last(STILL_DAYS).levels);
        let level = kept.level();
        let (changed, doubt) = (after - level, TOLERANCE * (after + last + level));
        let beyond = (last - level) * changed.signum() - 0.25 * changed.abs();
        if changed.is_nan() || changed.abs() <= doubt {
            return false;
        }
        // The last days are back: no shift. Else it is one at most, if its near tail is small enough: where that is not, either
        // the far one is the smaller and on the wrong side, or the near one is what p is made of.
        if beyond < -doubt {
            return true;
        }
        let ground = kept.ground(params);
        let quick = if self.trend { None } else { ground.sold_quickly(&end, sums.factor_min, params) };
        let Sold { demand, units } = quick.unwrap_or_else(|| self.sold(ground, factors, params));
        // A p is cut off at 1, and nothing is above that.
        p < 1.0 && demand.is_surely_above(units, changed < 0.0, p / TESTS)
    }

    /// The days before that are learned from. None where it hangs on the last digits which they are.
    fn kept(&self, sums: &Sums, factors: &[f64; 7], params: &DemandParams) -> Option<Kept> {
        let all = Kept { n: self.before.len(), sums: sums.before(self.before_range.clone())? };
        // The limit is at least what it is for counts without noise of their own.
        let quiet = all.mean() + params.outlier_sd * all.mean().sqrt();
        if is_below(sums.top, quiet) {
            return Some(all);
        }
        let top = self.before.levels.iter().fold(0.0, |top, &level| if level > top { level } else { top });
        if is_below(top, quiet) {
            return Some(all);
        }
        let first = all.limit(params)?;
        if is_below(top, first) {
            return Some(all);
        }
        let without = self.without(all, first, sums, factors)?;
        let second = if without.n >= LEARNED_DAYS_MIN { without.limit(params)? } else { first };
        let kept = self.without(all, second, sums, factors)?;
        // Else days that were left out may be taken in again: see the exact test.
        (kept.n >= LEARNED_DAYS_MIN && kept.level() <= second).then_some(kept)
    }

    fn without(&self, mut kept: Kept, limit: f64, sums: &Sums, factors: &[f64; 7]) -> Option<Kept> {
        for (at, &level) in self.before.levels.iter().enumerate() {
            if !is_below(level, limit) {
                // As near to the limit as rounding: whether the day is in nobody can say by sums.
                if !is_below(limit, level) {
                    return None;
                }
                kept.n -= 1;
                kept.sums.remove(self.before.units[at], level, factors[usize::from(self.before.weekdays[at])]);
            }
        }
        sums.is_enough(&kept.sums).then_some(kept)
    }
}

impl Ground {
    /// What is to be expected of a step and what was sold, if no day of it is cut off.
    fn sold_quickly(self, end: &After, factor_min: f64, params: &DemandParams) -> Option<Sold> {
        let Ground { level, dispersion, n } = self;
        let least = level * factor_min;
        if !is_below(end.top, least + params.outlier_sd * (least + dispersion * least * least).sqrt()) {
            return None;
        }
        let mean = level * end.factors;
        let level_variance = (1.0 / level + dispersion) / n;
        let variance = mean + dispersion * level * level * end.factor_squares + mean * mean * level_variance;
        Some(Sold { demand: Demand { mean, variance }, units: (end.units - end.top + end.second).max(0.0) })
    }
}

/// The days before a span, without outliers.
#[derive(Clone, Copy)]
struct Kept {
    n: usize,
    sums: Before,
}

impl Kept {
    fn mean(&self) -> f64 {
        self.sums.levels / self.n as f64
    }

    fn level(&self) -> f64 {
        self.mean().max(0.5 / self.n as f64)
    }

    /// The limit that outliers are above. None where the deviation is so small that last digits are all that is known of it.
    fn limit(&self, params: &DemandParams) -> Option<f64> {
        let mean = self.mean();
        let sd = ((self.sums.level_squares - self.sums.levels * mean) / (self.n as f64 - 1.0)).max(0.0).sqrt();
        (sd > 0.1 * mean).then(|| mean + params.outlier_sd * sd.max(mean.sqrt()))
    }

    fn ground(&self, params: &DemandParams) -> Ground {
        let (n, level) = (self.n as f64, self.level());
        let expected_squares = level * level * self.sums.factor_squares;
        let errors = self.sums.unit_squares - 2.0 * level * self.sums.products + expected_squares;
        let beyond = errors * n / (n - 3.0) - level * self.sums.factors;
        Ground { level, dispersion: drawn(n, beyond, expected_squares, params), n }
    }
}

/// Whether a number is below another by more than last digits.
fn is_below(number: f64, other: f64) -> bool {
    number < other * (1.0 - TOLERANCE)
}
