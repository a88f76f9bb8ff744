//! Tiers: how much one may release, and how many and which signatures that takes.

use std::fmt;

use serde::{Deserialize, Serialize};

use super::amount::Amount;
use super::people::Role;
use super::rules::ActionCode;

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
    /// Every tier, lowest first.
    pub const ALL: [Self; 5] = [Self::T0, Self::T1, Self::T2, Self::T3, Self::T4];

    /// 0 to 4, comparable with [`super::Person::tier`].
    pub fn level(self) -> u8 {
        match self {
            Self::T0 => 0,
            Self::T1 => 1,
            Self::T2 => 2,
            Self::T3 => 3,
            Self::T4 => 4,
        }
    }

    /// The tier above, where there is one.
    pub fn next(self) -> Option<Self> {
        Self::ALL.get(usize::from(self.level()) + 1).copied()
    }
}

impl fmt::Display for Tier {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "T{}", self.level())
    }
}

/// `[tiers]`
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Tiers {
    /// What commits nothing.
    #[serde(rename = "T0")]
    pub t0: ZeroRow,
    /// The lowest tier with a limit.
    #[serde(rename = "T1")]
    pub t1: TierRow,
    /// The next.
    #[serde(rename = "T2")]
    pub t2: TierRow,
    /// The highest with a limit.
    #[serde(rename = "T3")]
    pub t3: TierRow,
    /// Everything above.
    #[serde(rename = "T4")]
    pub t4: TopRow,
}

/// `[tiers.T0]`
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ZeroRow {
    /// Actions that commit nothing, whatever they are worth.
    pub actions: Vec<ActionCode>,
    /// Roles that may sign.
    pub who: Vec<Role>,
}

/// `[tiers.T1]` to `[tiers.T3]`
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TierRow {
    /// Largest value, this one included.
    pub limit: Amount,
    /// How many different people sign: 1 or 2.
    #[serde(deserialize_with = "one_or_two")]
    pub signatures: u8,
    /// Roles that must be among them.
    pub with: Vec<Role>,
    /// Roles that may sign.
    pub who: Vec<Role>,
}

/// `[tiers.T4]`: without a limit.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TopRow {
    /// How many different people sign: 1 or 2.
    #[serde(deserialize_with = "one_or_two")]
    pub signatures: u8,
    /// Roles that must be among them.
    pub with: Vec<Role>,
    /// Roles that may sign.
    pub who: Vec<Role>,
}

/// What a tier takes, whichever row it is from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Takes<'a> {
    pub(super) signatures: u8,
    pub(super) with: &'a [Role],
    pub(super) who: &'a [Role],
}

impl Tiers {
    /// The rows with a limit, lowest first.
    pub(super) fn limited(&self) -> [(Tier, &TierRow); 3] {
        [(Tier::T1, &self.t1), (Tier::T2, &self.t2), (Tier::T3, &self.t3)]
    }

    pub(super) fn takes(&self, tier: Tier) -> Takes<'_> {
        match tier {
            Tier::T0 => Takes { signatures: 1, with: &[], who: &self.t0.who },
            Tier::T1 => self.t1.takes(),
            Tier::T2 => self.t2.takes(),
            Tier::T3 => self.t3.takes(),
            Tier::T4 => Takes { signatures: self.t4.signatures, with: &self.t4.with, who: &self.t4.who },
        }
    }
}

impl TierRow {
    fn takes(&self) -> Takes<'_> {
        Takes { signatures: self.signatures, with: &self.with, who: &self.who }
    }
}

pub(super) fn one_or_two<'de, D: serde::Deserializer<'de>>(d: D) -> Result<u8, D::Error> {
    match u8::deserialize(d)? {
        n @ 1..=2 => Ok(n),
        n => Err(serde::de::Error::custom(format!("{n} signatures can not be asked for: write 1 or 2"))),
    }
}
