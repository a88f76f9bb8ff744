//! One tree as it is kept: nodes in one list, read by how they single out a row.
//!
//! The two children of a node stand side by side and after it, so that a walk always ends. A row that lacks a column of a
//! cut, or has a category its node has not met, goes both ways, by the share of rows that went either way: what is not
//! known of a row does not make it odd.

/// One column's part in a plane.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Term {
    pub(super) column: u32,
    pub(super) weight: f32,
}

/// Where a cut looks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Look {
    /// Nowhere: a leaf.
    Leaf,
    /// At the weighted sum over `count` terms from `first` on; under the cut is left.
    Plane { first: u32, count: u32 },
    /// At a category among `count` from `first` on, ascending.
    Subset { column: u32, first: u32, count: u32 },
}

/// A node, or a leaf.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Node {
    /// Rows of the tree's sample that came here.
    pub(super) rows: u32,
    /// Index of the left child; the right one follows it. 0 for a leaf.
    pub(super) left: u32,
    pub(super) look: Look,
    pub(super) cut: f32,
    /// A row whose sum is outside of these is penalised by `penalty` of the tree.
    pub(super) low: f32,
    pub(super) high: f32,
    /// What a leaf says of a row; of an inner node, the mean over the rows that came here.
    pub(super) value: f32,
}

/// A fitted tree.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Tree {
    pub(super) nodes: Vec<Node>,
    pub(super) terms: Vec<Term>,
    /// Category × 2, plus 1 when it goes right.
    pub(super) codes: Vec<u32>,
    /// What is taken off for each cut that a row lies out of range of; 0 without penalty.
    pub(super) penalty: f32,
}

/// Where a row goes at a node.
enum Way {
    /// To the left or (true) to the right, in range or (true) out of it.
    One(bool, bool),
    /// Nobody knows: this share goes left.
    Both(f64),
}

impl Tree {
    /// The weighted sum of a row; NaN when it lacks one of the columns.
    pub(super) fn sum(terms: &[Term], row: &[f32]) -> f32 {
        match terms {
            [only] => row[only.column as usize] * only.weight,
            [a, b] => row[a.column as usize] * a.weight + row[b.column as usize] * b.weight,
            _ => terms.iter().fold(0.0, |sum, term| sum + row[term.column as usize] * term.weight),
        }
    }

    /// Puts terms and codes in the order of the nodes, so that a node's count is enough to find its own.
    pub(super) fn arrange(&mut self) {
        let (mut terms, mut codes) = (Vec::with_capacity(self.terms.len()), Vec::with_capacity(self.codes.len()));
        for node in &mut self.nodes {
            match &mut node.look {
                Look::Leaf => {}
                Look::Plane { first, count } => {
                    let from = std::mem::replace(first, terms.len() as u32) as usize;
                    terms.extend_from_slice(&self.terms[from..from + *count as usize]);
                }
                Look::Subset { first, count, .. } => {
                    let from = std::mem::replace(first, codes.len() as u32) as usize;
                    codes.extend_from_slice(&self.codes[from..from + *count as usize]);
                }
            }
        }
        (self.terms, self.codes) = (terms, codes);
    }

    pub(super) fn terms(&self, first: u32, count: u32) -> &[Term] {
        &self.terms[first as usize..(first + count) as usize]
    }

    fn way(&self, node: &Node, row: &[f32]) -> Way {
        // A row that lacks the column goes both ways, by how many rows of the sample went each.
        let share = || {
            let (left, right) = (self.nodes[node.left as usize].rows, self.nodes[node.left as usize + 1].rows);
            Way::Both(f64::from(left) / (f64::from(left) + f64::from(right)))
        };
        match node.look {
            Look::Leaf => Way::Both(0.0),
            Look::Plane { first, count } => {
                let sum = Self::sum(self.terms(first, count), row);
                if sum.is_nan() {
                    return share();
                }
                Way::One(sum >= node.cut, !(node.low..=node.high).contains(&sum))
            }
            Look::Subset { column, first, count } => {
                let code = row[column as usize];
                let known = &self.codes[first as usize..(first + count) as usize];
                // Codes are whole numbers under 2^24, so that this holds them and everything else is not found.
                let wanted = if code >= 0.0 && code.fract() == 0.0 { code as u32 } else { u32::MAX / 2 };
                match known.binary_search_by_key(&wanted, |code| code / 2) {
                    Ok(at) => Way::One(known[at] % 2 == 1, false),
                    Err(_) => share(),
                }
            }
        }
    }

    /// What the tree says of a row, missing values allowed.
    pub(super) fn value(&self, row: &[f32]) -> f64 {
        let mut total = 0.0;
        self.walk(row, |share, node, _, penalised| {
            total -= share * f64::from(u8::from(penalised)) * f64::from(self.penalty);
            if node.left == 0 {
                total += share * f64::from(node.value);
            }
        });
        total
    }

    /// Adds to `credit` what each column did to single out `row`: a cut after which less is to be expected than before
    /// gets the difference, times `scale`, and one after which more is, is charged it.
    pub(super) fn attribute(&self, row: &[f32], centres: &[f32], scale: f64, credit: &mut [f64]) {
        self.walk(row, |share, node, after, penalised| {
            let off = f64::from(u8::from(penalised)) * f64::from(self.penalty);
            let gain = scale * share * (f64::from(node.value) - after + off);
            match node.look {
                Look::Leaf => {}
                Look::Subset { column, .. } => credit[column as usize] += gain,
                Look::Plane { first, count } => {
                    let terms = self.terms(first, count);
                    // Of a slanted cut each column gets the part by which it carried the row away from the middle.
                    let pull = |term: &Term| {
                        let apart =
                            f64::from(row[term.column as usize] - centres[term.column as usize]) * f64::from(term.weight);
                        if apart.is_finite() { apart.abs() } else { 0.0 }
                    };
                    let pulls: f64 = terms.iter().map(pull).sum();
                    for term in terms {
                        let part = if pulls > 0.0 { pull(term) / pulls } else { 1.0 / terms.len() as f64 };
                        credit[term.column as usize] += gain * part;
                    }
                }
            }
        });
    }

    /// Visits the nodes that `row` passes: the share of it that passes there, the node, the value to be expected after its
    /// cut, and whether the row is out of the cut's range.
    fn walk(&self, row: &[f32], mut visit: impl FnMut(f64, &Node, f64, bool)) {
        let (mut place, mut share) = (0, 1.0);
        let mut open: Vec<(usize, f64)> = Vec::new();
        loop {
            let node = &self.nodes[place];
            let left = node.left as usize;
            let next = if left == 0 {
                visit(share, node, f64::from(node.value), false);
                None
            } else {
                match self.way(node, row) {
                    Way::One(right, penalised) => {
                        let next = left + usize::from(right);
                        visit(share, node, f64::from(self.nodes[next].value), penalised);
                        Some((next, share))
                    }
                    Way::Both(part) => {
                        let (one, other) = (f64::from(self.nodes[left].value), f64::from(self.nodes[left + 1].value));
                        visit(share, node, part * one + (1.0 - part) * other, false);
                        open.push((left + 1, share * (1.0 - part)));
                        Some((left, share * part))
                    }
                }
            };
            match next.or_else(|| open.pop()) {
                Some(next) => (place, share) = next,
                None => return,
            }
        }
    }

    /// Whether every index leads forward to a node, every column is there and of the right kind, and every number is one.
    pub(super) fn is_sound(&self, categorical: &[bool]) -> bool {
        let within = |first: u32, count: u32, len: usize| u64::from(first) + u64::from(count) <= len as u64 && count > 0;
        let sound = |(place, node): (usize, &Node)| {
            let left = node.left as usize;
            let look = match node.look {
                Look::Leaf => left == 0,
                Look::Plane { first, count } => left > place && within(first, count, self.terms.len()),
                Look::Subset { column, first, count } => {
                    left > place
                        && categorical.get(column as usize) == Some(&true)
                        && within(first, count, self.codes.len())
                        && self.codes[first as usize..(first + count) as usize]
                            .windows(2)
                            .all(|pair| pair[0] / 2 < pair[1] / 2)
                }
            };
            // Children are not shared: as many are pointed at as there are, and a tree of n leaves has 2n - 1 nodes.
            look && left.saturating_add(1) < self.nodes.len().max(2)
                && node.rows > 0
                && node.value.is_finite()
                && node.cut.is_finite()
                && !node.low.is_nan()
                && !node.high.is_nan()
        };
        let inner: usize = self.nodes.iter().filter(|node| node.left > 0).count();
        // A child that two nodes point at would be walked twice, and a circle for ever.
        let mut met = vec![false; self.nodes.len()];
        !self.nodes.is_empty()
            && self.nodes.len() == 2 * inner + 1
            && self.penalty.is_finite()
            && self.nodes.iter().enumerate().all(sound)
            && self
                .nodes
                .iter()
                .map(|node| node.left as usize)
                .filter(|left| *left > 0)
                .all(|left| [left, left + 1].into_iter().all(|child| !std::mem::replace(&mut met[child], true)))
            && self.terms.iter().all(|term| {
                term.weight.is_finite()
                    && term.weight.abs() < WEIGHT_MAX
                    && categorical.get(term.column as usize) == Some(&false)
            })
    }
}

/// Slopes are smaller than this, and seen values than 1e9 and their sum over all columns, so that sums stay finite.
pub(super) const WEIGHT_MAX: f32 = 1e22;
