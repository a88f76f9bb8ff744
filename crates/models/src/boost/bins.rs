//! Features as numbers of bins, one byte each.
//!
//! A value belongs to the first bin whose upper edge it does not pass, so `bin(x) <= b` and `x <= edge(b)` are the same
//! question: a tree that was grown on bins gives the same answers on values. Edges lie between two neighbouring values.

use ndarray::{ArrayView1, ArrayView2};
use rayon::prelude::*;

use super::BoostError;

/// The bin of what is missing.
pub(super) const MISSING: u8 = u8::MAX;

/// Features that lie together, so that the bins of a row are one load.
pub(super) const LANES: usize = 4;

/// All rows, binned.
pub(super) struct Binned {
    /// For each block of [`LANES`] features the bins of each row; lanes without a feature are 0.
    pub(super) blocks: Vec<Vec<[u8; LANES]>>,
    /// For each feature the upper edges of its bins but the last, rising. At most 254.
    pub(super) edges: Vec<Vec<f32>>,
}

impl Binned {
    /// # Errors
    /// When a value is infinite.
    pub(super) fn new(rows: ArrayView2<'_, f32>, bins: usize) -> Result<Self, BoostError> {
        let columns: Vec<ArrayView1<'_, f32>> = rows.columns().into_iter().collect();
        let edges: Vec<Vec<f32>> = columns
            .par_iter()
            .enumerate()
            .map(|(feature, column)| match column.iter().position(|x| x.is_infinite()) {
                Some(row) => Err(BoostError::Infinite { row, feature }),
                None => Ok(edges(column.iter().copied().filter(|x| !x.is_nan()).collect(), bins)),
            })
            .collect::<Result<_, _>>()?;
        let blocks = (0..columns.len().div_ceil(LANES))
            .into_par_iter()
            .map(|block| {
                let mut binned = vec![[0; LANES]; rows.nrows()];
                for (lane, (column, edges)) in columns.iter().zip(&edges).skip(block * LANES).take(LANES).enumerate() {
                    for (cells, &x) in binned.iter_mut().zip(column) {
                        cells[lane] = if x.is_nan() { MISSING } else { edges.partition_point(|edge| *edge < x) as u8 };
                    }
                }
                binned
            })
            .collect();
        Ok(Self { blocks, edges })
    }

    pub(super) fn features(&self) -> usize {
        self.edges.len()
    }

    pub(super) fn bin(&self, feature: usize, row: usize) -> u8 {
        self.blocks[feature / LANES][row][feature % LANES]
    }
}

/// Upper edges of all bins but the last, at most `bins` − 1.
///
/// Bins hold about equally many rows, but fewer and fewer towards either end: exceptions are rare, so the ends are where
/// they are told apart. A value that many rows share has a bin of its own. A feature of few values has a bin for each.
fn edges(mut values: Vec<f32>, bins: usize) -> Vec<f32> {
    // Too fine at first, for how many rows share a value is not known: both are widened until the bins do.
    const START: f64 = 0.3;
    // Rows of a bin for each row outside of it, on its side.
    const TAIL: f64 = 0.1;
    values.sort_unstable_by(f32::total_cmp);
    let rows = values.len();
    let mut runs: Vec<(f32, usize)> = Vec::new();
    for value in values {
        match runs.last_mut() {
            // Not by `total_cmp`: nought and its negative are the same value.
            Some((last, count)) if *last >= value => *count += 1,
            _ => runs.push((value, 1)),
        }
    }
    // Few values: each has a bin, and nothing is lost by binning.
    if runs.len() <= bins {
        return runs.windows(2).map(|pair| between(pair[0].0, pair[1].0)).collect();
    }
    let (mut size, mut tail) = (START * rows as f64 / bins as f64, TAIL);
    loop {
        let mut edges = Vec::with_capacity(bins);
        let (mut before, mut held) = (0, 0);
        for pair in runs.windows(2) {
            let ((value, count), (next, next_count)) = (pair[0], pair[1]);
            held += count;
            let outside = before.min(rows - before) as f64;
            let wanted = (tail * outside).min(size);
            // A value that many rows share is not put together with what lies before it.
            if held as f64 >= wanted || next_count as f64 >= size {
                edges.push(between(value, next));
                before += held;
                held = 0;
            }
        }
        if edges.len() < bins {
            return edges;
        }
        size *= 1.08;
        tail *= 1.08;
    }
}

/// A number that is not below `low` and below `high`, half-way where floats allow.
fn between(low: f32, high: f32) -> f32 {
    let middle = low / 2.0 + high / 2.0;
    // Neighbouring floats have no middle: the lower one is then the edge itself.
    if middle >= low && middle < high { middle } else { low }
}

#[cfg(test)]
mod tests {
    use ndarray::Array2;
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn few_values_have_a_bin_each_and_the_missing_their_own() {
        let rows = Array2::from_shape_vec((5, 1), vec![3.0, 1.0, f32::NAN, 2.0, 3.0]).unwrap();
        let binned = Binned::new(rows.view(), 255).unwrap();
        assert_eq!(binned.edges, [[1.5, 2.5]]);
        assert_eq!((0..5).map(|row| binned.bin(0, row)).collect::<Vec<_>>(), [2, 0, MISSING, 1, 2]);
    }

    #[test]
    fn the_ends_are_cut_finer_than_the_middle_and_a_common_value_stands_alone() {
        let mut values: Vec<f32> = (0..50_000).map(|i| i as f32).collect();
        values.extend(std::iter::repeat_n(20_000.5, 50_000));
        let edges = edges(values, 255);
        assert!((200..255).contains(&edges.len()), "{}", edges.len());
        assert!(edges[1] - edges[0] < 10.0 && edges[100] - edges[99] > 100.0);
        let at = edges.partition_point(|edge| *edge < 20_000.5);
        assert_eq!((edges[at - 1], edges[at]), (20_000.25, 20_000.75));
    }

    #[test]
    fn an_infinite_value_is_named() {
        let rows = Array2::from_shape_vec((2, 2), vec![0.0, 0.0, 0.0, f32::INFINITY]).unwrap();
        let error = Binned::new(rows.view(), 255).err().unwrap();
        assert_eq!(error.to_string(), "row 1, feature 1 is infinite; give a missing value as NaN");
    }

    proptest! {
        #[test]
        fn a_bin_and_its_edge_ask_the_same_question(
            values in prop::collection::vec(prop_oneof![any::<f32>(), (-3..3_i8).prop_map(f32::from)], 1..400),
            bins in 2..=255_usize,
        ) {
            let values: Vec<f32> = values.into_iter().map(|x| if x.is_infinite() { 0.0 } else { x }).collect();
            let rows = Array2::from_shape_vec((values.len(), 1), values.clone()).unwrap();
            let binned = Binned::new(rows.view(), bins).unwrap();
            prop_assert!(binned.edges[0].len() < bins);
            prop_assert!(binned.edges[0].windows(2).all(|pair| pair[0] < pair[1]));
            for (row, x) in values.iter().enumerate().filter(|(_, x)| !x.is_nan()) {
                for (b, edge) in binned.edges[0].iter().enumerate() {
                    prop_assert_eq!(usize::from(binned.bin(0, row)) <= b, x <= edge);
                }
            }
        }
    }
}
