//! Who may approve what (handbook §9): tiers by value, roles, four eyes, separation of duties.

use serde::{Deserialize, Serialize};

use super::ids::PersonId;
use super::money::Money;

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
