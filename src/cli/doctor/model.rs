//! Asks the language model what it will be asked: to draft a case, read through the guard. An endpoint that answers, and whose
//! answers no case can use, is a fault.

use crate::adapters::openai;
use crate::clock::Clock;
use crate::config::ModelConfig;
use crate::pipeline::model_draft::{Because, ModelOutcome, Trace, try_out};
use crate::ports::LanguageModel;
use crate::rules::guard::Objection;

/// What there is to say of the configured model.
///
/// # Errors
/// Why no case would be drafted by it, and what to do.
pub(super) async fn look(config: &ModelConfig) -> anyhow::Result<String> {
    let Some(model) = openai::model(config, Clock::System)? else {
        return Ok("none configured: the playbook drafts".to_owned());
    };
    look_at(model.as_ref(), config).await
}

/// The same of a model at hand.
pub(super) async fn look_at(model: &dyn LanguageModel, config: &ModelConfig) -> anyhow::Result<String> {
    let outcome = try_out(model).await;
    let asked = model.dialect();
    match outcome {
        ModelOutcome::Drafted { trace: Trace { model, tokens, estimated, latency_ms, rounds, .. }, .. } => {
            let about = if estimated { "about " } else { "" };
            let repair = if rounds > 1 { ", at the second try" } else { "" };
            Ok(format!(
                "{model} drafted a made-up case in {latency_ms} ms{repair}, {about}{tokens} tokens; asked with {asked}"
            ))
        }
        ModelOutcome::GaveUp { because, .. } => {
            let (said, remedy) = match &because {
                Because::Model(error) => (error.to_string(), error.remedy().to_owned()),
                Because::Refused(objections) => {
                    (format!("it answers, but {because} (asked with {asked})"), remedy(objections, config))
                }
                Because::Nothing | Because::Prompt => {
                    (because.to_string(), "this is a fault in Reeve, please report it".to_owned())
                }
            };
            anyhow::bail!("{said}; {remedy}; {PLAYBOOK}")
        }
    }
}

const PLAYBOOK: &str = "until then the playbook drafts";

/// What to do about drafts that the guard refuses.
fn remedy(objections: &[Objection], config: &ModelConfig) -> String {
    match objections.first() {
        Some(Objection::OnlyThought | Objection::Truncated) => {
            format!("raise model.tokens_max, which is {}, or have the model think less", config.tokens_max)
        }
        Some(Objection::Empty | Objection::Shape(_) | Objection::TooMuch) => {
            "use a larger model, or a server that holds its model to a JSON schema".to_owned()
        }
        _ => "use a larger model: this one does not keep to the rules of prompts/draft".to_owned(),
    }
}
