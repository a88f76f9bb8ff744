//! Quiet hours: when nobody is disturbed. What would be sent then waits; nothing is decided by waiting.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::hours::WorkingHours;
use crate::wall::{WallSpan, WallTime, minute_of};

/// `[quiet]`
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct QuietHours {
    /// From when; the same as `to` means never.
    pub from: WallTime,
    /// Until when, on the next day where it is earlier than `from`.
    pub to: WallTime,
    /// Also the whole of every day on which nobody works.
    pub days_off: bool,
}

impl QuietHours {
    pub(super) fn check(&self) -> Result<(), (&'static str, String)> {
        if self.from.minutes() == 1_440 {
            return Err(("quiet.from", "\"24:00\" is the end of a day; write \"00:00\"".to_owned()));
        }
        Ok(())
    }

    /// Is this minute of a working day quiet?
    pub(super) fn holds_minute(&self, minute: u16) -> bool {
        WallSpan { from: self.from, to: self.to }.holds_minute(minute)
    }

    /// Is it quiet at `at`, on the wall of the place where `hours` are kept?
    pub fn is_quiet(&self, at: Timestamp, hours: &WorkingHours) -> bool {
        (self.days_off && !hours.is_working_day(hours.day_of(at))) || self.holds_minute(minute_of(at, &hours.time_zone))
    }

    /// The first moment from `at` on that is not quiet: when what waits may be sent. None when there is none in a month.
    pub fn loud_from(&self, at: Timestamp, hours: &WorkingHours) -> Option<Timestamp> {
        if !self.is_quiet(at, hours) {
            return Some(at);
        }
        // Quiet ends at its own end or at midnight, on one of the next days.
        let first = hours.day_of(at);
        let midnight = WallTime::from_minutes(0)?;
        let ends = (0..=31).filter_map(|days| first.checked_add(jiff::Span::new().days(days)).ok()).flat_map(|day| {
            let mut ends = [midnight.on(day, &hours.time_zone), self.to.on(day, &hours.time_zone)];
            ends.sort();
            ends
        });
        ends.into_iter().find(|end| *end > at && !self.is_quiet(*end, hours))
    }
}
