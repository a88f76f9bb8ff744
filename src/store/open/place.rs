//! What a url names: memory, a file or a server. What of a url is shown holds no password.

use std::str::FromStr as _;

use sqlx::any::AnyConnectOptions;

use crate::store::StoreError;

/// Where a store is.
#[derive(Debug, PartialEq)]
pub(super) enum Place<'u> {
    Memory,
    File(&'u str),
    Postgres,
}

pub(super) fn place_of(url: &str) -> Result<Place<'_>, StoreError> {
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

pub(super) fn parse(url: &str) -> Result<AnyConnectOptions, StoreError> {
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
pub(super) fn escape(path: &str) -> String {
    path.replace('%', "%25").replace('?', "%3f").replace('#', "%23")
}

pub(super) fn names_user(options: &AnyConnectOptions) -> bool {
    let url = &options.database_url;
    !url.username().is_empty() || url.query_pairs().any(|(key, value)| key == "user" && !value.is_empty())
}

pub(super) fn without_password(options: &AnyConnectOptions) -> String {
    let mut url = options.database_url.clone();
    // A url with a host takes a password, and so lets it be taken away; one without a host has none.
    let _ = url.set_password(None);
    url.set_query(None);
    url.to_string()
}
