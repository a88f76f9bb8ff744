//! A run for a pull request.

use std::fmt::Write as _;

use super::{share, whole};
use crate::grade::GRADERS;
use crate::run::{Stop, SuiteRun};
use crate::suite::Suite;

/// Most failures that are listed: a comment has a length.
const FAILURES: usize = 25;

/// Text in a cell of a table.
pub(super) fn cell(text: &str) -> String {
    text.replace('|', "\\|").replace(['\n', '\r'], " ").replace('<', "&lt;")
}

/// The report.
pub fn text(suite: &Suite, run: &SuiteRun, stops: &[Stop]) -> String {
    let (passed, of) = whole(run);
    let verdict = if stops.is_empty() { "passes its gates" } else { "is stopped" };
    let mut out = format!("### Suite {} {verdict}\n\n{}\n\n", run.suite, cell(&suite.spec.about));
    let _ = writeln!(
        out,
        "{passed} of {of} scenarios pass: {}. Drafted by {}, prompt {}.\n",
        share(passed, of),
        cell(&run.drafter),
        run.prompt_version
    );
    for stop in stops {
        let _ = writeln!(out, "- **{}**: {}", stop.gate, cell(&stop.why));
    }
    out.push_str("\n| grader | gates | passed | share (95 %) |\n|---|---|---|---|\n");
    let by = run.by_grader();
    for grader in GRADERS {
        let Some((passed, of)) = by.get(grader.name) else { continue };
        let gates = if grader.hard { "yes" } else { "" };
        let _ = writeln!(out, "| {} | {gates} | {passed} of {of} | {} |", grader.name, share(*passed, *of));
    }
    let failed: Vec<_> = run.outcomes.iter().filter(|o| o.failures().next().is_some()).collect();
    if !failed.is_empty() {
        out.push_str("\n| scenario | first action | what did not pass |\n|---|---|---|\n");
    }
    for outcome in failed.iter().take(FAILURES) {
        let whys: Vec<String> = outcome.failures().map(|(name, grade)| format!("{name}: {}", cell(&grade.why))).collect();
        let _ = writeln!(out, "| {} | {} | {} |", outcome.scenario, cell(&outcome.first), whys.join("<br>"));
    }
    if failed.len() > FAILURES {
        let _ = writeln!(out, "\n… and {} more; the whole report is attached.", failed.len() - FAILURES);
    }
    out
}
