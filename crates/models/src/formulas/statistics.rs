//! Distributions, moments and demand patterns.
//!
//! Sources: Syntetos, Boylan and Croston 2005 (demand classes); Silver, Pyke and Thomas (unit normal loss).

use serde::{Deserialize, Serialize};
use statrs::distribution::{ContinuousCDF, Normal};
use statrs::function::erf::erfc;

/// Standard normal density φ(z).
pub fn normal_pdf(z: f64) -> f64 {
    (-0.5 * z * z).exp() / (2.0 * std::f64::consts::PI).sqrt()
}

/// Standard normal distribution Φ(z): the probability of a value up to `z`.
pub fn normal_cdf(z: f64) -> f64 {
    0.5 * erfc(-z / std::f64::consts::SQRT_2)
}

/// Inverse of [`normal_cdf`]. Infinite at 0 and 1, NaN outside of 0 to 1.
pub fn normal_quantile(p: f64) -> f64 {
    if (0.0..=1.0).contains(&p) { Normal::standard().inverse_cdf(p) } else { f64::NAN }
}

/// Mean and sample standard deviation. The mean of nothing is NaN; with fewer than two values the deviation is unknown.
pub fn mean_sd(values: &[f64]) -> (f64, Option<f64>) {
    let n = values.len() as f64;
    let mean = values.iter().sum::<f64>() / n;
    let sd = (values.len() > 1).then(|| (values.iter().map(|x| (x - mean).powi(2)).sum::<f64>() / (n - 1.0)).sqrt());
    (mean, sd)
}

/// The middle value, or the mean of the two middle ones. `None` of nothing.
pub fn median(values: &[f64]) -> Option<f64> {
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    median_of_sorted(&sorted)
}

/// The median of values that are in order already. `None` of nothing.
pub fn median_of_sorted(sorted: &[f64]) -> Option<f64> {
    let middle = sorted.len() / 2;
    let upper = *sorted.get(middle)?;
    Some(if sorted.len().is_multiple_of(2) { f64::midpoint(sorted[middle - 1], upper) } else { upper })
}

/// The `share` quantile by nearest rank: the smallest value that at least `share` of the values do not exceed.
pub fn quantile(values: &[f64], share: f64) -> Option<f64> {
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    quantile_of_sorted(&sorted, share)
}

/// The [`quantile`] of values that are in order already. `None` of nothing.
pub fn quantile_of_sorted(sorted: &[f64], share: f64) -> Option<f64> {
    let rank = (share.clamp(0.0, 1.0) * sorted.len() as f64).ceil() as usize;
    sorted.get(rank.saturating_sub(1)).copied()
}

/// A mean of `n` observations drawn towards the pooled mean: (n·mean + k·pooled) ÷ (n + k). The default k is 5.
/// Without observations it is the pooled mean, whatever `mean` says.
pub fn shrunk_mean(n: impl Into<f64>, mean: f64, k: f64, pooled: f64) -> f64 {
    let n = n.into();
    if n <= 0.0 { pooled } else { (n * mean + k * pooled) / (n + k) }
}

/// How an item is asked for (Syntetos-Boylan), which decides what tests may speak about it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum DemandClass {
    /// Often and evenly.
    Smooth,
    /// Often, in changing amounts.
    Erratic,
    /// Seldom, in even amounts.
    Intermittent,
    /// Seldom and in changing amounts.
    Lumpy,
}

/// Class, ADI and CV² of a demand by period.
///
/// ADI is periods ÷ periods with demand; CV² is that of the demands above zero. `None` with fewer than two periods with
/// demand, for then the variation of the demands is unknown. Cut-offs 1.32 and 0.49: Syntetos, Boylan and Croston 2005.
pub fn demand_class(units: &[f64]) -> Option<(DemandClass, f64, f64)> {
    let n = units.iter().filter(|&&x| x > 0.0).count() as f64;
    if n < 2.0 {
        return None;
    }
    // A zero leaves a sum as it is to the last bit, so the loops need neither branch nor copy.
    let mean = units.iter().map(|&x| if x > 0.0 { x } else { 0.0 }).sum::<f64>() / n;
    let squares: f64 = units.iter().map(|&x| if x > 0.0 { (x - mean).powi(2) } else { 0.0 }).sum();
    let cv2 = ((squares / (n - 1.0)).sqrt() / mean).powi(2);
    let adi = units.len() as f64 / n;
    let class = match (adi < 1.32, cv2 < 0.49) {
        (true, true) => DemandClass::Smooth,
        (true, false) => DemandClass::Erratic,
        (false, true) => DemandClass::Intermittent,
        (false, false) => DemandClass::Lumpy,
    };
    Some((class, adi, cv2))
}

/// Σ errors ÷ mean absolute error, an error being actual - forecast; beyond ±4 suggests a level shift.
/// Zero when there are no errors to speak of.
pub fn tracking_signal(errors: &[f64]) -> f64 {
    let absolute: f64 = errors.iter().map(|e| e.abs()).sum();
    if absolute > 0.0 { errors.iter().sum::<f64>() * errors.len() as f64 / absolute } else { 0.0 }
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
    fn the_normal_distribution_agrees_with_tables() {
        close(normal_pdf(0.0), 0.398_942, 1e-6);
        close(normal_cdf(1.644_853_627), 0.95, 1e-9);
        close(normal_quantile(0.975), 1.959_963_985, 1e-8);
        assert!(normal_quantile(1.2).is_nan());
    }

    /// As the definition says it, from a list of the demands above zero.
    fn demand_class_by_list(units: &[f64]) -> Option<(f64, f64)> {
        let positive: Vec<f64> = units.iter().copied().filter(|&x| x > 0.0).collect();
        let (mean, sd) = mean_sd(&positive);
        Some((units.len() as f64 / positive.len() as f64, (sd? / mean).powi(2)))
    }

    proptest! {
        #[test]
        fn the_demand_class_is_that_of_a_list_bit_for_bit(
            units in prop::collection::vec(prop_oneof![Just(0.0), Just(-0.0), -3.0..9.0_f64, 0.0..1e9_f64], 0..70),
        ) {
            let bits = |(adi, cv2): (f64, f64)| (adi.to_bits(), cv2.to_bits());
            let class = demand_class(&units).map(|(_, adi, cv2)| bits((adi, cv2)));
            prop_assert_eq!(class, demand_class_by_list(&units).map(bits));
        }
    }

    #[test]
    fn vector_8_demand_class() {
        let units = [0.0, 3.0, 0.0, 0.0, 4.0, 0.0, 5.0, 0.0, 0.0, 2.0, 0.0, 0.0, 3.0, 0.0];
        let (class, adi, cv2) = demand_class(&units).unwrap();
        assert_eq!(class, DemandClass::Intermittent);
        close(adi, 2.8, 1e-12);
        close(cv2, 0.1125, 5e-5);
    }

    #[test]
    fn each_side_of_the_cut_offs_has_its_class() {
        let class = |units: &[f64]| demand_class(units).map(|(class, ..)| class);
        assert_eq!(class(&[4.0, 5.0, 6.0]), Some(DemandClass::Smooth));
        assert_eq!(class(&[1.0, 1.0, 9.0]), Some(DemandClass::Erratic));
        assert_eq!(class(&[0.0, 0.0, 1.0, 9.0, 1.0]), Some(DemandClass::Lumpy));
        assert_eq!(class(&[0.0, 3.0, 0.0]), None);
    }

    #[test]
    fn a_deviation_of_one_value_is_unknown() {
        assert_eq!(mean_sd(&[3.0]), (3.0, None));
        assert!(mean_sd(&[]).0.is_nan());
        assert_eq!(mean_sd(&[1.0, 3.0]), (2.0, Some(2.0_f64.sqrt())));
    }

    #[test]
    fn medians_quantiles_and_shrinking() {
        assert_eq!(median(&[3.0, 1.0, 2.0]), Some(2.0));
        assert_eq!(median(&[4.0, 1.0, 2.0, 3.0]), Some(2.5));
        assert_eq!(median(&[]), None);
        assert_eq!(quantile(&[10.0, 50.0, 100.0], 0.95), Some(100.0));
        assert_eq!(quantile(&[1.0, 2.0, 3.0, 4.0], 0.5), Some(2.0));
        close(shrunk_mean(5, 12.0, 5.0, 8.0), 10.0, 1e-12);
        close(shrunk_mean(0, f64::NAN, 5.0, 8.0), 8.0, 0.0);
    }

    #[test]
    fn errors_of_one_sign_are_a_signal() {
        close(tracking_signal(&[2.0, 2.0, 2.0, 2.0, 2.0]), 5.0, 1e-12);
        close(tracking_signal(&[]), 0.0, 0.0);
    }

    proptest! {
        #[test]
        fn the_quantile_undoes_the_distribution(p in 0.0001..0.9999_f64) {
            prop_assert!((normal_cdf(normal_quantile(p)) - p).abs() < 1e-7);
        }

        #[test]
        fn a_shrunk_mean_lies_between_its_two(n in 0.0..50.0_f64, mean in 0.0..100.0_f64, pooled in 0.0..100.0_f64) {
            let shrunk = shrunk_mean(n, mean, 5.0, pooled);
            prop_assert!(shrunk >= mean.min(pooled) - 1e-9 && shrunk <= mean.max(pooled) + 1e-9);
        }

        #[test]
        fn a_tracking_signal_never_exceeds_the_number_of_errors(errors in prop::collection::vec(-9.0..9.0_f64, 1..40)) {
            prop_assert!(tracking_signal(&errors).abs() <= errors.len() as f64 + 1e-9);
        }
    }
}
