//! Clicks on what is decided: the same one is answered the same, a contrary one is told who was first.

use anyhow::Context;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::{Approvals, Clicked, DecisionAnswer, DecisionRefused, DecisionRequest, Verb, failed, plan};
use crate::domain::decision::{Event, RecommendationState as State};
use crate::domain::ids::PersonId;
use crate::domain::recommendation::Recommendation;
use crate::store::Circumstances;

impl Approvals {
    /// The answer given to the same click before.
    pub(super) async fn answered_before(
        &self,
        request: &DecisionRequest,
    ) -> Result<Option<DecisionAnswer>, DecisionRefused> {
        let Some(earlier) = self.store.find_decision(&request.idempotency_key).await.map_err(failed)? else {
            return Ok(None);
        };
        let kept: Kept = serde_json::from_value(earlier.body)
            .context("a kept decision is damaged; restore the store from a backup")
            .map_err(DecisionRefused::Failed)?;
        // A key that comes back with something else in it is the caller's fault: the first answer would be wrong for it.
        if earlier.person != request.person
            || earlier.recommendation_id != request.recommendation_id
            || earlier.content_hash != request.content_hash
            || kept.verb != request.verb
        {
            return Err(DecisionRefused::KeyReused);
        }
        Ok(Some(kept.answer))
    }

    /// The answer to a click that repeats, from another page, what the same person decided before.
    pub(super) fn standing_decision(&self, request: &DecisionRequest, clicked: &Clicked) -> Option<DecisionAnswer> {
        let by = request.person.clone();
        // Asked is only whether it says the same as what stands. For whom, and whether somebody else must sign, makes no
        // other decision.
        let event = match &request.verb {
            Verb::Approve => plan::approval(&clicked.rec, by, vec![], false),
            Verb::Reject { reason, .. } => Event::Reject { by, reason: *reason },
            Verb::Snooze { until, wake } => Event::Snooze { by, until: *until, wake: *wake },
            Verb::Forward { to, .. } => Event::Forward { by, to: to.clone() },
            Verb::Edit { .. } | Verb::Return { .. } | Verb::Merge { .. } | Verb::Undo => return None,
        };
        if !clicked.rec.state.same_decision(&event) {
            return None;
        }
        let (at, undoable) = match &clicked.rec.state {
            State::Approved { at, .. } | State::ApprovedWithEdit { at, .. } | State::Rejected { at, .. } => (*at, true),
            state if state.first_signature().is_some() => {
                (state.first_signature().map_or(clicked.case.updated_at, |first| first.at), false)
            }
            _ => (clicked.case.updated_at, false),
        };
        Some(DecisionAnswer {
            recommendation_id: clicked.rec.id.clone(),
            state: clicked.rec.state.name().to_owned(),
            tier: None,
            because: Vec::new(),
            counted: clicked.rec.candidate.value,
            needs_second: clicked.rec.state.first_signature().is_some(),
            undo_until: undoable.then(|| at.checked_add(self.undo_window()).unwrap_or(Timestamp::MAX)),
            said: format!("You decided this already; it is {}.", clicked.rec.state.name().replace('_', " ")),
            at,
        })
    }

    /// Until when what was decided about a recommendation can be taken back, as far as its state says; None where it can not.
    pub fn undo_until(&self, rec: &Recommendation) -> Option<Timestamp> {
        match &rec.state {
            State::Approved { at, .. } | State::ApprovedWithEdit { at, .. } | State::Rejected { at, .. } => {
                Some(at.checked_add(self.undo_window()).unwrap_or(Timestamp::MAX))
            }
            _ => None,
        }
    }

    /// Refuses a click on what is decided, with who decided what and when.
    pub(super) async fn refuse_if_decided(&self, clicked: &Clicked) -> Result<(), DecisionRefused> {
        let open = clicked.case.state.is_undecided();
        let told = |by: &[PersonId], what: String, at| {
            let who: Vec<String> = by.iter().map(|p| self.name_of(p)).collect();
            Err(DecisionRefused::AlreadyDecided { who: who.join(" and "), what, at })
        };
        if let Some((by, what, at)) = plan::decided(&clicked.rec.state) {
            return told(&by, format!("{what} this"), at);
        }
        if open {
            // The case may have been read just before somebody approved another proposal of it, and the proposals just after.
            let same_facts =
                clicked.siblings.iter().map(|(r, _)| r).filter(|r| r.evidence_hash == clicked.rec.evidence_hash);
            for rec in same_facts.filter(|r| plan::is_released(&r.state)) {
                if let Some((by, what, at)) = plan::decided(&rec.state) {
                    return told(&by, format!("{what} {} of this case", rec.candidate.codes()), at);
                }
            }
            return Ok(());
        }
        let chosen = clicked.siblings.iter().filter_map(|(r, _)| Some((r, plan::decided(&r.state)?)));
        if let Some((rec, (by, what, at))) = chosen.max_by_key(|(_, (_, _, at))| *at) {
            return told(&by, format!("{what} {} of this case", rec.candidate.codes()), at);
        }
        // Handed off and beyond: the state no longer names who approved, the log does.
        for rec in clicked.siblings.iter().map(|(r, _)| r).chain([&clicked.rec]) {
            let log = self.store.list_audit_of(&format!("recommendation:{}", rec.id)).await.map_err(failed)?;
            if let Some(last) = log.iter().rev().find(|e| e.entry.action == "recommendation.approved")
                && matches!(rec.state, State::HandedOff | State::CarriedOut | State::Partly | State::NotCarriedOut)
            {
                let by = [PersonId::new(last.entry.actor.clone())];
                return told(&by, format!("approved {} of this case", rec.candidate.codes()), last.entry.at);
            }
        }
        Err(DecisionRefused::BadRequest(format!(
            "the case is {} and takes no more decisions",
            clicked.case.state.name().replace('_', " ")
        )))
    }
}

/// What a decision's row keeps, so that the same click is answered the same.
#[derive(Serialize, Deserialize)]
pub(super) struct Kept {
    pub(super) verb: Verb,
    pub(super) answer: DecisionAnswer,
    #[serde(flatten)]
    pub(super) circumstances: Circumstances,
}
