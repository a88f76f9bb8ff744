//! A large retailer's day, timed: `cargo bench -p reeve --bench day -- 1000 20 400` (items, locations, days of sums; 28 of them in
//! detail), and a url behind them for an empty store other than a file of SQLite.
//!
//! It makes a retailer up, looks at it for the first time, lets one person decide and then fifty at once, tells that one item in
//! a hundred has changed, and tells of a further day's sales and closes it. It prints what each took by the clock and of the
//! processor's time, and the most memory that the process has had until then; of clicks the middle and the ninety-ninth hundredth.
#![expect(clippy::print_stdout, reason = "its output is its purpose")]

use std::collections::VecDeque;
use std::io::sink;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Instant;

use async_trait::async_trait;
use jiff::{SignedDuration, Timestamp};
use reeve::app::App;
use reeve::approve::{DecisionRequest, Verb};
use reeve::clock::Clock;
use reeve::config::Config;
use reeve::domain::hand::Hand;
use reeve::domain::ids::PersonId;
use reeve::domain::money::Quantity;
use reeve::domain::recommendation::Recommendation;
use reeve::domain::record::{MoveKind, Observed, Record};
use reeve::evals::retailer::fill;
use reeve::lab::retailer::{Retailer, Shape};
use reeve::pipeline::Stage;
use reeve::ports::{Page, PortError, Ports, Senders, Source};
use reeve::store::Store;
use reeve::worker::{Started, run_measured};
use tokio_util::task::TaskTracker;

/// Items, locations and days where none are named.
const USUAL: [u32; 3] = [1_000, 20, 400];

/// Clicks of one person, and people who click at once.
const CLICKS: usize = 50;

/// The retailer after it was read for the first time: tells what it is given.
struct Later {
    identity: String,
    told: Mutex<VecDeque<Observed>>,
}

impl Later {
    fn tell(&self, observed: Vec<Observed>) {
        self.told.lock().unwrap_or_else(PoisonError::into_inner).extend(observed);
    }
}

#[async_trait]
impl Source for Later {
    fn identity(&self) -> String {
        self.identity.clone()
    }

    async fn read(&self, _: Option<&str>, _: Timestamp, limit: usize) -> Result<Page, PortError> {
        let mut told = self.told.lock().unwrap_or_else(PoisonError::into_inner);
        let some = told.len().min(limit);
        let observed = told.drain(..some).collect();
        Ok(Page { observed, next: "later".to_owned(), more: !told.is_empty() })
    }

    fn span(&self) -> Option<(Timestamp, Timestamp)> {
        None
    }
}

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let named: Vec<u32> = std::env::args().filter_map(|arg| arg.parse().ok()).collect();
    let [items, locations, days] = <[u32; 3]>::try_from(named).unwrap_or(USUAL);
    let folder = tempfile::tempdir()?;
    let file = format!("sqlite:{}", folder.path().join("reeve.db").display());
    let url = std::env::args().find(|arg| arg.starts_with("postgres")).unwrap_or(file);
    let until = "2026-10-08".parse()?;
    let detail_days = days.min(28);
    let retailer =
        Retailer::new(Shape { items, locations, days, detail_days, listed: 1.0, injected: 0.01, seed: 7, until })?;
    let store = Store::open_and_migrate(&url).await?;
    let config = Config::load_from(None, &[])?;
    fill(config.clone(), &store, &retailer, &mut sink(), |_| {}).await?;
    println!("{items} items, {locations} locations, {days} days, {detail_days} of them in detail: kept");

    let clock = Clock::standing_at(retailer.read_at() + SignedDuration::from_mins(10));
    let source = Arc::new(Later { identity: retailer.identity(), told: Mutex::default() });
    let ports = Ports { source: Arc::clone(&source) as Arc<dyn Source>, model: None, senders: Senders::default() };
    let app = App::new(Arc::new(config), store.clone(), ports, clock.clone());
    // What the stages remember of one run to the next is theirs.
    let stages = app.stages();
    run(&app, &stages, "first look").await?;

    let mut queued: Vec<Recommendation> = Vec::new();
    for (rec, _) in store.list_recommendations_in(&["queued"]).await? {
        if queued.last().is_none_or(|last| last.case_id != rec.case_id) {
            queued.push(rec);
        }
    }
    let (alone, together) = (queued.split_off(queued.len().saturating_sub(CLICKS)), queued);
    let mut took = Vec::new();
    for rec in &alone {
        took.push(click(&app, rec).await);
    }
    tell("clicks of one person", &mut took);
    let clicks: Vec<_> = together.into_iter().take(CLICKS).collect();
    let tracker = TaskTracker::new();
    let all: Vec<_> = clicks
        .into_iter()
        .map(|rec| {
            let app = app.clone();
            tracker.spawn(async move { click(&app, &rec).await })
        })
        .collect();
    let mut took = Vec::new();
    for one in all {
        took.push(one.await?);
    }
    tell("clicks at once", &mut took);
    run(&app, &stages, "after the clicks").await?;

    clock.set(clock.now() + SignedDuration::from_mins(20));
    let changed = (1..=items).step_by(100).flat_map(|item| retailer.item(item).observed);
    source.tell(changed.filter_map(|observed| fewer(observed, clock.now())).collect());
    run(&app, &stages, "one item in a hundred has changed").await?;

    clock.set(clock.now() + SignedDuration::from_hours(24));
    source.tell((1..=items).flat_map(|item| a_week_later(&retailer.item(item).observed, retailer.read_at())).collect());
    run(&app, &stages, "a day is closed").await?;
    store.close().await;
    Ok(())
}

/// Runs every stage until nothing is left to do.
async fn run(app: &App, stages: &[Box<dyn Stage>], what: &str) -> anyhow::Result<()> {
    let started = Started::now();
    let run = run_measured(stages, &app.context.store, &app.context.clock, |_| {}).await?;
    let whole = started.took("all", 0);
    let memory = whole.peak_memory_bytes.unwrap_or_default() >> 20;
    println!("{what}: {:.1} s, {:.1} s of CPU, {memory} MB", whole.seconds, whole.cpu_seconds.unwrap_or_default());
    for stage in run.stages.iter().filter(|stage| stage.cpu_seconds.is_some_and(|cpu| cpu >= 0.1)) {
        println!(
            "    {:<10} {:>7.1} s {:>7.1} s of CPU, {} moved on",
            stage.stage,
            stage.seconds,
            stage.cpu_seconds.unwrap_or_default(),
            stage.advanced
        );
    }
    match run.failed.into_iter().next() {
        Some((stage, error)) => Err(error.context(format!("the stage {stage} failed"))),
        None => Ok(()),
    }
}

/// One approval as a page makes it: milliseconds, and whether it was kept.
async fn click(app: &App, rec: &Recommendation) -> (f64, bool) {
    let request = DecisionRequest {
        idempotency_key: format!("click on {}", rec.id),
        person: PersonId::new("ari"),
        channel: "web".to_owned(),
        hand: Hand::Own,
        recommendation_id: rec.id.clone(),
        content_hash: rec.content_hash(),
        verb: Verb::Approve,
    };
    let began = Instant::now();
    let answer = app.approvals.decide(&request).await;
    (began.elapsed().as_secs_f64() * 1e3, answer.is_ok())
}

fn tell(what: &str, took: &mut [(f64, bool)]) {
    took.sort_by(|a, b| a.0.total_cmp(&b.0));
    let at = |share: usize| took.get((took.len() * share / 100).min(took.len().saturating_sub(1))).map_or(0.0, |one| one.0);
    let kept = took.iter().filter(|one| one.1).count();
    println!(
        "{what}: {} clicks, {kept} kept, middle {:.1} ms, of a hundred the ninety-ninth {:.1} ms",
        took.len(),
        at(50),
        at(99)
    );
}

/// The same stock with a unit less: somebody bought one that no sale tells of yet.
fn fewer(observed: Observed, at: Timestamp) -> Option<Observed> {
    let Record::StockLevel(mut level) = observed.record else { return None };
    level.on_hand -= Quantity::units(1);
    Some(Observed { changed_at: at, record: Record::StockLevel(level) })
}

/// What was sold on the last day but six, as sold a week later.
fn a_week_later(observed: &[Observed], read_at: Timestamp) -> Vec<Observed> {
    let (from, to) = (read_at - SignedDuration::from_hours(7 * 24), read_at - SignedDuration::from_hours(6 * 24));
    let week = SignedDuration::from_hours(7 * 24);
    let later = |observed: &Observed| {
        let Record::Move(moved) = &observed.record else { return None };
        let done = moved.done_at.filter(|at| (from..to).contains(at) && moved.kind == MoveKind::Delivery)?;
        let mut moved = moved.clone();
        moved.id = format!("{}-later", moved.id);
        (moved.created_at, moved.done_at) = (moved.created_at + week, Some(done + week));
        Some(Observed { changed_at: done + week, record: Record::Move(moved) })
    };
    observed.iter().filter_map(later).collect()
}
