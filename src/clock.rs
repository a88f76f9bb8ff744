//! The only place that knows the time. Everything else is told.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Instant;

use jiff::Timestamp;

/// Real time, or a time that is set by hand for replays, evals and tests.
#[derive(Clone, Debug)]
pub enum Clock {
    /// The machine's clock.
    System,
    /// Stands still until it is set, in epoch milliseconds.
    Manual(Arc<AtomicI64>),
    /// Goes on from a time of the past as fast as real time: a recording's last day, looked at today.
    From(Timestamp, Instant),
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

    /// Now, at whole milliseconds: what the store keeps.
    pub fn now(&self) -> Timestamp {
        #[expect(clippy::disallowed_methods, reason = "this is the one place that asks")]
        let ms = match self {
            Self::System => Timestamp::now().as_millisecond(),
            Self::Manual(at) => at.load(Ordering::SeqCst),
            Self::From(at, since) => {
                at.as_millisecond().saturating_add(i64::try_from(since.elapsed().as_millis()).unwrap_or(i64::MAX))
            }
        };
        Timestamp::from_millisecond(ms).expect("milliseconds of a timestamp are in range")
    }

    /// Moves a manual clock. The others are not ours to move, so nothing happens to them.
    pub fn set(&self, at: Timestamp) {
        if let Self::Manual(cell) = self {
            cell.store(at.as_millisecond(), Ordering::SeqCst);
        }
    }
}
