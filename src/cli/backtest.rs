//! `reeve backtest`: the digests that a recording would have given, and what they would have been worth.

use std::path::PathBuf;
use std::sync::Arc;

use anyhow::Context;
use clap::Args;
use indicatif::{ProgressBar, ProgressStyle};
use jiff::civil::Date;

use super::{Outcome, open, print_json, terminal};
use crate::config::Config;
use crate::evals::backtest;
use crate::ports::Source as _;

/// Which days, of what, by which settings (a policy: `approval.policy_file` in --config).
#[derive(Debug, Args)]
pub(super) struct Backtest {
    /// The first day; the recording's 29th where nothing is said, for a baseline needs four weeks.
    #[arg(long)]
    from: Option<Date>,
    /// The last day; the recording's last where nothing is said.
    #[arg(long)]
    to: Option<Date>,
    /// The recording's folder; the configured one when left out. `reeve sync --record` makes one of a live server.
    #[arg(long, value_name = "DIR")]
    recording: Option<PathBuf>,
    /// Also write it as one HTML file, with each digest.
    #[arg(long, value_name = "FILE")]
    html: Option<PathBuf>,
}

pub(super) async fn run(mut config: Config, args: Backtest, json: bool) -> anyhow::Result<Outcome> {
    if let Some(folder) = args.recording {
        config.source.recording = folder;
    }
    let source = open::recording(&config).await?;
    let (first, last) = source.span().context("the recording tells of nothing")?;
    let calendar = config.rules.calendar.calendar();
    // A baseline needs four weeks: before that nothing is usual yet.
    let from = args.from.unwrap_or_else(|| crate::domain::calendar::plus_days(calendar.day_of(first), 28));
    let span = (from, args.to.unwrap_or_else(|| calendar.day_of(last)));
    let bar = ProgressBar::new(0);
    if let Ok(style) = ProgressStyle::with_template("{spinner} [{bar:28}] day {pos} of {len} ({elapsed})") {
        bar.set_style(style.progress_chars("=> "));
    }
    let report = backtest::run(Arc::new(config), source, span, |day, of| {
        bar.set_length(of);
        bar.set_position(day);
    })
    .await?;
    bar.finish_and_clear();
    if let Some(file) = &args.html {
        std::fs::write(file, report.html()).with_context(|| format!("can not write {}", file.display()))?;
    }
    if json {
        print_json(&report)?;
    } else {
        terminal::block(&report.text());
    }
    Ok(Outcome::Fine)
}
