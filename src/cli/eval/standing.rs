//! `reeve eval standing`: has a language model earned its words? 2 where not.

use std::path::{Path, PathBuf};

use anyhow::Context as _;
use clap::Args;

use super::kept_run;
use crate::cli::{Outcome, print_json};
use crate::suites::run::SuiteRun;
use crate::suites::standing::{Standing, standing};
use crate::suites::suite::Suite;
use crate::suites::votes::{self, Draft, Vote};

/// Which runs.
#[derive(Debug, Args)]
pub(in crate::cli) struct Runs {
    /// The playbook's run of the suite (`reeve eval run --drafter playbook --out DIR`).
    #[arg(long, value_name = "RUN")]
    playbook: PathBuf,
    /// The model's, on answers of its own (`--record`).
    #[arg(long, value_name = "RUN")]
    model: PathBuf,
    /// The suite's folder, with its gates.
    #[arg(long, value_name = "DIR")]
    suite: PathBuf,
    /// People's votes on the drafts of both runs; they count where there are enough, and the runs are folders.
    #[arg(long, value_name = "FILE", default_value = "evals/votes.jsonl")]
    votes: PathBuf,
}

/// Two runs held beside each other.
pub(in crate::cli) struct HeldRuns {
    pub(in crate::cli) suite: Suite,
    pub(in crate::cli) playbook: SuiteRun,
    pub(in crate::cli) model: SuiteRun,
    pub(in crate::cli) standing: Standing,
}

impl Runs {
    /// Reads both and holds one beside the other.
    pub(in crate::cli) fn held(&self) -> anyhow::Result<HeldRuns> {
        let suite = Suite::read(&self.suite)?;
        let (playbook, model) = (kept_run(&self.playbook)?, kept_run(&self.model)?);
        for run in [&playbook, &model] {
            anyhow::ensure!(run.suite == suite.name, "a run is of suite {}, not of {}", run.suite, suite.name);
            anyhow::ensure!(run.data == suite.data_hash, "suite {} has changed since it was run: run it again", suite.name);
        }
        anyhow::ensure!(playbook.drafter == "playbook", "--playbook names a run that {} drafted", playbook.drafter);
        let drafts = (drafts_of(&self.playbook)?, drafts_of(&self.model)?);
        let all: Vec<Vote> = votes::read(&self.votes)?;
        let prose = votes::preference(&all, &drafts.0, &drafts.1);
        let standing = standing(&playbook, &model, &suite.spec.gates, prose)
            .with_context(|| format!("{} and {}", self.playbook.display(), self.model.display()))?;
        Ok(HeldRuns { suite, playbook, model, standing })
    }
}

/// The drafts beside a run that was kept in a folder.
fn drafts_of(run: &Path) -> anyhow::Result<Vec<Draft>> {
    votes::read(&run.join("drafts.jsonl"))
}

pub(super) fn run(args: &Runs, json: bool) -> anyhow::Result<Outcome> {
    let HeldRuns { suite, model, standing, .. } = args.held()?;
    if json {
        print_json(&standing)?;
        return Ok(if standing.earned { Outcome::Fine } else { Outcome::CheckFailed });
    }
    if standing.earned {
        say!(
            "{} has earned its words on {}: a person may promote it (`reeve words prove`, then `promote`).",
            model.drafter,
            suite.name
        );
    } else {
        say!("{} is a candidate: people are to see the playbook.", model.drafter);
    }
    for found in standing.found() {
        say!("  {found}");
    }
    for missing in &standing.missing {
        say!("  MISSING {missing}");
    }
    Ok(if standing.earned { Outcome::Fine } else { Outcome::CheckFailed })
}
