//! `reeve eval lint`: what makes suites worthless; 2 where anything was found.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;
use std::sync::Arc;

use clap::Args;
use jiff::tz::TimeZone;

use super::suites;
use crate::cli::{Outcome, print_json};
use crate::clock::Clock;
use crate::evals::suite::{self, How};
use crate::rules::prompts::DraftPrompt;
use crate::suites::lint;

/// Which suites.
#[derive(Debug, Args)]
pub(in crate::cli) struct Lint {
    /// A suite's folder, or a folder of suites.
    #[arg(long, value_name = "DIR", default_value = "evals")]
    suite: PathBuf,
}

pub(super) async fn run(args: &Lint, json: bool) -> anyhow::Result<Outcome> {
    let today = Clock::System.wire().to_zoned(TimeZone::UTC).date();
    let suites = suites(&args.suite)?;
    let mut found = lint::lint(&suites, today);
    for suite in &suites {
        found.extend(lint::numbers(&suite.folder, suite));
        // Which cassettes answer anything is known once everything was asked.
        let with: Vec<String> = suite.scenarios.iter().filter(|s| s.cassettes().is_dir()).map(|s| s.id.clone()).collect();
        if with.is_empty() {
            continue;
        }
        let how = How {
            tags: with,
            repeats: 1,
            prompt: Arc::new(DraftPrompt::shipped()),
            drafter: None,
            recorder: None,
            today,
            done: BTreeMap::new(),
        };
        for made in suite::run(suite, &how, |_| Ok(())).await? {
            let asked: BTreeSet<String> =
                made.attempt.iter().flat_map(|a| &a.calls).map(|call| call.request.clone()).collect();
            found.extend(lint::orphans(&suite.scenarios[made.at], &asked)?);
        }
    }
    if json {
        print_json(&found)?;
    } else {
        for finding in &found {
            say!("{finding}");
        }
        let count: usize = suites.iter().map(|suite| suite.scenarios.len()).sum();
        say!("{count} scenarios in {} suites; {} findings.", suites.len(), found.len());
    }
    Ok(if found.is_empty() { Outcome::Fine } else { Outcome::CheckFailed })
}
