//! How the stages are doing, and whose turn it is at a destination. Turns are in business time, as the outbox is; which process
//! does the stages' work is in [`super::duty`].

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
        let mut tx = self.begin().await?;
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
        .execute(&mut *tx)
        .await?;
        Ok(tx.commit().await?)
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

    /// Takes or renews the lease `name` for `holder`, in business time. Answers false while somebody else has it.
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

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use crate::store::JobStatus;
    use crate::store::testing::{at, on_each};

    #[tokio::test]
    async fn a_failed_run_keeps_the_time_of_the_last_good_one() {
        on_each(|store| async move {
            let mut status = JobStatus {
                stage: "detect".to_owned(),
                last_run: at(1),
                last_ok: Some(at(1)),
                last_error: None,
                advanced: 4,
            };
            store.put_job_status(&status).await.unwrap();
            status = JobStatus { last_run: at(2), last_ok: None, last_error: Some("x".to_owned()), ..status };
            store.put_job_status(&status).await.unwrap();
            assert_eq!(store.list_job_status().await.unwrap(), [JobStatus { last_ok: Some(at(1)), ..status }]);
        })
        .await;
    }

    #[tokio::test]
    async fn a_lease_has_one_holder_until_it_runs_out() {
        on_each(|store| async move {
            let ten = Duration::from_millis(10);
            assert!(store.try_lease("worker", "a", at(0), ten).await.unwrap());
            assert!(!store.try_lease("worker", "b", at(9), ten).await.unwrap());
            assert!(store.try_lease("worker", "a", at(9), ten).await.unwrap(), "renewed");
            assert!(!store.try_lease("worker", "b", at(18), ten).await.unwrap());
            assert!(store.try_lease("worker", "b", at(19), ten).await.unwrap(), "run out");
            store.release_lease("worker", "a").await.unwrap();
            assert!(!store.try_lease("worker", "a", at(20), ten).await.unwrap(), "only the holder gives it up");
            store.release_lease("worker", "b").await.unwrap();
            assert!(store.try_lease("worker", "a", at(20), ten).await.unwrap());
        })
        .await;
    }
}
