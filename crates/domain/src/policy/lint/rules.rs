//! Rules and lists of actions: what is permitted, and rules that change nothing.

use std::collections::BTreeSet;

use super::Finding;
use crate::money::Money;
use crate::policy::amount::Amount;
use crate::policy::document::Policy;
use crate::policy::rules::{ActionCode, Rule};
use crate::policy::tiers::Tier;

pub(super) fn findings(policy: &Policy) -> Vec<Finding> {
    let mut found = Vec::new();
    for (code, why) in [("NO-ACTION", "say that nothing is to be done"), ("ESCALATE", "ask for human judgement")] {
        if ActionCode::named(code).is_some_and(|action| !policy.permits(action)) {
            found.push(Finding::error(
                "permitted.actions",
                format!("{code} is missing, so there is no way to {why}"),
                format!("add {code:?} to permitted.actions"),
            ));
        }
    }
    let mut names = BTreeSet::new();
    for (place, rule) in policy.rules.iter().enumerate() {
        let at = format!("rules, {:?}", rule.name);
        if !names.insert(rule.name.trim()) || rule.name.trim().is_empty() {
            found.push(Finding::warning(
                &at,
                "the name is empty or taken, so nobody can tell from a card which rule mattered",
                "give each rule a name of its own",
            ));
        }
        if let Some(why) = dead(policy, place, rule) {
            found.push(Finding::warning(at, why, "take the rule out, or change it so that it asks for more"));
        }
    }
    found
}

/// Why a rule changes nothing, where it does not.
fn dead(policy: &Policy, place: usize, rule: &Rule) -> Option<String> {
    if rule.tier.is_none_or(|tier| tier == Tier::T0) && rule.with.is_empty() && rule.signatures.is_none_or(|n| n < 2) {
        return Some("the rule asks for nothing: it names no tier above T0, no co-approval and no second signature".into());
    }
    if !rule.actions.is_empty() && !rule.actions.iter().any(|action| policy.permits(*action)) {
        return Some("the rule never holds: none of its actions may be recommended".to_owned());
    }
    let by_value = |action: &ActionCode| !policy.tiers.t0.actions.contains(action);
    let commits = !rule.actions.is_empty() && rule.actions.iter().all(by_value);
    if commits && rule.tier == Some(Tier::T1) && rule.with.is_empty() && rule.signatures.is_none_or(|n| n < 2) {
        return Some("the rule asks for T1, and whatever commits something is T1 already".to_owned());
    }
    let stronger = policy.rules.iter().enumerate().find(|(other, stronger)| {
        // Of two that are the same, the later one is dead.
        *other != place
            && holds_wherever(policy, stronger, rule)
            && asks_as_much(stronger, rule)
            && (*other < place || !(holds_wherever(policy, rule, stronger) && asks_as_much(rule, stronger)))
    });
    stronger.map(|(_, other)| format!("the rule changes nothing: {:?} holds wherever it does and asks as much", other.name))
}

/// Does `wide` hold wherever `narrow` does?
pub(super) fn holds_wherever(policy: &Policy, wide: &Rule, narrow: &Rule) -> bool {
    fn list<T: PartialEq>(wide: &[T], narrow: &[T]) -> bool {
        wide.is_empty() || (!narrow.is_empty() && narrow.iter().all(|one| wide.contains(one)))
    }
    let above = |wide: Option<&Amount>, narrow: Option<&Amount>| match (wide, narrow) {
        (None, _) => true,
        (Some(_), None) => false,
        // What can not be converted is below everything.
        (Some(wide), Some(narrow)) => {
            let least = |amount| policy.in_company(amount).unwrap_or(Money::from_minor(-1));
            least(wide) <= least(narrow)
        }
    };
    list(&wide.actions, &narrow.actions)
        && list(&wide.classes, &narrow.classes)
        && list(&wide.categories, &narrow.categories)
        && list(&wide.locations, &narrow.locations)
        && list(&wide.suppliers, &narrow.suppliers)
        && above(wide.above.as_ref(), narrow.above.as_ref())
        && above(wide.margin_lost_above.as_ref(), narrow.margin_lost_above.as_ref())
        && (wide.margin_lost_share_above.is_none()
            || narrow.margin_lost_share_above.is_some() && wide.margin_lost_share_above <= narrow.margin_lost_share_above)
        && (wide.supplier_risk.is_none() || narrow.supplier_risk.is_some() && wide.supplier_risk <= narrow.supplier_risk)
}

/// Does `strong` ask for all that `weak` asks for?
fn asks_as_much(strong: &Rule, weak: &Rule) -> bool {
    let signatures = |rule: &Rule| if rule.with.is_empty() { rule.signatures.unwrap_or(1) } else { 2 };
    strong.tier >= weak.tier
        && weak.with.iter().all(|role| strong.with.contains(role))
        && signatures(strong) >= signatures(weak)
}
