//! Messages for those who look at the outbox.

use std::collections::BTreeMap;

use jiff::Timestamp;
use sqlx::AssertSqlSafe;

use super::rows::{COLUMNS, OutboxRow, OutboxState, TABLE, outbox_row};
use crate::store::{Store, StoreError, row};

impl Store {
    /// The message `id`, where there is one.
    pub async fn find_outbox(&self, id: &str) -> Result<Option<OutboxRow>, StoreError> {
        let found = sqlx::query(AssertSqlSafe(format!(
            "select {COLUMNS}
             from outbox where id = $1",
        )))
        .bind(id)
        .fetch_optional(&self.pool)
        .await?;
        found.map(|r| outbox_row(&r)).transpose()
    }

    /// The messages in a state, oldest first.
    pub async fn list_outbox(&self, state: OutboxState) -> Result<Vec<OutboxRow>, StoreError> {
        let rows = sqlx::query(AssertSqlSafe(format!(
            "select {COLUMNS}
             from outbox where state = $1 order by created_at, id",
        )))
        .bind(state.name())
        .fetch_all(&self.pool)
        .await?;
        rows.iter().map(outbox_row).collect()
    }

    /// Messages that have arrived, the last one first, at most `limit`.
    pub async fn list_arrived(&self, limit: usize) -> Result<Vec<OutboxRow>, StoreError> {
        let rows = sqlx::query(AssertSqlSafe(format!(
            "select {COLUMNS}
             from outbox where state = 'sent' order by sent_at desc, id limit $1",
        )))
        .bind(row::count(limit))
        .fetch_all(&self.pool)
        .await?;
        rows.iter().map(outbox_row).collect()
    }

    /// How many messages are in each state.
    pub async fn count_outbox(&self) -> Result<BTreeMap<String, i64>, StoreError> {
        let rows = sqlx::query("select state, count(*) as n from outbox group by state").fetch_all(&self.pool).await?;
        rows.iter().map(|r| Ok((row::get(r, TABLE, "state")?, row::get(r, TABLE, "n")?))).collect()
    }

    /// Messages whose time has passed and that nobody is sending, oldest first: those that wait, and those given up while the
    /// approval behind them still stands.
    pub async fn list_expired(&self, now: Timestamp, limit: usize) -> Result<Vec<OutboxRow>, StoreError> {
        let rows = sqlx::query(AssertSqlSafe(format!(
            "select {COLUMNS}
             from outbox
             where expires_at <= $1 and (
                 (state = 'pending' and (lease_until is null or lease_until <= $1))
                 or (state = 'dead' and about in (
                     select r.id from recommendations r where r.state in ('approved', 'approved_with_edit')
                 ))
             )
             order by created_at, id limit $2",
        )))
        .bind(row::ms(now))
        .bind(row::count(limit))
        .fetch_all(&self.pool)
        .await?;
        rows.iter().map(outbox_row).collect()
    }
}
