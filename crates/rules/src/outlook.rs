//! The demand that is to be expected, day by day and place by place.

use std::collections::{BTreeMap, BTreeSet};

use reeve_domain::book::Place;
use reeve_domain::ids::ItemId;

/// The demand forecast of one day at one place.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct DayForecast {
    /// Mean units.
    pub mean: f64,
    /// Standard deviation in units.
    pub sigma: f64,
}

/// The demand forecast of every item at every location: index 0 is tomorrow. Promotions that are known are in it.
#[derive(Clone, Debug, Default)]
pub struct Outlook {
    /// By place; as long as the longest horizon anybody asks for.
    pub daily: BTreeMap<Place, Vec<DayForecast>>,
    /// What is still to come of the day that runs, by place; nothing where the day is over. It belongs to every window that
    /// begins now.
    pub rest: BTreeMap<Place, DayForecast>,
}

impl DayForecast {
    /// A forecast at nine decimals. How a model's last bits come out depends on the machine; what is frozen as evidence, and
    /// whatever is computed from it, must not.
    pub fn rounded(mean: f64, sigma: f64) -> Self {
        let at_nine = |x: f64| (x * 1e9).round() / 1e9;
        Self { mean: at_nine(mean), sigma: at_nine(sigma) }
    }

    /// Two days together, independent of each other.
    #[must_use]
    pub fn and(self, other: Self) -> Self {
        Self::rounded(self.mean + other.mean, self.sigma.hypot(other.sigma))
    }
}

impl Outlook {
    /// The days of a place from now on: what is left of the running day counts to tomorrow, so that whatever ends with a
    /// day from tomorrow on has it in.
    pub fn course(&self, place: &Place) -> impl Iterator<Item = DayForecast> + '_ {
        let mut rest = self.rest.get(place).copied();
        self.daily.get(place).into_iter().flatten().map(move |day| rest.take().map_or(*day, |rest| rest.and(*day)))
    }

    /// Removes the forecasts of these items.
    pub fn forget(&mut self, items: &BTreeSet<ItemId>) {
        self.daily.retain(|(item, _), _| !items.contains(item));
        self.rest.retain(|(item, _), _| !items.contains(item));
    }

    /// Adds the forecasts of other places.
    pub fn append(&mut self, other: Self) {
        // One by one: appending a map to a map goes through both of them whole.
        self.daily.extend(other.daily);
        self.rest.extend(other.rest);
    }

    /// Mean and standard deviation of the demand on the `days` days that follow after skipping `skip` days.
    pub fn window(&self, place: &Place, skip: u32, days: u32) -> (f64, f64) {
        let days = self.course(place).skip(skip as usize).take(days as usize);
        let (mean, variance) = days.fold((0.0, 0.0), |(m, v), d| (m + d.mean, v + d.sigma * d.sigma));
        (mean, variance.sqrt())
    }

    /// Mean and standard deviation of one day, averaged over the next four weeks.
    pub fn per_day(&self, place: &Place) -> (f64, f64) {
        let days = self.daily.get(place).into_iter().flatten().take(28);
        let (mean, variance) = days.fold((0.0, 0.0), |(m, v), d| (m + d.mean, v + d.sigma * d.sigma));
        (mean / 28.0, variance.sqrt() / 28.0_f64.sqrt())
    }
}
