//! Events → notices among the records. Each event ends understood or in quarantine with a reason; what it names that is not
//! known yet is looked for again, a few times over some days, when the records have changed.
//!
//! An event can only announce: it becomes a record that detectors and people look at, and moves nothing else.

mod amounts;
mod asked;
mod items;
mod known;
mod lines;
mod meaning;
mod orders;
mod sums;
#[cfg(test)]
mod tests;

use anyhow::Context;
use async_trait::async_trait;
use jiff::civil::Date;
use jiff::{SignedDuration, Timestamp};
use serde_json::json;
use tokio::sync::Mutex;

use self::known::Known;
use self::meaning::{Against, meaning};
use super::context::Context as Stages;
use super::{Progress, Stage};
use crate::config::Config;
use crate::domain::audit::AuditEntry;
use crate::domain::event::{EventType, Fault, read, type_of};
use crate::domain::ids::content_hash;
use crate::domain::notice::{Notice, NoticeContent};
use crate::domain::record::{Observed, Record};
use crate::store::{EventRow, Settled, Store, StoreError};

/// Events of one run.
const BATCH: usize = 100;
/// An event that names something unknown is looked at again after 1, 4, 16 … minutes: over three days in all.
const FIRST_RETRY: SignedDuration = SignedDuration::from_mins(1);
/// How often it is looked at again by itself.
const RETRIES: i64 = 7;
/// What a channel offered is kept for so many times as long as it says anything: a feed says the same again every few minutes.
const OFFERS_KEPT: i32 = 2;

/// Understands the events that have come.
pub struct Understand {
    context: Stages,
    /// The day on which old words were forgotten last.
    forgot: Mutex<Option<Date>>,
}

impl Understand {
    /// The stage.
    pub fn new(context: Stages) -> Self {
        Self { context, forgot: Mutex::new(None) }
    }

    /// Once a day: forgets what is older than it is kept.
    async fn forget(&self, now: Timestamp) -> anyhow::Result<()> {
        let Stages { store, config, .. } = &self.context;
        let today = config.rules.calendar.calendar().day_of(now);
        let mut forgot = self.forgot.lock().await;
        if *forgot != Some(today) {
            let before = |age: SignedDuration| now.checked_sub(age).unwrap_or(Timestamp::MIN);
            let words = SignedDuration::from_hours(24 * i64::from(config.events.keep_days));
            let fresh = SignedDuration::try_from(config.rules.channel.fresh).unwrap_or(words);
            let offers = fresh.checked_mul(OFFERS_KEPT).unwrap_or(words);
            store.forget_events(before(words), before(offers)).await.context("forgetting old events")?;
            *forgot = Some(today);
        }
        Ok(())
    }
}

#[async_trait]
impl Stage for Understand {
    fn name(&self) -> &'static str {
        "understand"
    }

    async fn run_once(&self) -> anyhow::Result<Progress> {
        let Stages { store, config, clock, .. } = &self.context;
        let now = clock.now();
        // Read before the records: what changes meanwhile then counts as new, and a name that was missing is looked for
        // again.
        let newest = store.newest_change().await?;
        let events = store.list_events_to_understand(now, newest, BATCH).await.context("looking for new events")?;
        if events.is_empty() {
            self.forget(now).await?;
            return Ok(Progress::Idle);
        }
        let types = events.iter().filter_map(|event| type_of(&event.body)).collect();
        let known = Known::load(store, &types).await.context("loading what events speak of")?;
        for event in &events {
            let (kind, outcome) = understood(event, &known, config);
            settle(store, event, kind, outcome, newest, now).await?;
        }
        Ok(Progress::Advanced(events.len()))
    }
}

/// The type of an event, where it can be found, and what it announces.
fn understood(row: &EventRow, known: &Known, config: &Config) -> (Option<EventType>, Result<Vec<Notice>, Fault>) {
    let kind = type_of(&row.body);
    (kind, notices(row, known, config))
}

fn notices(row: &EventRow, known: &Known, config: &Config) -> Result<Vec<Notice>, Fault> {
    // A sender that was taken out since has no say any more, and whom it may speak for is not known either.
    let hook = config.hooks.iter().find(|h| h.name == row.source);
    let hook = hook.ok_or_else(|| Fault::wrong("", &format!("there is no hook {:?} in the configuration", row.source)))?;
    let event = read(&row.body)?;
    if !hook.may_send(event.kind) {
        return Err(Fault::wrong("type", &format!("the hook may not send {}", event.kind)));
    }
    let supplier = hook.supplier();
    let against =
        Against { known, supplier: supplier.as_ref(), currency: &config.rules.money.currency, received_at: row.received_at };
    let contents = meaning(&event, &against)?;
    // By place, so that an event that is understood a second time makes the same notices and no more.
    let several = contents.len() > 1;
    let notice = |(i, content): (usize, NoticeContent)| Notice {
        id: if several { format!("{}#{i}", row.id) } else { row.id.clone() },
        source: row.source.clone(),
        occurred_at: event.at,
        received_at: row.received_at,
        content,
    };
    Ok(contents.into_iter().enumerate().map(notice).collect())
}

async fn settle(
    store: &Store,
    row: &EventRow,
    kind: Option<EventType>,
    outcome: Result<Vec<Notice>, Fault>,
    newest: Option<Timestamp>,
    now: Timestamp,
) -> anyhow::Result<()> {
    let (action, settled, detail) = match outcome {
        Ok(notices) => {
            let count = notices.len();
            let observe = |notice| Observed { changed_at: now, record: Record::Notice(notice) };
            let records = notices.into_iter().map(observe).collect();
            let settled = Settled { kind: None, quarantined: None, retry_at: None, seen: newest, records };
            ("event.understood", settled, json!({ "type": kind, "notices": count }))
        }
        Err(fault) => {
            // What is wrong stays wrong. Only what is not known may come to be known.
            let retry_at = matches!(fault, Fault::Unknown(_)).then(|| retry_at(row.tries, now)).flatten();
            let reason = fault.reason().to_owned();
            tracing::warn!(event = row.id.as_str(), "Event {} is in quarantine: {reason}", row.id);
            let detail = json!({ "type": kind, "reason": reason, "retry_at": retry_at });
            let settled = Settled { kind: None, quarantined: Some(reason), retry_at, seen: newest, records: vec![] };
            ("event.quarantined", settled, detail)
        }
    };
    let settled = Settled { kind: kind.map(|k| k.name().to_owned()), ..settled };
    let entry = AuditEntry::by_stage("understand", now, action, format!("event:{}", row.id))
        .on(content_hash(&[&row.body]))
        .with(detail);
    match store.settle_event(row, &settled, now, &entry).await {
        // Somebody else settled or replayed it in the meantime: it is theirs.
        Ok(()) | Err(StoreError::Conflict) => Ok(()),
        Err(error) => Err(error).with_context(|| format!("writing what event {} says", row.id)),
    }
}

fn retry_at(tries: i64, now: Timestamp) -> Option<Timestamp> {
    let power = u32::try_from(tries).ok().filter(|_| tries < RETRIES)?;
    now.checked_add(FIRST_RETRY.checked_mul(4_i32.checked_pow(power)?)?).ok()
}
