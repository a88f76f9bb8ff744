//! The detector of demand: which series are odd today, how likely, and of what kind.
//!
//! Two scores of the same evidence ([`watch`](super::watch)). Without training: each of a few kinds of evidence against
//! its own warm-up, the oddest speaks. Trained: boosted trees over all evidence, fitted on exceptions that were put into
//! real histories ([`train`](super::train)), with a calibrated probability. Both go forwards day by day, keep a fixed state
//! for each series, and never look at a later day.

use std::sync::OnceLock;

use ndarray::ArrayView2;
use rayon::prelude::*;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use super::panel::{Cell, Panel};
use super::tails::Tails;
use super::watch::{DayExpectation, FEATURE_COUNT, FEATURES, Watch, at};
use crate::boost::{BoostError, Boosted};
use crate::control::calibration::Calibration;

pub use super::verdict::Kind;

/// The evidence that speaks without training.
const TAILS: [usize; 3] = [at::HIGH, at::LEVEL_6, at::LEVEL_20];
/// Days of warm-up that are too early to be compared with.
const EARLY_DAYS: usize = 14;
/// Newest days of the warm-up that the evidence is compared with.
const COMPARED_DAYS: usize = 120;
/// The layout of a saved detector.
const VERSION: u32 = 1;

/// The detector that comes with the program.
static SHIPPED: OnceLock<Detector> = OnceLock::new();

/// Why a detector could not be read.
#[derive(Debug, thiserror::Error)]
pub enum DetectorError {
    /// It is no detector of this kind.
    #[error("this is no saved demand detector")]
    Unreadable(#[source] serde_json::Error),
    /// Another layout, or other evidence than this program gathers.
    #[error("the detector was saved by another version of the program (layout {0}): train it anew")]
    Version(u32),
    /// It was changed or cut short.
    #[error("the saved detector does not match its checksum: it was changed after it was written")]
    Checksum,
    /// Its parts do not hang together.
    #[error("the saved detector is damaged: {0}")]
    Unsound(&'static str),
    /// Its trees can not be read.
    #[error(transparent)]
    Trees(#[from] BoostError),
}

/// How evidence becomes a score.
#[derive(Clone, Debug, PartialEq)]
pub struct Detector {
    pub(super) trained: Option<Trained>,
}

/// What training adds.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Trained {
    /// Trees whose log-odds are averaged: those that came with the program, and those of the shop's own history.
    pub(super) trees: Vec<Boosted>,
    /// For each of [`Kind::ALL`], how likely an odd day is of it; or nothing.
    pub(super) kinds: Vec<Boosted>,
    /// Probability that an alarm (the highest score of its series for three days either side) is right.
    pub(super) alarms: Calibration,
    /// The evidence of a usual day: its median in training. An explanation compares with it.
    pub(super) usual: Vec<f32>,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Saved {
    version: u32,
    sha256: String,
    features: Vec<String>,
    usual: Vec<f32>,
    alarms: Calibration,
    /// Each as [`Boosted::to_json`] writes it.
    trees: Vec<String>,
    kinds: Vec<String>,
}

/// What the detector says of one series on one day.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Verdict {
    /// The higher the odder; comparable over series and days of one detector. Minus infinity where there was nothing to judge.
    pub score: f32,
    /// Units expected and their deviation.
    pub expected: DayExpectation,
    /// What it is, if it is anything, by rule. [`Scorer::kind`] knows better where the detector was trained to tell.
    pub kind: Kind,
}

/// A feature's part in a score.
#[derive(Clone, Debug, PartialEq)]
pub struct Driver {
    /// Which evidence.
    pub feature: &'static str,
    /// Its value.
    pub value: f32,
    /// How much lower the score would be were it as on a usual day, in log-odds; with the other evidence as it is.
    pub weight: f32,
}

impl Trained {
    fn log_odds(&self, rows: &ArrayView2<'_, f32>) -> Vec<f32> {
        let mut sums = vec![0.0; rows.nrows()];
        for trees in &self.trees {
            for (sum, odds) in sums.iter_mut().zip(trees.log_odds(rows)) {
                *sum += odds;
            }
        }
        sums.into_iter().map(|sum| (sum / self.trees.len() as f64) as f32).collect()
    }

    fn log_odds_of(&self, row: &[f32]) -> f64 {
        self.trees.iter().map(|trees| trees.log_odds_of(row)).sum::<f64>() / self.trees.len() as f64
    }
}

impl Detector {
    /// Without training.
    pub fn unsupervised() -> Self {
        Self { trained: None }
    }

    /// The one that comes with the program: see its card for what it was trained on.
    pub fn shipped() -> &'static Self {
        SHIPPED.get_or_init(|| {
            let mut text = String::new();
            let packed: &[u8] = include_bytes!("../../trained/demand.json.gz");
            std::io::Read::read_to_string(&mut flate2::read::GzDecoder::new(packed), &mut text)
                .expect("the file was packed when the program was built, and a test reads it");
            Self::from_json(&text).expect("a test reads the file that comes with the program")
        })
    }

    /// The detector's name and the beginning of a hash of what it was made of: `trained-1c9f03ab`. Two that may judge a day
    /// differently have different versions.
    pub fn version(&self) -> String {
        let (name, made_of) = match self.to_json() {
            Some(text) => ("trained", text),
            None => ("unsupervised", format!("{TAILS:?} {EARLY_DAYS} {COMPARED_DAYS} {FEATURES:?}")),
        };
        format!("{name}-{}", &hex::encode(Sha256::digest(made_of))[..8])
    }

    /// How its scores become probabilities; None without training.
    pub fn calibration(&self) -> Option<&Calibration> {
        self.trained.as_ref().map(|trained| &trained.alarms)
    }

    /// The probability that an alarm with this score is right, where exceptions are as common as in training. None without
    /// training.
    pub fn probability(&self, score: f32) -> Option<f64> {
        self.trained.as_ref().map(|trained| trained.alarms.probability(score))
    }

    /// Share of right ones among the alarms in training.
    pub fn prevalence(&self) -> Option<f64> {
        self.trained.as_ref().map(|trained| trained.alarms.prevalence())
    }

    /// Scores all series of a panel on the days from `from` on: series × days, series after series.
    pub fn score(&self, panel: &Panel, from: usize) -> Vec<f32> {
        let days = panel.days().len();
        let from = from.min(days);
        let mut scorer = Scorer::new(self, panel.locations(), panel.items());
        let mut scores = vec![f32::NEG_INFINITY; panel.keys().len() * (days - from)];
        for day in 0..days {
            if day < from {
                scorer.warm_up(panel, day, from);
                continue;
            }
            for (series, verdict) in scorer.panel_day(panel, day, false).iter().enumerate() {
                scores[series * (days - from) + day - from] = verdict.score;
            }
        }
        scores
    }

    /// The detector as JSON. The same detector gives the same text; there is nothing to write of one that is not trained.
    pub fn to_json(&self) -> Option<String> {
        let trained = self.trained.as_ref()?;
        let mut saved = Saved {
            version: VERSION,
            sha256: String::new(),
            features: FEATURES.map(str::to_owned).to_vec(),
            usual: trained.usual.clone(),
            alarms: trained.alarms.clone(),
            trees: trained.trees.iter().map(Boosted::to_json).collect(),
            kinds: trained.kinds.iter().map(Boosted::to_json).collect(),
        };
        saved.sha256 = checksum(&saved);
        Some(serde_json::to_string(&saved).expect("a detector is made of lists, finite numbers and texts, which JSON has"))
    }

    /// Reads what [`Detector::to_json`] wrote.
    ///
    /// # Errors
    /// Says what is wrong with it.
    pub fn from_json(text: &str) -> Result<Self, DetectorError> {
        let mut saved: Saved = serde_json::from_str(text).map_err(DetectorError::Unreadable)?;
        // Trees read features by their place: with other features they would read nonsense without an error.
        if saved.version != VERSION || saved.features != FEATURES {
            return Err(DetectorError::Version(saved.version));
        }
        let stated = std::mem::take(&mut saved.sha256);
        if checksum(&saved) != stated {
            return Err(DetectorError::Checksum);
        }
        let read = |texts: &[String]| texts.iter().map(|text| Boosted::from_json(text)).collect::<Result<Vec<_>, _>>();
        let (trees, kinds) = (read(&saved.trees)?, read(&saved.kinds)?);
        let fit = |trees: &Boosted| trees.features() == FEATURE_COUNT;
        if trees.is_empty()
            || !trees.iter().chain(&kinds).all(fit)
            || ![0, Kind::ALL.len()].contains(&kinds.len())
            || saved.usual.len() != FEATURE_COUNT
        {
            return Err(DetectorError::Unsound("its trees look at other evidence"));
        }
        if !saved.alarms.is_sound() {
            return Err(DetectorError::Unsound("its probabilities do not rise"));
        }
        Ok(Self { trained: Some(Trained { trees, kinds, alarms: saved.alarms, usual: saved.usual }) })
    }
}

fn checksum(saved: &Saved) -> String {
    let text = serde_json::to_string(&(&saved.features, &saved.usual, &saved.alarms, &saved.trees, &saved.kinds))
        .expect("lists, finite numbers and texts are what JSON has");
    hex::encode(Sha256::digest(text.as_bytes()))
}

/// A detector going through the days.
#[derive(Clone, Debug)]
pub struct Scorer<'a> {
    detector: &'a Detector,
    watch: Watch,
    tails: Tails,
    settled: bool,
    rows: Vec<f32>,
}

impl<'a> Scorer<'a> {
    /// Before the first day. For each series the numbers of its location and item, from 0 on.
    pub fn new(detector: &'a Detector, location_of: &[usize], item_of: &[usize]) -> Self {
        Self {
            detector,
            watch: Watch::new(location_of, item_of),
            tails: Tails::new(TAILS.len()),
            settled: false,
            rows: vec![0.0; location_of.len() * FEATURE_COUNT],
        }
    }

    /// Takes in a day of all series: `weekday` from 0 (Monday). `usual` says that the day belongs to the warm-up that later
    /// evidence is compared with; it is learned from and not scored (0).
    pub fn day(&mut self, weekday: usize, cells: &[Cell], usual: bool) -> Vec<Verdict> {
        let expected = self.watch.day(weekday, cells, &mut self.rows);
        let part = |row: &[f32]| TAILS.map(|feature| row[feature]);
        // Tails are made once the warm-up is over; from then on every day is held against the same past.
        if usual {
            for (row, _) in self.rows.chunks_exact(FEATURE_COUNT).zip(cells).filter(|(_, cell)| cell.open) {
                self.tails.learn(&part(row));
            }
            self.settled = false;
        } else if !self.settled {
            self.tails.settle();
            self.settled = true;
        }
        let scores: Vec<f32> = match &self.detector.trained {
            Some(_) if usual => vec![0.0; cells.len()],
            Some(trained) => {
                let rows = ArrayView2::from_shape((cells.len(), FEATURE_COUNT), &self.rows)
                    .expect("there is a row of features for each series");
                trained.log_odds(&rows)
            }
            None => self.rows.par_chunks_exact(FEATURE_COUNT).map(|row| self.tails.most(&part(row)).0).collect(),
        };
        let verdict = |((score, expected), (row, cell)): ((f32, DayExpectation), (&[f32], &Cell))| {
            let row = row.try_into().expect("a row has as many features as there are");
            Verdict { score: if cell.open { score } else { f32::NEG_INFINITY }, expected, kind: Kind::guess(row) }
        };
        scores.into_iter().zip(expected).zip(self.rows.chunks_exact(FEATURE_COUNT).zip(cells)).map(verdict).collect()
    }

    /// Takes in day number `day` of a panel without judging it: too early to be compared with.
    pub fn pass(&mut self, panel: &Panel, day: usize) {
        let cells: Vec<Cell> = (0..panel.keys().len()).map(|series| panel.series(series)[day]).collect();
        self.watch.pass(panel.days()[day].weekday().to_monday_zero_offset() as usize, &cells);
    }

    /// Takes in day number `day` of the warm-up before day `from`; whether it was near enough to be compared with later.
    pub fn warm_up(&mut self, panel: &Panel, day: usize, from: usize) -> bool {
        let compared = day + COMPARED_DAYS >= from && day >= EARLY_DAYS;
        if compared {
            self.panel_day(panel, day, true);
        } else {
            self.pass(panel, day);
        }
        compared
    }

    /// Takes in day number `day` of a panel.
    pub fn panel_day(&mut self, panel: &Panel, day: usize, usual: bool) -> Vec<Verdict> {
        let cells: Vec<Cell> = (0..panel.keys().len()).map(|series| panel.series(series)[day]).collect();
        self.day(panel.days()[day].weekday().to_monday_zero_offset() as usize, &cells, usual)
    }

    /// The evidence of a series on the newest day.
    pub fn evidence(&self, series: usize) -> &[f32] {
        &self.rows[series * FEATURE_COUNT..][..FEATURE_COUNT]
    }

    /// What a series is on the newest day, if it is odd at all.
    pub fn kind(&self, series: usize) -> Kind {
        let row = self.evidence(series);
        let trained = self.detector.trained.as_ref().map_or(&[][..], |trained| &trained.kinds);
        let likely = |trees: &Boosted| trees.log_odds_of(row);
        let best = trained.iter().zip(Kind::ALL).max_by(|a, b| likely(a.0).total_cmp(&likely(b.0)));
        best.map_or_else(|| Kind::guess(row.try_into().expect("a row has as many features as there are")), |(_, kind)| kind)
    }

    /// What drove a series' score on the newest day, the strongest first.
    ///
    /// Of a trained detector by leaving out: each feature in turn is set to what it is on a usual day. Without training the
    /// kinds of evidence that are compared, by how odd each is alone.
    pub fn explain(&self, series: usize) -> Vec<Driver> {
        let row = self.evidence(series);
        let driver = |feature: usize, weight: f32| Driver { feature: FEATURES[feature], value: row[feature], weight };
        let mut drivers: Vec<Driver> = if let Some(trained) = &self.detector.trained {
            let whole = trained.log_odds_of(row);
            let mut changed = row.to_vec();
            let without = |feature: usize| {
                changed[feature] = trained.usual[feature];
                let odds = trained.log_odds_of(&changed);
                changed[feature] = row[feature];
                driver(feature, (whole - odds) as f32)
            };
            (0..FEATURE_COUNT).map(without).collect()
        } else {
            let alone = |(kind, feature): (usize, &usize)| {
                let mut part = [0.0; TAILS.len()];
                part[kind] = row[*feature];
                driver(*feature, self.tails.most(&part).0)
            };
            TAILS.iter().enumerate().map(alone).collect()
        };
        drivers.retain(|driver| driver.weight > 0.0);
        drivers.sort_by(|a, b| b.weight.total_cmp(&a.weight).then(a.feature.cmp(b.feature)));
        drivers
    }
}
