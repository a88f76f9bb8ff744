//! A score's probability: a rising step function, learned from scores of which the truth is known.
//!
//! Isotonic regression by pooling adjacent violators (Ayer et al. 1955; Zadrozny and Elkan 2002). It assumes only that a
//! higher score is not less likely right. It holds where scores and truths come as they came in training: where exceptions
//! are rarer than there, it promises too much.

use serde::{Deserialize, Serialize};

/// Scores and the probability from each on. Between two, a straight line.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Calibration {
    scores: Vec<f32>,
    probabilities: Vec<f32>,
    /// Share of the truths that were yes.
    prevalence: f32,
}

/// A pool of neighbours that share a probability.
#[derive(Clone, Copy)]
struct Pool {
    scores: f64,
    yes: f64,
    weight: f64,
}

impl Calibration {
    /// Learns from scores and whether each was right. Nothing at all gives one half for everything.
    pub fn fit(cases: &[(f32, bool)]) -> Self {
        let mut cases: Vec<(f32, bool)> = cases.iter().copied().filter(|(score, _)| score.is_finite()).collect();
        cases.sort_by(|a, b| a.0.total_cmp(&b.0));
        let mut pools: Vec<Pool> = Vec::new();
        let mut at = 0;
        while at < cases.len() {
            // Equal scores are one case: which of them was right is no order.
            let same = cases[at..].iter().take_while(|case| case.0.total_cmp(&cases[at].0).is_eq()).count();
            let yes = cases[at..at + same].iter().filter(|case| case.1).count();
            pools.push(Pool { scores: f64::from(cases[at].0) * same as f64, yes: yes as f64, weight: same as f64 });
            at += same;
            // Neighbours whose shares fall are pooled until they rise
            // (isotonic regression): a higher score is never less sure.
            while let [.., before, last] = pools[..] {
                if before.yes * last.weight < last.yes * before.weight {
                    break;
                }
                let weight = before.weight + last.weight;
                pools.truncate(pools.len() - 2);
                pools.push(Pool { scores: before.scores + last.scores, yes: before.yes + last.yes, weight });
            }
        }
        let yes: f64 = pools.iter().map(|pool| pool.yes).sum();
        let all: f64 = pools.iter().map(|pool| pool.weight).sum();
        // Half a case of doubt at either end: no finite past proves never or always.
        let probability = |pool: &Pool| ((pool.yes + 0.5 * (yes + 0.5) / (all + 1.0)) / (pool.weight + 0.5)) as f32;
        let mut probabilities: Vec<f32> = pools.iter().map(probability).collect();
        for at in 1..probabilities.len() {
            probabilities[at] = probabilities[at].max(probabilities[at - 1]);
        }
        let scores = pools.iter().map(|pool| (pool.scores / pool.weight) as f32).collect();
        Self { scores, probabilities, prevalence: ((yes + 0.5) / (all + 1.0)) as f32 }
    }

    /// Probability of a score, above 0 and below 1.
    pub fn probability(&self, score: f32) -> f64 {
        let Some((last, first)) = self.probabilities.last().zip(self.probabilities.first()) else { return 0.5 };
        let right = self.scores.partition_point(|known| *known < score);
        let p = if score.is_nan() || right == 0 {
            *first
        } else if right == self.scores.len() {
            *last
        } else {
            let (low, high) = (self.scores[right - 1], self.scores[right]);
            let share = if high > low { (score - low) / (high - low) } else { 1.0 };
            self.probabilities[right - 1] + share * (self.probabilities[right] - self.probabilities[right - 1])
        };
        f64::from(p).clamp(1e-6, 1.0 - 1e-6)
    }

    /// Share of yes where it was learned.
    pub fn prevalence(&self) -> f64 {
        f64::from(self.prevalence)
    }

    /// Whether it hangs together: as many probabilities as scores, both rising, all numbers. For one that was read from a file.
    pub fn is_sound(&self) -> bool {
        let rising =
            |values: &[f32]| values.iter().all(|v| v.is_finite()) && values.windows(2).all(|pair| pair[0] <= pair[1]);
        self.scores.len() == self.probabilities.len()
            && rising(&self.scores)
            && rising(&self.probabilities)
            && self.probabilities.iter().all(|p| (0.0..=1.0).contains(p))
            && self.prevalence > 0.0
            && self.prevalence < 1.0
    }
}

/// Expected calibration error: mean distance of probability from truth over ten groups of equal size (Naeini et al. 2015).
pub fn error(cases: &[(f64, bool)]) -> f64 {
    let mut cases = cases.to_vec();
    cases.sort_by(|a, b| a.0.total_cmp(&b.0));
    let size = cases.len().div_ceil(10).max(1);
    let off = |group: &[(f64, bool)]| {
        let said: f64 = group.iter().map(|case| case.0).sum();
        (said - group.iter().filter(|case| case.1).count() as f64).abs()
    };
    cases.chunks(size).map(off).sum::<f64>() / cases.len().max(1) as f64
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn neighbours_that_contradict_are_pooled() {
        let cases: Vec<(f32, bool)> =
            (0..400).map(|at| (at as f32 / 100.0, if at < 200 { at % 10 == 0 } else { at % 10 != 0 })).collect();
        let calibration = Calibration::fit(&cases);
        assert!((calibration.probability(1.0) - 0.1).abs() < 0.02);
        assert!((calibration.probability(3.0) - 0.9).abs() < 0.02);
        assert!((calibration.prevalence() - 0.5).abs() < 0.01);
        assert!((Calibration::fit(&[]).probability(3.0) - 0.5).abs() < 1e-6);
    }

    #[test]
    fn what_is_said_rightly_has_no_error_and_what_is_said_wrongly_has() {
        let right: Vec<(f64, bool)> = (0..100).map(|at| (0.2, at % 5 == 0)).collect();
        assert!(error(&right) < 0.011);
        let wrong: Vec<(f64, bool)> = (0..100).map(|at| (0.9, at % 5 == 0)).collect();
        assert!((error(&wrong) - 0.7).abs() < 0.01);
    }

    proptest! {
        #[test]
        fn a_higher_score_is_never_less_likely(cases in prop::collection::vec((-9.0_f32..9.0, any::<bool>()), 0..80), a in -9.0_f32..9.0, b in -9.0_f32..9.0) {
            let calibration = Calibration::fit(&cases);
            prop_assert!(calibration.is_sound());
            let (low, high) = (a.min(b), a.max(b));
            prop_assert!(calibration.probability(low) <= calibration.probability(high));
        }
    }
}
