//! Trees as they are read fast: made from [`Tree`] after fitting or reading, never saved.
//!
//! A tree of at most eight levels becomes a heap: node i has its children at 2i and 2i + 1, so that a step is one
//! comparison added to a doubled index, and no branch depends on data. A leaf higher up is continued down to the last
//! level by cuts that send all rows left. Every index is masked to the size of its array, so that no bound is checked, and
//! [`LANES`] rows take each step together, so that the wait for one row's loads is filled with another's.

use super::tree::{Look, Node, Tree};

/// Levels of a heap; 2^8 leaves hold every tree on 256 rows that is cut to the usual depth.
const LEVELS: usize = 8;
const SLOTS: usize = 1 << LEVELS;

/// Rows that take a step together. As many as there are registers to hold their places in.
pub(super) const LANES: usize = 8;

/// Columns that a heap can name.
pub(super) const COLUMNS_MAX: usize = 256;

/// A number that compares as the float does, NaN left aside: integers compare sooner.
pub(super) fn key(x: f32) -> i32 {
    // Adding nought makes -0 and 0 the same.
    let bits = (x + 0.0).to_bits().cast_signed();
    bits ^ ((bits >> 31).cast_unsigned() >> 1).cast_signed()
}

/// How a heap looks at a row.
pub(super) trait Step: Copy + Default {
    /// What a row is made of.
    type Cell: Copy;
    /// Whether the row goes right.
    fn right<const S: usize>(self, row: &[Self::Cell; S]) -> bool;
    /// From a cut of one term or two.
    fn from(node: &Node, tree: &Tree) -> Option<Self>;
}

/// A cut by one column.
#[derive(Clone, Copy, Debug)]
pub(super) struct AxisStep {
    cut: i32,
    column: u32,
}

impl Default for AxisStep {
    fn default() -> Self {
        Self { cut: i32::MAX, column: 0 }
    }
}

impl Step for AxisStep {
    type Cell = i32;

    #[inline]
    fn right<const S: usize>(self, row: &[i32; S]) -> bool {
        row[self.column as usize & (S - 1)] >= self.cut
    }

    fn from(node: &Node, tree: &Tree) -> Option<Self> {
        let Look::Plane { first, count: 1 } = node.look else { return None };
        let term = tree.terms[first as usize];
        (term.weight.total_cmp(&1.0).is_eq()).then(|| Self { cut: key(node.cut), column: term.column })
    }
}

/// A cut by a plane through two columns, or one.
#[derive(Clone, Copy, Debug)]
pub(super) struct PairStep {
    cut: f32,
    weights: [f32; 2],
    columns: [u16; 2],
}

impl Default for PairStep {
    fn default() -> Self {
        Self { cut: f32::INFINITY, weights: [0.0; 2], columns: [0; 2] }
    }
}

impl Step for PairStep {
    type Cell = f32;

    #[inline]
    fn right<const S: usize>(self, row: &[f32; S]) -> bool {
        let [a, b] = self.columns.map(|column| row[column as usize & (S - 1)]);
        a * self.weights[0] + b * self.weights[1] >= self.cut
    }

    fn from(node: &Node, tree: &Tree) -> Option<Self> {
        let Look::Plane { first, count: count @ 1..=2 } = node.look else { return None };
        let (a, mut b) = (tree.terms[first as usize], tree.terms[(first + count - 1) as usize]);
        if count == 1 {
            b.weight = 0.0;
        }
        Some(Self { cut: node.cut, weights: [a.weight, b.weight], columns: [a.column as u16, b.column as u16] })
    }
}

/// A tree of at most eight levels.
#[derive(Clone, Debug)]
pub(super) struct Heap<T> {
    steps: Box<[T; SLOTS]>,
    leaves: Box<[f32; SLOTS]>,
}

impl<T: Step> Heap<T> {
    /// None when the tree is too deep, or cuts otherwise.
    fn pack(tree: &Tree) -> Option<Self> {
        let mut heap = Self { steps: Box::new([T::default(); SLOTS]), leaves: Box::new([0.0; SLOTS]) };
        let mut open = vec![(0_usize, 1_usize, 0_usize)];
        while let Some((place, slot, level)) = open.pop() {
            let node = &tree.nodes[place];
            let left = node.left as usize;
            if left == 0 {
                let width = SLOTS >> level;
                let from = slot * width - SLOTS;
                heap.leaves[from..from + width].fill(node.value);
            } else if level == LEVELS {
                return None;
            } else {
                heap.steps[slot] = T::from(node, tree)?;
                open.push((left, 2 * slot, level + 1));
                open.push((left + 1, 2 * slot + 1, level + 1));
            }
        }
        Some(heap)
    }

    /// Adds what the tree says of each row to the row's sum. There are as many sums as rows, a multiple of [`LANES`].
    pub(super) fn add<const S: usize>(&self, rows: &[[T::Cell; S]], sums: &mut [f64]) {
        let (groups, _) = rows.as_chunks::<LANES>();
        let (sums, _) = sums.as_chunks_mut::<LANES>();
        for (group, sums) in groups.iter().zip(sums) {
            let mut slots = [1_usize; LANES];
            for _ in 0..LEVELS {
                for (slot, row) in slots.iter_mut().zip(group) {
                    let step = self.steps[*slot & (SLOTS - 1)];
                    *slot = 2 * *slot + usize::from(step.right(row));
                }
            }
            for (sum, slot) in sums.iter_mut().zip(slots) {
                *sum += f64::from(self.leaves[slot & (SLOTS - 1)]);
            }
        }
    }
}

/// A node of a deep tree, in one piece of memory.
#[derive(Clone, Copy, Debug)]
struct Link {
    columns: [u32; 2],
    weights: [f32; 2],
    cut: f32,
    low: f32,
    high: f32,
    /// The left child, which the right one follows; a leaf leads to itself, for no sum reaches its cut.
    left: u32,
}

/// A tree of any depth whose planes have at most two terms.
#[derive(Clone, Debug)]
pub(super) struct Chain {
    links: Vec<Link>,
    values: Vec<f32>,
    penalty: f64,
}

impl Chain {
    fn pack(tree: &Tree) -> Option<Self> {
        let link = |(place, node): (usize, &Node)| match node.look {
            Look::Leaf => {
                let (low, high, cut) = (f32::NEG_INFINITY, f32::INFINITY, f32::INFINITY);
                Some(Link { columns: [0; 2], weights: [0.0; 2], cut, low, high, left: place as u32 })
            }
            Look::Plane { first, count: count @ 1..=2 } => {
                let (a, b) = (tree.terms[first as usize], tree.terms[(first + count - 1) as usize]);
                let weights = [a.weight, if count == 1 { 0.0 } else { b.weight }];
                let (cut, low, high) = (node.cut, node.low, node.high);
                Some(Link { columns: [a.column, b.column], weights, cut, low, high, left: node.left })
            }
            _ => None,
        };
        let links = tree.nodes.iter().enumerate().map(link).collect::<Option<Vec<Link>>>()?;
        let values = tree.nodes.iter().map(|node| node.value).collect();
        Some(Self { links, values, penalty: f64::from(tree.penalty) })
    }

    /// Adds what the tree says of each row, `stride` cells apart, to the row's sum. The rows of a group go down together
    /// until all have come to their leaves, so that one's wait for memory is filled with the others'.
    pub(super) fn add(&self, cells: &[f32], stride: usize, sums: &mut [f64]) {
        let (sums, _) = sums.as_chunks_mut::<LANES>();
        for (group, sums) in cells.chunks_exact(stride * LANES).zip(sums) {
            let mut places = [0_u32; LANES];
            let mut outside = [0_u32; LANES];
            let mut moved = true;
            while moved {
                moved = false;
                for lane in 0..LANES {
                    let link = &self.links[places[lane] as usize];
                    let row = &group[lane * stride..][..stride];
                    let at =
                        row[link.columns[0] as usize] * link.weights[0] + row[link.columns[1] as usize] * link.weights[1];
                    outside[lane] += u32::from(at < link.low) + u32::from(at > link.high);
                    let next = link.left + u32::from(at >= link.cut);
                    moved |= next != places[lane];
                    places[lane] = next;
                }
            }
            for ((sum, place), outside) in sums.iter_mut().zip(places).zip(outside) {
                *sum += f64::from(self.values[place as usize]) - f64::from(outside) * self.penalty;
            }
        }
    }
}

/// A stand's trees, read fast where their kind allows it.
#[derive(Clone)]
pub(super) enum Packed {
    Axis(Vec<Heap<AxisStep>>),
    Pair(Vec<Heap<PairStep>>),
    Chain(Vec<Chain>),
    /// Categories, or planes of more columns.
    Walked,
}

/// Says the kind only: the trees themselves are shown elsewhere.
impl std::fmt::Debug for Packed {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Axis(_) => "Axis",
            Self::Pair(_) => "Pair",
            Self::Chain(_) => "Chain",
            Self::Walked => "Walked",
        })
    }
}

impl Packed {
    /// The fastest that all trees allow.
    pub(super) fn new(trees: &[Tree], columns: usize) -> Self {
        fn all<T>(trees: &[Tree], pack: impl Fn(&Tree) -> Option<T>) -> Option<Vec<T>> {
            trees.iter().map(pack).collect()
        }
        if columns <= COLUMNS_MAX && trees.iter().all(|tree| tree.penalty <= 0.0) {
            if let Some(heaps) = all(trees, Heap::pack) {
                return Self::Axis(heaps);
            }
            if let Some(heaps) = all(trees, Heap::pack) {
                return Self::Pair(heaps);
            }
        }
        all(trees, Chain::pack).map_or(Self::Walked, Self::Chain)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_compare_as_the_floats_do() {
        let floats = [f32::NEG_INFINITY, -1e30, -1.0, -1e-40, -0.0, 0.0, 1e-40, 1.0, 1e30, f32::INFINITY];
        for a in floats {
            for b in floats {
                assert_eq!(a < b, key(a) < key(b), "{a} {b}");
                assert_eq!(a >= b, key(a) >= key(b), "{a} {b}");
            }
        }
    }
}
