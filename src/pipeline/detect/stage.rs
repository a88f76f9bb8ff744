//! The stage: looks once for each state of the records, and writes what it found in one transaction.

use anyhow::Context;
use async_trait::async_trait;

use super::fold::fold_after;
use super::turned_down::turned_down;
use crate::domain::case::CaseState;
use crate::domain::ids::content_hash;
use crate::pipeline::observe::is_abreast;
use crate::pipeline::{Context as Stages, Progress, Stage};
use crate::store::Which;

/// Under which key the store remembers what was looked at last.
const DONE: &str = "detect.done";

/// Names the state of the records and the day; None while there is nothing whole to look at.
async fn to_look_at(stages: &Stages) -> anyhow::Result<Option<String>> {
    let Some(newest) = stages.store.newest_change().await? else { return Ok(None) };
    if !is_abreast(&stages.store).await? {
        return Ok(None);
    }
    let day = stages.config.calendar.calendar().day_of(stages.clock.now());
    Ok(Some(content_hash(&[&day.to_string(), &newest.as_millisecond().to_string()])))
}

/// Has the present state of the records been looked at?
pub async fn is_current(stages: &Stages) -> anyhow::Result<bool> {
    let Some(state) = to_look_at(stages).await? else { return Ok(false) };
    Ok(stages.store.find_setting(DONE).await?.as_deref() == Some(&state))
}

/// Detectors → exceptions → cases.
pub struct Detect(pub Stages);

#[async_trait]
impl Stage for Detect {
    fn name(&self) -> &'static str {
        "detect"
    }

    async fn run_once(&self) -> anyhow::Result<Progress> {
        let Stages { store, clock, desk, .. } = &self.0;
        let Some(state) = to_look_at(&self.0).await? else { return Ok(Progress::Idle) };
        if store.find_setting(DONE).await?.as_deref() == Some(&state) {
            return Ok(Progress::Idle);
        }
        let now = clock.now();
        let laid = desk.lay_out().await?;
        let known = store.list_exceptions(Which::All).await?;
        let mut live = store.list_cases(CaseState::LIVE).await?;
        live.retain(|case| !case.is_mute_proposal());
        let before = turned_down(&self.0, &laid, &known).await.context("looking at what was turned down")?;
        let folded = fold_after(&before, now, laid.seen.signals.clone(), known, live);
        let found = folded.cases.len();
        store
            .save_detection(&folded.exceptions, &folded.cases, &folded.entries, Some((DONE, &state)))
            .await
            .context("writing what the detectors found")?;
        Ok(Progress::Advanced(found.max(1)))
    }
}
