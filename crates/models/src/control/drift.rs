//! Whether what comes in, or what comes out, is still what it was.
//!
//! The population stability index over the tenths of the reference: Σ (now - then) · ln(now ÷ then). By common use under
//! 0.1 is stable, 0.1 to 0.25 worth a look, above 0.25 another population (Siddiqi 2006). It says that something moved,
//! not whether the detector suffers. Beside it the distance of Kolmogorov and Smirnov, the largest difference of the two
//! cumulative shares: it sees a shift that many small steps make up.
//!
//! Over weeks nobody keeps all values. A day is kept as counts in fixed classes ([`DaySeen`]); days add up, and two spans of them
//! are compared ([`moved`]).

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

/// Values on either side below which a comparison is an accident: with fewer, an index of 0.1 comes of nothing.
const LEAST: u64 = 200;

/// A reference to compare with: its tenths.
#[derive(Clone, Debug, PartialEq)]
pub struct Reference {
    bounds: Vec<f32>,
    shares: Vec<f64>,
}

/// How far a distribution has moved.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Drift {
    /// As it was.
    Stable,
    /// Worth a look.
    Moved,
    /// Another population: what was learned may not hold.
    Changed,
}

impl Reference {
    /// Of these values; what is no number is left out.
    pub fn of(values: &[f32]) -> Self {
        let mut sorted: Vec<f32> = values.iter().copied().filter(|value| !value.is_nan()).collect();
        sorted.sort_unstable_by(f32::total_cmp);
        let mut bounds: Vec<f32> = (1..10).filter_map(|tenth| sorted.get(sorted.len() * tenth / 10).copied()).collect();
        bounds.dedup();
        let shares = shares(&sorted, &bounds);
        Self { bounds, shares }
    }

    /// The population stability index of `values` against this reference; 0 where either is empty.
    pub fn index(&self, values: &[f32]) -> f64 {
        let now: Vec<f32> = values.iter().copied().filter(|value| !value.is_nan()).collect();
        if now.is_empty() || self.shares.is_empty() {
            return 0.0;
        }
        index_of(&self.shares, &shares(&now, &self.bounds))
    }

    /// What the index means.
    pub fn drift(&self, values: &[f32]) -> Drift {
        Drift::of(self.index(values))
    }
}

impl Drift {
    /// What an index means.
    pub fn of(index: f64) -> Self {
        match index {
            index if index < 0.1 => Self::Stable,
            index if index < 0.25 => Self::Moved,
            _ => Self::Changed,
        }
    }

    /// In a word.
    pub fn name(self) -> &'static str {
        match self {
            Self::Stable => "stable",
            Self::Moved => "moved",
            Self::Changed => "changed",
        }
    }
}

/// The index of shares against shares, none of which is zero.
fn index_of(then: &[f64], now: &[f64]) -> f64 {
    then.iter().zip(now).map(|(then, now)| (now - then) * (now / then).ln()).sum()
}

/// Shares of counts, half a value added to each so that none is empty.
fn smoothed(counts: &[u64]) -> Vec<f64> {
    let all: f64 = counts.iter().map(|count| *count as f64 + 0.5).sum();
    counts.iter().map(|count| (*count as f64 + 0.5) / all).collect()
}

/// Share of the values in each class, half a value added to each so that none is empty.
fn shares(values: &[f32], bounds: &[f32]) -> Vec<f64> {
    let mut counts = vec![0.5; bounds.len() + 1];
    for value in values {
        counts[bounds.partition_point(|bound| bound <= value)] += 1.0;
    }
    let all: f64 = counts.iter().sum();
    counts.into_iter().map(|count| count / all).collect()
}

/// What is watched of a detector, with the bounds of its classes: a value that equals a bound is in the class above it.
#[derive(Clone, Copy, Debug)]
pub struct Watched {
    /// What it is called.
    pub name: &'static str,
    bounds: &'static [f32],
}

/// What is watched of demand: what comes in by series and day, and what comes out.
pub mod demand {
    use super::Watched;

    /// Units sold.
    pub const UNITS: Watched = Watched { name: "units", bounds: &[0.5, 1.5, 3.0, 6.0, 12.0, 24.0, 48.0, 96.0, 384.0] };
    /// Share of the trading hours with stock.
    pub const AVAILABILITY: Watched = Watched { name: "availability", bounds: &[0.05, 0.25, 0.5, 0.75, 0.95] };
    /// Units sold for each that was expected.
    pub const RATIO: Watched =
        Watched { name: "ratio to expected", bounds: &[0.05, 0.25, 0.5, 0.75, 1.0, 1.33, 2.0, 4.0, 8.0] };
    /// Probability that an alarm is right.
    pub const PROBABILITY: Watched =
        Watched { name: "probability", bounds: &[0.001, 0.003, 0.01, 0.03, 0.1, 0.25, 0.5, 0.75, 0.9] };
}

/// What is watched of receiving: what comes in by complete line, and what comes out.
pub mod receiving {
    use super::Watched;

    /// Share of the ordered quantity that was missing, or below zero too much.
    pub const SHORT: Watched = Watched { name: "short", bounds: &[-0.1, -0.02, -0.0005, 0.0005, 0.02, 0.1, 0.5] };
    /// Days after the promise.
    pub const DAYS: Watched = Watched { name: "days late", bounds: &[-7.5, -2.5, -0.5, 0.5, 2.5, 7.5, 30.5] };
    /// Logarithm of the billed price over the ordered one.
    pub const PRICE: Watched = Watched { name: "price", bounds: &[-0.1, -0.02, -0.0005, 0.0005, 0.02, 0.1] };
    /// Probability that the line is an exception.
    pub const PROBABILITY: Watched =
        Watched { name: "probability", bounds: &[0.001, 0.003, 0.01, 0.03, 0.1, 0.25, 0.5, 0.75, 0.9] };
}

/// A day of a detector in counts: by what was watched, how many values fell into each class.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct DaySeen {
    counts: BTreeMap<String, Vec<u64>>,
}

impl DaySeen {
    /// Counts a value; what is no number is left out.
    pub fn add(&mut self, watched: &Watched, value: f32) {
        if value.is_nan() {
            return;
        }
        let classes = watched.bounds.len() + 1;
        let counts = self.counts.entry(watched.name.to_owned()).or_insert_with(|| vec![0; classes]);
        counts[watched.bounds.partition_point(|bound| *bound <= value)] += 1;
    }

    /// Was nothing counted?
    pub fn is_empty(&self) -> bool {
        self.counts.is_empty()
    }
}

/// How far something that is watched has moved between two spans of days.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Moved {
    /// What was watched.
    pub what: String,
    /// The population stability index.
    pub index: f64,
    /// The distance of Kolmogorov and Smirnov, over the classes: from 0 to 1.
    pub distance: f64,
    /// What the index means.
    pub drift: Drift,
    /// Values counted then and now.
    pub counted: (u64, u64),
}

/// What has moved from `then` to `now`, by name. What was hardly counted on either side, or in other classes, is left out.
pub fn moved<'d>(then: impl IntoIterator<Item = &'d DaySeen>, now: impl IntoIterator<Item = &'d DaySeen>) -> Vec<Moved> {
    let (then, now) = (added(then), added(now));
    let compared = |(what, then): (&String, &Vec<u64>)| {
        let now = now.get(what).filter(|now| now.len() == then.len())?;
        let counted = (then.iter().sum::<u64>(), now.iter().sum::<u64>());
        if counted.0.min(counted.1) < LEAST {
            return None;
        }
        let (then, now) = (smoothed(then), smoothed(now));
        let index = index_of(&then, &now);
        let (mut off, mut distance) = (0.0, 0.0_f64);
        for (then, now) in then.iter().zip(&now) {
            off += now - then;
            distance = distance.max(f64::abs(off));
        }
        Some(Moved { what: what.clone(), index, distance, drift: Drift::of(index), counted })
    };
    then.iter().filter_map(compared).collect()
}

fn added<'d>(days: impl IntoIterator<Item = &'d DaySeen>) -> BTreeMap<String, Vec<u64>> {
    let mut all: BTreeMap<String, Vec<u64>> = BTreeMap::new();
    for (what, counts) in days.into_iter().flat_map(|day| &day.counts) {
        let sums = all.entry(what.clone()).or_insert_with(|| vec![0; counts.len()]);
        // Days of a program that counted in other classes do not add up with these.
        if sums.len() == counts.len() {
            sums.iter_mut().zip(counts).for_each(|(sum, count)| *sum += count);
        }
    }
    all
}

#[cfg(test)]
mod tests {
    use super::*;

    fn day(shift: f32) -> DaySeen {
        let mut seen = DaySeen::default();
        (0..100).for_each(|at| seen.add(&demand::UNITS, at as f32 / 4.0 + shift));
        seen
    }

    #[test]
    fn days_add_up_and_two_spans_of_them_are_compared() {
        let usual: Vec<DaySeen> = (0..4).map(|_| day(0.0)).collect();
        let same = moved(&usual, &usual[..2]);
        assert_eq!((same.len(), same[0].drift, same[0].counted), (1, Drift::Stable, (400, 200)));
        assert!(same[0].distance < 0.01, "{same:?}");
        let shifted: Vec<DaySeen> = (0..2).map(|_| day(12.0)).collect();
        let found = moved(&usual, &shifted);
        assert!(found[0].drift == Drift::Changed && found[0].distance > 0.4, "{found:?}");
        assert_eq!(moved(&usual, &shifted[..1]), [], "a hundred values say nothing");
        let read: DaySeen = serde_json::from_str(&serde_json::to_string(&day(1.0)).unwrap()).unwrap();
        assert_eq!(read, day(1.0));
    }

    #[test]
    fn what_is_no_number_is_not_counted() {
        let mut seen = DaySeen::default();
        seen.add(&demand::RATIO, f32::NAN);
        assert!(seen.is_empty());
    }

    #[test]
    fn the_same_is_stable_and_a_shift_by_half_is_another_population() {
        let then: Vec<f32> = (0..1000).map(|at| at as f32).collect();
        let reference = Reference::of(&then);
        assert_eq!(reference.drift(&then), Drift::Stable);
        let later: Vec<f32> = then.iter().map(|value| value + 500.0).collect();
        assert_eq!(reference.drift(&later), Drift::Changed);
        let slightly: Vec<f32> = then.iter().map(|value| value * 0.91).collect();
        assert_eq!(reference.drift(&slightly), Drift::Moved);
        assert!(reference.index(&[]).abs() < 1e-12);
        assert!(Reference::of(&[f32::NAN]).index(&then).abs() < 1e-12);
    }
}
