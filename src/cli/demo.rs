//! `reeve demo`: the whole job on a recording of a real Odoo, with nothing else installed.

use std::io::IsTerminal;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context;
use clap::Args;
use indicatif::{ProgressBar, ProgressStyle};
use jiff::Timestamp;

use super::{Outcome, open, serve, terminal};
use crate::app::App;
use crate::channels::web::LinkFor;
use crate::clock::Clock;
use crate::config::Config;
use crate::odoo::recorded::bundled;
use crate::pipeline::{Progress, Stage};
use crate::ports::Source;
use crate::render;
use crate::rules::settings::CalendarConfig;
use crate::store::{Store, StoredDigest};

/// The recording that is configured as long as nobody configures another.
const BUNDLED: &str = "evals/recordings/odoo-18-retailer";

/// What can be set for a demo.
#[derive(Debug, Args)]
pub(super) struct Demo {
    /// Folder to build the store in; made if it is not there.
    #[arg(long, default_value = "reeve-demo", value_name = "DIR")]
    dir: PathBuf,
    /// Print the digest and exit, without serving the page.
    #[arg(long)]
    once: bool,
    /// Address to serve the page on; overrides web.listen.
    #[arg(long, value_name = "HOST:PORT")]
    listen: Option<String>,
}

pub(super) async fn run(mut config: Config, args: Demo) -> anyhow::Result<Outcome> {
    std::fs::create_dir_all(&args.dir)
        .with_context(|| format!("can not make the folder {}; name another with --dir", args.dir.display()))?;
    config.store.url = format!("sqlite:{}", args.dir.join("reeve.db").display());
    if let Some(listen) = args.listen {
        config.web.listen = listen;
    }
    // Before the long work: that the port is taken is said at once.
    let listener = if args.once { None } else { Some(serve::listen(&config).await?) };
    let bar = progress();
    bar.set_message("reading the recording");
    refuse_if_worked_with(&config, &args.dir).await?;
    if config.source.recording == Path::new(BUNDLED) && !config.source.recording.is_dir() {
        // Started from another folder than the project's, or installed: the program brings its recording along.
        let folder = args.dir.join("recording");
        bundled::unpack(&folder).with_context(|| format!("can not write the demo's recording to {}", folder.display()))?;
        config.source.recording = folder;
    }
    let source = open::recording(&config).await?;
    let (_, last) = source.span().context("the recording holds nothing that happened")?;
    let as_of = stands_at(&config.rules.calendar, last);
    let day = config.rules.calendar.calendar().day_of(as_of);
    // Time stands while the work is done, so that all of it is of one moment; it goes on once the page is there.
    let clock = Clock::standing_at(as_of).with_wire(Clock::System);
    let store = open::store_or_new(&config).await?;
    open::stand(&store, as_of).await?;
    let ports = open::ports(&config, &store, source, &clock)?;
    let config = Arc::new(config);
    let app = open::remembering(App::new(Arc::clone(&config), store.clone(), ports.clone(), clock))?;
    work(&app, &bar).await.with_context(|| {
        format!("the demo in {} stopped; what it has stored stays, the same command goes on from there", args.dir.display())
    })?;
    bar.finish_and_clear();
    let kept = store.find_digest(day).await?.context("the digest was not made; run with -v to see why")?;
    print(&kept, &args.dir);
    let Some(listener) = listener else { return Ok(Outcome::Fine) };
    let app = open::remembering(App::new(config, store, ports, Clock::going_on_from(as_of)))?;
    // Its people are made up and its store is its own: whoever tries it is each of them. Real people are not.
    let made_for = if app.context.config.has_only_samples() { LinkFor::Demo } else { LinkFor::Person };
    serve::say_where(&app, &listener, |_| Some(made_for)).await?;
    serve::until_stopped(app, listener).await
}

/// A demo lets whoever starts it be everybody: never in a store that other people work with. Nothing is written before that is
/// known.
async fn refuse_if_worked_with(config: &Config, dir: &Path) -> anyhow::Result<()> {
    if !dir.join("reeve.db").exists() {
        return Ok(());
    }
    let store = Store::open(&config.store.url).await?;
    let is_new = store.schema_version().await?.is_none()
        || (store.audit_head().await?.0 == 0 && store.count_records().await?.is_empty());
    let is_ours = is_new || open::stands(&store).await?;
    store.close().await;
    anyhow::ensure!(
        is_ours,
        "the store in {} is not a demo's: it was filled by other commands; name an empty folder with --dir",
        dir.display()
    );
    Ok(())
}

/// Where a demo stands: at the last moment of its recording, or, where that day's digest is not due yet, when it is. By then
/// everything has been read, and the day before has closed.
fn stands_at(calendar: &CalendarConfig, last: Timestamp) -> Timestamp {
    last.max(calendar.digest_at(calendar.calendar().day_of(last)))
}

/// Runs the stages until nothing is left to do, saying which one is at work.
async fn work(app: &App, bar: &ProgressBar) -> anyhow::Result<()> {
    let mut records = 0;
    for stage in app.stages() {
        bar.set_message(words(stage.as_ref()));
        loop {
            match stage.run_once().await.with_context(|| format!("the stage {} failed", stage.name()))? {
                Progress::Advanced(n) if stage.name() == "observe" => {
                    records += n;
                    bar.set_message(format!("reading records: {records}"));
                }
                Progress::Advanced(_) => {}
                Progress::Idle => break,
            }
        }
        bar.inc(1);
    }
    // What one stage did may be work for another: the rest comes to rest by itself.
    app.run_until_idle().await
}

fn words(stage: &dyn Stage) -> &'static str {
    match stage.name() {
        "observe" => "reading records",
        "detect" => "looking for what is out of line",
        "draft" => "gathering evidence, computing what could be done",
        "approve" => "filling the approval queue",
        "notify" => "composing the digest",
        _ => "finishing",
    }
}

fn progress() -> ProgressBar {
    let bar = ProgressBar::new(9);
    let style = ProgressStyle::with_template("{spinner} [{bar:28}] {msg} ({elapsed})")
        .unwrap_or_else(|_| ProgressStyle::default_bar());
    bar.set_style(style.progress_chars("=> "));
    bar.enable_steady_tick(Duration::from_millis(120));
    bar
}

fn print(kept: &StoredDigest, dir: &Path) {
    if std::io::stdout().is_terminal() {
        terminal::coloured(&render::text_coloured(&kept.digest));
    } else {
        terminal::block(&kept.text);
    }
    say!("");
    say!("The store is {}; run the same command again and nothing is done twice.", dir.join("reeve.db").display());
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_demo_stands_where_its_days_digest_is_due_in_every_zone() {
        let last: Timestamp = "2026-10-31T15:30:00Z".parse().unwrap();
        let mut calendar = Config::load_from(None, &[]).unwrap().rules.calendar;
        for (zone, stands) in [
            ("UTC", "2026-10-31T15:30:00Z"),
            ("America/Los_Angeles", "2026-10-31T15:30:00Z"),
            ("Asia/Kolkata", "2026-10-31T15:30:00Z"),
            ("Asia/Tokyo", "2026-10-31T21:00:00Z"),
            ("Australia/Sydney", "2026-10-31T19:00:00Z"),
            ("Pacific/Auckland", "2026-10-31T17:00:00Z"),
            ("Pacific/Kiritimati", "2026-10-31T16:00:00Z"),
        ] {
            calendar.timezone = jiff::tz::TimeZone::get(zone).unwrap();
            let at = stands_at(&calendar, last);
            assert_eq!(at, stands.parse().unwrap(), "{zone}");
        }
        // A day that closes early has begun on the evening before, and waits for its morning.
        (calendar.timezone, calendar.cut_off_hour) = (jiff::tz::TimeZone::UTC, 14);
        assert_eq!(stands_at(&calendar, last), "2026-11-01T06:00:00Z".parse().unwrap());
    }
}
