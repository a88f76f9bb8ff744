//! `[calendar]`: which day it is, and when its digest is made.

use std::collections::BTreeSet;
use std::time::Duration;

use jiff::Timestamp;
use jiff::civil::Date;
use jiff::tz::TimeZone;
use serde::Deserialize;

use super::WorkingDays;
use super::places::ByLocation;
use reeve_domain::book::Book;
use reeve_domain::calendar::Calendar;
use reeve_domain::ids::LocationId;
use reeve_domain::record::Location;
use reeve_domain::setting::{duration, time_zone};

/// A digest waits for no longer than this.
const DAY: Duration = Duration::from_hours(24);

/// `[calendar]`: in which day something happened.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CalendarConfig {
    #[serde(deserialize_with = "time_zone")]
    pub timezone: TimeZone,
    pub cut_off_hour: u8,
    pub digest_hour: u8,
    #[serde(deserialize_with = "duration")]
    pub digest_deadline: Duration,
    pub closed_days: ClosedDays,
    pub working_days: WorkingDays,
}

/// Days on which a location, or every one, is closed: nothing is expected of them, and nobody asks where their data are.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(try_from = "Vec<String>")]
pub struct ClosedDays {
    everywhere: BTreeSet<Date>,
    at: ByLocation<BTreeSet<Date>>,
}

impl ClosedDays {
    /// The days on which a location is closed.
    pub fn of(&self, book: &Book, location: &LocationId) -> BTreeSet<Date> {
        let own = self.at.of(book, location).into_iter().flatten();
        self.everywhere.iter().chain(own).copied().collect()
    }
}

impl TryFrom<Vec<String>> for ClosedDays {
    type Error = String;

    fn try_from(entries: Vec<String>) -> Result<Self, String> {
        let mut closed = Self::default();
        for entry in entries {
            let (code, day) = entry.split_once('=').map_or(("", entry.as_str()), |(code, day)| (code.trim(), day.trim()));
            let day: Date = day.parse().map_err(|_| {
                format!("{entry:?} is neither a day such as \"2026-12-25\" nor one of a location, \"CODE=2026-12-24\"")
            })?;
            let days = if code.is_empty() { &mut closed.everywhere } else { closed.at.entry(code).or_default() };
            days.insert(day);
        }
        Ok(closed)
    }
}

impl CalendarConfig {
    /// The calendar that the book counts in.
    pub fn calendar(&self) -> Calendar {
        Calendar { timezone: self.timezone.clone(), cut_off_hour: self.cut_off_hour }
    }

    /// From when the digest of `day` is made, when everything that it has to tell was read.
    pub fn digest_at(&self, day: Date) -> Timestamp {
        self.calendar().moment_of(day, self.digest_hour)
    }

    /// From when it is made whatever was read; never later than its day closes.
    pub fn digest_by(&self, day: Date) -> Timestamp {
        let by = self.digest_at(day).checked_add(self.digest_deadline).unwrap_or(Timestamp::MAX);
        by.min(self.calendar().close_of(day))
    }

    /// Entries for locations that mean none or several of those that were read, each with why: they count for none.
    pub fn unclear(&self, locations: &[Location]) -> Vec<(String, String)> {
        let closed = self.closed_days.at.unclear(&locations.iter()).into_iter().map(|entry| ("closed_days", entry));
        let working = self.working_days.unclear(locations).into_iter().map(|entry| ("working_days", entry));
        closed.chain(working).map(|(key, (name, why))| (format!("calendar.{key}: {name}"), why)).collect()
    }

    /// The first key that can not be used, and why.
    pub fn check(&self) -> Result<(), (&'static str, &'static str)> {
        if !(1..=24).contains(&self.cut_off_hour) {
            return Err(("calendar.cut_off_hour", "must be an hour from 1 to 24"));
        }
        if self.digest_hour > 23 {
            return Err(("calendar.digest_hour", "must be an hour from 0 to 23"));
        }
        if self.digest_deadline > DAY {
            return Err(("calendar.digest_deadline", "must be at most a day: \"24h\""));
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::settings::Settings;
    use reeve_domain::record::Record;

    #[test]
    fn closed_days_are_of_all_locations_or_of_one_and_what_is_neither_is_refused() {
        let entries = |of: &[&str]| ClosedDays::try_from(of.iter().map(|e| (*e).to_owned()).collect::<Vec<_>>());
        let closed = entries(&["2026-12-25", "PAR = 2026-12-24"]).unwrap();
        let day = |text: &str| text.parse::<Date>().unwrap();
        let location = |code: &str| reeve_testing::records::location(code, code);
        let locations = ["NOR", "PAR"].map(location);
        let book = Book::new(Timestamp::UNIX_EPOCH, Calendar::utc(), locations.clone().map(Record::Location));
        let of = |code: &str| closed.of(&book, &LocationId::new(code)).into_iter().collect::<Vec<_>>();
        assert_eq!(of("PAR"), [day("2026-12-24"), day("2026-12-25")]);
        assert_eq!(of("NOR"), [day("2026-12-25")]);

        let mut calendar = Settings::defaults().calendar;
        calendar.closed_days = entries(&["LON=2026-12-24"]).unwrap();
        let unclear = calendar.unclear(&locations);
        assert!(unclear.len() == 1 && unclear[0].0 == "calendar.closed_days: LON", "{unclear:?}");
        assert!(entries(&["Christmas"]).unwrap_err().contains("\"Christmas\" is neither a day"));
    }

    #[test]
    fn a_digest_is_due_in_its_day_and_waits_no_longer_than_that() {
        let day: Date = "2026-10-08".parse().unwrap();
        let mut calendar = Settings::defaults().calendar;
        assert_eq!(calendar.digest_at(day).to_string(), "2026-10-08T06:00:00Z");
        assert_eq!(calendar.digest_by(day).to_string(), "2026-10-08T08:00:00Z");
        (calendar.cut_off_hour, calendar.digest_hour) = (22, 6);
        assert_eq!(calendar.digest_at(day).to_string(), "2026-10-08T06:00:00Z", "not on the evening before");
        calendar.digest_hour = 23;
        assert_eq!(calendar.digest_at(day).to_string(), "2026-10-07T23:00:00Z");
        (calendar.cut_off_hour, calendar.digest_hour) = (24, 23);
        assert_eq!(calendar.digest_by(day), calendar.calendar().close_of(day));
    }
}
