//! The like cases that later cards show: how many, how old, and whether they were there for the same reason.

use std::collections::{BTreeMap, BTreeSet};

use serde::Serialize;

use super::days::{Card, Lived, Morning};
use super::decide::Decided;
use super::hindsight::Cause;
use crate::domain::calendar::days_between;
use crate::domain::ids::CaseId;

/// What cards showed of what was decided on like cases.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct Likes {
    /// Cards of mornings after the first decision, each morning anew, and those of them that show at least one like case.
    pub cards: u32,
    /// Those with a like case.
    pub cards_with: u32,
    /// The different cases of those cards.
    pub cases: u32,
    /// Those with a like case on some morning.
    pub cases_with: u32,
    /// Different pairs of a case and a like case that its card showed.
    pub pairs: u32,
    /// Pairs that the same injected event caused.
    pub same_event: u32,
    /// Pairs that another event of the same class caused, or shortages that both came without anybody putting them in.
    pub same_class: u32,
    /// Pairs of which neither is real.
    pub neither_real: u32,
    /// Pairs of different causes, or of which one is real and the other is not.
    pub different: u32,
    /// The share of right ones if each card had shown any earlier decided case of its leading type: what the type alone comes to.
    /// None where no card had a choice.
    pub right_by_type_alone: Option<f64>,
    /// Days between the decision and the card that showed it first: least, middle and most.
    pub age_days: Option<(i32, i32, i32)>,
    /// How the like cases had ended, as the cards said it last.
    pub ended: BTreeMap<String, u32>,
}

/// How two cases stand to each other.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kinship {
    Event,
    Class,
    NeitherReal,
    Different,
}

impl Likes {
    /// Those that stand for the same cause: the same event, or the same class.
    pub fn right(&self) -> u32 {
        self.same_event + self.same_class
    }

    /// Of the cards that `shown` picks of each morning.
    pub(super) fn of(lived: &Lived, shown: impl Fn(&Morning, &Card) -> bool) -> Self {
        let decided = &lived.clicks.decided;
        let mut likes = Self::default();
        let Some(first) = decided.values().map(|decided| decided.day).min() else { return likes };
        let (mut cases, mut cases_with) = (BTreeSet::new(), BTreeSet::new());
        let mut pairs: BTreeMap<(CaseId, CaseId), (i32, String)> = BTreeMap::new();
        let (mut by_type, mut choices) = (0.0, 0_u32);
        for morning in lived.mornings.iter().filter(|morning| morning.day > first) {
            for card in morning.cards.iter().filter(|card| shown(morning, card)) {
                likes.cards += 1;
                likes.cards_with += u32::from(!card.like.is_empty());
                cases.insert(card.case.clone());
                if !card.like.is_empty() && cases_with.insert(card.case.clone()) {
                    let share = type_alone(lived, card, morning);
                    by_type += share.unwrap_or_default();
                    choices += u32::from(share.is_some());
                }
                for like in &card.like {
                    let Some(then) = decided.get(&like.case) else { continue };
                    let pair = pairs.entry((card.case.clone(), like.case.clone()));
                    let age = days_between(then.day, morning.day);
                    pair.or_insert_with(|| (age, String::new())).1.clone_from(&like.ended);
                }
            }
        }
        for ((case, like), (_, ended)) in &pairs {
            let one = lived.causes.get(case).cloned().unwrap_or_default();
            let count = match decided.get(like).map(|then| kinship(&one, &then.causes)) {
                Some(Kinship::Event) => &mut likes.same_event,
                Some(Kinship::Class) => &mut likes.same_class,
                Some(Kinship::NeitherReal) => &mut likes.neither_real,
                _ => &mut likes.different,
            };
            *count += 1;
            *likes.ended.entry(ended.clone()).or_default() += 1;
        }
        let mut ages: Vec<i32> = pairs.values().map(|(age, _)| *age).collect();
        ages.sort_unstable();
        likes.age_days = match ages.as_slice() {
            [least, .., most] => Some((*least, ages[ages.len() / 2], *most)),
            [only] => Some((*only, *only, *only)),
            [] => None,
        };
        (likes.cases, likes.cases_with, likes.pairs) = (cases.len() as u32, cases_with.len() as u32, pairs.len() as u32);
        likes.right_by_type_alone = (choices > 0).then(|| by_type / f64::from(choices));
        likes
    }
}

/// The share of earlier decided cases of a card's leading type that have its cause; None where there are none.
fn type_alone(lived: &Lived, card: &Card, morning: &Morning) -> Option<f64> {
    let one = lived.causes.get(&card.case).cloned().unwrap_or_default();
    let earlier =
        |(case, then): &(&CaseId, &Decided)| then.day < morning.day && then.code == card.code && **case != card.case;
    let all: Vec<_> = lived.clicks.decided.iter().filter(earlier).collect();
    let right = |then: &Decided| matches!(kinship(&one, &then.causes), Kinship::Event | Kinship::Class);
    let right = all.iter().filter(|(_, then)| right(then)).count();
    (!all.is_empty()).then(|| right as f64 / all.len() as f64)
}

fn kinship(one: &BTreeSet<Cause>, other: &BTreeSet<Cause>) -> Kinship {
    if one.is_empty() && other.is_empty() {
        return Kinship::NeitherReal;
    }
    // What nobody put in has no event by which it could be told from another.
    if one.intersection(other).any(|cause| !cause.event.is_empty()) {
        return Kinship::Event;
    }
    let classes = |of: &BTreeSet<Cause>| of.iter().map(|cause| cause.class.clone()).collect::<BTreeSet<_>>();
    if classes(one).is_disjoint(&classes(other)) { Kinship::Different } else { Kinship::Class }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn causes(of: &[(&str, &str)]) -> BTreeSet<Cause> {
        of.iter().map(|(class, event)| Cause { class: (*class).to_owned(), event: (*event).to_owned() }).collect()
    }

    #[test]
    fn cases_are_kin_by_the_event_that_caused_them_or_by_its_class() {
        let late = causes(&[("receipt_late", "A1")]);
        for (other, kin) in [
            (causes(&[("receipt_late", "A1"), ("stockout", "D4")]), Kinship::Event),
            (causes(&[("receipt_late", "A2")]), Kinship::Class),
            (causes(&[("receipt_short", "A1")]), Kinship::Different),
            (causes(&[]), Kinship::Different),
        ] {
            assert_eq!(kinship(&late, &other), kin, "{other:?}");
        }
        assert_eq!(kinship(&causes(&[]), &causes(&[])), Kinship::NeitherReal);
        assert_eq!(kinship(&causes(&[("ran out", "")]), &causes(&[("ran out", "")])), Kinship::Class);
    }
}
