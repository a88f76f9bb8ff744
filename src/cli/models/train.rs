//! `reeve models train`: detectors from trials, or from a shop's own history.

use std::io::Write as _;
use std::path::PathBuf;

use anyhow::Context;
use clap::Args;
use indicatif::{ProgressBar, ProgressStyle};

use super::{Seeds, Shop, create, history, megabytes, spinner};
use crate::cli::{Outcome, print_json};
use crate::config::Config;
use crate::lab::detectors;
use crate::lab::own;
use crate::models::demand::detector::Detector as DemandDetector;
use crate::models::demand::train::Lesson;
use crate::models::receiving::{Detector as ReceivingDetector, Labelled};

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
    /// The file to write.
    #[arg(long, value_name = "FILE")]
    out: PathBuf,
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
    out: String,
    bytes: usize,
}

pub(super) async fn run(config: Config, args: Train, json: bool) -> anyhow::Result<Outcome> {
    let (text, trained_on) = if !args.what.receiving.is_empty() {
        receiving(&args)?
    } else if !args.what.demand.is_empty() {
        demand(&args)?
    } else {
        Box::pin(own(config, &args)).await?
    };
    let mut out = create(&args.out)?;
    out.write_all(text.as_bytes()).and_then(|()| out.flush()).with_context(|| format!("writing {}", args.out.display()))?;
    if json {
        print_json(&Summary { trained_on, out: args.out.display().to_string(), bytes: text.len() })?;
    } else {
        say!(
            "Trained on {trained_on}; the detector is in {}. Score with it: reeve models score --model.",
            args.out.display()
        );
    }
    Ok(Outcome::Fine)
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

fn demand(args: &Train) -> anyhow::Result<(String, String)> {
    let reading = spinner("reading histories and putting exceptions into them");
    let mut lessons: Vec<Lesson> = Vec::new();
    for path in &args.what.demand {
        let trials = detectors::demand_trials(path, args.track.track(), &args.seeds.0)?;
        lessons.extend(trials.into_iter().map(|(_, trial)| trial.lesson()));
    }
    reading.finish_and_clear();
    let labelled: usize = lessons.iter().map(|lesson| lesson.labels.len()).sum();
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
    Ok((detector.to_json().ok_or_else(untrained)?, on))
}

/// Bytes for each labelled day of a series; twice that while trees grow.
const LABELLED_BYTES: usize = 300;

fn receiving(args: &Train) -> anyhow::Result<(String, String)> {
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
    Ok((detector.to_json().ok_or_else(untrained)?, format!("{} trials, {lines} lines", trials.len())))
}

/// Bytes for each line, its features and names.
const LINE_BYTES: usize = 1_500;

async fn own(config: Config, args: &Train) -> anyhow::Result<(String, String)> {
    let reading = spinner("reading the history");
    let panel = history::read(config, args.what.recording.clone()).await?;
    reading.finish_and_clear();
    let bar = rounds();
    let days = panel.days().len();
    let watch = |done: usize, of: usize| {
        bar.set_length(of as u64);
        bar.set_position(done as u64);
    };
    let detector = own::learn(DemandDetector::shipped(), &panel, days, args.seed, watch)?;
    bar.finish_and_clear();
    let on = format!("{} series over {days} days, with exceptions put into them", panel.keys().len());
    Ok((detector.to_json().ok_or_else(untrained)?, on))
}
