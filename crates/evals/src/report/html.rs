//! A run, or two beside each other, as one file for a browser: no script, nothing loaded from elsewhere.

use std::fmt::Write as _;

use super::junit::escaped;
use super::{share, whole};
use crate::compare::Comparison;
use crate::grade::GRADERS;
use crate::run::{Stop, SuiteRun};
use crate::stats::wilson;
use crate::suite::Suite;

const STYLE: &str = "body{font:15px/1.5 system-ui,sans-serif;margin:2rem auto;max-width:70rem;padding:0 1rem;color:#1b1f24;background:#fff}\
h1,h2{line-height:1.2}table{border-collapse:collapse;width:100%;margin:1rem 0}td,th{text-align:left;padding:.3rem .6rem;border-bottom:1px solid #d8dee4;vertical-align:top}\
th{background:#f6f8fa}.ok{color:#116329}.bad{color:#a40e26;font-weight:600}.num{text-align:right;font-variant-numeric:tabular-nums}\
svg{width:100%;height:auto}small{color:#57606a}";

/// The report; with `against` also what changed from another run.
pub fn text(suite: &Suite, run: &SuiteRun, stops: &[Stop], against: Option<&Comparison>) -> String {
    let (passed, of) = whole(run);
    let mut out = format!(
        "<!doctype html>\n<html lang=\"en\"><head><meta charset=\"utf-8\"><title>Suite {0}</title><style>{STYLE}</style></head><body>\n<h1>Suite {0}</h1>\n<p>{1}</p>\n",
        escaped(&run.suite),
        escaped(&suite.spec.about)
    );
    let _ = writeln!(
        out,
        "<p><b>{passed} of {of}</b> scenarios pass: {}. Drafted by {}; prompt {} <small>{}</small>; data <small>{}</small>.</p>",
        share(passed, of),
        escaped(&run.drafter),
        escaped(&run.prompt_version),
        escaped(&run.prompt),
        escaped(&run.data)
    );
    for stop in stops {
        let _ = writeln!(out, "<p class=\"bad\">Stopped by {}: {}</p>", escaped(&stop.gate), escaped(&stop.why));
    }
    if let Some(comparison) = against {
        out.push_str(&difference(comparison));
    }
    out.push_str("<h2>Graders</h2>\n");
    out.push_str(&chart(run));
    out.push_str("<h2>Scenarios</h2>\n<table><tr><th>scenario</th><th>about</th><th>first action</th><th>drafter</th><th>verdict</th></tr>\n");
    for outcome in &run.outcomes {
        let whys: Vec<String> =
            outcome.failures().map(|(name, grade)| format!("{}: {}", escaped(name), escaped(&grade.why))).collect();
        let (class, verdict) = if outcome.passed() { ("ok", "passes") } else { ("bad", "fails") };
        let _ = writeln!(
            out,
            "<tr><td>{} <small>#{}</small></td><td>{}</td><td>{}</td><td>{}</td><td><span class=\"{class}\">{verdict}</span><br><small>{}</small></td></tr>",
            escaped(&outcome.scenario),
            outcome.repeat,
            escaped(&outcome.about),
            escaped(&outcome.first),
            escaped(&outcome.drafter),
            whys.join("<br>")
        );
    }
    out.push_str("</table>\n</body></html>\n");
    out
}

/// Each grader's share as a bar with its interval.
fn chart(run: &SuiteRun) -> String {
    let by = run.by_grader();
    let rows: Vec<_> = GRADERS.iter().filter_map(|grader| Some((grader, *by.get(grader.name)?))).collect();
    let height = rows.len() * 24 + 10;
    let mut out = format!(
        "<svg viewBox=\"0 0 900 {height}\" role=\"img\" aria-label=\"Share of each grader that passed, with its 95 % interval\">\n"
    );
    for (at, (grader, (passed, of))) in rows.iter().enumerate() {
        let y = at * 24 + 6;
        let share = *passed as f64 / (*of as f64).max(1.0);
        let interval = wilson(*passed, *of);
        let x = |share: f64| 150.0 + share * 600.0;
        let colour = if passed == of {
            "#2da44e"
        } else if grader.hard {
            "#cf222e"
        } else {
            "#bf8700"
        };
        let _ = writeln!(
            out,
            "<text x=\"0\" y=\"{}\" font-size=\"13\">{}{}</text><rect x=\"150\" y=\"{y}\" width=\"{:.1}\" height=\"14\" fill=\"{colour}\"/><line x1=\"{:.1}\" x2=\"{:.1}\" y1=\"{}\" y2=\"{}\" stroke=\"#1b1f24\" stroke-width=\"2\"/><text x=\"765\" y=\"{}\" font-size=\"13\">{passed} of {of}</text>",
            y + 12,
            grader.name,
            if grader.hard { " (gate)" } else { "" },
            share * 600.0,
            x(interval.low),
            x(interval.high),
            y + 7,
            y + 7,
            y + 12
        );
    }
    out.push_str("</svg>\n");
    out
}

fn difference(comparison: &Comparison) -> String {
    let mut out = String::from("<h2>What changed</h2>\n");
    let _ = writeln!(
        out,
        "<p>{} scenarios pass that did not, {} no longer do (McNemar p = {:.4}). Mean score {:+.4} (95 % {:+.4} to {:+.4}, {} pairs).</p>",
        comparison.won.len(),
        comparison.lost.len(),
        comparison.p,
        comparison.score.mean,
        comparison.score.interval.low,
        comparison.score.interval.high,
        comparison.score.pairs
    );
    out.push_str("<table><tr><th>scenario</th><th>grader</th><th>before</th><th>after</th><th>why</th></tr>\n");
    for change in &comparison.changes {
        let word = |passed: Option<bool>| match passed {
            Some(true) => "<span class=\"ok\">passes</span>",
            Some(false) => "<span class=\"bad\">fails</span>",
            None => "says nothing",
        };
        let _ = writeln!(
            out,
            "<tr><td>{}</td><td>{}</td><td>{}</td><td>{}</td><td><small>{}</small></td></tr>",
            escaped(&change.scenario),
            escaped(&change.grader),
            word(change.before),
            word(change.after),
            escaped(&change.why)
        );
    }
    out.push_str("</table>\n");
    out
}
