//! Fresh databases for the tests of whatever keeps something.
//!
//! SQLite always, in a temporary folder; PostgreSQL where `TEST_DATABASE_URL` names a server, as it does under
//! `scripts/test`. Each database is empty, belongs to one test, and is gone when its [`TestDb`] is dropped.

use std::sync::atomic::{AtomicU32, Ordering};

use reqwest::Url;
use sqlx::{AssertSqlSafe, Connection, PgConnection};
use tempfile::TempDir;

use super::variable;

/// One empty database. Keep it until the test ends: dropping it removes the database.
pub(crate) struct TestDb {
    /// What to open it with: `sqlite:///…/reeve.db?mode=rwc` or `postgres://user@host:port/name`.
    pub(crate) url: String,
    home: Home,
}

/// Where a database lives, and so how it is removed.
enum Home {
    /// A file in a folder that goes away with this value.
    Sqlite { _folder: TempDir },
    /// A database on the server that `server` names.
    Postgres { server: Url, name: String },
}

impl TestDb {
    /// The kind of database, for messages: `sqlite` or `postgres`.
    pub(crate) fn kind(&self) -> &'static str {
        match self.home {
            Home::Sqlite { .. } => "sqlite",
            Home::Postgres { .. } => "postgres",
        }
    }

    /// What a store is opened with: it makes the file itself and takes no parameters.
    pub(crate) fn store_url(&self) -> String {
        self.url.replacen("sqlite://", "sqlite:", 1).trim_end_matches("?mode=rwc").to_owned()
    }

    fn sqlite() -> Self {
        let folder = tempfile::tempdir().expect("a temporary folder can be made");
        let url = format!("sqlite://{}?mode=rwc", folder.path().join("reeve.db").display());
        Self { url, home: Home::Sqlite { _folder: folder } }
    }

    async fn postgres(server: Url) -> Self {
        static NEXT: AtomicU32 = AtomicU32::new(0);
        let nth = NEXT.fetch_add(1, Ordering::Relaxed);
        // The chance part keeps two runs on one server apart, the process id says whose leftover it is after a crash.
        let chance = getrandom::u32().expect("the system has random numbers");
        let name = format!("reeve_test_{}_{nth}_{chance:08x}", std::process::id());
        on_server(&server, format!("create database {name}")).await.expect("TEST_DATABASE_URL's user may create databases");
        let mut url = server.clone();
        url.set_path(&name);
        Self { url: url.into(), home: Home::Postgres { server, name } }
    }
}

impl Drop for TestDb {
    fn drop(&mut self) {
        let Home::Postgres { server, name } = &self.home else { return };
        let (server, drop) = (server.clone(), format!("drop database if exists {name} with (force)"));
        // A drop can not await, and the test's runtime may be blocked right here: a thread with a runtime of its own.
        let done = std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().map_err(sqlx::Error::Io)?;
            runtime.block_on(on_server(&server, drop))
        });
        let result = done.join().expect("dropping a database does not panic");
        if !std::thread::panicking() {
            result.expect("a database that a test made can be dropped");
        }
    }
}

/// A fresh SQLite database, and a fresh PostgreSQL database where `TEST_DATABASE_URL` is set.
pub(crate) async fn databases() -> Vec<TestDb> {
    let mut all = vec![TestDb::sqlite()];
    if let Some(server) = variable("TEST_DATABASE_URL") {
        all.push(TestDb::postgres(server_url(&server)).await);
    }
    all
}

/// Reads the server's address. sqlx takes an unset user for `anonymous`, so one is always named.
fn server_url(text: &str) -> Url {
    let mut url = Url::parse(text).expect("TEST_DATABASE_URL looks like postgres://user@host:port/database");
    assert!(url.scheme().starts_with("postgres"), "TEST_DATABASE_URL must name a PostgreSQL server, but is {url}");
    if url.username().is_empty() {
        url.set_username("postgres").expect("a URL with a host can have a user");
    }
    url
}

async fn on_server(server: &Url, sql: String) -> Result<(), sqlx::Error> {
    let mut connection = PgConnection::connect(server.as_str()).await?;
    // The only variable part is a name made of letters, digits and underscores by `TestDb::postgres`.
    sqlx::raw_sql(AssertSqlSafe(sql)).execute(&mut connection).await?;
    connection.close().await
}

#[tokio::test]
async fn every_database_is_fresh_and_gone_afterwards() {
    sqlx::any::install_default_drivers();
    for round in 0..2 {
        for db in databases().await {
            let mut connection = sqlx::AnyConnection::connect(&db.url).await.unwrap();
            // Would fail in the second round if a database were used twice.
            sqlx::raw_sql("create table things (id bigint primary key)").execute(&mut connection).await.unwrap();
            let (kind, url) = (db.kind(), db.url.clone());
            assert!(url.starts_with(kind), "round {round}: {kind} is not what {url} names");
            // Dropped while a connection is open, as it is when a test fails.
            drop(db);
            drop(connection);
            let file = url.strip_prefix("sqlite://").and_then(|rest| rest.split('?').next());
            match file {
                Some(file) => assert!(!std::path::Path::new(file).exists(), "round {round}: {file} is still there"),
                None => assert!(PgConnection::connect(&url).await.is_err(), "round {round}: {url} is still there"),
            }
        }
    }
}

#[test]
fn a_server_url_without_a_user_gets_one() {
    assert_eq!(server_url("postgres://127.0.0.1:5432/postgres").as_str(), "postgres://postgres@127.0.0.1:5432/postgres");
    assert_eq!(server_url("postgres://me@127.0.0.1:5432/postgres").username(), "me");
}
