//! The only place that knows the time. Everything else is told.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use jiff::Timestamp;

/// Real time, or a time that is set by hand for replays, evals and tests.
#[derive(Clone, Debug)]
pub enum Clock {
    /// The machine's clock.
    System,
    /// Stands still until it is set, in epoch milliseconds.
    Manual(Arc<AtomicI64>),
}

impl Clock {
    /// A clock that stands at `at` until it is set.
    pub fn standing_at(at: Timestamp) -> Self {
        Self::Manual(Arc::new(AtomicI64::new(at.as_millisecond())))
    }

    /// Now, at whole milliseconds: what the store keeps.
    pub fn now(&self) -> Timestamp {
        #[expect(clippy::disallowed_methods, reason = "this is the one place that asks")]
        let ms = match self {
            Self::System => Timestamp::now().as_millisecond(),
            Self::Manual(at) => at.load(Ordering::SeqCst),
        };
        Timestamp::from_millisecond(ms).expect("milliseconds of a timestamp are in range")
    }

    /// Moves a manual clock. The system's clock is not ours to move, so nothing happens to it.
    pub fn set(&self, at: Timestamp) {
        if let Self::Manual(cell) = self {
            cell.store(at.as_millisecond(), Ordering::SeqCst);
        }
    }
}
