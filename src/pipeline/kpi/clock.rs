//! Working time between two moments.

use jiff::Timestamp;
use jiff::civil::{Date, Time, Weekday};
use jiff::tz::TimeZone;

use crate::domain::calendar::plus_days;

/// When people are at work: the same hours on the same weekdays, without holidays.
#[derive(Clone, Debug)]
pub struct OfficeHours {
    /// Where.
    pub timezone: TimeZone,
    /// From this hour.
    pub from_hour: i8,
    /// Up to this hour.
    pub to_hour: i8,
    /// Monday to Friday only?
    pub weekdays_only: bool,
    /// Days on which nobody works.
    pub holidays: Vec<Date>,
}

impl OfficeHours {
    /// Monday to Friday from eight to six.
    pub fn usual(timezone: TimeZone) -> Self {
        Self { timezone, from_hour: 8, to_hour: 18, weekdays_only: true, holidays: Vec::new() }
    }

    /// Working hours from `start` to `end`; zero when it ends before it begins.
    pub fn hours_between(&self, start: Timestamp, end: Timestamp) -> f64 {
        if end <= start {
            return 0.0;
        }
        let last = end.to_zoned(self.timezone.clone()).date();
        let mut day = start.to_zoned(self.timezone.clone()).date();
        let mut seconds = 0.0;
        while day <= last {
            if let Some((opens, closes)) = self.open_on(day) {
                let from = opens.max(start);
                let to = closes.min(end);
                if to > from {
                    seconds += to.duration_since(from).as_secs_f64();
                }
            }
            day = plus_days(day, 1);
        }
        seconds / 3_600.0
    }

    fn open_on(&self, day: Date) -> Option<(Timestamp, Timestamp)> {
        let weekend = matches!(day.weekday(), Weekday::Saturday | Weekday::Sunday);
        if (weekend && self.weekdays_only) || self.holidays.contains(&day) {
            return None;
        }
        let at = |hour: i8| match hour {
            24.. => plus_days(day, 1).to_zoned(self.timezone.clone()).ok(),
            hour => day.to_datetime(Time::new(hour.max(0), 0, 0, 0).ok()?).to_zoned(self.timezone.clone()).ok(),
        };
        Some((at(self.from_hour)?.timestamp(), at(self.to_hour)?.timestamp()))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn at(text: &str) -> Timestamp {
        text.parse().unwrap()
    }

    #[test]
    fn nights_and_weekends_do_not_count() {
        let office = OfficeHours::usual(TimeZone::UTC);
        // 2026-10-09 is a Friday.
        for (start, end, hours) in [
            ("2026-10-09T09:00:00Z", "2026-10-09T11:30:00Z", 2.5),
            ("2026-10-09T16:00:00Z", "2026-10-12T09:00:00Z", 3.0),
            ("2026-10-10T09:00:00Z", "2026-10-11T23:00:00Z", 0.0),
            ("2026-10-09T03:00:00Z", "2026-10-09T23:00:00Z", 10.0),
            ("2026-10-09T12:00:00Z", "2026-10-09T11:00:00Z", 0.0),
        ] {
            let found = office.hours_between(at(start), at(end));
            assert!((found - hours).abs() < 1e-9, "{start} to {end}: {found}");
        }
        let holiday = OfficeHours { holidays: vec!["2026-10-09".parse().unwrap()], ..office };
        assert!(holiday.hours_between(at("2026-10-09T09:00:00Z"), at("2026-10-09T11:30:00Z")).abs() < 1e-9);
    }

    proptest! {
        #[test]
        fn working_time_adds_up_and_is_never_more_than_time(a in 0_i64..3_000_000, b in 0_i64..3_000_000, c in 0_i64..3_000_000) {
            let office = OfficeHours::usual(TimeZone::get("Europe/Berlin").unwrap());
            let mut at = [a, b, c].map(|s| Timestamp::from_second(1_790_000_000 + s).unwrap());
            at.sort();
            let whole = office.hours_between(at[0], at[2]);
            let halves = office.hours_between(at[0], at[1]) + office.hours_between(at[1], at[2]);
            prop_assert!((whole - halves).abs() < 1e-6);
            prop_assert!(whole >= 0.0 && whole <= at[2].duration_since(at[0]).as_secs_f64() / 3_600.0 + 1e-9);
        }
    }
}
