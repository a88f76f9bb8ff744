//! Statistics of runs: intervals, paired tests and what is left when every repeat has to pass. Pure and seeded: the same runs give
//! the same figures.

use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;
use serde::{Deserialize, Serialize};

/// The two-sided 95 % quantile of the normal distribution.
const Z: f64 = 1.959_963_984_540_054;
/// Resamples of a bootstrap: enough that the ends of a 95 % interval stand on five hundred of them each way.
const RESAMPLES: usize = 20_000;
/// Seed of a bootstrap: part of the protocol.
const SEED: u64 = 20_261_102;

/// An interval, low end first.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Interval {
    /// Low end.
    pub low: f64,
    /// High end.
    pub high: f64,
}

/// Wilson's 95 % interval of a share (Wilson 1927): right also near 0 and 1 and of few, where the usual one is not.
pub fn wilson(passed: u64, of: u64) -> Interval {
    if of == 0 {
        return Interval { low: 0.0, high: 1.0 };
    }
    let (n, p) = (of as f64, passed as f64 / of as f64);
    let centre = (p + Z * Z / (2.0 * n)) / (1.0 + Z * Z / n);
    let half = Z / (1.0 + Z * Z / n) * (p * (1.0 - p) / n + Z * Z / (4.0 * n * n)).sqrt();
    Interval { low: (centre - half).max(0.0), high: (centre + half).min(1.0) }
}

/// McNemar's exact test of two runs over the same scenarios: the two-sided probability of a split at least as uneven, if neither
/// were better. `lost` passed only in the first, `won` only in the second.
pub fn mcnemar(lost: u64, won: u64) -> f64 {
    let n = lost + won;
    if n == 0 {
        return 1.0;
    }
    // The tail of Binomial(n, ½), by logarithms so that it holds for thousands.
    let ln_half_n = n as f64 * 0.5_f64.ln();
    let tail: f64 = (0..=lost.min(won)).map(|k| (ln_choose(n, k) + ln_half_n).exp()).sum();
    (2.0 * tail).min(1.0)
}

fn ln_choose(n: u64, k: u64) -> f64 {
    (1..=k).map(|i| ((n - k + i) as f64 / i as f64).ln()).sum()
}

/// pass^k: the probability that k runs of a scenario all pass, estimated without bias from `n` runs of which `passed` did.
pub fn pass_hat(passed: u64, n: u64, k: u64) -> f64 {
    if k == 0 || n < k {
        return 0.0;
    }
    (0..k).map(|i| (passed.saturating_sub(i)) as f64 / (n - i) as f64).product()
}

/// The mean of paired differences with its 95 % interval, by resampling pairs.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Difference {
    /// Mean of second less first.
    pub mean: f64,
    /// Its interval.
    pub interval: Interval,
    /// Pairs.
    pub pairs: usize,
}

/// The paired bootstrap of `differences` (Efron 1979, percentiles).
pub fn bootstrap(differences: &[f64]) -> Difference {
    let n = differences.len();
    let mean = |sum: f64| sum / (n as f64).max(1.0);
    let observed = mean(differences.iter().sum());
    if n == 0 {
        return Difference { mean: 0.0, interval: Interval { low: 0.0, high: 0.0 }, pairs: 0 };
    }
    let mut rng = ChaCha8Rng::seed_from_u64(SEED);
    let mut means: Vec<f64> = (0..RESAMPLES).map(|_| mean((0..n).map(|_| differences[rng.gen_range(0..n)]).sum())).collect();
    means.sort_by(f64::total_cmp);
    let at = |share: f64| means[((RESAMPLES - 1) as f64 * share).round() as usize];
    Difference { mean: observed, interval: Interval { low: at(0.025), high: at(0.975) }, pairs: n }
}

/// Cohen's kappa of two judges over the same pairs: agreement beyond chance. None where chance alone explains all of it.
pub fn kappa(votes: &[(String, String)]) -> Option<f64> {
    let n = votes.len() as f64;
    if votes.is_empty() {
        return None;
    }
    let agree = votes.iter().filter(|(a, b)| a == b).count() as f64 / n;
    let mut labels: Vec<&str> = votes.iter().flat_map(|(a, b)| [a.as_str(), b.as_str()]).collect();
    labels.sort_unstable();
    labels.dedup();
    let share =
        |label: &str, first: bool| votes.iter().filter(|(a, b)| (if first { a } else { b }) == label).count() as f64 / n;
    let chance: f64 = labels.iter().map(|label| share(label, true) * share(label, false)).sum();
    (chance < 1.0).then(|| (agree - chance) / (1.0 - chance))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn near(a: f64, b: f64) {
        assert!((a - b).abs() < 5e-4, "{a} is not {b}");
    }

    #[test]
    fn wilson_as_in_the_textbook() {
        // Newcombe 1998, table I: 81 of 263, and the ends.
        let interval = wilson(81, 263);
        near(interval.low, 0.2553);
        near(interval.high, 0.3662);
        let interval = wilson(0, 20);
        near(interval.low, 0.0);
        near(interval.high, 0.1611);
        assert_eq!(wilson(0, 0), Interval { low: 0.0, high: 1.0 });
    }

    #[test]
    fn mcnemar_is_the_exact_sign_test() {
        near(mcnemar(1, 9), 0.0215);
        near(mcnemar(0, 5), 0.0625);
        near(mcnemar(4, 4), 1.0);
        near(mcnemar(0, 0), 1.0);
        assert!(mcnemar(900, 1100) < 1e-5, "holds for thousands");
    }

    #[test]
    fn passing_every_time_is_rarer_than_passing() {
        near(pass_hat(4, 4, 4), 1.0);
        near(pass_hat(3, 4, 2), 0.5);
        near(pass_hat(3, 4, 4), 0.0);
        near(pass_hat(8, 10, 3), 56.0 / 120.0);
        near(pass_hat(1, 1, 2), 0.0);
    }

    #[test]
    fn the_bootstrap_knows_a_difference_from_none() {
        let same = bootstrap(&[1.0, -1.0, 1.0, -1.0, 0.0, 0.0, 1.0, -1.0]);
        assert!(same.interval.low < 0.0 && same.interval.high > 0.0, "{same:?}");
        let better = bootstrap(&[0.2; 30]);
        near(better.interval.low, 0.2);
        assert_eq!(better, bootstrap(&[0.2; 30]), "seeded");
        assert_eq!(bootstrap(&[]).pairs, 0);
    }

    #[test]
    fn kappa_is_agreement_beyond_chance() {
        let votes = |of: &[(&str, &str, usize)]| {
            let repeat = |(a, b, n): &(&str, &str, usize)| vec![((*a).to_owned(), (*b).to_owned()); *n];
            of.iter().flat_map(repeat).collect::<Vec<_>>()
        };
        // Cohen 1960's form: 20 and 15 agreed, 5 and 10 not.
        near(kappa(&votes(&[("a", "a", 20), ("a", "b", 5), ("b", "a", 10), ("b", "b", 15)])).unwrap(), 0.4);
        assert_eq!(kappa(&votes(&[("a", "a", 9)])), None, "one label for all says nothing");
        assert_eq!(kappa(&[]), None);
    }
}
