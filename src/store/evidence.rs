//! Evidence bundles: written once, never changed.

use sqlx::{Any, Transaction};

use super::{Store, StoreError, row};
use crate::domain::evidence::Bundle;
use crate::domain::ids::CaseId;

impl Store {
    /// Keeps a bundle and answers its hash. One that says the same as the case's newest is not kept again.
    ///
    /// # Errors
    /// [`StoreError::Conflict`] when another bundle has its version already.
    pub async fn insert_bundle(&self, bundle: &Bundle) -> Result<String, StoreError> {
        let mut tx = self.begin().await?;
        let hash = insert(&mut tx, bundle).await?;
        tx.commit().await?;
        Ok(hash)
    }

    /// The bundle of `case` with this hash.
    ///
    /// # Errors
    /// [`StoreError::NotFound`].
    pub async fn get_bundle(&self, case: &CaseId, hash: &str) -> Result<Bundle, StoreError> {
        let found =
            sqlx::query("select case_id, body from evidence where case_id = $1 and hash = $2 order by version desc limit 1")
                .bind(case.as_str())
                .bind(hash)
                .fetch_optional(&self.pool)
                .await?;
        match found {
            Some(found) => row::json(&found, "evidence", "body"),
            None => Err(StoreError::NotFound { what: "evidence", id: format!("{case}/{hash}") }),
        }
    }

    /// The bundle of `case` with this version.
    pub async fn find_bundle_version(&self, case: &CaseId, version: u32) -> Result<Option<Bundle>, StoreError> {
        let found = sqlx::query("select case_id, body from evidence where case_id = $1 and version = $2")
            .bind(case.as_str())
            .bind(i64::from(version))
            .fetch_optional(&self.pool)
            .await?;
        found.map(|r| row::json(&r, "evidence", "body")).transpose()
    }

    /// The newest bundle of `case`.
    pub async fn find_latest_bundle(&self, case: &CaseId) -> Result<Option<Bundle>, StoreError> {
        let found = sqlx::query("select case_id, body from evidence where case_id = $1 order by version desc limit 1")
            .bind(case.as_str())
            .fetch_optional(&self.pool)
            .await?;
        found.map(|r| row::json(&r, "evidence", "body")).transpose()
    }
}

/// Keeps a bundle and answers its hash, as [`Store::insert_bundle`] does.
pub(super) async fn insert(tx: &mut Transaction<'_, Any>, bundle: &Bundle) -> Result<String, StoreError> {
    let hash = bundle.hash();
    let newest = sqlx::query("select case_id, hash from evidence where case_id = $1 order by version desc limit 1")
        .bind(bundle.case_id.as_str())
        .fetch_optional(&mut **tx)
        .await?;
    // A draft that was cut off after this has its evidence frozen, and comes with the same again.
    if let Some(newest) = newest
        && row::get::<String>(&newest, "evidence", "hash")? == hash
    {
        return Ok(hash);
    }
    let done = sqlx::query(
        "insert into evidence (case_id, version, hash, as_of, body) values ($1, $2, $3, $4, $5)
         on conflict (case_id, version) do nothing",
    )
    .bind(bundle.case_id.as_str())
    .bind(i64::from(bundle.version))
    .bind(hash.as_str())
    .bind(row::ms(bundle.as_of))
    .bind(row::body(bundle))
    .execute(&mut **tx)
    .await?;
    if done.rows_affected() == 0 {
        return Err(StoreError::Conflict);
    }
    Ok(hash)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use crate::domain::evidence::{Bundle, Missing};
    use crate::domain::ids::CaseId;
    use crate::store::StoreError;
    use crate::store::testing::{at, on_each, with_case};

    fn bundle(version: u32, what: &str) -> Bundle {
        let missing = vec![Missing { what: what.to_owned(), blocks: "value".to_owned() }];
        Bundle { case_id: CaseId::new("case-1"), version, as_of: at(1), facts: BTreeMap::new(), missing, workings: None }
    }

    #[tokio::test]
    async fn a_bundle_is_kept_once_while_it_says_the_same() {
        on_each(|store| async move {
            let case = with_case(&store, "case-1", 100).await;
            assert_eq!(store.find_latest_bundle(&case.id).await.unwrap(), None);
            let cost = store.insert_bundle(&bundle(1, "cost")).await.unwrap();
            assert_eq!(store.insert_bundle(&bundle(2, "cost")).await.unwrap(), cost);
            assert_eq!(store.find_latest_bundle(&case.id).await.unwrap().unwrap().version, 1);
            store.insert_bundle(&bundle(2, "price")).await.unwrap();
            let taken = store.insert_bundle(&bundle(2, "lead time")).await;
            assert!(matches!(taken, Err(StoreError::Conflict)), "{taken:?}");
            // Facts that come back are the newest again.
            store.insert_bundle(&bundle(3, "cost")).await.unwrap();
            assert_eq!(store.find_latest_bundle(&case.id).await.unwrap(), Some(bundle(3, "cost")));
            assert_eq!(store.get_bundle(&case.id, &cost).await.unwrap().missing[0].what, "cost");
            let none = store.get_bundle(&case.id, "0").await;
            assert!(matches!(none, Err(StoreError::NotFound { .. })), "{none:?}");
        })
        .await;
    }
}
