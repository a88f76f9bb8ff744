//! The business calendar: in which day something happened (handbook §2.3).

use jiff::civil::{Date, Weekday};
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};

/// A time zone and the hour at which a day closes.
#[derive(Clone, Debug)]
pub struct Calendar {
    /// The location's time zone.
    pub timezone: TimeZone,
    /// Hour at which a business day closes, 1 to 24; 24 is midnight.
    pub cut_off_hour: u8,
}

impl Calendar {
    /// UTC, closing at midnight.
    pub fn utc() -> Self {
        Self { timezone: TimeZone::UTC, cut_off_hour: 24 }
    }

    /// The business day that `at` belongs to.
    pub fn day_of(&self, at: Timestamp) -> Date {
        let early = SignedDuration::from_hours(24 - i64::from(self.cut_off_hour));
        at.checked_add(early).unwrap_or(at).to_zoned(self.timezone.clone()).date()
    }

    /// The last business day that is over at `at`. At the very end of a day, its last millisecond, it is that day.
    pub fn closed_at(&self, at: Timestamp) -> Date {
        let day = self.day_of(at);
        if self.close_of(day) <= at { day } else { plus_days(day, -1) }
    }

    /// The share of its business day that is still to come at `at`, by the clock alone: 0 at its close, 1 as it begins.
    pub fn left_of_day(&self, at: Timestamp) -> f64 {
        let day = self.day_of(at);
        let (begin, end) = (self.close_of(plus_days(day, -1)), self.close_of(day));
        let length = end.duration_since(begin).as_secs_f64();
        if length > 0.0 { (end.duration_since(at).as_secs_f64() / length).clamp(0.0, 1.0) } else { 0.0 }
    }

    /// The hour of the clock on the wall at `at`.
    pub fn hour_of(&self, at: Timestamp) -> u8 {
        at.to_zoned(self.timezone.clone()).hour().unsigned_abs()
    }

    /// The moment within business day `day` at which the clock on the wall shows `hour`. A day that closes before midnight
    /// begins on the evening before, one that closes after midnight has most hours of the date before.
    pub fn moment_of(&self, day: Date, hour: u8) -> Timestamp {
        let date = if hour >= self.cut_off_hour { day.yesterday().unwrap_or(day) } else { day };
        let at = date.at(i8::try_from(hour.min(23)).unwrap_or(0), 0, 0, 0);
        at.to_zoned(self.timezone.clone()).map_or(Timestamp::MAX, |zoned| zoned.timestamp())
    }

    /// The moment at which business day `day` begins: the millisecond after the day before has closed.
    pub fn begin_of(&self, day: Date) -> Timestamp {
        let closed = self.close_of(plus_days(day, -1));
        closed.checked_add(SignedDuration::from_millis(1)).unwrap_or(closed)
    }

    /// The moment at which business day `day` closes: its last millisecond.
    pub fn close_of(&self, day: Date) -> Timestamp {
        let midnight = day
            .tomorrow()
            .and_then(|next| next.to_zoned(self.timezone.clone()))
            .map_or(Timestamp::MAX, |zoned| zoned.timestamp());
        let early = SignedDuration::from_hours(24 - i64::from(self.cut_off_hour)) + SignedDuration::from_millis(1);
        midnight.checked_sub(early).unwrap_or(midnight)
    }
}

/// Whole days from `from` to `to`; negative when `to` comes first.
pub fn days_between(from: Date, to: Date) -> i32 {
    to.since((jiff::Unit::Day, from)).map_or(0, |span| span.get_days())
}

/// `day` moved by `days`, held at the ends of the calendar.
pub fn plus_days(day: Date, days: i32) -> Date {
    day.saturating_add(jiff::Span::new().days(days))
}

/// The day that lies `days` working days (Monday to Friday) after `day`.
pub fn plus_working_days(day: Date, days: u32) -> Date {
    let mut at = day;
    let mut left = days;
    while left > 0 {
        at = plus_days(at, 1);
        if !matches!(at.weekday(), Weekday::Saturday | Weekday::Sunday) {
            left -= 1;
        }
    }
    at
}

/// The ISO week of `day`, as it stands in fingerprints: `2026-W41`.
pub fn iso_week(day: Date) -> String {
    let week = day.iso_week_date();
    format!("{}-W{:02}", week.year(), week.week())
}

/// The quarter of `day`, for what is raised once in a while and not every week: `2026-Q4`.
pub fn quarter(day: Date) -> String {
    format!("{}-Q{}", day.year(), (day.month() - 1) / 3 + 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn day(text: &str) -> Date {
        text.parse().unwrap()
    }

    #[test]
    fn a_quarter_has_three_months() {
        let of = |text: &str| quarter(day(text));
        assert_eq!([of("2026-01-01"), of("2026-03-31"), of("2026-04-01")], ["2026-Q1", "2026-Q1", "2026-Q2"]);
        assert_eq!(of("2026-12-31"), "2026-Q4");
    }

    #[test]
    fn a_day_closes_at_the_cut_off_hour_in_its_zone() {
        let calendar = Calendar { timezone: TimeZone::get("Europe/Berlin").unwrap(), cut_off_hour: 22 };
        let at: Timestamp = "2026-10-08T20:30:00Z".parse().unwrap();
        assert_eq!(calendar.day_of(at), day("2026-10-09"));
        assert_eq!(calendar.close_of(day("2026-10-08")).to_string(), "2026-10-08T19:59:59.999Z");
        assert_eq!(calendar.day_of(calendar.close_of(day("2026-10-08"))), day("2026-10-08"));
    }

    #[test]
    fn an_hour_of_a_business_day_lies_in_it_wherever_the_day_closes() {
        for zone in ["UTC", "Asia/Tokyo", "America/Los_Angeles", "Pacific/Kiritimati", "Pacific/Apia"] {
            for cut_off_hour in 1..=24 {
                let calendar = Calendar { timezone: TimeZone::get(zone).unwrap(), cut_off_hour };
                for hour in 0..24 {
                    let at = calendar.moment_of(day("2026-10-08"), hour);
                    assert_eq!(calendar.day_of(at), day("2026-10-08"), "{zone} {cut_off_hour} {hour}");
                    assert_eq!(calendar.hour_of(at), hour, "{zone} {cut_off_hour}");
                }
            }
        }
    }

    #[test]
    fn an_hour_that_the_clocks_leave_out_is_the_one_behind_it() {
        let calendar = Calendar { timezone: TimeZone::get("Europe/Berlin").unwrap(), cut_off_hour: 24 };
        assert_eq!(calendar.moment_of(day("2026-03-29"), 2).to_string(), "2026-03-29T01:00:00Z");
    }

    #[test]
    fn a_day_is_over_at_its_last_moment_and_not_before() {
        let calendar = Calendar { timezone: TimeZone::get("Europe/Berlin").unwrap(), cut_off_hour: 22 };
        let at = |text: &str| text.parse::<Timestamp>().unwrap();
        assert_eq!(calendar.closed_at(at("2026-10-08T19:59:59.998Z")), day("2026-10-07"));
        assert_eq!(calendar.closed_at(at("2026-10-08T19:59:59.999Z")), day("2026-10-08"));
        assert_eq!(calendar.closed_at(at("2026-10-09T04:10:00Z")), day("2026-10-08"));
        assert!((calendar.left_of_day(at("2026-10-09T08:00:00Z")) - 0.5).abs() < 1e-6);
        assert!(calendar.left_of_day(calendar.close_of(day("2026-10-08"))).abs() < 1e-9);
    }

    #[test]
    fn days_weeks_and_working_days_are_counted_as_people_do() {
        assert_eq!(days_between(day("2026-09-28"), day("2026-10-08")), 10);
        assert_eq!(days_between(day("2026-10-08"), day("2026-09-28")), -10);
        assert_eq!(iso_week(day("2026-10-08")), "2026-W41");
        assert_eq!(plus_working_days(day("2026-10-09"), 3), day("2026-10-14"));
    }
}
