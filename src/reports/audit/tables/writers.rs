//! Language models as writers, held against the log: every step, and every proof that one rests on. Drafts are not: what is in shadow
//! decides nothing, and what people saw stands in the recommendations.

use std::collections::BTreeMap;

use serde_json::Value;

use super::Found;
use crate::domain::audit::AuditEntry;
use crate::store::{Snapshot, WriterStep};

/// What the log says of writers.
#[derive(Debug, Default)]
pub(super) struct Writers {
    /// Steps by number, each as its row should say it, and the entry that says so.
    steps: BTreeMap<i64, (String, i64)>,
    /// By id of the proof: of which writer, and whether it passed.
    proofs: BTreeMap<String, (String, i64)>,
}

impl Writers {
    /// Takes in an entry about a writer.
    pub(super) fn hear(&mut self, seq: i64, writer: &str, entry: &AuditEntry) {
        let detail = &entry.detail;
        if entry.action == "writer.proved" {
            let says = verdict(writer, detail["passed"] == Value::Bool(true));
            self.proofs.insert(entry.content.clone(), (says, seq));
        } else if let Some(step) = detail["seq"].as_i64() {
            let said = |key: &str| detail[key].as_str().unwrap_or_default();
            let says = in_words(writer, said("step"), &entry.actor, said("proof"), said("reason"));
            self.steps.insert(step, (says, seq));
        }
    }
}

fn in_words(writer: &str, step: &str, by: &str, proof: &str, reason: &str) -> String {
    format!("{writer} {step} by {by} on {proof}: {}", reason.replace('\0', "\u{fffd}"))
}

fn step_in_words(step: &WriterStep) -> String {
    in_words(&step.writer, step.change.name(), &step.by, &step.proof, &step.reason)
}

fn verdict(writer: &str, passed: bool) -> String {
    format!("{writer} {}", if passed { "passed" } else { "did not pass" })
}

/// Compares what the tables say with what was heard.
pub(super) async fn compare(from: &mut Snapshot, told: &Writers, found: &mut Found) -> anyhow::Result<()> {
    let mut left = told.steps.clone();
    for step in from.writer_steps().await? {
        let row = format!("step {} of writers", step.seq);
        match left.remove(&step.seq) {
            Some((logged, seq)) => found.same(&row, "step", seq, &logged, &step_in_words(&step)),
            None => found.unknown(&row),
        }
    }
    for (step, (_, seq)) in left {
        found.gone(&format!("step {step} of writers"), seq);
    }
    let mut left = told.proofs.clone();
    for kept in from.proofs().await? {
        let row = format!("proof {}", kept.id);
        found.column(&row, "result", &kept.proof.passed().to_string(), &kept.passed.to_string());
        // The id is a hash of what was found, so it does not fit a body that was changed.
        found.column(&row, "hash", &kept.proof.hash(), &kept.id);
        let says = verdict(&kept.proof.writer.id(), kept.proof.passed());
        match left.remove(&kept.id) {
            Some((logged, seq)) => found.same(&row, "result", seq, &logged, &says),
            None => found.unknown(&row),
        }
    }
    for (id, (_, seq)) in left {
        found.gone(&format!("proof {id}"), seq);
    }
    Ok(())
}
