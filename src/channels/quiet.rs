//! When people may be disturbed: by the policy's quiet hours, on the wall of the place where they are.

use jiff::Timestamp;
use jiff::civil::Date;
use jiff::tz::TimeZone;

use crate::clock::Clock;
use crate::config::{Config, PlannerConfig};
use crate::domain::calendar::plus_days;
use crate::domain::policy::WorkingHours;

/// From when, in business time, people may be disturbed: those in `zone`, or where the policy says that people work. Quiet hours are those
/// of the people who would be, so they go by the machine's clock; while a recording is replayed nobody's are meant.
pub(super) fn loud_from(config: &Config, clock: &Clock, zone: Option<&TimeZone>) -> Timestamp {
    let (now, wire) = (clock.now(), clock.wire());
    if clock.is_replay() {
        return now;
    }
    let policy = &config.rules.policy;
    let loud = match zone {
        None => policy.may_be_said_from(wire),
        Some(zone) => {
            let there = WorkingHours { time_zone: zone.clone(), ..policy.hours.clone() };
            policy.quiet.loud_from(wire, &there)
        }
    };
    let wait = loud.map(|from| from.duration_since(wire));
    wait.and_then(|wait| now.checked_add(wait).ok()).unwrap_or(now)
}

/// Until when the digest of `day` is news, everybody's or a planner's own: then the next day's is due, and two on one morning are one too many.
pub(super) fn news_until(config: &Config, planner: Option<&PlannerConfig>, day: Date) -> Timestamp {
    let next = plus_days(day, 1);
    planner.map_or_else(|| config.rules.calendar.digest_at(next), |planner| planner.digest_at(config, next))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_is_quiet_where_people_are() {
        let mut config = Config::load_from(None, &[]).unwrap();
        config.rules.policy.quiet.days_off = false;
        let clock = |at: &str| Clock::standing_at(at.parse().unwrap());
        let auckland = TimeZone::get("Pacific/Auckland").unwrap();
        let policy = &config.rules.policy;
        // Noon in UTC is one in the night there, and half past eight in the evening in UTC is half past nine in the morning.
        let (noon, evening) = (clock("2026-10-07T12:00:00Z"), clock("2026-10-07T20:30:00Z"));
        assert!(!policy.quiet.is_quiet(noon.now(), &policy.hours) && policy.quiet.is_quiet(evening.now(), &policy.hours));
        assert_eq!(loud_from(&config, &noon, None), noon.now());
        assert!(loud_from(&config, &noon, Some(&auckland)) > noon.now());
        assert_eq!(loud_from(&config, &evening, Some(&auckland)), evening.now());
        assert!(loud_from(&config, &evening, None) > evening.now());
    }
}
