//! A forest as JSON text, with a version, its shape and a checksum.
//!
//! Numbers of the columns are written as text and those of the trees by their bits, so that a forest that was read scores
//! exactly as the one that was written. The checksum finds accidents and careless edits; it is no signature. So nothing in
//! the text is believed: every index is held against what is there, and nothing is allocated because the text says so.

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use super::columns::Columns;
use super::params::IsolationForestValidParams;
use super::tree::{Look, Node, Term, Tree};
use super::{ForestError, IsolationForest, Stand};

/// The layout that is written and the only one that is read.
pub(super) const VERSION: u64 = 2;

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Saved {
    version: u64,
    shape: Shape,
    sha256: String,
    forest: Body,
}

#[derive(Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Shape {
    features: usize,
    trees: usize,
    nodes: usize,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Body {
    params: IsolationForestValidParams,
    columns: Columns,
    stands: Vec<SavedStand>,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct SavedStand {
    grown: u64,
    #[serde(with = "exact")]
    centre: f64,
    #[serde(with = "exact")]
    spread: f64,
    trees: Vec<SavedTree>,
}

/// A tree, list by list. Floats are given by their bits.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct SavedTree {
    penalty: u32,
    /// For each node.
    rows: Vec<u32>,
    left: Vec<u32>,
    values: Vec<u32>,
    /// For each node that is no leaf; of `subsets` the column of categories plus 1, or 0.
    cuts: Vec<u32>,
    counts: Vec<u32>,
    subsets: Vec<u32>,
    /// For each node that is no leaf, in a tree with a penalty.
    lows: Vec<u32>,
    highs: Vec<u32>,
    /// For each term.
    columns: Vec<u32>,
    weights: Vec<u32>,
    codes: Vec<u32>,
}

/// Read first, for another version may look different in all else.
#[derive(Deserialize)]
struct Head {
    version: u64,
}

impl From<&Tree> for SavedTree {
    fn from(tree: &Tree) -> Self {
        let inner = || tree.nodes.iter().filter(|node| node.left > 0);
        let ranged = || inner().filter(|_| tree.penalty > 0.0);
        let look = |node: &Node| match node.look {
            Look::Leaf => (0, 0),
            Look::Plane { count, .. } => (count, 0),
            Look::Subset { column, count, .. } => (count, column + 1),
        };
        Self {
            penalty: tree.penalty.to_bits(),
            rows: tree.nodes.iter().map(|node| node.rows).collect(),
            left: tree.nodes.iter().map(|node| node.left).collect(),
            values: tree.nodes.iter().map(|node| node.value.to_bits()).collect(),
            cuts: inner().map(|node| node.cut.to_bits()).collect(),
            counts: inner().map(|node| look(node).0).collect(),
            subsets: inner().map(|node| look(node).1).collect(),
            lows: ranged().map(|node| node.low.to_bits()).collect(),
            highs: ranged().map(|node| node.high.to_bits()).collect(),
            columns: tree.terms.iter().map(|term| term.column).collect(),
            weights: tree.terms.iter().map(|term| term.weight.to_bits()).collect(),
            codes: tree.codes.clone(),
        }
    }
}

impl SavedTree {
    /// The tree, unless the lists are of different lengths. Whether it hangs together is not looked at.
    fn tree(self) -> Option<Tree> {
        let inner = self.left.iter().filter(|left| **left > 0).count();
        let penalty = f32::from_bits(self.penalty);
        let ranged = if penalty > 0.0 { inner } else { 0 };
        let lengths = [
            (self.rows.len(), self.left.len()),
            (self.values.len(), self.left.len()),
            (self.cuts.len(), inner),
            (self.counts.len(), inner),
            (self.subsets.len(), inner),
            (self.lows.len(), ranged),
            (self.highs.len(), ranged),
            (self.columns.len(), self.weights.len()),
        ];
        if lengths.into_iter().any(|(one, other)| one != other) {
            return None;
        }
        // Where terms and codes begin is not written: they stand in the order of the nodes, so counts are enough.
        let (mut at, mut term, mut code) = (0, 0_u32, 0_u32);
        let mut nodes = Vec::with_capacity(self.left.len());
        for ((rows, left), value) in self.rows.into_iter().zip(self.left).zip(self.values) {
            let mut node = Node {
                rows,
                left,
                look: Look::Leaf,
                cut: 0.0,
                low: f32::NEG_INFINITY,
                high: f32::INFINITY,
                value: f32::from_bits(value),
            };
            if left > 0 {
                let count = self.counts[at];
                node.cut = f32::from_bits(self.cuts[at]);
                if ranged > 0 {
                    (node.low, node.high) = (f32::from_bits(self.lows[at]), f32::from_bits(self.highs[at]));
                }
                node.look = if let Some(column) = self.subsets[at].checked_sub(1) {
                    let first = code;
                    code = code.checked_add(count)?;
                    Look::Subset { column, first, count }
                } else {
                    let first = term;
                    term = term.checked_add(count)?;
                    Look::Plane { first, count }
                };
                at += 1;
            }
            nodes.push(node);
        }
        let pair = |(column, weight)| Term { column, weight: f32::from_bits(weight) };
        let terms = self.columns.into_iter().zip(self.weights).map(pair).collect();
        Some(Tree { nodes, terms, codes: self.codes, penalty })
    }
}

impl From<&IsolationForest> for Body {
    fn from(forest: &IsolationForest) -> Self {
        let stand = |stand: &Stand| SavedStand {
            grown: stand.grown,
            centre: stand.centre,
            spread: stand.spread,
            trees: stand.trees.iter().map(SavedTree::from).collect(),
        };
        Self {
            params: forest.params.clone(),
            columns: forest.columns.clone(),
            stands: forest.stands.iter().map(stand).collect(),
        }
    }
}

impl Body {
    fn shape(&self) -> Shape {
        Shape {
            features: self.columns.0.len(),
            trees: self.stands.iter().map(|stand| stand.trees.len()).sum(),
            nodes: self.stands.iter().flat_map(|stand| &stand.trees).map(|tree| tree.left.len()).sum(),
        }
    }

    /// Over the forest as it is written, so that spaces and line ends do not matter.
    fn checksum(&self) -> String {
        let text = serde_json::to_string(self).expect("a forest is made of lists, names and numbers, which JSON has");
        hex::encode(Sha256::digest(text.as_bytes()))
    }

    fn forest(self) -> Result<IsolationForest, ForestError> {
        let wrong = |what: &str| ForestError::Unreadable(what.into());
        self.params.validate()?;
        let features = self.columns.0.len();
        let categorical: Vec<bool> = self.columns.0.iter().map(|column| column.categorical).collect();
        // Parameters, columns and trees are checked against each other: each
        // could be changed alone in a file whose checksum was made anew.
        let declared: Vec<usize> = (0..features).filter(|&column| categorical[column]).collect();
        if features == 0 || !self.columns.is_sound() || declared != self.params.categorical {
            return Err(wrong("its columns do not hang together"));
        }
        if self.stands.len() != self.params.stands.len() {
            return Err(wrong("it has other stands than its parameters say"));
        }
        let mut stands = Vec::with_capacity(self.stands.len());
        for (saved, params) in self.stands.into_iter().zip(&self.params.stands) {
            let trees = saved.trees.into_iter().map(SavedTree::tree).collect::<Option<Vec<Tree>>>();
            let trees = trees.filter(|trees| trees.iter().all(|tree| tree.is_sound(&categorical)));
            let trees = trees.ok_or_else(|| wrong("its trees do not hang together"))?;
            let scaled = saved.centre.is_finite() && saved.spread.is_finite() && saved.spread > 0.0;
            if trees.len() != params.trees || !scaled || saved.grown < trees.len() as u64 || saved.grown >= 1 << 40 {
                return Err(wrong("it has other trees than its parameters say"));
            }
            let (centre, spread) = (saved.centre, saved.spread);
            stands.push(Stand { centre, spread, ..Stand::new(trees, saved.grown, features) });
        }
        Ok(IsolationForest { params: self.params, columns: self.columns, stands })
    }
}

impl IsolationForest {
    /// The forest as JSON. The same forest gives the same text.
    pub fn to_json(&self) -> String {
        let forest = Body::from(self);
        let saved = Saved { version: VERSION, shape: forest.shape(), sha256: forest.checksum(), forest };
        serde_json::to_string(&saved).expect("a forest is made of lists, names and numbers, which JSON has")
    }

    /// Reads what [`IsolationForest::to_json`] wrote.
    ///
    /// # Errors
    /// [`ForestError::Version`] of another layout, [`ForestError::Checksum`] when it was changed since, and
    /// [`ForestError::Unreadable`] or [`ForestError::Parameter`] when it is no forest at all.
    pub fn from_json(text: &str) -> Result<Self, ForestError> {
        let unreadable = |error: serde_json::Error| ForestError::Unreadable(error.into());
        let Head { version } = serde_json::from_str(text).map_err(unreadable)?;
        if version != VERSION {
            return Err(ForestError::Version(version));
        }
        let Saved { shape, sha256, forest, .. } = serde_json::from_str(text).map_err(unreadable)?;
        if sha256 != forest.checksum() || shape != forest.shape() {
            return Err(ForestError::Checksum);
        }
        forest.forest()
    }
}

/// A number as text, to the last bit.
pub(super) mod exact {
    use serde::{Deserialize, Deserializer, Serializer, de::Error};

    #[expect(clippy::trivially_copy_pass_by_ref, reason = "serde's `with` passes a reference")]
    pub(in super::super) fn serialize<S: Serializer>(value: &f64, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(value)
    }

    pub(in super::super) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<f64, D::Error> {
        let text = String::deserialize(deserializer)?;
        text.parse().map_err(|_| D::Error::custom(format_args!("{text:?} is no number")))
    }
}

/// Numbers as text, to the last bit.
pub(super) mod exact_all {
    use serde::{Deserialize, Deserializer, Serializer, de::Error};

    pub(in super::super) fn serialize<S: Serializer>(values: &[f64], serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(values.iter().map(f64::to_string))
    }

    pub(in super::super) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<f64>, D::Error> {
        let parse = |text: String| text.parse().map_err(|_| D::Error::custom(format_args!("{text:?} is no number")));
        Vec::<String>::deserialize(deserializer)?.into_iter().map(parse).collect()
    }
}

#[cfg(test)]
mod tests {
    use std::sync::LazyLock;

    use linfa::DatasetBase;
    use linfa::traits::Fit;
    use ndarray::Array2;
    use proptest::prelude::*;
    use serde_json::Value;

    use super::super::{IsolationForestParams, Scoring, SplitRule};
    use super::*;

    fn rows() -> Array2<f64> {
        Array2::from_shape_fn((40, 3), |(row, column)| {
            ((row * 7 + column * 13) % 17) as f64 * if column == 1 { 1e-3 } else { 1.0 }
        })
    }

    static FORESTS: LazyLock<Vec<IsolationForest>> = LazyLock::new(|| {
        let new = || IsolationForestParams::new().trees(3).seed(2);
        let all = [
            new(),
            new().rule(SplitRule::Extended { dims: 3 }).categorical([2]),
            new().categorical([0, 2]).scoring(Scoring::Density),
            IsolationForestParams::tabular(1).trees(2),
        ];
        all.into_iter().map(|params| params.fit(&DatasetBase::from(rows())).unwrap()).collect()
    });

    #[test]
    fn a_saved_forest_scores_as_the_one_that_was_saved() {
        for forest in &*FORESTS {
            let text = forest.to_json();
            let read = IsolationForest::from_json(&text).unwrap();
            assert!(read == *forest);
            assert_eq!(read.to_json(), text);
            assert_eq!(read.score(&rows()), forest.score(&rows()));
            let spaced = serde_json::to_string_pretty(&serde_json::from_str::<Value>(&text).unwrap()).unwrap();
            assert!(IsolationForest::from_json(&spaced).is_ok());
        }
    }

    #[test]
    fn a_changed_forest_is_refused() {
        let text = FORESTS[0].to_json();
        let changed = text.replacen("\"left\":[1,", "\"left\":[3,", 1);
        assert_ne!(changed, text);
        assert!(matches!(IsolationForest::from_json(&changed), Err(ForestError::Checksum)));
        let shape = text.replacen("\"features\":3", "\"features\":9", 1);
        assert!(matches!(IsolationForest::from_json(&shape), Err(ForestError::Checksum)));
        let other = text.replacen("\"version\":2", "\"version\":1", 1);
        assert!(matches!(IsolationForest::from_json(&other), Err(ForestError::Version(1))));
        assert!(matches!(IsolationForest::from_json(&text[..text.len() / 2]), Err(ForestError::Unreadable(_))));
    }

    /// The text of a body, whatever is in it, with the shape and checksum that belong to it; none if it is no body at all.
    fn signed(body: Value) -> Option<String> {
        let forest: Body = serde_json::from_value(body).ok()?;
        let saved = Saved { version: VERSION, shape: forest.shape(), sha256: forest.checksum(), forest };
        Some(serde_json::to_string(&saved).unwrap())
    }

    fn body(forest: &IsolationForest) -> Value {
        serde_json::to_value(Body::from(forest)).unwrap()
    }

    #[test]
    fn a_forest_that_means_harm_is_refused_even_with_its_checksum() {
        let whole = body(&FORESTS[0]);
        let refused = |change: &dyn Fn(&mut Value)| {
            let mut body = whole.clone();
            change(&mut body);
            IsolationForest::from_json(&signed(body).unwrap()).is_err()
        };
        assert!(!refused(&|_| ()));
        assert!(refused(&|body| body["stands"][0]["trees"][0]["left"][2] = 1.into()), "in circles");
        assert!(refused(&|body| body["stands"][0]["trees"][0]["left"][0] = 4_000_000_000_u32.into()), "far off");
        assert!(refused(&|body| body["stands"][0]["trees"][0]["columns"][0] = 3.into()), "a column that is not there");
        assert!(refused(&|body| body["stands"][0]["trees"][0]["counts"][0] = u32::MAX.into()), "terms that are not there");
        assert!(refused(&|body| body["stands"][0]["trees"] = Value::Array(Vec::new())), "no trees");
        assert!(refused(&|body| body["params"]["stands"][0]["trees"] = 9_000_000_000_u64.into()), "a claim");
        assert!(refused(&|body| body["columns"] = Value::Array(Vec::new())), "no columns");
        assert!(refused(&|body| body["columns"][0]["unit"] = "NaN".into()), "no number");
        assert!(refused(&|body| body["stands"][0]["grown"] = u64::MAX.into()), "a count that would overflow");
    }

    /// Puts `with` in place of the number or text that is `at`th in the value, counted round.
    fn change(value: &mut Value, at: usize, with: &Value) {
        fn all<'a>(value: &'a mut Value, found: &mut Vec<&'a mut Value>) {
            match value {
                Value::Array(items) => items.iter_mut().for_each(|item| all(item, found)),
                Value::Object(items) => items.values_mut().for_each(|item| all(item, found)),
                other => found.push(other),
            }
        }
        let mut found = Vec::new();
        all(value, &mut found);
        let count = found.len();
        *found.swap_remove(at % count) = with.clone();
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(300))]
        #[test]
        fn no_change_of_bytes_is_read_as_another_forest(
            forest in 0_usize..4, at in any::<usize>(), byte in any::<u8>(), cut in any::<bool>(),
        ) {
            let forest = &FORESTS[forest];
            let mut bytes = forest.to_json().into_bytes();
            let at = at % bytes.len();
            bytes[at] = byte;
            if cut {
                bytes.truncate(at);
            }
            // A byte that is no text does not get as far as the forest.
            if let Ok(read) = IsolationForest::from_json(&String::from_utf8_lossy(&bytes)) {
                prop_assert!(read == *forest);
            }
        }

        #[test]
        fn whatever_a_signed_file_says_reading_and_scoring_end(
            forest in 0_usize..4,
            changes in prop::collection::vec((any::<usize>(), prop_oneof![
                (0_u32..50).prop_map(Value::from),
                any::<u32>().prop_map(Value::from),
                any::<u64>().prop_map(Value::from),
                any::<f64>().prop_map(|x| Value::from(x.to_string())),
            ]), 1..4),
        ) {
            let mut body = body(&FORESTS[forest]);
            for (at, with) in changes {
                change(&mut body, at, &with);
            }
            if let Some(Ok(mut read)) = signed(body).map(|text| IsolationForest::from_json(&text)) {
                prop_assert_eq!(read.score(&rows()).len(), 40);
                prop_assert!(read.score(&rows()).iter().all(|score| !score.is_nan()));
                prop_assert_eq!(read.attribute(rows().row(0)).len(), 3);
                read.refresh(&DatasetBase::from(rows()), 1).unwrap();
            }
        }
    }
}
