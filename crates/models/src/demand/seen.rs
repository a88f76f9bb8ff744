//! How what a detector was shown on a day, and what it said, was distributed: counted for drift.

use super::detector::Scorer;
use super::panel::Panel;
use super::watch::at;
use crate::control::drift::{DaySeen, demand};

/// Counts day number `day` of a panel, which the scorer has just gone through; `probabilities` are what it said of each series, NaN
/// where it said nothing.
pub fn seen(scorer: &Scorer<'_>, panel: &Panel, day: usize, probabilities: &[f64]) -> DaySeen {
    let mut seen = DaySeen::default();
    for (series, probability) in probabilities.iter().enumerate() {
        let cell = &panel.series(series)[day];
        if !cell.open {
            continue;
        }
        seen.add(&demand::UNITS, cell.units);
        seen.add(&demand::AVAILABILITY, cell.availability());
        seen.add(&demand::RATIO, scorer.evidence(series)[at::RATIO]);
        seen.add(&demand::PROBABILITY, *probability as f32);
    }
    seen
}
