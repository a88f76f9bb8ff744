//! An isolation forest: rows that random cuts single out soon are odd, though no single number of theirs need be.
//!
//! Plugs into linfa: [`IsolationForestParams`] is checked by `ParamGuard`, `fit` takes a dataset (targets are not looked
//! at), `predict` gives scores between 0 and 1; about 0.5 is usual, and the nearer to 1 the odder. After Liu, Ting and
//! Zhou 2008, with sloped cuts after Hariri et al. 2019 as an option.
//!
//! The same rows, parameters and seed give the same forest and scores, whatever the number of threads: each tree has its
//! own stream of random numbers, and sums are taken in the order of the trees. A missing value (NaN) is allowed anywhere.
//! A score is no probability, and the forest does not say what is usual for a calendar day: features must.

mod params;
mod saved;
mod tree;

use linfa::DatasetBase;
use linfa::traits::{Fit, PredictInplace};
use ndarray::{Array1, ArrayBase, ArrayView1, ArrayView2, Data, Ix2};
use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;
use rayon::prelude::*;
use serde::{Deserialize, Serialize};

use self::tree::{Soil, Tree, average_depth};
use super::formulas::{mean_sd, median};

pub use self::params::{ForestKind, IsolationForestParams, IsolationForestValidParams};
use self::saved::{exact, exact_all};

/// Why a forest could not be fitted, used or read.
#[derive(Debug, thiserror::Error)]
pub enum ForestError {
    /// A parameter is out of range.
    #[error("forest parameter {name} is {value}, but must be from {low} to {high}")]
    Parameter {
        /// The parameter.
        name: &'static str,
        /// What it is.
        value: usize,
        /// The least it may be.
        low: usize,
        /// The most it may be.
        high: usize,
    },
    /// A forest needs at least two rows and one feature to tell anything apart.
    #[error("a forest needs two rows and one feature at least, and got {rows} rows of {features}")]
    TooLittle {
        /// Rows given.
        rows: usize,
        /// Features given.
        features: usize,
    },
    /// A value is infinite. Missing ones are NaN.
    #[error("row {row}, feature {feature} is infinite; give a missing value as NaN")]
    Infinite {
        /// Index of the row.
        row: usize,
        /// Index of the feature.
        feature: usize,
    },
    /// A saved forest of another version.
    #[error("the saved forest has version {0}, and this program reads version {version}: fit it anew", version = saved::VERSION)]
    Version(u64),
    /// A saved forest that was changed or cut short.
    #[error("the saved forest does not match its checksum: it was changed after it was written")]
    Checksum,
    /// A saved forest that makes no sense.
    #[error("the saved forest can not be read")]
    Unreadable(#[source] Box<dyn std::error::Error + Send + Sync>),
    /// An error of linfa's own.
    #[error(transparent)]
    Linfa(#[from] linfa::Error),
}

/// A fitted forest.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct IsolationForest {
    params: IsolationForestValidParams,
    /// Rows in each tree: the parameter, or all rows when there were fewer.
    sample: usize,
    features: usize,
    /// Median of each feature, to say which way a row departs.
    #[serde(with = "exact_all")]
    centres: Vec<f64>,
    trees: Vec<Tree>,
}

impl<D: Data<Elem = f64>, T> Fit<ArrayBase<D, Ix2>, T, ForestError> for IsolationForestValidParams {
    type Object = IsolationForest;

    fn fit(&self, dataset: &DatasetBase<ArrayBase<D, Ix2>, T>) -> Result<IsolationForest, ForestError> {
        self.fit_rows(dataset.records().view())
    }
}

impl IsolationForestValidParams {
    fn fit_rows(&self, rows: ArrayView2<'_, f64>) -> Result<IsolationForest, ForestError> {
        let (count, features) = rows.dim();
        if count < 2 || features == 0 {
            return Err(ForestError::TooLittle { rows: count, features });
        }
        if let Some(((row, feature), _)) = rows.indexed_iter().find(|(_, x)| x.is_infinite()) {
            return Err(ForestError::Infinite { row, feature });
        }
        let present: Vec<Vec<f64>> =
            rows.columns().into_iter().map(|column| column.iter().copied().filter(|x| !x.is_nan()).collect()).collect();
        let scales: Vec<f64> =
            present.iter().map(|column| mean_sd(column).1.filter(|sd| *sd > 0.0 && sd.is_finite()).unwrap_or(1.0)).collect();
        let sample = self.sample.min(count);
        let soil = Soil {
            rows: rows.view(),
            kind: self.kind,
            scales: &scales,
            depth_max: sample.next_power_of_two().ilog2() as usize,
        };
        let trees = (0..self.trees as u64)
            .into_par_iter()
            .map(|stream| {
                let mut rng = ChaCha8Rng::seed_from_u64(self.seed);
                rng.set_stream(stream);
                Tree::grow(&soil, sample, &mut rng)
            })
            .collect();
        let centres = present.iter().map(|column| median(column).unwrap_or(0.0)).collect();
        Ok(IsolationForest { params: self.clone(), sample, features, centres, trees })
    }
}

impl IsolationForest {
    /// Features of a row.
    pub fn features(&self) -> usize {
        self.features
    }

    /// Scores of rows, each above 0 and below 1: 2^(-cuts ÷ usual cuts) (Liu et al., eq. 2). Rows with another number of
    /// features than the forest can not be scored: theirs are NaN.
    pub fn score<D: Data<Elem = f64>>(&self, rows: &ArrayBase<D, Ix2>) -> Array1<f64> {
        if rows.ncols() != self.features {
            return Array1::from_elem(rows.nrows(), f64::NAN);
        }
        let rows = rows.view();
        let views: Vec<ArrayView1<'_, f64>> = rows.rows().into_iter().collect();
        views.into_par_iter().map(|row| self.score_row(row)).collect::<Vec<f64>>().into()
    }

    fn score_row(&self, row: ArrayView1<'_, f64>) -> f64 {
        let mean = self.trees.iter().map(|tree| tree.path(row)).sum::<f64>() / self.trees.len() as f64;
        (-mean / average_depth(self.sample)).exp2()
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
        if row.len() != self.features {
            return Vec::new();
        }
        let mut credit = vec![0.0; self.features];
        for tree in &self.trees {
            tree.attribute(row, &self.centres, &mut credit);
        }
        let total: f64 = credit.iter().map(|c| c.max(0.0)).sum();
        let share = |c: f64| if total > 0.0 { c.max(0.0) / total } else { 1.0 / self.features as f64 };
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
