//! A run for a terminal.

use std::fmt::Write as _;

use super::{share, whole};
use crate::grade::GRADERS;
use crate::run::{Outcome, Stop, SuiteRun};
use crate::suite::Suite;

/// Most failures that are listed.
const FAILURES: usize = 40;

/// The report; `details` lists every scenario.
pub fn text(suite: &Suite, run: &SuiteRun, stops: &[Stop], details: bool) -> String {
    let mut out = String::new();
    let (passed, of) = whole(run);
    let part = if run.partial { ", a part of it" } else { "" };
    let _ = writeln!(out, "Suite {}{part}: {}", run.suite, suite.spec.about);
    let _ = writeln!(
        out,
        "  {passed} of {of} scenarios passed, {}; drafted by {}; prompt {} ({}); data {}",
        share(passed, of),
        run.drafter,
        run.prompt_version,
        &run.prompt[..12.min(run.prompt.len())],
        &run.data[..12.min(run.data.len())],
    );
    if run.repeats > 1 {
        let k = u64::from(run.repeats);
        let all: Vec<f64> = run.by_scenario().values().map(|(c, n)| crate::stats::pass_hat(*c, *n, k)).collect();
        let mean = all.iter().sum::<f64>() / (all.len() as f64).max(1.0);
        let _ = writeln!(out, "  pass^{k} {mean:.3} over {} runs of each; flaky: {}", run.repeats, list(&run.flaky()));
    }
    let by = run.by_grader();
    for grader in GRADERS {
        let Some((passed, of)) = by.get(grader.name) else { continue };
        let gate = if grader.hard { "gate" } else { "    " };
        let _ = writeln!(out, "  {:<11} {gate} {passed:>4} of {of:<4} {}", grader.name, share(*passed, *of));
    }
    for outcome in run.outcomes.iter().filter(|o| details || o.failures().next().is_some()).take(if details {
        usize::MAX
    } else {
        FAILURES
    }) {
        let _ = writeln!(out, "  {}", line(outcome));
        for (name, grade) in outcome.failures() {
            let _ = writeln!(out, "      {name}: {}", grade.why);
        }
    }
    for kept in run.outcomes.iter().filter_map(|o| Some((&o.scenario, o.quarantined.as_ref()?))) {
        let _ = writeln!(out, "  kept apart: {} ({})", kept.0, kept.1);
    }
    for stop in stops {
        let _ = writeln!(out, "  STOP {}: {}", stop.gate, stop.why);
    }
    out
}

fn line(outcome: &Outcome) -> String {
    let verdict = if outcome.passed() { "ok  " } else { "FAIL" };
    let about = if outcome.about.is_empty() { "nothing" } else { &outcome.about };
    let first = if outcome.first.is_empty() { "nothing" } else { &outcome.first };
    format!("{verdict} {:<44} {about:<13} {first} ({})", outcome.scenario, outcome.drafter)
}

fn list(names: &[&str]) -> String {
    if names.is_empty() { "none".to_owned() } else { names.join(", ") }
}
