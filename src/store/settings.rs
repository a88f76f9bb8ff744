//! A few single values: which source the store was filled from, and what the company is called.

use sqlx::{Any, Transaction};

use super::{Store, StoreError, row};

impl Store {
    /// The value of `key`, where it was set.
    pub async fn find_setting(&self, key: &str) -> Result<Option<String>, StoreError> {
        let found =
            sqlx::query("select key, value from settings where key = $1").bind(key).fetch_optional(&self.pool).await?;
        found.map(|r| row::get(&r, "settings", "value")).transpose()
    }

    /// Sets `key`.
    pub async fn put_setting(&self, key: &str, value: &str) -> Result<(), StoreError> {
        sqlx::query(
            "insert into settings (key, value) values ($1, $2) on conflict (key) do update set value = excluded.value",
        )
        .bind(key)
        .bind(row::clean(value))
        .execute(&self.pool)
        .await?;
        Ok(())
    }
}

/// Sets `key` unless it is set, and answers what it is then.
pub(super) async fn settle(tx: &mut Transaction<'_, Any>, key: &str, value: &str) -> Result<String, StoreError> {
    sqlx::query("insert into settings (key, value) values ($1, $2) on conflict (key) do nothing")
        .bind(key)
        .bind(value)
        .execute(&mut **tx)
        .await?;
    let kept = sqlx::query("select key, value from settings where key = $1").bind(key).fetch_one(&mut **tx).await?;
    row::get(&kept, "settings", "value")
}
