//! `reeve eval detectors`: the tables that say how good the detectors are.

use std::path::PathBuf;

use anyhow::Context;
use clap::Args;

use super::{Seeds, Shop, read_model, spinner};
use crate::cli::{Outcome, print_json, terminal};
use crate::lab::detectors::{self, DemandEntry, Report};
use crate::models::demand::detector::Detector as DemandDetector;
use crate::models::receiving::Detector as ReceivingDetector;

/// Seeds of the forest on tables: part of the protocol.
const TABLE_SEEDS: [u64; 5] = [0, 1, 2, 3, 4];

/// What to measure; at least one of the three.
#[derive(Debug, Args)]
pub(in crate::cli) struct EvalDetectors {
    /// Folder of labelled tables: .npz with X and y, or .csv with a column label.
    #[arg(long, value_name = "DIR")]
    tables: Option<PathBuf>,
    /// A base file of demand (.csv.gz) to make a trial of for each seed, or a folder of a trial.
    #[arg(long, value_name = "PATH")]
    demand: Option<PathBuf>,
    /// What shop the base file of demand is of: says how much is injected.
    #[arg(long, value_enum, default_value = "fresh")]
    track: Shop,
    /// A base file of purchase-order lines (.csv.gz) to make a trial of for each seed, or a folder of a trial.
    #[arg(long, value_name = "PATH")]
    receiving: Option<PathBuf>,
    /// Seeds of the trials: 1-3, or 1,5,9.
    #[arg(long, default_value = "1-3")]
    seeds: Seeds,
    /// Also measure the detector of demand after it has learned from the days before the first scored one.
    #[arg(long)]
    own: bool,
    /// Also measure a detector of demand that `reeve models train` wrote.
    #[arg(long, value_name = "FILE")]
    demand_model: Option<PathBuf>,
    /// Also measure a detector of receiving that `reeve models train` wrote.
    #[arg(long, value_name = "FILE")]
    receiving_model: Option<PathBuf>,
    /// Also say what is found of each kind.
    #[arg(long)]
    details: bool,
    /// Also write everything that was measured to this file, as JSON.
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,
}

pub(in crate::cli) fn run(args: &EvalDetectors, json: bool) -> anyhow::Result<Outcome> {
    anyhow::ensure!(
        args.tables.is_some() || args.demand.is_some() || args.receiving.is_some(),
        "there is nothing to measure: name --tables DIR, --demand PATH or --receiving PATH"
    );
    let bar = spinner("reading");
    let watch = |what: &str| bar.set_message(what.to_owned());
    let mut report = Report::default();
    if let Some(folder) = &args.tables {
        report.tables = detectors::tables(folder, &TABLE_SEEDS, watch)?;
    }
    if let Some(path) = &args.demand {
        let trials = detectors::demand_trials(path, args.track.track(), &args.seeds.0)?;
        let entry = |name: &str, detector, learns| DemandEntry { name: name.to_owned(), detector, learns };
        let mut entries = vec![
            entry("unsupervised", DemandDetector::unsupervised(), false),
            entry("trained", DemandDetector::shipped().clone(), false),
        ];
        if args.own {
            entries.push(entry("learning", DemandDetector::shipped().clone(), true));
        }
        if let Some(path) = &args.demand_model {
            let detector = DemandDetector::from_json(&read_model(path)?).with_context(|| path.display().to_string())?;
            entries.push(entry("of --model", detector, false));
        }
        report.demand = detectors::demand(&trials, &entries, watch)?;
    }
    if let Some(path) = &args.receiving {
        let trials = detectors::receiving_trials(path, &args.seeds.0)?;
        let mut entries = vec![
            ("unsupervised".to_owned(), ReceivingDetector::unsupervised()),
            ("trained".to_owned(), ReceivingDetector::shipped()),
        ];
        if let Some(path) = &args.receiving_model {
            let detector = ReceivingDetector::from_json(&read_model(path)?).with_context(|| path.display().to_string())?;
            entries.push(("of --model".to_owned(), detector));
        }
        report.receiving = detectors::receiving(&trials, &entries, watch)?;
    }
    bar.finish_and_clear();
    if let Some(path) = &args.out {
        let text = serde_json::to_string_pretty(&report)?;
        std::fs::write(path, text + "\n").with_context(|| format!("can not write {}", path.display()))?;
    }
    if json {
        print_json(&report)?;
    } else {
        terminal::block(&report.text(args.details));
    }
    Ok(Outcome::Fine)
}
