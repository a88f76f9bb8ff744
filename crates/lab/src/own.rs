//! A shop's own history as the teacher: exceptions are put into it, and the detector learns to find them there.
//!
//! No labels are needed, and what is learned are this shop's noise, promotions and habits. What was odd in the history
//! without anybody knowing stays in it as usual, so that probabilities err to the careful side.

use crate::trial::TrialError;
use crate::trial::demand::{Plan, Track, inject};
use reeve_models::demand::detector::Detector;
use reeve_models::demand::panel::{Panel, PanelError};
use reeve_models::demand::train::{Lesson, TrainError};

/// Rounds of the trees: fewer than of those that come with the program, for there is less to learn from.
const ROUNDS: usize = 120;
/// Days before the first that may be injected into: a series' usual demand must be known by then.
const QUIET_DAYS: usize = 20;
/// Days that are injected into: at least and at most.
const WINDOW_DAYS: (usize, usize) = (14, 120);
/// Series and days that are injected into and learned from, over all lessons.
const CELLS: usize = 400_000;

/// Why a detector could not learn from a history.
#[derive(Debug, thiserror::Error)]
pub enum OwnError {
    /// Too few days.
    #[error("{days} days are too few to learn from: it takes {}", QUIET_DAYS + WINDOW_DAYS.0)]
    Short {
        /// Days there are.
        days: usize,
    },
    /// Nothing could be put into it.
    #[error(transparent)]
    Trial(#[from] TrialError),
    /// Nothing could be learned, for instance because no series sells enough.
    #[error(transparent)]
    Train(#[from] TrainError),
    /// The history could not be cut to its first days.
    #[error(transparent)]
    Panel(#[from] PanelError),
}

/// A detector with trees beside its own that were trained on the days of `panel` before `until`, and with
/// probabilities from there: they hold where about one series in a hundred and twenty begins to be odd on a day (see
/// [`Plan::like`]). The same history and seed give the same detector. `watch` is told how many rounds
/// are done of how many.
///
/// # Errors
/// The history must be long enough and there must be series that sell enough to put exceptions into.
pub fn learn(
    detector: &Detector,
    panel: &Panel,
    until: usize,
    seed: u64,
    watch: impl FnMut(usize, usize),
) -> Result<Detector, OwnError> {
    let until = until.min(panel.days().len());
    if until < QUIET_DAYS + WINDOW_DAYS.0 {
        return Err(OwnError::Short { days: until });
    }
    let history = panel.until(until)?;
    // At most half of the history is injected into (four weeks of a short one): the rest says what is usual.
    let days = (until - QUIET_DAYS).min(WINDOW_DAYS.1).min((until / 2).max(28));
    let plan = Plan::like(Track::Fresh, panel.keys().len(), until - days..until);
    // Small shops learn from more lessons, so that each learns from about as much.
    let cells = plan.series_max.min(panel.keys().len()).max(1) * days;
    let lessons = (CELLS / cells).clamp(2, 12) as u64;
    let lessons: Vec<Lesson> = (0..lessons)
        .map(|number| Ok(inject(&history, &plan, seed.wrapping_mul(1_000).wrapping_add(number))?.lesson()))
        .collect::<Result<_, TrialError>>()?;
    Ok(detector.train(&lessons, Detector::params().rounds(ROUNDS), watch)?)
}

#[cfg(test)]
mod tests {
    use jiff::civil::date;
    use rand::{Rng, SeedableRng};
    use rand_chacha::ChaCha8Rng;

    use super::*;
    use crate::trial::demand::{EventKind, Trial};
    use crate::trial::measure;
    use reeve_models::control::drift::Drift;
    use reeve_models::demand::panel::{Cell, SeriesKey};
    use reeve_models::demand::review::review;

    /// Noise around a level for each series; nothing in it is odd.
    fn shop(series: usize, days: usize, seed: u64) -> Panel {
        let mut rng = ChaCha8Rng::seed_from_u64(seed);
        let first = date(2026, 1, 5);
        let dates = (0..days).map(|day| first.checked_add(jiff::Span::new().days(day as i64)).unwrap()).collect();
        let key = |at: usize| SeriesKey { location: format!("L{}", at / 20), item: format!("I{:02}", at % 20) };
        let cells = (0..series)
            .flat_map(|at| {
                let level = 6.0 + (at % 7) as f32 * 4.0;
                (0..days)
                    .map(|_| {
                        let noise: f32 = (0..4).map(|_| rng.r#gen::<f32>()).sum::<f32>() / 2.0;
                        let units = (level * noise).round();
                        Cell { units, price: 10.0, stockout_hours: 0.0, promo: false, holiday: false, open: true }
                    })
                    .collect::<Vec<_>>()
            })
            .collect();
        Panel::new(dates, (0..series).map(key).collect(), cells).unwrap()
    }

    fn trial() -> Trial {
        let panel = shop(80, 84, 7);
        inject(&panel, &Plan::like(Track::Fresh, 240, 56..84), 3).unwrap()
    }

    fn measured(detector: &Detector, trial: &Trial) -> f64 {
        let scores = detector.score(&trial.panel, trial.eval_from);
        let days = trial.panel.days().len() - trial.eval_from;
        let scores = ndarray::Array2::from_shape_vec((trial.panel.keys().len(), days), scores).unwrap();
        measure::demand(trial, scores.view()).ap
    }

    #[test]
    fn what_is_learned_from_ones_own_history_finds_what_came_later_and_says_how_likely() {
        let trial = trial();
        let own = learn(&Detector::unsupervised(), &trial.panel, trial.eval_from, 1, |_, _| ()).unwrap();
        let (before, after) = (measured(&Detector::unsupervised(), &trial), measured(&own, &trial));
        assert!(before > 0.3, "{before}");
        assert!(after > before, "{after} after, {before} before");
        let scores = own.score(&trial.panel, trial.eval_from);
        let best = scores.iter().copied().fold(f32::MIN, f32::max);
        assert!(own.probability(best).unwrap() > 0.5);
        assert!(own.probability(-20.0).unwrap() < 0.05);
        assert_eq!(Detector::unsupervised().probability(best), None);
    }

    #[test]
    fn the_same_history_gives_the_same_detector_and_it_is_read_back_to_the_bit() {
        let trial = trial();
        let own = learn(&Detector::unsupervised(), &trial.panel, trial.eval_from, 1, |_, _| ()).unwrap();
        let again = learn(&Detector::unsupervised(), &trial.panel, trial.eval_from, 1, |_, _| ()).unwrap();
        assert_eq!(own, again);
        let text = own.to_json().unwrap();
        let read = Detector::from_json(&text).unwrap();
        assert_eq!(own, read);
        assert_eq!(own.score(&trial.panel, 56), read.score(&trial.panel, 56));
        for (from, to) in
            [("\"version\":1", "\"version\":2"), ("surprise upwards", "surprise"), ("\"usual\":[", "\"usual\":[1.0,")]
        {
            assert!(Detector::from_json(&text.replacen(from, to, 1)).is_err(), "{from}");
        }
        assert!(Detector::from_json(&text[..text.len() / 2]).is_err());
    }

    #[test]
    fn a_day_that_is_added_changes_nothing_that_was_said_before() {
        let trial = trial();
        let whole = Detector::unsupervised().score(&trial.panel, 56);
        let shorter = trial.panel.until(70).unwrap();
        let before = Detector::unsupervised().score(&shorter, 56);
        for series in 0..80 {
            assert_eq!(whole[series * 28..series * 28 + 14], before[series * 14..(series + 1) * 14]);
        }
    }

    #[test]
    fn what_is_explained_is_less_odd_than_what_is_not() {
        let trial = trial();
        let scores = Detector::unsupervised().score(&trial.panel, 56);
        let most = |kind: EventKind| {
            let of: Vec<f32> = trial
                .events
                .iter()
                .filter(|event| event.kind == kind)
                .filter_map(|event| match event.scope {
                    crate::trial::demand::Scope::Series(series) => {
                        Some((event.from..=event.to).map(|day| scores[series * 28 + day - 56]).fold(f32::MIN, f32::max))
                    }
                    _ => None,
                })
                .collect();
            assert!(!of.is_empty());
            of.iter().sum::<f32>() / of.len() as f32
        };
        assert!(most(EventKind::PhantomZero) > 2.0 * most(EventKind::KnownStockout));
        assert!(most(EventKind::UomMult) > most(EventKind::PromoLift));
    }

    #[test]
    fn the_detector_that_comes_with_the_program_is_read_and_tells_kinds_apart() {
        let trial = trial();
        let shipped = Detector::shipped();
        assert!(measured(shipped, &trial) > measured(&Detector::unsupervised(), &trial));
        let mut scorer = reeve_models::demand::detector::Scorer::new(shipped, trial.panel.locations(), trial.panel.items());
        let mut right = (0, 0);
        for day in 0..trial.panel.days().len() {
            scorer.panel_day(&trial.panel, day, day < 56);
            for event in trial.events.iter().filter(|event| event.to == day) {
                if let (Some(kind), crate::trial::demand::Scope::Series(series)) = (event.kind.verdict(), event.scope) {
                    right = (right.0 + usize::from(scorer.kind(series) == kind), right.1 + 1);
                    assert!(!scorer.explain(series).is_empty() || scorer.evidence(series)[0] < 3.0);
                }
            }
        }
        assert!(2 * right.0 > right.1, "{right:?}");
    }

    #[test]
    fn a_review_keeps_to_its_promise_gives_reasons_and_sees_what_moved() {
        let trial = trial();
        let own = learn(&Detector::unsupervised(), &trial.panel, trial.eval_from, 1, |_, _| ()).unwrap();
        let strict = review(&own, &trial.panel, trial.eval_from, 0.1);
        let loose = review(&own, &trial.panel, trial.eval_from, 0.5);
        assert!(!strict.alarms.is_empty() && strict.alarms.len() < loose.alarms.len());
        assert_eq!(strict.scores, own.score(&trial.panel, trial.eval_from));
        let wrong: f64 = strict.alarms.iter().map(|alarm| 1.0 - alarm.probability.unwrap()).sum();
        assert!(wrong <= 0.1 * strict.alarms.len() as f64 + 1e-9);
        assert!(strict.alarms.iter().all(|alarm| !alarm.drivers.is_empty() && alarm.p <= 1.0));
        assert!(strict.drift.iter().all(|moved| moved.drift < Drift::Changed), "{:?}", strict.drift);
        let mut busier = trial.panel.clone();
        for series in 0..80 {
            busier.series_mut(series)[56..].iter_mut().for_each(|cell| cell.units *= 3.0);
        }
        let moved = review(&own, &busier, trial.eval_from, 0.1).drift;
        assert!(moved.iter().any(|moved| moved.what == "units" && moved.drift == Drift::Changed), "{moved:?}");
        let plain = review(&Detector::unsupervised(), &trial.panel, trial.eval_from, 0.1);
        assert!(plain.alarms.iter().all(|alarm| alarm.probability.is_none()));
        assert_eq!(plain.scores, Detector::unsupervised().score(&trial.panel, trial.eval_from));
    }

    #[test]
    fn a_young_shop_is_told_that_it_is() {
        let error = learn(&Detector::unsupervised(), &shop(4, 30, 1), 30, 0, |_, _| ()).unwrap_err();
        assert_eq!(error.to_string(), "30 days are too few to learn from: it takes 34");
    }
}
