//! `reeve eval recording --decide RULE`: a recording lived day by day in which people decide what the digest shows, by a stated
//! rule, and what that does to the cards of later days.
//!
//! The days are lived three times: with decisions and memory, with the same decisions and memory off, and with nobody deciding. The
//! first two have to agree in every figure and every place, for memory shows and moves nothing; the first and the last differ by
//! what was decided. A recording does not change by decisions: what was approved is taken by a receiver that does nothing, and is read
//! back as carried out only where the recording happens to hold the trace of it.

mod against;
mod days;
mod decide;
mod hindsight;
mod like;
mod recomputed;
mod report;
mod rule;

use std::path::Path;
use std::sync::Arc;

use anyhow::Context as _;
use jiff::civil::Date;

pub use self::against::Against;
pub use self::like::Likes;
pub use self::recomputed::{OfAction, Recomputed};
pub use self::report::Report;
pub use self::rule::Rule;

use self::days::{Lived, World};
use self::hindsight::Hindsight;
use super::recording::Reads;
use crate::app::App;
use crate::config::Config;
use crate::domain::calendar::{days_between, plus_days};
use crate::lab::grade::truth::Truth;
use crate::ports::Source;

/// What is replayed, and who decides.
pub struct Replay<'a> {
    /// The recording's folder, with its truth.
    pub recording: &'a Path,
    /// When it is read.
    pub reads: Reads,
    /// By what people decide.
    pub rule: Rule,
    /// The first and the last morning; the whole recording where nothing is said.
    pub span: (Option<Date>, Option<Date>),
    /// A folder in which to leave each digest of the days with decisions as text.
    pub digests: Option<&'a Path>,
}

/// Lives the recording behind `source` three times and says what decisions and memory came to. `wire` gives an App its memory;
/// `on_day` is told of each day of all three.
///
/// # Errors
/// Says what could not be read, run or recomputed.
pub async fn run(
    config: Config,
    source: Arc<dyn Source>,
    wire: impl Fn(App) -> anyhow::Result<App>,
    replay: Replay<'_>,
    on_day: impl Fn(u64, u64),
) -> anyhow::Result<Report> {
    anyhow::ensure!(config.memory.enabled, "memory.enabled is false: there is nothing to compare with");
    anyhow::ensure!(replay.reads != Reads::ClosedDays, "people decide on mornings: a day that is read at its end has none");
    let truth = Truth::read(replay.recording)?;
    let first = replay.span.0.unwrap_or_else(|| plus_days(truth.window.0, 1));
    let last = replay.span.1.unwrap_or_else(|| plus_days(truth.window.1, 1));
    anyhow::ensure!(first <= last, "--from {first} is after --to {last}");
    let mut forgetful = config.clone();
    forgetful.memory.enabled = false;
    let (config, forgetful) = (Arc::new(config), Arc::new(forgetful));
    let hindsight = Hindsight::of(&config, &source, truth).await.context("reading the whole recording")?;
    let days = days_between(first, last) as u64 + 1;
    let live = async |config: &Arc<Config>, decides: bool, lived: u64, is_shown: bool| -> anyhow::Result<Lived> {
        let world = World {
            config,
            source: &source,
            hindsight: &hindsight,
            reads: &replay.reads,
            rule: decides.then_some(replay.rule),
            digests: replay.digests.filter(|_| is_shown),
            recomputes: is_shown,
        };
        world.live((first, last), &wire, |day| on_day(lived * days + day, 3 * days)).await
    };
    let with = live(&config, true, 0, true).await.context("living it with decisions")?;
    let without_memory = live(&forgetful, true, 1, false).await.context("living it with decisions and without memory")?;
    let undecided = live(&config, false, 2, false).await.context("living it with nobody deciding")?;
    Ok(Report::of(&replay, with, &without_memory, &undecided))
}
