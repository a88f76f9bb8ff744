//! Cases, their exceptions and the links they own.

use std::collections::BTreeMap;

use jiff::Timestamp;
use sqlx::{Any, AssertSqlSafe, Transaction};

use super::{CaseSubject, Store, StoreError, audit, case_pages, exceptions, row, settings};
use crate::domain::audit::AuditEntry;
use crate::domain::case::Case;
use crate::domain::exception::Exception;
use crate::domain::ids::CaseId;

/// Links that one statement names.
const LINKS: usize = 500;

impl Store {
    /// Keeps what a detection run found, all or nothing: exceptions, new cases (`None`), changed ones (with the version
    /// that was seen) and those that are gone, the audit entries, and what was looked at (a setting), so that the same is not looked at again.
    ///
    /// # Errors
    /// [`StoreError::Conflict`] when one of the cases exists already or was changed since it was seen.
    pub async fn save_detection(
        &self,
        exceptions: &[Exception],
        cases: &[(Case, Option<i64>)],
        gone: &[(CaseId, i64)],
        entries: &[AuditEntry],
        done: Option<(&str, &str)>,
    ) -> Result<(), StoreError> {
        let mut tx = self.begin().await?;
        for (case, seen) in gone {
            remove(&mut tx, case, *seen).await?;
        }
        for exception in exceptions {
            // Before the cases, whose rows refer to them.
            exceptions::upsert(&mut tx, exception).await?;
        }
        for (case, seen) in cases {
            match seen {
                None => insert(&mut tx, case).await?,
                Some(seen) => advance(&mut tx, case, *seen).await?,
            }
        }
        if let Some((key, value)) = done {
            settings::put(&mut tx, key, value).await?;
        }
        audit::append(&mut tx, entries).await?;
        Ok(tx.commit().await?)
    }

    /// Moves a case from version `seen` to its new content and writes the audit entries, both or neither.
    ///
    /// # Errors
    /// [`StoreError::Conflict`] when it is not at `seen` any more.
    pub async fn advance_case(&self, case: &Case, seen: i64, entries: &[AuditEntry]) -> Result<(), StoreError> {
        let mut tx = self.begin().await?;
        advance(&mut tx, case, seen).await?;
        audit::append(&mut tx, entries).await?;
        Ok(tx.commit().await?)
    }

    /// The case `id`.
    ///
    /// # Errors
    /// [`StoreError::NotFound`].
    pub async fn get_case(&self, id: &CaseId) -> Result<Case, StoreError> {
        self.find_case(id).await?.ok_or_else(|| StoreError::NotFound { what: "case", id: id.to_string() })
    }

    /// The case `id`, where there is one.
    pub async fn find_case(&self, id: &CaseId) -> Result<Option<Case>, StoreError> {
        let found =
            sqlx::query("select id, body from cases where id = $1").bind(id.as_str()).fetch_optional(&self.pool).await?;
        found.map(|r| row::json(&r, "cases", "body")).transpose()
    }

    /// The cases in any of `states` (names as in [`crate::domain::case::CaseState::name`]; none means all), by priority
    /// from the highest, then age, then id. Cases that are not ranked yet come last.
    pub async fn list_cases(&self, states: &[&str]) -> Result<Vec<Case>, StoreError> {
        let filter = match states.len() {
            0 => String::new(),
            n => format!("where state in ({})", row::placeholders(1, n)),
        };
        let sql = format!(
            "select id, body from cases {filter}
             order by place desc, opened_at, id"
        );
        // Safe: the text is made of placeholders only.
        let mut query = sqlx::query(AssertSqlSafe(sql));
        for state in states {
            query = query.bind(*state);
        }
        let rows = query.fetch_all(&self.pool).await?;
        rows.iter().map(|r| row::json(r, "cases", "body")).collect()
    }

    /// The cases of which something changed from `from` to `to`, and has not changed since, in the order of [`Store::list_cases`].
    pub async fn list_cases_updated_between(&self, from: Timestamp, to: Timestamp) -> Result<Vec<Case>, StoreError> {
        let rows = sqlx::query(
            "select id, body from cases where updated_at >= $1 and updated_at <= $2 order by place desc, opened_at, id",
        )
        .bind(row::ms(from))
        .bind(row::ms(to))
        .fetch_all(&self.pool)
        .await?;
        rows.iter().map(|r| row::json(r, "cases", "body")).collect()
    }

    /// How many cases are in each state; those in shadow are not counted with them.
    pub async fn count_cases(&self) -> Result<BTreeMap<String, i64>, StoreError> {
        let rows = sqlx::query(
            "select state, count(*) as n from cases
             where state not in ('shadow', 'shadow_over') group by state",
        )
        .fetch_all(&self.pool)
        .await?;
        rows.iter().map(|r| Ok((row::get(r, "cases", "state")?, row::get(r, "cases", "n")?))).collect()
    }

    /// Which live case owns each link.
    pub async fn list_links(&self) -> Result<BTreeMap<String, CaseId>, StoreError> {
        let rows = sqlx::query("select link, case_id from case_links").fetch_all(&self.pool).await?;
        rows.iter()
            .map(|r| Ok((row::get(r, "case_links", "link")?, CaseId(row::get(r, "case_links", "case_id")?))))
            .collect()
    }

    /// What a case is judged by: which live case owns each link, and `idle:75@3` beside `shortage:75@3` where the case that owns
    /// it has been judged and is worth nothing. It counts that shortage, and needs no stock for it.
    ///
    /// # Errors
    /// The database's.
    pub async fn list_claims(&self) -> Result<BTreeMap<String, String>, StoreError> {
        self.claims(String::new(), &[]).await
    }

    /// The same of these links only.
    ///
    /// # Errors
    /// The database's.
    pub async fn list_claims_on(&self, links: &[String]) -> Result<BTreeMap<String, String>, StoreError> {
        let mut claims = BTreeMap::new();
        for some in links.chunks(LINKS) {
            let filter = format!("where l.link in ({})", row::placeholders(1, some.len()));
            claims.append(&mut self.claims(filter, some).await?);
        }
        Ok(claims)
    }

    async fn claims(&self, filter: String, links: &[String]) -> Result<BTreeMap<String, String>, StoreError> {
        let sql = format!(
            "select l.link, l.case_id,
                 case when (c.evidence_hash is not null or c.state = 'latent') and c.value_minor <= 0 then 1 else 0 end as idle
             from case_links l join cases c on c.id = l.case_id {filter}"
        );
        // Safe: the text is made of placeholders only.
        let mut query = sqlx::query(AssertSqlSafe(sql));
        for link in links {
            query = query.bind(link.as_str());
        }
        let mut claims = BTreeMap::new();
        for r in &query.fetch_all(&self.pool).await? {
            let (link, case): (String, String) = (row::get(r, "case_links", "link")?, row::get(r, "case_links", "case_id")?);
            let idle = link.strip_prefix("shortage:").map(|place| format!("idle:{place}"));
            if let (Some(idle), 1) = (idle, row::get::<i64>(r, "cases", "idle")?) {
                claims.insert(idle, case.clone());
            }
            claims.insert(link, case);
        }
        Ok(claims)
    }
}

/// Keeps a new case.
pub(super) async fn insert(tx: &mut Transaction<'_, Any>, case: &Case) -> Result<(), StoreError> {
    let about = CaseSubject::of(case);
    let done = sqlx::query(
        "insert into cases
             (id, state, version, opened_at, updated_at, priority_minor, value_minor, evidence_hash, owner, body, place, codes,
              item, location, supplier, subject_kept)
         values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, 1)
         on conflict (id) do nothing",
    )
    .bind(case.id.as_str())
    .bind(case.state.name())
    .bind(case.version)
    .bind(row::ms(case.opened_at))
    .bind(row::ms(case.updated_at))
    .bind(case.rank.as_ref().map(|r| r.priority.minor))
    .bind(case.rank.as_ref().map(|r| r.value.expected.minor))
    .bind(case.evidence_hash.clone())
    .bind(case.owner.as_ref().map(|p| p.0.clone()))
    .bind(row::body(case))
    .bind(case_pages::place(case))
    .bind(case_pages::codes(case))
    .bind(about.item)
    .bind(about.location)
    .bind(about.supplier)
    .execute(&mut **tx)
    .await?;
    if done.rows_affected() == 0 {
        return Err(StoreError::Conflict);
    }
    keep_members(tx, case).await
}

/// Takes away a case that is still at version `seen` and that nobody has been told of.
async fn remove(tx: &mut Transaction<'_, Any>, id: &CaseId, seen: i64) -> Result<(), StoreError> {
    // What belongs to it first: it refers to the case.
    // Evidence too: one whose draft was cut off has it frozen already.
    for table in ["case_exceptions", "case_links", "evidence"] {
        // Safe: these names are our own.
        let sql = format!("delete from {table} where case_id = $1");
        sqlx::query(AssertSqlSafe(sql)).bind(id.as_str()).execute(&mut **tx).await?;
    }
    let done = sqlx::query("delete from cases where id = $1 and version = $2 and state in ('new', 'latent')")
        .bind(id.as_str())
        .bind(seen)
        .execute(&mut **tx)
        .await?;
    if done.rows_affected() == 0 { Err(StoreError::Conflict) } else { Ok(()) }
}

/// Moves a case from version `seen` to its new content, whose version is `seen` + 1.
pub(super) async fn advance(tx: &mut Transaction<'_, Any>, case: &Case, seen: i64) -> Result<(), StoreError> {
    debug_assert_eq!(case.version, seen + 1, "a case's version counts up by one");
    let about = CaseSubject::of(case);
    let moved = sqlx::query(
        "update cases set state = $1, version = $2, opened_at = $3, updated_at = $4, priority_minor = $5,
             value_minor = $6, evidence_hash = $7, owner = $8, body = $9, place = $10, codes = $11,
             item = $12, location = $13, supplier = $14, subject_kept = 1
         where id = $15 and version = $16",
    )
    .bind(case.state.name())
    .bind(case.version)
    .bind(row::ms(case.opened_at))
    .bind(row::ms(case.updated_at))
    .bind(case.rank.as_ref().map(|r| r.priority.minor))
    .bind(case.rank.as_ref().map(|r| r.value.expected.minor))
    .bind(case.evidence_hash.clone())
    .bind(case.owner.as_ref().map(|p| p.0.clone()))
    .bind(row::body(case))
    .bind(case_pages::place(case))
    .bind(case_pages::codes(case))
    .bind(about.item)
    .bind(about.location)
    .bind(about.supplier)
    .bind(case.id.as_str())
    .bind(seen)
    .execute(&mut **tx)
    .await?;
    if moved.rows_affected() == 0 {
        return Err(StoreError::Conflict);
    }
    keep_members(tx, case).await
}

/// Keeps the rows that say which exceptions and links are the case's.
async fn keep_members(tx: &mut Transaction<'_, Any>, case: &Case) -> Result<(), StoreError> {
    sqlx::query("delete from case_exceptions where case_id = $1").bind(case.id.as_str()).execute(&mut **tx).await?;
    for (place, exception) in case.exceptions.iter().enumerate() {
        sqlx::query(
            "insert into case_exceptions (case_id, exception_id, place) values ($1, $2, $3)
             on conflict (case_id, exception_id) do nothing",
        )
        .bind(case.id.as_str())
        .bind(exception.as_str())
        .bind(row::count(place))
        .execute(&mut **tx)
        .await?;
    }
    sqlx::query("delete from case_links where case_id = $1").bind(case.id.as_str()).execute(&mut **tx).await?;
    // What is over claims nothing any more: its links are free for the next case with the same cause.
    if !case.state.is_live() {
        return Ok(());
    }
    for link in &case.links {
        // A link passes to the case that claimed it last: that is how one case takes over from another.
        sqlx::query(
            "insert into case_links (link, case_id) values ($1, $2)
             on conflict (link) do update set case_id = excluded.case_id",
        )
        .bind(row::clean(link))
        .bind(case.id.as_str())
        .execute(&mut **tx)
        .await?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use crate::domain::case::CaseState;
    use crate::domain::evidence::Bundle;
    use crate::store::testing::{case, entry, exception, moved, on_each, with_case};
    use crate::store::{StoreError, Which};

    #[tokio::test]
    async fn the_second_of_two_conflicting_changes_loses_and_leaves_no_trace() {
        on_each(|store| async move {
            let case = with_case(&store, "case-1", 100).await;
            let first = moved(&case, CaseState::Open);
            let second = moved(&case, CaseState::Expired);
            store.advance_case(&first, 1, &[entry("case.queued")]).await.unwrap();
            let lost = store.advance_case(&second, 1, &[entry("case.expired")]).await;
            assert!(matches!(lost, Err(StoreError::Conflict)), "{lost:?}");
            assert_eq!(store.get_case(&case.id).await.unwrap(), first);
            assert_eq!(store.verify_audit().await.unwrap().0, 2, "the loser's entry is not in the log");
        })
        .await;
    }

    #[tokio::test]
    async fn of_changes_made_at_once_exactly_one_wins() {
        on_each(|store| async move {
            let case = with_case(&store, "case-1", 100).await;
            let change = moved(&case, CaseState::Open);
            let entries = [entry("case.queued")];
            let (a, b, c) = tokio::join!(
                store.advance_case(&change, 1, &entries),
                store.advance_case(&change, 1, &entries),
                store.advance_case(&change, 1, &entries),
            );
            let won = [&a, &b, &c].iter().filter(|r| r.is_ok()).count();
            assert_eq!(won, 1, "{a:?} {b:?} {c:?}");
            assert_eq!(store.verify_audit().await.unwrap().0, 2);
        })
        .await;
    }

    #[tokio::test]
    async fn a_detection_run_with_one_conflict_changes_nothing() {
        on_each(|store| async move {
            let old = with_case(&store, "case-1", 100).await;
            let new = case("case-2", 200);
            let stale = (crate::domain::case::Case { version: 8, ..moved(&old, CaseState::Open) }, Some(7));
            let run = store
                .save_detection(&[exception("case-2")], &[(new.clone(), None), stale], &[], &[entry("case.opened")], None)
                .await;
            assert!(matches!(run, Err(StoreError::Conflict)), "{run:?}");
            assert_eq!(store.find_case(&new.id).await.unwrap(), None);
            assert_eq!(store.list_exceptions(Which::All).await.unwrap().len(), 1);
            assert_eq!(store.audit_head().await.unwrap().0, 1);
            assert_eq!(store.find_setting("seen").await.unwrap(), None);
            let again = store.save_detection(&[], &[(old, None)], &[], &[], None).await;
            assert!(matches!(again, Err(StoreError::Conflict)), "a case is opened once: {again:?}");
        })
        .await;
    }

    #[tokio::test]
    async fn a_case_that_people_were_told_of_is_never_taken_away() {
        on_each(|store| async move {
            let (gone, told) = (with_case(&store, "case-1", 100).await, with_case(&store, "case-2", 100).await);
            let told = moved(&told, CaseState::Open);
            store.advance_case(&told, 1, &[]).await.unwrap();
            for (id, seen) in [(&told.id, 2), (&gone.id, 7)] {
                let refused = store.save_detection(&[], &[], &[(id.clone(), seen)], &[], None).await;
                assert!(matches!(refused, Err(StoreError::Conflict)), "{id}: {refused:?}");
            }
            assert_eq!(store.list_links().await.unwrap().len(), 2, "nothing of it is half done");
            // Its draft was begun, and cut off before anybody was told.
            let (case_id, as_of) = (gone.id.clone(), gone.opened_at);
            let facts = std::collections::BTreeMap::new();
            store
                .insert_bundle(&Bundle { case_id, version: 1, as_of, facts, missing: vec![], workings: None })
                .await
                .unwrap();
            store.save_detection(&[], &[], &[(gone.id.clone(), 1)], &[], None).await.unwrap();
            assert_eq!(store.find_case(&gone.id).await.unwrap(), None);
            assert_eq!(store.list_links().await.unwrap().into_values().collect::<Vec<_>>(), [told.id]);
            assert_eq!(store.list_exceptions(Which::All).await.unwrap().len(), 2, "its exceptions stay");
        })
        .await;
    }

    #[tokio::test]
    async fn cases_come_by_priority_and_unranked_ones_last() {
        on_each(|store| async move {
            with_case(&store, "case-a", 100).await;
            with_case(&store, "case-b", 300).await;
            let mut unranked = case("case-c", 0);
            unranked.rank = None;
            store.save_detection(&[exception("case-c")], &[(unranked, None)], &[], &[], None).await.unwrap();
            let open = with_case(&store, "case-d", 200).await;
            store.advance_case(&moved(&open, CaseState::Open), 1, &[]).await.unwrap();
            let ids = |cases: Vec<crate::domain::case::Case>| cases.into_iter().map(|c| c.id.0).collect::<Vec<_>>();
            assert_eq!(ids(store.list_cases(&["new"]).await.unwrap()), ["case-b", "case-a", "case-c"]);
            assert_eq!(ids(store.list_cases(&["new", "open"]).await.unwrap()).len(), 4);
            assert_eq!(ids(store.list_cases(&[]).await.unwrap())[1], "case-d");
            assert_eq!(store.count_cases().await.unwrap()["new"], 3);
        })
        .await;
    }

    #[tokio::test]
    async fn a_closed_case_gives_its_links_up_and_keeps_its_exceptions() {
        on_each(|store| async move {
            let case = with_case(&store, "case-1", 100).await;
            assert_eq!(store.list_links().await.unwrap()["link:case-1"], case.id);
            store.advance_case(&moved(&case, CaseState::Closed), 1, &[]).await.unwrap();
            assert!(store.list_links().await.unwrap().is_empty());
            assert_eq!(store.list_case_exceptions(&case.id).await.unwrap(), [exception("case-1")]);
            assert_eq!(store.map_exceptions_to_cases(&[&case.exceptions[0]]).await.unwrap()[&case.exceptions[0]], case.id);
        })
        .await;
    }

    #[tokio::test]
    async fn a_transaction_that_is_not_committed_changes_nothing() {
        on_each(|store| async move {
            let case = with_case(&store, "case-1", 100).await;
            {
                let mut tx = store.begin().await.unwrap();
                super::advance(&mut tx, &moved(&case, CaseState::Closed), 1).await.unwrap();
                crate::store::audit::append(&mut tx, &[entry("case.closed")]).await.unwrap();
            }
            assert_eq!(store.get_case(&case.id).await.unwrap(), case);
            assert_eq!(store.verify_audit().await.unwrap().0, 1);
        })
        .await;
    }

    #[tokio::test]
    async fn a_damaged_row_says_where_it_is() {
        on_each(|store| async move {
            let case = with_case(&store, "case-1", 100).await;
            sqlx::query("update cases set body = '{}' where id = 'case-1'").execute(&store.pool).await.unwrap();
            let error = store.get_case(&case.id).await.unwrap_err().to_string();
            assert!(error.contains("table cases, row \"case-1\": column body"), "{error}");
        })
        .await;
    }
}
