//! The audit log: appended to inside the transaction of the change it tells of, chained, never updated or deleted from.

use std::collections::BTreeMap;

use jiff::Timestamp;
use sqlx::any::AnyRow;
use sqlx::{Any, AssertSqlSafe, Transaction};

use super::{Store, StoreError, row};
use crate::domain::audit::{AuditEntry, CLOSE, ChainError, ChainWalk, Chained};
use crate::domain::ids::RecommendationId;

/// Entries read at once: memory stays small however long the log is.
const BATCH: i64 = 1_000;

/// Subjects asked for at once.
const SUBJECTS: usize = 200;

/// What is wrong with the log.
#[derive(Debug, thiserror::Error)]
pub enum AuditFault {
    /// An entry was changed, dropped or inserted.
    #[error(transparent)]
    Chain(#[from] ChainError),
    /// Entries at the end are gone.
    #[error("the audit log ends with entry {found} ({found_hash}), but {counted} ({counted_hash}) were written")]
    End {
        /// The last entry there is.
        found: i64,
        /// Its hash.
        found_hash: String,
        /// The last entry that was written.
        counted: i64,
        /// Its hash.
        counted_hash: String,
    },
    /// Entries were added past Reeve, before the first or after the last.
    #[error("the audit log holds {extra} entries that Reeve did not write")]
    Extra {
        /// How many.
        extra: i64,
    },
    /// The text of an entry's detail reads as what was hashed, and is another one: a key twice, other spaces.
    #[error("the detail of audit entry {seq} is not written as it was hashed")]
    Text {
        /// Which entry.
        seq: i64,
    },
    /// It could not be read.
    #[error("the audit log can not be read")]
    Store(#[from] StoreError),
}

impl Store {
    /// Appends entries that go with no other change.
    pub async fn append_audit(&self, entries: &[AuditEntry]) -> Result<(), StoreError> {
        let mut tx = self.begin().await?;
        append(&mut tx, entries).await?;
        Ok(tx.commit().await?)
    }

    /// Walks the whole log, as it stood when the walk began. Answers the number of the last entry and its hash.
    ///
    /// # Errors
    /// Names the first entry that is not what was written.
    pub async fn verify_audit(&self) -> Result<(i64, String), AuditFault> {
        self.verify_audit_after(0).await
    }

    /// The same for the entries after number `after` alone: that they follow each other and the one before them, up to the
    /// head. Says nothing of what is older.
    ///
    /// # Errors
    /// As [`Store::verify_audit`].
    pub async fn verify_audit_after(&self, after: i64) -> Result<(i64, String), AuditFault> {
        let (counted, counted_hash) = self.audit_head().await?;
        let mut walk = match after {
            ..=0 => ChainWalk::default(),
            after => {
                let missing = ChainError::Gap { expected: after, found: after + 1 };
                ChainWalk::behind(after, self.audit_hash(after).await?.ok_or(missing)?)
            }
        };
        loop {
            let entries = self.list_audit_texts(walk.head().0, BATCH).await?;
            let last = entries.last().map(|(e, _)| e.seq);
            for (entry, detail) in &entries {
                if walk.head().0 == counted {
                    break;
                }
                walk.step(entry)?;
                // The hash is of what the text reads as; other programs read the text.
                let hashed = entry.entry.detail.to_string();
                if hashed != *detail {
                    return Err(AuditFault::Text { seq: entry.seq });
                }
            }
            // Entries that others appended since the walk began are theirs to check.
            if last.is_none_or(|seq| seq >= counted) {
                break;
            }
        }
        let (found, found_hash) = walk.head();
        if found != counted || found_hash != counted_hash {
            let found_hash = found_hash.to_owned();
            return Err(AuditFault::End { found, found_hash, counted, counted_hash });
        }
        // In this order: what is counted here was appended before the head is read again.
        let rows = sqlx::query("select 'all' as id, count(*) as n from audit_log")
            .fetch_one(&self.pool)
            .await
            .map_err(StoreError::from)?;
        let extra = row::get::<i64>(&rows, TABLE, "n")? - self.audit_head().await?.0;
        if extra > 0 {
            return Err(AuditFault::Extra { extra });
        }
        Ok((counted, counted_hash))
    }

    /// Number and hash of the newest entry; 0 and [`crate::domain::audit::GENESIS`] before the first.
    pub async fn audit_head(&self) -> Result<(i64, String), StoreError> {
        let head = sqlx::query("select name, seq, hash from audit_head where name = 'head'").fetch_one(&self.pool).await?;
        Ok((row::get(&head, "audit_head", "seq")?, row::get(&head, "audit_head", "hash")?))
    }

    /// At most `limit` entries after number `after`, oldest first.
    pub async fn list_audit(&self, after: i64, limit: i64) -> Result<Vec<Chained>, StoreError> {
        Ok(self.list_audit_texts(after, limit).await?.into_iter().map(|(entry, _)| entry).collect())
    }

    /// The same, each with its detail as the text that is kept.
    async fn list_audit_texts(&self, after: i64, limit: i64) -> Result<Vec<(Chained, String)>, StoreError> {
        let rows = sqlx::query(
            "select seq, at, actor, channel, action, subject, content, detail, previous, hash
             from audit_log where seq > $1 order by seq limit $2",
        )
        .bind(after)
        .bind(limit)
        .fetch_all(&self.pool)
        .await?;
        rows.iter().map(|r| Ok((chained(r)?, row::get(r, TABLE, "detail")?))).collect()
    }

    /// The hash of entry `seq`, where there is one.
    pub async fn audit_hash(&self, seq: i64) -> Result<Option<String>, StoreError> {
        let found =
            sqlx::query("select seq, hash from audit_log where seq = $1").bind(seq).fetch_optional(&self.pool).await?;
        found.map(|r| row::get(&r, TABLE, "hash")).transpose()
    }

    /// The number before the first entry made at or after `from`, and that of the last one made before `to`. What lies in
    /// between is a part of the chain without a gap.
    pub async fn audit_span(&self, from: Option<Timestamp>, to: Option<Timestamp>) -> Result<(i64, i64), StoreError> {
        let head = self.audit_head().await?.0;
        let first = match from {
            None => 1,
            Some(from) => {
                let found = sqlx::query("select 'first' as id, min(seq) as seq from audit_log where at >= $1")
                    .bind(row::ms(from))
                    .fetch_one(&self.pool)
                    .await?;
                row::get::<Option<i64>>(&found, TABLE, "seq")?.unwrap_or(head + 1)
            }
        };
        let last = match to {
            None => head,
            Some(to) => {
                let found = sqlx::query("select 'last' as id, max(seq) as seq from audit_log where at < $1")
                    .bind(row::ms(to))
                    .fetch_one(&self.pool)
                    .await?;
                row::get::<Option<i64>>(&found, TABLE, "seq")?.unwrap_or(0)
            }
        };
        // Not beyond the head that was read first: what was appended since is for the next who asks.
        Ok((first - 1, last.min(head)))
    }

    /// What the log says beside `action` from one moment to another, oldest first.
    pub async fn list_details(
        &self,
        action: &str,
        from: Timestamp,
        to: Timestamp,
    ) -> Result<Vec<serde_json::Value>, StoreError> {
        let rows = sqlx::query("select detail from audit_log where at >= $1 and at <= $2 and action = $3 order by seq")
            .bind(from.as_millisecond())
            .bind(to.as_millisecond())
            .bind(action)
            .fetch_all(&self.pool)
            .await?;
        rows.iter().map(|r| row::json(r, TABLE, "detail")).collect()
    }

    /// When `action` was first done to each of the recommendations it was done to.
    pub async fn first_times(
        &self,
        action: &str,
        ids: &[RecommendationId],
    ) -> Result<BTreeMap<RecommendationId, Timestamp>, StoreError> {
        let mut times = BTreeMap::new();
        for some in ids.chunks(SUBJECTS) {
            // Safe: the text is made of placeholders only.
            let mut query = sqlx::query(AssertSqlSafe(format!(
                "select subject, min(at) as at from audit_log where subject in ({}) and action = $1 group by subject",
                row::placeholders(2, some.len())
            )))
            .bind(action);
            for id in some {
                query = query.bind(format!("recommendation:{id}"));
            }
            for r in &query.fetch_all(&self.pool).await? {
                let subject: String = row::get(r, TABLE, "subject")?;
                let id = subject.trim_start_matches("recommendation:").to_owned();
                times.insert(RecommendationId(id), row::time(r, TABLE, "at")?);
            }
        }
        Ok(times)
    }

    /// What was done last to one thing, where anything was.
    pub async fn last_audit_of(&self, subject: &str) -> Result<Option<Chained>, StoreError> {
        let found = sqlx::query(
            "select seq, at, actor, channel, action, subject, content, detail, previous, hash
             from audit_log where subject = $1 order by seq desc limit 1",
        )
        .bind(subject)
        .fetch_optional(&self.pool)
        .await?;
        found.map(|r| chained(&r)).transpose()
    }

    /// What was done to one thing, `case:…` or `recommendation:…`, oldest first.
    pub async fn list_audit_of(&self, subject: &str) -> Result<Vec<Chained>, StoreError> {
        let rows = sqlx::query(
            "select seq, at, actor, channel, action, subject, content, detail, previous, hash
             from audit_log where subject = $1 order by seq",
        )
        .bind(subject)
        .fetch_all(&self.pool)
        .await?;
        rows.iter().map(chained).collect()
    }
}

const TABLE: &str = "audit_log";

pub(super) fn chained(r: &AnyRow) -> Result<Chained, StoreError> {
    Ok(Chained {
        seq: row::get(r, TABLE, "seq")?,
        entry: AuditEntry {
            at: row::time(r, TABLE, "at")?,
            actor: row::get(r, TABLE, "actor")?,
            channel: row::get(r, TABLE, "channel")?,
            action: row::get(r, TABLE, "action")?,
            subject: row::get(r, TABLE, "subject")?,
            content: row::get(r, TABLE, "content")?,
            detail: row::json(r, TABLE, "detail")?,
        },
        previous: row::get(r, TABLE, "previous")?,
        hash: row::get(r, TABLE, "hash")?,
    })
}

/// Locks the log's head until the transaction ends, and says what it is: whoever writes to the log waits here, so what is
/// looked for afterwards can not come in between. An update that changes nothing locks the row on both databases.
pub(super) async fn lock(tx: &mut Transaction<'_, Any>) -> Result<(i64, String), StoreError> {
    let head = sqlx::query("update audit_head set seq = seq where name = 'head' returning name, seq, hash")
        .fetch_one(&mut **tx)
        .await?;
    Ok((row::get(&head, "audit_head", "seq")?, row::get(&head, "audit_head", "hash")?))
}

/// Appends entries to the log. Comes last in a transaction: it locks the head, and so every other append, until the end.
pub(super) async fn append(tx: &mut Transaction<'_, Any>, entries: &[AuditEntry]) -> Result<(), StoreError> {
    // Nobody has to wait at the log's head for nothing.
    if entries.is_empty() {
        return Ok(());
    }
    let (mut seq, mut previous) = lock(tx).await?;
    for entry in entries {
        let entry = settled(entry);
        seq += 1;
        let hash = entry.chain_hash(seq, &previous);
        sqlx::query(
            "insert into audit_log (seq, at, actor, channel, action, subject, content, detail, previous, hash)
             values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)",
        )
        .bind(seq)
        .bind(row::ms(entry.at))
        .bind(entry.actor)
        .bind(entry.channel)
        .bind(entry.action)
        .bind(entry.subject)
        .bind(entry.content)
        .bind(entry.detail.to_string())
        .bind(previous)
        .bind(hash.as_str())
        .execute(&mut **tx)
        .await?;
        previous = hash;
    }
    sqlx::query("update audit_head set seq = $1, hash = $2 where name = 'head'")
        .bind(seq)
        .bind(previous)
        .execute(&mut **tx)
        .await?;
    Ok(())
}

/// The entry as it will read back, so that its hash can be computed again: some decimals of many digits do not parse to the
/// number that wrote them.
fn settled(entry: &AuditEntry) -> AuditEntry {
    let mut detail = entry.detail.to_string();
    // Written and read again it comes to rest after a round or two. What does not is kept as a text, which does.
    for _ in 0..8 {
        let again = reread(&detail);
        if again == detail {
            break;
        }
        detail = again;
    }
    if reread(&detail) != detail {
        detail = serde_json::Value::String(detail).to_string();
    }
    AuditEntry {
        at: entry.at,
        actor: unambiguous(&entry.actor),
        channel: unambiguous(&entry.channel),
        action: unambiguous(&entry.action),
        subject: unambiguous(&entry.subject),
        content: unambiguous(&entry.content),
        detail: serde_json::from_str(&detail).unwrap_or_default(),
    }
}

/// Text without the character that closes fields where an entry is hashed.
fn unambiguous(text: &str) -> String {
    row::clean(text).replace(CLOSE, "\u{fffd}")
}

fn reread(detail: &str) -> String {
    serde_json::from_str::<serde_json::Value>(detail).unwrap_or_default().to_string()
}

#[cfg(test)]
mod tests {
    use crate::store::testing::{entry, on_each};
    use crate::store::{AuditFault, Backend, Store};

    async fn log_of_three(store: &Store) {
        store.append_audit(&[entry("one"), entry("two")]).await.unwrap();
        store.append_audit(&[entry("three")]).await.unwrap();
    }

    async fn unprotect(store: &Store) {
        let statements: &[&'static str] = match store.backend {
            Backend::Sqlite => &["drop trigger audit_log_no_update", "drop trigger audit_log_no_delete"],
            Backend::Postgres => &["drop trigger audit_log_no_change on audit_log"],
        };
        for statement in statements {
            sqlx::query(*statement).execute(&store.pool).await.unwrap();
        }
    }

    #[tokio::test]
    async fn details_are_those_of_an_action_in_its_time() {
        on_each(|store| async move {
            log_of_three(&store).await;
            let (at, second) = (entry("two").at, jiff::SignedDuration::from_secs(1));
            let two = store.list_details("two", at, at).await.unwrap();
            assert_eq!(two, [entry("two").detail]);
            assert!(store.list_details("four", at, at).await.unwrap().is_empty());
            assert!(store.list_details("two", at + second, at + second).await.unwrap().is_empty());
        })
        .await;
    }

    #[tokio::test]
    async fn an_untouched_log_verifies_and_reads_back() {
        on_each(|store| async move {
            assert_eq!(store.verify_audit().await.unwrap(), (0, crate::domain::audit::GENESIS.to_owned()));
            log_of_three(&store).await;
            let (seq, head) = store.verify_audit().await.unwrap();
            assert_eq!((seq, head.clone()), store.audit_head().await.unwrap());
            assert_eq!(seq, 3);
            let page = store.list_audit(1, 1).await.unwrap();
            assert_eq!(page[0].entry.action, "two");
            assert_eq!(store.list_audit_of("case:case-1").await.unwrap().last().unwrap().hash, head);
        })
        .await;
    }

    #[tokio::test]
    async fn the_database_refuses_to_change_the_log() {
        on_each(|store| async move {
            log_of_three(&store).await;
            for sql in ["update audit_log set actor = 'eve' where seq = 2", "delete from audit_log where seq = 3"] {
                let error = sqlx::query(sql).execute(&store.pool).await.unwrap_err().to_string();
                assert!(error.contains("append-only"), "{error}");
            }
            assert_eq!(store.verify_audit().await.unwrap().0, 3);
        })
        .await;
    }

    #[tokio::test]
    async fn a_changed_entry_is_found() {
        on_each(|store| async move {
            log_of_three(&store).await;
            unprotect(&store).await;
            sqlx::query("update audit_log set actor = 'eve' where seq = 2").execute(&store.pool).await.unwrap();
            let fault = store.verify_audit().await.unwrap_err();
            assert_eq!(fault.to_string(), "audit entry 2 was changed after it was written");
        })
        .await;
    }

    #[tokio::test]
    async fn a_detail_that_is_written_another_way_is_found() {
        for forged in ["replace(detail, '{', '{ ')", "replace(detail, '{', '{\"why\":\"forged\",')"] {
            on_each(async |store| {
                log_of_three(&store).await;
                unprotect(&store).await;
                let sql = format!("update audit_log set detail = {forged} where seq = 2");
                sqlx::query(sqlx::AssertSqlSafe(sql)).execute(&store.pool).await.unwrap();
                let fault = store.verify_audit().await.unwrap_err();
                assert!(matches!(fault, AuditFault::Text { seq: 2 }), "{forged}: {fault}");
            })
            .await;
        }
    }

    #[tokio::test]
    async fn a_missing_entry_is_found_in_the_middle_and_at_the_end() {
        on_each(|store| async move {
            log_of_three(&store).await;
            unprotect(&store).await;
            sqlx::query("delete from audit_log where seq = 3").execute(&store.pool).await.unwrap();
            let fault = store.verify_audit().await.unwrap_err();
            assert!(matches!(fault, AuditFault::End { found: 2, counted: 3, .. }), "{fault}");
            sqlx::query("delete from audit_log where seq = 1").execute(&store.pool).await.unwrap();
            let fault = store.verify_audit().await.unwrap_err();
            assert!(fault.to_string().starts_with("audit entry 1 is missing"), "{fault}");
        })
        .await;
    }

    #[tokio::test]
    async fn an_entry_added_past_reeve_is_found() {
        on_each(|store| async move {
            log_of_three(&store).await;
            sqlx::query(
                "insert into audit_log (seq, at, actor, channel, action, subject, content, detail, previous, hash)
                 values (4, 0, 'eve', 'web', 'x', 'y', '', '{}', '', '')",
            )
            .execute(&store.pool)
            .await
            .unwrap();
            let fault = store.verify_audit().await.unwrap_err();
            assert!(matches!(fault, AuditFault::Extra { extra: 1 }), "{fault}");
        })
        .await;
    }

    #[tokio::test]
    async fn entries_appended_at_once_make_one_chain() {
        on_each(|store| async move {
            let mut appends = tokio::task::JoinSet::new();
            for _ in 0..4 {
                let store = store.clone();
                appends.spawn(async move {
                    for _ in 0..5 {
                        store.append_audit(&[entry("one")]).await.unwrap();
                    }
                });
            }
            appends.join_all().await;
            assert_eq!(store.verify_audit().await.unwrap().0, 20);
        })
        .await;
    }

    proptest::proptest! {
        #[test]
        fn an_entry_s_detail_reads_back_to_its_hash(x in proptest::num::f64::ANY, text in ".*") {
            let mut entry = entry("any");
            entry.detail = serde_json::json!({"x": x, "text": text});
            let settled = super::settled(&entry);
            let again = serde_json::from_str::<serde_json::Value>(&settled.detail.to_string()).unwrap();
            proptest::prop_assert_eq!(again.to_string(), settled.detail.to_string());
        }
    }
}
