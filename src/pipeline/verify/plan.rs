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
use crate::domain::outbox::OutboxKind;
use crate::domain::outcome::{Findings, StepFound};
use crate::domain::recommendation::Recommendation;
use crate::pipeline::publish;
use crate::store::{Change, NewOutbox, OutboxRow, OutboxState, Outcome, Report};

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
    /// Those that moved, with what is said of them.
    entries: Vec<(u32, &'static str, String)>,
    /// What is told to executors.
    notices: Vec<NewOutbox>,
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
            let Some(row) = rows.iter().rfind(of_step) else { continue };
            self.look_at_step(book, &rec, step, row, since, (&earlier.steps, &reports), &mut looked)?;
        }
        if looked.entries.is_empty() {
            return self.measure_when_over(book, &rec, seen, (since, left)).await;
        }
        self.settle_plan(rec, seen, earlier, looked).await
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
        let before = earlier.iter().find(|found| found.message == row.id);
        let stands = |state, seen| StepFound { step: step.number, message: row.id.clone(), state, seen };
        let left = match fate(row, now) {
            Fate::Waits => return Ok(()),
            Fate::Never(because) => {
                let found = stands(State::NotCarriedOut, format!("not sent: {because}"));
                if before != Some(&found) {
                    looked.entries.push((step.number, "not_sent", found.seen.clone()));
                }
                looked.steps.push(found);
                return Ok(());
            }
            Fate::Left(at) => at,
        };
        let state = before.map_or(State::HandedOff, |found| found.state.clone());
        let word = reports.iter().rfind(|report| report.message_id == row.id);
        let reports = self.0.config.destination(&row.channel).is_some_and(|destination| destination.reports);
        let late = now.duration_since(left) > PATIENCE;
        let traced = trace::of(book, step.action, since);
        let Some(found) = finding(&state, traced, word, reports, late) else {
            let seen = before.map(|found| found.seen.clone()).unwrap_or_default();
            looked.steps.push(stands(state, seen));
            return Ok(());
        };
        if found.missed {
            let page = self.0.config.web.address();
            looked.notices.push(publish::not_seen(rec, step, &row.id, &row.channel, &page, left, now));
        }
        let state = state.after(found.event, now).context("settling a step of a plan")?;
        looked.entries.push((step.number, state.name(), found.words.clone()));
        looked.steps.push(stands(state, found.words));
        Ok(())
    }

    /// Writes down what was found of the steps, and where that leaves the plan.
    async fn settle_plan(&self, rec: Recommendation, seen: i64, earlier: Findings, looked: Looked) -> anyhow::Result<bool> {
        let Looked { steps, entries: moved, notices } = looked;
        let (store, now) = (&self.0.store, self.0.clock.now());
        let subject = format!("recommendation:{}", rec.id);
        let case = store.get_case(&rec.case_id).await?;
        let entry = |action: &str, detail| {
            AuditEntry::by_stage("verify", now, action, subject.clone()).on(rec.content_hash()).with(detail)
        };
        let mut entries: Vec<AuditEntry> = moved
            .iter()
            .map(|(step, state, seen)| {
                let detail = json!({ "case": case.id.as_str(), "step": step, "state": state, "seen": seen });
                entry("recommendation.step_settled", detail)
            })
            .collect();
        let mut after = rec.clone();
        let mut cases = Vec::new();
        let every = steps.len() == rec.candidate.step_count() as usize;
        let whole = StepFound::whole(steps.iter().map(|found| &found.state)).filter(|_| every);
        let words = steps.iter().map(|found| format!("step {}: {}", found.step, found.seen)).collect::<Vec<_>>().join("; ");
        if let Some(event) = whole.filter(|event| !says(&rec.state, event)) {
            // Of what was carried out wholly, only a step that is taken back leaves a part.
            let undone = rec.state == State::CarriedOut && event == Event::SeenPartly;
            let event = if undone { Event::StepUndone } else { event };
            after.state = rec.state.clone().after(event, now).context("settling a plan")?;
            let mut closed = case.clone();
            closed.state = closed.state.after(CaseEvent::Settle).context("settling a case")?;
            closed.version += 1;
            closed.updated_at = now;
            let name = format!("recommendation.{}", after.state.name());
            entries.push(entry(&name, json!({ "case": case.id.as_str(), "seen": words })));
            cases.push((closed, case.version));
        }
        let outcome = Outcome {
            recommendation_id: rec.id.clone(),
            at: now,
            state: after.state.clone(),
            found: Findings {
                action: Some(rec.candidate.action.clone()),
                predicted: Some(rec.candidate.money.clone()),
                seen: Some(words),
                steps,
                ..earlier
            },
        };
        self.write(Change {
            cases: &cases,
            recommendations: &[(after, seen)],
            outcomes: &[outcome],
            outbox: &notices,
            entries: &entries,
            ..Change::default()
        })
        .await
    }
}

/// Has this been said of the plan already?
fn says(state: &State, event: &Event) -> bool {
    matches!(
        (state, event),
        (State::CarriedOut, Event::SeenDone)
            | (State::Partly, Event::SeenPartly)
            | (State::NotCarriedOut, Event::NotSeen)
            | (State::Undone, Event::SeenUndone)
    )
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
