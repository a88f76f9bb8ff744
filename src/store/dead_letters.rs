//! Dead letters: messages that were given up, put back by whoever replays them, or discarded with a reason.

use jiff::Timestamp;
use sqlx::{Any, Transaction};

use super::{OutboxRow, Store, StoreError, audit, row};
use crate::domain::audit::AuditEntry;

/// A message that was given up.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DeadLetter {
    /// The message's id.
    pub id: String,
    /// To where it should have gone.
    pub channel: String,
    /// How often it was tried.
    pub attempts: i64,
    /// Why it was given up.
    pub reason: String,
    /// When.
    pub died_at: Timestamp,
}

/// A message that does not leave any more, as it was read.
#[derive(Clone, Copy, Debug)]
pub enum Unsent<'a> {
    /// Its time has passed: it is a dead letter, where it is none already.
    Expired {
        /// It.
        row: &'a OutboxRow,
        /// In words.
        reason: &'a str,
        /// When it was noticed.
        at: Timestamp,
    },
    /// A person takes it out for good. The reason stands in its row.
    Discarded {
        /// It.
        row: &'a OutboxRow,
        /// Who and why.
        reason: &'a str,
        /// When.
        at: Timestamp,
    },
}

impl Store {
    /// It is given up and becomes a dead letter.
    ///
    /// # Errors
    /// [`StoreError::Conflict`] when the lease ran out and somebody else took it.
    pub async fn mark_dead(
        &self,
        row: &OutboxRow,
        at: Timestamp,
        reason: &str,
        entries: &[AuditEntry],
    ) -> Result<(), StoreError> {
        let mut tx = self.begin().await?;
        bury(&mut tx, row, reason, at).await?;
        audit::append(&mut tx, entries).await?;
        Ok(tx.commit().await?)
    }

    /// Puts a dead letter back into the outbox, due at `now`, its attempts counted anew.
    ///
    /// # Errors
    /// [`StoreError::NotFound`] when there is no such dead letter, its time has passed, or a later message of its lane has left
    /// already: it would come too late, or out of order. Steps of one plan are done beside one another, in no order.
    pub async fn replay_dead(&self, id: &str, now: Timestamp, entries: &[AuditEntry]) -> Result<(), StoreError> {
        let mut tx = self.begin().await?;
        let done = sqlx::query(
            "update outbox set state = 'pending', attempts = 0, due_at = $1, lease_until = null
             where id = $2 and state = 'dead' and (expires_at is null or expires_at > $1)
               and not exists (
                   select l.id from outbox l
                   where l.channel = outbox.channel and l.lane = outbox.lane and l.lane <> '' and l.seq > outbox.seq
                     and l.state = 'sent' and (l.about = '' or l.about <> outbox.about)
               )",
        )
        .bind(row::ms(now))
        .bind(id)
        .execute(&mut *tx)
        .await?;
        if done.rows_affected() == 0 {
            return Err(StoreError::NotFound { what: "dead letter", id: id.to_owned() });
        }
        sqlx::query("delete from dead_letters where id = $1").bind(id).execute(&mut *tx).await?;
        audit::append(&mut tx, entries).await?;
        Ok(tx.commit().await?)
    }

    /// How many messages failed for good and are not dealt with.
    pub async fn count_dead(&self) -> Result<usize, StoreError> {
        let found = sqlx::query("select 'all' as id, count(*) as n from dead_letters").fetch_one(&self.pool).await?;
        Ok(usize::try_from(row::get::<i64>(&found, "dead_letters", "n")?).unwrap_or(0))
    }

    /// The dead letters, oldest first.
    pub async fn list_dead(&self) -> Result<Vec<DeadLetter>, StoreError> {
        let rows = sqlx::query("select id, channel, attempts, reason, died_at from dead_letters order by died_at, id")
            .fetch_all(&self.pool)
            .await?;
        rows.iter()
            .map(|r| {
                Ok(DeadLetter {
                    id: row::get(r, "dead_letters", "id")?,
                    channel: row::get(r, "dead_letters", "channel")?,
                    attempts: row::get(r, "dead_letters", "attempts")?,
                    reason: row::get(r, "dead_letters", "reason")?,
                    died_at: row::time(r, "dead_letters", "died_at")?,
                })
            })
            .collect()
    }
}

/// Makes an end of a message.
///
/// # Errors
/// [`StoreError::Conflict`] when it was moved since it was read; [`StoreError::NotFound`] when there is nothing to discard, or
/// somebody is sending it at this moment.
pub(super) async fn end(tx: &mut Transaction<'_, Any>, unsent: Unsent<'_>) -> Result<(), StoreError> {
    match unsent {
        Unsent::Expired { row, reason, at } => bury(tx, row, reason, at).await,
        Unsent::Discarded { row, reason, at } => discard(tx, &row.id, reason, at).await,
    }
}

async fn bury(tx: &mut Transaction<'_, Any>, row: &OutboxRow, reason: &str, at: Timestamp) -> Result<(), StoreError> {
    let done = sqlx::query(
        "update outbox set state = 'dead', last_error = $1, lease_until = null
         where id = $2 and attempts = $3 and state = $4 and state in ('pending', 'dead')",
    )
    .bind(row::clean(reason))
    .bind(row.id.as_str())
    .bind(row.attempts)
    .bind(row.state.name())
    .execute(&mut **tx)
    .await?;
    if done.rows_affected() == 0 {
        return Err(StoreError::Conflict);
    }
    // One that was given up before keeps one letter, with what is known now.
    sqlx::query(
        "insert into dead_letters (id, channel, attempts, reason, died_at) values ($1, $2, $3, $4, $5)
         on conflict (id) do update set
             attempts = excluded.attempts, reason = excluded.reason, died_at = excluded.died_at",
    )
    .bind(row.id.as_str())
    .bind(row.channel.as_str())
    .bind(row.attempts)
    .bind(row::clean(reason))
    .bind(row::ms(at))
    .execute(&mut **tx)
    .await?;
    Ok(())
}

async fn discard(tx: &mut Transaction<'_, Any>, id: &str, reason: &str, now: Timestamp) -> Result<(), StoreError> {
    let done = sqlx::query(
        "update outbox set state = 'discarded', last_error = $1, lease_until = null
         where id = $2 and (state = 'dead' or (state = 'pending' and (lease_until is null or lease_until <= $3)))",
    )
    .bind(row::clean(reason))
    .bind(id)
    .bind(row::ms(now))
    .execute(&mut **tx)
    .await?;
    if done.rows_affected() == 0 {
        return Err(StoreError::NotFound { what: "message that waits or was given up", id: id.to_owned() });
    }
    sqlx::query("delete from dead_letters where id = $1").bind(id).execute(&mut **tx).await?;
    Ok(())
}
