//! The recommendations that a draft makes of a case's candidates.

use super::super::answered::{Answered, is_asked};
use super::Drafting;
use crate::domain::action::{Action, Candidate};
use crate::domain::decision::RecommendationState;
use crate::domain::draft::Draft;
use crate::domain::recommendation::{Drafter, Prose, Recommendation};
use crate::rules::assess::{Assessment, RECOMMENDATIONS};
use crate::rules::playbook;
use crate::rules::scene::Scene;

impl Drafting {
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
