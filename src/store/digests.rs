//! Digests as they were sent, byte for byte.

use jiff::Timestamp;
use jiff::civil::Date;
use sqlx::any::AnyRow;

use super::{Store, StoreError, audit, row};
use crate::domain::audit::AuditEntry;
use crate::domain::digest::Digest;

/// A digest with its renderings.
#[derive(Clone, Debug, PartialEq)]
pub struct StoredDigest {
    /// The digest.
    pub digest: Digest,
    /// For terminals.
    pub text: String,
    /// For chats.
    pub markdown: String,
    /// For mail and the page.
    pub html: String,
    /// When it was made.
    pub made_at: Timestamp,
}

impl Store {
    /// The digest of a day.
    pub async fn find_digest(&self, day: Date) -> Result<Option<StoredDigest>, StoreError> {
        let found = sqlx::query("select day, body, plain, markdown, html, made_at from digests where day = $1")
            .bind(day.to_string())
            .fetch_optional(&self.pool)
            .await?;
        found.map(|r| stored(&r)).transpose()
    }

    /// Keeps the digest of a day, in place of an earlier one that said something else, and answers whether it was kept.
    ///
    /// One that says the same stays as it was, with the audit head it was sent with, and `entry` is not written: keeping
    /// a digest moves the head, so a new head alone is nothing new.
    pub async fn put_digest(&self, new: &StoredDigest, entry: &AuditEntry) -> Result<bool, StoreError> {
        let mut tx = self.begin().await?;
        let old = sqlx::query("select day, body from digests where day = $1")
            .bind(new.digest.day.to_string())
            .fetch_optional(&mut *tx)
            .await?;
        if let Some(old) = old {
            let mut old: Digest = row::json(&old, TABLE, "body")?;
            old.audit_head.clone_from(&new.digest.audit_head);
            if row::body(&old) == row::body(&new.digest) {
                return Ok(false);
            }
        }
        sqlx::query(
            "insert into digests (day, body, plain, markdown, html, made_at) values ($1, $2, $3, $4, $5, $6)
             on conflict (day) do update set
                 body = excluded.body, plain = excluded.plain, markdown = excluded.markdown, html = excluded.html,
                 made_at = excluded.made_at",
        )
        .bind(new.digest.day.to_string())
        .bind(row::body(&new.digest))
        .bind(row::clean(&new.text))
        .bind(row::clean(&new.markdown))
        .bind(row::clean(&new.html))
        .bind(row::ms(new.made_at))
        .execute(&mut *tx)
        .await?;
        audit::append(&mut tx, std::slice::from_ref(entry)).await?;
        tx.commit().await?;
        Ok(true)
    }

    /// The digests of the days from `from` to `to`, oldest first.
    pub async fn list_digests_between(&self, from: Date, to: Date) -> Result<Vec<StoredDigest>, StoreError> {
        let rows = sqlx::query(
            "select day, body, plain, markdown, html, made_at from digests where day >= $1 and day <= $2 order by day",
        )
        .bind(from.to_string())
        .bind(to.to_string())
        .fetch_all(&self.pool)
        .await?;
        rows.iter().map(stored).collect()
    }

    /// At most `limit` digests, newest day first.
    pub async fn list_digests(&self, limit: usize) -> Result<Vec<StoredDigest>, StoreError> {
        let rows = sqlx::query("select day, body, plain, markdown, html, made_at from digests order by day desc limit $1")
            .bind(row::count(limit))
            .fetch_all(&self.pool)
            .await?;
        rows.iter().map(stored).collect()
    }
}

const TABLE: &str = "digests";

fn stored(r: &AnyRow) -> Result<StoredDigest, StoreError> {
    Ok(StoredDigest {
        digest: row::json(r, TABLE, "body")?,
        text: row::get(r, TABLE, "plain")?,
        markdown: row::get(r, TABLE, "markdown")?,
        html: row::get(r, TABLE, "html")?,
        made_at: row::time(r, TABLE, "made_at")?,
    })
}

#[cfg(test)]
mod tests {
    use jiff::civil::date;

    use crate::domain::digest::{BelowLine, Digest};
    use crate::domain::money::Money;
    use crate::store::StoredDigest;
    use crate::store::testing::{at, entry, on_each};

    fn digest(day: i8, line: &str, head: i64) -> StoredDigest {
        StoredDigest {
            digest: Digest {
                day: date(2026, 10, day),
                as_of: at(0),
                unread: Vec::new(),
                currency: "USD".to_owned(),
                lines: vec![],
                below: BelowLine::default(),
                explained: vec![],
                at_stake: Money::ZERO,
                noise: vec![],
                decided: vec![line.to_owned()],
                drafted_by: "playbook".to_owned(),
                health: vec![],
                audit_head: (head, "h".to_owned()),
            },
            text: format!("{line} {head}"),
            markdown: String::new(),
            html: String::new(),
            made_at: at(head),
        }
    }

    #[tokio::test]
    async fn a_digest_that_says_the_same_stays_as_it_was_sent() {
        on_each(|store| async move {
            let first = digest(1, "x", 0);
            assert!(store.put_digest(&first, &entry("digest.made")).await.unwrap());
            assert!(!store.put_digest(&digest(1, "x", 1), &entry("digest.made")).await.unwrap());
            assert_eq!(store.find_digest(date(2026, 10, 1)).await.unwrap(), Some(first));
            assert_eq!(store.verify_audit().await.unwrap().0, 1);
            assert!(store.put_digest(&digest(1, "y", 1), &entry("digest.made")).await.unwrap());
            assert!(store.put_digest(&digest(2, "z", 2), &entry("digest.made")).await.unwrap());
            let days: Vec<i8> = store.list_digests(9).await.unwrap().iter().map(|d| d.digest.day.day()).collect();
            assert_eq!(days, [2, 1]);
            assert_eq!(store.list_digests(1).await.unwrap().len(), 1);
            assert_eq!(store.find_digest(date(2026, 10, 3)).await.unwrap(), None);
        })
        .await;
    }
}
