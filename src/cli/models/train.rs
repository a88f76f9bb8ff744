//! `reeve models train`: detectors from trials, or from a shop's own history.

use std::io::Write as _;
use std::path::PathBuf;

use anyhow::Context;
use clap::Args;
use indicatif::{ProgressBar, ProgressStyle};

use super::{Seeds, Shop, create, history, megabytes, spinner};
use crate::cli::{Outcome, open, print_json};
use crate::config::Config;
use crate::domain::audit::BY_COMMAND;
use crate::domain::ids::content_hash;
use crate::domain::model::{ModelKind, ModelName, Recipe};
use crate::lab::{detectors, own, validate};
use crate::models::demand::detector::Detector as DemandDetector;
use crate::models::demand::train::Lesson;
use crate::models::receiving::{Detector as ReceivingDetector, Labelled};
use crate::pipeline::registry;
use crate::rules::settings::program;

/// What to train on.
#[derive(Debug, Args)]
pub(in crate::cli) struct Train {
    #[command(flatten)]
    what: What,
    /// What shop a base file of demand is of: says how much is injected.
    #[arg(long, value_enum, default_value = "fresh")]
    track: Shop,
    /// Seeds of the trials that are made of base files: 101-110, or 1,5,9.
    #[arg(long, default_value = "101-104")]
    seeds: Seeds,
    /// Seed of the training itself.
    #[arg(long, default_value_t = 0)]
    seed: u64,
    /// The file to write its parameters to; left out, it becomes a version in the store's registry.
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,
}

/// What is trained on; the demand in the store when nothing is named.
#[derive(Debug, Args)]
#[group(multiple = false)]
struct What {
    /// Trials of demand: folders with truth.csv, or base files (.csv.gz), of which one trial is made for each seed.
    #[arg(long, value_name = "PATH", num_args = 1..)]
    demand: Vec<PathBuf>,
    /// Trials of receiving, as --demand.
    #[arg(long, value_name = "PATH", num_args = 1..)]
    receiving: Vec<PathBuf>,
    /// Folder of a recording: the detector that comes with the program learns from the demand in it, by exceptions put there.
    #[arg(long, value_name = "DIR")]
    recording: Option<PathBuf>,
}

#[derive(serde::Serialize)]
struct Summary {
    trained_on: String,
    name: ModelName,
    /// The file; none where it went into the registry.
    out: Option<String>,
    bytes: usize,
}

/// What training came to.
struct Trained {
    kind: ModelKind,
    parameters: String,
    recipe: Recipe,
}

pub(super) async fn run(config: Config, args: Train, json: bool) -> anyhow::Result<Outcome> {
    let trained = if !args.what.receiving.is_empty() {
        receiving(&args)?
    } else if !args.what.demand.is_empty() {
        demand(&args)?
    } else {
        Box::pin(own(config.clone(), &args)).await?
    };
    let Trained { kind, parameters, recipe } = trained;
    let sheet = registry::sheet_of(kind, &parameters, recipe)?;
    let mut added = false;
    if let Some(path) = &args.out {
        let mut out = create(path)?;
        let written = out.write_all(parameters.as_bytes()).and_then(|()| out.flush());
        written.with_context(|| format!("writing {}", path.display()))?;
    } else {
        let store = open::store(&config).await?;
        let clock = open::clock_of(&store, &config).await?;
        // Into the registry, where a version is held to the test before it may run (decision 97).
        added = registry::add(&store, &clock, &sheet, &parameters, BY_COMMAND, BY_COMMAND).await?;
    }
    let out = args.out.map(|path| path.display().to_string());
    let (trained_on, name) = (sheet.recipe.trained_on, sheet.name);
    if json {
        print_json(&Summary { trained_on, name, out, bytes: parameters.len() })?;
        return Ok(Outcome::Fine);
    }
    match out {
        Some(out) => {
            say!("Trained on {trained_on}; the detector {name} is in {out}. Score with it: reeve models score --model.");
        }
        None if added => {
            say!("Trained on {trained_on}: {name} is in the registry. Hold it to the test: reeve models validate {name}.");
        }
        None => say!("Trained on {trained_on}: {name} was in the registry already, for nothing has changed."),
    }
    Ok(Outcome::Fine)
}

/// The recipe of this program.
fn recipe(trained_on: String, data_hash: String, seed: u64, learned_from: Option<ModelName>) -> Recipe {
    Recipe { trained_on, data_hash, seed, learned_from, program: env!("CARGO_PKG_VERSION").to_owned() }
}

/// A bar over rounds of trees.
fn rounds() -> ProgressBar {
    let bar = ProgressBar::new(0);
    if let Ok(style) =
        ProgressStyle::with_template("{spinner} [{bar:28}] tree {pos} of {len}, {msg} ({elapsed}, {eta} to go)")
    {
        bar.set_style(style.progress_chars("=> "));
    }
    bar
}

fn untrained() -> anyhow::Error {
    anyhow::anyhow!("the detector learned nothing that could be written")
}

fn demand(args: &Train) -> anyhow::Result<Trained> {
    let reading = spinner("reading histories and putting exceptions into them");
    let mut lessons: Vec<Lesson> = Vec::new();
    for path in &args.what.demand {
        let trials = detectors::demand_trials(path, args.track.track(), &args.seeds.0)?;
        lessons.extend(trials.into_iter().map(|(_, trial)| trial.lesson()));
    }
    reading.finish_and_clear();
    let labelled: usize = lessons.iter().map(|lesson| lesson.labels.len()).sum();
    let hashes: Vec<String> = lessons.iter().map(|lesson| validate::panel_hash(&lesson.panel)).collect();
    let bar = rounds();
    bar.set_message(format!("at most {}", megabytes(labelled * 2 * LABELLED_BYTES)));
    let watch = |done: usize, of: usize| {
        bar.set_length(of as u64);
        bar.set_position(done as u64);
    };
    let params = DemandDetector::params().seed(args.seed);
    let detector = DemandDetector::unsupervised().train(&lessons, params, watch)?;
    bar.finish_and_clear();
    let on = format!("{} trials, {labelled} days of series", lessons.len());
    let parameters = detector.to_json().ok_or_else(untrained)?;
    Ok(Trained { kind: ModelKind::Demand, parameters, recipe: recipe(on, hash_of(&hashes), args.seed, None) })
}

/// One hash of several.
fn hash_of(hashes: &[String]) -> String {
    content_hash(&hashes.iter().map(String::as_str).collect::<Vec<_>>())
}

/// Bytes for each labelled day of a series; twice that while trees grow.
const LABELLED_BYTES: usize = 300;

fn receiving(args: &Train) -> anyhow::Result<Trained> {
    let bar = spinner("reading orders and putting exceptions into them");
    let mut trials = Vec::new();
    for path in &args.what.receiving {
        let read = detectors::receiving_trials(path, &args.seeds.0)?;
        trials.extend(read.into_iter().map(|(_, trial)| (trial.labels(), trial.records)));
    }
    let folders: Vec<Labelled<'_>> = trials.iter().map(|(labels, records)| Labelled { records, labels }).collect();
    let lines: usize = trials.iter().map(|(labels, _)| labels.len()).sum();
    bar.set_message(format!("training on {lines} lines, at most {}", megabytes(lines * 2 * LINE_BYTES)));
    let detector = ReceivingDetector::train(&folders, args.seed)?;
    bar.finish_and_clear();
    let hashes: Vec<String> = trials.iter().map(|(_, records)| validate::records_hash(records)).collect();
    let on = format!("{} trials, {lines} lines", trials.len());
    let parameters = detector.to_json().ok_or_else(untrained)?;
    Ok(Trained { kind: ModelKind::Receiving, parameters, recipe: recipe(on, hash_of(&hashes), args.seed, None) })
}

/// Bytes for each line, its features and names.
const LINE_BYTES: usize = 1_500;

async fn own(config: Config, args: &Train) -> anyhow::Result<Trained> {
    let reading = spinner("reading the history");
    let shipped = program::demand();
    let panel = Box::pin(history::read(config, args.what.recording.clone())).await?;
    reading.finish_and_clear();
    let bar = rounds();
    // What goes into the registry is validated on the last days, so it must not have seen them.
    let held_out = if args.out.is_some() { 0 } else { validate::HELD_OUT_DAYS };
    let days = panel.days().len().saturating_sub(held_out);
    let watch = |done: usize, of: usize| {
        bar.set_length(of as u64);
        bar.set_position(done as u64);
    };
    let detector = own::learn(shipped.detector(), &panel, days, args.seed, watch)?;
    bar.finish_and_clear();
    let until = days.checked_sub(1).and_then(|last| panel.days().get(last)).map(|day| format!(" until {day}"));
    let until = until.unwrap_or_default();
    let on = format!("{} series over {days} days{until}, with exceptions put into them", panel.keys().len());
    let parameters = detector.to_json().ok_or_else(untrained)?;
    let from = ModelName { kind: ModelKind::Demand, version: shipped.version().to_owned() };
    // Of the days that it learned from, without those that are held out.
    let hash = validate::panel_hash(&panel.until(days)?);
    Ok(Trained { kind: ModelKind::Demand, parameters, recipe: recipe(on, hash, args.seed, Some(from)) })
}
