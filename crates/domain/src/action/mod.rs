//! Actions and candidates: what may be recommended, with its hard checks and its money (handbook §5, §6).
//!
//! What is the same for every action of one code is a row of `catalogue`.
//!
//! Candidates are computed, never imagined. "Do nothing" is always among them and is worth nothing.

mod catalogue;
mod plan;
mod worth;

use jiff::civil::Date;
use serde::{Deserialize, Serialize};

pub use self::catalogue::{About, CATALOGUE, DateField, Direction, Entry, Message};
pub use self::plan::{Candidate, Check, Step, StepRef};
pub use self::worth::{MoneySum, Range};
use super::exception::ExceptionType;
use super::ids::{ItemId, LocationId, SupplierId};
use super::money::{Money, Quantity, UnitPrice};
use super::mute::MuteScope;
use super::record::{RecordKind, RecordRef};

/// What the executor is asked to do, with its own parameters. The catalogue is closed: nothing outside it can be
/// recommended, whatever a text says.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "code")]
pub enum Action {
    /// Ask supplier or carrier to bring an open line forward.
    #[serde(rename = "EXPEDITE")]
    Expedite { po_line: String, quantity: Quantity, new_date: Date, surcharge_max: Money },
    /// Push an open line back.
    #[serde(rename = "DEFER-PO")]
    DeferPo { po_line: String, quantity: Quantity, new_date: Date },
    /// Cancel a line or the rest of it.
    #[serde(rename = "CANCEL-PO")]
    CancelPo { po_line: String, quantity: Quantity },
    /// Draft a purchase order.
    #[serde(rename = "NEW-PO")]
    NewPo {
        item: ItemId,
        supplier: SupplierId,
        quantity: Quantity,
        price: UnitPrice,
        need_date: Date,
        destination: LocationId,
    },
    /// Raise an open line. `ordered` is what the line said when this was computed.
    #[serde(rename = "INCREASE-PO")]
    IncreasePo { po_line: String, ordered: Quantity, quantity: Quantity },
    /// Ship part now, the rest later.
    #[serde(rename = "SPLIT-SHIP")]
    SplitShip { po_line: String, quantity: Quantity, date_now: Date, date_rest: Date },
    /// Buy elsewhere than where the line is late.
    #[serde(rename = "ALT-SUPPLIER")]
    AltSupplier {
        item: ItemId,
        supplier: SupplierId,
        quantity: Quantity,
        price: UnitPrice,
        need_date: Date,
        destination: LocationId,
        instead_of: String,
    },
    /// Move stock between locations.
    #[serde(rename = "TRANSFER")]
    Transfer { item: ItemId, from: LocationId, to: LocationId, quantity: Quantity, ship_on: Date },
    /// Serve another order or channel first: `from_line` and `to_line` are sale lines.
    #[serde(rename = "REALLOCATE")]
    Reallocate { item: ItemId, location: LocationId, from_line: String, to_line: String, quantity: Quantity },
    /// Change a reorder point, a maximum or a lead time.
    #[serde(rename = "ADJUST-PARAM")]
    AdjustParam { param: Param, record: String, old: Quantity, new: Quantity, until: Option<Date> },
    /// Correct a forecast. The ERP keeps none that is read: a note for whoever does.
    #[serde(rename = "FORECAST-FIX")]
    ForecastFix { item: ItemId, location: LocationId, from: Date, to: Date, old: Quantity, new: Quantity, reason: String },
    /// Mark history as a one-off event. A note: the ERP has no place for it.
    #[serde(rename = "MARK-EVENT")]
    MarkEvent { item: ItemId, location: LocationId, from: Date, to: Date, reason: String },
    /// Post a count's difference, of either sign.
    #[serde(rename = "ADJUST-STOCK")]
    AdjustStock { item: ItemId, location: LocationId, difference: Quantity, reason: String },
    /// Keep what came in a receipt out of sale until it is inspected.
    #[serde(rename = "HOLD-QC")]
    HoldQc { document: String, item: ItemId, location: LocationId, quantity: Quantity, until: Date, reason: String },
    /// Send goods of a receipt back to the supplier.
    #[serde(rename = "RETURN")]
    Return { receipt: String, item: ItemId, location: LocationId, supplier: SupplierId, quantity: Quantity, reason: String },
    /// Correct master data: a field of a record from what it says to what its source of truth says.
    #[serde(rename = "FIX-MASTER")]
    FixMaster { record: RecordRef, field: String, old: String, new: String, source: String },
    /// End a promotion on another day than planned.
    #[serde(rename = "PROMO-CHANGE")]
    PromoChange { promotion: String, item: ItemId, new_to: Date },
    /// Reduce a price for some days.
    #[serde(rename = "MARKDOWN")]
    Markdown { item: ItemId, percent: f64, from: Date, to: Date },
    /// Count again, by somebody else.
    #[serde(rename = "RECOUNT")]
    Recount { item: ItemId, location: LocationId, deadline: Date, not_by: Option<String> },
    /// Claim against a supplier.
    #[serde(rename = "CLAIM")]
    Claim {
        supplier: SupplierId,
        lines: Vec<String>,
        quantity: Quantity,
        value: Money,
        basis: String,
        /// Of what was paid without an order: the bill whose money is asked back (the ERP's id). Then there are no lines.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        bill: Option<String>,
    },
    /// Keep a bill from payment until cleared.
    #[serde(rename = "BLOCK-BILL")]
    BlockBill { bill: String, disputed: Money, reason: String },
    /// Accept the variance as it is.
    #[serde(rename = "ACCEPT-VAR")]
    AcceptVar { document: String, variance: Money, reason: String },
    /// Reverse a duplicated receipt, bill or order.
    #[serde(rename = "REVERSE-DOC")]
    ReverseDoc { document: String, duplicate_of: String },
    /// Ask supplier, carrier or store a question.
    #[serde(rename = "CONTACT")]
    Contact { role: String, partner: String, about: String, answer_by: Date },
    /// Watch with a condition.
    #[serde(rename = "MONITOR")]
    Monitor { condition: String, until: Date },
    /// Close with an explanation.
    #[serde(rename = "NO-ACTION")]
    NoAction { reason: String },
    /// Ask for human judgement; no suggestion.
    #[serde(rename = "ESCALATE")]
    Escalate { unclear: String, to: String },
    /// Not to show cases of a type for a while, `hides` being the money at stake in those that it would hide today. The
    /// only action that Reeve itself carries out: it is about Reeve's own list, is never offered for a case of the
    /// business, and never leaves.
    #[serde(rename = "MUTE")]
    Mute { exception: ExceptionType, scope: MuteScope, until: Date, hides: Money },
}

/// What ADJUST-PARAM may change.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Param {
    /// Reorder point of a rule.
    ReorderPoint,
    /// Order-up-to level of a rule.
    OrderUpTo,
    /// Days of lead time on a supplier's price.
    LeadDays,
}

impl Param {
    /// The record and the field behind the parameter.
    pub fn field(self, record: &str) -> (RecordRef, &'static str) {
        match self {
            Self::ReorderPoint => (RecordRef::new(RecordKind::ReorderRule, record), "min"),
            Self::OrderUpTo => (RecordRef::new(RecordKind::ReorderRule, record), "max"),
            Self::LeadDays => (RecordRef::new(RecordKind::SupplierPrice, record), "lead_days"),
        }
    }
}
