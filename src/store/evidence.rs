//! Evidence bundles: written once, never changed.

use super::{Store, StoreError, row};
use crate::domain::evidence::Bundle;
use crate::domain::ids::CaseId;

impl Store {
    /// Keeps a bundle and answers its hash. One that says the same as the case's newest is not kept again.
    ///
    /// # Errors
    /// [`StoreError::Conflict`] when another bundle has its version already.
    pub async fn insert_bundle(&self, bundle: &Bundle) -> Result<String, StoreError> {
        let hash = bundle.hash();
        let mut tx = self.begin().await?;
        let newest = sqlx::query("select case_id, hash from evidence where case_id = $1 order by version desc limit 1")
            .bind(bundle.case_id.as_str())
            .fetch_optional(&mut *tx)
            .await?;
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
        .execute(&mut *tx)
        .await?;
        if done.rows_affected() == 0 {
            return Err(StoreError::Conflict);
        }
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

    /// The newest bundle of `case`.
    pub async fn find_latest_bundle(&self, case: &CaseId) -> Result<Option<Bundle>, StoreError> {
        let found = sqlx::query("select case_id, body from evidence where case_id = $1 order by version desc limit 1")
            .bind(case.as_str())
            .fetch_optional(&self.pool)
            .await?;
        found.map(|r| row::json(&r, "evidence", "body")).transpose()
    }
}
