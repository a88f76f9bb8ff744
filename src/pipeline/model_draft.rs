//! Asks the language model for a draft: once, and once more with the guard's objections.
//!
//! Whatever goes wrong, the caller gets a reason and falls back to the playbook; no case waits for a model. Every call is
//! accounted for, whether its words are used or not.

use std::collections::BTreeSet;

use crate::domain::action::Candidate;
use crate::domain::draft::Draft;
use crate::domain::evidence::Bundle;
use crate::domain::ids::content_hash;
use crate::domain::recommendation::{Drafter, NotByModel};
use crate::ports::{LanguageModel, ModelError, ModelReply, ModelRequest};
use crate::rules::prompts::{CaseFile, Prompt, draft_request};

use crate::rules::guard::{self, Objection, Reply, Rule};
use crate::rules::sample::Sample;
use crate::rules::scene::Scene;

pub use crate::domain::draft::order_note;

/// How often the model is asked about one case: the first time, and one round of repair.
const ROUNDS: u32 = 2;
/// Most objections that are sent back or shown.
const OBJECTIONS_MAX: usize = 8;

/// What the calls for one case took: kept for the audit, whatever came of them.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Trace {
    /// The configured model. What a server calls it is text from outside, and may be a path.
    pub model: String,
    /// Which version of the prompt.
    pub prompt_hash: String,
    /// The hash of the last reply; empty when there was none.
    pub reply_hash: String,
    /// Tokens of all rounds.
    pub tokens: u64,
    /// Are they estimated, in any round?
    pub estimated: bool,
    /// Time of all rounds.
    pub latency_ms: u64,
    /// Rounds asked.
    pub rounds: u32,
    /// The rules of the guard that refused an answer, each once however often.
    pub refused: BTreeSet<Rule>,
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
            estimated: self.estimated,
            latency_ms: self.latency_ms,
            cost_micro: 0,
        }
    }
}

/// Why no words of the model are used. What it displays is for people, and holds no word of the model or its server.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Because {
    /// There was nothing to ask about.
    #[error("there is nothing that a model could choose or cite")]
    Nothing,
    /// A fault of the release.
    #[error("the prompt can not be rendered")]
    Prompt,
    /// There was no answer.
    #[error(transparent)]
    Model(#[from] ModelError),
    /// The guard refused each answer; these are its objections to the last.
    #[error("{}{}", refused(.0), places(.0))]
    Refused(Vec<Objection>),
}

impl Because {
    /// What kind of reason it is, of which there are few: the same words wherever in a draft the fault was.
    pub fn kind(&self) -> String {
        match self {
            Self::Refused(objections) => refused(objections),
            Self::Nothing | Self::Prompt | Self::Model(_) => self.to_string(),
        }
    }
}

impl From<&Because> for NotByModel {
    fn from(because: &Because) -> Self {
        Self { kind: Some(because.kind()), whole: because.to_string() }
    }
}

/// The first fault's kind.
fn refused(objections: &[Objection]) -> String {
    let since =
        objections.first().map_or_else(|| "and nobody said why".to_owned(), |first| format!("since {}", first.kind()));
    format!("its draft was refused twice, {since}")
}

/// Where each fault is; nothing where the first one's kind says it all.
fn places(objections: &[Objection]) -> String {
    let mut places: Vec<String> = objections.iter().take(OBJECTIONS_MAX).map(Objection::for_people).collect();
    places.dedup();
    if objections.len() > OBJECTIONS_MAX {
        places.push(format!("and {} more", objections.len() - OBJECTIONS_MAX));
    }
    let says_it_all = |first: &Objection| places == [first.kind()];
    if objections.first().is_none_or(says_it_all) {
        return String::new();
    }
    // One colon parts the kind from the places.
    format!(": {}", places.join("; ").replace(": ", ", "))
}

/// What came of asking the model.
#[derive(Clone, Debug, PartialEq)]
pub enum ModelOutcome {
    /// Words that passed the guard.
    Drafted {
        /// The order, the claims and the words, references filled in; under whose why they go is the caller's business.
        draft: Draft,
        /// What it took.
        trace: Trace,
    },
    /// None; the playbook drafts, and the card says why.
    GaveUp {
        /// Why.
        because: Because,
        /// What it took nevertheless.
        trace: Trace,
    },
}

impl ModelOutcome {
    /// What asking took, whatever came of it.
    pub fn trace(&self) -> &Trace {
        match self {
            Self::Drafted { trace, .. } | Self::GaveUp { trace, .. } => trace,
        }
    }
}

/// Asks `model` to order and explain the candidates that a judged case came to.
pub async fn draft_with_model(
    model: &dyn LanguageModel,
    scene: &Scene<'_>,
    candidates: &[Candidate],
    bundle: &Bundle,
) -> ModelOutcome {
    let file = CaseFile {
        prompt: &scene.settings.prompt,
        case_id: &scene.case.id,
        headline: &scene.case.headline,
        exceptions: scene.exceptions,
        subject: &scene.case.subject,
        currency: &scene.settings.money.currency,
        candidates,
        bundle,
    };
    ask(model, &file).await
}

/// Has `model` draft a small made-up case, as it would a real one: for whoever wants to know whether it can.
pub async fn try_out(model: &dyn LanguageModel) -> ModelOutcome {
    ask(model, &Sample::made_up().file()).await
}

/// Asks once, and once more with the objections.
async fn ask(model: &dyn LanguageModel, file: &CaseFile<'_>) -> ModelOutcome {
    let mut trace = Trace { model: model.name(), prompt_hash: file.prompt.hash().to_owned(), ..Trace::default() };
    let give_up = |because: Because, trace: Trace| ModelOutcome::GaveUp { because, trace };
    // What others wrote is never the only support of an action: without facts of our own there is nothing to cite.
    if file.candidates.is_empty() || file.bundle.facts.values().all(|fact| fact.third_party) {
        return give_up(Because::Nothing, trace);
    }
    let mut objections: Vec<Objection> = Vec::new();
    while trace.rounds < ROUNDS {
        let request = match draft_request(file, &for_the_model(&objections)) {
            Ok(Prompt { system, user, form, schema_name, schema }) => {
                ModelRequest { system, user, form, schema_name: schema_name.to_owned(), schema }
            }
            Err(error) => {
                tracing::error!("The prompt of a draft can not be rendered: {error:#}");
                return give_up(Because::Prompt, trace);
            }
        };
        // Counted before the call, for whatever comes of it has to be accounted for.
        trace.rounds += 1;
        let reply = match model.complete(&request).await {
            Ok(reply) => reply,
            Err(error) => return give_up(error.into(), trace),
        };
        trace.reply_hash = content_hash(&[&reply.text]);
        trace.tokens = trace.tokens.saturating_add(reply.tokens);
        trace.estimated |= reply.estimated;
        trace.latency_ms = trace.latency_ms.saturating_add(reply.latency_ms);
        let ModelReply { text, truncated, thought, .. } = reply;
        match guard::check(&Reply { text, truncated, thought }, file) {
            Ok(draft) => return ModelOutcome::Drafted { draft, trace },
            Err(found) => {
                objections = found;
                trace.refused.extend(objections.iter().map(Objection::rule));
                // The endpoint does not keep to the schema that it was given, so from now on the form is told in words, too.
                if objections.iter().any(|objection| matches!(objection, Objection::Shape(_))) {
                    model.tell_form();
                }
                tracing::info!(case = %file.case_id, round = trace.rounds, objections = objections.len(), "draft refused");
                tracing::debug!(case = %file.case_id, "Refused: {}", for_the_model(&objections).join("; "));
            }
        }
    }
    give_up(Because::Refused(objections), trace)
}

/// The objections as the model is told them.
fn for_the_model(objections: &[Objection]) -> Vec<String> {
    let mut told: Vec<String> = objections.iter().take(OBJECTIONS_MAX).map(Objection::for_model).collect();
    if objections.len() > OBJECTIONS_MAX {
        told.push(format!("and {} more", objections.len() - OBJECTIONS_MAX));
    }
    told
}

#[cfg(test)]
mod tests {
    use std::sync::Mutex;

    use async_trait::async_trait;

    use super::*;
    use crate::ports::NoWay;
    use crate::rules::prompts::DraftPrompt;

    /// Answers from a list and remembers what it was asked.
    struct Scripted {
        replies: Mutex<Vec<Result<ModelReply, ModelError>>>,
        asked: Mutex<Vec<ModelRequest>>,
    }

    /// What a model says, as the port hands it on.
    fn said(reply: Reply) -> ModelReply {
        let Reply { text, truncated, thought } = reply;
        ModelReply { text, truncated, thought, tokens: 500, estimated: false, latency_ms: 20 }
    }

    impl Scripted {
        fn new(replies: Vec<Result<Reply, ModelError>>) -> Self {
            let mut replies: Vec<_> = replies.into_iter().map(|reply| reply.map(said)).collect();
            replies.reverse();
            Self { replies: Mutex::new(replies), asked: Mutex::new(Vec::new()) }
        }
    }

    #[async_trait]
    impl LanguageModel for Scripted {
        fn name(&self) -> String {
            "scripted".to_owned()
        }

        async fn complete(&self, request: &ModelRequest) -> Result<ModelReply, ModelError> {
            self.asked.lock().unwrap().push(request.clone());
            self.replies.lock().unwrap().pop().unwrap()
        }
    }

    #[tokio::test]
    async fn a_good_draft_is_taken_at_once() {
        let sample = Sample::hostile();
        let model = Scripted::new(vec![Ok(sample.good_reply())]);
        let reply = sample.good_reply().text;
        let ModelOutcome::Drafted { draft, trace } = ask(&model, &sample.file()).await else { panic!("refused") };
        assert_eq!((trace.rounds, trace.refused.len()), (1, 0));
        assert_eq!(draft.choices[0].candidate, "A1");
        let expected = Drafter::Model {
            name: "scripted".to_owned(),
            prompt_hash: DraftPrompt::shipped().hash().to_owned(),
            reply_hash: content_hash(&[&reply]),
            tokens: 500,
            estimated: false,
            latency_ms: 20,
            cost_micro: 0,
        };
        assert_eq!(trace.drafter(), expected);
    }

    #[tokio::test]
    async fn a_refused_draft_is_repaired_once_with_the_reasons() {
        let sample = Sample::hostile();
        let bad = sample.reply_with(|answer| answer["choices"][0]["question"] = "Are 9999 units there?".into());
        let model = Scripted::new(vec![Ok(bad), Ok(sample.good_reply())]);
        let ModelOutcome::Drafted { trace, .. } = ask(&model, &sample.file()).await else { panic!("refused") };
        assert_eq!(trace.refused, BTreeSet::from([Rule::Number]), "counted once, and taken all the same");
        assert!(matches!(trace.drafter(), Drafter::Model { tokens: 1000, latency_ms: 40, .. }), "{trace:?}");
        let asked = model.asked.lock().unwrap();
        assert!(!asked[0].user.contains("was refused"));
        assert!(asked[1].user.contains("the number \"9999\" is written out"), "{}", asked[1].user);
    }

    #[tokio::test]
    async fn after_two_refusals_the_reason_is_for_the_card() {
        let sample = Sample::hostile();
        let bad = || Ok(sample.reply_with(|answer| answer["choices"][0]["candidate"] = "A9".into()));
        let model = Scripted::new(vec![bad(), bad()]);
        let ModelOutcome::GaveUp { because, trace } = ask(&model, &sample.file()).await else { panic!("taken") };
        let because = NotByModel::from(&because);
        let (kind, whole) = (because.kind.unwrap_or_default(), because.whole);
        assert!(kind.starts_with("its draft was refused twice, since "), "{kind}");
        assert!(whole.contains("it chose what is no candidate of the case") && !whole.contains("A9"), "{whole}");
        assert_eq!(trace.rounds, 2);
        assert!(trace.refused.contains(&Rule::Choices), "{:?}", trace.refused);
        assert!(!trace.reply_hash.is_empty());
    }

    #[test]
    fn a_reason_is_of_one_kind_wherever_the_fault_was() {
        let at = |field: &str| Objection::Markup(field.to_owned());
        let because = NotByModel::from(&Because::Refused(vec![at("A1 question"), at("A2 message")]));
        assert_eq!(because.kind.as_deref(), Some("its draft was refused twice, since a text had markup"));
        assert_eq!(
            because.whole,
            "its draft was refused twice, since a text had markup: A1 question, a text had markup; A2 message, a text had markup"
        );
        assert_eq!(Because::Refused(Vec::new()).to_string(), "its draft was refused twice, and nobody said why");
    }

    #[tokio::test]
    async fn an_unavailable_model_is_a_reason_and_not_an_error() {
        let sample = Sample::hostile();
        let down = ModelError::NoWay(NoWay::Refused);
        let model = Scripted::new(vec![Err(down)]);
        let ModelOutcome::GaveUp { because, .. } = ask(&model, &sample.file()).await else { panic!("taken") };
        assert_eq!(because.to_string(), "the language model can not be reached (connection refused)");
    }

    #[tokio::test]
    async fn without_a_fact_of_our_own_no_model_is_asked() {
        let mut sample = Sample::hostile();
        sample.bundle.facts.retain(|_, fact| fact.third_party);
        let model = Scripted::new(vec![]);
        assert!(matches!(ask(&model, &sample.file()).await, ModelOutcome::GaveUp { .. }));
        assert!(model.asked.lock().unwrap().is_empty());
    }
}
