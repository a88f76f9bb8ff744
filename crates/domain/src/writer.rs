//! Language models as writers of what people read: a writer has to earn its words before anybody is shown them.
//!
//! A writer is an endpoint, a model and a version of the prompt together. Another of any of the three is another writer, which
//! has earned nothing yet.

use std::fmt;

use jiff::Timestamp;
use jiff::civil::Date;
use serde::{Deserialize, Serialize};

use super::draft::Draft;
use super::ids::{CaseId, content_hash, content_id};
use super::money::Money;

/// An endpoint, a model and a version of the prompt.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Writer {
    /// The endpoint's address as people may see it, with a hash of the whole: `http://127.0.0.1:8000/… #1f3c09aa`.
    pub endpoint: String,
    /// The model's name, as it is configured.
    pub model: String,
    /// The prompt's version.
    pub prompt_version: String,
    /// The hash of the prompt's files.
    pub prompt: String,
}

impl Writer {
    /// A writer. `shown` is the endpoint's address as people may see it, `whole` the whole address without its credentials.
    pub fn new(shown: &str, whole: &str, model: &str, prompt_version: &str, prompt: &str) -> Self {
        Self {
            endpoint: format!("{shown} #{}", &content_hash(&[whole])[..8]),
            model: model.to_owned(),
            prompt_version: prompt_version.to_owned(),
            prompt: prompt.to_owned(),
        }
    }

    /// By what it is known in the store and in the log.
    pub fn id(&self) -> String {
        content_id("w-", &[&self.endpoint, &self.model, &self.prompt], 16)
    }

    /// Whom a question goes to, whatever prompt it is asked with: what a recorded answer keeps.
    pub fn asked(&self) -> String {
        format!("{} at {}", self.model, self.endpoint)
    }
}

impl fmt::Display for Writer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let prompt = self.prompt.get(..8).unwrap_or(&self.prompt);
        write!(f, "{} at {} with prompt {} ({prompt})", self.model, self.endpoint, self.prompt_version)
    }
}

/// What a writer did on a suite beside the playbook: what its promotion rests on.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Proof {
    /// Who wrote.
    pub writer: Writer,
    /// On which suite.
    pub suite: String,
    /// The hash of the suite's scenarios.
    pub data: String,
    /// The hashes of both runs: the playbook's and the writer's.
    pub runs: (String, String),
    /// What was found, a line for each gate.
    pub found: Vec<String>,
    /// What is missing; empty where it has earned its words.
    pub missing: Vec<String>,
    /// When it was held to the test, in business time.
    pub at: Timestamp,
}

impl Proof {
    /// Has the writer earned its words by it?
    pub fn passed(&self) -> bool {
        self.missing.is_empty()
    }

    /// The hash of all of it.
    pub fn hash(&self) -> String {
        content_hash(&[&serde_json::to_string(self).expect("a proof has no map with keys that are not text")])
    }
}

/// What became of a writer's draft of one case.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum DraftEnd {
    /// The guard let it through.
    Passed,
    /// The guard refused it, and its repair too.
    Refused,
    /// There was no answer.
    Unanswered,
}

impl DraftEnd {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Passed, Self::Refused, Self::Unanswered];

    /// The name in the store.
    pub fn name(self) -> &'static str {
        match self {
            Self::Passed => "passed",
            Self::Refused => "refused",
            Self::Unanswered => "unanswered",
        }
    }

    /// The end of this name.
    pub fn read(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|end| end.name() == name)
    }
}

/// What deterministic graders say of a draft that passed the guard, beside the computed order, which is the playbook's.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct DraftGrade {
    /// Pairs of candidates that it has in the computed order.
    pub agree: u32,
    /// Pairs that it put in an order.
    pub pairs: u32,
    /// What its first choice is worth less than the best candidate; nothing where it hands over to people.
    pub regret: Money,
    /// What the best candidate is worth.
    pub best: Money,
}

impl DraftGrade {
    /// Is its first choice worth more than a tenth less than the best (handbook §6 rule 7)?
    pub fn regrets(&self) -> bool {
        self.best > Money::ZERO && i128::from(self.regret.minor) * 10 > i128::from(self.best.minor)
    }

    /// Does it turn most pairs round?
    pub fn turns_round(&self) -> bool {
        self.agree * 2 < self.pairs
    }
}

/// A draft of a writer, graded.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct GradedDraft {
    /// Of which case.
    pub case: CaseId,
    /// On which evidence.
    pub evidence_hash: String,
    /// Whose: [`Writer::id`].
    pub writer: String,
    /// Did people see it? Where not it was made in shadow.
    pub shown: bool,
    /// The business day on which it was made.
    pub day: Date,
    /// What became of it.
    pub end: DraftEnd,
    /// Why it did not pass, in words of ours.
    pub because: String,
    /// What graders say of it; nothing where it did not pass.
    pub grade: DraftGrade,
    /// The draft itself, where it passed.
    pub draft: Option<Draft>,
    /// Tokens of all its calls.
    pub tokens: u64,
    /// When, in business time.
    pub at: Timestamp,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn another_endpoint_model_or_prompt_is_another_writer() {
        let writer = |whole: &str, model: &str, prompt: &str| Writer::new("http://a/…", whole, model, "1.0.0", prompt);
        let one = writer("http://a/v1", "m", "p");
        for other in [writer("http://a/v2", "m", "p"), writer("http://a/v1", "n", "p"), writer("http://a/v1", "m", "q")] {
            assert_ne!(one.id(), other.id());
        }
        assert_eq!(
            one.id(),
            Writer { prompt_version: "2.0.0".into(), ..one.clone() }.id(),
            "the files say which prompt it is"
        );
    }

    #[test]
    fn a_tenth_less_is_no_regret_and_more_is() {
        let grade = |regret: i64, best: i64| DraftGrade {
            regret: Money::from_minor(regret),
            best: Money::from_minor(best),
            ..DraftGrade::default()
        };
        assert!(!grade(10, 100).regrets() && grade(11, 100).regrets());
        assert!(!grade(0, 0).regrets() && !grade(5, -5).regrets(), "where nothing is worth anything nothing is regretted");
        let order = |agree: u32, pairs: u32| DraftGrade { agree, pairs, ..DraftGrade::default() };
        assert!(order(0, 1).turns_round() && !order(1, 2).turns_round() && !order(0, 0).turns_round());
    }
}
