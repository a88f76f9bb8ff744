//! A few single values: which source the store was filled from, and what the company is called.

use std::collections::BTreeMap;

use sqlx::{Any, AssertSqlSafe, Transaction};

use super::{Store, StoreError, row};

impl Store {
    /// The value of `key`, where it was set.
    pub async fn find_setting(&self, key: &str) -> Result<Option<String>, StoreError> {
        let found =
            sqlx::query("select key, value from settings where key = $1").bind(key).fetch_optional(&self.pool).await?;
        found.map(|r| row::get(&r, "settings", "value")).transpose()
    }

    /// Sets `key` unless it is set, and answers what it is then: of many who ask at once all are answered the same.
    pub async fn settle_setting(&self, key: &str, value: &str) -> Result<String, StoreError> {
        let mut tx = self.begin().await?;
        let kept = settle(&mut tx, key, value).await?;
        tx.commit().await?;
        Ok(kept)
    }

    /// Sets `key`.
    pub async fn put_setting(&self, key: &str, value: &str) -> Result<(), StoreError> {
        let mut tx = self.begin().await?;
        put(&mut tx, key, value).await?;
        Ok(tx.commit().await?)
    }

    /// Every setting whose key begins with `prefix`.
    pub async fn list_settings_below(&self, prefix: &str) -> Result<BTreeMap<String, String>, StoreError> {
        // Compared as text and not by order: databases order text by their own rules.
        let sql = format!("select key, value from settings where substr(key, 1, {}) = $1", prefix.chars().count());
        // Safe: the text is made of a number and a placeholder only.
        let rows = sqlx::query(AssertSqlSafe(sql)).bind(prefix).fetch_all(&self.pool).await?;
        rows.iter().map(|r| Ok((row::get(r, "settings", "key")?, row::get(r, "settings", "value")?))).collect()
    }

    /// Takes `key` away; nothing happens where there is none.
    pub async fn delete_setting(&self, key: &str) -> Result<(), StoreError> {
        sqlx::query("delete from settings where key = $1").bind(key).execute(&self.pool).await?;
        Ok(())
    }

    /// Counts one more under `key`, unless `most` are counted there: of many who ask at once no more than that many are
    /// allowed, whatever the process. Answers whether it was counted.
    pub async fn spend(&self, key: &str, most: u32) -> Result<bool, StoreError> {
        // The first one is put in below without being held against the limit.
        if most == 0 {
            return Ok(false);
        }
        let mut tx = self.begin().await?;
        let spent = sqlx::query(
            "insert into settings (key, value) values ($1, '1')
             on conflict (key) do update set value = cast(cast(settings.value as bigint) + 1 as text)
             where cast(settings.value as bigint) < $2",
        )
        .bind(key)
        .bind(i64::from(most))
        .execute(&mut *tx)
        .await?;
        tx.commit().await?;
        Ok(spent.rows_affected() == 1)
    }
}

/// Sets `key` as part of a larger change.
pub(super) async fn put(tx: &mut Transaction<'_, Any>, key: &str, value: &str) -> Result<(), StoreError> {
    sqlx::query("insert into settings (key, value) values ($1, $2) on conflict (key) do update set value = excluded.value")
        .bind(key)
        .bind(row::clean(value))
        .execute(&mut **tx)
        .await?;
    Ok(())
}

/// Counts one more under `key` as part of a larger change.
pub(super) async fn count(tx: &mut Transaction<'_, Any>, key: &str) -> Result<(), StoreError> {
    sqlx::query(
        "insert into settings (key, value) values ($1, '1')
         on conflict (key) do update set value = cast(cast(settings.value as bigint) + 1 as text)",
    )
    .bind(key)
    .execute(&mut **tx)
    .await?;
    Ok(())
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

#[cfg(test)]
mod tests {
    use tokio_util::task::TaskTracker;

    use crate::store::testing::on_each;

    #[tokio::test]
    async fn a_setting_is_what_was_set_last() {
        on_each(|store| async move {
            assert_eq!(store.find_setting("company").await.unwrap(), None);
            store.put_setting("company", "Nordic").await.unwrap();
            store.put_setting("company", "Nordic Outdoor").await.unwrap();
            assert_eq!(store.find_setting("company").await.unwrap().as_deref(), Some("Nordic Outdoor"));
            assert_eq!(store.settle_setting("company", "Another").await.unwrap(), "Nordic Outdoor");
            assert_eq!(store.settle_setting("key", "one").await.unwrap(), "one");
            assert_eq!(store.settle_setting("key", "two").await.unwrap(), "one", "the first stays");
        })
        .await;
    }

    #[tokio::test]
    async fn settings_are_listed_by_what_their_keys_begin_with() {
        on_each(|store| async move {
            for key in ["saved.a.1", "saved.a.2", "saved.ab.1", "Saved.a.3", "saved%a.4"] {
                store.put_setting(key, &format!("<{key}>")).await.unwrap();
            }
            store.delete_setting("saved.a.1").await.unwrap();
            store.delete_setting("saved.a.1").await.unwrap();
            let kept = store.list_settings_below("saved.a.").await.unwrap();
            assert_eq!(kept.into_iter().collect::<Vec<_>>(), [("saved.a.2".to_owned(), "<saved.a.2>".to_owned())]);
        })
        .await;
    }

    #[tokio::test]
    async fn no_more_is_spent_than_there_is_however_many_ask() {
        on_each(|store| async move {
            let asked = (0..20).map(|_| {
                let store = store.clone();
                TaskTracker::new().spawn(async move { store.spend("model.calls.2026-10-09", 7).await.unwrap() })
            });
            let mut spent = 0;
            for one in asked.collect::<Vec<_>>() {
                spent += usize::from(one.await.unwrap());
            }
            let kept = store.find_setting("model.calls.2026-10-09").await.unwrap();
            assert_eq!((spent, kept.as_deref()), (7, Some("7")));
            assert!(!store.spend("none", 0).await.unwrap());
        })
        .await;
    }
}
