//! What is about Reeve itself: a mute that is approved begins in the same transaction and is never sent; a drill is revealed by
//! the click that answers it, and nothing else follows from it.
//!
//! Both go through every check that any recommendation goes through first: what stands here only changes what is written.

use jiff::Timestamp;
use serde_json::json;

use super::plan::{Plan, entry};
use super::{Approvals, Clicked, DecisionAnswer, DecisionRefused, DecisionRequest, Verb, failed};
use crate::domain::action::Action;
use crate::domain::case::Case;
use crate::domain::decision::{Event, RecommendationState as State};
use crate::domain::ids::PersonId;
use crate::domain::money::Money;
use crate::domain::mute::Mute;
use crate::domain::recommendation::Recommendation;
use crate::pipeline::noise::mutes;
use crate::store::{Drill, DrillEnd, DrillResult, MuteEnd};

/// What is written beside a decision.
#[derive(Default)]
pub(super) struct Own {
    pub(super) mute: Option<Mute>,
    pub(super) unmute: Option<MuteEnd>,
    pub(super) drill: Option<DrillEnd>,
}

/// A drill as it stood when the click came.
pub(super) struct ClickedDrill {
    drill: Drill,
    rec: Recommendation,
    seen: i64,
    case: Case,
}

impl Approvals {
    /// The drill that was clicked on, where it is one.
    ///
    /// # Errors
    /// [`DecisionRefused::AlreadyDecided`] when it was answered before.
    pub(super) async fn drill_of(
        &self,
        request: &DecisionRequest,
        clicked: &Clicked,
    ) -> Result<Option<ClickedDrill>, DecisionRefused> {
        let Some(drill) = self.store.find_drill(&clicked.rec.id).await.map_err(failed)? else { return Ok(None) };
        match &drill.end {
            None => {}
            // Taken back unanswered: it is what any other recommendation is that is no longer there.
            Some((DrillResult::Withdrawn, ..)) => return Ok(None),
            Some((result, person, at)) => {
                let who = person.as_ref().map_or_else(|| "somebody".to_owned(), |p| self.name_of(p));
                let what = format!("answered this, and it was a drill ({})", result.name());
                // Whoever answered it and clicks again from an old page is told the same.
                let what = if person.as_ref() == Some(&request.person) { format!("{what}, you,") } else { what };
                return Err(DecisionRefused::AlreadyDecided { who, what, at: *at });
            }
        }
        Ok(Some(ClickedDrill { drill, rec: clicked.rec.clone(), seen: clicked.seen, case: clicked.case.clone() }))
    }

    /// Changes what a judged click writes, where it is about Reeve itself.
    pub(super) async fn own(
        &self,
        request: &DecisionRequest,
        plan: Plan,
        drill: Option<ClickedDrill>,
        now: Timestamp,
    ) -> Result<(Plan, Own), DecisionRefused> {
        if let Some(clicked) = drill
            && let Some(result) = result_of(request, &clicked)
        {
            return revealed(request, &plan, clicked, result, now);
        }
        if plan.on.candidate.action.is_for_the_outside() {
            return Ok((plan, Own::default()));
        }
        self.muted(request, plan, now).await
    }

    /// A proposal to mute: approved, it begins at once; undone, it ends at once. Nothing waits for a hand-off.
    async fn muted(
        &self,
        request: &DecisionRequest,
        mut plan: Plan,
        now: Timestamp,
    ) -> Result<(Plan, Own), DecisionRefused> {
        let mut own = Own::default();
        // The log must name no message that will never be there.
        if let Some(detail) = plan.entries.first_mut().and_then(|e| e.detail.as_object_mut()) {
            detail.remove("outbox");
        }
        // Nothing is told to anybody outside, whatever was planned.
        plan.outbox.clear();
        // Only the click that completes the approval begins the mute, not the first of two signatures.
        if mute_of(&plan.on).is_none()
            && let Some((rec, _)) = plan.changed.first()
            && let Some(mute) = mute_of(rec)
        {
            let mute = Mute { tier: plan.answer.tier, ..mute };
            let told = json!({ "proposed_in": plan.case.id, "recommendation": rec.id, "tier": plan.answer.tier });
            let begun = mutes::begun(&mute, &request.channel, told);
            plan.entries.push(begun);
            let tier = plan.answer.tier.map(|t| format!(" ({t})")).unwrap_or_default();
            let until = plan.answer.undo_until.map(|u| format!(" It can be undone until {u}.")).unwrap_or_default();
            plan.answer.said =
                format!("Approved{tier}: {} is muted for {} until {}.{until}", mute.code, mute.scope, mute.until);
            own.mute = Some(mute);
        }
        // Only the undo of an approval has messages to call back. Of a mute there is none; it is the mute that has to end.
        if !std::mem::take(&mut plan.cancel).is_empty()
            && let Some(mute) = mute_of(&plan.on)
            && let Some(kept) = self.store.find_mute(&mute.id).await.map_err(failed)?
            && kept.ended.is_none()
        {
            let detail = json!({ "owner": mute.owner, "was_until": mute.until, "because": "its approval was undone" });
            plan.entries.push(mutes::entry("mute.ended", &mute, &request.person, &request.channel, now, detail));
            own.unmute = Some(MuteEnd { id: mute.id, by: request.person.clone(), at: now });
        }
        Ok((plan, own))
    }
}

/// The mute that an approved proposal began: whoever completed the approval answers for it.
fn mute_of(rec: &Recommendation) -> Option<Mute> {
    let (by, at): (&PersonId, Timestamp) = match &rec.state {
        State::Approved { by, at, .. } | State::ApprovedWithEdit { by, at, .. } => (by.last()?, *at),
        _ => return None,
    };
    let Action::Mute { exception, scope, until, .. } = &rec.candidate.action else { return None };
    Some(Mute::new(*exception, scope.clone(), by.clone(), rec.candidate.summary.clone(), at, *until))
}

/// What a click on a drill says; None for what answers nothing, such as passing it on or putting it off.
fn result_of(request: &DecisionRequest, clicked: &ClickedDrill) -> Option<DrillResult> {
    match &request.verb {
        Verb::Approve => Some(DrillResult::Accepted),
        Verb::Reject { .. } => Some(DrillResult::Caught),
        Verb::Edit { action, .. } => {
            let planted = &clicked.rec.candidate.action;
            let mended = match clicked.drill.field.as_str() {
                "quantity" => action.quantity() != planted.quantity(),
                "date" => action.date().map(|(_, d)| d) != planted.date().map(|(_, d)| d),
                // A place can not be edited, so it was not noticed.
                _ => false,
            };
            Some(if mended { DrillResult::Caught } else { DrillResult::Accepted })
        }
        _ => None,
    }
}

/// Turns a judged click on a drill into its revelation: the drill is taken away, the case is as it was.
fn revealed(
    request: &DecisionRequest,
    plan: &Plan,
    clicked: ClickedDrill,
    result: DrillResult,
    now: Timestamp,
) -> Result<(Plan, Own), DecisionRefused> {
    let ClickedDrill { drill, rec, seen, case } = clicked;
    let on = rec.clone();
    let mut rec = rec;
    // Never approved, not for a moment: nothing that looks for approvals may find it.
    rec.state = rec.state.after(Event::Supersede, now)?;
    let ending = match result {
        DrillResult::Caught => "You noticed",
        _ => "It would have been carried out",
    };
    let said = format!(
        "This was a drill: {} {ending}. Nothing was done and nothing counts; the case waits for a decision with what is really \
         proposed.",
        drill.what
    );
    let answer = DecisionAnswer {
        recommendation_id: rec.id.clone(),
        state: DecisionAnswer::DRILL.to_owned(),
        tier: plan.answer.tier,
        counted: Money::ZERO,
        needs_second: false,
        because: Vec::new(),
        undo_until: None,
        said,
        at: now,
    };
    let detail = json!({
        "case": case.id,
        "clicked": request.verb.kind(),
        "what": drill.what,
        "instead_of": drill.instead_of,
        "planted_at": drill.planted_at.to_string(),
    });
    let entry = entry(request, &format!("drill.{}", result.name()), &on, detail, now);
    let end = DrillEnd { recommendation_id: rec.id.clone(), result, person: Some(request.person.clone()), at: now };
    // What the click would have changed is dropped. What it was judged on has to hold all the same.
    let plan = Plan { decisions_seen: plan.decisions_seen, ..Plan::of(on, vec![(rec, seen)], case, vec![entry], answer) };
    Ok((plan, Own { drill: Some(end), ..Own::default() }))
}
