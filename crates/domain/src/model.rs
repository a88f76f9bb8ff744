//! Versions of detectors: what they are called, how they came about, and how well they did when they were held to the test.
//!
//! A version is named by what it is made of, not counted: the same detector has the same name in every store, and another one
//! never has it.

use std::collections::BTreeMap;
use std::fmt;
use std::str::FromStr;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::ids::content_hash;

/// What a detector looks at: of each kind one version is in force.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ModelKind {
    /// Series of demand.
    Demand,
    /// Lines of purchase orders beside their suppliers' habits.
    Receiving,
}

impl ModelKind {
    /// All of them.
    pub const ALL: [Self; 2] = [Self::Demand, Self::Receiving];

    /// The name in the store, in commands and in signals.
    pub fn name(self) -> &'static str {
        match self {
            Self::Demand => "demand",
            Self::Receiving => "receiving",
        }
    }
}

impl fmt::Display for ModelKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// A text that names no model.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} names no model: write demand or receiving, a slash and a version, such as demand/trained-1c9f03ab")]
pub struct UnknownModel(pub String);

impl FromStr for ModelKind {
    type Err = UnknownModel;

    fn from_str(text: &str) -> Result<Self, UnknownModel> {
        Self::ALL.into_iter().find(|kind| kind.name() == text).ok_or_else(|| UnknownModel(text.to_owned()))
    }
}

/// A version of a detector: `demand/trained-1c9f03ab`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct ModelName {
    /// What it looks at.
    pub kind: ModelKind,
    /// How it was made, and the beginning of a hash of what it is made of.
    pub version: String,
}

impl fmt::Display for ModelName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.kind, self.version)
    }
}

impl FromStr for ModelName {
    type Err = UnknownModel;

    fn from_str(text: &str) -> Result<Self, UnknownModel> {
        let unknown = || UnknownModel(text.to_owned());
        let (kind, version) = text.split_once('/').ok_or_else(unknown)?;
        let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-';
        if version.is_empty() || version.len() > 40 || !version.bytes().all(is_plain) {
            return Err(unknown());
        }
        Ok(Self { kind: kind.parse().map_err(|_| unknown())?, version: version.to_owned() })
    }
}

impl TryFrom<String> for ModelName {
    type Error = UnknownModel;

    fn try_from(text: String) -> Result<Self, UnknownModel> {
        text.parse()
    }
}

impl From<ModelName> for String {
    fn from(name: ModelName) -> Self {
        name.to_string()
    }
}

/// How a version came about: with the same recipe and data the same version comes about again.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Recipe {
    /// What it was trained on, in words: `1,204 series over 365 days until 2026-10-08, with exceptions put into them`.
    pub trained_on: String,
    /// Hash of that data; empty of what needs no data.
    pub data_hash: String,
    /// The seed of everything drawn by lot.
    pub seed: u64,
    /// The version whose trees stand beside its own, where it learned on.
    pub learned_from: Option<ModelName>,
    /// The version of the program that trained it.
    pub program: String,
}

/// Everything about a version but its parameters.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ModelSheet {
    /// Its name.
    pub name: ModelName,
    /// How it came about.
    pub recipe: Recipe,
    /// What it is, how well it does and when not to trust it: Markdown.
    pub card: String,
    /// Hash of its parameters as they are written; of what has none, of nothing.
    pub sha256: String,
}

impl ModelSheet {
    /// Hash of the whole sheet, as the audit log keeps it.
    pub fn hash(&self) -> String {
        content_hash(&[&serde_json::to_string(self).expect("a sheet is plain text")])
    }
}

/// How a version did beside the one in force, on the same trials.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Validation {
    /// What was judged.
    pub model: ModelName,
    /// What it was judged beside.
    pub beside: ModelName,
    /// On what: words with size and span.
    pub on: String,
    /// Hash of that data.
    pub data_hash: String,
    /// Seeds of the trials; none of them was trained with.
    pub seeds: Vec<u64>,
    /// By name of the measure: the version's, and that of the one beside it.
    pub measures: BTreeMap<String, (f64, f64)>,
    /// What it failed; empty where it passed.
    pub failed: Vec<String>,
    /// When, in business time.
    pub at: Timestamp,
}

impl Validation {
    /// Did it pass?
    pub fn passed(&self) -> bool {
        self.failed.is_empty()
    }

    /// Hash of everything that was measured, as the audit log keeps it.
    pub fn hash(&self) -> String {
        content_hash(&[&serde_json::to_string(self).expect("plain numbers and texts")])
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_reads_back_and_what_is_none_is_refused() {
        let name: ModelName = "demand/trained-1c9f03ab".parse().unwrap();
        assert_eq!((name.kind, name.to_string().as_str()), (ModelKind::Demand, "demand/trained-1c9f03ab"));
        let long = format!("demand/{}", "a".repeat(41));
        for bad in ["demand", "demand/", "forest/trained-1", "demand/../../x", "demand/a b", &long] {
            assert_eq!(bad.parse::<ModelName>(), Err(UnknownModel(bad.to_owned())));
        }
    }
}
