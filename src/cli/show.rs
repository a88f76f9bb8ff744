//! The short commands: digest, migrate, sign-in links, evals.

use std::path::PathBuf;
use std::sync::Arc;

use anyhow::Context;
use clap::{Args, Subcommand};
use indicatif::{ProgressBar, ProgressStyle};
use jiff::civil::{Date, Time};

use super::{Format, Outcome, open, print_json, terminal};
use crate::channels::web;
use crate::config::Config;
use crate::domain::ids::PersonId;
use crate::evals::recording::{self, Reads, Replay};
use crate::ports::{Ports, Senders};
use crate::store::Store;

/// Which digest, in which form.
#[derive(Debug, Args)]
pub(super) struct DigestArgs {
    /// The business day; the newest when left out.
    #[arg(long)]
    day: Option<Date>,
    /// In which form.
    #[arg(long, value_enum, default_value_t)]
    format: Format,
}

/// What can be scored.
#[derive(Debug, Subcommand)]
pub(super) enum Eval {
    /// Replay a recording as a shop lives with it, without look-ahead, and score it against what was injected.
    Recording {
        /// Times of the day at which it is read, in order; the digest is made at the last one.
        #[arg(long, value_name = "HH:MM,…", value_delimiter = ',', default_values = ["20:00", "06:10"])]
        reads: Vec<Time>,
        /// Read and make the digest at the end of each finished day instead, with everything read.
        #[arg(long, conflicts_with = "reads")]
        closed_days: bool,
        /// Folder in which to leave the digest of each day as text; made if it is not there.
        #[arg(long, value_name = "DIR")]
        digests: Option<PathBuf>,
        /// The recording's folder, with its truth.json; the configured one when left out.
        #[arg(long, value_name = "DIR")]
        recording: Option<PathBuf>,
        /// Exit with 2 when a gate is missed.
        #[arg(long)]
        check: bool,
        /// Also list figures by type and the cases that were not real.
        #[arg(long)]
        details: bool,
    },
    /// Put known exceptions into real histories and measure how well the detectors find them; measure the forest on tables.
    Detectors(super::models::EvalDetectors),
}

pub(super) async fn migrate(config: &Config) -> anyhow::Result<Outcome> {
    let store = Store::open(&config.store.url).await?;
    let before = store.schema_version().await?;
    store.migrate().await?;
    let after = store.schema_version().await?.unwrap_or(0);
    match before {
        Some(before) if before == after => say!("{} is up to date at schema {after}.", store.url()),
        _ => say!("{} is now at schema {after}.", store.url()),
    }
    Ok(Outcome::Fine)
}

pub(super) async fn digest(config: &Config, args: &DigestArgs, json: bool) -> anyhow::Result<Outcome> {
    let store = open::store(config).await?;
    let kept = match args.day {
        Some(day) => {
            store.find_digest(day).await?.with_context(|| format!("there is no digest of {day} in {}", store.url()))?
        }
        None => store.list_digests(1).await?.into_iter().next().with_context(|| {
            format!("there is no digest in {} yet; run `reeve demo`, or let `reeve serve` make one", store.url())
        })?,
    };
    match (json, args.format) {
        (true, _) => return print_json(&kept.digest).map(|()| Outcome::Fine),
        (false, Format::Text) => terminal::block(&kept.text),
        (false, Format::Markdown) => terminal::block(&kept.markdown),
        (false, Format::Html) => terminal::block(&kept.html),
    }
    say!("");
    Ok(Outcome::Fine)
}

pub(super) async fn sign_in(config: &Config, person: &str) -> anyhow::Result<Outcome> {
    let id = PersonId::new(person);
    anyhow::ensure!(
        config.people.iter().any(|p| p.id == id),
        "there is no person {person:?} in the configuration; add them under [[people]]"
    );
    let store = open::store(config).await?;
    let clock = open::clock_of(&store, config).await?;
    say!("{}", web::sign_in_link(&store, &id, &clock, &config.web.address(), web::LinkFor::Person).await?);
    Ok(Outcome::Fine)
}

pub(super) async fn eval(mut config: Config, command: Eval, json: bool) -> anyhow::Result<Outcome> {
    let (folder, check, details, reads, digests) = match command {
        Eval::Recording { reads, closed_days, digests, recording, check, details } => {
            let reads = if closed_days { Reads::ClosedDays } else { Reads::Lived(reads) };
            (recording, check, details, reads, digests)
        }
        Eval::Detectors(args) => return super::models::eval(&args, json),
    };
    if let Some(folder) = folder {
        config.source.recording = folder;
    }
    let source = open::recording(&config).await?;
    let store = Store::open_and_migrate("sqlite::memory:").await?;
    let path = config.source.recording.clone();
    let ports = Ports { source, model: None, senders: Senders::default() };
    let bar = ProgressBar::new(0);
    if let Ok(style) = ProgressStyle::with_template("{spinner} [{bar:28}] day {pos} of {len} ({elapsed})") {
        bar.set_style(style.progress_chars("=> "));
    }
    if let Some(folder) = &digests {
        std::fs::create_dir_all(folder).with_context(|| format!("can not make the folder {}", folder.display()))?;
    }
    let replay = Replay { recording: &path, reads, digests: digests.as_deref() };
    let score = recording::run(Arc::new(config), store, ports, replay, |day, of| {
        bar.set_length(of);
        bar.set_position(day);
    })
    .await?;
    bar.finish_and_clear();
    if json {
        print_json(&score)?;
    } else {
        terminal::block(&score.report(details));
    }
    let passed = score.passes();
    if check && !passed {
        say!("A gate was missed.");
        return Ok(Outcome::CheckFailed);
    }
    Ok(Outcome::Fine)
}
