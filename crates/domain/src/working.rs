//! On which weekdays a location works, as far as the records say it: on a weekday on which nothing at all happened there for
//! eight weeks it does not.

use std::collections::{BTreeMap, BTreeSet};

use jiff::civil::Date;

use super::calendar::{days_between, plus_days};
use super::ids::LocationId;
use super::record::MoveKind;
use super::supply::Supply;

/// Days that are looked back over: eight of each weekday.
const LOOK_BACK: i32 = 56;
/// Days on which something must have happened before silence on a weekday means anything.
const ACTIVE_MIN: usize = 16;

/// Weeks of receipts that are looked back over, and the days with one from which the weekdays without any mean something: with
/// thirty, a weekday like others stays empty once in a hundred times.
const RECEIVING_DAYS: i32 = 182;
const RECEIVING_MIN: usize = 30;

/// Weekdays, Monday being 0.
pub type Weekdays = BTreeSet<i8>;

/// The weekday of a day, Monday being 0.
pub fn weekday_of(day: Date) -> i8 {
    day.weekday().to_monday_zero_offset()
}

/// The weekdays on which each location works, of the days on which something happened there. A location that is too new or too
/// quiet to tell is left out.
pub(super) fn worked_weekdays(active: BTreeMap<LocationId, BTreeSet<Date>>, today: Date) -> BTreeMap<LocationId, Weekdays> {
    let known = active.into_iter().filter_map(|(location, days)| {
        let old = days.first().is_some_and(|first| days_between(*first, today) >= LOOK_BACK);
        let recent = days.into_iter().filter(|day| (0..LOOK_BACK).contains(&days_between(*day, today)));
        let recent: Vec<Date> = recent.collect();
        let told = old && recent.len() >= ACTIVE_MIN;
        told.then(|| (location, recent.into_iter().map(weekday_of).collect()))
    });
    known.collect()
}

impl Supply {
    /// Learns the weekdays on which each location books goods in. What comes on a Saturday and is booked on Monday is not late
    /// by what nobody books. A location with few receipts is left out.
    pub(super) fn learn_receiving_days(&self) -> BTreeMap<LocationId, Weekdays> {
        let mut days: BTreeMap<&LocationId, BTreeSet<Date>> = BTreeMap::new();
        for m in self.supply_moves.values().filter(|m| m.kind == MoveKind::Receipt) {
            if let (Some(place), Some(at)) = (&m.to, m.done_at) {
                let day = self.calendar_of(place).day_of(at);
                if (0..RECEIVING_DAYS).contains(&days_between(day, self.today)) {
                    days.entry(place).or_default().insert(day);
                }
            }
        }
        let known = days.into_iter().filter(|(_, days)| days.len() >= RECEIVING_MIN);
        known.map(|(place, days)| (place.clone(), days.into_iter().map(weekday_of).collect())).collect()
    }

    /// Days from `promised` to `day` on which goods are booked in at a location: how late is what comes then. Negative where it
    /// comes early. `said` are the location's working days where the configuration says them.
    pub fn days_late(&self, location: &LocationId, promised: Date, day: Date, said: Option<&Weekdays>) -> i32 {
        let days = days_between(promised, day);
        let Some(open) = said.or_else(|| self.receiving_days.get(location)).filter(|_| days > 0) else { return days };
        // What is promised for a day on which nobody books in is due on the next one on which somebody does.
        let works = |day: &Date| open.contains(&weekday_of(*day));
        let due = (0..7).map(|ahead| plus_days(promised, ahead)).find(works).unwrap_or(promised);
        let late = (1..=days_between(due, day)).filter(|ahead| works(&plus_days(due, *ahead))).count();
        i32::try_from(late).unwrap_or(0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::book::Book;
    use crate::calendar::Calendar;

    #[test]
    fn days_on_which_nobody_books_goods_in_make_nothing_late() {
        let calendar = Calendar::utc();
        let day = |text: &str| text.parse::<Date>().unwrap();
        let book = Book::new(calendar.close_of(day("2026-10-12")), calendar, []);
        let place = LocationId::new("1");
        let weekdays: Weekdays = (0..5).collect();
        // Promised for Saturday the 10th, booked on Monday.
        let late = |to: &str, said| book.days_late(&place, day("2026-10-10"), day(to), said);
        assert_eq!((late("2026-10-12", None), late("2026-10-12", Some(&weekdays))), (2, 0));
        assert_eq!((late("2026-10-11", Some(&weekdays)), late("2026-10-13", Some(&weekdays))), (0, 1));
        assert_eq!(late("2026-10-08", Some(&weekdays)), -2, "early is early");
    }
}
