//! How a node is cut: by which columns, with what slopes, and where.

use std::cmp::Ordering;

use rand::Rng;
use rand_chacha::ChaCha8Rng;

use super::params::SplitRule;
use super::tree::{Term, WEIGHT_MAX};

/// Where a cut goes.
pub(super) enum Where {
    /// Through a plane.
    Plane(Vec<Term>),
    /// Between categories: each with whether it goes right, in ascending order.
    Subset { column: u32, left: Vec<(u32, bool)> },
}

/// A cut with rows on both sides.
pub(super) struct Cut {
    pub(super) place: Where,
    /// Sums under this go left.
    pub(super) below: f32,
    /// Lowest and highest sum at the node.
    pub(super) low: f32,
    pub(super) high: f32,
}

/// Finds cuts for the nodes of one tree. Holds what it works with, so that a node allocates only what the tree keeps.
pub(super) struct Cutter<'a> {
    values: &'a [f32],
    sample: usize,
    rule: SplitRule,
    categorical: &'a [bool],
    /// All columns; a node's first ones may still vary.
    columns: Vec<u32>,
    sums: Vec<f32>,
    sorted: Vec<f32>,
    terms: Vec<Term>,
}

impl<'a> Cutter<'a> {
    /// For a sample of `sample` rows, copied column after column.
    pub(super) fn new(values: &'a [f32], sample: usize, rule: SplitRule, categorical: &'a [bool]) -> Self {
        let columns = (0..categorical.len() as u32).collect();
        Self { values, sample, rule, categorical, columns, sums: Vec::new(), sorted: Vec::new(), terms: Vec::new() }
    }

    fn column(&self, column: usize) -> &'a [f32] {
        &self.values[column * self.sample..(column + 1) * self.sample]
    }

    /// Lowest and highest value of some rows, what is missing left out; none at all is an empty range.
    pub(super) fn range(&self, rows: &[u32], column: usize) -> (f32, f32) {
        let values = self.column(column);
        range(rows.iter().map(|&row| values[row as usize]))
    }

    /// A cut of these rows, unless they are all alike. Columns among the first `active` that turn out not to vary here are
    /// moved behind those and `active` shrinks.
    pub(super) fn cut(&mut self, rows: &[u32], active: &mut usize, rng: &mut ChaCha8Rng) -> Option<Cut> {
        let at = self.draw(rows, 0, active, rng)?;
        let column = self.columns[at];
        if self.categorical[column as usize] {
            return Some(self.subset(rows, column, rng));
        }
        if self.rule.dims() == 1 && self.rule.tries() == 1 {
            let (low, high) = self.range(rows, column as usize);
            self.terms.clear();
            self.terms.push(Term { column, weight: 1.0 });
            if matches!(self.rule, SplitRule::Axis | SplitRule::Range | SplitRule::Extended { .. }) {
                return Some(self.random(low, high, rng));
            }
        }
        let mut best: Option<(f64, Cut)> = None;
        for round in 0..self.rule.tries() {
            if !self.slope(rows, (round == 0).then_some(at), active, rng) {
                continue;
            }
            self.project(rows);
            let (low, high) = range(self.sums.iter().copied());
            if low >= high {
                continue;
            }
            // Its cuts are random by definition: there is nothing to compare.
            if let SplitRule::Extended { .. } = self.rule {
                return Some(self.random(low, high, rng));
            }
            let Some((gain, cut)) = self.gain() else { continue };
            if best.as_ref().is_none_or(|(most, _)| gain > *most) {
                best = Some((gain, Cut { place: Where::Plane(self.terms.clone()), below: cut, low, high }));
            }
        }
        // Slopes that cancel out are possible and harmless: the one column that was drawn first can always be cut.
        best.map(|(_, cut)| cut).or_else(|| {
            let (low, high) = self.range(rows, column as usize);
            self.terms.clear();
            self.terms.push(Term { column, weight: 1.0 });
            Some(self.random(low, high, rng))
        })
    }

    /// Position, among the columns from `from` to `active`, of a random one that varies here; it is not moved.
    fn draw(&mut self, rows: &[u32], from: usize, active: &mut usize, rng: &mut ChaCha8Rng) -> Option<usize> {
        if self.rule == SplitRule::Range && from == 0 {
            return self.draw_by_range(rows, active, rng);
        }
        // What does not vary here varies in no part of it either, so it is drawn no more further down.
        while from < *active {
            let at = rng.gen_range(from..*active);
            if self.varies(rows, self.columns[at] as usize) {
                return Some(at);
            }
            *active -= 1;
            self.columns.swap(at, *active);
        }
        None
    }

    fn draw_by_range(&mut self, rows: &[u32], active: &mut usize, rng: &mut ChaCha8Rng) -> Option<usize> {
        let mut widths = Vec::with_capacity(*active);
        while widths.len() < *active {
            let at = widths.len();
            let column = self.columns[at] as usize;
            let (low, high) = self.range(rows, column);
            if low < high {
                widths.push(if self.categorical[column] { 1.0 } else { f64::from(high) - f64::from(low) });
            } else {
                *active -= 1;
                self.columns.swap(at, *active);
            }
        }
        let total: f64 = widths.iter().sum();
        let mut left = rng.r#gen::<f64>() * total;
        let drawn = widths.iter().position(|width| {
            left -= width;
            left < 0.0
        });
        drawn.or(widths.len().checked_sub(1))
    }

    /// Whether two rows differ in a column, what is missing left out.
    fn varies(&self, rows: &[u32], column: usize) -> bool {
        let values = self.column(column);
        let mut present = rows.iter().map(|&row| values[row as usize]).filter(|x| !x.is_nan());
        let Some(first) = present.next() else { return false };
        present.any(|x| x.partial_cmp(&first) != Some(Ordering::Equal))
    }

    /// Draws the terms of a plane; `first` is the position of a column to be among them. False when none is numeric.
    fn slope(&mut self, rows: &[u32], first: Option<usize>, active: &mut usize, rng: &mut ChaCha8Rng) -> bool {
        self.terms.clear();
        let mut from = 0;
        let mut given = first;
        while self.terms.len() < self.rule.dims() {
            let Some(at) = given.take().or_else(|| self.draw(rows, from, active, rng)) else { break };
            self.columns.swap(from, at);
            let column = self.columns[from];
            from += 1;
            if !self.categorical[column as usize] {
                self.terms.push(Term { column, weight: 1.0 });
            }
        }
        // Slopes by the deviation of each column, or the column with the largest numbers would decide alone.
        if self.terms.len() > 1 {
            for at in 0..self.terms.len() {
                let deviation = self.deviation(rows, self.terms[at].column as usize);
                self.terms[at].weight =
                    ((normal(rng) / deviation.max(1e-20)) as f32).clamp(-WEIGHT_MAX / 2.0, WEIGHT_MAX / 2.0);
            }
        }
        !self.terms.is_empty()
    }

    /// Standard deviation of a column over some rows.
    fn deviation(&self, rows: &[u32], column: usize) -> f64 {
        let values = self.column(column);
        let (mut sum, mut squares, mut count) = (0.0, 0.0, 0.0);
        let about = rows.iter().map(|&row| values[row as usize]).find(|x| !x.is_nan()).unwrap_or(0.0);
        for &row in rows {
            let x = f64::from(values[row as usize]) - f64::from(about);
            if !x.is_nan() {
                sum += x;
                squares += x * x;
                count += 1.0;
            }
        }
        let mean = sum / f64::max(count, 1.0);
        (squares / f64::max(count, 1.0) - mean * mean).max(0.0).sqrt()
    }

    /// Puts the rows' sums in `sums`, in the order of the rows.
    fn project(&mut self, rows: &[u32]) {
        self.sums.clear();
        match *self.terms.as_slice() {
            [only] => {
                let values = self.column(only.column as usize);
                self.sums.extend(rows.iter().map(|&row| values[row as usize] * only.weight));
            }
            [a, b] => {
                let (one, two) = (self.column(a.column as usize), self.column(b.column as usize));
                let sum = |&row: &u32| one[row as usize] * a.weight + two[row as usize] * b.weight;
                self.sums.extend(rows.iter().map(sum));
            }
            _ => {
                self.sums.resize(rows.len(), 0.0);
                for term in &self.terms {
                    let values = &self.values[term.column as usize * self.sample..][..self.sample];
                    for (sum, &row) in self.sums.iter_mut().zip(rows) {
                        *sum += values[row as usize] * term.weight;
                    }
                }
            }
        }
    }

    /// A cut anywhere in the range, from the top down, so that the lowest sum is always under it and the highest never is.
    fn random(&self, low: f32, high: f32, rng: &mut ChaCha8Rng) -> Cut {
        let cut = high - rng.r#gen::<f32>() * (high - low);
        let cut = if cut > low { cut } else { high };
        Cut { place: Where::Plane(self.terms.clone()), below: cut, low, high }
    }

    /// The gain of the best place to cut the sums, and that place.
    ///
    /// Gain is the share of the deviation that goes away: one minus the mean of both sides' deviations over the whole's,
    /// the mean by rows (pooled) or plain (averaged).
    fn gain(&mut self) -> Option<(f64, f32)> {
        self.sorted.clear();
        self.sorted.extend(self.sums.iter().copied().filter(|sum| !sum.is_nan()));
        self.sorted.sort_unstable_by(f32::total_cmp);
        let count = self.sorted.len();
        let n = count as f64;
        let mean = self.sorted.iter().map(|x| f64::from(*x)).sum::<f64>() / n;
        let (mut sum, mut squares) = (0.0, 0.0);
        for x in &self.sorted {
            let x = f64::from(*x) - mean;
            sum += x;
            squares += x * x;
        }
        let deviation = |sum: f64, squares: f64, n: f64| (squares / n - (sum / n) * (sum / n)).max(0.0).sqrt();
        let whole = deviation(sum, squares, n);
        let pooled = matches!(self.rule, SplitRule::Pooled { .. });
        let (mut left_sum, mut left_squares) = (0.0, 0.0);
        let mut best: Option<(f64, usize)> = None;
        for at in 1..count {
            let x = f64::from(self.sorted[at - 1]) - mean;
            left_sum += x;
            left_squares += x * x;
            // Between equal sums there is no room for a cut.
            if self.sorted[at - 1] >= self.sorted[at] {
                continue;
            }
            let (left, right) = (at as f64, (count - at) as f64);
            let one = deviation(left_sum, left_squares, left);
            let two = deviation(sum - left_sum, squares - left_squares, right);
            let spread = if pooled { (left * one + right * two) / n } else { f64::midpoint(one, two) };
            if best.is_none_or(|(least, _)| spread < least) {
                best = Some((spread, at));
            }
        }
        let (spread, at) = best?;
        let (under, over) = (self.sorted[at - 1], self.sorted[at]);
        let cut = f32::midpoint(under, over);
        let gain = if whole > 0.0 { 1.0 - spread / whole } else { 0.0 };
        Some((gain, if cut > under { cut } else { over }))
    }

    /// Sends each category of some rows left or right at random, one at least either way.
    fn subset(&self, rows: &[u32], column: u32, rng: &mut ChaCha8Rng) -> Cut {
        let values = self.column(column as usize);
        let mut codes: Vec<u32> =
            rows.iter().map(|&row| values[row as usize]).filter(|x| !x.is_nan()).map(|x| x as u32).collect();
        codes.sort_unstable();
        codes.dedup();
        let mut left: Vec<(u32, bool)> = codes.into_iter().map(|code| (code, rng.r#gen())).collect();
        let first = left[0].1;
        // All on one side would be no cut.
        if left.iter().all(|(_, right)| *right == first) {
            let at = rng.gen_range(0..left.len());
            left[at].1 = !first;
        }
        Cut { place: Where::Subset { column, left }, below: 0.0, low: 0.0, high: 1.0 }
    }

    /// Puts rows that go left before those that go right, and gives how many do. Rows that lack a column are sent at random,
    /// by the share of those that do not.
    pub(super) fn part(&mut self, rows: &mut [u32], cut: &Cut, rng: &mut ChaCha8Rng) -> usize {
        match &cut.place {
            Where::Plane(terms) => {
                self.terms.clone_from(terms);
                self.project(rows);
            }
            Where::Subset { column, left } => {
                let values = self.column(*column as usize);
                self.sums.clear();
                self.sums.extend(rows.iter().map(|&row| {
                    let x = values[row as usize];
                    let at = left.binary_search_by_key(&(x as u32), |(code, _)| *code);
                    if x.is_nan() { x } else { at.map_or(f32::NAN, |at| if left[at].1 { 0.0 } else { -1.0 }) }
                }));
            }
        }
        let lacking = self.sums.iter().filter(|sum| sum.is_nan()).count();
        if lacking > 0 {
            let left = self.sums.iter().filter(|sum| **sum < cut.below).count();
            let share = left as f64 / (rows.len() - lacking) as f64;
            for sum in self.sums.iter_mut().filter(|sum| sum.is_nan()) {
                *sum = if rng.r#gen::<f64>() < share { f32::NEG_INFINITY } else { f32::INFINITY };
            }
        }
        let mut left = 0;
        for at in 0..rows.len() {
            if self.sums[at] < cut.below {
                rows.swap(at, left);
                self.sums.swap(at, left);
                left += 1;
            }
        }
        left
    }
}

/// Lowest and highest of some numbers, what is missing left out; none at all is an empty range.
fn range(values: impl Iterator<Item = f32>) -> (f32, f32) {
    values.fold((f32::INFINITY, f32::NEG_INFINITY), |(low, high), x| {
        (if x < low { x } else { low }, if x > high { x } else { high })
    })
}

/// A standard normal draw (Box and Muller).
fn normal(rng: &mut ChaCha8Rng) -> f64 {
    let (u, v): (f64, f64) = (rng.r#gen(), rng.r#gen());
    (-2.0 * (1.0 - u).ln()).sqrt() * (2.0 * std::f64::consts::PI * v).cos()
}
