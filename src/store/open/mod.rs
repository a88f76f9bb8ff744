//! Opening a store: to be made, used or only read. `place` is what a url names, `file` what a file has to be like, `schema` the
//! tables in it.

mod file;
mod place;
mod schema;
#[cfg(test)]
mod tests;

use std::path::Path;
use std::time::Duration;

use sqlx::any::{AnyConnectOptions, AnyPoolOptions};
use sqlx::{AnyConnection, ConnectOptions as _, Connection as _, Executor as _};

use self::file::{is_unwritable, keep_private, make_folder, make_private, no_unfinished_log};
use self::place::{Place, escape, names_user, parse, place_of, without_password};
use self::schema::known_version;
use super::{Backend, Store, StoreError, health};

/// How long a caller waits for a free connection, or for another writer of the same SQLite file.
const WAIT: Duration = Duration::from_secs(10);

/// Connections to PostgreSQL, or readers of a SQLite file; more would only queue behind the one writer.
const CONNECTIONS: u32 = 8;

/// A process that stands still, or whose machine is gone, in the middle of a change holds what it has locked: after a minute
/// PostgreSQL gives that change up. Whoever set another time, in the url or at the server, has that one.
const NO_STANDING_STILL: &str = "select set_config('idle_in_transaction_session_timeout', '60s', false) \
     where current_setting('idle_in_transaction_session_timeout') = '0'";

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
        // Before anything is done with it: an older program must not write into what a newer one made.
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
                } else {
                    connection.execute(NO_STANDING_STILL).await?;
                }
                Ok(())
            })
        })
        // What came back fit stays so in SQLite: there is no server that could go away meanwhile.
        .test_before_acquire(backend == Backend::Postgres)
        .after_release(move |connection, _| Box::pin(health::fit_for_use(connection, backend, in_memory)));
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
    Ok(Store { pool, backend, shown: shown.to_owned(), os_user: None, fence: None })
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
