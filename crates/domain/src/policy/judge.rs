//! Judging: which tier a recommendation is of, which signatures it needs, and why.
//!
//! A tier never falls by splitting: what was released in the window for the same item, supplier, approver or chain counts
//! with it (handbook §9). Whatever is unknown counts as the stricter.

use std::collections::{BTreeMap, BTreeSet};

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

use super::document::Policy;
use super::facts::Facts;
use super::own::{Released, Shares};
use super::people::Role;
use super::rules::{ActionCode, Held};
use super::tiers::Tier;
use crate::action::Action;
use crate::ids::{ItemId, PersonId, RecommendationId, SupplierId};
use crate::money::Money;

/// A recommendation as the policy sees it, for those who are about to sign it.
#[derive(Clone, Debug)]
pub struct Question<'a> {
    /// Which one.
    pub id: &'a RecommendationId,
    /// What each step of it would have done: one or more.
    pub steps: &'a [QuestionStep<'a>],
    /// Committed, written off or claimed by all steps together, whichever is largest, in company currency.
    pub value: Money,
    /// Who signed and who is about to.
    pub signers: &'a [PersonId],
    /// For whom they do so, where they stand in for somebody.
    pub on_behalf_of: &'a [PersonId],
    /// What was released before, in any order; what is out of the window is left out here.
    pub earlier: &'a [Earlier],
    /// When it is.
    pub now: Timestamp,
}

/// One step of it.
#[derive(Clone, Debug)]
pub struct QuestionStep<'a> {
    /// What it would have done.
    pub action: ActionCode,
    /// Its item, where it has one.
    pub item: Option<&'a ItemId>,
    /// Its supplier, where it has one.
    pub supplier: Option<&'a SupplierId>,
    /// What rules ask about.
    pub facts: &'a Facts,
}

/// One signature under one step of a recommendation that was released.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Earlier {
    /// Which one. Several signatures under one recommendation, and several steps of it, are one value.
    pub recommendation: RecommendationId,
    /// When it was decided.
    pub at: Timestamp,
    /// What it would have done; None counts as the same as the one in question.
    pub action: Option<ActionCode>,
    /// The value of the whole recommendation, in company currency.
    pub value: Money,
    /// Its item.
    pub item: Option<ItemId>,
    /// Its supplier.
    pub supplier: Option<SupplierId>,
    /// Who signed.
    pub by: PersonId,
    /// For whom, nearest first; empty for oneself.
    pub on_behalf_of: Vec<PersonId>,
}

/// By what an earlier value counts together with this one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Splitting {
    /// The same item.
    Item,
    /// The same supplier.
    Supplier,
    /// The same approver.
    Approver,
    /// The same approver through a delegation.
    Chain,
}

/// What a recommendation needs.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Ruling {
    /// May it be recommended and released at all?
    pub permitted: bool,
    /// Its tier.
    pub tier: Tier,
    /// How many different people sign: 1 or 2.
    pub signatures: u8,
    /// Roles that have to be among them, in fixed order.
    pub with: Vec<Role>,
    /// Roles of which each of them has to have one.
    pub who: Vec<Role>,
    /// What was compared with the limits: its own value and what counts with it.
    pub counted: Money,
    /// What of it counts for whom: own limits are held against that, see [`Policy::counted_for`].
    pub shares: Shares,
    /// Every rule that mattered, in plain words.
    pub because: Vec<String>,
}

/// What counts together with the one in question: each recommendation once, with the actions of its steps (None: not known).
#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct Before(Vec<(Money, BTreeSet<Option<ActionCode>>)>);

impl Before {
    fn all(&self) -> Money {
        self.0.iter().map(|(value, _)| *value).sum()
    }

    /// Those of which a step does this.
    fn of_action(&self, action: ActionCode) -> Money {
        let same = |actions: &BTreeSet<Option<ActionCode>>| actions.contains(&Some(action)) || actions.contains(&None);
        self.0.iter().filter(|(_, actions)| same(actions)).map(|(value, _)| *value).sum()
    }
}

impl Policy {
    /// May every one of these actions be recommended under it?
    pub fn permits_all<'a>(&self, mut actions: impl Iterator<Item = &'a Action>) -> bool {
        actions.all(|action| self.permits(ActionCode::of(action)))
    }

    /// What this recommendation needs before it is released: of several steps, what the strictest of them needs, each at the
    /// value of all together.
    pub fn judge(&self, question: &Question<'_>) -> Ruling {
        let mut because = Vec::new();
        let mut say = |reason: String| {
            if !because.contains(&reason) {
                because.push(reason);
            }
        };
        let value = question.value.abs();
        // What was released before counts with it: the tier does not fall where one purchase is split into several.
        let (before, by) = self.before(question);
        let counted = value + before.all();
        let (mut permitted, mut tier, mut signatures, mut with) = (true, Tier::T0, 1, BTreeSet::new());
        for step in question.steps {
            let action = step.action;
            // It is judged to the end all the same, so that the card names every reason and not the first alone.
            if !self.permits(action) {
                permitted = false;
                say(format!("{action} may not be recommended under this policy"));
            }
            if self.tiers.t0.actions.contains(&action) {
                say(format!("T0: {action} commits nothing"));
            } else {
                let by_value = self.tier_by_value(counted);
                say(self.value_told(by_value, value, &before, &by));
                tier = tier.max(by_value);
            }
            // A rule's limit is about one kind of action, so only what was released of that kind counts with it here.
            let held = Held { action, same_action: value + before.of_action(action), facts: step.facts };
            for rule in &self.rules {
                let Some(unknown) = rule.holds(&held, |amount| self.in_company(amount)) else { continue };
                tier = tier.max(rule.tier.unwrap_or(Tier::T0));
                signatures = signatures.max(rule.signatures.unwrap_or(1));
                if !rule.with.is_empty() {
                    // A co-approval is somebody's beside the one who approves.
                    signatures = 2;
                    with.extend(rule.with.iter().copied());
                }
                let unknown = match unknown.as_slice() {
                    [] => String::new(),
                    all => format!(" ({} not known: the stricter counts)", all.join(" and ")),
                };
                say(format!("{}: {} takes {}{unknown}", rule.name, rule.when_told(), rule.asks_told()));
            }
        }
        // A tier may ask for roles of its own, whichever rules hold: the stricter of both counts.
        let takes = self.tiers.takes(tier);
        with.extend(takes.with.iter().copied());
        Ruling {
            permitted,
            tier,
            signatures: signatures.max(takes.signatures),
            with: with.into_iter().collect(),
            who: takes.who.to_vec(),
            counted,
            shares: self.shares(question),
            because,
        }
    }

    /// What counts for everybody, and what only for who released it.
    fn shares(&self, question: &Question<'_>) -> Shares {
        let mut all: BTreeMap<&RecommendationId, (bool, Released)> = BTreeMap::new();
        for earlier in self.in_window(question).filter(|earlier| earlier.recommendation != *question.id) {
            let shared = self.ways(question, earlier).iter().any(|way| matches!(way, Splitting::Item | Splitting::Supplier));
            let none = || (false, Released { value: Money::ZERO, by: Vec::new(), on_behalf_of: Vec::new() });
            let (for_all, released) = all.entry(&earlier.recommendation).or_insert_with(none);
            *for_all |= shared;
            // Two who sign one recommendation release one value, not two.
            released.value = released.value.max(earlier.value.abs());
            released.by.push(earlier.by.clone());
            released.on_behalf_of.extend(earlier.on_behalf_of.iter().cloned());
        }
        let mut shares = Shares { for_all: question.value.abs(), released: Vec::new() };
        for (for_all, released) in all.into_values() {
            if for_all {
                shares.for_all += released.value;
            } else {
                shares.released.push(released);
            }
        }
        shares
    }

    /// What was released in the policy's window.
    fn in_window<'q>(&self, question: &Question<'q>) -> impl Iterator<Item = &'q Earlier> + use<'q> {
        let days = i64::from(self.cumulative.days);
        let since = question.now.checked_sub(SignedDuration::from_hours(24 * days)).unwrap_or(Timestamp::MIN);
        question.earlier.iter().filter(move |earlier| days > 0 && earlier.at >= since)
    }

    /// The tier of a value that commits something. A limit that can not be converted lets nothing through.
    fn tier_by_value(&self, counted: Money) -> Tier {
        let within = |(_, row): &(Tier, &super::tiers::TierRow)| self.in_company(&row.limit).is_some_and(|l| counted <= l);
        self.tiers.limited().iter().find(|row| within(row)).map_or(Tier::T4, |(tier, _)| *tier)
    }

    fn value_told(&self, tier: Tier, value: Money, before: &Before, by: &BTreeSet<Splitting>) -> String {
        let limit = self.tiers.limited().iter().find(|(t, _)| *t == tier).and_then(|(_, row)| self.in_company(&row.limit));
        let range = limit.map_or_else(|| "above every limit".to_owned(), |limit| format!("up to {limit}"));
        let own = format!("{tier}: {value} {}", self.currency);
        if before.0.is_empty() {
            return format!("{own}, {range}");
        }
        let by: Vec<&str> = by
            .iter()
            .map(|by| match by {
                Splitting::Item => "item",
                Splitting::Supplier => "supplier",
                Splitting::Approver => "approver",
                Splitting::Chain => "chain of delegation",
            })
            .collect();
        format!(
            "{own}, together with {} released in the last {} days for the same {} ({} recommendation{}) {}, {range}",
            before.all(),
            self.cumulative.days,
            by.join(" or "),
            before.0.len(),
            if before.0.len() == 1 { "" } else { "s" },
            value + before.all(),
        )
    }

    /// What was released in the window and counts with it, each recommendation once, and by what.
    fn before(&self, question: &Question<'_>) -> (Before, BTreeSet<Splitting>) {
        let mut by = BTreeSet::new();
        let mut counted: BTreeMap<&RecommendationId, (Money, BTreeSet<Option<ActionCode>>)> = BTreeMap::new();
        for earlier in self.in_window(question).filter(|earlier| earlier.recommendation != *question.id) {
            let ways = self.ways(question, earlier);
            if ways.is_empty() {
                continue;
            }
            by.extend(ways);
            let (value, actions) = counted.entry(&earlier.recommendation).or_default();
            *value = (*value).max(earlier.value.abs());
            actions.insert(earlier.action);
        }
        (Before(counted.into_values().collect()), by)
    }

    /// By what an earlier value counts with this one.
    fn ways(&self, question: &Question<'_>, earlier: &Earlier) -> Vec<Splitting> {
        let count = &self.cumulative;
        let signed = question.signers.contains(&earlier.by);
        let chained = question.on_behalf_of.contains(&earlier.by)
            || earlier.on_behalf_of.iter().any(|p| question.signers.contains(p) || question.on_behalf_of.contains(p));
        let same_item = question.steps.iter().any(|step| step.item.is_some() && earlier.item.as_ref() == step.item);
        let same_supplier =
            question.steps.iter().any(|step| step.supplier.is_some() && earlier.supplier.as_ref() == step.supplier);
        let ways = [
            (count.item && same_item, Splitting::Item),
            (count.supplier && same_supplier, Splitting::Supplier),
            (count.approver && signed, Splitting::Approver),
            (count.chain && chained, Splitting::Chain),
        ];
        ways.into_iter().filter(|(counts, _)| *counts).map(|(_, way)| way).collect()
    }
}
