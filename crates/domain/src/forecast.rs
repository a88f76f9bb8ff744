//! A forecast of daily demand, as figures were computed with it.

use serde::{Deserialize, Serialize};

/// Demand of the days to come, tomorrow first: `days[course[0]]` is tomorrow. Most weeks are alike, so days are kept once.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Forecast {
    /// Mean and deviation of one day, in units.
    pub days: Vec<(f64, f64)>,
    /// Which of them each day is.
    pub course: Vec<usize>,
}

impl Forecast {
    /// A forecast of these days.
    pub fn of(all: impl IntoIterator<Item = (f64, f64)>) -> Self {
        // JSON has no word for what is no number.
        let number = |x: f64| if x.is_finite() { x } else { 0.0 };
        let mut forecast = Self::default();
        for (mean, sigma) in all {
            let day = (number(mean), number(sigma));
            let same = forecast.days.iter().position(|known| *known == day);
            forecast.course.push(same.unwrap_or(forecast.days.len()));
            if same.is_none() {
                forecast.days.push(day);
            }
        }
        forecast
    }

    /// The days one after the other, as far as they are known.
    pub fn days(&self) -> impl Iterator<Item = (f64, f64)> {
        self.course.iter().filter_map(|&day| self.days.get(day).copied())
    }
}
