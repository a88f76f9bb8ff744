//! Deliver: the only stage that sends anything. It takes what is due out of the outbox and hands it to the receiver.
//!
//! A message leaves at least once and under one id; whether it arrived twice is for the receiver's idempotency to sort out.
//! What the receiver does not take is tried again with growing gaps for about a day, and is then a dead letter with its
//! reason. Without a receiver nothing is attempted and nothing is lost: the rows wait.

use std::sync::Arc;
use std::time::Duration;

use anyhow::Context;
use jiff::Timestamp;
use serde_json::{Value, json};
use tracing::{info, warn};

use crate::clock::Clock;
use crate::config::Config;
use crate::domain::audit::AuditEntry;
use crate::domain::case::CaseState;
use crate::domain::decision::{Event, RecommendationState as State};
use crate::domain::ids::{RecommendationId, content_hash};
use crate::pipeline::publish;
use crate::ports::{Outgoing, PortError, Sender};
use crate::store::{Change, OutboxRow, Store, StoreError};

/// The gap after the first failure; each further one is three times as long.
const FIRST_GAP: Duration = Duration::from_secs(10);

/// The longest gap. With ten attempts the last one is about a day after the first.
const LONGEST_GAP: Duration = Duration::from_hours(8);

/// How long beyond the receiver's own limit a message stays leased: time enough to write down how it went.
const LEASE_MARGIN: Duration = Duration::from_mins(1);

/// Most messages of one run, so that a shutdown does not wait for a long queue.
const BATCH: usize = 64;

/// How the machine signs the audit log here.
const ACTOR: &str = "stage:deliver";

/// The sending stage.
#[derive(Clone)]
pub struct Deliver {
    /// Where the outbox is.
    pub store: Store,
    /// Attempts and waiting times.
    pub config: Arc<Config>,
    /// When it is.
    pub clock: Clock,
    /// Who gets it; none, and everything stays where it is.
    pub sender: Option<Arc<dyn Sender>>,
}

/// What one run did, in messages.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Delivered {
    /// Acknowledged.
    pub sent: usize,
    /// Due again later.
    pub retried: usize,
    /// Given up.
    pub dead: usize,
}

impl Deliver {
    /// Sends what is due.
    ///
    /// # Errors
    /// When the store can not be used. What a receiver answers is no error here.
    pub async fn run_once(&self) -> anyhow::Result<Delivered> {
        let mut done = Delivered::default();
        let Some(sender) = &self.sender else { return Ok(done) };
        let lease = self.config.webhook.timeout + LEASE_MARGIN;
        for _ in 0..BATCH {
            // One at a time: a lease must not run out while others of the same batch are being sent.
            let claimed = self.store.claim_due(self.clock.now(), 1, lease).await.context("reading the outbox")?;
            let Some(row) = claimed.into_iter().next() else { break };
            self.send(sender.as_ref(), &row, &mut done).await.with_context(|| format!("delivering message {}", row.id))?;
        }
        Ok(done)
    }

    async fn send(&self, sender: &dyn Sender, row: &OutboxRow, done: &mut Delivered) -> anyhow::Result<()> {
        let about = match self.sendable(row).await? {
            Ok(id) => id,
            Err(reason) => return self.bury(row, &reason, done).await,
        };
        let message = Outgoing { id: row.id.clone(), body: row.body.clone(), at: self.clock.now() };
        match sender.send(&message).await {
            Ok(()) => {
                // The state first: if this process dies before the row is marked, the message goes out again under the same
                // id. The other way round it would be gone, and nobody would know that the recommendation had left.
                self.hand_off(row, &about).await?;
                let entry = entry("outbox.sent", row, &about, json!({ "attempt": row.attempts }), self.clock.now());
                if self.store.mark_sent(row, self.clock.now(), &[entry]).await.is_taken()? {
                    warn!(message = %row.id, "Its lease ran out while it was being sent; it may arrive twice");
                }
                info!(message = %row.id, recommendation = %about, "Handed off");
                done.sent += 1;
                Ok(())
            }
            Err(PortError::Permanent { service, source }) => {
                self.bury(row, &format!("{service} refused it for good: {source}"), done).await
            }
            Err(PortError::Transient { service, retry_after, source }) => {
                let reason = format!("{service}: {source}");
                if row.attempts >= i64::from(self.config.webhook.attempts) {
                    let reason = format!("given up after {} attempts; the last one: {reason}", row.attempts);
                    return self.bury(row, &reason, done).await;
                }
                let wait = gap(&row.id, row.attempts).max(retry_after.unwrap_or_default());
                let due = self.clock.now().checked_add(wait).unwrap_or(Timestamp::MAX);
                warn!(message = %row.id, attempt = row.attempts, %due, "Not delivered, will be tried again: {reason}");
                self.store.mark_retry(row, due, &reason).await.is_taken()?;
                done.retried += 1;
                Ok(())
            }
        }
    }

    /// The recommendation a row is about, when it may leave; otherwise why not. An approval is looked for once more right
    /// before anything leaves.
    async fn sendable(&self, row: &OutboxRow) -> anyhow::Result<Result<RecommendationId, String>> {
        if row.channel != publish::CHANNEL {
            return Ok(Err(format!("there is no sender for the channel {:?}", row.channel)));
        }
        let Some(id) = publish::recommendation_of(&row.body) else {
            return Ok(Err("the body names no recommendation".to_owned()));
        };
        let rec = match self.store.get_recommendation(&id).await {
            Ok((rec, _)) => rec,
            Err(StoreError::NotFound { .. }) => return Ok(Err(format!("there is no recommendation {id}"))),
            Err(error) => return Err(error.into()),
        };
        let this_approval = match &rec.state {
            State::Approved { at, .. } | State::ApprovedWithEdit { at, .. } => publish::message_id(&rec, *at) == row.id,
            // Sent before, when the process died before it could write that down; or replayed by hand.
            State::HandedOff | State::CarriedOut | State::Partly | State::NotCarriedOut => true,
            _ => false,
        };
        if !this_approval {
            return Ok(Err(format!("no approval stands behind it: the recommendation is {}", rec.state.name())));
        }
        Ok(Ok(id))
    }

    /// Moves the recommendation to handed-off and its case to verifying; what else was proposed comes off the queue.
    async fn hand_off(&self, row: &OutboxRow, id: &RecommendationId) -> anyhow::Result<()> {
        loop {
            let now = self.clock.now();
            let (rec, _) = self.store.get_recommendation(id).await?;
            if !matches!(rec.state, State::Approved { .. } | State::ApprovedWithEdit { .. }) {
                return Ok(());
            }
            let mut case = self.store.get_case(&rec.case_id).await?;
            let mut moved = Vec::new();
            for (mut other, seen) in self.store.list_recommendations(&rec.case_id).await? {
                if &other.id == id {
                    other.state = other.state.after(Event::HandOff, now)?;
                } else if other.state.is_waiting() {
                    other.state = other.state.after(Event::Supersede, now)?;
                } else {
                    continue;
                }
                moved.push((other, seen));
            }
            let seen = case.version;
            case.version = seen + 1;
            case.updated_at = now;
            if case.state == CaseState::Decided {
                case.state = CaseState::Verifying;
            }
            let detail = json!({
                "case": case.id,
                "message": row.id,
                "superseded": moved.iter().map(|(r, _)| &r.id).filter(|r| *r != id).collect::<Vec<_>>(),
            });
            let mut entry = entry("recommendation.handed_off", row, id, detail, now);
            entry.content = rec.content_hash();
            let cases = [(case, seen)];
            let change = Change { cases: &cases, recommendations: &moved, entries: &[entry], ..Change::default() };
            match self.store.advance(change).await {
                // Somebody moved the case in between; what was sent stays sent, so try on what is there now.
                Err(StoreError::Conflict) => {}
                result => return Ok(result?),
            }
        }
    }

    async fn bury(&self, row: &OutboxRow, reason: &str, done: &mut Delivered) -> anyhow::Result<()> {
        warn!(message = %row.id, attempts = row.attempts, "It is a dead letter now: {reason}");
        let now = self.clock.now();
        let about = publish::recommendation_of(&row.body).unwrap_or_else(|| RecommendationId::new("unknown"));
        let entry = entry("outbox.dead", row, &about, json!({ "attempts": row.attempts, "reason": reason }), now);
        self.store.mark_dead(row, now, reason, &[entry]).await.is_taken()?;
        done.dead += 1;
        Ok(())
    }

    /// Puts a dead letter back into the outbox, to be sent as it was approved, by order of `actor`.
    ///
    /// # Errors
    /// When there is no such dead letter.
    pub async fn replay(&self, message: &str, actor: &str, channel: &str) -> anyhow::Result<()> {
        let now = self.clock.now();
        let entry = AuditEntry {
            at: now,
            actor: actor.to_owned(),
            channel: channel.to_owned(),
            action: "outbox.replayed".to_owned(),
            subject: format!("outbox:{message}"),
            content: String::new(),
            detail: json!({}),
        };
        self.store.replay_dead(message, now, &[entry]).await.with_context(|| {
            format!("message {message} can not be sent again; `reeve outbox dead` lists those that can")
        })
    }
}

/// Whether somebody else has the row by now, which is theirs to finish.
trait Taken {
    fn is_taken(self) -> anyhow::Result<bool>;
}

impl Taken for Result<(), StoreError> {
    fn is_taken(self) -> anyhow::Result<bool> {
        match self {
            Ok(()) => Ok(false),
            Err(StoreError::Conflict) => Ok(true),
            Err(error) => Err(error.into()),
        }
    }
}

/// The gap after attempt number `attempt`: growing, and up to a fifth shorter or longer by the message's id, so that
/// messages that failed together do not all come back together. The same message always waits the same.
fn gap(id: &str, attempt: i64) -> Duration {
    let steps = u32::try_from(attempt.max(1) - 1).unwrap_or(u32::MAX).min(12);
    let plain = FIRST_GAP.saturating_mul(3u32.saturating_pow(steps)).min(LONGEST_GAP);
    let hash = content_hash(&[id, &attempt.to_string()]);
    let share = u32::from_str_radix(&hash[..4], 16).expect("a hash is hex digits");
    plain.mul_f64(0.8 + 0.4 * f64::from(share) / f64::from(u16::MAX))
}

fn entry(action: &str, row: &OutboxRow, about: &RecommendationId, detail: Value, now: Timestamp) -> AuditEntry {
    let subject = format!("recommendation:{about}");
    let content = content_hash(&[&row.body]);
    AuditEntry {
        at: now,
        actor: ACTOR.to_owned(),
        channel: "stage".to_owned(),
        action: action.to_owned(),
        subject,
        content,
        detail,
    }
}
