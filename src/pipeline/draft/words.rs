//! Who writes a case's words: the model, where there is one, it may be asked and its day's calls are not used up; else the playbook.

use async_trait::async_trait;

use super::{Asks, Drafting};
use crate::domain::action::Candidate;
use crate::domain::draft::Draft;
use crate::domain::evidence::Bundle;
use crate::domain::recommendation::{Drafter, NotByModel};
use crate::pipeline::context::Context as Stages;
use crate::pipeline::model_draft::{ModelOutcome, draft_with_model};
use crate::ports::{LanguageModel, ModelError, ModelReply, ModelRequest};
use crate::rules::assess::Assessment;
use crate::rules::playbook;
use crate::rules::scene::Scene;
use crate::store::StoreError;

/// What was written for a case.
pub(super) struct Written {
    /// In which order, and how. A model's reasons stand under the computed words.
    pub(super) draft: Draft,
    /// Who put it in order.
    pub(super) drafter: Drafter,
    /// What became of a model's draft, where one was asked.
    pub(super) end: Option<ModelOutcome>,
}

impl Written {
    /// What the log says of the calls, for the counts of the guard's rules: how often the model answered, and which rules refused an
    /// answer, each once for each draft.
    pub(super) fn told(&self) -> Option<serde_json::Value> {
        let trace = self.end.as_ref().map(ModelOutcome::trace).filter(|trace| trace.rounds > 0)?;
        Some(serde_json::json!({ "rounds": trace.rounds, "refused": trace.refused }))
    }
}

impl Drafting {
    /// Words for a case, and who wrote them. `shown` are the candidates that people will be shown: a model chooses among these,
    /// and compares with no other.
    pub(super) async fn words(
        &self,
        scene: &Scene<'_>,
        assessment: &Assessment,
        shown: &[Candidate],
        bundle: &Bundle,
        asks: Asks,
    ) -> anyhow::Result<Written> {
        let computed = playbook::draft(scene, assessment);
        // Of what is in shadow nobody reads them before its scope is live, when they are written anew: a model is paid for each.
        let model = self.stages.ports.model.as_ref().filter(|_| asks != Asks::Playbook && !scene.case.state.is_shadow());
        let Some(model) = model else {
            return Ok(Written { draft: computed, drafter: Drafter::Playbook { because: None }, end: None });
        };
        let mut end = None;
        let because = if assessment.abstain.is_some() {
            // What the rules give to a human is not for a model to decide.
            NotByModel::of("the rules ask for human judgement")
        } else if asks == Asks::BelowLine {
            below_line()
        } else if let Some(used_up) = self.used_up().await? {
            NotByModel::of(used_up.to_string())
        } else {
            let outcome = self.ask(model.as_ref(), scene, shown, bundle).await;
            let because = match &outcome {
                ModelOutcome::Drafted { draft, trace } => {
                    let (draft, drafter) = (draft.clone().under(&computed), trace.drafter());
                    return Ok(Written { draft, drafter, end: Some(outcome) });
                }
                ModelOutcome::GaveUp { because, .. } => because.into(),
            };
            end = Some(outcome);
            because
        };
        Ok(Written { draft: computed, drafter: Drafter::Playbook { because: Some(because) }, end })
    }

    /// Asks a model for a case's words, whoever reads them; `shown` are the candidates that people are shown.
    pub(super) async fn ask(
        &self,
        model: &dyn LanguageModel,
        scene: &Scene<'_>,
        shown: &[Candidate],
        bundle: &Bundle,
    ) -> ModelOutcome {
        let metered = Metered { drafting: self, model };
        // What the policy does not let a model see is not told it, and so not cited by it.
        let mut sight = Bundle { workings: None, ..bundle.clone() };
        sight.facts.retain(|_, fact| self.stages.config.rules.policy.model.shows(fact));
        draft_with_model(&metered, scene, shown, &sight).await
    }

    /// Why no more calls may be made today; None where there are some left.
    pub(super) async fn used_up(&self) -> Result<Option<ModelError>, StoreError> {
        let limit = self.stages.config.model.calls_per_day;
        Ok((self.calls_spent().await? >= limit).then_some(ModelError::UsedUp(limit)))
    }

    /// Under which key the calls of this day are counted: the machine's, since they are paid by it.
    fn calls_key(&self) -> String {
        let Stages { config, clock, .. } = &self.stages;
        format!("model.calls.{}", config.rules.calendar.calendar().day_of(clock.wire()))
    }

    async fn calls_spent(&self) -> Result<u32, StoreError> {
        Ok(self.stages.store.find_setting(&self.calls_key()).await?.and_then(|n| n.parse().ok()).unwrap_or(0))
    }
}

/// Why the playbook drafts what is not near the line.
pub(super) fn below_line() -> NotByModel {
    NotByModel::of("it is far below the line")
}

/// The model with its budget: each call, a repair too, is counted before it is made. A crash in the middle has spent it.
struct Metered<'a> {
    drafting: &'a Drafting,
    model: &'a dyn LanguageModel,
}

#[async_trait]
impl LanguageModel for Metered<'_> {
    fn name(&self) -> String {
        self.model.name()
    }

    async fn complete(&self, request: &ModelRequest) -> Result<ModelReply, ModelError> {
        let unkept = |error: StoreError| {
            // Whoever was overtaken writes down nothing of the draft either.
            if !matches!(error, StoreError::Fenced) {
                tracing::error!("The count of model calls can not be kept: {error}");
            }
            ModelError::Uncounted
        };
        let Stages { store, config, .. } = &self.drafting.stages;
        if self.drafting.is_stopped().await.map_err(unkept)? {
            return Err(ModelError::Stopped);
        }
        // Counted where all processes count. It is a write, too, so a process that was overtaken pays for nothing any more.
        if !store.spend(&self.drafting.calls_key(), config.model.calls_per_day).await.map_err(unkept)? {
            return Err(ModelError::UsedUp(config.model.calls_per_day));
        }
        self.model.complete(request).await
    }

    fn tell_form(&self) {
        self.model.tell_form();
    }

    fn dialect(&self) -> String {
        self.model.dialect()
    }
}

/// Who wrote, as the log says it.
pub(super) fn drafter_name(drafter: &Drafter) -> String {
    match drafter {
        Drafter::Playbook { because: None } => "playbook".to_owned(),
        Drafter::Playbook { because: Some(why) } => format!("playbook, because {}", why.whole),
        Drafter::Model { name, .. } => format!("model {name}"),
        Drafter::Edited { .. } => "people".to_owned(),
    }
}
