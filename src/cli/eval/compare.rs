//! `reeve eval compare`: two runs, or a run and the baseline that was accepted; 2 where the second is worse.

use std::path::PathBuf;

use anyhow::Context;
use clap::Args;

use super::kept_run;
use crate::cli::{Outcome, print_json, terminal};
use crate::suites::baseline::{Baseline, Signers};
use crate::suites::compare::compare;
use crate::suites::report;
use crate::suites::suite::Suite;

/// What is compared.
#[derive(Debug, Args)]
pub(in crate::cli) struct Compare {
    /// The run before: its run.json or folder; or a suite's folder, whose accepted baseline is meant.
    before: PathBuf,
    /// The run now.
    after: PathBuf,
    /// Who may have accepted a baseline.
    #[arg(long, value_name = "FILE", default_value = "evals/signers.toml")]
    signers: PathBuf,
    /// Also write the second run with what changed as one HTML file; needs the suite's folder.
    #[arg(long, value_name = "FILE", requires = "suite")]
    html: Option<PathBuf>,
    /// The suite's folder.
    #[arg(long, value_name = "DIR")]
    suite: Option<PathBuf>,
}

pub(super) fn run(args: &Compare, json: bool) -> anyhow::Result<Outcome> {
    let before = if args.before.join("suite.toml").is_file() {
        let baseline = Baseline::read(&args.before)?.with_context(|| {
            format!("nobody has accepted a baseline of {} yet; `reeve eval accept` does", args.before.display())
        })?;
        // Whoever is stopped by a gate is tempted to lower it: a baseline counts as it was signed (decision 113).
        baseline.verify(&Signers::read(&args.signers)?)?;
        baseline.run
    } else {
        kept_run(&args.before)?
    };
    let after = kept_run(&args.after)?;
    let comparison = compare(&before, &after)?;
    if let (Some(file), Some(folder)) = (&args.html, &args.suite) {
        let suite = Suite::read(folder)?;
        let text = report::html::text(&suite, &after, &comparison.stops, Some(&comparison));
        std::fs::write(file, text).with_context(|| format!("can not write {}", file.display()))?;
    }
    if json {
        print_json(&comparison)?;
    } else {
        terminal::block(&comparison.text());
    }
    Ok(if comparison.stops.is_empty() { Outcome::Fine } else { Outcome::CheckFailed })
}
