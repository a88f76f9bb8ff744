//! The trained detector's opinion of the last days: how likely each series' alarm is right, and what speaks for it.
//!
//! It sees what a planner would want to have seen: promotions, hours without stock, what the location and the item
//! elsewhere do. It never raises anything alone; where it agrees, a weaker p of the statistics is enough. It agrees with as
//! many as keep the share of false ones that the planner allows (`detect.false_share`).

use std::collections::{BTreeMap, BTreeSet};

use jiff::civil::Date;
use reeve_domain::book::Place;
use reeve_domain::exception::Driver;
use reeve_domain::ids::{ItemId, LocationId};
use reeve_models::control::discovery;
use reeve_models::control::drift::DaySeen;
use reeve_models::demand::detector::Scorer;
use reeve_models::demand::panel::Panel;
use reeve_models::demand::seen::seen;

use crate::settings::DemandModel;

/// Newest days that it has an opinion on.
const DAYS: usize = 2;

/// Days of warm-up before the first that is judged; with fewer it is silent.
const WARMUP_DAYS: usize = 28;

/// Drivers that are kept.
const DRIVERS: usize = 3;

/// What it says of a series on a day.
#[derive(Clone, Debug)]
pub(super) struct View {
    /// Probability that an alarm is right, where exceptions are as common as in its training.
    pub(super) probability: f64,
    /// The evidence that speaks for it, the strongest first; nothing where it does not agree.
    pub(super) drivers: Vec<Driver>,
}

/// By place, for the newest day and the one before.
#[derive(Clone, Debug, Default)]
pub(super) struct Opinion {
    views: BTreeMap<Place, [Option<View>; DAYS]>,
    /// How what it was shown of those days, and what it said, was distributed.
    pub(super) seen: BTreeMap<Date, DaySeen>,
}

impl Opinion {
    /// Of the last days of a book's demand. Silent about a young book, and where nothing was ever sold.
    pub(super) fn of(panel: Option<Panel>, model: &DemandModel, share: f64) -> Self {
        let Some(panel) = panel else { return Self::default() };
        let days = panel.days().len();
        if days < WARMUP_DAYS + DAYS {
            return Self::default();
        }
        let detector = model.detector();
        let mut scorer = Scorer::new(detector, panel.locations(), panel.items());
        let mut views: BTreeMap<Place, [Option<View>; DAYS]> = BTreeMap::new();
        let mut counted = BTreeMap::new();
        for day in 0..days {
            let back = days - 1 - day;
            if back >= DAYS {
                // Earlier days are only learned from: what it said of them was said when they were new.
                scorer.pass(&panel, day);
                continue;
            }
            let of = |score: f32| if score.is_finite() { detector.probability(score) } else { None };
            let probabilities: Vec<f64> = scorer
                .panel_day(&panel, day, false)
                .into_iter()
                .map(|verdict| of(verdict.score).unwrap_or(f64::NAN))
                .collect();
            counted.insert(panel.days()[day], seen(&scorer, &panel, day, &probabilities));
            // The bound on false alarms is over all series of a day together,
            // so it is drawn once all of them have been scored.
            let agreed: BTreeSet<usize> = discovery::by_probability(&probabilities, share).into_iter().collect();
            for (series, probability) in probabilities.into_iter().enumerate().filter(|(_, p)| !p.is_nan()) {
                let key = &panel.keys()[series];
                let place = (ItemId::new(&key.item), LocationId::new(&key.location));
                let drivers = if agreed.contains(&series) { drivers(&scorer, series) } else { Vec::new() };
                views.entry(place).or_default()[back] = Some(View { probability, drivers });
            }
        }
        Self { views, seen: counted }
    }

    /// What it says of a place `back` days before the newest.
    pub(super) fn view(&self, place: &Place, back: usize) -> Option<&View> {
        self.views.get(place)?.get(back)?.as_ref()
    }

    /// Whether it agrees that a place is odd `back` days before the newest.
    pub(super) fn agrees(&self, place: &Place, back: usize) -> bool {
        self.view(place, back).is_some_and(|view| !view.drivers.is_empty())
    }
}

fn drivers(scorer: &Scorer<'_>, series: usize) -> Vec<Driver> {
    let drivers = scorer.explain(series);
    let all: f64 = drivers.iter().map(|driver| f64::from(driver.weight)).sum();
    let driver = |driver: &reeve_models::demand::detector::Driver| Driver {
        feature: driver.feature.to_owned(),
        value: f64::from(driver.value),
        share: f64::from(driver.weight) / all,
    };
    drivers.iter().take(DRIVERS).map(driver).collect()
}
