//! Training the detector of demand on exceptions that are known: put into real histories, or confirmed by people.
//!
//! Rows of a series are in one half only, so that probabilities come from series the trees had not seen. What is
//! explained weighs more than what is merely usual: an alarm on an announced promotion costs a planner's trust.

use linfa::ParamGuard;
use ndarray::{Array1, ArrayView2};

use super::detector::{Detector, Kind, Trained};
use super::panel::{Panel, SeriesKey};
use super::watch::{FEATURE_COUNT, Watch};
use crate::boost::{BoostError, BoostParams, BoostValidParams, Boosted};
use crate::control::alarms;
use crate::control::calibration::Calibration;

/// Weight of an explained day.
const EXPLAINED_WEIGHT: f32 = 4.0;
/// Odd days of a kind that it takes to learn to tell it.
const KIND_ROWS: usize = 40;
/// Days either side on which an alarm silences its series.
const QUIET_DAYS: usize = 3;

/// What is known of a day of a series.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Label {
    /// Nothing is known to be wrong.
    Usual,
    /// Odd, but for a reason that the detector is told: a promotion, a holiday, hours without stock.
    Explained,
    /// In the window in which this exception may be found, and what it is.
    Odd(u32, Kind),
    /// Neither to be found nor held against the detector: the tail of an exception.
    Uncounted,
}

/// A history with its truth.
#[derive(Clone, Debug)]
pub struct Lesson {
    /// The history.
    pub panel: Panel,
    /// The first day that is labelled.
    pub from: usize,
    /// A label for each series and day from `from` on, series after series.
    pub labels: Vec<Label>,
}

/// Why nothing could be learned.
#[derive(Debug, thiserror::Error)]
pub enum TrainError {
    /// Labels that do not belong to the panel.
    #[error("lesson {lesson} has {got} labels, but {wanted} series and days to label")]
    Labels {
        /// Which lesson.
        lesson: usize,
        /// Labels given.
        got: usize,
        /// Labels wanted.
        wanted: usize,
    },
    /// The trees could not be grown.
    #[error(transparent)]
    Boost(#[from] BoostError),
}

/// Rows, labels and weights to learn from.
#[derive(Default)]
struct Rows {
    features: Vec<f32>,
    labels: Vec<bool>,
    weights: Vec<f32>,
    /// Which half each row is in.
    second: Vec<bool>,
    /// What an odd row is.
    kinds: Vec<Option<Kind>>,
}

impl Detector {
    /// Trains on lessons. `params` are those of the trees (see [`Detector::params`]); `watch` is told after each round of the
    /// three fits how many rounds are done of how many. Trees of this detector stay beside the new ones, with equal say, so
    /// that [`Detector::unsupervised`] trains anew and [`Detector::shipped`] learns a shop's own ways.
    ///
    /// Memory: 300 bytes for each day of each series that is labelled, twice while trees grow.
    ///
    /// # Errors
    /// Labels must fit their panels, and there must be exceptions and usual days in both halves of the series.
    pub fn train(
        &self,
        lessons: &[Lesson],
        params: BoostParams,
        mut watch: impl FnMut(usize, usize),
    ) -> Result<Self, TrainError> {
        let params = params.check()?;
        let mut rows = Rows::default();
        for (number, lesson) in lessons.iter().enumerate() {
            rows.add(number, lesson)?;
        }
        let all = params.rounds() * 3;
        let mut cases = Vec::new();
        // Probabilities are learned from alarms on series that the
        // trees have not seen: on their own they are too sure.
        for (fold, second) in [false, true].into_iter().enumerate() {
            let half = rows.half(second);
            let trees = half.fit(&params, |round| watch(fold * params.rounds() + round, all))?;
            let detector = self.beside(trees, Calibration::fit(&[]), Vec::new());
            for lesson in lessons {
                cases.extend(held_out(&detector, lesson, !second));
            }
        }
        let trees = rows.fit(&params, |round| watch(2 * params.rounds() + round, all))?;
        // The trees that stay learn from both halves; what they are worth was measured on each half apart.
        let mut detector = self.beside(trees, Calibration::fit(&cases), rows.usual());
        if let Some(trained) = detector.trained.as_mut().filter(|trained| trained.kinds.is_empty()) {
            trained.kinds = rows.kinds()?;
        }
        Ok(detector)
    }

    /// This detector's trees and these.
    fn beside(&self, trees: Boosted, alarms: Calibration, usual: Vec<f32>) -> Self {
        let (mut all, kinds) =
            self.trained.as_ref().map_or_else(Default::default, |trained| (trained.trees.clone(), trained.kinds.clone()));
        all.push(trees);
        Self { trained: Some(Trained { trees: all, kinds, alarms, usual }) }
    }

    /// The parameters of the trees that were found good.
    pub fn params() -> BoostParams {
        BoostParams::new().rounds(300).rate(0.06).leaves(31).hessian_min(4.0).l2(1.0).column_share(0.7)
    }
}

/// In which half a series is, by its name: the same in every lesson.
fn is_second(key: &SeriesKey) -> bool {
    let text = key.location.bytes().chain([0]).chain(key.item.bytes());
    let hash = text.fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3));
    (hash >> 40) & 1 == 1
}

/// Alarms of the series of one half, with whether each was right. The first alarm in an exception's window counts, as a
/// planner would count it.
fn held_out(detector: &Detector, lesson: &Lesson, second: bool) -> Vec<(f32, bool)> {
    let days = lesson.panel.days().len().saturating_sub(lesson.from);
    let scores = detector.score(&lesson.panel, lesson.from);
    let mut seen = std::collections::BTreeSet::new();
    let mut cases = Vec::new();
    for alarm in alarms::raise(&scores, days, QUIET_DAYS) {
        if is_second(&lesson.panel.keys()[alarm.series]) != second {
            continue;
        }
        match lesson.labels[alarm.series * days + alarm.day] {
            Label::Uncounted => {}
            Label::Odd(event, _) => {
                if seen.insert(event) {
                    cases.push((alarm.score, true));
                }
            }
            Label::Usual | Label::Explained => cases.push((alarm.score, false)),
        }
    }
    cases
}

impl Rows {
    fn add(&mut self, number: usize, lesson: &Lesson) -> Result<(), TrainError> {
        let panel = &lesson.panel;
        let (series, days) = (panel.keys().len(), panel.days().len().saturating_sub(lesson.from));
        if lesson.labels.len() != series * days {
            return Err(TrainError::Labels { lesson: number, got: lesson.labels.len(), wanted: series * days });
        }
        let mut lengths = std::collections::BTreeMap::<u32, usize>::new();
        for label in &lesson.labels {
            if let Label::Odd(event, _) = label {
                *lengths.entry(*event).or_default() += 1;
            }
        }
        let second: Vec<bool> = panel.keys().iter().map(is_second).collect();
        let mut watch = Watch::new(panel.locations(), panel.items());
        let mut rows = vec![0.0; series * FEATURE_COUNT];
        for day in 0..panel.days().len() {
            let cells: Vec<_> = (0..series).map(|series| panel.series(series)[day]).collect();
            let weekday = panel.days()[day].weekday().to_monday_zero_offset() as usize;
            // Days before the labels only teach what is usual.
            let Some(labelled) = day.checked_sub(lesson.from) else {
                watch.pass(weekday, &cells);
                continue;
            };
            watch.day(weekday, &cells, &mut rows);
            for (at, row) in rows.chunks_exact(FEATURE_COUNT).enumerate() {
                let weight = match lesson.labels[at * days + labelled] {
                    Label::Uncounted => continue,
                    Label::Usual => 1.0,
                    Label::Explained => EXPLAINED_WEIGHT,
                    // A lasting change has many days but is one exception.
                    Label::Odd(event, _) => 1.0 / (lengths[&event] as f32).sqrt(),
                };
                if !cells[at].open {
                    continue;
                }
                self.features.extend_from_slice(row);
                self.labels.push(matches!(lesson.labels[at * days + labelled], Label::Odd(..)));
                self.weights.push(weight);
                self.second.push(second[at]);
                self.kinds.push(match lesson.labels[at * days + labelled] {
                    Label::Odd(_, kind) => Some(kind),
                    _ => None,
                });
            }
        }
        Ok(())
    }

    fn half(&self, second: bool) -> Self {
        let mut half = Self::default();
        for (at, row) in self.features.chunks_exact(FEATURE_COUNT).enumerate() {
            if self.second[at] == second {
                half.features.extend_from_slice(row);
                half.labels.push(self.labels[at]);
                half.weights.push(self.weights[at]);
                half.second.push(second);
                half.kinds.push(self.kinds[at]);
            }
        }
        half
    }

    fn fit(&self, params: &BoostValidParams, watch: impl FnMut(usize)) -> Result<Boosted, BoostError> {
        let rows = ArrayView2::from_shape((self.labels.len(), FEATURE_COUNT), &self.features)
            .expect("each label came with a row of features");
        let labels = Array1::from(self.labels.clone());
        params.fit_watched(rows, labels.view(), Some(&self.weights), watch)
    }

    /// Trees for each kind: how likely an odd day is of it. Nothing where the lessons do not have all kinds.
    fn kinds(&self) -> Result<Vec<Boosted>, BoostError> {
        let odd: Vec<usize> = (0..self.labels.len()).filter(|at| self.labels[*at]).collect();
        // A kind that was hardly seen would be guessed at, and guessing is what the rules do as well.
        if Kind::ALL.iter().any(|kind| odd.iter().filter(|at| self.kinds[**at] == Some(*kind)).count() < KIND_ROWS) {
            return Ok(Vec::new());
        }
        let features: Vec<f32> =
            odd.iter().flat_map(|at| &self.features[at * FEATURE_COUNT..][..FEATURE_COUNT]).copied().collect();
        let rows = ArrayView2::from_shape((odd.len(), FEATURE_COUNT), &features)
            .expect("as many rows of features as odd days were copied");
        let weights: Vec<f32> = odd.iter().map(|at| self.weights[*at]).collect();
        let params = BoostParams::new().rounds(60).rate(0.15).leaves(8).hessian_min(2.0).check()?;
        let fit = |kind: Kind| {
            let labels: Array1<bool> = odd.iter().map(|at| self.kinds[*at] == Some(kind)).collect();
            params.fit_watched(rows, labels.view(), Some(&weights), |_| ())
        };
        Kind::ALL.into_iter().map(fit).collect()
    }

    /// Median of each feature over the rows that are not odd.
    fn usual(&self) -> Vec<f32> {
        let usual: Vec<&[f32]> = self
            .features
            .chunks_exact(FEATURE_COUNT)
            .zip(&self.labels)
            .filter(|(_, odd)| !**odd)
            .map(|(row, _)| row)
            .collect();
        (0..FEATURE_COUNT)
            .map(|feature| {
                let mut values: Vec<f32> = usual.iter().map(|row| row[feature]).collect();
                let middle = values.len() / 2;
                if values.is_empty() { 0.0 } else { *values.select_nth_unstable_by(middle, f32::total_cmp).1 }
            })
            .collect()
    }
}
