//! Reading columns. What a row holds is not trusted: a column that is not what was written is an error with its place.
//!
//! Every query selects the row's id first.

use jiff::Timestamp;
use serde::Serialize;
use serde::de::DeserializeOwned;
use sqlx::any::AnyRow;
use sqlx::{Any, Decode, Row as _, Type};

use super::StoreError;
use crate::domain::hand::Hand;
use crate::ports::BoxError;

/// A column's value.
pub(super) fn get<'r, T>(row: &'r AnyRow, table: &'static str, column: &'static str) -> Result<T, StoreError>
where
    T: Decode<'r, Any> + Type<Any>,
{
    row.try_get(column).map_err(|error| corrupt(row, table, column, Box::new(error)))
}

/// A value kept as JSON.
pub(super) fn json<T: DeserializeOwned>(row: &AnyRow, table: &'static str, column: &'static str) -> Result<T, StoreError> {
    let text: &str = get(row, table, column)?;
    serde_json::from_str(text).map_err(|error| corrupt(row, table, column, Box::new(error)))
}

/// A time.
pub(super) fn time(row: &AnyRow, table: &'static str, column: &'static str) -> Result<Timestamp, StoreError> {
    moment(row, table, column, get(row, table, column)?)
}

/// A time that may be absent.
pub(super) fn time_opt(row: &AnyRow, table: &'static str, column: &'static str) -> Result<Option<Timestamp>, StoreError> {
    get::<Option<i64>>(row, table, column)?.map(|ms| moment(row, table, column, ms)).transpose()
}

fn moment(row: &AnyRow, table: &'static str, column: &'static str, ms: i64) -> Result<Timestamp, StoreError> {
    Timestamp::from_millisecond(ms).map_err(|error| corrupt(row, table, column, Box::new(error)))
}

/// The error for a column that is not what was written.
pub(super) fn corrupt(row: &AnyRow, table: &'static str, column: &'static str, source: BoxError) -> StoreError {
    let id = row
        .try_get::<String, _>(0)
        .or_else(|_| row.try_get::<i64, _>(0).map(|n| n.to_string()))
        .unwrap_or_else(|_| "?".to_owned());
    StoreError::Corrupt { table, id, column, source }
}

/// A domain value as the store keeps it.
pub(super) fn body<T: Serialize>(value: &T) -> String {
    serde_json::to_string(value).expect("domain values have no maps with keys that are not text")
}

/// Milliseconds since 1970.
pub(super) fn ms(at: Timestamp) -> i64 {
    at.as_millisecond()
}

/// A number of things.
pub(super) fn count(n: usize) -> i64 {
    i64::try_from(n).unwrap_or(i64::MAX)
}

/// Text that people or other systems wrote. PostgreSQL can not keep a zero character, so it is replaced by the sign for an
/// unreadable one.
pub(super) fn clean(text: &str) -> String {
    text.replace('\0', "\u{fffd}")
}

/// Whose hand a row's link, session or token could be in. What was made before this was kept could be in anybody's.
pub(super) fn hand(row: &AnyRow, table: &'static str) -> Result<Hand, StoreError> {
    let kept: String = get(row, table, "hand")?;
    Ok(Hand::read(&kept).unwrap_or(Hand::MadeByCommand(String::new())))
}

/// `$from, $from+1, …`: as many as there are values.
pub(super) fn placeholders(from: usize, count: usize) -> String {
    (from..from + count).map(|n| format!("${n}")).collect::<Vec<_>>().join(", ")
}
