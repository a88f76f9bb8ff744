//! Asks the language model for a draft: once, and once more with the guard's objections.
//!
//! Whatever goes wrong, the caller gets a reason and falls back to the playbook; no case waits for a model. Every call is
//! accounted for, whether its words are used or not.

use crate::domain::action::Candidate;
use crate::domain::draft::Draft;
use crate::domain::evidence::Bundle;
use crate::domain::ids::content_hash;
use crate::domain::recommendation::Drafter;
use crate::ports::{LanguageModel, ModelRequest, PortError};
use crate::prompts::{CaseFile, Prompt, draft_request, prompt_hash};

use super::guard;
use super::view::CaseView;

pub use crate::domain::draft::order_note;

/// How often the model is asked about one case: the first time, and one round of repair.
const ROUNDS: u32 = 2;
/// Most objections that are sent back or shown.
const OBJECTIONS_MAX: usize = 8;

/// What the calls for one case took: kept for the audit, whatever came of them.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Trace {
    /// The model that answered last, or the configured one when none did.
    pub model: String,
    /// Which version of the prompt.
    pub prompt_hash: String,
    /// The hash of the last reply; empty when there was none.
    pub reply_hash: String,
    /// Tokens of all rounds.
    pub tokens: u64,
    /// Time of all rounds.
    pub latency_ms: u64,
    /// Rounds asked.
    pub rounds: u32,
}

impl Trace {
    /// Who drafted, for the recommendation. No price of a token is configured, so the cost is not known and says 0; the
    /// tokens are there.
    pub fn drafter(&self) -> Drafter {
        Drafter::Model {
            name: self.model.clone(),
            prompt_hash: self.prompt_hash.clone(),
            reply_hash: self.reply_hash.clone(),
            tokens: self.tokens,
            latency_ms: self.latency_ms,
            cost_micro: 0,
        }
    }
}

/// What came of asking the model.
#[derive(Clone, Debug, PartialEq)]
pub enum ModelOutcome {
    /// Words that passed the guard.
    Drafted {
        /// The order and the words, references filled in.
        draft: Draft,
        /// Whose words.
        drafter: Drafter,
    },
    /// None; the playbook drafts, and the card says why.
    GaveUp {
        /// Why, for people.
        because: String,
        /// What it took nevertheless.
        trace: Trace,
    },
}

/// Asks `model` to order and explain the candidates that a judged case came to.
pub async fn draft_with_model(
    model: &dyn LanguageModel,
    view: &CaseView<'_>,
    candidates: &[Candidate],
    bundle: &Bundle,
) -> ModelOutcome {
    let file = CaseFile {
        case_id: &view.case.id,
        headline: &view.case.headline,
        exceptions: view.exceptions,
        subject: &view.case.subject,
        currency: &view.config.money.currency,
        candidates,
        bundle,
    };
    ask(model, &file).await
}

/// Asks once, and once more with the objections.
async fn ask(model: &dyn LanguageModel, file: &CaseFile<'_>) -> ModelOutcome {
    let mut trace = Trace { model: model.name(), prompt_hash: prompt_hash(), ..Trace::default() };
    let give_up = |because: String, trace: Trace| ModelOutcome::GaveUp { because, trace };
    if file.candidates.is_empty() || file.bundle.facts.values().all(|fact| fact.third_party) {
        return give_up("there is nothing that a model could choose or cite".to_owned(), trace);
    }
    let mut objections: Vec<String> = Vec::new();
    while trace.rounds < ROUNDS {
        let request = match draft_request(file, &objections) {
            Ok(Prompt { system, user, schema_name, schema }) => {
                ModelRequest { system, user, schema_name: schema_name.to_owned(), schema }
            }
            Err(error) => return give_up(format!("the prompt can not be rendered: {error:#}"), trace),
        };
        trace.rounds += 1;
        let reply = match model.complete(&request).await {
            Ok(reply) => reply,
            Err(error) => return give_up(reason(&error), trace),
        };
        trace.model.clone_from(&reply.model);
        trace.reply_hash = content_hash(&[&reply.text]);
        trace.tokens = trace.tokens.saturating_add(reply.tokens);
        trace.latency_ms = trace.latency_ms.saturating_add(reply.latency_ms);
        match guard::check(&reply, file) {
            Ok(draft) => return ModelOutcome::Drafted { draft, drafter: trace.drafter() },
            Err(found) => {
                let hidden = found.len().saturating_sub(OBJECTIONS_MAX);
                objections = found.iter().take(OBJECTIONS_MAX).map(ToString::to_string).collect();
                if hidden > 0 {
                    objections.push(format!("and {hidden} more"));
                }
                tracing::info!(case = %file.case_id, round = trace.rounds, objections = found.len(), "draft refused");
            }
        }
    }
    give_up(format!("its draft was refused twice: {}", objections.join("; ")), trace)
}

/// The error and what caused it, on one line.
fn reason(error: &PortError) -> String {
    match std::error::Error::source(error) {
        Some(source) => format!("{error}: {source}"),
        None => error.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Mutex;

    use async_trait::async_trait;

    use super::super::draft_sample::Sample;
    use super::*;
    use crate::ports::ModelReply;

    /// Answers from a list and remembers what it was asked.
    struct Scripted {
        replies: Mutex<Vec<Result<ModelReply, PortError>>>,
        asked: Mutex<Vec<ModelRequest>>,
    }

    impl Scripted {
        fn new(mut replies: Vec<Result<ModelReply, PortError>>) -> Self {
            replies.reverse();
            Self { replies: Mutex::new(replies), asked: Mutex::new(Vec::new()) }
        }
    }

    #[async_trait]
    impl LanguageModel for Scripted {
        fn name(&self) -> String {
            "scripted".to_owned()
        }

        async fn complete(&self, request: &ModelRequest) -> Result<ModelReply, PortError> {
            self.asked.lock().unwrap().push(request.clone());
            self.replies.lock().unwrap().pop().unwrap()
        }
    }

    #[tokio::test]
    async fn a_good_draft_is_taken_at_once() {
        let sample = Sample::new();
        let model = Scripted::new(vec![Ok(sample.good_reply())]);
        let reply = sample.good_reply().text;
        let ModelOutcome::Drafted { draft, drafter } = ask(&model, &sample.file()).await else { panic!("refused") };
        assert_eq!(draft.choices[0].candidate, "A1");
        let expected = Drafter::Model {
            name: "scripted".to_owned(),
            prompt_hash: prompt_hash(),
            reply_hash: content_hash(&[&reply]),
            tokens: 500,
            latency_ms: 20,
            cost_micro: 0,
        };
        assert_eq!(drafter, expected);
    }

    #[tokio::test]
    async fn a_refused_draft_is_repaired_once_with_the_reasons() {
        let sample = Sample::new();
        let bad = sample.reply_with(|answer| answer["choices"][0]["rationale"] = "Order 9999 units right now.".into());
        let model = Scripted::new(vec![Ok(bad), Ok(sample.good_reply())]);
        let ModelOutcome::Drafted { drafter, .. } = ask(&model, &sample.file()).await else { panic!("refused") };
        assert!(matches!(drafter, Drafter::Model { tokens: 1000, latency_ms: 40, .. }), "{drafter:?}");
        let asked = model.asked.lock().unwrap();
        assert!(!asked[0].user.contains("was refused"));
        assert!(asked[1].user.contains("the number \"9999\" is not a cited fact"), "{}", asked[1].user);
    }

    #[tokio::test]
    async fn after_two_refusals_the_reason_is_for_the_card() {
        let sample = Sample::new();
        let bad = || Ok(sample.reply_with(|answer| answer["choices"][0]["candidate"] = "A9".into()));
        let model = Scripted::new(vec![bad(), bad()]);
        let ModelOutcome::GaveUp { because, trace } = ask(&model, &sample.file()).await else { panic!("taken") };
        assert!(because.contains("refused twice") && because.contains("no candidate \"A9\""), "{because}");
        assert_eq!(trace.rounds, 2);
        assert!(!trace.reply_hash.is_empty());
    }

    #[tokio::test]
    async fn an_unavailable_model_is_a_reason_and_not_an_error() {
        let sample = Sample::new();
        let down = PortError::Transient { service: "language model", retry_after: None, source: "timed out".into() };
        let model = Scripted::new(vec![Err(down)]);
        let ModelOutcome::GaveUp { because, .. } = ask(&model, &sample.file()).await else { panic!("taken") };
        assert_eq!(because, "language model is unavailable: timed out");
    }

    #[tokio::test]
    async fn without_a_fact_of_our_own_no_model_is_asked() {
        let mut sample = Sample::new();
        sample.bundle.facts.retain(|_, fact| fact.third_party);
        let model = Scripted::new(vec![]);
        assert!(matches!(ask(&model, &sample.file()).await, ModelOutcome::GaveUp { .. }));
        assert!(model.asked.lock().unwrap().is_empty());
    }
}
