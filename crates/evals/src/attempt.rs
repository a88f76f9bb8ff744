//! What came of a scenario: everything that graders look at, as it stood in the store when nothing was left to do.

use reeve_domain::action::Action;
use reeve_domain::case::{Case, CaseState};
use reeve_domain::digest::Digest;
use reeve_domain::evidence::Bundle;
use reeve_domain::exception::{Exception, ExceptionState, ExceptionType};
use reeve_domain::ids::content_hash;
use reeve_domain::recommendation::{Drafter, Recommendation};
use serde::{Deserialize, Serialize};

use crate::cassette::Origin;

/// One run of one scenario.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Attempt {
    /// Which scenario: its folder's name.
    pub scenario: String,
    /// Which run of it, from 1.
    pub repeat: u32,
    /// Every case there is, in the order of ids.
    pub cases: Vec<CaseSeen>,
    /// Every exception that was ever seen, in the order of ids.
    pub exceptions: Vec<Exception>,
    /// The digest of the day, where one was due.
    pub digest: Option<Digest>,
    /// What a language model was asked and answered, in order.
    pub calls: Vec<Call>,
    /// Why the run did not come to its end; none where it did.
    pub failed: Option<String>,
}

/// A case with all that was made of it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct CaseSeen {
    /// The case.
    pub case: Case,
    /// Its exceptions.
    pub exceptions: Vec<Exception>,
    /// What is recommended, the first choice first.
    pub recommendations: Vec<Recommendation>,
    /// The evidence that it rests on.
    pub bundle: Option<Bundle>,
}

/// One call of a language model.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Call {
    /// The hash of what was asked.
    pub request: String,
    /// The rules that were told.
    pub system: String,
    /// The case that was told.
    pub user: String,
    /// The form that was asked for.
    pub schema: serde_json::Value,
    /// Whose answer it is; none where there was none.
    pub origin: Option<Origin>,
    /// Which model at which endpoint gave it; empty where it was written.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub asked: String,
    /// What was answered.
    pub reply: String,
    /// Tokens of both.
    pub tokens: u64,
}

impl CaseSeen {
    /// Is it before people?
    pub fn is_open(&self) -> bool {
        matches!(self.case.state, CaseState::Open | CaseState::New)
    }

    /// Is it judged, before people or not worth asking anybody?
    pub fn is_judged(&self) -> bool {
        self.is_open() || self.case.state == CaseState::Latent
    }

    /// Does it hold an open exception of this type?
    pub fn has(&self, code: ExceptionType) -> bool {
        self.exceptions.iter().any(|e| e.signal.code == code && e.state == ExceptionState::Open)
    }

    /// What is recommended first.
    pub fn first(&self) -> Option<&Recommendation> {
        self.recommendations.first()
    }

    /// Does its first recommendation hand over to people?
    pub fn abstains(&self) -> bool {
        self.first().is_some_and(|r| matches!(r.candidate.action, Action::Escalate { .. }))
    }

    /// Did a language model write its words?
    pub fn by_model(&self) -> bool {
        self.first().is_some_and(|r| matches!(r.drafter, Drafter::Model { .. }))
    }
}

impl Attempt {
    /// Cases before people, the most urgent first, as the digest has them; then the others.
    pub fn open(&self) -> impl Iterator<Item = &CaseSeen> {
        self.cases.iter().filter(|seen| seen.is_open())
    }

    /// The case that a scenario is about: the one with an open exception of its type, worth most; None where there is none.
    pub fn about(&self, code: Option<ExceptionType>) -> Option<&CaseSeen> {
        let of_type = |seen: &&CaseSeen| code.is_none_or(|code| seen.has(code));
        let worth = |seen: &&CaseSeen| seen.case.rank.as_ref().map(|rank| rank.priority);
        self.cases.iter().filter(|seen| seen.is_judged()).filter(of_type).max_by_key(|seen| (seen.is_open(), worth(seen)))
    }

    /// The first recommendation of each case before people as others are shown it: for votes.
    pub fn drafts(&self) -> Vec<crate::votes::Draft> {
        let draft = |seen: &CaseSeen| {
            let rec = seen.first()?;
            Some(crate::votes::Draft {
                scenario: format!("{}/{}", self.scenario, seen.case.id),
                headline: seen.case.headline.clone(),
                action: rec.candidate.told(),
                rationale: rec.prose.reasons(),
                risks: rec.prose.risks.clone(),
                message: rec.prose.message.clone().unwrap_or_default(),
                drafter: if seen.by_model() { "model".to_owned() } else { "playbook".to_owned() },
            })
        };
        self.open().filter_map(draft).collect()
    }

    /// The hash of all that is said, without how long a model took to say it: two runs of the same give the same.
    pub fn hash(&self) -> String {
        let mut same = self.clone();
        for rec in same.cases.iter_mut().flat_map(|seen| &mut seen.recommendations) {
            if let Drafter::Model { latency_ms, .. } = &mut rec.drafter {
                *latency_ms = 0;
            }
        }
        content_hash(&[&serde_json::to_string(&same).expect("an attempt has no map with keys that are not text")])
    }
}
