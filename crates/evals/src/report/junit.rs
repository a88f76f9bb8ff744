//! A run as JUnit XML, which every CI reads.

use std::fmt::Write as _;

use crate::run::SuiteRun;

/// Text as XML holds it; what XML can not hold is left out.
pub(super) fn escaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\'' => out.push_str("&#39;"),
            '\n' | '\t' => out.push(c),
            c if c.is_control() || matches!(c as u32, 0xfffe | 0xffff) => {}
            c => out.push(c),
        }
    }
    out
}

/// The report: a case for each attempt. Times are left out, so that two runs are the same bytes.
pub fn text(run: &SuiteRun) -> String {
    let failed = run.counted().filter(|outcome| !outcome.passed()).count();
    let apart = run.outcomes.iter().filter(|outcome| outcome.quarantined.is_some()).count();
    let mut out = String::from("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n");
    let _ = writeln!(
        out,
        "<testsuite name=\"{}\" tests=\"{}\" failures=\"{failed}\" skipped=\"{apart}\" errors=\"0\">",
        escaped(&run.suite),
        run.outcomes.len()
    );
    for outcome in &run.outcomes {
        let _ = write!(
            out,
            "  <testcase classname=\"{}\" name=\"{} #{}\"",
            escaped(&run.suite),
            escaped(&outcome.scenario),
            outcome.repeat
        );
        // What is kept apart breaks nobody's build and stays in sight.
        if let Some(reason) = &outcome.quarantined {
            let _ = writeln!(out, "><skipped message=\"{}\"/></testcase>", escaped(reason));
        } else if outcome.passed() {
            out.push_str("/>\n");
        } else {
            let whys: Vec<String> = outcome.failures().map(|(name, grade)| format!("{name}: {}", grade.why)).collect();
            let _ = writeln!(
                out,
                "><failure message=\"{}\">{}</failure></testcase>",
                escaped(whys.first().map_or("", String::as_str)),
                escaped(&whys.join("\n"))
            );
        }
    }
    out.push_str("</testsuite>\n");
    out
}
