//! The handbook's table of tiers over four limits: what there was before a policy file.

use super::document::Policy;
use super::facts::Facts;
use super::judge::Ruling;
use super::people::Person;
use super::sign::{Attempt, Refusal, Signer, Standing};
use super::tiers::Tier;
use super::{Amount, POLICY_VERSION};
use crate::action::Action;
use crate::ids::{PersonId, content_id};
use crate::money::Money;

/// Limits of the tiers, in company currency.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Largest value for one approver (T1).
    pub tier1_max: Money,
    /// Largest value for one approver with T2.
    pub tier2_max: Money,
    /// Largest value for two people, one of finance (T3).
    pub tier3_max: Money,
    /// Claims above this are T3.
    pub claim_tier3: Money,
}

impl Limits {
    /// The version of rules and limits together, as the audit log records it: the same label never stands for two
    /// different policies.
    pub fn policy_version(&self) -> String {
        let parts = [self.tier1_max, self.tier2_max, self.tier3_max, self.claim_tier3].map(|m| m.minor.to_string());
        let parts: Vec<&str> = parts.iter().map(String::as_str).collect();
        content_id(&format!("{POLICY_VERSION}-"), &parts, 8)
    }

    /// The shipped policy with these limits.
    pub fn policy(&self) -> Policy {
        let amount = |money: Money| Amount { value: rust_decimal::Decimal::new(money.minor, 2), currency: None };
        let mut policy = Policy::standard();
        policy.tiers.t1.limit = amount(self.tier1_max);
        policy.tiers.t2.limit = amount(self.tier2_max);
        policy.tiers.t3.limit = amount(self.tier3_max);
        for rule in policy.rules.iter_mut().filter(|rule| rule.name == "large claims") {
            rule.above = Some(amount(self.claim_tier3));
        }
        policy
    }
}

/// The tier of an action worth `value` when `cumulative` was already released in the window for the same item, supplier or
/// approver (without this one): the two count together, so that splitting does not lower the tier.
///
/// MONITOR, NO-ACTION, RECOUNT, CONTACT and ESCALATE commit nothing and are T0; REVERSE-DOC is at least T3, and so is a
/// CLAIM above its own limit. Everything else goes by value.
pub fn tier_of(action: &Action, value: Money, cumulative: Money, limits: &Limits) -> Tier {
    let total = value.abs() + cumulative.abs();
    let by_value = if total <= limits.tier1_max {
        Tier::T1
    } else if total <= limits.tier2_max {
        Tier::T2
    } else if total <= limits.tier3_max {
        Tier::T3
    } else {
        Tier::T4
    };
    match action {
        Action::Monitor { .. }
        | Action::NoAction { .. }
        | Action::Recount { .. }
        | Action::Contact { .. }
        | Action::Escalate { .. }
        // Notes: the ERP keeps neither.
        | Action::ForecastFix { .. }
        | Action::MarkEvent { .. } => Tier::T0,
        // The handbook asks T2 of ADJUST-PARAM for class A only; master data have no class, so all of it is held to that.
        Action::AdjustParam { .. }
        | Action::FixMaster { .. }
        | Action::AltSupplier { .. }
        | Action::PromoChange { .. }
        | Action::Markdown { .. } => by_value.max(Tier::T2),
        Action::AdjustStock { .. } | Action::ReverseDoc { .. } => by_value.max(Tier::T3),
        Action::Claim { .. } if value.abs() > limits.claim_tier3 => by_value.max(Tier::T3),
        _ => by_value,
    }
}

/// May `person` sign a recommendation of `tier`, after `already_signed` did? `touched_by` names whoever edited it or whose
/// count or receipt it concerns.
///
/// # Errors
/// Says why not, and who could.
pub fn may_decide(
    person: &Person,
    tier: Tier,
    already_signed: &[Person],
    touched_by: &[PersonId],
) -> Result<Standing, Refusal> {
    let policy = Policy::standard();
    let takes = policy.tiers.takes(tier);
    let ruling = Ruling {
        permitted: true,
        tier,
        signatures: takes.signatures,
        with: takes.with.to_vec(),
        who: takes.who.to_vec(),
        counted: Money::ZERO,
        because: Vec::new(),
    };
    let signed: Vec<Signer> = already_signed.iter().cloned().map(Signer::own).collect();
    let signer = Signer::own(person.clone());
    policy.may_sign(&Attempt { signer: &signer, ruling: &ruling, facts: &Facts::default(), signed: &signed, touched_by })
}
