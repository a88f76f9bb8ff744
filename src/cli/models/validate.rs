//! `reeve models validate`: a version held to the test beside the one that runs.

use std::fmt::Write as _;
use std::path::PathBuf;
use std::sync::Arc;

use anyhow::Context;
use clap::Args;
use jiff::civil::Time;

use super::registry::find;
use super::{Seeds, history, spinner};
use crate::cli::{Outcome, open, print_json, terminal};
use crate::config::Config;
use crate::domain::audit::BY_COMMAND;
use crate::domain::model::{ModelKind, ModelName, Validation};
use crate::evals::recording::{self, Reads, Replay, Score};
use crate::lab::validate::{self, Judged};
use crate::pipeline::registry::{self, Loaded};
use crate::ports::{Ports, Senders};
use crate::rules::detect::habits;
use crate::rules::settings::Models;
use crate::store::Store;

/// Times of day at which a replay reads: in the evening and at the digest's hour, as `reeve eval recording` does.
const READS: [Time; 2] = [Time::constant(20, 0, 0, 0), Time::constant(6, 10, 0, 0)];

/// What is judged, and on what.
#[derive(Debug, Args)]
pub(in crate::cli) struct Validate {
    /// The version.
    name: ModelName,
    /// Folder of a recording to judge on, in place of what is in the store.
    #[arg(long, value_name = "DIR")]
    recording: Option<PathBuf>,
    /// Folder of a recording with its truth.json: also replay it day by day with both versions, as `reeve eval recording` does.
    #[arg(long, value_name = "DIR")]
    replay: Option<PathBuf>,
    /// Seeds of the trials; none that it was trained with.
    #[arg(long, default_value = "9000001-9000003")]
    seeds: Seeds,
}

pub(super) async fn run(config: Config, args: Validate, json: bool) -> anyhow::Result<Outcome> {
    let store = open::store(&config).await?;
    let clock = open::clock_of(&store, &config).await?;
    let now = registry::in_force(&store, &config).await?;
    let (name, beside) = (args.name.clone(), now.models().name(args.name.kind));
    anyhow::ensure!(name != beside, "{name} runs already; a version is held to the test before it is promoted");
    find(&store, &config, &name).await?;
    let loaded = registry::load(&store, &config, &name).await?.map_err(|why| anyhow::anyhow!("{name}: {why}"))?;
    let bar = spinner("reading the records");
    let (book, from) = Box::pin(history::book(config.clone(), args.recording.clone())).await?;
    let watch = |what: &str| bar.set_message(what.to_owned());
    // Only this one detector differs from what runs, so what differs in a replay is its doing.
    let mut models = now.models().clone();
    match loaded {
        Loaded::Demand(model) => models.demand = model,
        Loaded::Receiving(scorer) => models.receiving = scorer,
    }
    let seeds = args.seeds.0.clone();
    let mut judged = match name.kind {
        ModelKind::Demand => {
            let panel = history::demand(&book, &config.rules.calendar.closed_days)?;
            let panel = panel.with_context(|| format!("{from} holds no sales to judge on"))?;
            let both = (models.demand.detector(), now.models().demand.detector());
            validate::demand(&panel, both, (&seeds, config.rules.detect.false_share), watch)?
        }
        ModelKind::Receiving => {
            let both = (models.receiving.detector(), now.models().receiving.detector());
            validate::receiving(&habits::records(&book), both, &seeds, watch)?
        }
    };
    // Beside the own records and never in their place: one recording must not decide for every shop (decision 97).
    if let Some(folder) = &args.replay {
        watch("replaying with the version");
        let own = replayed(&config, models, folder).await?;
        watch("replaying with what runs");
        let other = replayed(&config, now.models().clone(), folder).await?;
        lived(&mut judged, &own, &other);
    }
    bar.finish_and_clear();
    let Judged { on, data_hash, measures, failed } = judged;
    let validation = Validation { model: name, beside, on, data_hash, seeds, measures, failed, at: clock.now() };
    registry::validated(&store, &validation, BY_COMMAND, BY_COMMAND).await?;
    if json {
        print_json(&validation)?;
    } else {
        terminal::block(&in_words(&validation));
        say!("");
    }
    Ok(if validation.passed() { Outcome::Fine } else { Outcome::CheckFailed })
}

async fn replayed(config: &Config, models: Models, folder: &std::path::Path) -> anyhow::Result<Score> {
    let mut config = config.clone();
    config.source.recording = folder.to_owned();
    config.rules.models = models;
    let ports = Ports { source: open::recording(&config).await?, model: None, senders: Senders::default() };
    let store = Store::open_and_migrate("sqlite::memory:").await?;
    let replay = Replay { recording: folder, reads: Reads::Lived(READS.to_vec()), digests: None };
    recording::run(Arc::new(config), store, ports, replay, |_, _| ()).await
}

/// What was lived through with a version and with the one beside it: nothing may be found less, and nothing false more.
fn lived(judged: &mut Judged, own: &Score, other: &Score) {
    let false_cases = |score: &Score| score.cases - score.cases_real;
    for (name, own, other, more_is_better) in [
        ("replay: found", own.found, other.found, true),
        ("replay: shown above the line", own.shown, other.shown, true),
        ("replay: false cases", false_cases(own), false_cases(other), false),
        ("replay: look-alikes alarmed", own.alarmed.len() as u32, other.alarmed.len() as u32, false),
        ("replay: falls for nothing", own.false_collapses.len() as u32, other.false_collapses.len() as u32, false),
    ] {
        judged.measures.insert(name.to_owned(), (f64::from(own), f64::from(other)));
        if (more_is_better && own < other) || (!more_is_better && own > other) {
            judged.failed.push(format!("{name} {own}, and what runs has {other}"));
        }
    }
}

/// A validation for people.
pub(super) fn in_words(validation: &Validation) -> String {
    let Validation { model, beside, on, seeds, measures, failed, at, .. } = validation;
    let seeds: Vec<String> = seeds.iter().map(ToString::to_string).collect();
    let mut out = format!("{model} beside {beside}, on {on}; trials {}; {at}\n", seeds.join(", "));
    let _ = writeln!(out, "  {:<30} {:>8} {:>9}", "", "it", "what runs");
    for (name, (own, other)) in measures {
        let _ = writeln!(out, "  {name:<30} {own:>8.3} {other:>9.3}");
    }
    match failed.as_slice() {
        [] => out.push_str("Passed."),
        failed => {
            let _ = write!(out, "Did not pass: {}.", failed.join("; "));
        }
    }
    out
}
