//! Actions and candidates: what may be recommended, with its hard checks and its money (handbook §5, §6).
//!
//! Candidates are computed, never imagined. "Do nothing" is always among them and is worth nothing.

use std::collections::BTreeMap;

use jiff::civil::Date;
use serde::{Deserialize, Serialize};

use super::exception::ExceptionType;
use super::ids::{FactId, ItemId, LocationId, SupplierId};
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

    /// Is it never a step beside others?
    fn stands_alone(&self) -> bool {
        matches!(self, Self::NoAction { .. } | Self::Escalate { .. } | Self::Mute { .. })
    }

    /// What it changes, or leaves its trace on, in words: two actions that have one of these in common can not be checked, or
    /// told apart afterwards, each by itself.
    fn works_on(&self) -> Vec<String> {
        match self {
            Self::Expedite { po_line, .. }
            | Self::DeferPo { po_line, .. }
            | Self::CancelPo { po_line, .. }
            | Self::IncreasePo { po_line, .. }
            | Self::SplitShip { po_line, .. } => vec![format!("order line {po_line}")],
            Self::NewPo { item, supplier, destination, .. } | Self::AltSupplier { item, supplier, destination, .. } => {
                vec![format!("an order of item {item} to supplier {supplier} for location {destination}")]
            }
            // Two donors may fill one place, and one donor two places: what it takes is checked in order.
            Self::Transfer { item, from, to, .. } => {
                vec![format!("the way of item {item} from location {from} to location {to}")]
            }
            Self::Reallocate { from_line, to_line, .. } => {
                vec![format!("sale line {from_line}"), format!("sale line {to_line}")]
            }
            Self::AdjustParam { param, record, .. } => {
                let (record, field) = param.field(record);
                vec![format!("{field} of {record}")]
            }
            Self::FixMaster { record, field, .. } => vec![format!("{field} of {record}")],
            Self::ForecastFix { item, location, .. } => vec![format!("the forecast of item {item} at location {location}")],
            Self::MarkEvent { item, location, .. } => vec![format!("the history of item {item} at location {location}")],
            Self::Recount { item, location, .. } | Self::AdjustStock { item, location, .. } => {
                vec![format!("the count of item {item} at location {location}")]
            }
            // Goods that are held or sent back are taken from the shelf; no check of another step knows of it.
            Self::HoldQc { item, location, .. } | Self::Return { item, location, .. } => {
                vec![format!("goods of item {item} at location {location}")]
            }
            Self::PromoChange { promotion, .. } => vec![format!("promotion {promotion}")],
            Self::Markdown { item, .. } => vec![format!("the price of item {item}")],
            Self::Claim { bill: Some(bill), .. } => vec![format!("the claim for bill {bill}")],
            Self::Claim { lines, .. } => lines.iter().map(|line| format!("the claim for order line {line}")).collect(),
            Self::BlockBill { bill, .. } => vec![format!("the payment of bill {bill}")],
            Self::AcceptVar { document, .. } => vec![format!("the variance of {document}")],
            Self::ReverseDoc { document, .. } => vec![format!("document {document}")],
            Self::Contact { partner, about, .. } => vec![format!("the question to {partner} about {about}")],
            Self::Monitor { condition, .. } => vec![format!("the watch for {condition}")],
            Self::NoAction { .. } | Self::Escalate { .. } | Self::Mute { .. } => Vec::new(),
        }
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

/// One hard or soft check and how it came out.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Check {
    /// What was checked: "quantity ≤ open quantity".
    pub name: String,
    /// With which figures: "48 ≤ 60".
    pub detail: String,
    /// Did it pass? A failed hard check makes the action illegal, so a stored candidate has none; a failed soft check is a
    /// warning line.
    pub passed: bool,
    /// Hard or soft.
    pub hard: bool,
}

/// An estimate with its doubt: 10th percentile, mean, 90th percentile.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Range {
    /// 10th percentile.
    pub low: Money,
    /// Mean.
    pub expected: Money,
    /// 90th percentile.
    pub high: Money,
}

impl Range {
    /// An amount that is certain.
    pub fn certain(amount: Money) -> Self {
        Self { low: amount, expected: amount, high: amount }
    }
}

/// Why an action is worth what it is worth: NB = p·(L₀ − Lₐ) − C − (1 − p)·G (handbook §6).
///
/// The inputs are rounded to minor units first and the sum is made from the rounded figures, so that what the page shows
/// adds up for whoever recomputes it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct MoneySum {
    /// Probability that the exception is real, at four decimals.
    pub p: f64,
    /// L₀: expected loss if nothing is done until the horizon.
    pub loss_now: Range,
    /// Lₐ: expected loss that remains after the action.
    pub loss_after: Range,
    /// C: what the action costs.
    pub cost: Money,
    /// G: what it costs if the alarm was false.
    pub regret: Money,
    /// NB, with its doubt.
    pub benefit: Range,
}

impl MoneySum {
    /// Computes NB from its parts.
    pub fn new(p: f64, loss_now: Range, loss_after: Range, cost: Money, regret: Money) -> Self {
        let p = (p.clamp(0.0, 1.0) * 10_000.0).round() / 10_000.0;
        let net = |now: Money, after: Money| {
            Money::from_minor(
                (p * (now - after).minor as f64 - cost.minor as f64 - (1.0 - p) * regret.minor as f64).round_ties_even()
                    as i64,
            )
        };
        let mut ends = [
            net(loss_now.low, loss_after.low),
            net(loss_now.high, loss_after.high),
            net(loss_now.expected, loss_after.expected),
        ];
        let expected = ends[2];
        ends.sort();
        Self { p, loss_now, loss_after, cost, regret, benefit: Range { low: ends[0], expected, high: ends[2] } }
    }

    /// Doing nothing: the loss stays, the benefit is zero.
    pub fn nothing(p: f64, loss_now: Range) -> Self {
        Self::new(p, loss_now, loss_now, Money::ZERO, Money::ZERO)
    }
}

/// A plan of one or more steps that passed every hard check, with its money and the facts behind each figure (handbook §5:
/// "a recommendation is a plan of one or more steps with one net benefit").
///
/// Its first step stands in fields of its own, and most plans have no other: what was kept and hashed before there were
/// plans of several steps reads, and hashes, as a plan of one.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Candidate {
    /// Short id within the case, in order of benefit: `A1`, `A2`. Drafters refer to it.
    pub id: String,
    /// What to do first. The plan is called by it.
    pub action: Action,
    /// One computed sentence saying what to do first, with names for people: "Move 40 units of … from … to …".
    pub summary: String,
    /// What the whole plan is worth.
    pub money: MoneySum,
    /// Committed, written off or claimed by all steps together, whichever is largest: compared with limits (handbook §9).
    pub value: Money,
    /// The last day on which the whole plan still works.
    pub latest_date: Date,
    /// Checks made of the first step, hard ones first.
    pub checks: Vec<Check>,
    /// The facts its figures come from; all of them are in the bundle.
    pub cites: Vec<FactId>,
    /// What is done beside it, in order: approved by the same signatures, each handed off and read back by itself.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub then: Vec<Step>,
}

/// A step of a plan after its first.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Step {
    /// What to do.
    pub action: Action,
    /// One computed sentence saying so, with names for people.
    pub summary: String,
    /// Checks made of it on what the steps before it leave, hard ones first.
    pub checks: Vec<Check>,
}

/// Any step of a plan, the first one among them.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct StepRef<'a> {
    /// Which one, from 1.
    pub number: u32,
    /// What to do.
    pub action: &'a Action,
    /// The sentence that says so.
    pub summary: &'a str,
    /// Checks made of it.
    pub checks: &'a [Check],
}

impl Candidate {
    /// Every step, in order.
    pub fn steps(&self) -> impl Iterator<Item = StepRef<'_>> {
        let first = StepRef { number: 1, action: &self.action, summary: &self.summary, checks: &self.checks };
        let then = self.then.iter().zip(2..).map(|(step, number)| StepRef {
            number,
            action: &step.action,
            summary: &step.summary,
            checks: &step.checks,
        });
        std::iter::once(first).chain(then)
    }

    /// What every step does, in order.
    pub fn actions(&self) -> impl Iterator<Item = &Action> {
        self.steps().map(|step| step.action)
    }

    /// Step `number`, counted from 1; None where the plan has no such step.
    pub fn step(&self, number: u32) -> Option<StepRef<'_>> {
        self.steps().find(|step| step.number == number)
    }

    /// How many steps it has: one or more.
    pub fn step_count(&self) -> u32 {
        u32::try_from(1 + self.then.len()).unwrap_or(u32::MAX)
    }

    /// Has it more than one step?
    pub fn is_plan(&self) -> bool {
        !self.then.is_empty()
    }

    /// The whole plan in one line: what its steps say, one after the other.
    pub fn told(&self) -> String {
        let mut told = self.summary.clone();
        for step in &self.then {
            told.truncate(told.trim_end_matches('.').len());
            told.push_str("; ");
            told.push_str(&step.summary);
        }
        told
    }

    /// The codes of its steps, in order: `TRANSFER`, or `TRANSFER + TRANSFER + CONTACT`.
    pub fn codes(&self) -> String {
        self.actions().map(Action::code).collect::<Vec<_>>().join(" + ")
    }

    /// The step whose message the plan's draft message is: the first that sends one.
    pub fn step_of_message(&self) -> u32 {
        self.steps().find(|step| step.action.sends_message()).map_or(1, |step| step.number)
    }

    /// Why its steps can not stand in one plan; None where they can, and of a single step.
    ///
    /// Checks look at a step by itself, but for what the steps before it take from a donor, and a step is read back by the
    /// trace that it leaves. So no two steps work on the same thing; what changes nothing, asks for judgement or is done by
    /// Reeve itself stands alone.
    pub fn clash(&self) -> Option<String> {
        if !self.is_plan() {
            return None;
        }
        if let Some(alone) = self.actions().find(|action| action.stands_alone()) {
            return Some(format!("{} stands alone", alone.code()));
        }
        let mut worked_on = BTreeMap::new();
        for step in self.steps() {
            for thing in step.action.works_on() {
                if let Some(other) = worked_on.insert(thing.clone(), step.number).filter(|other| *other != step.number) {
                    return Some(format!("steps {other} and {} both work on {thing}", step.number));
                }
            }
        }
        // Two transfers may leave one donor, which is checked; what is held or sent back there is not.
        let from = |action: &Action| match action {
            Action::Transfer { item, from, .. } => Some((item.clone(), from.clone())),
            _ => None,
        };
        let donors: Vec<_> = self.actions().filter_map(from).collect();
        self.actions().find_map(|action| match action {
            Action::HoldQc { item, location, .. } | Action::Return { item, location, .. } => donors
                .contains(&(item.clone(), location.clone()))
                .then(|| format!("{} and a transfer take goods of item {item} at location {location}", action.code())),
            _ => None,
        })
    }

    /// The same plan with another action, sentence and checks in step `number`; unchanged where it has no such step.
    #[must_use]
    pub fn with_step(mut self, number: u32, new: Step) -> Self {
        if number == 1 {
            (self.action, self.summary, self.checks) = (new.action, new.summary, new.checks);
        } else if let Some(step) = (number as usize).checked_sub(2).and_then(|at| self.then.get_mut(at)) {
            *step = new;
        }
        self
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sum(p: f64, now: f64, after: f64, cost: f64, regret: f64) -> String {
        MoneySum::new(
            p,
            Range::certain(Money::from_f64(now)),
            Range::certain(Money::from_f64(after)),
            Money::from_f64(cost),
            Money::from_f64(regret),
        )
        .benefit
        .expected
        .to_string()
    }

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

    #[test]
    fn net_benefit_of_the_handbook() {
        // §11 vector 5. The handbook's 128.16 and 110.22 follow from L values at two decimals.
        assert_eq!(sum(0.8, 216.15, 23.20, 25.0, 6.0), "128.16");
        assert_eq!(sum(0.8, 216.15, 3.37, 60.0, 0.0), "110.22");
        assert_eq!(sum(0.8, 216.15, 216.15, 12.0, 40.0), "-20.00");
        assert_eq!(sum(0.8, 216.15, 216.15, 0.0, 0.0), "0.00");
    }
}
