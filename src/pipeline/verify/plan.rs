//! Reads a plan of several steps back: each step by its own hand-off, its own trace and its own executor's word. The plan is
//! carried out when all of them are, and in part when some are.

use anyhow::Context;
use jiff::Timestamp;
use serde_json::json;

use super::word::finding;
use super::{PATIENCE, Verify, decided_and_left, trace};
use crate::domain::action::StepRef;
use crate::domain::audit::AuditEntry;
use crate::domain::book::Book;
use crate::domain::case_life::CaseEvent;
use crate::domain::decision::{Event, RecommendationState as State};
use crate::domain::detail::{self, Detail as _};
use crate::domain::ids::PersonId;
use crate::domain::outbox::OutboxKind;
use crate::domain::outcome::{Findings, StepFound};
use crate::domain::recommendation::Recommendation;
use crate::pipeline::publish;
use crate::store::{Change, NewOutbox, Notice, NoticeKind, OutboxRow, OutboxState, Outcome, Report, Store};

/// What became of a step's message.
enum Fate {
    /// It waits to leave, or somebody may still send it.
    Waits,
    /// It left at this time.
    Left(Timestamp),
    /// It never leaves, for this reason.
    Never(String),
}

/// What a look at a plan's steps found anew.
#[derive(Default)]
struct Looked {
    /// Every step that anything is known of, as it stands now.
    steps: Vec<StepFound>,
    /// Those that moved.
    moved: Vec<StepFound>,
    /// Messages to executors that have to be asked.
    missed: Vec<NewOutbox>,
}

impl Verify {
    /// Looks at each step of a plan. Answers whether anything was written.
    pub(super) async fn look_at_plan(&self, book: &Book, rec: Recommendation, seen: i64) -> anyhow::Result<bool> {
        let store = &self.0.store;
        let (since, left) = decided_and_left(&self.0, &rec).await?;
        let rows = store.list_outbox_about(rec.id.as_str()).await?;
        let reports = store.list_reports_about(rec.id.as_str()).await?;
        let earlier = store.find_outcome(&rec.id).await?.map(|outcome| outcome.found).unwrap_or_default();
        let mut looked = Looked::default();
        for step in rec.candidate.steps() {
            let of_step = |row: &&OutboxRow| row.kind == OutboxKind::Approved && row.step == step.number;
            // An approval that was undone and given again has messages of its own, the newest last.
            if let Some(row) = rows.iter().rfind(of_step) {
                self.look_at_step(book, &rec, step, row, since, (&earlier.steps, &reports), &mut looked)?;
            }
        }
        // A step that nothing is known of may still leave. Until then the plan is neither done nor failed.
        let every = looked.steps.len() == rec.candidate.step_count() as usize;
        let event = StepFound::whole(&looked.steps).filter(|_| every).and_then(|to| StepFound::event(&rec.state, &to));
        if looked.moved.is_empty() && event.is_none() {
            return self.measure_when_over(book, &rec, seen, (since, left)).await;
        }
        self.settle_plan(rec, seen, earlier, looked, event).await
    }

    #[expect(clippy::too_many_arguments, reason = "one step of one plan, everything about it read by its only caller")]
    fn look_at_step(
        &self,
        book: &Book,
        rec: &Recommendation,
        step: StepRef<'_>,
        row: &OutboxRow,
        since: Timestamp,
        (earlier, reports): (&[StepFound], &[Report]),
        looked: &mut Looked,
    ) -> anyhow::Result<()> {
        let now = self.0.clock.now();
        let fate = fate(row, now);
        if matches!(fate, Fate::Waits) {
            return Ok(());
        }
        let before = earlier.iter().find(|found| found.message == row.id);
        let unsent = |because: &str| StepFound {
            step: step.number,
            message: row.id.clone(),
            state: State::NotCarriedOut,
            seen: format!("not sent: {because}"),
            never_left: true,
            nobody_can_tell: false,
        };
        // What never left may be seen in the ERP all the same: somebody did it by hand. What was told not to have left, and is
        // reported on now, stands where everything stands that has just arrived.
        let (mut found, left) = match (&fate, before) {
            (Fate::Never(because), None) => (unsent(because), None),
            (Fate::Left(at), Some(before)) if !before.never_left || before.holds() => (before.clone(), Some(*at)),
            (Fate::Never(_), Some(before)) => (before.clone(), None),
            (Fate::Left(at), _) => {
                let seen = String::new();
                (StepFound { state: State::HandedOff, seen, never_left: false, ..unsent("") }, Some(*at))
            }
            (Fate::Waits, _) => return Ok(()),
        };
        let word = reports.iter().rfind(|report| report.message_id == row.id);
        let reports = self.0.config.destination(&row.channel).is_some_and(|destination| destination.reports);
        let late = left.is_some_and(|left| now.duration_since(left) > PATIENCE);
        let traced = trace::of(book, step.action, since);
        if let Some(finding) = finding(&found.state, traced, word, reports, late) {
            if let Some(left) = left.filter(|_| finding.missed) {
                let page = self.0.config.web.address();
                looked.missed.push(publish::not_seen(rec, step, &row.id, &row.channel, &page, left, now));
            }
            found.state = found.state.after(finding.event, now).context("settling a step of a plan")?;
            (found.seen, found.nobody_can_tell) = (finding.words, finding.nobody_can_tell);
        }
        // That a step has left was told when it left.
        if before != Some(&found) && found.state != State::HandedOff {
            looked.moved.push(found.clone());
        }
        looked.steps.push(found);
        Ok(())
    }

    /// Writes down what was found of the steps, and where that leaves the plan.
    async fn settle_plan(
        &self,
        rec: Recommendation,
        seen: i64,
        earlier: Findings,
        looked: Looked,
        event: Option<Event>,
    ) -> anyhow::Result<bool> {
        let Looked { steps, moved, missed } = looked;
        let (store, now) = (&self.0.store, self.0.clock.now());
        let subject = format!("recommendation:{}", rec.id);
        let case = store.get_case(&rec.case_id).await?;
        let entry = |action: &str, detail| {
            AuditEntry::by_stage("verify", now, action, subject.clone()).on(rec.content_hash()).with(detail)
        };
        let settled = |step: &StepFound| {
            let detail = detail::StepSettled {
                case: Some(case.id.clone()),
                step: step.step,
                state: step.state.name().to_owned(),
                seen: step.seen.clone(),
            };
            entry(detail::STEP_SETTLED, detail.to_json())
        };
        let mut entries: Vec<AuditEntry> = moved.iter().map(settled).collect();
        let mut after = rec.clone();
        let mut cases = Vec::new();
        let words = steps.iter().map(|found| format!("step {}: {}", found.step, found.seen)).collect::<Vec<_>>().join("; ");
        if let Some(event) = event {
            after.state = rec.state.clone().after(event, now).context("settling a plan")?;
            let mut closed = case.clone();
            closed.state = closed.state.after(CaseEvent::Settle).context("settling a case")?;
            closed.version += 1;
            closed.updated_at = now;
            let name = format!("recommendation.{}", after.state.name());
            entries.push(entry(&name, json!({ "case": case.id.as_str(), "seen": words })));
            cases.push((closed, case.version));
        }
        // Whoever approved it is told of each step that never left, as of a recommendation that did not.
        let mut notices = Vec::new();
        for step in moved.iter().filter(|step| step.never_left && !step.holds()) {
            let what = rec.candidate.step(step.step).map_or("", |of| of.summary);
            let said = format!("A step of what you approved is not carried out: {what}. {}", step.seen);
            let told = approvers(store, &rec).await?.into_iter().map(|to| {
                Notice::new(&to, NoticeKind::Undelivered, &[&step.message], said.clone(), now).about(&case.id, Some(&rec.id))
            });
            notices.extend(told);
        }
        let done: Vec<&StepFound> = steps.iter().filter(|step| step.holds()).collect();
        let outcome = Outcome {
            recommendation_id: rec.id.clone(),
            at: now,
            state: after.state.clone(),
            found: Findings {
                action: Some(rec.candidate.action.clone()),
                predicted: Some(rec.candidate.money.clone()),
                seen: Some(words),
                // What nobody can tell of is counted nowhere as done; so of a plan of which nothing else holds.
                nobody_can_tell: !done.is_empty() && done.iter().all(|step| step.nobody_can_tell),
                // A plan was not sent only where none of its steps was.
                not_sent: earlier.not_sent.filter(|_| steps.iter().all(|step| step.never_left)),
                steps,
                measured: earlier.measured,
            },
        };
        self.write(Change {
            cases: &cases,
            recommendations: &[(after, seen)],
            outcomes: &[outcome],
            outbox: &missed,
            notices: &notices,
            entries: &entries,
            ..Change::default()
        })
        .await
    }
}

/// Who approved it: after the hand-off the state no longer says.
async fn approvers(store: &Store, rec: &Recommendation) -> anyhow::Result<Vec<PersonId>> {
    let log = store.list_audit_of(&format!("recommendation:{}", rec.id)).await?;
    let last = log.iter().rfind(|e| e.entry.action == "recommendation.approved");
    Ok(last.and_then(|e| detail::Approval::of(&e.entry).by).unwrap_or_default())
}

fn fate(row: &OutboxRow, now: Timestamp) -> Fate {
    let because = || row.last_error.clone().unwrap_or_else(|| "nobody says why".to_owned());
    match row.state {
        OutboxState::Sent => Fate::Left(row.sent_at.unwrap_or(row.due_at)),
        OutboxState::Dead if row.expires_at.is_some_and(|until| until <= now) => Fate::Never(because()),
        OutboxState::Pending | OutboxState::Dead => Fate::Waits,
        OutboxState::Cancelled | OutboxState::Discarded => Fate::Never(because()),
    }
}
