//! Rows through trees: block by block, so that a block's rows and a tree's nodes lie in the nearest cache together.

use ndarray::{ArrayView2, Axis, Slice};
use rayon::prelude::*;

use super::columns::Columns;
use super::packed::{AxisStep, COLUMNS_MAX, Heap, LANES, Packed, PairStep, Step};
use super::params::Scale;
use super::{IsolationForest, Stand};

/// 32-bit cells in a block: half of the nearest cache.
const CELLS: usize = 8_192;

/// Rows that a thread takes at a time.
const TASK: usize = 4_096;

/// What a thread works with; made once for each task.
struct Bench {
    /// Cells from one row to the next: a power of two where heaps read them.
    stride: usize,
    rows: usize,
    plain: Vec<f32>,
    ranked: Vec<f32>,
    /// Both again, group by group and column by column, as heaps read them.
    keys: Vec<u32>,
    cells: Vec<f32>,
    lacking: Vec<bool>,
    sums: Vec<f64>,
}

impl Bench {
    fn new(features: usize, stands: &[Stand], scales: &[Scale], count: usize) -> Self {
        let stride = if features <= COLUMNS_MAX { features.next_power_of_two().max(16) } else { features };
        // As many rows as stay in the nearest cache while all trees go over them.
        let rows = (CELLS / stride).clamp(4 * LANES, 256).min(count).next_multiple_of(LANES);
        let ranked = if scales.contains(&Scale::HalfRank) { stride * rows } else { 0 };
        let needed =
            |kind: fn(&Packed) -> bool| if stands.iter().any(|stand| kind(&stand.packed)) { stride * rows } else { 0 };
        Self {
            stride,
            rows,
            plain: vec![0.0; stride * rows],
            ranked: vec![0.0; ranked],
            keys: vec![0; needed(|packed| matches!(packed, Packed::Axis(_)))],
            cells: vec![0.0; needed(|packed| matches!(packed, Packed::Pair(_)))],
            lacking: vec![false; rows],
            sums: vec![0.0; rows],
        }
    }

    fn fill(&mut self, columns: &Columns, rows: ArrayView2<'_, f64>) {
        let features = columns.0.len();
        for (at, row) in rows.rows().into_iter().enumerate() {
            let seen = &mut self.plain[at * self.stride..][..features];
            columns.see(Scale::Plain, row, seen);
            // A sum is missing when one of its parts is: quicker than to ask each.
            self.lacking[at] = seen.iter().sum::<f32>().is_nan();
            if !self.ranked.is_empty() {
                columns.see(Scale::HalfRank, row, &mut self.ranked[at * self.stride..][..features]);
            }
        }
    }

    /// Mean of what a stand's trees say of each of the first `count` rows, in `sums`.
    fn read(&mut self, stand: &Stand, scale: Scale, features: usize, count: usize) {
        let cells = if scale == Scale::HalfRank { &self.ranked } else { &self.plain };
        self.sums.fill(0.0);
        match &stand.packed {
            Packed::Axis(heaps) => {
                turn::<AxisStep>(cells, self.stride, &mut self.keys);
                climb(heaps, &self.keys, self.stride, &mut self.sums);
            }
            Packed::Pair(heaps) => {
                turn::<PairStep>(cells, self.stride, &mut self.cells);
                climb(heaps, &self.cells, self.stride, &mut self.sums);
            }
            Packed::Chain(chains) => {
                for chain in chains {
                    chain.add(cells, self.stride, &mut self.sums);
                }
            }
            Packed::Walked => {}
        }
        for at in 0..count {
            // Packed trees know no missing values; the few rows that have some are walked.
            if self.lacking[at] || matches!(stand.packed, Packed::Walked) {
                let row = &cells[at * self.stride..][..features];
                self.sums[at] = stand.trees.iter().map(|tree| tree.value(row)).sum();
            }
            self.sums[at] /= stand.trees.len() as f64;
        }
    }
}

/// Puts rows side by side in groups, column after column.
fn turn<T: Step>(rows: &[f32], stride: usize, groups: &mut [T::Cell]) {
    let size = stride * LANES;
    for (rows, group) in rows.chunks_exact(size).zip(groups.chunks_exact_mut(size)) {
        for (lane, row) in rows.chunks_exact(stride).enumerate() {
            for (x, cells) in row.iter().zip(group.as_chunks_mut::<LANES>().0) {
                cells[lane] = T::cell(*x);
            }
        }
    }
}

/// All heaps over all groups; a group's size is made a constant, for which indices can be masked.
fn climb<T: Step>(heaps: &[Heap<T>], cells: &[T::Cell], stride: usize, sums: &mut [f64]) {
    fn at<const S: usize, T: Step>(heaps: &[Heap<T>], cells: &[T::Cell], sums: &mut [f64]) {
        let (groups, _) = cells.as_chunks::<S>();
        for heap in heaps {
            heap.add(groups, sums);
        }
    }
    match stride {
        16 => at::<{ 16 * LANES }, T>(heaps, cells, sums),
        32 => at::<{ 32 * LANES }, T>(heaps, cells, sums),
        64 => at::<{ 64 * LANES }, T>(heaps, cells, sums),
        128 => at::<{ 128 * LANES }, T>(heaps, cells, sums),
        _ => at::<{ 256 * LANES }, T>(heaps, cells, sums),
    }
}

impl IsolationForest {
    /// Mean of what the trees of each stand say of each row: row after row, one number for each stand.
    pub(super) fn means(&self, rows: ArrayView2<'_, f64>) -> Vec<f64> {
        let (features, stands) = (self.features(), self.stands.len());
        let scales: Vec<Scale> = self.params.stands.iter().map(|stand| stand.scale).collect();
        let mut out = vec![0.0; rows.nrows() * stands];
        out.par_chunks_mut(TASK * stands).enumerate().for_each(|(task, out)| {
            let mut bench = Bench::new(features, &self.stands, &scales, out.len() / stands);
            for (block, out) in out.chunks_mut(bench.rows * stands).enumerate() {
                let (from, count) = (task * TASK + block * bench.rows, out.len() / stands);
                bench.fill(&self.columns, rows.slice_axis(Axis(0), Slice::from(from..from + count)));
                for (at, (stand, scale)) in self.stands.iter().zip(&scales).enumerate() {
                    bench.read(stand, *scale, features, count);
                    for (out, sum) in out.iter_mut().skip(at).step_by(stands).zip(&bench.sums) {
                        *out = *sum;
                    }
                }
            }
        });
        out
    }
}
