//! The stage: looks once for each whole look at the source, and writes what it found in one transaction.

use anyhow::Context;
use async_trait::async_trait;
use jiff::Timestamp;
use jiff::civil::Date;
use serde::{Deserialize, Serialize};

use super::fold::{Look, fold_after};
use super::turned_down::turned_down;
use crate::domain::case::CaseState;
use crate::pipeline::observe::{is_abreast, looked_at, may_look};
use crate::pipeline::{Context as Stages, Progress, Stage};
use crate::store::Which;

/// Under which key the store remembers what was looked at last.
const DONE: &str = "detect.done";

/// What is looked at: the records up to a watermark, with what was announced since, on a day.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Sight {
    day: Date,
    read_up_to: Timestamp,
    newest: Timestamp,
}

impl Sight {
    /// What there is to look at; None while it is not whole, or this day was not read yet.
    async fn of_now(stages: &Stages) -> anyhow::Result<Option<Self>> {
        if !may_look(stages).await? {
            return Ok(None);
        }
        let (newest, read_up_to) = (stages.store.newest_change().await?, looked_at(&stages.store).await?);
        let day = stages.config.calendar.calendar().day_of(stages.clock.now());
        Ok(newest.zip(read_up_to).map(|(newest, read_up_to)| Self { day, read_up_to, newest }))
    }

    /// What was looked at last.
    async fn last(stages: &Stages) -> anyhow::Result<Option<Self>> {
        let text = stages.store.find_setting(DONE).await?;
        // What an earlier version wrote is as good as nothing: then everything is looked at anew.
        Ok(text.and_then(|text| serde_json::from_str(&text).ok()))
    }
}

/// Up to where the records were read that the detectors have looked at; None before the first time.
///
/// # Errors
/// The store's.
pub async fn looked_through(stages: &Stages) -> anyhow::Result<Option<Timestamp>> {
    Ok(Sight::last(stages).await?.map(|sight| sight.read_up_to))
}

/// Has the last whole look at the source been looked through, on this day?
///
/// # Errors
/// The store's.
pub async fn is_current(stages: &Stages) -> anyhow::Result<bool> {
    let Some(last) = Sight::last(stages).await? else { return Ok(false) };
    if let Some(sight) = Sight::of_now(stages).await? {
        return Ok(sight == last);
    }
    // While the next look is coming in, the last one counts.
    let day = stages.config.calendar.calendar().day_of(stages.clock.now());
    let coming_in = !is_abreast(&stages.store).await?;
    Ok(coming_in && last.day == day && looked_at(&stages.store).await? == Some(last.read_up_to))
}

/// Detectors → exceptions → cases.
pub struct Detect(pub Stages);

#[async_trait]
impl Stage for Detect {
    fn name(&self) -> &'static str {
        "detect"
    }

    async fn run_once(&self) -> anyhow::Result<Progress> {
        let Stages { store, clock, desk, config, .. } = &self.0;
        let Some(sight) = Sight::of_now(&self.0).await? else { return Ok(Progress::Idle) };
        let last = Sight::last(&self.0).await?;
        if last.as_ref() == Some(&sight) {
            return Ok(Progress::Idle);
        }
        let laid = desk.lay_out().await?;
        // Where the next look has begun meanwhile, half of it may be on the desk.
        if Sight::of_now(&self.0).await?.as_ref() != Some(&sight) {
            return Ok(Progress::Idle);
        }
        let known = store.list_exceptions(Which::All).await?;
        let mut live = store.list_cases(CaseState::LIVE).await?;
        live.retain(|case| !case.is_mute_proposal());
        let before = turned_down(&self.0, &laid, &known).await.context("looking at what was turned down")?;
        let look = Look {
            at: clock.now(),
            calendar: config.calendar.calendar(),
            read_up_to: sight.read_up_to,
            before: last.map(|last| last.read_up_to),
        };
        let folded = fold_after(&before, &look, laid.seen.signals.clone(), known, live);
        let found = folded.cases.len();
        let state = serde_json::to_string(&sight).context("writing down what was looked at")?;
        store
            .save_detection(&folded.exceptions, &folded.cases, &folded.entries, Some((DONE, &state)))
            .await
            .context("writing what the detectors found")?;
        Ok(Progress::Advanced(found.max(1)))
    }
}
