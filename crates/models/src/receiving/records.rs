//! What the detector reads: lines of purchase orders, what came, what was billed, and what was announced.
//!
//! Plain data in the units of the order line, in any order; `ledger` puts them together by line.

use jiff::civil::Date;

use crate::boost::BoostError;

/// A line of a purchase order, as agreed.
#[derive(Clone, Debug, PartialEq)]
pub struct PurchaseLine {
    /// Identity of the line: what receipts and bills refer to.
    pub line: String,
    /// The order it belongs to.
    pub po: String,
    /// Who delivers.
    pub vendor: String,
    /// What is delivered.
    pub item: String,
    /// Where to.
    pub location: String,
    /// How it travels; empty where not known.
    pub mode: String,
    /// Day of the order.
    pub ordered: Date,
    /// Day promised.
    pub promised: Date,
    /// Quantity ordered, in units of the line, from 0 on. A line of nothing is not judged.
    pub quantity: f64,
    /// Units in a pack; 0 or 1 where there is none.
    pub pack_size: f64,
    /// Agreed price of a unit, from 0 on.
    pub price: f64,
}

/// Goods received against a line.
#[derive(Clone, Debug, PartialEq)]
pub struct Receipt {
    /// The line.
    pub line: String,
    /// Day received.
    pub date: Date,
    /// Quantity, in units of the line.
    pub quantity: f64,
}

/// A bill's line for a line of an order.
#[derive(Clone, Debug, PartialEq)]
pub struct Bill {
    /// The line.
    pub line: String,
    /// Day of the bill.
    pub date: Date,
    /// Quantity billed, in units of the line.
    pub quantity: f64,
    /// Price billed for a unit.
    pub price: f64,
}

/// What a notice announces.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NoticeKind {
    /// An agreed change of price: the value is a share (0.05 for 5 % more).
    PriceChange,
    /// Goods on top that are not billed: the value is a share of the quantity ordered.
    Bonus,
    /// A delay: the value is in days.
    Delay,
}

/// Something agreed or announced, that explains what would be odd otherwise.
#[derive(Clone, Debug, PartialEq)]
pub struct Notice {
    /// What is announced.
    pub kind: NoticeKind,
    /// The vendor it is about; `None` for all.
    pub vendor: Option<String>,
    /// The location it is about; `None` for all.
    pub location: Option<String>,
    /// The line it is about; `None` for all.
    pub line: Option<String>,
    /// First promised day it holds for.
    pub from: Date,
    /// Last promised day it holds for.
    pub to: Date,
    /// How much, in the unit of its kind.
    pub value: f64,
}

/// All records to score: any order, one currency for each line.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Records {
    /// Lines ordered.
    pub lines: Vec<PurchaseLine>,
    /// What came.
    pub receipts: Vec<Receipt>,
    /// What was billed.
    pub bills: Vec<Bill>,
    /// What was announced.
    pub notices: Vec<Notice>,
}

/// Why lines could not be scored.
#[derive(Debug, thiserror::Error)]
pub enum ReceivingError {
    /// A number that can not be one of its kind.
    #[error("line {line}: {field} is {value}, but must be a finite number of at least 0")]
    Number {
        /// The line.
        line: String,
        /// What the number is.
        field: &'static str,
        /// The number.
        value: f64,
    },
    /// The same line twice.
    #[error("line {0} is there twice: give each line of an order an identity of its own")]
    Twice(String),
    /// Nothing to learn from.
    #[error("training needs exceptions and ordinary lines, and got {exceptions} and {ordinary}")]
    TooLittle {
        /// Lines labelled as exceptions.
        exceptions: usize,
        /// Lines labelled as ordinary.
        ordinary: usize,
    },
    /// Trees that could not be fitted or read.
    #[error(transparent)]
    Boost(#[from] BoostError),
    /// A saved detector of another version.
    #[error("the saved detector has version {found}, and this program reads version {read}: train it anew")]
    Version {
        /// The saved one's.
        found: u64,
        /// The one that is read.
        read: u64,
    },
    /// A saved detector over other features than this program has.
    #[error("the saved detector looks at other features than this program has: train it anew")]
    Features,
    /// A saved detector that was changed or cut short.
    #[error("the saved detector does not match its checksum: it was changed after it was written")]
    Checksum,
    /// A saved detector that makes no sense.
    #[error("the saved detector can not be read")]
    Unreadable(#[source] Box<dyn std::error::Error + Send + Sync>),
}
