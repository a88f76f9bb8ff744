//! Stores for the tests: a new one in SQLite always, and one in PostgreSQL where `TEST_DATABASE_URL` names a server.

use std::future::Future;
use std::sync::atomic::{AtomicU32, Ordering};

use jiff::Timestamp;
use jiff::civil::date;
use reeve_testing::cases;
use serde_json::json;

use super::Store;
use crate::domain::action::{Action, Candidate, MoneySum, Range};
use crate::domain::audit::AuditEntry;
use crate::domain::case::{Case, CaseState, Rank};
use crate::domain::decision::RecommendationState;
use crate::domain::exception::{Exception, ExceptionType, Signal, Subject};
use crate::domain::ids::{ItemId, LocationId};
use crate::domain::money::Money;
use crate::domain::recommendation::{Drafter, Prose, Recommendation};

/// Runs a test on every database there is.
pub(crate) async fn on_each<F, Fut>(test: F)
where
    F: Fn(Store) -> Fut,
    Fut: Future<Output = ()>,
{
    on_each_at(|store, _| test(store)).await;
}

/// The same for a test that opens the store once more, at the url.
pub(crate) async fn on_each_at<F, Fut>(test: F)
where
    F: Fn(Store, String) -> Fut,
    Fut: Future<Output = ()>,
{
    let folder = tempfile::tempdir().expect("a temporary folder");
    let url = format!("sqlite:{}", folder.path().join("deep/reeve.db").display());
    let store = Store::open_and_migrate(&url).await.expect("SQLite");
    test(store.clone(), url).await;
    store.close().await;
    if let Some(url) = postgres_url().await {
        let store = Store::open_and_migrate(&url).await.expect("PostgreSQL");
        test(store.clone(), url).await;
        store.close().await;
    }
}

/// Runs a test on every database there is, each with the schema that an earlier Reeve left at `version`.
pub(crate) async fn on_each_left_at<F, Fut>(version: i64, test: F)
where
    F: Fn(Store) -> Fut,
    Fut: Future<Output = ()>,
{
    let folder = tempfile::tempdir().expect("a temporary folder");
    let file = format!("sqlite:{}", folder.path().join("reeve.db").display());
    for url in std::iter::once(file).chain(postgres_url().await) {
        let store = Store::open(&url).await.expect("a database");
        store.migrate_to(version).await;
        test(store.clone()).await;
        store.close().await;
    }
}

/// A url with an empty schema of its own on the test server.
async fn postgres_url() -> Option<String> {
    static NUMBER: AtomicU32 = AtomicU32::new(0);
    #[expect(
        clippy::disallowed_methods,
        reason = "a test asks which databases there are; the program is not configured by it"
    )]
    let server = std::env::var("TEST_DATABASE_URL").ok()?;
    let schema = format!("t_{}_{}", std::process::id(), NUMBER.fetch_add(1, Ordering::SeqCst));
    let store = Store::open(&server).await.expect("the test server");
    for sql in [format!("drop schema if exists {schema} cascade"), format!("create schema {schema}")] {
        sqlx::query(sqlx::AssertSqlSafe(sql)).execute(&store.pool).await.expect("the test user may make schemas");
    }
    store.close().await;
    Some(format!("{server}?options[search_path]={schema}"))
}

pub(crate) fn at(ms: i64) -> Timestamp {
    Timestamp::from_millisecond(1_760_000_000_000 + ms).expect("in range")
}

pub(crate) fn entry(action: &str) -> AuditEntry {
    AuditEntry::by("ada", "web", at(0), action, "case:case-1".to_owned()).with(json!({"why": "test", "p": 0.1 + 0.2}))
}

pub(super) fn exception(period: &str) -> Exception {
    let subject = Subject::at(&ItemId::new("75"), &LocationId::new("3"));
    let (days, said) = ((date(2026, 10, 1), date(2026, 10, 2)), "48 of 60 came".to_owned());
    let signal = Signal::rule("rules/1", ExceptionType::RShort, subject, period.to_owned(), days, said);
    cases::exception(signal.link("shortage:75@3".to_owned()), at(0))
}

/// A place in the order, by a deadline.
pub(crate) fn rank(deadline: jiff::civil::Date, priority: i64) -> Rank {
    Rank { deadline, ..cases::rank(Money::from_minor(priority)) }
}

pub(super) fn case(id: &str, priority: i64) -> Case {
    Case {
        state: CaseState::New,
        links: vec![format!("link:{id}")],
        rank: Some(rank(date(2026, 10, 9), priority)),
        ..cases::case(id, &[exception(id)], at(0))
    }
}

/// A case with an exception of each of `types`, and these.
pub(crate) fn case_of(id: &str, types: &[ExceptionType], priority: i64) -> (Case, Vec<Exception>) {
    let of_type = |code: &ExceptionType| {
        let made = exception(&format!("{id} {code}"));
        cases::exception(Signal { code: *code, ..made.signal }, at(0))
    };
    let exceptions: Vec<Exception> = types.iter().map(of_type).collect();
    let rank = Some(rank(date(2026, 10, 9), priority));
    let case = Case { links: vec![format!("link:{id}")], rank, ..cases::case(id, &exceptions, at(0)) };
    (case, exceptions)
}

/// The case one step on.
pub(crate) fn moved(case: &Case, state: CaseState) -> Case {
    Case { version: case.version + 1, state, ..case.clone() }
}

/// A store with one new case in it.
pub(crate) async fn with_case(store: &Store, id: &str, priority: i64) -> Case {
    let case = case(id, priority);
    store
        .save_detection(&[exception(id)], &[(case.clone(), None)], &[], &[entry("case.opened")], None)
        .await
        .expect("a new case");
    case
}

pub(crate) fn recommendation(case: &Case, rank: u32, state: RecommendationState) -> Recommendation {
    let candidate = Candidate {
        id: format!("A{rank}"),
        action: Action::Contact {
            role: "supplier".to_owned(),
            partner: "9".to_owned(),
            about: "the rest".to_owned(),
            answer_by: date(2026, 10, 5),
        },
        summary: "Ask for the rest".to_owned(),
        money: MoneySum::nothing(0.9, Range::default()),
        value: Money::from_minor(1_200),
        latest_date: date(2026, 10, 9),
        checks: vec![],
        cites: vec![],
        then: vec![],
    };
    let drafter = Drafter::Playbook { because: None };
    let mut rec =
        Recommendation::drafted(case.id.clone(), rank, candidate, Prose::default(), "e1".to_owned(), drafter, at(5));
    rec.state = state;
    rec
}

/// Tables that a test changes past Reeve, those that others refer to first.
const CHANGED: [&str; 8] =
    ["cases", "recommendations", "decisions", "delegations", "mutes", "api_tokens", "identities", "outbox"];

impl Store {
    /// Runs a statement as somebody with the database's password would; it has to change something.
    pub(crate) async fn past_reeve(&self, sql: &str) {
        let done = sqlx::query(sqlx::AssertSqlSafe(sql.to_owned())).execute(&self.pool).await.expect(sql);
        assert!(done.rows_affected() > 0, "{sql} changed nothing");
    }

    /// Runs statements of whoever looks after the database.
    pub(crate) async fn statements(&self, sql: &[&str]) {
        for one in sql {
            sqlx::query(sqlx::AssertSqlSafe((*one).to_owned())).execute(&self.pool).await.expect(one);
        }
    }

    /// Is it kept in PostgreSQL?
    pub(crate) fn is_postgres(&self) -> bool {
        self.backend == super::Backend::Postgres
    }

    /// Keeps the tables that [`Store::past_reeve`] changes, each beside itself.
    pub(crate) async fn kept_rows(&self) -> Vec<&'static str> {
        for table in CHANGED {
            let copy = sqlx::AssertSqlSafe(format!("create table was_{table} as select * from {table}"));
            sqlx::query(copy).execute(&self.pool).await.expect(table);
        }
        CHANGED.to_vec()
    }

    /// Puts them back: what is there is overwritten, what is gone comes back, what was added goes.
    pub(crate) async fn put_rows(&self, tables: &[&'static str]) {
        for table in tables {
            let columns = sqlx::query_scalar::<_, String>(match self.backend {
                super::Backend::Sqlite => "select name from pragma_table_info($1) where name <> 'id'",
                super::Backend::Postgres => {
                    "select cast(column_name as text) from information_schema.columns \
                     where table_schema = current_schema() and table_name = $1 and column_name <> 'id'"
                }
            })
            .bind(*table)
            .fetch_all(&self.pool)
            .await
            .expect(table);
            let set: Vec<String> = columns.iter().map(|c| format!("{c} = excluded.{c}")).collect();
            let (names, set) = (format!("id, {}", columns.join(", ")), set.join(", "));
            for sql in [
                format!("delete from {table} where id not in (select id from was_{table})"),
                format!(
                    "insert into {table} ({names}) select {names} from was_{table} where true \
                     on conflict (id) do update set {set}"
                ),
            ] {
                sqlx::query(sqlx::AssertSqlSafe(sql)).execute(&self.pool).await.expect(table);
            }
        }
    }

    /// Another body in the outbox, as somebody with the database's password would write it.
    pub(crate) async fn rewrite_outbox_body(&self, id: &str, body: &str) {
        let changed = sqlx::query("update outbox set body = $1 where id = $2").bind(body.to_owned()).bind(id.to_owned());
        assert_eq!(changed.execute(&self.pool).await.expect("the outbox can be written").rows_affected(), 1);
    }
}
