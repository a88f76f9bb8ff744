//! What a person can do to a recommendation, by name.

use std::fmt;

use serde::{Deserialize, Serialize};

/// What a person did to a recommendation. The one list of names: the store, the log, the API, tokens and pages use these.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum DecisionVerb {
    /// Agreed to it, alone or with one of two signatures.
    Approve,
    /// Put it forward with another quantity or date.
    Edit,
    /// Refused it.
    Reject,
    /// Put it off.
    Snooze,
    /// Asked somebody else by name.
    Forward,
    /// Gave it back to whoever passed it on.
    Return,
    /// Folded its case into another.
    Merge,
    /// Took back what they decided.
    Undo,
    /// Answered a drill, however: nothing was decided, and nobody can ask for it.
    Drill,
}

impl DecisionVerb {
    /// What a person can ask for.
    pub const ASKED: [Self; 8] =
        [Self::Approve, Self::Edit, Self::Reject, Self::Snooze, Self::Forward, Self::Return, Self::Merge, Self::Undo];

    /// The name.
    pub fn name(self) -> &'static str {
        match self {
            Self::Approve => "approve",
            Self::Edit => "edit",
            Self::Reject => "reject",
            Self::Snooze => "snooze",
            Self::Forward => "forward",
            Self::Return => "return",
            Self::Merge => "merge",
            Self::Undo => "undo",
            Self::Drill => "drill",
        }
    }

    /// The verb of this name among those that a person can ask for.
    pub fn asked(name: &str) -> Option<Self> {
        Self::ASKED.into_iter().find(|verb| verb.name() == name)
    }

    /// The verb of this name, as it is kept.
    pub fn kept(name: &str) -> Option<Self> {
        Self::asked(name).or_else(|| (name == Self::Drill.name()).then_some(Self::Drill))
    }
}

impl fmt::Display for DecisionVerb {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use proptest::sample::select;

    use super::DecisionVerb;

    fn any_verb() -> impl Strategy<Value = DecisionVerb> {
        select([&DecisionVerb::ASKED[..], &[DecisionVerb::Drill]].concat())
    }

    proptest! {
        #[test]
        fn every_verbs_name_reads_back_as_that_verb(verb in any_verb()) {
            prop_assert_eq!(DecisionVerb::kept(verb.name()), Some(verb));
            prop_assert_eq!(serde_json::to_value(verb).unwrap(), verb.name());
            prop_assert_eq!(serde_json::from_value::<DecisionVerb>(verb.name().into()).unwrap(), verb);
            prop_assert_eq!(DecisionVerb::asked(verb.name()).is_some(), verb != DecisionVerb::Drill);
        }

        #[test]
        fn what_is_no_verbs_name_is_no_verb(name in "\\PC*") {
            let known = DecisionVerb::kept(&name);
            prop_assert!(known.is_none_or(|verb| verb.name() == name));
        }
    }
}
