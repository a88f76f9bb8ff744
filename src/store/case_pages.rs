//! Cases page by page, in the order of the queue.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;

use jiff::Timestamp;
use sqlx::AssertSqlSafe;

use super::{CaseSubject, Store, StoreError, row};
use crate::domain::case::Case;
use crate::domain::exception::ExceptionType;
use crate::domain::ids::CaseId;

/// Where a page ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CaseAfter {
    /// The last case's priority, in minor units; None where it was not ranked.
    pub priority_minor: Option<i64>,
    /// When it was opened.
    pub opened_at: Timestamp,
    /// Which it was.
    pub id: CaseId,
}

impl CaseAfter {
    /// The place of a case.
    pub fn of(case: &Case) -> Self {
        Self {
            priority_minor: case.rank.as_ref().map(|rank| rank.priority.minor),
            opened_at: case.opened_at,
            id: case.id.clone(),
        }
    }
}

/// Every state of what is or was put before people, or waits to be: who asks for all of them reads each in its order. What is in
/// shadow is asked for by name.
const STATES: [&str; 11] = [
    "new",
    "latent",
    "open",
    "snoozed",
    "decided",
    "verifying",
    "closed",
    "resolved_itself",
    "expired",
    "merged",
    "withdrawn",
];

/// The place of what is not ranked: below every amount.
const UNRANKED: i64 = -i64::MAX;

/// Rows that one statement names.
const SOME: usize = 500;

impl Store {
    /// At most `limit` cases behind `after`, in any of `states` (none means all) and, where a type is asked for, with an
    /// exception of it, in the order of [`Store::list_cases`].
    pub async fn list_cases_after(
        &self,
        states: &[&str],
        code: Option<ExceptionType>,
        after: Option<&CaseAfter>,
        limit: usize,
    ) -> Result<Vec<Case>, StoreError> {
        self.list_cases_about(states, code, &CaseSubject::default(), after, limit).await
    }

    /// The same of cases that are about `subject`.
    pub async fn list_cases_about(
        &self,
        states: &[&str],
        code: Option<ExceptionType>,
        subject: &CaseSubject,
        after: Option<&CaseAfter>,
        limit: usize,
    ) -> Result<Vec<Case>, StoreError> {
        let states = if states.is_empty() { &STATES[..] } else { states };
        let mut filter = String::new();
        // That the place is not above the last one follows from the rest; said by itself it lets the index begin there.
        if after.is_some() {
            filter.push_str(" and place <= $2 and (place < $2 or opened_at > $3 or (opened_at = $3 and id > $4))");
        }
        let behind = if after.is_some() { 5 } else { 2 };
        if code.is_some() {
            let _ = write!(filter, " and codes like ${behind}");
        }
        let (about, ids) = subject.filter(behind + usize::from(code.is_some()));
        filter.push_str(&about);
        let from = behind + usize::from(code.is_some()) + ids.len();
        // The index has the cases of each state in their order: the first of each are enough to find the first of all.
        let firsts = (from..from + states.len()).map(|n| {
            format!(
                "select * from (select id, place, opened_at from cases where state = ${n}{filter}
                     order by place desc, opened_at, id limit $1) as of_state_{n}"
            )
        });
        let sql = format!(
            "select c.id, c.body from (
                 select id, place, opened_at from ({}) as firsts order by place desc, opened_at, id limit $1
             ) as page join cases c on c.id = page.id order by page.place desc, page.opened_at, page.id",
            firsts.collect::<Vec<_>>().join(" union all ")
        );
        // Safe: the text is made of placeholders only.
        let mut query = sqlx::query(AssertSqlSafe(sql)).bind(row::count(limit));
        if let Some(after) = after {
            query =
                query.bind(after.priority_minor.unwrap_or(UNRANKED)).bind(row::ms(after.opened_at)).bind(after.id.as_str());
        }
        if let Some(code) = code {
            query = query.bind(format!("% {} %", code.code()));
        }
        for id in ids {
            query = query.bind(id);
        }
        for state in states {
            query = query.bind(*state);
        }
        let rows = query.fetch_all(&self.pool).await?;
        rows.iter().map(|r| row::json(r, TABLE, "body")).collect()
    }

    /// How many cases in any of `states` (none means all) have exceptions of which types.
    pub async fn count_case_types(&self, states: &[&str]) -> Result<BTreeMap<BTreeSet<ExceptionType>, usize>, StoreError> {
        self.count_case_types_about(states, &CaseSubject::default()).await
    }

    /// The same of cases that are about `subject`.
    pub async fn count_case_types_about(
        &self,
        states: &[&str],
        subject: &CaseSubject,
    ) -> Result<BTreeMap<BTreeSet<ExceptionType>, usize>, StoreError> {
        let states = if states.is_empty() { &STATES[..] } else { states };
        let (about, ids) = subject.filter(1 + states.len());
        let sql = format!(
            "select codes, count(*) as n from cases where state in ({}){about} group by codes",
            row::placeholders(1, states.len())
        );
        // Safe: the text is made of placeholders only.
        let mut query = sqlx::query(AssertSqlSafe(sql));
        for state in states {
            query = query.bind(*state);
        }
        for id in ids {
            query = query.bind(id);
        }
        let mut counts = BTreeMap::new();
        for r in &query.fetch_all(&self.pool).await? {
            let (codes, n): (&str, i64) = (row::get(r, TABLE, "codes")?, row::get(r, TABLE, "n")?);
            let read = codes.split_whitespace().map(str::parse::<ExceptionType>).collect::<Result<BTreeSet<_>, _>>();
            let types = read.map_err(|_| row::corrupt(r, TABLE, "codes", format!("{codes:?} are no types").into()))?;
            // Cases may name the same types in another order: the leading one stands first.
            *counts.entry(types).or_default() += usize::try_from(n).unwrap_or(0);
        }
        Ok(counts)
    }

    /// How many cases are in any of `states`.
    pub async fn count_cases_in(&self, states: &[&str]) -> Result<usize, StoreError> {
        Ok(self.count_case_types(states).await?.values().sum())
    }

    /// Was any case in state `new` opened after `at`?
    pub async fn has_new_since(&self, at: Timestamp) -> Result<bool, StoreError> {
        let found = sqlx::query("select id from cases where state = 'new' and opened_at > $1 limit 1").bind(row::ms(at));
        Ok(found.fetch_optional(&self.pool).await?.is_some())
    }

    /// The cases in any of `states` in which an exception of one of `codes` holds, in the order of [`Store::list_cases`].
    pub async fn list_cases_with(&self, states: &[&str], codes: &[ExceptionType]) -> Result<Vec<Case>, StoreError> {
        self.list_cases_about_with(&CaseSubject::default(), states, codes).await
    }

    /// The same of cases that are about `subject`.
    pub async fn list_cases_about_with(
        &self,
        subject: &CaseSubject,
        states: &[&str],
        codes: &[ExceptionType],
    ) -> Result<Vec<Case>, StoreError> {
        if codes.is_empty() {
            return Ok(Vec::new());
        }
        let (about, ids) = subject.filter(1 + states.len() + codes.len());
        // Of a subject its few cases are looked at, and not everything that such an exception holds in.
        let near = if subject.is_any() { " and ce.case_id = cases.id" } else { "" };
        let sql = format!(
            "select id, body from cases where state in ({}) and id in (
                 select ce.case_id from exceptions e join case_exceptions ce on ce.exception_id = e.id
                 where e.state = 'open' and e.code in ({}){near}
             ){about} order by place desc, opened_at, id",
            row::placeholders(1, states.len()),
            row::placeholders(1 + states.len(), codes.len())
        );
        // Safe: the text is made of placeholders only.
        let mut query = sqlx::query(AssertSqlSafe(sql));
        for text in states.iter().copied().chain(codes.iter().map(|code| code.code())) {
            query = query.bind(text);
        }
        for id in ids {
            query = query.bind(id);
        }
        let rows = query.fetch_all(&self.pool).await?;
        rows.iter().map(|r| row::json(r, TABLE, "body")).collect()
    }

    /// The ids of the cases in any of `states` (none means all), in the order of [`Store::list_cases`].
    pub async fn list_case_ids(&self, states: &[&str]) -> Result<Vec<CaseId>, StoreError> {
        let states = if states.is_empty() { &STATES[..] } else { states };
        let sql = format!(
            "select id from cases where state in ({}) order by place desc, opened_at, id",
            row::placeholders(1, states.len())
        );
        // Safe: the text is made of placeholders only.
        let mut query = sqlx::query(AssertSqlSafe(sql));
        for state in states {
            query = query.bind(*state);
        }
        query.fetch_all(&self.pool).await?.iter().map(|r| Ok(CaseId(row::get(r, TABLE, "id")?))).collect()
    }

    /// The cases of these ids, as far as there are any.
    pub async fn list_cases_of(&self, ids: &[&CaseId]) -> Result<BTreeMap<CaseId, Case>, StoreError> {
        let mut found = BTreeMap::new();
        for some in ids.chunks(SOME) {
            let sql = format!("select id, body from cases where id in ({})", row::placeholders(1, some.len()));
            // Safe: the text is made of placeholders only.
            let mut query = sqlx::query(AssertSqlSafe(sql));
            for id in some {
                query = query.bind(id.as_str());
            }
            for r in &query.fetch_all(&self.pool).await? {
                let case: Case = row::json(r, TABLE, "body")?;
                found.insert(case.id.clone(), case);
            }
        }
        Ok(found)
    }
}

const TABLE: &str = "cases";

/// Where a case stands in the order, as its row says it.
pub(super) fn place(case: &Case) -> i64 {
    case.rank.as_ref().map_or(UNRANKED, |rank| rank.priority.minor)
}

/// The types of a case's exceptions, as its row says them.
pub(super) fn codes(case: &Case) -> String {
    let codes: Vec<&str> = case.codes.iter().map(|code| code.code()).collect();
    // With a blank on either side, so that a type is found as a whole word.
    if codes.is_empty() { String::new() } else { format!(" {} ", codes.join(" ")) }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use crate::domain::case::{Case, CaseState};
    use crate::domain::exception::ExceptionType as T;
    use crate::store::testing::{at, case, case_of, entry, exception, moved, on_each, on_each_left_at};
    use crate::store::{CaseAfter, row};

    #[tokio::test]
    async fn pages_put_together_are_the_queue() {
        on_each(|store| async move {
            for n in 0_i64..23 {
                let id = format!("case-{n:02}");
                let unranked = n % 7 == 3;
                // Some of the same priority, some opened at the same time.
                let made = Case { opened_at: at(n / 3), ..case(&id, 100 * (n % 4)) };
                let made = Case { rank: made.rank.clone().filter(|_| !unranked), ..made };
                store
                    .save_detection(&[exception(&id)], &[(made.clone(), None)], &[], &[entry("opened")], None)
                    .await
                    .unwrap();
                if n % 5 == 0 {
                    store.advance_case(&moved(&made, CaseState::Closed), 1, &[]).await.unwrap();
                }
            }
            for states in [&[][..], &["new", "open"][..], &["closed"][..]] {
                let whole = store.list_cases(states).await.unwrap();
                for limit in [1, 2, 5, 100] {
                    let (mut paged, mut after) = (Vec::new(), None);
                    loop {
                        let page = store.list_cases_after(states, None, after.as_ref(), limit).await.unwrap();
                        assert!(page.len() <= limit);
                        let Some(last) = page.last() else { break };
                        after = Some(CaseAfter::of(last));
                        paged.extend(page);
                    }
                    assert_eq!(paged, whole, "{states:?} by {limit}");
                }
            }
        })
        .await;
    }

    #[tokio::test]
    async fn pages_of_one_type_are_the_queue_of_that_type_and_types_are_counted() {
        on_each(|store| async move {
            for n in 0_i64..20 {
                let types = if n % 3 == 0 { vec![T::RShort, T::DSpike] } else { vec![T::RLate] };
                let (case, exceptions) = case_of(&format!("case-{n:02}"), &types, 100 * (n % 4));
                store.save_detection(&exceptions, &[(case.clone(), None)], &[], &[], None).await.unwrap();
                if n == 5 {
                    // What a case is about may change, and its row with it.
                    let other = Case { codes: vec![T::DSpike], rank: None, ..moved(&case, CaseState::Open) };
                    store.advance_case(&other, 1, &[]).await.unwrap();
                }
            }
            let whole = store.list_cases(&[]).await.unwrap();
            for code in [T::RShort, T::RLate, T::DSpike, T::TLate] {
                let of_type: Vec<Case> = whole.iter().filter(|case| case.codes.contains(&code)).cloned().collect();
                let (mut paged, mut after) = (Vec::new(), None);
                loop {
                    let page = store.list_cases_after(&[], Some(code), after.as_ref(), 3).await.unwrap();
                    let Some(last) = page.last() else { break };
                    after = Some(CaseAfter::of(last));
                    paged.extend(page);
                }
                assert_eq!(paged, of_type, "{code}");
            }
            let counts = store.count_case_types(&["open"]).await.unwrap();
            let wanted = [([T::RShort, T::DSpike].into(), 7), ([T::RLate].into(), 12), ([T::DSpike].into(), 1)];
            assert_eq!(counts, wanted.into_iter().collect());
            assert_eq!(store.count_cases_in(&["new"]).await.unwrap(), 0);
            let ids: Vec<_> = whole.iter().map(|case| case.id.clone()).collect();
            assert_eq!(store.list_case_ids(&[]).await.unwrap(), ids);
            assert_eq!(store.list_cases_of(&ids.iter().collect::<Vec<_>>()).await.unwrap().len(), 20);
            let late = store.list_cases_with(&["open"], &[T::RLate]).await.unwrap();
            assert!(late.iter().all(|case| case.id.as_str() == "case-05" || case.codes == [T::RLate]) && late.len() == 13);
        })
        .await;
    }

    #[tokio::test]
    async fn what_was_kept_before_has_its_place_and_its_types() {
        on_each_left_at(16, |store| async move {
            let mut kept = Vec::new();
            // Types that came later no case had by then.
            let then = include_str!("migrations/0017_queue.sql");
            let all: Vec<T> = T::ALL.iter().copied().filter(|of| then.contains(&format!("' {}'", of.code()))).collect();
            for (n, types) in [&[T::RShort, T::DSpike][..], &[T::RLate], &all].into_iter().enumerate() {
                let (mut case, _) = case_of(&format!("case-{n}"), types, 100 * n as i64);
                case.rank = case.rank.filter(|_| n != 1);
                case.headline = "they wrote \"codes\":[\"T-LATE\"],\"subject\":{} to us".to_owned();
                sqlx::query(
                    "insert into cases (id, state, version, opened_at, updated_at, priority_minor, body)
                     values ($1, 'open', 1, 0, 0, $2, $3)",
                )
                .bind(case.id.as_str())
                .bind(case.rank.as_ref().map(|rank| rank.priority.minor))
                .bind(row::body(&case))
                .execute(&store.pool)
                .await
                .unwrap();
                kept.push(case);
            }
            store.migrate().await.unwrap();
            let found = store.list_cases_after(&["open"], None, None, 9).await.unwrap();
            assert_eq!(found, [kept[2].clone(), kept[0].clone(), kept[1].clone()]);
            let counts = store.count_case_types(&[]).await.unwrap();
            let types = |case: &Case| case.codes.iter().copied().collect::<BTreeSet<_>>();
            assert_eq!(counts, kept.iter().map(|case| (types(case), 1)).collect());
            let late = store.list_cases_after(&["open"], Some(T::TLate), None, 9).await.unwrap();
            assert_eq!(late, [kept[2].clone()]);
        })
        .await;
    }
}
