//! Digests as they were sent, byte for byte: everybody's, and planners' own.

use std::collections::BTreeSet;

use jiff::Timestamp;
use jiff::civil::Date;
use sqlx::AnyConnection;
use sqlx::any::AnyRow;

use super::{Store, StoreError, audit, row};
use crate::domain::audit::AuditEntry;
use crate::domain::digest::Digest;
use crate::domain::ids::PersonId;

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
    /// Everybody's digest of a day.
    pub async fn find_digest(&self, day: Date) -> Result<Option<StoredDigest>, StoreError> {
        self.find_digest_of("", day).await
    }

    /// The digest of a day: a planner's own, or everybody's where `whose` is empty.
    pub async fn find_digest_of(&self, whose: &str, day: Date) -> Result<Option<StoredDigest>, StoreError> {
        let mut tx = self.pool.acquire().await?;
        let found = row_of(&mut tx, whose, day).await?;
        found.map(|r| stored(&r)).transpose()
    }

    /// Keeps the digest of a day, in place of an earlier one that said something else, and answers whether it was kept.
    ///
    /// One that says the same stays as it was, with the audit head it was sent with, and `entry` is not written: keeping
    /// a digest moves the head, so a new head alone is nothing new.
    pub async fn put_digest(&self, new: &StoredDigest, entry: &AuditEntry) -> Result<bool, StoreError> {
        let whose = new.digest.planner.as_ref().map_or("", |planner| planner.id.as_str());
        let mut tx = self.begin().await?;
        if let Some(old) = row_of(&mut tx, whose, new.digest.day).await? {
            let mut old: Digest = row::json(&old, TABLE, "body")?;
            old.audit_head.clone_from(&new.digest.audit_head);
            if row::body(&old) == row::body(&new.digest) {
                return Ok(false);
            }
        }
        let put = if whose.is_empty() {
            sqlx::query(
                "insert into digests (day, body, plain, markdown, html, made_at) values ($1, $2, $3, $4, $5, $6)
                 on conflict (day) do update set
                     body = excluded.body, plain = excluded.plain, markdown = excluded.markdown, html = excluded.html,
                     made_at = excluded.made_at",
            )
        } else {
            sqlx::query(
                "insert into planner_digests (day, body, plain, markdown, html, made_at, person)
                 values ($1, $2, $3, $4, $5, $6, $7)
                 on conflict (person, day) do update set
                     body = excluded.body, plain = excluded.plain, markdown = excluded.markdown, html = excluded.html,
                     made_at = excluded.made_at",
            )
        };
        let put = put
            .bind(new.digest.day.to_string())
            .bind(row::body(&new.digest))
            .bind(row::clean(&new.text))
            .bind(row::clean(&new.markdown))
            .bind(row::clean(&new.html))
            .bind(row::ms(new.made_at));
        // The last one, for only the table of planners' own has it.
        let put = if whose.is_empty() { put } else { put.bind(whose) };
        put.execute(&mut *tx).await?;
        audit::append(&mut tx, std::slice::from_ref(entry)).await?;
        tx.commit().await?;
        Ok(true)
    }

    /// At most `limit` of a planner's own digests, newest day first.
    pub async fn list_digests_of(&self, person: &PersonId, limit: usize) -> Result<Vec<StoredDigest>, StoreError> {
        let rows = sqlx::query(
            "select day, body, plain, markdown, html, made_at from planner_digests
             where person = $1 order by day desc limit $2",
        )
        .bind(person.as_str())
        .bind(row::count(limit))
        .fetch_all(&self.pool)
        .await?;
        rows.iter().map(stored).collect()
    }

    /// Planners' own digests of the days from `from` to `to`, oldest first, of one day by person.
    pub async fn list_planner_digests_between(&self, from: Date, to: Date) -> Result<Vec<StoredDigest>, StoreError> {
        let rows = sqlx::query(
            "select day, body, plain, markdown, html, made_at from planner_digests
             where day >= $1 and day <= $2 order by day, person",
        )
        .bind(from.to_string())
        .bind(to.to_string())
        .fetch_all(&self.pool)
        .await?;
        rows.iter().map(stored).collect()
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

    /// The digests by which cases were put before people on the days from `from` to `to`, oldest first: on a day on which planners had
    /// their own those, for everybody's only sums them up, else everybody's.
    pub async fn list_shown_between(&self, from: Date, to: Date) -> Result<Vec<StoredDigest>, StoreError> {
        let own = self.list_planner_digests_between(from, to).await?;
        let days: BTreeSet<Date> = own.iter().map(|stored| stored.digest.day).collect();
        let mut shown = self.list_digests_between(from, to).await?;
        shown.retain(|stored| !days.contains(&stored.digest.day));
        shown.extend(own);
        shown.sort_by_key(|stored| stored.digest.day);
        Ok(shown)
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

/// The row of a digest, wherever it is kept.
async fn row_of(connection: &mut AnyConnection, whose: &str, day: Date) -> Result<Option<AnyRow>, StoreError> {
    let found = if whose.is_empty() {
        sqlx::query("select day, body, plain, markdown, html, made_at from digests where day = $1").bind(day.to_string())
    } else {
        sqlx::query("select day, body, plain, markdown, html, made_at from planner_digests where day = $1 and person = $2")
            .bind(day.to_string())
            .bind(whose)
    };
    Ok(found.fetch_optional(connection).await?)
}

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

    use crate::domain::digest::{BelowLine, Digest, DigestOf};
    use crate::domain::ids::PersonId;
    use crate::domain::money::Money;
    use crate::store::StoredDigest;
    use crate::store::testing::{at, entry, on_each};

    fn digest(day: i8, line: &str, head: i64) -> StoredDigest {
        StoredDigest {
            digest: Digest {
                day: date(2026, 10, day),
                planner: None,
                as_of: at(0),
                unread: Vec::new(),
                currency: "USD".to_owned(),
                lines: vec![],
                below: BelowLine::default(),
                planners: vec![],
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

    #[tokio::test]
    async fn a_planners_own_digest_stands_beside_everybodys() {
        on_each(|store| async move {
            let of = |person: &str, day: i8, line: &str| {
                let mut own = digest(day, line, 0);
                own.digest.planner = Some(DigestOf { id: PersonId::new(person), name: "P".to_owned() });
                own
            };
            let all = digest(1, "all", 0);
            for one in [&all, &of("pia", 1, "pia's"), &of("ari", 1, "ari's"), &of("pia", 2, "next")] {
                assert!(store.put_digest(one, &entry("digest.made")).await.unwrap());
            }
            assert!(!store.put_digest(&of("pia", 1, "pia's"), &entry("digest.made")).await.unwrap(), "it says the same");
            let day = date(2026, 10, 1);
            assert_eq!(store.find_digest(day).await.unwrap(), Some(all));
            assert_eq!(store.find_digest_of("pia", day).await.unwrap(), Some(of("pia", 1, "pia's")));
            assert_eq!(store.find_digest_of("fay", day).await.unwrap(), None);
            let days: Vec<i8> =
                store.list_digests_of(&PersonId::new("pia"), 9).await.unwrap().iter().map(|d| d.digest.day.day()).collect();
            assert_eq!(days, [2, 1]);
            assert_eq!(store.list_digests(9).await.unwrap().len(), 1, "everybody's alone");
            let shown = store.list_shown_between(day, date(2026, 10, 3)).await.unwrap();
            let said: Vec<&str> = shown.iter().map(|stored| stored.digest.decided[0].as_str()).collect();
            assert_eq!(said, ["ari's", "pia's", "next"], "everybody's only sums up");
            let between = store.list_planner_digests_between(day, day).await.unwrap();
            assert_eq!(between, [of("ari", 1, "ari's"), of("pia", 1, "pia's")]);
        })
        .await;
    }
}
