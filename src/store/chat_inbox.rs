//! What people asked for in chats, each kept before it is acknowledged there and worked on afterwards, once.
//!
//! Invariants: one id is one request, however often it comes; what was acknowledged is worked on although the process dies in
//! between; only one process works on a request at a time. Times are the machine's, for they are about who is asking now.

use std::time::Duration;

use jiff::Timestamp;
use sqlx::any::AnyRow;

use super::{Store, StoreError, row};

/// A request that was taken out to be worked on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ChatRow {
    /// Made of the chat's own name for the click.
    pub id: String,
    /// Through which chat it came: `slack`.
    pub channel: String,
    /// What was asked, as whoever put it in wrote it.
    pub body: String,
    /// When it came.
    pub received_at: Timestamp,
    /// How often it was taken out, this time included: the token of whoever has it.
    pub attempts: i64,
}

const TABLE: &str = "chat_inbox";

impl Store {
    /// Keeps a request. Answers whether it is new.
    pub async fn keep_chat(&self, id: &str, channel: &str, body: &str, at: Timestamp) -> Result<bool, StoreError> {
        let mut tx = self.begin().await?;
        let done = sqlx::query(
            "insert into chat_inbox (id, channel, body, received_at) values ($1, $2, $3, $4) on conflict (id) do nothing",
        )
        .bind(id)
        .bind(channel)
        .bind(row::clean(body))
        .bind(row::ms(at))
        .execute(&mut *tx)
        .await?;
        tx.commit().await?;
        Ok(done.rows_affected() == 1)
    }

    /// Takes out a request of `channel` that nobody works on: `only` it where it is named, else the oldest. Nobody else gets it
    /// before `lease` has passed.
    pub async fn claim_chat(
        &self,
        channel: &str,
        only: Option<&str>,
        now: Timestamp,
        lease: Duration,
    ) -> Result<Option<ChatRow>, StoreError> {
        let until = row::ms(now).saturating_add(i64::try_from(lease.as_millis()).unwrap_or(i64::MAX));
        // The conditions stand twice because PostgreSQL looks again only at the outer ones after it waited for a row.
        let rows = sqlx::query(
            "update chat_inbox set lease_until = $1, attempts = attempts + 1
             where id in (
                 select i.id from chat_inbox i
                 where i.channel = $2 and i.done_at is null and (i.lease_until is null or i.lease_until <= $3)
                   and ($4 = '' or i.id = $4)
                 order by i.received_at, i.id limit 1
             )
             and done_at is null and (lease_until is null or lease_until <= $3)
             returning id, channel, body, received_at, attempts",
        )
        .bind(until)
        .bind(channel)
        .bind(row::ms(now))
        .bind(only.unwrap_or_default())
        .fetch_all(&self.pool)
        .await?;
        rows.first().map(asked).transpose()
    }

    /// Says that a request is done with, how it ended, and what it was answered where the answer goes back by the request itself. What it
    /// said goes.
    ///
    /// # Errors
    /// [`StoreError::Conflict`] when somebody else has taken it out since.
    pub async fn finish_chat(
        &self,
        row: &ChatRow,
        at: Timestamp,
        outcome: &str,
        answer: Option<&str>,
    ) -> Result<(), StoreError> {
        let done = sqlx::query(
            "update chat_inbox set done_at = $1, outcome = $2, answer = $3, lease_until = null, body = ''
             where id = $4 and attempts = $5 and done_at is null",
        )
        .bind(row::ms(at))
        .bind(row::clean(outcome))
        .bind(row::clean(answer.unwrap_or_default()))
        .bind(row.id.as_str())
        .bind(row.attempts)
        .execute(&self.pool)
        .await?;
        if done.rows_affected() == 0 { Err(StoreError::Conflict) } else { Ok(()) }
    }

    /// Puts a request back that could not be worked on; it may be taken out again at `from`.
    ///
    /// # Errors
    /// [`StoreError::Conflict`] when somebody else has taken it out since.
    pub async fn put_back_chat(&self, row: &ChatRow, from: Timestamp) -> Result<(), StoreError> {
        let done = sqlx::query("update chat_inbox set lease_until = $1 where id = $2 and attempts = $3 and done_at is null")
            .bind(row::ms(from))
            .bind(row.id.as_str())
            .bind(row.attempts)
            .execute(&self.pool)
            .await?;
        if done.rows_affected() == 0 { Err(StoreError::Conflict) } else { Ok(()) }
    }

    /// How a request ended; None where there is none such, or it has not.
    pub async fn find_chat_outcome(&self, id: &str) -> Result<Option<String>, StoreError> {
        let found = sqlx::query("select id, outcome from chat_inbox where id = $1 and done_at is not null")
            .bind(id)
            .fetch_optional(&self.pool)
            .await?;
        found.map(|r| row::get(&r, TABLE, "outcome")).transpose()
    }

    /// What a request was answered; None where it is not done with, or its answer went another way.
    pub async fn find_chat_answer(&self, id: &str) -> Result<Option<String>, StoreError> {
        let found = sqlx::query("select id, answer from chat_inbox where id = $1 and done_at is not null")
            .bind(id)
            .fetch_optional(&self.pool)
            .await?;
        let answer: Option<String> = found.map(|r| row::get(&r, TABLE, "answer")).transpose()?;
        Ok(answer.filter(|answer| !answer.is_empty()))
    }

    /// How many requests wait to be worked on.
    pub async fn count_chat_waiting(&self) -> Result<i64, StoreError> {
        let found = sqlx::query("select 'all' as id, count(*) as n from chat_inbox where done_at is null")
            .fetch_one(&self.pool)
            .await?;
        row::get(&found, TABLE, "n")
    }

    /// Forgets requests that were done with before `before`: nobody sends one again after so long.
    pub async fn forget_chat(&self, before: Timestamp) -> Result<u64, StoreError> {
        let done =
            sqlx::query("delete from chat_inbox where done_at < $1").bind(row::ms(before)).execute(&self.pool).await?;
        Ok(done.rows_affected())
    }
}

fn asked(r: &AnyRow) -> Result<ChatRow, StoreError> {
    Ok(ChatRow {
        id: row::get(r, TABLE, "id")?,
        channel: row::get(r, TABLE, "channel")?,
        body: row::get(r, TABLE, "body")?,
        received_at: row::time(r, TABLE, "received_at")?,
        attempts: row::get(r, TABLE, "attempts")?,
    })
}

#[cfg(test)]
mod tests {
    use crate::store::testing::{at, on_each};
    use crate::store::{NewOutbox, OutboxState, Place, StoreError};

    use super::*;
    use crate::domain::outbox::OutboxKind;

    const LEASE: Duration = Duration::from_mins(1);

    #[tokio::test]
    async fn what_comes_twice_is_one_and_one_at_a_time_works_on_it() {
        on_each(|store| async move {
            assert!(store.keep_chat("slack/t1", "slack", "{}", at(0)).await.unwrap());
            assert!(!store.keep_chat("slack/t1", "slack", "{\"other\":1}", at(1)).await.unwrap());
            assert!(store.keep_chat("slack/t2", "slack", "two", at(0)).await.unwrap());
            assert_eq!(store.claim_chat("teams", None, at(2), LEASE).await.unwrap(), None);
            let first = store.claim_chat("slack", None, at(2), LEASE).await.unwrap().unwrap();
            assert_eq!((&*first.id, &*first.body, first.attempts), ("slack/t1", "{}", 1));
            assert_eq!(store.claim_chat("slack", Some("slack/t1"), at(3), LEASE).await.unwrap(), None, "somebody has it");
            let second = store.claim_chat("slack", None, at(3), LEASE).await.unwrap().unwrap();
            assert_eq!(&*second.id, "slack/t2");
            // The process that had the first one died.
            let again = store.claim_chat("slack", None, at(2 + 60_000), LEASE).await.unwrap().unwrap();
            assert_eq!((&*again.id, again.attempts), ("slack/t1", 2));
            assert!(matches!(store.finish_chat(&first, at(4), "late", None).await, Err(StoreError::Conflict)));
            store.finish_chat(&again, at(5), "approved", Some("{\"said\":1}")).await.unwrap();
            assert_eq!(store.find_chat_outcome("slack/t1").await.unwrap().as_deref(), Some("approved"));
            assert_eq!(store.find_chat_answer("slack/t1").await.unwrap().as_deref(), Some("{\"said\":1}"));
            assert_eq!(store.find_chat_answer("slack/t2").await.unwrap(), None);
            assert!(!store.keep_chat("slack/t1", "slack", "{}", at(9)).await.unwrap(), "done is done");
            assert_eq!(store.count_chat_waiting().await.unwrap(), 1);
            store.put_back_chat(&second, at(100_000)).await.unwrap();
            assert_eq!(store.claim_chat("slack", None, at(99_999), LEASE).await.unwrap(), None);
            assert!(store.claim_chat("slack", None, at(100_000), LEASE).await.unwrap().is_some());
            assert_eq!(store.forget_chat(at(6)).await.unwrap(), 1);
        })
        .await;
    }

    fn shows(id: &str, what: &str, ms: i64) -> NewOutbox {
        NewOutbox {
            id: id.to_owned(),
            kind: OutboxKind::Card,
            channel: "slack".to_owned(),
            body: "{}".to_owned(),
            created_at: at(ms),
            due_at: at(ms),
            lane: "shown".to_owned(),
            about: String::new(),
            step: 1,
            expires_at: None,
            shows: what.to_owned(),
        }
    }

    #[tokio::test]
    async fn a_newer_state_takes_the_place_of_one_that_has_not_left() {
        on_each(|store| async move {
            let put = async |message: NewOutbox| store.put_shown(&[message], ("shown.slack", "7")).await.unwrap();
            put(shows("a1", "case:a", 0)).await;
            put(shows("b1", "case:b", 1)).await;
            put(shows("a2", "case:a", 2)).await;
            put(shows("a2", "case:a", 2)).await;
            assert_eq!(store.find_setting("shown.slack").await.unwrap().as_deref(), Some("7"));
            let cards = [OutboxKind::Card];
            let next = async |ms| store.claim_due_to("slack", &cards, at(ms), LEASE).await.unwrap();
            let first = next(10).await.unwrap();
            assert_eq!(&*first.id, "a2", "in the place that the case had");
            assert_eq!(store.find_place("slack", "case:a", &first.id).await.unwrap(), Place::default());
            assert!(next(10).await.is_none(), "the other one waits behind it");
            // While it is being sent, the case moves again: both stay, and the older is known to be outdated.
            put(shows("a3", "case:a", 11)).await;
            assert!(store.is_outdated(&first).await.unwrap());
            store.mark_retry(&first, at(20), "no answer").await.unwrap();
            put(shows("a4", "case:a", 21)).await;
            let first = next(22).await.unwrap();
            assert_eq!(&*first.id, "a4");
            assert!(!store.is_outdated(&first).await.unwrap());
            let place = store.find_place("slack", "case:a", &first.id).await.unwrap();
            assert_eq!(place, Place { reference: None, lost_since: Some(at(2)) }, "an attempt may have arrived");
            let receipt = crate::ports::Receipt { reference: Some("C1/1.5".to_owned()), at: at(23) };
            store.mark_sent(&first, at(23), &receipt, &[]).await.unwrap();
            let second = next(24).await.unwrap();
            assert_eq!(&*second.id, "b1");
            store.mark_sent(&second, at(24), &receipt, &[]).await.unwrap();
            put(shows("a5", "case:a", 30)).await;
            let last = next(30).await.unwrap();
            assert_eq!(store.find_place("slack", "case:a", &last.id).await.unwrap().reference.as_deref(), Some("C1/1.5"));
            assert_eq!(store.find_showing("slack", "case:a").await.unwrap().unwrap().id, "a5");
            assert_eq!(store.list_outbox(OutboxState::Cancelled).await.unwrap().len(), 3);
        })
        .await;
    }
}
