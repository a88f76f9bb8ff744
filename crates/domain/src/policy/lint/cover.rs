//! Cover: is there, for every tier and every part of the business that is named anywhere, somebody who can release it; and
//! somebody else when they may not?

use std::collections::{BTreeMap, BTreeSet};

use super::Finding;
use super::rules::holds_wherever;
use crate::ids::PersonId;
use crate::money::Money;
use crate::policy::document::Policy;
use crate::policy::facts::{Facts, Named};
use crate::policy::judge::Ruling;
use crate::policy::own::Shares;
use crate::policy::people::{Person, Role};
use crate::policy::rules::ActionCode;
use crate::policy::sign::{Attempt, Signer};
use crate::policy::tiers::Tier;

/// Most places that are looked at together; beyond it each kind is looked at alone.
const PLACES_MAX: usize = 400;

/// What stands for every location, category or supplier that nothing names.
const ANY_OTHER: &str = "any other";

/// A part of the business.
struct Place {
    told: String,
    facts: Facts,
}

pub(super) fn findings(policy: &Policy, people: &[Person]) -> Vec<Finding> {
    // By what is wrong, where it is: the same hole in many places is one finding.
    let mut holes: BTreeMap<(bool, String, String), Vec<String>> = BTreeMap::new();
    let places = places(policy, people);
    for ruling in rulings(policy) {
        let takes = takes_told(&ruling);
        // Places that the same people look after have the same answer.
        let mut answers: BTreeMap<Vec<bool>, Vec<BTreeSet<PersonId>>> = BTreeMap::new();
        for place in &places {
            let who: Vec<bool> = people.iter().map(|p| p.scopes.hold(&place.facts)).collect();
            let completers = answers.entry(who).or_insert_with(|| completers(policy, people, &ruling, &place.facts));
            let takes = takes.clone();
            if completers.is_empty() {
                holes.entry((true, takes, "nobody".to_owned())).or_default().push(place.told.clone());
                continue;
            }
            // Whoever is in every set that completes it can not be spared.
            let mut needed = completers[0].clone();
            for set in completers.iter() {
                needed.retain(|id| set.contains(id));
            }
            for id in needed {
                holes.entry((false, takes.clone(), id.to_string())).or_default().push(place.told.clone());
            }
        }
    }
    let all = places.len();
    let finding = |((nobody, takes, who), places): ((bool, String, String), Vec<String>)| {
        let of = if places.len() == all { "everywhere".to_owned() } else { places.join("; ") };
        if nobody {
            Finding::error(
                of,
                format!("nobody may approve {takes}"),
                "give somebody the tier, the role and the scope that it takes",
            )
        } else {
            Finding::note(
                of,
                format!("{takes} hangs on {who}: when they edited it, counted it or are away, nobody can approve it"),
                "give another person the same tier, role and scope",
            )
        }
    };
    holes.into_iter().map(finding).collect()
}

fn takes_told(ruling: &Ruling) -> String {
    let with: Vec<&str> = ruling.with.iter().map(|role| role.told()).collect();
    match (ruling.signatures, with.is_empty()) {
        (1, _) => ruling.tier.to_string(),
        (_, true) => format!("{} (two people)", ruling.tier),
        (_, false) => format!("{} (two people with {} among them)", ruling.tier, with.join(" and ")),
    }
}

/// One ruling for each different thing that can be asked: the tiers above T0, and each rule that asks more than its tier.
fn rulings(policy: &Policy) -> Vec<Ruling> {
    let of = |tier: Tier, signatures: u8, with: &[Role]| {
        let takes = policy.tiers.takes(tier);
        let with: BTreeSet<Role> = takes.with.iter().chain(with).copied().collect();
        Ruling {
            permitted: true,
            tier,
            signatures: takes.signatures.max(signatures),
            with: with.into_iter().collect(),
            who: takes.who.to_vec(),
            // Own limits of people are their own: whoever has one still covers what is below it.
            counted: Money::ZERO,
            shares: Shares::default(),
            because: Vec::new(),
        }
    };
    let mut all: Vec<Ruling> = Tier::ALL.into_iter().filter(|t| *t > Tier::T0).map(|tier| of(tier, 1, &[])).collect();
    for rule in &policy.rules {
        // No recommendation can be of these actions, so nobody has to be able to release one.
        if !rule.actions.is_empty() && !rule.actions.iter().any(|a: &ActionCode| policy.permits(*a)) {
            continue;
        }
        let signatures = if rule.with.is_empty() { rule.signatures.unwrap_or(1) } else { 2 };
        // Where another rule always holds beside this one, its tier is the least that can be asked: nobody has to cover
        // less.
        let floor =
            policy.rules.iter().filter(|other| holds_wherever(policy, other, rule)).filter_map(|other| other.tier).max();
        for tier in Tier::ALL.into_iter().filter(|tier| *tier >= floor.unwrap_or(Tier::T1).max(Tier::T1)) {
            let ruling = of(tier, signatures, &rule.with);
            if !all.contains(&ruling) {
                all.push(ruling);
            }
        }
    }
    all
}

/// Every set of people who complete a ruling together.
fn completers(policy: &Policy, people: &[Person], ruling: &Ruling, facts: &Facts) -> Vec<BTreeSet<PersonId>> {
    let signers: Vec<Signer> = people.iter().cloned().map(Signer::own).collect();
    // Nobody has touched it here: that somebody could be spared is what is asked.
    let may = |signer: &Signer, signed: &[Signer]| {
        policy
            .may_sign(&Attempt { signer, ruling, facts: std::slice::from_ref(facts), signed, touched_by: &[] })
            .map(|standing| standing.needs_second)
    };
    let mut sets = Vec::new();
    for first in &signers {
        match may(first, &[]) {
            Ok(false) => sets.push(BTreeSet::from([first.person.id.clone()])),
            Ok(true) => {
                for second in &signers {
                    if may(second, std::slice::from_ref(first)) == Ok(false) {
                        sets.push(BTreeSet::from([first.person.id.clone(), second.person.id.clone()]));
                    }
                }
            }
            Err(_) => {}
        }
    }
    sets
}

/// Every location, category and supplier that is named anywhere, each with each other, and any other.
fn places(policy: &Policy, people: &[Person]) -> Vec<Place> {
    fn named<'a>(all: impl Iterator<Item = &'a Vec<String>>) -> Vec<String> {
        let mut names: Vec<String> = all.flatten().cloned().collect::<BTreeSet<_>>().into_iter().collect();
        // Whatever nobody has named has to be covered too.
        names.push(ANY_OTHER.to_owned());
        names
    }
    let (rules, scopes) = (&policy.rules, || people.iter().map(|p| &p.scopes));
    let locations = named(rules.iter().map(|r| &r.locations).chain(scopes().map(|s| &s.locations)));
    let categories = named(rules.iter().map(|r| &r.categories).chain(scopes().map(|s| &s.categories)));
    let suppliers = named(rules.iter().map(|r| &r.suppliers).chain(scopes().map(|s| &s.suppliers)));
    let place = |location: &str, category: &str, supplier: &str| {
        let parts = [("location", location), ("category", category), ("supplier", supplier)];
        let told: Vec<String> =
            parts.iter().filter(|(_, name)| *name != ANY_OTHER).map(|(kind, name)| format!("{kind} {name}")).collect();
        let one = |name: &str| Some(vec![Named::new(name, &[])]);
        Place {
            told: if told.is_empty() { "whatever no scope names".to_owned() } else { told.join(" with ") },
            facts: Facts {
                locations: one(location),
                categories: Some(vec![category.to_owned()]),
                suppliers: one(supplier),
                ..Facts::default()
            },
        }
    };
    let mut places = Vec::new();
    // With many names all combinations would be too many to ask about each with every pair of people; then one name is set
    // at a time.
    let together = locations.len() * categories.len() * suppliers.len() <= PLACES_MAX;
    for location in &locations {
        for category in &categories {
            for supplier in &suppliers {
                let others = [location, category, supplier].iter().filter(|name| **name == ANY_OTHER).count();
                if together || others >= 2 {
                    places.push(place(location, category, supplier));
                }
            }
        }
    }
    places
}
