//! The catalogue of actions as a table (handbook §5): what is the same for every action of one code is a row here, what an
//! action names of the ERP is one match. Whoever adds an action adds a variant, its code, a row, and a line in each match.

use jiff::civil::Date;

use super::Action;
use crate::ids::{ItemId, LocationId, SupplierId};
use crate::money::Quantity;

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

/// How an action's message leaves.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Message {
    /// It writes to nobody.
    None,
    /// The action itself is the word: to a store, to a warehouse.
    Inside,
    /// A letter is drafted: to a supplier, or to whoever is asked.
    Letter,
}

/// What is the same for every action of one code.
#[derive(Clone, Copy, Debug)]
#[expect(clippy::struct_excessive_bools, reason = "columns of a table, each a yes or no of its own")]
pub struct Entry {
    /// The handbook's code.
    pub code: &'static str,
    /// What the executor does, in plain words (handbook §5).
    pub does: &'static str,
    /// The date that an approver may change, where there is one.
    pub date: Option<DateField>,
    /// Which way it moves stock that is to come.
    pub direction: Direction,
    /// To whom it writes.
    pub message: Message,
    /// Is all of what it is worth for limits quantity times price? Then it shrinks with the quantity, too.
    pub by_piece: bool,
    /// Is what it is worth fixed until a day that is written down: a bill is due, a claim window ends?
    pub dated: bool,
    /// Is it never a step beside others?
    pub alone: bool,
    /// Is it for the outside at all? What Reeve carries out itself is never sent to anybody.
    pub outside: bool,
}

/// A row whose columns are the usual ones, to be changed below.
const fn row(code: &'static str, does: &'static str) -> Entry {
    Entry {
        code,
        does,
        date: None,
        direction: Direction::Neutral,
        message: Message::None,
        by_piece: false,
        dated: false,
        alone: false,
        outside: true,
    }
}

impl Entry {
    const fn date(self, name: &'static str, label: &'static str) -> Self {
        Self { date: Some(DateField { name, label }), ..self }
    }

    const fn more(self) -> Self {
        Self { direction: Direction::More, ..self }
    }

    const fn less(self) -> Self {
        Self { direction: Direction::Less, ..self }
    }

    const fn writes(self, message: Message) -> Self {
        Self { message, ..self }
    }

    const fn by_piece(self) -> Self {
        Self { by_piece: true, ..self }
    }

    const fn dated(self) -> Self {
        Self { dated: true, ..self }
    }

    const fn alone(self) -> Self {
        Self { alone: true, ..self }
    }

    const fn inside(self) -> Self {
        Self { outside: false, ..self }
    }
}

/// Every action, in the handbook's order.
pub const CATALOGUE: [Entry; 28] = [
    row("EXPEDITE", "Ask the supplier or carrier to bring an open order line forward")
        .date("new date", "New date")
        .more()
        .writes(Message::Letter),
    row("DEFER-PO", "Push an order line back").date("new date", "New date").less().writes(Message::Letter),
    row("CANCEL-PO", "Cancel an order line or the rest of it").less().writes(Message::Letter),
    row("NEW-PO", "Draft a purchase order").date("need date", "Needed on").more().writes(Message::Letter).by_piece(),
    row("INCREASE-PO", "Raise an open order line").more().writes(Message::Letter).by_piece(),
    row("SPLIT-SHIP", "Have part shipped now and the rest later")
        .date("date of the rest", "Rest on")
        .more()
        .writes(Message::Letter),
    row("ALT-SUPPLIER", "Buy from another supplier")
        .date("need date", "Needed on")
        .more()
        .writes(Message::Letter)
        .by_piece(),
    row("TRANSFER", "Move stock between locations").date("ship date", "Ship on").writes(Message::Inside),
    row("REALLOCATE", "Serve another order first"),
    row("ADJUST-PARAM", "Change a reorder point, a maximum or a lead time"),
    row("FORECAST-FIX", "Correct a forecast"),
    row("MARK-EVENT", "Mark history as a one-off event"),
    row("RECOUNT", "Count again, by somebody else").date("deadline", "Count by").writes(Message::Inside),
    row("ADJUST-STOCK", "Post a count's difference"),
    row("HOLD-QC", "Keep stock out of sale for inspection").date("until", "Hold until"),
    row("CLAIM", "Claim against a supplier").writes(Message::Letter).by_piece().dated(),
    row("RETURN", "Send goods back to the supplier").less().writes(Message::Letter),
    row("ACCEPT-VAR", "Accept a variance as it is"),
    row("BLOCK-BILL", "Keep a bill from payment until it is cleared").dated(),
    row("REVERSE-DOC", "Reverse a duplicated document"),
    row("FIX-MASTER", "Correct master data"),
    row("PROMO-CHANGE", "End a promotion on another day").date("last day", "Last day"),
    row("MARKDOWN", "Reduce a price for some days").date("last day", "Last day"),
    row("CONTACT", "Ask a question").date("answer by", "Answer by").writes(Message::Letter),
    row("MONITOR", "Watch a condition").date("until", "Watch until"),
    row("NO-ACTION", "Close without doing anything").alone(),
    row("ESCALATE", "Ask for human judgement").alone(),
    row("MUTE", "Leave a type of exception out of sight for a while").date("until", "Mute until").alone().inside(),
];

/// What an action names of what the ERP keeps.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct About<'a> {
    /// The item.
    pub item: Option<&'a ItemId>,
    /// The locations, the one it begins at first.
    pub places: Vec<&'a LocationId>,
    /// The purchase lines.
    pub lines: Vec<&'a String>,
    /// The supplier.
    pub supplier: Option<&'a SupplierId>,
}

impl Action {
    /// The code of every action, in the catalogue's order.
    pub const CODES: [&str; CATALOGUE.len()] = {
        let mut codes = [""; CATALOGUE.len()];
        let mut at = 0;
        while at < codes.len() {
            codes[at] = CATALOGUE[at].code;
            at += 1;
        }
        codes
    };

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

    /// Its row of the catalogue.
    pub fn entry(&self) -> &'static Entry {
        let code = self.code();
        CATALOGUE.iter().find(|entry| entry.code == code).expect("a test holds that every variant's code has a row")
    }

    /// What it names of what the ERP keeps.
    pub fn about(&self) -> About<'_> {
        let nothing = About::default;
        match self {
            Self::Expedite { po_line, .. }
            | Self::DeferPo { po_line, .. }
            | Self::CancelPo { po_line, .. }
            | Self::IncreasePo { po_line, .. }
            | Self::SplitShip { po_line, .. } => About { lines: vec![po_line], ..nothing() },
            Self::NewPo { item, supplier, destination, .. } => {
                About { item: Some(item), places: vec![destination], supplier: Some(supplier), ..nothing() }
            }
            Self::AltSupplier { item, supplier, destination, instead_of, .. } => {
                About { item: Some(item), places: vec![destination], lines: vec![instead_of], supplier: Some(supplier) }
            }
            Self::Transfer { item, from, to, .. } => About { item: Some(item), places: vec![from, to], ..nothing() },
            Self::Reallocate { item, location, .. }
            | Self::ForecastFix { item, location, .. }
            | Self::MarkEvent { item, location, .. }
            | Self::AdjustStock { item, location, .. }
            | Self::HoldQc { item, location, .. }
            | Self::Recount { item, location, .. } => About { item: Some(item), places: vec![location], ..nothing() },
            Self::Return { item, location, supplier, .. } => {
                About { item: Some(item), places: vec![location], supplier: Some(supplier), ..nothing() }
            }
            Self::PromoChange { item, .. } | Self::Markdown { item, .. } => About { item: Some(item), ..nothing() },
            Self::Claim { supplier, lines, .. } => {
                About { lines: lines.iter().collect(), supplier: Some(supplier), ..nothing() }
            }
            Self::AdjustParam { .. }
            | Self::FixMaster { .. }
            | Self::BlockBill { .. }
            | Self::AcceptVar { .. }
            | Self::ReverseDoc { .. }
            | Self::Contact { .. }
            | Self::Monitor { .. }
            | Self::NoAction { .. }
            | Self::Escalate { .. }
            | Self::Mute { .. } => nothing(),
        }
    }

    /// What an approver may change of it: its quantity and its date.
    fn editable(&mut self) -> (Option<&mut Quantity>, Option<&mut Date>) {
        match self {
            Self::Expedite { quantity, new_date: date, .. }
            | Self::DeferPo { quantity, new_date: date, .. }
            | Self::NewPo { quantity, need_date: date, .. }
            | Self::AltSupplier { quantity, need_date: date, .. }
            | Self::SplitShip { quantity, date_rest: date, .. }
            | Self::Transfer { quantity, ship_on: date, .. }
            | Self::HoldQc { quantity, until: date, .. } => (Some(quantity), Some(date)),
            Self::CancelPo { quantity, .. }
            | Self::IncreasePo { quantity, .. }
            | Self::Reallocate { quantity, .. }
            | Self::Return { quantity, .. }
            | Self::Claim { quantity, bill: None, .. } => (Some(quantity), None),
            Self::Recount { deadline: date, .. }
            | Self::PromoChange { new_to: date, .. }
            | Self::Markdown { to: date, .. }
            | Self::Contact { answer_by: date, .. }
            | Self::Monitor { until: date, .. }
            | Self::Mute { until: date, .. } => (None, Some(date)),
            // A bill is asked back as a whole. A counted difference is what was counted; parameters and forecasts are figures with
            // their own checks.
            Self::Claim { .. }
            | Self::AdjustStock { .. }
            | Self::AdjustParam { .. }
            | Self::ForecastFix { .. }
            | Self::MarkEvent { .. }
            | Self::FixMaster { .. }
            | Self::BlockBill { .. }
            | Self::AcceptVar { .. }
            | Self::ReverseDoc { .. }
            | Self::NoAction { .. }
            | Self::Escalate { .. } => (None, None),
        }
    }

    /// The quantity the action is about, where it has one that may be edited.
    pub fn quantity(&self) -> Option<Quantity> {
        self.clone().quantity_mut().copied()
    }

    /// The quantity, to be changed by an editor.
    pub fn quantity_mut(&mut self) -> Option<&mut Quantity> {
        self.editable().0
    }

    /// The date that may be edited, where there is one.
    pub fn date(&self) -> Option<(DateField, Date)> {
        self.clone().date_mut().map(|(field, date)| (field, *date))
    }

    /// The date, to be changed by an editor.
    pub fn date_mut(&mut self) -> Option<(DateField, &mut Date)> {
        let field = self.entry().date?;
        Some((field, self.editable().1?))
    }

    /// Is it for the outside at all? What Reeve carries out itself is never sent to anybody.
    pub fn is_for_the_outside(&self) -> bool {
        self.entry().outside
    }

    /// Does it write to somebody?
    pub fn sends_message(&self) -> bool {
        self.entry().message != Message::None
    }

    /// The item that the action itself names.
    pub fn item(&self) -> Option<&ItemId> {
        self.about().item
    }

    /// The supplier that the action itself names.
    pub fn supplier(&self) -> Option<&SupplierId> {
        self.about().supplier
    }

    /// Whose stock it takes units from: the item, the location, and how many.
    pub fn donor(&self) -> Option<(&ItemId, &LocationId, Quantity)> {
        let Self::Transfer { item, from, quantity, .. } = self else { return None };
        Some((item, from, *quantity))
    }

    /// Which way it moves stock that is to come.
    pub fn direction(&self) -> Direction {
        self.entry().direction
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn the_table_is_the_catalogue() {
        // What a reader of an unknown code is told it could have been is every variant there is.
        let error = serde_json::from_str::<Action>(r#"{"code": "PAY"}"#).unwrap_err().to_string();
        let variants: BTreeSet<&str> = error.split('`').skip(3).step_by(2).collect();
        assert_eq!(variants, CATALOGUE.iter().map(|entry| entry.code).collect(), "{error}");
        assert_eq!(variants.len(), CATALOGUE.len(), "no code has two rows");
        assert_eq!(Action::NoAction { reason: String::new() }.entry().code, "NO-ACTION");
    }
}
