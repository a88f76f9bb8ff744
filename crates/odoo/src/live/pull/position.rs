//! Up to where a stream was read, as it is kept beside the rows: a small JSON text with a version.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

/// The version of the text. One that is not this is not understood, and its stream is read again from the beginning.
const VERSION: u32 = 1;

/// What is known of the server's clock, by the stamps that it put on a stream's rows.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Mark {
    /// The newest stamp that counts, in seconds: the server's clock was here or beyond when it was seen.
    pub(super) stamp: i64,
    /// The newest stamp seen, which may lie in our future and then does not count yet.
    pub(super) newest: i64,
    /// When it was seen, by our clock, in milliseconds.
    pub(super) seen_at: i64,
    /// Seconds from then to the begin of the last pass that found nothing newer, at most one more than the overlap.
    pub(super) settled: i64,
}

impl Mark {
    /// The mark of a stamp that was seen at `now` (ms). What lies in our future is believed when we get there: one row with a
    /// stamp of next year must not hide everything until then.
    pub(super) fn new(newest: i64, now: i64) -> Self {
        Self { stamp: newest.min(now.div_euclid(1_000)), newest, seen_at: now, settled: 0 }
    }

    /// From when on rows have to be asked for again, in seconds: transactions that began before have ended, and were seen by
    /// a pass that began when they had.
    pub(super) fn from(&self, overlap: i64) -> i64 {
        self.stamp - overlap + self.settled.min(overlap + 1)
    }

    /// The mark after a pass that began at `start`, saw its newest stamps until `seen_at` (both ms, by our clock) and found
    /// `fresh` to be the newest stamp that was not known.
    pub(super) fn after(self, fresh: Option<i64>, start: i64, seen_at: i64, overlap: i64) -> Self {
        let newest = fresh.map_or(self.newest, |fresh| fresh.max(self.newest));
        let next = Self::new(newest, seen_at);
        match fresh {
            // The server writes older stamps than it did: its clock went back, or somebody's transaction was very long.
            Some(fresh) if fresh < self.stamp - overlap => Self::new(fresh, seen_at),
            _ if next.stamp > self.stamp => next,
            _ => Self { newest, settled: ((start - self.seen_at) / 1_000).max(self.settled).min(overlap + 1), ..self },
        }
    }
}

/// What is being done.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Phase {
    /// It is read from the beginning; up to `last` it is done. The mark was taken before the first page.
    Load { last: i64, mark: Option<Mark> },
    /// Everything is read; the next is what changed since the mark.
    Follow { mark: Mark },
    /// What changed is read by pages; up to `last` it is done.
    Window(Window),
    /// Rows carry no stamps: they are read again whole when ids are compared.
    Unstamped,
}

/// A pass over what changed that takes more than one page.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Window {
    /// The mark before.
    pub(super) mark: Mark,
    /// Rows stamped from here on, in seconds…
    pub(super) from: i64,
    /// … and rows with ids above this are read.
    pub(super) above: i64,
    /// Up to here it is done.
    pub(super) last: i64,
    /// When it began, and when the newest stamp was asked for, in ms.
    pub(super) start: i64,
    pub(super) seen_at: i64,
    /// The newest stamp, among the newest rows when it began, that was not known.
    pub(super) fresh: Option<i64>,
    /// The oldest stamp before `from` of a row that was not known.
    pub(super) behind: Option<i64>,
}

/// Where a stream stands.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Position {
    v: u32,
    /// What was asked for: when it is something else, everything is read again.
    pub(super) print: String,
    pub(super) phase: Phase,
    /// The highest id seen.
    pub(super) top: i64,
    /// The next pass begins here or earlier, in seconds: something was seen that should have been seen before.
    pub(super) reach: Option<i64>,
    /// Ids are being compared; up to here it is done.
    pub(super) sweep: Option<i64>,
    /// Rows that are known but would not be read now are to be read again too, when ids are compared: they are as something
    /// else asked for them.
    pub(super) outside: bool,
    /// When ids were last compared (or all rows read), in ms.
    pub(super) swept_at: i64,
    /// Rows in a page, and ids in one.
    pub(super) page: usize,
    pub(super) sweep_page: usize,
    /// Fields that the user may not read, and why.
    pub(super) without: BTreeMap<String, String>,
    /// When they were last tried, in ms.
    pub(super) tried_at: i64,
    /// Whose first values stand behind the rows' cells.
    pub(super) first_seen: Vec<String>,
}

impl Position {
    /// The beginning.
    pub(super) fn beginning(now: i64, page: usize) -> Self {
        Self {
            v: VERSION,
            print: String::new(),
            phase: Phase::Load { last: 0, mark: None },
            top: 0,
            reach: None,
            sweep: None,
            outside: false,
            swept_at: now,
            page,
            sweep_page: page,
            without: BTreeMap::new(),
            tried_at: now,
            first_seen: Vec::new(),
        }
    }

    /// The beginning, for something else that is asked for.
    pub(super) fn again(&mut self, print: &str) {
        let first = self.print.is_empty();
        print.clone_into(&mut self.print);
        self.phase = Phase::Load { last: 0, mark: None };
        self.reach = None;
        self.sweep = if first { None } else { Some(0) };
        self.outside = !first;
    }

    /// Reads the text; None where it is not understood.
    pub(super) fn parse(text: &str) -> Option<Self> {
        serde_json::from_str::<Self>(text).ok().filter(|position| position.v == VERSION)
    }

    /// The text.
    pub(super) fn text(&self) -> String {
        serde_json::to_string(self).expect("it is made of numbers and text")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_position_is_read_as_it_was_written_and_a_strange_one_is_the_beginning() {
        let mut position = Position::beginning(5, 100);
        position.without.insert("a".into(), "b".into());
        assert_eq!(Position::parse(&position.text()), Some(position.clone()));
        position.v = VERSION + 1;
        assert_eq!(Position::parse(&position.text()), None);
        assert_eq!(Position::parse("42"), None);
    }

    #[test]
    fn the_overlap_is_read_until_every_transaction_in_it_has_ended() {
        let mark = Mark::new(1_000, 2_000_000);
        assert_eq!(mark.from(900), 100);
        let later = mark.after(None, 2_300_000, 2_301_000, 900);
        assert_eq!(later.from(900), 400, "five minutes later five minutes less");
        let settled = later.after(None, 9_000_000, 9_001_000, 900);
        assert_eq!(settled.from(900), 1_001, "then only what is newer than the newest");
        assert_eq!(settled.from(1_800), 1_001 - 900, "a longer overlap is honoured");
    }

    #[test]
    fn a_newer_stamp_moves_the_mark_and_an_older_one_only_when_it_is_very_old() {
        let mark = Mark::new(1_000, 2_000_000);
        assert_eq!(mark.after(Some(1_500), 2_100_000, 2_101_000, 900), Mark::new(1_500, 2_101_000));
        assert_eq!(mark.after(Some(500), 2_100_000, 2_101_000, 900).stamp, 1_000, "a slow transaction is no older clock");
        assert_eq!(mark.after(Some(99), 2_100_000, 2_101_000, 900), Mark::new(99, 2_101_000));
    }

    #[test]
    fn a_stamp_of_the_future_counts_when_it_is_there() {
        let mark = Mark::new(9_000, 2_000_000);
        assert_eq!((mark.stamp, mark.newest), (2_000, 9_000));
        assert_eq!(mark.after(None, 3_000_000, 3_000_000, 900).stamp, 3_000);
        assert_eq!(mark.after(None, 30_000_000, 30_000_000, 900).stamp, 9_000);
    }
}
