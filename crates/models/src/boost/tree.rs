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
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Tree {
    pub(super) nodes: Vec<Node>,
}

impl Node {
    pub(super) fn leaf(value: f32) -> Self {
        Self { number: value, right: 0, feature: 0, missing_left: false }
    }

    pub(super) fn is_leaf(&self) -> bool {
        self.right == 0
    }
}

impl Tree {
    /// The value of the leaf that `row` comes to.
    pub(super) fn value(&self, row: &[f32]) -> f32 {
        let mut at = 0;
        loop {
            let node = &self.nodes[at];
            if node.is_leaf() {
                return node.number;
            }
            let x = row[usize::from(node.feature)];
            // NaN is not at most anything.
            let left = x <= node.number || (node.missing_left && x.is_nan());
            at = if left { at + 1 } else { node.right as usize };
        }
    }
}
