//! `reeve lab`: what machine-learning and performance engineers work with.

use std::fs::File;
use std::io::{BufWriter, Write, sink};
use std::path::{Path, PathBuf};

use anyhow::Context;
use clap::{Args, Subcommand};
use indicatif::{ProgressBar, ProgressStyle};
use jiff::Timestamp;
use jiff::civil::Date;

use super::{Outcome, open, print_json};
use crate::config::Config;
use crate::evals::retailer::{self, Made};
use crate::lab::retailer::{Retailer, Shape};

/// What can be made.
#[derive(Debug, Subcommand)]
pub(super) enum Lab {
    /// Make up a retailer of any size, with known exceptions in it: into a store (--store), or as JSON lines (--out).
    Retailer(RetailerArgs),
}

/// How large, and where to.
#[derive(Debug, Args)]
pub(super) struct RetailerArgs {
    /// How many items.
    #[arg(long)]
    items: u32,
    /// How many locations; the first is the distribution centre.
    #[arg(long)]
    locations: u32,
    /// Days of history, as sums by month.
    #[arg(long)]
    days: u32,
    /// Of them, the last ones with single sales and moves; 120, or all where there are fewer, when left out.
    #[arg(long, value_name = "DAYS")]
    detail_days: Option<u32>,
    /// Share of the items that a store lists.
    #[arg(long, default_value_t = 1.0, value_name = "SHARE")]
    listed: f64,
    /// Share of the series into which an exception is put, and of the promotions and orders.
    #[arg(long, default_value_t = 0.01, value_name = "SHARE")]
    injected: f64,
    /// The same seed makes the same retailer.
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// The last day; the records are as they were read at 06:00 UTC of the next one.
    #[arg(long, default_value = "2026-10-08", value_name = "DATE")]
    until: Date,
    /// Folder for records.jsonl and truth.jsonl; made if it is not there.
    #[arg(long, value_name = "DIR")]
    out: Option<PathBuf>,
    /// File for what was injected, beside a store.
    #[arg(long, value_name = "FILE", conflicts_with = "out")]
    truth: Option<PathBuf>,
}

/// What came of it.
#[derive(Debug, serde::Serialize)]
struct Summary {
    source: String,
    into: String,
    read_at: Timestamp,
    moves_per_series_day: f64,
    #[serde(flatten)]
    made: Made,
}

/// `named` says whether a store was named on the command line.
pub(super) async fn run(config: Config, command: Lab, named: bool, json: bool) -> anyhow::Result<Outcome> {
    let Lab::Retailer(args) = command;
    anyhow::ensure!(
        named != args.out.is_some(),
        "say where the retailer is to go: into a store of its own with --store URL, or into a folder with --out DIR"
    );
    let shape = Shape {
        items: args.items,
        locations: args.locations,
        days: args.days,
        detail_days: args.detail_days.unwrap_or_else(|| config.odoo.detail_days.min(args.days)),
        listed: args.listed,
        injected: args.injected,
        seed: args.seed,
        until: args.until,
    };
    let retailer = Retailer::new(shape)?;
    let bar = bar(&retailer);
    let on_item = |item: u32| bar.set_position(u64::from(item));
    let (made, into) = match &args.out {
        Some(dir) => (stream(&retailer, dir, on_item)?, dir.display().to_string()),
        None => Box::pin(fill(config, &retailer, args.truth.as_deref(), on_item)).await?,
    };
    bar.finish_and_clear();
    let days = made.series * u64::from(retailer.shape().detail_days);
    let summary = Summary {
        source: retailer.identity(),
        into,
        read_at: retailer.read_at(),
        moves_per_series_day: made.moves as f64 / days.max(1) as f64,
        made,
    };
    if json {
        print_json(&summary)?;
        return Ok(Outcome::Fine);
    }
    let Made { series, records, injected, .. } = &summary.made;
    say!("{}: {records} records of {series} series in {}, read at {}", summary.source, summary.into, summary.read_at);
    say!("  {:.2} moves for each series and day of detail", summary.moves_per_series_day);
    for (kind, count) in injected {
        say!("  {count:>9} {kind:?} injected");
    }
    Ok(Outcome::Fine)
}

fn stream(retailer: &Retailer, dir: &Path, on_item: impl Fn(u32)) -> anyhow::Result<Made> {
    std::fs::create_dir_all(dir).with_context(|| format!("can not make the folder {}", dir.display()))?;
    let (mut records, mut truth) = (create(&dir.join("records.jsonl"))?, create(&dir.join("truth.jsonl"))?);
    retailer::stream(retailer, &mut records, &mut truth, on_item).with_context(|| format!("in {}", dir.display()))
}

async fn fill(
    config: Config,
    retailer: &Retailer,
    truth: Option<&Path>,
    on_item: impl Fn(u32),
) -> anyhow::Result<(Made, String)> {
    let store = open::store_or_new(&config).await?;
    let mut truth: Box<dyn Write> = match truth {
        Some(file) => Box::new(create(file)?),
        None => Box::new(sink()),
    };
    let made = retailer::fill(config, &store, retailer, &mut truth, on_item).await?;
    // Whatever works on it works on that morning, as on a demo's store.
    open::stand(&store, retailer.read_at()).await?;
    Ok((made, store.url().to_owned()))
}

fn create(file: &Path) -> anyhow::Result<BufWriter<File>> {
    Ok(BufWriter::new(File::create(file).with_context(|| format!("can not write {}", file.display()))?))
}

fn bar(retailer: &Retailer) -> ProgressBar {
    let bar = ProgressBar::new(u64::from(retailer.shape().items));
    if let Ok(style) = ProgressStyle::with_template("{spinner} [{bar:28}] item {pos} of {len} ({elapsed})") {
        bar.set_style(style.progress_chars("=> "));
    }
    bar
}
