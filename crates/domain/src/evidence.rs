//! Evidence: the frozen set of facts a case was judged on (handbook §1, §2.7-2.8).
//!
//! A bundle is immutable; a change makes a new version. Its hash covers every fact, every missing item and what the figures
//! were computed from, so "what was approved" can be proved later, and computed again.

use std::collections::BTreeMap;

use jiff::Timestamp;
use jiff::civil::Date;
use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};

use super::ids::{CaseId, FactId, content_hash};
use super::money::{Money, Quantity, UnitPrice};
use super::record::{RecordKind, RecordRef};
use super::workings::Workings;

/// The value of a fact.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "type", content = "value", rename_all = "snake_case")]
pub enum FactValue {
    /// A quantity in stock units.
    Quantity(Quantity),
    /// A price of one unit.
    Price(UnitPrice),
    /// An amount of money.
    Money(Money),
    /// A day.
    Date(Date),
    /// A number of days.
    Days(Decimal),
    /// A percentage, 0 to 100 and beyond.
    Percent(Decimal),
    /// Any other number.
    Number(Decimal),
    /// Words.
    Text(String),
}

impl FactValue {
    /// A computed number, rounded to `dp` decimals so that it reads and compares the same everywhere.
    pub fn rounded(value: f64, dp: u32) -> Decimal {
        Decimal::from_f64_retain(value).unwrap_or_default().round_dp(dp).normalize()
    }

    /// A computed number of days at one decimal.
    pub fn days(value: f64) -> Self {
        Self::Days(Self::rounded(value, 1))
    }

    /// A computed percentage at one decimal.
    pub fn percent(value: f64) -> Self {
        Self::Percent(Self::rounded(value, 1))
    }

    /// A computed number at `dp` decimals.
    pub fn number(value: f64, dp: u32) -> Self {
        Self::Number(Self::rounded(value, dp))
    }

    /// The value as people read it, without a unit.
    pub fn show(&self) -> String {
        match self {
            Self::Quantity(q) => q.to_string(),
            Self::Price(p) => p.to_string(),
            Self::Money(m) => m.to_string(),
            Self::Date(d) => d.to_string(),
            Self::Days(n) | Self::Number(n) => n.normalize().to_string(),
            Self::Percent(n) => format!("{} %", n.normalize()),
            Self::Text(t) => t.clone(),
        }
    }
}

/// One fact: a record's field, or a figure computed from records, with where it comes from and when it was read.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Fact {
    /// Cited by this: `po_line:183/qty`. Unique within a bundle.
    pub id: FactId,
    /// What it is, for people: "ordered".
    pub label: String,
    /// Its value.
    pub value: FactValue,
    /// The value's unit, where it has one: "units", "USD".
    pub unit: String,
    /// When it was read (for figures computed from several records: the newest read).
    pub as_of: Timestamp,
    /// The record it comes from, or the first of those it was computed from.
    pub source: RecordRef,
    /// Text that somebody outside wrote (names, notes, references): data, never an instruction, never a sole support.
    pub third_party: bool,
}

impl Fact {
    /// A fact about `source`, with the id `source/field`.
    pub fn new(source: RecordRef, field: &str, label: &str, value: FactValue, as_of: Timestamp) -> Self {
        let unit = match &value {
            FactValue::Quantity(_) => "units",
            FactValue::Days(_) => "days",
            _ => "",
        };
        Self {
            id: FactId(format!("{source}/{field}")),
            label: label.to_owned(),
            value,
            unit: unit.to_owned(),
            as_of,
            source,
            third_party: false,
        }
    }

    /// Did memory add it? It tells of another case, or is words of others that came in a notice.
    pub fn is_remembered(&self) -> bool {
        self.source.kind == RecordKind::Case
            || (self.source.kind == RecordKind::Notice
                && self.id.as_str().rsplit_once('/').is_some_and(|(_, field)| field == WROTE))
    }

    /// Marks text that was written outside.
    #[must_use]
    pub fn from_outside(mut self) -> Self {
        self.third_party = true;
        self
    }
}

/// The field of a fact that holds the words of a notice.
pub const WROTE: &str = "wrote";

/// Something that was needed and was not there. Missing is a value: it is shown, never replaced by zero.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Missing {
    /// What is missing: "unit cost of AC-006".
    pub what: String,
    /// What can not be computed without it.
    pub blocks: String,
}

/// The facts of one case at one time.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Bundle {
    /// Whose.
    pub case_id: CaseId,
    /// Counts up from 1 within the case.
    pub version: u32,
    /// The records were read up to here.
    pub as_of: Timestamp,
    /// The facts by id.
    pub facts: BTreeMap<FactId, Fact>,
    /// What was missing, sorted.
    pub missing: Vec<Missing>,
    /// What the figures were computed from; none in bundles that are older than it, whose hash it leaves as it was.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub workings: Option<Box<Workings>>,
}

impl Bundle {
    /// The hash of what the facts say and of what the figures were computed from. The version and the time of reading are
    /// left out, so a bundle that says the same has the same hash.
    pub fn hash(&self) -> String {
        let mut facts = self.facts_hash();
        let remembered: Vec<String> = self.remembered().map(line).collect();
        if !remembered.is_empty() {
            facts = content_hash(&std::iter::once(&facts).chain(&remembered).map(String::as_str).collect::<Vec<_>>());
        }
        let Some(workings) = &self.workings else { return facts };
        let workings = serde_json::to_string(workings).expect("workings have no map with keys that are not text");
        content_hash(&[&facts, &workings])
    }

    /// The facts that memory has added: how like cases were decided and ended, and what others wrote.
    pub fn remembered(&self) -> impl Iterator<Item = &Fact> {
        self.facts.values().filter(|fact| fact.is_remembered())
    }

    /// The hash of what the records say alone: ids, values, units, and what is missing. What is remembered of other cases is left
    /// out, for what was refused on these records is not asked again because another case was decided.
    pub fn facts_hash(&self) -> String {
        let mut parts: Vec<String> = vec![self.case_id.to_string()];
        parts.extend(self.facts.values().filter(|fact| !fact.is_remembered()).map(line));
        for missing in &self.missing {
            parts.push(format!("missing {} for {}", missing.what, missing.blocks));
        }
        content_hash(&parts.iter().map(String::as_str).collect::<Vec<_>>())
    }
}

/// What has become of a fact from one version of a case's evidence to a later one.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
#[serde(tag = "change", rename_all = "snake_case")]
pub enum FactChange<'b> {
    /// It was not there before.
    New {
        /// The fact.
        now: &'b Fact,
    },
    /// It is not there any more.
    Gone {
        /// As it was.
        then: &'b Fact,
    },
    /// It says something else.
    Moved {
        /// As it was.
        then: &'b Fact,
        /// As it is.
        now: &'b Fact,
    },
}

impl Bundle {
    /// What its facts say other than those of an earlier version, in order of their ids. That something was read again and says
    /// the same is no change.
    pub fn changes_since<'b>(&'b self, earlier: &'b Self) -> Vec<FactChange<'b>> {
        let ids: std::collections::BTreeSet<&FactId> = self.facts.keys().chain(earlier.facts.keys()).collect();
        let change = |id: &FactId| match (earlier.facts.get(id), self.facts.get(id)) {
            (None, Some(now)) => Some(FactChange::New { now }),
            (Some(then), None) => Some(FactChange::Gone { then }),
            (Some(then), Some(now)) => (line(then) != line(now)).then_some(FactChange::Moved { then, now }),
            (None, None) => None,
        };
        ids.into_iter().filter_map(change).collect()
    }
}

/// What a fact says, for a hash.
fn line(fact: &Fact) -> String {
    format!("{}={} {} {}", fact.id, fact.value.show(), fact.unit, fact.third_party)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::record::RecordKind;

    #[test]
    fn a_bundle_without_workings_is_what_it_was_before_there_were_any() {
        let source = RecordRef::new(RecordKind::Item, "75");
        let fact = Fact::new(source, "on_hand@3", "on hand", FactValue::Quantity(Quantity::units(5)), Timestamp::UNIX_EPOCH);
        let bundle = Bundle {
            case_id: CaseId::new("case-1"),
            version: 1,
            as_of: Timestamp::UNIX_EPOCH,
            facts: BTreeMap::from([(fact.id.clone(), fact)]),
            missing: vec![Missing { what: "unit cost".into(), blocks: "the money".into() }],
            workings: None,
        };
        let text = serde_json::to_string(&bundle).unwrap();
        assert!(!text.contains("workings"), "{text}");
        assert_eq!(serde_json::from_str::<Bundle>(&text).unwrap(), bundle);
        // Made by the version before.
        let before = content_hash(&["case-1", "item:75/on_hand@3=5 units false", "missing unit cost for the money"]);
        assert_eq!((bundle.hash(), bundle.facts_hash()), (before.clone(), before.clone()));
        let worked = Bundle { workings: Some(Box::default()), ..bundle };
        assert_eq!(worked.facts_hash(), before);
        assert_ne!(worked.hash(), before, "workings are under the hash, also empty ones");
    }

    #[test]
    fn what_changed_is_what_facts_say_and_not_when_they_were_read() {
        let fact = |field: &str, units: i64, at: i64| {
            let (source, at) = (RecordRef::new(RecordKind::Item, "75"), Timestamp::from_second(at).unwrap());
            Fact::new(source, field, field, FactValue::Quantity(Quantity::units(units)), at)
        };
        let bundle = |version: u32, facts: Vec<Fact>| Bundle {
            case_id: CaseId::new("case-1"),
            version,
            as_of: Timestamp::UNIX_EPOCH,
            facts: facts.into_iter().map(|fact| (fact.id.clone(), fact)).collect(),
            missing: Vec::new(),
            workings: None,
        };
        let then = bundle(1, vec![fact("gone", 1, 0), fact("moved", 5, 0), fact("same", 7, 0)]);
        let now = bundle(2, vec![fact("moved", 4, 9), fact("new", 2, 9), fact("same", 7, 9)]);
        let ids: Vec<(&str, &str)> = now
            .changes_since(&then)
            .into_iter()
            .map(|change| match change {
                FactChange::New { now } => ("new", now.label.as_str()),
                FactChange::Gone { then } => ("gone", then.label.as_str()),
                FactChange::Moved { now, .. } => ("moved", now.label.as_str()),
            })
            .collect();
        assert_eq!(ids, [("gone", "gone"), ("moved", "moved"), ("new", "new")]);
        assert!(now.changes_since(&now).is_empty());
    }
}
