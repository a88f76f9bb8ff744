//! The only place that knows the time. Everything else is told.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Instant;

use jiff::Timestamp;

/// Real time, or a time that is set by hand for replays, evals and tests.
///
/// There are two times. *Business time* ([`Clock::now`]) is the one in which the records happen: days, deadlines, undo windows,
/// the outbox and the log count in it, and in a demo it is that of the recording. *Wire time* ([`Clock::wire`]) is the
/// machine's: what is said to the outside or comes from there (signatures and their windows, pauses that a service asks for),
/// what lets somebody in (links, sessions, tokens, codes), and how often one asks or is asked.
///
/// Both go at the same pace, so a span counted in either is as long in the other; only moments may not be mixed.
#[derive(Clone, Debug)]
pub enum Clock {
    /// The machine's clock.
    System,
    /// Stands still until it is set, in epoch milliseconds.
    Manual(Arc<AtomicI64>),
    /// Goes on from a time of the past as fast as real time: a recording's last day, looked at today.
    From(Timestamp, Instant),
    /// Business time by the first, wire time by the second.
    Two(Box<(Clock, Clock)>),
}

impl Clock {
    /// A clock that stands at `at` until it is set.
    pub fn standing_at(at: Timestamp) -> Self {
        Self::Manual(Arc::new(AtomicI64::new(at.as_millisecond())))
    }

    /// A clock that goes on from `at`.
    pub fn going_on_from(at: Timestamp) -> Self {
        Self::From(at, Instant::now())
    }

    /// The same business time, with wire time by another clock.
    #[must_use]
    pub fn with_wire(self, wire: Self) -> Self {
        Self::Two(Box::new((self, wire)))
    }

    /// The machine's time. Where all time is set by hand, that is it too.
    pub fn wire(&self) -> Timestamp {
        match self {
            Self::System | Self::Manual(_) => self.now(),
            Self::From(..) => Self::System.now(),
            Self::Two(two) => two.1.now(),
        }
    }

    /// Is business time that of a recording, and not the time in which people live?
    pub fn is_replay(&self) -> bool {
        matches!(self, Self::From(..) | Self::Two(_))
    }

    /// Business time, now, at whole milliseconds: what the store keeps.
    pub fn now(&self) -> Timestamp {
        #[expect(clippy::disallowed_methods, reason = "this is the one place that asks")]
        let ms = match self {
            Self::System => Timestamp::now().as_millisecond(),
            Self::Manual(at) => at.load(Ordering::SeqCst),
            Self::From(at, since) => {
                at.as_millisecond().saturating_add(i64::try_from(since.elapsed().as_millis()).unwrap_or(i64::MAX))
            }
            Self::Two(two) => return two.0.now(),
        };
        Timestamp::from_millisecond(ms).expect("milliseconds of a timestamp are in range")
    }

    /// Moves a manual clock. The others are not ours to move, so nothing happens to them.
    pub fn set(&self, at: Timestamp) {
        match self {
            Self::Manual(cell) => cell.store(at.as_millisecond(), Ordering::SeqCst),
            Self::Two(two) => two.0.set(at),
            Self::System | Self::From(..) => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn business_time_may_be_long_ago_and_wire_time_is_the_machines() {
        let october: Timestamp = "2025-10-31T15:30:00Z".parse().unwrap();
        let before = Clock::System.now();
        let demo = Clock::going_on_from(october);
        assert!(demo.wire() >= before && demo.now() < before);
        let standing = Clock::standing_at(october);
        assert_eq!(standing.wire(), october, "a replay has one time");
        let both = standing.clone().with_wire(Clock::System);
        both.set("2025-11-01T00:00:00Z".parse().unwrap());
        assert_eq!((both.now(), standing.now()), (standing.now(), both.now()));
        assert!(both.wire() >= before);
    }
}
