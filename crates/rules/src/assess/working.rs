//! When goods leave and when they arrive: on days on which they work there. The configuration says those days, for one
//! location or for all; where it says nothing, the records do; where they do not tell, every day is one.

use jiff::civil::Date;

use crate::scene::Scene;
use reeve_domain::calendar::plus_days;
use reeve_domain::ids::LocationId;
use reeve_domain::working::weekday_of;

use super::projection::in_days;

/// `day`, or the first day after it on which the location works.
fn next(scene: &Scene<'_>, location: &LocationId, day: Date) -> Date {
    let set = scene.settings.calendar.working_days.of(scene.book, location);
    let Some(days) = set.or_else(|| scene.book.working_days().get(location)) else { return day };
    (0..7).map(|ahead| plus_days(day, ahead)).find(|day| days.contains(&weekday_of(*day))).unwrap_or(day)
}

/// When a transfer leaves and when it arrives, if it may leave on `earliest`.
pub(super) fn trip(scene: &Scene<'_>, from: &LocationId, to: &LocationId, earliest: Date) -> (Date, Date) {
    let ships = next(scene, from, earliest);
    (ships, next(scene, to, plus_days(ships, in_days(scene.settings.costs.transfer_days))))
}
