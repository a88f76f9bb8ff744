//! For other benches: a suite's questions as JSON lines that Inspect and promptfoo read, and back again.
//!
//! A line of Inspect's (`json_dataset`) has `id`, `input`, `target` and `metadata`; one of promptfoo's has `description`, `vars` and
//! `assert`. Both carry the scenario's own two files, so that what was exported can be imported without loss.

use std::path::{Path, PathBuf};

use anyhow::Context;
use serde_json::{Value, json};

use crate::scenario::Scenario;

/// Whose form.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Form {
    /// Inspect's `json_dataset`.
    Inspect,
    /// promptfoo's `tests`.
    Promptfoo,
}

/// What a model would be asked in a scenario.
#[derive(Clone, Debug, Default)]
pub struct Question {
    /// The rules.
    pub system: String,
    /// The case.
    pub user: String,
    /// The form of the answer.
    pub schema: Value,
    /// Candidates: id and action.
    pub candidates: Vec<(String, String)>,
}

/// One line for a scenario; a scenario in which nothing is drafted has no question, and its input says so.
///
/// # Errors
/// When its files can not be read.
pub fn line(form: Form, scenario: &Scenario, question: Option<&Question>) -> anyhow::Result<Value> {
    let file = |name: &str| {
        let path = scenario.folder.join(name);
        std::fs::read_to_string(&path).with_context(|| format!("can not read {}", path.display()))
    };
    let best: Vec<String> = question
        .map(|question| {
            let is_best = |(_, code): &&(String, String)| scenario.expected.best.contains(code);
            question.candidates.iter().filter(is_best).map(|(id, _)| id.clone()).collect()
        })
        .unwrap_or_default();
    let metadata = json!({
        "title": scenario.spec.title,
        "type": scenario.spec.kind.map(reeve_domain::exception::ExceptionType::code),
        "cause": scenario.spec.cause,
        "tags": scenario.spec.tags,
        "split": scenario.spec.split,
        "best": scenario.expected.best,
        "never": scenario.expected.never,
        "abstain": scenario.expected.abstain,
        "schema": question.map(|q| q.schema.clone()),
        "reeve": { "scenario": file("scenario.toml")?, "expected": file("expected.toml")? },
    });
    let nothing = Question::default();
    let asked = question.unwrap_or(&nothing);
    Ok(match form {
        Form::Inspect => json!({
            "id": scenario.id,
            "input": [{ "role": "system", "content": asked.system }, { "role": "user", "content": asked.user }],
            // Several actions may be right: Inspect takes a list of targets.
            "target": if best.is_empty() { scenario.expected.best.clone() } else { best },
            "metadata": metadata,
        }),
        Form::Promptfoo => {
            let mut checks = vec![json!({ "type": "is-json", "value": asked.schema })];
            if !best.is_empty() {
                let first = serde_json::to_string(&best).context("ids are text")?;
                let script = format!("{first}.includes(JSON.parse(output).choices[0].candidate)");
                checks.push(json!({ "type": "javascript", "value": script }));
            }
            json!({
                "description": format!("{}: {}", scenario.id, scenario.spec.title),
                "vars": { "system": asked.system, "user": asked.user },
                "assert": checks,
                "metadata": { "id": scenario.id, "reeve": metadata["reeve"] },
            })
        }
    })
}

/// Writes the scenarios of a JSONL below `folder`; answers their folders.
///
/// # Errors
/// The first line that is no scenario of ours, by its number; a folder that is there already is not written over.
pub fn import(text: &str, folder: &Path) -> anyhow::Result<Vec<PathBuf>> {
    let mut written = Vec::new();
    for (number, line) in text.lines().enumerate().filter(|(_, line)| !line.trim().is_empty()) {
        let number = number + 1;
        let value: Value = serde_json::from_str(line).with_context(|| format!("line {number} is no JSON"))?;
        let id = value["id"].as_str().or_else(|| value["metadata"]["id"].as_str());
        let id = id.with_context(|| format!("line {number} has no id"))?;
        // It becomes a folder's name, so nothing in it may lead elsewhere.
        let plain = |c: char| c.is_ascii_alphanumeric() || c == '_' || c == '-';
        anyhow::ensure!(!id.is_empty() && id.chars().all(plain), "line {number}: {id:?} can not be a folder's name");
        let file = |name: &str| {
            value["metadata"]["reeve"][name].as_str().with_context(|| {
                format!("line {number} has no metadata.reeve.{name}: a question without its records can not be run here")
            })
        };
        // Both are looked for before the folder is made: a line that lacks one leaves nothing behind.
        let (scenario, expected) = (file("scenario")?, file("expected")?);
        let at = folder.join(id);
        anyhow::ensure!(!at.exists(), "line {number}: {} is there already", at.display());
        std::fs::create_dir_all(&at).with_context(|| format!("can not make {}", at.display()))?;
        for (name, text) in [("scenario.toml", scenario), ("expected.toml", expected)] {
            let path = at.join(name);
            std::fs::write(&path, text).with_context(|| format!("can not write {}", path.display()))?;
        }
        written.push(at);
    }
    Ok(written)
}
