//! Times on the wall: what a clock at a place shows, whatever its zone and season.

use std::fmt;
use std::str::FromStr;

use jiff::Timestamp;
use jiff::civil::Date;
use jiff::tz::TimeZone;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// A time on the wall, in minutes after midnight: 0 to 1440, which is the end of the day.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct WallTime(u16);

impl WallTime {
    /// Minutes after midnight, at most 1440.
    pub fn from_minutes(minutes: u16) -> Option<Self> {
        (minutes <= 1_440).then_some(Self(minutes))
    }

    /// Minutes after midnight.
    pub fn minutes(self) -> u16 {
        self.0
    }

    /// The moment of this time on `day`. A time that the clocks leave out is the first after it, one that comes twice is
    /// the earlier.
    pub fn on(self, day: Date, zone: &TimeZone) -> Timestamp {
        let day = if self.0 == 1_440 { day.saturating_add(jiff::Span::new().days(1)) } else { day };
        let (hour, minute) = (self.0 / 60 % 24, self.0 % 60);
        let at = day.at(i8::try_from(hour).expect("below 24"), i8::try_from(minute).expect("below 60"), 0, 0);
        zone.to_ambiguous_timestamp(at).compatible().unwrap_or(Timestamp::MAX)
    }
}

impl fmt::Display for WallTime {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:02}:{:02}", self.0 / 60, self.0 % 60)
    }
}

impl FromStr for WallTime {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let two_digits = |part: &str| part.len() == 2 && part.bytes().all(|b| b.is_ascii_digit());
        let parts = text.split_once(':').filter(|(h, m)| two_digits(h) && two_digits(m));
        let read = parts.and_then(|(h, m)| Some((h.parse::<u16>().ok()?, m.parse::<u16>().ok()?)));
        read.filter(|(_, minute)| *minute < 60)
            .and_then(|(hour, minute)| Self::from_minutes(hour * 60 + minute))
            .ok_or_else(|| format!("{text:?} is not a time of day: write hours and minutes, such as \"08:30\""))
    }
}

impl<'de> Deserialize<'de> for WallTime {
    fn deserialize<D: Deserializer<'de>>(d: D) -> Result<Self, D::Error> {
        String::deserialize(d)?.parse().map_err(serde::de::Error::custom)
    }
}

impl Serialize for WallTime {
    fn serialize<S: Serializer>(&self, s: S) -> Result<S::Ok, S::Error> {
        s.collect_str(self)
    }
}

/// A part of every day, from one time on the wall to another: over midnight where it ends before it begins, and nothing where
/// both are the same.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct WallSpan {
    /// Its first minute.
    pub from: WallTime,
    /// The minute at which it has ended.
    pub to: WallTime,
}

impl WallSpan {
    /// Is this minute of a day in it?
    pub fn holds_minute(self, minute: u16) -> bool {
        let (from, to) = (self.from.minutes(), self.to.minutes());
        if from <= to { from <= minute && minute < to } else { from <= minute || minute < to }
    }

    /// When it ends, on the wall of `zone`; None where `at` is not in it.
    pub fn end_at(self, at: Timestamp, zone: &TimeZone) -> Option<Timestamp> {
        let minute = minute_of(at, zone);
        if !self.holds_minute(minute) {
            return None;
        }
        let today = at.to_zoned(zone.clone()).date();
        let day = if minute < self.to.minutes() { today } else { today.tomorrow().ok()? };
        // Never in the past: of an hour that comes twice the first is the end, and `at` may lie in the second.
        Some(self.to.on(day, zone).max(at))
    }
}

/// The minute of the day that a clock on the wall of `zone` shows at `at`.
pub fn minute_of(at: Timestamp, zone: &TimeZone) -> u16 {
    let wall = zone.to_datetime(at);
    u16::from(wall.hour().unsigned_abs()) * 60 + u16::from(wall.minute().unsigned_abs())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn end(from: &str, to: &str, at: &str) -> Option<String> {
        let span = WallSpan { from: from.parse().unwrap(), to: to.parse().unwrap() };
        let zone = TimeZone::get("Europe/Berlin").unwrap();
        span.end_at(at.parse().unwrap(), &zone).map(|at| at.to_string())
    }

    #[test]
    fn a_span_is_of_the_wall_clock_and_may_go_over_midnight() {
        assert_eq!(end("08:00", "10:30", "2026-07-01T05:59:59Z"), None);
        assert_eq!(end("08:00", "10:30", "2026-07-01T06:00:00Z").as_deref(), Some("2026-07-01T08:30:00Z"));
        assert_eq!(end("08:00", "10:30", "2026-01-01T09:29:59Z").as_deref(), Some("2026-01-01T09:30:00Z"));
        assert_eq!(end("08:00", "10:30", "2026-01-01T09:30:00Z"), None);
        assert_eq!(end("22:00", "06:00", "2026-01-01T22:00:00Z").as_deref(), Some("2026-01-02T05:00:00Z"));
        assert_eq!(end("22:00", "06:00", "2026-01-02T03:00:00Z").as_deref(), Some("2026-01-02T05:00:00Z"));
        assert_eq!(end("22:00", "06:00", "2026-01-02T12:00:00Z"), None);
        assert_eq!(end("08:00", "08:00", "2026-01-02T07:00:00Z"), None, "nothing");
    }

    #[test]
    fn where_the_clocks_are_changed_a_span_ends_when_the_wall_says_so() {
        // From 02:00 to 03:00 on that night: the time that is left out is the first after it.
        assert_eq!(end("01:00", "02:30", "2026-03-29T00:30:00Z").as_deref(), Some("2026-03-29T01:30:00Z"));
        // 02:30 comes twice: the first is the end, and in the second 02:10 it is over at once.
        assert_eq!(end("01:00", "02:30", "2026-10-25T00:10:00Z").as_deref(), Some("2026-10-25T00:30:00Z"));
        assert_eq!(end("01:00", "02:30", "2026-10-25T01:10:00Z").as_deref(), Some("2026-10-25T01:10:00Z"));
    }
}
