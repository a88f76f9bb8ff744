//! Two lives of one recording, morning by morning: what of the cards that both have is another.

use std::collections::{BTreeMap, BTreeSet};

use serde::Serialize;

use super::days::{Card, Morning};
use crate::domain::action::Candidate;
use crate::domain::ids::{CaseId, FactId};
use crate::domain::words::cut;

/// How many cards that differ are told of in words, and how many characters of each part.
const TOLD: usize = 20;
const SHOWN: usize = 200;

/// What differs between two lives. Cards are counted each morning anew.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Against {
    /// Mornings on which the digests list other cases, or in another order.
    pub digests: u32,
    /// Cards that both have.
    pub cards: u32,
    /// Cards that only the first has, and only the second.
    pub only_first: u32,
    /// Cards that only the second has.
    pub only_second: u32,
    /// Of the cards of both: another probability of being real.
    pub p: u32,
    /// Another place, priority, value or deadline in any figure of it.
    pub rank: u32,
    /// Another place among the cards that both have, in the order of money.
    pub place: u32,
    /// Other actions, or the same with other money, checks or words.
    pub proposed: u32,
    /// The actions that both propose stand in another order.
    pub order: u32,
    /// Another action first.
    pub first_choice: u32,
    /// What is another of what is proposed, the first of them: the morning, the case, and each that differs.
    pub told: Vec<String>,
}

impl Against {
    /// Compares mornings of the same days.
    pub(super) fn of(first: &[Morning], second: &[Morning]) -> Self {
        let mut found = Self::default();
        for (one, other) in first.iter().zip(second) {
            found.digests += u32::from(one.lines != other.lines);
            let theirs: BTreeMap<&CaseId, &Card> = other.cards.iter().map(|card| (&card.case, card)).collect();
            let ours: BTreeMap<&CaseId, &Card> = one.cards.iter().map(|card| (&card.case, card)).collect();
            found.only_first += ours.keys().filter(|case| !theirs.contains_key(*case)).count() as u32;
            found.only_second += theirs.keys().filter(|case| !ours.contains_key(*case)).count() as u32;
            let both: Vec<&Card> = one.cards.iter().filter(|card| theirs.contains_key(&card.case)).collect();
            let their_order: Vec<&Card> = other.cards.iter().filter(|card| ours.contains_key(&card.case)).collect();
            for (card, at_its_place) in both.iter().zip(&their_order) {
                found.place += u32::from(card.case != at_its_place.case);
                if let Some(their) = theirs.get(&card.case) {
                    found.card(card, their);
                    let (ours, theirs) = (without_names(&card.proposed), without_names(&their.proposed));
                    if ours != theirs && found.told.len() < TOLD {
                        found.told.push(format!("{} {}: {}", one.day, card.case, difference(&ours, &theirs)));
                    }
                }
            }
        }
        found
    }

    fn card(&mut self, one: &Card, other: &Card) {
        self.cards += 1;
        self.p += u32::from(one.rank.p.to_bits() != other.rank.p.to_bits());
        self.rank += u32::from(one.rank != other.rank);
        self.proposed += u32::from(without_names(&one.proposed) != without_names(&other.proposed));
        let actions = |card: &Card, beside: &Card| -> Vec<String> {
            let in_both = |action: &String| beside.proposed.iter().any(|other| action == &key(other));
            card.proposed.iter().map(key).filter(in_both).collect()
        };
        self.order += u32::from(actions(one, other) != actions(other, one));
        self.first_choice += u32::from(one.proposed.first().map(key) != other.proposed.first().map(key));
    }

    /// Is everything the same?
    pub fn is_same(&self) -> bool {
        *self == Self { cards: self.cards, ..Self::default() }
    }
}

/// Proposals whose cited decisions have no names: a decision is named by a hash of what was on the card, which in a life without memory
/// was less. What the decision was, and how many are cited, stays.
fn without_names(proposed: &[Candidate]) -> Vec<Candidate> {
    let mut proposed = proposed.to_vec();
    for candidate in &mut proposed {
        for cite in &mut candidate.cites {
            if let Some((_, what)) = cite.as_str().strip_prefix("decision:").and_then(|of| of.split_once('/')) {
                *cite = FactId::new(format!("decision/{what}"));
            }
        }
        // They came in the order of their names.
        candidate.cites.sort();
    }
    proposed
}

/// What of the proposals of two cards is another, by the names of their parts.
fn difference(one: &[Candidate], other: &[Candidate]) -> String {
    if one.len() != other.len() {
        return format!("{} proposals, {} in the other", one.len(), other.len());
    }
    let mut found = BTreeSet::new();
    for (one, other) in one.iter().zip(other) {
        // A candidate that does not become JSON is told as one that differs in nothing that has a name.
        let (one, other) = (serde_json::to_value(one).unwrap_or_default(), serde_json::to_value(other).unwrap_or_default());
        let parts = one.as_object().into_iter().chain(other.as_object()).flat_map(|object| object.keys());
        for part in parts.filter(|part| one.get(part.as_str()) != other.get(part.as_str())) {
            let shown = |whole: &serde_json::Value| whole.get(part.as_str()).map(ToString::to_string).unwrap_or_default();
            found.insert(format!("{part} {}, {} in the other", cut(&shown(&one), SHOWN), cut(&shown(&other), SHOWN)));
        }
    }
    found.into_iter().collect::<Vec<_>>().join("; ")
}

/// What is to be done, whatever it is worth today: its action and whom or what it is done with, without quantities and days.
fn key(candidate: &Candidate) -> String {
    let about = candidate.steps().map(|step| {
        let words = step.summary.split_whitespace().filter(|word| !word.contains(|c: char| c.is_ascii_digit()));
        format!("{} {}", step.action.code(), words.collect::<Vec<_>>().join(" "))
    });
    about.collect::<Vec<_>>().join(" + ")
}

#[cfg(test)]
mod tests {
    use reeve_testing::cases;

    use super::*;
    use crate::domain::action::{Action, MoneySum, Range};
    use crate::domain::money::Money;

    fn card(case: &str, p: f64, order: [&str; 2]) -> Card {
        let mut rank = cases::rank(Money::from_minor(5_000));
        rank.p = p;
        let loss = Range::certain(Money::from_minor(100));
        let proposed = order.map(|id| Candidate {
            id: id.to_owned(),
            action: Action::NoAction { reason: String::new() },
            summary: format!("Wait for {id}"),
            money: MoneySum::new(p, loss, Range::certain(Money::ZERO), Money::ZERO, Money::ZERO),
            value: Money::ZERO,
            latest_date: "2026-10-12".parse().unwrap(),
            checks: vec![],
            cites: vec![],
            then: vec![],
        });
        Card { case: CaseId::new(case), code: "I-OUT".to_owned(), rank, proposed: proposed.to_vec(), like: vec![] }
    }

    fn morning(cards: Vec<Card>) -> Vec<Morning> {
        let lines = cards.iter().map(|card| card.case.clone()).collect();
        vec![Morning { day: "2026-10-08".parse().unwrap(), lines, cards }]
    }

    #[test]
    fn what_is_another_is_counted_by_what_it_is() {
        let (a, b) = (card("case-a", 0.5, ["one", "two"]), card("case-b", 0.5, ["one", "two"]));
        let both = morning(vec![a.clone(), b.clone()]);
        assert!(Against::of(&both, &both).is_same());
        assert_eq!(Against::of(&both, &both).cards, 2);
        let turned = Against::of(&both, &morning(vec![b.clone(), a.clone()]));
        assert_eq!((turned.digests, turned.place, turned.rank, turned.is_same()), (1, 2, 0, false));
        let doubted = Against::of(&both, &morning(vec![card("case-a", 0.4, ["one", "two"]), b.clone()]));
        assert_eq!((doubted.p, doubted.rank, doubted.proposed, doubted.order, doubted.place), (1, 1, 1, 0, 0));
        assert!(doubted.told[0].contains("money {\"benefit\""), "{:?}", doubted.told);
        let other_first = Against::of(&both, &morning(vec![card("case-a", 0.5, ["two", "one"]), b]));
        assert_eq!((other_first.order, other_first.first_choice, other_first.p), (1, 1, 0));
        let fewer = Against::of(&both, &morning(vec![a]));
        assert_eq!((fewer.cards, fewer.only_first, fewer.only_second, fewer.is_same()), (1, 1, 0, false));
    }
}
