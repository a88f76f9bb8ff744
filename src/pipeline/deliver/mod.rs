//! Deliver: the only stage that sends anything. It takes what is due out of the outbox and hands it to its destination.
//!
//! A message leaves at least once and under one id; whether it arrived twice is for the receiver's idempotency to sort out.
//! What a destination does not take is tried again with growing gaps for about a day, and is then a dead letter with its
//! reason; so is what nobody took before its expiry. Messages of one case leave in order. One process at a time sends to a
//! destination, and one destination's trouble holds up no other. Each kind of message has one sender at most. Without a
//! destination, or without a sender of its kind, nothing is attempted and nothing is lost: the rows wait. While people have
//! stopped Reeve (`pipeline::stop`) they wait too, all of them: that is asked before each message anew. What expires meanwhile
//! ends as ever.

pub mod ended;
mod hand_off;
mod lost;
mod operate;
mod shown;
pub mod stuck;
#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, LazyLock};
use std::time::Duration;

use anyhow::Context;
use async_trait::async_trait;
use jiff::Timestamp;
use serde_json::{Value, json};
use tokio::task::JoinSet;
use tracing::{Instrument as _, info, warn};

use self::hand_off::Sendable;
use super::{Progress, Stage, stop};
use crate::clock::Clock;
use crate::config::{Config, Patience, WEBHOOK};
use crate::domain::audit::AuditEntry;
use crate::domain::ids::content_hash;
use crate::domain::words::cut;
use crate::ports::{Outgoing, PortError, Sender, Senders};
use crate::store::{OutboxRow, Store, StoreError};

/// Most messages of one run to one destination, so that a shutdown does not wait for a long queue.
const BATCH: usize = 64;

/// The same where other destinations wait for the run to end.
const BATCH_BESIDE_OTHERS: usize = 8;

/// Longest word of a receiver, or of what lies on the way to it, that a reason holds, in characters.
const REASON_CHARS: usize = 300;

/// The stage's name, here and in the audit log.
const STAGE: &str = "deliver";

/// This process, among all that may deliver from one store.
static HOLDER: LazyLock<String> = LazyLock::new(|| {
    let mut bytes = [0; 8];
    getrandom::fill(&mut bytes).expect("the operating system has randomness, or two processes could not be told apart");
    format!("{}-{}", std::process::id(), hex::encode(bytes))
});

/// The sending stage.
#[derive(Clone)]
pub struct Deliver {
    /// Where the outbox is.
    pub store: Store,
    /// Attempts and waiting times.
    pub config: Arc<Config>,
    /// When it is. The outbox counts in business time, as the undo window, the deadline and the log do that its rows stand
    /// beside; what a receiver sees and asks for is in wire time.
    pub clock: Clock,
    /// Who sends, by kinds of messages. What nobody sends stays where it is.
    pub senders: Senders,
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
        // What has arrived first: what was reported on needs no end.
        self.settle_reported(&mut done).await?;
        self.bury_expired(&mut done).await?;
        if self.is_stopped().await? {
            // The fallback is told nothing either: a notice is a delivery.
            return Ok(done);
        }
        let served = self.serve(&mut done).await;
        // Also when one of them failed: that is what the fallback is for.
        self.tell_fallback().await?;
        served?;
        Ok(done)
    }

    async fn is_stopped(&self) -> Result<bool, StoreError> {
        Ok(stop::stopped(&self.store, &self.config).await?.is_some())
    }

    /// Sends to every open destination at the same time: one that is slow, or whose rows can not be read, holds up no other.
    /// All that failed are told of together, when all have ended.
    async fn serve(&self, done: &mut Delivered) -> anyhow::Result<()> {
        let open = self.open_destinations().await?;
        // A run ends when all have ended: where others wait for the next one, none takes many turns.
        let most = if open.len() > 1 { BATCH_BESIDE_OTHERS } else { BATCH };
        let mut turns = JoinSet::new();
        for (destination, senders) in open {
            let it = self.clone();
            let turn = async move {
                let mut done = Delivered::default();
                let sent = it.send_by(&senders, &destination, most, &mut done).await;
                (done, sent.with_context(|| format!("delivering to {destination}")))
            };
            turns.spawn(turn.in_current_span());
        }
        let mut failed = Vec::new();
        while let Some(turn) = turns.join_next().await {
            let (sent, result) = turn.context("a destination's turn did not end as it should")?;
            done.sent += sent.sent;
            done.retried += sent.retried;
            done.dead += sent.dead;
            failed.extend(result.err().map(|error| format!("{error:#}")));
        }
        failed.sort();
        anyhow::ensure!(failed.is_empty(), "{}", failed.join("; "));
        Ok(())
    }

    /// Destinations that something waits for and that may be sent to, each with those who send what waits.
    async fn open_destinations(&self) -> anyhow::Result<BTreeMap<String, Vec<Arc<dyn Sender>>>> {
        let disabled: BTreeSet<String> =
            self.store.list_destinations().await?.into_iter().filter(|d| d.disabled_at.is_some()).map(|d| d.name).collect();
        let mut open: BTreeMap<String, Vec<Arc<dyn Sender>>> = BTreeMap::new();
        for sender in self.senders.all() {
            let waiting = self.store.list_waiting_channels(sender.kinds()).await.context("reading the outbox")?;
            for name in waiting {
                // What would go to an address that is not set yet waits for it; a name that is nobody's is a fault, and told. What a
                // chat shows waits for the chat that its destination is in.
                let waits = name == WEBHOOK || sender.kinds().iter().all(|kind| kind.is_shown());
                if !disabled.contains(&name) && (!waits || sender.knows(&name)) {
                    open.entry(name).or_default().push(Arc::clone(sender));
                }
            }
        }
        Ok(open)
    }

    /// Sends to one destination what is due for it, one sender after the other: they share its lease.
    async fn send_by(
        &self,
        senders: &[Arc<dyn Sender>],
        destination: &str,
        most: usize,
        done: &mut Delivered,
    ) -> anyhow::Result<()> {
        for sender in senders {
            self.send_to(sender.as_ref(), destination, most, done).await?;
        }
        Ok(())
    }

    /// Sends to one destination what is due for it of the sender's kinds, while nobody else does.
    async fn send_to(
        &self,
        sender: &dyn Sender,
        destination: &str,
        most: usize,
        done: &mut Delivered,
    ) -> anyhow::Result<()> {
        let timeout = self.config.patience(destination).timeout;
        // Long enough to send and to write down how it went.
        let lease = timeout + self.config.delivery.margin;
        let (turn, mut held) = (format!("deliver:{destination}"), false);
        for _ in 0..most {
            let now = self.clock.now();
            let due = self.store.next_due_to(destination, sender.kinds()).await.context("reading the outbox")?;
            let wire = self.clock.wire();
            if due.is_none_or(|due| due > now) || sender.free_at(destination, wire) > wire {
                break;
            }
            // Before it is taken out, so that what waits for the end of a stop is not touched again and again.
            if self.is_stopped().await? {
                break;
            }
            // Before each message anew: two processes that took turns in the middle could overtake each other.
            held = self.store.try_lease(&turn, &HOLDER, now, lease).await?;
            if !held {
                break;
            }
            // One at a time: a lease must not run out while others of the same batch are being sent.
            let claimed = self.store.claim_due_to(destination, sender.kinds(), now, lease).await;
            let Some(row) = claimed.context("reading the outbox")? else { break };
            let more = self.send(sender, &row, done).await.with_context(|| format!("delivering message {}", row.id))?;
            if !more {
                break;
            }
        }
        if held {
            self.store.release_lease(&turn, &HOLDER).await?;
        }
        Ok(())
    }

    /// Sends one message. Answers whether its destination may be sent to any further.
    async fn send(&self, sender: &dyn Sender, row: &OutboxRow, done: &mut Delivered) -> anyhow::Result<bool> {
        let about = match self.sendable(sender, row).await? {
            Sendable::Yes(about) => about,
            Sendable::No(reason) => return self.bury(row, &reason, done).await.map(|()| true),
            Sendable::TooLate => return self.expire(row, done).await.map(|()| true),
            Sendable::Moot => return self.pass_over(row).await.map(|()| true),
        };
        let message = Outgoing {
            kind: row.kind,
            to: row.channel.clone(),
            id: row.id.clone(),
            body: row.body.clone(),
            at: self.clock.wire(),
            shown: self.shown_before(row).await?,
        };
        // The last moment: nobody who has said stop sees another message begin to leave.
        if self.is_stopped().await? {
            self.store.put_back(row).await.or_taken()?;
            return Ok(false);
        }
        // A process that stood still since it took the message out has lost it to another one.
        if !self.store.still_has(row).await? {
            return Ok(false);
        }
        let failed = match sender.send(&message).await {
            Ok(receipt) => {
                // The state first: if this process dies before the row is marked, the message goes out again under the same
                // id. The other way round it would be gone, and nobody would know that the recommendation had left.
                if let Some(about) = about {
                    self.hand_off(row, &about).await?;
                }
                let entry = self.entry("outbox.sent", row, json!({ "attempt": row.attempts, "to": row.channel }));
                if self.store.mark_sent(row, self.clock.now(), &receipt, &[entry]).await.or_taken()? {
                    warn!(message = %row.id, "Its lease ran out while it was being sent; it may arrive twice");
                }
                self.store.note_success(&row.channel).await?;
                info!(message = %row.id, destination = row.channel, about = row.about, "Delivered");
                done.sent += 1;
                return Ok(true);
            }
            Err(failed) => failed,
        };
        self.failed(sender, row, failed, done).await
    }

    async fn failed(
        &self,
        sender: &dyn Sender,
        row: &OutboxRow,
        failed: PortError,
        done: &mut Delivered,
    ) -> anyhow::Result<bool> {
        match failed {
            PortError::Gone { service } => self.disable(row, &format!("{service} answered 410: it is gone"), done).await,
            // The message is as good as it was: it waits until somebody has mended the destination, and is no dead letter.
            PortError::Shut { service, why } => {
                self.disable(row, &format!("{service}: {}", cut(&why, REASON_CHARS)), done).await
            }
            PortError::Permanent { service, source } => {
                self.bury(row, &format!("{service} refused it for good: {}", cut(&source.to_string(), REASON_CHARS)), done)
                    .await?;
                Ok(true)
            }
            PortError::Resting { until, .. } => {
                self.store.mark_retry(row, self.in_business_time(until), "the receiver is left alone").await.or_taken()?;
                done.retried += 1;
                Ok(false)
            }
            PortError::Transient { service, retry_after, source } => {
                let reason = format!("{service}: {}", cut(&source.to_string(), REASON_CHARS));
                self.try_again(sender, row, &reason, retry_after, done).await
            }
            PortError::Unknown { service, source } => {
                let said = format!("{service}: {}", cut(&source.to_string(), REASON_CHARS));
                self.lost(sender, row, &said, done).await
            }
        }
    }

    /// It did not get through this time: it is due again later, or given up where it was tried often enough.
    async fn try_again(
        &self,
        sender: &dyn Sender,
        row: &OutboxRow,
        reason: &str,
        retry_after: Option<Duration>,
        done: &mut Delivered,
    ) -> anyhow::Result<bool> {
        let now = self.clock.now();
        self.note_failed(sender, row, reason).await?;
        let Patience { attempts, longest_gap, .. } = self.config.patience(&row.channel);
        if row.attempts >= i64::from(attempts) {
            let reason = format!("given up after {} attempts; the last one: {reason}", row.attempts);
            self.bury(row, &reason, done).await?;
            return Ok(true);
        }
        let wait =
            gap(&row.id, row.attempts, self.config.delivery.first_gap, longest_gap).max(retry_after.unwrap_or_default());
        let due = now.checked_add(wait).unwrap_or(Timestamp::MAX);
        warn!(message = %row.id, attempt = row.attempts, %due, "Not delivered, will be tried again: {reason}");
        self.store.mark_retry(row, due, reason).await.or_taken()?;
        done.retried += 1;
        Ok(true)
    }

    /// Keeps that a destination fails, and until when it is left alone for it.
    async fn note_failed(&self, sender: &dyn Sender, row: &OutboxRow, reason: &str) -> Result<(), StoreError> {
        let now = self.clock.now();
        let free = self.in_business_time(sender.free_at(&row.channel, self.clock.wire()));
        self.store.note_failure(&row.channel, now, reason, (free > now).then_some(free)).await
    }

    /// Nothing more is sent to a destination until somebody enables it again; what waits for it waits.
    async fn disable(&self, row: &OutboxRow, why: &str, done: &mut Delivered) -> anyhow::Result<bool> {
        let now = self.clock.now();
        let entry = self.destination_entry("destination.disabled", &row.channel, json!({ "why": why }));
        self.store.disable_destination(&row.channel, now, why, &entry).await?;
        warn!(destination = row.channel, "Disabled until it is enabled again: {why}");
        // Due at once: it leaves as soon as the destination is enabled again.
        self.store.mark_retry(row, now, why).await.or_taken()?;
        done.retried += 1;
        Ok(false)
    }

    /// A moment of the machine's clock, such as until when a receiver wants to be left alone, as one of the outbox: as long
    /// from now by the one as by the other.
    fn in_business_time(&self, wire: Timestamp) -> Timestamp {
        let (now, rest) = (self.clock.now(), wire.duration_since(self.clock.wire()));
        now.checked_add(rest).unwrap_or(Timestamp::MAX)
    }

    /// Takes out a message that tells something that is no longer so: nobody misses it.
    async fn pass_over(&self, row: &OutboxRow) -> anyhow::Result<()> {
        let entry = self.entry("outbox.cancelled", row, json!({ "reason": "what it tells is no longer so" }));
        self.store.mark_moot(row, &[entry]).await.or_taken().map(|_| ())
    }

    async fn bury(&self, row: &OutboxRow, reason: &str, done: &mut Delivered) -> anyhow::Result<()> {
        warn!(message = %row.id, attempts = row.attempts, "It is a dead letter now: {reason}");
        let entry = self.entry("outbox.dead", row, json!({ "attempts": row.attempts, "reason": reason }));
        self.store.mark_dead(row, self.clock.now(), reason, &[entry]).await.or_taken()?;
        done.dead += 1;
        Ok(())
    }

    fn entry(&self, action: &str, row: &OutboxRow, detail: Value) -> AuditEntry {
        let about =
            if row.about.is_empty() { format!("outbox:{}", row.id) } else { format!("recommendation:{}", row.about) };
        AuditEntry::by_stage(STAGE, self.clock.now(), action, about)
            .on(content_hash(&[&row.body]))
            .with(with_message(detail, &row.id))
    }

    fn destination_entry(&self, action: &str, name: &str, detail: Value) -> AuditEntry {
        AuditEntry::by_stage(STAGE, self.clock.now(), action, format!("destination:{name}")).with(detail)
    }
}

fn with_message(mut detail: Value, id: &str) -> Value {
    detail["message"] = id.into();
    detail
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

/// The gap after attempt number `attempt`: three times as long each time, and up to a fifth shorter or longer by the
/// message's id, so that messages that failed together do not all come back together. The same message always waits the same.
fn gap(id: &str, attempt: i64, first: Duration, longest: Duration) -> Duration {
    let steps = u32::try_from(attempt.max(1) - 1).unwrap_or(u32::MAX).min(12);
    let plain = first.saturating_mul(3u32.saturating_pow(steps)).min(longest);
    let hash = content_hash(&[id, &attempt.to_string()]);
    let share = u32::from_str_radix(&hash[..4], 16).expect("a hash is hex digits");
    plain.mul_f64(0.8 + 0.4 * f64::from(share) / f64::from(u16::MAX))
}

#[async_trait]
impl Stage for Deliver {
    fn name(&self) -> &'static str {
        STAGE
    }

    fn is_for_one(&self) -> bool {
        false
    }

    async fn run_once(&self) -> anyhow::Result<Progress> {
        let done = Self::run_once(self).await?;
        let moved = done.sent + done.retried + done.dead;
        Ok(if moved == 0 { Progress::Idle } else { Progress::Advanced(moved) })
    }

    async fn due_in(&self) -> Option<Duration> {
        let (now, wire) = (self.clock.now(), self.clock.wire());
        // Nobody wakes this process when another one ends a stop: it looks again by its period.
        if self.is_stopped().await.ok()? {
            return None;
        }
        let mut next = None;
        for (destination, senders) in self.open_destinations().await.ok()? {
            for sender in senders {
                let Some(due) = self.store.next_due_to(&destination, sender.kinds()).await.ok()? else { continue };
                let due = due.max(self.in_business_time(sender.free_at(&destination, wire)));
                next = Some(next.map_or(due, |next: Timestamp| next.min(due)));
            }
        }
        Some(Duration::try_from(next?.duration_since(now)).unwrap_or(Duration::ZERO))
    }
}
