//! Ranges of money: made from computed ends, added, shared out.

use reeve_domain::action::Range;
use reeve_domain::money::Money;
use rust_decimal::Decimal;

/// A range times a share.
pub(super) fn scaled(range: Range, share: f64) -> Range {
    let part = |m: Money| Money::from_f64(m.to_f64() * share);
    Range { low: part(range.low), expected: part(range.expected), high: part(range.high) }
}

/// A range from computed ends; what lies on the wrong side of the mean is drawn to it.
pub(super) fn range(low: f64, expected: f64, high: f64) -> Range {
    Range {
        low: Money::from_f64(low.min(expected)),
        expected: Money::from_f64(expected),
        high: Money::from_f64(high.max(expected)),
    }
}

/// Two ranges added end by end.
pub(super) fn plus(a: Range, b: Range) -> Range {
    Range { low: a.low + b.low, expected: a.expected + b.expected, high: a.high + b.high }
}

/// Half of a decimal amount, for regrets.
pub(super) fn half(money: Money) -> Money {
    Money::from_decimal(Decimal::new(money.minor, 2) / Decimal::TWO)
}
