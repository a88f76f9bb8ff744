//! The trained part: boosted trees over the features, with a calibration made on vendors the trees had not seen.
//!
//! Written as JSON with a version and a checksum. The checksum finds accidents and careless edits; it is no signature.

use linfa::ParamGuard;
use ndarray::{Array1, Array2, Axis};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use super::features::Features;
use super::likeness::{likeness, log_odds};
use super::records::ReceivingError;
use crate::boost::{BoostParams, Boosted, Direction};

/// The layout that is written and the only one that is read.
const VERSION: u64 = 1;

/// Groups of vendors that are left out in turn to calibrate.
const FOLDS: usize = 4;

/// Weight of the log-odds by likeness beside those of the trees: what was trained on other vendors leans a little on what
/// this vendor does. Chosen on half of the public vendors' lines.
const LIKENESS_WEIGHT: f64 = 0.25;

/// Log-odds by likeness count up to this many either way.
const LIKENESS_MAX: f64 = 12.0;

/// Trees, calibration and what is usual.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Trees {
    boosted: Boosted,
    /// From the trees' log-odds to calibrated ones: slope and offset.
    calibration: (f64, f64),
    /// Median of each feature over ordinary lines: what an odd value is held against.
    usual: Vec<f32>,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Content {
    features: Vec<String>,
    calibration: (f64, f64),
    usual: Vec<f32>,
    boosted: String,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Saved {
    version: u64,
    sha256: String,
    detector: Content,
}

/// Read first, for another version may look different in all else.
#[derive(Deserialize)]
struct Head {
    version: u64,
}

/// One labelled line.
pub(super) struct Example {
    pub(super) features: Features,
    pub(super) exception: bool,
    /// Which vendors go together in calibration: the same for all lines of a vendor.
    pub(super) group: usize,
}

/// What likeness adds to the log-odds of the trees.
fn lean(features: &Features) -> f64 {
    LIKENESS_WEIGHT * log_odds(&likeness(features), None).clamp(-LIKENESS_MAX, LIKENESS_MAX)
}

/// The features as the trees read them.
fn row(features: &Features) -> Vec<f32> {
    features.values().into_iter().map(|x| x.clamp(-1e6, 1e6) as f32).collect()
}

/// What may only raise the score: the rarer for the vendor, the odder.
fn directions() -> Vec<Direction> {
    let rising = |name: &str| ["_odds", "_tail", "_late", "_early", "_rare"].iter().any(|end| name.ends_with(end));
    Features::NAMES.iter().map(|name| if rising(name) { Direction::Rising } else { Direction::Free }).collect()
}

fn fit(examples: &[&Example], seed: u64) -> Result<Boosted, ReceivingError> {
    let params = BoostParams::new()
        .rounds(400)
        .leaves(15)
        .rate(0.04)
        .l2(2.0)
        .hessian_min(1.0)
        .column_share(0.25)
        .directions(directions())
        .seed(seed)
        .check()?;
    let flat: Vec<f32> = examples.iter().flat_map(|example| row(&example.features)).collect();
    let rows = Array2::from_shape_vec((examples.len(), Features::NAMES.len()), flat).expect("each example has all features");
    let labels: Array1<bool> = examples.iter().map(|example| example.exception).collect();
    Ok(params.fit_watched(rows.view(), labels.view(), None, |_| ())?)
}

impl Trees {
    /// From the trees' log-odds to calibrated ones: slope and offset.
    pub(super) fn calibration(&self) -> (f64, f64) {
        self.calibration
    }

    /// Fits on labelled lines.
    pub(super) fn train(examples: &[Example], seed: u64) -> Result<Self, ReceivingError> {
        let exceptions = examples.iter().filter(|example| example.exception).count();
        let ordinary = examples.len() - exceptions;
        if exceptions == 0 || ordinary == 0 {
            return Err(ReceivingError::TooLittle { exceptions, ordinary });
        }
        let all: Vec<&Example> = examples.iter().collect();
        let mut held_out = Vec::with_capacity(examples.len());
        for fold in 0..FOLDS {
            // Whole vendors are left out: what is asked is how sure it may be of one that it has never seen.
            let (left_out, kept): (Vec<&Example>, Vec<&Example>) =
                all.iter().partition(|example| example.group % FOLDS == fold);
            let both = |examples: &[&Example]| examples.iter().any(|e| e.exception) && examples.iter().any(|e| !e.exception);
            // A fold without both kinds can not be fitted; the others calibrate without it.
            if left_out.is_empty() || !both(&kept) {
                continue;
            }
            let boosted = fit(&kept, seed)?;
            let judged = left_out.iter().map(|example| {
                let odds = boosted.log_odds_of(&row(&example.features)) + lean(&example.features);
                (odds, example.exception)
            });
            held_out.extend(judged);
        }
        Ok(Trees { boosted: fit(&all, seed)?, calibration: calibrate(&held_out), usual: usual(examples) })
    }

    /// Log-odds of each line.
    pub(super) fn log_odds(&self, all: &[Features]) -> Vec<f64> {
        let flat: Vec<f32> = all.iter().flat_map(row).collect();
        let rows = Array2::from_shape_vec((all.len(), Features::NAMES.len()), flat).expect("each line has all features");
        self.boosted.log_odds(&rows).iter().zip(all).map(|(odds, features)| odds + lean(features)).collect()
    }

    /// Calibrated log-odds.
    pub(super) fn calibrated(&self, log_odds: f64) -> f64 {
        self.calibration.0 * log_odds + self.calibration.1
    }

    /// How much each feature raises the trees' log-odds over what they would be if it were usual; those that do, the
    /// strongest first, of equals the first.
    pub(super) fn drivers(&self, features: &Features) -> Vec<(usize, f64)> {
        let row = row(features);
        let mut rows = Array2::from_shape_fn((row.len() + 1, row.len()), |(_, column)| row[column]);
        for (at, mut changed) in rows.axis_iter_mut(Axis(0)).take(row.len()).enumerate() {
            changed[at] = self.usual[at];
        }
        let odds = self.boosted.log_odds(&rows);
        let mut gains: Vec<(usize, f64)> = (0..row.len()).map(|at| (at, odds[row.len()] - odds[at])).collect();
        gains.retain(|(_, gain)| *gain > 0.0);
        gains.sort_by(|a, b| b.1.total_cmp(&a.1).then(a.0.cmp(&b.0)));
        gains
    }

    pub(super) fn to_json(&self) -> String {
        let detector = Content {
            features: Features::NAMES.iter().map(|name| (*name).to_owned()).collect(),
            calibration: self.calibration,
            usual: self.usual.clone(),
            boosted: self.boosted.to_json(),
        };
        let saved = Saved { version: VERSION, sha256: checksum(&detector), detector };
        serde_json::to_string(&saved).expect("a detector is made of lists, names and finite numbers, which JSON has")
    }

    pub(super) fn from_json(text: &str) -> Result<Self, ReceivingError> {
        let unreadable = |error: serde_json::Error| ReceivingError::Unreadable(error.into());
        let Head { version } = serde_json::from_str(text).map_err(unreadable)?;
        if version != VERSION {
            return Err(ReceivingError::Version { found: version, read: VERSION });
        }
        let Saved { sha256, detector, .. } = serde_json::from_str(text).map_err(unreadable)?;
        if sha256 != checksum(&detector) {
            return Err(ReceivingError::Checksum);
        }
        let boosted = Boosted::from_json(&detector.boosted)?;
        let names = detector.features.iter().map(String::as_str).eq(Features::NAMES.iter().copied());
        if !names || boosted.features() != Features::NAMES.len() || detector.usual.len() != Features::NAMES.len() {
            return Err(ReceivingError::Features);
        }
        let (slope, offset) = detector.calibration;
        let rising = slope > 0.0 && slope.is_finite() && offset.is_finite();
        if !rising || !detector.usual.iter().all(|x| x.is_finite()) {
            return Err(ReceivingError::Unreadable("its calibration is no rising line".into()));
        }
        Ok(Trees { boosted, calibration: detector.calibration, usual: detector.usual })
    }
}

fn checksum(content: &Content) -> String {
    let text =
        serde_json::to_string(content).expect("a detector is made of lists, names and finite numbers, which JSON has");
    hex::encode(Sha256::digest(text.as_bytes()))
}

/// Median of each feature over ordinary lines.
fn usual(examples: &[Example]) -> Vec<f32> {
    let ordinary: Vec<Vec<f32>> = examples.iter().filter(|e| !e.exception).map(|e| row(&e.features)).collect();
    let median = |feature: usize| {
        let mut values: Vec<f32> = ordinary.iter().map(|row| row[feature]).collect();
        values.sort_by(f32::total_cmp);
        values[values.len() / 2]
    };
    (0..Features::NAMES.len()).map(median).collect()
}

/// Slope and offset that make log-odds honest: logistic regression on held-out lines (Platt 1999) by Newton's method.
fn calibrate(held_out: &[(f64, bool)]) -> (f64, f64) {
    let (mut slope, mut offset) = (1.0_f64, 0.0_f64);
    for _ in 0..50 {
        // A little pull to (1, 0), so that few or separable lines have an answer as well.
        let (mut g0, mut g1) = (1.0 - slope, -offset);
        let (mut h00, mut h01, mut h11) = (1.0, 0.0, 1.0);
        for &(x, exception) in held_out {
            let p = crate::boost::logistic(slope * x + offset);
            let error = f64::from(exception) - p;
            let weight = p * (1.0 - p);
            g0 += error * x;
            g1 += error;
            h00 += weight * x * x;
            h01 += weight * x;
            h11 += weight;
        }
        let determinant = h00 * h11 - h01 * h01;
        let step = ((h11 * g0 - h01 * g1) / determinant, (h00 * g1 - h01 * g0) / determinant);
        // Kept rising and within reason, so that few cases can not turn the order round.
        slope = (slope + step.0).clamp(0.05, 5.0);
        offset = (offset + step.1).clamp(-10.0, 10.0);
        if step.0.abs() + step.1.abs() < 1e-9 {
            break;
        }
    }
    (slope, offset)
}
