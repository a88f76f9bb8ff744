//! `reeve sync`: brings what has changed in Odoo into the store, once, and says how far it came.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context;
use clap::Args;
use indicatif::{HumanCount, ProgressBar, ProgressStyle};

use super::{Outcome, open, print_json};
use crate::app::App;
use crate::clock::Clock;
use crate::config::Config;
use crate::domain::record::{Record, RecordKind, StockLevel};
use crate::odoo::live;
use crate::odoo::live::progress::{Progress as Steps, Step};
use crate::odoo::live::record::{self, Recorder, Scope};
use crate::pipeline::observe::{self, Observe};
use crate::pipeline::{Progress, Stage};
use crate::store::Store;

/// What can be set.
#[derive(Debug, Args)]
pub(super) struct Sync {
    /// Then write what was read into this new folder, as a recording that source.recording can name. Partners, companies and
    /// users are numbered; references, reasons and other free text become marks.
    #[arg(long, value_name = "DIR")]
    record: Option<PathBuf>,
    /// Record names of partners, references and free text as they are in Odoo. Such a folder is as confidential as the ERP.
    #[arg(long, requires = "record")]
    plain: bool,
    /// Record less: warehouses=CODE,CODE (documents of these warehouses only) or days=N (the last N days, and what is still
    /// open). Opening stock makes up for the rest. May be given twice.
    #[arg(long, requires = "record", value_name = "WHAT=VALUE")]
    scope: Vec<String>,
}

/// What came of it.
#[derive(Debug, serde::Serialize)]
struct Summary {
    source: String,
    records_changed: usize,
    records: std::collections::BTreeMap<String, i64>,
    not_read: Vec<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    recorded: Option<record::Summary>,
}

pub(super) async fn run(config: Config, args: Sync, json: bool) -> anyhow::Result<Outcome> {
    anyhow::ensure!(
        !config.odoo.url.is_empty(),
        "there is no Odoo to read: set odoo.url (or REEVE_ODOO__URL), odoo.user and REEVE_ODOO__API_KEY; docs/ODOO.md says how"
    );
    // A word that is not understood is said before an hour of reading.
    let scope = Scope::of(&args.scope)?;
    let bar = bar();
    let store = open::store_or_new(&config).await?;
    // A live Odoo is read as it is now, whatever time a store stands at.
    let clock = Clock::System;
    let source = open::source(&config, &store, &clock, Arc::new(Drawn(bar.clone()))).await?;
    let identity = source.identity();
    let ports = open::ports(&config, &store, source, &clock)?;
    let currency = config.rules.money.currency.clone();
    let app = App::new(Arc::new(config), store.clone(), ports, clock.clone());
    let stage = Observe::new(app.context.clone());
    let mut changed = 0;
    while let Progress::Advanced(n) =
        stage.run_once().await.context("what was read stays; the same command goes on from there")?
    {
        changed += n;
        bar.set_message(format!("putting records together: {}", HumanCount(changed as u64)));
    }
    let recorded = match &args.record {
        Some(dir) => {
            bar.set_message("writing the recording");
            Some(record(&store, dir, &args, &scope, &currency, &clock).await?)
        }
        None => None,
    };
    bar.finish_and_clear();
    let summary = Summary {
        source: identity,
        records_changed: changed,
        records: store.count_records().await?,
        not_read: observe::gaps(&store).await?.iter().map(ToString::to_string).collect(),
        recorded,
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
    if let Some(recorded) = &summary.recorded {
        let rows: u64 = recorded.rows.values().sum();
        say!("Recorded {rows} rows in {}, {} of them opening stock", recorded.folder.display(), recorded.opening_stock);
        if recorded.plain {
            say!(
                "WARNING: nothing was left out (--plain). The folder holds names, references and free text as Odoo has them"
            );
        }
    }
    Ok(Outcome::Fine)
}

/// Writes the recording from what the store holds.
async fn record(
    store: &Store,
    dir: &Path,
    args: &Sync,
    scope: &Scope,
    currency: &str,
    clock: &Clock,
) -> anyhow::Result<record::Summary> {
    let records = store.load_records_of(&[RecordKind::StockLevel]).await?;
    let levels: Vec<StockLevel> = records
        .into_iter()
        .filter_map(|record| if let Record::StockLevel(level) = record { Some(level) } else { None })
        .collect();
    // Made up for this recording and kept nowhere: nobody can undo it, or match it with another recording.
    let mut key = [0; 32];
    getrandom::fill(&mut key).expect("the operating system has randomness, or nothing can be made unreadable");
    let recorder = Recorder {
        mirror: store,
        levels: Some(levels.as_slice()).filter(|levels| !levels.is_empty()),
        companies: &live::companies_read(store).await?,
        currency,
        now: clock.now(),
        plain: args.plain,
        scope,
        key,
    };
    recorder.record(dir).await.with_context(|| format!("no recording was made in {}", dir.display()))
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
