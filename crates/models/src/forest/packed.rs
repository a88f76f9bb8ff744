//! Trees as they are read fast: made from [`Tree`] after fitting or reading, never saved.
//!
//! A tree of at most eight levels becomes a heap: node i has its children at 2i and 2i + 1, so that a step is one
//! comparison added to a doubled index, and no branch depends on data. A leaf higher up is continued down to the last
//! level by cuts that send all rows left. [`LANES`] rows go down together, so that the wait for one row's loads is filled
//! with another's; their values lie column after column, so that the first three levels are vector comparisons. Every index
//! is masked to the size of its array, so that no bound is checked.
//!
//! What bounds it, by profile of a million rows of 20 columns on 100 trees of 256: nine parts in ten of scoring are spent in
//! `Heap::add`, there by how many instructions a core retires (some eight a visit, about 0.6 ns; nothing waits for memory:
//! a tree takes 3 kB and a block of rows 32 kB, both in the nearest cache). Of the rest most is the conversion of rows to 32
//! bits. Fitting is bound by reading all rows once, for their range and to refuse infinite ones; growing takes a tenth of it.
//! Trees deeper than eight levels are bound by the wait for a row's next node, which grouping shortens but does not hide.

use std::hint::black_box;

use super::tree::{Look, Node, Tree};

/// Levels of a heap; 2^8 leaves hold every tree on 256 rows that is cut to the usual depth.
const LEVELS: usize = 8;
const SLOTS: usize = 1 << LEVELS;

/// Rows that take a step together. As many as there are registers to hold their places in.
pub(super) const LANES: usize = 8;

/// Columns that a heap can name.
pub(super) const COLUMNS_MAX: usize = 256;

/// A number that compares the other way round than the float does, NaN left aside: for whole numbers without sign, "less"
/// is the carry of a subtraction, which a step can add to its index as it is.
pub(super) fn key(x: f32) -> u32 {
    // Adding nought makes -0 and 0 the same.
    let bits = (x + 0.0).to_bits();
    if bits >> 31 == 0 { 0x7fff_ffff - bits } else { bits }
}

/// How a heap looks at a group of [`LANES`] rows, which lie column after column: `S` cells in all, a power of two.
pub(super) trait Step: Copy + Default {
    /// What a row is made of.
    type Cell: Copy + Default;
    /// A value as a cell.
    fn cell(x: f32) -> Self::Cell;
    /// Whether the row in this lane goes right.
    fn right<const S: usize>(self, group: &[Self::Cell; S], lane: usize) -> bool;
    /// Whether each row goes right: 1 or 0.
    fn rights<const S: usize>(self, group: &[Self::Cell; S]) -> [u32; LANES];
    /// From a cut of one term or two.
    fn from(node: &Node, tree: &Tree) -> Option<Self>;
}

/// Where a column begins in a group; kept so that no step has to multiply.
fn begin(column: u32) -> u32 {
    column * LANES as u32
}

/// The cells of a column in a group. The mask leaves nothing for a check of bounds to find.
#[inline]
fn lanes<T, const S: usize>(group: &[T; S], begin: u32) -> &[T; LANES] {
    &group.as_chunks::<LANES>().0[(begin as usize & (S - 1)) / LANES]
}

/// A cut by one column.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct AxisStep {
    /// One more than the key of the cut: at or above the cut is then strictly less.
    above: u32,
    begin: u32,
}

impl Step for AxisStep {
    type Cell = u32;

    fn cell(x: f32) -> u32 {
        key(x)
    }

    #[inline]
    fn right<const S: usize>(self, group: &[u32; S], lane: usize) -> bool {
        group[(self.begin as usize & (S - LANES)) | lane] < self.above
    }

    #[inline]
    fn rights<const S: usize>(self, group: &[u32; S]) -> [u32; LANES] {
        lanes(group, self.begin).map(|x| u32::from(x < self.above))
    }

    fn from(node: &Node, tree: &Tree) -> Option<Self> {
        let Look::Plane { first, count: 1 } = node.look else { return None };
        let term = tree.terms[first as usize];
        (term.weight.total_cmp(&1.0).is_eq()).then(|| Self { above: key(node.cut) + 1, begin: begin(term.column) })
    }
}

/// A cut by a plane through two columns, or one.
#[derive(Clone, Copy, Debug)]
pub(super) struct PairStep {
    cut: f32,
    weights: [f32; 2],
    begins: [u16; 2],
}

impl Default for PairStep {
    fn default() -> Self {
        Self { cut: f32::INFINITY, weights: [0.0; 2], begins: [0; 2] }
    }
}

impl Step for PairStep {
    type Cell = f32;

    fn cell(x: f32) -> f32 {
        x
    }

    #[inline]
    fn right<const S: usize>(self, group: &[f32; S], lane: usize) -> bool {
        let [a, b] = self.begins.map(|begin| group[(begin as usize & (S - LANES)) | lane]);
        a * self.weights[0] + b * self.weights[1] >= self.cut
    }

    #[inline]
    fn rights<const S: usize>(self, group: &[f32; S]) -> [u32; LANES] {
        let [a, b] = self.begins.map(|begin| lanes(group, u32::from(begin)));
        std::array::from_fn(|lane| u32::from(a[lane] * self.weights[0] + b[lane] * self.weights[1] >= self.cut))
    }

    fn from(node: &Node, tree: &Tree) -> Option<Self> {
        let Look::Plane { first, count: count @ 1..=2 } = node.look else { return None };
        let (a, mut b) = (tree.terms[first as usize], tree.terms[(first + count - 1) as usize]);
        if count == 1 {
            b.weight = 0.0;
        }
        let begins = [begin(a.column) as u16, begin(b.column) as u16];
        Some(Self { cut: node.cut, weights: [a.weight, b.weight], begins })
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

    /// Adds what the tree says of each row to the row's sum; there are [`LANES`] sums for each group.
    pub(super) fn add<const S: usize>(&self, groups: &[[T::Cell; S]], sums: &mut [f64]) {
        for (group, sums) in groups.iter().zip(sums.as_chunks_mut::<LANES>().0) {
            // One pointer in one register: else the compiler adds up where the group begins anew at every step.
            let group = black_box(group);
            // The first three levels have seven nodes: to ask all of them of all rows at once takes fewer instructions than
            // to look up the one that each row needs.
            let ask = |slot: usize| self.steps[slot].rights(group);
            let first = ask(1);
            let second = either(first, ask(3), ask(2));
            let third = either(first, either(second, ask(7), ask(6)), either(second, ask(5), ask(4)));
            let slots: [u32; LANES] = std::array::from_fn(|lane| 8 + 4 * first[lane] + 2 * second[lane] + third[lane]);
            // From here each row has its own register: without the box the compiler keeps all in one and takes it apart at
            // every level.
            let mut slots = black_box(slots).map(|slot| slot as usize);
            let mut down = || {
                for (lane, slot) in slots.iter_mut().enumerate() {
                    let step = self.steps[*slot & (SLOTS - 1)];
                    *slot = 2 * *slot + usize::from(step.right(group, lane));
                }
            };
            // The five levels that are left, written out for the same reason.
            down();
            down();
            down();
            down();
            down();
            for (sum, slot) in sums.iter_mut().zip(slots) {
                *sum += f64::from(self.leaves[slot & (SLOTS - 1)]);
            }
        }
    }
}

#[inline]
fn either(choice: [u32; LANES], yes: [u32; LANES], no: [u32; LANES]) -> [u32; LANES] {
    std::array::from_fn(|lane| if choice[lane] == 1 { yes[lane] } else { no[lane] })
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
    fn keys_compare_the_other_way_round_than_the_floats_do() {
        let floats = [f32::NEG_INFINITY, -1e30, -1.0, -1e-40, -0.0, 0.0, 1e-40, 1.0, 1e30, f32::INFINITY];
        for a in floats {
            assert!(key(a) < u32::MAX);
            for b in floats {
                assert_eq!(a >= b, key(a) < key(b) + 1, "{a} {b}");
            }
        }
    }
}
