//! The bill check of a line (handbook §3.4): order, receipts and bills side by side, exact to the cent, and which part of what
//! is billed beyond the receipts is in dispute.

use rust_decimal::Decimal;

use crate::settings::Settings;
use reeve_domain::ahead::Excess;
use reeve_domain::book::Book;
use reeve_domain::money::{Money, Quantity, UnitPrice};
use reeve_domain::record::PurchaseLine;

/// A purchase line beside its bills.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct ThreeWay {
    /// Billed, credit notes taken off.
    pub billed: Quantity,
    /// Received, less what went back to be credited.
    pub received: Quantity,
    /// (billed − received) × PO price.
    pub quantity_variance: Money,
    /// Σ (bill price − PO price) × billed.
    pub price_variance: Money,
    /// The part of the quantity variance that will never be owed: above the order, or on a closed line. Negative where more
    /// came than was billed.
    pub never: Money,
    /// The same in units.
    pub never_units: Quantity,
    /// The part that is still to come, where it must be held back: it is late, or the bill is due before it comes.
    pub ahead: Money,
    /// Is it late?
    pub late: bool,
    /// Billed total − received × PO price: exactly the sum of the two.
    pub total: Money,
}

impl ThreeWay {
    /// What should not be paid as things stand: goods that are on their way and not late are none of it.
    pub(super) fn disputed(&self) -> Money {
        self.never + self.ahead + self.price_variance
    }
}

/// What is billed of a line and not owed, as things stand; nothing where it is not billed.
pub(crate) fn not_owed(book: &Book, settings: &Settings, line: &PurchaseLine) -> Money {
    three_way(book, settings, line)
        .map_or(Money::ZERO, |check| check.never.max(Money::ZERO) + check.ahead + check.price_variance.max(Money::ZERO))
}

/// The bill check of a line. None where it is not billed, or a price can not be expressed in the company's currency.
pub(super) fn three_way(book: &Book, settings: &Settings, line: &PurchaseLine) -> Option<ThreeWay> {
    let bills = book.asked(&line.id);
    let agreed = line.price?.0;
    if bills.is_empty() {
        return None;
    }
    let received = book.billable(line);
    let mut billed = Decimal::ZERO;
    let mut value = Decimal::ZERO;
    for bill in &bills {
        billed += bill.qty.0;
        value += bill.qty.0 * bill.price?.0;
    }
    let quantity = (billed - received.0) * agreed;
    let price = value - billed * agreed;
    let total = Money::from_decimal(quantity + price);
    let quantity_variance = Money::from_decimal(quantity);
    let excess = Excess::of(book, line, Quantity(billed), received, settings.tolerances.late_days);
    let due = bills.iter().rev().find(|b| b.qty.is_positive()).and_then(|b| b.due_on);
    let held = excess.holds_back(due, excess.habit(book, line));
    let never = excess.never() * UnitPrice(agreed);
    // The price part takes the rounding, so that the two add up to the cent.
    Some(ThreeWay {
        billed: Quantity(billed),
        received,
        quantity_variance,
        price_variance: total - quantity_variance,
        never,
        never_units: excess.never(),
        // Exactly what remains of the quantity variance.
        ahead: if held { quantity_variance - never } else { Money::ZERO },
        late: excess.late,
        total,
    })
}
