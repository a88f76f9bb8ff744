//! What never leaves: a person discarded its message, or its time has passed. The approval behind it ends as not carried out in
//! the same transaction, whoever approved it is told, and what else its case proposed comes off the queue.
//!
//! Nothing is decided here: an approval is only ended, never made. Should the ERP show later that it was done all the same, or
//! its executor that it had arrived, `pipeline::verify` and `hand_off` say so.

use anyhow::Context as _;
use jiff::Timestamp;
use serde_json::json;

use super::{Deliver, Delivered, hand_off};
use crate::domain::audit::AuditEntry;
use crate::domain::case::Case;
use crate::domain::case_life::CaseEvent;
use crate::domain::decision::{Event, RecommendationState as State};
use crate::domain::detail::{self, Detail as _};
use crate::domain::ids::{PersonId, RecommendationId};
use crate::domain::outcome::Findings;
use crate::domain::recommendation::Recommendation;
use crate::pipeline::publish;
use crate::store::{Change, Notice, NoticeKind, OutboxRow, OutboxState, Outcome, StoreError, Unsent};

/// The log's entry of an approval that never left.
pub const NOT_SENT: &str = "recommendation.not_sent";

/// How often an end is worked out anew because somebody moved the case in between.
const TRIES: usize = 8;

/// Everything that ends with a message.
struct Ending {
    case: (Case, i64),
    recommendations: Vec<(Recommendation, i64)>,
    outcome: Outcome,
    notices: Vec<Notice>,
    entry: AuditEntry,
}

/// What a message's end means for the approval behind it.
enum Behind {
    /// No approval waits for it to leave.
    Nothing,
    /// Another step of the approved plan may still leave. The recommendation stays as it is, at the version that was read: of two
    /// that end at once, one is worked out anew.
    OtherSteps(Box<(Recommendation, i64)>),
    /// The approval ends with it.
    Ends(Box<Ending>),
}

impl Deliver {
    /// What nobody took in time is given up for good: carried out now it would do harm.
    pub(super) async fn bury_expired(&self, done: &mut Delivered) -> anyhow::Result<()> {
        let now = self.clock.now();
        for row in self.store.list_expired(now, super::BATCH).await.context("looking for expired messages")? {
            // What is shown and never began to leave waited out the quiet hours until there was something newer: that is no fault.
            if row.kind.is_shown() && row.attempts == 0 {
                self.pass_over(&row).await?;
            } else {
                self.expire(&row, done).await?;
            }
        }
        Ok(())
    }

    /// Gives up a message whose time has passed, and ends the approval behind it.
    pub(super) async fn expire(&self, row: &OutboxRow, done: &mut Delivered) -> anyhow::Result<()> {
        let reason = hand_off::too_late(row);
        tracing::warn!(message = %row.id, attempts = row.attempts, "It is not sent any more: {reason}");
        let entry = self.entry("outbox.dead", row, json!({ "attempts": row.attempts, "reason": reason }));
        let unsent = Unsent::Expired { row, reason: &reason, at: self.clock.now() };
        match self.end(row, unsent, &reason, None, entry).await {
            // Somebody else has the row by now, which is theirs to finish.
            Err(StoreError::Conflict) => {}
            result => {
                result?;
                done.dead += 1;
            }
        }
        Ok(())
    }

    /// Makes an end of a message and of the approval that stands behind it, both or neither.
    pub(super) async fn end(
        &self,
        row: &OutboxRow,
        unsent: Unsent<'_>,
        because: &str,
        by: Option<&PersonId>,
        entry: AuditEntry,
    ) -> Result<(), StoreError> {
        for _ in 0..TRIES {
            let behind = self.behind(row, because, by, &entry).await?;
            let change = Change { unsent: Some(unsent), entries: std::slice::from_ref(&entry), ..Change::default() };
            let result = match behind {
                // It was given up before, and nothing waits for it.
                Behind::Nothing | Behind::OtherSteps(_)
                    if row.state == OutboxState::Dead && matches!(unsent, Unsent::Expired { .. }) =>
                {
                    return Err(StoreError::Conflict);
                }
                Behind::Nothing => self.store.advance(change).await,
                Behind::OtherSteps(plan) => {
                    self.store.advance(Change { recommendations: std::slice::from_ref(plan.as_ref()), ..change }).await
                }
                Behind::Ends(ending) => {
                    let Ending { case, recommendations, outcome, notices, entry: ended } = *ending;
                    let (cases, outcomes, entries) = ([case], [outcome], [entry.clone(), ended]);
                    let change = Change {
                        cases: &cases,
                        recommendations: &recommendations,
                        outcomes: &outcomes,
                        notices: &notices,
                        entries: &entries,
                        ..change
                    };
                    self.store.advance(change).await
                }
            };
            let same = |now: OutboxRow| now.state == row.state && now.attempts == row.attempts;
            match result {
                // Somebody moved the case, not the message: its end is worked out anew.
                Err(StoreError::Conflict) if self.store.find_outbox(&row.id).await?.is_some_and(same) => {}
                result => return result,
            }
        }
        Err(StoreError::Conflict)
    }

    /// What ends with a message.
    async fn behind(
        &self,
        row: &OutboxRow,
        because: &str,
        by: Option<&PersonId>,
        like: &AuditEntry,
    ) -> Result<Behind, StoreError> {
        if row.about.is_empty() {
            return Ok(Behind::Nothing);
        }
        let now = self.clock.now();
        let (rec, version) = match self.store.get_recommendation(&RecommendationId::new(row.about.as_str())).await {
            Ok(found) => found,
            Err(StoreError::NotFound { .. }) => return Ok(Behind::Nothing),
            Err(error) => return Err(error),
        };
        let (State::Approved { by: approvers, at, .. } | State::ApprovedWithEdit { by: approvers, at, .. }) = &rec.state
        else {
            return Ok(Behind::Nothing);
        };
        // An approval that was undone and given again has other messages: an old one's end means nothing to it.
        let messages = publish::message_ids(&rec, *at);
        if !messages.contains(&row.id) {
            return Ok(Behind::Nothing);
        }
        if self.others_may_leave(row, &messages, now).await? {
            return Ok(Behind::OtherSteps(Box::new((rec, version))));
        }
        let mut case = self.store.get_case(&rec.case_id).await?;
        let mut recommendations = Vec::new();
        for (mut other, seen) in self.store.list_recommendations(&case.id).await? {
            let event = if other.id == rec.id {
                Event::NotSent
            } else if other.state.is_waiting() || matches!(other.state, State::Drafted | State::Checked) {
                Event::Supersede
            } else {
                continue;
            };
            // One that moved since cannot be written either: it is read again.
            other.state = other.state.after(event, now).map_err(|_| StoreError::Conflict)?;
            recommendations.push((other, seen));
        }
        let seen = case.version;
        case.version = seen + 1;
        case.updated_at = now;
        case.state = case.state.after(CaseEvent::Settle).map_err(|_| StoreError::Conflict)?;
        let outcome = Outcome {
            recommendation_id: rec.id.clone(),
            at: now,
            state: State::NotCarriedOut,
            found: Findings {
                action: Some(rec.candidate.action.clone()),
                predicted: Some(rec.candidate.money.clone()),
                seen: Some(format!("not sent: {because}")),
                not_sent: Some(because.to_owned()),
                ..Findings::default()
            },
        };
        let said = format!("What you approved was not sent and is not carried out: {}. {because}", rec.candidate.told());
        // Whoever discards it themselves knows.
        let told = approvers.iter().filter(|approver| by != Some(*approver));
        let notices = told
            .map(|to| Notice::new(to, NoticeKind::Undelivered, &[&row.id], said.clone(), now).about(&case.id, Some(&rec.id)))
            .collect();
        let detail = detail::NotSent {
            case: Some(case.id.clone()),
            message: row.id.clone(),
            because: Some(because.to_owned()),
            superseded: recommendations.iter().map(|(r, _)| r.id.clone()).filter(|id| *id != rec.id).collect(),
        };
        let entry = AuditEntry {
            action: NOT_SENT.to_owned(),
            subject: format!("recommendation:{}", rec.id),
            content: rec.content_hash(),
            detail: detail.to_json(),
            ..like.clone()
        };
        Ok(Behind::Ends(Box::new(Ending { case: (case, seen), recommendations, outcome, notices, entry })))
    }

    /// May another step of the plan still leave? Then the approval stands for that one, and this message ends alone.
    async fn others_may_leave(&self, row: &OutboxRow, messages: &[String], now: Timestamp) -> Result<bool, StoreError> {
        if messages.len() < 2 {
            return Ok(false);
        }
        let rows = self.store.list_outbox_about(&row.about).await?;
        let waits = |other: &OutboxRow| match other.state {
            OutboxState::Pending => true,
            // A person may send it once more, until its time has passed.
            OutboxState::Dead => other.expires_at.is_none_or(|until| until > now),
            OutboxState::Sent | OutboxState::Cancelled | OutboxState::Discarded => false,
        };
        Ok(rows.iter().any(|other| other.id != row.id && messages.contains(&other.id) && waits(other)))
    }

    /// Was it told not to have left? Then it does not leave any more.
    pub(super) async fn was_told_unsent(&self, rec: &Recommendation) -> Result<bool, StoreError> {
        if rec.state != State::NotCarriedOut {
            return Ok(false);
        }
        Ok(self.store.find_outcome(&rec.id).await?.is_some_and(|outcome| outcome.found.never_left()))
    }
}
