//! The queue as a stage: puts what was drafted before people, reminds, wakes, and lets run out what nobody decided.

use std::sync::Arc;

use async_trait::async_trait;

use super::Approvals;
use crate::pipeline::{Progress, Stage};

/// Feeds and sweeps the approval queue. It decides nothing.
pub struct Queue(pub Arc<Approvals>);

#[async_trait]
impl Stage for Queue {
    fn name(&self) -> &'static str {
        "approve"
    }

    async fn run_once(&self) -> anyhow::Result<Progress> {
        let queued = self.0.submit().await?;
        let swept = self.0.remind_and_expire().await?.advanced();
        Ok(if queued + swept == 0 { Progress::Idle } else { Progress::Advanced(queued + swept) })
    }
}
