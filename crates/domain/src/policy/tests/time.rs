//! Tests of working and quiet hours: what is counted, across nights, weekends, holidays and changes of the clocks.

use jiff::{SignedDuration, Timestamp};
use proptest::prelude::*;

use super::*;
use crate::wall::WallTime;

fn hours(zone: &str, from: &str, to: &str) -> WorkingHours {
    let mut hours = Policy::standard().hours;
    hours.time_zone = jiff::tz::TimeZone::get(zone).unwrap();
    (hours.from, hours.to) = (from.parse().unwrap(), to.parse().unwrap());
    hours
}

fn at(text: &str) -> Timestamp {
    text.parse().unwrap()
}

fn h(hours: i64) -> SignedDuration {
    SignedDuration::from_hours(hours)
}

#[test]
fn working_time_leaves_out_nights_weekends_and_holidays() {
    let mut office = hours("UTC", "08:00", "17:00");
    // Thursday 16:00 to Monday 09:00: an hour, Friday's nine, an hour.
    let (thursday, monday) = (at("2026-10-08T16:00:00Z"), at("2026-10-12T09:00:00Z"));
    assert_eq!(office.between(thursday, monday), h(11));
    assert_eq!(office.after(thursday, h(11)), Some(monday));
    // What ends with a day ends that day, not the next morning.
    assert_eq!(office.after(thursday, h(1)), Some(at("2026-10-08T17:00:00Z")));
    assert_eq!(office.after(thursday, h(1) + SignedDuration::from_secs(1)), Some(at("2026-10-09T08:00:01Z")));
    office.holidays.insert("2026-10-09".parse().unwrap());
    assert_eq!(office.between(thursday, monday), h(2));
    assert_eq!(office.after(thursday, h(2)), Some(monday));
    // Within one day, before it opens, after it closes, and backwards.
    assert_eq!(office.between(at("2026-10-08T09:00:00Z"), at("2026-10-08T10:30:00Z")), SignedDuration::from_mins(90));
    assert_eq!(office.between(at("2026-10-08T05:00:00Z"), at("2026-10-08T08:00:00Z")), SignedDuration::ZERO);
    assert_eq!(office.between(at("2026-10-08T17:00:00Z"), at("2026-10-08T23:00:00Z")), SignedDuration::ZERO);
    assert_eq!(office.between(monday, thursday), SignedDuration::ZERO);
    assert_eq!(office.after(thursday, SignedDuration::ZERO), Some(thursday));
    assert_eq!(office.after(thursday, h(-1)), Some(thursday));
    assert_eq!(office.after(at("2026-10-10T12:00:00Z"), h(1)), Some(at("2026-10-12T09:00:00Z")));
}

#[test]
fn a_day_is_open_from_its_first_minute_and_closed_at_its_last() {
    let office = hours("Europe/Berlin", "08:00", "17:00");
    for (time, open) in [
        ("2026-10-08T05:59:59Z", false),
        ("2026-10-08T06:00:00Z", true),
        ("2026-10-08T14:59:59Z", true),
        ("2026-10-08T15:00:00Z", false),
        ("2026-10-10T10:00:00Z", false),
    ] {
        assert_eq!(office.is_open(at(time)), open, "{time}");
    }
    assert_eq!(office.told(), "mon, tue, wed, thu, fri 08:00–17:00 (Europe/Berlin)");
}

#[test]
fn a_change_of_the_clocks_moves_working_hours_as_it_moves_people() {
    // Clocks go back on Sunday 2026-10-25: Monday's eight is an hour later in UTC.
    let office = hours("Europe/Berlin", "08:00", "17:00");
    let friday = at("2026-10-23T14:00:00Z");
    assert_eq!(office.after(friday, h(2)), Some(at("2026-10-26T08:00:00Z")));
    assert_eq!(office.between(friday, at("2026-10-26T08:00:00Z")), h(2));
    // A round-the-clock day of that Sunday has 25 hours, the one of March 23.
    let mut always = hours("Europe/Berlin", "00:00", "24:00");
    always.weekdays.extend([WorkDay::Sat, WorkDay::Sun]);
    assert_eq!(always.between(at("2026-10-24T22:00:00Z"), at("2026-10-25T23:00:00Z")), h(25));
    assert_eq!(always.between(at("2027-03-27T23:00:00Z"), at("2027-03-28T22:00:00Z")), h(23));
    assert_eq!(always.after(at("2026-10-24T22:00:00Z"), h(24)), Some(at("2026-10-25T22:00:00Z")));
    // A shift that starts in the hour that is left out starts when the clocks have moved.
    let mut night = hours("Europe/Berlin", "02:30", "06:00");
    night.weekdays.extend([WorkDay::Sun]);
    assert_eq!(night.between(at("2027-03-28T00:00:00Z"), at("2027-03-28T04:00:00Z")), SignedDuration::from_mins(150));
}

#[test]
fn who_never_works_never_gets_there() {
    let mut office = hours("UTC", "08:00", "17:00");
    office.weekdays.clear();
    assert_eq!(office.after(now(), h(1)), None);
    assert_eq!(office.between(now(), at("2027-10-08T08:00:00Z")), SignedDuration::ZERO);
    assert!(!office.is_open(now()));
}

#[test]
fn hours_that_can_not_be_are_refused_where_they_stand() {
    let error = |from: &str, to: &str| {
        let text = DEFAULT_TOML.replacen(from, to, 1);
        assert_ne!(text, DEFAULT_TOML);
        Policy::parse("p.toml", &text).unwrap_err().to_string()
    };
    let line = |of: &str| 1 + DEFAULT_TOML.lines().position(|l| l == of).unwrap();
    let told = error("to = \"17:00\"", "to = \"08:00\"");
    assert!(
        told.starts_with(&format!("p.toml, line {}, key `hours.to`: 08:00 is not after", line("to = \"17:00\""))),
        "{told}"
    );
    assert!(error("[\"mon\", \"tue\", \"wed\", \"thu\", \"fri\"]", "[]").contains("nobody ever works"));
    assert!(error("time_zone = \"UTC\"", "time_zone = \"Berlin\"").contains("IANA name such as"));
    assert!(error("from = \"20:00\"", "from = \"24:00\"").contains("key `quiet.from`: \"24:00\" is the end of a day"));
    for bad in ["8:00", "08:60", "24:01", "0800", "08:00:00", "ab:cd", "+1:00"] {
        assert!(error("from = \"08:00\"", &format!("from = \"{bad}\"")).contains("is not a time of day"), "{bad}");
    }
    let day = error("holidays = []", "holidays = [\"2026-13-25\"]");
    assert!(day.contains(&format!("line {}", line("holidays = []"))), "{day}");
    assert!("24:00".parse::<WallTime>().is_ok_and(|t| t.to_string() == "24:00" && t.minutes() == 1_440));
    assert_eq!(WallTime::from_minutes(1_441), None);
}

#[test]
fn nobody_is_disturbed_in_quiet_hours() {
    let policy = Policy::standard();
    for (time, quiet, loud) in [
        // Thursday.
        ("2026-10-08T06:59:00Z", true, "2026-10-08T07:00:00Z"),
        ("2026-10-08T07:00:00Z", false, "2026-10-08T07:00:00Z"),
        ("2026-10-08T19:59:00Z", false, "2026-10-08T19:59:00Z"),
        ("2026-10-08T20:00:00Z", true, "2026-10-09T07:00:00Z"),
        // Friday night, Saturday: the weekend is quiet.
        ("2026-10-09T23:00:00Z", true, "2026-10-12T07:00:00Z"),
        ("2026-10-10T12:00:00Z", true, "2026-10-12T07:00:00Z"),
    ] {
        assert_eq!(policy.quiet.is_quiet(at(time), &policy.hours), quiet, "{time}");
        assert_eq!(policy.may_be_said_from(at(time)), Some(at(loud)), "{time}");
    }
    let mut weekend = policy.quiet.clone();
    weekend.days_off = false;
    assert_eq!(weekend.loud_from(at("2026-10-10T12:00:00Z"), &policy.hours), Some(at("2026-10-10T12:00:00Z")));
    // Within one day: from one to two.
    let noon = QuietHours { from: "13:00".parse().unwrap(), to: "14:00".parse().unwrap(), days_off: true };
    assert_eq!(noon.loud_from(at("2026-10-08T13:30:00Z"), &policy.hours), Some(at("2026-10-08T14:00:00Z")));
    assert!(!noon.is_quiet(at("2026-10-08T12:59:59Z"), &policy.hours));
    // Quiet days off end at midnight where the night itself is not quiet.
    assert_eq!(noon.loud_from(at("2026-10-10T12:00:00Z"), &policy.hours), Some(at("2026-10-12T00:00:00Z")));
    let never = QuietHours { from: noon.from, to: noon.from, days_off: false };
    assert!(!never.is_quiet(at("2026-10-08T13:00:00Z"), &policy.hours));
    let always = QuietHours { from: "00:00".parse().unwrap(), to: "24:00".parse().unwrap(), days_off: false };
    assert_eq!(always.loud_from(now(), &policy.hours), None);
    // The wall is the one of the place where people work.
    let tokyo = hours("Asia/Tokyo", "08:00", "17:00");
    assert!(policy.quiet.is_quiet(at("2026-10-08T12:00:00Z"), &tokyo));
}

/// Offices of all kinds, in zones with and without changes of the clocks.
fn offices() -> impl Strategy<Value = WorkingHours> {
    let zones =
        prop::sample::select(vec!["UTC", "Europe/Berlin", "America/New_York", "Australia/Lord_Howe", "Asia/Kolkata"]);
    let weekdays = prop::collection::btree_set(
        prop::sample::select(vec![
            WorkDay::Mon,
            WorkDay::Tue,
            WorkDay::Wed,
            WorkDay::Thu,
            WorkDay::Fri,
            WorkDay::Sat,
            WorkDay::Sun,
        ]),
        1..8,
    );
    let holidays = prop::collection::btree_set(0i32..60, 0..8);
    (zones, 0u16..1_400, 30u16..1_440, weekdays, holidays).prop_map(|(zone, from, length, weekdays, holidays)| {
        let to = (from + length).min(1_440);
        let first: jiff::civil::Date = "2026-10-01".parse().unwrap();
        WorkingHours {
            time_zone: jiff::tz::TimeZone::get(zone).unwrap(),
            weekdays,
            from: WallTime::from_minutes(from).unwrap(),
            to: WallTime::from_minutes(to).unwrap(),
            holidays: holidays.into_iter().map(|day| crate::calendar::plus_days(first, day)).collect(),
        }
    })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, ..ProptestConfig::default() })]

    #[test]
    fn so_much_working_time_after_a_moment_there_is_so_much_between(
        office in offices(), start in 0i64..5_000_000, working in 1i64..400_000
    ) {
        let start = at("2026-10-01T00:00:00Z") + SignedDuration::from_secs(start);
        let working = SignedDuration::from_secs(working);
        let end = office.after(start, working).expect("somebody works");
        prop_assert_eq!(office.between(start, end), working);
        // And not a second earlier.
        prop_assert!(office.between(start, end - SignedDuration::from_secs(1)) < working);
    }

    #[test]
    fn working_time_adds_up_and_is_never_more_than_time(
        office in offices(), start in 0i64..5_000_000, first in 0i64..900_000, second in 0i64..900_000
    ) {
        let a = at("2026-10-01T00:00:00Z") + SignedDuration::from_secs(start);
        let b = a + SignedDuration::from_secs(first);
        let c = b + SignedDuration::from_secs(second);
        prop_assert_eq!(office.between(a, b) + office.between(b, c), office.between(a, c));
        prop_assert!(office.between(a, c) <= c.duration_since(a));
    }

    #[test]
    fn it_is_open_exactly_when_working_time_passes(office in offices(), start in 0i64..5_000_000) {
        let moment = at("2026-10-01T00:00:00Z") + SignedDuration::from_secs(start);
        let second = SignedDuration::from_secs(1);
        prop_assert_eq!(office.between(moment, moment + second) == second, office.is_open(moment));
    }

    #[test]
    fn what_waits_for_the_end_of_quiet_hours_is_said_then_and_not_later(
        office in offices(), start in 0i64..5_000_000, from in 0u16..1_440, to in 0u16..1_440, days_off in any::<bool>()
    ) {
        let quiet = QuietHours {
            from: WallTime::from_minutes(from).unwrap(), to: WallTime::from_minutes(to).unwrap(), days_off,
        };
        let moment = at("2026-10-01T00:00:00Z") + SignedDuration::from_secs(start);
        let loud = quiet.loud_from(moment, &office).expect("it is loud once a week at least");
        prop_assert!(loud >= moment && !quiet.is_quiet(loud, &office));
        // Every minute before is quiet, but for the hour that the clocks take back or leave out.
        prop_assert!(loud == moment || quiet.is_quiet(moment, &office));
        let minutes = (loud.as_second() - moment.as_second()) / 60;
        for minute in (0..minutes).step_by(7) {
            let between = moment + SignedDuration::from_mins(minute);
            prop_assert!(quiet.is_quiet(between, &office) || loud.duration_since(between) <= SignedDuration::from_hours(24));
        }
    }
}
