//! Drafts of a model that has not earned its words: made on the same cases, graded, kept apart, and shown to nobody.
//!
//! They are asked of the frozen evidence that people have before them, so that both drafts are of the same case. Nothing of one enters a
//! recommendation, its hash or the log.

use std::collections::BTreeMap;

use anyhow::Context;

use super::super::enrich::Round;
use super::super::model_draft::{Because, ModelOutcome};
use super::super::moment::BeingRead;
use super::super::writers::{self, Stand, drift};
use super::{Drafting, first_of};
use crate::domain::action::Candidate;
use crate::domain::book::Place;
use crate::domain::case::CaseState;
use crate::domain::ids::CaseId;
use crate::domain::money::Quantity;
use crate::domain::recommendation::NotByModel;
use crate::domain::writer::{DraftEnd, DraftGrade, GradedDraft};
use crate::ports::ModelError;
use crate::rules::assess::assess;
use crate::rules::graded::grade;
use crate::rules::scene::Scene;
use crate::store::StoreError;

/// Cases that a candidate is asked about in one run of the stage: what is new must not wait for words that nobody sees.
const AT_ONCE: usize = 4;

/// A case that a candidate is to draft beside the playbook, and what its donors have promised to others before it.
pub(super) struct Beside {
    pub(super) case: CaseId,
    pub(super) promised: BTreeMap<Place, Quantity>,
}

impl Drafting {
    /// Has a candidate draft what it has not drafted yet of `cases`, some of them at a time. Answers how many it did.
    pub(super) async fn draft_beside(
        &self,
        round: &mut Round<'_>,
        stand: &Stand,
        cases: Vec<Beside>,
    ) -> anyhow::Result<usize> {
        let store = &self.stages.store;
        let Some(model) = &self.stages.ports.model else { return Ok(0) };
        let (mut made, id) = (0, stand.writer.id());
        for Beside { case, promised } in cases {
            if made == AT_ONCE || self.is_stopped().await? || self.used_up().await?.is_some() {
                break;
            }
            let case = store.get_case(&case).await?;
            let Some(hash) = case.evidence_hash.clone().filter(|_| case.state == CaseState::Open) else { continue };
            if round.settled.is_passed_over(&case.id, &hash) || store.has_writer_draft(&case.id, &hash, &id).await? {
                continue;
            }
            let facts = match round.scenes.read(store, &case, promised).await {
                Err(error) if BeingRead::is_why(&error) => continue,
                facts => facts?,
            };
            let scene = round.scene(&facts);
            let assessment = assess(&scene);
            // What the rules give to a human is no model's to draft, in shadow as well.
            if assessment.abstain.is_some() {
                round.settled.pass_over(&case.id, &hash);
                continue;
            }
            let bundle = store.get_bundle(&case.id, &hash).await.context("reading the evidence that people have")?;
            let policy = &self.stages.config.rules.policy;
            let shown = first_of(&assessment, |c| policy.permits_all(c.actions()) && c.clash().is_none());
            let outcome = self.ask(model.as_ref(), &scene, &shown, &bundle).await;
            // On the same evidence it would come to the same again, so it is not asked again.
            if matches!(outcome, ModelOutcome::GaveUp { because: Because::Nothing | Because::Prompt, .. }) {
                round.settled.pass_over(&case.id, &hash);
                continue;
            }
            let Some(draft) = self.graded((stand, false), &scene, &shown, &hash, outcome) else {
                // Stopped or used up meanwhile: it is asked another time.
                break;
            };
            store.add_writer_draft(&draft).await.context("keeping a draft in shadow")?;
            made += 1;
        }
        Ok(made)
    }

    /// Grades what people see of a writer that has earned its words. Where that got worse, they see the playbook again.
    pub(super) async fn grade_shown(
        &self,
        stand: &Stand,
        scene: &Scene<'_>,
        candidates: &[Candidate],
        hash: &str,
        outcome: ModelOutcome,
    ) -> anyhow::Result<()> {
        let super::Stages { store, config, clock, .. } = &self.stages;
        let Some(draft) = self.graded((stand, true), scene, candidates, hash, outcome) else { return Ok(()) };
        store.add_writer_draft(&draft).await.context("keeping how a draft was graded")?;
        let drafts = drift::of_late(store, config, clock, stand).await?;
        let Some(why) = drift::unfit(&drafts) else { return Ok(()) };
        match writers::taken_back_by_stage(store, clock, &stand.writer, &why).await {
            // Somebody else did something with it at the same moment; the next draft asks again.
            Err(error) if is_conflict(&error) => Ok(()),
            done => done,
        }
    }

    /// What became of a draft; None where nothing was asked, for reasons of ours.
    fn graded(
        &self,
        (stand, shown): (&Stand, bool),
        scene: &Scene<'_>,
        candidates: &[Candidate],
        hash: &str,
        outcome: ModelOutcome,
    ) -> Option<GradedDraft> {
        let super::Stages { config, clock, .. } = &self.stages;
        let (end, because, draft, tokens) = match outcome {
            ModelOutcome::Drafted { draft, trace } => (DraftEnd::Passed, String::new(), Some(draft), trace.tokens),
            ModelOutcome::GaveUp { because, trace } => {
                let end = match &because {
                    Because::Refused(_) => DraftEnd::Refused,
                    // The day's calls, their count and a stop are ours: they say nothing about the model.
                    Because::Model(ModelError::UsedUp(_) | ModelError::Uncounted | ModelError::Stopped)
                    | Because::Nothing
                    | Because::Prompt => return None,
                    Because::Model(_) => DraftEnd::Unanswered,
                };
                (end, NotByModel::from(&because).whole, None, trace.tokens)
            }
        };
        let at = clock.now();
        Some(GradedDraft {
            case: scene.case.id.clone(),
            evidence_hash: hash.to_owned(),
            writer: stand.writer.id(),
            shown,
            day: config.rules.calendar.calendar().day_of(at),
            end,
            because,
            grade: draft.as_ref().map_or_else(DraftGrade::default, |draft| grade(draft, candidates)),
            draft,
            tokens,
            at,
        })
    }
}

fn is_conflict(error: &anyhow::Error) -> bool {
    error.chain().any(|cause| matches!(cause.downcast_ref::<StoreError>(), Some(StoreError::Conflict)))
}
