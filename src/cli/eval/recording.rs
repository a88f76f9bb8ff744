//! `reeve eval recording`: replays a recording as a shop lives with it, and scores it, or has people decide in it by a rule.

use std::path::PathBuf;
use std::sync::Arc;

use anyhow::Context;
use clap::Args;
use indicatif::{ProgressBar, ProgressStyle};
use jiff::civil::{Date, Time};

use crate::cli::{Outcome, open, print_json, terminal};
use crate::config::Config;
use crate::evals::decided::{self, Rule};
use crate::evals::recording::{self, Reads, Replay};
use crate::ports::{Ports, Senders};
use crate::store::Store;

/// What is replayed, and how.
#[expect(clippy::struct_field_names, reason = "it is the name of the flag")]
#[derive(Debug, Args)]
pub(in crate::cli) struct Recording {
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
    /// Exit with 2 when a gate is missed; with --decide, when memory moved something or a figure does not recompute.
    #[arg(long)]
    check: bool,
    /// Also list figures by type and the cases that were not real.
    #[arg(long)]
    details: bool,
    /// Have people decide each morning's digest by a rule, and say what that and memory did to later cards: `truth`, or `truth:3`
    /// for at most 3 cases a day, decides as whoever knows what was injected. Lives the days three times; nothing is scored.
    #[arg(long, value_name = "RULE", value_parser = Rule::parse, conflicts_with_all = ["closed_days", "details"])]
    decide: Option<Rule>,
    /// With --decide: the first morning; the recording's second day where nothing is said.
    #[arg(long, value_name = "DAY", requires = "decide")]
    from: Option<Date>,
    /// With --decide: the last morning; the one after the recording's last day where nothing is said.
    #[arg(long, value_name = "DAY", requires = "decide")]
    to: Option<Date>,
}

pub(super) async fn run(mut config: Config, args: Recording, json: bool) -> anyhow::Result<Outcome> {
    let Recording { reads, closed_days, digests, recording: folder, check, details, decide, from, to } = args;
    let reads = if closed_days { Reads::ClosedDays } else { Reads::Lived(reads) };
    if let Some(folder) = folder {
        config.source.recording = folder;
    }
    let source = open::recording(&config).await?;
    let path = config.source.recording.clone();
    let bar = ProgressBar::new(0);
    if let Ok(style) = ProgressStyle::with_template("{spinner} [{bar:28}] day {pos} of {len} ({elapsed})") {
        bar.set_style(style.progress_chars("=> "));
    }
    if let Some(folder) = &digests {
        std::fs::create_dir_all(folder).with_context(|| format!("can not make the folder {}", folder.display()))?;
    }
    let on_day = |day, of| {
        bar.set_length(of);
        bar.set_position(day);
    };
    if let Some(rule) = decide {
        let replay = decided::Replay { recording: &path, reads, rule, span: (from, to), digests: digests.as_deref() };
        let report = decided::run(config, source, open::remembering, replay, on_day).await?;
        bar.finish_and_clear();
        return decided_said(&report, check, json);
    }
    // In memory: a replay begins with nothing and leaves nothing behind.
    let store = Store::open_and_migrate("sqlite::memory:").await?;
    let ports = Ports { source, model: None, senders: Senders::default() };
    let replay = Replay { recording: &path, reads, digests: digests.as_deref() };
    let score = recording::run(Arc::new(config), store, ports, replay, on_day).await?;
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

fn decided_said(report: &decided::Report, check: bool, json: bool) -> anyhow::Result<Outcome> {
    if json {
        print_json(report)?;
    } else {
        terminal::block(&report.text());
    }
    if check && !report.holds() {
        say!("Memory moved something, or a figure does not recompute.");
        return Ok(Outcome::CheckFailed);
    }
    Ok(Outcome::Fine)
}
