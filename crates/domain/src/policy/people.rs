//! People: what they may do, up to how much, and for which part of the business.

use serde::{Deserialize, Serialize};

use super::amount::Amount;
use super::facts::{Facts, in_category};
use crate::ids::PersonId;

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

impl Role {
    /// Every role.
    pub const ALL: [Self; 6] = [Self::Viewer, Self::Planner, Self::Approver, Self::Finance, Self::Director, Self::Admin];

    /// As it is written in the configuration.
    pub fn name(self) -> &'static str {
        match self {
            Self::Viewer => "viewer",
            Self::Planner => "planner",
            Self::Approver => "approver",
            Self::Finance => "finance",
            Self::Director => "director",
            Self::Admin => "admin",
        }
    }

    /// A person of that role, in a sentence: "one of finance".
    pub fn told(self) -> &'static str {
        match self {
            Self::Viewer => "a viewer",
            Self::Planner => "a planner",
            Self::Approver => "an approver",
            Self::Finance => "one of finance",
            Self::Director => "a director",
            Self::Admin => "an administrator",
        }
    }

    /// Does it give a right to decide anything? Seeing and running Reeve do not.
    pub fn decides(self) -> bool {
        matches!(self, Self::Planner | Self::Approver | Self::Finance | Self::Director)
    }
}

/// The part of the business a person looks after. An empty list is everything of its kind.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Scopes {
    /// Ids, codes or names of locations.
    #[serde(default)]
    pub locations: Vec<String>,
    /// Item categories, with what is below them: `All / Food` holds `All / Food / Cheese`.
    #[serde(default)]
    pub categories: Vec<String>,
    /// Ids or names of suppliers.
    #[serde(default)]
    pub suppliers: Vec<String>,
}

impl Scopes {
    /// Is it the whole business?
    pub fn is_everything(&self) -> bool {
        self.locations.is_empty() && self.categories.is_empty() && self.suppliers.is_empty()
    }

    /// Does a case with these facts lie in it? Every location, category and supplier it touches has to; what is not known
    /// does not; and a case that touches nothing the scope names lies outside.
    pub fn hold(&self, facts: &Facts) -> bool {
        if self.is_everything() {
            return true;
        }
        let locations = covered(&self.locations, facts.locations.as_deref(), |own, place| place.is(own));
        let categories = covered(&self.categories, facts.categories.as_deref(), |own, category| in_category(category, own));
        let suppliers = covered(&self.suppliers, facts.suppliers.as_deref(), |own, supplier| supplier.is(own));
        let all = [locations, categories, suppliers];
        all.iter().all(|c| *c != Some(false)) && all.contains(&Some(true))
    }

    /// Does everything that a plan's steps touch lie in it?
    pub fn hold_all(&self, steps: &[Facts]) -> bool {
        steps.iter().all(|facts| self.hold(facts))
    }

    /// "location NOR; category All / Food", or "everything".
    pub fn told(&self) -> String {
        let kinds = [("location", &self.locations), ("category", &self.categories), ("supplier", &self.suppliers)];
        let told: Vec<String> = kinds
            .iter()
            .filter(|(_, names)| !names.is_empty())
            .map(|(k, names)| format!("{k} {}", names.join(", ")))
            .collect();
        if told.is_empty() { "everything".to_owned() } else { told.join("; ") }
    }
}

/// None where the scope or the case says nothing of this kind; else whether all the case touches is in the scope.
fn covered<T>(own: &[String], touched: Option<&[T]>, is: impl Fn(&str, &T) -> bool) -> Option<bool> {
    if own.is_empty() {
        return None;
    }
    match touched {
        None => Some(false),
        Some([]) => None,
        Some(all) => Some(all.iter().all(|one| own.iter().any(|name| is(name, one)))),
    }
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
    /// The part of the business they decide for.
    #[serde(default)]
    pub scopes: Scopes,
    /// Their own limit, below that of their tier; it may be in another currency. None: the tier's.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub limit: Option<Amount>,
}

impl Person {
    /// A person with no right to anything, for an id that is no longer in the configuration.
    pub fn gone(id: PersonId) -> Self {
        Self {
            name: id.to_string(),
            id,
            roles: Vec::new(),
            tier: 0,
            erp_user: String::new(),
            scopes: Scopes::default(),
            limit: None,
        }
    }

    /// Do they have this role?
    pub fn is(&self, role: Role) -> bool {
        self.roles.contains(&role)
    }

    /// Does one of their roles decide anything? A viewer or an administrator as such may not.
    pub fn decides(&self) -> bool {
        self.roles.iter().any(|role| role.decides())
    }

    /// Is it a part of the system rather than a person? Those never decide, whatever roles they were given.
    pub fn is_machine(&self) -> bool {
        let name = self.id.as_str().to_lowercase();
        name.is_empty() || name.starts_with("stage:") || name.starts_with("system")
    }
}
