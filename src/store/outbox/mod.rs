//! The outbox: what is to be sent, written with the decision to send it; and the dead letters.
//!
//! A row is leased to whoever sends it. When that process dies, the lease runs out and the row comes back: a message may be
//! sent twice, under the same id, and is never lost. Messages of one lane to one destination leave in the order in which they
//! were put in: a later one waits until the earlier one is acknowledged, given up, discarded or taken back.
//!
//! Here messages are put in and taken back; `taking` takes out what is due, `settled` says how it went, `lists` is for looking.

mod lists;
mod rows;
mod settled;
mod shown;
mod taking;
#[cfg(test)]
mod tests;

use sqlx::{Any, Transaction};

pub(super) use self::rows::{COLUMNS, outbox_row};
pub use self::rows::{NewOutbox, OutboxRow, OutboxState};
pub use self::shown::Place;
use super::{Store, StoreError, audit, drills, row};
use crate::domain::audit::AuditEntry;

impl Store {
    /// Puts messages into the outbox, with the audit entries. An id that is there already is left as it is.
    pub async fn enqueue(&self, messages: &[NewOutbox], entries: &[AuditEntry]) -> Result<(), StoreError> {
        let mut tx = self.begin().await?;
        for message in messages {
            insert(&mut tx, message).await?;
        }
        audit::append(&mut tx, entries).await?;
        Ok(tx.commit().await?)
    }

    /// Takes a message back, with the audit entries. Answers whether it was in time: nobody had taken it out yet.
    pub async fn cancel(&self, id: &str, entries: &[AuditEntry]) -> Result<bool, StoreError> {
        let mut tx = self.begin().await?;
        if !cancel(&mut tx, id).await? {
            return Ok(false);
        }
        audit::append(&mut tx, entries).await?;
        tx.commit().await?;
        Ok(true)
    }
}

/// The last door: a recommendation that is wrong on purpose, or that is about Reeve itself, never leaves.
async fn refuse_what_stays(tx: &mut Transaction<'_, Any>, message: &NewOutbox) -> Result<(), StoreError> {
    let stays = |what| StoreError::NotForSending { id: message.id.clone(), what };
    if !message.about.is_empty() && drills::is_drill(tx, &message.about).await? {
        return Err(stays("a drill"));
    }
    // The columns may say less than the body does, and it is the body that leaves.
    let Ok(event) = serde_json::from_str::<serde_json::Value>(&message.body) else { return Ok(()) };
    if event["data"]["action"]["code"] == "MUTE" {
        return Err(stays("a mute, which is Reeve's own"));
    }
    let data = &event["data"];
    let shown = data["card"]["actions"].as_array().map(Vec::as_slice).unwrap_or_default();
    if shown.iter().any(|action| action["code"] == "MUTE") {
        return Err(stays("a mute, which is Reeve's own"));
    }
    // A chat's card shows several proposals, and any of them could be the wrong one.
    let ids = shown.iter().map(|action| &action["recommendation"]).chain([&data["recommendation_id"]]);
    for id in ids.filter_map(serde_json::Value::as_str) {
        if drills::is_drill(tx, id).await? {
            return Err(stays("a drill"));
        }
    }
    Ok(())
}

/// Puts a message in, once for each id.
///
/// # Errors
/// [`StoreError::NotForSending`] for a drill and for what Reeve carries out itself, whoever asks.
pub(super) async fn insert(tx: &mut Transaction<'_, Any>, message: &NewOutbox) -> Result<(), StoreError> {
    refuse_what_stays(tx, message).await?;
    sqlx::query(
        "insert into outbox (id, channel, body, created_at, due_at, lane, about, expires_at, kind, step, shows, seq)
         values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11,
             (select coalesce(max(e.seq), 0) + 1 from outbox e where e.channel = $2 and e.lane = $6))
         on conflict (id) do nothing",
    )
    .bind(message.id.as_str())
    .bind(message.channel.as_str())
    .bind(row::clean(&message.body))
    .bind(row::ms(message.created_at))
    .bind(row::ms(message.due_at))
    .bind(message.lane.as_str())
    .bind(message.about.as_str())
    .bind(message.expires_at.map(row::ms))
    .bind(message.kind.name())
    .bind(i64::from(message.step))
    .bind(message.shows.as_str())
    .execute(&mut **tx)
    .await?;
    Ok(())
}

/// Takes a message back unless somebody took it out, ever: an attempt that failed may have arrived all the same. One that was
/// discarded before anybody took it out does not leave either, and is as good as taken back.
pub(super) async fn cancel(tx: &mut Transaction<'_, Any>, id: &str) -> Result<bool, StoreError> {
    let done = sqlx::query(
        "update outbox set state = 'cancelled'
         where id = $1 and state in ('pending', 'discarded') and attempts = 0 and lease_until is null",
    )
    .bind(id)
    .execute(&mut **tx)
    .await?;
    Ok(done.rows_affected() == 1)
}
