//! A family of isolation forests: rows that cuts single out soon are odd, though no single number of theirs need be.
//!
//! Plugs into linfa: [`IsolationForestParams`] is checked by `ParamGuard`, `fit` takes a dataset (targets are not looked
//! at, weights are), `predict` gives scores between 0 and 1; about 0.5 is usual, and the nearer to 1 the odder. Rules of
//! cutting are in [`SplitRule`], what a tree says of a row in [`Scoring`]; [`IsolationForestParams::tabular`] is one fixed
//! mixture for tables of any kind.
//!
//! The same rows, parameters and seed give the same forest and scores, whatever the number of threads: each tree has its
//! own stream of random numbers, and sums are taken in the order of the trees. A missing value (NaN) is allowed anywhere.
//! A score is no probability, and the forest does not say what is usual for a calendar day: features must.

mod columns;
mod cut;
mod depth;
mod error;
mod grow;
mod packed;
mod params;
mod saved;
mod score;
mod tree;

use linfa::DatasetBase;
use linfa::traits::{Fit, PredictInplace};
use ndarray::{Array1, ArrayBase, ArrayView1, ArrayView2, Axis, Data, Ix2};
use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;
use rayon::prelude::*;

use self::columns::Columns;
use self::grow::Soil;
use self::packed::Packed;
use self::params::StandParams;
use self::tree::Tree;

pub use self::error::ForestError;
pub use self::params::{IsolationForestParams, IsolationForestValidParams, Scale, Scoring, SplitRule};

/// Rows, evenly spaced, that a mixed forest takes the usual verdict of each stand from.
const USUAL_ROWS: usize = 4_096;

/// A fitted forest.
///
/// Memory: about 40 bytes a node and twice as many nodes as rows in a sample, so some 10 MB for
/// [`IsolationForestParams::tabular`]. Fitting and scoring read the rows where they lie; beside them a fit copies one sample
/// for each thread and at most 65,536 values of a column for each, and scoring some 100 kB for each thread and 8 bytes for
/// each row and stand.
#[derive(Clone, Debug, PartialEq)]
pub struct IsolationForest {
    params: IsolationForestValidParams,
    columns: Columns,
    stands: Vec<Stand>,
}

/// Trees of one setting.
#[derive(Clone, Debug)]
struct Stand {
    /// The oldest first.
    trees: Vec<Tree>,
    /// Trees grown so far, those since replaced included: the next one's stream of random numbers.
    grown: u64,
    /// Mean and deviation over the fitted rows of what the trees say; 0 and 1 where there is but one stand.
    centre: f64,
    spread: f64,
    packed: Packed,
}

impl PartialEq for Stand {
    fn eq(&self, other: &Self) -> bool {
        let marks = |stand: &Self| (stand.grown, stand.centre.to_bits(), stand.spread.to_bits());
        self.trees == other.trees && marks(self) == marks(other)
    }
}

impl Stand {
    fn new(trees: Vec<Tree>, grown: u64, features: usize) -> Self {
        let packed = Packed::new(&trees, features);
        Self { trees, grown, centre: 0.0, spread: 1.0, packed }
    }
}

impl<D: Data<Elem = f64>, T> Fit<ArrayBase<D, Ix2>, T, ForestError> for IsolationForestValidParams {
    type Object = IsolationForest;

    /// Rows with weights are drawn in proportion to them and with replacement, so that a row of weight 3 is as three rows.
    fn fit(&self, dataset: &DatasetBase<ArrayBase<D, Ix2>, T>) -> Result<IsolationForest, ForestError> {
        let rows = dataset.records().view();
        let columns = Columns::fit(rows, self)?;
        let weights = running(dataset.weights(), rows.nrows())?;
        let grow = |(at, stand)| {
            let trees = self.grow(rows, weights.as_deref(), &columns, (at, stand), 0..stand.trees as u64);
            Stand::new(trees, stand.trees as u64, columns.0.len())
        };
        let stands = self.stands.iter().enumerate().map(grow).collect();
        let mut forest = IsolationForest { params: self.clone(), columns, stands };
        forest.take_usual(rows);
        Ok(forest)
    }
}

impl IsolationForestValidParams {
    /// The trees of a stand with these numbers, each from its own stream of random numbers.
    fn grow(
        &self,
        rows: ArrayView2<'_, f64>,
        weights: Option<&[f64]>,
        columns: &Columns,
        (at, stand): (usize, &StandParams),
        numbers: std::ops::Range<u64>,
    ) -> Vec<Tree> {
        let soil = Soil { rows, columns, stand, weights };
        let one = |number: u64| {
            let mut rng = ChaCha8Rng::seed_from_u64(self.seed);
            rng.set_stream(((at as u64) << 40) + number);
            soil.grow(&mut rng)
        };
        numbers.into_par_iter().map(one).collect()
    }
}

/// Running sums of weights, where there are any.
fn running(weights: Option<&[f32]>, rows: usize) -> Result<Option<Vec<f64>>, ForestError> {
    let Some(weights) = weights else { return Ok(None) };
    if weights.len() != rows {
        return Err(linfa::Error::MismatchedShapes(weights.len(), rows).into());
    }
    let bad = |weight: &f32| !(weight.is_finite() && *weight >= 0.0);
    let sums: Vec<f64> = weights
        .iter()
        .scan(0.0, |sum, weight| {
            *sum += f64::from(*weight);
            Some(*sum)
        })
        .collect();
    let none = sums.last().is_none_or(|sum| *sum <= 0.0);
    match weights.iter().position(bad).or(none.then_some(0)) {
        Some(row) => Err(ForestError::Weight { row, weight: weights.get(row).copied().unwrap_or(0.0) }),
        None => Ok(Some(sums)),
    }
}

impl IsolationForest {
    /// Features of a row.
    pub fn features(&self) -> usize {
        self.columns.0.len()
    }

    /// Replaces the oldest `count` trees of each stand by ones grown on newer rows, so that a forest follows what changes
    /// without forgetting all at once. How columns are seen stays as it was fitted. The same forest, rows and count give the
    /// same forest.
    ///
    /// # Errors
    /// What `fit` refuses, and [`ForestError::Width`] of rows with another number of features; the forest is then unchanged.
    pub fn refresh<D: Data<Elem = f64>, T>(
        &mut self,
        newer: &DatasetBase<ArrayBase<D, Ix2>, T>,
        count: usize,
    ) -> Result<(), ForestError> {
        let rows = newer.records().view();
        if rows.ncols() != self.features() {
            return Err(ForestError::Width { expected: self.features(), got: rows.ncols() });
        }
        Columns::check(rows, &self.params.categorical)?;
        let weights = running(newer.weights(), rows.nrows())?;
        for (at, (stand, params)) in self.stands.iter_mut().zip(&self.params.stands).enumerate() {
            let replaced = count.min(stand.trees.len());
            let grown = stand.grown + replaced as u64;
            let young = self.params.grow(rows, weights.as_deref(), &self.columns, (at, params), stand.grown..grown);
            let kept = stand.trees.drain(..).skip(replaced);
            *stand = Stand::new(kept.chain(young).collect(), grown, self.columns.0.len());
        }
        self.take_usual(rows);
        Ok(())
    }

    /// Takes each stand's usual verdict from these rows, where there are several to be put on one scale.
    fn take_usual(&mut self, rows: ArrayView2<'_, f64>) {
        if self.stands.len() < 2 {
            return;
        }
        let (count, taken) = (rows.nrows(), rows.nrows().min(USUAL_ROWS));
        let spaced: Vec<usize> = (0..taken).map(|i| i * count / taken).collect();
        let means = self.means(rows.select(Axis(0), &spaced).view());
        let stands = self.stands.len();
        for (at, stand) in self.stands.iter_mut().enumerate() {
            let said = || means.iter().skip(at).step_by(stands);
            let mean = said().sum::<f64>() / taken as f64;
            let spread = (said().map(|x| (x - mean) * (x - mean)).sum::<f64>() / taken as f64).sqrt();
            // Where all rows are alike to the trees, any scale will do.
            (stand.centre, stand.spread) = (mean, if spread > 1e-9 { spread } else { 1.0 });
        }
    }

    /// Scores of rows, from 0 to 1, the nearer to 1 the odder. Of one stand by depth or density it is
    /// 2^(-cuts ÷ usual cuts) (Liu et al., eq. 2), of one by boxes 1 ÷ (1 + how many times as dense as on average), and of a
    /// mixed forest the logistic function of the stands' mean distance from their usual verdict in deviations. Rows with
    /// another number of features than the forest can not be scored: theirs are NaN.
    pub fn score<D: Data<Elem = f64>>(&self, rows: &ArrayBase<D, Ix2>) -> Array1<f64> {
        if rows.ncols() != self.features() {
            return Array1::from_elem(rows.nrows(), f64::NAN);
        }
        let means = self.means(rows.view());
        if let [stand] = self.params.stands.as_slice() {
            let finish = |mean: f64| match stand.scoring {
                Scoring::Depth | Scoring::Density => (-mean.max(0.0)).exp2(),
                Scoring::Boxed => 1.0 / (1.0 + mean.exp2()),
            };
            return means.into_par_iter().map(finish).collect::<Vec<f64>>().into();
        }
        let finish = |said: &[f64]| {
            let apart = |(said, stand): (&f64, &Stand)| (stand.centre - said) / stand.spread;
            let odd = said.iter().zip(&self.stands).map(apart).sum::<f64>() / said.len() as f64;
            1.0 / (1.0 + (-odd).exp())
        };
        means.par_chunks_exact(self.stands.len()).map(finish).collect::<Vec<f64>>().into()
    }

    /// What each feature has to do with a row's score: shares of at least 0 that sum to 1, in the order of the features.
    ///
    /// By paths (after Saabas's attribution for trees): each cut is credited with the cuts it saves against what was to
    /// be expected at its node, summed over the trees. What a feature costs on balance counts as no share; a row that
    /// no feature singles out gives all the same share. A sloped cut divides its credit by how far each of its features
    /// lies from the median, in the cut's weights.
    ///
    /// A row with another number of features than the forest has no shares: the list is empty.
    pub fn attribute(&self, row: ArrayView1<'_, f64>) -> Vec<f64> {
        let features = self.features();
        if row.len() != features {
            return Vec::new();
        }
        let mut credit = vec![0.0; features];
        let mut seen = vec![0.0; features];
        for (stand, params) in self.stands.iter().zip(&self.params.stands) {
            self.columns.see(params.scale, row, &mut seen);
            let centres = self.columns.centres(params.scale);
            let scale = 1.0 / (stand.spread * stand.trees.len() as f64);
            stand.trees.iter().for_each(|tree| tree.attribute(&seen, &centres, scale, &mut credit));
        }
        let total: f64 = credit.iter().map(|c| c.max(0.0)).sum();
        let share = |c: f64| if total > 0.0 { c.max(0.0) / total } else { 1.0 / features as f64 };
        credit.into_iter().map(share).collect()
    }
}

/// linfa's way to [`IsolationForest::score`].
impl<D: Data<Elem = f64>> PredictInplace<ArrayBase<D, Ix2>, Array1<f64>> for IsolationForest {
    fn predict_inplace<'a>(&'a self, rows: &'a ArrayBase<D, Ix2>, scores: &mut Array1<f64>) {
        *scores = self.score(rows);
    }

    fn default_target(&self, rows: &ArrayBase<D, Ix2>) -> Array1<f64> {
        Array1::zeros(rows.nrows())
    }
}

#[cfg(test)]
mod tests;
