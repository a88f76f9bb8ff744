//! The alarms of some days as a planner gets them: no more than a promise allows, each with its probability, its p-value, its
//! kind and its reasons; and whether the ground has moved since the warm-up.
//!
//! A trained detector keeps the promise by its probabilities. One without keeps it by conformal p-values against the
//! days reviewed before, which asks for nothing but that the usual stays the usual. Days of the warm-up are not compared
//! with: a detector may have learned from them, and scores them lower than it would have.

use std::collections::{BTreeMap, BTreeSet};

use super::detector::{Detector, Driver, Kind, Scorer};
use super::panel::{Cell, Panel};
use super::watch::at;
use crate::control::alarms::{self, Alarm};
use crate::control::conformal::Conformal;
use crate::control::discovery;
use crate::control::drift::{Drift, Reference};

/// Days either side on which an alarm silences its series.
const QUIET_DAYS: usize = 3;
/// Days that a p-value compares with at most, and days of the warm-up that inputs are compared with.
const TRAILING_DAYS: usize = 28;
/// Reasons kept for an alarm.
const DRIVERS: usize = 3;
/// A p-value from which on, and a probability up to which, no reasons are worked out.
const HARDLY: f64 = 0.05;

/// An alarm and why.
#[derive(Clone, Debug, PartialEq)]
pub struct Reviewed {
    /// Which series, on which day (counted from the first day reviewed), with which score.
    pub alarm: Alarm,
    /// Probability that it is right; none of a detector that was not trained.
    pub probability: Option<f64>,
    /// Share of the scores of the trailing days that were as high.
    pub p: f64,
    /// What it is, if it is right.
    pub kind: Kind,
    /// What drove it, the strongest first.
    pub drivers: Vec<Driver>,
}

/// Whether something is distributed as in the trailing days.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Moved {
    /// What was compared.
    pub what: &'static str,
    /// The population stability index.
    pub index: f64,
    /// What that means.
    pub drift: Drift,
}

/// What a review comes to.
#[derive(Clone, Debug, PartialEq)]
pub struct Review {
    /// Scores of all series on the days reviewed, series after series.
    pub scores: Vec<f32>,
    /// The alarms that the promise allows, highest first.
    pub alarms: Vec<Reviewed>,
    /// What comes in, against the end of the warm-up; and what comes out, the later half of the days against the earlier.
    pub drift: Vec<Moved>,
}

/// Values of what drift is watched on.
#[derive(Default)]
struct Watched([Vec<f32>; 3]);

impl Watched {
    const NAMES: [&'static str; 3] = ["units", "availability", "ratio to expected"];

    fn add(&mut self, cell: &Cell, evidence: &[f32]) {
        if cell.open {
            let values = [cell.units, cell.availability(), evidence[at::RATIO]];
            self.0.iter_mut().zip(values).for_each(|(all, value)| all.push(value));
        }
    }
}

/// Reviews the days of `panel` from `from` on: raises alarms so that the expected share of false ones is at most `share`.
pub fn review(detector: &Detector, panel: &Panel, from: usize, share: f64) -> Review {
    let (series, all) = (panel.keys().len(), panel.days().len());
    let days = all.saturating_sub(from);
    let trained = detector.prevalence().is_some();
    let mut scorer = Scorer::new(detector, panel.locations(), panel.items());
    let mut past = Conformal::new(TRAILING_DAYS);
    let (mut before, mut now) = (Watched::default(), Watched::default());
    let mut scores = vec![f32::NEG_INFINITY; series * days];
    let mut p = vec![1.0; series * days];
    let mut kinds = vec![Kind::Spike; series * days];
    let mut reasons: BTreeMap<usize, Vec<Driver>> = BTreeMap::new();
    // Drift is measured against the last days of the warm-up, as many as a p-value looks back.
    for day in 0..from.min(all) {
        if scorer.warm_up(panel, day, from) && day + TRAILING_DAYS >= from {
            (0..series).for_each(|at| before.add(&panel.series(at)[day], scorer.evidence(at)));
        }
    }
    for day in from..all {
        let verdicts = scorer.panel_day(panel, day, false);
        for (at, verdict) in verdicts.iter().enumerate() {
            now.add(&panel.series(at)[day], scorer.evidence(at));
            if !verdict.score.is_finite() {
                continue;
            }
            let cell = at * days + day - from;
            (scores[cell], p[cell]) = (verdict.score, past.p(verdict.score));
            kinds[cell] = verdict.kind;
            // Reasons are dear to find, and hardly any day is ever shown.
            if detector.probability(verdict.score).map_or(p[cell] < HARDLY, |p| p > HARDLY) {
                kinds[cell] = scorer.kind(at);
                let mut drivers = scorer.explain(at);
                drivers.truncate(DRIVERS);
                reasons.insert(cell, drivers);
            }
        }
        // After all of the day is judged: no day is compared with itself.
        past.remember(verdicts.iter().map(|verdict| verdict.score).filter(|score| score.is_finite()));
    }
    let alarms = alarms::raise(&scores, days.max(1), QUIET_DAYS);
    let cell_of = |alarm: &Alarm| alarm.series * days + alarm.day;
    let raised: Vec<Alarm> = if trained {
        let probability = |alarm: &Alarm| detector.probability(alarm.score).unwrap_or(f64::NAN);
        let probabilities: Vec<f64> = alarms.iter().map(probability).collect();
        discovery::by_probability(&probabilities, share).into_iter().map(|at| alarms[at]).collect()
    } else {
        // Over all that was looked at: an alarm was chosen for being the highest of its week.
        let looked: Vec<usize> = (0..scores.len()).filter(|cell| scores[*cell].is_finite()).collect();
        let found = discovery::by_p_values(&looked.iter().map(|cell| p[*cell]).collect::<Vec<_>>(), share);
        let found: BTreeSet<usize> = found.into_iter().map(|at| looked[at]).collect();
        alarms.into_iter().filter(|alarm| found.contains(&cell_of(alarm))).collect()
    };
    let reviewed = raised.into_iter().map(|alarm| {
        let cell = cell_of(&alarm);
        let drivers = reasons.remove(&cell).unwrap_or_default();
        Reviewed { alarm, probability: detector.probability(alarm.score), p: p[cell], kind: kinds[cell], drivers }
    });
    let alarms = reviewed.collect();
    let moved = Watched::NAMES.into_iter().zip(before.0.iter().zip(&now.0)).map(|(what, (before, now))| {
        let reference = Reference::of(before);
        Moved { what, index: reference.index(now), drift: reference.drift(now) }
    });
    let mut drift: Vec<Moved> = moved.collect();
    // What comes out has no score before the first day reviewed, so its later half is held against its earlier one.
    let half = |second: bool| -> Vec<f32> {
        let of = |(at, score): (usize, &f32)| (score.is_finite() && (at % days >= days / 2) == second).then_some(*score);
        scores.iter().enumerate().filter_map(of).collect()
    };
    let reference = Reference::of(&half(false));
    let later = half(true);
    drift.push(Moved { what: "score, later half", index: reference.index(&later), drift: reference.drift(&later) });
    Review { scores, alarms, drift }
}
