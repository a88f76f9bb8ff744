//! The stages, one file for each verb, in the order in which an exception meets them.
//!
//! A stage takes no input: it reads its work from the store, thinks without a transaction open, and writes the new state,
//! the audit entry and the outbox rows in one short transaction guarded by the version it read. So a lost, doubled or late
//! wake-up, a crash and a restart all come to the same.

pub mod anchors;
mod answered;
pub mod context;
pub mod deliver;
pub mod detect;
pub mod draft;
mod enrich;
pub mod figures;
pub mod model_draft;
pub mod modes;
pub mod moment;
pub mod noise;
pub mod notify;
pub mod observe;
pub mod promises;
mod promoting;
pub mod publish;
pub mod recheck;
pub mod recheck_on_records;
pub mod registry;
pub mod remember;
pub mod scenes;
mod settled;
mod shop;
pub mod stop;
pub mod understand;
pub mod verify;
pub mod want;
pub mod watermark;
pub mod writers;

use std::time::Duration;

use async_trait::async_trait;

use self::figures::StageFigures;

/// What a run of a stage came to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Progress {
    /// So many pieces of work were done; there may be more.
    Advanced(usize),
    /// There is nothing to do.
    Idle,
}

/// One verb of the pipeline.
#[async_trait]
pub trait Stage: Send + Sync {
    /// The verb.
    fn name(&self) -> &'static str;

    /// Is it work of which one process at a time does all? What is not, such as deliveries, processes share piece by piece.
    fn is_for_one(&self) -> bool {
        true
    }

    /// Does one batch of the work there is.
    async fn run_once(&self) -> anyhow::Result<Progress>;

    /// What parts of its work did and took since it was asked last, where they are measured by themselves; none of it is counted
    /// among the stage's own.
    fn parts(&self) -> Vec<StageFigures> {
        Vec::new()
    }

    /// After an idle run: how long until there may be work that nobody wakes the stage for, where it knows.
    async fn due_in(&self) -> Option<Duration> {
        None
    }
}
