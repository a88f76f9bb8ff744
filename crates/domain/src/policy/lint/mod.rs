//! Lint: finds holes in a policy before somebody falls into one.
//!
//! Each check looks at one thing and says where it is, what is wrong and how to mend it. It changes nothing, and finding
//! nothing is no proof: it knows the mistakes that are known.

mod cover;
mod limits;
mod names;
mod people;
mod rules;
mod time;

use std::fmt;

use serde::{Deserialize, Serialize};

use super::delegation::Delegation;
use super::document::Policy;
use super::facts::Named;
use super::people::Person;

/// How bad a finding is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Severity {
    /// A hole: somebody can do what they should not, or nobody can do what they should.
    Error,
    /// Something that does not do what it seems to.
    Warning,
    /// It works, and hangs on one thing.
    Note,
}

/// Something in the policy that should be looked at.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Finding {
    /// How bad.
    pub severity: Severity,
    /// The key or the people it is about.
    pub place: String,
    /// What is wrong.
    pub what: String,
    /// What to do.
    pub fix: String,
}

impl Finding {
    fn new(severity: Severity, place: impl Into<String>, what: impl Into<String>, fix: impl Into<String>) -> Self {
        Self { severity, place: place.into(), what: what.into(), fix: fix.into() }
    }

    fn error(place: impl Into<String>, what: impl Into<String>, fix: impl Into<String>) -> Self {
        Self::new(Severity::Error, place, what, fix)
    }

    fn warning(place: impl Into<String>, what: impl Into<String>, fix: impl Into<String>) -> Self {
        Self::new(Severity::Warning, place, what, fix)
    }

    fn note(place: impl Into<String>, what: impl Into<String>, fix: impl Into<String>) -> Self {
        Self::new(Severity::Note, place, what, fix)
    }
}

impl fmt::Display for Finding {
    /// `error: tiers.T2.limit: … Fix: …`
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let severity = match self.severity {
            Severity::Error => "error",
            Severity::Warning => "warning",
            Severity::Note => "note",
        };
        write!(f, "{severity}: {}: {}. Fix: {}.", self.place, self.what, self.fix)
    }
}

/// What locations, categories and suppliers there are, where that is known: then a name that is none of them is found.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct KnownNames {
    /// Locations.
    pub locations: Vec<Named>,
    /// Categories of items.
    pub categories: Vec<String>,
    /// Suppliers.
    pub suppliers: Vec<Named>,
}

/// Everything to be found in the policy, for these people and delegations, worst first.
pub fn lint(policy: &Policy, people: &[Person], delegations: &[Delegation]) -> Vec<Finding> {
    lint_with(policy, people, delegations, None)
}

/// The same, with the names there are in the ERP.
pub fn lint_with(
    policy: &Policy,
    people: &[Person],
    delegations: &[Delegation],
    known: Option<&KnownNames>,
) -> Vec<Finding> {
    let mut findings = limits::findings(policy, people);
    findings.extend(limits::splitting(policy));
    findings.extend(rules::findings(policy));
    findings.extend(people::findings(policy, people));
    findings.extend(people::delegations(policy, people, delegations));
    findings.extend(cover::findings(policy, people));
    findings.extend(time::findings(policy));
    if let Some(known) = known {
        findings.extend(names::findings(policy, people, known));
    }
    findings.sort();
    findings.dedup();
    findings
}

#[cfg(test)]
mod tests;
