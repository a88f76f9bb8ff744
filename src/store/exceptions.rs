//! Exceptions: kept by fingerprint, never deleted.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use sqlx::{Any, AssertSqlSafe, Transaction};

use super::{Store, StoreError, row};
use crate::domain::case::CaseState;
use crate::domain::exception::{Exception, ExceptionState};
use crate::domain::ids::{CaseId, ExceptionId};

/// Rows that one statement names.
const SOME: usize = 500;

/// Which exceptions are asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Which {
    /// Those whose condition holds, explained ones among them.
    Live,
    /// Those of the past as well.
    All,
}

impl Store {
    /// Exceptions, in order of their first sighting, then id.
    pub async fn list_exceptions(&self, which: Which) -> Result<Vec<Exception>, StoreError> {
        let query = match which {
            Which::Live => sqlx::query("select id, body from exceptions where state <> 'resolved' order by first_seen, id"),
            Which::All => sqlx::query("select id, body from exceptions order by first_seen, id"),
        };
        let rows = query.fetch_all(&self.pool).await?;
        rows.iter().map(|r| row::json(r, "exceptions", "body")).collect()
    }

    /// What a look is folded into, in order of first sighting, then id: the exceptions that are not over, those of cases in any of
    /// `states`, and those of `seen`, over or not. What is over, waits in no case and is not seen again is what most of a long
    /// history is, and nothing comes of it.
    pub async fn list_exceptions_to_fold(
        &self,
        states: &[&str],
        seen: &BTreeSet<ExceptionId>,
    ) -> Result<Vec<Exception>, StoreError> {
        let mut found = self.list_exceptions(Which::Live).await?;
        let sql = format!(
            "select id, body from exceptions where state = 'resolved' and id in (
                 select ce.exception_id from cases c join case_exceptions ce on ce.case_id = c.id where c.state in ({})
             )",
            row::placeholders(1, states.len())
        );
        found.append(&mut self.exceptions_of(&sql, states).await?);
        let known: BTreeSet<&ExceptionId> = found.iter().map(|exception| &exception.id).collect();
        let others: Vec<&str> = seen.iter().filter(|id| !known.contains(id)).map(ExceptionId::as_str).collect();
        for some in others.chunks(SOME) {
            let sql = format!("select id, body from exceptions where id in ({})", row::placeholders(1, some.len()));
            found.append(&mut self.exceptions_of(&sql, some).await?);
        }
        found.sort_by(|a, b| (a.first_seen, &a.id).cmp(&(b.first_seen, &b.id)));
        Ok(found)
    }

    /// `sql` is made of words of this file and of placeholders for `values`.
    async fn exceptions_of(&self, sql: &str, values: &[&str]) -> Result<Vec<Exception>, StoreError> {
        // Safe: see above.
        let mut query = sqlx::query(AssertSqlSafe(sql.to_owned()));
        for value in values {
            query = query.bind(*value);
        }
        let rows = query.fetch_all(&self.pool).await?;
        rows.iter().map(|r| row::json(r, "exceptions", "body")).collect()
    }

    /// Live exceptions first seen from `from` to `to`, oldest first.
    pub async fn list_exceptions_between(&self, from: Timestamp, to: Timestamp) -> Result<Vec<Exception>, StoreError> {
        let rows = sqlx::query(
            "select id, body from exceptions where first_seen >= $1 and first_seen <= $2 and mode = 'live'
             order by first_seen, id",
        )
        .bind(row::ms(from))
        .bind(row::ms(to))
        .fetch_all(&self.pool)
        .await?;
        rows.iter().map(|r| row::json(r, "exceptions", "body")).collect()
    }

    /// How often the exceptions of each case for which something is drafted have been written: while it is the same, so are they.
    ///
    /// # Errors
    /// The database's.
    pub async fn count_case_exceptions(&self) -> Result<BTreeMap<CaseId, i64>, StoreError> {
        let sql = format!(
            "select ce.case_id as id, cast(sum(e.version) as bigint) as n
             from cases c join case_exceptions ce on ce.case_id = c.id join exceptions e on e.id = ce.exception_id
             where c.state in ({}) group by ce.case_id",
            row::placeholders(1, CaseState::JUDGED.len())
        );
        // Safe: the text is made of placeholders only.
        let mut query = sqlx::query(AssertSqlSafe(sql));
        for state in CaseState::JUDGED {
            query = query.bind(*state);
        }
        let rows = query.fetch_all(&self.pool).await?;
        rows.iter().map(|r| Ok((CaseId(row::get(r, "exceptions", "id")?), row::get(r, "exceptions", "n")?))).collect()
    }

    /// The exceptions of a case, in order of joining.
    pub async fn list_case_exceptions(&self, case: &CaseId) -> Result<Vec<Exception>, StoreError> {
        let rows = sqlx::query(
            "select e.id, e.body from case_exceptions ce join exceptions e on e.id = ce.exception_id
             where ce.case_id = $1 order by ce.place",
        )
        .bind(case.as_str())
        .fetch_all(&self.pool)
        .await?;
        rows.iter().map(|r| row::json(r, "exceptions", "body")).collect()
    }

    /// The exceptions of each of `cases`, in order of joining.
    pub async fn list_exceptions_of(&self, cases: &[&CaseId]) -> Result<BTreeMap<CaseId, Vec<Exception>>, StoreError> {
        let mut found: BTreeMap<CaseId, Vec<Exception>> = BTreeMap::new();
        for some in cases.chunks(SOME) {
            let sql = format!(
                "select e.id, e.body, ce.case_id from case_exceptions ce join exceptions e on e.id = ce.exception_id
                 where ce.case_id in ({}) order by ce.case_id, ce.place",
                row::placeholders(1, some.len())
            );
            // Safe: the text is made of placeholders only.
            let mut query = sqlx::query(AssertSqlSafe(sql));
            for case in some {
                query = query.bind(case.as_str());
            }
            for r in &query.fetch_all(&self.pool).await? {
                let case = CaseId(row::get(r, "case_exceptions", "case_id")?);
                found.entry(case).or_default().push(row::json(r, "exceptions", "body")?);
            }
        }
        Ok(found)
    }

    /// Live exceptions that hold and are ordinary for a business reason, in order of their first sighting, then id.
    pub async fn list_explained(&self) -> Result<Vec<Exception>, StoreError> {
        let rows = sqlx::query(
            "select id, body from exceptions where state = 'explained' and mode = 'live' order by first_seen, id",
        )
        .fetch_all(&self.pool)
        .await?;
        rows.iter().map(|r| row::json(r, "exceptions", "body")).collect()
    }

    /// Which case each of `exceptions` belongs to, where it does. One that joined several in its life belongs to the one opened
    /// last.
    pub async fn map_exceptions_to_cases(
        &self,
        exceptions: &[&ExceptionId],
    ) -> Result<BTreeMap<ExceptionId, CaseId>, StoreError> {
        let mut owners = BTreeMap::new();
        for some in exceptions.chunks(SOME) {
            let sql = format!(
                "select ce.exception_id, ce.case_id from case_exceptions ce join cases c on c.id = ce.case_id
                 where ce.exception_id in ({}) order by c.opened_at, c.id",
                row::placeholders(1, some.len())
            );
            // Safe: the text is made of placeholders only.
            let mut query = sqlx::query(AssertSqlSafe(sql));
            for id in some {
                query = query.bind(id.as_str());
            }
            for r in &query.fetch_all(&self.pool).await? {
                let exception = ExceptionId(row::get(r, "case_exceptions", "exception_id")?);
                owners.insert(exception, CaseId(row::get(r, "case_exceptions", "case_id")?));
            }
        }
        Ok(owners)
    }
}

/// Inserts an exception or takes its newest content.
pub(super) async fn upsert(tx: &mut Transaction<'_, Any>, exception: &Exception) -> Result<(), StoreError> {
    let state = match exception.state {
        ExceptionState::Open => "open",
        ExceptionState::Resolved => "resolved",
        ExceptionState::Explained => "explained",
    };
    sqlx::query(
        "insert into exceptions (id, code, fingerprint, state, first_seen, last_seen, body, mode)
         values ($1, $2, $3, $4, $5, $6, $7, $8)
         on conflict (id) do update set
             state = excluded.state, first_seen = excluded.first_seen, last_seen = excluded.last_seen,
             body = excluded.body, mode = excluded.mode, version = exceptions.version + 1",
    )
    .bind(exception.id.as_str())
    .bind(exception.signal.code.code())
    .bind(row::clean(&exception.signal.fingerprint()))
    .bind(state)
    .bind(row::ms(exception.first_seen))
    .bind(row::ms(exception.last_seen))
    .bind(row::body(exception))
    .bind(exception.mode.name())
    .execute(&mut **tx)
    .await?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use crate::domain::case::{Case, CaseState};
    use crate::domain::exception::{Exception, ExceptionState};
    use crate::store::testing::{case, exception, on_each};

    #[tokio::test]
    async fn a_look_is_folded_into_what_goes_on_and_what_is_seen_again() {
        on_each(|store| async move {
            let over = |id: &str| Exception { state: ExceptionState::Resolved, ..exception(id) };
            let closed = |id: &str| Case { state: CaseState::Closed, ..case(id, 100) };
            let exceptions = [exception("case-open"), over("case-part"), over("case-gone"), over("case-again")];
            let cases = [case("case-part", 100), closed("case-gone"), closed("case-again")].map(|case| (case, None));
            store.save_detection(&exceptions, &cases, &[], &[], None).await.unwrap();
            let seen = BTreeSet::from([over("case-again").id, exception("never").id]);
            let found = store.list_exceptions_to_fold(&[CaseState::New.name()], &seen).await.unwrap();
            let found: BTreeSet<_> = found.into_iter().map(|exception| exception.id).collect();
            assert_eq!(found, ["case-open", "case-part", "case-again"].map(|id| exception(id).id).into());
            let owners = store.map_exceptions_to_cases(&[&over("case-gone").id, &exception("never").id]).await.unwrap();
            assert_eq!(owners.into_values().collect::<Vec<_>>(), [closed("case-gone").id]);
        })
        .await;
    }
}
