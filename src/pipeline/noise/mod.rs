//! Noise: what people are not to be shown, how noisy detectors are, and drills that show whether cards are read.
//!
//! Only people mute; Reeve proposes. What is muted is found, drafted and counted as before. Nothing here changes a figure of
//! a case.

pub mod drill;
pub mod figures;
pub mod mutes;
pub mod propose;

use std::sync::Arc;

use async_trait::async_trait;

pub use mutes::{MuteRefused, MuteRequest, Muting, mute, unmute};

use super::approve::Recheck;
use super::{Context as Stages, Progress, Stage};

/// Proposes mutes, settles approved ones, and plants and takes back drills. It mutes and decides nothing.
pub struct NoiseControl {
    /// What every stage has at hand.
    pub context: Stages,
    /// The checks of this moment, for drills.
    pub recheck: Arc<dyn Recheck>,
}

#[async_trait]
impl Stage for NoiseControl {
    fn name(&self) -> &'static str {
        "noise"
    }

    async fn run_once(&self) -> anyhow::Result<Progress> {
        let settled = propose::settle(&self.context).await?;
        let proposed = propose::propose(&self.context).await?;
        let withdrawn = drill::withdraw(&self.context, self.recheck.as_ref()).await?;
        let planted = drill::plant(&self.context, self.recheck.as_ref()).await?;
        match settled + proposed + withdrawn + planted {
            0 => Ok(Progress::Idle),
            n => Ok(Progress::Advanced(n)),
        }
    }
}
