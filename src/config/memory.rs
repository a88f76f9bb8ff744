//! The keys of memory.

use std::time::Duration;

use secrecy::SecretString;
use serde::Deserialize;

use crate::domain::setting::duration;
use crate::ports::shown_address;
use crate::qdrant::QdrantConfig;

/// `[memory]`: what was decided on like cases.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct MemoryConfig {
    pub enabled: bool,
    pub index: IndexKind,
    pub embedding: EmbeddingKind,
    pub like_cases: usize,
    pub keep_days: u32,
    pub endpoint: EmbeddingEndpoint,
    pub qdrant: QdrantConfig,
}

/// `[memory.endpoint]`: who makes vectors of words where `embedding` is "endpoint".
#[derive(Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct EmbeddingEndpoint {
    pub base_url: String,
    pub model: String,
    pub dimensions: usize,
    pub api_key: SecretString,
    pub api_key_file: String,
    #[serde(deserialize_with = "duration")]
    pub timeout: Duration,
}

impl std::fmt::Debug for EmbeddingEndpoint {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let url = shown_address(&self.base_url);
        f.debug_struct("EmbeddingEndpoint").field("base_url", &url).field("model", &self.model).finish_non_exhaustive()
    }
}

/// What finds the nearest of what is remembered.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum IndexKind {
    /// In this process.
    InProcess,
    /// A Qdrant server.
    Qdrant,
}

/// What makes vectors of words.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum EmbeddingKind {
    /// The model that the program brings along; it reads English.
    Minilm,
    /// An endpoint that speaks OpenAI's dialect: for other languages than English.
    Endpoint,
    /// Nothing: numbers alone count.
    None,
}
