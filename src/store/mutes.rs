//! Mutes: never deleted, only ended; and the cases in which one is proposed.

use jiff::Timestamp;
use jiff::civil::Date;
use sqlx::{Any, AnyConnection, Transaction};

use super::{Store, StoreError, audit, cases, evidence, recommendations, row};
use crate::domain::audit::AuditEntry;
use crate::domain::case::Case;
use crate::domain::evidence::Bundle;
use crate::domain::ids::PersonId;
use crate::domain::mute::Mute;
use crate::domain::recommendation::Recommendation;

const TABLE: &str = "mutes";

/// A mute that somebody ends before its day.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MuteEnd {
    /// Which one.
    pub id: String,
    /// Who ends it.
    pub by: PersonId,
    /// When.
    pub at: Timestamp,
}

/// A mute that begins.
#[derive(Clone, Copy, Debug)]
pub struct NewMute<'a> {
    /// The mute.
    pub mute: &'a Mute,
    /// The business day on which it is made.
    pub today: Date,
    /// How many mutes there were when it was weighed, and how many of them had been ended: any that came or went since makes
    /// it a conflict. None where it was not weighed with others.
    pub seen: Option<(i64, i64)>,
}

impl Store {
    /// How many mutes there ever were, and how many of them were ended before their day.
    pub async fn mutes_seen(&self) -> Result<(i64, i64), StoreError> {
        seen(&mut *self.pool.acquire().await?).await
    }

    /// Keeps a new mute with its audit entries, both or neither.
    ///
    /// # Errors
    /// [`StoreError::Duplicate`] when the same type and scope are muted already, [`StoreError::Conflict`] when others came or
    /// went since it was weighed.
    pub async fn insert_mute(&self, mute: &NewMute<'_>, entries: &[AuditEntry]) -> Result<(), StoreError> {
        let mut tx = self.begin().await?;
        insert(&mut tx, mute).await?;
        audit::append(&mut tx, entries).await?;
        Ok(tx.commit().await?)
    }

    /// Ends a mute, with its audit entries.
    ///
    /// # Errors
    /// [`StoreError::NotFound`], or [`StoreError::Conflict`] when it has ended already.
    pub async fn end_mute(&self, ending: &MuteEnd, entries: &[AuditEntry]) -> Result<(), StoreError> {
        let mut tx = self.begin().await?;
        end(&mut tx, ending).await?;
        audit::append(&mut tx, entries).await?;
        Ok(tx.commit().await?)
    }

    /// Every mute there ever was, newest first.
    pub async fn list_mutes(&self) -> Result<Vec<Mute>, StoreError> {
        let rows = sqlx::query("select id, body from mutes order by made_at desc, id").fetch_all(&self.pool).await?;
        rows.iter().map(|r| row::json(r, TABLE, "body")).collect()
    }

    /// The mute `id`, where there is one.
    pub async fn find_mute(&self, id: &str) -> Result<Option<Mute>, StoreError> {
        let found = sqlx::query("select id, body from mutes where id = $1").bind(id).fetch_optional(&self.pool).await?;
        found.map(|r| row::json(&r, TABLE, "body")).transpose()
    }

    /// Opens a case in which a mute is proposed: the case, its evidence and its recommendation, all or nothing.
    ///
    /// # Errors
    /// [`StoreError::Conflict`] when the case is there already.
    pub async fn open_proposal(
        &self,
        case: &Case,
        bundle: &Bundle,
        recommendation: &Recommendation,
        entries: &[AuditEntry],
    ) -> Result<(), StoreError> {
        let mut tx = self.begin().await?;
        cases::insert(&mut tx, case).await?;
        evidence::insert(&mut tx, bundle).await?;
        recommendations::insert(&mut tx, recommendation).await?;
        audit::append(&mut tx, entries).await?;
        Ok(tx.commit().await?)
    }
}

/// Keeps a mute. One type and scope is muted once at a time.
pub(super) async fn insert(tx: &mut Transaction<'_, Any>, new: &NewMute<'_>) -> Result<(), StoreError> {
    let NewMute { mute, today, seen: before } = new;
    // Two who mute the same at once must not both find that nobody has, nor each weigh theirs without the other's.
    audit::lock(tx).await?;
    if let Some(before) = before
        && seen(tx).await? != *before
    {
        return Err(StoreError::Conflict);
    }
    // The same text on both databases: ids and days are compared as they are written.
    let done = sqlx::query(
        "insert into mutes (id, code, scope, owner, made_at, until_day, ended_at, body)
         select $1, $2, $3, $4, cast($5 as bigint), $6, cast(null as bigint), $7
         where not exists (
             select 1 from mutes where code = $2 and scope = $3 and ended_at is null and until_day > $8
         )
         on conflict (id) do nothing",
    )
    .bind(mute.id.as_str())
    .bind(mute.code.code())
    .bind(row::clean(&mute.scope.to_string()))
    .bind(mute.owner.as_str())
    .bind(row::ms(mute.made_at))
    .bind(mute.until.to_string())
    .bind(row::body(mute))
    .bind(today.to_string())
    .execute(&mut **tx)
    .await?;
    if done.rows_affected() == 0 {
        return Err(StoreError::Duplicate);
    }
    Ok(())
}

async fn seen(connection: &mut AnyConnection) -> Result<(i64, i64), StoreError> {
    let found =
        sqlx::query("select 'all' as id, count(*) as n, count(ended_at) as ended from mutes").fetch_one(connection).await?;
    Ok((row::get(&found, TABLE, "n")?, row::get(&found, TABLE, "ended")?))
}

/// Ends a mute.
pub(super) async fn end(tx: &mut Transaction<'_, Any>, ending: &MuteEnd) -> Result<(), StoreError> {
    let found = sqlx::query("select id, body from mutes where id = $1")
        .bind(ending.id.as_str())
        .fetch_optional(&mut **tx)
        .await?
        .ok_or_else(|| StoreError::NotFound { what: "mute", id: ending.id.clone() })?;
    let mut mute: Mute = row::json(&found, TABLE, "body")?;
    mute.ended = Some((ending.at, ending.by.clone()));
    let done = sqlx::query("update mutes set ended_at = $1, body = $2 where id = $3 and ended_at is null")
        .bind(row::ms(ending.at))
        .bind(row::body(&mute))
        .bind(ending.id.as_str())
        .execute(&mut **tx)
        .await?;
    if done.rows_affected() == 0 {
        return Err(StoreError::Conflict);
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use crate::domain::exception::ExceptionType;
    use crate::domain::ids::PersonId;
    use crate::domain::mute::{Mute, MuteScope};
    use crate::store::testing::{at, entry, on_each};
    use crate::store::{MuteEnd, NewMute, StoreError};

    fn mute(scope: &str, ms: i64, until: &str) -> Mute {
        let scope: MuteScope = scope.parse().unwrap();
        let by = PersonId::new("ada");
        Mute::new(ExceptionType::RShort, scope, by, "known \0 since May".into(), at(ms), until.parse().unwrap())
    }

    fn new(mute: &Mute) -> NewMute<'_> {
        NewMute { mute, today: "2025-10-09".parse().unwrap(), seen: None }
    }

    #[tokio::test]
    async fn a_mute_that_was_weighed_without_another_is_a_conflict() {
        on_each(|store| async move {
            let seen = store.mutes_seen().await.unwrap();
            assert_eq!(seen, (0, 0));
            let (first, second) = (mute("item:1", 0, "2025-11-01"), mute("item:2", 0, "2025-11-01"));
            store.insert_mute(&NewMute { seen: Some(seen), ..new(&first) }, &[entry("mute.made")]).await.unwrap();
            let late = store.insert_mute(&NewMute { seen: Some(seen), ..new(&second) }, &[entry("mute.made")]).await;
            assert!(matches!(late, Err(StoreError::Conflict)), "{late:?}");
            let ending = MuteEnd { id: first.id.clone(), by: PersonId::new("bob"), at: at(9) };
            let seen = store.mutes_seen().await.unwrap();
            store.end_mute(&ending, &[entry("mute.ended")]).await.unwrap();
            let late = store.insert_mute(&NewMute { seen: Some(seen), ..new(&second) }, &[entry("mute.made")]).await;
            assert!(matches!(late, Err(StoreError::Conflict)), "{late:?}");
            let seen = store.mutes_seen().await.unwrap();
            store.insert_mute(&NewMute { seen: Some(seen), ..new(&second) }, &[entry("mute.made")]).await.unwrap();
            assert_eq!((seen, store.verify_audit().await.unwrap().0), ((1, 1), 3));
        })
        .await;
    }

    #[tokio::test]
    async fn of_many_who_mute_the_same_at_once_one_does() {
        on_each(|store| async move {
            let mut all = tokio::task::JoinSet::new();
            for ms in 0..8 {
                let store = store.clone();
                all.spawn(
                    async move { store.insert_mute(&new(&mute("all", ms, "2025-11-01")), &[entry("mute.made")]).await },
                );
            }
            let made = all.join_all().await.into_iter().flatten().count();
            assert_eq!((made, store.list_mutes().await.unwrap().len()), (1, 1));
        })
        .await;
    }

    #[tokio::test]
    async fn a_type_and_scope_is_muted_once_at_a_time_and_each_change_is_in_the_log() {
        on_each(|store| async move {
            let first = mute("supplier:9", 0, "2025-11-01");
            store.insert_mute(&new(&first), &[entry("mute.made")]).await.unwrap();
            let again = store.insert_mute(&new(&mute("supplier:9", 5, "2025-12-01")), &[entry("mute.made")]).await;
            assert!(matches!(again, Err(StoreError::Duplicate)), "{again:?}");
            store.insert_mute(&new(&mute("all", 5, "2025-11-01")), &[entry("mute.made")]).await.unwrap();
            assert_eq!(store.verify_audit().await.unwrap().0, 2, "what was refused left no entry");

            let ending = MuteEnd { id: first.id.clone(), by: PersonId::new("bob"), at: at(9) };
            store.end_mute(&ending, &[entry("mute.ended")]).await.unwrap();
            let twice = store.end_mute(&ending, &[entry("mute.ended")]).await;
            assert!(matches!(twice, Err(StoreError::Conflict)), "{twice:?}");
            let kept = store.find_mute(&first.id).await.unwrap().unwrap();
            assert_eq!(kept.ended, Some((at(9), PersonId::new("bob"))));
            assert!(kept.reason.contains('\u{0}') || kept.reason.contains('\u{fffd}'), "{:?}", kept.reason);
            store.insert_mute(&new(&mute("supplier:9", 20, "2025-12-01")), &[entry("mute.made")]).await.unwrap();
            assert_eq!(store.list_mutes().await.unwrap().len(), 3);
            let none = MuteEnd { id: "mute-none".into(), ..ending };
            assert!(matches!(store.end_mute(&none, &[]).await, Err(StoreError::NotFound { .. })));
        })
        .await;
    }

    #[tokio::test]
    async fn a_mute_that_ran_out_makes_room_for_a_new_one() {
        on_each(|store| async move {
            let (first, second) = (mute("all", 0, "2025-10-10"), mute("all", 7, "2025-11-09"));
            // The day of the clock in UTC may still be the one before: what counts is the business day.
            let on = |day: &str| NewMute { today: day.parse().unwrap(), ..new(&first) };
            store.insert_mute(&on("2025-10-09"), &[]).await.unwrap();
            let early = store.insert_mute(&NewMute { mute: &second, ..on("2025-10-09") }, &[]).await;
            assert!(matches!(early, Err(StoreError::Duplicate)), "{early:?}");
            store.insert_mute(&NewMute { mute: &second, ..on("2025-10-10") }, &[]).await.unwrap();
        })
        .await;
    }
}
