//! `reeve models score`: scores as CSV.

use std::io::Write as _;
use std::path::{Path, PathBuf};

use anyhow::Context;
use clap::{Args, ValueEnum};

use super::{create, history, megabytes, read_model, spinner};
use crate::cli::{Outcome, print_json};
use crate::config::Config;
use crate::lab::own::{self, OwnError};
use crate::lab::trial::{contest, files};
use crate::models::control::drift::Drift;
use crate::models::demand::detector::Detector as DemandDetector;
use crate::models::demand::panel::Panel;
use crate::models::demand::review::{Moved, Review, review};
use crate::models::receiving::{self, Detector as ReceivingDetector};

/// How to score.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Choice {
    /// The isolation forest, for tables.
    Forest,
    /// What needs no training, for demand and receiving.
    Unsupervised,
    /// The trained detector that comes with the program; of demand it first learns from the days before the first scored one.
    /// That of --model scores as it was written.
    Trained,
    /// The trained detector as it comes with the program: quicker, and the same for every shop.
    Shipped,
}

/// What to score, and how.
#[derive(Debug, Args)]
pub(in crate::cli) struct Score {
    #[command(flatten)]
    what: What,
    /// How to score; tables by the forest, all else trained when left out.
    #[arg(long, value_enum)]
    detector: Option<Choice>,
    /// A detector that `reeve models train` wrote; it scores as it is and learns nothing more.
    #[arg(long, value_name = "FILE")]
    model: Option<PathBuf>,
    /// The seed of what is drawn by lot: the forest's, and that of learning.
    #[arg(long, default_value_t = 0)]
    seed: u64,
    /// Of a recording or the store: how many of the last days to score.
    #[arg(long, default_value_t = 28)]
    days: usize,
    /// The file to write.
    #[arg(long, value_name = "FILE")]
    out: PathBuf,
    /// Of demand: also write the alarms that the promise allows, with probability, p-value, kind and what drove them.
    #[arg(long, value_name = "FILE")]
    alarms: Option<PathBuf>,
    /// Share of false ones among the alarms that is allowed.
    #[arg(long, value_name = "SHARE", default_value_t = 0.1)]
    promise: f64,
}

/// What is scored; the demand in the store when nothing is named.
#[derive(Debug, Args)]
#[group(multiple = false)]
struct What {
    /// Folder with demand.csv and meta.json; its days from eval_from on are scored. Writes date,sku,location,score.
    #[arg(long, value_name = "DIR")]
    demand: Option<PathBuf>,
    /// Folder with `po_lines.csv`, receipts.csv, bills.csv and notices.csv. Writes line,score,probability,kind,drivers.
    #[arg(long, value_name = "DIR")]
    receiving: Option<PathBuf>,
    /// CSV of numbers with a header line; an empty field is missing, a column called label or y is left out. Writes
    /// row,score, rows from 0 on.
    #[arg(long, value_name = "FILE")]
    table: Option<PathBuf>,
    /// Folder of a recording; the demand in it is scored. Writes date,sku,location,score with the ERP's ids.
    #[arg(long, value_name = "DIR")]
    recording: Option<PathBuf>,
}

#[derive(serde::Serialize)]
struct Summary {
    scored: usize,
    out: String,
    /// With --alarms: how many there are, and what has moved.
    #[serde(skip_serializing_if = "Option::is_none")]
    alarms: Option<Alarms>,
}

#[derive(serde::Serialize)]
struct Alarms {
    count: usize,
    drift: Vec<Watched>,
}

/// The population stability index of something that is watched, and what it means.
#[derive(serde::Serialize)]
struct Watched {
    what: &'static str,
    index: f64,
    drift: &'static str,
}

impl Alarms {
    fn of(review: &Review) -> Self {
        let watched = |moved: &Moved| Watched { what: moved.what, index: moved.index, drift: moved.drift.name() };
        Self { count: review.alarms.len(), drift: review.drift.iter().map(watched).collect() }
    }
}

pub(super) async fn run(config: Config, args: Score, json: bool) -> anyhow::Result<Outcome> {
    let choice = args.detector.unwrap_or(if args.what.table.is_some() { Choice::Forest } else { Choice::Trained });
    anyhow::ensure!(
        (choice == Choice::Forest) == args.what.table.is_some(),
        "--detector forest is for --table, and unsupervised, trained and shipped for all else"
    );
    anyhow::ensure!(
        args.model.is_none() || choice == Choice::Trained,
        "--model names a trained detector: leave it out, or say --detector trained"
    );
    anyhow::ensure!(
        args.alarms.is_none() || (args.what.table.is_none() && args.what.receiving.is_none()),
        "--alarms is for demand: leave it out for --table and --receiving"
    );
    anyhow::ensure!((0.0..1.0).contains(&args.promise), "--promise is a share: from 0 to below 1");
    let bar = spinner("scoring");
    let mut alarmed = None;
    let scored = if let Some(file) = &args.what.table {
        table(file, &args)?
    } else if let Some(folder) = &args.what.receiving {
        let records = files::read_receiving_folder(folder)?;
        let detector = receiving_detector(choice, args.model.as_ref())?;
        let scores = receiving::score(&records, &detector).with_context(|| folder.display().to_string())?;
        files::write_receiving_scores(create(&args.out)?, &scores).with_context(|| wrote(&args))?;
        scores.len()
    } else {
        let (panel, from) = if let Some(folder) = &args.what.demand {
            files::read_demand_folder(folder)?
        } else {
            let panel = Box::pin(history::read(config, args.what.recording.clone())).await?;
            let from = panel.days().len().saturating_sub(args.days);
            (panel, from)
        };
        let learn = |detector: DemandDetector| {
            // What somebody trained is what they want to see at work.
            if choice != Choice::Trained || args.model.is_some() {
                return Ok(detector);
            }
            bar.set_message(format!("learning from {from} days"));
            match own::learn(&detector, &panel, from, args.seed, |_, _| bar.tick()) {
                // A young shop, or one that hardly sells: what comes with the program has to do.
                Err(OwnError::Short { .. } | OwnError::Train(_)) => Ok(detector),
                learned => learned.context("learning from the days before the first scored one"),
            }
        };
        let detector = learn(demand_detector(choice, args.model.as_ref())?)?;
        bar.set_message(format!("scoring {} series, {}", panel.keys().len(), megabytes(memory(&panel, from))));
        let scores = if let Some(alarms) = &args.alarms {
            let review = review(&detector, &panel, from, args.promise);
            files::write_demand_alarms(create(alarms)?, &panel, from, &review)
                .with_context(|| format!("writing {}", alarms.display()))?;
            bar.suspend(|| say_review(&review, json));
            alarmed = Some(Alarms::of(&review));
            contest::by_series(&panel, from, review.scores)
        } else {
            contest::score_panel(&detector, &panel, from)
        };
        files::write_demand_scores(create(&args.out)?, &panel, from, scores.view()).with_context(|| wrote(&args))?;
        scores.iter().filter(|score| score.is_finite()).count()
    };
    bar.finish_and_clear();
    if json {
        print_json(&Summary { scored, out: args.out.display().to_string(), alarms: alarmed })?;
    } else {
        say!("{scored} scores are in {}.", args.out.display());
    }
    Ok(Outcome::Fine)
}

/// How many alarms there are, and whether the ground has moved.
fn say_review(review: &Review, json: bool) {
    if json {
        return;
    }
    say!("{} alarms keep the promise.", review.alarms.len());
    for moved in review.drift.iter().filter(|moved| moved.drift > Drift::Stable) {
        say!(
            "{} has {} (population stability index {:.2}): look before you trust the probabilities.",
            moved.what,
            moved.drift.name(),
            moved.index
        );
    }
}

fn wrote(args: &Score) -> String {
    format!("writing {}", args.out.display())
}

/// Bytes that scoring takes at most: the panel twice while it is read, the scores, and what is kept of each series.
fn memory(panel: &Panel, from: usize) -> usize {
    const SERIES_BYTES: usize = 4_096;
    let (series, days) = (panel.keys().len(), panel.days().len());
    series * (days * 2 * size_of::<crate::models::demand::panel::Cell>() + (days - from) * 4 + SERIES_BYTES)
}

fn table(file: &Path, args: &Score) -> anyhow::Result<usize> {
    let table = files::read_numbers(file)?;
    if let Some((name, _)) = &table.labels {
        say!("The column {name} is left out: it says what a row is.");
    }
    let scores = contest::score_table(table.rows.view(), args.seed).with_context(|| file.display().to_string())?;
    let write = |mut out: std::io::BufWriter<std::fs::File>| {
        writeln!(out, "row,score")?;
        for (row, score) in scores.iter().enumerate() {
            writeln!(out, "{row},{score}")?;
        }
        out.flush()
    };
    write(create(&args.out)?).with_context(|| wrote(args))?;
    Ok(scores.len())
}

/// The detector of demand that was asked for.
fn demand_detector(choice: Choice, model: Option<&PathBuf>) -> anyhow::Result<DemandDetector> {
    match model {
        Some(path) => DemandDetector::from_json(&read_model(path)?).with_context(|| path.display().to_string()),
        None if choice == Choice::Unsupervised => Ok(DemandDetector::unsupervised()),
        None => Ok(DemandDetector::shipped().clone()),
    }
}

/// The detector of receiving that was asked for.
fn receiving_detector(choice: Choice, model: Option<&PathBuf>) -> anyhow::Result<ReceivingDetector> {
    match model {
        Some(path) => ReceivingDetector::from_json(&read_model(path)?).with_context(|| path.display().to_string()),
        None if choice == Choice::Unsupervised => Ok(ReceivingDetector::unsupervised()),
        None => Ok(ReceivingDetector::shipped()),
    }
}
