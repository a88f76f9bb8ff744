//! Tail probabilities of demand: negative binomial, Poisson where it does not vary more.

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
