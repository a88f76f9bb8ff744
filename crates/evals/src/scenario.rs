//! Scenarios: what stood in the ERP, when it is looked at, and what must come of it.

use std::collections::BTreeMap;
use std::fmt;
use std::path::{Path, PathBuf};

use jiff::Timestamp;
use reeve_domain::action::Action;
use reeve_domain::exception::ExceptionType;
use reeve_domain::ids::content_hash;
use reeve_domain::record::Observed;
use serde::Deserialize;
use serde::de::DeserializeOwned;

use crate::world::{World, WorldFault};

/// Why a file of a suite can not be used: where, and what to do.
#[derive(Debug, thiserror::Error)]
#[error("{}:{line}: {message}", path.display())]
pub struct SuiteFault {
    /// The file.
    pub path: PathBuf,
    /// Its line, from 1.
    pub line: usize,
    /// What is wrong.
    pub message: String,
}

impl SuiteFault {
    pub(crate) fn new(path: &Path, line: usize, message: impl fmt::Display) -> Self {
        Self { path: path.to_owned(), line, message: message.to_string() }
    }
}

/// Which part of a suite a scenario belongs to: what is tuned on one is never reported as if it had been measured on it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Deserialize, serde::Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Split {
    /// Prompts and rules may be tuned on it.
    Dev,
    /// For reporting only.
    HeldOut,
}

/// Where a scenario comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, serde::Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Provenance {
    /// Written by people for this suite.
    Constructed,
    /// Made of a real decision, with names and figures put out of sight.
    Promoted,
}

/// The text of `scenario.toml`.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ScenarioSpec {
    /// What happened, in one sentence.
    pub title: String,
    /// The type it is about; left out where nothing is wrong.
    #[serde(rename = "type")]
    pub kind: Option<ExceptionType>,
    /// Why it happened: no two scenarios of one type and best action have the same.
    pub cause: String,
    /// By which it can be picked.
    #[serde(default)]
    pub tags: Vec<String>,
    /// When it is looked at; the suite's time where nothing is said.
    pub as_of: Option<Timestamp>,
    /// Looks before the last one, as days before it: for what needs two.
    #[serde(default)]
    pub looks: Vec<i32>,
    pub split: Split,
    pub provenance: Provenance,
    /// Sections of the configuration, as in the operator's file.
    #[serde(default)]
    pub settings: toml::Table,
    /// What differs from the suite's world.
    #[serde(default)]
    pub world: World,
}

/// The text of `expected.toml`: what must come of it whatever figures a rule may change.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Expected {
    /// Types that must be open in a case.
    pub must: Vec<ExceptionType>,
    /// Types that may be open in none.
    pub must_not: Vec<ExceptionType>,
    /// Types that must be there, explained by a business reason.
    pub explained: Vec<ExceptionType>,
    /// Is there nothing to ask anybody?
    pub silence: bool,
    /// Types of which one case is to be made together, for they have one root cause.
    pub together: Vec<ExceptionType>,
    /// The best action by construction: the first recommendation is one of these, by code.
    pub best: Vec<String>,
    /// Actions that may stand in no recommendation, by code.
    pub never: Vec<String>,
    /// Must it hand over to people, or may it not?
    pub abstain: Option<bool>,
    /// Text that may stand in no word shown to people, in lower case.
    pub unsaid: Vec<String>,
    /// What each case is truly worth, by a type in it: for the order of the digest.
    pub worth: BTreeMap<ExceptionType, f64>,
    /// Why this is so, for whoever doubts it.
    pub why: String,
}

/// A scenario as it was read.
#[derive(Clone, Debug)]
pub struct Scenario {
    /// Its folder's name: `012_carton_short`.
    pub id: String,
    /// Its folder.
    pub folder: PathBuf,
    /// What it is.
    pub spec: ScenarioSpec,
    /// What must come of it.
    pub expected: Expected,
    /// The suite's world with its own; of one with records of its own only for the names of partners.
    pub world: World,
    /// Its own records, where it was made of a real decision: then the world has no part in it.
    pub records: Option<Vec<Observed>>,
    /// When it is looked at.
    pub as_of: Timestamp,
    /// The hash of its two files and the suite's.
    pub hash: String,
}

impl Scenario {
    /// Reads a scenario's folder.
    ///
    /// # Errors
    /// File, line and what is wrong.
    pub fn read(folder: &Path, shared: &World, as_of: Timestamp, suite_text: &str) -> Result<Self, SuiteFault> {
        let id = folder.file_name().and_then(|name| name.to_str()).unwrap_or_default().to_owned();
        let (path, text) = text_of(folder, "scenario.toml")?;
        let spec: ScenarioSpec = parse(&path, &text)?;
        let (expected_path, expected_text) = text_of(folder, "expected.toml")?;
        let expected: Expected = parse(&expected_path, &expected_text)?;
        check_expected(&expected_path, &expected_text, &spec, &expected)?;
        let as_of = spec.as_of.unwrap_or(as_of);
        let world = shared.with(&spec.world);
        // Whatever is wrong with a record is said now, with its line, and not in the middle of a run.
        if let Err(fault) = world.observed(as_of) {
            // A record of the suite's own world has no line here; the last one of its family is near enough.
            let lines = record_lines(&text, fault.family);
            let line = lines.get(fault.index).or(lines.last()).copied().unwrap_or(1);
            return Err(SuiteFault::new(&path, line, fault));
        }
        let records_text = std::fs::read_to_string(folder.join("records.jsonl")).ok();
        let records = records_text.as_deref().map(|text| records(&folder.join("records.jsonl"), text)).transpose()?;
        let hash = content_hash(&[suite_text, &text, &expected_text, records_text.as_deref().unwrap_or_default()]);
        Ok(Self { id, folder: folder.to_owned(), spec, expected, world, records, as_of, hash })
    }

    /// What a source tells of it, in order.
    ///
    /// # Errors
    /// A record that can not be made; reading the scenario has refused such already.
    pub fn observed(&self) -> Result<Vec<Observed>, WorldFault> {
        match &self.records {
            Some(records) => Ok(records.clone()),
            None => self.world.observed(self.as_of),
        }
    }

    /// Has it this tag, or is this its type's code or the number that its name begins with?
    pub fn matches(&self, tag: &str) -> bool {
        self.spec.tags.iter().any(|own| own == tag)
            || self.spec.kind.is_some_and(|code| code.code() == tag)
            || self.id == tag
            || self.id.split('_').next() == Some(tag)
    }

    /// Must it pass, whatever a suite's figures are?
    pub fn must_pass(&self) -> bool {
        self.matches("must-pass")
    }

    /// Where its cassettes are.
    pub fn cassettes(&self) -> PathBuf {
        self.folder.join("cassettes")
    }
}

fn text_of(folder: &Path, name: &str) -> Result<(PathBuf, String), SuiteFault> {
    let path = folder.join(name);
    match std::fs::read_to_string(&path) {
        Ok(text) => Ok((path, text)),
        Err(error) => Err(SuiteFault::new(&path, 1, format!("can not be read: {error}"))),
    }
}

/// Reads TOML; an error says the line.
pub(crate) fn parse<T: DeserializeOwned>(path: &Path, text: &str) -> Result<T, SuiteFault> {
    toml::from_str(text).map_err(|error| {
        let line = 1 + error.span().and_then(|s| text.get(..s.start)).map_or(0, |t| t.matches('\n').count());
        SuiteFault::new(path, line, error.message().trim().replace('\n', ", "))
    })
}

/// Records as lines of JSON, in the order in which a reader could have seen them.
fn records(path: &Path, text: &str) -> Result<Vec<Observed>, SuiteFault> {
    let mut all: Vec<Observed> = Vec::new();
    for (at, line) in text.lines().enumerate().filter(|(_, line)| !line.trim().is_empty()) {
        all.push(serde_json::from_str(line).map_err(|error| SuiteFault::new(path, at + 1, error))?);
    }
    if !all.is_sorted_by_key(|observed| observed.changed_at) {
        return Err(SuiteFault::new(path, 1, "records are not in the order of changed_at"));
    }
    Ok(all)
}

/// The lines on which the records of a family begin, in the text itself: `[[world.po]]`, or one record a line in `po = [ … ]`.
fn record_lines(text: &str, family: &str) -> Vec<usize> {
    let header = format!("[[world.{family}]]");
    let (mut lines, mut inside) = (Vec::new(), false);
    for (at, line) in text.lines().enumerate() {
        let line = line.trim();
        let opens = line.split_once('=').is_some_and(|(key, rest)| key.trim() == family && rest.trim().starts_with('['));
        inside |= opens;
        if line == header {
            lines.push(at + 1);
        } else if inside {
            lines.extend(std::iter::repeat_n(at + 1, line.matches("{ id").count().max(usize::from(line.contains('{')))));
        }
        inside &= !line.ends_with(']');
    }
    lines
}

fn check_expected(path: &Path, text: &str, spec: &ScenarioSpec, expected: &Expected) -> Result<(), SuiteFault> {
    // People look for the fault in their own file, so it is told by the line of the key.
    let line = |key: &str| {
        let at = text.lines().position(|line| line.split('=').next().is_some_and(|name| name.trim() == key));
        at.map_or(1, |at| at + 1)
    };
    let bad = |key: &str, message: String| Err(SuiteFault::new(path, line(key), message));
    for (key, codes) in [("best", &expected.best), ("never", &expected.never)] {
        if let Some(code) = codes.iter().find(|code| !Action::CODES.contains(&code.as_str())) {
            return bad(key, format!("{code:?} is no action; one of {}", Action::CODES.join(", ")));
        }
    }
    if expected.silence && !(expected.must.is_empty() && expected.best.is_empty()) {
        return bad("silence", "silence leaves nothing that must be found or done; take `must` and `best` away".to_owned());
    }
    if let Some(both) = expected.must.iter().find(|code| expected.must_not.contains(code)) {
        return bad("must_not", format!("{both} must be there and must not; decide which"));
    }
    if let Some(both) = expected.best.iter().find(|code| expected.never.contains(code)) {
        return bad("never", format!("{both} is best and never; decide which"));
    }
    if expected.must.is_empty() && !expected.silence && expected.explained.is_empty() && expected.must_not.is_empty() {
        return bad("must", "nothing is expected; say what must be found, or `silence = true`".to_owned());
    }
    if let Some(kind) = spec.kind
        && !expected.must.contains(&kind)
        && !expected.explained.contains(&kind)
        && !expected.must_not.contains(&kind)
        && !expected.silence
    {
        return bad("must", format!("the scenario is about {kind}, of which nothing is expected"));
    }
    Ok(())
}
