//! The forecast of an item at all places that carry it, read off the ends of its scored series.

use std::collections::BTreeMap;

use super::gather::Overview;
use super::promotion::planned_uplift;
use super::tail::Tail;
use crate::outlook::{DayForecast, Outlook};
use crate::settings::Settings;
use reeve_domain::book::{Book, Place};
use reeve_domain::calendar::{days_between, plus_days};
use reeve_models::demand::project;

/// Days at the end of the projections.
const OUTLOOK_DAYS: u32 = 92;

/// Adds the forecast of places at which nothing was ever wanted: nothing is expected.
pub(super) fn of_unsold(outlook: &mut Outlook, place: &Place) {
    outlook.daily.insert(place.clone(), vec![DayForecast::default(); OUTLOOK_DAYS as usize]);
}

/// Adds the forecast of a place, promotions that are known in advance included. `ratios` are what promotions have shown.
pub(super) fn of_tail(
    outlook: &mut Outlook,
    (book, settings, overview): (&Book, &Settings, &Overview),
    place: &Place,
    tail: &Tail,
    ratios: &BTreeMap<Place, f64>,
) {
    let sellable = book.items.get(&place.0).is_some_and(|i| i.sellable);
    let from = plus_days(book.closed_at(&place.1), 1);
    // Days that have begun and are not over: none at a day's close, one in the morning, two far west of the calendar.
    let begun = usize::try_from(days_between(from, book.today) + 1).unwrap_or(0);
    let days = OUTLOOK_DAYS + u32::try_from(begun).unwrap_or(0);
    let mut daily: Vec<DayForecast> =
        project(&tail.last, from, days).into_iter().map(|(mean, sigma)| DayForecast::rounded(mean, sigma)).collect();
    for (ahead, day) in daily.iter_mut().enumerate() {
        // What is delisted is wanted by nobody, whatever it sold before.
        if !sellable {
            *day = DayForecast::default();
        } else if let Some(promotion) = book.promotion_on(&place.0, &place.1, plus_days(from, ahead as i32)) {
            // What the promotion has shown so far is a better guide than its plan.
            let lift = ratios.get(place).copied().unwrap_or_else(|| planned_uplift(settings, promotion));
            *day = DayForecast::rounded(day.mean * lift, day.sigma * lift);
        }
    }
    // What remains of a day that has begun is forecast apart from whole days: a receipt tomorrow does not help it.
    if let Some(running) = daily.first_mut().filter(|_| begun > 0) {
        let by_clock = || book.calendar_of(&place.1).left_of_day(overview.as_of);
        let left = overview.left_of_day.get(&place.1).copied().unwrap_or_else(by_clock);
        // What is still to come of a day varies as what comes on it: by its root.
        *running = DayForecast::rounded(running.mean * left, running.sigma * left.sqrt());
    }
    let rest = daily.drain(..begun.min(daily.len())).fold(DayForecast::default(), DayForecast::and);
    if rest != DayForecast::default() {
        outlook.rest.insert(place.clone(), rest);
    }
    outlook.daily.insert(place.clone(), daily);
}
