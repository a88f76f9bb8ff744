//! Who may approve what (handbook §9): the policy as data, and the rules that hold whatever the data say.
//!
//! Pure functions over a [`Policy`] read from `config/policy.toml`, the configured people and their delegations. Nothing
//! here says *yes* by default: whoever is not named by a rule is refused, with a sentence that says whom to ask. What is not
//! known counts as the stricter case.
//!
//! Start at [`Policy::judge`] (what does this recommendation need?) and [`Policy::may_sign`] (may this person give it?).

mod amount;
mod delegation;
mod document;
mod escalation;
mod facts;
mod hours;
mod judge;
mod lint;
mod own;
mod people;
mod quiet;
mod rules;
mod show;
mod sign;
#[cfg(test)]
mod tests;
mod tiers;

pub use self::amount::{Amount, Share, in_company_currency};
pub use self::delegation::{BadDelegation, Delegation, DelegationRules, acting_for, check_new};
pub use self::document::{Cumulative, DEFAULT_TOML, Detectors, Drills, ModelSight, Mutes, Permitted, Policy, PolicyError};
pub use self::escalation::{Addressee, Escalation, Recipients, Step};
pub use self::facts::{Class, Facts, Named, Risk};
pub use self::hours::{WorkDay, WorkingHours};
pub use self::judge::{Earlier, Question, QuestionStep, Ruling, Splitting};
pub use self::lint::{Finding, KnownNames, Severity, lint, lint_with};
pub use self::own::Shares;
pub use self::people::{Person, Role, Scopes};
pub use self::quiet::QuietHours;
pub use self::rules::{ActionCode, Rule};
pub use self::show::{FORBIDDEN, PolicyDocument, Section, show};
pub use self::sign::{Attempt, Refusal, Refused, Signer, Standing, may_turn_down};
pub use self::tiers::{Tier, TierRow, Tiers, TopRow, ZeroRow};

/// The rules that are written in code, as the audit log names them. Raise it with every change of a rule of this folder.
pub const POLICY_VERSION: &str = "policy/3";
