//! A detector against a trial, and a forest against a labelled table: what evaluations are made of.

use linfa::DatasetBase;
use linfa::ParamGuard;
use linfa::traits::Fit;
use ndarray::{Array1, Array2, ArrayView2, Axis};
use serde::Serialize;

use super::demand::Trial;
use super::measure::{area_under_roc, average_precision};
use reeve_models::control::{alarms, discovery};
use reeve_models::demand::detector::Detector;
use reeve_models::demand::train::{Label, Lesson};
use reeve_models::forest::{ForestError, IsolationForestParams};

/// Rows of a table at most, in evaluations.
pub const ROWS_MAX: usize = 10_000;

/// Days either side on which an alarm silences its series.
const QUIET_DAYS: usize = 3;

/// A table's rows as evaluations take them: of more than [`ROWS_MAX`] the rows `floor(i × rows ÷ ROWS_MAX)`.
pub fn capped(rows: &Array2<f64>, labels: &[bool]) -> (Array2<f64>, Vec<bool>) {
    let count = rows.nrows();
    if count <= ROWS_MAX {
        return (rows.clone(), labels.to_vec());
    }
    let chosen: Vec<usize> = (0..ROWS_MAX).map(|at| at * count / ROWS_MAX).collect();
    (rows.select(Axis(0), &chosen), chosen.iter().map(|at| labels[*at]).collect())
}

/// Each column scaled to between 0 and 1; a column that does not vary is 0, and what is missing stays so.
pub fn scaled(rows: ArrayView2<'_, f64>) -> Array2<f64> {
    let mut scaled = rows.to_owned();
    for mut column in scaled.columns_mut() {
        let known = column.iter().copied().filter(|x| !x.is_nan());
        let (low, high) = known.fold((f64::INFINITY, f64::NEG_INFINITY), |(low, high), x| (low.min(x), high.max(x)));
        let span = high - low;
        column.mapv_inplace(|x| if span > 0.0 || x.is_nan() { (x - low) / span } else { 0.0 });
    }
    scaled
}

/// How odd each row of a table is among the others, by the forest's one setting for tables. Columns are scaled first.
///
/// # Errors
/// The forest's: it needs two rows.
pub fn score_table(rows: ArrayView2<'_, f64>, seed: u64) -> Result<Array1<f64>, ForestError> {
    let rows = DatasetBase::from(scaled(rows));
    let forest = IsolationForestParams::tabular(seed).check()?.fit(&rows)?;
    Ok(forest.score(rows.records()))
}

/// How well a forest found a table's anomalies: means over seeds.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct TableMeasures {
    /// The table.
    pub name: String,
    /// Rows used, and columns.
    pub rows: usize,
    /// Columns.
    pub features: usize,
    /// Anomalies among the rows used.
    pub anomalies: usize,
    /// Area under the ROC curve.
    pub auroc: f64,
    /// Average precision.
    pub ap: f64,
    /// Both for each seed, in the order of the seeds.
    pub by_seed: Vec<(f64, f64)>,
}

/// Fits and scores a labelled table with each seed.
///
/// # Errors
/// As [`score_table`].
pub fn table(name: &str, rows: &Array2<f64>, labels: &[bool], seeds: &[u64]) -> Result<TableMeasures, ForestError> {
    let (rows, labels) = capped(rows, labels);
    let measure = |seed: &u64| {
        let scores = score_table(rows.view(), *seed)?.to_vec();
        Ok((area_under_roc(&scores, &labels), average_precision(&scores, &labels)))
    };
    let by_seed: Vec<(f64, f64)> = seeds.iter().map(measure).collect::<Result<_, ForestError>>()?;
    let mean = |of: fn(&(f64, f64)) -> f64| by_seed.iter().map(of).sum::<f64>() / by_seed.len() as f64;
    Ok(TableMeasures {
        name: name.to_owned(),
        rows: rows.nrows(),
        features: rows.ncols(),
        anomalies: labels.iter().filter(|label| **label).count(),
        auroc: mean(|(auroc, _)| *auroc),
        ap: mean(|(_, ap)| *ap),
        by_seed,
    })
}

/// Scores a panel on the days from `from` on: a row for each series, a column for each day.
pub fn score_panel(detector: &Detector, panel: &reeve_models::demand::panel::Panel, from: usize) -> Array2<f32> {
    by_series(panel, from, detector.score(panel, from))
}

/// Scores of a panel's days from `from` on, series after series, as a table: a row for each series, a column for each day.
pub fn by_series(panel: &reeve_models::demand::panel::Panel, from: usize, scores: Vec<f32>) -> Array2<f32> {
    let shape = (panel.keys().len(), panel.days().len() - from.min(panel.days().len()));
    Array2::from_shape_vec(shape, scores).expect("there is a score for each series and day")
}

/// What became of a promise that at most a share of the alarms is false.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Promise {
    /// The share promised.
    pub promised: f64,
    /// Alarms raised under it that are counted.
    pub alarms: usize,
    /// The share of them that was false; none without alarms.
    pub realised: Option<f64>,
    /// Exceptions found by them, of all.
    pub recall: f64,
}

/// Raises alarms of `scores` (from [`score_panel`], row by row) under a promise, by the detector's probabilities; none of a
/// detector that states no probabilities. An alarm finds an exception in its
/// window; further ones there, and those in its tail, count for nothing.
pub fn promise(detector: &Detector, trial: &Trial, scores: ArrayView2<'_, f32>, promised: f64) -> Option<Promise> {
    detector.prevalence()?;
    let Lesson { labels, .. } = trial.clone().lesson();
    let days = scores.ncols();
    let flat: Vec<f32> = scores.iter().copied().collect();
    // Who spoke is silent for some days, or one event would count as an alarm on each of its days.
    let alarms = alarms::raise(&flat, days, QUIET_DAYS);
    let probabilities: Vec<f64> = alarms.iter().map(|alarm| detector.probability(alarm.score).unwrap_or(0.0)).collect();
    let mut found = std::collections::BTreeSet::new();
    let mut wrong = 0;
    for at in discovery::by_probability(&probabilities, promised) {
        match labels[alarms[at].series * days + alarms[at].day] {
            Label::Odd(event, _) => {
                found.insert(event);
            }
            Label::Uncounted => {}
            Label::Usual | Label::Explained => wrong += 1,
        }
    }
    let (alarms, events) = (found.len() + wrong, trial.events.iter().filter(|event| !event.kind.is_explained()).count());
    let realised = (alarms > 0).then(|| wrong as f64 / alarms as f64);
    Some(Promise { promised, alarms, realised, recall: found.len() as f64 / events.max(1) as f64 })
}

#[cfg(test)]
mod tests {
    use ndarray::array;

    use super::*;

    #[test]
    fn columns_are_scaled_and_gaps_and_constants_kept_apart() {
        let scaled = scaled(array![[2.0, 7.0, f64::NAN], [4.0, 7.0, 1.0], [6.0, 7.0, 3.0]].view());
        assert_eq!(scaled.column(0).to_vec(), [0.0, 0.5, 1.0]);
        assert_eq!(scaled.column(1).to_vec(), [0.0; 3]);
        assert!(scaled[[0, 2]].is_nan() && (scaled[[2, 2]] - 1.0).abs() < 1e-12);
    }

    #[test]
    fn a_long_table_is_thinned_evenly() {
        let rows = Array2::from_shape_fn((25_000, 1), |(row, _)| row as f64);
        let (rows, labels) = capped(&rows, &vec![true; 25_000]);
        assert_eq!((rows.nrows(), labels.len()), (ROWS_MAX, ROWS_MAX));
        assert_eq!(rows.column(0).to_vec()[..4], [0.0, 2.0, 5.0, 7.0]);
    }

    #[test]
    fn a_row_far_from_all_others_is_found_with_every_seed() {
        let rows =
            Array2::from_shape_fn(
                (200, 3),
                |(row, column)| if row == 17 { 9.0 } else { ((row * 7 + column * 3) % 10) as f64 / 10.0 },
            );
        let labels: Vec<bool> = (0..200).map(|row| row == 17).collect();
        let measures = table("far", &rows, &labels, &[0, 1]).unwrap();
        assert!((measures.auroc - 1.0).abs() < 1e-9 && (measures.ap - 1.0).abs() < 1e-9);
        assert_eq!((measures.rows, measures.features, measures.anomalies, measures.by_seed.len()), (200, 3, 1, 2));
    }
}
