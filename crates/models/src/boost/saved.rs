//! A model as JSON text, with a version and a checksum.
//!
//! A tree is two lists in preorder: for each node the number of its feature, from 1 on, with a minus where the missing go
//! right, and 0 for a leaf; and its number, the threshold or the leaf's value. The children follow from the order. Numbers
//! are written in their shortest form, which reads back to the last bit. The checksum finds accidents and careless edits;
//! it is no signature.

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use super::tree::{Node, Tree};
use super::{BoostError, Boosted};

/// The layout that is written and the only one that is read.
pub(super) const VERSION: u64 = 1;

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Saved {
    version: u64,
    sha256: String,
    model: Model,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Model {
    features: usize,
    base: f64,
    gains: Vec<f64>,
    trees: Vec<Lists>,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Lists {
    features: Vec<i32>,
    numbers: Vec<f32>,
}

/// Read first, for another version may look different in all else.
#[derive(Deserialize)]
struct Head {
    version: u64,
}

impl Boosted {
    /// The model as JSON. The same model gives the same text.
    pub fn to_json(&self) -> String {
        let model = Model {
            features: self.features,
            base: self.base,
            gains: self.gains.clone(),
            trees: self.trees.iter().map(lists).collect(),
        };
        let saved = Saved { version: VERSION, sha256: checksum(&model), model };
        serde_json::to_string(&saved).expect("a model is made of lists and finite numbers, which JSON has")
    }

    /// Reads what [`Boosted::to_json`] wrote.
    ///
    /// # Errors
    /// [`BoostError::Version`] of another layout, [`BoostError::Checksum`] when it was changed since, and
    /// [`BoostError::Unreadable`] when it is no model at all.
    pub fn from_json(text: &str) -> Result<Self, BoostError> {
        let unreadable = |error: serde_json::Error| BoostError::Unreadable(error.into());
        let Head { version } = serde_json::from_str(text).map_err(unreadable)?;
        if version != VERSION {
            return Err(BoostError::Version(version));
        }
        let Saved { sha256, model, .. } = serde_json::from_str(text).map_err(unreadable)?;
        if sha256 != checksum(&model) {
            return Err(BoostError::Checksum);
        }
        let unsound = |what: String| BoostError::Unreadable(what.into());
        let Model { features, base, gains, trees } = model;
        if !(1..=usize::from(u16::MAX)).contains(&features) || gains.len() != features {
            return Err(unsound(format!("{features} features, but {} gains", gains.len())));
        }
        if trees.is_empty() || !base.is_finite() || !gains.iter().all(|gain| gain.is_finite() && *gain >= 0.0) {
            return Err(unsound("it has no trees, or numbers that are none".to_owned()));
        }
        let read = |(at, lists): (usize, Lists)| {
            tree(&lists, features).ok_or_else(|| unsound(format!("tree {at} does not hang together")))
        };
        let trees = trees.into_iter().enumerate().map(read).collect::<Result<_, _>>()?;
        Ok(Self { features, base, trees, gains })
    }
}

/// Over the model as it is written, so that spaces and line ends do not matter.
pub(super) fn checksum(model: &Model) -> String {
    let text = serde_json::to_string(model).expect("a model is made of lists and numbers, which JSON has");
    hex::encode(Sha256::digest(text.as_bytes()))
}

fn lists(tree: &Tree) -> Lists {
    let feature = |node: &Node| match (node.is_leaf(), i32::from(node.feature) + 1) {
        (true, _) => 0,
        (false, number) if node.missing_left => number,
        (false, number) => -number,
    };
    Lists {
        features: tree.nodes().iter().map(feature).collect(),
        numbers: tree.nodes().iter().map(|node| node.number).collect(),
    }
}

/// The tree of two lists, if each node has its children, no node is left over, and every feature and number is sound.
fn tree(lists: &Lists, features: usize) -> Option<Tree> {
    if lists.features.len() != lists.numbers.len() || u32::try_from(lists.features.len()).is_err() {
        return None;
    }
    let mut nodes: Vec<Node> = Vec::with_capacity(lists.features.len());
    // Nodes whose right child is still to come.
    let mut open = Vec::new();
    for (at, (&code, &number)) in lists.features.iter().zip(&lists.numbers).enumerate() {
        if !number.is_finite() {
            return None;
        }
        // After a leaf comes the right child of the last node that lacks one.
        if nodes.last().is_some_and(Node::is_leaf) {
            let parent: usize = open.pop()?;
            nodes[parent].right = at as u32;
        }
        if code == 0 {
            nodes.push(Node::leaf(number));
            continue;
        }
        let feature = usize::try_from(code.unsigned_abs()).ok()? - 1;
        if feature >= features {
            return None;
        }
        open.push(at);
        // The right child is put in when it comes; until then the node must not look like a leaf.
        nodes.push(Node { number, right: u32::MAX, feature: feature as u16, missing_left: code > 0 });
    }
    let whole = open.is_empty() && nodes.last().is_some_and(Node::is_leaf);
    whole.then(|| Tree::new(nodes))
}
