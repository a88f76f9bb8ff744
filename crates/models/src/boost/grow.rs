//! Grows one tree after the other: slopes of the loss, histograms, the best leaf cut first.
//!
//! Of two children only the one with fewer rows is summed; the other is what its parent had besides.

use std::ops::Range;

use ndarray::{ArrayView1, ArrayView2};
use rand::{RngCore, SeedableRng, seq::index};
use rand_chacha::ChaCha8Rng;
use rayon::prelude::*;

use super::bins::{Binned, MISSING};
use super::histogram::{self, Cut, Place, Rules, Slope, Sums};
use super::params::{BoostValidParams, Direction};
use super::tree::{Node, Tree};
use super::{BoostError, logistic};

/// Rows that a thread takes at a time where rows do not depend on each other.
const CHUNK: usize = 8_192;

/// All that stays from one round to the next. Memory: rows × (features + 37) bytes, and 4 kB for each leaf and feature.
pub(super) struct Grower<'a> {
    params: &'a BoostValidParams,
    data: Binned,
    labels: Vec<bool>,
    weights: Option<&'a [f32]>,
    base: f64,
    /// Log-odds of each row so far.
    pub(super) scores: Vec<f64>,
    slopes: Vec<[f32; 2]>,
    /// Rows of the round, those of a leaf together.
    rows: Vec<u32>,
    /// Slopes of the rows that are being summed, in their order.
    gathered: Vec<[f32; 2]>,
    spare: Vec<u32>,
}

/// A node while its tree grows: the cut and the children, if it was cut.
struct Twig {
    value: f32,
    fork: Option<(Cut, usize, usize)>,
}

/// A twig that may still be cut.
struct Leaf {
    twig: usize,
    rows: Range<usize>,
    place: Place,
    sums: Vec<Box<Sums>>,
    best: Option<Cut>,
}

impl<'a> Grower<'a> {
    pub(super) fn new(
        params: &'a BoostValidParams,
        rows: ArrayView2<'_, f32>,
        labels: ArrayView1<'_, bool>,
        weights: Option<&'a [f32]>,
    ) -> Result<Self, BoostError> {
        let (count, features) = rows.dim();
        let shape = |what, got, wanted: String| Err(BoostError::Shape { what, got, wanted });
        if count < 2 || count > u32::MAX as usize {
            return shape("rows", count, format!("2 to {}", u32::MAX));
        }
        if features == 0 || features > usize::from(u16::MAX) {
            return shape("features", features, format!("1 to {}", u16::MAX));
        }
        if labels.len() != count {
            return shape("labels", labels.len(), format!("{count}, one for each row,"));
        }
        if !params.directions.is_empty() && params.directions.len() != features {
            return shape("directions", params.directions.len(), format!("{features}, one for each feature,"));
        }
        let mut totals = [0.0; 2];
        if let Some(weights) = weights {
            if weights.len() != count {
                return shape("weights", weights.len(), format!("{count}, one for each row,"));
            }
            if let Some((row, &weight)) = weights.iter().enumerate().find(|(_, w)| !(w.is_finite() && **w >= 0.0)) {
                return Err(BoostError::Weight { row, weight });
            }
        }
        for (row, &label) in labels.iter().enumerate() {
            totals[usize::from(label)] += f64::from(weights.map_or(1.0, |weights| weights[row]));
        }
        if totals[0] <= 0.0 || totals[1] <= 0.0 {
            return Err(BoostError::OneClass(totals[1] > 0.0));
        }
        // Before any tree every row is as likely as the whole.
        let base = (totals[1] / totals[0]).ln();
        Ok(Self {
            params,
            data: Binned::new(rows, params.bins)?,
            labels: labels.to_vec(),
            weights,
            base,
            scores: vec![base; count],
            slopes: vec![[0.0; 2]; count],
            rows: Vec::with_capacity(count),
            gathered: Vec::with_capacity(count),
            spare: Vec::with_capacity(count),
        })
    }

    /// Log-odds before the first round.
    pub(super) fn base(&self) -> f64 {
        self.base
    }

    /// Grows the next tree, adds it to the scores, and what its cuts save to `gains`.
    pub(super) fn round(&mut self, round: u64, gains: &mut [f64]) -> Tree {
        let mut rng = ChaCha8Rng::seed_from_u64(self.params.seed);
        // A stream for each round: what one draws does not hang on how much another drew.
        rng.set_stream(round);
        self.slope();
        self.draw(&mut rng);
        let allowed = self.columns(&mut rng);
        let twigs = self.grow(&allowed);
        for (cut, ..) in twigs.iter().filter_map(|twig| twig.fork.as_ref()) {
            gains[cut.feature] += cut.gain;
        }
        let data = &self.data;
        // All rows are scored, also those that the round did not draw: the next one's slopes need them.
        self.scores.par_chunks_mut(CHUNK).enumerate().for_each(|(chunk, scores)| {
            for (row, score) in (chunk * CHUNK..).zip(scores) {
                *score += f64::from(value(&twigs, data, row));
            }
        });
        let mut nodes = Vec::with_capacity(twigs.len());
        self.write(&twigs, 0, &mut nodes);
        Tree::new(nodes)
    }

    /// First and second derivative of the logistic loss of each row.
    fn slope(&mut self) {
        let Self { labels, weights, scores, slopes, .. } = self;
        slopes.par_chunks_mut(CHUNK).enumerate().for_each(|(chunk, slopes)| {
            for (row, slope) in (chunk * CHUNK..).zip(slopes) {
                let p = logistic(scores[row]);
                let weight = weights.map_or(1.0, |weights| f64::from(weights[row]));
                *slope = [(weight * (p - f64::from(u8::from(labels[row])))) as f32, (weight * p * (1.0 - p)) as f32];
            }
        });
    }

    /// The rows of the round: each is in with the share asked for.
    fn draw(&mut self, rng: &mut ChaCha8Rng) {
        let all = 0..self.labels.len() as u32;
        self.rows.clear();
        if self.params.row_share < 1.0 {
            let below = (self.params.row_share * f64::from(u32::MAX)) as u32;
            self.rows.extend(all.filter(|_| rng.next_u32() <= below));
        } else {
            self.rows.extend(all);
        }
    }

    fn columns(&self, rng: &mut ChaCha8Rng) -> Vec<bool> {
        let features = self.data.features();
        let count = (self.params.column_share * features as f64).ceil() as usize;
        if count >= features {
            return vec![true; features];
        }
        let mut allowed = vec![false; features];
        index::sample(rng, features, count.max(1)).iter().for_each(|feature| allowed[feature] = true);
        allowed
    }

    fn grow(&mut self, allowed: &[bool]) -> Vec<Twig> {
        let rules = Rules {
            l2: self.params.l2,
            hessian_min: self.params.hessian_min,
            gain_min: self.params.gain_min,
            directions: &self.params.directions,
        };
        let mut total: Slope = [0.0; 2];
        for &row in &self.rows {
            let [g, h] = self.slopes[row as usize];
            total = [total[0] + f64::from(g), total[1] + f64::from(h)];
        }
        let place = Place { total, bounds: (f64::NEG_INFINITY, f64::INFINITY) };
        let mut twigs = vec![self.twig(rules.value(total, place.bounds))];
        self.gather(0..self.rows.len());
        let summed: Vec<(Box<Sums>, Option<Cut>)> = (0..self.data.blocks.len())
            .into_par_iter()
            .map(|block| {
                let sums = self.sum(block, 0..self.rows.len());
                let best = rules.best(&sums, block, &self.data, allowed, &place);
                (sums, best)
            })
            .collect();
        let (sums, bests): (Vec<_>, Vec<_>) = summed.into_iter().unzip();
        let mut open = vec![Leaf { twig: 0, rows: 0..self.rows.len(), place, sums, best: first_best(bests) }];
        for _ in 1..self.params.leaves {
            // The first of equals, in the order in which leaves came up.
            let Some((at, cut)) = open
                .iter()
                .enumerate()
                .filter_map(|(at, leaf)| leaf.best.map(|cut| (at, cut)))
                .reduce(|best, next| if next.1.gain > best.1.gain { next } else { best })
            else {
                break;
            };
            let leaf = open.remove(at);
            let (left, right) = (twigs.len(), twigs.len() + 1);
            twigs.push(self.twig(cut.values.0));
            twigs.push(self.twig(cut.values.1));
            twigs[leaf.twig].fork = Some((cut, left, right));
            // No one asks for the cuts of the last two.
            if twigs.len() < 2 * self.params.leaves - 1 {
                open.extend(self.fork(&rules, allowed, leaf, &cut, (left, right)));
            }
        }
        twigs
    }

    fn twig(&self, value: f64) -> Twig {
        Twig { value: (self.params.rate * value) as f32, fork: None }
    }

    /// The two leaves that a cut makes of one, with their best cuts.
    fn fork(&mut self, rules: &Rules<'_>, allowed: &[bool], leaf: Leaf, cut: &Cut, twigs: (usize, usize)) -> [Leaf; 2] {
        let middle = leaf.rows.start + self.part(leaf.rows.clone(), cut);
        let (left, right) = (leaf.rows.start..middle, middle..leaf.rows.end);
        let (low, high) = leaf.place.bounds;
        // A feature that may only raise the score bounds both sides at the
        // middle, so that no later cut below can break the order.
        let between = f64::midpoint(cut.values.0, cut.values.1);
        let bounds = match self.params.directions.get(cut.feature).copied().unwrap_or_default() {
            Direction::Free => [(low, high), (low, high)],
            Direction::Rising => [(low, between), (between, high)],
            Direction::Falling => [(between, high), (low, between)],
        };
        let places = [Place { total: cut.left, bounds: bounds[0] }, Place { total: cut.right, bounds: bounds[1] }];
        // Only the smaller side is summed; the other is what is left of the parent. That halves the work.
        let left_is_small = left.len() <= right.len();
        let (small, large) = if left_is_small { (left.clone(), (0, 1)) } else { (right.clone(), (1, 0)) };
        self.gather(small.clone());
        let summed: Vec<_> = leaf
            .sums
            .into_par_iter()
            .enumerate()
            .map(|(block, mut rest)| {
                let sums = self.sum(block, small.clone());
                histogram::subtract(&mut rest, &sums);
                let best = |sums, at: usize| rules.best(sums, block, &self.data, allowed, &places[at]);
                let bests = (best(&sums, large.0), best(&rest, large.1));
                ((sums, bests.0), (rest, bests.1))
            })
            .collect();
        let (small, large): (Vec<_>, Vec<_>) = summed.into_iter().unzip();
        let [first, second] = if left_is_small { [small, large] } else { [large, small] };
        let leaf = |summed: Vec<(Box<Sums>, Option<Cut>)>, twig, rows, place| {
            let (sums, bests): (Vec<_>, Vec<_>) = summed.into_iter().unzip();
            Leaf { twig, rows, place, sums, best: first_best(bests) }
        };
        [leaf(first, twigs.0, left, places[0]), leaf(second, twigs.1, right, places[1])]
    }

    /// Moves the rows of a leaf that go left before those that go right, each in their order; gives how many go left.
    fn part(&mut self, range: Range<usize>, cut: &Cut) -> usize {
        let Self { data, rows, spare, .. } = self;
        let rows = &mut rows[range];
        // Stable on both sides: sums of floats hang on their order, and so would the tree.
        spare.clear();
        let mut left = 0;
        for at in 0..rows.len() {
            let row = rows[at];
            if goes_left(cut, data.bin(cut.feature, row as usize)) {
                rows[left] = row;
                left += 1;
            } else {
                spare.push(row);
            }
        }
        rows[left..].copy_from_slice(spare);
        left
    }

    fn gather(&mut self, range: Range<usize>) {
        let Self { rows, slopes, gathered, .. } = self;
        gathered.clear();
        gathered.extend(rows[range].iter().map(|&row| slopes[row as usize]));
    }

    /// Sums of one block over rows that were gathered.
    fn sum(&self, block: usize, range: Range<usize>) -> Box<Sums> {
        let mut sums = histogram::empty();
        histogram::add(&mut sums, &self.data.blocks[block], &self.rows[range], &self.gathered);
        sums
    }

    /// Writes a twig and what is below it in preorder.
    fn write(&self, twigs: &[Twig], top: usize, nodes: &mut Vec<Node>) {
        // A twig to write, and the node whose right child it is, if it is one.
        let mut open = vec![(top, None)];
        while let Some((twig, parent)) = open.pop() {
            if let Some(parent) = parent {
                let right = nodes.len() as u32;
                let parent: &mut Node = &mut nodes[parent];
                parent.right = right;
            }
            match &twigs[twig].fork {
                None => nodes.push(Node::leaf(twigs[twig].value)),
                Some((cut, left, right)) => {
                    open.push((*right, Some(nodes.len())));
                    open.push((*left, None));
                    // Past the last edge is nothing but what is missing.
                    let number = self.data.edges[cut.feature].get(usize::from(cut.bin)).copied().unwrap_or(f32::MAX);
                    nodes.push(Node { number, right: 0, feature: cut.feature as u16, missing_left: cut.missing_left });
                }
            }
        }
    }
}

fn goes_left(cut: &Cut, bin: u8) -> bool {
    if bin == MISSING { cut.missing_left } else { bin <= cut.bin }
}

/// The value of a row on the tree that was just grown.
fn value(twigs: &[Twig], data: &Binned, row: usize) -> f32 {
    let mut twig = &twigs[0];
    while let Some((cut, left, right)) = &twig.fork {
        twig = &twigs[if goes_left(cut, data.bin(cut.feature, row)) { *left } else { *right }];
    }
    twig.value
}

/// The best over the blocks, the first of equals.
fn first_best(bests: Vec<Option<Cut>>) -> Option<Cut> {
    bests.into_iter().flatten().reduce(|best, next| if next.gain > best.gain { next } else { best })
}
