//! Days of a scenario, counted from its own.

use jiff::civil::Date;
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};
use reeve_domain::calendar::plus_days;
use serde::Deserialize;

/// A scenario's day, from which all others are counted. Days are those of UTC, in which suites live.
#[derive(Clone, Debug)]
pub struct Day {
    date: Date,
}

impl Day {
    /// The day of a moment.
    pub fn of(as_of: Timestamp) -> Self {
        Self { date: as_of.to_zoned(TimeZone::UTC).date() }
    }

    /// So many days from it.
    pub fn date(&self, offset: i32) -> Date {
        plus_days(self.date, offset)
    }

    /// That day at so many minutes after midnight.
    pub fn at(&self, offset: i32, minutes: i32) -> Timestamp {
        let midnight = self.date(offset).to_zoned(TimeZone::UTC).map_or(Timestamp::MAX, |zoned| zoned.timestamp());
        midnight.checked_add(SignedDuration::from_mins(i64::from(minutes))).unwrap_or(midnight)
    }

    /// That day at nine in the morning, when documents of which nobody said the hour were written.
    pub fn noon(&self, offset: i32) -> Timestamp {
        self.at(offset, 9 * 60)
    }
}

/// A moment: a day, or a day and a time of it (`"-1 16:30"`).
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(untagged)]
pub enum When {
    /// Nine in the morning of a day.
    Day(i32),
    /// A day and a time.
    Time(String),
}

impl When {
    /// As a moment.
    ///
    /// # Errors
    /// When the text is none.
    pub fn at(&self, day: &Day) -> Result<Timestamp, String> {
        let text = match self {
            Self::Day(offset) => return Ok(day.noon(*offset)),
            Self::Time(text) => text,
        };
        let parts = text.split_once(' ').and_then(|(offset, time)| {
            let (hour, minute) = time.split_once(':')?;
            let (hour, minute): (u8, u8) = (hour.parse().ok()?, minute.parse().ok()?);
            let offset: i32 = offset.parse().ok()?;
            (hour < 24 && minute < 60).then_some((offset, i32::from(hour) * 60 + i32::from(minute)))
        });
        let (offset, minutes) =
            parts.ok_or_else(|| format!("{text:?} is no moment; write a day such as -3, or \"-3 16:30\""))?;
        Ok(day.at(offset, minutes))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn days_are_counted_from_the_scenarios_own() {
        let day = Day::of("2026-11-02T12:00:00Z".parse().unwrap());
        assert_eq!(day.date(-3).to_string(), "2026-10-30");
        assert_eq!(When::Day(1).at(&day).unwrap().to_string(), "2026-11-03T09:00:00Z");
        assert_eq!(When::Time("-1 16:30".into()).at(&day).unwrap().to_string(), "2026-11-01T16:30:00Z");
        for bad in ["16:30", "-1 24:00", "-1 1630", "x 10:00"] {
            assert!(When::Time(bad.into()).at(&day).is_err(), "{bad}");
        }
    }
}
