//! Opening a store and bringing its schema up to date.

use std::path::Path;
use std::str::FromStr as _;
use std::time::Duration;

use sqlx::any::{AnyConnectOptions, AnyPoolOptions};
use sqlx::migrate::MigrateError;
use sqlx::{AnyConnection, ConnectOptions as _, Connection as _, Executor as _, Row as _};

use super::migrate::MIGRATIONS;
use super::{Backend, Store, StoreError, guards, health};

/// How long a caller waits for a free connection, or for another writer of the same SQLite file.
const WAIT: Duration = Duration::from_secs(10);

/// Connections to PostgreSQL, or readers of a SQLite file; more would only queue behind the one writer.
const CONNECTIONS: u32 = 8;

/// For what a store is opened.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Way {
    /// To be used, and made where it is not there.
    Make,
    /// To be used.
    Write,
    /// To be read.
    Read,
    /// To be read from a disk that can not be written: without locks, and so without anybody who writes.
    ReadFrozen,
}

/// Where a store is.
#[derive(Debug, PartialEq)]
enum Place<'u> {
    Memory,
    File(&'u str),
    Postgres,
}

impl Store {
    /// Opens the store at `url`: `sqlite:PATH` (the file, which nobody but its owner may read, and its folder are made where
    /// they are missing), `sqlite::memory:` or `postgres://USER@HOST/DATABASE`. Does not change the schema.
    ///
    /// # Errors
    /// [`StoreError::WrongUrl`], [`StoreError::Unavailable`], and [`StoreError::Newer`] when a newer Reeve made it.
    pub async fn open(url: &str) -> Result<Self, StoreError> {
        Self::open_as(url, Way::Make).await
    }

    /// The same where there is a store already, and brings its schema up to date: a path with a slip in it is an error, not a
    /// new and empty store.
    ///
    /// # Errors
    /// [`StoreError::Nothing`] where none is there, and as [`Store::open`].
    pub async fn open_existing(url: &str) -> Result<Self, StoreError> {
        let store = Self::open_as(url, Way::Write).await?;
        store.ensure_set_up().await?;
        store.migrate().await?;
        Ok(store)
    }

    /// The same for whoever only reads: nothing is made, brought up to date or mended, and the database refuses every change. A
    /// file on a disk that can not be written, which nobody else uses then, is read as it is.
    ///
    /// # Errors
    /// As [`Store::open_existing`].
    pub async fn open_to_read(url: &str) -> Result<Self, StoreError> {
        let store = match Self::open_as(url, Way::Read).await {
            Err(error) => match place_of(url)? {
                Place::File(path) if is_unwritable(&error) => {
                    no_unfinished_log(path, url)?;
                    Self::open_as(url, Way::ReadFrozen).await?
                }
                _ => return Err(error),
            },
            Ok(store) => store,
        };
        store.ensure_set_up().await?;
        Ok(store)
    }

    /// Is anything there?
    async fn ensure_set_up(&self) -> Result<(), StoreError> {
        match self.schema_version().await.map_err(|error| error.about(&self.shown))? {
            Some(_) => Ok(()),
            None => Err(StoreError::Nothing { url: self.shown.clone() }),
        }
    }

    async fn open_as(url: &str, way: Way) -> Result<Self, StoreError> {
        sqlx::any::install_default_drivers();
        let place = place_of(url)?;
        let reads_only = matches!(way, Way::Read | Way::ReadFrozen);
        let (options, shown) = match &place {
            Place::Memory => (parse("sqlite::memory:")?, url.to_owned()),
            Place::File(path) => {
                if way == Way::Make {
                    make_folder(path, url)?;
                    make_private(path, url)?;
                } else if !Path::new(path).exists() {
                    return Err(StoreError::Nothing { url: url.to_owned() });
                }
                // Not `ro`: reading beside a writer takes a place in the file of locks. What is refused is said below.
                let mode = match way {
                    Way::Make => "mode=rwc",
                    Way::Write | Way::Read => "mode=rw",
                    Way::ReadFrozen => "mode=ro&immutable=1",
                };
                (parse(&format!("sqlite:{}?{mode}", escape(path)))?, url.to_owned())
            }
            Place::Postgres => {
                let options = parse(url)?;
                let shown = without_password(&options);
                if !names_user(&options) {
                    return Err(StoreError::WrongUrl { url: shown, problem: "it names no user".to_owned() });
                }
                (options, shown)
            }
        };
        let options = options.disable_statement_logging();
        let backend = if place == Place::Postgres { Backend::Postgres } else { Backend::Sqlite };
        let store = connect(&place, options, (backend, reads_only), &shown).await.map_err(|error| error.about(&shown))?;
        let found = store.schema_version().await.map_err(|error| error.about(&shown))?.unwrap_or(0);
        let known = known_version();
        if found > known {
            return Err(StoreError::Newer { url: shown, found, known });
        }
        // Only of what is a store: another file is somebody else's.
        if let Place::File(path) = &place
            && found > 0
            && !reads_only
        {
            keep_private(path);
        }
        Ok(store)
    }

    /// Opens the store and brings its schema up to date.
    pub async fn open_and_migrate(url: &str) -> Result<Self, StoreError> {
        let store = Self::open(url).await?;
        store.migrate().await?;
        Ok(store)
    }

    /// Brings the schema up to date. Does nothing where it is.
    ///
    /// # Errors
    /// [`StoreError::Newer`] when a newer Reeve made the store.
    pub async fn migrate(&self) -> Result<(), StoreError> {
        let known = known_version();
        MIGRATIONS.run(&self.pool).await.map_err(|error| match error {
            MigrateError::VersionMissing(found) | MigrateError::VersionTooNew(found, _) => {
                StoreError::Newer { url: self.shown.clone(), found, known }
            }
            MigrateError::Execute(error) | MigrateError::ExecuteMigration(error, _) => {
                StoreError::from(error).about(&self.shown)
            }
            other => StoreError::Unavailable {
                url: self.shown.clone(),
                problem: "has a schema that this program did not make",
                advice: "use another store, or restore this one from a backup",
                source: Box::new(other),
            },
        })?;
        guards::protect(&self.pool, self.backend).await.map_err(|error| error.about(&self.shown))
    }

    /// The schema's version; None before the first migration.
    pub async fn schema_version(&self) -> Result<Option<i64>, StoreError> {
        let row =
            sqlx::query("select max(version) as version from _sqlx_migrations where success").fetch_one(&self.pool).await;
        match row {
            Ok(row) => Ok(row.try_get("version")?),
            Err(sqlx::Error::Database(error))
                if error.code().as_deref() == Some("42P01") || error.message().starts_with("no such table") =>
            {
                Ok(None)
            }
            Err(error) => Err(error.into()),
        }
    }

    /// Is the schema the one this program knows?
    pub async fn is_migrated(&self) -> Result<bool, StoreError> {
        Ok(self.schema_version().await? == Some(known_version()))
    }
}

#[cfg(test)]
impl Store {
    /// Brings the schema up to `version` only: a store as an earlier Reeve left it.
    pub(crate) async fn migrate_to(&self, version: i64) {
        let earlier = MIGRATIONS.iter().filter(|m| m.version <= version).cloned().collect();
        let migrator = sqlx::migrate::Migrator::with_migrations(earlier);
        migrator.run(&self.pool).await.expect("the earlier schema can be made");
    }
}

fn known_version() -> i64 {
    MIGRATIONS.iter().map(|m| m.version).max().unwrap_or(0)
}

fn place_of(url: &str) -> Result<Place<'_>, StoreError> {
    let wrong = |problem: &str| {
        // What can not be told apart may hold a password anywhere: only its scheme is shown.
        let shown = url.split_once(':').map_or("…".to_owned(), |(scheme, _)| format!("{scheme}:…"));
        Err(StoreError::WrongUrl { url: shown, problem: problem.to_owned() })
    };
    if url.starts_with("postgres://") || url.starts_with("postgresql://") {
        return Ok(Place::Postgres);
    }
    let Some(path) = url.strip_prefix("sqlite://").or_else(|| url.strip_prefix("sqlite:")) else {
        return wrong("Reeve keeps its data in SQLite or PostgreSQL");
    };
    match path {
        ":memory:" => Ok(Place::Memory),
        "" => wrong("it names no file"),
        path if path.contains('?') => wrong("it has parameters, and SQLite stores take none"),
        path => Ok(Place::File(path)),
    }
}

fn parse(url: &str) -> Result<AnyConnectOptions, StoreError> {
    AnyConnectOptions::from_str(url).map_err(|error| {
        let problem = match error {
            sqlx::Error::Configuration(source) => source.to_string(),
            _ => "it can not be parsed".to_owned(),
        };
        let scheme = url.split_once(':').map_or("", |(scheme, _)| scheme);
        StoreError::WrongUrl { url: format!("{scheme}:…"), problem }
    })
}

/// Paths are taken as they are written; in a url these three mean something else.
fn escape(path: &str) -> String {
    path.replace('%', "%25").replace('?', "%3f").replace('#', "%23")
}

fn names_user(options: &AnyConnectOptions) -> bool {
    let url = &options.database_url;
    !url.username().is_empty() || url.query_pairs().any(|(key, value)| key == "user" && !value.is_empty())
}

fn without_password(options: &AnyConnectOptions) -> String {
    let mut url = options.database_url.clone();
    // A url with a host takes a password, and so lets it be taken away; one without a host has none.
    let _ = url.set_password(None);
    url.set_query(None);
    url.to_string()
}

fn make_folder(path: &str, url: &str) -> Result<(), StoreError> {
    match Path::new(path).parent() {
        Some(folder) if !folder.as_os_str().is_empty() => {
            std::fs::create_dir_all(folder).map_err(|error| StoreError::Unavailable {
                url: url.to_owned(),
                problem: "can not be made",
                advice: "check that its folder exists and that this user may write to it",
                source: Box::new(error),
            })
        }
        _ => Ok(()),
    }
}

/// Makes the file so that only its owner may read it: it holds prices, names and who decided what. SQLite gives the files
/// beside it the same rights.
fn make_private(path: &str, url: &str) -> Result<(), StoreError> {
    let mut options = std::fs::OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    match options.open(path) {
        Ok(_) => Ok(()),
        Err(error) if error.kind() == std::io::ErrorKind::AlreadyExists => Ok(()),
        // What can not be made is said in one voice with what can not be opened.
        Err(_) if Path::new(path).is_dir() => Ok(()),
        Err(error) => Err(StoreError::Unavailable {
            url: url.to_owned(),
            problem: "can not be made",
            advice: "check that its folder exists and that this user may write to it",
            source: Box::new(error),
        }),
    }
}

/// Takes from a file that is there, and from those beside it, the rights of everybody but its owner, and says so once.
fn keep_private(path: &str) {
    #[cfg(unix)]
    for beside in ["", "-wal", "-shm"] {
        use std::os::unix::fs::PermissionsExt as _;
        let file = format!("{path}{beside}");
        let Ok(found) = std::fs::metadata(&file) else { continue };
        let mode = found.permissions().mode() & 0o777;
        if !found.is_file() || mode.trailing_zeros() >= 6 {
            continue;
        }
        match std::fs::set_permissions(&file, std::fs::Permissions::from_mode(0o600)) {
            Ok(()) => {
                tracing::warn!("{file} could be read by others (mode {mode:03o}); it is for its owner alone now (600)");
            }
            Err(error) => {
                tracing::warn!("{file} can be read by others (mode {mode:03o}): run chmod 600 on it as its owner ({error})");
            }
        }
    }
}

/// May the file or its folder not be written, so that it can be read in another way only?
fn is_unwritable(error: &StoreError) -> bool {
    let StoreError::Unavailable { source, .. } = error else { return false };
    let Some(sqlx::Error::Database(said)) = source.downcast_ref::<sqlx::Error>() else { return false };
    // Read-only, or no file can be opened beside it; the primary code is the low byte.
    said.code().and_then(|code| code.parse::<i32>().ok()).is_some_and(|code| matches!(code & 0xff, 8 | 14))
}

/// What was written last can stand in a file beside it, which is not read without locks.
fn no_unfinished_log(path: &str, url: &str) -> Result<(), StoreError> {
    let wal = format!("{path}-wal");
    if std::fs::metadata(&wal).is_ok_and(|found| found.is_file() && found.len() > 0) {
        return Err(StoreError::Unavailable {
            url: url.to_owned(),
            problem: "can not be read where it lies",
            advice: "it was not closed (a file ending in -wal holds what was written last), and its disk can not be written: \
                     copy both files to a disk that can",
            source: wal.into(),
        });
    }
    Ok(())
}

async fn connect(
    place: &Place<'_>,
    options: AnyConnectOptions,
    (backend, reads_only): (Backend, bool),
    shown: &str,
) -> Result<Store, StoreError> {
    let in_memory = *place == Place::Memory;
    // No connection is closed for its age: sqlx's sweep of idle ones can read a count that has gone below zero, and then spins for
    // ever, in a process that does nothing else any more (its issue 3645). One that broke is found when it is next used.
    let pool = AnyPoolOptions::new()
        .idle_timeout(None)
        .max_lifetime(None)
        .acquire_timeout(WAIT)
        .after_connect(move |connection, _| {
            Box::pin(async move {
                if backend == Backend::Sqlite {
                    prepare_sqlite(connection, reads_only).await?;
                } else if reads_only {
                    connection.execute("set default_transaction_read_only = on").await?;
                }
                Ok(())
            })
        })
        .after_release(move |connection, _| Box::pin(health::fit_for_use(connection, in_memory)));
    let pool = if in_memory {
        // Every connection to memory would be a database of its own, and the last one to close takes the data with it.
        pool.max_connections(1).min_connections(1)
    } else {
        // A pool retries what fails and then only says that time ran out. One connection says why.
        let mut first = AnyConnection::connect_with(&options).await?;
        if backend == Backend::Sqlite {
            prepare_sqlite(&mut first, reads_only).await?;
        }
        first.close().await?;
        pool.max_connections(CONNECTIONS)
    };
    let pool = pool.connect_with(options).await?;
    Ok(Store { pool, backend, shown: shown.to_owned(), os_user: None })
}

/// What SQLite forgets with each connection. `synchronous = full` because a confirmed decision must outlive a power cut.
async fn prepare_sqlite(connection: &mut AnyConnection, reads_only: bool) -> Result<(), sqlx::Error> {
    connection.execute("pragma busy_timeout = 10000").await?;
    if reads_only {
        connection.execute("pragma query_only = on").await?;
        return Ok(());
    }
    connection.execute("pragma journal_mode = wal").await?;
    connection.execute("pragma synchronous = full").await?;
    connection.execute("pragma foreign_keys = on").await?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use crate::store::testing::{at, entry, on_each, on_each_at, with_case};
    use crate::store::{Store, StoreError};

    #[tokio::test]
    async fn no_connection_is_swept_for_its_age() {
        on_each(|store| async move {
            let options = store.pool.options();
            assert_eq!((options.get_idle_timeout(), options.get_max_lifetime()), (None, None));
        })
        .await;
    }

    #[tokio::test]
    async fn migrating_twice_is_migrating_once() {
        on_each(|store| async move {
            with_case(&store, "case-1", 1).await;
            assert!(store.is_migrated().await.unwrap());
            store.migrate().await.unwrap();
            assert_eq!(store.schema_version().await.unwrap(), Some(super::known_version()));
            assert_eq!(store.list_cases(&[]).await.unwrap().len(), 1);
        })
        .await;
    }

    #[tokio::test]
    async fn a_store_of_a_newer_reeve_is_refused() {
        on_each(|store| async move {
            sqlx::query("update _sqlx_migrations set version = 9999 where version = 1").execute(&store.pool).await.unwrap();
            let error = store.migrate().await.unwrap_err();
            assert!(matches!(error, StoreError::Newer { found: 9999, .. }), "{error}");
        })
        .await;
        let folder = tempfile::tempdir().unwrap();
        let url = format!("sqlite:{}/new.db", folder.path().display());
        let store = Store::open_and_migrate(&url).await.unwrap();
        sqlx::query("update _sqlx_migrations set version = 9999 where version = 1").execute(&store.pool).await.unwrap();
        store.close().await;
        let error = Store::open(&url).await.unwrap_err();
        assert!(error.to_string().contains("run the newer version of Reeve"), "{error}");
    }

    #[tokio::test]
    async fn what_was_acknowledged_is_there_after_opening_again() {
        let folder = tempfile::tempdir().unwrap();
        let url = format!("sqlite:{}/a b%20c#d.db", folder.path().display());
        let store = Store::open_and_migrate(&url).await.unwrap();
        let case = with_case(&store, "case-1", 1).await;
        // The first store stays open: nothing depends on an orderly end.
        let again = Store::open(&url).await.unwrap();
        assert!(again.is_migrated().await.unwrap());
        assert_eq!(again.get_case(&case.id).await.unwrap(), case);
        assert!(folder.path().join("a b%20c#d.db").exists(), "a path is taken as it is written");
    }

    #[tokio::test]
    async fn who_reads_makes_no_file() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("none/reeve.db");
        assert!(Store::open_to_read(&format!("sqlite:{}", path.display())).await.is_err());
        assert!(!path.exists() && !path.parent().unwrap().exists());
    }

    #[tokio::test]
    async fn a_path_with_a_slip_in_it_is_an_error_and_makes_nothing() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("none/reeve.db");
        let url = format!("sqlite:{}", path.display());
        for error in [Store::open_existing(&url).await.unwrap_err(), Store::open_to_read(&url).await.unwrap_err()] {
            assert!(matches!(&error, StoreError::Nothing { url: named } if *named == url), "{error}");
            assert!(error.to_string().contains("nothing was ever kept there"), "{error}");
        }
        assert!(!path.parent().unwrap().exists());
        // A file that somebody touched, and a database that nobody set up.
        std::fs::write(folder.path().join("empty.db"), "").unwrap();
        let empty = format!("sqlite:{}/empty.db", folder.path().display());
        assert!(matches!(Store::open_existing(&empty).await, Err(StoreError::Nothing { .. })));
        on_each_at(|store, url| async move {
            if store.is_postgres() {
                store.statements(&["drop table _sqlx_migrations"]).await;
                assert!(matches!(Store::open_existing(&url).await, Err(StoreError::Nothing { .. })));
                assert!(matches!(Store::open_to_read(&url).await, Err(StoreError::Nothing { .. })));
            } else {
                Store::open_existing(&url).await.unwrap().close().await;
            }
        })
        .await;
    }

    #[cfg(unix)]
    #[tokio::test]
    async fn a_store_is_for_its_owner_alone() {
        use std::os::unix::fs::PermissionsExt as _;
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("reeve.db");
        let url = format!("sqlite:{}", path.display());
        let modes = || {
            let mode = |beside: &str| {
                let file = format!("{}{beside}", path.display());
                std::fs::metadata(file).map(|found| found.permissions().mode() & 0o777).ok()
            };
            ["", "-wal", "-shm"].map(mode)
        };
        let store = Store::open_and_migrate(&url).await.unwrap();
        store.append_audit(&[entry("one")]).await.unwrap();
        assert_eq!(modes(), [Some(0o600); 3]);
        store.close().await;
        // One of an older version, and its backup.
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o644)).unwrap();
        let store = Store::open_existing(&url).await.unwrap();
        store.append_audit(&[entry("two")]).await.unwrap();
        assert_eq!(modes(), [Some(0o600); 3]);
    }

    #[tokio::test]
    async fn a_store_that_can_not_be_written_is_read_as_it_is() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("reeve.db");
        let url = format!("sqlite:{}", path.display());
        let store = Store::open_and_migrate(&url).await.unwrap();
        store.append_audit(&[entry("one")]).await.unwrap();
        store.close().await;
        // A folder where SQLite would write stands for a disk that can not be written, also for root.
        std::fs::create_dir(folder.path().join("reeve.db-wal")).unwrap();
        let before = std::fs::read(&path).unwrap();
        let reader = Store::open_to_read(&url).await.unwrap();
        assert_eq!(reader.verify_audit().await.unwrap().0, 1);
        assert!(reader.append_audit(&[entry("two")]).await.is_err());
        reader.close().await;
        assert_eq!(std::fs::read(&path).unwrap(), before);
        // What was written last stands beside it: to leave it out would be to tell less than there is.
        std::fs::remove_dir(folder.path().join("reeve.db-wal")).unwrap();
        std::fs::write(folder.path().join("reeve.db-wal"), "unfinished").unwrap();
        let error = super::no_unfinished_log(path.to_str().unwrap(), &url).unwrap_err().to_string();
        assert!(error.contains("copy both files"), "{error}");
    }

    #[tokio::test]
    async fn memory_is_a_store_too() {
        let store = Store::open_and_migrate("sqlite::memory:").await.unwrap();
        store.append_audit(&[entry("one")]).await.unwrap();
        assert!(store.claim_due(at(0), 1, std::time::Duration::ZERO).await.unwrap().is_empty());
        assert_eq!(store.verify_audit().await.unwrap().0, 1);
    }

    #[tokio::test]
    async fn each_connection_to_a_file_is_durable_and_checked() {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::open(&format!("sqlite:{}/s.db", folder.path().display())).await.unwrap();
        for (pragma, expected) in [("pragma synchronous", 2), ("pragma foreign_keys", 1)] {
            let value: i64 = sqlx::query_scalar(pragma).fetch_one(&store.pool).await.unwrap();
            assert_eq!(value, expected, "{pragma}");
        }
        let mode: String = sqlx::query_scalar("pragma journal_mode").fetch_one(&store.pool).await.unwrap();
        assert_eq!(mode, "wal");
        assert!(!store.is_migrated().await.unwrap());
        let error = store.list_cases(&[]).await.unwrap_err().to_string();
        assert!(error.contains("run `reeve migrate`"), "{error}");
    }

    async fn refusal(url: &str) -> String {
        Store::open(url).await.unwrap_err().to_string()
    }

    #[tokio::test]
    async fn a_wrong_url_says_what_is_wrong_and_hides_the_password() {
        for url in [
            "mysql://ada:s3cret@db/reeve",
            "reeve.db",
            "sqlite:",
            "sqlite:x.db?mode=ro",
            "postgres://db/reeve",
            "postgres://ada:s3cret@:x/reeve",
        ] {
            let error = refusal(url).await;
            assert!(error.contains("is no store"), "{url}: {error}");
            assert!(!error.contains("s3cret"), "{error}");
        }
    }

    #[tokio::test]
    async fn a_file_that_can_not_be_a_store_is_named() {
        let folder = tempfile::tempdir().unwrap();
        let path = |name: &str| format!("sqlite:{}/{name}", folder.path().display());
        std::fs::write(folder.path().join("text"), "x".repeat(4096)).unwrap();
        let error = refusal(&path("text")).await;
        assert!(error.contains("text is no SQLite database"), "{error}");
        let error = refusal(&path("text/below.db")).await;
        assert!(error.contains("below.db can not be made"), "{error}");
        std::fs::create_dir(folder.path().join("folder")).unwrap();
        let error = refusal(&path("folder")).await;
        assert!(error.contains("folder can not be opened"), "{error}");
    }

    #[tokio::test]
    async fn a_server_that_does_not_answer_is_named_without_its_password() {
        let port = {
            let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
            listener.local_addr().unwrap().port()
        };
        let error = refusal(&format!("postgres://ada:s3cret@127.0.0.1:{port}/reeve?password=s3cret")).await;
        assert_eq!(
            error,
            format!(
                "the store postgres://ada@127.0.0.1:{port}/reeve can not be reached: check that the database runs and \
                 that host and port are right"
            )
        );
    }
}
