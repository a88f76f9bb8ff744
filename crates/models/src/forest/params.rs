//! What can be set about an isolation forest.

use linfa::ParamGuard;
use serde::{Deserialize, Serialize};

use super::ForestError;

/// How a tree cuts its rows in two. Columns are drawn among those that vary at the node; planes run through columns scaled
/// by their deviation there, with normal slopes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum SplitRule {
    /// By one column at a time, anywhere in its range there, all equally likely (Liu, Ting and Zhou 2008).
    Axis,
    /// As `Axis`, but wide columns are drawn more often: in proportion to their range at the node, each in units of its
    /// range over all rows (the robust random cut forest of Guha et al. 2016).
    Range,
    /// By a sloped plane through `dims` columns (Hariri, Carrasco Kind and Brunner 2019). More than vary means all that do.
    Extended {
        /// Columns in each plane, from 1 on.
        dims: usize,
    },
    /// By the best of `tries` planes, each cut where both sides together spread least: the gain pools the deviations by
    /// rows (the fair-cut forest of Cortes 2021).
    Pooled {
        /// Columns in each plane, from 1 on.
        dims: usize,
        /// Planes tried at each node.
        tries: usize,
    },
    /// As `Pooled`, but both sides count alike, however few rows one has, so that small clumps are cut off early
    /// (SCiForest of Liu, Ting and Zhou 2010).
    Averaged {
        /// Columns in each plane, from 1 on.
        dims: usize,
        /// Planes tried at each node.
        tries: usize,
    },
}

impl SplitRule {
    /// Columns in each plane.
    pub fn dims(self) -> usize {
        match self {
            Self::Axis | Self::Range => 1,
            Self::Extended { dims } | Self::Pooled { dims, .. } | Self::Averaged { dims, .. } => dims,
        }
    }

    /// Planes tried at each node.
    pub fn tries(self) -> usize {
        match self {
            Self::Axis | Self::Range | Self::Extended { .. } => 1,
            Self::Pooled { tries, .. } | Self::Averaged { tries, .. } => tries,
        }
    }
}

/// What a tree says of a row.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Scoring {
    /// The cuts it took (Liu et al. 2008).
    Depth,
    /// The cuts it took, each counted as 2 ÷ (1 + 1 ÷ 2p), where p is how much denser than its parent the side is that the
    /// row fell on: more than one cut in the thick, less in the thin (Cortes 2021, adjusted density).
    Density,
    /// How dense its leaf is: share of the rows over share of the volume, the leaf's box bounded by the cuts and by the
    /// range of the tree's rows.
    Boxed,
}

/// How a stand sees the values of a numeric column.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Scale {
    /// As they are, in units of the column's range.
    Plain,
    /// Half in units of the range, half by rank: a crowd is spread out, and what is far off stays far off.
    HalfRank,
}

/// One setting of trees; a forest has one stand or several.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct StandParams {
    pub(super) trees: usize,
    pub(super) sample: usize,
    pub(super) rule: SplitRule,
    pub(super) scoring: Scoring,
    pub(super) scale: Scale,
    pub(super) full_depth: bool,
    pub(super) range_penalty: bool,
}

/// Parameters of an isolation forest, not checked yet.
///
/// | name | default | meaning | range |
/// |---|---|---|---|
/// | `trees` | 200 | trees; more make scores steadier, not different | 1–10,000 |
/// | `sample` | 256 | rows in each tree, drawn without replacement; with replacement where rows have weights | 2–1,048,576 |
/// | `rule` | `Axis` | how a tree cuts | `dims` ≥ 1, `tries` 1–1,000 |
/// | `scoring` | `Depth` | what a tree says of a row | `Boxed`: one column a cut |
/// | `scale` | `Plain` | how columns are seen | |
/// | `full_depth` | no | cut until every row is alone; else to log2 of the sample, and the rest is reckoned | |
/// | `range_penalty` | no | a cut takes nothing off a row that lies farther from it than its rows spread | |
/// | `categorical` | none | columns whose values are codes, cut by random subset | 0 to 16,777,215 |
/// | `seed` | 0 | the same rows, parameters and seed give the same forest, byte for byte, on any number of threads | any |
///
/// Each setter sets all stands; [`IsolationForestParams::with`] adds the stands of another.
#[derive(Clone, Debug, PartialEq)]
pub struct IsolationForestParams(IsolationForestValidParams);

/// Checked parameters of an isolation forest.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct IsolationForestValidParams {
    pub(super) stands: Vec<StandParams>,
    pub(super) categorical: Vec<usize>,
    pub(super) seed: u64,
}

impl Default for IsolationForestParams {
    fn default() -> Self {
        let stand = StandParams {
            trees: 200,
            sample: 256,
            rule: SplitRule::Axis,
            scoring: Scoring::Depth,
            scale: Scale::Plain,
            full_depth: false,
            range_penalty: false,
        };
        Self(IsolationForestValidParams { stands: vec![stand], categorical: Vec::new(), seed: 0 })
    }
}

impl IsolationForestParams {
    /// The defaults.
    pub fn new() -> Self {
        Self::default()
    }

    /// The one fixed setting for tables of any kind: five stands of 100 trees on 256 rows each. One cuts at random along
    /// the columns; two cut like SCiForest and two by pooled gain, ten planes through two columns tried at each node, one
    /// of each on plain and one on half-ranked columns. The stands' verdicts count alike. `models/forest.md` says how well.
    pub fn tabular(seed: u64) -> Self {
        let sci = Self::new().rule(SplitRule::Averaged { dims: 2, tries: 10 }).full_depth(true).range_penalty(true);
        let fair = Self::new().rule(SplitRule::Pooled { dims: 2, tries: 10 });
        Self::new()
            .with(sci.clone())
            .with(sci.scale(Scale::HalfRank))
            .with(fair.clone())
            .with(fair.scale(Scale::HalfRank))
            .trees(100)
            .seed(seed)
    }

    /// Adds the stands of `other`: each stand's mean is put in units of its deviation over the fitted rows, and all count
    /// alike. Categorical columns and the seed stay those of `self`.
    #[must_use]
    pub fn with(mut self, other: Self) -> Self {
        self.0.stands.extend(other.0.stands);
        self
    }

    fn each(mut self, set: impl Fn(&mut StandParams)) -> Self {
        self.0.stands.iter_mut().for_each(set);
        self
    }

    /// Sets the number of trees of each stand.
    #[must_use]
    pub fn trees(self, trees: usize) -> Self {
        self.each(|stand| stand.trees = trees)
    }

    /// Sets the rows in each tree.
    #[must_use]
    pub fn sample(self, sample: usize) -> Self {
        self.each(|stand| stand.sample = sample)
    }

    /// Sets how trees cut.
    #[must_use]
    pub fn rule(self, rule: SplitRule) -> Self {
        self.each(|stand| stand.rule = rule)
    }

    /// Sets what a tree says of a row.
    #[must_use]
    pub fn scoring(self, scoring: Scoring) -> Self {
        self.each(|stand| stand.scoring = scoring)
    }

    /// Sets how columns are seen.
    #[must_use]
    pub fn scale(self, scale: Scale) -> Self {
        self.each(|stand| stand.scale = scale)
    }

    /// Sets whether trees cut until every row is alone.
    #[must_use]
    pub fn full_depth(self, full_depth: bool) -> Self {
        self.each(|stand| stand.full_depth = full_depth)
    }

    /// Sets whether a cut takes nothing off a row that lies farther from it than its rows spread.
    #[must_use]
    pub fn range_penalty(self, range_penalty: bool) -> Self {
        self.each(|stand| stand.range_penalty = range_penalty)
    }

    /// Declares the columns, counted from 0, whose values are codes of categories.
    #[must_use]
    pub fn categorical(mut self, columns: impl IntoIterator<Item = usize>) -> Self {
        self.0.categorical = columns.into_iter().collect();
        self.0.categorical.sort_unstable();
        self.0.categorical.dedup();
        self
    }

    /// Sets the seed.
    #[must_use]
    pub fn seed(mut self, seed: u64) -> Self {
        self.0.seed = seed;
        self
    }
}

/// Stands in a forest at most: more are a mistake, or a file that means harm.
const STANDS_MAX: usize = 64;

impl IsolationForestValidParams {
    /// Checked by hand on reading too: a file may claim anything.
    pub(super) fn validate(&self) -> Result<(), ForestError> {
        let within = |name, value, low, high| {
            if (low..=high).contains(&value) { Ok(()) } else { Err(ForestError::Parameter { name, value, low, high }) }
        };
        within("stands", self.stands.len(), 1, STANDS_MAX)?;
        for stand in &self.stands {
            within("trees", stand.trees, 1, 10_000)?;
            within("sample", stand.sample, 2, 1 << 20)?;
            within("dims", stand.rule.dims(), 1, usize::MAX)?;
            within("tries", stand.rule.tries(), 1, 1_000)?;
            if stand.scoring == Scoring::Boxed && stand.rule.dims() > 1 {
                return Err(ForestError::BoxedPlanes);
            }
        }
        Ok(())
    }
}

impl ParamGuard for IsolationForestParams {
    type Checked = IsolationForestValidParams;
    type Error = ForestError;

    fn check_ref(&self) -> Result<&Self::Checked, ForestError> {
        self.0.validate()?;
        Ok(&self.0)
    }

    fn check(self) -> Result<Self::Checked, ForestError> {
        self.check_ref()?;
        Ok(self.0)
    }
}
