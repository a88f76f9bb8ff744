//! Counts that habits of time are made of: days early or late, days of the week, yes and no.

use std::collections::BTreeMap;

/// Counts of days early or late.
#[derive(Clone, Debug, Default)]
pub(super) struct Days {
    counts: BTreeMap<i32, u32>,
    total: u32,
}

impl Days {
    pub(super) fn learn(&mut self, days: i32) {
        *self.counts.entry(days).or_default() += 1;
        self.total += 1;
    }

    pub(super) fn total(&self) -> f64 {
        f64::from(self.total)
    }

    fn sum(&self, range: impl std::ops::RangeBounds<i32>) -> f64 {
        self.counts.range(range).map(|(_, count)| f64::from(*count)).sum()
    }

    /// Share of at least so many days, shrunk to `base` by the weight of `prior` observations.
    pub(super) fn at_least(&self, days: i32, base: f64, prior: f64) -> f64 {
        (self.sum(days..) + prior * base) / (self.total() + prior)
    }

    /// Share of at most so many days, shrunk likewise.
    pub(super) fn at_most(&self, days: i32, base: f64, prior: f64) -> f64 {
        (self.sum(..=days) + prior * base) / (self.total() + prior)
    }

    /// Share near so many days, for each day: counts within a window that widens with the distance from 0.
    pub(super) fn near(&self, days: i32, base: f64, prior: f64) -> f64 {
        let wide = days.abs() / 5;
        let count = self.sum(days - wide..=days + wide) / f64::from(2 * wide + 1);
        (count + prior * base) / (self.total() + prior)
    }

    /// The days below which a share of the counts lies; `None` without any.
    pub(super) fn quantile(&self, share: f64) -> Option<i32> {
        let wanted = share * (self.total() - 1.0);
        let mut below = 0.0;
        for (days, count) in &self.counts {
            below += f64::from(*count);
            if below > wanted {
                return Some(*days);
            }
        }
        self.counts.keys().next_back().copied()
    }

    /// Median distance from a number of days.
    pub(super) fn distance(&self, from: i32) -> f64 {
        let mut away = Days::default();
        for (days, count) in &self.counts {
            *away.counts.entry((days - from).abs()).or_default() += count;
        }
        away.total = self.total;
        away.quantile(0.5).map_or(0.0, f64::from)
    }
}

/// A count of yes and no, shrunk to a pool's.
#[derive(Clone, Copy, Default)]
pub(super) struct Share {
    pub(super) yes: f64,
    pub(super) all: f64,
}

impl Share {
    pub(super) fn learn(&mut self, yes: bool) {
        self.yes += f64::from(yes);
        self.all += 1.0;
    }

    pub(super) fn shrunk(self, base: f64, prior: f64) -> f64 {
        (self.yes + prior * base) / (self.all + prior)
    }
}

/// Receipts by day of the week.
#[derive(Clone, Copy, Default)]
pub(super) struct Week(pub(super) [f64; 7]);

impl Week {
    pub(super) fn learn(&mut self, day: i32) {
        self.0[weekday(day)] += 1.0;
    }

    pub(super) fn share(&self, day: i32, base: f64, prior: f64) -> f64 {
        (self.0[weekday(day)] + prior * base) / (self.0.iter().sum::<f64>() + prior)
    }
}

fn weekday(day: i32) -> usize {
    usize::try_from(day.rem_euclid(7)).expect("a remainder by 7 is from 0 to 6")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn days_are_shrunk_to_the_base_and_quantiles_are_counts() {
        let mut days = Days::default();
        assert!((days.at_least(5, 0.3, 4.0) - 0.3).abs() < 1e-12);
        assert_eq!(days.quantile(0.5), None);
        for late in 0..100 {
            days.learn(late % 10);
        }
        assert_eq!((days.quantile(0.0), days.quantile(0.5), days.quantile(1.0)), (Some(0), Some(4), Some(9)));
        assert!((days.at_least(8, 0.0, 4.0) - 20.0 / 104.0).abs() < 1e-12);
        assert!((days.at_most(1, 0.0, 4.0) - 20.0 / 104.0).abs() < 1e-12);
        assert!((days.distance(4) - 2.0).abs() < 1.0);
    }
}
