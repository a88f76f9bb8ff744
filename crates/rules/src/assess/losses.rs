//! What a shortage loses, each unit in one of three parts.

use reeve_domain::action::Range;
use reeve_domain::money::Money;

use super::gathered::{plus, scaled};

/// The losses of a shortage, each unit in one of them.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(super) struct Losses {
    /// Of those who will ask until relief.
    pub lost: Range,
    /// What waiting for the next usual order adds to it.
    pub more: Range,
    /// Of those who have ordered and wait.
    pub waited: Range,
}

impl Losses {
    /// All of them.
    pub(super) fn all(self) -> Range {
        plus(plus(self.lost, self.more), self.waited)
    }

    /// These, and with the probability `share` the others.
    pub(super) fn mixed(self, others: Self, share: f64) -> Self {
        let mix = |these: Range, others: Range| plus(scaled(others, share), scaled(these, 1.0 - share));
        Self {
            lost: mix(self.lost, others.lost),
            more: mix(self.more, others.more),
            waited: mix(self.waited, others.waited),
        }
    }

    pub(super) fn at_most(self, limit: Self) -> Self {
        Self {
            lost: at_most(self.lost, limit.lost),
            more: at_most(self.more, limit.more),
            waited: at_most(self.waited, limit.waited),
        }
    }
}

/// What `all` has more than `part`, end by end.
pub(super) fn beyond(all: Range, part: Range) -> Range {
    let more = |a: Money, b: Money| (a - b).max(Money::ZERO);
    Range { low: more(all.low, part.low), expected: more(all.expected, part.expected), high: more(all.high, part.high) }
}

pub(super) fn at_most(range: Range, limit: Range) -> Range {
    Range { low: range.low.min(limit.low), expected: range.expected.min(limit.expected), high: range.high.min(limit.high) }
}
