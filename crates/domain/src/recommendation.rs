//! Recommendations: candidates of one case, put in order and explained by a drafter.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::action::{Action, Candidate};
use super::claim::Claim;
use super::decision::RecommendationState;
use super::ids::{CaseId, FactId, PersonId, RecommendationId, content_hash, content_id};

/// Who wrote the prose and the order.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "by", rename_all = "snake_case")]
pub enum Drafter {
    /// The deterministic playbook. `because` says why not the model, when one is configured.
    Playbook { because: Option<NotByModel> },
    /// A language model, with what is needed to audit the call. `estimated` says that its server gave no number of tokens
    /// that can be true.
    Model {
        name: String,
        prompt_hash: String,
        reply_hash: String,
        tokens: u64,
        #[serde(default, skip_serializing_if = "std::ops::Not::not")]
        estimated: bool,
        latency_ms: u64,
        cost_micro: u64,
    },
    /// People who changed its quantity or dates, first one first; `first` is the recommendation they started from, `was` what
    /// its first step did, and `was_then` what its further steps did. None of them can approve it.
    Edited {
        editors: Vec<PersonId>,
        first: RecommendationId,
        was: Box<Action>,
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        was_then: Vec<Action>,
    },
}

/// Why the playbook drafted although a model is configured, in words for people.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(from = "Kept")]
pub struct NotByModel {
    /// What kind of reason it is: the same words for every case that has it, so that a digest can count them. None where it
    /// was kept by a release that wrote only the whole.
    pub kind: Option<String>,
    /// The reason whole, with every place in the draft that was refused.
    pub whole: String,
}

impl NotByModel {
    /// A reason that is a kind of its own.
    pub fn of(kind: impl Into<String>) -> Self {
        let kind = kind.into();
        Self { whole: kind.clone(), kind: Some(kind) }
    }
}

/// A reason as it may be found in the store.
#[derive(Deserialize)]
#[serde(untagged)]
enum Kept {
    Whole(String),
    WithKind { kind: Option<String>, whole: String },
}

impl From<Kept> for NotByModel {
    fn from(kept: Kept) -> Self {
        match kept {
            Kept::Whole(whole) => Self { kind: None, whole },
            Kept::WithKind { kind, whole } => Self { kind, whole },
        }
    }
}

/// The words around a candidate. They can not change a number, a check or the order of cases.
///
/// Why, risks and what would change it are the arithmetic's. A model's reasons stand under them, as claims that the program found
/// true, and what it says in words of its own is a question.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Prose {
    /// Why this action: two or three sentences, each figure a cited fact.
    pub rationale: String,
    /// What could go wrong with it.
    pub risks: String,
    /// What would change the drafter's mind.
    pub would_change: String,
    /// The reasons that a model picked, in its order.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub claims: Vec<Claim>,
    /// What a model asks whoever decides. Empty where it asks nothing.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub question: String,
    /// A draft message to supplier, carrier or store, for actions that send one.
    pub message: Option<String>,
    /// The facts the prose cites.
    pub cites: Vec<FactId>,
}

impl Prose {
    /// Why, as people read it, in one text: the computed words, then the reasons that a model picked and what it asks.
    pub fn reasons(&self) -> String {
        let claims = self.claims.iter().map(|claim| claim.words.as_str());
        let all = [self.rationale.as_str()].into_iter().chain(claims).chain([self.question.as_str()]);
        all.filter(|text| !text.is_empty()).collect::<Vec<_>>().join(" ")
    }
}

/// One proposed action of a case.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Recommendation {
    /// The hash of its content: the same content is the same recommendation.
    pub id: RecommendationId,
    /// Whose.
    pub case_id: CaseId,
    /// 1 is the drafter's first choice.
    pub rank: u32,
    /// What is proposed.
    pub candidate: Candidate,
    /// Why, in words.
    pub prose: Prose,
    /// The evidence it was drafted on.
    pub evidence_hash: String,
    /// Whose words.
    pub drafter: Drafter,
    /// Where it stands.
    pub state: RecommendationState,
    /// When it was drafted.
    pub drafted_at: Timestamp,
}

impl Recommendation {
    /// What an approval binds to: case, evidence, rank, action with all parameters, money and prose.
    pub fn content_hash(&self) -> String {
        content_of(&self.case_id, self.rank, &self.candidate, &self.prose, &self.evidence_hash)
    }

    /// Makes a drafted recommendation, its id derived from its content.
    pub fn drafted(
        case_id: CaseId,
        rank: u32,
        candidate: Candidate,
        prose: Prose,
        evidence_hash: String,
        drafter: Drafter,
        drafted_at: Timestamp,
    ) -> Self {
        let hash = content_of(&case_id, rank, &candidate, &prose, &evidence_hash);
        Self {
            id: RecommendationId(content_id("r-", &[&hash], 16)),
            case_id,
            rank,
            candidate,
            prose,
            evidence_hash,
            drafter,
            state: RecommendationState::Drafted,
            drafted_at,
        }
    }
}

fn content_of(case_id: &CaseId, rank: u32, candidate: &Candidate, prose: &Prose, evidence_hash: &str) -> String {
    let candidate = serde_json::to_string(candidate).expect("a candidate has no map with keys that are not text");
    let prose = serde_json::to_string(prose).expect("prose is plain text");
    content_hash(&[case_id.as_str(), &rank.to_string(), &candidate, &prose, evidence_hash])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_reason_reads_back_and_so_does_one_that_was_kept_without_its_kind() {
        let because = NotByModel { kind: Some("it was empty".to_owned()), whole: "it was empty: A1".to_owned() };
        let drafter = Drafter::Playbook { because: Some(because) };
        let stored = serde_json::to_string(&drafter).unwrap();
        assert_eq!(serde_json::from_str::<Drafter>(&stored).unwrap(), drafter);
        let before = r#"{"by":"playbook","because":"it was empty: A1"}"#;
        let because = NotByModel { kind: None, whole: "it was empty: A1".to_owned() };
        assert_eq!(serde_json::from_str::<Drafter>(before).unwrap(), Drafter::Playbook { because: Some(because) });
        let none = r#"{"by":"playbook","because":null}"#;
        assert_eq!(serde_json::from_str::<Drafter>(none).unwrap(), Drafter::Playbook { because: None });
    }
}
