//! Up to where each stream of a source was read, and when each feed of events was last heard.

use jiff::Timestamp;

use super::{Store, StoreError, row};

const TABLE: &str = "watermarks";

/// Up to where a stream was read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Watermark {
    /// The source's identity.
    pub source: String,
    /// The stream's name.
    pub stream: String,
    /// When the newest look began, whether it has ended or not.
    pub begun_at: Timestamp,
    /// When the last look that ended well began: what was visible then has been read. None before the first.
    pub looked_at: Option<Timestamp>,
    /// Since when every look has failed.
    pub failing_since: Option<Timestamp>,
    /// Why the newest look failed.
    pub failing: Option<String>,
}

impl Store {
    /// A look at the streams of `source` begins at `at`. Streams that it does not have any more are forgotten, and so is any
    /// other source: a store has one, and nobody reads the one before it any more.
    pub async fn begin_look(&self, source: &str, streams: &[&str], at: Timestamp) -> Result<(), StoreError> {
        let mut tx = self.begin().await?;
        sqlx::query("delete from watermarks where source <> $1").bind(source).execute(&mut *tx).await?;
        for r in
            sqlx::query("select stream as id from watermarks where source = $1").bind(source).fetch_all(&mut *tx).await?
        {
            let known: String = row::get(&r, TABLE, "id")?;
            if !streams.contains(&known.as_str()) {
                let forgotten = sqlx::query("delete from watermarks where source = $1 and stream = $2");
                forgotten.bind(source).bind(known).execute(&mut *tx).await?;
            }
        }
        for stream in streams {
            sqlx::query(
                "insert into watermarks (source, stream, begun_at) values ($1, $2, $3)
                 on conflict (source, stream) do update set begun_at = excluded.begun_at",
            )
            .bind(source)
            .bind(*stream)
            .bind(row::ms(at))
            .execute(&mut *tx)
            .await?;
        }
        Ok(tx.commit().await?)
    }

    /// Everything that was visible to the look that began at `at` is among the records.
    pub async fn end_look(&self, source: &str, at: Timestamp) -> Result<(), StoreError> {
        let mut tx = self.begin().await?;
        sqlx::query("update watermarks set looked_at = $1, failing_since = null, failing = null where source = $2")
            .bind(row::ms(at))
            .bind(source)
            .execute(&mut *tx)
            .await?;
        Ok(tx.commit().await?)
    }

    /// The look that began at `at` has failed, but for the streams in `read`, each with the beginning of its last look that
    /// ended well.
    pub async fn fail_look(
        &self,
        source: &str,
        at: Timestamp,
        why: &str,
        read: &[(&str, Timestamp)],
    ) -> Result<(), StoreError> {
        let mut tx = self.begin().await?;
        sqlx::query("update watermarks set failing_since = coalesce(failing_since, $1), failing = $2 where source = $3")
            .bind(row::ms(at))
            .bind(row::clean(why))
            .bind(source)
            .execute(&mut *tx)
            .await?;
        for (stream, looked_at) in read {
            sqlx::query("update watermarks set looked_at = $1 where source = $2 and stream = $3")
                .bind(row::ms(*looked_at))
                .bind(source)
                .bind(*stream)
                .execute(&mut *tx)
                .await?;
        }
        Ok(tx.commit().await?)
    }

    /// Every stream's watermark, in the order of the streams' names.
    pub async fn list_watermarks(&self) -> Result<Vec<Watermark>, StoreError> {
        let rows = sqlx::query("select stream, source, begun_at, looked_at, failing_since, failing from watermarks")
            .fetch_all(&self.pool)
            .await?;
        let mut all = rows
            .iter()
            .map(|r| {
                Ok(Watermark {
                    source: row::get(r, TABLE, "source")?,
                    stream: row::get(r, TABLE, "stream")?,
                    begun_at: row::time(r, TABLE, "begun_at")?,
                    looked_at: row::time_opt(r, TABLE, "looked_at")?,
                    failing_since: row::time_opt(r, TABLE, "failing_since")?,
                    failing: row::get(r, TABLE, "failing")?,
                })
            })
            .collect::<Result<Vec<_>, StoreError>>()?;
        // Databases order text by their own rules; Rust's are the same everywhere.
        all.sort_by(|a, b| (&a.source, &a.stream).cmp(&(&b.source, &b.stream)));
        Ok(all)
    }

    /// When each feed of events was last heard, by its name.
    pub async fn list_last_heard(&self) -> Result<Vec<(String, Timestamp)>, StoreError> {
        let rows = sqlx::query("select source, max(received_at) as heard_at from events group by source")
            .fetch_all(&self.pool)
            .await?;
        let heard = rows.iter().map(|r| Ok((row::get(r, "events", "source")?, row::time(r, "events", "heard_at")?)));
        let mut heard = heard.collect::<Result<Vec<_>, StoreError>>()?;
        heard.sort();
        Ok(heard)
    }
}

#[cfg(test)]
mod tests {
    use crate::store::testing::{at, on_each};
    use crate::store::{NewEvent, Store};

    async fn marks(store: &Store) -> Vec<(String, Option<i64>, Option<i64>)> {
        let marks = store.list_watermarks().await.unwrap().into_iter();
        let ms = |moment: Option<jiff::Timestamp>| moment.map(|m| m.as_millisecond() - at(0).as_millisecond());
        marks.map(|m| (m.stream, ms(m.looked_at), ms(m.failing_since))).collect()
    }

    #[tokio::test]
    async fn a_watermark_moves_with_looks_that_end_well_and_says_since_when_they_do_not() {
        on_each(|store| async move {
            let row = |stream: &str, looked, failing| (stream.to_owned(), looked, failing);
            store.begin_look("erp", &["documents", "levels"], at(1)).await.unwrap();
            assert_eq!(marks(&store).await, [row("documents", None, None), row("levels", None, None)]);
            store.end_look("erp", at(1)).await.unwrap();
            for again in [2, 3] {
                store.begin_look("erp", &["documents", "levels"], at(again)).await.unwrap();
                store.fail_look("erp", at(again), "no route\0", &[("levels", at(again))]).await.unwrap();
            }
            assert_eq!(marks(&store).await, [row("documents", Some(1), Some(2)), row("levels", Some(3), Some(2))]);
            let kept = store.list_watermarks().await.unwrap();
            assert_eq!((kept[0].begun_at, kept[0].failing.as_deref()), (at(3), Some("no route\u{fffd}")));
            store.end_look("erp", at(4)).await.unwrap();
            assert_eq!(marks(&store).await, [row("documents", Some(4), None), row("levels", Some(4), None)]);
            store.begin_look("erp", &["documents"], at(5)).await.unwrap();
            assert_eq!(marks(&store).await, [row("documents", Some(4), None)], "a stream that is read no more is forgotten");
            store.begin_look("other", &["documents"], at(6)).await.unwrap();
            assert_eq!(marks(&store).await, [row("documents", None, None)], "so is a source that is read no more");
        })
        .await;
    }

    #[tokio::test]
    async fn a_feed_was_last_heard_with_its_newest_event() {
        on_each(|store| async move {
            for (id, ms) in [("acme/1", 5), ("acme/2", 9), ("wms/1", 7)] {
                let source = id.split('/').next().unwrap().to_owned();
                let event = NewEvent { id: id.into(), source, received_at: at(ms), body: "{}".into() };
                store.keep_event(&event).await.unwrap();
            }
            let heard = store.list_last_heard().await.unwrap();
            assert_eq!(heard, [("acme".to_owned(), at(9)), ("wms".to_owned(), at(7))]);
        })
        .await;
    }
}
