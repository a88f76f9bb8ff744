//! Cases page by page, in the order of the queue.

use jiff::Timestamp;
use sqlx::AssertSqlSafe;

use super::{Store, StoreError, row};
use crate::domain::case::Case;
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

impl Store {
    /// At most `limit` cases behind `after`, in any of `states` (none means all), in the order of [`Store::list_cases`].
    pub async fn list_cases_after(
        &self,
        states: &[&str],
        after: Option<&CaseAfter>,
        limit: usize,
    ) -> Result<Vec<Case>, StoreError> {
        let filter = match states.len() {
            0 => String::new(),
            n => format!("and state in ({})", row::placeholders(7, n)),
        };
        // Cases without a rank come last: they stand below every amount.
        let sql = format!(
            "select id, body from cases
             where ($1 = 0
                 or coalesce(priority_minor, $2) < $3
                 or (coalesce(priority_minor, $2) = $3 and (opened_at > $4 or (opened_at = $4 and id > $5))))
             {filter}
             order by coalesce(priority_minor, $2) desc, opened_at, id limit $6"
        );
        // Safe: the text is made of placeholders only.
        let mut query = sqlx::query(AssertSqlSafe(sql))
            .bind(i64::from(after.is_some()))
            .bind(i64::MIN)
            .bind(after.and_then(|a| a.priority_minor).unwrap_or(i64::MIN))
            .bind(after.map_or(0, |a| row::ms(a.opened_at)))
            .bind(after.map_or_else(String::new, |a| a.id.to_string()))
            .bind(row::count(limit));
        for state in states {
            query = query.bind(*state);
        }
        let rows = query.fetch_all(&self.pool).await?;
        rows.iter().map(|r| row::json(r, "cases", "body")).collect()
    }
}

#[cfg(test)]
mod tests {
    use crate::domain::case::{Case, CaseState};
    use crate::store::CaseAfter;
    use crate::store::testing::{at, case, entry, exception, moved, on_each};

    #[tokio::test]
    async fn pages_put_together_are_the_queue() {
        on_each(|store| async move {
            for n in 0_i64..23 {
                let id = format!("case-{n:02}");
                let unranked = n % 7 == 3;
                // Some of the same priority, some opened at the same time.
                let made = Case { opened_at: at(n / 3), ..case(&id, 100 * (n % 4)) };
                let made = Case { rank: made.rank.clone().filter(|_| !unranked), ..made };
                store.save_detection(&[exception(&id)], &[(made.clone(), None)], &[entry("opened")], None).await.unwrap();
                if n % 5 == 0 {
                    store.advance_case(&moved(&made, CaseState::Closed), 1, &[]).await.unwrap();
                }
            }
            for states in [&[][..], &["new", "open"][..], &["closed"][..]] {
                let whole = store.list_cases(states).await.unwrap();
                for limit in [1, 2, 5, 100] {
                    let (mut paged, mut after) = (Vec::new(), None);
                    loop {
                        let page = store.list_cases_after(states, after.as_ref(), limit).await.unwrap();
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
}
