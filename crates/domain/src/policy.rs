//! Who may approve what (handbook §9): tiers by value, roles, four eyes, separation of duties.
//!
//! Pure functions over the configured people and limits. Nothing here says *yes* by default: whoever is not named by a
//! rule is refused, with a sentence that says whom to ask.

use std::fmt;

use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};

use super::action::Action;
use super::ids::{PersonId, content_id};
use super::money::Money;

/// The rules of this file, as the audit log names them. Raise it with every change of a rule.
pub const POLICY_VERSION: &str = "policy/1";

/// What a person may do.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Role {
    /// Sees.
    Viewer,
    /// Sees, edits, snoozes; decides tier T0.
    Planner,
    /// Decides up to their tier.
    Approver,
    /// Counts as the finance signature of T3.
    Finance,
    /// Counts as the director's signature of T4.
    Director,
    /// Runs Reeve. Gives no right to approve.
    Admin,
}

/// A person who uses Reeve.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Person {
    /// Short id, used in the audit log.
    pub id: PersonId,
    /// Name shown to others.
    pub name: String,
    /// What they may do.
    pub roles: Vec<Role>,
    /// Highest tier they may release.
    pub tier: u8,
    /// The ERP's user id of the same person, empty when they have none: what they counted or received there they can not
    /// approve here.
    #[serde(default)]
    pub erp_user: String,
}

impl Person {
    fn is(&self, role: Role) -> bool {
        self.roles.contains(&role)
    }

    /// May they sign at all? A viewer, a planner or an administrator as such may not.
    fn signs(&self) -> bool {
        self.is(Role::Approver) || self.is(Role::Finance) || self.is(Role::Director)
    }
}

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
}

/// How many and which signatures a recommendation needs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub enum Tier {
    /// Commits nothing: a planner decides.
    T0,
    /// One approver.
    T1,
    /// One approver with T2.
    T2,
    /// Two different people, one of finance.
    T3,
    /// Two different people, one of them a director.
    T4,
}

impl Tier {
    /// 0 to 4, comparable with [`Person::tier`].
    pub fn level(self) -> u8 {
        match self {
            Self::T0 => 0,
            Self::T1 => 1,
            Self::T2 => 2,
            Self::T3 => 3,
            Self::T4 => 4,
        }
    }
}

impl fmt::Display for Tier {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "T{}", self.level())
    }
}

/// An amount of a foreign currency in the company's, `rate` being company units per foreign unit. Limits are compared
/// only after this (handbook §11 vector 14).
pub fn in_company_currency(amount: Decimal, rate: Decimal) -> Money {
    amount.checked_mul(rate).map_or(
        // Too large for a decimal is above every limit.
        Money::from_minor(i64::MAX),
        Money::from_decimal,
    )
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
        // A mute commits nothing: a planner's, unless it would hide so much money that it takes whoever could release that.
        Action::Mute { hides, .. } => {
            if hides.abs() <= limits.tier1_max {
                Tier::T0
            } else if hides.abs() <= limits.tier2_max {
                Tier::T2
            } else if hides.abs() <= limits.tier3_max {
                Tier::T3
            } else {
                Tier::T4
            }
        }
        // The handbook asks T2 of ADJUST-PARAM for class A only; master data have no class, so all of it is held to that.
        Action::AdjustParam { .. }
        | Action::FixMaster { .. }
        | Action::AltSupplier { .. }
        | Action::PromoChange { .. }
        | Action::Markdown { .. } => by_value.max(Tier::T2),
        Action::AdjustStock { .. } | Action::ReverseDoc { .. } => by_value.max(Tier::T3),
        Action::Claim { .. } if value.abs() > limits.claim_tier3 => by_value.max(Tier::T3),
        Action::Expedite { .. }
        | Action::DeferPo { .. }
        | Action::CancelPo { .. }
        | Action::NewPo { .. }
        | Action::IncreasePo { .. }
        | Action::SplitShip { .. }
        | Action::Transfer { .. }
        | Action::Reallocate { .. }
        | Action::HoldQc { .. }
        | Action::Return { .. }
        | Action::Claim { .. }
        | Action::BlockBill { .. }
        | Action::AcceptVar { .. } => by_value,
    }
}

/// What a person's signature amounts to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Standing {
    /// True when another person has to sign as well.
    pub needs_second: bool,
}

/// Why a person may not decide. Written for that person.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// Not a person.
    #[error("{0} is part of the system, and the system never approves; a person has to")]
    Machine(PersonId),
    /// No role that decides.
    #[error(
        "{who} may not decide this: it is {tier} and takes {needed}; being an administrator or a viewer gives no right to"
    )]
    Role {
        /// Their name.
        who: String,
        /// What they tried to decide.
        tier: Tier,
        /// Whom it takes.
        needed: &'static str,
    },
    /// Above their limit.
    #[error("{who} may release up to T{has}, and this is {tier}; pass it on to somebody who may release {tier}")]
    TierTooLow {
        /// Their name.
        who: String,
        /// Their limit.
        has: u8,
        /// What they tried to decide.
        tier: Tier,
    },
    /// They edited it, or it is about their own count or receipt.
    #[error("{0} changed this recommendation, or it is about their own count or receipt: somebody else has to approve it")]
    Touched(String),
    /// Two signatures of one person are one.
    #[error("{0} has signed this already; the second signature has to be somebody else's")]
    SamePerson(String),
    /// The two together are not who it takes.
    #[error("{tier} takes two people, one of them {lacks}; {who} as the second would not complete it")]
    Pair {
        /// Their name.
        who: String,
        /// What they tried to decide.
        tier: Tier,
        /// What the pair would lack.
        lacks: String,
    },
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
    not_a_machine(&person.id)?;
    if touched_by.contains(&person.id) {
        return Err(Refusal::Touched(person.name.clone()));
    }
    // Whoever signed first may have come to be concerned since: their signature is not what makes it two.
    if let Some(first) = already_signed.iter().find(|p| touched_by.contains(&p.id)) {
        return Err(Refusal::Touched(first.name.clone()));
    }
    if already_signed.iter().any(|p| p.id == person.id) {
        return Err(Refusal::SamePerson(person.name.clone()));
    }
    let role = |needed| Err(Refusal::Role { who: person.name.clone(), tier, needed });
    match tier {
        Tier::T0 if person.is(Role::Planner) || person.signs() => Ok(Standing { needs_second: false }),
        Tier::T0 => role("a planner or an approver"),
        Tier::T1 | Tier::T2 => {
            if !person.is(Role::Approver) {
                return role("an approver");
            }
            if person.tier < tier.level() {
                return Err(Refusal::TierTooLow { who: person.name.clone(), has: person.tier, tier });
            }
            Ok(Standing { needs_second: false })
        }
        Tier::T3 | Tier::T4 => {
            if !person.signs() {
                return role("two approvers");
            }
            let Some(first) = already_signed.first() else { return Ok(Standing { needs_second: true }) };
            let (special, title) =
                if tier == Tier::T3 { (Role::Finance, "of finance") } else { (Role::Director, "a director") };
            let pair_lacks = |lacks: String| Err(Refusal::Pair { who: person.name.clone(), tier, lacks });
            if !first.is(special) && !person.is(special) {
                return pair_lacks(title.to_owned());
            }
            if first.tier.max(person.tier) < tier.level() {
                return pair_lacks(format!("with the right to release {tier}"));
            }
            Ok(Standing { needs_second: false })
        }
    }
}

/// May `person` turn down, put off or edit a recommendation? That releases nothing, so it goes by role alone.
///
/// # Errors
/// Says who could.
pub fn may_turn_down(person: &Person) -> Result<(), Refusal> {
    not_a_machine(&person.id)?;
    if person.is(Role::Planner) || person.signs() {
        return Ok(());
    }
    Err(Refusal::Role { who: person.name.clone(), tier: Tier::T0, needed: "a planner or an approver" })
}

fn not_a_machine(id: &PersonId) -> Result<(), Refusal> {
    let name = id.as_str().to_lowercase();
    if name.is_empty() || name.starts_with("stage:") || name.starts_with("system") {
        return Err(Refusal::Machine(id.clone()));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::ids::SupplierId;
    use crate::money::Quantity;

    const LIMITS: Limits = Limits {
        tier1_max: Money::from_minor(100_000),
        tier2_max: Money::from_minor(1_000_000),
        tier3_max: Money::from_minor(5_000_000),
        claim_tier3: Money::from_minor(500_000),
    };

    fn person(id: &str, roles: &[Role], tier: u8) -> Person {
        Person { id: PersonId::new(id), name: id.to_owned(), roles: roles.to_vec(), tier, erp_user: String::new() }
    }

    fn order() -> Action {
        Action::CancelPo { po_line: "1".into(), quantity: Quantity::units(1) }
    }

    fn claim() -> Action {
        Action::Claim {
            supplier: SupplierId::new("9"),
            lines: vec![],
            quantity: Quantity::units(1),
            value: Money::ZERO,
            basis: String::new(),
        }
    }

    fn units(amount: i64) -> Money {
        Money::from_minor(amount * 100)
    }

    #[test]
    fn tiers_go_by_value_up_to_and_with_the_limit() {
        for (value, tier) in [
            (0, Tier::T1),
            (1_000, Tier::T1),
            (1_001, Tier::T2),
            (10_000, Tier::T2),
            (10_001, Tier::T3),
            (50_000, Tier::T3),
            (50_001, Tier::T4),
        ] {
            assert_eq!(tier_of(&order(), units(value), Money::ZERO, &LIMITS), tier, "{value}");
        }
    }

    #[test]
    fn some_actions_have_their_own_row() {
        let reverse = Action::ReverseDoc { document: "a".into(), duplicate_of: "b".into() };
        assert_eq!(tier_of(&reverse, units(1), Money::ZERO, &LIMITS), Tier::T3);
        assert_eq!(tier_of(&reverse, units(60_000), Money::ZERO, &LIMITS), Tier::T4);
        assert_eq!(tier_of(&claim(), units(5_000), Money::ZERO, &LIMITS), Tier::T2);
        assert_eq!(tier_of(&claim(), units(5_001), Money::ZERO, &LIMITS), Tier::T3);
        let nothing = Action::NoAction { reason: String::new() };
        assert_eq!(tier_of(&nothing, units(90_000), units(90_000), &LIMITS), Tier::T0);
        for (hides, tier) in [(1_000, Tier::T0), (1_001, Tier::T2), (10_001, Tier::T3), (50_001, Tier::T4)] {
            let until = "2026-10-20".parse().unwrap();
            let (exception, scope) = (crate::exception::ExceptionType::RShort, crate::mute::MuteScope::All);
            let mute = Action::Mute { exception, scope, until, hides: units(hides) };
            assert_eq!(tier_of(&mute, Money::ZERO, units(90_000), &LIMITS), tier, "{hides}");
        }
    }

    #[test]
    fn an_order_in_foreign_currency_is_converted_before_it_is_compared() {
        // §11 vector 14.
        let limits = Limits { tier1_max: units(5_000), ..LIMITS };
        let value = in_company_currency(Decimal::from(4_000), Decimal::from(6));
        assert_eq!(value, units(24_000));
        assert!(tier_of(&order(), value, Money::ZERO, &limits) > Tier::T1);
        assert_eq!(in_company_currency(Decimal::MAX, Decimal::from(6)), Money::from_minor(i64::MAX));
    }

    #[test]
    fn splitting_does_not_lower_the_tier() {
        assert_eq!(tier_of(&order(), units(600), Money::ZERO, &LIMITS), Tier::T1);
        assert_eq!(tier_of(&order(), units(600), units(600), &LIMITS), Tier::T2);
    }

    proptest! {
        #[test]
        fn the_last_part_of_a_split_order_has_the_tier_of_the_whole(parts in prop::collection::vec(0i64..3_000_000, 1..6)) {
            let whole: Money = parts.iter().map(|p| Money::from_minor(*p)).sum();
            let (last, earlier) = parts.split_last().expect("at least one");
            let earlier = earlier.iter().map(|p| Money::from_minor(*p)).sum();
            prop_assert_eq!(
                tier_of(&order(), Money::from_minor(*last), earlier, &LIMITS),
                tier_of(&order(), whole, Money::ZERO, &LIMITS)
            );
        }
    }

    #[test]
    fn one_approver_needs_the_role_and_the_tier() {
        let ari = person("ari", &[Role::Approver], 1);
        assert_eq!(may_decide(&ari, Tier::T1, &[], &[]), Ok(Standing { needs_second: false }));
        assert!(matches!(may_decide(&ari, Tier::T2, &[], &[]), Err(Refusal::TierTooLow { has: 1, .. })));
        let pia = person("pia", &[Role::Planner], 4);
        assert!(may_decide(&pia, Tier::T0, &[], &[]).is_ok());
        assert!(matches!(may_decide(&pia, Tier::T1, &[], &[]), Err(Refusal::Role { .. })));
    }

    #[test]
    fn an_administrator_or_viewer_decides_nothing() {
        for role in [Role::Admin, Role::Viewer] {
            let person = person("adm", &[role], 4);
            for tier in [Tier::T0, Tier::T1, Tier::T2, Tier::T3, Tier::T4] {
                assert!(matches!(may_decide(&person, tier, &[], &[]), Err(Refusal::Role { .. })), "{role:?} {tier}");
            }
            assert!(may_turn_down(&person).is_err());
        }
    }

    #[test]
    fn the_system_is_never_an_approver_whatever_its_roles() {
        for id in ["stage:draft", "system", "System-2", ""] {
            let machine = person(id, &[Role::Planner, Role::Approver, Role::Finance, Role::Director], 4);
            assert!(matches!(may_decide(&machine, Tier::T0, &[], &[]), Err(Refusal::Machine(_))), "{id}");
            assert!(may_turn_down(&machine).is_err());
        }
    }

    #[test]
    fn who_touched_it_can_not_approve_it() {
        let dan = person("dan", &[Role::Approver, Role::Director], 4);
        assert_eq!(may_decide(&dan, Tier::T0, &[], std::slice::from_ref(&dan.id)), Err(Refusal::Touched("dan".into())));
    }

    #[test]
    fn four_eyes_take_two_different_people_and_the_right_ones() {
        let ari = person("ari", &[Role::Approver], 2);
        let bo = person("bo", &[Role::Approver], 3);
        let fay = person("fay", &[Role::Approver, Role::Finance], 3);
        let dan = person("dan", &[Role::Approver, Role::Director], 4);
        let open = Ok(Standing { needs_second: true });
        let done = Ok(Standing { needs_second: false });
        assert_eq!(may_decide(&ari, Tier::T3, &[], &[]), open);
        assert_eq!(may_decide(&fay, Tier::T3, std::slice::from_ref(&ari), &[]), done);
        assert_eq!(may_decide(&ari, Tier::T3, std::slice::from_ref(&fay), &[]), done);
        assert!(matches!(may_decide(&bo, Tier::T3, std::slice::from_ref(&ari), &[]), Err(Refusal::Pair { .. })));
        assert!(matches!(may_decide(&fay, Tier::T3, std::slice::from_ref(&fay), &[]), Err(Refusal::SamePerson(_))));
        assert!(matches!(may_decide(&fay, Tier::T4, std::slice::from_ref(&bo), &[]), Err(Refusal::Pair { .. })));
        assert_eq!(may_decide(&dan, Tier::T4, std::slice::from_ref(&fay), &[]), done);
    }

    #[test]
    fn other_limits_are_another_policy_version() {
        assert_ne!(LIMITS.policy_version(), Limits { tier1_max: Money::ZERO, ..LIMITS }.policy_version());
        assert!(LIMITS.policy_version().starts_with(POLICY_VERSION));
    }
}
