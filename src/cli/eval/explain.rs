//! `reeve eval explain`: what came of one scenario, as people would see it, and what each grader says of it.

use std::fmt::Write as _;
use std::path::PathBuf;
use std::sync::Arc;

use anyhow::Context;
use clap::Args;
use jiff::tz::TimeZone;

use super::suites;
use crate::cli::{Outcome, print_json, terminal};
use crate::clock::Clock;
use crate::evals::suite::{self, How};
use crate::rules::prompts::DraftPrompt;
use crate::suites::attempt::{Attempt, CaseSeen};
use crate::suites::run::Outcome as Graded;
use crate::suites::scenario::Scenario;

/// Which scenario.
#[derive(Debug, Args)]
pub(in crate::cli) struct Explain {
    /// Its name, or the number that it begins with.
    scenario: String,
    /// A suite's folder, or a folder of suites.
    #[arg(long, value_name = "DIR", default_value = "evals")]
    suite: PathBuf,
    /// Folder of another version of the prompt.
    #[arg(long, value_name = "DIR")]
    prompt: Option<PathBuf>,
    /// Also print what a model was asked and answered.
    #[arg(long)]
    calls: bool,
}

pub(super) async fn run(args: &Explain, json: bool) -> anyhow::Result<Outcome> {
    let prompt = args.prompt.as_deref().map(DraftPrompt::read).transpose()?.unwrap_or_default();
    let today = Clock::System.wire().to_zoned(TimeZone::UTC).date();
    let how = How {
        tags: vec![args.scenario.clone()],
        repeats: 1,
        prompt: Arc::new(prompt),
        drafter: None,
        recorder: None,
        today,
        done: std::collections::BTreeMap::default(),
    };
    let mut any = false;
    for suite in suites(&args.suite)? {
        for made in suite::run(&suite, &how, |_| Ok(())).await? {
            any = true;
            let attempt = made.attempt.context("nothing was done before")?;
            if json {
                print_json(&attempt)?;
                continue;
            }
            let scenario = &suite.scenarios[made.at];
            terminal::block(&text(scenario, &attempt, &made.outcome, args.calls));
        }
    }
    anyhow::ensure!(any, "there is no scenario {:?} in {}", args.scenario, args.suite.display());
    Ok(Outcome::Fine)
}

fn text(scenario: &Scenario, attempt: &Attempt, outcome: &Graded, calls: bool) -> String {
    let mut out = format!("{}: {}\n", scenario.id, scenario.spec.title);
    let _ = writeln!(out, "  expected because: {}", scenario.expected.why);
    for exception in &attempt.exceptions {
        let reason = exception.signal.explained.as_deref().map_or_else(String::new, |why| format!(" — {why}"));
        let _ = writeln!(out, "  {:?} {}: {}{reason}", exception.state, exception.signal.code, exception.signal.headline);
    }
    for seen in &attempt.cases {
        case(&mut out, seen);
    }
    if let Some(failed) = &attempt.failed {
        let _ = writeln!(out, "  broke off: {failed}");
    }
    for (name, grade) in &outcome.grades {
        let verdict = if grade.passed { "passes" } else { "FAILS " };
        let _ = writeln!(out, "  {verdict} {name:<11} {:.3} {}", grade.score, grade.why);
    }
    for call in attempt.calls.iter().filter(|_| calls) {
        let _ = writeln!(out, "\n--- asked {}\n{}\n\n{}", call.request, call.system, call.user);
        let origin = call.origin.map_or_else(|| "no cassette".to_owned(), |origin| origin.to_string());
        let _ = writeln!(out, "--- answered ({origin})\n{}", call.reply);
    }
    out
}

fn case(out: &mut String, seen: &CaseSeen) {
    let codes: Vec<&str> = seen.case.codes.iter().map(|code| code.code()).collect();
    let priority = seen.case.rank.as_ref().map_or_else(String::new, |rank| format!(", P {}", rank.priority));
    let _ = writeln!(
        out,
        "  case {} {} [{}]{priority}: {}",
        seen.case.id,
        seen.case.state.name(),
        codes.join(" "),
        seen.case.headline
    );
    for rec in &seen.recommendations {
        let _ = writeln!(
            out,
            "    {}. {} {} worth {}: {}",
            rec.rank,
            rec.candidate.id,
            rec.candidate.codes(),
            rec.candidate.money.benefit.expected,
            rec.candidate.told()
        );
        let _ = writeln!(out, "       {}", rec.prose.rationale);
        for claim in &rec.prose.claims {
            let _ = writeln!(out, "       the model's reason, computed: {}", claim.words);
        }
        if !rec.prose.question.is_empty() {
            let _ = writeln!(out, "       the model asks: {}", rec.prose.question);
        }
    }
}
