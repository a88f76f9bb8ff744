//! What a delivery means for the recommendation that it is about: whether it may leave, and what changes once it has.

use anyhow::Context as _;
use jiff::Timestamp;
use serde_json::json;

use super::{Deliver, Delivered, Taken as _};
use crate::domain::audit::AuditEntry;
use crate::domain::case_life::CaseEvent;
use crate::domain::decision::{Event, RecommendationState as State};
use crate::domain::detail::{self, Detail as _};
use crate::domain::ids::{RecommendationId, content_hash};
use crate::domain::outbox::OutboxKind;
use crate::domain::recommendation::Recommendation;
use crate::pipeline::anchors::is_anchor;
use crate::pipeline::publish::{self, Envelope};
use crate::ports::Sender;
use crate::store::{Change, OutboxRow, StoreError};

/// The log's entry of a recommendation whose first message has left.
const HANDED_OFF: &str = "recommendation.handed_off";

/// The log's entry of a further step of a plan that has left.
const STEP_HANDED_OFF: &str = "recommendation.step_handed_off";

/// May a message leave?
pub(super) enum Sendable {
    /// Yes; it hands this recommendation off, where it does.
    Yes(Option<RecommendationId>),
    /// No, for this reason.
    No(String),
    /// It tells something that is no longer so, and nobody misses it.
    Moot,
    /// Its time has passed.
    TooLate,
}

impl Deliver {
    /// Looks once more, right before anything leaves, for what stands behind a message.
    pub(super) async fn sendable(&self, sender: &dyn Sender, row: &OutboxRow) -> anyhow::Result<Sendable> {
        if !sender.knows(&row.channel) {
            return Ok(Sendable::No(format!("there is no destination {:?} in the configuration", row.channel)));
        }
        if row.kind.is_shown() {
            return self.worth_showing(row).await;
        }
        // The kind says what has to stand behind a message. The body is held against it, so that a row that somebody wrote
        // into the table can not take a kind that needs less than its body does.
        let none_of_ours = || Sendable::No("the body is none that is sent".to_owned());
        if row.kind == OutboxKind::Anchor || (row.kind == OutboxKind::Approved && is_anchor(&row.id, &row.body)) {
            return Ok(if is_anchor(&row.id, &row.body) { Sendable::Yes(None) } else { none_of_ours() });
        }
        let Some(envelope) = Envelope::read(&row.body).filter(|e| e.id == row.id) else { return Ok(none_of_ours()) };
        let kind = envelope.kind.kind();
        // A program of the release before writes no kinds, and what has none counts as an approval. A notice of its goes by what it
        // is, as it did then; what is an approval never goes as anything less.
        if kind != row.kind && row.kind != OutboxKind::Approved {
            return Ok(none_of_ours());
        }
        let Some(id) = envelope.recommendation_id else { return Ok(Sendable::Yes(None)) };
        let rec = match self.store.get_recommendation(&id).await {
            Ok((rec, _)) => rec,
            Err(StoreError::NotFound { .. }) => return Ok(Sendable::No(format!("there is no recommendation {id}"))),
            Err(error) => return Err(error.into()),
        };
        // While it waited to leave the ERP may have come to show it.
        if kind == OutboxKind::NotSeen {
            let missed = match envelope.hand_off.filter(|_| rec.candidate.is_plan()) {
                Some(message) => self.is_step_missed(&rec, &message).await?,
                None => rec.state == State::NotCarriedOut,
            };
            return Ok(if missed { Sendable::Yes(None) } else { Sendable::Moot });
        }
        let this_approval = match &rec.state {
            State::Approved { at, .. } | State::ApprovedWithEdit { at, .. } => {
                publish::message_ids(&rec, *at).contains(&row.id)
            }
            // Sent before, when the process died before it could write that down; or replayed by hand.
            State::HandedOff | State::CarriedOut | State::Partly | State::NotCarriedOut | State::Undone => true,
            _ => false,
        };
        // Whoever approved it was told so, and may have done it by hand: now it must not leave any more.
        if self.was_told_unsent(&rec).await? {
            return Ok(Sendable::No("it was told not to have been sent".to_owned()));
        }
        if !this_approval || envelope.content_hash.as_deref() != Some(&*rec.content_hash()) {
            let state = rec.state.name();
            return Ok(Sendable::No(format!("no approval stands behind it: the recommendation is {state}")));
        }
        // The outbox is a table that can be written past Reeve; the log refuses that.
        if !self.is_what_was_approved(row, &id).await? {
            return Ok(Sendable::No("it is not what was approved: the log holds no approval of these words".to_owned()));
        }
        if row.expires_at.is_some_and(|expiry| expiry <= self.clock.now()) {
            return Ok(Sendable::TooLate);
        }
        Ok(Sendable::Yes(Some(id)))
    }

    /// Does the log, which the database lets nobody change, hold the approval of exactly this message?
    async fn is_what_was_approved(&self, row: &OutboxRow, id: &RecommendationId) -> anyhow::Result<bool> {
        let body = content_hash(&[&row.body]);
        let log = self.store.list_audit_of(&format!("recommendation:{id}")).await.context("reading the approval")?;
        let approvals = log.iter().map(|chained| &chained.entry).filter(|entry| entry.action == "recommendation.approved");
        let approved = |approval: detail::Approved| {
            let mut messages = approval.messages();
            messages.any(|message| message == (row.id.as_str(), body.as_str()))
        };
        Ok(approvals.map(detail::Approved::of).any(approved))
    }

    /// Does the ERP still show nothing of the step that this message handed off?
    async fn is_step_missed(&self, rec: &Recommendation, message: &str) -> anyhow::Result<bool> {
        let found = self.store.find_outcome(&rec.id).await?.map(|outcome| outcome.found.steps).unwrap_or_default();
        Ok(found.iter().any(|step| step.message == message && step.state == State::NotCarriedOut))
    }

    /// Moves the recommendation to handed-off and its case to verifying; what else was proposed comes off the queue.
    pub(super) async fn hand_off(&self, row: &OutboxRow, id: &RecommendationId) -> anyhow::Result<()> {
        loop {
            let now = self.clock.now();
            let (rec, version) = self.store.get_recommendation(id).await?;
            // One that was on its way when its end was told, or is reported on now, has arrived all the same.
            let waits = matches!(rec.state, State::Approved { .. } | State::ApprovedWithEdit { .. });
            if !waits && !self.was_told_unsent(&rec).await? {
                match self.note_step(row, rec, version, now).await {
                    // Somebody moved it in between, or wrote down the same.
                    Err(StoreError::Conflict) => continue,
                    noted => return Ok(noted?),
                }
            }
            let mut case = self.store.get_case(&rec.case_id).await?;
            let mut moved = Vec::new();
            for (mut other, seen) in self.store.list_recommendations(&rec.case_id).await? {
                if other.id == *id {
                    other.state = other.state.after(Event::HandOff, now).context("handing off")?;
                } else if other.state.is_waiting() || matches!(other.state, State::Drafted | State::Checked) {
                    other.state = other.state.after(Event::Supersede, now)?;
                } else {
                    continue;
                }
                moved.push((other, seen));
            }
            let seen = case.version;
            case.version = seen + 1;
            case.updated_at = now;
            case.state = case.state.after(CaseEvent::HandOff)?;
            let detail = detail::HandedOff {
                case: Some(case.id.clone()),
                to: row.channel.clone(),
                message: row.id.clone(),
                superseded: moved.iter().map(|(r, _)| r.id.clone()).filter(|r| r != id).collect(),
            };
            let entry = AuditEntry {
                at: now,
                content: rec.content_hash(),
                subject: format!("recommendation:{id}"),
                ..self.entry(HANDED_OFF, row, detail.to_json())
            };
            let cases = [(case, seen)];
            let change = Change { cases: &cases, recommendations: &moved, entries: &[entry], ..Change::default() };
            match self.store.advance(change).await {
                // Somebody moved the case in between; what was sent stays sent, so try on what is there now.
                Err(StoreError::Conflict) => {}
                result => return Ok(result?),
            }
        }
    }

    /// Writes down that a further step of a plan has left, once: the plan itself was handed off with the first that did.
    async fn note_step(&self, row: &OutboxRow, rec: Recommendation, version: i64, now: Timestamp) -> Result<(), StoreError> {
        if !rec.candidate.is_plan() {
            return Ok(());
        }
        let log = self.store.list_audit_of(&format!("recommendation:{}", rec.id)).await?;
        let mut left = log
            .iter()
            .filter(|e| matches!(&*e.entry.action, HANDED_OFF | STEP_HANDED_OFF))
            .map(|e| detail::HandedOff::of(&e.entry));
        // It left before, and the process ended before it could mark the message.
        if left.any(|left| left.message == row.id) {
            return Ok(());
        }
        let detail = detail::HandedOff {
            case: Some(rec.case_id.clone()),
            to: row.channel.clone(),
            message: row.id.clone(),
            superseded: Vec::new(),
        };
        let entry = AuditEntry {
            at: now,
            content: rec.content_hash(),
            subject: format!("recommendation:{}", rec.id),
            ..self.entry(STEP_HANDED_OFF, row, detail.to_json())
        };
        self.store.advance(Change { recommendations: &[(rec, version)], entries: &[entry], ..Change::default() }).await
    }

    /// What an executor has reported on has arrived, though nobody acknowledged it: it need not be sent again.
    pub(super) async fn settle_reported(&self, done: &mut Delivered) -> anyhow::Result<()> {
        for row in self.store.list_reported_unsent(self.clock.now()).await.context("reading reports")? {
            if row.kind == OutboxKind::Approved && !row.about.is_empty() {
                self.hand_off(&row, &RecommendationId::new(row.about.as_str())).await?;
            }
            let entry = self.entry("outbox.sent", &row, json!({ "to": row.channel, "because": "it was reported on" }));
            if !self.store.mark_reported(&row, self.clock.now(), &[entry]).await.or_taken()? {
                done.sent += 1;
            }
        }
        Ok(())
    }
}

/// Why a message whose time has passed is given up.
pub(super) fn too_late(row: &OutboxRow) -> String {
    let until = row.expires_at.map_or_else(String::new, |at| format!(" (it was good until {at})"));
    if row.attempts == 0 {
        format!("it expired before it was sent{until}")
    } else {
        let last = row.last_error.as_deref().unwrap_or("nobody knows how that ended");
        format!(
            "it expired before it was acknowledged{until}; tried {} times, it may have arrived; last: {last}",
            row.attempts
        )
    }
}
