//! Measures of scores of demand.

use std::collections::BTreeSet;

use ndarray::ArrayView2;
use serde::Serialize;

use super::planner::{PlannerMeasures, planner};
use super::{area_under_roc, average_precision, share, tie};
use crate::trial::demand::{Scope, Trial};

/// Days on either side on which an alarm silences its series, when alarms are ranked.
const SILENT: usize = 3;

/// How well a detector found the exceptions of a trial.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct DemandMeasures {
    /// Exceptions in the trial.
    pub events: usize,
    /// Average precision over exceptions, of alarms that silence their series for three days either side.
    pub ap: f64,
    /// False alarms per 1,000 series-days when half of the exceptions are found; none when they never are.
    pub false_per_1000_at_recall_50: Option<f64>,
    /// The same at four fifths.
    pub false_per_1000_at_recall_80: Option<f64>,
    /// Average precision day by day.
    pub cell_ap: f64,
    /// Area under the ROC curve day by day.
    pub cell_auroc: f64,
    /// What planners see who read so many alarms a day.
    pub planners: Vec<PlannerMeasures>,
}

/// What an alarm on a day of a series would be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum State {
    /// False.
    Ordinary,
    /// It finds this exception.
    Exception(usize),
    /// False, and there was a reason on record.
    Explained(usize),
    /// Neither: the effect of an exception after its time.
    NotCounted,
}

/// A trial and its scores, as all measures look at them.
pub(super) struct Board<'a> {
    pub(super) trial: &'a Trial,
    pub(super) series: usize,
    /// Days scored.
    pub(super) days: usize,
    /// Scores by series and scored day; minus infinity where there is none.
    pub(super) scores: Vec<f64>,
    states: Vec<State>,
}

impl<'a> Board<'a> {
    fn new(trial: &'a Trial, scores: ArrayView2<'_, f32>) -> Self {
        let (series, from) = (trial.panel.keys().len(), trial.eval_from);
        let days = trial.panel.days().len() - from;
        assert_eq!(scores.dim(), (series, days), "a score for each series and day from the first scored one on");
        let scores =
            scores.iter().map(|score| if score.is_finite() { f64::from(*score) } else { f64::NEG_INFINITY }).collect();
        let mut board = Self { trial, series, days, scores, states: vec![State::Ordinary; series * days] };
        for explained in [true, false] {
            for (at, event) in trial.events.iter().enumerate().filter(|(_, event)| event.kind.is_explained() == explained) {
                if explained {
                    board.mark(event.scope, event.from..event.to + 1, State::Explained(at));
                } else {
                    // Its effect is still there, or it is the day after.
                    board.mark(event.scope, event.from..event.to.max(event.detect_until) + 2, State::NotCounted);
                    board.mark(event.scope, event.from..event.detect_until + 1, State::Exception(at));
                }
            }
        }
        board
    }

    fn mark(&mut self, scope: Scope, days: std::ops::Range<usize>, state: State) {
        let from = self.trial.eval_from;
        let days = days.start.saturating_sub(from)..days.end.saturating_sub(from).min(self.days);
        for series in 0..self.series {
            let about = match scope {
                Scope::Series(one) => one == series,
                Scope::Location(location) => self.trial.panel.locations()[series] == location,
                Scope::All => true,
            };
            if about && !days.is_empty() {
                self.states[series * self.days..][days.clone()].fill(state);
            }
        }
    }

    pub(super) fn state(&self, series: usize, day: usize) -> State {
        self.states[series * self.days + day]
    }

    pub(super) fn per_1000(&self, alarms: usize) -> f64 {
        1_000.0 * alarms as f64 / (self.series * self.days) as f64
    }

    /// Indices of the exceptions.
    pub(super) fn exceptions(&self) -> Vec<usize> {
        (0..self.trial.events.len()).filter(|at| !self.trial.events[*at].kind.is_explained()).collect()
    }
}

/// Measures `scores`, a row for each series of the trial and a column for each day from the first scored one on; what is
/// not finite is no score.
///
/// # Panics
/// When the scores have another shape.
pub fn demand(trial: &Trial, scores: ArrayView2<'_, f32>) -> DemandMeasures {
    let board = Board::new(trial, scores);
    let events = board.exceptions().len();
    let (ap, false_50, false_80) = ranked(&board, events);
    let counted: Vec<usize> = (0..board.states.len()).filter(|at| board.states[*at] != State::NotCounted).collect();
    let positive: Vec<bool> = counted.iter().map(|at| matches!(board.states[*at], State::Exception(_))).collect();
    let scores: Vec<f64> = counted.iter().map(|at| board.scores[*at]).collect();
    DemandMeasures {
        events,
        ap,
        false_per_1000_at_recall_50: false_50.map(|alarms| board.per_1000(alarms)),
        false_per_1000_at_recall_80: false_80.map(|alarms| board.per_1000(alarms)),
        cell_ap: average_precision(&scores, &positive),
        cell_auroc: area_under_roc(&scores, &positive),
        planners: trial.ks.iter().map(|k| planner(&board, *k)).collect(),
    }
}

/// Average precision of alarms, and how many were false when half and four fifths of the exceptions were found.
fn ranked(board: &Board<'_>, events: usize) -> (f64, Option<usize>, Option<usize>) {
    let mut order: Vec<usize> = (0..board.scores.len()).filter(|at| board.scores[*at] > f64::NEG_INFINITY).collect();
    // Equal scores in an order that has nothing to do with the file's: else series that stand first would look better found.
    order.sort_unstable_by(|&a, &b| board.scores[b].total_cmp(&board.scores[a]).then_with(|| tie(a).cmp(&tie(b))));
    let mut silent = vec![false; board.scores.len()];
    let mut found = BTreeSet::new();
    let (mut wrong, mut sum, mut at_50, mut at_80) = (0, 0.0, None, None);
    for at in order {
        let (series, day) = (at / board.days, at % board.days);
        let state = board.states[at];
        if silent[at] || state == State::NotCounted {
            continue;
        }
        // Who was told looks at the series: another alarm some days before or after it tells nothing new.
        let row = &mut silent[series * board.days..][..board.days];
        row[day.saturating_sub(SILENT)..(day + SILENT + 1).min(board.days)].fill(true);
        match state {
            State::Exception(event) => {
                if found.insert(event) {
                    sum += share(found.len(), found.len() + wrong);
                    if 2 * found.len() >= events {
                        at_50.get_or_insert(wrong);
                    }
                    if 5 * found.len() >= 4 * events {
                        at_80.get_or_insert(wrong);
                    }
                }
            }
            _ => wrong += 1,
        }
    }
    (if events == 0 { f64::NAN } else { sum / events as f64 }, at_50, at_80)
}
