//! `reeve queue batch`: many decisions by one command, each bound to the content that was read.

use serde_json::json;

use super::decide::reason;
use super::{Outcome, open, print_json};
use crate::approve::{DecisionRequest, Verb};
use crate::config::Config;
use crate::domain::decision::RejectReason;
use crate::domain::ids::{PersonId, RecommendationId, content_hash};
use crate::store::Store;

/// Digits of the content that have to be given, as for a single decision.
const DIGITS: usize = 12;

/// Which ones, by whom, and what.
#[derive(Debug, clap::Args)]
pub(super) struct Batch {
    /// Recommendations with the content that was read, as `reeve queue show` prints both: ID:HASH.
    #[arg(required = true, value_name = "ID:HASH", value_parser = picked)]
    what: Vec<Picked>,
    /// Who decides: a person's id from the configuration.
    #[arg(long = "as", value_name = "PERSON")]
    person: String,
    /// Reject all of them, with this one reason, instead of approving them.
    #[arg(long, value_name = "REASON", value_parser = reason, conflicts_with = "undo")]
    reject: Option<RejectReason>,
    /// Anything worth adding to the reason.
    #[arg(long, default_value = "", requires = "reject")]
    note: String,
    /// Take back what can still be taken back of them.
    #[arg(long)]
    undo: bool,
}

/// A recommendation and the first digits of its content.
#[derive(Clone, Debug)]
struct Picked {
    id: String,
    content: String,
}

fn picked(text: &str) -> Result<Picked, String> {
    match text.split_once(':') {
        Some((id, content)) if !id.is_empty() && content.len() >= DIGITS => {
            Ok(Picked { id: id.to_owned(), content: content.to_owned() })
        }
        _ => Err(format!("not ID:HASH with at least {DIGITS} digits of the content, as `reeve queue show` prints them")),
    }
}

pub(super) async fn run(config: Config, store: Store, batch: Batch, json: bool) -> anyhow::Result<Outcome> {
    let verb = match (batch.reject, batch.undo) {
        (Some(reason), _) => Verb::Reject { reason, note: batch.note },
        (None, true) => Verb::Undo,
        (None, false) => Verb::Approve,
    };
    let mut requests = Vec::new();
    for Picked { id, content } in &batch.what {
        let (recommendation, version) = store.get_recommendation(&RecommendationId::new(id.clone())).await?;
        let hash = recommendation.content_hash();
        // Other content is not this command's to judge: it is refused singly, with what to look at instead.
        let content_hash = if hash.starts_with(content.as_str()) { hash } else { content.clone() };
        requests.push(DecisionRequest {
            idempotency_key: key(&batch.person, &recommendation.id, &content_hash, version, &verb)?,
            person: PersonId::new(batch.person.clone()),
            channel: "cli".to_owned(),
            hand: store.hand_of_command(),
            recommendation_id: recommendation.id,
            content_hash,
            verb: verb.clone(),
        });
    }
    let app = open::app_on(config, store).await?;
    let answer = app.approvals.decide_batch(requests).await;
    let all = answer.refused.is_empty();
    if json {
        let refused: Vec<_> = answer
            .refused
            .iter()
            .map(|f| json!({ "recommendation_id": f.recommendation_id, "because": f.because.to_string() }))
            .collect();
        print_json(&json!({ "sum": answer.sum, "done": answer.done, "refused": refused }))?;
    } else {
        for done in &answer.done {
            say!("done     {}  {}", done.recommendation_id, done.said);
        }
        for failure in &answer.refused {
            say!("not done {}  {}", failure.recommendation_id, failure.because);
        }
        let sum = if verb == Verb::Approve { format!(", together worth {}", answer.sum) } else { String::new() };
        say!("{} done{sum}; {} not done", answer.done.len(), answer.refused.len());
    }
    Ok(if all { Outcome::Fine } else { Outcome::CheckFailed })
}

fn key(person: &str, id: &RecommendationId, content: &str, version: i64, verb: &Verb) -> anyhow::Result<String> {
    Ok(content_hash(&["cli", person, id.as_str(), content, &version.to_string(), &serde_json::to_string(verb)?]))
}
