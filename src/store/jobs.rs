//! How the stages are doing, and which process may run them.

use std::time::Duration;

use jiff::Timestamp;

use super::{Store, StoreError, row};

/// How a stage is doing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct JobStatus {
    /// Which stage.
    pub stage: String,
    /// When it last ran.
    pub last_run: Timestamp,
    /// When it last ran well.
    pub last_ok: Option<Timestamp>,
    /// Why its last run failed; None when it ran well.
    pub last_error: Option<String>,
    /// How many things its last run moved on.
    pub advanced: i64,
}

impl Store {
    /// Keeps how a stage is doing. A status without `last_ok` keeps the one that was known.
    pub async fn put_job_status(&self, status: &JobStatus) -> Result<(), StoreError> {
        sqlx::query(
            "insert into jobs_status (stage, last_run, last_ok, last_error, advanced) values ($1, $2, $3, $4, $5)
             on conflict (stage) do update set
                 last_run = excluded.last_run, last_ok = coalesce(excluded.last_ok, jobs_status.last_ok),
                 last_error = excluded.last_error, advanced = excluded.advanced",
        )
        .bind(status.stage.as_str())
        .bind(row::ms(status.last_run))
        .bind(status.last_ok.map(row::ms))
        .bind(status.last_error.as_deref().map(row::clean))
        .bind(status.advanced)
        .execute(&self.pool)
        .await?;
        Ok(())
    }

    /// How the stages are doing, by name.
    pub async fn list_job_status(&self) -> Result<Vec<JobStatus>, StoreError> {
        let rows = sqlx::query("select stage, last_run, last_ok, last_error, advanced from jobs_status order by stage")
            .fetch_all(&self.pool)
            .await?;
        rows.iter()
            .map(|r| {
                Ok(JobStatus {
                    stage: row::get(r, "jobs_status", "stage")?,
                    last_run: row::time(r, "jobs_status", "last_run")?,
                    last_ok: row::time_opt(r, "jobs_status", "last_ok")?,
                    last_error: row::get(r, "jobs_status", "last_error")?,
                    advanced: row::get(r, "jobs_status", "advanced")?,
                })
            })
            .collect()
    }

    /// Takes or renews the lease `name` for `holder`. Answers false while somebody else has it.
    pub async fn try_lease(
        &self,
        name: &str,
        holder: &str,
        now: Timestamp,
        lease_for: Duration,
    ) -> Result<bool, StoreError> {
        let until = row::ms(now).saturating_add(i64::try_from(lease_for.as_millis()).unwrap_or(i64::MAX));
        let done = sqlx::query(
            "insert into leases (name, holder, held_until) values ($1, $2, $3)
             on conflict (name) do update set holder = excluded.holder, held_until = excluded.held_until
             where leases.holder = excluded.holder or leases.held_until <= $4",
        )
        .bind(name)
        .bind(holder)
        .bind(until)
        .bind(row::ms(now))
        .execute(&self.pool)
        .await?;
        Ok(done.rows_affected() == 1)
    }

    /// Gives a lease up, where `holder` has it.
    pub async fn release_lease(&self, name: &str, holder: &str) -> Result<(), StoreError> {
        sqlx::query("delete from leases where name = $1 and holder = $2")
            .bind(name)
            .bind(holder)
            .execute(&self.pool)
            .await?;
        Ok(())
    }
}
