//! Days in a row: below expectation, above it, and without a sale.

use super::baseline::{Baseline, History, usual_gap};
use super::tail::Demand;

/// Days at the end of a run that are looked at; a longer run is as clear as it will be, or is a level shift by then.
const RUN_DAYS_MAX: usize = 28;

/// A day of a run, with what was expected of it, as it was expected then.
#[derive(Clone, Copy, Debug)]
struct RunDay {
    sold: f64,
    alone: Demand,
    /// Relative variance of the level, a doubt that the days of a run share.
    level_variance: f64,
}

/// What of the past the runs need. Days are pushed in order.
#[derive(Debug, Default)]
pub(super) struct Past {
    low: Vec<RunDay>,
    high: Vec<RunDay>,
    errors: Vec<f64>,
    /// Days without a sale before each sale, zero included; shortest first.
    gaps: Vec<f64>,
    zero_days: u32,
    /// The weekdays of the current gap whose share of `p_gap` is still to be counted: it is only where the gap is judged.
    uncounted: Vec<u8>,
    /// Probability that none of the days of the current gap has a sale, as they were expected when it began.
    p_gap: f64,
    /// What was known when the current gap began: a gap that goes on must not become usual by being learned from.
    sale_share: f64,
    began: Option<Baseline>,
    /// Probability of no sale on each weekday, as it was then; counted when such a day comes, for most days have a sale.
    no_sale: [Option<f64>; 7],
}

impl Past {
    /// Takes a day in. Days that are not clean leave the runs as they are; of the gaps only days on which the item could
    /// not be sold (`sellable`) do, for a promotion without a sale is a day without a sale.
    pub(super) fn push(
        &mut self,
        history: &History<'_>,
        today: usize,
        baseline: &Baseline,
        alone: Demand,
        warm: bool,
        sellable: bool,
    ) {
        if sellable {
            self.push_gap(history.units(today), history.weekday(today), baseline);
        }
        if !history.clean[today] || !warm {
            return;
        }
        let units = history.units(today);
        self.errors.push(units - alone.mean);
        let (run, other) =
            if units < alone.mean { (&mut self.low, &mut self.high) } else { (&mut self.high, &mut self.low) };
        run.push(RunDay { sold: units, alone, level_variance: baseline.level_variance });
        other.clear();
    }

    fn push_gap(&mut self, units: f64, weekday: usize, baseline: &Baseline) {
        if units > 0.0 {
            let gap = f64::from(self.zero_days);
            // Kept in order, since a quantile of the gaps is asked for on every judged day.
            self.gaps.insert(self.gaps.partition_point(|&other| other <= gap), gap);
            self.zero_days = 0;
        }
        if self.zero_days == 0 {
            self.p_gap = 1.0;
            self.uncounted.clear();
            self.sale_share = baseline.sale_share;
            self.began = Some(baseline.clone());
            self.no_sale = [None; 7];
        }
        if units <= 0.0 {
            self.zero_days += 1;
            self.uncounted.push(weekday as u8);
        }
    }

    /// Days of the run above (or below) expectation, as of the last clean day; one of the two is empty.
    pub(super) fn run_days(&self, above: bool) -> u32 {
        (if above { self.high.len() } else { self.low.len() }) as u32
    }

    /// The run above (or below) expectation, judged by those of its last days that speak clearest. The sum over exactly n
    /// days has probability p, and as any n from two on is looked at, n is paid for by n (n + 1) ÷ 2, whose inverses sum
    /// to one.
    pub(super) fn p_run(&self, above: bool) -> f64 {
        let days = if above { &self.high } else { &self.low };
        let (mut sold, mut mean, mut variance, mut best) = (0.0, 0.0, 0.0, 1.0_f64);
        for (n, day) in (1_u32..).zip(days.iter().rev().take(RUN_DAYS_MAX)) {
            sold += day.sold;
            mean += day.alone.mean;
            variance += day.alone.variance;
            if n >= 2 {
                let price = f64::from(n * (n + 1) / 2);
                let demand = Demand { mean, variance: variance + mean * mean * day.level_variance };
                // What is sure to be no less than the best changes nothing.
                if demand.is_surely_above(sold, !above, best / price) {
                    continue;
                }
                let p = if above { demand.at_least(sold) } else { demand.at_most(sold) };
                best = best.min(p * price);
            }
        }
        best
    }

    /// Days without a sale up to now.
    pub(super) fn zero_days(&self) -> u32 {
        self.zero_days
    }

    /// Probability of as many days without a sale.
    pub(super) fn p_zero_run(&mut self) -> f64 {
        if self.zero_days == 0 {
            return 1.0;
        }
        for weekday in self.uncounted.drain(..).map(usize::from) {
            let no_sale = || self.began.as_ref().map_or(1.0, |began| began.day(weekday).at_most(0.0));
            self.p_gap *= *self.no_sale[weekday].get_or_insert_with(no_sale);
        }
        let days = f64::from(self.zero_days);
        let as_long = (self.gaps.len() - self.gaps.partition_point(|&gap| gap < days)) as f64;
        // The most harmless of three stories counts: the series' own gaps,
        // chance at its rate, and the days as they were expected.
        let seen = as_long / (self.gaps.len() as f64 + 1.0);
        let by_chance = (1.0 - self.sale_share).powf(days);
        seen.max(by_chance).max(self.p_gap).min(1.0)
    }

    pub(super) fn usual_gap(&self) -> f64 {
        usual_gap(self.sale_share, &self.gaps)
    }

    /// Errors (actual - expected) of the last `days` clean days.
    pub(super) fn errors(&self, days: usize) -> &[f64] {
        &self.errors[self.errors.len().saturating_sub(days)..]
    }
}
