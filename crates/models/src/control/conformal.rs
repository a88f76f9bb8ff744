//! Conformal p-values: the share of past scores that were as odd.
//!
//! If the new score is exchangeable with the remembered ones, P(p <= a) <= a for every a, whatever the detector and the
//! distribution (Vovk, Gammerman and Shafer 2005; Bates et al. 2023 for outliers). What is remembered trails: days leave
//! as they age, so that a shop that changes is compared with its own recent past.

use std::collections::VecDeque;

/// Scores of the last days, in which the usual is remembered.
#[derive(Clone, Debug)]
pub struct Conformal {
    days_max: usize,
    days: VecDeque<Vec<f32>>,
    /// All remembered scores, rising; made anew when a day comes in.
    sorted: Vec<f32>,
}

impl Conformal {
    /// Remembers the newest `days_max` days (at least one).
    pub fn new(days_max: usize) -> Self {
        Self { days_max: days_max.max(1), days: VecDeque::new(), sorted: Vec::new() }
    }

    /// Takes in a day's scores. Those that are no number are left out. Leave out what was confirmed as an exception: it is not
    /// the usual.
    pub fn remember(&mut self, scores: impl IntoIterator<Item = f32>) {
        self.days.push_back(scores.into_iter().filter(|score| !score.is_nan()).collect());
        while self.days.len() > self.days_max {
            self.days.pop_front();
        }
        self.sorted.clear();
        self.sorted.extend(self.days.iter().flatten());
        self.sorted.sort_unstable_by(f32::total_cmp);
    }

    /// Scores remembered: no p is below one in this many and one.
    pub fn remembered(&self) -> usize {
        self.sorted.len()
    }

    /// (1 + scores at least as high) ÷ (1 + all scores); 1 of what is no number.
    pub fn p(&self, score: f32) -> f64 {
        if score.is_nan() {
            return 1.0;
        }
        let below = self.sorted.partition_point(|past| *past < score);
        (1 + self.sorted.len() - below) as f64 / (1 + self.sorted.len()) as f64
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use rand::{Rng, SeedableRng};
    use rand_chacha::ChaCha8Rng;

    use super::*;

    #[test]
    fn the_oddest_is_as_rare_as_there_are_scores_and_old_days_are_forgotten() {
        let mut past = Conformal::new(2);
        past.remember([1.0, 2.0, 3.0]);
        past.remember([4.0, f32::NAN]);
        assert!((past.p(9.0) - 0.2).abs() < 1e-12);
        assert!((past.p(4.0) - 0.4).abs() < 1e-12);
        assert!((past.p(0.0) - 1.0).abs() < 1e-12);
        past.remember([0.0]);
        assert_eq!(past.remembered(), 2);
        assert!((past.p(f32::NAN) - 1.0).abs() < 1e-12);
    }

    proptest! {
        /// The definition of validity, over draws of past and present together.
        #[test]
        fn of_exchangeable_scores_at_most_a_share_of_a_has_p_up_to_a(seed in 0_u64..50) {
            let mut rng = ChaCha8Rng::seed_from_u64(seed);
            let mut small = 0;
            for _ in 0..400 {
                let mut past = Conformal::new(1);
                past.remember((0..49).map(|_| rng.r#gen::<f32>()));
                small += usize::from(past.p(rng.r#gen()) <= 0.1);
            }
            // 40 expected, deviation 6: five of those are never seen in fifty seeds.
            prop_assert!((10..=70).contains(&small), "{small} of 400");
        }
    }
}
