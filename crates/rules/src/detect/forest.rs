//! The isolation forest over all demand series: which days are odd in combination, and which feature made them so.

use linfa::prelude::*;
use ndarray::{Array2, ArrayView1};

use super::tail::Row;
use crate::settings::Settings;
use reeve_domain::exception::{Driver, Signal};
use reeve_models::forest::{IsolationForest, IsolationForestParams};

/// Names of the forest's features, in order.
const FEATURES: [&str; 8] = [
    "surprise upwards",
    "surprise downwards in a row",
    "surprise upwards in a row",
    "days without a sale",
    "level shift",
    "tracking signal",
    "ratio to expected",
    "neighbours' ratio to expected",
];

/// A day whose forest score is among the oddest one in this many of the training days may speak at a weaker p.
const FOREST_RARITY: f64 = 400.0;

/// The isolation forest over the features of all series, and the scores of the days it was trained on.
pub(super) struct Forest {
    model: IsolationForest,
    threshold: f64,
}

impl Forest {
    /// Trains on rows of days before the last two, so that a day is never judged by a forest that has seen it.
    pub(super) fn fit(rows: Vec<Row>, settings: &Settings) -> Option<Self> {
        if rows.len() < 64 {
            return None;
        }
        let table = Array2::from_shape_vec((rows.len(), FEATURES.len()), rows.into_flattened()).ok()?;
        let params = IsolationForestParams::new().trees(settings.detect.forest_trees).seed(settings.detect.forest_seed);
        let rows = DatasetBase::from(table);
        let model = params.fit(&rows).ok()?;
        let mut scores = model.score(rows.records()).to_vec();
        scores.sort_by(f64::total_cmp);
        let rank = ((1.0 - 1.0 / FOREST_RARITY) * scores.len() as f64) as usize;
        let threshold = scores[rank.min(scores.len() - 1)];
        Some(Self { model, threshold })
    }

    fn score(&self, row: &Row) -> f64 {
        let table = Array2::from_shape_fn((1, row.len()), |(_, column)| row[column]);
        self.model.score(&table)[0]
    }

    pub(super) fn is_rare(&self, row: &Row) -> bool {
        self.score(row) > self.threshold
    }

    /// Adds the score and the features that drove it.
    pub(super) fn explain(&self, mut signal: Signal, row: &Row) -> Signal {
        let shares = self.model.attribute(ArrayView1::from(row));
        signal.score = self.score(row);
        signal.drivers = FEATURES
            .iter()
            .zip(row)
            .zip(shares)
            .map(|((feature, value), share)| Driver { feature: (*feature).to_owned(), value: *value, share })
            .collect();
        signal.drivers.sort_by(|a, b| b.share.total_cmp(&a.share).then_with(|| a.feature.cmp(&b.feature)));
        signal.drivers.truncate(3);
        signal
    }
}
