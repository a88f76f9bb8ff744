//! What memory adds to a case's facts, and the recommendations that a draft makes of its candidates.

use anyhow::Context;

use super::super::answered::Answered;
use super::{Drafting, Stages, is_asked};
use crate::domain::action::{Action, Candidate};
use crate::domain::decision::RecommendationState;
use crate::domain::draft::Draft;
use crate::domain::evidence::{Bundle, Fact};
use crate::domain::recommendation::{Drafter, Prose, Recommendation};
use crate::domain::words::with_causes;
use crate::memory::{Asked, Concerned, MemoryError};
use crate::rules::assess::{Assessment, RECOMMENDATIONS};
use crate::rules::likeness::company_of;
use crate::rules::playbook;
use crate::rules::scene::Scene;

impl Drafting {
    /// What memory adds to the facts of a case: like cases of its company that were decided before today.
    pub(super) async fn remembered(&self, scene: &Scene<'_>, latest: Option<&Bundle>) -> anyhow::Result<Vec<Fact>> {
        let Stages { config, memories, .. } = &self.stages;
        if !config.memory.enabled {
            return Ok(Vec::new());
        }
        let Some(company) = company_of(scene.book, scene.exceptions) else { return Ok(Vec::new()) };
        let asked = Asked {
            case: &scene.case.id,
            exceptions: scene.exceptions,
            company: &company,
            // Else a decision of today would change the evidence of other cards on the day on which they are decided.
            known_before: config.rules.calendar.calendar().begin_of(scene.book.today),
            limit: config.memory.like_cases,
        };
        match memories.facts(&asked, &Concerned::of(scene.book, scene.exceptions)).await {
            Ok(facts) => Ok(facts),
            // What was shown before stays: a card must not change because an index is away for a moment.
            Err(MemoryError::Port(error)) => {
                tracing::warn!("Memory did not answer; the case is drafted without: {}", with_causes(&error));
                Ok(latest.into_iter().flat_map(Bundle::remembered).cloned().collect())
            }
            Err(error) => Err(error).context("asking what was decided on like cases"),
        }
    }

    /// In the draft's order, then what it left out.
    pub(super) fn recommend(
        &self,
        scene: &Scene<'_>,
        assessment: &Assessment,
        answered: &Answered<'_>,
        draft: Draft,
        drafter: &Drafter,
        evidence_hash: &str,
    ) -> Vec<Recommendation> {
        // What the drafter left out follows in computed order, in the playbook's words: nothing is hidden by not naming it.
        let rest = playbook::draft(scene, assessment).choices;
        let mut order: Vec<(&Candidate, Prose)> = Vec::new();
        for choice in draft.choices.into_iter().chain(rest) {
            let known = |(candidate, _): &(&Candidate, Prose)| candidate.id == choice.candidate;
            if order.iter().any(known) {
                continue;
            }
            order.extend(assessment.candidates.iter().find(|c| c.id == choice.candidate).map(|c| (c, choice.prose.clone())));
        }
        if let Some(why) = &draft.abstain {
            // A drafter that sees no clear action hands over: that comes first, where the case allows it.
            order.sort_by_key(|(candidate, _)| !matches!(candidate.action, Action::Escalate { .. }));
            let is_model = matches!(drafter, Drafter::Model { .. });
            if let Some((_, prose)) = order.first_mut().filter(|_| is_model) {
                // A model's reason to hand over is a question, and stands where its questions do.
                prose.question.clone_from(why);
            } else if let Some((_, prose)) = order.first_mut()
                && !prose.rationale.contains(why.as_str())
            {
                prose.rationale.insert_str(0, &format!("{why} "));
                prose.rationale.truncate(prose.rationale.trim_end().len());
            }
        }
        let policy = &self.stages.config.rules.policy;
        order.retain(|(candidate, _)| is_asked(candidate, answered, policy));
        let now = self.stages.clock.now();
        let number = |i: usize| u32::try_from(i + 1).unwrap_or(u32::MAX);
        order
            .into_iter()
            .take(RECOMMENDATIONS)
            .enumerate()
            .map(|(i, (candidate, prose))| {
                let drafted = Recommendation::drafted(
                    scene.case.id.clone(),
                    number(i),
                    candidate.clone(),
                    prose,
                    evidence_hash.to_owned(),
                    drafter.clone(),
                    now,
                );
                // From this state nothing leads to a decision.
                let state = if scene.case.state.is_shadow() { RecommendationState::Shadow } else { drafted.state };
                Recommendation { state, ..drafted }
            })
            .chain(answered.held.iter().map(|&held| held.clone()))
            .collect()
    }
}
