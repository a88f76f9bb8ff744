//! The stage: looks once for each whole look at the source, and writes what it found in one transaction.

mod returns;

use anyhow::Context;
use async_trait::async_trait;
use jiff::Timestamp;
use jiff::civil::Date;
use serde::{Deserialize, Serialize};

use self::returns::returns;
use crate::config::Config;
use crate::domain::calendar::Calendar;
use crate::domain::case::CaseState;
use crate::domain::exception::Signal;
use crate::domain::mode::Mode;
use crate::pipeline::context::Context as Stages;
use crate::pipeline::modes::{InForce, in_force, whereabouts};
use crate::pipeline::observe::may_look;
use crate::pipeline::registry;
use crate::pipeline::watermark::{is_abreast, looked_at};
use crate::pipeline::{Progress, Stage};
use crate::rules::fold::Look;
use crate::rules::fold::modes::fold_in_modes;
use crate::store::Store;

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
        let day = stages.config.rules.calendar.calendar().day_of(stages.clock.now());
        Ok(newest.zip(read_up_to).map(|(newest, read_up_to)| Self { day, read_up_to, newest }))
    }

    /// What was looked at last.
    async fn last(stages: &Stages) -> anyhow::Result<Option<Self>> {
        Ok(Done::load(&stages.store).await?.map(|done| done.sight))
    }

    /// Would the detectors see the same as in `other`? They look at days that are over, each where it is, and at the hour.
    fn shows_the_same(&self, other: &Self, config: &Config) -> bool {
        let business = config.rules.calendar.calendar();
        let zones = config.odoo.zones().into_values().map(|timezone| Calendar { timezone, ..business.clone() });
        let mut calendars = zones.chain([business.clone()]);
        let hour = |sight: &Self| sight.read_up_to.as_second().div_euclid(3600);
        (self.day, self.newest, hour(self)) == (other.day, other.newest, hour(other))
            && calendars.all(|calendar| calendar.closed_at(self.read_up_to) == calendar.closed_at(other.read_up_to))
    }
}

/// What was looked at last, and what that came to.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Done {
    #[serde(flatten)]
    sight: Sight,
    /// Was every open exception seen? Others are waiting for the next look.
    #[serde(default)]
    all_seen: bool,
    /// On which decisions and reports it was folded: what people do is in the audit.
    #[serde(default)]
    audit: String,
    /// How often what the source tells had changed.
    #[serde(default)]
    told_changes: i64,
    /// Under which modes it was folded.
    #[serde(default)]
    modes: String,
    /// Which detectors looked.
    #[serde(default)]
    models: String,
}

impl Done {
    async fn load(store: &Store) -> anyhow::Result<Option<Self>> {
        let text = store.find_setting(DONE).await?;
        // What an earlier version wrote is as good as nothing: then everything is looked at anew.
        Ok(text.and_then(|text| serde_json::from_str(&text).ok()))
    }

    fn write(&self) -> anyhow::Result<String> {
        serde_json::to_string(self).context("writing down what was looked at")
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
    let Some(Done { sight: last, modes, models, .. }) = Done::load(&stages.store).await? else { return Ok(false) };
    // What is live by other rules than these has still to be sorted, and what other detectors would say to be heard.
    if modes != in_force(&stages.store, &stages.config).await?.key || models != stages.models().now().await?.key {
        return Ok(false);
    }
    if let Some(sight) = Sight::of_now(stages).await? {
        return Ok(sight == last);
    }
    // While the next look is coming in, the last one counts.
    let day = stages.config.rules.calendar.calendar().day_of(stages.clock.now());
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
        let Stages { store, clock, moments, config, .. } = &self.0;
        let Some(sight) = Sight::of_now(&self.0).await? else { return Ok(Progress::Idle) };
        let last = Done::load(store).await?;
        let InForce { modes, key, .. } = in_force(store, config).await.context("reading the modes")?;
        registry::begin(store, config, clock.now()).await.context("keeping the detectors that the store begins with")?;
        let running = self.0.models().now().await?;
        let models = running.key.clone();
        if last.as_ref().is_some_and(|last| last.sight == sight && last.modes == key && last.models == models) {
            return Ok(Progress::Idle);
        }
        // Read before the moment is: what people do or suppliers say meanwhile then makes the next look fold anew.
        let (audit, told) = (store.audit_head().await?.1, store.count_told_changes().await?);
        // A look that brought nothing, where nobody has done anything and nothing waits for it, would be folded into nothing.
        if let Some(last) = &last
            && last.all_seen
            && last.sight.shows_the_same(&sight, config)
            && (&last.audit, last.told_changes, &last.modes, &last.models) == (&audit, told, &key, &models)
        {
            let done = Done { sight, ..last.clone() };
            store.put_setting(DONE, &done.write()?).await?;
            // The digest waits for what was read to have been looked through.
            return Ok(Progress::Advanced(0));
        }
        let moment = moments.now().await?;
        // Where the next look has begun meanwhile, the moment may hold half of it.
        if Sight::of_now(&self.0).await?.as_ref() != Some(&sight) {
            return Ok(Progress::Idle);
        }
        let going_on: Vec<&str> = CaseState::LIVE.iter().copied().chain([CaseState::Shadow.name()]).collect();
        let mut live = store.list_cases(&going_on).await?;
        live.retain(|case| !case.is_mute_proposal());
        let seen = moment.seen.signals.iter().map(Signal::exception_id).collect();
        let known = store.list_exceptions_to_fold(&going_on, &seen).await?;
        let returns = returns(&self.0, &moment, &known).await.context("looking at what was turned down")?;
        let look = Look {
            at: clock.now(),
            calendar: config.rules.calendar.calendar(),
            calendars: moment.book.locations.keys().map(|l| (l.clone(), moment.book.calendar_of(l).clone())).collect(),
            read_up_to: sight.read_up_to,
            before: last.map(|last| last.sight.read_up_to),
        };
        let all_live = modes.are_all_live();
        let mode_of = |signal: &Signal| if all_live { Mode::Live } else { modes.of(&whereabouts(&moment.book, signal)) };
        let signals = moment.seen.signals.clone();
        let folded = fold_in_modes(&mode_of, &key, (&returns, &look), signals, known, live);
        let found = folded.cases.len();
        let done = Done { sight, all_seen: folded.all_seen, audit, told_changes: told, modes: key, models };
        let state = done.write()?;
        store
            .save_detection(&folded.exceptions, &folded.cases, &folded.gone, &folded.entries, Some((DONE, &state)))
            .await
            .context("writing what the detectors found")?;
        // Of the same records the same is kept again: what is lost between the two comes with the next look.
        registry::drift::keep(store, (&moment.seen, moment.book.today), &running)
            .await
            .context("keeping how the day was distributed")?;
        Ok(Progress::Advanced(found.max(1)))
    }
}
