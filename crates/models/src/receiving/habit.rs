//! What a vendor usually does: how it deviates in quantity, in price and in time, learnt line by line.
//!
//! Deviations of quantity and price are held as a posterior over a small grid of habits ([`Grid`]): how often, and how
//! widely. The prior of a vendor is the mean posterior of all others (empirical Bayes), so a vendor with few lines is
//! taken for a usual one and a vendor with many for what it is. Each likelihood has a share of outliers, so that an
//! exception does not become a habit.

use statrs::function::erf::erfc;

/// Share of outliers in every likelihood: about what a retailer's lines have of each kind of exception.
const OUTLIERS: f64 = 0.02;

/// Weight of the even prior beside the posteriors of the others, in vendors.
const EVEN: f64 = 1.5;

/// Posteriors of many members (vendors) over the same grid of cells.
pub(super) struct Grid {
    /// Sum of the posteriors of all members that were seen.
    pool: Vec<f64>,
    members: Vec<Member>,
}

#[derive(Clone, Default)]
struct Member {
    /// Sum of log-likelihoods by cell; empty before the first observation.
    logs: Vec<f64>,
    posterior: Vec<f64>,
}

impl Grid {
    pub(super) fn new(cells: usize, members: usize) -> Self {
        Grid { pool: vec![0.0; cells], members: vec![Member::default(); members] }
    }

    /// Weight of each cell for a member: sums to 1.
    pub(super) fn weights(&self, member: usize) -> Vec<f64> {
        let this = &self.members[member];
        let even = EVEN / self.pool.len() as f64;
        if this.logs.is_empty() {
            return normalised(self.pool.iter().map(|p| p + even).collect());
        }
        // Likelihoods of many lines underflow; only their ratios matter.
        let highest = this.logs.iter().copied().fold(f64::NEG_INFINITY, f64::max);
        let cell = |((pool, own), log): ((&f64, &f64), &f64)| ((pool - own).max(0.0) + even) * (log - highest).exp();
        normalised(self.pool.iter().zip(&this.posterior).zip(&this.logs).map(cell).collect())
    }

    /// Learns one observation, given its likelihood in each cell.
    pub(super) fn learn(&mut self, member: usize, likelihood: &[f64]) {
        let cells = self.pool.len();
        let this = &mut self.members[member];
        if this.logs.is_empty() {
            this.logs = vec![0.0; cells];
            this.posterior = vec![0.0; cells];
        }
        for (log, p) in this.logs.iter_mut().zip(likelihood) {
            *log += p.max(1e-300).ln();
        }
        // The member's old posterior leaves the pool with the new one coming in, or it would be its own prior.
        let after = self.weights(member);
        for ((pool, own), new) in self.pool.iter_mut().zip(&mut self.members[member].posterior).zip(after) {
            *pool += new - *own;
            *own = new;
        }
    }
}

fn normalised(mut weights: Vec<f64>) -> Vec<f64> {
    let total: f64 = weights.iter().sum();
    for weight in &mut weights {
        *weight /= total;
    }
    weights
}

/// Probability that a standard normal number lies further from 0 than `z`, on both sides.
fn beyond(z: f64) -> f64 {
    erfc(z / std::f64::consts::SQRT_2)
}

/// What a grid says about one observation.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Verdict {
    /// Probability of a deviation at least as large on the same side.
    pub(super) tail: f64,
    /// Probability of just this deviation, to the precision it can be seen with.
    pub(super) mass: f64,
    /// How often the vendor deviates on this side at all.
    pub(super) share: f64,
    /// How widely, when it does (standard deviation, a share of the quantity or price).
    pub(super) spread: f64,
}

/// Habits of deviating to one side: a share of the lines deviates, by the size of a normal number of some spread.
pub(super) struct OneSided;

impl OneSided {
    const SHARES: [f64; 9] = [0.002, 0.03, 0.07, 0.13, 0.22, 0.32, 0.45, 0.62, 0.85];
    const SPREADS: [f64; 11] = [0.0015, 0.003, 0.005, 0.0075, 0.011, 0.017, 0.027, 0.04, 0.06, 0.09, 0.14];
    pub(super) const CELLS: usize = Self::SHARES.len() * Self::SPREADS.len();

    fn cells() -> impl Iterator<Item = (f64, f64)> {
        Self::SHARES.into_iter().flat_map(|share| Self::SPREADS.into_iter().map(move |spread| (share, spread)))
    }

    /// Probabilities in one cell: of `size` or more, and of `size` to within half a `unit`. A size of 0 is no deviation.
    fn cell(share: f64, spread: f64, size: f64, unit: f64) -> (f64, f64) {
        let half = unit / 2.0;
        if size < half {
            return (1.0, 1.0 - share * beyond(half / spread));
        }
        let tail = share * beyond((size - half) / spread);
        (tail, tail - share * beyond((size + half) / spread))
    }

    /// Likelihood of a deviation in each cell, outliers allowed for.
    pub(super) fn likelihood(size: f64, unit: f64) -> Vec<f64> {
        // Outliers are spread evenly over the logarithm of a size from 1 % to 100 %.
        let broad = if size < unit / 2.0 { 1.0 } else { (unit / size.max(0.01) / 100_f64.ln()).min(1.0) };
        Self::cells()
            .map(|(share, spread)| (1.0 - OUTLIERS) * Self::cell(share, spread, size, unit).1 + OUTLIERS * broad)
            .collect()
    }

    pub(super) fn verdict(weights: &[f64], size: f64, unit: f64) -> Verdict {
        let mut all = Verdict::default();
        let mut wide = 0.0;
        for ((share, spread), weight) in Self::cells().zip(weights) {
            let (tail, mass) = Self::cell(share, spread, size, unit);
            all.tail += weight * tail;
            all.mass += weight * mass;
            all.share += weight * share;
            wide += weight * share * spread;
        }
        all.spread = wide / all.share;
        all
    }
}

/// Habits of price: exact, or a normal number of some spread about the agreed price.
pub(super) struct TwoSided;

impl TwoSided {
    /// The first is a vendor that bills the agreed price.
    const SPREADS: [f64; 15] =
        [0.0, 0.0005, 0.001, 0.0015, 0.002, 0.003, 0.0045, 0.0065, 0.009, 0.013, 0.02, 0.03, 0.045, 0.065, 0.1];
    pub(super) const CELLS: usize = Self::SPREADS.len();

    fn cell(spread: f64, size: f64, unit: f64) -> (f64, f64) {
        let half = unit / 2.0;
        if spread == 0.0 {
            return if size <= unit { (1.0, 1.0) } else { (0.0, 0.0) };
        }
        let tail = beyond((size - half).max(0.0) / spread);
        (tail, (tail - beyond((size + half) / spread)) / if size < half { 1.0 } else { 2.0 })
    }

    pub(super) fn likelihood(size: f64, unit: f64) -> Vec<f64> {
        let broad = (unit / size.max(0.005) / 100_f64.ln()).min(1.0);
        Self::SPREADS.iter().map(|spread| (1.0 - OUTLIERS) * Self::cell(*spread, size, unit).1 + OUTLIERS * broad).collect()
    }

    pub(super) fn verdict(weights: &[f64], size: f64, unit: f64) -> Verdict {
        let mut all = Verdict { share: 1.0 - weights[0], ..Verdict::default() };
        for (spread, weight) in Self::SPREADS.iter().zip(weights) {
            let (tail, mass) = Self::cell(*spread, size, unit);
            all.tail += weight * tail;
            all.mass += weight * mass;
            all.spread += weight * spread;
        }
        all
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_masses_of_all_sizes_sum_to_one() {
        let grid = Grid::new(OneSided::CELLS, 1);
        let weights = grid.weights(0);
        let total: f64 = (0..=200).map(|units| OneSided::verdict(&weights, f64::from(units) / 100.0, 0.01).mass).sum();
        assert!((total - 1.0).abs() < 1e-6, "{total}");
    }

    #[test]
    fn a_vendor_is_taken_for_what_it_does_and_a_new_one_for_a_usual_one() {
        let mut grid = Grid::new(TwoSided::CELLS, 12);
        for vendor in 0..10 {
            for _ in 0..30 {
                grid.learn(vendor, &TwoSided::likelihood(0.0, 1e-5));
            }
        }
        let new = TwoSided::verdict(&grid.weights(11), 0.01, 1e-5);
        assert!(new.share < 0.2, "ten exact vendors make an exact one likely: {new:?}");
        for step in 0..40 {
            grid.learn(10, &TwoSided::likelihood(0.02 * f64::from(step) / 40.0, 1e-5));
        }
        let loose = TwoSided::verdict(&grid.weights(10), 0.01, 1e-5);
        assert!(loose.share > 0.99 && (0.006..0.02).contains(&loose.spread), "{loose:?}");
        assert!(loose.tail > 0.1 && new.tail < 0.1);
    }

    #[test]
    fn a_few_exceptions_do_not_become_a_habit() {
        let mut grid = Grid::new(OneSided::CELLS, 1);
        for line in 0..200 {
            grid.learn(0, &OneSided::likelihood(if line % 50 == 7 { 0.2 } else { 0.0 }, 0.001));
        }
        let verdict = OneSided::verdict(&grid.weights(0), 0.2, 0.001);
        assert!(verdict.tail < 0.01, "{verdict:?}");
    }
}
