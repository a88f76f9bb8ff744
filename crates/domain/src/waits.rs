//! Customers who had to wait: how many of them cancelled (handbook §3.4, waiting customers).

use super::book::Book;
use super::record::MoveKind;

/// Deliveries that customers had to wait for, in the history that the book holds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Waits {
    /// Those that came on a later day than they were ordered, and those that were cancelled.
    pub all: u32,
    /// Those that were cancelled.
    pub cancelled: u32,
}

impl Book {
    /// Counts deliveries that were waited for. A cancelled one is planned, with nothing to deliver; one that left on the day
    /// on which it was ordered was not waited for, and of one that still waits nobody knows yet.
    pub(super) fn count_waits(&self) -> Waits {
        let mut waits = Waits::default();
        for delivery in self.moves.values().filter(|m| m.kind == MoveKind::Delivery) {
            let waited = match delivery.done_at {
                Some(done) => self.calendar.day_of(done) > self.calendar.day_of(delivery.created_at),
                None => delivery.qty.is_zero(),
            };
            if waited {
                waits.all += 1;
                waits.cancelled += u32::from(delivery.done_at.is_none());
            }
        }
        waits
    }
}
