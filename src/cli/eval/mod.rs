//! `reeve eval …`: suites of scenarios, recordings and detectors, scored.

mod accept;
mod compare;
mod data;
mod explain;
mod graders;
mod lint;
mod promote;
mod recording;
mod run;
mod standing;
mod votes;

use std::path::{Path, PathBuf};

use anyhow::Context;
use clap::Subcommand;

pub(in crate::cli) use self::standing::{HeldRuns, Runs};
use super::Outcome;
use crate::config::Config;
use crate::suites::run::SuiteRun;
use crate::suites::suite::Suite;

/// What can be scored, and what is done with scores.
#[derive(Debug, Subcommand)]
pub(in crate::cli) enum Eval {
    /// Run suites of scenarios offline and grade what comes of them; exits with 2 where a gate stops.
    Run(run::Run),
    /// Compare two runs, or a run with the accepted baseline; exits with 2 where the second is worse.
    Compare(compare::Compare),
    /// Accept a run as the baseline that later runs are held to: signed, in the suite's folder.
    Accept(accept::Accept),
    /// Make a key to sign baselines with; prints its public half for evals/signers.toml.
    Key(accept::Key),
    /// Show what came of one scenario: what was found, recommended and asked, and what each grader says.
    Explain(explain::Explain),
    /// Look for what makes suites worthless: twins, leaks between splits, answers that nobody asks for.
    Lint(lint::Lint),
    /// List the graders; with --suite, break every attempt on purpose and count what they catch.
    Graders(graders::Graders),
    /// Make a scenario of a real decision, with names and words put out of sight.
    Promote(promote::Promote),
    /// Say whether a language model has earned its words: better than the playbook beyond chance, on answers of its own.
    Standing(standing::Runs),
    /// Collect people's votes on two drafts side by side, and see how far a judging model agrees with them.
    #[command(subcommand)]
    Votes(votes::Votes),
    /// Write a suite as JSONL for other benches.
    Export(data::Export),
    /// Make scenarios of a JSONL that was exported before or written elsewhere.
    Import(data::Import),
    /// Replay a recording as a shop lives with it, without look-ahead, and score it against what was injected.
    Recording(recording::Recording),
    /// Put known exceptions into real histories and measure how well the detectors find them; measure the forest on tables.
    Detectors(super::models::EvalDetectors),
}

pub(in crate::cli) async fn run(config: Config, command: Eval, json: bool) -> anyhow::Result<Outcome> {
    match command {
        Eval::Run(args) => run::run(&config, args, json).await,
        Eval::Compare(args) => compare::run(&args, json),
        Eval::Accept(args) => accept::run(&args),
        Eval::Key(args) => accept::key(&args),
        Eval::Explain(args) => explain::run(&args, json).await,
        Eval::Lint(args) => lint::run(&args, json).await,
        Eval::Graders(args) => graders::run(&args, json).await,
        Eval::Promote(args) => promote::run(&config, &args).await,
        Eval::Standing(args) => standing::run(&args, json),
        Eval::Votes(command) => votes::run(&command).await,
        Eval::Export(args) => data::export(&args).await,
        Eval::Import(args) => data::import(&args),
        Eval::Recording(args) => Box::pin(recording::run(config, args, json)).await,
        Eval::Detectors(args) => super::models::eval(&args, json),
    }
}

/// The suites in a folder: it is one itself, or each of its folders that has a `suite.toml`.
fn suites(folder: &Path) -> anyhow::Result<Vec<Suite>> {
    if folder.join("suite.toml").is_file() {
        return Ok(vec![Suite::read(folder)?]);
    }
    let mut folders = Vec::new();
    for entry in std::fs::read_dir(folder).with_context(|| format!("can not list {}", folder.display()))? {
        let entry = entry.with_context(|| format!("can not list {}", folder.display()))?.path();
        if entry.join("suite.toml").is_file() {
            folders.push(entry);
        }
    }
    anyhow::ensure!(!folders.is_empty(), "{} holds no suite: no suite.toml in it or one folder below", folder.display());
    // File systems list in orders of their own, and reports are compared.
    folders.sort();
    folders.iter().map(|folder| Ok(Suite::read(folder)?)).collect()
}

/// A run as it was kept: the file, or `run.json` in a folder.
fn kept_run(path: &Path) -> anyhow::Result<SuiteRun> {
    let file: PathBuf = if path.is_dir() { path.join("run.json") } else { path.to_owned() };
    let text = std::fs::read_to_string(&file)
        .with_context(|| format!("can not read {}; `reeve eval run --out DIR` writes it", file.display()))?;
    serde_json::from_str(&text).with_context(|| format!("{} is no run of a suite", file.display()))
}
