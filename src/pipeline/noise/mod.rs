//! Noise: what people are not to be shown, how noisy detectors are, and drills that show whether cards are read.
//!
//! Only people mute; Reeve proposes. What is muted is found, drafted and counted as before. Nothing here changes a figure of
//! a case.

pub mod drill;
pub mod figures;
mod firsts;
pub mod mutes;
pub mod propose;
pub(crate) mod weight;

use std::sync::Arc;

use async_trait::async_trait;
use jiff::Timestamp;

pub use firsts::first_recommendations;
pub use mutes::{MuteRefused, MuteRequest, Muting, mute, unmute};

use super::{Progress, Stage, stop};
use crate::clock::Clock;
use crate::config::Config;
use crate::domain::case::Case;
use crate::domain::ids::CaseId;
use crate::pipeline::recheck::Recheck;
use crate::store::{Store, StoreError};

/// The case, where it still waits and people are shown it: not in shadow, not muted, and none about Reeve itself. Whoever is to be disturbed
/// about a case is disturbed only while this is so, when it is written and again when it leaves.
///
/// # Errors
/// The store's.
pub async fn still_shown(store: &Store, config: &Config, now: Timestamp, id: &CaseId) -> Result<Option<Case>, StoreError> {
    let Some(case) = store.find_case(id).await? else { return Ok(None) };
    if !case.state.is_undecided() || case.state.is_shadow() || case.is_mute_proposal() {
        return Ok(None);
    }
    let muting = Muting::load(store, config, now).await?;
    let hidden = muting.hides_each(store, std::slice::from_ref(&case)).await?;
    Ok(hidden.iter().all(Option::is_none).then_some(case))
}

/// Proposes mutes, settles approved ones, and plants and takes back drills. It mutes and decides nothing.
pub struct NoiseControl {
    /// Where everything is kept.
    pub store: Store,
    /// Thresholds, people, windows.
    pub config: Arc<Config>,
    /// When it is.
    pub clock: Clock,
    /// The checks of this moment, for drills.
    pub recheck: Arc<dyn Recheck>,
}

#[async_trait]
impl Stage for NoiseControl {
    fn name(&self) -> &'static str {
        "noise"
    }

    async fn run_once(&self) -> anyhow::Result<Progress> {
        let mut done = propose::settle(self).await?;
        done += drill::withdraw(self).await?;
        // What is over is cleared away also while Reeve is stopped; proposals and drills are drafts, and wait.
        if stop::stopped(&self.store, &self.config).await?.is_none() {
            done += propose::propose(self).await?;
            done += drill::plant(self).await?;
        }
        Ok(if done == 0 { Progress::Idle } else { Progress::Advanced(done) })
    }
}
