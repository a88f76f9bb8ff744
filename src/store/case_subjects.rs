//! What a case is about, as columns of its row: which item, at which place, of which supplier.

use std::fmt::Write as _;

use serde::Deserialize;

use super::{Store, StoreError, row};
use crate::domain::case::Case;
use crate::domain::exception::Subject;
use crate::domain::ids::{ItemId, LocationId, SupplierId};

/// Rows that one transaction fills.
const SOME: i64 = 200;

/// What cases have to be about: the ERP's ids. What is None is not asked for.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct CaseSubject {
    /// Which item.
    pub item: Option<String>,
    /// Where.
    pub location: Option<String>,
    /// Which supplier.
    pub supplier: Option<String>,
}

impl CaseSubject {
    /// Of a case's subject what its row says.
    pub(super) fn of(case: &Case) -> Self {
        Self::of_subject(&case.subject)
    }

    fn of_subject(subject: &Subject) -> Self {
        Self {
            item: subject.item.as_ref().map(|id| row::clean(id.as_str())),
            location: subject.location.as_ref().map(|id| row::clean(id.as_str())),
            supplier: subject.supplier.as_ref().map(|id| row::clean(id.as_str())),
        }
    }

    /// Does it ask for anything?
    pub fn is_any(&self) -> bool {
        self.asked().next().is_some()
    }

    /// Is a case about it?
    pub fn fits(&self, subject: &Subject) -> bool {
        let is = |asked: &Option<String>, id: Option<&str>| asked.is_none() || asked.as_deref() == id;
        is(&self.item, subject.item.as_ref().map(ItemId::as_str))
            && is(&self.location, subject.location.as_ref().map(LocationId::as_str))
            && is(&self.supplier, subject.supplier.as_ref().map(SupplierId::as_str))
    }

    /// What is asked for, with the column of each.
    fn asked(&self) -> impl Iterator<Item = (&'static str, &str)> {
        let all = [("item", &self.item), ("location", &self.location), ("supplier", &self.supplier)];
        all.into_iter().filter_map(|(column, id)| Some((column, id.as_deref()?)))
    }

    /// ` and item = $5 and …` with placeholders from `from` on, and what they stand for.
    pub(super) fn filter(&self, from: usize) -> (String, Vec<String>) {
        let mut sql = String::new();
        for (n, (column, _)) in self.asked().enumerate() {
            let _ = write!(sql, " and {column} = ${}", from + n);
        }
        // What is asked for comes from addresses: as it would have been kept.
        (sql, self.asked().map(|(_, id)| row::clean(id)).collect())
    }
}

/// Of a body what the columns are filled from: whatever else an earlier program wrote there.
#[derive(Deserialize)]
struct Told {
    subject: Subject,
}

impl Store {
    /// Fills the columns of rows that an earlier program wrote. Where it is broken off, the next start goes on. A body that can not be
    /// read stays without: whoever reads that case is told what is wrong with it.
    ///
    /// # Errors
    /// The database's.
    pub(super) async fn fill_case_subjects(&self) -> Result<(), StoreError> {
        let mut after = String::new();
        loop {
            let sql = "select id, body from cases where subject_kept = 0 and id > $1 order by id limit $2";
            let rows = sqlx::query(sql).bind(after.as_str()).bind(SOME).fetch_all(&self.pool).await?;
            let Some(last) = rows.last() else { return Ok(()) };
            after = row::get(last, "cases", "id")?;
            let mut tx = self.begin().await?;
            for r in &rows {
                let Ok(Told { subject }) = row::json(r, "cases", "body") else { continue };
                let CaseSubject { item, location, supplier } = CaseSubject::of_subject(&subject);
                // What has been written since it was read is right already.
                let filled = sqlx::query(
                    "update cases set item = $1, location = $2, supplier = $3, subject_kept = 1
                     where id = $4 and subject_kept = 0",
                );
                let id: String = row::get(r, "cases", "id")?;
                filled.bind(item).bind(location).bind(supplier).bind(id).execute(&mut *tx).await?;
            }
            tx.commit().await?;
        }
    }

    /// How the database would look for these cases: for tests, which hold that it does not read all of them.
    #[cfg(test)]
    pub(super) async fn plan_of_subject(&self, subject: &CaseSubject) -> String {
        use sqlx::{AssertSqlSafe, Row as _};
        let (filter, ids) = subject.filter(2);
        let explain = if self.is_postgres() { "explain" } else { "explain query plan" };
        let sql =
            format!("{explain} select id from cases where state = $1{filter} order by place desc, opened_at, id limit 40");
        // Safe: the text is made of placeholders only.
        let mut query = sqlx::query(AssertSqlSafe(sql)).bind("open");
        for id in ids {
            query = query.bind(id);
        }
        let column = if self.is_postgres() { 0 } else { 3 };
        let rows = query.fetch_all(&self.pool).await.expect("a plan");
        rows.iter().map(|r| r.get::<String, _>(column)).collect::<Vec<_>>().join("\n")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::case::CaseState;
    use crate::domain::exception::ExceptionType as T;
    use crate::store::CaseAfter;
    use crate::store::testing::{case_of, moved, on_each, on_each_left_at};

    fn about(item: &str, location: &str, supplier: &str) -> Subject {
        let some = |id: &str| Some(id.to_owned()).filter(|id| !id.is_empty());
        Subject {
            item: some(item).map(ItemId::new),
            location: some(location).map(LocationId::new),
            supplier: some(supplier).map(SupplierId::new),
            ..Subject::default()
        }
    }

    fn asked(item: &str, location: &str, supplier: &str) -> CaseSubject {
        CaseSubject::of_subject(&about(item, location, supplier))
    }

    /// Everything there is about these, page by page.
    async fn paged(store: &Store, subject: &CaseSubject, limit: usize) -> Vec<Case> {
        let (mut all, mut after) = (Vec::new(), None);
        loop {
            let page = store.list_cases_about(&["new", "open"], None, subject, after.as_ref(), limit).await.expect("a page");
            let Some(last) = page.last() else { return all };
            after = Some(CaseAfter::of(last));
            all.extend(page);
        }
    }

    #[tokio::test]
    async fn cases_about_something_are_those_of_the_queue_that_are_about_it() {
        on_each(|store| async move {
            for n in 0_i64..40 {
                let (mut case, exceptions) =
                    case_of(&format!("case-{n:02}"), &[[T::RShort, T::RLate][n as usize % 2]], n % 5);
                let id = |every: i64| if n % every == 0 { String::new() } else { (n % every).to_string() };
                case.subject = about(&id(3), &id(4), &id(5));
                store.save_detection(&exceptions, &[(case.clone(), None)], &[], &[], None).await.unwrap();
                if n % 8 == 1 {
                    // What a case is about may change, and its row with it.
                    let other = Case { subject: about("2", "", "1"), ..moved(&case, CaseState::Open) };
                    store.advance_case(&other, 1, &[]).await.unwrap();
                }
                if n % 9 == 0 {
                    let now = store.get_case(&case.id).await.unwrap();
                    store.advance_case(&moved(&now, CaseState::Closed), now.version, &[]).await.unwrap();
                }
            }
            let whole = store.list_cases(&["new", "open"]).await.unwrap();
            for subject in [
                asked("", "", ""),
                asked("2", "", ""),
                asked("", "3", ""),
                asked("", "", "1"),
                asked("2", "", "1"),
                asked("1", "2", "3"),
                asked("9", "", ""),
                asked("2\0", "", ""),
            ] {
                let wanted: Vec<Case> = whole.iter().filter(|case| subject.fits(&case.subject)).cloned().collect();
                for limit in [1, 7, 100] {
                    assert_eq!(paged(&store, &subject, limit).await, wanted, "{subject:?} by {limit}");
                }
                let late = |case: &&Case| case.codes == [T::RLate];
                let found = store.list_cases_about(&["new", "open"], Some(T::RLate), &subject, None, 99).await.unwrap();
                assert_eq!(found, wanted.iter().filter(late).cloned().collect::<Vec<_>>(), "{subject:?}");
                let held = store.list_cases_about_with(&subject, &["new", "open"], &[T::RLate]).await.unwrap();
                assert_eq!(held, found, "{subject:?}");
                let counts = store.count_case_types_about(&["new", "open"], &subject).await.unwrap();
                assert_eq!(counts.values().sum::<usize>(), wanted.len(), "{subject:?}");
                assert_eq!(counts.get(&[T::RLate].into()).copied().unwrap_or(0), found.len(), "{subject:?}");
            }
        })
        .await;
    }

    #[tokio::test]
    async fn the_cases_of_one_subject_are_found_by_its_index() {
        on_each(|store| async move {
            if store.is_postgres() {
                // It reads a table of a page whole, whatever indexes there are.
                store.statements(&["analyze cases"]).await;
                return;
            }
            for (subject, index) in [
                (asked("2", "", ""), "cases_of_item (item=? AND state=?)"),
                (asked("", "2", ""), "cases_of_location (location=? AND state=?)"),
                (asked("", "", "2"), "cases_of_supplier (supplier=? AND state=?)"),
            ] {
                let plan = store.plan_of_subject(&subject).await;
                assert!(plan.contains(index) && !plan.contains("TEMP B-TREE"), "{plan}");
            }
        })
        .await;
    }

    #[tokio::test]
    async fn what_an_earlier_program_kept_is_found_by_what_it_is_about() {
        on_each_left_at(29, |store| async move {
            let mut kept = Vec::new();
            for n in 0..(SOME + 7) {
                let (mut case, _) = case_of(&format!("case-{n:03}"), &[T::RShort], n % 5);
                case.subject = about(["75", ""][n as usize % 2], "3", ["9", "", "8"][n as usize % 3]);
                // Names and headlines may hold anything.
                case.headline = r#"they wrote "subject":{"item":"1"} to us"#.to_owned();
                let body = if n == 3 { "{}".to_owned() } else { row::body(&case) };
                sqlx::query(
                    "insert into cases (id, state, version, opened_at, updated_at, body, place, codes)
                     values ($1, 'open', 1, $2, 0, $3, $4, ' R-SHORT ')",
                )
                .bind(case.id.as_str())
                .bind(row::ms(case.opened_at))
                .bind(body)
                .bind(n % 5)
                .execute(&store.pool)
                .await
                .unwrap();
                if n != 3 {
                    kept.push(case);
                }
            }
            // A second start has nothing left to do, and what can not be read does not keep it from starting.
            for _ in 0..2 {
                store.migrate().await.unwrap();
                for subject in [asked("75", "", ""), asked("", "", "9"), asked("75", "3", "8"), asked("1", "", "")] {
                    let mut wanted: Vec<&Case> = kept.iter().filter(|case| subject.fits(&case.subject)).collect();
                    wanted.sort_by_key(|case| (std::cmp::Reverse(case.rank.as_ref().map(|r| r.priority.minor)), &case.id));
                    assert_eq!(paged(&store, &subject, 50).await.iter().collect::<Vec<_>>(), wanted, "{subject:?}");
                }
            }
            // What one of them is about changes: its row says so, and is not filled again.
            let other = Case { subject: about("76", "", ""), exceptions: Vec::new(), ..moved(&kept[0], CaseState::Open) };
            store.advance_case(&other, 1, &[]).await.unwrap();
            store.migrate().await.unwrap();
            assert_eq!(paged(&store, &asked("76", "", ""), 9).await, [other]);
        })
        .await;
    }
}
