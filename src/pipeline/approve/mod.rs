//! Approve: the queue in front of people, and what their clicks do.
//!
//! A decision binds to the content that was on the screen and to the evidence it rests on; hard checks are made again at the
//! click; the first valid decision on a case counts, the same click is answered the same, a contrary one is refused. The
//! decision, the new states, the audit entries and the outbox row are one transaction: all of it or none. Silence never
//! approves. Nothing here sends anything: an approval waits in the outbox until its undo window has passed.

mod batch;
mod edit;
mod plan;
mod queue;
mod request;
#[cfg(test)]
pub(super) mod tests;

use std::collections::BTreeSet;
use std::sync::Arc;

use anyhow::Context;
use jiff::civil::Date;
use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

pub use self::batch::{BatchAnswer, BatchFailure};
pub use self::queue::Sweep;
pub use self::request::{DecisionAnswer, DecisionRefused, DecisionRequest, Recheck, Verb};

use self::plan::Plan;
use crate::clock::Clock;
use crate::config::Config;
use crate::domain::action::{Action, Check};
use crate::domain::case::{Case, CaseState};
use crate::domain::decision::{Event, RecommendationState as State};
use crate::domain::ids::PersonId;
use crate::domain::money::Money;
use crate::domain::policy::{Person, Tier, may_decide, may_turn_down, tier_of};
use crate::domain::recommendation::Recommendation;
use crate::pipeline::publish::Terms;
use crate::store::{Change, DecisionRow, NewOutbox, Store, StoreError};

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
}

/// What a click is judged on, read before anything is written.
struct Scene {
    /// The recommendation clicked on, with the version read.
    rec: Recommendation,
    seen: i64,
    /// The others of its case, with theirs.
    siblings: Vec<(Recommendation, i64)>,
    case: Case,
}

impl Scene {
    /// What is proposed now: the best waiting recommendation on the case's present evidence.
    fn newest(&self) -> Option<&Recommendation> {
        let all = self.siblings.iter().map(|(r, _)| r).chain([&self.rec]);
        all.filter(|r| r.state.is_waiting() && self.case.evidence_hash.as_deref() == Some(&*r.evidence_hash))
            .min_by(|a, b| a.rank.cmp(&b.rank).then_with(|| b.drafted_at.cmp(&a.drafted_at)).then_with(|| a.id.cmp(&b.id)))
    }

    fn facts_changed(&self) -> DecisionRefused {
        DecisionRefused::FactsChanged { newest: self.newest().map(|r| r.id.clone()) }
    }
}

impl Approvals {
    /// Decides, or says why not. Nothing is changed by a refused click.
    ///
    /// # Errors
    /// [`DecisionRefused`], written for the person who clicked.
    pub async fn decide(&self, request: &DecisionRequest) -> Result<DecisionAnswer, DecisionRefused> {
        for _ in 0..TRIES {
            match self.attempt(request).await {
                // Somebody else moved it between reading and writing: judge the click on what is there now.
                Err(DecisionRefused::Busy) => {}
                result => return result,
            }
        }
        Err(DecisionRefused::Busy)
    }

    async fn attempt(&self, request: &DecisionRequest) -> Result<DecisionAnswer, DecisionRefused> {
        let now = self.clock.now();
        if request.idempotency_key.is_empty() || request.idempotency_key.len() > 200 {
            return Err(DecisionRefused::BadRequest("a click needs an idempotency key of 1 to 200 characters".into()));
        }
        if let Some(answer) = self.answered_before(request).await? {
            return Ok(answer);
        }
        let person = self.person(&request.person)?;
        let scene = self.scene(request).await?;
        if request.content_hash != scene.rec.content_hash() {
            return Err(scene.facts_changed());
        }
        if !matches!(request.verb, Verb::Undo) {
            if let Some(answer) = self.standing_decision(request, &scene) {
                return Ok(answer);
            }
            self.refuse_if_decided(&scene).await?;
            if matches!(scene.rec.state, State::Superseded)
                || scene.case.evidence_hash.as_deref() != Some(&*scene.rec.evidence_hash)
            {
                return Err(scene.facts_changed());
            }
        }
        let plan = match &request.verb {
            Verb::Approve => self.approve(request, person, scene, now).await?,
            Verb::Edit { action } => self.edit(request, person, scene, action, now).await?,
            Verb::Reject { reason, note } => {
                may_turn_down(person)?;
                plan::reject(request, scene, *reason, note, self.undo_window(), now)?
            }
            Verb::Snooze { until } => {
                may_turn_down(person)?;
                let today = self.today(now);
                let days = today.until(*until).map_or(i32::MAX, |span| span.get_days());
                if !(1..=LONGEST_SNOOZE).contains(&days) {
                    return Err(DecisionRefused::BadRequest(format!(
                        "{until} is no day to snooze to: choose one of the next {LONGEST_SNOOZE} days after {today}"
                    )));
                }
                plan::snooze(request, scene, *until, now)?
            }
            Verb::Undo => {
                may_turn_down(person)?;
                plan::undo(request, scene, self.undo_window(), now)?
            }
        };
        self.write(request, plan, now).await
    }

    async fn approve(
        &self,
        request: &DecisionRequest,
        person: &Person,
        scene: Scene,
        now: Timestamp,
    ) -> Result<Plan, DecisionRefused> {
        let action = &scene.rec.candidate.action;
        let mut signed = Vec::new();
        if let State::Signed { by, .. } = &scene.rec.state {
            // Who has left the configuration since keeps their signature, but no role that could complete a pair.
            let gone =
                || Person { id: by.clone(), name: by.to_string(), roles: Vec::new(), tier: 0, erp_user: String::new() };
            signed.push(self.person(by).cloned().unwrap_or_else(|_| gone()));
        }
        // Before the sum is read: whatever is decided afterwards, in whichever process, makes this judgement void.
        let decisions_seen = self.store.count_decisions().await.map_err(failed)?;
        let signers: Vec<PersonId> = signed.iter().map(|p| p.id.clone()).chain([person.id.clone()]).collect();
        let (tier, counted) = self.tier(&scene.case, &scene.rec, &signers, now).await?;
        let mut touched = edit::editors(&scene.rec).to_vec();
        touched.extend(self.recheck.concerned(&scene.case).await.map_err(DecisionRefused::Failed)?);
        let standing = may_decide(person, tier, &signed, &touched)?;
        self.checks_hold(&scene.case, action).await?;
        let event = plan::approval(&scene.rec, person.id.clone(), standing.needs_second);
        let version = self.config.approval.limits().policy_version();
        let unit = match plan::about(&scene.case, action).0 {
            Some(item) => self.store.find_unit(&item).await.map_err(failed)?.unwrap_or_default(),
            None => String::new(),
        };
        let terms = Terms::of(&self.config, &scene.rec, unit);
        let judged = plan::Judged { tier, counted, policy_version: &version, terms: &terms };
        let mut plan = plan::approve(request, scene, event, judged, self.undo_window(), now)?;
        plan.decisions_seen = Some(decisions_seen);
        Ok(plan)
    }

    async fn edit(
        &self,
        request: &DecisionRequest,
        person: &Person,
        scene: Scene,
        action: &Action,
        now: Timestamp,
    ) -> Result<Plan, DecisionRefused> {
        may_turn_down(person)?;
        let (action, changes) =
            edit::edited_action(&scene.rec.candidate.action, action).map_err(DecisionRefused::BadEdit)?;
        let checks = self.checks_hold(&scene.case, &action).await?;
        let edited = edit::edited(&scene.rec, person, action, &changes, checks, now);
        plan::edit(request, scene, edited, &changes, now)
    }

    /// Makes the checks again; refuses when a hard one fails.
    async fn checks_hold(&self, case: &Case, action: &Action) -> Result<Vec<Check>, DecisionRefused> {
        let checks = self.recheck.recheck(case, action).await.map_err(DecisionRefused::Failed)?;
        let failed: Vec<Check> = checks.iter().filter(|c| c.hard && !c.passed).cloned().collect();
        if failed.is_empty() { Ok(checks) } else { Err(DecisionRefused::ChecksFailed(failed)) }
    }

    /// The tier of a recommendation if `signers` sign it, and the amount that was compared with the limits: its own value and
    /// whatever was approved in the last `cumulative_days` for the same item or supplier or by one of the signers.
    pub(crate) async fn tier(
        &self,
        case: &Case,
        rec: &Recommendation,
        signers: &[PersonId],
        now: Timestamp,
    ) -> Result<(Tier, Money), DecisionRefused> {
        let days = SignedDuration::from_hours(24 * i64::from(self.config.approval.cumulative_days));
        let since = now.checked_sub(days).unwrap_or(Timestamp::MIN);
        let (item, supplier) = plan::about(case, &rec.candidate.action);
        let is_claim = matches!(rec.candidate.action, Action::Claim { .. });
        let (mut before, mut claims) = (Money::ZERO, Money::ZERO);
        // One recommendation counts once, however many signed it.
        let mut counted = BTreeSet::from([rec.id.clone()]);
        for earlier in self.store.decided_values(since).await.map_err(failed)? {
            let same_item = item.is_some() && earlier.item == item;
            let same_supplier = supplier.is_some() && earlier.supplier == supplier;
            if !(same_item || same_supplier || signers.contains(&earlier.person))
                || !counted.insert(earlier.recommendation_id.clone())
            {
                continue;
            }
            before += earlier.value;
            if is_claim {
                let (other, _) = self.store.get_recommendation(&earlier.recommendation_id).await.map_err(failed)?;
                if matches!(other.candidate.action, Action::Claim { .. }) {
                    claims += earlier.value;
                }
            }
        }
        let limits = self.config.approval.limits();
        let value = rec.candidate.value;
        let mut tier = tier_of(&rec.candidate.action, value, before, &limits);
        // A claim that was split is as large as the parts together, against the claims' own limit too.
        if is_claim && value + claims > limits.claim_tier3 {
            tier = tier.max(Tier::T3);
        }
        Ok((tier, value + before))
    }

    /// The answer given to the same click before.
    async fn answered_before(&self, request: &DecisionRequest) -> Result<Option<DecisionAnswer>, DecisionRefused> {
        let Some(earlier) = self.store.find_decision(&request.idempotency_key).await.map_err(failed)? else {
            return Ok(None);
        };
        let kept: Kept = serde_json::from_value(earlier.body)
            .context("a kept decision is damaged; restore the store from a backup")
            .map_err(DecisionRefused::Failed)?;
        if earlier.person != request.person
            || earlier.recommendation_id != request.recommendation_id
            || earlier.content_hash != request.content_hash
            || kept.verb != request.verb
        {
            return Err(DecisionRefused::BadRequest(
                "this idempotency key was used for another click; make a new one for each click".into(),
            ));
        }
        Ok(Some(kept.answer))
    }

    fn person(&self, id: &PersonId) -> Result<&Person, DecisionRefused> {
        let found = self.config.people.iter().find(|p| &p.id == id);
        found.ok_or_else(|| DecisionRefused::UnknownPerson(id.to_string()))
    }

    fn name_of(&self, id: &PersonId) -> String {
        self.person(id).map_or_else(|_| id.to_string(), |p| p.name.clone())
    }

    fn today(&self, now: Timestamp) -> Date {
        self.config.calendar.calendar().day_of(now)
    }

    fn undo_window(&self) -> SignedDuration {
        SignedDuration::from_mins(i64::from(self.config.approval.undo_minutes))
    }

    async fn scene(&self, request: &DecisionRequest) -> Result<Scene, DecisionRefused> {
        let id = &request.recommendation_id;
        let case_id = match self.store.get_recommendation(id).await {
            Ok((rec, _)) => rec.case_id,
            Err(StoreError::NotFound { .. }) => return Err(DecisionRefused::UnknownRecommendation(id.to_string())),
            Err(error) => return Err(failed(error)),
        };
        // The case first: whatever moves afterwards moves its version too, and the write is refused.
        let case = self.store.get_case(&case_id).await.map_err(failed)?;
        let mut siblings = self.store.list_recommendations(&case_id).await.map_err(failed)?;
        let place = siblings.iter().position(|(r, _)| &r.id == id);
        let (rec, seen) = siblings.remove(place.ok_or_else(|| DecisionRefused::UnknownRecommendation(id.to_string()))?);
        Ok(Scene { rec, seen, siblings, case })
    }

    /// The answer to a click that repeats, from another page, what the same person decided before.
    fn standing_decision(&self, request: &DecisionRequest, scene: &Scene) -> Option<DecisionAnswer> {
        let by = request.person.clone();
        let event = match &request.verb {
            Verb::Approve => plan::approval(&scene.rec, by, false),
            Verb::Reject { reason, .. } => Event::Reject { by, reason: *reason },
            Verb::Snooze { until } => Event::Snooze { by, until: *until },
            Verb::Edit { .. } | Verb::Undo => return None,
        };
        if !scene.rec.state.same_decision(&event) {
            return None;
        }
        let (at, undoable) = match &scene.rec.state {
            State::Approved { at, .. } | State::ApprovedWithEdit { at, .. } | State::Rejected { at, .. } => (*at, true),
            State::Signed { at, .. } => (*at, false),
            _ => (scene.case.updated_at, false),
        };
        Some(DecisionAnswer {
            recommendation_id: scene.rec.id.clone(),
            state: scene.rec.state.name().to_owned(),
            tier: None,
            counted: scene.rec.candidate.value,
            needs_second: matches!(scene.rec.state, State::Signed { .. }),
            undo_until: undoable.then(|| at.checked_add(self.undo_window()).unwrap_or(Timestamp::MAX)),
            said: format!("You decided this already; it is {}.", scene.rec.state.name().replace('_', " ")),
            at,
        })
    }

    /// Refuses a click on what is decided, with who decided what and when.
    async fn refuse_if_decided(&self, scene: &Scene) -> Result<(), DecisionRefused> {
        let open = matches!(scene.case.state, CaseState::New | CaseState::Open | CaseState::Snoozed { .. });
        let told = |by: &[PersonId], what: String, at| {
            let who: Vec<String> = by.iter().map(|p| self.name_of(p)).collect();
            Err(DecisionRefused::AlreadyDecided { who: who.join(" and "), what, at })
        };
        if let Some((by, what, at)) = plan::decided(&scene.rec.state) {
            return told(&by, format!("{what} this"), at);
        }
        if open {
            return Ok(());
        }
        let chosen = scene.siblings.iter().filter_map(|(r, _)| Some((r, plan::decided(&r.state)?)));
        if let Some((rec, (by, what, at))) = chosen.max_by_key(|(_, (_, _, at))| *at) {
            return told(&by, format!("{what} {} of this case", rec.candidate.action.code()), at);
        }
        // Handed off and beyond: the state no longer names who approved, the log does.
        for rec in scene.siblings.iter().map(|(r, _)| r).chain([&scene.rec]) {
            let log = self.store.list_audit_of(&format!("recommendation:{}", rec.id)).await.map_err(failed)?;
            if let Some(last) = log.iter().rev().find(|e| e.entry.action == "recommendation.approved")
                && matches!(rec.state, State::HandedOff | State::CarriedOut | State::Partly | State::NotCarriedOut)
            {
                let by = [PersonId::new(last.entry.actor.clone())];
                return told(&by, format!("approved {} of this case", rec.candidate.action.code()), last.entry.at);
            }
        }
        Err(DecisionRefused::BadRequest(format!(
            "the case is {} and takes no more decisions",
            scene.case.state.name().replace('_', " ")
        )))
    }

    /// Writes everything a decision changes in one transaction.
    async fn write(
        &self,
        request: &DecisionRequest,
        mut plan: Plan,
        now: Timestamp,
    ) -> Result<DecisionAnswer, DecisionRefused> {
        let seen = plan.case.version;
        plan.case.version = seen + 1;
        plan.case.updated_at = now;
        let (reason, note) = match &request.verb {
            Verb::Reject { reason, note } => (Some(reason.code().to_owned()), note.clone()),
            _ => (None, String::new()),
        };
        let kept = Kept { verb: request.verb.clone(), answer: plan.answer.clone() };
        let decision = DecisionRow {
            id: request.idempotency_key.clone(),
            case_id: plan.case.id.clone(),
            recommendation_id: plan.on.id.clone(),
            person: request.person.clone(),
            verb: request.verb.name().to_owned(),
            content_hash: request.content_hash.clone(),
            reason,
            note,
            value: plan.on.candidate.value,
            at: now,
            body: serde_json::to_value(&kept).expect("a verb and an answer are plain values"),
        };
        let added: Vec<Recommendation> = plan.added.into_iter().collect();
        let outbox: Vec<NewOutbox> = plan.outbox.into_iter().collect();
        let cancel: Vec<&str> = plan.cancel.as_deref().into_iter().collect();
        let change = Change {
            decision: Some(&decision),
            decisions_seen: plan.decisions_seen,
            cases: &[(plan.case, seen)],
            recommendations: &plan.changed,
            added: &added,
            outbox: &outbox,
            cancel: &cancel,
            entries: &plan.entries,
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

/// What a decision's row keeps, so that the same click is answered the same.
#[derive(Serialize, Deserialize)]
struct Kept {
    verb: Verb,
    answer: DecisionAnswer,
}

fn failed(error: StoreError) -> DecisionRefused {
    DecisionRefused::Failed(error.into())
}
