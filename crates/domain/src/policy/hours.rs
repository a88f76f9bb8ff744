//! Working hours: how much working time lies between two moments, and when so much of it will have passed.
//!
//! A day's hours are read on the wall of their time zone, so that a change of the clocks moves them as it moves people.

use std::collections::BTreeSet;

use jiff::civil::{Date, Weekday};
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::wall::WallTime;

/// Farthest ahead that working time is looked for, in days: holidays may cover weeks, not years.
const DAYS_MAX: i32 = 3_660;

/// A day of the week.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum WorkDay {
    /// Monday.
    Mon,
    /// Tuesday.
    Tue,
    /// Wednesday.
    Wed,
    /// Thursday.
    Thu,
    /// Friday.
    Fri,
    /// Saturday.
    Sat,
    /// Sunday.
    Sun,
}

impl WorkDay {
    fn of(day: Weekday) -> Self {
        match day {
            Weekday::Monday => Self::Mon,
            Weekday::Tuesday => Self::Tue,
            Weekday::Wednesday => Self::Wed,
            Weekday::Thursday => Self::Thu,
            Weekday::Friday => Self::Fri,
            Weekday::Saturday => Self::Sat,
            Weekday::Sunday => Self::Sun,
        }
    }
}

/// `[hours]`: when people work.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct WorkingHours {
    /// Whose clock.
    #[serde(deserialize_with = "time_zone", serialize_with = "zone_name")]
    pub time_zone: TimeZone,
    /// On which days of the week.
    pub weekdays: BTreeSet<WorkDay>,
    /// From when.
    pub from: WallTime,
    /// Until when.
    pub to: WallTime,
    /// On which days not.
    pub holidays: BTreeSet<Date>,
}

fn time_zone<'de, D: Deserializer<'de>>(d: D) -> Result<TimeZone, D::Error> {
    let name = String::deserialize(d)?;
    TimeZone::get(&name).map_err(|_| {
        serde::de::Error::custom(format!("{name:?} is no time zone; give an IANA name such as \"Europe/Berlin\""))
    })
}

fn zone_name<S: Serializer>(zone: &TimeZone, s: S) -> Result<S::Ok, S::Error> {
    s.serialize_str(zone.iana_name().unwrap_or("UTC"))
}

impl WorkingHours {
    pub(super) fn check(&self) -> Result<(), (&'static str, String)> {
        if self.weekdays.is_empty() {
            return Err((
                "hours.weekdays",
                "names no day, so nobody ever works; write at least one, such as \"mon\"".into(),
            ));
        }
        if self.from >= self.to {
            return Err(("hours.to", format!("{} is not after hours.from, {}", self.to, self.from)));
        }
        Ok(())
    }

    /// Does anybody work on this day?
    pub fn is_working_day(&self, day: Date) -> bool {
        self.weekdays.contains(&WorkDay::of(day.weekday())) && !self.holidays.contains(&day)
    }

    /// The day of the calendar on the wall at `at`.
    pub(super) fn day_of(&self, at: Timestamp) -> Date {
        at.to_zoned(self.time_zone.clone()).date()
    }

    /// First and last moment of work on `day`; None when nobody works.
    fn open(&self, day: Date) -> Option<(Timestamp, Timestamp)> {
        let open = (self.from.on(day, &self.time_zone), self.to.on(day, &self.time_zone));
        (self.is_working_day(day) && open.0 < open.1).then_some(open)
    }

    /// Does anybody work at `at`? At the minute of closing nobody does.
    pub fn is_open(&self, at: Timestamp) -> bool {
        self.open(self.day_of(at)).is_some_and(|(from, to)| from <= at && at < to)
    }

    /// The moment at which the day of `at` began on the policy's clock.
    pub fn day_start(&self, at: Timestamp) -> Timestamp {
        let day = at.to_zoned(self.time_zone.clone()).start_of_day();
        day.map_or(at, |start| start.timestamp())
    }

    /// Working time from `from` to `to`; zero when `to` is not later. Far spans count up to ten years.
    pub fn between(&self, from: Timestamp, to: Timestamp) -> SignedDuration {
        let mut sum = SignedDuration::ZERO;
        for (opens, closes) in self.days_from(from) {
            if opens >= to {
                break;
            }
            let (start, end) = (opens.max(from), closes.min(to));
            if start < end {
                sum += end.duration_since(start);
            }
        }
        sum
    }

    /// The first moment at which `working` time has passed since `from`. No working time at all is `from` itself. None when
    /// it does not come in ten years.
    pub fn after(&self, from: Timestamp, working: SignedDuration) -> Option<Timestamp> {
        if working <= SignedDuration::ZERO {
            return Some(from);
        }
        let mut left = working;
        for (opens, closes) in self.days_from(from) {
            let start = opens.max(from);
            // After closing time the day has nothing left; the wait goes on in the next one.
            if start >= closes {
                continue;
            }
            let today = closes.duration_since(start);
            if left <= today {
                return start.checked_add(left).ok();
            }
            left -= today;
        }
        None
    }

    /// The hours of each working day from the one of `from` on.
    fn days_from(&self, from: Timestamp) -> impl Iterator<Item = (Timestamp, Timestamp)> {
        let first = self.day_of(from);
        (0..DAYS_MAX).filter_map(move |days| self.open(first.checked_add(jiff::Span::new().days(days)).ok()?))
    }

    /// "mon, tue 08:00–17:00 (Europe/Berlin)".
    pub fn told(&self) -> String {
        let days: Vec<String> = self.weekdays.iter().map(|d| format!("{d:?}").to_lowercase()).collect();
        let zone = self.time_zone.iana_name().unwrap_or("UTC");
        format!("{} {}–{} ({zone})", days.join(", "), self.from, self.to)
    }
}
