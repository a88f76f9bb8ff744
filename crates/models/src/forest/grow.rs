//! How a tree grows: rows are drawn and copied side by side, column after column, then cut in place from the root down.
//!
//! Cutting works on a list of row numbers, of which each node owns a stretch, and on a list of columns of which a node's
//! first `active` may still vary: one found constant at a node is so below it too and is not looked at again. Both are
//! only ever reordered within a node's own part, so that no node copies anything.

use ndarray::{ArrayView1, ArrayView2};
use rand::Rng;
use rand::seq::index;
use rand_chacha::ChaCha8Rng;

use super::columns::Columns;
use super::cut::{Cut, Cutter, Where};
use super::depth::average_depth;
use super::params::{Scoring, StandParams};
use super::tree::{Look, Node, Tree};

/// What all trees of a stand grow from.
pub(super) struct Soil<'a, 'r> {
    pub(super) rows: ArrayView2<'r, f64>,
    pub(super) columns: &'a Columns,
    pub(super) stand: &'a StandParams,
    /// Running sums of the rows' weights, where they have any.
    pub(super) weights: Option<&'a [f64]>,
}

/// A stretch of rows still to be made a node.
struct Open {
    place: usize,
    rows: (usize, usize),
    active: usize,
    level: usize,
    /// What the cuts so far say.
    said: f64,
    /// The box so far, in scoring by boxes.
    sides: Vec<(f32, f32)>,
}

impl Soil<'_, '_> {
    /// Row numbers of a tree's sample: without replacement, or by weight with replacement.
    fn draw(&self, rng: &mut ChaCha8Rng) -> Vec<usize> {
        let (count, sample) = (self.rows.nrows(), self.stand.sample.min(self.rows.nrows()));
        match self.weights {
            None => index::sample(rng, count, sample).into_vec(),
            Some(sums) => {
                let total = sums.last().copied().unwrap_or(0.0);
                let one = |_| {
                    let at = rng.r#gen::<f64>() * total;
                    sums.partition_point(|sum| *sum <= at).min(count - 1)
                };
                (0..sample).map(one).collect()
            }
        }
    }

    /// The sample as the stand sees it, column after column.
    fn copy(&self, drawn: &[usize]) -> Vec<f32> {
        let (features, sample) = (self.rows.ncols(), drawn.len());
        let mut values = vec![0.0; features * sample];
        let mut seen = vec![0.0; features];
        for (at, &row) in drawn.iter().enumerate() {
            let row: ArrayView1<'_, f64> = self.rows.row(row);
            self.columns.see(self.stand.scale, row, &mut seen);
            for (column, x) in seen.iter().enumerate() {
                values[column * sample + at] = *x;
            }
        }
        values
    }

    /// Grows one tree.
    pub(super) fn grow(&self, rng: &mut ChaCha8Rng) -> Tree {
        let drawn = self.draw(rng);
        let sample = drawn.len();
        let values = self.copy(&drawn);
        let features = self.columns.0.len();
        let categorical: Vec<bool> = self.columns.0.iter().map(|column| column.categorical).collect();
        let mut cutter = Cutter::new(&values, sample, self.stand.rule, &categorical);
        let mut rows: Vec<u32> = (0..sample as u32).collect();
        // Rows that are odd part early: where full depth is not asked
        // for, that of a balanced tree is enough to tell them.
        let depth_max = if self.stand.full_depth { usize::MAX } else { sample.next_power_of_two().ilog2() as usize };
        // Depths are told in units of what is usual for a sample of this size, so that stands of other sizes compare.
        let usual = average_depth(sample).max(1.0);
        let boxed = self.stand.scoring == Scoring::Boxed;
        let mut tree = Tree { nodes: Vec::with_capacity(2 * sample), terms: Vec::new(), codes: Vec::new(), penalty: 0.0 };
        if self.stand.range_penalty && !boxed {
            tree.penalty = (1.0 / usual) as f32;
        }
        let sides = if boxed { (0..features).map(|column| cutter.range(&rows, column)).collect() } else { Vec::new() };
        tree.nodes.push(leaf(sample));
        // A list instead of recursion: at full depth a tree can be as deep as its sample is large.
        let mut open = vec![Open { place: 0, rows: (0, sample), active: features, level: 0, said: 0.0, sides }];
        while let Some(mut now) = open.pop() {
            let stretch = &mut rows[now.rows.0..now.rows.1];
            let count = stretch.len();
            let cut = if count < 2 || now.level >= depth_max { None } else { cutter.cut(stretch, &mut now.active, rng) };
            let Some(cut) = cut else {
                tree.nodes[now.place].value = match self.stand.scoring {
                    Scoring::Boxed => now.said as f32,
                    Scoring::Depth | Scoring::Density => ((now.said + average_depth(count)) / usual) as f32,
                };
                continue;
            };
            let split = cutter.part(stretch, &cut, rng);
            let place = tree.nodes.len();
            self.set(&mut tree, now.place, place, &cut);
            let middle = now.rows.0 + split;
            for (at, rows) in [(now.rows.0, middle), (middle, now.rows.1)].into_iter().enumerate() {
                tree.nodes.push(leaf(rows.1 - rows.0));
                let (mut sides, mut said) = (now.sides.clone(), now.said);
                // Share of the rows beside share of the room: a side with
                // few rows in much room is where the odd ones are.
                let filled = (rows.1 - rows.0) as f64 / count as f64;
                said += match (self.stand.scoring, &cut.place) {
                    (Scoring::Depth, _) | (Scoring::Density, Where::Subset { .. }) => 1.0,
                    (Scoring::Density, Where::Plane(_)) => {
                        let denser = filled / share_of((cut.low, cut.high), cut.below, at == 1);
                        2.0 / (1.0 + 1.0 / (2.0 * denser))
                    }
                    (Scoring::Boxed, Where::Subset { left, .. }) => {
                        let right_share = left.iter().filter(|(_, right)| *right).count() as f64 / left.len() as f64;
                        (filled / if at == 1 { right_share } else { 1.0 - right_share }).log2()
                    }
                    (Scoring::Boxed, Where::Plane(terms)) => {
                        let side = &mut sides[terms[0].column as usize];
                        let share = share_of(*side, cut.below, at == 1);
                        *side = if at == 1 { (cut.below, side.1) } else { (side.0, cut.below) };
                        (filled / share).log2()
                    }
                };
                open.push(Open { place: place + at, rows, active: now.active, level: now.level + 1, said, sides });
            }
        }
        tree.arrange();
        // Children stand behind their parents, so going backwards each mean is made of means that are done.
        for place in (0..tree.nodes.len()).rev() {
            let left = tree.nodes[place].left as usize;
            if left > 0 {
                let part = |node: Node| f64::from(node.rows) * f64::from(node.value);
                let sum = part(tree.nodes[left]) + part(tree.nodes[left + 1]);
                tree.nodes[place].value = (sum / f64::from(tree.nodes[place].rows)) as f32;
            }
        }
        tree
    }

    /// Makes the node at `place` a cut whose children begin at `left`.
    fn set(&self, tree: &mut Tree, place: usize, left: usize, cut: &Cut) {
        let node = &mut tree.nodes[place];
        node.left = left as u32;
        node.cut = cut.below;
        if self.stand.range_penalty {
            let spread = cut.high - cut.low;
            (node.low, node.high) = (cut.below - spread, cut.below + spread);
        }
        node.look = match &cut.place {
            Where::Plane(terms) => {
                let first = tree.terms.len() as u32;
                tree.terms.extend_from_slice(terms);
                Look::Plane { first, count: terms.len() as u32 }
            }
            Where::Subset { column, left } => {
                let first = tree.codes.len() as u32;
                tree.codes.extend(left.iter().map(|(code, right)| code * 2 + u32::from(*right)));
                Look::Subset { column: *column, first, count: left.len() as u32 }
            }
        };
    }
}

/// A leaf of so many rows, of which nothing is said yet.
fn leaf(rows: usize) -> Node {
    let (low, high) = (f32::NEG_INFINITY, f32::INFINITY);
    Node { rows: rows as u32, left: 0, look: Look::Leaf, cut: 0.0, low, high, value: 0.0 }
}

/// Share of a range that lies on one side of a cut; never quite nothing, for some rows lie there.
fn share_of((low, high): (f32, f32), cut: f32, right: bool) -> f64 {
    let left = ((f64::from(cut) - f64::from(low)) / (f64::from(high) - f64::from(low))).clamp(1e-6, 1.0 - 1e-6);
    if right { 1.0 - left } else { left }
}
