//! What becomes of a promise as it is lived: alarm by alarm, each raised on its day by what was known then.
//!
//! [`contest::promise`](super::contest::promise) lets the highest score of a week speak, which nobody knows before the week is
//! over. Here a series speaks on the first day on which it is sure enough, and is silent for some days after.

use std::collections::BTreeSet;

use ndarray::ArrayView2;

use super::contest::Promise;
use super::demand::Trial;
use reeve_models::demand::detector::Detector;
use reeve_models::demand::train::{Label, Lesson};

/// Days after an alarm for which its series is silent.
const QUIET_DAYS: usize = 3;

/// Raises an alarm of `scores` (a row for each series, a column for each day) on each day on which it is false with a
/// probability of `promised` at most; none of a detector that states no probabilities. Of one exception the first alarm counts,
/// further ones and those in its tail count for nothing.
pub fn promise(detector: &Detector, trial: &Trial, scores: ArrayView2<'_, f32>, promised: f64) -> Option<Promise> {
    detector.prevalence()?;
    let Lesson { labels, .. } = trial.clone().lesson();
    let days = scores.ncols();
    let mut found = BTreeSet::new();
    let mut wrong = 0;
    for (series, row) in scores.outer_iter().enumerate() {
        let mut silent_until = 0;
        for (day, score) in row.iter().enumerate() {
            let sure = |p: f64| 1.0 - p <= promised;
            if day < silent_until || !score.is_finite() || !detector.probability(*score).is_some_and(sure) {
                continue;
            }
            silent_until = day + 1 + QUIET_DAYS;
            match labels[series * days + day] {
                Label::Odd(event, _) => drop(found.insert(event)),
                Label::Uncounted => {}
                Label::Usual | Label::Explained => wrong += 1,
            }
        }
    }
    let events = trial.events.iter().filter(|event| !event.kind.is_explained()).count();
    let alarms = found.len() + wrong;
    let realised = (alarms > 0).then(|| wrong as f64 / alarms as f64);
    Some(Promise { promised, alarms, realised, recall: found.len() as f64 / events.max(1) as f64 })
}

#[cfg(test)]
mod tests {
    use ndarray::Array2;

    use super::*;
    use crate::trial::contest;
    use crate::trial::demand::{Plan, Track, inject};
    use crate::trial::files;

    fn trial() -> Trial {
        let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/trial/demand");
        let (panel, _) = files::read_demand_folder(&folder).unwrap();
        inject(&panel, &Plan::like(Track::Fresh, 400, 35..63), 4).unwrap()
    }

    #[test]
    fn days_that_come_later_change_no_alarm() {
        let trial = trial();
        let detector = Detector::shipped();
        let scores = contest::score_panel(detector, &trial.panel, trial.eval_from);
        let whole = promise(detector, &trial, scores.view(), 0.3).unwrap();
        assert!(whole.alarms > 0, "{whole:?}");
        // A score beyond all others at the end silences what was raised days before where a week's highest speaks; here it does not.
        let mut later = scores.clone();
        let last = later.ncols() - 1;
        later.column_mut(last).fill(f32::NEG_INFINITY);
        let without = promise(detector, &trial, later.view(), 0.3).unwrap();
        later.column_mut(last).fill(50.0);
        let with = promise(detector, &trial, later.view(), 0.3).unwrap();
        assert!(with.alarms >= without.alarms && with.recall >= without.recall, "{without:?} {with:?}");
    }

    #[test]
    fn where_nothing_is_sure_nothing_is_raised_and_the_untrained_promises_nothing() {
        let trial = trial();
        let scores = Array2::from_elem((trial.panel.keys().len(), trial.panel.days().len() - trial.eval_from), -50.0);
        let none = promise(Detector::shipped(), &trial, scores.view(), 0.1).unwrap();
        assert_eq!((none.alarms, none.realised), (0, None));
        assert!(promise(&Detector::unsupervised(), &trial, scores.view(), 0.1).is_none());
    }
}
