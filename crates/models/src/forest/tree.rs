//! One tree: grown by random cuts, read by how many cuts it takes to single out a row.

use ndarray::{ArrayView1, ArrayView2};
use rand::Rng;
use rand::seq::index;
use rand_chacha::ChaCha8Rng;
use serde::{Deserialize, Serialize};

use super::params::ForestKind;

/// One feature's part in a cut.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Term {
    pub(super) feature: usize,
    #[serde(with = "super::exact")]
    pub(super) weight: f64,
}

/// A node; children come after their parent in the tree's list.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub(super) enum Node {
    /// `rows` rows that were not cut further.
    Leaf { rows: usize },
    /// Rows whose weighted sum is under `below` go left, the others right. A row that lacks one of the features goes both
    /// ways, by the share of rows that went either way.
    Cut {
        terms: Vec<Term>,
        #[serde(with = "super::exact")]
        below: f64,
        left: usize,
        right: usize,
        rows: usize,
        /// Cuts still to come from here, on average over the rows here, those to single out a leaf's rows included.
        #[serde(with = "super::exact")]
        depth: f64,
    },
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Tree {
    pub(super) nodes: Vec<Node>,
}

/// Cuts it takes on average to single out one of `rows` rows (Liu et al., eq. 1): 2 H(n - 1) - 2 (n - 1) ÷ n, which is 0 of
/// one row and 1 of two.
pub(super) fn average_depth(rows: usize) -> f64 {
    if rows < 2 {
        return 0.0;
    }
    let n = rows as f64;
    2.0 * harmonic(rows - 1) - 2.0 * (n - 1.0) / n
}

/// 1 + 1/2 + … + 1/n: summed while that is quick, then by its expansion (error under 1e-10 from there on).
fn harmonic(n: usize) -> f64 {
    const EULER: f64 = 0.577_215_664_901_532_9;
    if n <= 64 {
        return (1..=n).map(|i| 1.0 / i as f64).sum();
    }
    let n = n as f64;
    n.ln() + EULER + 1.0 / (2.0 * n) - 1.0 / (12.0 * n * n)
}

/// What all trees of a forest grow from.
pub(super) struct Soil<'a> {
    pub(super) rows: ArrayView2<'a, f64>,
    pub(super) kind: ForestKind,
    /// Deviation of each feature, 1 where there is none.
    pub(super) scales: &'a [f64],
    pub(super) depth_max: usize,
}

impl Tree {
    pub(super) fn grow(soil: &Soil<'_>, sample: usize, rng: &mut ChaCha8Rng) -> Self {
        let drawn = index::sample(rng, soil.rows.nrows(), sample).into_vec();
        let mut tree = Self { nodes: Vec::new() };
        tree.grow_node(soil, drawn, 0, rng);
        tree
    }

    /// Adds a node over `rows` and what is below it; gives its index.
    fn grow_node(&mut self, soil: &Soil<'_>, rows: Vec<usize>, level: usize, rng: &mut ChaCha8Rng) -> usize {
        let (place, count) = (self.nodes.len(), rows.len());
        self.nodes.push(Node::Leaf { rows: count });
        if count < 2 || level >= soil.depth_max {
            return place;
        }
        let Some((terms, below)) = cut(soil, &rows, rng) else { return place };
        let (mut left, mut right, mut lacking) = (Vec::new(), Vec::new(), Vec::new());
        for row in rows {
            match weighted(&terms, soil.rows.row(row)) {
                None => lacking.push(row),
                Some(sum) if sum < below => left.push(row),
                Some(_) => right.push(row),
            }
        }
        if left.is_empty() || right.is_empty() {
            return place;
        }
        let share = left.len() as f64 / (left.len() + right.len()) as f64;
        for row in lacking {
            if rng.r#gen::<f64>() < share { left.push(row) } else { right.push(row) }
        }
        let share = left.len() as f64 / count as f64;
        let left = self.grow_node(soil, left, level + 1, rng);
        let right = self.grow_node(soil, right, level + 1, rng);
        let depth = 1.0 + share * self.depth(left) + (1.0 - share) * self.depth(right);
        self.nodes[place] = Node::Cut { terms, below, left, right, rows: count, depth };
        place
    }

    fn depth(&self, place: usize) -> f64 {
        match &self.nodes[place] {
            Node::Leaf { rows } => average_depth(*rows),
            Node::Cut { depth, .. } => *depth,
        }
    }

    fn rows(&self, place: usize) -> usize {
        match &self.nodes[place] {
            Node::Leaf { rows } | Node::Cut { rows, .. } => *rows,
        }
    }

    /// Cuts it takes to single out `row`.
    pub(super) fn path(&self, row: ArrayView1<'_, f64>) -> f64 {
        let mut total = 0.0;
        self.walk(row, |share, place, _| {
            total += share * if let Node::Leaf { rows } = self.nodes[place] { average_depth(rows) } else { 1.0 };
        });
        total
    }

    /// Adds to `credit` what each feature did to single out `row`: a cut that leaves fewer cuts to come than was to be
    /// expected before it gets the difference, and one that leaves more is charged it.
    pub(super) fn attribute(&self, row: ArrayView1<'_, f64>, centres: &[f64], credit: &mut [f64]) {
        self.walk(row, |share, place, shares| {
            let Node::Cut { terms, left, right, depth, .. } = &self.nodes[place] else { return };
            let (to_left, to_right) = shares;
            let gain = share * (depth - 1.0 - to_left * self.depth(*left) - to_right * self.depth(*right));
            let pull = |term: &Term| {
                let apart = (row.get(term.feature).copied().unwrap_or(f64::NAN) - centres[term.feature]) * term.weight;
                if apart.is_finite() { apart.abs() } else { 0.0 }
            };
            let pulls: f64 = terms.iter().map(pull).sum();
            for term in terms {
                let part = if pulls > 0.0 { pull(term) / pulls } else { 1.0 / terms.len() as f64 };
                credit[term.feature] += gain * part;
            }
        });
    }

    /// Visits the nodes that `row` passes with the share of it that passes there, and the shares of that which go on to
    /// the left and to the right.
    fn walk(&self, row: ArrayView1<'_, f64>, mut visit: impl FnMut(f64, usize, (f64, f64))) {
        let mut open = vec![(0, 1.0)];
        while let Some((place, share)) = open.pop() {
            let Node::Cut { terms, below, left, right, .. } = &self.nodes[place] else {
                visit(share, place, (0.0, 0.0));
                continue;
            };
            let to_left = match weighted(terms, row) {
                Some(sum) => f64::from(u8::from(sum < *below)),
                None => self.rows(*left) as f64 / (self.rows(*left) + self.rows(*right)) as f64,
            };
            visit(share, place, (to_left, 1.0 - to_left));
            for (next, part) in [(*right, 1.0 - to_left), (*left, to_left)] {
                if part > 0.0 {
                    open.push((next, share * part));
                }
            }
        }
    }

    /// Whether every index leads forward to a node, every feature is below `features`, and no node is without rows.
    pub(super) fn is_sound(&self, features: usize) -> bool {
        let sound = |(place, node): (usize, &Node)| match node {
            Node::Leaf { rows } => *rows > 0,
            Node::Cut { terms, left, right, rows, .. } => {
                *rows > 0
                    && !terms.is_empty()
                    && terms.iter().all(|term| term.feature < features)
                    && [left, right].into_iter().all(|&next| next > place && next < self.nodes.len())
            }
        };
        !self.nodes.is_empty() && self.nodes.iter().enumerate().all(sound)
    }
}

/// The weighted sum of a row, unless it lacks one of the features.
fn weighted(terms: &[Term], row: ArrayView1<'_, f64>) -> Option<f64> {
    let sum: f64 = terms.iter().map(|term| term.weight * row.get(term.feature).copied().unwrap_or(f64::NAN)).sum();
    (!sum.is_nan()).then_some(sum)
}

/// A random cut that leaves rows on both sides, if there is one: terms and the sum under which a row goes left.
fn cut(soil: &Soil<'_>, rows: &[usize], rng: &mut ChaCha8Rng) -> Option<(Vec<Term>, f64)> {
    let varying: Vec<usize> = (0..soil.rows.ncols())
        .filter(|&feature| {
            let (low, high) = range(rows.iter().map(|&row| soil.rows[[row, feature]]));
            low < high
        })
        .collect();
    if varying.is_empty() {
        return None;
    }
    let terms: Vec<Term> = match soil.kind {
        ForestKind::Axis => vec![Term { feature: varying[rng.gen_range(0..varying.len())], weight: 1.0 }],
        ForestKind::Extended { dims } => {
            let mut chosen = index::sample(rng, varying.len(), dims.min(varying.len())).into_vec();
            chosen.sort_unstable();
            let slope = |at| Term { feature: varying[at], weight: normal(rng) / soil.scales[varying[at]] };
            chosen.into_iter().map(slope).collect()
        }
    };
    let (low, high) = range(rows.iter().filter_map(|&row| weighted(&terms, soil.rows.row(row))));
    // From the top down, so that the lowest row is always under the cut and the highest never is.
    let below = high - rng.r#gen::<f64>() * (high - low);
    (low < high).then_some((terms, if below > low { below } else { high }))
}

/// Lowest and highest value, what is missing left out; none at all is an empty range.
fn range(values: impl Iterator<Item = f64>) -> (f64, f64) {
    values.filter(|x| !x.is_nan()).fold((f64::INFINITY, f64::NEG_INFINITY), |(low, high), x| (low.min(x), high.max(x)))
}

/// A standard normal draw (Box and Muller).
fn normal(rng: &mut ChaCha8Rng) -> f64 {
    let (u, v): (f64, f64) = (rng.r#gen(), rng.r#gen());
    (-2.0 * (1.0 - u).ln()).sqrt() * (2.0 * std::f64::consts::PI * v).cos()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_average_depth_is_right_where_others_get_it_wrong() {
        let check = |rows, expected: f64| assert!((average_depth(rows) - expected).abs() < 1e-9, "{rows}");
        check(0, 0.0);
        check(1, 0.0);
        check(2, 1.0);
        check(3, 2.0 * 1.5 - 4.0 / 3.0);
        check(256, 10.248_689_925_634);
    }

    #[test]
    fn the_harmonic_number_has_no_step_where_the_expansion_begins() {
        assert!((harmonic(65) - harmonic(64) - 1.0 / 65.0).abs() < 1e-9);
    }
}
