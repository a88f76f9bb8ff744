//! Where a recommendation stands before people, apart from its state: with whom by name, how far it was escalated, what is
//! signed. A decision keeps it, so that taking the decision back restores it exactly.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::{RecommendationState as State, Signature};
use crate::ids::PersonId;

/// Where it stands before people. The default: queued, and nothing more.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Before {
    /// Whom somebody asked by name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub passed: Option<Passed>,
    /// How far it was escalated.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub escalated: Option<Escalated>,
    /// The first signature, where there is one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub signed: Option<Signature>,
}

/// Passed on by name.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Passed {
    /// With whom it is.
    pub to: PersonId,
    /// Through whose hands it went, first one first.
    pub via: Vec<PersonId>,
    /// When it was passed on last.
    pub at: Timestamp,
}

/// A step of the policy's chain.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Escalated {
    /// From 1.
    pub level: u8,
    /// When it was taken. Of a recommendation that was passed on since: when that was.
    pub at: Timestamp,
}

impl Before {
    pub(super) fn is_queued(&self) -> bool {
        *self == Self::default()
    }

    /// The state that says this.
    pub(super) fn restored(self) -> State {
        let level = self.escalated.as_ref().map_or(0, |step| step.level);
        match (self.passed, self.escalated, self.signed) {
            (Some(Passed { to, via, at }), _, signed) => State::Forwarded { to, via, at, level, signed },
            (None, Some(Escalated { level, at }), signed) => State::Escalated { level, at, signed },
            (None, None, Some(Signature { by, on_behalf_of, at })) => State::Signed { by, on_behalf_of, at },
            (None, None, None) => State::Queued,
        }
    }

    /// The state after a first signature: everything else stays as it is.
    pub(super) fn signed_by(self, signature: Signature) -> State {
        Self { signed: Some(signature), ..self }.restored()
    }

    /// Nobody signed.
    pub(super) fn unsigned(self) -> Self {
        Self { signed: None, ..self }
    }

    /// With nobody by name.
    pub(super) fn nameless(self) -> Self {
        Self { passed: None, ..self }
    }

    /// Everybody whose signature there is with that of `last`.
    pub(super) fn everybody(&self, last: PersonId) -> Vec<PersonId> {
        self.signed.iter().map(|first| first.by.clone()).chain([last]).collect()
    }
}

impl State {
    /// Where it stands before people; what is put off stands where it stood. Of what is not before people, nothing.
    pub(super) fn before(&self) -> Before {
        match self {
            Self::Signed { .. } => Before { signed: self.first_signature(), ..Before::default() },
            Self::Forwarded { to, via, at, level, signed } => Before {
                passed: Some(Passed { to: to.clone(), via: via.clone(), at: *at }),
                escalated: (*level > 0).then_some(Escalated { level: *level, at: *at }),
                signed: signed.clone(),
            },
            Self::Escalated { level, at, signed } => {
                Before { escalated: Some(Escalated { level: *level, at: *at }), signed: signed.clone(), ..Before::default() }
            }
            Self::Snoozed { before, .. } => before.clone(),
            _ => Before::default(),
        }
    }
}

impl super::RecommendationState {
    /// Does a recommendation in this state still count for anything? One that was replaced, or never shown, does not.
    pub fn counts(&self) -> bool {
        !matches!(self, Self::Superseded | Self::Drafted)
    }
}
