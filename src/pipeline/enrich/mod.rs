//! Case → evidence: which cases need evidence, in which order, what it is, and freezing it.
//!
//! A [`Round`] looks at every case that waits for people on one moment's book. Each is judged alone first, for the order needs its
//! money; what no decision would gain anything for stays latent and costs nothing more. Then the cases take their turns: a turn
//! reads the case's scene, assesses what could be done, promises the first choice's units, recalls like cases, and freezes and hashes
//! the bundle. What comes out is [`Enriched`], and drafting writes of nothing else.
//!
//! It is driven by drafting, a case at a time, and is no stage of the worker's list: a case's scene is its items' sales, and is not kept
//! for all cases at once, nor read twice. What it did and took is measured by itself ([`Enriching::figures`]). Killed after a bundle was
//! frozen, the store says so: the case's newest evidence is not the one that it was drafted on, and its next turn goes on from there.

mod alone;
mod freeze;
mod order;
mod recall;
mod round;

use tokio::sync::Mutex;

pub(super) use self::freeze::{Enriched, Found};
pub(super) use self::recall::AWAY;
pub(super) use self::round::Round;
use super::context::Context as Stages;
use super::figures::{Meter, StageFigures};
use super::settled::Settled;
use super::stop;
use crate::store::StoreError;

/// Evidence for every case that waits for people.
pub(super) struct Enriching {
    stages: Stages,
    settled: Mutex<Settled>,
    meter: Meter,
}

impl Enriching {
    /// With nothing judged yet.
    pub(super) fn new(stages: Stages) -> Self {
        Self { stages, settled: Mutex::default(), meter: Meter::of("enrich") }
    }

    /// What it did and took since this was asked last: how many bundles were frozen, in what time.
    pub(super) fn figures(&self) -> StageFigures {
        self.meter.take()
    }

    async fn is_stopped(&self) -> Result<bool, StoreError> {
        Ok(stop::stopped(&self.stages.store, &self.stages.config).await?.is_some())
    }
}
