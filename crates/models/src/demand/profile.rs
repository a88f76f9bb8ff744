//! The weekday profile: how much of the local level each weekday sells.

use super::DemandParams;
use super::baseline::History;

/// Days to either side that make the local level to which a day is compared for the weekday profile: three whole weeks.
const LOCAL_DAYS: usize = 10;

/// Ratios to the local level of days whose local level does not change any more, by weekday, smallest first.
#[derive(Debug, Default)]
pub(super) struct Settled {
    from: usize,
    to: usize,
    ratios: [Vec<f64>; 7],
    /// Which days are held back has changed.
    pub(super) stale: bool,
}

/// Factors of mean 1, and the variance left in each.
pub(super) type Profile = ([f64; 7], [f64; 7]);

impl History<'_> {
    /// Weekday factors as known before day `to`, by ratio to the local level, shrunk towards 1. `settled` is up to date.
    pub(super) fn profile(&self, to: usize, relative_variance: f64, params: &DemandParams) -> Profile {
        let first = to.saturating_sub(params.profile_days);
        let spread = params.weekday_spread * params.weekday_spread;
        // How many observations the belief "like any other day" is worth: noise ÷ spread (empirical Bayes).
        let worth = (relative_variance / spread).max(1.0);
        let (mut factors, mut variances) = ([1.0; 7], [spread; 7]);
        let mut loose = Loose::default();
        for day in to.saturating_sub(LOCAL_DAYS).max(first)..to {
            if let Some(ratio) = self.ratio(day, to) {
                loose.insert(self.weekday(day), ratio);
            }
        }
        for weekday in 0..7 {
            let (settled, loose) = (&self.settled.ratios[weekday][..], loose.of(weekday));
            let count = settled.len() + loose.len();
            let sum = match count {
                0 => 0.0,
                // So few are added up as the days come: in another order the last digit may differ.
                1..4 => self.sum_of_days(weekday, first, to),
                _ => sum_in_order(settled, loose),
            };
            let n = count as f64;
            factors[weekday] = (sum + worth) / (n + worth);
            variances[weekday] = spread * worth / (n + worth);
        }
        let mean = factors.iter().sum::<f64>() / 7.0;
        (factors.map(|factor| factor / mean), variances)
    }

    fn sum_of_days(&self, weekday: usize, first: usize, to: usize) -> f64 {
        let ahead = (weekday + 7 - self.weekday(first)) % 7;
        (first + ahead..to).step_by(7).filter_map(|day| self.ratio(day, to)).sum()
    }

    /// A day's units ÷ the mean of the days around it, as known before day `to`, where there are enough.
    fn ratio(&self, day: usize, to: usize) -> Option<f64> {
        let (from, until) = (day.saturating_sub(LOCAL_DAYS), (day + LOCAL_DAYS + 1).min(to));
        let (sum, count) = (self.sums[until] - self.sums[from], self.clean_days(from, until));
        // A weekday's share is held against the days around it, so that a level that moves does not count as one.
        let counted = self.clean[day] && !self.held[day] && sum > 0.0 && count >= 7;
        counted.then(|| self.units(day) * count as f64 / sum)
    }

    /// Brings `settled` to what is known before day `to`.
    pub(super) fn settle(&mut self, to: usize, params: &DemandParams) {
        let edge = to.saturating_sub(LOCAL_DAYS);
        let first = to.saturating_sub(params.profile_days).min(edge);
        let mut settled = std::mem::take(&mut self.settled);
        if settled.stale {
            settled.ratios.iter_mut().for_each(Vec::clear);
            (settled.from, settled.to, settled.stale) = (first, first, false);
        }
        let known = |day: usize| self.ratio(day, day + LOCAL_DAYS + 1);
        // A ratio is settled once all days around it are over: from then on it never changes, and is sorted in once.
        for day in settled.to..edge {
            if let Some(ratio) = known(day) {
                let ratios = &mut settled.ratios[self.weekday(day)];
                ratios.insert(place(ratios, ratio), ratio);
            }
        }
        for day in settled.from..first {
            if let Some(ratio) = known(day) {
                let ratios = &mut settled.ratios[self.weekday(day)];
                // It was put in with these very bits: what it is made of can not change, or it is stale.
                ratios.remove(place(ratios, ratio));
            }
        }
        (settled.from, settled.to) = (first, edge);
        self.settled = settled;
    }
}

/// Ratios of the last days, whose local level will still change: of each weekday two at most, the smaller first.
#[derive(Default)]
struct Loose {
    ratios: [[f64; 2]; 7],
    counts: [usize; 7],
}

impl Loose {
    fn insert(&mut self, weekday: usize, ratio: f64) {
        let ratios = &mut self.ratios[weekday];
        ratios[self.counts[weekday]] = ratio;
        self.counts[weekday] += 1;
        if self.counts[weekday] == 2 && ratios[1].total_cmp(&ratios[0]).is_lt() {
            ratios.swap(0, 1);
        }
    }

    fn of(&self, weekday: usize) -> &[f64] {
        &self.ratios[weekday][..self.counts[weekday]]
    }
}

/// Where a value belongs in a list that is in order.
fn place(sorted: &[f64], value: f64) -> usize {
    sorted.partition_point(|other| other.total_cmp(&value).is_lt())
}

/// The sum of two lists that are each in order, added up as one list in order would be. One spike in eight weeks must not make
/// a weekday: the largest counts as the second largest.
fn sum_in_order(mut many: &[f64], mut few: &[f64]) -> f64 {
    // Of equals it does not matter which is left out.
    match (few, many) {
        ([smaller @ .., last], others) if others.last().is_none_or(|other| last.total_cmp(other).is_gt()) => few = smaller,
        (_, [smaller @ .., _]) => many = smaller,
        _ => {}
    }
    let second = few.last().into_iter().chain(many.last()).max_by(|a, b| a.total_cmp(b)).copied().unwrap_or(0.0);
    let mut sum = 0.0;
    for &value in few {
        let (smaller, rest) = many.split_at(place(many, value));
        sum = smaller.iter().fold(sum, |sum, ratio| sum + ratio) + value;
        many = rest;
    }
    many.iter().fold(sum, |sum, ratio| sum + ratio) + second
}
