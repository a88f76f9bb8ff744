//! Recommendations. Their content never changes, their state does, guarded by a version.

use std::collections::BTreeMap;

use jiff::Timestamp;
use sqlx::any::AnyRow;
use sqlx::{Any, AssertSqlSafe, Transaction};

use super::{Store, StoreError, audit, cases, row};
use crate::domain::audit::AuditEntry;
use crate::domain::case::{Case, CaseState};
use crate::domain::decision::RecommendationState;
use crate::domain::ids::{CaseId, ItemId, RecommendationId};
use crate::domain::recommendation::Recommendation;

/// Rows that one statement names.
const SOME: usize = 500;

/// States of recommendations, by their names as in [`RecommendationState::name`].
#[derive(Clone, Copy, Debug)]
pub enum States<'a> {
    /// Whatever it is.
    Any,
    /// Any of these.
    In(&'a [&'a str]),
    /// Any other.
    NotIn(&'a [&'a str]),
}

impl<'a> States<'a> {
    /// The condition, with placeholders from `$from` on, and what they stand for.
    fn filter(self, from: usize) -> (String, &'a [&'a str]) {
        match self {
            Self::Any => (String::new(), &[]),
            Self::In(names) => (format!(" and state in ({})", row::placeholders(from, names.len())), names),
            Self::NotIn(names) => (format!(" and state not in ({})", row::placeholders(from, names.len())), names),
        }
    }
}

/// Nobody has decided them yet: they may be superseded.
fn is_undecided(state: &RecommendationState) -> bool {
    matches!(state, RecommendationState::Drafted | RecommendationState::Shadow | RecommendationState::Checked)
        || state.is_waiting()
}

/// What stands for an item where a recommendation takes units of several.
const SEVERAL: &str = "*";

/// States of what was set aside without a decision: when the same content comes back, so does it.
pub const SET_ASIDE: &[&str] = &["superseded", "expired"];

/// How often the recommendations of a case have changed. That one was put before people says nothing new of it.
const CHANGED: &str = "coalesce(sum(r.version - case when r.state = 'queued' then 1 else 0 end), 0)";

impl Store {
    /// Replaces what a case proposes: its undecided recommendations that are not in `recs` become superseded, new ones are
    /// inserted as given, ones that were set aside before come back as given, undecided or decided ones stay as they are.
    /// The case moves from version `seen`. All or nothing. Answers how often they have changed by then, as in
    /// [`Store::count_proposals`].
    ///
    /// # Errors
    /// [`StoreError::Conflict`] when the case is not at `seen` any more.
    pub async fn replace_recommendations(
        &self,
        case: &Case,
        seen: i64,
        recs: &[Recommendation],
        entries: &[AuditEntry],
    ) -> Result<i64, StoreError> {
        let mut tx = self.begin().await?;
        cases::advance(&mut tx, case, seen).await?;
        let kept = list_touched(&mut tx, case, recs).await?;
        for (old, version) in &kept {
            if is_undecided(&old.state) && !recs.iter().any(|rec| rec.id == old.id) {
                let old = Recommendation { state: RecommendationState::Superseded, ..old.clone() };
                advance(&mut tx, &old, *version).await?;
            }
        }
        for rec in recs {
            match kept.iter().find(|(old, _)| old.id == rec.id) {
                None => insert(&mut tx, rec).await?,
                // Facts went away and came back. An id is made of the content, so the same one is there already.
                Some((old, version)) if SET_ASIDE.contains(&old.state.name()) => advance(&mut tx, rec, *version).await?,
                // The same words by another hand, or for another reason: what people have begun on them stands.
                Some((old, version)) if is_undecided(&old.state) && old.drafter != rec.drafter => {
                    advance(&mut tx, &Recommendation { drafter: rec.drafter.clone(), ..old.clone() }, *version).await?;
                }
                Some(_) => {}
            }
        }
        audit::append(&mut tx, entries).await?;
        // Safe: the text is of this file only.
        let sql = format!("select r.case_id as id, cast({CHANGED} as bigint) as n from recommendations r where r.case_id = $1 group by r.case_id");
        let counted = sqlx::query(AssertSqlSafe(sql)).bind(case.id.as_str()).fetch_optional(&mut *tx).await?;
        let changed = counted.map(|r| row::get(&r, "recommendations", "n")).transpose()?;
        tx.commit().await?;
        Ok(changed.unwrap_or(0))
    }

    /// What a case proposes and proposed, each with its version: by the drafter's order, then age.
    pub async fn list_recommendations(&self, case: &CaseId) -> Result<Vec<(Recommendation, i64)>, StoreError> {
        let rows =
            sqlx::query("select id, version, body from recommendations where case_id = $1 order by rank, drafted_at, id")
                .bind(case.as_str())
                .fetch_all(&self.pool)
                .await?;
        rows.iter().map(versioned).collect()
    }

    /// What each of `cases` proposes and proposed, as far as it is in one of `states`, each with its version: by case, then the
    /// drafter's order, then age.
    pub async fn list_recommendations_of(
        &self,
        cases: &[&CaseId],
        states: States<'_>,
    ) -> Result<Vec<(Recommendation, i64)>, StoreError> {
        let mut found = Vec::new();
        for some in cases.chunks(SOME) {
            let (filter, names) = states.filter(1);
            let sql = format!(
                "select id, version, body from recommendations where case_id in ({}){filter}
                 order by case_id, rank, drafted_at, id",
                row::placeholders(1 + names.len(), some.len())
            );
            // Safe: the text is made of placeholders only.
            let mut query = sqlx::query(AssertSqlSafe(sql));
            for text in names.iter().copied().chain(some.iter().map(|case| case.as_str())) {
                query = query.bind(text);
            }
            for r in &query.fetch_all(&self.pool).await? {
                found.push(versioned(r)?);
            }
        }
        Ok(found)
    }

    /// The recommendations of these ids, as far as there are any, each with its version, by id.
    pub async fn list_recommendations_named(
        &self,
        ids: &[&RecommendationId],
    ) -> Result<Vec<(Recommendation, i64)>, StoreError> {
        let mut found = Vec::new();
        for some in ids.chunks(SOME) {
            let sql = format!(
                "select id, version, body from recommendations where id in ({}) order by id",
                row::placeholders(1, some.len())
            );
            // Safe: the text is made of placeholders only.
            let mut query = sqlx::query(AssertSqlSafe(sql));
            for id in some {
                query = query.bind(id.as_str());
            }
            for r in &query.fetch_all(&self.pool).await? {
                found.push(versioned(r)?);
            }
        }
        Ok(found)
    }

    /// The first recommendation of each of `cases` that is in one of `states`: by the drafter's order, then age.
    pub async fn list_first_recommendations(
        &self,
        cases: &[&CaseId],
        states: States<'_>,
    ) -> Result<BTreeMap<CaseId, Recommendation>, StoreError> {
        let mut found = BTreeMap::new();
        for some in cases.chunks(SOME) {
            let (filter, names) = states.filter(1);
            // The bodies of the others are not read.
            let sql = format!(
                "select id, version, body from recommendations where id in (
                     select id from (
                         select id, row_number() over (partition by case_id order by rank, drafted_at, id) as n
                         from recommendations where case_id in ({}){filter}
                     ) as numbered where n = 1
                 )",
                row::placeholders(1 + names.len(), some.len())
            );
            // Safe: the text is made of placeholders only.
            let mut query = sqlx::query(AssertSqlSafe(sql));
            for text in names.iter().copied().chain(some.iter().map(|case| case.as_str())) {
                query = query.bind(text);
            }
            for r in &query.fetch_all(&self.pool).await? {
                let (rec, _) = versioned(r)?;
                found.insert(rec.case_id.clone(), rec);
            }
        }
        Ok(found)
    }

    /// Which cases have recommendations in any of `states`, by id.
    pub async fn list_cases_proposing(&self, states: &[&str]) -> Result<Vec<CaseId>, StoreError> {
        let sql =
            format!("select distinct case_id from recommendations where state in ({})", row::placeholders(1, states.len()));
        // Safe: the text is made of placeholders only.
        let mut query = sqlx::query(AssertSqlSafe(sql));
        for state in states {
            query = query.bind(*state);
        }
        let rows = query.fetch_all(&self.pool).await?;
        let mut cases = rows
            .iter()
            .map(|r| Ok(CaseId(row::get(r, "recommendations", "case_id")?)))
            .collect::<Result<Vec<_>, StoreError>>()?;
        cases.sort();
        Ok(cases)
    }

    /// The recommendations in any of `states` (names as in [`RecommendationState::name`]; none means all), each with its
    /// version: by case, then the drafter's order.
    pub async fn list_recommendations_in(&self, states: &[&str]) -> Result<Vec<(Recommendation, i64)>, StoreError> {
        let filter = match states.len() {
            0 => String::new(),
            n => format!("where state in ({})", row::placeholders(1, n)),
        };
        // Safe: the text is made of placeholders only.
        let mut query = sqlx::query(AssertSqlSafe(format!(
            "select id, version, body from recommendations {filter} order by case_id, rank, drafted_at, id"
        )));
        for state in states {
            query = query.bind(*state);
        }
        query.fetch_all(&self.pool).await?.iter().map(versioned).collect()
    }

    /// How often the recommendations of each case for which something is drafted have changed: while it is the same, none of them has,
    /// but for being put before people.
    ///
    /// # Errors
    /// The database's.
    pub async fn count_proposals(&self) -> Result<BTreeMap<CaseId, i64>, StoreError> {
        let sql = format!(
            "select r.case_id as id, cast({CHANGED} as bigint) as n from recommendations r join cases c on c.id = r.case_id
             where c.state in ({}) group by r.case_id",
            row::placeholders(1, CaseState::JUDGED.len())
        );
        // Safe: the text is made of placeholders only.
        let mut query = sqlx::query(AssertSqlSafe(sql));
        for state in CaseState::JUDGED {
            query = query.bind(*state);
        }
        let rows = query.fetch_all(&self.pool).await?;
        let count = |r: &AnyRow| Ok((CaseId(row::get(r, "recommendations", "id")?), row::get(r, "recommendations", "n")?));
        rows.iter().map(count).collect()
    }

    /// The recommendations in any of `states` that take units of one of `items` from some place, or belong to one of `cases` and
    /// take units of anything: by case, then the drafter's order. There may be some among them that take other items' units.
    ///
    /// # Errors
    /// The database's.
    pub async fn list_takers(
        &self,
        states: &[&str],
        items: &[&ItemId],
        cases: &[&CaseId],
    ) -> Result<Vec<Recommendation>, StoreError> {
        let (s, i, c) = (states.len(), items.len(), cases.len());
        let of_cases = if c == 0 { "1 = 0".to_owned() } else { format!("case_id in ({})", row::placeholders(s + i + 2, c)) };
        let sql = format!(
            "select id, version, body from recommendations
             where donates is not null and state in ({}) and (donates in ({}) or {of_cases})
             order by case_id, rank, drafted_at, id",
            row::placeholders(1, s),
            row::placeholders(s + 1, i + 1),
        );
        // Safe: the text is made of placeholders only.
        let mut query = sqlx::query(AssertSqlSafe(sql));
        for state in states {
            query = query.bind(*state);
        }
        // A plan that takes of several items is found under none of them alone.
        for item in items.iter().map(|item| item.as_str()).chain([SEVERAL]) {
            query = query.bind(item);
        }
        for case in cases {
            query = query.bind(case.as_str());
        }
        query.fetch_all(&self.pool).await?.iter().map(|r| Ok(versioned(r)?.0)).collect()
    }

    /// The recommendations drafted from `from` to `to`, each with its version, oldest first.
    pub async fn list_recommendations_between(
        &self,
        from: Timestamp,
        to: Timestamp,
    ) -> Result<Vec<(Recommendation, i64)>, StoreError> {
        let rows = sqlx::query(
            "select id, version, body from recommendations where drafted_at >= $1 and drafted_at <= $2
             order by drafted_at, id",
        )
        .bind(row::ms(from))
        .bind(row::ms(to))
        .fetch_all(&self.pool)
        .await?;
        rows.iter().map(versioned).collect()
    }

    /// How many recommendations are in each state.
    pub async fn count_recommendations(&self) -> Result<BTreeMap<String, i64>, StoreError> {
        let rows =
            sqlx::query("select state, count(*) as n from recommendations group by state").fetch_all(&self.pool).await?;
        rows.iter().map(|r| Ok((row::get(r, "recommendations", "state")?, row::get(r, "recommendations", "n")?))).collect()
    }

    /// A recommendation and its version.
    ///
    /// # Errors
    /// [`StoreError::NotFound`].
    pub async fn get_recommendation(&self, id: &RecommendationId) -> Result<(Recommendation, i64), StoreError> {
        let found = sqlx::query("select id, version, body from recommendations where id = $1")
            .bind(id.as_str())
            .fetch_optional(&self.pool)
            .await?;
        match found {
            Some(found) => versioned(&found),
            None => Err(StoreError::NotFound { what: "recommendation", id: id.to_string() }),
        }
    }

    /// The content hash that was kept when the recommendation was written.
    ///
    /// # Errors
    /// [`StoreError::NotFound`].
    pub async fn content_hash_of(&self, id: &RecommendationId) -> Result<String, StoreError> {
        let found = sqlx::query("select id, content_hash from recommendations where id = $1")
            .bind(id.as_str())
            .fetch_optional(&self.pool)
            .await?;
        match found {
            Some(found) => row::get(&found, "recommendations", "content_hash"),
            None => Err(StoreError::NotFound { what: "recommendation", id: id.to_string() }),
        }
    }
}

fn versioned(r: &AnyRow) -> Result<(Recommendation, i64), StoreError> {
    Ok((row::json(r, "recommendations", "body")?, row::get(r, "recommendations", "version")?))
}

/// What replacing a case's recommendations by `recs` may touch: all that was not set aside, and of that what comes back.
async fn list_touched(
    tx: &mut Transaction<'_, Any>,
    case: &Case,
    recs: &[Recommendation],
) -> Result<Vec<(Recommendation, i64)>, StoreError> {
    let same = if recs.is_empty() { String::new() } else { format!(" or id in ({})", row::placeholders(4, recs.len())) };
    let sql = format!(
        "select id, version, body from recommendations where case_id = $1 and (state not in ($2, $3){same}) order by id"
    );
    // Safe: the text is made of placeholders only.
    let mut query = sqlx::query(AssertSqlSafe(sql)).bind(case.id.as_str());
    for text in SET_ASIDE.iter().copied().chain(recs.iter().map(|rec| rec.id.as_str())) {
        query = query.bind(text);
    }
    query.fetch_all(&mut **tx).await?.iter().map(versioned).collect()
}

/// Keeps a new recommendation.
pub(super) async fn insert(tx: &mut Transaction<'_, Any>, rec: &Recommendation) -> Result<(), StoreError> {
    let done = sqlx::query(
        "insert into recommendations
             (id, case_id, rank, state, version, evidence_hash, content_hash, value_minor, drafted_at, body, donates)
         values ($1, $2, $3, $4, 1, $5, $6, $7, $8, $9, $10)
         on conflict (id) do nothing",
    )
    .bind(rec.id.as_str())
    .bind(rec.case_id.as_str())
    .bind(i64::from(rec.rank))
    .bind(rec.state.name())
    .bind(rec.evidence_hash.as_str())
    .bind(rec.content_hash())
    .bind(rec.candidate.value.minor)
    .bind(row::ms(rec.drafted_at))
    .bind(row::body(rec))
    .bind(donates(rec))
    .execute(&mut **tx)
    .await?;
    if done.rows_affected() == 0 {
        return Err(StoreError::Conflict);
    }
    Ok(())
}

/// Of which item's stock it takes units; `*` of several.
fn donates(rec: &Recommendation) -> Option<String> {
    let mut items = rec.candidate.actions().filter_map(|action| Some(action.donor()?.0));
    let first = items.next()?;
    Some(if items.all(|item| item == first) { first.to_string() } else { SEVERAL.to_owned() })
}

/// Moves a recommendation on from version `seen`. Its content is what its id was made of and stays.
pub(super) async fn advance(tx: &mut Transaction<'_, Any>, rec: &Recommendation, seen: i64) -> Result<(), StoreError> {
    let moved = sqlx::query(
        "update recommendations set state = $1, version = version + 1, drafted_at = $2, body = $3
         where id = $4 and version = $5",
    )
    .bind(rec.state.name())
    .bind(row::ms(rec.drafted_at))
    .bind(row::body(rec))
    .bind(rec.id.as_str())
    .bind(seen)
    .execute(&mut **tx)
    .await?;
    if moved.rows_affected() == 0 {
        return Err(StoreError::Conflict);
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use crate::domain::case::CaseState;
    use crate::domain::decision::{Before, RecommendationState as State};
    use crate::domain::ids::{PersonId, RecommendationId};
    use crate::domain::recommendation::{Drafter, NotByModel, Recommendation};
    use crate::store::testing::{at, entry, moved, on_each, recommendation, with_case};
    use crate::store::{Change, Store, StoreError};

    async fn states(store: &Store, case: &crate::domain::case::Case) -> Vec<(u32, &'static str, i64)> {
        let recs = store.list_recommendations(&case.id).await.unwrap();
        recs.iter().map(|(rec, version)| (rec.rank, rec.state.name(), *version)).collect()
    }

    #[tokio::test]
    async fn new_recommendations_supersede_undecided_ones_and_leave_decided_ones() {
        on_each(|store| async move {
            let v1 = with_case(&store, "case-1", 100).await;
            let [one, two, three] = [1, 2, 3].map(|rank| recommendation(&v1, rank, State::Queued));
            let v2 = moved(&v1, CaseState::Open);
            store.replace_recommendations(&v2, 1, &[one.clone(), two.clone()], &[entry("drafted")]).await.unwrap();
            let by = PersonId::new("ada");
            let approved = Recommendation {
                state: State::Approved { by: vec![by], at: at(1), before: Before::default() },
                ..one.clone()
            };
            store.advance(Change { recommendations: &[(approved, 1)], ..Change::default() }).await.unwrap();

            let v3 = moved(&v2, CaseState::Open);
            store.replace_recommendations(&v3, 2, std::slice::from_ref(&three), &[entry("drafted")]).await.unwrap();
            assert_eq!(states(&store, &v1).await, [(1, "approved", 2), (2, "superseded", 2), (3, "queued", 1)]);

            // What comes back unchanged is the same recommendation, waiting again; what was decided stays decided.
            let v4 = moved(&v3, CaseState::Open);
            store.replace_recommendations(&v4, 3, &[one.clone(), two.clone()], &[entry("drafted")]).await.unwrap();
            assert_eq!(states(&store, &v1).await, [(1, "approved", 2), (2, "queued", 3), (3, "superseded", 2)]);
            let waiting = store.list_recommendations_in(&["queued", "signed"]).await.unwrap();
            assert_eq!(waiting, [(two, 3)]);
            assert_eq!(store.verify_audit().await.unwrap().0, 4);
        })
        .await;
    }

    #[tokio::test]
    async fn a_recommendation_that_moved_on_is_not_moved_from_where_it_was() {
        on_each(|store| async move {
            let case = with_case(&store, "case-1", 100).await;
            let rec = recommendation(&case, 1, State::Queued);
            let open = moved(&case, CaseState::Open);
            store.replace_recommendations(&open, 1, std::slice::from_ref(&rec), &[]).await.unwrap();
            let expired = [(Recommendation { state: State::Expired, ..rec.clone() }, 1)];
            let handed = [(Recommendation { state: State::HandedOff, ..rec.clone() }, 1)];
            store.advance(Change { recommendations: &expired, ..Change::default() }).await.unwrap();
            let late = store.advance(Change { recommendations: &handed, ..Change::default() }).await;
            assert!(matches!(late, Err(StoreError::Conflict)), "{late:?}");
            assert_eq!(states(&store, &case).await, [(1, "expired", 2)]);
        })
        .await;
    }

    #[tokio::test]
    async fn the_same_words_by_another_hand_say_whose_they_are_and_stay_where_they_were() {
        on_each(|store| async move {
            let v1 = with_case(&store, "case-1", 100).await;
            let v2 = moved(&v1, CaseState::Open);
            let queued = recommendation(&v1, 1, State::Queued);
            store.replace_recommendations(&v2, 1, std::slice::from_ref(&queued), &[]).await.unwrap();
            let because = Some(NotByModel::of("the model is away"));
            let again = Recommendation { drafter: Drafter::Playbook { because }, state: State::Drafted, ..queued.clone() };
            let v3 = moved(&v2, CaseState::Open);
            store.replace_recommendations(&v3, 2, std::slice::from_ref(&again), &[]).await.unwrap();
            let (kept, _) = store.get_recommendation(&queued.id).await.unwrap();
            assert_eq!((&kept.drafter, kept.state.name()), (&again.drafter, "queued"));
        })
        .await;
    }

    #[tokio::test]
    async fn a_case_that_moved_on_takes_no_recommendations() {
        on_each(|store| async move {
            let v1 = with_case(&store, "case-1", 100).await;
            let v2 = moved(&v1, CaseState::Open);
            store.advance_case(&v2, 1, &[]).await.unwrap();
            let rec = recommendation(&v1, 1, State::Queued);
            let late = store.replace_recommendations(&v2, 1, std::slice::from_ref(&rec), &[entry("drafted")]).await;
            assert!(matches!(late, Err(StoreError::Conflict)), "{late:?}");
            let missing = store.get_recommendation(&rec.id).await;
            assert!(matches!(missing, Err(StoreError::NotFound { .. })), "{missing:?}");
            let nobody = store.get_recommendation(&RecommendationId::new("r-none")).await.unwrap_err();
            assert_eq!(nobody.to_string(), "there is no recommendation \"r-none\" in the store");
        })
        .await;
    }
}
