//! People, roles and delegations: names that are nobody's, roles that nobody has, chains and circles.

use std::collections::{BTreeMap, BTreeSet};

use super::Finding;
use crate::policy::delegation::{BadDelegation, Delegation, check_new};
use crate::policy::document::Policy;
use crate::policy::escalation::Addressee;
use crate::policy::people::{Person, Role};
use crate::policy::tiers::Tier;

pub(super) fn findings(policy: &Policy, people: &[Person]) -> Vec<Finding> {
    let mut found = Vec::new();
    let mut ids = BTreeSet::new();
    for person in people {
        if !ids.insert(&person.id) {
            found.push(Finding::error(
                format!("people, {}", person.id),
                "the id is there twice, so one of them signs as the other",
                "give each person an id of their own",
            ));
        }
        if person.tier > Tier::T4.level() {
            found.push(Finding::warning(
                format!("people, {}", person.id),
                format!("tier {} is above T4, the highest there is", person.tier),
                "write 4 or less",
            ));
        }
        if person.tier > 0 && !person.roles.iter().any(|role| role.decides() && *role != Role::Planner) {
            found.push(Finding::warning(
                format!("people, {}", person.id),
                format!("they hold T{} and no role that signs it, so they release nothing", person.tier),
                "add the role approver, finance or director, or set their tier to 0",
            ));
        }
        if person.is_machine() && person.decides() {
            found.push(Finding::warning(
                format!("people, {:?}", person.id.as_str()),
                "the id is one of the system, and the system never approves: they can sign nothing",
                "choose an id that does not begin with \"system\" or \"stage:\"",
            ));
        }
    }
    found.extend(co_approvals(policy, people));
    found.extend(steps(policy, people));
    found
}

/// Roles that have to be among those who sign, and are nobody's.
fn co_approvals(policy: &Policy, people: &[Person]) -> Vec<Finding> {
    let mut asked: BTreeMap<Role, Vec<String>> = BTreeMap::new();
    for tier in Tier::ALL {
        for role in policy.tiers.takes(tier).with {
            asked.entry(*role).or_default().push(format!("tiers.{tier}.with"));
        }
    }
    for rule in &policy.rules {
        for role in &rule.with {
            asked.entry(*role).or_default().push(format!("rules, {:?}, with", rule.name));
        }
    }
    let mut found = Vec::new();
    for (role, places) in asked {
        if !role.decides() {
            found.push(Finding::error(
                places.join("; "),
                format!("{} gives no right to sign, so the signature asked for is nobody's", role.told()),
                "ask for planner, approver, finance or director",
            ));
        } else if !people.iter().any(|p| p.is(role) && !p.is_machine()) {
            found.push(Finding::error(
                places.join("; "),
                format!("a signature of {} is asked for, and nobody has the role {}", role.told(), role.name()),
                format!("give the role {} to somebody, or ask for another", role.name()),
            ));
        }
    }
    found
}

/// Steps of escalation that reach nobody, and tiers that have none.
fn steps(policy: &Policy, people: &[Person]) -> Vec<Finding> {
    let mut found = Vec::new();
    let holds = |tier: Tier| people.iter().any(|p| p.tier >= tier.level() && p.decides() && !p.is_machine());
    for (place, step) in policy.escalation.steps.iter().enumerate() {
        let at = format!("escalation.steps, number {}", place + 1);
        let nobody = |what: String, fix: &str| Finding::error(&at, what, fix);
        match &step.to {
            Addressee::Owner => found.extend(without_owner(&at, people)),
            // Whether there is somebody who may approve is what `cover` looks at.
            Addressee::Approvers => {}
            Addressee::NextTier => {
                for tier in &step.tiers {
                    if !tier.next().is_some_and(holds) {
                        let what = match tier.next() {
                            None => format!("{tier} has no next tier: the step escalates to nobody"),
                            Some(next) => format!("nobody holds {next}: the step escalates {tier} to nobody"),
                        };
                        found.push(nobody(what, "name a role or a person instead"));
                    }
                }
            }
            Addressee::Role(role) => {
                if !people.iter().any(|p| p.is(*role) && !p.is_machine()) {
                    let what = format!("nobody has the role {}: the step escalates to nobody", role.name());
                    found.push(nobody(what, "give somebody the role, or name another"));
                }
            }
            Addressee::Person(id) => {
                if !people.iter().any(|p| p.id == *id) {
                    found.push(nobody(
                        format!("{id} is not in the configuration: the step escalates to nobody"),
                        "write the id of somebody under [[people]]",
                    ));
                }
            }
        }
        if step.tiers.is_empty() {
            found.push(Finding::warning(at, "the step is for no tier", "name its tiers, or take it out"));
        }
    }
    // The owner is whoever let it wait: a step to them alone tells nobody new.
    for tier in Tier::ALL {
        let beyond_owner = |step: &&crate::policy::Step| step.tiers.contains(&tier) && step.to != Addressee::Owner;
        if tier > Tier::T0 && !policy.escalation.steps.iter().any(|step| beyond_owner(&step)) {
            found.push(Finding::warning(
                "escalation.steps",
                format!("nobody but its owner hears of a {tier} that is not decided"),
                format!("add a step for {tier} to approvers, next-tier, a role or a person"),
            ));
        }
    }
    if policy.escalation.per_person_per_day == 0 {
        found.push(Finding::error(
            "escalation.per_person_per_day",
            "nobody may be told anything, so every step escalates to nobody",
            "allow at least one notice a day",
        ));
    }
    found
}

/// What nobody looks after is everybody's who plans: whom a step to the owner reaches then.
fn without_owner(at: &str, people: &[Person]) -> Option<Finding> {
    let planners: Vec<&Person> = people.iter().filter(|p| p.is(Role::Planner) && !p.is_machine()).collect();
    if planners.is_empty() {
        return Some(Finding::warning(
            at,
            "a case without an owner is told to those who plan, and nobody has the role planner: the step reaches nobody",
            "give somebody the role planner, or add a step to approvers, a role or a person as early",
        ));
    }
    planners.iter().all(|p| !p.scopes.is_everything()).then(|| {
        Finding::note(
            at,
            "a case without an owner is told to those who plan, and each of them looks after a part only: what lies in none of \
             the parts, or can not be placed, reaches nobody by this step",
            "let one planner look after everything",
        )
    })
}

/// Delegations that could not be made today: circles, chains, people who are gone.
pub(super) fn delegations(policy: &Policy, people: &[Person], delegations: &[Delegation]) -> Vec<Finding> {
    let mut found = Vec::new();
    let mut told = BTreeSet::new();
    for delegation in delegations.iter().filter(|d| d.revoked_at.is_none()) {
        let Err(error) = check_new(delegation, delegations, people, policy) else { continue };
        // A circle is found from each of its links: it is told once.
        let same = match &error {
            BadDelegation::Cycle(who) => {
                let who: BTreeSet<&str> = who.iter().map(crate::ids::PersonId::as_str).collect();
                format!("circle {}", Vec::from_iter(who).join(" "))
            }
            other => other.to_string(),
        };
        if told.insert(same) {
            found.push(Finding::error(
                format!("delegation {} ({} → {})", delegation.id, delegation.from, delegation.to),
                error.to_string(),
                "take one of them back",
            ));
        }
    }
    found
}
