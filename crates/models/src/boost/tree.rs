//! One fitted tree: nodes in a flat list, read from the top.

/// A node, 12 bytes. A leaf leads to itself.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Node {
    /// Rows whose feature is at most this go left; of a leaf, the value.
    pub(super) number: f32,
    /// Index of the right child; the left one comes straight after the node. 0 of a leaf, for the first node is no child.
    pub(super) right: u32,
    pub(super) feature: u16,
    /// Where rows go that lack the feature.
    pub(super) missing_left: bool,
}

/// A tree in preorder: a node, all that is left of it, all that is right.
#[derive(Clone, Debug)]
pub(super) struct Tree {
    nodes: Vec<Node>,
    /// The same for walking down.
    steps: Vec<Step>,
    /// Steps from the top to the lowest leaf.
    depth: usize,
}

/// A node as a walk sees it: which way to go is reckoned, not branched on, for no processor guesses it. A leaf leads to
/// itself whatever the row says, so that every walk takes as many steps.
#[derive(Clone, Copy, Debug)]
struct Step {
    /// Not a number of a leaf: nothing is at most that.
    threshold: f32,
    right: u32,
    feature: u16,
    missing_left: bool,
}

/// Rows that walk down a tree side by side: while one waits for its node, the others go on.
const SIDE_BY_SIDE: usize = 8;

impl PartialEq for Tree {
    fn eq(&self, other: &Self) -> bool {
        self.nodes == other.nodes
    }
}

impl Node {
    pub(super) fn leaf(value: f32) -> Self {
        Self { number: value, right: 0, feature: 0, missing_left: false }
    }

    pub(super) fn is_leaf(&self) -> bool {
        self.right == 0
    }
}

impl Step {
    fn next(&self, at: u32, row: &[f32]) -> u32 {
        let x = row[usize::from(self.feature)];
        let left = (x <= self.threshold) | (self.missing_left & x.is_nan());
        let mask = 0_u32.wrapping_sub(u32::from(left));
        self.right ^ ((self.right ^ (at + 1)) & mask)
    }
}

impl Tree {
    /// A tree of sound nodes in preorder.
    pub(super) fn new(nodes: Vec<Node>) -> Self {
        let mut depths = vec![0; nodes.len()];
        let step = |(at, node): (usize, &Node)| {
            if node.is_leaf() {
                return Step { threshold: f32::NAN, right: at as u32, feature: 0, missing_left: false };
            }
            for child in [at + 1, node.right as usize] {
                depths[child] = depths[at] + 1;
            }
            Step { threshold: node.number, right: node.right, feature: node.feature, missing_left: node.missing_left }
        };
        let steps = nodes.iter().enumerate().map(step).collect();
        let depth = depths.into_iter().max().unwrap_or(0);
        Self { nodes, steps, depth }
    }

    pub(super) fn nodes(&self) -> &[Node] {
        &self.nodes
    }

    /// Adds to each score the value of the leaf that its row comes to. Rows of `width` features lie one after the other.
    pub(super) fn add(&self, rows: &[f32], width: usize, scores: &mut [f64]) {
        let steps = self.steps.as_slice();
        let (mut eights, mut rows) = (scores.chunks_exact_mut(SIDE_BY_SIDE), rows);
        for scores in &mut eights {
            let (eight, rest) = rows.split_at(SIDE_BY_SIDE * width);
            rows = rest;
            let eight: [&[f32]; SIDE_BY_SIDE] = std::array::from_fn(|at| &eight[at * width..][..width]);
            let mut at = [0_u32; SIDE_BY_SIDE];
            for _ in 0..self.depth {
                for (at, row) in at.iter_mut().zip(eight) {
                    *at = steps[*at as usize].next(*at, row);
                }
            }
            for (score, at) in scores.iter_mut().zip(at) {
                *score += f64::from(self.nodes[at as usize].number);
            }
        }
        for (score, row) in eights.into_remainder().iter_mut().zip(rows.chunks_exact(width)) {
            let mut at = 0;
            while !self.nodes[at as usize].is_leaf() {
                at = steps[at as usize].next(at, row);
            }
            *score += f64::from(self.nodes[at as usize].number);
        }
    }
}
