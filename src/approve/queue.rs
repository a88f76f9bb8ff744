//! What happens to the queue without a click: recommendations enter it, are reminded of, wake up and run out of time.
//!
//! None of it approves anything. Time only ever takes choices away.

use std::collections::{BTreeMap, BTreeSet};

use anyhow::Context;
use jiff::Timestamp;
use jiff::civil::Date;
use serde_json::{Value, json};
use tracing::warn;

use super::Approvals;
use crate::domain::audit::AuditEntry;
use crate::domain::case::{Case, CaseState};
use crate::domain::case_life::CaseEvent;
use crate::domain::decision::{Event, RecommendationState as State, WakeCondition};
use crate::domain::exception::ExceptionType;
use crate::domain::ids::CaseId;
use crate::domain::money::Money;
use crate::domain::recommendation::Recommendation;
use crate::pipeline::noise::Muting;
use crate::store::{Change, States, StoreError};

/// How the machine signs the audit log here. It can not sign an approval.
const STAGE: &str = "approve";

/// Cases that are looked over together: what is read of them at once.
const CASES: usize = 200;

/// What a look over the queue did, in cases.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Sweep {
    /// Snoozes that ended.
    pub woken: usize,
    /// Reminders to whoever looks after a case.
    pub reminded: usize,
    /// Steps of the policy's chain.
    pub escalated: usize,
    /// Ran out of time undecided.
    pub expired: usize,
    /// Decided ones whose other proposals were taken off the queue.
    pub cleared: usize,
}

impl Sweep {
    /// Did it change anything?
    pub fn advanced(self) -> usize {
        self.woken + self.reminded + self.escalated + self.expired + self.cleared
    }
}

impl Approvals {
    /// Puts drafted recommendations before people, after making their hard checks once more; what fails one is dropped with
    /// the reason. Answers how many were queued. One that can not be checked waits and does not stop the others.
    ///
    /// # Errors
    /// When the store can not be used.
    pub async fn submit(&self) -> anyhow::Result<usize> {
        let now = self.clock.now();
        let mut queued = 0;
        for (rec, seen) in self.store.list_recommendations_in(&["drafted", "checked"]).await? {
            let id = rec.id.clone();
            match self.submit_one(rec, seen, now).await {
                Ok(true) => queued += 1,
                Ok(false) => {}
                Err(error) => warn!(recommendation = %id, "It can not be queued yet: {error:#}"),
            }
        }
        Ok(queued)
    }

    async fn submit_one(&self, mut rec: Recommendation, seen: i64, now: Timestamp) -> anyhow::Result<bool> {
        let case = self.store.get_case(&rec.case_id).await?;
        // Its case was drafted anew before this one came before anybody.
        if case.evidence_hash.as_deref() != Some(&*rec.evidence_hash) {
            let detail = json!({ "case": case.id, "because": "the case rests on newer evidence" });
            rec.state = rec.state.after(Event::Supersede, now)?;
            let entry = entry("recommendation.superseded", &rec, detail, now);
            self.keep(&[(rec, seen)], &[], &[entry]).await?;
            return Ok(false);
        }
        // Its scope is not live any more: the next look takes it off, and nobody is asked until then.
        if !self.recheck.mode(&case).await.context("looking up its mode")?.is_live() {
            return Ok(false);
        }
        // Records may have moved since it was drafted. Nobody is asked for what the click would refuse.
        let steps: Vec<_> = rec.candidate.actions().collect();
        let checks = self.recheck.recheck(&case, &steps).await.context("making the checks again")?;
        let failed: Vec<_> = checks.iter().flatten().filter(|c| c.hard && !c.passed).collect();
        let (name, detail) = if let Some(why) = rec.candidate.clash() {
            rec.state = rec.state.after(Event::Supersede, now)?;
            ("recommendation.superseded", json!({ "case": case.id, "because": why }))
        } else if failed.is_empty() {
            if rec.state == State::Drafted {
                rec.state = rec.state.after(Event::Check, now)?;
            }
            rec.state = rec.state.after(Event::Queue, now)?;
            ("recommendation.queued", json!({ "case": case.id, "evidence": rec.evidence_hash, "rank": rec.rank }))
        } else {
            rec.state = rec.state.after(Event::Supersede, now)?;
            ("recommendation.superseded", json!({ "case": case.id, "because": "a hard check failed", "failed": failed }))
        };
        let queued = rec.state == State::Queued;
        let entry = entry(name, &rec, detail, now);
        Ok(self.keep(&[(rec, seen)], &[], &[entry]).await? && queued)
    }

    /// Looks over everything that waits: ends snoozes, reminds, and lets expire what no longer helps. Silence is not
    /// consent: nothing is approved here, and what waiting cost is written down.
    ///
    /// # Errors
    /// When the store can not be used.
    pub async fn remind_and_expire(&self) -> anyhow::Result<Sweep> {
        let now = self.clock.now();
        // Nobody is reminded of what is muted, nor of a proposal to mute something.
        let muting = Muting::load(&self.store, &self.config, now).await?;
        let hidden: BTreeSet<CaseId> = muting.hidden(&self.store).await?.into_iter().map(|(case, _)| case.id).collect();
        let mut sweep = Sweep::default();
        let waiting = self.store.list_cases_proposing(State::WAITING).await?;
        for some in waiting.chunks(CASES) {
            self.sweep(some, &hidden, now, &mut sweep).await?;
        }
        Ok(sweep)
    }

    /// Looks over some cases with what waits in them.
    async fn sweep(
        &self,
        ids: &[CaseId],
        hidden: &BTreeSet<CaseId>,
        now: Timestamp,
        sweep: &mut Sweep,
    ) -> anyhow::Result<()> {
        let ids: Vec<&CaseId> = ids.iter().collect();
        let mut waiting: BTreeMap<CaseId, Vec<(Recommendation, i64)>> = BTreeMap::new();
        for (rec, seen) in self.store.list_recommendations_of(&ids, States::In(State::WAITING)).await? {
            waiting.entry(rec.case_id.clone()).or_default().push((rec, seen));
        }
        let mut cases = self.store.list_cases_of(&ids).await?;
        for (id, recs) in waiting {
            let Some(case) = cases.remove(&id) else { continue };
            match &case.state {
                CaseState::New | CaseState::Open => {
                    // First of all: a reminder of what can not help any more would disturb somebody for nothing.
                    if let Some(lost) = lost_to_waiting(&recs, self.today(now)) {
                        sweep.expired += usize::from(self.expire(case, recs, lost, now).await?);
                    } else if !case.is_mute_proposal()
                        && !hidden.contains(&case.id)
                        && self.recheck.mode(&case).await.is_ok_and(|mode| mode.is_live())
                    {
                        self.escalate(&case, &recs, now, sweep).await?;
                    }
                }
                CaseState::Snoozed { until, value_then, wake, codes_then } => {
                    let today = self.today(now);
                    if let Some(lost) = lost_to_waiting(&recs, today) {
                        sweep.expired += usize::from(self.expire(case, recs, lost, now).await?);
                    } else if *until <= today || woken(*wake, *value_then, codes_then, &case) {
                        sweep.woken += usize::from(self.wake(case, recs, now).await?);
                    }
                }
                CaseState::Decided => {
                    // Until then an undo has to find the other proposals as they were.
                    if self.undo_is_over(&case, now).await? {
                        sweep.cleared += usize::from(self.clear(&case, recs, now).await?);
                    }
                }
                // What is latent has nothing before people; what should have is taken off.
                CaseState::Latent
                | CaseState::Verifying
                | CaseState::Closed
                | CaseState::ResolvedItself
                | CaseState::Expired
                | CaseState::Merged { .. }
                | CaseState::Shadow
                | CaseState::ShadowOver { .. }
                | CaseState::Withdrawn { .. } => sweep.cleared += usize::from(self.clear(&case, recs, now).await?),
            }
        }
        Ok(())
    }

    async fn expire(
        &self,
        mut case: Case,
        recs: Vec<(Recommendation, i64)>,
        lost: Money,
        now: Timestamp,
    ) -> anyhow::Result<bool> {
        let recs = all_after(recs, &Event::Expire, now)?;
        let seen = case.version;
        case.state = case.state.after(CaseEvent::Expire)?;
        let detail = json!({ "lost_to_waiting": lost, "recommendations": ids(&recs) });
        let entries = [case_entry("case.expired", &case, detail, now)];
        self.keep(&recs, &[moved(case, seen, now)], &entries).await
    }

    async fn wake(&self, mut case: Case, recs: Vec<(Recommendation, i64)>, now: Timestamp) -> anyhow::Result<bool> {
        let asleep = recs.into_iter().filter(|(r, _)| matches!(r.state, State::Snoozed { .. })).collect();
        let recs = all_after(asleep, &Event::Wake, now)?;
        let seen = case.version;
        case.state = case.state.after(CaseEvent::Wake)?;
        let entries = [case_entry("case.woken", &case, json!({ "recommendations": ids(&recs) }), now)];
        self.keep(&recs, &[moved(case, seen, now)], &entries).await
    }

    /// Takes what still waits off the queue of a case that is decided or over.
    async fn clear(&self, case: &Case, recs: Vec<(Recommendation, i64)>, now: Timestamp) -> anyhow::Result<bool> {
        let recs = all_after(recs, &Event::Supersede, now)?;
        let detail = json!({ "because": format!("the case is {}", case.state.name()), "recommendations": ids(&recs) });
        self.keep(&recs, &[], &[case_entry("case.cleared", case, detail, now)]).await
    }

    async fn undo_is_over(&self, case: &Case, now: Timestamp) -> anyhow::Result<bool> {
        let recs = self.store.list_recommendations(&case.id).await?;
        Ok(!recs.iter().any(|(r, _)| match &r.state {
            State::Approved { at, .. } | State::ApprovedWithEdit { at, .. } => {
                at.checked_add(self.undo_window()).is_ok_and(|end| now < end)
            }
            _ => false,
        }))
    }

    /// Writes a step. False when somebody else moved something in between: the next look sees what is there then.
    async fn keep(
        &self,
        recs: &[(Recommendation, i64)],
        cases: &[(Case, i64)],
        entries: &[AuditEntry],
    ) -> anyhow::Result<bool> {
        match self.store.advance(Change { cases, recommendations: recs, entries, ..Change::default() }).await {
            Ok(()) => Ok(true),
            Err(StoreError::Conflict) => Ok(false),
            Err(error) => Err(error.into()),
        }
    }
}

/// What the best of them would have been worth, when the last day of everything worth doing has passed.
fn lost_to_waiting(recs: &[(Recommendation, i64)], today: Date) -> Option<Money> {
    let useful = || recs.iter().map(|(r, _)| &r.candidate).filter(|c| c.money.benefit.expected > Money::ZERO);
    if useful().any(|c| c.latest_date >= today) {
        return None;
    }
    // Where nothing would have gained anything, waiting has cost nothing, and the case does not expire.
    useful().map(|c| c.money.benefit.expected).max()
}

/// Has what was waited for come about?
fn woken(wake: WakeCondition, then: Money, codes_then: &[ExceptionType], case: &Case) -> bool {
    match wake {
        WakeCondition::Grew => grew(then, case),
        WakeCondition::ValueAbove { value } => case.rank.as_ref().is_some_and(|r| r.value.expected > value),
        WakeCondition::StageChanged => case.codes != codes_then,
    }
}

/// Has the case come to be worth a fifth and 50.00 more than when it was put off?
fn grew(then: Money, case: &Case) -> bool {
    let now = case.rank.as_ref().map_or(Money::ZERO, |r| r.value.expected);
    let more = now - then;
    more > Money::from_minor(5_000) && i128::from(more.minor) * 5 > i128::from(then.minor)
}

fn all_after(recs: Vec<(Recommendation, i64)>, event: &Event, now: Timestamp) -> anyhow::Result<Vec<(Recommendation, i64)>> {
    recs.into_iter()
        .map(|(mut rec, seen)| {
            rec.state = rec.state.after(event.clone(), now)?;
            Ok((rec, seen))
        })
        .collect()
}

fn ids(recs: &[(Recommendation, i64)]) -> Vec<&str> {
    recs.iter().map(|(r, _)| r.id.as_str()).collect()
}

pub(super) fn moved(mut case: Case, seen: i64, now: Timestamp) -> (Case, i64) {
    case.version = seen + 1;
    case.updated_at = now;
    (case, seen)
}

fn entry(action: &str, rec: &Recommendation, detail: Value, now: Timestamp) -> AuditEntry {
    AuditEntry::by_stage(STAGE, now, action, format!("recommendation:{}", rec.id)).on(rec.content_hash()).with(detail)
}

pub(super) fn case_entry(action: &str, case: &Case, detail: Value, now: Timestamp) -> AuditEntry {
    AuditEntry::by_stage(STAGE, now, action, format!("case:{}", case.id))
        .on(case.evidence_hash.clone().unwrap_or_default())
        .with(detail)
}
