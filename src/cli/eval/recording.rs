//! `reeve eval recording`: replays a recording as a shop lives with it, and scores it.

use std::path::PathBuf;
use std::sync::Arc;

use anyhow::Context;
use clap::Args;
use indicatif::{ProgressBar, ProgressStyle};
use jiff::civil::Time;

use crate::cli::{Outcome, open, print_json, terminal};
use crate::config::Config;
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
    /// Exit with 2 when a gate is missed.
    #[arg(long)]
    check: bool,
    /// Also list figures by type and the cases that were not real.
    #[arg(long)]
    details: bool,
}

pub(super) async fn run(mut config: Config, args: Recording, json: bool) -> anyhow::Result<Outcome> {
    let Recording { reads, closed_days, digests, recording: folder, check, details } = args;
    let reads = if closed_days { Reads::ClosedDays } else { Reads::Lived(reads) };
    if let Some(folder) = folder {
        config.source.recording = folder;
    }
    let source = open::recording(&config).await?;
    // In memory: a replay begins with nothing and leaves nothing behind.
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
