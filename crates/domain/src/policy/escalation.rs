//! Escalation: who hears of a recommendation that nobody decides, and how often. Silence is not consent: an escalation tells
//! people, it decides nothing.

use std::collections::BTreeSet;
use std::fmt;
use std::str::FromStr;

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::document::Policy;
use super::facts::Facts;
use super::judge::Ruling;
use super::people::{Person, Role};
use super::sign::{Attempt, Signer};
use super::tiers::Tier;
use crate::ids::PersonId;

/// `[escalation]`
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Escalation {
    /// Most notices to one person on one day; what is over waits for the next.
    pub per_person_per_day: u16,
    /// The steps, in any order.
    pub steps: Vec<Step>,
}

/// `[[escalation.steps]]`
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Step {
    /// For recommendations of these tiers.
    pub tiers: BTreeSet<Tier>,
    /// After so many working hours in the queue.
    pub after_hours: u16,
    /// Who is told.
    pub to: Addressee,
}

/// Whom a step tells.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Addressee {
    /// Who looks after the case.
    Owner,
    /// Everybody who could sign it.
    Approvers,
    /// Everybody who could sign the tier above.
    NextTier,
    /// Everybody of a role, in whose scope it lies.
    Role(Role),
    /// One person.
    Person(PersonId),
}

impl fmt::Display for Addressee {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Owner => f.write_str("owner"),
            Self::Approvers => f.write_str("approvers"),
            Self::NextTier => f.write_str("next-tier"),
            Self::Role(role) => write!(f, "role:{}", role.name()),
            Self::Person(id) => write!(f, "person:{id}"),
        }
    }
}

impl FromStr for Addressee {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let role = |name: &str| Role::ALL.into_iter().find(|role| role.name() == name);
        match text.split_once(':') {
            None if text == "owner" => Ok(Self::Owner),
            None if text == "approvers" => Ok(Self::Approvers),
            None if text == "next-tier" => Ok(Self::NextTier),
            Some(("role", name)) if role(name).is_some() => role(name).map(Self::Role).ok_or_else(String::new),
            Some(("person", id)) if !id.is_empty() => Ok(Self::Person(PersonId::new(id))),
            _ => Err(format!(
                "nobody is called {text:?} here: write \"owner\", \"approvers\", \"next-tier\", \"role:director\" (or another \
                 role) or \"person:\" and an id"
            )),
        }
    }
}

impl<'de> Deserialize<'de> for Addressee {
    fn deserialize<D: Deserializer<'de>>(d: D) -> Result<Self, D::Error> {
        String::deserialize(d)?.parse().map_err(serde::de::Error::custom)
    }
}

impl Serialize for Addressee {
    fn serialize<S: Serializer>(&self, s: S) -> Result<S::Ok, S::Error> {
        s.collect_str(self)
    }
}

/// For whom recipients are sought.
#[derive(Clone, Copy, Debug)]
pub struct Recipients<'a> {
    /// The signature that is missing: its `signer` is not looked at.
    pub attempt: Attempt<'a>,
    /// Who looks after the case.
    pub owner: Option<&'a PersonId>,
    /// Everybody, in every capacity they have (see [`super::acting_for`]).
    pub everybody: &'a [Signer],
}

impl Policy {
    /// The steps for a tier, soonest first, with their place among the policy's steps (which names them in the log).
    pub fn steps(&self, tier: Tier) -> Vec<(usize, &Step)> {
        let mut steps: Vec<(usize, &Step)> =
            self.escalation.steps.iter().enumerate().filter(|(_, step)| step.tiers.contains(&tier)).collect();
        steps.sort_by_key(|(place, step)| (step.after_hours, *place));
        steps
    }

    /// The steps of a tier that are due at `now` for what was queued at `queued_at`, soonest first, each with the moment at
    /// which it became due.
    pub fn steps_due(&self, tier: Tier, queued_at: Timestamp, now: Timestamp) -> Vec<(usize, &Step, Timestamp)> {
        let due = |step: &Step| self.hours.after(queued_at, SignedDuration::from_hours(i64::from(step.after_hours)));
        let steps = self.steps(tier).into_iter();
        steps.filter_map(|(place, step)| due(step).filter(|at| *at <= now).map(|at| (place, step, at))).collect()
    }

    /// Whom a step tells: people, each once, by id. Who may not see the case's scope is not told of it by role.
    pub fn recipients(&self, to: &Addressee, of: &Recipients<'_>) -> BTreeSet<PersonId> {
        let own = of.attempt.ruling;
        let could = |tier: Tier, ruling: &Ruling, counts: &dyn Fn(&Person) -> bool| -> BTreeSet<PersonId> {
            let signers = of.everybody.iter().filter(|s| s.authority().tier >= tier.level() || counts(s.authority()));
            let may = signers.filter(|signer| self.may_sign(&Attempt { signer, ruling, ..of.attempt }).is_ok());
            may.map(|signer| signer.person.id.clone()).collect()
        };
        let people = || of.everybody.iter().filter(|s| s.on_behalf_of.is_empty()).map(|s| &s.person);
        let scoped = |p: &&Person, facts: &[Facts]| p.scopes.hold_all(facts) && !p.is_machine();
        match to {
            Addressee::Owner => of.owner.cloned().into_iter().collect(),
            // One of two signatures is something everybody with a role could give: who is told can release the tier, or has
            // a role that it lacks.
            Addressee::Approvers => could(own.tier, own, &|p| own.with.iter().any(|role| p.is(*role))),
            Addressee::NextTier => own.tier.next().map_or_else(BTreeSet::new, |tier| {
                let who = self.tiers.takes(tier).who.to_vec();
                could(tier, &Ruling { tier, who, ..own.clone() }, &|_| false)
            }),
            Addressee::Role(role) => {
                people().filter(|p| p.is(*role) && scoped(p, of.attempt.facts)).map(|p| p.id.clone()).collect()
            }
            Addressee::Person(id) => people().filter(|p| p.id == *id).map(|p| p.id.clone()).collect(),
        }
    }

    /// May a person who was told `told_today` times today be told once more?
    pub fn may_tell(&self, told_today: u16) -> bool {
        told_today < self.escalation.per_person_per_day
    }

    /// When something that is due at `at` may be said: at once, or when quiet hours end.
    pub fn may_be_said_from(&self, at: Timestamp) -> Option<Timestamp> {
        self.quiet.loud_from(at, &self.hours)
    }
}
