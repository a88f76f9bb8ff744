//! How the sending of a message went. Each is refused to whoever's lease ran out meanwhile: somebody else has the message then.

use jiff::Timestamp;

use super::rows::OutboxRow;
use crate::domain::audit::AuditEntry;
use crate::ports::Receipt;
use crate::store::{Store, StoreError, audit, row};

impl Store {
    /// The receiver acknowledged it, with this receipt.
    ///
    /// # Errors
    /// [`StoreError::Conflict`] when the lease ran out and somebody else took it.
    pub async fn mark_sent(
        &self,
        row: &OutboxRow,
        at: Timestamp,
        receipt: &Receipt,
        entries: &[AuditEntry],
    ) -> Result<(), StoreError> {
        let mut tx = self.begin().await?;
        let done = sqlx::query(
            "update outbox set state = 'sent', sent_at = $1, lease_until = null, last_error = null, receipt = $4, receipt_at = $5
             where id = $2 and attempts = $3 and state = 'pending'",
        )
        .bind(row::ms(at))
        .bind(row.id.as_str())
        .bind(row.attempts)
        .bind(receipt.reference.as_deref().map(row::clean))
        .bind(row::ms(receipt.at))
        .execute(&mut *tx)
        .await?;
        if done.rows_affected() == 0 {
            return Err(StoreError::Conflict);
        }
        audit::append(&mut tx, entries).await?;
        Ok(tx.commit().await?)
    }

    /// The attempt failed; it is due again at `due_at`.
    ///
    /// # Errors
    /// [`StoreError::Conflict`] when the lease ran out and somebody else took it.
    pub async fn mark_retry(&self, row: &OutboxRow, due_at: Timestamp, error: &str) -> Result<(), StoreError> {
        let done = sqlx::query(
            "update outbox set due_at = $1, last_error = $2, lease_until = null
             where id = $3 and attempts = $4 and state = 'pending'",
        )
        .bind(row::ms(due_at))
        .bind(row::clean(error))
        .bind(row.id.as_str())
        .bind(row.attempts)
        .execute(&self.pool)
        .await?;
        if done.rows_affected() == 0 {
            return Err(StoreError::Conflict);
        }
        Ok(())
    }

    /// A message that was taken out and not tried is put back as it was: the attempt does not count.
    ///
    /// # Errors
    /// [`StoreError::Conflict`] when the lease ran out and somebody else took it.
    pub async fn put_back(&self, row: &OutboxRow) -> Result<(), StoreError> {
        let done = sqlx::query(
            "update outbox set attempts = attempts - 1, lease_until = null
             where id = $1 and attempts = $2 and state = 'pending'",
        )
        .bind(row.id.as_str())
        .bind(row.attempts)
        .execute(&self.pool)
        .await?;
        if done.rows_affected() == 0 {
            return Err(StoreError::Conflict);
        }
        Ok(())
    }

    /// A message that was taken out tells something that is no longer so: it does not leave.
    ///
    /// # Errors
    /// [`StoreError::Conflict`] when the lease ran out and somebody else took it.
    pub async fn mark_moot(&self, row: &OutboxRow, entries: &[AuditEntry]) -> Result<(), StoreError> {
        let mut tx = self.begin().await?;
        let done = sqlx::query(
            "update outbox set state = 'cancelled', lease_until = null where id = $1 and attempts = $2 and state = 'pending'",
        )
        .bind(row.id.as_str())
        .bind(row.attempts)
        .execute(&mut *tx)
        .await?;
        if done.rows_affected() == 0 {
            return Err(StoreError::Conflict);
        }
        audit::append(&mut tx, entries).await?;
        Ok(tx.commit().await?)
    }

    /// The receiver has reported on a message that waits or was given up: it has arrived.
    ///
    /// # Errors
    /// [`StoreError::Conflict`] when somebody moved it since it was read.
    pub async fn mark_reported(&self, row: &OutboxRow, at: Timestamp, entries: &[AuditEntry]) -> Result<(), StoreError> {
        let mut tx = self.begin().await?;
        let done = sqlx::query(
            "update outbox set state = 'sent', sent_at = $1, lease_until = null
             where id = $2 and attempts = $3 and state = $4",
        )
        .bind(row::ms(at))
        .bind(row.id.as_str())
        .bind(row.attempts)
        .bind(row.state.name())
        .execute(&mut *tx)
        .await?;
        if done.rows_affected() == 0 {
            return Err(StoreError::Conflict);
        }
        sqlx::query("delete from dead_letters where id = $1").bind(row.id.as_str()).execute(&mut *tx).await?;
        audit::append(&mut tx, entries).await?;
        Ok(tx.commit().await?)
    }
}
