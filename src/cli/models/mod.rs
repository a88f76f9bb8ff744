//! `reeve models` and `reeve eval detectors`: detectors at work on files, recordings and the store, and which of them runs.

mod drift;
mod eval;
mod history;
mod package;
mod registry;
mod score;
mod train;
mod validate;

use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::Context;
use clap::{Subcommand, ValueEnum};
use indicatif::{ProgressBar, ProgressStyle};

use super::Outcome;
use crate::config::Config;
use crate::domain::model::ModelName;
use crate::lab::trial::demand::Track;

pub(super) use self::eval::{EvalDetectors, run as eval};

/// What can be done with detectors.
#[derive(Debug, Subcommand)]
pub(super) enum Models {
    /// Score a folder, a table, a recording or the store, and write the scores as CSV.
    Score(score::Score),
    /// Train a detector on trials, or on a shop's own history with exceptions put into it: into the registry, or to a file.
    Train(train::Train),
    /// Show the versions of each detector: which runs, which ran, which waits for a second person, and how they were judged.
    List,
    /// Print a version's card, recipe and validations.
    Card {
        /// The version, such as demand/trained-1c9f03ab.
        name: ModelName,
    },
    /// Say what tells two versions apart.
    Diff(registry::Diff),
    /// Add a version from a folder to the registry.
    Add(registry::Add),
    /// Write a version to a folder.
    Export(registry::Export),
    /// Hold a version to the test beside the one that runs, on records that it was not trained on. Exit code 2 when it does not pass.
    Validate(validate::Validate),
    /// Let a version run from the next look on, in the name of a person; where two may, a second one confirms it on the page.
    Promote(registry::Promote),
    /// Let a version run again that ran before.
    Rollback(registry::Rollback),
    /// Say whether the days of late are distributed like those before, and whether what is raised keeps its promise.
    Drift,
}

/// A kind of shop, for how much is injected into a base file.
#[derive(Clone, Copy, Debug, ValueEnum)]
pub(super) enum Shop {
    /// Fresh goods by item and store, a quarter of a year.
    Fresh,
    /// An online shop by item, a year.
    Online,
    /// Totals of stores, two and a half years.
    Rossmann,
}

impl Shop {
    fn track(self) -> Track {
        match self {
            Self::Fresh => Track::Fresh,
            Self::Online => Track::Online,
            Self::Rossmann => Track::Rossmann,
        }
    }
}

/// Seeds as they are written: `1-3`, `1,5,9`, `7`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Seeds(Vec<u64>);

impl std::str::FromStr for Seeds {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        const SEEDS_MAX: u64 = 1_000;
        let number = |text: &str| text.trim().parse::<u64>().map_err(|_| format!("{text:?} is no seed; write 1-3 or 1,5,9"));
        let mut seeds = Vec::new();
        for part in text.split(',') {
            let (first, last) = part.split_once('-').unwrap_or((part, part));
            let (first, last) = (number(first)?, number(last)?);
            if last < first || last - first >= SEEDS_MAX {
                return Err(format!("{part:?} must rise, by at most {SEEDS_MAX} seeds"));
            }
            seeds.extend(first..=last);
        }
        Ok(Self(seeds))
    }
}

pub(super) async fn run(config: Config, command: Models, json: bool) -> anyhow::Result<Outcome> {
    match command {
        Models::Score(args) => Box::pin(score::run(config, args, json)).await,
        Models::Train(args) => Box::pin(train::run(config, args, json)).await,
        Models::List => registry::list(&config, json).await,
        Models::Card { name } => registry::card(&config, &name, json).await,
        Models::Diff(args) => registry::diff(&config, &args, json).await,
        Models::Add(args) => registry::add(&config, &args, json).await,
        Models::Export(args) => registry::export(&config, &args, json).await,
        Models::Validate(args) => Box::pin(validate::run(config, args, json)).await,
        Models::Promote(args) => registry::promote(&config, args, json).await,
        Models::Rollback(args) => registry::roll_back(&config, args, json).await,
        Models::Drift => drift::run(&config, json).await,
    }
}

/// A bar without an end, that says what is being done.
fn spinner(message: &'static str) -> ProgressBar {
    let bar = ProgressBar::new_spinner();
    if let Ok(style) = ProgressStyle::with_template("{spinner} {msg} ({elapsed})") {
        bar.set_style(style);
    }
    bar.set_message(message);
    bar.enable_steady_tick(Duration::from_millis(120));
    bar
}

/// A new file to write to.
fn create(path: &Path) -> anyhow::Result<std::io::BufWriter<std::fs::File>> {
    let mut options = std::fs::OpenOptions::new();
    options.write(true).create(true).truncate(true);
    // What is sold where is not for every user of the machine.
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let file = options.open(path).with_context(|| format!("can not write {}", path.display()))?;
    Ok(std::io::BufWriter::new(file))
}

/// Bytes in words.
fn megabytes(bytes: usize) -> String {
    format!("{} MB", bytes.div_ceil(1 << 20))
}

/// A saved detector's text.
fn read_model(path: &PathBuf) -> anyhow::Result<String> {
    std::fs::read_to_string(path).with_context(|| format!("can not read the detector {}", path.display()))
}

#[cfg(test)]
mod tests {
    use super::Seeds;

    #[test]
    fn seeds_are_read_as_ranges_and_lists() {
        let check = |text: &str, expected: &[u64]| assert_eq!(text.parse(), Ok(Seeds(expected.to_vec())));
        check("1-3", &[1, 2, 3]);
        check("7", &[7]);
        check("1,5-6", &[1, 5, 6]);
        let refused = |text: &str| text.parse::<Seeds>().unwrap_err();
        assert_eq!(refused("3-1"), "\"3-1\" must rise, by at most 1000 seeds");
        assert_eq!(refused("a"), "\"a\" is no seed; write 1-3 or 1,5,9");
        assert!(refused("0-99999999999").contains("at most 1000"));
    }
}
