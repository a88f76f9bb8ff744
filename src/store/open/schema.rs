//! The schema of a store: which version it has, and bringing it up to date.

use sqlx::Row as _;
use sqlx::migrate::MigrateError;

use crate::store::migrate::MIGRATIONS;
use crate::store::{Store, StoreError, guards};

impl Store {
    /// Brings the schema up to date. Does nothing where it is.
    ///
    /// # Errors
    /// [`StoreError::Newer`] when a newer Reeve made the store.
    pub async fn migrate(&self) -> Result<(), StoreError> {
        let known = known_version();
        MIGRATIONS.run(&self.pool).await.map_err(|error| match error {
            MigrateError::VersionMissing(found) | MigrateError::VersionTooNew(found, _) => {
                StoreError::Newer { url: self.shown.clone(), found, known }
            }
            MigrateError::Execute(error) | MigrateError::ExecuteMigration(error, _) => {
                StoreError::from(error).about(&self.shown)
            }
            other => StoreError::Unavailable {
                url: self.shown.clone(),
                problem: "has a schema that this program did not make",
                advice: "use another store, or restore this one from a backup",
                source: Box::new(other),
            },
        })?;
        self.fill_case_subjects().await.map_err(|error| error.about(&self.shown))?;
        guards::protect(&self.pool, self.backend).await.map_err(|error| error.about(&self.shown))
    }

    /// The schema's version; None before the first migration.
    pub async fn schema_version(&self) -> Result<Option<i64>, StoreError> {
        let row =
            sqlx::query("select max(version) as version from _sqlx_migrations where success").fetch_one(&self.pool).await;
        match row {
            Ok(row) => Ok(row.try_get("version")?),
            // Without the table of versions nothing was ever made here: an answer, and no failure.
            Err(sqlx::Error::Database(error))
                if error.code().as_deref() == Some("42P01") || error.message().starts_with("no such table") =>
            {
                Ok(None)
            }
            Err(error) => Err(error.into()),
        }
    }

    /// Is the schema the one this program knows?
    pub async fn is_migrated(&self) -> Result<bool, StoreError> {
        Ok(self.schema_version().await? == Some(known_version()))
    }
}

#[cfg(test)]
impl Store {
    /// Brings the schema up to `version` only: a store as an earlier Reeve left it.
    pub(crate) async fn migrate_to(&self, version: i64) {
        let earlier = MIGRATIONS.iter().filter(|m| m.version <= version).cloned().collect();
        let migrator = sqlx::migrate::Migrator::with_migrations(earlier);
        migrator.run(&self.pool).await.expect("the earlier schema can be made");
    }
}

pub(super) fn known_version() -> i64 {
    MIGRATIONS.iter().map(|m| m.version).max().unwrap_or(0)
}
