//! Actions and candidates: what may be recommended, with its hard checks and its money (handbook §5, §6).
//!
//! Candidates are computed, never imagined. "Do nothing" is always among them and is worth nothing.

mod plan;
mod worth;

use jiff::civil::Date;
use serde::{Deserialize, Serialize};

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

/// The date of an action that an approver may change.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DateField {
    /// As a change of it is told: `new date 2026-10-09 → 2026-10-12`.
    pub name: &'static str,
    /// As a form asks for it.
    pub label: &'static str,
}

/// Which way an action moves stock that is to come: two that go opposite ways and are worth the same call for a human
/// (handbook §7).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Direction {
    /// More or sooner.
    More,
    /// Less or later.
    Less,
    /// Neither.
    Neutral,
}

impl Action {
    /// The code of every action, in the catalogue's order.
    #[rustfmt::skip]
    pub const CODES: [&str; 28] = [
        "EXPEDITE", "DEFER-PO", "CANCEL-PO", "NEW-PO", "INCREASE-PO", "SPLIT-SHIP", "ALT-SUPPLIER", "TRANSFER",
        "REALLOCATE", "ADJUST-PARAM", "FORECAST-FIX", "MARK-EVENT", "RECOUNT", "ADJUST-STOCK", "HOLD-QC", "CLAIM",
        "RETURN", "ACCEPT-VAR", "BLOCK-BILL", "REVERSE-DOC", "FIX-MASTER", "PROMO-CHANGE", "MARKDOWN", "CONTACT",
        "MONITOR", "NO-ACTION", "ESCALATE", "MUTE",
    ];

    /// The handbook's code.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Expedite { .. } => "EXPEDITE",
            Self::DeferPo { .. } => "DEFER-PO",
            Self::CancelPo { .. } => "CANCEL-PO",
            Self::NewPo { .. } => "NEW-PO",
            Self::IncreasePo { .. } => "INCREASE-PO",
            Self::SplitShip { .. } => "SPLIT-SHIP",
            Self::AltSupplier { .. } => "ALT-SUPPLIER",
            Self::Transfer { .. } => "TRANSFER",
            Self::Reallocate { .. } => "REALLOCATE",
            Self::AdjustParam { .. } => "ADJUST-PARAM",
            Self::ForecastFix { .. } => "FORECAST-FIX",
            Self::MarkEvent { .. } => "MARK-EVENT",
            Self::AdjustStock { .. } => "ADJUST-STOCK",
            Self::HoldQc { .. } => "HOLD-QC",
            Self::Return { .. } => "RETURN",
            Self::FixMaster { .. } => "FIX-MASTER",
            Self::PromoChange { .. } => "PROMO-CHANGE",
            Self::Markdown { .. } => "MARKDOWN",
            Self::Recount { .. } => "RECOUNT",
            Self::Claim { .. } => "CLAIM",
            Self::BlockBill { .. } => "BLOCK-BILL",
            Self::AcceptVar { .. } => "ACCEPT-VAR",
            Self::ReverseDoc { .. } => "REVERSE-DOC",
            Self::Contact { .. } => "CONTACT",
            Self::Monitor { .. } => "MONITOR",
            Self::NoAction { .. } => "NO-ACTION",
            Self::Escalate { .. } => "ESCALATE",
            Self::Mute { .. } => "MUTE",
        }
    }

    /// The quantity the action is about, where it has one that may be edited.
    pub fn quantity(&self) -> Option<Quantity> {
        self.clone().quantity_mut().copied()
    }

    /// The quantity, to be changed by an editor.
    pub fn quantity_mut(&mut self) -> Option<&mut Quantity> {
        match self {
            Self::Expedite { quantity, .. }
            | Self::DeferPo { quantity, .. }
            | Self::CancelPo { quantity, .. }
            | Self::NewPo { quantity, .. }
            | Self::IncreasePo { quantity, .. }
            | Self::SplitShip { quantity, .. }
            | Self::AltSupplier { quantity, .. }
            | Self::Transfer { quantity, .. }
            | Self::Reallocate { quantity, .. }
            | Self::HoldQc { quantity, .. }
            | Self::Return { quantity, .. }
            | Self::Claim { quantity, bill: None, .. } => Some(quantity),
            // A bill is asked back as a whole. A counted difference is what was counted; parameters and forecasts are figures with
            // their own checks.
            Self::Claim { .. }
            | Self::AdjustStock { .. }
            | Self::AdjustParam { .. }
            | Self::ForecastFix { .. }
            | Self::MarkEvent { .. }
            | Self::FixMaster { .. }
            | Self::PromoChange { .. }
            | Self::Markdown { .. }
            | Self::Recount { .. }
            | Self::BlockBill { .. }
            | Self::AcceptVar { .. }
            | Self::ReverseDoc { .. }
            | Self::Contact { .. }
            | Self::Monitor { .. }
            | Self::NoAction { .. }
            | Self::Escalate { .. }
            | Self::Mute { .. } => None,
        }
    }

    /// The date that may be edited, where there is one.
    pub fn date(&self) -> Option<(DateField, Date)> {
        self.clone().date_mut().map(|(field, date)| (field, *date))
    }

    /// The date, to be changed by an editor.
    pub fn date_mut(&mut self) -> Option<(DateField, &mut Date)> {
        let field = |name, label| DateField { name, label };
        Some(match self {
            Self::Expedite { new_date, .. } | Self::DeferPo { new_date, .. } => (field("new date", "New date"), new_date),
            Self::NewPo { need_date, .. } | Self::AltSupplier { need_date, .. } => {
                (field("need date", "Needed on"), need_date)
            }
            Self::SplitShip { date_rest, .. } => (field("date of the rest", "Rest on"), date_rest),
            Self::Transfer { ship_on, .. } => (field("ship date", "Ship on"), ship_on),
            Self::Recount { deadline, .. } => (field("deadline", "Count by"), deadline),
            Self::HoldQc { until, .. } => (field("until", "Hold until"), until),
            Self::PromoChange { new_to, .. } => (field("last day", "Last day"), new_to),
            Self::Markdown { to, .. } => (field("last day", "Last day"), to),
            Self::Contact { answer_by, .. } => (field("answer by", "Answer by"), answer_by),
            Self::Monitor { until, .. } => (field("until", "Watch until"), until),
            Self::CancelPo { .. }
            | Self::IncreasePo { .. }
            | Self::Reallocate { .. }
            | Self::AdjustParam { .. }
            | Self::ForecastFix { .. }
            | Self::MarkEvent { .. }
            | Self::AdjustStock { .. }
            | Self::Return { .. }
            | Self::FixMaster { .. }
            | Self::Claim { .. }
            | Self::BlockBill { .. }
            | Self::AcceptVar { .. }
            | Self::ReverseDoc { .. }
            | Self::NoAction { .. }
            | Self::Escalate { .. } => return None,
            Self::Mute { until, .. } => (field("until", "Mute until"), until),
        })
    }

    /// Is it for the outside at all? What Reeve carries out itself is never sent to anybody.
    pub fn is_for_the_outside(&self) -> bool {
        !matches!(self, Self::Mute { .. })
    }

    /// Does it write to somebody?
    pub fn sends_message(&self) -> bool {
        matches!(
            self,
            Self::Expedite { .. }
                | Self::DeferPo { .. }
                | Self::CancelPo { .. }
                | Self::NewPo { .. }
                | Self::IncreasePo { .. }
                | Self::SplitShip { .. }
                | Self::AltSupplier { .. }
                | Self::Return { .. }
                | Self::Transfer { .. }
                | Self::Recount { .. }
                | Self::Claim { .. }
                | Self::Contact { .. }
        )
    }

    /// The item that the action itself names.
    pub fn item(&self) -> Option<&ItemId> {
        match self {
            Self::NewPo { item, .. }
            | Self::AltSupplier { item, .. }
            | Self::Transfer { item, .. }
            | Self::Reallocate { item, .. }
            | Self::ForecastFix { item, .. }
            | Self::MarkEvent { item, .. }
            | Self::AdjustStock { item, .. }
            | Self::HoldQc { item, .. }
            | Self::Return { item, .. }
            | Self::PromoChange { item, .. }
            | Self::Markdown { item, .. }
            | Self::Recount { item, .. } => Some(item),
            _ => None,
        }
    }

    /// Whose stock it takes units from: the item, the location, and how many.
    pub fn donor(&self) -> Option<(&ItemId, &LocationId, Quantity)> {
        let Self::Transfer { item, from, quantity, .. } = self else { return None };
        Some((item, from, *quantity))
    }

    /// The supplier that the action itself names.
    pub fn supplier(&self) -> Option<&SupplierId> {
        match self {
            Self::NewPo { supplier, .. }
            | Self::AltSupplier { supplier, .. }
            | Self::Return { supplier, .. }
            | Self::Claim { supplier, .. } => Some(supplier),
            _ => None,
        }
    }

    /// Which way it moves stock that is to come.
    pub fn direction(&self) -> Direction {
        match self {
            Self::Expedite { .. }
            | Self::NewPo { .. }
            | Self::IncreasePo { .. }
            | Self::SplitShip { .. }
            | Self::AltSupplier { .. } => Direction::More,
            Self::DeferPo { .. } | Self::CancelPo { .. } | Self::Return { .. } => Direction::Less,
            _ => Direction::Neutral,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_list_of_codes_is_the_catalogue() {
        // What a reader of an unknown code is told it could have been is every variant there is.
        let error = serde_json::from_str::<Action>(r#"{"code": "PAY"}"#).unwrap_err().to_string();
        let mut variants: Vec<&str> = error.split('`').skip(3).step_by(2).collect();
        let mut codes = Action::CODES;
        variants.sort_unstable();
        codes.sort_unstable();
        assert_eq!(variants, codes, "{error}");
        assert_eq!(Action::NoAction { reason: String::new() }.code(), "NO-ACTION");
    }
}
