//! Purchase orders with injected exceptions.
//!
//! A base has one quantity, one price and one delivery a line; everything else is drawn: each vendor's habits (split
//! deliveries, small shorts and overs, jitter of prices, billing by order), notices that explain, and exceptions from about
//! three times the vendor's own habit on, so that the same 5 % is noise for one vendor and an exception for another.

mod habit;
mod inject;

use std::collections::BTreeMap;

use jiff::civil::Date;

use reeve_models::receiving::{PurchaseLine, ReceivingKind, Records};

pub use self::inject::inject;

/// A line as a base file has it.
#[derive(Clone, Debug, PartialEq)]
pub struct BaseLine {
    /// The line; where it is ordered on the day it is promised or later, the day of the order is not known.
    pub line: PurchaseLine,
    /// Day it was delivered on.
    pub delivered: Date,
}

/// Whether a line is an exception.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Label {
    /// It is, and was injected.
    Exception(ReceivingKind),
    /// It is not.
    Ordinary,
    /// It came on a day far outside its vendor's habit, in truth: nobody knows.
    NotCounted,
}

/// What is known of a line.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct LineTruth {
    /// Scored; the other lines are to learn from.
    pub scored: bool,
    /// Whether it is an exception.
    pub label: Label,
    /// How much: a share, or days.
    pub magnitude: f64,
    /// Money at stake.
    pub impact: f64,
    /// A notice explains something about it.
    pub notice: bool,
}

/// Records with what was injected into them.
#[derive(Clone, Debug, PartialEq)]
pub struct Trial {
    /// The records.
    pub records: Records,
    /// The truth of each of [`Records::lines`].
    pub truth: Vec<LineTruth>,
}

impl Trial {
    /// The lines to train on: those that are scored and counted, and whether each is an exception.
    pub fn labels(&self) -> BTreeMap<String, bool> {
        let is_counted = |truth: &LineTruth| truth.scored && truth.label != Label::NotCounted;
        let counted = self.records.lines.iter().zip(&self.truth).filter(|(_, truth)| is_counted(truth));
        counted.map(|(line, truth)| (line.line.clone(), truth.label != Label::Ordinary)).collect()
    }
}

#[cfg(test)]
mod tests;
