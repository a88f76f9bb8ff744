//! What is on its way, on the days it is to be expected: promises, and what suppliers announced about them since.
//!
//! An announcement counts only where it is about a line of ours as we know it: the order it names and the item must be the
//! line's, and a supplier speaks of one supplier's lines. The newest word stands. A date that was announced can put a
//! delivery off; it never brings one nearer than its promise.

use std::collections::{BTreeMap, BTreeSet};

use jiff::civil::Date;

use super::book::numeric;
use super::calendar::{days_between, plus_days};
use super::ids::{ItemId, LocationId, SupplierId};
use super::money::Quantity;
use super::notice::{CarrierState, Notice, NoticeContent, NoticeLine};
use super::record::PurchaseLine;
use super::supply::Supply;

/// A delivery that is on its way to a location.
#[derive(Clone, Debug, PartialEq)]
pub struct Incoming {
    /// The purchase line; of a component that of its kit.
    pub po_line: String,
    /// Still to come.
    pub qty: Quantity,
    /// The day promised now, or the later one that was announced.
    pub promised: Date,
}

/// The newest date that was announced for a purchase line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Announced {
    /// The notice that says it.
    pub notice: String,
    /// The day it says.
    pub date: Date,
}

/// What a supplier has answered to its orders.
#[derive(Clone, Debug, Default)]
pub struct Answers {
    /// Orders that were confirmed in so many words, by the supplier they went to.
    confirmed: BTreeMap<SupplierId, BTreeSet<String>>,
    /// Lines about which anything was heard: a confirmation, a ship notice, a delay.
    heard: BTreeSet<String>,
    /// Orders that were answered without naming lines that we know.
    heard_whole: BTreeSet<String>,
}

impl Answers {
    /// Ids of the orders that a supplier has confirmed.
    pub fn confirmed_by(&self, supplier: &SupplierId) -> impl Iterator<Item = &str> {
        self.confirmed.get(supplier).into_iter().flatten().map(String::as_str)
    }

    /// Has the supplier said anything about this line?
    pub fn knows(&self, line: &PurchaseLine) -> bool {
        self.heard.contains(&line.id) || self.heard_whole.contains(&name_key(&line.order_name))
    }
}

/// The newest word of a carrier on each document.
pub struct CarrierWords<'b>(BTreeMap<String, (usize, &'b Notice, CarrierState, Option<Date>)>);

impl<'b> CarrierWords<'b> {
    /// The newest word on any of `documents`: its notice, what it reports, and for when it expects them.
    pub fn newest(&self, documents: &[String]) -> Option<(&'b Notice, CarrierState, Option<Date>)> {
        let told = documents.iter().map(|d| name_key(d)).filter(|d| !d.is_empty()).filter_map(|d| self.0.get(&d));
        told.max_by_key(|(place, ..)| *place).map(|(_, notice, state, expected)| (*notice, *state, *expected))
    }
}

/// An order's name as it is compared: senders differ in case, blanks and dashes.
pub(super) fn name_key(name: &str) -> String {
    name.chars().filter(|c| c.is_alphanumeric()).flat_map(char::to_uppercase).collect()
}

/// Notices, oldest word first.
pub(super) fn in_order<'n>(notices: impl Iterator<Item = &'n Notice>) -> Vec<&'n Notice> {
    let mut notices: Vec<&Notice> = notices.collect();
    notices.sort_by(|a, b| (a.told_at(), a.received_at, &a.id).cmp(&(b.told_at(), b.received_at, &b.id)));
    notices
}

impl Supply {
    /// Every notice, oldest word first.
    pub fn notices_in_order(&self) -> Vec<&Notice> {
        in_order(self.notices.values())
    }

    /// The purchase line that a notice's line is about. None where it is about another order or item than it was taken for.
    pub fn line_told(&self, told: &NoticeLine) -> Option<&PurchaseLine> {
        let line = self.po_lines.get(told.po_line.as_ref()?).filter(|l| l.confirmed)?;
        let order = name_key(&told.order);
        let same_order = order.is_empty() || order == name_key(&line.order_name);
        let same_item = told.item.as_ref().is_none_or(|item| *item == line.item);
        (same_order && same_item).then_some(line)
    }

    /// The lines that a supplier's word is about; none where they are of different suppliers, as nobody speaks for two.
    pub fn lines_told<'b>(&'b self, told: &'b [NoticeLine]) -> Vec<(&'b NoticeLine, &'b PurchaseLine)> {
        let lines: Vec<_> = told.iter().filter_map(|t| Some((t, self.line_told(t)?))).collect();
        let suppliers: BTreeSet<&SupplierId> = lines.iter().map(|(_, l)| &l.supplier).collect();
        if suppliers.len() > 1 { Vec::new() } else { lines }
    }

    /// The newest date that was announced for each line.
    pub(super) fn newest_dates(&self) -> BTreeMap<String, Announced> {
        let standing: BTreeSet<&str> = self.ship_notices().into_iter().map(|n| n.id.as_str()).collect();
        let mut dates = BTreeMap::new();
        for notice in self.notices_in_order() {
            let (lines, whole) = match &notice.content {
                NoticeContent::SupplierDelay { lines, new_date, .. } => (lines, Some(*new_date)),
                NoticeContent::OrderConfirmation { lines } => (lines, None),
                NoticeContent::ShipNotice { lines, expected_on, .. } if standing.contains(notice.id.as_str()) => {
                    (lines, *expected_on)
                }
                _ => continue,
            };
            let ships = matches!(notice.content, NoticeContent::ShipNotice { .. });
            let about = self.lines_told(lines);
            for (told, line) in &about {
                // A part that is on its way says nothing about when the rest comes. It may come in several pallets.
                let of_line = about.iter().filter(|(_, other)| other.id == line.id).map(|(told, _)| told.qty);
                let all = of_line.sum::<Option<Quantity>>();
                if ships && all.is_some_and(|qty| qty < self.open_quantity(&line.id)) {
                    continue;
                }
                // Notices come in the order in which they were told, so the newest word on a line stands.
                if let Some(date) = told.date.or(whole) {
                    dates.insert(line.id.clone(), Announced { notice: notice.id.clone(), date });
                }
            }
        }
        dates
    }

    /// The newest date that was announced for a line, where one was.
    pub fn announced(&self, line: &str) -> Option<&Announced> {
        self.announced.get(line)
    }

    /// The day on which a line is due: promised now, or announced where that is later.
    pub fn due(&self, line: &PurchaseLine) -> Date {
        let promised = self.calendar.day_of(line.promised);
        self.announced(&line.id).map_or(promised, |a| a.date.max(promised))
    }

    /// Confirmed purchase quantities still to come (OO), earliest promise first.
    pub fn incoming(&self, item: &ItemId, location: &LocationId) -> Vec<Incoming> {
        let own = self.po_lines_at(item, location).into_iter().filter(|l| !self.is_kit(&l.id));
        let own = own.map(|l| (l, self.open_quantity(&l.id)));
        // A kit never comes: its components do.
        let components = self.components_to_come(&(item.clone(), location.clone())).into_iter();
        let components = components.filter_map(|(line, qty)| Some((self.po_lines.get(line)?, qty)));
        let mut incoming: Vec<Incoming> = own
            .chain(components)
            .filter(|(line, qty)| line.confirmed && qty.is_positive())
            .map(|(line, qty)| Incoming { po_line: line.id.clone(), qty, promised: self.due(line) })
            .collect();
        incoming.sort_by(|a, b| (a.promised, numeric(&a.po_line)).cmp(&(b.promised, numeric(&b.po_line))));
        incoming
    }

    /// The day on which relief comes to a place if nobody does anything: the earliest of what is on its way and an order placed
    /// today, within `horizon_days`; with the purchase line, where it is one. A promise that has passed is not firm: what is so
    /// many days overdue is expected after as many days again, tomorrow at the earliest.
    pub fn relief(&self, item: &ItemId, location: &LocationId, horizon_days: u32) -> (Date, Option<String>) {
        let horizon = plus_days(self.today, horizon_days as i32);
        let lead = self.supplier_prices_at(item, location, self.today).first().map(|p| p.lead_days.max(1) as i32);
        let ordered = lead.map_or(horizon, |lead| plus_days(self.today, lead)).min(horizon);
        let expected = |i: Incoming| (self.expected_on(i.promised), i.po_line);
        match self.incoming(item, location).into_iter().map(expected).min_by_key(|(day, _)| *day) {
            Some((day, line)) if day <= ordered => (day, Some(line)),
            _ => (ordered, None),
        }
    }

    /// The day on which a delivery promised for `promised` is to be expected: the promised one while it is ahead, else as many
    /// days from today as it is late already, at least one.
    pub fn expected_on(&self, promised: Date) -> Date {
        let overdue = days_between(promised, self.today);
        if overdue < 0 { promised } else { plus_days(self.today, overdue.max(1)) }
    }

    /// What suppliers have answered to our orders, by any kind of notice.
    pub fn answers(&self) -> Answers {
        let mut answers = Answers::default();
        for notice in self.notices_in_order() {
            let (lines, confirms) = match &notice.content {
                NoticeContent::OrderConfirmation { lines } => (lines, true),
                NoticeContent::SupplierDelay { lines, .. } | NoticeContent::ShipNotice { lines, .. } => (lines, false),
                _ => continue,
            };
            for (_, line) in self.lines_told(lines) {
                answers.heard.insert(line.id.clone());
                if confirms {
                    answers.confirmed.entry(line.supplier.clone()).or_default().insert(line.order_id.clone());
                }
            }
            // What names an order and nothing of ours in it may be about any of its lines.
            let unknown = lines.iter().filter(|told| told.po_line.is_none() && told.item.is_none());
            answers.heard_whole.extend(unknown.map(|told| name_key(&told.order)).filter(|name| !name.is_empty()));
        }
        answers
    }

    /// What carriers reported last of each document.
    pub fn carriers(&self) -> CarrierWords<'_> {
        let mut words = BTreeMap::new();
        for (place, notice) in self.notices_in_order().into_iter().enumerate() {
            if let NoticeContent::CarrierStatus { document, status, expected_on } = &notice.content {
                words.insert(name_key(document), (place, notice, *status, *expected_on));
            }
        }
        CarrierWords(words)
    }

    /// The business day on which a notice was said.
    pub fn told_on(&self, notice: &Notice) -> Date {
        self.calendar.day_of(notice.told_at())
    }
}
