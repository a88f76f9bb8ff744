//! Reports of a run: for a terminal, for machines (JSON, JSON lines, JUnit), for a pull request and for a browser.

pub mod html;
pub mod junit;
pub mod markdown;
pub mod terminal;

use std::fmt::Write as _;
use std::path::Path;

use anyhow::Context;

use crate::run::{Stop, SuiteRun};
use crate::suite::Suite;

/// Writes every report of a run into a folder.
///
/// # Errors
/// What could not be written.
pub fn write(folder: &Path, suite: &Suite, run: &SuiteRun, stops: &[Stop]) -> anyhow::Result<()> {
    std::fs::create_dir_all(folder).with_context(|| format!("can not make {}", folder.display()))?;
    let json = serde_json::to_string_pretty(run).context("a run is plain data")? + "\n";
    let files = [
        ("run.json", json),
        ("attempts.jsonl", lines(run)?),
        ("junit.xml", junit::text(run)),
        ("report.md", markdown::text(suite, run, stops)),
        ("report.html", html::text(suite, run, stops, None)),
    ];
    for (name, text) in files {
        let path = folder.join(name);
        std::fs::write(&path, text).with_context(|| format!("can not write {}", path.display()))?;
    }
    Ok(())
}

/// One line of JSON for each attempt.
fn lines(run: &SuiteRun) -> anyhow::Result<String> {
    let mut text = String::new();
    for outcome in &run.outcomes {
        let line = serde_json::to_string(outcome).context("an outcome is plain data")?;
        let _ = writeln!(text, "{line}");
    }
    Ok(text)
}

/// A share in percent with Wilson's interval: `97.3 % (92.3 to 99.4)`.
fn share(passed: u64, of: u64) -> String {
    let interval = crate::stats::wilson(passed, of);
    let percent = 100.0 * passed as f64 / (of as f64).max(1.0);
    format!("{percent:.1} % ({:.1} to {:.1})", interval.low * 100.0, interval.high * 100.0)
}

/// How many scenarios passed in each of their runs, of how many.
fn whole(run: &SuiteRun) -> (u64, u64) {
    run.by_scenario().values().fold((0, 0), |(passed, of), (p, n)| (passed + u64::from(p == n), of + 1))
}
