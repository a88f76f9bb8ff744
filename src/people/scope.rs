//! What a token may be used for.

use std::fmt;
use std::str::FromStr;

use crate::domain::decision::DecisionVerb;

/// One thing that a token may be used for. Nothing includes another, but `decide` all of its verbs.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Scope {
    /// See cases, their cards and evidence.
    ReadCases,
    /// See digests.
    ReadDigests,
    /// See the audit log.
    ReadAudit,
    /// See figures on how Reeve and its people do.
    ReadKpi,
    /// Decide, as the person whose token it is. With a verb: only that.
    Decide(Option<DecisionVerb>),
}

/// A text that is no scope.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{text:?} is no scope; there are read:cases, read:digests, read:audit, read:kpi, decide, and decide: with one of {}",
    DecisionVerb::ASKED.map(DecisionVerb::name).join(", "))]
pub struct BadScope {
    /// The text.
    pub text: String,
}

impl Scope {
    /// Does it let its holder decide anything?
    pub fn decides(&self) -> bool {
        matches!(self, Self::Decide(_))
    }

    /// Is `wanted` included in it?
    pub fn covers(&self, wanted: &Self) -> bool {
        self == wanted || (wanted.decides() && *self == Self::Decide(None))
    }

    /// The scope that deciding `verb` takes.
    pub fn deciding(verb: DecisionVerb) -> Self {
        Self::Decide(Some(verb))
    }
}

impl fmt::Display for Scope {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::ReadCases => f.write_str("read:cases"),
            Self::ReadDigests => f.write_str("read:digests"),
            Self::ReadAudit => f.write_str("read:audit"),
            Self::ReadKpi => f.write_str("read:kpi"),
            Self::Decide(None) => f.write_str("decide"),
            Self::Decide(Some(verb)) => write!(f, "decide:{verb}"),
        }
    }
}

impl FromStr for Scope {
    type Err = BadScope;

    fn from_str(text: &str) -> Result<Self, BadScope> {
        match text {
            "read:cases" => Ok(Self::ReadCases),
            "read:digests" => Ok(Self::ReadDigests),
            "read:audit" => Ok(Self::ReadAudit),
            "read:kpi" => Ok(Self::ReadKpi),
            "decide" => Ok(Self::Decide(None)),
            _ => {
                let verb = text.strip_prefix("decide:").and_then(DecisionVerb::asked);
                verb.map(Self::deciding).ok_or_else(|| BadScope { text: text.to_owned() })
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn scope(text: &str) -> Scope {
        text.parse().unwrap()
    }

    #[test]
    fn a_scope_reads_back_as_it_is_written() {
        for text in ["read:cases", "read:digests", "read:audit", "read:kpi", "decide", "decide:reject"] {
            assert_eq!(scope(text).to_string(), text);
        }
        for text in ["", "read", "read:*", "decide:", "decide:everything", "DECIDE", "*", "admin"] {
            let error = text.parse::<Scope>().unwrap_err().to_string();
            assert!(error.contains("there are read:cases") && error.contains("approve"), "{error}");
        }
    }

    #[test]
    fn nothing_includes_another_scope_but_decide_its_verbs() {
        assert!(scope("decide").covers(&scope("decide:approve")));
        assert!(!scope("decide:approve").covers(&scope("decide")));
        assert!(!scope("decide:approve").covers(&scope("decide:reject")));
        assert!(!scope("decide").covers(&scope("read:cases")));
        assert!(!scope("read:audit").covers(&scope("read:cases")));
        assert!(scope("read:audit").covers(&scope("read:audit")));
    }
}
