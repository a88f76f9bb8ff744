//! What makes a case come back, and what does not: what people answered before, as far as folding goes by it.

use std::collections::BTreeSet;

use reeve_domain::ids::{CaseId, ExceptionId};
use reeve_domain::money::Money;

/// By how much a case has to be worth more, at least.
const MORE_MIN: Money = Money::from_minor(5_000);

/// What becomes of exceptions whose last case was turned down or acted on, if they are seen again.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Returns {
    /// They open no case.
    pub quiet: BTreeSet<ExceptionId>,
    /// They open one: they are worth so much more now, or what was done did not end them.
    pub back: BTreeSet<ExceptionId>,
    /// Cases of which somebody has signed something and which still wait: they are folded into no other.
    pub signed: BTreeSet<CaseId>,
}

/// Is `now` a fifth and 50.00 more than `then`?
pub fn has_grown(then: Money, now: Money) -> bool {
    let more = now - then;
    more > MORE_MIN && i128::from(more.minor) * 5 > i128::from(then.minor)
}
