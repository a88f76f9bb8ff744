//! The keys of memory.

use serde::Deserialize;

/// `[memory]`: what was decided on like cases.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct MemoryConfig {
    pub enabled: bool,
    pub index: IndexKind,
    pub embedding: EmbeddingKind,
    pub like_cases: usize,
    pub keep_days: u32,
}

/// What finds the nearest of what is remembered.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum IndexKind {
    /// In this process.
    InProcess,
}

/// What makes vectors of words.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum EmbeddingKind {
    /// The model that the program brings along; it reads English.
    Minilm,
    /// Nothing: numbers alone count.
    None,
}
