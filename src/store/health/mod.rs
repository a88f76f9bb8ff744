//! Which connections may be used again.
//!
//! SQLite rolls a transaction back by itself when the disk is full, a read or write fails or memory runs out; the driver
//! still counts it as open, and every later one on that connection is refused. A PostgreSQL server that restarts leaves
//! connections that nobody answers. Such connections are closed when they come back, in this one place for all
//! transactions: the next one opens a new connection.

use sqlx::{AnyConnection, Connection as _};

use super::{Backend, StoreError};

/// May the connection, given back after use, be used again? False closes it. The only connection to a database in memory is
/// never closed: it holds the data.
///
/// # Errors
/// None: what does not answer is closed.
pub(super) async fn fit_for_use(
    connection: &mut AnyConnection,
    backend: Backend,
    in_memory: bool,
) -> Result<bool, sqlx::Error> {
    // Each question to SQLite is two changes of threads, so it is asked only where a transaction counts as open: while none does,
    // there is none that could have ended by itself.
    if backend == Backend::Sqlite && !connection.is_in_transaction() {
        return Ok(true);
    }
    // The end of a transaction that was given up waits in a queue: whatever is asked next comes after it.
    if let Err(error) = connection.ping().await {
        tracing::info!("A connection to the store was lost and is opened anew: {error}");
        return Ok(false);
    }
    if in_memory || !connection.is_in_transaction() {
        return Ok(true);
    }
    tracing::info!("The database ended a transaction by itself, after an error; its connection is opened anew");
    Ok(false)
}

/// Did a piece of work fail because its connection was lost?
pub(super) fn was_lost(error: &StoreError) -> bool {
    match error {
        StoreError::Unavailable { source, .. } => source.downcast_ref::<sqlx::Error>().is_some_and(is_lost),
        StoreError::Database(error) => is_lost(error),
        _ => false,
    }
}

/// Was the connection lost, and the work not at fault?
pub(super) fn is_lost(error: &sqlx::Error) -> bool {
    match error {
        sqlx::Error::Io(_)
        | sqlx::Error::Protocol(_)
        | sqlx::Error::WorkerCrashed
        | sqlx::Error::BeginFailed
        | sqlx::Error::InvalidSavePointStatement => true,
        sqlx::Error::Database(database) => database
            .code()
            .is_some_and(|code| code.len() == 5 && (code.starts_with("57P") || code.starts_with("08") || code == "25P03")),
        _ => false,
    }
}

#[cfg(test)]
mod tests;
