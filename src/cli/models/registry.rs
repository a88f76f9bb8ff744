//! `reeve models list, card, diff, add, export, promote, rollback`: the registry from the command line.

use std::path::PathBuf;

use anyhow::Context;
use clap::Args;
use serde_json::{Value, json};

use super::package;
use crate::cli::{Outcome, open, print_json, terminal};
use crate::config::Config;
use crate::domain::audit::BY_COMMAND;
use crate::domain::ids::PersonId;
use crate::domain::model::{ModelKind, ModelName, ModelSheet, Validation};
use crate::pipeline::registry::{self, Changed, InForce, program};
use crate::store::{ModelStep, Store};

/// Which versions are compared.
#[derive(Debug, Args)]
pub(in crate::cli) struct Diff {
    /// A version, such as demand/trained-1c9f03ab.
    one: ModelName,
    /// Another of the same detector.
    other: ModelName,
}

/// What is added.
#[derive(Debug, Args)]
pub(in crate::cli) struct Add {
    /// A folder that `reeve models export` wrote.
    folder: PathBuf,
}

/// What is written, and where to.
#[derive(Debug, Args)]
pub(in crate::cli) struct Export {
    /// The version.
    name: ModelName,
    /// The folder below which DETECTOR/VERSION is made.
    #[arg(long, value_name = "DIR", default_value = "models")]
    out: PathBuf,
}

/// What is promoted, by whom and why.
#[derive(Debug, Args)]
pub(in crate::cli) struct Promote {
    /// The version; it has to have passed `reeve models validate` beside the one that runs.
    name: ModelName,
    /// Who: whoever the policy names under [detectors].
    #[arg(long = "as", value_name = "PERSON")]
    person: String,
    /// Why; the audit log keeps it.
    #[arg(long)]
    reason: String,
}

/// What is gone back to, by whom and why.
#[derive(Debug, Args)]
pub(in crate::cli) struct Rollback {
    /// Of which detector: demand or receiving.
    detector: ModelKind,
    /// The version to go back to; the one before the one that runs, when left out.
    #[arg(long, value_name = "NAME")]
    to: Option<ModelName>,
    /// Who: whoever the policy names under [detectors].
    #[arg(long = "as", value_name = "PERSON")]
    person: String,
    /// Why; the audit log keeps it.
    #[arg(long)]
    reason: String,
}

/// A version with its parameters, from the store or from the program.
pub(super) async fn find(store: &Store, config: &Config, name: &ModelName) -> anyhow::Result<(ModelSheet, Option<String>)> {
    if let Some(kept) = store.find_model(name).await? {
        return Ok((kept.sheet, store.find_parameters(name).await?));
    }
    program::sheet(&config.rules.models, name)
        .with_context(|| format!("there is no detector {name}; `reeve models list` shows what there is"))
}

async fn validations(store: &Store, name: &ModelName) -> anyhow::Result<Vec<Validation>> {
    Ok(store.list_validations(name).await?.into_iter().map(|kept| kept.validation).collect())
}

pub(super) async fn list(config: &Config, json: bool) -> anyhow::Result<Outcome> {
    let store = open::store_to_read(config).await?;
    let now = registry::in_force(&store, config).await?;
    let kept = store.list_models().await?;
    // What comes with the program is not all in the store: that keeps what it began with (decision 96).
    let mut names: Vec<ModelName> = kept.iter().map(|kept| kept.sheet.name.clone()).chain(program::names()).collect();
    names.sort();
    names.dedup();
    let mut rows = Vec::new();
    for name in &names {
        let newest = store.list_validations(name).await?.into_iter().next();
        let is_kept = kept.iter().find(|kept| kept.sheet.name == *name);
        let from = is_kept.map_or_else(|| "comes with the program".to_owned(), |kept| format!("added by {}", kept.by));
        let on = is_kept.map(|kept| kept.sheet.recipe.trained_on.clone());
        rows.push((name, state(&now, name), from, on, newest.map(|kept| kept.validation)));
    }
    if json {
        let row = |(name, state, from, on, newest): &(&ModelName, &str, String, Option<String>, Option<Validation>)| json!({ "name": name, "state": state, "from": from, "trained_on": on, "newest_validation": newest });
        print_json(&json!({
            "versions": rows.iter().map(row).collect::<Vec<_>>(),
            "proposed": now.proposed.iter().map(step).collect::<Vec<_>>(),
            "unreadable": now.unreadable,
        }))?;
        return Ok(Outcome::Fine);
    }
    for (name, state, from, on, newest) in &rows {
        let tested = newest.as_ref().map_or_else(
            || "not validated".to_owned(),
            |v| format!("{} beside {} on {}", if v.passed() { "passed" } else { "did not pass" }, v.beside, v.at),
        );
        let on = on.as_ref().map_or_else(String::new, |on| format!(", trained on {on}"));
        say!("{state:<9} {:<32} {from}{on}; {tested}", name.to_string());
    }
    for step in &now.proposed {
        say!("PROPOSED {} by {} at {}: {}. A second person confirms it.", step.name, step.by, step.at, step.reason);
    }
    for line in &now.unreadable {
        say!("UNREADABLE {line}");
    }
    Ok(Outcome::Fine)
}

/// What is done with a version, in a word.
fn state(now: &InForce, name: &ModelName) -> &'static str {
    let was = || now.history.get(&name.kind).is_some_and(|history| history.contains(name));
    if now.models().name(name.kind) == *name {
        "runs"
    } else if now.proposed.iter().any(|step| step.name == *name) {
        "proposed"
    } else if was() {
        "ran"
    } else {
        "-"
    }
}

fn step(step: &ModelStep) -> Value {
    json!({ "name": step.name, "step": step.change.name(), "by": step.by, "at": step.at, "reason": step.reason })
}

pub(super) async fn card(config: &Config, name: &ModelName, json: bool) -> anyhow::Result<Outcome> {
    let store = open::store_to_read(config).await?;
    let (sheet, _) = find(&store, config, name).await?;
    let all = validations(&store, name).await?;
    let steps: Vec<ModelStep> = store.list_model_steps().await?.into_iter().filter(|step| step.name == *name).collect();
    if json {
        let steps: Vec<Value> = steps.iter().map(self::step).collect();
        print_json(&json!({ "sheet": sheet, "validations": all, "steps": steps }))?;
        return Ok(Outcome::Fine);
    }
    terminal::block(&sheet.card);
    say!("");
    say!("Parameters {}", sheet.sha256);
    for validation in &all {
        say!("");
        say!("{}", super::validate::in_words(validation));
    }
    for step in &steps {
        say!("{} by {} at {}", registry::told(step), step.by, step.at);
    }
    Ok(Outcome::Fine)
}

pub(super) async fn diff(config: &Config, args: &Diff, json: bool) -> anyhow::Result<Outcome> {
    anyhow::ensure!(args.one.kind == args.other.kind, "{} and {} are not of one detector", args.one, args.other);
    let store = open::store_to_read(config).await?;
    let (one, other) = (find(&store, config, &args.one).await?.0, find(&store, config, &args.other).await?.0);
    let mut rows: Vec<(String, String, String)> = Vec::new();
    let learned = |sheet: &ModelSheet| sheet.recipe.learned_from.as_ref().map_or_else(String::new, ToString::to_string);
    for (what, one, other) in [
        ("parameters", one.sha256.clone(), other.sha256.clone()),
        ("trained on", one.recipe.trained_on.clone(), other.recipe.trained_on.clone()),
        ("data", one.recipe.data_hash.clone(), other.recipe.data_hash.clone()),
        ("seed", one.recipe.seed.to_string(), other.recipe.seed.to_string()),
        ("learned from", learned(&one), learned(&other)),
        ("program", one.recipe.program.clone(), other.recipe.program.clone()),
    ] {
        if one != other {
            rows.push((what.to_owned(), one, other));
        }
    }
    // Where they were judged side by side, that is what tells them apart.
    let beside = |name: &ModelName, all: Vec<Validation>| all.into_iter().find(|v| v.beside == *name);
    let direct = beside(&args.other, validations(&store, &args.one).await?);
    let turned = beside(&args.one, validations(&store, &args.other).await?);
    let (measures, on) = match (direct, turned) {
        (Some(v), _) => (v.measures, v.on),
        // Judged the other way round: the two figures change places.
        (None, Some(v)) => (v.measures.into_iter().map(|(name, (a, b))| (name, (b, a))).collect(), v.on),
        (None, None) => Default::default(),
    };
    if json {
        print_json(
            &json!({ "one": args.one, "other": args.other, "differ": rows, "measured_on": on, "measures": measures }),
        )?;
        return Ok(Outcome::Fine);
    }
    if rows.is_empty() {
        say!("They are the same.");
    }
    for (what, one, other) in &rows {
        let shown = |text: &str| if text.is_empty() { "-".to_owned() } else { text.to_owned() };
        say!("{what:<13} {}", shown(one));
        say!("{:<13} {}", "", shown(other));
    }
    if on.is_empty() {
        say!("They were not judged side by side; `reeve models validate` judges a version beside the one that runs.");
    } else {
        say!("Judged side by side on {on}:");
        for (name, (one, other)) in &measures {
            say!("  {name:<28} {one:.3} {other:.3}");
        }
    }
    Ok(Outcome::Fine)
}

pub(super) async fn add(config: &Config, args: &Add, json: bool) -> anyhow::Result<Outcome> {
    let (sheet, parameters) = package::read_folder(&args.folder)?;
    let store = open::store(config).await?;
    let clock = open::clock_of(&store, config).await?;
    let added = registry::add(&store, &clock, &sheet, &parameters, BY_COMMAND, BY_COMMAND).await?;
    if json {
        print_json(&json!({ "name": sheet.name, "added": added }))?;
    } else if added {
        say!("{} is in the registry. Hold it to the test: reeve models validate {0}.", sheet.name);
    } else {
        say!("{} was in the registry already.", sheet.name);
    }
    Ok(Outcome::Fine)
}

pub(super) async fn export(config: &Config, args: &Export, json: bool) -> anyhow::Result<Outcome> {
    let store = open::store_to_read(config).await?;
    let (sheet, parameters) = find(&store, config, &args.name).await?;
    let all = validations(&store, &args.name).await?;
    let folder = package::write(&args.out, &sheet, parameters.as_deref(), &all)?;
    if json {
        print_json(&json!({ "name": args.name, "folder": folder }))?;
    } else {
        say!("{} is in {}.", args.name, folder.display());
    }
    Ok(Outcome::Fine)
}

pub(super) async fn promote(config: &Config, args: Promote, json: bool) -> anyhow::Result<Outcome> {
    let store = open::store(config).await?;
    let clock = open::clock_of(&store, config).await?;
    let (by, hand) = (PersonId::new(args.person), store.hand_of_command());
    let who = (&by, BY_COMMAND, &hand);
    let done = registry::promote(&store, config, &clock, who, &args.name, &args.reason).await?;
    say_change(&done, json)
}

pub(super) async fn roll_back(config: &Config, args: Rollback, json: bool) -> anyhow::Result<Outcome> {
    let store = open::store(config).await?;
    let clock = open::clock_of(&store, config).await?;
    let (by, hand) = (PersonId::new(args.person), store.hand_of_command());
    let (who, to) = ((&by, BY_COMMAND, &hand), (args.detector, args.to.as_ref()));
    let done = registry::roll_back(&store, config, &clock, who, to, &args.reason).await?;
    say_change(&done, json)
}

fn say_change(done: &Changed, json: bool) -> anyhow::Result<Outcome> {
    let (what, made) = match done {
        Changed::Done(made) => ("done", Some(made)),
        Changed::Proposed(made) => ("proposed", Some(made)),
        Changed::Same => ("same", None),
    };
    if json {
        print_json(&json!({ "done": what, "step": made.map(step) }))?;
        return Ok(Outcome::Fine);
    }
    match done {
        Changed::Done(made) => say!("{} runs from the next look on. What people have decided goes on.", made.name),
        Changed::Proposed(made) => say!(
            "Proposed: {}. A second person, who is signed in by another hand, confirms it on the page under Health.",
            made.name
        ),
        Changed::Same => say!("It runs already; nothing was changed."),
    }
    Ok(Outcome::Fine)
}
