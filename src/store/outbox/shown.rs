//! What chats show: of each thing at each destination only the newest state is worth sending.
//!
//! A newer state takes the place in the queue of one that has not left. Where an attempt may have arrived though nobody knows,
//! that is kept, so that the sender can look before it shows the same thing a second time.

use jiff::Timestamp;
use sqlx::{Any, AssertSqlSafe, Transaction};

use super::rows::{COLUMNS, NewOutbox, OutboxRow, TABLE, outbox_row};
use super::{refuse_what_stays, row};
use crate::store::{Store, StoreError, settings};

/// Where something is shown at a destination.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Place {
    /// What the chat calls the message that shows it.
    pub reference: Option<String>,
    /// When the oldest message about it was put in of which nobody knows whether it arrived, in business time.
    pub lost_since: Option<Timestamp>,
}

impl Store {
    /// Puts in what chats are to show, and sets `key` to `position`: how far the log has been told. What waits about the same thing gives
    /// its place to the newer. An id that is there already is left as it is.
    ///
    /// # Errors
    /// [`StoreError::NotForSending`] for what shows a drill.
    pub async fn put_shown(&self, messages: &[NewOutbox], (key, position): (&str, &str)) -> Result<(), StoreError> {
        let mut tx = self.begin().await?;
        for message in messages {
            put(&mut tx, message).await?;
        }
        settings::put(&mut tx, key, position).await?;
        Ok(tx.commit().await?)
    }

    /// The newest message that shows `what` at `channel`, whatever became of it; none that was replaced before it left.
    pub async fn find_showing(&self, channel: &str, what: &str) -> Result<Option<OutboxRow>, StoreError> {
        let found = sqlx::query(AssertSqlSafe(format!(
            "select {COLUMNS} from outbox where channel = $1 and shows = $2 and state <> 'cancelled'
             order by seq desc limit 1"
        )))
        .bind(channel)
        .bind(what)
        .fetch_optional(&self.pool)
        .await?;
        found.map(|r| outbox_row(&r)).transpose()
    }

    /// Where `what` has been put up at `channel` before, as far as that is known; of the message `but` only earlier attempts count.
    pub async fn find_place(&self, channel: &str, what: &str, but: &str) -> Result<Place, StoreError> {
        let last = sqlx::query(
            "select id, receipt from outbox where channel = $1 and shows = $2 and receipt is not null
             order by seq desc, receipt_at desc, id limit 1",
        )
        .bind(channel)
        .bind(what)
        .fetch_optional(&self.pool)
        .await?;
        let lost = sqlx::query(
            "select 'lost' as id, min(created_at) as since from outbox
             where channel = $1 and shows = $2 and receipt is null
               and attempts > case when id = $3 then 1 else 0 end",
        )
        .bind(channel)
        .bind(what)
        .bind(but)
        .fetch_one(&self.pool)
        .await?;
        Ok(Place {
            reference: last.map(|r| row::get(&r, TABLE, "receipt")).transpose()?,
            lost_since: row::time_opt(&lost, TABLE, "since")?,
        })
    }

    /// Does a newer state of what `row` shows wait for the same destination?
    pub async fn is_outdated(&self, row: &OutboxRow) -> Result<bool, StoreError> {
        let newer = sqlx::query(
            "select n.id from outbox n join outbox o on o.id = $1
             where n.channel = o.channel and n.shows = o.shows and n.state = 'pending' and n.seq > o.seq limit 1",
        )
        .bind(row.id.as_str())
        .fetch_optional(&self.pool)
        .await?;
        Ok(newer.is_some())
    }
}

async fn put(tx: &mut Transaction<'_, Any>, message: &NewOutbox) -> Result<(), StoreError> {
    refuse_what_stays(tx, message).await?;
    // One that is being sent at this moment stays: what becomes of it is its sender's to say.
    let replaced = sqlx::query(
        "update outbox set state = 'cancelled'
         where channel = $1 and shows = $2 and state = 'pending' and lease_until is null and id <> $3
         returning id, seq, lane",
    )
    .bind(message.channel.as_str())
    .bind(message.shows.as_str())
    .bind(message.id.as_str())
    .fetch_all(&mut **tx)
    .await?;
    let mut place: Option<i64> = None;
    for r in &replaced {
        let (seq, lane): (i64, String) = (row::get(r, TABLE, "seq")?, row::get(r, TABLE, "lane")?);
        // A place in the queue is one of a lane; in another lane the same number stands somewhere else.
        if lane == message.lane {
            place = Some(place.map_or(seq, |place| place.min(seq)));
        }
    }
    // Counted over all that the destination shows, so that of two states of one thing the newer is known in whatever lane they are.
    sqlx::query(
        "insert into outbox (id, channel, body, created_at, due_at, lane, about, kind, step, shows, expires_at, seq)
         values ($1, $2, $3, $4, $5, $6, '', $7, 1, $8, $10,
             coalesce($9, (select coalesce(max(e.seq), 0) + 1 from outbox e where e.channel = $2 and e.shows <> '')))
         on conflict (id) do nothing",
    )
    .bind(message.id.as_str())
    .bind(message.channel.as_str())
    .bind(row::clean(&message.body))
    .bind(row::ms(message.created_at))
    .bind(row::ms(message.due_at))
    .bind(message.lane.as_str())
    .bind(message.kind.name())
    .bind(message.shows.as_str())
    .bind(place)
    .bind(message.expires_at.map(row::ms))
    .execute(&mut **tx)
    .await?;
    Ok(())
}
