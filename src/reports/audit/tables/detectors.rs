//! The registry of detectors, held against the log: every step, every version that somebody added, every validation.
//!
//! What came with the program is in no entry: nobody did anything. Its parameters are the program's own.

use std::collections::BTreeMap;

use serde_json::Value;

use super::Found;
use crate::domain::audit::AuditEntry;
use crate::pipeline::registry::program;
use crate::store::{ModelStep, Snapshot};

/// What the log says of the registry.
#[derive(Debug, Default)]
pub(super) struct Detectors {
    /// Steps by number, each as its row should say it, and the entry that says so.
    steps: BTreeMap<i64, (String, i64)>,
    /// By version: the hash of its sheet.
    added: BTreeMap<String, (String, i64)>,
    /// By id of the validation: of which version, and whether it passed.
    validated: BTreeMap<String, (String, i64)>,
}

impl Detectors {
    /// Takes in an entry about a version.
    pub(super) fn hear(&mut self, seq: i64, name: &str, entry: &AuditEntry) {
        let detail = &entry.detail;
        match entry.action.as_str() {
            "model.added" => drop(self.added.insert(name.to_owned(), (entry.content.clone(), seq))),
            "model.validated" => {
                let says = verdict(name, detail["passed"] == Value::Bool(true));
                self.validated.insert(entry.content.clone(), (says, seq));
            }
            _ => {
                if let Some(step) = detail["seq"].as_i64() {
                    let said = |key: &str| detail[key].as_str().unwrap_or_default();
                    let says = in_words(name, said("step"), &entry.actor, said("validation"), said("reason"));
                    self.steps.insert(step, (says, seq));
                }
            }
        }
    }
}

fn in_words(name: &str, step: &str, by: &str, validation: &str, reason: &str) -> String {
    // As a row keeps it, which has no zero characters.
    format!("{name} {step} by {by} on {validation}: {}", reason.replace('\0', "\u{fffd}"))
}

fn step_in_words(step: &ModelStep) -> String {
    in_words(&step.name.to_string(), step.change.name(), step.by.as_str(), &step.validation, &step.reason)
}

fn verdict(name: &str, passed: bool) -> String {
    format!("{name} {}", if passed { "passed" } else { "did not pass" })
}

/// Compares what the tables say with what was heard.
pub(super) async fn compare(from: &mut Snapshot, told: &Detectors, found: &mut Found) -> anyhow::Result<()> {
    // Here and below: what is left over in the end is in the log and has no row, so the row was taken out.
    let mut left = told.steps.clone();
    for step in from.model_steps().await? {
        let row = format!("step {} of detectors", step.seq);
        match left.remove(&step.seq) {
            Some((logged, seq)) => found.same(&row, "step", seq, &logged, &step_in_words(&step)),
            None => found.unknown(&row),
        }
    }
    for (step, (_, seq)) in left {
        found.gone(&format!("step {step} of detectors"), seq);
    }
    let mut left = told.added.clone();
    for kept in from.models().await? {
        let row = format!("detector {}", kept.sheet.name);
        match left.remove(&kept.sheet.name.to_string()) {
            Some((logged, seq)) => found.same(&row, "sheet", seq, &logged, &kept.sheet.hash()),
            None if kept.by == program::BY => {}
            None => found.unknown(&row),
        }
    }
    for (name, (_, seq)) in left {
        found.gone(&format!("detector {name}"), seq);
    }
    let mut left = told.validated.clone();
    for kept in from.validations().await? {
        let row = format!("validation {}", kept.id);
        found.column(&row, "result", &kept.validation.passed().to_string(), &kept.passed.to_string());
        // The id is a hash of what was measured, so it does not fit a body that was changed.
        found.column(&row, "hash", &kept.validation.hash(), &kept.id);
        let says = verdict(&kept.validation.model.to_string(), kept.validation.passed());
        match left.remove(&kept.id) {
            Some((logged, seq)) => found.same(&row, "result", seq, &logged, &says),
            None => found.unknown(&row),
        }
    }
    for (id, (_, seq)) in left {
        found.gone(&format!("validation {id}"), seq);
    }
    Ok(())
}
