//! What an action is worth, in money with its doubt (handbook §6).

use rust_decimal::prelude::ToPrimitive as _;
use serde::{Deserialize, Serialize};

use crate::evidence::FactValue;
use crate::money::Money;

/// An estimate with its doubt: 10th percentile, mean, 90th percentile.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Range {
    /// 10th percentile.
    pub low: Money,
    /// Mean.
    pub expected: Money,
    /// 90th percentile.
    pub high: Money,
}

impl Range {
    /// An amount that is certain.
    pub fn certain(amount: Money) -> Self {
        Self { low: amount, expected: amount, high: amount }
    }
}

/// Why an action is worth what it is worth: NB = p·(L₀ − Lₐ) − C − (1 − p)·G (handbook §6).
///
/// The inputs are rounded to minor units first and the sum is made from the rounded figures, so that what the page shows
/// adds up for whoever recomputes it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct MoneySum {
    /// Probability that the exception is real, at four decimals.
    pub p: f64,
    /// L₀: expected loss if nothing is done until the horizon.
    pub loss_now: Range,
    /// Lₐ: expected loss that remains after the action.
    pub loss_after: Range,
    /// C: what the action costs.
    pub cost: Money,
    /// G: what it costs if the alarm was false.
    pub regret: Money,
    /// NB, with its doubt.
    pub benefit: Range,
}

impl MoneySum {
    /// Computes NB from its parts.
    pub fn new(p: f64, loss_now: Range, loss_after: Range, cost: Money, regret: Money) -> Self {
        // Four decimals are what is shown and kept, and what the audit computes from. Rounded as the fact that says p is: one half of a
        // ten-thousandth (8.5 of 16) must not go up in one place and to even in the other.
        let p = FactValue::rounded(p.clamp(0.0, 1.0), 4).to_f64().unwrap_or(0.0);
        let net = |now: Money, after: Money| {
            Money::from_minor(
                (p * (now - after).minor as f64 - cost.minor as f64 - (1.0 - p) * regret.minor as f64).round_ties_even()
                    as i64,
            )
        };
        let mut ends = [
            net(loss_now.low, loss_after.low),
            net(loss_now.high, loss_after.high),
            net(loss_now.expected, loss_after.expected),
        ];
        let expected = ends[2];
        // Low goes with low and high with high; which of the two comes out lower depends on both losses.
        ends.sort();
        Self { p, loss_now, loss_after, cost, regret, benefit: Range { low: ends[0], expected, high: ends[2] } }
    }

    /// Doing nothing: the loss stays, the benefit is zero.
    pub fn nothing(p: f64, loss_now: Range) -> Self {
        Self::new(p, loss_now, loss_now, Money::ZERO, Money::ZERO)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sum(p: f64, now: f64, after: f64, cost: f64, regret: f64) -> String {
        MoneySum::new(
            p,
            Range::certain(Money::from_f64(now)),
            Range::certain(Money::from_f64(after)),
            Money::from_f64(cost),
            Money::from_f64(regret),
        )
        .benefit
        .expected
        .to_string()
    }

    #[test]
    fn p_is_the_one_that_its_fact_says() {
        // Eight and a half of sixteen lies just between two numbers of four decimals.
        for p in (0..=160_u32).map(|n| f64::from(n) / 160.0).chain([0.53125, 0.28125, 0.00005, 0.99995]) {
            let none = Range::certain(Money::ZERO);
            let kept = MoneySum::new(p, none, none, Money::ZERO, Money::ZERO).p;
            assert_eq!(FactValue::number(kept, 4), FactValue::number(p, 4), "{p}");
        }
    }

    #[test]
    fn net_benefit_of_the_handbook() {
        // §11 vector 5. The handbook's 128.16 and 110.22 follow from L values at two decimals.
        assert_eq!(sum(0.8, 216.15, 23.20, 25.0, 6.0), "128.16");
        assert_eq!(sum(0.8, 216.15, 3.37, 60.0, 0.0), "110.22");
        assert_eq!(sum(0.8, 216.15, 216.15, 12.0, 40.0), "-20.00");
        assert_eq!(sum(0.8, 216.15, 216.15, 0.0, 0.0), "0.00");
    }
}
