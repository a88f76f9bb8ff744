//! The door by which people come to see a model's words, and by which they see the playbook again.
//!
//! Only a person promotes, by the policy's right (`[detectors]`), a writer that was better than the playbook on a suite within the last
//! days; where two may, two do, by two hands. Taking back takes one, or a failing gate, or drafts that got worse.

use anyhow::Context as _;
use jiff::Timestamp;
use serde_json::json;

use super::{Stand, State, drift, stand};
use crate::clock::Clock;
use crate::config::Config;
use crate::domain::audit::AuditEntry;
use crate::domain::hand::Hand;
use crate::domain::writer::{Proof, Writer};
use crate::pipeline::promoting::{VALID_DAYS, Who, confirms, is_recent, may, said, stands, takes_two};
use crate::store::{KeptProof, Store, StoreError, WriterChange, WriterStep};

/// What whoever promotes wishes to do.
const WHAT: &str = "change whose words people see";
/// The stage that takes words back.
const STAGE: &str = "draft";

/// What came of a wish to change whose words people see.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Changed {
    /// It is so from the next draft on.
    Done(WriterStep),
    /// It waits for a second person.
    Proposed(WriterStep),
    /// It was so already.
    Same,
}

/// Keeps what a writer was found at on a suite. A writer that had earned its words and now fails is taken back. Answers the proof's id
/// and whether that happened.
///
/// # Errors
/// The store's.
pub async fn proved(
    store: &Store,
    clock: &Clock,
    proof: &Proof,
    (by, channel): (&str, &str),
) -> anyhow::Result<(String, bool)> {
    let entry = AuditEntry::by(by, channel, proof.at, "writer.proved", subject(&proof.writer)).on(proof.hash()).with(json!({
        "writer": proof.writer, "suite": proof.suite, "passed": proof.passed(), "found": proof.found, "missing": proof.missing,
        "runs": proof.runs,
    }));
    let id = store.add_proof(proof, by, &store.with_os_user(entry)).await.context("keeping the proof")?;
    let back = !proof.passed() && stand(store, &proof.writer).await?.state == State::Earned;
    if back {
        let why = format!("it no longer passes on {}: {}", proof.suite, proof.missing.join("; "));
        taken_back_by_stage(store, clock, &proof.writer, &why).await?;
    }
    Ok((id, back))
}

/// Has people see a writer's words from now on, in the name of a person. `proof` is the id of the proof that they were shown, where they were:
/// they sign that one and no other. A proposal stands on the proof that it was made on; by a newer one it is made anew.
///
/// # Errors
/// When the person is unknown or may not, the writer was not better than the playbook within the last days, its drafts in shadow are
/// worse than they may be, one person or one hand would do what takes two, another proof was kept than the one that was shown, or the
/// store can not keep it.
pub async fn promote(
    store: &Store,
    config: &Config,
    clock: &Clock,
    who: Who<'_>,
    writer: &Writer,
    reason: &str,
    proof: Option<&str>,
) -> anyhow::Result<Changed> {
    let (by, channel, hand) = who;
    may(config, by, WHAT)?;
    let now = stand(store, writer).await?;
    if now.state == State::Earned {
        return Ok(Changed::Same);
    }
    let reason = said(reason)?;
    let shown = proof;
    let proof = passed(store, &now, clock.now()).await?;
    anyhow::ensure!(
        shown.is_none_or(|shown| shown == proof.id),
        "{writer} was held beside the playbook again, on {}, and what you were shown is not the newest proof; look at that one",
        proof.proof.suite
    );
    let drafts = drift::of_late(store, config, clock, &now).await?;
    // A suite is made up. What it drafted in shadow is about this shop's own cases.
    if let Some(why) = drift::unfit(&drafts) {
        anyhow::bail!("{writer} can not be promoted: of its drafts in shadow, {why}; `reeve words status` shows them");
    }
    let two = takes_two(config);
    let first = now.proposed.as_ref().filter(|old| old.proof == proof.id && stands(config, &old.by, old.at, clock.now()));
    if let (true, Some(first)) = (two, first) {
        confirms(config, (&first.by, first.hand.as_ref()), by, hand)?;
    }
    let change = if two && first.is_none() { WriterChange::Proposed } else { WriterChange::Promoted };
    let step = step(&now, change, (by.as_str(), Some(hand)), clock.now(), reason, proof.id);
    keep(store, writer, &step, Some(channel), first.filter(|_| two)).await?;
    Ok(if change == WriterChange::Proposed { Changed::Proposed(step) } else { Changed::Done(step) })
}

/// Has people see the playbook again, in the name of a person; a proposal is withdrawn by it too.
///
/// # Errors
/// As [`promote`]; no proof is asked for, and one person is enough.
pub async fn take_back(
    store: &Store,
    config: &Config,
    clock: &Clock,
    who: Who<'_>,
    writer: &Writer,
    reason: &str,
) -> anyhow::Result<Changed> {
    let (by, channel, hand) = who;
    may(config, by, WHAT)?;
    let now = stand(store, writer).await?;
    if now.state != State::Earned && now.proposed.is_none() {
        return Ok(Changed::Same);
    }
    let step = step(&now, WriterChange::TakenBack, (by.as_str(), Some(hand)), clock.now(), said(reason)?, String::new());
    keep(store, writer, &step, Some(channel), None).await?;
    Ok(Changed::Done(step))
}

/// Has people see the playbook again because of what was measured: nobody asked for it, and every digest says so from then on.
///
/// # Errors
/// The store's.
pub async fn taken_back_by_stage(store: &Store, clock: &Clock, writer: &Writer, why: &str) -> anyhow::Result<()> {
    let now = stand(store, writer).await?;
    if now.state != State::Earned {
        return Ok(());
    }
    let by = format!("stage:{STAGE}");
    let step = step(&now, WriterChange::TakenBack, (&by, None), clock.now(), said(why)?, String::new());
    tracing::warn!(model = %writer.model, "People see the playbook again: {why}");
    keep(store, writer, &step, None, None).await
}

fn step(
    now: &Stand,
    change: WriterChange,
    (by, hand): (&str, Option<&Hand>),
    at: Timestamp,
    reason: String,
    proof: String,
) -> WriterStep {
    let (writer, hand) = (now.writer.id(), hand.cloned());
    WriterStep { seq: now.last + 1, writer, change, by: by.to_owned(), at, reason, hand, proof }
}

/// Writes a step down; `channel` is None for what a stage did.
async fn keep(
    store: &Store,
    writer: &Writer,
    step: &WriterStep,
    channel: Option<&str>,
    first: Option<&WriterStep>,
) -> anyhow::Result<()> {
    let detail = json!({
        "seq": step.seq, "step": step.change.name(), "writer": writer, "reason": step.reason, "proof": step.proof,
        "proposed_by": first.map(|first| &first.by), "hand": step.hand.as_ref().map(Hand::recorded),
    });
    let (action, subject) = (format!("writer.{}", step.change.name()), subject(writer));
    // Somebody is told only where a command gave their name. What a stage did stands in the log and in every digest.
    let (entry, notice) = match channel {
        Some(channel) => {
            let entry = AuditEntry::by(&step.by, channel, step.at, &action, subject.clone()).with(detail);
            let occasion = [subject.as_str(), step.change.name(), &step.seq.to_string()];
            let person = crate::domain::ids::PersonId::new(step.by.clone());
            let notice = store.told_by_command(channel, &person, &occasion, &told(writer, step), step.at);
            (store.with_os_user(entry), notice)
        }
        None => (AuditEntry::by_stage(STAGE, step.at, &action, subject).with(detail), None),
    };
    let kept = store.add_writer_step(step, notice.as_slice(), &entry).await;
    kept.map_err(|error| {
        let why = match error {
            StoreError::Conflict => {
                "somebody else changed whose words people see at the same moment; look at it and try again"
            }
            _ => "writing down whose words people see",
        };
        anyhow::Error::new(error).context(why)
    })?;
    tracing::info!(by = %step.by, model = %writer.model, "A writer was {}", step.change.name());
    Ok(())
}

fn subject(writer: &Writer) -> String {
    format!("writer:{}", writer.id())
}

/// A step in a sentence.
pub fn told(writer: &Writer, step: &WriterStep) -> String {
    let done = match step.change {
        WriterChange::Proposed => "was proposed to write what people see",
        WriterChange::Promoted => "writes what people see",
        WriterChange::TakenBack => "was taken back, people see the playbook",
    };
    format!("{writer} {done}: {}", step.reason)
}

/// The newest proof of a writer, which it has to have passed since its words were taken back.
async fn passed(store: &Store, now: &Stand, at: Timestamp) -> anyhow::Result<KeptProof> {
    let since = now.since.as_ref().map(|step| step.at);
    let all = store.list_proofs(&now.writer.id()).await?;
    let counts = |kept: &KeptProof| is_recent(kept.proof.at, at) && since.is_none_or(|since| kept.proof.at > since);
    let writer = &now.writer;
    let newest = all.into_iter().find(counts).with_context(|| {
        let when = if since.is_some() { "since its words were taken back" } else { "yet" };
        format!("{writer} was not held against the playbook within {VALID_DAYS} days, or not {when}; run `reeve words prove` first")
    })?;
    anyhow::ensure!(
        newest.proof.passed() && newest.passed && newest.id == newest.proof.hash(),
        "{writer} has not earned its words on {}: {}",
        newest.proof.suite,
        newest.proof.missing.join("; ")
    );
    Ok(newest)
}
