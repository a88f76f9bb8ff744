//! Deliver: the only stage that sends anything. It takes what is due out of the outbox and hands it to the receiver.
//!
//! A message leaves at least once and under one id; whether it arrived twice is for the receiver's idempotency to sort out.
//! What the receiver does not take is tried again with growing gaps for about a day, and is then a dead letter with its
//! reason. Without a receiver nothing is attempted and nothing is lost: the rows wait.

use std::sync::Arc;
use std::time::Duration;

use anyhow::Context;
use async_trait::async_trait;
use jiff::Timestamp;
use serde_json::{Value, json};
use tracing::{info, warn};

use super::{Progress, Stage};
use crate::clock::Clock;
use crate::config::Config;
use crate::domain::audit::AuditEntry;
use crate::domain::case_life::CaseEvent;
use crate::domain::decision::{Event, RecommendationState as State};
use crate::domain::ids::{RecommendationId, content_hash};
use crate::pipeline::publish::{self, Envelope};
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
                if self.store.mark_sent(row, self.clock.now(), &[entry]).await.or_taken()? {
                    warn!(message = %row.id, "Its lease ran out while it was being sent; it may arrive twice");
                }
                info!(message = %row.id, recommendation = %about, "Handed off");
                done.sent += 1;
                Ok(())
            }
            Err(PortError::Permanent { service, source }) => {
                self.bury(row, &format!("{service} refused it for good: {source}"), done).await
            }
            Err(PortError::Resting { until, .. }) => {
                self.store.mark_retry(row, until, "the receiver is left alone").await.or_taken()?;
                done.retried += 1;
                Ok(())
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
                self.store.mark_retry(row, due, &reason).await.or_taken()?;
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
        let Some(envelope) = Envelope::read(&row.body).filter(|e| e.id == row.id) else {
            return Ok(Err("the body is not that of an approved recommendation".to_owned()));
        };
        let id = envelope.recommendation_id;
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
        if !this_approval || envelope.content_hash != rec.content_hash() {
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
            case.state = case.state.after(CaseEvent::HandOff)?;
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
        let about = Envelope::read(&row.body).map_or_else(|| RecommendationId::new("unknown"), |e| e.recommendation_id);
        let entry = entry("outbox.dead", row, &about, json!({ "attempts": row.attempts, "reason": reason }), now);
        self.store.mark_dead(row, now, reason, &[entry]).await.or_taken()?;
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
        self.store
            .replay_dead(message, now, &[entry])
            .await
            .with_context(|| format!("message {message} can not be sent again; `reeve outbox dead` lists those that can"))
    }
}

/// Whether somebody else has the row by now, which is theirs to finish.
trait Taken {
    fn or_taken(self) -> anyhow::Result<bool>;
}

impl Taken for Result<(), StoreError> {
    fn or_taken(self) -> anyhow::Result<bool> {
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

#[async_trait]
impl Stage for Deliver {
    fn name(&self) -> &'static str {
        "deliver"
    }

    async fn run_once(&self) -> anyhow::Result<Progress> {
        let done = Self::run_once(self).await?;
        let moved = done.sent + done.retried + done.dead;
        Ok(if moved == 0 { Progress::Idle } else { Progress::Advanced(moved) })
    }
}

#[cfg(test)]
mod tests {
    #![expect(clippy::disallowed_methods, reason = "the receiver of a test ends with the test's runtime")]

    use std::sync::Mutex;

    use axum::Router;
    use axum::http::{HeaderMap, StatusCode};
    use axum::routing::post;
    use jiff::SignedDuration;
    use secrecy::SecretString;
    use standardwebhooks::Webhook;

    use super::*;
    use crate::adapters::webhook::SignedWebhook;
    use crate::pipeline::approve::Verb;
    use crate::pipeline::approve::tests::Bench;
    use crate::store::OutboxState;

    const SECRET: &str = "whsec_aG9sZG91dC1zZWNyZXQtMzItYnl0ZXMtbG9uZyEhISE=";

    /// A receiver as a retailer would write one: it verifies, and answers what it is told to.
    #[derive(Clone, Default)]
    struct Receiver {
        got: Arc<Mutex<Vec<(String, String)>>>,
        answers: Arc<Mutex<Vec<StatusCode>>>,
    }

    impl Receiver {
        /// Answers `answers` in turn, then 200.
        async fn new(answers: &[StatusCode]) -> (Self, String) {
            let it = Self::default();
            it.answers.lock().unwrap().extend(answers.iter().rev());
            let this = it.clone();
            let app = Router::new().fallback(post(move |headers: HeaderMap, body: String| {
                let answer = this.take(&headers, body);
                async move { answer }
            }));
            let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
            let url = format!("http://{}/", listener.local_addr().unwrap());
            tokio::spawn(async move { axum::serve(listener, app).await });
            (it, url)
        }

        fn take(&self, headers: &HeaderMap, body: String) -> StatusCode {
            if Webhook::new(SECRET).unwrap().verify(body.as_bytes(), headers).is_err() {
                return StatusCode::UNAUTHORIZED;
            }
            let answer = self.answers.lock().unwrap().pop().unwrap_or(StatusCode::OK);
            if answer.is_success() {
                let id = headers["webhook-id"].to_str().unwrap().to_owned();
                self.got.lock().unwrap().push((id, body));
            }
            answer
        }

        fn got(&self) -> Vec<(String, String)> {
            self.got.lock().unwrap().clone()
        }
    }

    /// One approved case, its undo window over, and a sender to `url`. The clock is near the real one, since receivers
    /// refuse old timestamps.
    async fn approved(url: &str, attempts: u32) -> (Bench, Deliver, RecommendationId) {
        let (bench, recs) = Bench::queued(500).await;
        let real = Clock::System.now();
        bench.it.clock.set(real.checked_sub(SignedDuration::from_mins(5)).unwrap());
        bench.approve("ari", &recs[0]).await.unwrap();
        let mut config = (*bench.it.config).clone();
        config.webhook.attempts = attempts;
        let sender = SignedWebhook::new(url, &SecretString::from(SECRET), Duration::from_secs(5)).unwrap();
        let deliver = Deliver {
            store: bench.it.store.clone(),
            config: Arc::new(config),
            clock: bench.it.clock.clone(),
            sender: Some(Arc::new(sender)),
        };
        (bench, deliver, recs[0].id.clone())
    }

    fn delivered(sent: usize, retried: usize, dead: usize) -> Delivered {
        Delivered { sent, retried, dead }
    }

    #[tokio::test]
    async fn an_approval_leaves_once_after_its_undo_window_and_its_case_is_watched_from_then_on() {
        let (receiver, url) = Receiver::new(&[]).await;
        let (bench, deliver, id) = approved(&url, 3).await;
        assert_eq!(deliver.run_once().await.unwrap(), delivered(0, 0, 0), "the undo window is open");
        bench.later(5);
        assert_eq!(deliver.run_once().await.unwrap(), delivered(1, 0, 0));
        assert_eq!(deliver.run_once().await.unwrap(), delivered(0, 0, 0));
        let got = receiver.got();
        assert_eq!(got.len(), 1);
        assert!(got[0].1.contains(id.as_str()) && got[0].1.contains(&got[0].0));
        assert_eq!((bench.state(&id).await, bench.case_state("case-1").await), ("handed_off".into(), "verifying".into()));
        let (rec, _) = bench.it.store.get_recommendation(&id).await.unwrap();
        let others = bench.it.store.list_recommendations(&rec.case_id).await.unwrap();
        assert!(others.iter().all(|(r, _)| r.id == id || r.state == State::Superseded));
        let error = bench.decide("ari", &rec, Verb::Undo).await.unwrap_err().to_string();
        assert!(error.contains("handed off"), "{error}");
        let error = bench.approve("fay", &others[1].0).await.unwrap_err().to_string();
        assert!(error.contains("ari") || error.contains("Ari"), "{error}");
        bench.it.store.verify_audit().await.unwrap();
    }

    #[tokio::test]
    async fn an_undone_approval_never_leaves() {
        let (receiver, url) = Receiver::new(&[]).await;
        let (bench, deliver, id) = approved(&url, 3).await;
        let (rec, _) = bench.it.store.get_recommendation(&id).await.unwrap();
        bench.decide("ari", &rec, Verb::Undo).await.unwrap();
        bench.later(60);
        assert_eq!(deliver.run_once().await.unwrap(), delivered(0, 0, 0));
        assert!(receiver.got().is_empty());
    }

    #[tokio::test]
    async fn what_is_not_taken_is_tried_again_then_dead_then_replayed_as_it_was() {
        let (receiver, url) = Receiver::new(&[StatusCode::BAD_GATEWAY, StatusCode::INTERNAL_SERVER_ERROR]).await;
        let (bench, deliver, id) = approved(&url, 2).await;
        bench.later(5);
        assert_eq!(deliver.run_once().await.unwrap(), delivered(0, 1, 0));
        assert_eq!(deliver.run_once().await.unwrap(), delivered(0, 0, 0), "its gap has not passed");
        assert_eq!(bench.state(&id).await, "approved");
        let row = &bench.it.store.list_outbox(OutboxState::Pending).await.unwrap()[0];
        assert!(row.last_error.as_ref().unwrap().contains("502"), "{row:?}");
        bench.later(1);
        assert_eq!(deliver.run_once().await.unwrap(), delivered(0, 0, 1));
        let dead = bench.it.store.list_dead().await.unwrap();
        assert!(dead[0].reason.contains("given up after 2 attempts") && dead[0].reason.contains("500"), "{dead:?}");
        assert!(deliver.replay("msg_none", "ops", "cli").await.is_err());
        deliver.replay(&dead[0].id, "ops", "cli").await.unwrap();
        assert_eq!(deliver.run_once().await.unwrap(), delivered(1, 0, 0));
        assert_eq!(receiver.got(), [(row.id.clone(), row.body.clone())]);
        assert_eq!(bench.state(&id).await, "handed_off");
        assert!(bench.it.store.list_dead().await.unwrap().is_empty());
        bench.it.store.verify_audit().await.unwrap();
    }

    #[tokio::test]
    async fn a_receiver_that_is_gone_is_not_asked_again() {
        let (_, url) = Receiver::new(&[StatusCode::GONE]).await;
        let (bench, deliver, _) = approved(&url, 9).await;
        bench.later(5);
        assert_eq!(deliver.run_once().await.unwrap(), delivered(0, 0, 1));
        assert!(bench.it.store.list_dead().await.unwrap()[0].reason.contains("410"));
    }

    #[tokio::test]
    async fn without_a_receiver_nothing_is_attempted_and_nothing_is_lost() {
        let (receiver, url) = Receiver::new(&[]).await;
        let (bench, deliver, _) = approved(&url, 1).await;
        bench.later(5);
        let unset = Deliver { sender: None, ..deliver.clone() };
        assert_eq!(unset.run_once().await.unwrap(), delivered(0, 0, 0));
        let rows = bench.it.store.list_outbox(OutboxState::Pending).await.unwrap();
        assert_eq!(rows[0].attempts, 0);
        assert_eq!(deliver.run_once().await.unwrap(), delivered(1, 0, 0));
        assert_eq!(receiver.got().len(), 1);
    }

    #[tokio::test]
    async fn a_sender_that_died_before_it_could_write_sends_the_same_again() {
        let (receiver, url) = Receiver::new(&[]).await;
        let (bench, deliver, id) = approved(&url, 3).await;
        bench.later(5);
        // Taken out, sent, handed off; then the process dies before the row is marked.
        let row = bench.it.store.claim_due(bench.it.clock.now(), 1, Duration::from_mins(1)).await.unwrap().remove(0);
        let message = Outgoing { id: row.id.clone(), body: row.body.clone(), at: bench.it.clock.now() };
        deliver.sender.as_ref().unwrap().send(&message).await.unwrap();
        deliver.hand_off(&row, &id).await.unwrap();
        assert_eq!(deliver.run_once().await.unwrap(), delivered(0, 0, 0), "the lease holds");
        bench.later(2);
        assert_eq!(deliver.run_once().await.unwrap(), delivered(1, 0, 0));
        let got = receiver.got();
        assert_eq!(got.len(), 2);
        assert_eq!(got[0], got[1]);
        assert_eq!(bench.it.store.list_outbox(OutboxState::Sent).await.unwrap().len(), 1);
    }

    #[tokio::test]
    async fn a_row_without_a_standing_approval_is_not_sent() {
        let (receiver, url) = Receiver::new(&[]).await;
        let (bench, deliver, id) = approved(&url, 3).await;
        bench.later(5);
        let row = bench.it.store.list_outbox(OutboxState::Pending).await.unwrap().remove(0);
        let (other, _) = bench.it.store.list_recommendations_in(&["queued"]).await.unwrap().remove(0);
        let forged = |name: &str, channel: &str, body: String| crate::store::NewOutbox {
            id: name.to_owned(),
            channel: channel.to_owned(),
            body,
            created_at: row.created_at,
            due_at: row.due_at,
        };
        let rows = [
            forged("msg_a", "webhook", row.body.clone()),
            forged("msg_b", "webhook", row.body.replace(id.as_str(), other.id.as_str())),
            forged("msg_c", "webhook", "{}".to_owned()),
            forged("msg_d", "pigeon", row.body.clone()),
        ];
        bench.it.store.enqueue(&rows, &[]).await.unwrap();
        assert_eq!(deliver.run_once().await.unwrap(), delivered(1, 0, 4));
        assert_eq!(receiver.got(), [(row.id, row.body)]);
    }

    #[test]
    fn gaps_grow_to_about_a_day_in_all_and_messages_do_not_march_in_step() {
        let gaps: Vec<Duration> = (1..10).map(|attempt| gap("msg_1", attempt)).collect();
        assert!(gaps.windows(2).all(|w| w[0] < w[1] || w[0] > LONGEST_GAP / 2), "{gaps:?}");
        let all: Duration = gaps.iter().sum();
        assert!(all > Duration::from_hours(12) && all < Duration::from_hours(30), "{all:?}");
        assert_ne!(gap("msg_1", 1), gap("msg_2", 1));
        assert_eq!(gap("msg_1", 3), gap("msg_1", 3));
        assert!(gap("msg_1", i64::MAX) <= LONGEST_GAP.mul_f64(1.2));
    }
}
