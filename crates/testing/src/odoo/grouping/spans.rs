//! Stretches of time that rows are grouped by: where one begins and ends, and what it is called.

use jiff::tz::TimeZone;

use crate::odoo::cell::{DAY, SECOND, civil_of, days_of};

/// A stretch of time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Span {
    Hour,
    Day,
    Week,
    Month,
    Quarter,
    Year,
}

/// Microseconds by which a zone is ahead of UTC at a time.
pub(super) fn offset(zone: &TimeZone, at: i64) -> i64 {
    let at = jiff::Timestamp::from_microsecond(at).expect("a row's time is in range");
    i64::from(zone.to_offset(at).seconds()) * SECOND
}

/// The UTC time at which a local time is.
pub(super) fn to_utc(zone: &TimeZone, local: i64) -> i64 {
    let first = local - offset(zone, local);
    local - offset(zone, first)
}

pub(super) fn begin_of(span: Span, local: i64) -> i64 {
    let days = local.div_euclid(DAY);
    let (year, month, _) = civil_of(days);
    match span {
        Span::Hour => local.div_euclid(3600 * SECOND) * 3600 * SECOND,
        Span::Day => days * DAY,
        Span::Week => (days - (days + 3).rem_euclid(7)) * DAY,
        Span::Month => days_of(year, month, 1) * DAY,
        Span::Quarter => days_of(year, (month - 1) / 3 * 3 + 1, 1) * DAY,
        Span::Year => days_of(year, 1, 1) * DAY,
    }
}

pub(super) fn end_of(span: Span, begin: i64) -> i64 {
    let (year, month, _) = civil_of(begin.div_euclid(DAY));
    let months = |count: i64| {
        let month = month - 1 + count;
        days_of(year + month / 12, month % 12 + 1, 1) * DAY
    };
    match span {
        Span::Hour => begin + 3600 * SECOND,
        Span::Day => begin + DAY,
        Span::Week => begin + 7 * DAY,
        Span::Month => months(1),
        Span::Quarter => months(3),
        Span::Year => months(12),
    }
}

const MONTHS: [&str; 12] = [
    "January",
    "February",
    "March",
    "April",
    "May",
    "June",
    "July",
    "August",
    "September",
    "October",
    "November",
    "December",
];

/// What people are shown of a stretch of time, in English.
pub(super) fn label(span: Span, begin: i64) -> String {
    let days = begin.div_euclid(DAY);
    let (year, month, day) = civil_of(days);
    let name = MONTHS[(month - 1) as usize];
    match span {
        Span::Hour => format!("{:02}:00 {day:02} {}", begin.rem_euclid(DAY) / (3600 * SECOND), &name[..3]),
        Span::Day => format!("{day:02} {} {year}", &name[..3]),
        Span::Week => {
            let (iso_year, _, _) = civil_of(days + 3);
            let week = (days + 3 - days_of(iso_year, 1, 1)) / 7 + 1;
            format!("W{week} {iso_year}")
        }
        Span::Month => format!("{name} {year}"),
        Span::Quarter => format!("Q{} {year}", (month - 1) / 3 + 1),
        Span::Year => year.to_string(),
    }
}
