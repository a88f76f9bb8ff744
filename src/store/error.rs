//! What can go wrong with the store, for the person who has to do something about it.
//!
//! SQL never appears in a message. What the database itself said is kept as the source, for the log.

use crate::ports::BoxError;

/// Why the store did not do what was asked.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// The row is not at the version that was seen. Read it again; the work may be done already.
    #[error("somebody else changed it in the meantime: read it again")]
    Conflict,
    /// It may not be absent, and is.
    #[error("there is no {what} {id:?} in the store")]
    NotFound {
        /// What was looked for.
        what: &'static str,
        /// Which one.
        id: String,
    },
    /// The same idempotency key was used before; nothing was changed.
    #[error("this was recorded before")]
    Duplicate,
    /// This process is not on duty any more; nothing was changed. It is no failure: the work goes on elsewhere.
    #[error("another process has taken over the work: what this one had begun is done there")]
    Fenced,
    /// A message can not be taken back any more; nothing was changed.
    #[error("message {id:?} can not be taken back: it is on its way or has left")]
    AlreadyLeft {
        /// Which message.
        id: String,
    },
    /// It must not leave, whoever asks.
    #[error("message {id:?} is about {what} and is never sent")]
    NotForSending {
        /// Which one.
        id: String,
        /// What it is about.
        what: &'static str,
    },
    /// A row does not hold what Reeve wrote into it.
    #[error("table {table}, row {id:?}: column {column} is damaged; restore the store from a backup")]
    Corrupt {
        /// Which table.
        table: &'static str,
        /// Which row.
        id: String,
        /// Which column.
        column: &'static str,
        /// What is wrong with it.
        source: BoxError,
    },
    /// Records of two sources may not be mixed.
    #[error(
        "the store holds records of {kept:?} and was offered records of {offered:?}: use another store for another source"
    )]
    OtherSource {
        /// The source it was first filled from.
        kept: String,
        /// The source that was offered.
        offered: String,
    },
    /// The url is none that Reeve can use.
    #[error("{url:?} is no store: {problem}; use sqlite:PATH or postgres://USER@HOST/DATABASE")]
    WrongUrl {
        /// The url, without its password.
        url: String,
        /// What is wrong with it.
        problem: String,
    },
    /// Nothing was ever kept there.
    #[error(
        "there is no store at {url}: nothing was ever kept there. Check the address; `reeve migrate` makes a new one, \
         `reeve demo` one to look at"
    )]
    Nothing {
        /// The url, without its password.
        url: String,
    },
    /// The store was made by a newer Reeve.
    #[error("the store {url} has schema {found}, this program knows up to {known}: run the newer version of Reeve")]
    Newer {
        /// The url, without its password.
        url: String,
        /// The store's schema.
        found: i64,
        /// The newest schema this program knows.
        known: i64,
    },
    /// The database can not be reached, read or written.
    #[error("the store{} {problem}: {advice}", spaced(url))]
    Unavailable {
        /// The url, without its password; empty after opening, until [`StoreError::about`] says it.
        url: String,
        /// What is the matter.
        problem: &'static str,
        /// What to do.
        advice: &'static str,
        /// What the database or the system said.
        source: BoxError,
    },
    /// Anything else the database refused.
    #[error("the database refused")]
    Database(#[source] sqlx::Error),
}

impl StoreError {
    /// Says which store it was about, for the people at the edge: see [`super::Store::url`].
    #[must_use]
    pub fn about(self, shown: &str) -> Self {
        match self {
            Self::Unavailable { problem, advice, source, .. } => {
                Self::Unavailable { url: shown.to_owned(), problem, advice, source }
            }
            other => other,
        }
    }
}

impl From<sqlx::Error> for StoreError {
    fn from(error: sqlx::Error) -> Self {
        if error.as_database_error().is_some_and(|e| matches!(e.code().as_deref(), Some("40001" | "40P01"))) {
            return Self::Conflict; // PostgreSQL gave up one of two transactions that were in each other's way
        }
        match reason(&error) {
            Some((problem, advice)) => Self::Unavailable { url: String::new(), problem, advice, source: Box::new(error) },
            None => Self::Database(error),
        }
    }
}

fn spaced(url: &str) -> String {
    if url.is_empty() { String::new() } else { format!(" {url}") }
}

/// What is the matter and what to do about it, where an operator can do anything about it.
fn reason(error: &sqlx::Error) -> Option<(&'static str, &'static str)> {
    match error {
        sqlx::Error::PoolTimedOut => {
            Some(("is busy", "all its connections were in use for ten seconds; see what else uses it"))
        }
        sqlx::Error::Io(_)
        | sqlx::Error::Tls(_)
        | sqlx::Error::Protocol(_)
        | sqlx::Error::WorkerCrashed
        | sqlx::Error::PoolClosed => {
            Some(("can not be reached", "check that the database runs and that host and port are right"))
        }
        sqlx::Error::BeginFailed | sqlx::Error::InvalidSavePointStatement => {
            Some(("lost a connection", "try again; if it stays so, restart Reeve: what was confirmed is safe"))
        }
        sqlx::Error::Database(database) => {
            let code = database.code()?;
            if database.message().starts_with("no such table") {
                return Some(NOT_SET_UP);
            }
            // SQLite's codes are numbers with the primary code in the low byte; PostgreSQL's have five characters.
            if code.len() < 5 { sqlite(code.parse::<i32>().ok()? & 0xff) } else { postgres(&code) }
        }
        _ => None,
    }
}

const NOT_SET_UP: (&str, &str) = ("is not set up", "run `reeve migrate`");

/// <https://www.sqlite.org/rescode.html>
fn sqlite(primary: i32) -> Option<(&'static str, &'static str)> {
    Some(match primary {
        3 | 23 => ("may not be used", "check who owns the file and its folder"),
        5 | 6 => ("is locked", "another process writes to it; stop that one or try again"),
        8 => ("can not be written", "check who owns the file and its folder, and that the disk is not read-only"),
        10 => (
            "can not be read or written",
            "the disk failed, or the file may not grow; check the disk, its room and its limits, and restore a backup if needed",
        ),
        11 => ("is damaged", "restore it from a backup"),
        13 => ("has no room", "the disk is full; make room and try again: what was confirmed is safe"),
        14 => ("can not be opened", "check that the path is a file that this user may read and write"),
        26 => ("is no SQLite database", "the file is something else or damaged; check the path or restore a backup"),
        _ => return None,
    })
}

/// <https://www.postgresql.org/docs/current/errcodes-appendix.html>
fn postgres(code: &str) -> Option<(&'static str, &'static str)> {
    Some(match code {
        "3D000" => ("does not exist", "create the database, or check its name"),
        "42P01" => NOT_SET_UP,
        "42501" | "25006" => ("may not be written", "grant this user the rights to the database's schema"),
        "53100" => ("has no room", "the disk is full; make room and try again: what was confirmed is safe"),
        "53300" => ("takes no more connections", "raise max_connections or stop what else uses it"),
        _ if code.starts_with("28") => ("refused the user or the password", "check both"),
        // A change that stood still for too long was given up.
        _ if code.starts_with("57P") || code.starts_with("08") || code == "25P03" => {
            ("went away", "check that the database runs")
        }
        _ if code.starts_with("XX") || code == "58030" => ("is damaged", "restore it from a backup"),
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use std::error::Error as _;

    use crate::store::Store;
    use crate::store::testing::{at, entry, on_each};

    async fn failure(pragma: &'static str) -> String {
        let store = Store::open_and_migrate("sqlite::memory:").await.unwrap();
        sqlx::query(pragma).execute(&store.pool).await.unwrap();
        let mut big = entry("big");
        big.detail = serde_json::json!({"text": "x".repeat(1 << 20)});
        let error = store.append_audit(&[big]).await.unwrap_err().about(store.url());
        assert!(error.source().is_some(), "what the database said is kept for the log");
        error.to_string()
    }

    #[tokio::test]
    async fn a_full_disk_and_a_read_only_one_say_what_to_do() {
        let full = failure("pragma max_page_count = 1").await;
        assert_eq!(
            full,
            "the store sqlite::memory: has no room: the disk is full; make room and try again: what was confirmed is safe"
        );
        let read_only = failure("pragma query_only = on").await;
        assert!(read_only.starts_with("the store sqlite::memory: can not be written: check who owns"), "{read_only}");
    }

    #[tokio::test]
    async fn a_damaged_file_says_so() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("s.db");
        let url = format!("sqlite:{}", path.display());
        Store::open_and_migrate(&url).await.unwrap().close().await;
        let mut bytes = std::fs::read(&path).unwrap();
        bytes[4096..].fill(0x5a);
        std::fs::write(&path, bytes).unwrap();
        let error = Store::open(&url).await.unwrap_err().to_string();
        assert_eq!(error, format!("the store {url} is damaged: restore it from a backup"));
    }

    #[tokio::test]
    async fn an_error_never_shows_sql() {
        on_each(|store| async move {
            sqlx::query("drop table jobs_status").execute(&store.pool).await.unwrap();
            let error = store.list_job_status().await.unwrap_err();
            assert_eq!(error.to_string(), "the store is not set up: run `reeve migrate`");
            let error = store.replay_dead("x", at(0), &[]).await.unwrap_err().to_string();
            assert_eq!(error, "there is no dead letter \"x\" in the store");
        })
        .await;
    }
}
