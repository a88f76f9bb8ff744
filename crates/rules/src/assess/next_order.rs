//! When a place is ordered for next if nobody does anything about it. What "waiting for the next usual order" loses rests on it,
//! and says so.

use jiff::civil::Date;

use crate::scene::Scene;
use reeve_domain::book::Place;
use reeve_domain::calendar::{days_between, plus_days};
use reeve_domain::ids::SupplierId;

use super::projection;

/// Order days from which a rhythm is known: two gaps.
const RHYTHM: usize = 3;
/// Days that a position is followed down at most.
const FOLLOWED_DAYS: u32 = 60;

/// Days from today to the next order to `supplier` for `place`. Orders are placed in the shop's own rhythm; where the ERP has a
/// minimum, on the first such day on which the position is below it, and where no rhythm is known, as soon as it is.
pub(super) fn days_to_next_order(scene: &Scene<'_>, place: &Place, supplier: &SupplierId) -> u32 {
    let book = scene.book;
    let mut days: Vec<Date> = book
        .po_lines
        .values()
        .filter(|l| &l.supplier == supplier && l.location == place.1 && l.confirmed)
        .map(|l| book.calendar.day_of(l.ordered_at))
        .collect();
    days.sort();
    days.dedup();
    let review = (projection::review_days(book, supplier, &place.1).round() as i32).max(1);
    let minimum = book.rule(&place.0, &place.1).map(|rule| rule.min.to_f64()).filter(|min| *min > 0.0);
    let falls = minimum.map(|minimum| days_until_below(scene, place, minimum));
    let last = days.last().filter(|_| days.len() >= RHYTHM);
    let turn = match (last, falls) {
        (Some(last), _) => days_between(book.today, plus_days(*last, review)).max(1),
        // A rule whose minimum is passed, with nothing ordered, orders nothing by itself: then it is the shop's rhythm again.
        (None, Some(0)) if is_passed_over(scene, place, minimum.unwrap_or(0.0)) => {
            return u32::try_from(review).unwrap_or(1);
        }
        (None, Some(falls)) => return falls.max(1),
        (None, None) => return u32::try_from(review).unwrap_or(1),
    };
    let missed = falls.map_or(0, |falls| projection::in_days(falls).saturating_sub(turn).max(0));
    let turns = missed.saturating_add(review - 1) / review;
    u32::try_from(turn.saturating_add(turns.saturating_mul(review))).unwrap_or(1)
}

/// Was a place below its minimum before today, by what it sells in a day, and nobody has ordered?
pub(super) fn is_passed_over(scene: &Scene<'_>, place: &Place, minimum: f64) -> bool {
    projection::position(scene.book, place) + scene.outlook.per_day(place).0 < minimum
}

/// The day from today on which what is there and on order falls below `minimum`: 0 where it is now.
fn days_until_below(scene: &Scene<'_>, place: &Place, minimum: f64) -> u32 {
    let position = projection::position(scene.book, place);
    (0..FOLLOWED_DAYS).find(|days| position - scene.outlook.window(place, 0, *days).0 < minimum).unwrap_or(FOLLOWED_DAYS)
}
