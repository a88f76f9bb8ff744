//! What can be set about an isolation forest.

use linfa::ParamGuard;
use serde::{Deserialize, Serialize};

use super::ForestError;

/// How a tree cuts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ForestKind {
    /// By one feature at a time (Liu, Ting and Zhou 2008).
    Axis,
    /// By a sloped plane through `dims` features, each scaled by its deviation (Hariri, Carrasco Kind and Brunner 2019).
    /// More than there are means all of them.
    Extended {
        /// Features in each plane, from 1 on.
        dims: usize,
    },
}

/// Parameters of an isolation forest, not checked yet.
///
/// | name | default | meaning | range |
/// |---|---|---|---|
/// | `trees` | 200 | trees; more make scores steadier, not different | 1–10,000 |
/// | `sample` | 256 | rows in each tree, drawn without replacement (Liu et al.: more brings nothing) | 2–1,048,576 |
/// | `kind` | `Axis` | how a tree cuts | `Extended`: `dims` ≥ 1 |
/// | `seed` | 0 | the same rows, parameters and seed give the same forest, byte for byte, on any number of threads | any |
#[derive(Clone, Debug, PartialEq)]
pub struct IsolationForestParams(IsolationForestValidParams);

/// Checked parameters of an isolation forest.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct IsolationForestValidParams {
    pub(super) trees: usize,
    pub(super) sample: usize,
    pub(super) kind: ForestKind,
    pub(super) seed: u64,
}

impl Default for IsolationForestParams {
    fn default() -> Self {
        Self(IsolationForestValidParams { trees: 200, sample: 256, kind: ForestKind::Axis, seed: 0 })
    }
}

impl IsolationForestParams {
    /// The defaults.
    pub fn new() -> Self {
        Self::default()
    }

    /// Sets the number of trees.
    #[must_use]
    pub fn trees(mut self, trees: usize) -> Self {
        self.0.trees = trees;
        self
    }

    /// Sets the rows in each tree.
    #[must_use]
    pub fn sample(mut self, sample: usize) -> Self {
        self.0.sample = sample;
        self
    }

    /// Sets how trees cut.
    #[must_use]
    pub fn kind(mut self, kind: ForestKind) -> Self {
        self.0.kind = kind;
        self
    }

    /// Sets the seed.
    #[must_use]
    pub fn seed(mut self, seed: u64) -> Self {
        self.0.seed = seed;
        self
    }
}

impl ParamGuard for IsolationForestParams {
    type Checked = IsolationForestValidParams;
    type Error = ForestError;

    fn check_ref(&self) -> Result<&Self::Checked, ForestError> {
        let refuse = |name, value, low, high| Err(ForestError::Parameter { name, value, low, high });
        match &self.0 {
            p if !(1..=10_000).contains(&p.trees) => refuse("trees", p.trees, 1, 10_000),
            p if !(2..=1 << 20).contains(&p.sample) => refuse("sample", p.sample, 2, 1 << 20),
            IsolationForestValidParams { kind: ForestKind::Extended { dims: 0 }, .. } => refuse("dims", 0, 1, usize::MAX),
            checked => Ok(checked),
        }
    }

    fn check(self) -> Result<Self::Checked, ForestError> {
        self.check_ref()?;
        Ok(self.0)
    }
}
