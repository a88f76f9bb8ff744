//! A live source's copy of the ERP's rows, with the positions up to which its streams were read.

use std::collections::BTreeMap;

use async_trait::async_trait;
use jiff::Timestamp;
use sqlx::any::AnyRow;
use sqlx::{Any, AssertSqlSafe, Transaction};

use super::{Store, StoreError, records, row};
use crate::domain::record::Observed;
use crate::ports::{BoxError, Mirror, MirrorChange, MirrorRow};

/// Rows in one statement: 500 × 9 values stay below the limits of both databases (32,766 and 65,535).
const CHUNK: usize = 500;

#[async_trait]
impl Mirror for Store {
    async fn position(&self, stream: &str) -> Result<Option<String>, BoxError> {
        Ok(self.find_cursor(&cursor_of(stream)).await?)
    }

    async fn keep(
        &self,
        stream: &str,
        rows: &[MirrorRow],
        gone: &[i64],
        position: &str,
        at: Timestamp,
    ) -> Result<u64, BoxError> {
        let mut tx = self.begin().await.map_err(Box::new)?;
        let changed = keep(&mut tx, stream, rows, gone, at).await?;
        records::move_cursor(&mut tx, &cursor_of(stream), position, at).await?;
        tx.commit().await?;
        Ok(changed)
    }

    async fn keep_records(
        &self,
        stream: &str,
        records: &[Observed],
        position: &str,
        at: Timestamp,
    ) -> Result<u64, BoxError> {
        let mut tx = self.begin().await.map_err(Box::new)?;
        let changed = records::put_all(&mut tx, records).await?;
        records::move_cursor(&mut tx, &cursor_of(stream), position, at).await?;
        tx.commit().await?;
        Ok(changed)
    }

    async fn ids(&self, stream: &str, after: i64, limit: usize) -> Result<Vec<i64>, BoxError> {
        let rows = sqlx::query("select id from mirror where stream = $1 and id > $2 and gone = 0 order by id limit $3")
            .bind(stream)
            .bind(after)
            .bind(row::count(limit))
            .fetch_all(&self.pool)
            .await?;
        Ok(rows.iter().map(|r| row::get(r, "mirror", "id")).collect::<Result<_, StoreError>>()?)
    }

    async fn changes(&self, after: i64, limit: usize) -> Result<Vec<MirrorChange>, BoxError> {
        let rows = sqlx::query("select id, seq, stream, gone, read_at from mirror where seq > $1 order by seq limit $2")
            .bind(after)
            .bind(row::count(limit))
            .fetch_all(&self.pool)
            .await?;
        let change = |r: &AnyRow| {
            Ok::<_, StoreError>(MirrorChange {
                seq: row::get(r, "mirror", "seq")?,
                stream: row::get(r, "mirror", "stream")?,
                id: row::get(r, "mirror", "id")?,
                gone: row::get::<i64>(r, "mirror", "gone")? != 0,
                read_at: row::time(r, "mirror", "read_at")?,
            })
        };
        Ok(rows.iter().map(change).collect::<Result<_, _>>()?)
    }

    async fn rows(&self, stream: &str, ids: &[i64]) -> Result<Vec<MirrorRow>, BoxError> {
        self.select(stream, "id", ids).await
    }

    async fn linked(&self, stream: &str, link: usize, targets: &[i64]) -> Result<Vec<MirrorRow>, BoxError> {
        let column = ["link_0", "link_1", "link_2"].get(link).ok_or("a row of the mirror has three links")?;
        self.select(stream, column, targets).await
    }

    async fn all(&self, stream: &str) -> Result<Vec<MirrorRow>, BoxError> {
        let sql = "select id, link_0, link_1, link_2, body from mirror where stream = $1 and gone = 0 order by id";
        let rows = sqlx::query(sql).bind(stream).fetch_all(&self.pool).await?;
        Ok(rows.iter().map(read).collect::<Result<_, _>>()?)
    }
}

impl Store {
    async fn select(&self, stream: &str, column: &'static str, wanted: &[i64]) -> Result<Vec<MirrorRow>, BoxError> {
        let mut found = BTreeMap::new();
        for chunk in wanted.chunks(CHUNK) {
            let sql = format!(
                "select id, link_0, link_1, link_2, body from mirror where stream = $1 and gone = 0 and {column} in ({})",
                row::placeholders(2, chunk.len())
            );
            // Safe: the text is made of placeholders and one of four names.
            let mut query = sqlx::query(AssertSqlSafe(sql)).bind(stream);
            for id in chunk {
                query = query.bind(*id);
            }
            for r in &query.fetch_all(&self.pool).await? {
                let row = read(r)?;
                found.insert(row.id, row);
            }
        }
        Ok(found.into_values().collect())
    }
}

fn cursor_of(stream: &str) -> String {
    format!("mirror:{stream}")
}

fn read(r: &AnyRow) -> Result<MirrorRow, StoreError> {
    Ok(MirrorRow {
        id: row::get(r, "mirror", "id")?,
        body: row::get(r, "mirror", "body")?,
        links: [row::get(r, "mirror", "link_0")?, row::get(r, "mirror", "link_1")?, row::get(r, "mirror", "link_2")?],
    })
}

async fn keep(
    tx: &mut Transaction<'_, Any>,
    stream: &str,
    rows: &[MirrorRow],
    gone: &[i64],
    at: Timestamp,
) -> Result<u64, StoreError> {
    // One statement may touch a row once: of a row that stands twice in a page the last counts.
    let rows: BTreeMap<i64, &MirrorRow> = rows.iter().map(|r| (r.id, r)).collect();
    let rows: Vec<&MirrorRow> = rows.into_values().collect();
    let needed = row::count(rows.len() + gone.len());
    // Taking the numbers first also makes writers wait for each other, so that a lower number is never committed later.
    let last: i64 = sqlx::query_scalar("update mirror_count set seq = seq + $1 where id = 1 returning seq")
        .bind(needed)
        .fetch_one(&mut **tx)
        .await?;
    let mut seq = last - needed;
    let mut changed = 0;
    for chunk in rows.chunks(CHUNK) {
        let values: Vec<String> = (0..chunk.len()).map(|i| format!("({})", row::placeholders(i * 9 + 1, 9))).collect();
        let sql = format!(
            "insert into mirror (stream, id, seq, gone, read_at, link_0, link_1, link_2, body) values {}
             on conflict (stream, id) do update set
                 seq = excluded.seq, gone = excluded.gone, read_at = excluded.read_at, link_0 = excluded.link_0,
                 link_1 = excluded.link_1, link_2 = excluded.link_2, body = excluded.body
             where mirror.body <> excluded.body or mirror.gone <> excluded.gone",
            values.join(", ")
        );
        // Safe: the text is made of placeholders only.
        let mut query = sqlx::query(AssertSqlSafe(sql));
        for r in chunk {
            seq += 1;
            query = query
                .bind(stream)
                .bind(r.id)
                .bind(seq)
                .bind(0_i64)
                .bind(row::ms(at))
                .bind(r.links[0])
                .bind(r.links[1])
                .bind(r.links[2])
                .bind(row::clean(&r.body));
        }
        changed += query.execute(&mut **tx).await?.rows_affected();
    }
    for id in gone {
        seq += 1;
        let done =
            sqlx::query("update mirror set gone = 1, seq = $1, read_at = $2 where stream = $3 and id = $4 and gone = 0")
                .bind(seq)
                .bind(row::ms(at))
                .bind(stream)
                .bind(*id)
                .execute(&mut **tx)
                .await?;
        changed += done.rows_affected();
    }
    Ok(changed)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::testing::{at, on_each};

    fn line(id: i64, body: &str, order: i64) -> MirrorRow {
        MirrorRow { id, body: body.to_owned(), links: [Some(order), None, None] }
    }

    #[tokio::test]
    async fn rows_their_links_and_the_position_are_kept_together_and_a_row_that_is_the_same_is_no_change() {
        on_each(|store| async move {
            let rows = [line(1, "[1]", 7), line(2, "[2]", 7), line(3, "[3]", 8)];
            assert_eq!(store.keep("po_line", &rows, &[], "p1", at(0)).await.unwrap(), 3);
            assert_eq!(store.keep("po_line", &rows, &[], "p2", at(1)).await.unwrap(), 0);
            assert_eq!(store.position("po_line").await.unwrap().as_deref(), Some("p2"));
            assert_eq!(store.position("other").await.unwrap(), None);
            assert_eq!(store.linked("po_line", 0, &[7]).await.unwrap(), rows[..2]);
            assert_eq!(store.rows("po_line", &[3, 1, 9]).await.unwrap(), [rows[0].clone(), rows[2].clone()]);
            assert_eq!(store.all("po_line").await.unwrap(), rows);
            assert_eq!(store.all("other").await.unwrap(), []);
        })
        .await;
    }

    #[tokio::test]
    async fn changes_are_told_once_each_in_order_and_what_is_gone_is_no_longer_found() {
        on_each(|store| async move {
            store.keep("a", &[line(1, "[1]", 7), line(2, "[2]", 7)], &[], "p", at(0)).await.unwrap();
            let first = store.changes(0, 10).await.unwrap();
            assert_eq!(first.iter().map(|c| c.id).collect::<Vec<_>>(), [1, 2]);
            store.keep("a", &[line(1, "[11]", 7)], &[2], "p", at(5)).await.unwrap();
            let later = store.changes(first[1].seq, 10).await.unwrap();
            assert_eq!(
                later.iter().map(|c| (c.id, c.gone, c.read_at)).collect::<Vec<_>>(),
                [(1, false, at(5)), (2, true, at(5))]
            );
            assert_eq!(store.changes(0, 1).await.unwrap(), later[..1]);
            assert_eq!(store.ids("a", 0, 10).await.unwrap(), [1]);
            assert_eq!(store.rows("a", &[2]).await.unwrap(), []);
            // What comes back is there again.
            store.keep("a", &[line(2, "[2]", 7)], &[], "p", at(6)).await.unwrap();
            assert_eq!(store.ids("a", 1, 10).await.unwrap(), [2]);
        })
        .await;
    }
}
