//! Whether a vendor has begun to do something that was not its way: many small deviations, none of which is odd by itself.
//!
//! Of the deliveries before, so many were off, and of the newest ones so many. Under the old habit the newest follow a beta-binomial
//! distribution (the share is known only from the deliveries before, shrunk to what is usual of all vendors); under a new one any
//! number of them is as likely. Bayes' rule weighs the two.

use statrs::function::beta::ln_beta;

/// Probability that a vendor has changed within its newest deliveries, before looking at them. A flat prior: once in twenty times.
const PRIOR: f64 = 0.05;

/// Deliveries that the usual share of all vendors counts for beside a vendor's own.
const USUAL_WEIGHT: f64 = 4.0;

/// Fewer newest deliveries say nothing.
const NEWEST_LEAST: u32 = 3;

/// Probability that a vendor now deviates more often than it did: `off` of its `newest` deliveries do, `off_before` of the `before`
/// earlier ones did, and `usual` is the share of all vendors' deliveries that do. 0 where the newest are off no more often.
pub fn changed((off, newest): (u32, u32), (off_before, before): (u32, u32), usual: f64) -> f64 {
    if newest < NEWEST_LEAST || off > newest || off_before > before {
        return 0.0;
    }
    let usual = usual.clamp(0.001, 0.999);
    let (alpha, beta) =
        (f64::from(off_before) + USUAL_WEIGHT * usual, f64::from(before - off_before) + USUAL_WEIGHT * (1.0 - usual));
    if f64::from(off) / f64::from(newest) <= alpha / (alpha + beta) {
        return 0.0;
    }
    let (hits, misses) = (f64::from(off), f64::from(newest - off));
    // The number of ways to draw them is in both and cancels; of a new habit any share is as likely: Beta(1, 1).
    let as_before = ln_beta(alpha + hits, beta + misses) - ln_beta(alpha, beta);
    let anew = ln_beta(1.0 + hits, 1.0 + misses) - ln_beta(1.0, 1.0);
    let odds = PRIOR / (1.0 - PRIOR) * (anew - as_before).exp();
    odds / (1.0 + odds)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn five_of_six_beside_one_of_twenty_is_another_habit_and_one_of_six_is_none() {
        assert!(changed((5, 6), (1, 20), 0.05) > 0.95);
        assert!(changed((1, 6), (1, 20), 0.05) < 0.1);
        assert!(changed((3, 6), (0, 40), 0.03) > 0.95, "a vendor that never was short");
        assert!(changed((2, 6), (1, 20), 0.05) < 0.9);
    }

    #[test]
    fn what_a_vendor_always_does_is_no_change() {
        assert!(changed((6, 6), (40, 40), 0.05) < 0.1);
        assert!(changed((4, 6), (20, 40), 0.05) < 0.1);
    }

    #[test]
    fn with_little_before_the_usual_of_all_vendors_counts() {
        let (rare, common) = (changed((3, 3), (0, 0), 0.02), changed((3, 3), (0, 0), 0.6));
        assert!(rare > 0.8 && common < 0.2, "{rare} {common}");
        assert!(changed((2, 2), (0, 0), 0.02).abs() < 1e-12);
    }
}
