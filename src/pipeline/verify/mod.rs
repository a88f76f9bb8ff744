//! Reads the source back: was an approved recommendation carried out, and did it help? (handbook §5 "read-back", §8)
//!
//! Looks for the trace that the action would leave in the ERP after the hand-off (`trace`). Without one after a day it says
//! so; it never assumes. What was said is corrected when the trace comes later, until the horizon; then what happened is
//! measured once (`measure`).
//!
//! The ERP goes before the executor's word (`word`): that an executor says "done" settles only what leaves no trace; that it
//! says "not done" is taken at once, unless the ERP shows otherwise; "taken back" is taken whatever the ERP still shows.

mod measure;
mod plan;
mod trace;
mod word;

use std::sync::Arc;

use anyhow::Context;
use async_trait::async_trait;
use jiff::civil::Date;
use jiff::{SignedDuration, Timestamp};

use self::word::{Finding, finding};
use super::context::Context as Stages;
use super::observe::may_look;
use super::{Progress, Stage};
use crate::domain::audit::AuditEntry;
use crate::domain::book::Book;
use crate::domain::calendar::plus_days;
use crate::domain::case_life::CaseEvent;
use crate::domain::decision::RecommendationState;
use crate::domain::outbox::OutboxKind;
use crate::domain::outcome::Findings;
use crate::domain::recommendation::Recommendation;
use crate::pipeline::moment::Moment;
use crate::pipeline::publish;
use crate::rules::scope;
use crate::store::{Change, NewOutbox, OutboxState, Outcome, StoreError};

/// How long an executor has before "not seen" is said (handbook §8: default 24 h).
const PATIENCE: SignedDuration = SignedDuration::from_hours(24);

/// Reads back what was handed off.
pub struct Verify(pub Stages);

#[async_trait]
impl Stage for Verify {
    fn name(&self) -> &'static str {
        "verify"
    }

    async fn run_once(&self) -> anyhow::Result<Progress> {
        let Stages { store, clock, moments, config, .. } = &self.0;
        // What was handed off is looked at until it is settled; what was settled, until its horizon has been measured.
        let settled = [
            RecommendationState::CarriedOut.name(),
            RecommendationState::Partly.name(),
            RecommendationState::NotCarriedOut.name(),
        ];
        let mut watched = store.list_recommendations_in(&[RecommendationState::HandedOff.name()]).await?;
        for (recommendation, seen) in store.list_recommendations_in(&settled).await? {
            let outcome = store.find_outcome(&recommendation.id).await?;
            if outcome.is_none_or(|outcome| !outcome.found.is_measured()) {
                watched.push((recommendation, seen));
            }
        }
        if watched.is_empty() {
            return Ok(Progress::Idle);
        }
        // That nothing is to be seen of an action is said of records that were read.
        if !may_look(&self.0).await? {
            return Ok(Progress::Idle);
        }
        let moment = moments.now().await?;
        let mut moved = 0;
        for (recommendation, seen) in watched {
            if recommendation.candidate.is_plan() {
                let book = self.book_of(&moment, &recommendation).await?;
                moved += usize::from(self.look_at_plan(&book, recommendation, seen).await?);
                continue;
            }
            let book = self.book_of(&moment, &recommendation).await?;
            // A trace counts from the decision on, for somebody may have acted at once; patience, from when the executor
            // heard of it.
            let (since, left) = decided_and_left(&self.0, &recommendation).await?;
            let found = trace::of(&book, &recommendation.candidate.action, since);
            let late = clock.now().duration_since(left) > PATIENCE;
            let word = store.list_reports_about(recommendation.id.as_str()).await?.pop();
            let reports =
                config.destination(config.route(recommendation.candidate.action.code())).is_some_and(|d| d.reports);
            if let Some(finding) = finding(&recommendation.state, found, word.as_ref(), reports, late) {
                moved += usize::from(self.settle(recommendation, seen, finding, left).await?);
                continue;
            }
            moved += usize::from(self.measure_when_over(&book, &recommendation, seen, (since, left)).await?);
        }
        Ok(if moved == 0 { Progress::Idle } else { Progress::Advanced(moved) })
    }
}

impl Verify {
    /// The book with the sales of what a recommendation and its case are about.
    async fn book_of(&self, moment: &Moment, recommendation: &Recommendation) -> anyhow::Result<Arc<Book>> {
        let Stages { store, .. } = &self.0;
        if moment.is_whole() {
            return Ok(Arc::clone(&moment.book));
        }
        let case = store.get_case(&recommendation.case_id).await?;
        let exceptions = store.list_case_exceptions(&case.id).await?;
        let (book, seen) = (&moment.book, &moment.seen);
        let mut items = scope::of_case(book, seen, &case, &exceptions);
        for action in recommendation.candidate.actions() {
            items.extend(scope::of_action(book, seen, action));
        }
        moment.book_of(store, &items).await
    }

    async fn settle(
        &self,
        recommendation: Recommendation,
        seen: i64,
        finding: Finding,
        left: Timestamp,
    ) -> anyhow::Result<bool> {
        let Stages { store, clock, .. } = &self.0;
        let now = clock.now();
        // Only where nobody knows what became of it. Who has reported need not be asked.
        let notice = if finding.missed { self.missed(&recommendation, left).await? } else { None };
        let Finding { event, words, nobody_can_tell, .. } = finding;
        let mut after = recommendation.clone();
        after.state = recommendation.state.clone().after(event, now).context("settling a hand-off")?;
        let case = store.get_case(&recommendation.case_id).await?;
        let mut closed = case.clone();
        // A case that has gone another way since stays where it went.
        closed.state = closed.state.after(CaseEvent::Settle).context("settling a case")?;
        closed.version += 1;
        closed.updated_at = now;
        let entry = AuditEntry::by_stage(
            "verify",
            now,
            &format!("recommendation.{}", after.state.name()),
            format!("recommendation:{}", after.id),
        )
        .on(after.content_hash())
        .with(serde_json::json!({ "case": case.id.as_str(), "seen": words }));
        let outcome = Outcome {
            recommendation_id: after.id.clone(),
            at: now,
            state: after.state.clone(),
            found: Findings {
                action: Some(after.candidate.action.clone()),
                predicted: Some(after.candidate.money.clone()),
                seen: Some(words),
                nobody_can_tell,
                ..Findings::default()
            },
        };
        self.write(Change {
            cases: &[(closed, case.version)],
            recommendations: &[(after, seen)],
            outcomes: &[outcome],
            outbox: notice.as_slice(),
            entries: &[entry],
            ..Change::default()
        })
        .await
    }

    /// What tells the executor that the ERP shows nothing of a hand-off; none where nothing was handed to anybody.
    async fn missed(&self, recommendation: &Recommendation, left: Timestamp) -> anyhow::Result<Option<NewOutbox>> {
        let Stages { store, clock, config, .. } = &self.0;
        let sent = store.list_outbox_about(recommendation.id.as_str()).await?;
        // The newest one: an approval that was undone and given again has other messages.
        let hand_off = sent.iter().rev().find(|row| row.state == OutboxState::Sent && row.kind == OutboxKind::Approved);
        Ok(hand_off.zip(recommendation.candidate.step(1)).map(|(row, step)| {
            publish::not_seen(recommendation, step, &row.id, &row.channel, &config.web.address(), left, clock.now())
        }))
    }

    /// Writes down what happened, once what was settled has come to its horizon.
    async fn measure_when_over(
        &self,
        book: &Book,
        recommendation: &Recommendation,
        seen: i64,
        (since, left): (Timestamp, Timestamp),
    ) -> anyhow::Result<bool> {
        let horizon = plus_days(book.calendar.day_of(left), self.0.config.rules.detect.horizon_days as i32);
        if recommendation.state == RecommendationState::HandedOff || book.today <= horizon {
            return Ok(false);
        }
        self.measure(book, recommendation, seen, since, horizon).await
    }

    /// Writes down what happened up to the horizon, once.
    async fn measure(
        &self,
        book: &Book,
        recommendation: &Recommendation,
        seen: i64,
        since: Timestamp,
        horizon: Date,
    ) -> anyhow::Result<bool> {
        let Stages { store, clock, config, .. } = &self.0;
        let case = store.get_case(&recommendation.case_id).await?;
        let measured = measure::of(book, &case, &recommendation.candidate, since, horizon, config.rules.money.recapture);
        let earlier = store.find_outcome(&recommendation.id).await?;
        // What was said when it was settled stays, and stands beside what was measured.
        let found = earlier.map(|outcome| outcome.found).unwrap_or_default();
        let outcome = Outcome {
            recommendation_id: recommendation.id.clone(),
            at: clock.now(),
            state: recommendation.state.clone(),
            found: Findings { measured: Some(measured.clone()), ..found },
        };
        let entry =
            AuditEntry::by_stage("verify", clock.now(), "outcome.measured", format!("recommendation:{}", recommendation.id))
                .on(recommendation.content_hash())
                .with(serde_json::json!({ "case": case.id.as_str(), "measured": measured }));
        self.write(Change {
            // As it was, but written at the version that was read: of two that measure at once one is refused.
            recommendations: &[(recommendation.clone(), seen)],
            outcomes: &[outcome],
            entries: &[entry],
            ..Change::default()
        })
        .await
    }

    async fn write(&self, change: Change<'_>) -> anyhow::Result<bool> {
        match self.0.store.advance(change).await {
            Ok(()) => Ok(true),
            // Somebody moved it in between: the next look sees what is there then, and the others do not wait for it.
            Err(StoreError::Conflict) => Ok(false),
            Err(error) => Err(error).context("writing an outcome"),
        }
    }
}

/// When it was decided, and when it left: an executor has heard of it only since then.
async fn decided_and_left(stages: &Stages, recommendation: &Recommendation) -> anyhow::Result<(Timestamp, Timestamp)> {
    let decisions = stages.store.list_decisions_on(&recommendation.id).await?;
    let last = decisions.iter().map(|d| d.at).max();
    let decided = last.unwrap_or(recommendation.drafted_at);
    let log = stages.store.list_audit_of(&format!("recommendation:{}", recommendation.id)).await?;
    let left = log.iter().rev().find(|e| e.entry.action == "recommendation.handed_off").map_or(decided, |e| e.entry.at);
    Ok((decided, left))
}
