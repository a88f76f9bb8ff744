//! What is gathered for one case while it is assessed: facts, losses by part, and proposals before they are checked.
//!
//! A loss has a key (`lost:75@3`, `bill:183/quantity`), so that exceptions of one root cause that mean the same unit, claim
//! or held euro meet in one part: the union, never the sum (handbook §3.4).

pub(super) use super::ranges::{half, plus, range, scaled};
use std::collections::{BTreeMap, BTreeSet};

use jiff::civil::Date;

use crate::place_key;
use crate::role::Role;
use crate::scene::Scene;
use reeve_domain::action::{Action, Range};
use reeve_domain::calendar::{days_between, plus_days};
use reeve_domain::evidence::{Fact, FactValue, Missing};
use reeve_domain::ids::{FactId, ItemId, LocationId, SupplierId};
use reeve_domain::money::{Money, Quantity, UnitPrice};
use reeve_domain::record::{RecordKind, RecordRef};
use reeve_domain::workings::{Change, Made, Workings};

use super::LossPart;
use super::shortage::{self, Short};
pub(super) use super::subject::{company_of, needed_elsewhere, place_of, places_of, places_with_forecast};

/// What remains of one part of the loss after an action.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Left {
    /// This share of it.
    Share(f64),
    /// This much.
    Amount(Range),
}

impl Left {
    /// What remains of `amount`.
    pub(super) fn of(self, amount: Range) -> Range {
        match self {
            Self::Share(share) => scaled(amount, share),
            Self::Amount(left) => left,
        }
    }
}

/// An action with its effect on the losses, before its checks.
#[derive(Clone)]
pub(super) struct Proposal {
    pub action: Action,
    pub summary: String,
    /// What is done beside it, where it is a plan, each with the sentence that says it.
    pub then: Vec<(Action, String)>,
    /// What remains of a loss, by its key; losses that are not named here stay as they are.
    pub after: BTreeMap<String, Left>,
    pub cost: Money,
    pub regret: Money,
    pub value: Money,
    pub latest: Date,
    pub cites: Vec<FactId>,
    /// What it does to stock and receipts, where that is how the losses change.
    pub change: Option<Change>,
}

impl Proposal {
    /// What every step does, in order.
    pub(super) fn actions(&self) -> Vec<Action> {
        std::iter::once(&self.action).chain(self.then.iter().map(|(action, _)| action)).cloned().collect()
    }

    /// A proposal that changes no loss and costs nothing.
    pub(super) fn idle(action: Action, summary: String, latest: Date) -> Self {
        Self {
            action,
            summary,
            then: Vec::new(),
            after: BTreeMap::new(),
            cost: Money::ZERO,
            regret: Money::ZERO,
            value: Money::ZERO,
            latest,
            cites: Vec::new(),
            change: None,
        }
    }
}

/// A unit price with the fact that says it.
#[derive(Clone)]
pub(super) struct Priced {
    pub price: UnitPrice,
    pub cite: FactId,
}

/// Everything gathered for one case so far.
pub(super) struct Gathered<'a> {
    pub scene: &'a Scene<'a>,
    pub facts: BTreeMap<FactId, Fact>,
    pub missing: BTreeSet<Missing>,
    pub parts: BTreeMap<String, LossPart>,
    pub proposals: Vec<Proposal>,
    /// What a planner should watch for, when watching is an answer.
    pub watch: Option<String>,
    /// Why a person has to look at it: what is unclear, and who knows.
    pub unclear: Option<(String, String)>,
    /// Shortages assessed so far, by place as workings name it.
    pub shorts: BTreeMap<String, Short>,
    /// What figures were computed from, so far.
    pub workings: Workings,
    /// The company whose case it is, where the ERP tells: its own costs count.
    company: Option<&'a str>,
}

impl<'a> Gathered<'a> {
    /// Nothing gathered yet but what the signals brought.
    pub(super) fn new(scene: &'a Scene<'a>) -> Self {
        let mut gathered = Self {
            scene,
            facts: BTreeMap::new(),
            missing: BTreeSet::new(),
            parts: BTreeMap::new(),
            proposals: Vec::new(),
            watch: None,
            unclear: None,
            shorts: BTreeMap::new(),
            workings: Workings::default(),
            company: company_of(scene),
        };
        for exception in scene.exceptions {
            for fact in &exception.signal.facts {
                // Two signals may bring one fact. The first one stays, since the order of exceptions is fixed.
                gathered.facts.entry(fact.id.clone()).or_insert_with(|| fact.clone());
            }
            gathered.missing.extend(exception.signal.missing.iter().cloned());
        }
        gathered
    }

    /// Adds a fact read or computed from the book and gives its id.
    pub(super) fn fact(&mut self, source: RecordRef, field: &str, label: &str, value: FactValue) -> FactId {
        let mut fact = Fact::new(source, field, label, value, self.scene.book.as_of);
        // An amount without its currency could be read in any.
        if matches!(fact.value, FactValue::Money(_) | FactValue::Price(_)) {
            fact.unit.clone_from(&self.scene.settings.money.currency);
        }
        let id = fact.id.clone();
        self.facts.insert(id.clone(), fact);
        id
    }

    /// A fact about an item.
    pub(super) fn item_fact(&mut self, item: &ItemId, field: &str, label: &str, value: FactValue) -> FactId {
        self.fact(item_ref(item), field, label, value)
    }

    /// A fact about an item at a location: `item:75/available@3`.
    pub(super) fn place_fact(
        &mut self,
        item: &ItemId,
        location: &LocationId,
        field: &str,
        label: &str,
        value: FactValue,
    ) -> FactId {
        let label = format!("{label} at {}", self.scene.book.location_name(location));
        self.fact(item_ref(item), &format!("{field}@{location}"), &label, value)
    }

    /// A setting or a stated assumption that a figure rests on, kept beside the record it is applied to.
    pub(super) fn assume(&mut self, source: RecordRef, field: &str, label: &str, share: f64) -> FactId {
        self.fact(source, &format!("assumed_{field}"), label, FactValue::percent(share * 100.0))
    }

    /// Notes what is not there.
    pub(super) fn miss(&mut self, what: String, blocks: &str) {
        self.missing.insert(Missing { what, blocks: blocks.to_owned() });
    }

    /// An item's unit cost in the company whose case it is; its absence is noted.
    pub(super) fn cost(&mut self, item: &ItemId) -> Option<Priced> {
        let label = self.scene.book.item_label(item);
        let Some(price) = self.scene.book.items.get(item).and_then(|i| i.cost_in(self.company)) else {
            self.miss(format!("unit cost of {label}"), "the money of every action on it");
            return None;
        };
        let cite = self.item_fact(item, "cost", "unit cost", FactValue::Price(price));
        Some(Priced { price, cite })
    }

    /// What a lost sale of one unit loses, at tomorrow's price: list price less a promotion's reduction less cost, at least
    /// zero. The absence of a price or cost is noted.
    pub(super) fn margin(&mut self, item: &ItemId) -> Option<(f64, Vec<FactId>)> {
        let book = self.scene.book;
        let cost = self.cost(item);
        let Some(list) = book.items.get(item).and_then(|i| i.list_price) else {
            self.miss(format!("list price of {}", book.item_label(item)), "the margin of a lost sale");
            return None;
        };
        let cost = cost?;
        let list_cite = self.item_fact(item, "list_price", "list price", FactValue::Price(list));
        let mut cites = vec![cost.cite, list_cite];
        let mut margin = list.to_f64() - cost.price.to_f64();
        let tomorrow = plus_days(book.today, 1);
        let mut promotions = book.promotions(item).iter().filter(|p| p.runs_in(self.company));
        if let Some(promotion) = promotions.find(|p| p.from <= tomorrow && tomorrow <= p.to) {
            margin -= list.to_f64() * promotion.percent / 100.0;
            let source = RecordRef::new(RecordKind::Promotion, promotion.id.clone());
            cites.push(self.fact(source, "percent", "price reduction", FactValue::percent(promotion.percent)));
        }
        Some((margin.max(0.0), cites))
    }

    /// The share of lost sales bought later or substituted, with its fact.
    pub(super) fn recapture(&mut self, item: &ItemId) -> (f64, FactId) {
        let share = self.scene.settings.money.recapture;
        (share, self.assume(item_ref(item), "recapture", "share of lost sales bought later or replaced (setting)", share))
    }

    /// The yearly holding rate, with its fact.
    pub(super) fn holding(&mut self, item: &ItemId) -> (f64, FactId) {
        let rate = self.scene.settings.money.holding_rate;
        (rate, self.assume(item_ref(item), "holding", "yearly holding rate (setting)", rate))
    }

    /// Counts a loss that is certain, or one that a fact says.
    pub(super) fn lose(&mut self, key: &str, what: String, amount: Range, cites: Vec<FactId>) {
        self.lose_by(key, what, amount, cites, None);
    }

    /// Counts a loss once: of two estimates under one key the larger stands, with the facts of both. `made` says how the amount
    /// came about.
    pub(super) fn lose_by(
        &mut self,
        key: &str,
        what: String,
        amount: Range,
        cites: Vec<FactId>,
        made: impl Into<Option<Made>>,
    ) {
        let made = made.into();
        let expected = amount.expected.max(Money::ZERO);
        // A gain is no loss, and a range always holds its own middle, whatever the two ends were computed from.
        let amount = Range { low: amount.low.max(Money::ZERO).min(expected), expected, high: amount.high.max(expected) };
        match self.parts.get_mut(key) {
            Some(part) => {
                if amount.expected > part.amount.expected {
                    part.what = what;
                    part.amount = amount;
                    part.made = made;
                }
                for cite in cites {
                    if !part.cites.contains(&cite) {
                        part.cites.push(cite);
                    }
                }
            }
            None => {
                self.parts.insert(key.to_owned(), LossPart { what, amount, cites, made });
            }
        }
    }

    /// The loss counted under a key.
    pub(super) fn lost(&self, key: &str) -> Range {
        self.parts.get(key).map_or_else(Range::default, |p| p.amount)
    }

    /// Says of the losses under `keys` that the share `left` of each remains.
    pub(super) fn leaving(keys: &[String], left: f64) -> BTreeMap<String, Left> {
        keys.iter().map(|k| (k.clone(), Left::Share(left))).collect()
    }

    /// What an answer on day `day` leaves of the losses under `keys`: of a shortage, what is lost until then and the share
    /// `left` of the rest; of everything else that share. With the change, where a shortage is among them.
    fn answered(&self, keys: &[String], left: f64, day: Date) -> (BTreeMap<String, Left>, Option<Change>) {
        let change = Change::Asked { day: days_between(self.scene.book.today, day).max(0) as u32, left };
        let mut after = Self::leaving(keys, left);
        let mut timed = false;
        for (key, left) in &mut after {
            // A ghost under the same key does not end by itself.
            let projected = self.parts.get(key).is_some_and(|part| shortage::is_projected(part.made.as_ref()));
            let place = place_key::subject_of(key).unwrap_or_default();
            if let Some(short) = self.shorts.get(place).filter(|_| projected)
                && let Some(amount) = short.by_key(short.left(self.scene, &change, 0, Money::ZERO)).remove(key)
            {
                *left = amount;
                timed = true;
            }
        }
        (after, timed.then_some(change))
    }

    /// Does another live case already count a shortage at this place?
    pub(super) fn owned_elsewhere(&self, item: &ItemId, location: &LocationId) -> Option<&'a str> {
        let owner = self.scene.claimed.get(&place_key::shortage(item, location))?;
        (owner != self.scene.case.id.as_str()).then_some(owner.as_str())
    }

    /// Does another live case need the stock of this place? One that is worth nothing needs none.
    pub(super) fn needed_elsewhere(&self, item: &ItemId, location: &LocationId) -> Option<&'a str> {
        needed_elsewhere(self.scene, item, location)
    }

    /// Days from today on which questions are usually answered.
    pub(super) fn answer_by(&self) -> Date {
        reeve_domain::calendar::plus_working_days(self.scene.book.today, 2)
    }

    /// The first day on which anything can be done: the book closes a day, and is read on the morning after.
    pub(super) fn tomorrow(&self) -> Date {
        plus_days(self.scene.book.today, 1)
    }

    /// A later day, at least tomorrow.
    pub(super) fn today_plus(&self, days: i32) -> Date {
        plus_days(self.scene.book.today, days.max(1))
    }

    /// Puts a question to a supplier, the warehouse or a store. `left` is the share of the losses under `keys` that remains
    /// on average after asking.
    pub(super) fn contact(&mut self, question: &Question<'_>) {
        let book = self.scene.book;
        let answer_by = self.answer_by();
        let cost = self.scene.settings.costs.contact;
        let source = question.source.clone();
        let mut cites =
            vec![self.fact(source.clone(), "cost_contact", "cost of a question (setting)", FactValue::Money(cost))];
        cites.push(self.assume(
            source,
            &shared("contact_left", question.left),
            "share of the loss that remains after asking",
            question.left,
        ));
        let role = question.role.name();
        let name = match question.role {
            Role::Supplier => Some(book.supplier_name(&SupplierId::new(question.partner))),
            Role::Warehouse | Role::Store => Some(book.location_name(&LocationId::new(question.partner))),
            Role::DataOwner | Role::SalesTeam | Role::ChannelOwner | Role::Carrier => None,
        };
        let to = name.map_or_else(|| format!("the {role}"), |name| format!("{name} ({role})"));
        let summary = format!("Ask {to} about {}, answer by {answer_by}.", question.about);
        let (after, change) = self.answered(question.keys, question.left, answer_by);
        self.proposals.push(Proposal {
            action: Action::Contact {
                role: role.to_owned(),
                partner: question.partner.to_owned(),
                about: question.about.to_owned(),
                answer_by,
            },
            summary,
            then: Vec::new(),
            after,
            cost,
            regret: Money::ZERO,
            value: Money::ZERO,
            latest: question.latest.max(self.tomorrow()),
            cites,
            change,
        });
    }

    /// Asks for a second count. `left` is the share of the losses that remains after it.
    pub(super) fn recount(
        &mut self,
        item: &ItemId,
        location: &LocationId,
        keys: &[String],
        left: f64,
        not_by: Option<String>,
    ) {
        let book = self.scene.book;
        let deadline = self.today_plus(2);
        let cost = self.scene.settings.costs.recount;
        let cites = vec![
            self.item_fact(item, "cost_recount", "cost of a count (setting)", FactValue::Money(cost)),
            self.assume(item_ref(item), &shared("recount_left", left), "share of the loss that remains after a count", left),
        ];
        let other = if not_by.is_some() { ", by somebody other than the last counter" } else { "" };
        let summary =
            format!("Count {} again at {} by {deadline}{other}.", book.item_label(item), book.location_name(location));
        let (after, change) = self.answered(keys, left, deadline);
        let action = Action::Recount { item: item.clone(), location: location.clone(), deadline, not_by };
        self.proposals.push(Proposal {
            action,
            summary,
            then: Vec::new(),
            after,
            cost,
            regret: Money::ZERO,
            value: Money::ZERO,
            latest: self.today_plus(7),
            cites,
            change,
        });
    }

    /// Suggests that a person judges: what is unclear, and who knows.
    pub(super) fn escalate(&mut self, unclear: &str, to: &str) {
        if self.unclear.is_none() {
            self.unclear = Some((unclear.to_owned(), to.to_owned()));
        }
    }
}

/// What is asked, of whom.
pub(super) struct Question<'q> {
    pub role: Role,
    pub partner: &'q str,
    pub about: &'q str,
    pub keys: &'q [String],
    pub left: f64,
    pub latest: Date,
    pub source: RecordRef,
}

/// The record of an item.
pub(super) fn item_ref(item: &ItemId) -> RecordRef {
    RecordRef::new(RecordKind::Item, item.as_str())
}

/// The record of a purchase line.
pub(super) fn line_ref(line: &str) -> RecordRef {
    RecordRef::new(RecordKind::PoLine, line)
}

/// An assumed share's field: two shares for one record are two facts.
fn shared(field: &str, share: f64) -> String {
    format!("{field}_{:.0}", share * 100.0)
}

/// A computed number of units as a quantity fact, at two decimals.
pub(super) fn units(value: f64) -> FactValue {
    FactValue::Quantity(Quantity(FactValue::rounded(value, 2)))
}
