//! Customers who had to wait: how many of them cancelled (handbook §3.4, waiting customers).

use super::calendar::Calendar;
use super::record::{MoveKind, StockMove};

/// Deliveries that customers had to wait for, in the history that the book holds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Waits {
    /// Those that came on a later day than they were ordered, and those that were cancelled.
    pub all: u32,
    /// Those that were cancelled.
    pub cancelled: u32,
}

impl Waits {
    /// Counts deliveries that were waited for. A cancelled one is planned, with nothing to deliver; one that left on the day
    /// on which it was ordered was not waited for, and of one that still waits nobody knows yet.
    pub(super) fn of<'m>(calendar: &Calendar, moves: impl Iterator<Item = &'m StockMove>) -> Self {
        let mut waits = Self::default();
        for delivery in moves.filter(|m| m.kind == MoveKind::Delivery) {
            let waited = match delivery.done_at {
                Some(done) => calendar.day_of(done) > calendar.day_of(delivery.created_at),
                None => delivery.qty.is_zero(),
            };
            if waited {
                waits.all += 1;
                waits.cancelled += u32::from(delivery.done_at.is_none());
            }
        }
        waits
    }

    pub(super) fn and(self, other: Self) -> Self {
        Self { all: self.all + other.all, cancelled: self.cancelled + other.cancelled }
    }
}
