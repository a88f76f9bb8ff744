//! Work that one process at a time may do: which one is on duty, and how one that was overtaken is kept from writing.
//!
//! Duty is leased by the database's clock, so clocks of machines may differ as they like. Each new holder gets a higher token. A
//! store with a [`Fence`] looks in every transaction that writes whether the token still counts, and locks it until the
//! transaction has ended: a process that stood still past its lease finds its next write refused, whatever it believes.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use jiff::Timestamp;
use sqlx::{Any, AssertSqlSafe, Transaction};

use super::{Backend, Store, StoreError, row};

const TABLE: &str = "duties";

/// The database's clock in milliseconds since 1970.
fn now(backend: Backend) -> &'static str {
    match backend {
        Backend::Sqlite => "cast(unixepoch('subsec') * 1000 as integer)",
        Backend::Postgres => "cast(floor(extract(epoch from clock_timestamp()) * 1000) as bigint)",
    }
}

/// A process, as others know it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Process {
    /// Unlike any other process there is or was.
    pub id: String,
    /// What its machine is called.
    pub host: String,
    /// Its number there.
    pub pid: u32,
    /// By what it is known on its machine whether it still lives; empty where the system does not say.
    pub mark: String,
}

/// The right to do a piece of work, for as long as its token is the newest.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Duty {
    /// Which work.
    pub name: String,
    /// Higher than that of every holder before.
    pub token: i64,
    holder: String,
}

/// Who is on duty, or was last.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OnDuty {
    /// Which process.
    pub process: Process,
    /// Its token.
    pub token: i64,
    /// Since when, by the database's clock.
    pub since: Timestamp,
    /// Until when, by the same, unless it renews; None where it was given back.
    pub until: Option<Timestamp>,
    /// Has that passed?
    pub is_over: bool,
}

/// Whether this process may write through a store: all that share it go by the same duty.
#[derive(Clone, Debug, Default)]
pub struct Fence(Arc<Mutex<Side>>);

#[derive(Clone, Debug, Default, PartialEq, Eq)]
enum Side {
    /// Nobody has asked for duty yet: what is written while a process starts is not part of the work.
    #[default]
    Starting,
    /// Writes go by this duty.
    On(Duty),
    /// Nothing is written.
    Off,
}

impl Fence {
    /// From now on writes go by `duty`.
    pub fn raise(&self, duty: Duty) {
        self.put(Side::On(duty));
    }

    /// From now on nothing is written.
    pub fn close(&self) {
        self.put(Side::Off);
    }

    fn put(&self, side: Side) {
        // A value that is replaced whole: a panic elsewhere leaves nothing half-done in it.
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = side;
    }

    fn side(&self) -> Side {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Refuses a transaction that has just begun where the duty has passed on. On PostgreSQL the row stays locked: a take-over
    /// waits for the end of the transaction. In SQLite whoever writes is alone.
    pub(super) async fn check(&self, tx: &mut Transaction<'_, Any>, backend: Backend) -> Result<(), StoreError> {
        let duty = match self.side() {
            Side::Starting => return Ok(()),
            Side::Off => return Err(StoreError::Fenced),
            Side::On(duty) => duty,
        };
        let sql = match backend {
            Backend::Sqlite => "select name from duties where name = $1 and holder = $2 and token = $3",
            Backend::Postgres => "select name from duties where name = $1 and holder = $2 and token = $3 for share",
        };
        let query = sqlx::query(sql).bind(duty.name).bind(duty.holder).bind(duty.token);
        query.fetch_optional(&mut **tx).await?.map(|_| ()).ok_or(StoreError::Fenced)
    }
}

impl Store {
    /// The same store, through which is written only what `fence` lets through.
    #[must_use]
    pub fn fenced(&self, fence: &Fence) -> Self {
        Self { fence: Some(fence.clone()), ..self.clone() }
    }

    /// Puts `process` on duty for `lease`, or renews that it is. Answers None while another one is: unless that one is `dead`, by its
    /// token, as whoever lives on the same machine can know.
    pub async fn take_duty(
        &self,
        name: &str,
        process: &Process,
        lease: Duration,
        dead: Option<i64>,
    ) -> Result<Option<Duty>, StoreError> {
        let now = now(self.backend);
        // Of many who try at once the database lets one after the other at the row, and each looks at what the one before left.
        let taken = sqlx::query(AssertSqlSafe(format!(
            "insert into duties (name, token, holder, host, pid, process, taken_at, until_ms)
             values ($1, 1, $2, $3, $4, $5, {now}, {now} + $6)
             on conflict (name) do update set
                 token = case when duties.holder = excluded.holder then duties.token else duties.token + 1 end,
                 taken_at = case when duties.holder = excluded.holder then duties.taken_at else excluded.taken_at end,
                 holder = excluded.holder, host = excluded.host, pid = excluded.pid, process = excluded.process,
                 until_ms = excluded.until_ms
             where duties.holder = excluded.holder or duties.until_ms <= {now} or duties.token = $7
             returning name, token"
        )))
        .bind(name)
        .bind(process.id.as_str())
        .bind(process.host.as_str())
        .bind(i64::from(process.pid))
        .bind(process.mark.as_str())
        .bind(millis(lease))
        // Tokens begin with 1, so 0 is nobody's.
        .bind(dead.unwrap_or(0))
        .fetch_optional(&self.pool)
        .await?;
        let duty = |r| Ok(Duty { name: name.to_owned(), token: row::get(&r, TABLE, "token")?, holder: process.id.clone() });
        taken.map(duty).transpose()
    }

    /// Stays on duty for another `lease`. Answers false where another process has taken over.
    pub async fn renew_duty(&self, duty: &Duty, lease: Duration) -> Result<bool, StoreError> {
        self.set_until(duty, &format!("{} + $4", now(self.backend)), lease).await
    }

    /// Goes off duty: whoever asks next gets it at once. Answers false, and nothing happens, where another one has it already.
    pub async fn give_back_duty(&self, duty: &Duty) -> Result<bool, StoreError> {
        self.set_until(duty, "$4", Duration::ZERO).await
    }

    async fn set_until(&self, duty: &Duty, until: &str, lease: Duration) -> Result<bool, StoreError> {
        // Safe: `until` is one of the two texts above.
        let sql = format!("update duties set until_ms = {until} where name = $1 and holder = $2 and token = $3");
        let query = sqlx::query(AssertSqlSafe(sql)).bind(duty.name.as_str()).bind(duty.holder.as_str()).bind(duty.token);
        Ok(query.bind(millis(lease)).execute(&self.pool).await?.rows_affected() == 1)
    }

    /// Who is on duty, or was last; None where nobody ever was.
    pub async fn find_duty(&self, name: &str) -> Result<Option<OnDuty>, StoreError> {
        let found = sqlx::query(AssertSqlSafe(format!(
            "select name, token, holder, host, pid, process, taken_at, until_ms, {} as now from duties where name = $1",
            now(self.backend)
        )))
        .bind(name)
        .fetch_optional(&self.pool)
        .await?;
        let read = |r| {
            let until: i64 = row::get(&r, TABLE, "until_ms")?;
            Ok(OnDuty {
                process: Process {
                    id: row::get(&r, TABLE, "holder")?,
                    host: row::get(&r, TABLE, "host")?,
                    pid: u32::try_from(row::get::<i64>(&r, TABLE, "pid")?)
                        .map_err(|error| row::corrupt(&r, TABLE, "pid", Box::new(error)))?,
                    mark: row::get(&r, TABLE, "process")?,
                },
                token: row::get(&r, TABLE, "token")?,
                since: row::time(&r, TABLE, "taken_at")?,
                until: if until == 0 { None } else { Some(row::time(&r, TABLE, "until_ms")?) },
                // By the database's clock, as it was taken: that of another machine may be minutes off. What was given back
                // is zero.
                is_over: until <= row::get::<i64>(&r, TABLE, "now")?,
            })
        };
        found.map(read).transpose()
    }
}

fn millis(lease: Duration) -> i64 {
    i64::try_from(lease.as_millis()).unwrap_or(i64::MAX / 2)
}

#[cfg(test)]
mod tests {
    use tokio_util::task::TaskTracker;

    use super::*;
    use crate::store::JobStatus;
    use crate::store::testing::{at, entry, on_each};

    const LONG: Duration = Duration::from_hours(1);
    /// Over as soon as it is taken.
    const OVER: Duration = Duration::ZERO;

    fn process(id: &str) -> Process {
        Process { id: id.to_owned(), host: "shop-1".to_owned(), pid: 7, mark: format!("mark of {id}") }
    }

    async fn take(store: &Store, id: &str, lease: Duration) -> Option<Duty> {
        store.take_duty("stages", &process(id), lease, None).await.unwrap()
    }

    #[tokio::test]
    async fn of_many_who_take_at_once_one_is_on_duty() {
        on_each(|store| async move {
            for (round, lease) in [LONG, OVER, LONG].into_iter().enumerate() {
                // Whoever was on duty gives it back, so that all may take it.
                if let Some(on) = store.find_duty("stages").await.unwrap() {
                    store.past_reeve("update duties set until_ms = 0").await;
                    assert!(on.token > 0);
                }
                let asked: Vec<_> = (0..8)
                    .map(|n| {
                        let store = store.clone();
                        TaskTracker::new().spawn(async move { take(&store, &format!("{round}-{n}"), LONG).await })
                    })
                    .collect();
                let mut on = Vec::new();
                for one in asked {
                    on.extend(one.await.unwrap());
                }
                assert_eq!(on.len(), 1, "{on:?}");
                assert!(store.renew_duty(&on[0], lease).await.unwrap());
            }
        })
        .await;
    }

    #[tokio::test]
    async fn a_token_grows_with_each_holder_and_stays_while_it_renews() {
        on_each(|store| async move {
            assert_eq!(store.find_duty("stages").await.unwrap(), None);
            let a = take(&store, "a", LONG).await.unwrap();
            assert_eq!(a.token, 1);
            assert_eq!(take(&store, "b", LONG).await, None);
            assert_eq!(take(&store, "a", LONG).await.as_ref(), Some(&a));
            assert!(store.renew_duty(&a, OVER).await.unwrap());
            let late = store.find_duty("stages").await.unwrap().unwrap();
            assert!(late.is_over && late.until.is_some(), "it has not been given back");
            assert!(store.renew_duty(&a, LONG).await.unwrap(), "nobody has taken over yet");
            store.renew_duty(&a, OVER).await.unwrap();
            let b = take(&store, "b", LONG).await.unwrap();
            assert_eq!(b.token, 2);
            assert!(!store.renew_duty(&a, LONG).await.unwrap());
            store.give_back_duty(&a).await.unwrap();
            let on = store.find_duty("stages").await.unwrap().unwrap();
            assert_eq!((on.process, on.token, on.is_over), (process("b"), 2, false));
            store.give_back_duty(&b).await.unwrap();
            assert_eq!(store.find_duty("stages").await.unwrap().unwrap().until, None);
            let a = take(&store, "a", LONG).await.unwrap();
            assert_eq!(a.token, 3);
            // Who is known to be dead is not waited for; of whom it was known of before, it says nothing.
            let with = async |dead| store.take_duty("stages", &process("c"), LONG, Some(dead)).await.unwrap();
            assert_eq!(with(2).await, None);
            assert_eq!(with(3).await.unwrap().token, 4);
            assert_eq!(store.take_duty("other", &process("b"), LONG, None).await.unwrap().unwrap().token, 1);
        })
        .await;
    }

    #[tokio::test]
    async fn whoever_was_overtaken_writes_nothing_any_more() {
        on_each(|store| async move {
            let fence = Fence::default();
            let work = store.fenced(&fence);
            work.put_setting("a", "starting").await.unwrap();
            let a = take(&store, "a", LONG).await.unwrap();
            fence.raise(a.clone());
            work.put_setting("a", "on").await.unwrap();
            // Late, and nobody has taken over: its work is as good as ever.
            store.renew_duty(&a, OVER).await.unwrap();
            work.put_setting("a", "late").await.unwrap();
            let b = take(&store, "b", LONG).await.unwrap();
            let status = JobStatus { stage: "draft".into(), last_run: at(1), last_ok: None, last_error: None, advanced: 0 };
            for refused in [
                work.put_setting("a", "over").await,
                work.append_audit(&[entry("x")]).await,
                work.end_look("odoo", at(1)).await,
                work.spend("calls", 9).await.map(drop),
                work.put_job_status(&status).await,
            ] {
                assert!(matches!(refused, Err(StoreError::Fenced)), "{refused:?}");
            }
            assert_eq!(work.find_setting("a").await.unwrap().as_deref(), Some("late"), "it reads all the same");
            store.put_setting("a", "by a person").await.unwrap();
            fence.raise(b);
            fence.close();
            assert!(matches!(work.put_setting("a", "x").await, Err(StoreError::Fenced)));
        })
        .await;
    }

    #[tokio::test]
    async fn a_take_over_waits_for_a_change_that_has_begun() {
        on_each(|store| async move {
            let a = take(&store, "a", OVER).await.unwrap();
            let fence = Fence::default();
            fence.raise(a);
            let work = store.fenced(&fence);
            let tx = work.begin().await.unwrap();
            let other = store.clone();
            let over = TaskTracker::new().spawn(async move { take(&other, "b", LONG).await });
            for _ in 0..100 {
                tokio::task::yield_now().await;
            }
            assert!(!over.is_finished(), "both would write");
            tx.commit().await.unwrap();
            assert_eq!(over.await.unwrap().unwrap().token, 2);
            assert!(matches!(work.begin().await, Err(StoreError::Fenced)));
        })
        .await;
    }
}
