//! Candidates: plans of one or more steps that passed their checks, and which steps can stand beside one another.

use std::collections::BTreeMap;

use jiff::civil::Date;
use serde::{Deserialize, Serialize};

use super::{Action, Message, MoneySum};
use crate::ids::FactId;
use crate::money::Money;

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

    /// The step whose message the plan's draft message is: the first that needs a letter, else the first that sends a word.
    pub fn step_of_message(&self) -> u32 {
        let letter = self.steps().find(|step| step.action.entry().message == Message::Letter);
        letter.or_else(|| self.steps().find(|step| step.action.sends_message())).map_or(1, |step| step.number)
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
        if let Some(alone) = self.actions().find(|action| action.entry().alone) {
            return Some(format!("{} stands alone", alone.code()));
        }
        let mut worked_on = BTreeMap::new();
        for step in self.steps() {
            // One step may name two things of its own; only another step on the same thing is a clash.
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

impl Action {
    /// What it changes, or leaves its trace on, in words: two actions that have one of these in common can not be checked, or
    /// told apart afterwards, each by itself.
    fn works_on(&self) -> Vec<String> {
        match self {
            Self::Expedite { po_line, .. }
            | Self::DeferPo { po_line, .. }
            | Self::CancelPo { po_line, .. }
            | Self::IncreasePo { po_line, .. }
            | Self::SplitShip { po_line, .. } => vec![format!("order line {po_line}")],
            // An order leaves its trace by item, supplier and place: of two such orders nobody could tell which step was
            // done.
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
            // A count that is asked for and one that is applied change the same figure.
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
}
