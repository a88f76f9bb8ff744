//! A day's count under a negative binomial: how odd it is, and how much better another mean would explain it.

use statrs::function::gamma::ln_gamma;

use super::super::tail::Demand;

/// Surprises are cut off here: 10^-60 is as good as never.
const MOST: f64 = 60.0;

/// The count to expect: variance is `mean` × `spread`, and `spread` is above 1.
#[derive(Clone, Copy, Debug)]
pub(super) struct Count {
    mean: f64,
    /// Number of successes of the negative binomial.
    size: f64,
}

impl Count {
    pub(super) fn new(mean: f64, spread: f64) -> Self {
        let mean = mean.max(0.02);
        Self { mean, size: (mean / (spread - 1.0).max(0.02)).max(0.05) }
    }

    fn demand(self) -> Demand {
        Demand { mean: self.mean, variance: self.mean + self.mean * self.mean / self.size }
    }

    /// -log10 P(X >= units).
    pub(super) fn surprise_high(self, units: f64) -> f64 {
        self.surprise(self.demand().at_least(units), units)
    }

    /// -log10 P(X <= units).
    pub(super) fn surprise_low(self, units: f64) -> f64 {
        self.surprise(self.demand().at_most(units), units)
    }

    fn surprise(self, p: f64, units: f64) -> f64 {
        // Where the tail underflows, the density at its edge still says how far out it is.
        let surprise = if p > 1e-290 { -p.log10() } else { -self.ln_pmf(units) / std::f64::consts::LN_10 };
        surprise.clamp(0.0, MOST)
    }

    /// ln P(X = units), continued between whole numbers.
    pub(super) fn ln_pmf(self, units: f64) -> f64 {
        let (r, m) = (self.size, self.mean);
        let binomial = ln_gamma(units + r) - ln_gamma(r) - ln_gamma(units + 1.0);
        binomial + r * (r / (r + m)).ln() + units * (m / (r + m)).ln()
    }

    /// ln P(X = 0).
    pub(super) fn ln_none(self) -> f64 {
        self.size * (self.size / (self.size + self.mean)).ln()
    }

    /// ln of how much likelier `units` are when the mean is `times` as high, at the same size.
    pub(super) fn ln_ratio(self, units: f64, times: f64) -> f64 {
        let (r, m) = (self.size, self.mean);
        (r + units) * ((r + m) / (r + m * times)).ln() + units * times.ln()
    }

    /// P(low <= X <= high) for whole numbers.
    pub(super) fn between(self, low: f64, high: f64) -> f64 {
        let demand = self.demand();
        let below = if low > 0.0 { demand.at_most(low - 1.0) } else { 0.0 };
        (demand.at_most(high) - below).max(0.0)
    }
}
