//! Why a person refuses a recommendation.

use serde::{Deserialize, Serialize};

/// Why a recommendation was refused (handbook §7). One is required.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum RejectReason {
    /// There is no problem.
    NotReal,
    /// There is, but this is not what to do about it.
    RealButWrongAction,
    /// Somebody did it already.
    AlreadyHandled,
    /// The quantity is wrong.
    WrongQuantity,
    /// The date is wrong.
    WrongDate,
    /// The supplier or the location is wrong.
    WrongSupplierOrLocation,
    /// Too little money for the trouble.
    NotWorthIt,
    /// Something Reeve does not know; the text says what.
    MissingContext,
    /// Against a policy.
    Policy,
    /// The same as another case.
    Duplicate,
}

impl RejectReason {
    /// Every reason, in the handbook's order.
    pub const ALL: [Self; 10] = [
        Self::NotReal,
        Self::RealButWrongAction,
        Self::AlreadyHandled,
        Self::WrongQuantity,
        Self::WrongDate,
        Self::WrongSupplierOrLocation,
        Self::NotWorthIt,
        Self::MissingContext,
        Self::Policy,
        Self::Duplicate,
    ];

    /// The handbook's code: `not-real`.
    pub fn code(self) -> &'static str {
        match self {
            Self::NotReal => "not-real",
            Self::RealButWrongAction => "real-but-wrong-action",
            Self::AlreadyHandled => "already-handled",
            Self::WrongQuantity => "wrong-quantity",
            Self::WrongDate => "wrong-date",
            Self::WrongSupplierOrLocation => "wrong-supplier-or-location",
            Self::NotWorthIt => "not-worth-it",
            Self::MissingContext => "missing-context",
            Self::Policy => "policy",
            Self::Duplicate => "duplicate",
        }
    }

    /// The reason of this code.
    pub fn coded(code: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|reason| reason.code() == code)
    }
}

impl RejectReason {
    /// Does the reason say that there is nothing to decide, whichever action is proposed? Then it closes the whole case;
    /// any other reason is about this one action.
    pub fn closes_case(self) -> bool {
        matches!(self, Self::NotReal | Self::AlreadyHandled | Self::NotWorthIt | Self::Policy | Self::Duplicate)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_reason_closes_the_case_where_it_leaves_nothing_to_decide() {
        let expected = [
            ("not-real", true),
            ("real-but-wrong-action", false),
            ("already-handled", true),
            ("wrong-quantity", false),
            ("wrong-date", false),
            ("wrong-supplier-or-location", false),
            ("not-worth-it", true),
            ("missing-context", false),
            ("policy", true),
            ("duplicate", true),
        ];
        let all = RejectReason::ALL.map(|reason| (reason.code(), reason.closes_case()));
        assert_eq!(all, expected);
        for (reason, (code, _)) in RejectReason::ALL.iter().zip(expected) {
            assert_eq!(serde_json::to_value(reason).unwrap(), code, "the code is what is stored");
        }
    }
}
