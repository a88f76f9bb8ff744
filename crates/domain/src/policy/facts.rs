//! Facts of a recommendation that rules and scopes ask about. What is not known is None, and counts as the stricter case.

use std::fmt;

use serde::{Deserialize, Serialize};

use super::amount::Share;
use crate::ids::ItemId;
use crate::money::Money;

/// ABC class of an item by yearly value (handbook §3.1).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub enum Class {
    /// Up to 80 % of the value.
    A,
    /// Up to 95 %.
    B,
    /// The rest.
    C,
}

/// How much there is to fear from a supplier.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Risk {
    /// Little.
    Low,
    /// Some.
    Medium,
    /// Much.
    High,
}

impl fmt::Display for Risk {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Low => "low",
            Self::Medium => "medium",
            Self::High => "high",
        })
    }
}

/// Something with an id and names that a policy may call by any of them.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Named {
    /// The ERP's id.
    pub id: String,
    /// Code, name: whatever else it is called by.
    pub names: Vec<String>,
}

impl Named {
    /// A thing known by its id and other names.
    pub fn new(id: impl Into<String>, names: &[&str]) -> Self {
        Self { id: id.into(), names: names.iter().map(|n| (*n).to_owned()).collect() }
    }

    /// Is it what the policy calls `name`? An id is compared exactly, names without regard to case.
    pub fn is(&self, name: &str) -> bool {
        let same = |own: &String| !own.is_empty() && own.to_lowercase() == name.to_lowercase();
        self.id == name || self.names.iter().any(same)
    }
}

/// Is `category` the category `of`, or below it?
pub(super) fn in_category(category: &str, of: &str) -> bool {
    let parts = |text: &str| -> Vec<String> { text.split('/').map(|part| part.trim().to_lowercase()).collect() };
    parts(category).starts_with(&parts(of))
}

/// What is known of a recommendation beside its action and money. None is "not known", an empty list is "touches none".
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Facts {
    /// The item's class; the strictest where there are several.
    pub class: Option<Class>,
    /// The item that the action's purchase line is for: the action itself may name the line only.
    pub item: Option<ItemId>,
    /// Categories of the items.
    pub categories: Option<Vec<String>>,
    /// Every location it touches.
    pub locations: Option<Vec<Named>>,
    /// Every supplier it touches.
    pub suppliers: Option<Vec<Named>>,
    /// The risk of the riskiest supplier.
    pub supplier_risk: Option<Risk>,
    /// Margin that carrying it out gives away, in company currency; zero where it gives none away.
    pub margin_lost: Option<Money>,
    /// The same as a share of the margin there was.
    pub margin_lost_share: Option<Share>,
}
