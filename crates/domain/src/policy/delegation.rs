//! Delegation: one person standing in for another, from a day to a day (handbook §9).
//!
//! Whoever stands in has the delegator's rights within the delegator's limits; both names are in the record. No chains over
//! two, no cycles, nobody for themselves.

use std::collections::BTreeSet;

use jiff::Timestamp;
use jiff::civil::Date;
use serde::{Deserialize, Serialize};

use super::document::Policy;
use super::people::Person;
use super::sign::Signer;
use crate::calendar::days_between;
use crate::ids::PersonId;

/// `[delegation]`
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DelegationRules {
    /// May people stand in for one another at all?
    pub allowed: bool,
    /// Longest one may last, in days.
    pub longest_days: u16,
    /// Longest chain: 1, or 2 where whoever stands in may pass it on once.
    #[serde(deserialize_with = "super::tiers::one_or_two")]
    pub chain_max: u8,
}

/// One person standing in for another.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Delegation {
    /// Its own id.
    pub id: String,
    /// Whose rights.
    pub from: PersonId,
    /// Who uses them.
    pub to: PersonId,
    /// First day.
    pub starts: Date,
    /// Last day, itself included.
    pub ends: Date,
    /// Why; never empty.
    pub reason: String,
    /// Since when it no longer holds, where it was taken back.
    pub revoked_at: Option<Timestamp>,
}

impl Delegation {
    /// Does it hold on `day`?
    pub fn holds_on(&self, day: Date) -> bool {
        self.revoked_at.is_none() && self.starts <= day && day <= self.ends
    }

    /// How long it lasts, in days, the first and the last included.
    fn days(&self) -> i32 {
        days_between(self.starts, self.ends) + 1
    }

    fn overlaps(&self, starts: Date, ends: Date) -> bool {
        self.revoked_at.is_none() && self.starts <= ends && starts <= self.ends
    }
}

/// Why a delegation can not be made. Written for whoever asks for it.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BadDelegation {
    /// The policy has none.
    #[error("the policy allows no delegation; forward the case instead")]
    NotAllowed,
    /// To oneself.
    #[error("{0} can not stand in for themselves; choose somebody else")]
    Self_(PersonId),
    /// Not a person of the configuration, or one who decides nothing.
    #[error("{0} {1}; choose somebody who plans or approves")]
    NotAPerson(PersonId, &'static str),
    /// No days, or too many.
    #[error(
        "{starts} to {ends} is not a time to stand in: it has to end on the day it starts or later, within {longest} days"
    )]
    Days {
        /// First day.
        starts: Date,
        /// Last day.
        ends: Date,
        /// Most days allowed.
        longest: u16,
    },
    /// There is one already.
    #[error("{to} stands in for {from} from {starts} to {ends} already ({id}): take days outside that, or end it first")]
    Overlaps {
        /// The one that is there.
        id: String,
        /// Whose rights.
        from: PersonId,
        /// Who has them.
        to: PersonId,
        /// Its first day.
        starts: Date,
        /// Its last day.
        ends: Date,
    },
    /// Without a reason.
    #[error("say why, so that who reads the log later knows")]
    NoReason,
    /// It would come back to whom it started from.
    #[error("{} would stand in for themselves through others in those days; choose somebody outside this circle", told(.0))]
    Cycle(Vec<PersonId>),
    /// Passed on too often.
    #[error("{} is a chain of {} in those days, and at most {max} may follow one another", told(chain), chain.len() - 1)]
    Chain {
        /// Everybody in it, whose rights they are first.
        chain: Vec<PersonId>,
        /// Most allowed.
        max: u8,
    },
}

fn told(chain: &[PersonId]) -> String {
    chain.iter().map(PersonId::as_str).collect::<Vec<_>>().join(" → ")
}

/// May `new` be made beside those there are? `people` are those of the configuration.
///
/// # Errors
/// Says what is wrong with it.
pub fn check_new(
    new: &Delegation,
    existing: &[Delegation],
    people: &[Person],
    policy: &Policy,
) -> Result<(), BadDelegation> {
    let rules = &policy.delegation;
    if !rules.allowed {
        return Err(BadDelegation::NotAllowed);
    }
    if new.from == new.to {
        return Err(BadDelegation::Self_(new.from.clone()));
    }
    for id in [&new.from, &new.to] {
        let Some(person) = people.iter().find(|p| p.id == *id) else {
            return Err(BadDelegation::NotAPerson(id.clone(), "is not in the configuration"));
        };
        if person.is_machine() || !person.decides() {
            return Err(BadDelegation::NotAPerson(id.clone(), "decides nothing"));
        }
    }
    if new.reason.trim().is_empty() {
        return Err(BadDelegation::NoReason);
    }
    if new.ends < new.starts || new.days() > i32::from(rules.longest_days) {
        return Err(BadDelegation::Days { starts: new.starts, ends: new.ends, longest: rules.longest_days });
    }
    // A delegation that is kept again under its own id does not stand in its own way.
    let mut all: Vec<&Delegation> = existing.iter().filter(|d| d.id != new.id).collect();
    // The same rights twice give nothing more, and whoever ends one of two has ended nothing.
    let same = |d: &&&Delegation| d.from == new.from && d.to == new.to && d.overlaps(new.starts, new.ends);
    if let Some(there) = all.iter().find(same) {
        let Delegation { id, from, to, starts, ends, .. } = (*there).clone();
        return Err(BadDelegation::Overlaps { id, from, to, starts, ends });
    }
    // Two links that are allowed can make a chain that is not, so all chains through the new one are looked at.
    all.push(new);
    longest_chain_through(new, &all, rules.chain_max)
}

/// Every chain through `new`, on the days that all of its links share.
fn longest_chain_through(new: &Delegation, all: &[&Delegation], max: u8) -> Result<(), BadDelegation> {
    for (before, starts, ends) in walks(&new.from, new.starts, new.ends, all, |d| (&d.to, &d.from)) {
        for (after, _, _) in walks(&new.to, starts, ends, all, |d| (&d.from, &d.to)) {
            let mut chain: Vec<PersonId> = before.iter().rev().cloned().chain(after).collect();
            if chain.iter().collect::<BTreeSet<_>>().len() < chain.len() {
                // Tell the circle once: from the first who comes twice to where they come again.
                let twice = chain.iter().position(|p| chain.iter().filter(|q| *q == p).count() > 1);
                let start = twice.unwrap_or_default();
                let end = chain.iter().rposition(|p| *p == chain[start]).unwrap_or(start);
                chain = chain[start..=end].to_vec();
                return Err(BadDelegation::Cycle(chain));
            }
            if chain.len() - 1 > usize::from(max) {
                return Err(BadDelegation::Chain { chain, max });
            }
        }
    }
    Ok(())
}

/// Every way to go on from `start` over links that share a day with `starts` to `ends`, the one of standing still among
/// them. A way ends where somebody comes twice.
fn walks<'a>(
    start: &PersonId,
    starts: Date,
    ends: Date,
    all: &[&'a Delegation],
    link: impl Fn(&'a Delegation) -> (&'a PersonId, &'a PersonId) + Copy,
) -> Vec<(Vec<PersonId>, Date, Date)> {
    let mut found = Vec::new();
    let mut open = vec![(vec![start.clone()], starts, ends)];
    while let Some((way, starts, ends)) = open.pop() {
        let at = way.last().expect("a way has a start");
        // A circle is kept up to where it closes, so that whoever asks can name it, and is followed no further.
        if way.iter().filter(|p| *p == at).count() == 1 {
            for delegation in all {
                let (from, to) = link(delegation);
                if from == at && delegation.overlaps(starts, ends) {
                    let mut longer = way.clone();
                    longer.push(to.clone());
                    // A chain holds only on the days that all its links share.
                    open.push((longer, starts.max(delegation.starts), ends.min(delegation.ends)));
                }
            }
        }
        found.push((way, starts, ends));
    }
    found
}

/// Everybody that `person` may sign as on `day`: first for themselves, then for whoever they stand in for, chains and all,
/// in the order of the delegations.
///
/// `person` and everybody in a chain have to be of `people`. Chains over the policy's length and circles give nothing.
pub fn acting_for(person: &PersonId, existing: &[Delegation], people: &[Person], policy: &Policy, day: Date) -> Vec<Signer> {
    let find = |id: &PersonId| people.iter().find(|p| p.id == *id);
    let Some(own) = find(person) else { return Vec::new() };
    let mut signers = vec![Signer::own(own.clone())];
    if !policy.delegation.allowed {
        return signers;
    }
    let mut next = 0;
    while let Some(signer) = signers.get(next).cloned() {
        next += 1;
        if signer.on_behalf_of.len() >= usize::from(policy.delegation.chain_max) {
            continue;
        }
        let at = signer.authority().id.clone();
        for delegation in existing.iter().filter(|d| d.to == at && d.holds_on(day)) {
            let Some(from) = find(&delegation.from) else { continue };
            if signer.everybody().any(|p| p.id == from.id) {
                continue;
            }
            let mut on_behalf_of = signer.on_behalf_of.clone();
            on_behalf_of.push(from.clone());
            let longer = Signer { person: signer.person.clone(), on_behalf_of };
            // Two ways through the same people give one right.
            if !signers.contains(&longer) {
                signers.push(longer);
            }
        }
    }
    signers
}
