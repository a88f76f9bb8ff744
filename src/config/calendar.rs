//! `[calendar]`: which day it is, and when its digest is made.

use std::time::Duration;

use jiff::Timestamp;
use jiff::civil::Date;
use jiff::tz::TimeZone;
use serde::Deserialize;

use super::read::{duration, time_zone};
use crate::domain::calendar::Calendar;

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

    /// The first key that can not be used, and why.
    pub(super) fn check(&self) -> Result<(), (&'static str, &'static str)> {
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
    use crate::config::Config;

    #[test]
    fn a_digest_is_due_in_its_day_and_waits_no_longer_than_that() {
        let day: Date = "2026-10-08".parse().unwrap();
        let mut calendar = Config::load_from(None, &[]).unwrap().calendar;
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
