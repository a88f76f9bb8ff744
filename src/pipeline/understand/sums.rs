//! Small rules on lines and amounts of an event: how many, not zero, with which sign.

use rust_decimal::Decimal;

use super::Fault;
use super::amounts::{AMOUNT_MAX, within};
use super::lines::LINES_MAX;
use crate::domain::event::wire::{self, Amount, BilledLine};
use crate::domain::money::{Money, Quantity};
use crate::domain::notice::NoticeLine;

pub(super) fn counted(path: &str, count: usize) -> Result<(), Fault> {
    match count {
        0 => Err(Fault::wrong(path, "must not be empty")),
        1..=LINES_MAX => Ok(()),
        _ => Err(Fault::wrong(path, &format!("at most {LINES_MAX} are taken"))),
    }
}

/// The lines that are not of zero, where they say how many at all.
pub(super) fn not_zero(lines: &[wire::OrderLine], what: &str) -> Result<Vec<wire::OrderLine>, Fault> {
    let some: Vec<wire::OrderLine> = lines.iter().filter(|l| l.qty.is_none_or(|q| !q.0.is_zero())).cloned().collect();
    if some.is_empty() && !lines.is_empty() {
        Err(Fault::wrong("data.lines", &format!("nothing of any line {what}")))
    } else {
        Ok(some)
    }
}

/// As [`not_zero`], of lines that are understood.
pub(super) fn some_of(lines: Vec<NoticeLine>, what: &str) -> Result<Vec<NoticeLine>, Fault> {
    let some: Vec<NoticeLine> = lines.into_iter().filter(|l| l.qty.is_none_or(|q| !q.is_zero())).collect();
    if some.is_empty() { Err(Fault::wrong("data.lines", &format!("nothing of any line {what}"))) } else { Ok(some) }
}

/// Is everything that a bill lists taken back?
pub(super) fn all_taken_back(lines: &[BilledLine]) -> bool {
    let mut some = lines.iter().map(|l| l.qty.0).filter(|q| !q.is_zero()).peekable();
    some.peek().is_some() && some.all(|q| q.is_sign_negative())
}

pub(super) fn credited(line: NoticeLine, ours: bool) -> NoticeLine {
    NoticeLine { qty: line.qty.map(Quantity::abs), price: line.price.filter(|_| ours), ..line }
}

pub(super) fn abs(amount: Amount) -> Amount {
    Amount(amount.0.abs())
}

/// Checks taxes and total; the total.
pub(super) fn sums(tax: Option<Amount>, total: Option<Amount>) -> Result<Option<Money>, Fault> {
    let checked = |path: &str, amount: Option<Amount>| -> Result<Option<Decimal>, Fault> {
        amount.map(|a| within(path, a.0, AMOUNT_MAX)).transpose()
    };
    checked("data.tax", tax)?;
    Ok(checked("data.total", total)?.map(Money::from_decimal))
}
