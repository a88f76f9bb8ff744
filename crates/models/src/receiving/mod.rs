//! How odd a line of a purchase order is by what came and what was billed, against its own vendor's habits.
//!
//! Every vendor has its ways: it is short by a little on every third line, bills what was ordered, comes two weeks early.
//! So nothing is compared with a fixed tolerance. The lines are walked through in the order in which they were complete
//! (last receipt or bill), and each is looked at with what was known on that day: no later row is used, but for the
//! identity of lines ordered by then. Habits are learnt as the walk goes on, shrunk to those of all vendors while a
//! vendor is new; what notices explain is taken off first.
//!
//! - [`Records`]: what is read; [`score`]: what comes of it, line by line;
//! - [`Features`]: what is told of a line, without units, so that it transfers to vendors never seen;
//! - [`Detector`]: how the features become a probability.

mod change;
mod company;
mod days;
mod detector;
mod explain;
mod features;
mod habit;
mod kind;
mod ledger;
mod likeness;
mod observe;
mod records;
mod scorer;
mod timing;
mod trees;

pub use self::change::changed;
pub use self::detector::{Detector, Labelled, LineScore, score};
pub use self::features::Features;
pub use self::kind::ReceivingKind;
pub use self::records::{Bill, Notice, NoticeKind, PurchaseLine, Receipt, ReceivingError, Records};
pub use self::scorer::{Scored, Scorer};

/// Features of every line that something came of, with its index in [`Records::lines`], in the order in which the lines
/// were complete.
///
/// # Errors
/// [`ReceivingError::Number`] and [`ReceivingError::Twice`] for records that make no sense.
pub fn features(records: &Records) -> Result<Vec<(usize, Features)>, ReceivingError> {
    let ledger = ledger::Ledger::new(records)?;
    Ok(observe::observe(&ledger).into_iter().map(|(at, features)| (ledger.places[at], features)).collect())
}

#[cfg(test)]
mod tests;
