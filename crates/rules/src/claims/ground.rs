//! What claims are decided on: the candidates and the facts of the program. Text that somebody outside wrote decides nothing.

use std::collections::BTreeSet;

use reeve_domain::action::Candidate;
use reeve_domain::evidence::{Bundle, Fact, FactValue, Missing};
use reeve_domain::ids::FactId;
use reeve_domain::money::{Money, Quantity};
use reeve_domain::text::clean;
use rust_decimal::Decimal;

/// Longest piece of a claim's sentence that comes from a label or a name, in characters.
const PIECE_MAX: usize = 120;

/// Candidates and facts.
#[derive(Clone, Debug)]
pub struct Ground<'a> {
    /// What may be chosen, the best first.
    pub candidates: &'a [Candidate],
    /// ISO code of the company's currency.
    pub currency: &'a str,
    facts: Vec<&'a Fact>,
    missing: &'a [Missing],
}

impl<'a> Ground<'a> {
    /// The candidates of a case and the program's facts of its evidence.
    pub fn new(candidates: &'a [Candidate], bundle: &'a Bundle, currency: &'a str) -> Self {
        let facts = bundle.facts.values().filter(|fact| !fact.third_party).collect();
        Self { candidates, currency, facts, missing: &bundle.missing }
    }

    /// The same with these facts alone.
    pub(super) fn only(&self, cites: &[FactId]) -> Self {
        let cited: BTreeSet<&FactId> = cites.iter().collect();
        Self { facts: self.facts.iter().copied().filter(|fact| cited.contains(&fact.id)).collect(), ..self.clone() }
    }

    /// What was needed and is not there.
    pub(super) fn missing(&self) -> &'a [Missing] {
        self.missing
    }

    /// Every fact of a field, with what it is of: `75@3` of `item:75/available@3`, `po_line:183` of `po_line:183/qty`.
    pub(super) fn named(&self, field: &str) -> impl Iterator<Item = (String, &'a Fact)> {
        self.facts.iter().filter_map(move |fact| {
            let (source, whole) = fact.id.as_str().rsplit_once('/')?;
            let (name, at) = whole.split_once('@').map_or((whole, None), |(name, at)| (name, Some(at)));
            let of = at.map_or_else(
                || source.to_owned(),
                |at| format!("{}@{at}", source.split_once(':').map_or(source, |(_, id)| id)),
            );
            (name == field).then_some((of, *fact))
        })
    }

    /// The fact of a field of this.
    pub(super) fn fact(&self, field: &str, of: &str) -> Option<&'a Fact> {
        self.named(field).find(|(other, _)| other == of).map(|(_, fact)| fact)
    }

    /// An amount in the company's currency.
    pub(super) fn money(&self, amount: Money) -> String {
        format!("{amount} {}", self.currency)
    }
}

/// A fact as a claim's sentence has it: "available at Harbour Store: 150 units".
pub(super) fn told(fact: &Fact) -> String {
    let unit = if matches!(fact.value, FactValue::Percent(_) | FactValue::Date(_)) { "" } else { fact.unit.as_str() };
    let shown = format!("{} {unit}", fact.value.show());
    format!("{}: {}", clean(&fact.label, PIECE_MAX), clean(shown.trim_end(), PIECE_MAX))
}

/// Several facts, one after the other.
pub(super) fn all_told(facts: &[&Fact]) -> String {
    facts.iter().map(|fact| told(fact)).collect::<Vec<_>>().join("; ")
}

/// Their ids.
pub(super) fn ids(facts: &[&Fact]) -> Vec<FactId> {
    facts.iter().map(|fact| fact.id.clone()).collect()
}

/// The units that a fact says.
pub(super) fn units(fact: &Fact) -> Option<Quantity> {
    match &fact.value {
        FactValue::Quantity(quantity) => Some(*quantity),
        _ => None,
    }
}

/// The amount that a fact says.
pub(super) fn amount(fact: &Fact) -> Option<Money> {
    match &fact.value {
        FactValue::Money(amount) => Some(*amount),
        _ => None,
    }
}

/// The number that a fact says, whatever it counts.
pub(super) fn number(fact: &Fact) -> Option<Decimal> {
    match &fact.value {
        FactValue::Quantity(quantity) => Some(quantity.0),
        FactValue::Days(n) | FactValue::Percent(n) | FactValue::Number(n) => Some(*n),
        _ => None,
    }
}
