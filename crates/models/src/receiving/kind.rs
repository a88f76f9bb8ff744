//! The kinds of exception a line can be, and their names in the planner's catalogue.

use serde::{Deserialize, Serialize};

/// What a line is an exception by.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub enum ReceivingKind {
    /// Less came than ordered.
    Short,
    /// More came than ordered.
    Over,
    /// It came late.
    Late,
    /// It came early.
    Early,
    /// It was billed dearer than agreed.
    PriceUp,
    /// It was billed cheaper than agreed.
    PriceDown,
    /// The same delivery was entered twice.
    DuplicateReceipt,
    /// It was entered in another unit: packs for pieces, or a shifted decimal point.
    WrongUnit,
    /// More was billed than came.
    BilledNotReceived,
}

impl ReceivingKind {
    /// All kinds, in the order of the features and tables.
    pub const ALL: [Self; 9] = [
        Self::Short,
        Self::Over,
        Self::Late,
        Self::Early,
        Self::PriceUp,
        Self::PriceDown,
        Self::DuplicateReceipt,
        Self::WrongUnit,
        Self::BilledNotReceived,
    ];

    /// The catalogue's code: receipts are `R-…`, bills `F-…`.
    pub fn code(self) -> &'static str {
        match self {
            Self::Short => "R-SHORT",
            Self::Over => "R-OVER",
            Self::Late => "R-LATE",
            Self::Early => "R-EARLY",
            Self::PriceUp | Self::PriceDown => "F-PRICE",
            Self::DuplicateReceipt => "R-DUP",
            Self::WrongUnit => "R-UOM",
            Self::BilledNotReceived => "F-QTY",
        }
    }

    /// The name in snake case, as files of labelled exceptions have it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Short => "short",
            Self::Over => "over",
            Self::Late => "late",
            Self::Early => "early",
            Self::PriceUp => "price_up",
            Self::PriceDown => "price_down",
            Self::DuplicateReceipt => "duplicate_receipt",
            Self::WrongUnit => "wrong_uom",
            Self::BilledNotReceived => "billed_not_received",
        }
    }

    /// The kind of a name, if it is one.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.name() == name)
    }
}
