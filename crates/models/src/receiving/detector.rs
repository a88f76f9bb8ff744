//! Turns the features of a line into a score, a probability and a kind.

use std::collections::BTreeMap;

use jiff::civil::Date;

use super::features::Features;
use super::kind::ReceivingKind;
use super::ledger::{Ledger, date};
use super::likeness::{constants, evidence, likeliest, likeness, log_odds, several};
use super::observe;
use super::records::{ReceivingError, Records};
use super::trees::{Example, Trees};
use crate::boost::logistic;
use sha2::{Digest, Sha256};

/// Below this probability nobody asks for drivers, and finding them is the dearest part of scoring.
const DRIVERS_FROM: f64 = 0.05;

/// Drivers named at most.
const DRIVERS_MAX: usize = 5;

/// The detector that comes with the program; what it was trained on is said in its card, `models/receiving.md`.
const SHIPPED: &str = include_str!("../../trained/receiving.json");

/// How features are judged.
#[derive(Clone, Debug, PartialEq)]
pub struct Detector(Judge);

#[derive(Clone, Debug, PartialEq)]
enum Judge {
    Likeness,
    Trees(Box<Trees>),
}

/// What is said of one line.
#[derive(Clone, Debug, PartialEq)]
pub struct LineScore {
    /// The line's identity.
    pub line: String,
    /// The day on which it was complete: it is judged by what was known then.
    pub complete: Date,
    /// The higher the odder: log-odds, of which only the order is meant to be used.
    pub score: f64,
    /// Probability that the line is an exception.
    pub probability: f64,
    /// The likeliest kind, if it is one.
    pub kind: ReceivingKind,
    /// The features that speak most for it, the strongest first: name and value. Empty for a line that is hardly odd.
    pub drivers: Vec<(&'static str, f64)>,
    /// What it was judged by.
    pub features: Features,
}

/// Records in which it is known of some lines whether they are exceptions.
#[derive(Clone, Debug)]
pub struct Labelled<'a> {
    /// The records, whole: habits are learnt from all lines.
    pub records: &'a Records,
    /// By identity of the line: `true` for an exception. Lines that are not there are not trained on.
    pub labels: &'a BTreeMap<String, bool>,
}

impl Detector {
    /// The detector that needs no labels: the likelihood of each kind of exception against the vendor's habit.
    pub fn unsupervised() -> Self {
        Detector(Judge::Likeness)
    }

    /// The detector that comes with the program: trees trained on other vendors' lines with exceptions put into them.
    pub fn shipped() -> Self {
        Self::from_json(SHIPPED).expect("the file was written by this program, and a test reads it")
    }

    /// Boosted trees fitted on labelled lines, calibrated on vendors left out in turn. The same lines and seed give the
    /// same detector.
    ///
    /// # Errors
    /// [`ReceivingError::TooLittle`] without exceptions or without ordinary lines, and what [`score`] says of records.
    pub fn train(folders: &[Labelled<'_>], seed: u64) -> Result<Self, ReceivingError> {
        let mut examples = Vec::new();
        for folder in folders {
            for (at, features) in super::features(folder.records)? {
                let line = &folder.records.lines[at];
                if let Some(exception) = folder.labels.get(&line.line) {
                    // Vendors are told apart by name only to leave them out whole, never to judge.
                    let group = line.vendor.bytes().fold(7, |sum: usize, byte| (sum * 31 + usize::from(byte)) % 1_000_003);
                    examples.push(Example { features, exception: *exception, group });
                }
            }
        }
        Ok(Detector(Judge::Trees(Box::new(Trees::train(&examples, seed)?))))
    }

    /// A trained detector as JSON; `None` for the one that needs no training. The same detector gives the same text.
    pub fn to_json(&self) -> Option<String> {
        match &self.0 {
            Judge::Likeness => None,
            Judge::Trees(trees) => Some(trees.to_json()),
        }
    }

    /// Reads what [`Detector::to_json`] wrote.
    ///
    /// # Errors
    /// [`ReceivingError::Version`] and [`ReceivingError::Features`] of another program's, [`ReceivingError::Checksum`]
    /// when it was changed since, and [`ReceivingError::Unreadable`] or [`ReceivingError::Boost`] when it is no detector.
    pub fn from_json(text: &str) -> Result<Self, ReceivingError> {
        Ok(Detector(Judge::Trees(Box::new(Trees::from_json(text)?))))
    }

    /// The detector's name and the beginning of a hash of what it was made of: `trained-1c9f03ab`. Two that may judge a line
    /// differently have different versions.
    pub fn version(&self) -> String {
        let (name, made_of) = match &self.0 {
            Judge::Likeness => ("unsupervised", constants()),
            Judge::Trees(trees) => ("trained", trees.to_json()),
        };
        let hash = hex::encode(Sha256::digest(made_of));
        format!("{name}-{}", &hash[..8])
    }

    /// Slope and offset that make probabilities of its log-odds; None of the one that needs no training.
    pub fn calibration(&self) -> Option<(f64, f64)> {
        match &self.0 {
            Judge::Likeness => None,
            Judge::Trees(trees) => Some(trees.calibration()),
        }
    }

    /// What it says of features alone: the probability that a line with them is an exception.
    pub fn probability(&self, features: &Features) -> f64 {
        self.judge(std::slice::from_ref(features)).first().map_or(0.0, |judged| judged.probability)
    }

    fn judge(&self, all: &[Features]) -> Vec<Judgement> {
        match &self.0 {
            Judge::Likeness => all.iter().map(plain).collect(),
            Judge::Trees(trees) => {
                all.iter().zip(trees.log_odds(all)).map(|(features, score)| learned(trees, features, score)).collect()
            }
        }
    }
}

struct Judgement {
    score: f64,
    probability: f64,
    kind: ReceivingKind,
    drivers: Vec<(&'static str, f64)>,
}

fn plain(features: &Features) -> Judgement {
    let likeness = likeness(features);
    let score = log_odds(&likeness, several(features));
    let probability = logistic(score);
    let kind = likeliest(&likeness);
    let mut drivers = Vec::new();
    // Nobody asks why a line is ordinary.
    if probability >= DRIVERS_FROM {
        let value =
            |name: &&'static str| Features::NAMES.iter().position(|n| n == name).map(|at| (*name, features.values()[at]));
        drivers = evidence(kind).iter().filter_map(value).collect();
    }
    Judgement { score, probability, kind, drivers }
}

fn learned(trees: &Trees, features: &Features, score: f64) -> Judgement {
    let probability = logistic(trees.calibrated(score));
    let mut drivers = Vec::new();
    if probability >= DRIVERS_FROM {
        let values = features.values();
        let strongest = trees.drivers(features).into_iter().take(DRIVERS_MAX);
        drivers = strongest.map(|(at, _)| (Features::NAMES[at], values[at])).collect();
    }
    Judgement { score, probability, kind: likeliest(&likeness(features)), drivers }
}

/// Scores every line that something came of, in the order in which they were complete, those of one day by identity. Neither the
/// order of the records nor the number of threads matters.
///
/// # Errors
/// [`ReceivingError::Number`] and [`ReceivingError::Twice`] for records that make no sense.
pub fn score(records: &Records, detector: &Detector) -> Result<Vec<LineScore>, ReceivingError> {
    let ledger = Ledger::new(records)?;
    let (entries, features): (Vec<usize>, Vec<Features>) = observe::observe(&ledger).into_iter().unzip();
    let judged = detector.judge(&features);
    let line = |((at, features), judged): ((usize, Features), Judgement)| LineScore {
        line: records.lines[ledger.places[at]].line.clone(),
        complete: date(ledger.entries[at].complete.unwrap_or(ledger.entries[at].promised)),
        score: judged.score,
        probability: judged.probability,
        kind: judged.kind,
        drivers: judged.drivers,
        features,
    };
    Ok(entries.into_iter().zip(features).zip(judged).map(line).collect())
}
