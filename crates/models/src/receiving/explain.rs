//! Takes off what notices on file explain: an agreed price, goods on top, an announced delay.

use super::ledger::Entry;

/// Smallest step of a price: the fourth decimal, with a little room for two roundings.
const PRICE_STEP: f64 = 1.2e-4;

/// Days by which an announced delay is only roughly so.
const ANNOUNCED_ABOUT: i32 = 4;

/// Longest delay that is believed, in days: ten years.
const ANNOUNCED_MAX: f64 = 3650.0;

/// A line with what notices explain taken off.
pub(super) struct Explained {
    /// Received, less the bonus.
    pub(super) received: f64,
    /// Days from promise to first receipt, less the delay announced.
    pub(super) days: i32,
    /// Logarithm of the billed price over the agreed one, change of price included; 0 without a bill.
    pub(super) price: f64,
    /// Smallest step of that price, as a share of it.
    pub(super) step: f64,
}

pub(super) fn explained(entry: &Entry, now: i32) -> Explained {
    let raw = entry.received();
    let bonus = (entry.quantity * entry.bonus_notice).floor().max(0.0);
    let with_bonus = bonus > 0.0 && (raw - bonus - entry.quantity).abs() < (raw - entry.quantity).abs();
    let first = entry.first().unwrap_or(now.max(entry.promised));
    let mut days = first - entry.promised;
    #[expect(clippy::cast_possible_truncation, reason = "a float is cut to the range of the integer")]
    let announced = entry.delay_notice.round().clamp(0.0, ANNOUNCED_MAX) as i32;
    let off = days - announced;
    if announced > 0 && off.abs() < days.abs() {
        days = off.signum() * (off.abs() - ANNOUNCED_ABOUT).max(0);
    }
    // What is free is held against the smallest price there is.
    let agreed = (entry.price * (1.0 + entry.price_notice.max(-0.99))).max(PRICE_STEP);
    let billed = entry.billed.map_or(agreed, |(_, price)| price);
    Explained {
        received: if with_bonus { raw - bonus } else { raw },
        days,
        price: (billed.max(agreed * 1e-3).max(PRICE_STEP) / agreed).ln(),
        step: PRICE_STEP / agreed,
    }
}
