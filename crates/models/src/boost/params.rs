//! What can be set about boosted trees.

use linfa::ParamGuard;

use super::BoostError;

/// How the score may follow a feature.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Direction {
    /// Any way.
    #[default]
    Free,
    /// A higher value never lowers the score, all else equal.
    Rising,
    /// A higher value never raises the score, all else equal.
    Falling,
}

/// Parameters of boosted trees, not checked yet.
///
/// | name | default | meaning | range |
/// |---|---|---|---|
/// | `rounds` | 200 | trees, one after the other | 1–10,000 |
/// | `leaves` | 31 | leaves of a tree at most | 2–4,096 |
/// | `rate` | 0.1 | share of each tree's step that is taken; the lower, the more rounds | above 0, to 1 |
/// | `l2` | 1 | pull of leaf values to nought (λ of Chen and Guestrin 2016) | 0 or more |
/// | `hessian_min` | 1 | least sum of w·p·(1 − p) in a leaf | 0 or more |
/// | `gain_min` | 0 | least loss that a cut must save | 0 or more |
/// | `row_share` | 1 | share of the rows that each tree is grown from, drawn anew | above 0, to 1 |
/// | `column_share` | 1 | share of the features that each tree may cut, drawn anew, one at least | above 0, to 1 |
/// | `bins` | 255 | bins of a feature at most, what is missing apart | 2–255 |
/// | `directions` | none | for each feature how the score may follow it; none: all free | as many as features |
/// | `seed` | 0 | the same rows, parameters and seed give the same model on any number of threads | any |
#[derive(Clone, Debug, PartialEq)]
pub struct BoostParams(BoostValidParams);

/// Checked parameters of boosted trees.
#[derive(Clone, Debug, PartialEq)]
pub struct BoostValidParams {
    pub(super) rounds: usize,
    pub(super) leaves: usize,
    pub(super) rate: f64,
    pub(super) l2: f64,
    pub(super) hessian_min: f64,
    pub(super) gain_min: f64,
    pub(super) row_share: f64,
    pub(super) column_share: f64,
    pub(super) bins: usize,
    pub(super) directions: Vec<Direction>,
    pub(super) seed: u64,
}

impl BoostValidParams {
    /// Trees, one after the other.
    pub fn rounds(&self) -> usize {
        self.rounds
    }
}

impl Default for BoostParams {
    fn default() -> Self {
        Self(BoostValidParams {
            rounds: 200,
            leaves: 31,
            rate: 0.1,
            l2: 1.0,
            hessian_min: 1.0,
            gain_min: 0.0,
            row_share: 1.0,
            column_share: 1.0,
            bins: 255,
            directions: Vec::new(),
            seed: 0,
        })
    }
}

impl BoostParams {
    /// The defaults.
    pub fn new() -> Self {
        Self::default()
    }

    /// Sets the number of trees.
    #[must_use]
    pub fn rounds(mut self, rounds: usize) -> Self {
        self.0.rounds = rounds;
        self
    }

    /// Sets the leaves of a tree at most.
    #[must_use]
    pub fn leaves(mut self, leaves: usize) -> Self {
        self.0.leaves = leaves;
        self
    }

    /// Sets the share of each step that is taken.
    #[must_use]
    pub fn rate(mut self, rate: f64) -> Self {
        self.0.rate = rate;
        self
    }

    /// Sets the pull of leaf values to nought.
    #[must_use]
    pub fn l2(mut self, l2: f64) -> Self {
        self.0.l2 = l2;
        self
    }

    /// Sets the least sum of w·p·(1 − p) in a leaf.
    #[must_use]
    pub fn hessian_min(mut self, hessian_min: f64) -> Self {
        self.0.hessian_min = hessian_min;
        self
    }

    /// Sets the least loss that a cut must save.
    #[must_use]
    pub fn gain_min(mut self, gain_min: f64) -> Self {
        self.0.gain_min = gain_min;
        self
    }

    /// Sets the share of the rows that each tree is grown from.
    #[must_use]
    pub fn row_share(mut self, row_share: f64) -> Self {
        self.0.row_share = row_share;
        self
    }

    /// Sets the share of the features that each tree may cut.
    #[must_use]
    pub fn column_share(mut self, column_share: f64) -> Self {
        self.0.column_share = column_share;
        self
    }

    /// Sets the bins of a feature at most.
    #[must_use]
    pub fn bins(mut self, bins: usize) -> Self {
        self.0.bins = bins;
        self
    }

    /// Sets for each feature how the score may follow it.
    #[must_use]
    pub fn directions(mut self, directions: Vec<Direction>) -> Self {
        self.0.directions = directions;
        self
    }

    /// Sets the seed.
    #[must_use]
    pub fn seed(mut self, seed: u64) -> Self {
        self.0.seed = seed;
        self
    }
}

impl ParamGuard for BoostParams {
    type Checked = BoostValidParams;
    type Error = BoostError;

    fn check_ref(&self) -> Result<&Self::Checked, BoostError> {
        const SHARE: &str = "above 0 and at most 1";
        let p = &self.0;
        let share = |x: f64| x > 0.0 && x <= 1.0;
        let least = |x: f64| x >= 0.0 && x.is_finite();
        let checks = [
            ("rounds", p.rounds as f64, (1..=10_000).contains(&p.rounds), "from 1 to 10000"),
            ("leaves", p.leaves as f64, (2..=4_096).contains(&p.leaves), "from 2 to 4096"),
            ("rate", p.rate, share(p.rate), SHARE),
            ("l2", p.l2, least(p.l2), "0 or more"),
            ("hessian_min", p.hessian_min, least(p.hessian_min), "0 or more"),
            ("gain_min", p.gain_min, least(p.gain_min), "0 or more"),
            ("row_share", p.row_share, share(p.row_share), SHARE),
            ("column_share", p.column_share, share(p.column_share), SHARE),
            ("bins", p.bins as f64, (2..=255).contains(&p.bins), "from 2 to 255"),
        ];
        match checks.into_iter().find(|(_, _, fine, _)| !fine) {
            Some((name, value, _, range)) => Err(BoostError::Parameter { name, value, range }),
            None => Ok(p),
        }
    }

    fn check(self) -> Result<Self::Checked, BoostError> {
        self.check_ref()?;
        Ok(self.0)
    }
}
