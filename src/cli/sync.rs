//! `reeve sync`: brings what has changed in Odoo into the store, once, and says how far it came.

use std::sync::Arc;
use std::time::Duration;

use anyhow::Context;
use clap::Args;
use indicatif::{HumanCount, ProgressBar, ProgressStyle};

use super::{Outcome, open, print_json};
use crate::adapters::odoo::progress::{Progress as Steps, Step};
use crate::app::App;
use crate::clock::Clock;
use crate::config::Config;
use crate::pipeline::observe::{self, Observe};
use crate::pipeline::{Progress, Stage};

/// What can be set.
#[derive(Debug, Args)]
pub(super) struct Sync {}

/// What came of it.
#[derive(Debug, serde::Serialize)]
struct Summary {
    source: String,
    records_changed: usize,
    records: std::collections::BTreeMap<String, i64>,
    not_read: Vec<String>,
}

pub(super) async fn run(config: Config, _args: Sync, json: bool) -> anyhow::Result<Outcome> {
    anyhow::ensure!(
        !config.odoo.url.is_empty(),
        "there is no Odoo to read: set odoo.url (or REEVE_ODOO__URL), odoo.user and REEVE_ODOO__API_KEY; docs/ODOO.md says how"
    );
    let bar = bar();
    let store = open::store(&config).await?;
    let clock = Clock::System;
    let source = open::source(&config, &store, &clock, Arc::new(Drawn(bar.clone()))).await?;
    let identity = source.identity();
    let ports = open::ports(&config, source, &clock)?;
    let app = App::new(Arc::new(config), store.clone(), ports, clock);
    let stage = Observe::new(app.context.clone());
    let mut changed = 0;
    loop {
        match stage.run_once().await.context("what was read stays; the same command goes on from there")? {
            Progress::Advanced(n) => {
                changed += n;
                bar.set_message(format!("putting records together: {}", HumanCount(changed as u64)));
            }
            Progress::Idle => break,
        }
    }
    bar.finish_and_clear();
    let summary = Summary {
        source: identity,
        records_changed: changed,
        records: store.count_records().await?,
        not_read: observe::gaps(&store).await?.iter().map(ToString::to_string).collect(),
    };
    if json {
        print_json(&summary)?;
        return Ok(Outcome::Fine);
    }
    say!("{}: {} records new or changed", summary.source, summary.records_changed);
    for (kind, count) in &summary.records {
        say!("  {count:>9} {kind}");
    }
    for line in &summary.not_read {
        say!("{line}");
    }
    Ok(Outcome::Fine)
}

/// Draws the steps where there is a terminal.
struct Drawn(ProgressBar);

impl Steps for Drawn {
    fn step(&self, step: &Step) {
        let total = step.total.map_or_else(String::new, |total| format!(" of {}", HumanCount(total.max(step.done))));
        let left = step.left.map_or_else(String::new, |left| format!(", {} s left", left.as_secs()));
        self.0.set_message(format!(
            "{} {}: {}{total}, {:.0} rows/s{left}",
            step.doing.as_str(),
            step.stream,
            HumanCount(step.done),
            step.rate
        ));
    }
}

fn bar() -> ProgressBar {
    let bar = ProgressBar::new_spinner();
    let style = ProgressStyle::with_template("{spinner} {msg} ({elapsed})").unwrap_or_else(|_| ProgressStyle::default_bar());
    bar.set_style(style);
    bar.enable_steady_tick(Duration::from_millis(120));
    bar
}
