//! `reeve run`: the stages until nothing is left to do, once, with what each did and took. No page, no waiting.

use clap::Args;
use jiff::Timestamp;
use serde::Serialize;

use super::duty::Turn;
use super::{Outcome, open, print_json};
use crate::clock::Clock;
use crate::config::Config;
use crate::pipeline::stop;
use crate::worker::{StageFigures, Started};

/// What can be set.
#[derive(Debug, Args)]
pub(super) struct Run {
    /// The moment at which it runs, such as 2026-10-31T15:30:00Z: for recordings and made-up retailers. Left out, it is now, and
    /// in a store that stands at a time of its own it is that.
    #[arg(long, value_name = "TIME")]
    at: Option<Timestamp>,
}

/// What came of it.
#[derive(Debug, Serialize)]
struct Summary {
    at: Timestamp,
    rounds: usize,
    seconds: f64,
    cpu_seconds: Option<f64>,
    peak_memory_bytes: Option<u64>,
    /// Who stopped Reeve and why, where it is stopped.
    stopped: Option<String>,
    stages: Vec<StageFigures>,
    failed: Vec<Failed>,
}

#[derive(Debug, Serialize)]
struct Failed {
    stage: &'static str,
    error: String,
}

pub(super) async fn run(config: Config, args: Run, json: bool) -> anyhow::Result<Outcome> {
    anyhow::ensure!(
        args.at.is_none() || config.odoo.url.is_empty(),
        "--at: a live Odoo (odoo.url) is read as it is now, so nothing can be judged as of another time; leave --at out"
    );
    let store = open::store_or_new(&config).await?;
    let clock = match args.at {
        // What crosses to the outside is signed with the machine's time, as in a demo.
        Some(at) => Clock::standing_at(at).with_wire(Clock::System),
        None => open::clock_of(&store, &config).await?,
    };
    let app = open::app_of(config, store, clock).await?;
    let context = &app.context;
    let stopped = stop::stopped(&context.store, &context.config).await?.map(|stopped| stopped.says(&context.config));
    if let Some(stopped) = stopped.as_ref().filter(|_| !json) {
        say!("{stopped}");
    }
    let fence = app.fence().cloned().unwrap_or_default();
    let turn = Turn::take(app.store(), &fence, context.config.worker.lease).await?;
    let (at, started) = (context.clock.now(), Started::now());
    let run = app
        .run_measured(|took| {
            if !json {
                say!("{:<11} {:<28} {:>8.2} s", took.stage, did(took), took.seconds);
            }
        })
        .await;
    // Before the error is passed on: the next process need not wait for the lease to run out.
    turn.end().await;
    let run = run?;
    let all = started.took("all", run.stages.iter().map(|figures| figures.advanced).sum());
    let failed: Vec<Failed> =
        run.failed.iter().map(|(stage, error)| Failed { stage, error: super::told_once(error) }).collect();
    let said: Vec<String> = failed.iter().map(|failed| failed.error.clone()).collect();
    if json {
        print_json(&Summary {
            at,
            rounds: run.rounds,
            seconds: all.seconds,
            cpu_seconds: all.cpu_seconds,
            peak_memory_bytes: all.peak_memory_bytes,
            stopped,
            stages: run.stages,
            failed,
        })?;
    } else {
        let cpu = all.cpu_seconds.map_or_else(String::new, |cpu| format!(", {cpu:.2} s of the processor"));
        let mebibytes = all.peak_memory_bytes.map(|bytes| bytes / (1024 * 1024));
        let memory = mebibytes.map_or_else(String::new, |mebibytes| format!(", at most {mebibytes} MiB of memory"));
        let rounds = if run.rounds == 1 { "1 round".to_owned() } else { format!("{} rounds", run.rounds) };
        say!("Nothing is left to do at {at} after {rounds}: {:.2} s{cpu}{memory}.", all.seconds);
    }
    context.store.close().await;
    // A stage that failed has not held up the others (decision 62), and is no success either.
    anyhow::ensure!(said.is_empty(), "{}; the other stages went on", said.join("; "));
    Ok(Outcome::Fine)
}

/// What a stage did, in its own pieces.
fn did(took: &StageFigures) -> String {
    if took.advanced == 0 {
        return "nothing to do".to_owned();
    }
    let what = match took.stage {
        "observe" => "records read",
        "understand" => "events understood",
        "detect" => "signals",
        "enrich" => "cases given evidence",
        "draft" => "cases drafted or ranked",
        "approve" => "queued, reminded or expired",
        "notify" => "digests made",
        "anchor" => "anchors put down",
        "deliver" => "messages",
        "verify" => "outcomes read back",
        _ => "pieces of work",
    };
    format!("{} {what}", took.advanced)
}
