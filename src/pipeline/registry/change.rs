//! The door of the registry: adding a version, holding it to the test, promoting it, and going back.
//!
//! Only a person promotes, by the policy's right (`[detectors]`), what has passed a validation beside the version in force; where
//! two may, two do, by two hands. Going back to what was in force before takes one: it only restores what people had agreed to.

use anyhow::Context as _;
use jiff::Timestamp;
use serde_json::json;

use super::program::sha256;
use super::{InForce, in_force, load, program, read};
use crate::clock::Clock;
use crate::config::Config;
use crate::domain::audit::AuditEntry;
use crate::domain::hand::Hand;
use crate::domain::model::{ModelKind, ModelName, ModelSheet, Validation};
use crate::pipeline::promoting::{VALID_DAYS, Who, confirms, is_recent, may, said, stands, takes_two};
use crate::store::{KeptValidation, ModelChange, ModelStep, Store, StoreError};

/// What came of a wish to change what runs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Changed {
    /// It runs from the next look on.
    Done(ModelStep),
    /// It waits for a second person.
    Proposed(ModelStep),
    /// It ran already.
    Same,
}

/// What whoever promotes wishes to do.
const WHAT: &str = "change which detector runs";

/// Adds a version whose parameters are `parameters`. Answers whether it was new.
///
/// # Errors
/// When the parameters are not those of its name, or the store can not keep them.
pub async fn add(
    store: &Store,
    clock: &Clock,
    sheet: &ModelSheet,
    parameters: &str,
    by: &str,
    channel: &str,
) -> anyhow::Result<bool> {
    read(&sheet.name, parameters).map_err(|why| anyhow::anyhow!("{} can not be added: {why}", sheet.name))?;
    anyhow::ensure!(
        sheet.sha256 == sha256(Some(parameters)),
        "{} can not be added: its parameters do not match their checksum",
        sheet.name
    );
    let at = clock.now();
    let entry = AuditEntry::by(by, channel, at, "model.added", format!("model:{}", sheet.name))
        .on(sheet.hash())
        .with(json!({ "sha256": sheet.sha256, "recipe": sheet.recipe }));
    let entry = store.with_os_user(entry);
    store.add_model(sheet, Some(parameters), (by, at), Some(&entry)).await.context("adding it to the registry")
}

/// Keeps what a version was measured at. Answers its id.
///
/// # Errors
/// The store's.
pub async fn validated(store: &Store, validation: &Validation, by: &str, channel: &str) -> anyhow::Result<String> {
    let subject = format!("model:{}", validation.model);
    let entry = AuditEntry::by(by, channel, validation.at, "model.validated", subject).on(validation.hash()).with(json!({
        "beside": validation.beside, "on": validation.on, "passed": validation.passed(), "failed": validation.failed,
        "measures": validation.measures,
    }));
    store.add_validation(validation, by, &store.with_os_user(entry)).await.context("keeping the validation")
}

/// Puts a version in force, in the name of a person.
///
/// # Errors
/// When the person is unknown or may not, the version is not there, can not be read or has not passed a validation beside what runs,
/// one person or one hand would do what takes two, or the store can not keep it.
pub async fn promote(
    store: &Store,
    config: &Config,
    clock: &Clock,
    who: Who<'_>,
    name: &ModelName,
    reason: &str,
) -> anyhow::Result<Changed> {
    let (by, _, hand) = who;
    may(config, by, WHAT)?;
    let now = in_force(store, config).await?;
    if now.names.get(&name.kind) == Some(name) {
        return Ok(Changed::Same);
    }
    let reason = said(reason)?;
    if let Err(why) = load(store, config, name).await? {
        anyhow::bail!("{name} can not be promoted: {why}; `reeve models list` shows what is there");
    }
    let beside = now.models().name(name.kind);
    let proof = passed(store, name, &beside, clock.now()).await?;
    // What comes with the program is kept beside what was trained, for it has to be there when another program comes.
    if let Some((sheet, parameters)) = program::sheet(&config.rules.models, name) {
        store.add_model(&sheet, parameters.as_deref(), (program::BY, clock.now()), None).await?;
    }
    let two = takes_two(config);
    let stands = |old: &&ModelStep| stands(config, old.by.as_str(), old.at, clock.now());
    // A proposal that is too old, or whose maker may not promote any more, is none: then this is the first step.
    let first = now.proposed.iter().find(|old| old.name == *name && stands(old));
    if let (true, Some(first)) = (two, first) {
        confirms(config, (first.by.as_str(), first.hand.as_ref()), by, hand)?;
    }
    let change = if two && first.is_none() { ModelChange::Proposed } else { ModelChange::Promoted };
    let step = step(&now, name, change, who, clock.now(), reason, proof.id);
    keep(store, &step, who.1, &beside, first.filter(|_| two)).await?;
    Ok(if change == ModelChange::Proposed { Changed::Proposed(step) } else { Changed::Done(step) })
}

/// Goes back to a version that was in force before; the last one, where none is named.
///
/// # Errors
/// As [`promote`]; no validation is asked for, and one person is enough.
pub async fn roll_back(
    store: &Store,
    config: &Config,
    clock: &Clock,
    who: Who<'_>,
    (kind, to): (ModelKind, Option<&ModelName>),
    reason: &str,
) -> anyhow::Result<Changed> {
    may(config, who.0, WHAT)?;
    let now = in_force(store, config).await?;
    let reason = said(reason)?;
    let history = now.history.get(&kind).map_or(&[][..], Vec::as_slice);
    let current = history.last().context("every kind has a version in force")?;
    let name = match to {
        Some(name) if name == current => return Ok(Changed::Same),
        // Only to what people agreed to once; anything else has to pass the test first.
        Some(name) => history.iter().find(|was| *was == name),
        None => before(history),
    };
    let name = name.with_context(|| {
        let was: Vec<String> = history.iter().map(ToString::to_string).collect();
        format!("there is no such version to go back to: of {kind} there were in force {}", was.join(", "))
    })?;
    if let Err(why) = load(store, config, name).await? {
        anyhow::bail!("{name} can not be put in force again: {why}");
    }
    let step = step(&now, name, ModelChange::RolledBack, who, clock.now(), reason, String::new());
    keep(store, &step, who.1, current, None).await?;
    Ok(Changed::Done(step))
}

/// What was in force before the last of a history came: going back twice goes on back, not to and fro.
fn before(history: &[ModelName]) -> Option<&ModelName> {
    let current = history.last()?;
    let came = history.iter().position(|was| was == current)?;
    history[..came].last()
}

fn step(
    now: &InForce,
    name: &ModelName,
    change: ModelChange,
    (by, _, hand): Who<'_>,
    at: Timestamp,
    reason: String,
    validation: String,
) -> ModelStep {
    ModelStep {
        seq: now.last + 1,
        name: name.clone(),
        change,
        by: by.clone(),
        at,
        reason,
        hand: Some(hand.clone()),
        validation,
    }
}

async fn keep(
    store: &Store,
    step: &ModelStep,
    channel: &str,
    before: &ModelName,
    first: Option<&ModelStep>,
) -> anyhow::Result<()> {
    let subject = format!("model:{}", step.name);
    let detail = json!({
        "seq": step.seq, "step": step.change.name(), "before": before, "reason": step.reason,
        "validation": step.validation, "proposed_by": first.map(|first| &first.by),
        "hand": step.hand.as_ref().map(Hand::recorded),
    });
    let entry =
        AuditEntry::by(step.by.as_str(), channel, step.at, &format!("model.{}", step.change.name()), subject.clone())
            .with(detail);
    let what = told(step);
    let occasion = [subject.as_str(), step.change.name(), &step.seq.to_string()];
    let notice = store.told_by_command(channel, &step.by, &occasion, &what, step.at);
    match store.add_model_step(step, notice.as_slice(), &store.with_os_user(entry)).await {
        Err(StoreError::Conflict) => {
            anyhow::bail!("somebody else changed a detector at the same moment; look at it and try again")
        }
        kept => kept.context("writing it to the registry")?,
    }
    tracing::info!(by = %step.by, model = %step.name, "A detector was {}", step.change.name());
    Ok(())
}

/// A step in a sentence.
pub fn told(step: &ModelStep) -> String {
    let done = match step.change {
        ModelChange::Proposed => "was proposed",
        ModelChange::Promoted => "was promoted",
        ModelChange::RolledBack => "is in force again",
    };
    format!("{} {done}: {}", step.name, step.reason)
}

/// The newest validation of a version beside the one that runs, which it has to have passed.
async fn passed(store: &Store, name: &ModelName, beside: &ModelName, now: Timestamp) -> anyhow::Result<KeptValidation> {
    let all = store.list_validations(name).await?;
    let recent = |kept: &KeptValidation| kept.validation.beside == *beside && is_recent(kept.validation.at, now);
    let newest = all.into_iter().find(recent).with_context(|| {
        format!(
            "{name} has not been held against {beside}, which runs, within {VALID_DAYS} days; run `reeve models validate {name}` first"
        )
    })?;
    anyhow::ensure!(
        // Both what it measured and what its row says: a row that was changed past Reeve is no proof.
        newest.validation.passed() && newest.passed && newest.id == newest.validation.hash(),
        "{name} did not pass its newest validation beside {beside}: {}",
        newest.validation.failed.join("; ")
    );
    Ok(newest)
}
