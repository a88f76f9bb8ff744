//! On which weekdays a location works, as far as the records say it: on a weekday on which nothing at all happened there for
//! eight weeks it does not.

use std::collections::{BTreeMap, BTreeSet};

use jiff::civil::Date;

use super::book::Book;
use super::calendar::days_between;
use super::ids::LocationId;

/// Days that are looked back over: eight of each weekday.
const LOOK_BACK: i32 = 56;
/// Days on which something must have happened before silence on a weekday means anything.
const ACTIVE_MIN: usize = 16;

/// Weekdays, Monday being 0.
pub type Weekdays = BTreeSet<i8>;

/// The weekday of a day, Monday being 0.
pub fn weekday_of(day: Date) -> i8 {
    day.weekday().to_monday_zero_offset()
}

impl Book {
    /// Learns the working days of each location. One that is too new or too quiet to tell is left out.
    pub(super) fn learn_working_days(&self) -> BTreeMap<LocationId, Weekdays> {
        let mut active: BTreeMap<&LocationId, BTreeSet<Date>> = BTreeMap::new();
        for m in self.moves.values() {
            let Some(day) = m.done_at.map(|at| self.calendar.day_of(at)) else { continue };
            for place in m.from.iter().chain(&m.to) {
                active.entry(place).or_default().insert(day);
            }
        }
        for line in self.sale_lines.values() {
            active.entry(&line.location).or_default().insert(self.calendar.day_of(line.ordered_at));
        }
        let known = active.into_iter().filter_map(|(location, days)| {
            let old = days.first().is_some_and(|first| days_between(*first, self.today) >= LOOK_BACK);
            let recent = days.into_iter().filter(|day| (0..LOOK_BACK).contains(&days_between(*day, self.today)));
            let recent: Vec<Date> = recent.collect();
            let told = old && recent.len() >= ACTIVE_MIN;
            told.then(|| (location.clone(), recent.into_iter().map(weekday_of).collect()))
        });
        known.collect()
    }
}
