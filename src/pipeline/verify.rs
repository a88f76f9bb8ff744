//! Reads the source back: was an approved recommendation carried out? (handbook §5 "read-back", §8)
//!
//! Looks for the trace that the action would leave in the ERP after the hand-off: a purchase line, a transfer, a count, a
//! credit note. Without one after a day it says so; it never assumes.

use anyhow::Context;
use async_trait::async_trait;
use jiff::{SignedDuration, Timestamp};

use super::{Context as Stages, Progress, Stage};
use crate::domain::action::Action;
use crate::domain::audit::AuditEntry;
use crate::domain::book::Book;
use crate::domain::case::CaseState;
use crate::domain::decision::{Event, RecommendationState};
use crate::domain::money::Quantity;
use crate::domain::recommendation::Recommendation;
use crate::domain::record::MoveKind;
use crate::store::{Change, Outcome, StoreError};

/// How long an executor has before "not seen" is said (handbook §8: default 24 h).
const PATIENCE: SignedDuration = SignedDuration::from_hours(24);

/// A draft order within this share of the recommended quantity is the recommended order (handbook §5, NEW-PO read-back).
const QUANTITY_BAND: f64 = 0.10;

/// Reads back what was handed off.
pub struct Verify(pub Stages);

#[async_trait]
impl Stage for Verify {
    fn name(&self) -> &'static str {
        "verify"
    }

    async fn run_once(&self) -> anyhow::Result<Progress> {
        let Stages { store, clock, desk, .. } = &self.0;
        let handed = store.list_recommendations_in(&[RecommendationState::HandedOff.name()]).await?;
        if handed.is_empty() {
            return Ok(Progress::Idle);
        }
        let laid = desk.lay_out().await?;
        let mut settled = 0;
        for (recommendation, seen) in handed {
            let (since, left) = decided_and_left(&self.0, &recommendation).await?;
            let found = read_back(&laid.book, &recommendation.candidate.action, since);
            let event = match found {
                Some(true) => Event::SeenDone,
                Some(false) => Event::SeenPartly,
                None if clock.now().duration_since(left) > PATIENCE => Event::NotSeen,
                None => continue,
            };
            settled += usize::from(self.settle(recommendation, seen, event).await?);
        }
        Ok(if settled == 0 { Progress::Idle } else { Progress::Advanced(settled) })
    }
}

impl Verify {
    async fn settle(&self, recommendation: Recommendation, seen: i64, event: Event) -> anyhow::Result<bool> {
        let Stages { store, clock, .. } = &self.0;
        let now = clock.now();
        let mut after = recommendation.clone();
        after.state = recommendation.state.clone().after(event, now).context("settling a hand-off")?;
        let case = store.get_case(&recommendation.case_id).await?;
        let mut closed = case.clone();
        // A case that has gone another way since stays where it went.
        if matches!(case.state, CaseState::Decided | CaseState::Verifying) {
            closed.state = CaseState::Closed;
        }
        closed.version += 1;
        closed.updated_at = now;
        let entry = AuditEntry {
            at: now,
            actor: "stage:verify".to_owned(),
            channel: "stage".to_owned(),
            action: format!("recommendation.{}", after.state.name()),
            subject: format!("recommendation:{}", after.id),
            content: after.content_hash(),
            detail: serde_json::json!({ "case": case.id.as_str() }),
        };
        let outcome = Outcome {
            recommendation_id: after.id.clone(),
            at: now,
            state: after.state.name().to_owned(),
            body: serde_json::json!({ "action": after.candidate.action, "predicted": after.candidate.money }),
        };
        let change = Change {
            cases: &[(closed, case.version)],
            recommendations: &[(after, seen)],
            outcomes: &[outcome],
            entries: &[entry],
            ..Change::default()
        };
        match store.advance(change).await {
            Ok(()) => Ok(true),
            // Somebody moved it in between: the next look sees what is there then, and the others do not wait for it.
            Err(StoreError::Conflict) => Ok(false),
            Err(error) => Err(error).context("writing an outcome"),
        }
    }
}

/// When it was decided, and when it left: an executor has heard of it only since then.
async fn decided_and_left(stages: &Stages, recommendation: &Recommendation) -> anyhow::Result<(Timestamp, Timestamp)> {
    let decisions = stages.store.list_decisions(Timestamp::UNIX_EPOCH).await?;
    let last = decisions.iter().filter(|d| d.recommendation_id == recommendation.id).map(|d| d.at).max();
    let decided = last.unwrap_or(recommendation.drafted_at);
    let log = stages.store.list_audit_of(&format!("recommendation:{}", recommendation.id)).await?;
    let left = log.iter().rev().find(|e| e.entry.action == "recommendation.handed_off").map_or(decided, |e| e.entry.at);
    Ok((decided, left))
}

/// Is the action's trace in the book since `since`? Some(true) wholly, Some(false) in part, None not at all. Actions that
/// leave no trace that a reader could see are taken at the executor's word: handing them off is all there is.
fn read_back(book: &Book, action: &Action, since: Timestamp) -> Option<bool> {
    let whole = |found: Quantity, wanted: Quantity| {
        found.is_positive().then(|| found.to_f64() >= wanted.to_f64() * (1.0 - QUANTITY_BAND))
    };
    match action {
        Action::NewPo { item, supplier, quantity, destination, .. } => {
            let ordered: Quantity = book
                .po_lines_at(item, destination)
                .into_iter()
                .filter(|l| l.ordered_at > since && &l.supplier == supplier)
                .map(|l| l.qty)
                .sum();
            whole(ordered, *quantity)
        }
        Action::Transfer { item, from, to, quantity, .. } => {
            let moved: Quantity = book
                .moves_at(item, to)
                .into_iter()
                .filter(|m| m.kind == MoveKind::Transfer && m.created_at > since && m.from.as_ref() == Some(from))
                .map(|m| m.qty)
                .sum();
            whole(moved, *quantity)
        }
        Action::Recount { item, location, .. } => {
            book.moves_at(item, location).iter().any(|m| m.kind == MoveKind::Count && m.created_at > since).then_some(true)
        }
        Action::Expedite { po_line, new_date, .. } | Action::DeferPo { po_line, new_date, .. } => {
            let promised = book.po_lines.get(po_line).map(|l| book.calendar.day_of(l.promised))?;
            (promised == *new_date).then_some(true)
        }
        Action::CancelPo { po_line, quantity } => {
            let line = book.po_lines.get(po_line)?;
            let open = book.open_quantity(po_line);
            (!line.confirmed || open.is_zero()).then_some(true).or_else(|| (open < *quantity).then_some(false))
        }
        Action::Claim { supplier, lines, .. } => book
            .bill_lines
            .values()
            .any(|b| {
                &b.supplier == supplier
                    && !b.qty.is_positive()
                    && b.created_at > since
                    && b.po_line.as_ref().is_some_and(|l| lines.contains(l))
            })
            .then_some(true),
        Action::ReverseDoc { document, .. } => book
            .moves
            .values()
            .any(|m| m.kind == MoveKind::SupplierReturn && m.created_at > since && m.origin.contains(document.as_str()))
            .then_some(true),
        Action::BlockBill { .. }
        | Action::AcceptVar { .. }
        | Action::Contact { .. }
        | Action::Monitor { .. }
        | Action::NoAction { .. }
        | Action::Escalate { .. } => Some(true),
    }
}
