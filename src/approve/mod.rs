//! Approve: the queue in front of people, and what their clicks do.
//!
//! A decision binds to the content that was on the screen and to the evidence it rests on; hard checks are made again at the
//! click; the first valid decision on a case counts, the same click is answered the same, a contrary one is refused. The
//! decision, the new states, the audit entries and the outbox row are one transaction: all of it or none. Silence never
//! approves. Nothing here sends anything: an approval waits in the outbox until its undo window has passed.

pub mod admit;
mod ask;
mod batch;
mod by_command;
mod delegate;
mod escalate;
mod judge;
mod merge;
mod opened;
mod own;
mod pass;
mod plan;
mod preview;
mod queue;
mod request;
mod standing;
#[cfg(test)]
pub(super) mod tests;
mod want;

use std::collections::BTreeSet;
use std::sync::Arc;

use jiff::civil::Date;
use jiff::{SignedDuration, Timestamp};
use tokio::sync::Mutex;

pub use self::ask::{Ask, Loose, Unclear};
pub use self::batch::{BATCH_MAX, BatchAnswer, BatchFailure};
pub use self::delegate::DelegationRefused;
pub use self::opened::opened;
pub use self::preview::Preview;
pub use self::queue::Sweep;
pub use self::request::{DecisionAnswer, DecisionRefused, DecisionRequest, Verb};

use self::by_command::with_hand;
use self::own::Own;
use self::plan::Plan;
use self::standing::Kept;
use crate::clock::Clock;
use crate::config::Config;
use crate::domain::action::{Action, Check};
use crate::domain::case::{Case, CaseState};
use crate::domain::decision::{DecisionVerb, RecommendationState as State};
use crate::domain::ids::{PersonId, RecommendationId};
use crate::domain::mode::Mode;
use crate::domain::money::Money;
use crate::domain::policy::{Person, may_turn_down};
use crate::domain::recommendation::Recommendation;
use crate::pipeline::noise::drill;
use crate::pipeline::recheck::Recheck;
use crate::rules::edit;
use crate::store::{Change, Circumstances, DecisionRow, NewMute, Store, StoreError};

/// How often a click is judged anew because somebody else moved the same case, or the sum that limits are compared with, in
/// between.
const TRIES: usize = 8;

/// Longest snooze, in days: a snooze has an end.
const LONGEST_SNOOZE: i32 = 90;

/// Everything a decision needs. Cheap to clone.
#[derive(Clone)]
pub struct Approvals {
    /// Where decisions are kept.
    pub store: Store,
    /// People, limits, windows.
    pub config: Arc<Config>,
    /// When it is.
    pub clock: Clock,
    /// The facts of this moment.
    pub recheck: Arc<dyn Recheck>,
    /// Whose approval is being judged and written in this process. What an approval releases counts with all others, so that of two judged
    /// at once one would have to be judged again, and of fifty all but a few would be told to try again.
    pub turn: Arc<Mutex<()>>,
}

/// What a click is judged on, read before anything is written.
struct Clicked {
    /// The recommendation clicked on, with the version read.
    rec: Recommendation,
    seen: i64,
    /// The others of its case, with theirs.
    siblings: Vec<(Recommendation, i64)>,
    case: Case,
    /// Of its case's recommendations those that nobody is shown, since a drill waits in their place.
    hidden: BTreeSet<RecommendationId>,
}

impl Clicked {
    /// What is proposed now: the best waiting recommendation on the case's present evidence.
    fn newest(&self) -> Option<&Recommendation> {
        let all = self.siblings.iter().map(|(r, _)| r).chain([&self.rec]).filter(|r| !self.hidden.contains(&r.id));
        all.filter(|r| r.state.is_waiting() && self.case.evidence_hash.as_deref() == Some(&*r.evidence_hash))
            .min_by(|a, b| a.rank.cmp(&b.rank).then_with(|| b.drafted_at.cmp(&a.drafted_at)).then_with(|| a.id.cmp(&b.id)))
    }

    fn facts_changed(&self) -> DecisionRefused {
        DecisionRefused::FactsChanged { moved: Vec::new(), newest: self.newest().map(|r| r.id.clone()) }
    }
}

impl Approvals {
    /// Decides, or says why not. Nothing is changed by a refused click.
    ///
    /// # Errors
    /// [`DecisionRefused`], written for the person who clicked.
    pub async fn decide(&self, request: &DecisionRequest) -> Result<DecisionAnswer, DecisionRefused> {
        for _ in 0..TRIES {
            // On the heap: what a click is judged on is much, and callers hold it within their own.
            match Box::pin(self.attempt(request)).await {
                // Somebody else moved it between reading and writing: judge the click on what is there now.
                Err(DecisionRefused::Busy) => {}
                // A click under the same key may have been counted since this one looked for it: then that is the answer.
                Err(refused) => return self.answered_before(request).await?.ok_or(refused),
                answered => return answered,
            }
        }
        Err(DecisionRefused::Busy)
    }

    async fn attempt(&self, request: &DecisionRequest) -> Result<DecisionAnswer, DecisionRefused> {
        let now = self.clock.now();
        if request.idempotency_key.is_empty() || request.idempotency_key.len() > 200 {
            return Err(DecisionRefused::BadRequest("a click needs an idempotency key of 1 to 200 characters".into()));
        }
        // Before anything else is looked at: a click that comes again is answered as it was, whatever has moved since.
        if let Some(answer) = self.answered_before(request).await? {
            return Ok(answer);
        }
        let person = self.person(&request.person)?;
        let clicked = self.clicked(request).await?;
        // What was on the screen is what is decided. A card that was changed meanwhile has to be read first.
        if request.content_hash != clicked.rec.content_hash() {
            return Err(clicked.facts_changed());
        }
        if !matches!(request.verb, Verb::Undo) {
            self.refuse_unless_live(&clicked.case).await?;
        }
        let drill = self.drill_of(request, &clicked).await?;
        if !matches!(request.verb, Verb::Undo) {
            if let Some(answer) = self.standing_decision(request, &clicked) {
                // Here too: counted between the two looks, it has an answer of its own.
                return Ok(self.answered_before(request).await?.unwrap_or(answer));
            }
            // Before the facts: whoever came too late is told who was first, and not that something has moved.
            self.refuse_if_decided(&clicked).await?;
            if matches!(clicked.rec.state, State::Superseded)
                || clicked.case.evidence_hash.as_deref() != Some(&*clicked.rec.evidence_hash)
            {
                return Err(clicked.facts_changed());
            }
        }
        // Kept until the decision is written, since what it releases counts for the next one.
        let mut turn = None;
        let plan = match &request.verb {
            Verb::Approve => {
                // What the records say is read before the turn comes, and again in it only where something was decided meanwhile.
                let looked = self.look(&clicked).await?;
                turn = Some(self.turn.lock().await);
                self.approve(request, person, clicked, looked, now).await?
            }
            Verb::Edit { step, action } => self.edit(request, person, clicked, (*step, action), now).await?,
            Verb::Reject { reason, note } => {
                self.may_put_away(person, &clicked, now).await?;
                plan::reject(request, clicked, *reason, note, self.undo_window(), now)?
            }
            Verb::Snooze { until, wake } => {
                self.may_put_away(person, &clicked, now).await?;
                let today = self.today(now);
                let days = today.until(*until).map_or(i32::MAX, |span| span.get_days());
                if !(1..=LONGEST_SNOOZE).contains(&days) {
                    return Err(DecisionRefused::BadRequest(format!(
                        "{until} is no day to snooze to: choose one of the next {LONGEST_SNOOZE} days after {today}"
                    )));
                }
                plan::snooze(request, clicked, *until, *wake, now)?
            }
            Verb::Forward { to, note } => {
                may_turn_down(person)?;
                self.forward(request, clicked, to, note, now).await?
            }
            Verb::Return { note } => pass::give_back(request, clicked, note, person, (now, self.today(now)))?,
            Verb::Merge { into } => {
                self.may_put_away(person, &clicked, now).await?;
                self.merge(request, clicked, into, now).await?
            }
            Verb::Undo => {
                may_turn_down(person)?;
                plan::undo(request, clicked, self.undo_window(), now)?
            }
        };
        let (plan, own) = Box::pin(self.own(request, plan, drill, now)).await?;
        let answer = self.write(request, plan, own, now).await;
        drop(turn);
        answer
    }

    /// Refuses what is in shadow or off, or will be from the next look on: its scope may have been taken there a moment ago.
    async fn refuse_unless_live(&self, case: &Case) -> Result<(), DecisionRefused> {
        let mode = match &case.state {
            CaseState::Shadow => Mode::Shadow,
            CaseState::ShadowOver { to } => to.unwrap_or(Mode::Shadow),
            CaseState::Withdrawn { to } => *to,
            state if state.is_undecided() => self.recheck.mode(case).await.map_err(DecisionRefused::Failed)?,
            _ => Mode::Live,
        };
        if mode.is_live() && !case.state.is_shadow() && !matches!(case.state, CaseState::Withdrawn { .. }) {
            return Ok(());
        }
        let why = match mode {
            Mode::Live => "its scope has changed, and what is still wrong has another case: look at the queue".to_owned(),
            mode => format!(
                "its scope is {mode}: nobody decides on it, and nothing of it leaves. `reeve mode show` says since when; where \
                 it should be decided, set its scope live"
            ),
        };
        Err(DecisionRefused::NotLive(why))
    }

    /// Who has a hand in it: whoever edited it, or entered the count or receipt that it is about.
    async fn touched(&self, clicked: &Clicked) -> Result<Vec<PersonId>, DecisionRefused> {
        let mut touched = edit::editors(&clicked.rec).to_vec();
        touched.extend(self.recheck.concerned(&clicked.case).await.map_err(DecisionRefused::Failed)?);
        Ok(touched)
    }

    async fn edit(
        &self,
        request: &DecisionRequest,
        person: &Person,
        clicked: Clicked,
        (number, action): (u32, &Action),
        now: Timestamp,
    ) -> Result<Plan, DecisionRefused> {
        may_turn_down(person)?;
        let candidate = &clicked.rec.candidate;
        let none = || DecisionRefused::BadEdit(format!("it has {} steps and no step {number}", candidate.step_count()));
        let was = candidate.step(number).ok_or_else(none)?.action;
        let (action, changes) = edit::edited_action(was, action).map_err(DecisionRefused::BadEdit)?;
        if let (Some(was), Some(asked)) = (was.quantity(), action.quantity()) {
            let unit = self.unit_of(&clicked.case, &action).await?;
            edit::is_countable(asked, was, &unit).map_err(DecisionRefused::BadEdit)?;
        }
        // All steps are looked at again: more of one leaves less for another.
        let steps: Vec<&Action> =
            candidate.steps().map(|step| if step.number == number { &action } else { step.action }).collect();
        let checks = self.checks_hold(&clicked.case, &steps).await?;
        let edit = edit::Edited { step: number, action, changes: changes.clone(), checks };
        let edited = edit::edited(&clicked.rec, person, edit, now);
        plan::edit(request, clicked, edited, number, &changes, now)
    }

    /// The unit in which the item of an action is counted; empty where no record says it.
    async fn unit_of(&self, case: &Case, action: &Action) -> Result<String, DecisionRefused> {
        let Some(item) = plan::about(case, action).item else { return Ok(String::new()) };
        Ok(self.store.find_unit(&item).await.map_err(failed)?.unwrap_or_default())
    }

    /// Makes the checks of a plan's steps again; refuses when a hard one fails.
    async fn checks_hold(&self, case: &Case, steps: &[&Action]) -> Result<Vec<Vec<Check>>, DecisionRefused> {
        let checks = self.recheck.recheck(case, steps).await.map_err(DecisionRefused::Failed)?;
        let failed: Vec<Check> = checks.iter().flatten().filter(|c| c.hard && !c.passed).cloned().collect();
        if failed.is_empty() { Ok(checks) } else { Err(DecisionRefused::ChecksFailed(failed)) }
    }

    fn person(&self, id: &PersonId) -> Result<&Person, DecisionRefused> {
        let found = self.config.people.iter().find(|p| &p.id == id);
        found.ok_or_else(|| DecisionRefused::UnknownPerson(id.to_string()))
    }

    fn name_of(&self, id: &PersonId) -> String {
        self.person(id).map_or_else(|_| id.to_string(), |p| p.name.clone())
    }

    fn today(&self, now: Timestamp) -> Date {
        self.config.rules.calendar.calendar().day_of(now)
    }

    fn undo_window(&self) -> SignedDuration {
        SignedDuration::from_mins(i64::from(self.config.approval.undo_minutes))
    }

    async fn clicked(&self, request: &DecisionRequest) -> Result<Clicked, DecisionRefused> {
        let id = &request.recommendation_id;
        let case_id = match self.store.get_recommendation(id).await {
            Ok((rec, _)) => rec.case_id,
            Err(StoreError::NotFound { .. }) => return Err(DecisionRefused::UnknownRecommendation(id.to_string())),
            Err(error) => return Err(failed(error)),
        };
        // The case first: whatever moves afterwards moves its version too, and the write is refused.
        let case = self.store.get_case(&case_id).await.map_err(failed)?;
        let mut siblings = self.store.list_recommendations(&case_id).await.map_err(failed)?;
        let hidden = drill::hidden(&siblings, &self.store.list_drills_of(&case_id).await.map_err(failed)?);
        let place = siblings.iter().position(|(r, _)| &r.id == id);
        let (rec, seen) = siblings.remove(place.ok_or_else(|| DecisionRefused::UnknownRecommendation(id.to_string()))?);
        Ok(Clicked { rec, seen, siblings, case, hidden })
    }

    /// Writes everything a decision changes in one transaction.
    async fn write(
        &self,
        request: &DecisionRequest,
        mut plan: Plan,
        own: Own,
        now: Timestamp,
    ) -> Result<DecisionAnswer, DecisionRefused> {
        // Whatever a decision changes, its case's version moves: of two on one case the second is judged anew.
        let seen = plan.case.version;
        plan.case.version = seen + 1;
        plan.case.updated_at = now;
        let (reason, note) = match &request.verb {
            Verb::Reject { reason, note } => (Some(*reason), note.clone()),
            Verb::Forward { note, .. } | Verb::Return { note } => (None, note.clone()),
            _ => (None, String::new()),
        };
        let kept = Kept {
            verb: request.verb.clone(),
            answer: plan.answer.clone(),
            circumstances: Circumstances::of(
                plan.on_behalf_of.clone(),
                plan.on.candidate.actions().map(|action| action.code().to_owned()).collect(),
                plan.about.clone(),
            ),
        };
        // A drill releases nothing, and a mute only hides.
        let releases = own.drill.is_none() && plan.on.candidate.action.is_for_the_outside();
        let decision = DecisionRow {
            id: request.idempotency_key.clone(),
            case_id: plan.case.id.clone(),
            recommendation_id: plan.on.id.clone(),
            person: request.person.clone(),
            // What is learnt from approvals and rejections must not learn from a card that was wrong on purpose.
            verb: if own.drill.is_some() { DecisionVerb::Drill } else { request.verb.kind() },
            content_hash: request.content_hash.clone(),
            reason,
            note,
            value: if releases { plan.on.candidate.value } else { Money::ZERO },
            at: now,
            body: serde_json::to_value(&kept).expect("a verb and an answer are plain values"),
        };
        plan.notices.extend(self.told_by_command(request, &plan.on, now));
        let entries: Vec<_> = plan.entries.into_iter().map(|e| with_hand(self.store.with_os_user(e), request)).collect();
        let added: Vec<Recommendation> = plan.added.into_iter().collect();
        let cancel: Vec<&str> = plan.cancel.iter().map(String::as_str).collect();
        // The case that ends gives up its links before the other one takes them.
        let mut cases = vec![(plan.case, seen)];
        cases.extend(plan.other_case);
        let mute = own.mute.as_ref().map(|mute| NewMute { mute, today: self.today(now), seen: plan.mutes_seen });
        let change = Change {
            decision: Some(&decision),
            decisions_seen: plan.decisions_seen,
            delegations_seen: plan.delegations_seen,
            cases: &cases,
            recommendations: &plan.changed,
            added: &added,
            outbox: &plan.outbox,
            cancel: &cancel,
            notices: &plan.notices,
            mute: mute.as_ref(),
            unmute: own.unmute.as_ref(),
            drill: own.drill.as_ref(),
            entries: &entries,
            ..Change::default()
        };
        match self.store.advance(change).await {
            Ok(()) => Ok(plan.answer),
            // Duplicate: the same click came twice at once, and the other one is answered.
            Err(StoreError::Conflict | StoreError::Duplicate) => Err(DecisionRefused::Busy),
            Err(StoreError::AlreadyLeft { .. }) => Err(DecisionRefused::Leaving),
            Err(error) => Err(failed(error)),
        }
    }
}

fn failed(error: StoreError) -> DecisionRefused {
    DecisionRefused::Failed(error.into())
}
