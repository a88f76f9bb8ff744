//! How each destination is doing: since when nothing goes through, whether it is left alone or disabled, who was told.
//!
//! Written by whoever delivers, read by everybody: what an operator sees does not depend on which process asks.

use jiff::Timestamp;
use sqlx::any::AnyRow;

use super::{Store, StoreError, audit, row};
use crate::domain::audit::AuditEntry;

/// How a destination is doing. One that was never in trouble has no row.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct DestinationState {
    /// Its name.
    pub name: String,
    /// The first failure since the last success.
    pub failing_since: Option<Timestamp>,
    /// The last failure.
    pub last_error: Option<String>,
    /// Left alone until then, after failures in a row.
    pub resting_until: Option<Timestamp>,
    /// It said that it is gone: nothing is sent until an operator enables it again.
    pub disabled_at: Option<Timestamp>,
    /// What it said.
    pub disabled_why: Option<String>,
    /// When the fallback was told of this outage.
    pub told_at: Option<Timestamp>,
}

const TABLE: &str = "destinations";

impl Store {
    /// All destinations that were ever in trouble, by name.
    pub async fn list_destinations(&self) -> Result<Vec<DestinationState>, StoreError> {
        let rows = sqlx::query(
            "select name, failing_since, last_error, resting_until, disabled_at, disabled_why, told_at
             from destinations order by name",
        )
        .fetch_all(&self.pool)
        .await?;
        rows.iter().map(destination).collect()
    }

    /// An attempt failed.
    pub async fn note_failure(
        &self,
        name: &str,
        at: Timestamp,
        error: &str,
        resting_until: Option<Timestamp>,
    ) -> Result<(), StoreError> {
        sqlx::query(
            "insert into destinations (name, failing_since, last_error, resting_until) values ($1, $2, $3, $4)
             on conflict (name) do update set
                 failing_since = coalesce(destinations.failing_since, excluded.failing_since),
                 last_error = excluded.last_error, resting_until = excluded.resting_until",
        )
        .bind(name)
        .bind(row::ms(at))
        .bind(row::clean(error))
        .bind(resting_until.map(row::ms))
        .execute(&self.pool)
        .await?;
        Ok(())
    }

    /// An attempt was acknowledged: whatever was the matter is over.
    pub async fn note_success(&self, name: &str) -> Result<(), StoreError> {
        sqlx::query(
            "update destinations set failing_since = null, resting_until = null, told_at = null
             where name = $1 and (failing_since is not null or told_at is not null)",
        )
        .bind(name)
        .execute(&self.pool)
        .await?;
        Ok(())
    }

    /// Stops sending to a destination, with the audit entry. One that is disabled already stays as it is.
    pub async fn disable_destination(
        &self,
        name: &str,
        at: Timestamp,
        why: &str,
        entry: &AuditEntry,
    ) -> Result<(), StoreError> {
        let mut tx = self.begin().await?;
        let done = sqlx::query(
            "insert into destinations (name, failing_since, last_error, disabled_at, disabled_why)
             values ($1, $2, $3, $2, $3)
             on conflict (name) do update set
                 failing_since = coalesce(destinations.failing_since, excluded.failing_since),
                 last_error = excluded.last_error, disabled_at = excluded.disabled_at, disabled_why = excluded.disabled_why
             where destinations.disabled_at is null",
        )
        .bind(name)
        .bind(row::ms(at))
        .bind(row::clean(why))
        .execute(&mut *tx)
        .await?;
        // One that was disabled before has its entry in the log.
        if done.rows_affected() > 0 {
            audit::append(&mut tx, std::slice::from_ref(entry)).await?;
        }
        Ok(tx.commit().await?)
    }

    /// Sends to a destination again, with the audit entry.
    ///
    /// # Errors
    /// [`StoreError::NotFound`] when it is not disabled.
    pub async fn enable_destination(&self, name: &str, entry: &AuditEntry) -> Result<(), StoreError> {
        let mut tx = self.begin().await?;
        let done = sqlx::query(
            "update destinations set disabled_at = null, disabled_why = null, failing_since = null, resting_until = null,
                 told_at = null
             where name = $1 and disabled_at is not null",
        )
        .bind(name)
        .execute(&mut *tx)
        .await?;
        if done.rows_affected() == 0 {
            return Err(StoreError::NotFound { what: "disabled destination", id: name.to_owned() });
        }
        audit::append(&mut tx, std::slice::from_ref(entry)).await?;
        Ok(tx.commit().await?)
    }

    /// The fallback is being told of this outage: the message and the mark, both or neither.
    pub async fn tell_of_outage(
        &self,
        name: &str,
        at: Timestamp,
        message: &super::NewOutbox,
        entry: &AuditEntry,
    ) -> Result<(), StoreError> {
        let mut tx = self.begin().await?;
        // What is down because nobody takes up what waits for it never failed, and has no row yet.
        let sql = "insert into destinations (name, told_at) values ($1, $2)
                   on conflict (name) do update set told_at = excluded.told_at where destinations.told_at is null";
        let done = sqlx::query(sql).bind(name).bind(row::ms(at)).execute(&mut *tx).await?;
        if done.rows_affected() == 0 {
            return Ok(());
        }
        super::outbox::insert(&mut tx, message).await?;
        audit::append(&mut tx, std::slice::from_ref(entry)).await?;
        Ok(tx.commit().await?)
    }
}

fn destination(r: &AnyRow) -> Result<DestinationState, StoreError> {
    Ok(DestinationState {
        name: row::get(r, TABLE, "name")?,
        failing_since: row::time_opt(r, TABLE, "failing_since")?,
        last_error: row::get(r, TABLE, "last_error")?,
        resting_until: row::time_opt(r, TABLE, "resting_until")?,
        disabled_at: row::time_opt(r, TABLE, "disabled_at")?,
        disabled_why: row::get(r, TABLE, "disabled_why")?,
        told_at: row::time_opt(r, TABLE, "told_at")?,
    })
}

#[cfg(test)]
mod tests {
    use crate::domain::outbox::OutboxKind;
    use crate::store::testing::{at, entry, on_each};
    use crate::store::{NewOutbox, StoreError};

    #[tokio::test]
    async fn an_outage_begins_with_its_first_failure_and_ends_with_a_success() {
        on_each(|store| async move {
            store.note_success("wms").await.unwrap();
            assert!(store.list_destinations().await.unwrap().is_empty());
            store.note_failure("wms", at(10), "502", None).await.unwrap();
            store.note_failure("wms", at(20), "503 \0", Some(at(90))).await.unwrap();
            let one = store.list_destinations().await.unwrap().remove(0);
            assert_eq!((one.failing_since, one.resting_until), (Some(at(10)), Some(at(90))));
            assert_eq!(one.last_error.as_deref(), Some("503 \u{fffd}"));
            store.note_success("wms").await.unwrap();
            let one = store.list_destinations().await.unwrap().remove(0);
            assert_eq!((one.failing_since, one.resting_until), (None, None));
        })
        .await;
    }

    #[tokio::test]
    async fn a_destination_is_disabled_once_and_enabled_by_somebody() {
        on_each(|store| async move {
            let said = entry("destination.disabled");
            store.disable_destination("wms", at(10), "410", &said).await.unwrap();
            store.disable_destination("wms", at(20), "410 again", &said).await.unwrap();
            let one = store.list_destinations().await.unwrap().remove(0);
            assert_eq!((one.disabled_at, one.disabled_why.as_deref()), (Some(at(10)), Some("410")));
            store.enable_destination("wms", &entry("destination.enabled")).await.unwrap();
            let again = store.enable_destination("wms", &entry("destination.enabled")).await;
            assert!(matches!(again, Err(StoreError::NotFound { .. })));
            assert_eq!(store.verify_audit().await.unwrap().0, 2);
        })
        .await;
    }

    #[tokio::test]
    async fn an_outage_is_told_once_also_of_a_destination_that_never_failed() {
        on_each(|store| async move {
            let message = |id: &str| NewOutbox {
                id: id.to_owned(),
                kind: OutboxKind::Stuck,
                channel: "fallback".to_owned(),
                body: "{}".to_owned(),
                created_at: at(0),
                due_at: at(0),
                lane: String::new(),
                about: String::new(),
                step: 1,
                expires_at: None,
                shows: String::new(),
            };
            let said = entry("destination.down");
            store.tell_of_outage("wms", at(10), &message("m-1"), &said).await.unwrap();
            store.tell_of_outage("wms", at(20), &message("m-2"), &said).await.unwrap();
            assert!(store.find_outbox("m-1").await.unwrap().is_some() && store.find_outbox("m-2").await.unwrap().is_none());
            // What gets through again ends it, and the next outage is told.
            store.note_success("wms").await.unwrap();
            store.tell_of_outage("wms", at(30), &message("m-3"), &said).await.unwrap();
            assert!(store.find_outbox("m-3").await.unwrap().is_some());
            assert_eq!(store.verify_audit().await.unwrap().0, 2);
        })
        .await;
    }
}
