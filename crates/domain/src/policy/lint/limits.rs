//! Limits: in currencies without a rate, not rising, and what can be reached by splitting below them.

use super::Finding;
use crate::money::Money;
use crate::policy::amount::Amount;
use crate::policy::document::Policy;
use crate::policy::people::Person;
use crate::policy::tiers::Tier;

/// Days over which the handbook counts together (§9).
const HANDBOOK_DAYS: u16 = 7;

pub(super) fn findings(policy: &Policy, people: &[Person]) -> Vec<Finding> {
    let mut found = Vec::new();
    let mut limits: Vec<(String, &Amount)> =
        policy.tiers.limited().iter().map(|(tier, row)| (format!("tiers.{tier}.limit"), &row.limit)).collect();
    for rule in &policy.rules {
        let of = |key: &str| format!("rules, {:?}, {key}", rule.name);
        limits.extend(rule.above.as_ref().map(|limit| (of("above"), limit)));
        limits.extend(rule.margin_lost_above.as_ref().map(|limit| (of("margin_lost_above"), limit)));
    }
    limits.extend(people.iter().filter_map(|p| p.limit.as_ref().map(|limit| (format!("people, {}, limit", p.id), limit))));
    for (place, limit) in limits {
        if policy.in_company(limit).is_none() {
            let currency = limit.currency.as_deref().unwrap_or_default();
            found.push(Finding::error(
                place,
                format!("the limit {limit} is in a currency without a rate, so everything counts as above it"),
                format!("add {currency} to [rates], or give the limit in {}", policy.currency),
            ));
        }
    }
    for pair in policy.tiers.limited().windows(2) {
        let [(below, low), (above, high)] = pair else { continue };
        if let (Some(low), Some(high)) = (policy.in_company(&low.limit), policy.in_company(&high.limit))
            && low >= high
        {
            found.push(Finding::error(
                format!("tiers.{above}.limit"),
                format!("{above} ends at {high} and {below} at {low}, so no value is {above}"),
                format!("make the limit of {above} larger than that of {below}"),
            ));
        }
    }
    found
}

/// What one who may release the lowest tier can release in parts although it is worth the next.
pub(super) fn splitting(policy: &Policy) -> Vec<Finding> {
    let limit = |(tier, row): &(Tier, &crate::policy::tiers::TierRow)| Some((*tier, policy.in_company(&row.limit)?));
    let limits: Vec<(Tier, Money)> = policy.tiers.limited().iter().filter_map(limit).collect();
    // The largest that a lower tier reaches is the limit of the one above it.
    let Some(((low_tier, low), (_, target))) = limits.first().copied().zip(limits.get(1).copied()) else {
        return Vec::new();
    };
    // Limits that do not rise are told by `findings`; here they would only give figures that mean nothing.
    if low <= Money::ZERO || target <= low {
        return Vec::new();
    }
    // Rounded up: a last part may be smaller than the others.
    let parts = (target.minor + low.minor - 1) / low.minor;
    let reach = format!("{parts} of {low} reach {target} {}", policy.currency);
    let who = format!("a {low_tier} approver");
    let count = &policy.cumulative;
    if count.days == 0 {
        return vec![Finding::error(
            "cumulative.days",
            format!("{who} reaches {target} by splitting: nothing counts together, so {reach} on one day"),
            format!("count at least {HANDBOOK_DAYS} days together"),
        )];
    }
    let mut found = Vec::new();
    let routes = [
        (count.item, "item", format!("{reach} for one item, bought from several suppliers and signed by several people")),
        (count.supplier, "supplier", format!("{reach} at one supplier, in several items and signed by several people")),
        (count.approver, "approver", format!("{reach} by one person, in several items of several suppliers")),
        (
            count.chain,
            "chain",
            format!("{reach}, half signed by one person and half by who stands in for them, each within an own sum"),
        ),
    ];
    for (counted, key, route) in routes {
        if !counted {
            found.push(Finding::error(
                format!("cumulative.{key}"),
                format!("{who} reaches {target} by splitting: {route}"),
                format!("set cumulative.{key} to true"),
            ));
        }
    }
    if count.days < HANDBOOK_DAYS {
        let (days, times) = (count.days, HANDBOOK_DAYS.div_ceil(count.days));
        let sum = Money::from_minor(low.minor.saturating_mul(i64::from(times)));
        found.push(Finding::warning(
            "cumulative.days",
            format!(
                "after {days} days the sum starts anew: {who} releases {sum} in the {HANDBOOK_DAYS} days of the handbook"
            ),
            format!("count at least {HANDBOOK_DAYS} days together"),
        ));
    }
    found
}
