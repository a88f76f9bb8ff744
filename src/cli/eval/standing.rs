//! `reeve eval standing`: has a language model earned its words? 2 where not.

use std::path::PathBuf;

use clap::Args;

use super::kept_run;
use crate::cli::{Outcome, print_json};
use crate::suites::standing::standing;
use crate::suites::suite::Suite;

/// Which runs.
#[derive(Debug, Args)]
pub(in crate::cli) struct Standing {
    /// The playbook's run of the suite (`reeve eval run --drafter playbook --out DIR`).
    #[arg(long, value_name = "RUN")]
    playbook: PathBuf,
    /// The model's, on answers of its own (`--record`).
    #[arg(long, value_name = "RUN")]
    model: PathBuf,
    /// The suite's folder, with its gates.
    #[arg(long, value_name = "DIR")]
    suite: PathBuf,
}

pub(super) fn run(args: &Standing, json: bool) -> anyhow::Result<Outcome> {
    let suite = Suite::read(&args.suite)?;
    let model = kept_run(&args.model)?;
    let found = standing(&kept_run(&args.playbook)?, &model, &suite.spec.gates)?;
    if json {
        print_json(&found)?;
    } else if found.earned {
        say!("{} has earned its words on {}: a person may promote it.", model.drafter, suite.name);
    } else {
        say!("{} is a candidate: people are to see the playbook.", model.drafter);
        for missing in &found.missing {
            say!("  {missing}");
        }
    }
    Ok(if found.earned { Outcome::Fine } else { Outcome::CheckFailed })
}
