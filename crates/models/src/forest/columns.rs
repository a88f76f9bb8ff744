//! How the values of a table become the 32-bit numbers that trees are grown on and read with.
//!
//! A numeric column is centred on its median and put in units of its range, so that a crowd near the median keeps all its
//! digits whatever the column's unit, and no slope or sum of the trees can overflow. Half-ranked columns need the ranks of
//! up to [`KNOTS`] values as well. Codes of categories stay what they are. Missing stays NaN.

use ndarray::{ArrayView1, ArrayView2, Axis, Slice};
use rayon::prelude::*;
use serde::{Deserialize, Serialize};

use super::params::Scale;
use super::saved::{exact, exact_all};
use super::{ForestError, IsolationForestValidParams};

/// Values of a column whose ranks are kept; between them ranks are interpolated.
const KNOTS: usize = 1_024;

/// Rows, evenly spaced, that medians are taken from, and ranks: bounds what a fit copies of a table of millions.
const MEDIAN_ROWS: usize = 4_096;
const RANK_ROWS: usize = 65_536;

/// Farther than this many ranges off, all is equally far. Keeps sums of slopes finite in 32 bits.
const FAR: f64 = 1e9;

/// Codes of categories end before this number: up to it, 32-bit floats hold every whole number.
pub(super) const CODES: f64 = 16_777_216.0;

/// One column: how its values are seen.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Column {
    pub(super) categorical: bool,
    /// Median.
    #[serde(with = "exact")]
    centre: f64,
    /// Lowest value.
    #[serde(with = "exact")]
    low: f64,
    /// 1 ÷ range.
    #[serde(with = "exact")]
    unit: f64,
    /// Ascending values and their ranks from 0 to 1; empty where no stand asks for ranks.
    #[serde(with = "exact_all")]
    values: Vec<f64>,
    #[serde(with = "exact_all")]
    ranks: Vec<f64>,
}

impl Column {
    fn plain(&self, x: f64) -> f32 {
        ((x - self.centre) * self.unit).clamp(-FAR, FAR) as f32
    }

    fn half_ranked(&self, x: f64) -> f32 {
        if self.categorical || x.is_nan() {
            return x as f32;
        }
        let linear = ((x - self.low) * self.unit).clamp(-FAR, FAR);
        (0.5 * linear + 0.5 * self.rank(x)) as f32
    }

    /// Share of the fitted values under `x`, half of those equal to it included.
    fn rank(&self, x: f64) -> f64 {
        let above = self.values.partition_point(|value| *value < x);
        match (above.checked_sub(1), self.values.get(above)) {
            (_, Some(value)) if *value <= x => self.ranks[above],
            (Some(below), Some(value)) => {
                let (from, to) = (self.values[below], *value);
                let part = ((x / 2.0 - from / 2.0) / (to / 2.0 - from / 2.0)).clamp(0.0, 1.0);
                self.ranks[below] + part * (self.ranks[above] - self.ranks[below])
            }
            (None, _) => 0.0,
            (Some(_), None) => 1.0,
        }
    }

    fn is_sound(&self) -> bool {
        let ascends = |list: &[f64]| list.iter().all(|x| x.is_finite()) && list.windows(2).all(|pair| pair[0] < pair[1]);
        self.centre.is_finite()
            && self.low.is_finite()
            && self.unit.is_finite()
            && self.unit > 0.0
            && self.values.len() == self.ranks.len()
            && ascends(&self.values)
            && ascends(&self.ranks)
    }
}

/// All columns of a table.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(transparent)]
pub(super) struct Columns(pub(super) Vec<Column>);

impl Columns {
    /// Looks at every row once and refuses what can not be fitted; gives the range of each column.
    pub(super) fn check(rows: ArrayView2<'_, f64>, categorical: &[usize]) -> Result<Vec<(f64, f64)>, ForestError> {
        let (count, features) = rows.dim();
        if count < 2 || features == 0 {
            return Err(ForestError::TooLittle { rows: count, features });
        }
        if let Some(&feature) = categorical.iter().find(|&&feature| feature >= features) {
            return Err(ForestError::NoSuchFeature { feature, features });
        }
        let ranges = ranges(rows);
        if ranges.iter().any(|&(low, high)| low <= high && !(high - low).is_finite()) {
            refuse_infinite(rows)?;
        }
        refuse_codes(rows, categorical)?;
        Ok(ranges)
    }

    /// How the columns of these rows are to be seen.
    pub(super) fn fit(rows: ArrayView2<'_, f64>, params: &IsolationForestValidParams) -> Result<Self, ForestError> {
        let ranges = Self::check(rows, &params.categorical)?;
        let ranked = params.stands.iter().any(|stand| stand.scale == Scale::HalfRank);
        let column = |(feature, &(low, high)): (usize, &(f64, f64))| {
            if params.categorical.binary_search(&feature).is_ok() || low > high {
                let categorical = params.categorical.binary_search(&feature).is_ok();
                return Column { categorical, centre: 0.0, low: 0.0, unit: 1.0, values: Vec::new(), ranks: Vec::new() };
            }
            let column = rows.column(feature);
            let mut present = spaced(column, MEDIAN_ROWS);
            let middle = present.len() / 2;
            let centre = if present.is_empty() { low } else { *present.select_nth_unstable_by(middle, f64::total_cmp).1 };
            let unit = if high > low { (0.5 / (high / 2.0 - low / 2.0)).min(f64::MAX) } else { 1.0 };
            let (values, ranks) = if ranked { knots(spaced(column, RANK_ROWS)) } else { (Vec::new(), Vec::new()) };
            Column { categorical: false, centre, low, unit, values, ranks }
        };
        let columns: Vec<(usize, &(f64, f64))> = ranges.iter().enumerate().collect();
        Ok(Self(if ranked {
            columns.into_par_iter().map(column).collect()
        } else {
            columns.into_iter().map(column).collect()
        }))
    }

    /// Writes a row as a stand of `scale` sees it. `row` and `seen` have one value for each column.
    pub(super) fn see(&self, scale: Scale, row: ArrayView1<'_, f64>, seen: &mut [f32]) {
        let values = self.0.iter().zip(row).zip(seen);
        match scale {
            Scale::Plain => values.for_each(|((column, x), seen)| *seen = column.plain(*x)),
            Scale::HalfRank => values.for_each(|((column, x), seen)| *seen = column.half_ranked(*x)),
        }
    }

    /// Each column's centre, as a stand of `scale` sees it.
    pub(super) fn centres(&self, scale: Scale) -> Vec<f32> {
        let seen = |column: &Column| match scale {
            Scale::Plain => column.plain(column.centre),
            Scale::HalfRank => column.half_ranked(column.centre),
        };
        self.0.iter().map(seen).collect()
    }

    /// Whether numbers are finite, scales positive, and values ascend.
    pub(super) fn is_sound(&self) -> bool {
        self.0.iter().all(Column::is_sound)
    }
}

/// Lowest and highest value of each column; (∞, -∞) where all is missing.
fn ranges(rows: ArrayView2<'_, f64>) -> Vec<(f64, f64)> {
    let (count, features) = rows.dim();
    let starts: Vec<usize> = (0..count).step_by(8_192).collect();
    let part = |start: usize| {
        let mut found = Ranges::none(features);
        for row in rows.slice_axis(Axis(0), Slice::from(start..(start + 8_192).min(count))).rows() {
            match row.as_slice() {
                Some(row) => found.widen(row.iter().map(|x| (x, x))),
                None => found.widen(row.iter().map(|x| (x, x))),
            }
        }
        found
    };
    let all = starts.into_par_iter().map(part).reduce(
        || Ranges::none(features),
        |mut all, part| {
            all.widen(part.low.iter().zip(&part.high));
            all
        },
    );
    all.low.into_iter().zip(all.high).collect()
}

/// Lows and highs side by side, so that the loop over a row becomes vector instructions.
struct Ranges {
    low: Vec<f64>,
    high: Vec<f64>,
}

impl Ranges {
    fn none(features: usize) -> Self {
        Self { low: vec![f64::INFINITY; features], high: vec![f64::NEG_INFINITY; features] }
    }

    /// Comparing this way round leaves NaN out.
    #[inline]
    fn widen<'a>(&mut self, with: impl Iterator<Item = (&'a f64, &'a f64)>) {
        for ((low, high), (x, y)) in self.low.iter_mut().zip(&mut self.high).zip(with) {
            *low = if *x < *low { *x } else { *low };
            *high = if *y > *high { *y } else { *high };
        }
    }
}

fn refuse_infinite(rows: ArrayView2<'_, f64>) -> Result<(), ForestError> {
    match rows.indexed_iter().find(|(_, x)| x.is_infinite()) {
        Some(((row, feature), _)) => Err(ForestError::Infinite { row, feature }),
        None => Ok(()),
    }
}

fn refuse_codes(rows: ArrayView2<'_, f64>, categorical: &[usize]) -> Result<(), ForestError> {
    for &feature in categorical {
        let bad = |x: f64| !(x.is_nan() || (0.0..CODES).contains(&x) && x.fract() == 0.0);
        if let Some((row, value)) = rows.column(feature).into_iter().enumerate().find(|(_, x)| bad(**x)) {
            return Err(ForestError::Category { row, feature, value: *value });
        }
    }
    Ok(())
}

/// The values, missing ones left out, of at most `limit` evenly spaced rows.
fn spaced(column: ArrayView1<'_, f64>, limit: usize) -> Vec<f64> {
    let (count, taken) = (column.len(), column.len().min(limit));
    (0..taken).map(|i| column[i * count / taken]).filter(|x| !x.is_nan()).collect()
}

/// Values in ascending order with the middle of the ranks that each takes up, [`KNOTS`] at most.
fn knots(mut present: Vec<f64>) -> (Vec<f64>, Vec<f64>) {
    present.sort_unstable_by(f64::total_cmp);
    let count = present.len() as f64;
    let mut all: Vec<(f64, f64)> = Vec::new();
    let mut before = 0;
    for equal in present.chunk_by(|a, b| a >= b) {
        all.push((equal[0], (before as f64 + equal.len() as f64 / 2.0) / count));
        before += equal.len();
    }
    let kept = all.len().min(KNOTS);
    (0..kept).map(|i| all[if kept < 2 { 0 } else { i * (all.len() - 1) / (kept - 1) }]).unzip()
}
