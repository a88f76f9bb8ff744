//! `reeve eval run`: suites offline, graded, reported and held to their gates.

use std::collections::BTreeMap;
use std::fs;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use anyhow::Context;
use clap::{Args, ValueEnum};
use indicatif::{ProgressBar, ProgressStyle};
use jiff::tz::TimeZone;

use super::suites;
use crate::adapters::openai;
use crate::cli::{Outcome, print_json, terminal};
use crate::clock::Clock;
use crate::config::Config;
use crate::evals::suite::{self, Done, How, Made, Recorder};
use crate::rules::prompts::DraftPrompt;
use crate::suites::report;
use crate::suites::run::SuiteRun;
use crate::suites::suite::{DrafterKind, Suite};

/// Which suites, and how.
#[derive(Debug, Args)]
pub(in crate::cli) struct Run {
    /// A suite's folder, or a folder of suites.
    #[arg(long, value_name = "DIR", default_value = "evals")]
    suite: PathBuf,
    /// Only scenarios with this tag, type, name or number; may be given several times.
    #[arg(long, value_name = "TAG")]
    tag: Vec<String>,
    /// Folder of another version of the prompt; the shipped one when left out.
    #[arg(long, value_name = "DIR")]
    prompt: Option<PathBuf>,
    /// Who drafts; as each suite says when left out.
    #[arg(long, value_enum)]
    drafter: Option<Who>,
    /// How often each scenario.
    #[arg(long, value_name = "N", default_value_t = 1, value_parser = clap::value_parser!(u32).range(1..=100))]
    repeat: u32,
    /// Use no network: every question of a model needs its cassette. This is so unless --record is given.
    #[arg(long, conflicts_with = "record")]
    offline: bool,
    /// Ask the configured model where no cassette answers, and keep what it says. Costs money and time.
    #[arg(long)]
    record: bool,
    /// File in which each attempt is noted as it ends: the same command again goes on from there.
    #[arg(long, value_name = "FILE")]
    resume: Option<PathBuf>,
    /// Folder to leave reports in, one folder for each suite: run.json, attempts.jsonl, drafts.jsonl,
    /// junit.xml, report.md, report.html.
    #[arg(long, value_name = "DIR")]
    out: Option<PathBuf>,
    /// List every scenario, not only what did not pass.
    #[arg(long)]
    details: bool,
}

/// Who drafts.
#[derive(Clone, Copy, Debug, ValueEnum)]
enum Who {
    /// The playbook alone.
    Playbook,
    /// A language model on cassettes.
    Model,
}

pub(super) async fn run(config: &Config, args: Run, json: bool) -> anyhow::Result<Outcome> {
    let prompt = match &args.prompt {
        Some(folder) => DraftPrompt::read(folder).with_context(|| format!("--prompt {}", folder.display()))?,
        None => DraftPrompt::shipped(),
    };
    let today = Clock::System.wire().to_zoned(TimeZone::UTC).date();
    // Without it nothing is asked over a network: what has no recorded answer fails its scenario (decision 111).
    let recorder = if args.record {
        let model = openai::model(&config.model, Clock::System)?;
        let model = model
            .context("--record asks a model: set model.base_url and model.name, or REEVE_MODEL__BASE_URL and __NAME")?;
        // Each recorded answer says whose it is (decision 111).
        let asked = config.writer_with(&prompt).map(|writer| writer.asked()).unwrap_or_default();
        Some(Recorder { model, asked, today })
    } else {
        None
    };
    let how = How {
        tags: args.tag.clone(),
        repeats: args.repeat,
        prompt: Arc::new(prompt),
        drafter: args.drafter.map(|who| match who {
            Who::Playbook => DrafterKind::Playbook,
            Who::Model => DrafterKind::Model,
        }),
        recorder,
        today,
        done: args.resume.as_deref().map(noted).transpose()?.unwrap_or_default(),
    };
    let suites = suites(&args.suite)?;
    let total: usize = suites.iter().map(|suite| how.picked(suite).len() * args.repeat as usize).sum();
    anyhow::ensure!(total > 0, "no scenario matches {:?}; tags are in each scenario.toml", args.tag);
    let mut runs = Vec::new();
    let bar = bar(total as u64);
    for suite in &suites {
        let run = of_suite(suite, &how, &args, &bar).await?;
        runs.push(run);
    }
    bar.finish_and_clear();
    let mut stopped = false;
    // A suite of which nothing was picked has no gates to pass.
    for (suite, run) in suites.iter().zip(&runs).filter(|(_, run)| !run.outcomes.is_empty()) {
        let stops = run.stops(&suite.spec.gates);
        stopped |= !stops.is_empty();
        if let Some(folder) = &args.out {
            report::write(&folder.join(&suite.name), suite, run, &stops)?;
        }
        if !json {
            terminal::block(&report::terminal::text(suite, run, &stops, args.details));
        }
    }
    if json {
        print_json(&runs)?;
    }
    Ok(if stopped { Outcome::CheckFailed } else { Outcome::Fine })
}

async fn of_suite(suite: &Suite, how: &How, args: &Run, bar: &ProgressBar) -> anyhow::Result<SuiteRun> {
    let mut notes = match &args.resume {
        Some(path) => Some(
            fs::OpenOptions::new()
                .create(true)
                .append(true)
                .open(path)
                .with_context(|| format!("can not write {}", path.display()))?,
        ),
        None => None,
    };
    let on_done = |made: &Made| {
        bar.inc(1);
        bar.set_message(made.outcome.scenario.clone());
        // What an earlier run had done is in the file already.
        if let (Some(file), true) = (&mut notes, made.attempt.is_some()) {
            // One write for a line: what a kill leaves behind is a whole line or is passed over when it is read.
            let done = Done { outcome: made.outcome.clone(), drafts: made.drafts.clone() };
            let line = serde_json::to_string(&(&made.key, &done)).context("an outcome is plain data")?;
            file.write_all(format!("{line}\n").as_bytes()).context("noting an attempt")?;
        }
        Ok(())
    };
    let made = suite::run(suite, how, on_done).await?;
    if let Some(folder) = &args.out {
        let folder = folder.join(&suite.name);
        fs::create_dir_all(&folder).with_context(|| format!("can not make {}", folder.display()))?;
        let mut lines = String::new();
        for draft in made.iter().flat_map(|made| &made.drafts) {
            lines.push_str(&serde_json::to_string(draft).context("a draft is plain text")?);
            lines.push('\n');
        }
        let path = folder.join("drafts.jsonl");
        fs::write(&path, lines).with_context(|| format!("can not write {}", path.display()))?;
    }
    let drafter = how.drafter.unwrap_or(suite.spec.drafter);
    Ok(SuiteRun {
        suite: suite.name.clone(),
        data: suite.data_hash.clone(),
        prompt: how.prompt.hash().to_owned(),
        prompt_version: how.prompt.card().version.clone(),
        drafter: match drafter {
            DrafterKind::Playbook => "playbook".to_owned(),
            DrafterKind::Model => played(&made),
        },
        repeats: how.repeats,
        partial: how.picked(suite).len() != suite.scenarios.len(),
        outcomes: made.into_iter().map(|made| made.outcome).collect(),
    })
}

/// The models whose answers were played, with where these come from.
fn played(made: &[Made]) -> String {
    let mut names: Vec<String> =
        made.iter().map(|m| m.outcome.drafter.clone()).filter(|name| name.starts_with("model ")).collect();
    names.sort();
    names.dedup();
    let mut origins: Vec<&str> = made.iter().flat_map(|m| &m.outcome.origins).map(String::as_str).collect();
    origins.sort_unstable();
    origins.dedup();
    format!("{} ({})", names.join(", "), if origins.is_empty() { "no cassettes".to_owned() } else { origins.join(" and ") })
}

/// What an earlier run noted; half a line at its end is what a kill left.
fn noted(path: &Path) -> anyhow::Result<BTreeMap<String, Done>> {
    if !path.exists() {
        return Ok(BTreeMap::new());
    }
    let text = fs::read_to_string(path).with_context(|| format!("can not read {}", path.display()))?;
    Ok(text.lines().filter_map(|line| serde_json::from_str::<(String, Done)>(line).ok()).collect())
}

fn bar(total: u64) -> ProgressBar {
    let bar = ProgressBar::new(total);
    if let Ok(style) = ProgressStyle::with_template("{spinner} [{bar:28}] {pos} of {len} ({elapsed}) {msg}") {
        bar.set_style(style.progress_chars("=> "));
    }
    bar
}
