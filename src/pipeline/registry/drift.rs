//! Drift: whether the days of late are distributed like those before, and whether what a detector raised was false as seldom as was
//! promised.
//!
//! Each look keeps the last days in counts; here spans of them are compared, so that nobody goes over records. It says that something
//! moved and proposes what a person may do about it. It changes nothing by itself.

use anyhow::Context as _;
use jiff::civil::Date;
use serde::{Deserialize, Serialize};

use super::InForce;
use crate::domain::calendar::plus_days;
use crate::domain::model::{ModelKind, ModelName};
use crate::models::control::drift::{DaySeen, Drift, Moved, moved};
use crate::pipeline::noise::figures::{self, Noise};
use crate::rules::detect::Seen;
use crate::store::{ModelDay, Store, StoreError};

/// Days of late, and days before them that they are compared with: two weeks hold each weekday twice, eight weeks are recent.
pub const LATE_DAYS: i32 = 14;
pub const BEFORE_DAYS: i32 = 56;

/// Days over which people's answers are counted: there are few.
const ANSWER_DAYS: u32 = 84;

/// Shown cases below which a share says nothing.
const SHOWN_LEAST: u32 = 20;

/// How a detector does of late.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct DetectorDrift {
    /// Which version runs.
    pub model: ModelName,
    /// What is watched, with how far it has moved; empty while there are too few days.
    pub moved: Vec<Moved>,
    /// Days counted of late and before.
    pub days: (usize, usize),
    /// Of the cases that it raised and people were shown, how many they called not real.
    pub answered: Noise,
    /// Share of false ones that was promised.
    pub promised: f64,
}

impl DetectorDrift {
    /// Has what comes in or goes out become another population?
    pub fn has_drifted(&self) -> bool {
        self.moved.iter().any(|moved| moved.drift == Drift::Changed)
    }

    /// Is more false than was promised, whatever chance may have done? The low end of the interval is above the promise.
    pub fn breaks_its_promise(&self) -> bool {
        self.answered.shown >= SHOWN_LEAST && self.answered.low > self.promised
    }

    /// For the digest's health: what is wrong, and what a person may do; None where nothing is.
    pub fn line(&self) -> Option<String> {
        let mut said = Vec::new();
        let changed: Vec<String> = self
            .moved
            .iter()
            .filter(|moved| moved.drift == Drift::Changed)
            .map(|moved| format!("{} (index {:.2})", moved.what, moved.index))
            .collect();
        if !changed.is_empty() {
            said.push(format!(
                "the last {LATE_DAYS} days are another population than the weeks before by {}",
                changed.join(", ")
            ));
        }
        // Beside the other, not instead of it: a detector can go wrong on what looks the same.
        if self.breaks_its_promise() {
            let Noise { shown, rejected, .. } = self.answered;
            said.push(format!(
                "people called {rejected} of its {shown} cases not real, where {} is promised",
                self.promised
            ));
        }
        if said.is_empty() {
            return None;
        }
        let remedy = match self.model.kind {
            ModelKind::Demand => "train it anew (`reeve models train`) and validate it, or mute what it finds",
            ModelKind::Receiving => "validate the other version (`reeve models list`), or mute what it finds",
        };
        Some(format!("The detector {}: {}; {remedy}.", self.model, said.join(", and ")))
    }
}

/// Keeps how the last days before `today` were distributed, as they were seen.
///
/// # Errors
/// The store's.
pub async fn keep(store: &Store, (seen, today): (&Seen, Date), running: &InForce) -> Result<(), StoreError> {
    let mut days = Vec::new();
    for (kind, seen) in &seen.watched {
        let version = running.models().name(*kind).version;
        let day = |(day, seen): (&Date, &DaySeen)| ModelDay {
            kind: *kind,
            day: *day,
            version: version.clone(),
            seen: seen.clone(),
        };
        // Not the running day: half a day is distributed in another way than a whole one.
        days.extend(seen.iter().filter(|(day, seen)| **day < today && !seen.is_empty()).map(day));
    }
    if days.is_empty() { Ok(()) } else { store.put_model_days(&days).await }
}

/// Under which key the store keeps how the detectors stood when the last digest was made.
const STANDINGS: &str = "models.standings";

/// How each detector stands on a day, which is kept for pages: it is computed once a day.
///
/// # Errors
/// As [`standings`].
pub async fn of_the_day(store: &Store, running: &InForce, today: Date, promised: f64) -> anyhow::Result<Vec<DetectorDrift>> {
    let all = standings(store, running, today, promised).await?;
    let text = serde_json::to_string(&(today, &all)).context("writing down how the detectors stand")?;
    store.put_setting(STANDINGS, &text).await?;
    Ok(all)
}

/// How they stood when the last digest was made, and on which day that was; None before the first.
///
/// # Errors
/// The store's.
pub async fn kept(store: &Store) -> Result<Option<(Date, Vec<DetectorDrift>)>, StoreError> {
    // What an earlier version wrote is as good as nothing: the next digest writes it anew.
    Ok(store.find_setting(STANDINGS).await?.and_then(|text| serde_json::from_str(&text).ok()))
}

/// How each detector stands on a day.
///
/// # Errors
/// When the store can not be read.
pub async fn standings(store: &Store, running: &InForce, today: Date, promised: f64) -> anyhow::Result<Vec<DetectorDrift>> {
    let answers = figures::by_detector(store, today, ANSWER_DAYS).await.context("counting people's answers")?;
    let mut all = Vec::new();
    for kind in ModelKind::ALL {
        let model = running.models().name(kind);
        let days = store.list_model_days(kind, i64::from(LATE_DAYS + BEFORE_DAYS)).await?;
        let (late, first) = (plus_days(today, -LATE_DAYS), plus_days(today, -LATE_DAYS - BEFORE_DAYS));
        // What another version said is distributed in another way, which is no drift of the shop: its days are left out.
        let own = days.iter().filter(|day| day.version == model.version && day.day >= first);
        let (now, then): (Vec<&ModelDay>, Vec<&ModelDay>) = own.partition(|day| day.day >= late);
        let seen = |days: &[&ModelDay]| days.iter().map(|day| day.seen.clone()).collect::<Vec<_>>();
        // A week of late and two before it, at least: fewer days hold some weekdays and not others.
        let enough = now.len() >= 7 && then.len() >= 14;
        let moved = if enough { moved(&seen(&then), &seen(&now)) } else { Vec::new() };
        let signs = match kind {
            ModelKind::Demand => format!("demand-forest/{}", model.version),
            ModelKind::Receiving => format!("receiving-habits/{}", model.version),
        };
        let of = answers.iter().filter(|figure| figure.detector == signs).map(|figure| figure.noise);
        let (rejected, shown) = of.fold((0, 0), |(r, s), noise| (r + noise.rejected, s + noise.shown));
        all.push(DetectorDrift {
            model,
            moved,
            days: (now.len(), then.len()),
            answered: Noise::of(rejected, shown),
            promised,
        });
    }
    Ok(all)
}
