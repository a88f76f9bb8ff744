//! Money, prices and quantities: exact decimals for what documents say, converted to floats only for statistics.
//!
//! Conventions (handbook §2): money in the company's currency, rounded half-even to the minor unit only where it is shown
//! or compared with a limit; quantities in the item's stock unit.

use std::cmp::Ordering;
use std::fmt;
use std::iter::Sum;
use std::ops::{Add, AddAssign, Mul, Neg, Sub, SubAssign};

use rust_decimal::prelude::{FromPrimitive, ToPrimitive};
use rust_decimal::{Decimal, RoundingStrategy};
use serde::{Deserialize, Serialize};

/// An amount in minor units (cents) of the company's currency.
///
/// One Reeve store serves one company and so one currency; amounts in another are converted where they are read, or
/// reported as missing, never added unconverted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Money {
    /// Hundredths of the currency's unit.
    pub minor: i64,
}

impl Money {
    /// Nothing.
    pub const ZERO: Self = Self { minor: 0 };

    /// An amount of minor units.
    pub const fn from_minor(minor: i64) -> Self {
        Self { minor }
    }

    /// Rounds an exact amount half-even to minor units. Saturates far outside any real amount.
    pub fn from_decimal(amount: Decimal) -> Self {
        let minor = amount
            .checked_mul(Decimal::ONE_HUNDRED)
            .map(|minor| minor.round_dp_with_strategy(0, RoundingStrategy::MidpointNearestEven));
        Self {
            minor: minor.and_then(|minor| minor.to_i64()).unwrap_or(if amount.is_sign_negative() {
                i64::MIN
            } else {
                i64::MAX
            }),
        }
    }

    /// Rounds a computed estimate half-even to minor units. A value that is not a number becomes zero: callers must have
    /// surfaced the missing input before.
    pub fn from_f64(amount: f64) -> Self {
        let scaled = amount * 100.0;
        if !scaled.is_finite() {
            return Self::ZERO;
        }
        Self { minor: scaled.round_ties_even() as i64 }
    }

    /// The amount in whole currency units, for statistics.
    pub fn to_f64(self) -> f64 {
        self.minor as f64 / 100.0
    }

    /// The amount without its sign.
    #[must_use]
    pub fn abs(self) -> Self {
        Self { minor: self.minor.saturating_abs() }
    }
}

impl fmt::Display for Money {
    /// `1,234.50`, without the currency.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let sign = if self.minor < 0 { "-" } else { "" };
        let whole = (self.minor.unsigned_abs() / 100).to_string();
        let mut grouped = String::with_capacity(whole.len() + whole.len() / 3);
        for (i, digit) in whole.chars().enumerate() {
            if i > 0 && (whole.len() - i).is_multiple_of(3) {
                grouped.push(',');
            }
            grouped.push(digit);
        }
        write!(f, "{sign}{grouped}.{:02}", self.minor.unsigned_abs() % 100)
    }
}

impl Add for Money {
    type Output = Self;
    fn add(self, other: Self) -> Self {
        Self { minor: self.minor.saturating_add(other.minor) }
    }
}

impl AddAssign for Money {
    fn add_assign(&mut self, other: Self) {
        *self = *self + other;
    }
}

impl Sub for Money {
    type Output = Self;
    fn sub(self, other: Self) -> Self {
        Self { minor: self.minor.saturating_sub(other.minor) }
    }
}

impl Neg for Money {
    type Output = Self;
    fn neg(self) -> Self {
        Self { minor: self.minor.saturating_neg() }
    }
}

impl Sum for Money {
    fn sum<I: Iterator<Item = Self>>(iter: I) -> Self {
        iter.fold(Self::ZERO, Add::add)
    }
}

/// A net price of one stock unit, exact.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct UnitPrice(pub Decimal);

impl UnitPrice {
    /// Reads a price as the ERP sends it (a binary float), at six decimals. None when it is no finite number.
    pub fn from_erp(price: f64) -> Option<Self> {
        Decimal::from_f64(price).map(|p| Self(p.round_dp(6).normalize()))
    }

    /// For statistics.
    pub fn to_f64(self) -> f64 {
        self.0.to_f64().unwrap_or(0.0)
    }
}

impl fmt::Display for UnitPrice {
    /// At least two decimals, no trailing zeros beyond them.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let price = self.0.normalize();
        if price.scale() <= 2 { write!(f, "{price:.2}") } else { write!(f, "{price}") }
    }
}

/// A quantity in the item's stock unit, exact.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Quantity(pub Decimal);

impl Quantity {
    /// None at all.
    pub const ZERO: Self = Self(Decimal::ZERO);

    /// Whole units.
    pub fn units(units: i64) -> Self {
        Self(Decimal::from(units))
    }

    /// Reads a quantity as the ERP sends it (a binary float), at four decimals. None when it is no finite number.
    pub fn from_erp(quantity: f64) -> Option<Self> {
        Decimal::from_f64(quantity).map(|q| Self(q.round_dp(4).normalize()))
    }

    /// Rounds a computed need up to the next whole unit; negative and unusable values become zero.
    pub fn ceil_units(quantity: f64) -> Self {
        if quantity.is_finite() && quantity > 0.0 { Self::units((quantity - 1e-9).ceil() as i64) } else { Self::ZERO }
    }

    /// Rounds a computed quantity down to whole units; negative and unusable values become zero.
    pub fn floor_units(quantity: f64) -> Self {
        if quantity.is_finite() && quantity > 0.0 { Self::units((quantity + 1e-9).floor() as i64) } else { Self::ZERO }
    }

    /// For statistics.
    pub fn to_f64(self) -> f64 {
        self.0.to_f64().unwrap_or(0.0)
    }

    /// The quantity without its sign.
    #[must_use]
    pub fn abs(self) -> Self {
        Self(self.0.abs())
    }

    /// Is this more than nothing?
    pub fn is_positive(self) -> bool {
        self.0 > Decimal::ZERO
    }

    /// Is this nothing?
    pub fn is_zero(self) -> bool {
        self.0.is_zero()
    }
}

impl PartialOrd for Quantity {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Quantity {
    fn cmp(&self, other: &Self) -> Ordering {
        self.0.cmp(&other.0)
    }
}

impl fmt::Display for Quantity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.0.normalize())
    }
}

impl Add for Quantity {
    type Output = Self;
    fn add(self, other: Self) -> Self {
        Self(self.0 + other.0)
    }
}

impl AddAssign for Quantity {
    fn add_assign(&mut self, other: Self) {
        self.0 += other.0;
    }
}

impl Sub for Quantity {
    type Output = Self;
    fn sub(self, other: Self) -> Self {
        Self(self.0 - other.0)
    }
}

impl SubAssign for Quantity {
    fn sub_assign(&mut self, other: Self) {
        self.0 -= other.0;
    }
}

impl Neg for Quantity {
    type Output = Self;
    fn neg(self) -> Self {
        Self(-self.0)
    }
}

impl Sum for Quantity {
    fn sum<I: Iterator<Item = Self>>(iter: I) -> Self {
        iter.fold(Self::ZERO, Add::add)
    }
}

impl Mul<UnitPrice> for Quantity {
    type Output = Money;
    /// Quantity × price, rounded half-even to minor units.
    fn mul(self, price: UnitPrice) -> Money {
        Money::from_decimal(self.0 * price.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn price(p: f64) -> UnitPrice {
        UnitPrice::from_erp(p).expect("a finite price")
    }

    #[test]
    fn money_is_shown_with_groups_and_two_decimals() {
        assert_eq!(Money::from_minor(123_456_789).to_string(), "1,234,567.89");
        assert_eq!(Money::from_minor(-5).to_string(), "-0.05");
    }

    #[test]
    fn rounding_is_half_even() {
        assert_eq!(Money::from_decimal("0.125".parse().expect("decimal")).minor, 12);
        assert_eq!(Money::from_decimal("0.135".parse().expect("decimal")).minor, 14);
    }

    #[test]
    fn three_way_match_of_the_handbook_is_exact() {
        // §11 vector 7: ordered 100 at 8.00, received 92, billed 100 at 8.40.
        let (po, bill) = (price(8.0), price(8.4));
        let (received, billed) = (Quantity::units(92), Quantity::units(100));
        let quantity_variance = (billed - received) * po;
        let price_variance = billed * UnitPrice(bill.0 - po.0);
        assert_eq!(quantity_variance.to_string(), "64.00");
        assert_eq!(price_variance.to_string(), "40.00");
        assert_eq!(quantity_variance + price_variance, billed * bill - received * po);
    }

    #[test]
    fn prices_show_at_least_two_decimals() {
        assert_eq!(price(2.6).to_string(), "2.60");
        assert_eq!(price(2.0).to_string(), "2.00");
        assert_eq!(price(2.345).to_string(), "2.345");
    }
}
