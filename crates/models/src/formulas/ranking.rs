//! What a case is worth, how urgent it is, how sure we are, and how good an order of cases was.
//!
//! Sources: Järvelin and Kekäläinen 2002 (NDCG); the beta-binomial posterior mean for few labels.

use super::statistics::quantile;

/// Share of the value that is gone when the decision waits for the next digest: 1 without slack, else min(1, r ÷ slack).
pub fn perishing_share(slack_days: f64, days_to_next_digest: f64) -> f64 {
    if slack_days <= 0.0 { 1.0 } else { (days_to_next_digest / slack_days).clamp(0.0, 1.0) }
}

/// The same where both can be computed: 1 - V(decided at the next digest) ÷ V(decided now). Nothing perishes of nothing.
pub fn perished_share(value_now: f64, value_next: f64) -> f64 {
    if value_now > 0.0 { (1.0 - value_next.max(0.0) / value_now).clamp(0.0, 1.0) } else { 0.0 }
}

/// V·(λ + (1 - λ)·u): what it is worth to decide today, in money. The default λ is 0.25.
pub fn priority(value: f64, lambda: f64, perishing: f64) -> f64 {
    value * (lambda + (1.0 - lambda) * perishing)
}

/// Probability that a case of this type is real: (confirmed + α) ÷ (shown + α + β).
pub fn beta_binomial_p(confirmed: impl Into<f64>, shown: impl Into<f64>, alpha: f64, beta: f64) -> f64 {
    (confirmed.into() + alpha) / (shown.into() + alpha + beta)
}

/// What is beyond tolerance and the supplier's usual way is real in one case of two: what was agreed was not kept, and nobody has
/// minded so far. A flat prior; what people decide moves `learnt`.
const USUAL_SHARE: f64 = 0.5;

/// Probability that an exception of a purchase line is real, by the detector's probability that the line is not its supplier's way.
///
/// What a rule found (`ruled`) is beyond what was agreed: `learnt` · (1 - 0.5 · (1 - habit)), so that a usual deviation stands
/// behind an unusual one. What the detector alone found is as sure as it says, corrected by what people decided: habit · learnt ÷
/// `prior`, at most 0.99.
pub fn habit_p(habit: f64, learnt: f64, prior: f64, ruled: bool) -> f64 {
    if ruled {
        learnt * (1.0 - USUAL_SHARE * (1.0 - habit))
    } else if prior > 0.0 {
        (habit * learnt / prior).clamp(0.0, 0.99)
    } else {
        0.0
    }
}

/// The interval of a share by Wilson's score, `z` being the normal quantile (1.96 for 95 %): where it lies when `hits` of `n`
/// were seen. With nothing seen it may be anything.
pub fn wilson(hits: u32, n: u32, z: f64) -> (f64, f64) {
    if n == 0 {
        return (0.0, 1.0);
    }
    let (k, n) = (f64::from(hits.min(n)), f64::from(n));
    let (p, z2) = (k / n, z * z);
    let middle = (p + z2 / (2.0 * n)) / (1.0 + z2 / n);
    let half = z / (1.0 + z2 / n) * (p * (1.0 - p) / n + z2 / (4.0 * n * n)).sqrt();
    ((middle - half).max(0.0), (middle + half).min(1.0))
}

/// Mean squared difference of stated probabilities and outcomes. `None` of nothing.
pub fn brier(stated: &[(f64, bool)]) -> Option<f64> {
    (!stated.is_empty())
        .then(|| stated.iter().map(|&(p, real)| (p - f64::from(u8::from(real))).powi(2)).sum::<f64>() / stated.len() as f64)
}

/// NDCG at `k` of true values in the order in which they were shown (all of them, also those below the line).
/// Gains are capped at the 95th percentile, by nearest rank. `None` when there was nothing to gain.
pub fn ndcg(shown: &[f64], k: usize) -> Option<f64> {
    let cap = quantile(shown, 0.95)?;
    let gains: Vec<f64> = shown.iter().map(|v| v.min(cap).max(0.0)).collect();
    let mut ideal = gains.clone();
    ideal.sort_by(|a, b| b.total_cmp(a));
    let discounted =
        |gains: &[f64]| gains.iter().take(k).zip(2_u32..).map(|(gain, rank)| gain / f64::from(rank).log2()).sum::<f64>();
    let best = discounted(&ideal);
    (best > 0.0).then(|| discounted(&gains) / best)
}

/// True value of the first `k` shown ÷ that of the best `k` in hindsight. `None` when there was none.
pub fn value_capture(shown: &[f64], k: usize) -> Option<f64> {
    let mut ideal = shown.to_vec();
    ideal.sort_by(|a, b| b.total_cmp(a));
    let first = |values: &[f64]| values.iter().take(k).sum::<f64>();
    let best = first(&ideal);
    (best > 0.0).then(|| first(shown) / best)
}

/// Confirmed cases among the first `k` ÷ k, or ÷ as many as were shown if fewer. `None` when nothing was shown.
pub fn precision_at_k(confirmed: &[bool], k: usize) -> Option<f64> {
    let shown = confirmed.len().min(k);
    (shown > 0).then(|| confirmed.iter().take(k).filter(|&&c| c).count() as f64 / shown as f64)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[track_caller]
    fn close(left: f64, right: f64, tolerance: f64) {
        assert!((left - right).abs() <= tolerance, "{left} is not within {tolerance} of {right}");
    }

    #[test]
    fn vector_6_priority() {
        let p = |value, slack| priority(value, 0.25, perishing_share(slack, 1.0));
        close(perishing_share(3.0, 1.0), 0.3333, 5e-5);
        close(p(128.16, 3.0), 64.08, 5e-3);
        close(p(104.0, 6.0), 39.0, 5e-3);
        close(p(900.0, 20.0), 258.75, 5e-3);
        close(p(60.0, 1.0), 60.0, 5e-3);
        close(perishing_share(-2.0, 1.0), 1.0, 0.0);
    }

    #[test]
    fn vector_17_one_days_wait() {
        let u = perished_share(128.16, 96.12);
        close(u, 0.25, 1e-9);
        close(priority(128.16, 0.25, u), 56.07, 5e-3);
        close(perished_share(10.0, 12.0), 0.0, 0.0);
        close(perished_share(10.0, -4.0), 1.0, 0.0);
        close(perished_share(0.0, 0.0), 0.0, 0.0);
    }

    #[test]
    fn vector_11_calibration() {
        close(beta_binomial_p(18, 24, 6.0, 4.0), 0.7059, 5e-5);
    }

    #[test]
    fn vector_12_ndcg_and_value_capture() {
        close(ndcg(&[50.0, 100.0, 10.0], 3).unwrap(), 0.8649, 5e-5);
        close(value_capture(&[50.0, 100.0, 10.0], 1).unwrap(), 0.5, 1e-12);
        assert_eq!(ndcg(&[0.0, 0.0], 2), None);
        assert_eq!(value_capture(&[], 2), None);
    }

    #[test]
    fn brier_and_precision() {
        close(brier(&[(0.8, true), (0.4, false)]).unwrap(), 0.1, 1e-12);
        assert_eq!(brier(&[]), None);
        assert_eq!(precision_at_k(&[true, false, true, true], 2), Some(0.5));
        assert_eq!(precision_at_k(&[true], 15), Some(1.0));
        assert_eq!(precision_at_k(&[], 15), None);
    }

    proptest! {
        #[test]
        fn an_order_is_at_most_ideal(values in prop::collection::vec(0.0..1e4_f64, 1..60), k in 1_usize..20) {
            if let Some(score) = ndcg(&values, k) {
                prop_assert!((0.0..=1.0 + 1e-9).contains(&score));
            }
            let mut sorted = values.clone();
            sorted.sort_by(|a, b| b.total_cmp(a));
            if let Some(score) = ndcg(&sorted, k) {
                prop_assert!((score - 1.0).abs() < 1e-9);
            }
        }

        #[test]
        fn less_slack_never_lowers_the_priority(value in 0.0..1e5_f64, slack in -5.0..60.0_f64, less in 0.0..9.0_f64) {
            let p = |slack| priority(value, 0.25, perishing_share(slack, 1.0));
            prop_assert!(p(slack - less) >= p(slack) - 1e-9);
            prop_assert!(p(slack) <= value + 1e-9 && p(slack) >= 0.25 * value - 1e-9);
        }

        #[test]
        fn a_calibrated_probability_is_one(confirmed in 0_u32..50, more in 0_u32..50, a in 0.1..9.0_f64, b in 0.1..9.0_f64) {
            let p = beta_binomial_p(confirmed, confirmed + more, a, b);
            prop_assert!(p > 0.0 && p < 1.0);
        }
    }
}
