//! What a language model answered, kept by the hash of what it was asked: a changed prompt finds nothing, and fails.
//!
//! A cassette says where its answer comes from. `live` is a model's own, with its name and the day; `scripted` was written by
//! people to see what Reeve makes of it, and says nothing about any model.

use std::collections::BTreeMap;
use std::fmt;
use std::path::Path;

use anyhow::Context;
use jiff::civil::Date;
use reeve_domain::ids::content_hash;
use serde::{Deserialize, Serialize};

/// Where an answer comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Origin {
    /// A model's own words, as an endpoint gave them.
    Live,
    /// Written by people.
    Scripted,
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Live => "live",
            Self::Scripted => "scripted",
        })
    }
}

/// One answer.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Cassette {
    /// Where it comes from.
    pub origin: Origin,
    /// The model that answered; of a scripted one what it plays.
    pub model: String,
    /// Which model was asked at which endpoint, as it was configured; empty where it was written.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub asked: String,
    /// The day on which it was recorded; none where it was written.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub recorded_on: Option<Date>,
    /// The hash of the prompt's files with which it was asked.
    pub prompt: String,
    /// The hash of what was asked.
    pub request: String,
    /// Which call of its case, from 1: a repair is the second.
    pub round: u32,
    /// The text.
    pub reply: String,
    /// Was it cut short?
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub truncated: bool,
    /// Did the model think first?
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub thought: bool,
    /// Tokens of both.
    #[serde(default)]
    pub tokens: u64,
    /// How long it took.
    #[serde(default)]
    pub latency_ms: u64,
}

/// The hash of what a model is asked: rules, case and form of the answer.
pub fn request_hash(system: &str, user: &str, schema: &serde_json::Value) -> String {
    content_hash(&[system, user, &schema.to_string()])
}

/// The file's name of an answer to `request`.
pub fn file_name(request: &str) -> String {
    format!("{}.json", request.get(..16).unwrap_or(request))
}

/// The cassettes of a scenario by what was asked.
///
/// # Errors
/// The first file that can not be read, by its name.
pub fn read(folder: &Path) -> anyhow::Result<BTreeMap<String, Cassette>> {
    let mut found = BTreeMap::new();
    if !folder.is_dir() {
        return Ok(found);
    }
    for entry in std::fs::read_dir(folder).with_context(|| format!("can not list {}", folder.display()))? {
        let path = entry.with_context(|| format!("can not list {}", folder.display()))?.path();
        if path.extension().is_none_or(|extension| extension != "json") {
            continue;
        }
        let text = std::fs::read_to_string(&path).with_context(|| format!("can not read {}", path.display()))?;
        let cassette: Cassette =
            serde_json::from_str(&text).with_context(|| format!("{} is no cassette", path.display()))?;
        let name = file_name(&cassette.request);
        // A file that was renamed by hand would answer a question that nobody asked.
        anyhow::ensure!(
            path.file_name().is_some_and(|found| found == name.as_str()),
            "{} answers another request than its name says; call it {name}",
            path.display()
        );
        found.insert(cassette.request.clone(), cassette);
    }
    Ok(found)
}

/// Writes an answer into a scenario's folder.
///
/// # Errors
/// What could not be written.
pub fn write(folder: &Path, cassette: &Cassette) -> anyhow::Result<()> {
    std::fs::create_dir_all(folder).with_context(|| format!("can not make {}", folder.display()))?;
    let path = folder.join(file_name(&cassette.request));
    let text = serde_json::to_string_pretty(cassette).context("a cassette is plain data")?;
    std::fs::write(&path, text + "\n").with_context(|| format!("can not write {}", path.display()))
}
