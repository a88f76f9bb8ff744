//! Whether people have stopped drafting and delivering: one row for everybody who works on the store.

use jiff::Timestamp;
use sqlx::any::AnyRow;

use super::{Notice, Store, StoreError, audit, notices, row};
use crate::domain::audit::AuditEntry;
use crate::domain::ids::PersonId;

const TABLE: &str = "stops";

/// A stop by a person.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Stop {
    /// Who stopped.
    pub by: PersonId,
    /// When, in business time.
    pub at: Timestamp,
    /// Why, in their words.
    pub reason: String,
}

impl Store {
    /// The stop that holds, where one does.
    pub async fn find_stop(&self) -> Result<Option<Stop>, StoreError> {
        let found = sqlx::query("select stopped_by, stopped_at, reason from stops where resumed_at is null")
            .fetch_optional(&self.pool)
            .await?;
        found.map(|r| stop(&r)).transpose()
    }

    /// When the last stop ended; None where nobody ever stopped, and while one holds.
    pub async fn find_resumed_at(&self) -> Result<Option<Timestamp>, StoreError> {
        let found =
            sqlx::query("select resumed_at from stops where resumed_at is not null").fetch_optional(&self.pool).await?;
        found.map(|r| row::time(&r, TABLE, "resumed_at")).transpose()
    }

    /// Stops, with who is told and the audit entry. Answers whether it did: where a stop holds already that one stands, and
    /// nothing is written.
    pub async fn stop(&self, stop: &Stop, told: &[Notice], entry: &AuditEntry) -> Result<bool, StoreError> {
        let mut tx = self.begin().await?;
        let done = sqlx::query(
            "insert into stops (one, stopped_by, stopped_at, reason) values (1, $1, $2, $3)
             on conflict (one) do update set
                 stopped_by = excluded.stopped_by, stopped_at = excluded.stopped_at, reason = excluded.reason,
                 resumed_at = null
             where stops.resumed_at is not null",
        )
        .bind(stop.by.as_str())
        .bind(row::ms(stop.at))
        .bind(row::clean(&stop.reason))
        .execute(&mut *tx)
        .await?;
        if done.rows_affected() == 0 {
            return Ok(false);
        }
        for notice in told {
            notices::insert(&mut tx, notice).await?;
        }
        audit::append(&mut tx, std::slice::from_ref(entry)).await?;
        tx.commit().await?;
        Ok(true)
    }

    /// Ends the stop that holds, with who is told and the audit entry. Answers whether one did.
    pub async fn resume(&self, at: Timestamp, told: &[Notice], entry: &AuditEntry) -> Result<bool, StoreError> {
        let mut tx = self.begin().await?;
        let done = sqlx::query("update stops set resumed_at = $1 where resumed_at is null")
            .bind(row::ms(at))
            .execute(&mut *tx)
            .await?;
        if done.rows_affected() == 0 {
            return Ok(false);
        }
        for notice in told {
            notices::insert(&mut tx, notice).await?;
        }
        audit::append(&mut tx, std::slice::from_ref(entry)).await?;
        tx.commit().await?;
        Ok(true)
    }
}

fn stop(r: &AnyRow) -> Result<Stop, StoreError> {
    Ok(Stop {
        by: PersonId::new(row::get::<String>(r, TABLE, "stopped_by")?),
        at: row::time(r, TABLE, "stopped_at")?,
        reason: row::get(r, TABLE, "reason")?,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::testing::{at, entry, on_each};

    fn by(who: &str, ms: i64) -> Stop {
        Stop { by: PersonId::new(who), at: at(ms), reason: "wrong \0 prices".to_owned() }
    }

    #[tokio::test]
    async fn a_stop_holds_once_until_it_is_ended_once() {
        on_each(|store| async move {
            assert_eq!((store.find_stop().await.unwrap(), store.find_resumed_at().await.unwrap()), (None, None));
            assert!(!store.resume(at(5), &[], &entry("work.resumed")).await.unwrap());
            assert!(store.stop(&by("ada", 10), &[], &entry("work.stopped")).await.unwrap());
            assert!(!store.stop(&by("ari", 20), &[], &entry("work.stopped")).await.unwrap(), "the first stands");
            let stands = Stop { reason: "wrong \u{fffd} prices".to_owned(), ..by("ada", 10) };
            assert_eq!(store.find_stop().await.unwrap(), Some(stands));
            assert!(store.resume(at(30), &[], &entry("work.resumed")).await.unwrap());
            assert!(!store.resume(at(40), &[], &entry("work.resumed")).await.unwrap());
            assert_eq!((store.find_stop().await.unwrap(), store.find_resumed_at().await.unwrap()), (None, Some(at(30))));
            assert!(store.stop(&by("ari", 50), &[], &entry("work.stopped")).await.unwrap());
            assert_eq!(store.find_stop().await.unwrap().unwrap().by.as_str(), "ari");
            assert_eq!(store.find_resumed_at().await.unwrap(), None);
            assert_eq!(store.verify_audit().await.unwrap().0, 3, "what changed nothing is not in the log");
        })
        .await;
    }

    #[tokio::test]
    async fn of_many_who_stop_at_once_one_does() {
        on_each(|store| async move {
            let (one, two) = (by("ada", 10), by("ari", 10));
            let said = entry("work.stopped");
            let (a, b) = tokio::join!(store.stop(&one, &[], &said), store.stop(&two, &[], &said));
            assert_eq!(u8::from(a.unwrap()) + u8::from(b.unwrap()), 1);
            assert_eq!(store.verify_audit().await.unwrap().0, 1);
        })
        .await;
    }
}
