//! `reeve eval graders`: what each grader holds; with a suite, whether it catches what is broken on purpose.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;

use clap::Args;
use jiff::tz::TimeZone;

use super::suites;
use crate::cli::{Outcome, print_json};
use crate::clock::Clock;
use crate::evals::suite::{self, How};
use crate::rules::prompts::DraftPrompt;
use crate::suites::grade::GRADERS;
use crate::suites::grade::mutate::{Caught, table};

/// Against what.
#[derive(Debug, Args)]
pub(in crate::cli) struct Graders {
    /// Break every attempt of these suites in every way; exits with 2 where a grader lets one pass.
    #[arg(long, value_name = "DIR")]
    suite: Option<PathBuf>,
}

pub(super) async fn run(args: &Graders, json: bool) -> anyhow::Result<Outcome> {
    let Some(folder) = &args.suite else {
        for grader in GRADERS {
            say!("{:<11} {} {}", grader.name, if grader.hard { "gate" } else { "    " }, grader.holds);
        }
        return Ok(Outcome::Fine);
    };
    let how = How {
        tags: Vec::new(),
        repeats: 1,
        prompt: Arc::new(DraftPrompt::shipped()),
        drafter: None,
        recorder: None,
        today: Clock::System.wire().to_zoned(TimeZone::UTC).date(),
        done: BTreeMap::new(),
    };
    let mut all = Vec::new();
    for suite in suites(folder)? {
        for made in suite::run(&suite, &how, |_| Ok(())).await? {
            let scenario = suite.scenarios[made.at].clone();
            let settings = suite::settings(&scenario, &how)?.rules;
            all.extend(made.attempt.map(|attempt| (scenario, attempt, settings)));
        }
    }
    let caught = table(all.iter().map(|(scenario, attempt, settings)| (scenario, attempt, settings)));
    if json {
        print_json(&caught)?;
    } else {
        for row in &caught {
            say!("{:<11} caught {:>4} of {:>4}: {}", row.grader, row.caught, row.made, row.breaks);
        }
    }
    // A grader that nothing was broken for is as useless as one that misses (decision 112).
    let missed = |row: &Caught| row.made == 0 || row.caught < row.made;
    Ok(if caught.iter().any(missed) { Outcome::CheckFailed } else { Outcome::Fine })
}
