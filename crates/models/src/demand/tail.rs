//! Tail probabilities of demand: negative binomial, Poisson where it does not vary more.

use super::floor;
use statrs::function::beta::checked_beta_reg;
use statrs::function::gamma::{checked_gamma_lr, checked_gamma_ur};

/// A demand to come, known by mean and variance.
#[derive(Clone, Copy, Debug)]
pub(super) struct Demand {
    pub(super) mean: f64,
    pub(super) variance: f64,
}

impl Demand {
    /// P(X >= units). Continued between whole numbers, so that weights and volumes have no steps.
    pub(super) fn at_least(self, units: f64) -> f64 {
        if units <= 0.0 || self.mean <= 0.0 {
            return 1.0;
        }
        let p = match self.shape() {
            Some((r, p)) => checked_beta_reg(units, r, 1.0 - p).ok(),
            None => checked_gamma_lr(units, self.mean).ok(),
        };
        probability(p)
    }

    /// P(X <= units); less than nothing (returns) counts as nothing sold.
    pub(super) fn at_most(self, units: f64) -> f64 {
        if self.mean <= 0.0 {
            return 1.0;
        }
        let units = units.max(0.0);
        let p = match self.shape() {
            Some((r, p)) => checked_beta_reg(r, units + 1.0, p).ok(),
            None => checked_gamma_ur(units + 1.0, self.mean).ok(),
        };
        probability(p)
    }

    /// Whether [`Demand::at_most`] (`low`) or [`Demand::at_least`] is certainly above `least`. `false` says nothing. Holds of
    /// demands whose numbers are as good as these, too.
    pub(super) fn is_surely_above(self, units: f64, low: bool, least: f64) -> bool {
        // Near the Poisson, whose tails are computed otherwise, nothing is said.
        match self.shape().filter(|_| self.mean > 0.0 && self.variance - self.mean > 2e-4 * self.mean) {
            Some((r, p)) if low => floor::is_above(r, units.max(0.0) + 1.0, p, least),
            Some((r, p)) => units <= 0.0 || floor::is_above(units, r, 1.0 - p, least),
            None => false,
        }
    }

    /// Size and success probability of the negative binomial, unless the variance is that of a Poisson or less.
    fn shape(self) -> Option<(f64, f64)> {
        let over = self.variance - self.mean;
        // Below this the size is so large that the continued fraction loses digits, and Poisson is as good.
        (over > 1e-4 * self.mean).then(|| (self.mean * self.mean / over, self.mean / self.variance))
    }
}

/// What could not be computed is no evidence; what underflowed is as small as a number can say.
fn probability(p: Option<f64>) -> f64 {
    p.filter(|p| p.is_finite()).unwrap_or(1.0).clamp(f64::MIN_POSITIVE, 1.0)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_poisson_agrees_with_its_table() {
        let demand = Demand { mean: 2.0, variance: 2.0 };
        assert!((demand.at_most(0.0) - (-2.0_f64).exp()).abs() < 1e-12);
        assert!((demand.at_least(1.0) - (1.0 - (-2.0_f64).exp())).abs() < 1e-12);
        assert!((demand.at_most(4.0) - 0.947_347).abs() < 1e-6);
    }

    #[test]
    fn a_negative_binomial_agrees_with_its_closed_form() {
        // Size 1 is geometric: mean 4, variance 20, success 0.2.
        let demand = Demand { mean: 4.0, variance: 20.0 };
        assert!((demand.at_least(5.0) - 0.8_f64.powi(5)).abs() < 1e-10);
        assert!((demand.at_most(4.0) - (1.0 - 0.8_f64.powi(5))).abs() < 1e-10);
        assert!((demand.at_least(60.0) / 0.8_f64.powi(60) - 1.0).abs() < 1e-6);
    }

    proptest! {
        #[test]
        fn tails_are_probabilities_that_overlap_by_one_value(
            mean in 0.01..60.0_f64, over in 0.0..6.0_f64, units in 0_u32..200,
        ) {
            let demand = Demand { mean, variance: mean * (1.0 + over) };
            let units = f64::from(units);
            let (low, high) = (demand.at_most(units), demand.at_least(units));
            prop_assert!((0.0..=1.0).contains(&low) && (0.0..=1.0).contains(&high));
            prop_assert!(low + high >= 1.0 - 1e-6);
            prop_assert!((low + demand.at_least(units + 1.0) - 1.0).abs() < 1e-6);
        }
    }
}
