//! Who stands in for whom, and until when. None is ever deleted: what was signed under one must stay explainable.

use jiff::Timestamp;
use jiff::civil::Date;
use sqlx::Any;
use sqlx::any::AnyRow;

use super::{Store, StoreError, audit, row};
use crate::domain::audit::AuditEntry;
use crate::domain::policy::Delegation;
use crate::store::{Notice, notices};

const TABLE: &str = "delegations";

impl Store {
    /// Every delegation there ever was, by first day.
    pub async fn list_delegations(&self) -> Result<Vec<Delegation>, StoreError> {
        let rows = sqlx::query("select id, body from delegations order by starts, id").fetch_all(&self.pool).await?;
        rows.iter().map(delegation).collect()
    }

    /// Those that hold on `day` or later, by first day: what was ended or is over gives nobody anything.
    pub async fn list_delegations_from(&self, day: Date) -> Result<Vec<Delegation>, StoreError> {
        let rows =
            sqlx::query("select id, body from delegations where ends >= $1 and revoked_at is null order by starts, id")
                .bind(day.to_string())
                .fetch_all(&self.pool)
                .await?;
        rows.iter().map(delegation).collect()
    }

    /// How many delegations were made, and how many of them were ended by hand. None is ever deleted, so whatever is judged
    /// on what was read after this is void where these have moved.
    pub async fn count_delegations(&self) -> Result<(i64, i64), StoreError> {
        count(&self.pool).await
    }

    /// Keeps a new delegation, provided that `seen` of them had been made when it was judged, with its audit entries and
    /// notices.
    ///
    /// # Errors
    /// [`StoreError::Conflict`] when another was kept since, or one with its id is there.
    pub async fn insert_delegation(
        &self,
        new: &Delegation,
        seen: i64,
        notices: &[Notice],
        entries: &[AuditEntry],
    ) -> Result<(), StoreError> {
        let mut tx = self.begin().await?;
        let done = sqlx::query(
            "insert into delegations (id, from_person, to_person, starts, ends, body) values ($1, $2, $3, $4, $5, $6)
             on conflict (id) do nothing",
        )
        .bind(new.id.as_str())
        .bind(new.from.as_str())
        .bind(new.to.as_str())
        .bind(new.starts.to_string())
        .bind(new.ends.to_string())
        .bind(row::body(new))
        .execute(&mut *tx)
        .await?;
        if done.rows_affected() == 0 {
            return Err(StoreError::Conflict);
        }
        for notice in notices {
            notices::insert(&mut tx, notice).await?;
        }
        // After the log's head is locked nobody else can add one: two that are fine alone can make a circle together.
        audit::append(&mut tx, entries).await?;
        if count(&mut *tx).await?.0 != seen + 1 {
            return Err(StoreError::Conflict);
        }
        Ok(tx.commit().await?)
    }

    /// Ends a delegation from `at` on, with its audit entries and notices.
    ///
    /// # Errors
    /// [`StoreError::NotFound`] when there is none that holds.
    pub async fn revoke_delegation(
        &self,
        id: &str,
        at: Timestamp,
        notices: &[Notice],
        entries: &[AuditEntry],
    ) -> Result<(), StoreError> {
        let mut tx = self.begin().await?;
        let none = || StoreError::NotFound { what: "delegation that holds", id: id.to_owned() };
        let found = sqlx::query("select id, body from delegations where id = $1 and revoked_at is null")
            .bind(id)
            .fetch_optional(&mut *tx)
            .await?
            .ok_or_else(none)?;
        // In the body as well as in the column: an audit holds the one against the other.
        let revoked = Delegation { revoked_at: Some(at), ..delegation(&found)? };
        let done = sqlx::query("update delegations set revoked_at = $1, body = $2 where id = $3 and revoked_at is null")
            .bind(row::ms(at))
            .bind(row::body(&revoked))
            .bind(id)
            .execute(&mut *tx)
            .await?;
        if done.rows_affected() == 0 {
            return Err(none());
        }
        for notice in notices {
            notices::insert(&mut tx, notice).await?;
        }
        audit::append(&mut tx, entries).await?;
        Ok(tx.commit().await?)
    }
}

/// How many delegations were made, and how many of them were ended by hand.
pub(super) async fn count<'e>(executor: impl sqlx::Executor<'e, Database = Any>) -> Result<(i64, i64), StoreError> {
    let found = sqlx::query("select 'all' as id, count(*) as made, count(revoked_at) as ended from delegations")
        .fetch_one(executor)
        .await?;
    Ok((row::get(&found, TABLE, "made")?, row::get(&found, TABLE, "ended")?))
}

fn delegation(r: &AnyRow) -> Result<Delegation, StoreError> {
    row::json(r, TABLE, "body")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::ids::PersonId;
    use crate::store::testing::{at, entry, on_each};

    fn new(id: &str, from: &str, to: &str) -> Delegation {
        Delegation {
            id: id.to_owned(),
            from: PersonId::new(from),
            to: PersonId::new(to),
            starts: "2026-10-08".parse().unwrap(),
            ends: "2026-10-20".parse().unwrap(),
            reason: "on leave".to_owned(),
            revoked_at: None,
        }
    }

    #[tokio::test]
    async fn a_delegation_is_kept_only_on_what_it_was_judged_on_and_can_be_ended_once() {
        on_each(|store| async move {
            store.insert_delegation(&new("d-1", "fay", "ari"), 0, &[], &[entry("delegated")]).await.unwrap();
            let late = store.insert_delegation(&new("d-2", "ari", "fay"), 0, &[], &[entry("delegated")]).await;
            assert!(matches!(late, Err(StoreError::Conflict)), "{late:?}");
            assert_eq!(store.list_delegations().await.unwrap(), [new("d-1", "fay", "ari")]);
            let last: Date = "2026-10-20".parse().unwrap();
            assert_eq!(store.list_delegations_from(last).await.unwrap(), [new("d-1", "fay", "ari")], "its last day is its");
            assert_eq!(store.list_delegations_from(last.tomorrow().unwrap()).await.unwrap(), [], "it is over");
            assert_eq!(store.count_delegations().await.unwrap(), (1, 0));
            store.revoke_delegation("d-1", at(9), &[], &[entry("revoked")]).await.unwrap();
            assert_eq!(store.list_delegations().await.unwrap()[0].revoked_at, Some(at(9)));
            assert_eq!(store.list_delegations_from(last).await.unwrap(), [], "it was ended");
            assert_eq!(store.count_delegations().await.unwrap(), (1, 1), "and still counts");
            let again = store.revoke_delegation("d-1", at(10), &[], &[entry("revoked")]).await;
            assert!(matches!(again, Err(StoreError::NotFound { .. })), "{again:?}");
            assert_eq!(store.verify_audit().await.unwrap().0, 2);
        })
        .await;
    }
}
