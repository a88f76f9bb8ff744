//! Up to where the source was read, and what follows from it: whether a day may be looked at, and what a digest has to say is
//! not in it.
//!
//! A stream's watermark is the moment at which its last look that ended well *began*: only what was visible then has surely
//! been read. A business day is whole when a look that began after its close has ended.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, Ordering};

use jiff::Timestamp;
use jiff::civil::Date;

use crate::domain::calendar::{Calendar, plus_days};
use crate::domain::words::{cut, with_causes};
use crate::ports::{PortError, Stream};
use crate::store::{Store, StoreError, Watermark};

/// Under which key the store knows that more is known to be there than has been read.
pub(super) const BEHIND: &str = "observe.behind";

/// Longest reason of a source that is down, in characters.
const WHY_CHARS: usize = 200;

/// Longest reason that is kept, in characters.
const SAID_CHARS: usize = 500;

/// How the reason begins where the source is left alone on purpose, as in quiet hours.
const LEFT_ALONE: &str = "left alone until ";

/// Why a look failed, in one line.
pub(super) fn why_not(error: &PortError) -> String {
    if let PortError::Resting { until, .. } = error {
        return format!("{LEFT_ALONE}{until}");
    }
    cut(&with_causes(error), SAID_CHARS)
}

/// Says of a source that can not be read since when and why.
fn not_read(since: &str, why: &str) -> String {
    if why.starts_with(LEFT_ALONE) {
        return format!("The source has been {why}, since {since}.");
    }
    let why: String = why.trim_end_matches('.').chars().take(WHY_CHARS).collect();
    format!("The source has been down since {since}: {why}.")
}

/// The watermarks of this moment.
#[derive(Clone, Debug, Default)]
pub struct Reading(Vec<Watermark>);

impl Reading {
    /// Reads them from the store.
    ///
    /// # Errors
    /// The store's.
    pub async fn load(store: &Store) -> Result<Self, StoreError> {
        Ok(Self(store.list_watermarks().await?))
    }

    /// Each stream.
    pub fn streams(&self) -> &[Watermark] {
        &self.0
    }

    /// Up to where everything was read: where the stream that is furthest behind stands. None before the first whole look.
    pub fn up_to(&self) -> Option<Timestamp> {
        self.0.iter().map(|mark| mark.looked_at).min().flatten()
    }

    /// Since when every look at the source has failed, and why the last one did.
    pub fn down(&self) -> Option<(Timestamp, &str)> {
        let since =
            self.0.iter().filter_map(|mark| Some((mark.failing_since?, mark.failing.as_deref().unwrap_or_default())));
        since.min()
    }

    /// Was everything read that happened before business day `day` began?
    pub fn covers_days_before(&self, day: Date, calendar: &Calendar) -> bool {
        self.up_to().is_some_and(|at| calendar.day_of(at) >= day)
    }

    /// What a digest of `day` says is not in it, where the source was not read since the digest was due (`due`): what, from when
    /// on, and why.
    pub fn unread(&self, day: Date, due: Timestamp, calendar: &Calendar, streams: &[Stream]) -> Vec<String> {
        let mut behind: BTreeMap<Option<Timestamp>, Vec<&str>> = BTreeMap::new();
        for mark in self.0.iter().filter(|mark| mark.looked_at.is_none_or(|at| at < due)) {
            let tells = streams.iter().find(|s| s.name == mark.stream).map_or(mark.stream.as_str(), |s| s.tells);
            behind.entry(mark.looked_at).or_default().push(tells);
        }
        let down = self.down().map(|(since, why)| not_read(&moment(since, calendar), why));
        if behind.is_empty() {
            return down.into_iter().collect();
        }
        let since = |(at, what): (Option<Timestamp>, Vec<&str>)| {
            let what = what.join(", ");
            match at {
                None => format!("Not in it: any {what}; they have never been read to the end."),
                Some(at) if calendar.day_of(at) >= day => {
                    format!("Not in it: {what} after {}.", clock_time(at, calendar))
                }
                Some(at) if calendar.day_of(at) == plus_days(day, -1) => {
                    format!("Not in it: yesterday's {what} after {}.", clock_time(at, calendar))
                }
                Some(at) => format!("Not in it: {what} after {}, nor those of the days since.", moment(at, calendar)),
            }
        };
        let mut lines: Vec<String> = behind.into_iter().map(since).collect();
        // Without a fault the look may only be slow; people are then told that it goes on, and not that nobody reads.
        let begun =
            self.0.iter().filter(|mark| mark.looked_at.is_none_or(|at| mark.begun_at > at)).map(|mark| mark.begun_at);
        match (down, begun.max()) {
            (Some(down), _) => lines.push(down),
            (None, Some(begun)) => {
                lines.push(format!("The reading that began {} had not ended.", moment(begun, calendar)));
            }
            (None, None) => lines.push("Nobody has read the source since: was `reeve serve` running?".to_owned()),
        }
        lines
    }
}

fn moment(at: Timestamp, calendar: &Calendar) -> String {
    at.to_zoned(calendar.timezone.clone()).strftime("%Y-%m-%d %H:%M %Z").to_string()
}

fn clock_time(at: Timestamp, calendar: &Calendar) -> String {
    at.to_zoned(calendar.timezone.clone()).strftime("%H:%M %Z").to_string()
}

/// Has everything been read that was visible at the last look? Half of a story is none: nothing is judged before.
pub(super) async fn is_abreast(store: &Store) -> Result<bool, StoreError> {
    Ok(store.find_setting(BEHIND).await?.as_deref() == Some("no"))
}

/// Up to where everything was read: when the last look began that ended well; None before the first time.
///
/// # Errors
/// The store's.
pub async fn looked_at(store: &Store) -> Result<Option<Timestamp>, StoreError> {
    Ok(Reading::load(store).await?.up_to())
}

/// Somebody's word that the source has changed. It is never taken as a fact: it only makes the next look come sooner.
#[derive(Debug, Default)]
pub struct Hint(AtomicBool);

impl Hint {
    /// Says that there may be something new.
    pub fn give(&self) {
        self.0.store(true, Ordering::Release);
    }

    /// Was anything said since this was asked last?
    pub(super) fn take(&self) -> bool {
        self.0.swap(false, Ordering::AcqRel)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const STREAMS: [Stream; 2] = [
        Stream { name: "documents", tells: "orders and receipts", paged: true },
        Stream { name: "demand", tells: "sales", paged: false },
    ];

    fn at(text: &str) -> Timestamp {
        text.parse().unwrap()
    }

    fn mark(stream: &str, looked_at: Option<&str>, begun_at: &str, down: Option<&str>) -> Watermark {
        Watermark {
            source: "odoo:shop".into(),
            stream: stream.into(),
            begun_at: at(begun_at),
            looked_at: looked_at.map(at),
            failing_since: down.map(at),
            failing: down.map(|_| "no route to host.".into()),
        }
    }

    fn unread(marks: Vec<Watermark>) -> Vec<String> {
        let due = at("2026-10-31T06:00:00Z");
        Reading(marks).unread("2026-10-31".parse().unwrap(), due, &Calendar::utc(), &STREAMS)
    }

    #[test]
    fn the_stream_furthest_behind_says_up_to_where_everything_was_read() {
        let (early, late) = ("2026-10-30T18:02:00Z", "2026-10-31T00:05:00Z");
        let reading = |marks| Reading(marks);
        let both = reading(vec![mark("documents", Some(late), late, None), mark("demand", Some(early), late, None)]);
        assert_eq!(both.up_to(), Some(at(early)));
        let day: Date = "2026-10-31".parse().unwrap();
        assert!(!both.covers_days_before(day, &Calendar::utc()));
        assert!(both.covers_days_before("2026-10-30".parse().unwrap(), &Calendar::utc()));
        let none = reading(vec![mark("documents", Some(late), late, None), mark("demand", None, late, None)]);
        assert_eq!(none.up_to(), None);
        assert_eq!(Reading::default().up_to(), None);
    }

    #[test]
    fn what_is_not_in_it_is_said_by_stream_with_the_reason() {
        let (evening, night, morning) = ("2026-10-30T18:02:00Z", "2026-10-31T00:05:00Z", "2026-10-31T06:00:00Z");
        assert!(unread(vec![mark("documents", Some(morning), morning, None)]).is_empty());
        let down = |name| mark(name, Some(evening), night, Some(night));
        assert_eq!(
            unread(vec![down("demand"), down("documents")]),
            [
                "Not in it: yesterday's sales, orders and receipts after 18:02 UTC.",
                "The source has been down since 2026-10-31 00:05 UTC: no route to host.",
            ]
        );
        let slow = mark("documents", Some("2026-10-28T18:02:00Z"), night, None);
        assert_eq!(
            unread(vec![mark("demand", Some(morning), morning, None), slow]),
            [
                "Not in it: orders and receipts after 2026-10-28 18:02 UTC, nor those of the days since.",
                "The reading that began 2026-10-31 00:05 UTC had not ended.",
            ]
        );
        assert!(unread(vec![mark("demand", Some(evening), evening, None)])[1].contains("reeve serve"));
        let since = "The source has been down since 2026-10-31 00:05 UTC: no route to host.";
        let early = mark("demand", Some("2026-10-31T00:02:00Z"), night, Some(night));
        assert_eq!(unread(vec![early]), ["Not in it: sales after 00:02 UTC.", since]);
        assert_eq!(unread(vec![mark("demand", Some(morning), morning, Some(night))]), [since], "said whatever was read");
        let resting = PortError::Resting { service: "Odoo", until: at("2026-10-31T10:30:00Z") };
        let quiet = Watermark { failing: Some(why_not(&resting)), ..down("demand") };
        let said = "The source has been left alone until 2026-10-31T10:30:00Z, since 2026-10-31 00:05 UTC.";
        assert_eq!(unread(vec![quiet])[1], said);
    }

    #[test]
    fn why_a_look_failed_is_one_short_line_whatever_the_source_says() {
        let said = format!("no\napproved by Ari\u{202e}\u{1b}[2J{}", "x".repeat(10_000));
        let why = why_not(&PortError::Transient { service: "Odoo", retry_after: None, source: said.into() });
        assert!(why.starts_with("Odoo is unavailable: no approved by Ari[2Jxxx"), "{why}");
        assert_eq!(why.chars().count(), SAID_CHARS);
    }
}
