//! How what a detector was shown and what it said was distributed on each closed day: the aggregates that drift is told by.

use jiff::civil::Date;
use sqlx::any::AnyRow;

use super::{Store, StoreError, row};
use crate::domain::model::ModelKind;
use crate::models::control::drift::DaySeen;

const TABLE: &str = "model_days";

/// A closed day of a detector.
#[derive(Clone, Debug, PartialEq)]
pub struct ModelDay {
    /// Which detector.
    pub kind: ModelKind,
    /// The day.
    pub day: Date,
    /// The version that judged it.
    pub version: String,
    /// What was seen.
    pub seen: DaySeen,
}

impl Store {
    /// Keeps days, each in place of what was kept of the same: a day that is judged anew with late records is the newer one.
    pub async fn put_model_days(&self, days: &[ModelDay]) -> Result<(), StoreError> {
        let mut tx = self.begin().await?;
        for day in days {
            sqlx::query(
                "insert into model_days (kind, day, version, body) values ($1, $2, $3, $4)
                 on conflict (kind, day) do update set version = excluded.version, body = excluded.body",
            )
            .bind(day.kind.name())
            .bind(day.day.to_string())
            .bind(day.version.clone())
            .bind(row::body(&day.seen))
            .execute(&mut *tx)
            .await?;
        }
        Ok(tx.commit().await?)
    }

    /// The newest days of a detector, at most so many, oldest first.
    pub async fn list_model_days(&self, kind: ModelKind, newest: i64) -> Result<Vec<ModelDay>, StoreError> {
        let rows = sqlx::query("select kind, day, version, body from model_days where kind = $1 order by day desc limit $2")
            .bind(kind.name())
            .bind(newest)
            .fetch_all(&self.pool)
            .await?;
        rows.iter().rev().map(day).collect()
    }
}

fn day(r: &AnyRow) -> Result<ModelDay, StoreError> {
    let (kind, day): (&str, &str) = (row::get(r, TABLE, "kind")?, row::get(r, TABLE, "day")?);
    Ok(ModelDay {
        kind: kind.parse().map_err(|error| row::corrupt(r, TABLE, "kind", Box::new(error)))?,
        day: day.parse().map_err(|error: jiff::Error| row::corrupt(r, TABLE, "day", Box::new(error)))?,
        version: row::get(r, TABLE, "version")?,
        seen: row::json(r, TABLE, "body")?,
    })
}
