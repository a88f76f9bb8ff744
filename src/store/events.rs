//! Events from outside: kept as they came, then understood or quarantined, and put back by whoever replays them.
//!
//! An event is on the disk before it is acknowledged. What it means for the records, its state and the audit entry are
//! written in one transaction, guarded by the state and number of tries that were read: two that understand the same event
//! write it once.

use std::collections::BTreeMap;

use jiff::Timestamp;
use sqlx::any::AnyRow;

use super::changed::{self, Changed};
use super::{Store, StoreError, audit, records, row};
use crate::domain::audit::AuditEntry;
use crate::domain::ids::content_hash;
use crate::domain::record::{Observed, RecordKind};

/// An event that comes in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewEvent {
    /// `<source>/<the sender's id>`.
    pub id: String,
    /// The hook's name.
    pub source: String,
    /// When it came.
    pub received_at: Timestamp,
    /// The body, byte for byte.
    pub body: String,
}

/// What keeping an event came to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kept {
    /// It is new, and on the disk.
    New,
    /// It was there already, the same byte for byte: nothing was changed.
    Same,
    /// Another event has this id: nothing was changed.
    Other,
}

/// Where an event stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum EventState {
    /// Kept, not yet looked at.
    Received,
    /// Its notices are among the records.
    Understood,
    /// Not understood; its reason says why.
    Quarantined,
}

impl EventState {
    /// The name in the store and on the command line.
    pub fn name(self) -> &'static str {
        match self {
            Self::Received => "received",
            Self::Understood => "understood",
            Self::Quarantined => "quarantined",
        }
    }

    fn named(name: &str) -> Option<Self> {
        [Self::Received, Self::Understood, Self::Quarantined].into_iter().find(|s| s.name() == name)
    }
}

/// An event as it is kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EventRow {
    /// `<source>/<the sender's id>`.
    pub id: String,
    /// The hook's name.
    pub source: String,
    /// When it came.
    pub received_at: Timestamp,
    /// Its type, once it was found.
    pub kind: Option<String>,
    /// Where it stands.
    pub state: EventState,
    /// Why it is in quarantine.
    pub reason: Option<String>,
    /// How often it was looked at since it came or was replayed.
    pub tries: i64,
    /// When it was looked at last.
    pub tried_at: Option<Timestamp>,
    /// From when it is looked at again by itself, once records have changed; None: not by itself.
    pub retry_at: Option<Timestamp>,
    /// The body, byte for byte; empty once it is forgotten.
    pub body: String,
}

/// What understanding an event came to.
#[derive(Clone, Debug, PartialEq)]
pub struct Settled {
    /// Its type, where it could be found.
    pub kind: Option<String>,
    /// Why it is not understood; None when it is.
    pub quarantined: Option<String>,
    /// From when to try again.
    pub retry_at: Option<Timestamp>,
    /// The newest change of the records it was held against.
    pub seen: Option<Timestamp>,
    /// What it announces.
    pub records: Vec<Observed>,
}

const TABLE: &str = "events";

impl Store {
    /// Keeps an event. When this returns, it is on the disk.
    pub async fn keep_event(&self, event: &NewEvent) -> Result<Kept, StoreError> {
        let hash = content_hash(&[&event.body]);
        let kept = sqlx::query(
            "insert into events (id, source, received_at, state, body, hash) values ($1, $2, $3, 'received', $4, $5)
             on conflict (id) do nothing",
        )
        .bind(event.id.as_str())
        .bind(event.source.as_str())
        .bind(row::ms(event.received_at))
        .bind(row::clean(&event.body))
        .bind(hash.as_str())
        .execute(&self.pool)
        .await?;
        if kept.rows_affected() > 0 {
            return Ok(Kept::New);
        }
        let there =
            sqlx::query("select id, hash from events where id = $1").bind(event.id.as_str()).fetch_one(&self.pool).await?;
        Ok(if row::get::<String>(&there, TABLE, "hash")? == hash { Kept::Same } else { Kept::Other })
    }

    /// Events to look at, oldest first: new ones, and those in quarantine whose time has come and since whose last look the
    /// records have changed (`newest` is the newest change now).
    pub async fn list_events_to_understand(
        &self,
        now: Timestamp,
        newest: Option<Timestamp>,
        limit: usize,
    ) -> Result<Vec<EventRow>, StoreError> {
        let rows = sqlx::query(
            "select id, source, received_at, type, state, reason, tries, tried_at, retry_at, body from events
             where state = 'received' or (state = 'quarantined' and retry_at <= $1 and coalesce(seen, -1) <> $2)
             order by received_at, id limit $3",
        )
        .bind(row::ms(now))
        .bind(newest.map_or(-1, row::ms))
        .bind(row::count(limit))
        .fetch_all(&self.pool)
        .await?;
        rows.iter().map(event).collect()
    }

    /// Writes what understanding `seen` came to: notices, state and audit entry, all or nothing.
    ///
    /// # Errors
    /// [`StoreError::Conflict`] when somebody else settled or replayed it since.
    pub async fn settle_event(
        &self,
        seen: &EventRow,
        settled: &Settled,
        at: Timestamp,
        entry: &AuditEntry,
    ) -> Result<(), StoreError> {
        let state = if settled.quarantined.is_some() { EventState::Quarantined } else { EventState::Understood };
        let mut tx = self.begin().await?;
        let moved = sqlx::query(
            "update events set type = $1, state = $2, reason = $3, tries = tries + 1, tried_at = $4, retry_at = $5, seen = $6
             where id = $7 and state = $8 and tries = $9",
        )
        .bind(settled.kind.as_deref())
        .bind(state.name())
        .bind(settled.quarantined.as_deref().map(row::clean))
        .bind(row::ms(at))
        .bind(settled.retry_at.map(row::ms))
        .bind(settled.seen.map_or(-1, row::ms))
        .bind(seen.id.as_str())
        .bind(seen.state.name())
        .bind(seen.tries)
        .execute(&mut *tx)
        .await?;
        if moved.rows_affected() == 0 {
            return Err(StoreError::Conflict);
        }
        // Behind the guard above: of two who understand one event only one comes here.
        records::put_all(&mut tx, &settled.records).await?;
        audit::append(&mut tx, std::slice::from_ref(entry)).await?;
        Ok(tx.commit().await?)
    }

    /// An event.
    ///
    /// # Errors
    /// [`StoreError::NotFound`].
    pub async fn get_event(&self, id: &str) -> Result<EventRow, StoreError> {
        let found = sqlx::query(
            "select id, source, received_at, type, state, reason, tries, tried_at, retry_at, body from events where id = $1",
        )
        .bind(id)
        .fetch_optional(&self.pool)
        .await?;
        event(&found.ok_or_else(|| StoreError::NotFound { what: "event", id: id.to_owned() })?)
    }

    /// The newest events, newest first, of one state or of all.
    pub async fn list_events(&self, state: Option<EventState>, limit: usize) -> Result<Vec<EventRow>, StoreError> {
        let rows = sqlx::query(
            "select id, source, received_at, type, state, reason, tries, tried_at, retry_at, body from events
             where $1 = '' or state = $1 order by received_at desc, id desc limit $2",
        )
        .bind(state.map_or("", EventState::name))
        .bind(row::count(limit))
        .fetch_all(&self.pool)
        .await?;
        rows.iter().map(event).collect()
    }

    /// Puts an event back to be looked at anew, as if it had just come.
    ///
    /// # Errors
    /// [`StoreError::NotFound`]; [`StoreError::Conflict`] when its words are forgotten, or it was just moved.
    pub async fn replay_event(&self, id: &str, entry: &AuditEntry) -> Result<(), StoreError> {
        let seen = self.get_event(id).await?;
        let mut tx = self.begin().await?;
        let moved = sqlx::query(
            "update events set state = 'received', reason = null, tries = 0, retry_at = null, seen = null
             where id = $1 and state = $2 and tries = $3 and body <> ''",
        )
        .bind(id)
        .bind(seen.state.name())
        .bind(seen.tries)
        .execute(&mut *tx)
        .await?;
        if moved.rows_affected() == 0 {
            return Err(StoreError::Conflict);
        }
        audit::append(&mut tx, std::slice::from_ref(entry)).await?;
        Ok(tx.commit().await?)
    }

    /// Forgets the words of events that were understood or given up before `words`, the notices that came before it, and
    /// what channels offered before `offers`. Answers how many notices and words went.
    pub async fn forget_events(&self, words: Timestamp, offers: Timestamp) -> Result<u64, StoreError> {
        let mut tx = self.begin().await?;
        let blanked =
            sqlx::query("update events set body = '' where body <> '' and state <> 'received' and received_at < $1")
                .bind(row::ms(words))
                .execute(&mut *tx)
                .await?;
        let notices =
            sqlx::query("delete from records where kind = $1 and (changed_at < $2 or (changed_at < $3 and body like $4)) returning id, body")
                .bind(RecordKind::Notice.as_str())
                .bind(row::ms(words))
                .bind(row::ms(offers))
                .bind("%\"content\":{\"notice\":\"channel_stock\"%")
                .fetch_all(&mut *tx)
                .await?;
        // Detectors have looked at them, and cases may rest on them: that they are gone is a change like any other.
        if !notices.is_empty() {
            let mut changed = Changed::default();
            for r in &notices {
                changed.add(&row::json(r, "records", "body")?);
            }
            records::note_change(&mut tx, false).await?;
            changed::note(&mut tx, &changed).await?;
        }
        tx.commit().await?;
        Ok(blanked.rows_affected() + notices.len() as u64)
    }

    /// How many events of each source are in each state.
    pub async fn count_events(&self) -> Result<BTreeMap<(String, EventState), i64>, StoreError> {
        let rows = sqlx::query("select source, state, count(*) as n from events group by source, state")
            .fetch_all(&self.pool)
            .await?;
        rows.iter().map(|r| Ok(((row::get(r, TABLE, "source")?, state(r)?), row::get(r, TABLE, "n")?))).collect()
    }

    /// Counts calls of a hook that carry nothing; `last_at` is the newest of them.
    pub async fn add_hook_calls(&self, source: &str, calls: u64, last_at: Timestamp) -> Result<(), StoreError> {
        sqlx::query(
            "insert into hook_calls (source, calls, last_at) values ($1, $2, $3)
             on conflict (source) do update set calls = hook_calls.calls + excluded.calls, last_at = excluded.last_at",
        )
        .bind(source)
        .bind(i64::try_from(calls).unwrap_or(i64::MAX))
        .bind(row::ms(last_at))
        .execute(&self.pool)
        .await?;
        Ok(())
    }

    /// How often each hook was called that carries nothing, and when last.
    pub async fn list_hook_calls(&self) -> Result<BTreeMap<String, (i64, Timestamp)>, StoreError> {
        let rows = sqlx::query("select source, calls, last_at from hook_calls").fetch_all(&self.pool).await?;
        let table = "hook_calls";
        rows.iter()
            .map(|r| Ok((row::get(r, table, "source")?, (row::get(r, table, "calls")?, row::time(r, table, "last_at")?))))
            .collect()
    }
}

fn state(r: &AnyRow) -> Result<EventState, StoreError> {
    let name: String = row::get(r, TABLE, "state")?;
    EventState::named(&name).ok_or_else(|| row::corrupt(r, TABLE, "state", format!("{name:?} is no state").into()))
}

fn event(r: &AnyRow) -> Result<EventRow, StoreError> {
    Ok(EventRow {
        id: row::get(r, TABLE, "id")?,
        source: row::get(r, TABLE, "source")?,
        received_at: row::time(r, TABLE, "received_at")?,
        kind: row::get(r, TABLE, "type")?,
        state: state(r)?,
        reason: row::get(r, TABLE, "reason")?,
        tries: row::get(r, TABLE, "tries")?,
        tried_at: row::time_opt(r, TABLE, "tried_at")?,
        retry_at: row::time_opt(r, TABLE, "retry_at")?,
        body: row::get(r, TABLE, "body")?,
    })
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::domain::ids::{ItemId, SupplierId};
    use crate::domain::money::Quantity;
    use crate::domain::notice::{Notice, NoticeContent};
    use crate::domain::record::Record;
    use crate::store::testing::{at, entry, on_each};

    fn new(id: &str, body: &str, ms: i64) -> NewEvent {
        NewEvent { id: format!("acme/{id}"), source: "acme".into(), received_at: at(ms), body: body.into() }
    }

    fn notice(id: &str, content: NoticeContent, ms: i64) -> Observed {
        let notice = Notice { id: id.into(), source: "acme".into(), occurred_at: at(ms), received_at: at(ms), content };
        Observed { changed_at: at(ms), record: Record::Notice(notice) }
    }

    fn note() -> NoticeContent {
        NoticeContent::SupplierNote { supplier: SupplierId::new("1"), text: "hello".into() }
    }

    fn understood(records: Vec<Observed>) -> Settled {
        Settled { kind: Some("supplier.note.v1".into()), quarantined: None, retry_at: None, seen: Some(at(0)), records }
    }

    fn quarantined(retry_at: Option<i64>) -> Settled {
        Settled { quarantined: Some("order P9\0 is not known".into()), retry_at: retry_at.map(at), ..understood(vec![]) }
    }

    async fn due(store: &Store, now: i64, newest: i64) -> Vec<EventRow> {
        store.list_events_to_understand(at(now), Some(at(newest)), 10).await.unwrap()
    }

    #[tokio::test]
    async fn the_same_event_is_kept_once_and_another_under_its_id_is_refused() {
        on_each(|store| async move {
            assert_eq!(store.keep_event(&new("1", "{\"a\":\0}", 1)).await.unwrap(), Kept::New);
            assert_eq!(store.keep_event(&new("1", "{\"a\":\0}", 2)).await.unwrap(), Kept::Same);
            assert_eq!(store.keep_event(&new("1", "{}", 2)).await.unwrap(), Kept::Other);
            let row = store.get_event("acme/1").await.unwrap();
            assert_eq!((row.state, row.received_at, row.body.as_str()), (EventState::Received, at(1), "{\"a\":\u{fffd}}"));
            assert!(matches!(store.get_event("acme/2").await, Err(StoreError::NotFound { .. })));
        })
        .await;
    }

    #[tokio::test]
    async fn many_at_once_with_one_id_are_one_event() {
        on_each(|store| async move {
            let mut tasks = tokio::task::JoinSet::new();
            for _ in 0..12 {
                let store = store.clone();
                tasks.spawn(async move { store.keep_event(&new("1", "{}", 1)).await.unwrap() });
            }
            let kept = tasks.join_all().await;
            assert_eq!(kept.iter().filter(|k| **k == Kept::New).count(), 1);
            assert!(kept.iter().all(|k| *k != Kept::Other));
        })
        .await;
    }

    #[tokio::test]
    async fn notices_state_and_audit_entry_are_written_together_and_once() {
        on_each(|store| async move {
            store.keep_event(&new("1", "{}", 1)).await.unwrap();
            let seen = due(&store, 2, 0).await.remove(0);
            let settled = understood(vec![notice("acme/1", note(), 2)]);
            store.settle_event(&seen, &settled, at(2), &entry("event.understood")).await.unwrap();
            // Whoever read it before that comes too late, and leaves no trace.
            let late = store.settle_event(&seen, &quarantined(None), at(3), &entry("event.quarantined")).await;
            assert!(matches!(late, Err(StoreError::Conflict)));
            assert_eq!(store.get_event("acme/1").await.unwrap().state, EventState::Understood);
            assert_eq!(store.load_records().await.unwrap().len(), 1);
            assert_eq!(store.verify_audit().await.unwrap().0, 1);
            assert!(due(&store, 9, 9).await.is_empty());
        })
        .await;
    }

    #[tokio::test]
    async fn what_is_in_quarantine_is_tried_again_when_it_is_time_and_the_records_have_changed() {
        on_each(|store| async move {
            store.keep_event(&new("1", "{}", 1)).await.unwrap();
            store.keep_event(&new("2", "{}", 1)).await.unwrap();
            let seen = due(&store, 1, 0).await;
            assert_eq!(seen.iter().map(|e| e.id.as_str()).collect::<Vec<_>>(), ["acme/1", "acme/2"]);
            store.settle_event(&seen[0], &quarantined(Some(60)), at(2), &entry("event.quarantined")).await.unwrap();
            store.settle_event(&seen[1], &quarantined(None), at(2), &entry("event.quarantined")).await.unwrap();
            assert!(due(&store, 59, 7).await.is_empty(), "too early");
            assert!(due(&store, 60, 0).await.is_empty(), "nothing has changed");
            let again = due(&store, 60, 7).await;
            assert_eq!(again.len(), 1);
            assert_eq!((again[0].id.as_str(), again[0].tries), ("acme/1", 1));
            assert_eq!(again[0].reason.as_deref(), Some("order P9\u{fffd} is not known"));
            store.replay_event("acme/2", &entry("event.replayed")).await.unwrap();
            let replayed = due(&store, 3, 0).await;
            assert_eq!((replayed[0].id.as_str(), replayed[0].tries, &replayed[0].reason), ("acme/2", 0, &None));
            let listed = store.list_events(Some(EventState::Quarantined), 10).await.unwrap();
            assert_eq!(listed.len(), 1);
            assert_eq!(store.list_events(None, 10).await.unwrap().len(), 2);
            assert_eq!(store.count_events().await.unwrap()[&("acme".to_owned(), EventState::Received)], 1);
        })
        .await;
    }

    #[tokio::test]
    async fn words_are_forgotten_and_the_id_still_counts() {
        on_each(|store| async move {
            for (id, ms) in [("1", 1), ("2", 1), ("3", 50)] {
                store.keep_event(&new(id, "{}", ms)).await.unwrap();
            }
            let seen = due(&store, 60, 0).await;
            let offer = || NoticeContent::ChannelStock {
                channel: "shop \"notice\":\"supplier_note\"".into(),
                item: ItemId::new("1"),
                location: None,
                published: Quantity::units(1),
            };
            let records = vec![
                notice("acme/1", note(), 1),
                notice("a", offer(), 20),
                notice("b", offer(), 40),
                notice("c", note(), 20),
            ];
            store.settle_event(&seen[0], &understood(records), at(2), &entry("event.understood")).await.unwrap();
            assert_eq!(store.forget_events(at(10), at(30)).await.unwrap(), 3);
            let left: Vec<String> = store.load_records().await.unwrap().iter().map(|r| r.key().id).collect();
            assert_eq!(left, ["b", "c"]);
            assert_eq!(store.get_event("acme/1").await.unwrap().body, "");
            assert_eq!(store.get_event("acme/2").await.unwrap().body, "{}", "what waits is not forgotten");
            assert_eq!(store.keep_event(&new("1", "{}", 70)).await.unwrap(), Kept::Same);
            assert!(matches!(store.replay_event("acme/1", &entry("x")).await, Err(StoreError::Conflict)));
        })
        .await;
    }

    #[tokio::test]
    async fn calls_that_carry_nothing_are_counted() {
        on_each(|store| async move {
            store.add_hook_calls("erp", 3, at(1)).await.unwrap();
            store.add_hook_calls("erp", 997, at(2)).await.unwrap();
            assert_eq!(store.list_hook_calls().await.unwrap()["erp"], (1000, at(2)));
        })
        .await;
    }

    #[tokio::test]
    async fn what_was_acknowledged_survives_a_kill_before_it_was_understood() {
        let folder = tempfile::tempdir().unwrap();
        let url = format!("sqlite:{}/s.db", folder.path().display());
        let store = Arc::new(Store::open_and_migrate(&url).await.unwrap());
        store.keep_event(&new("1", "{}", 1)).await.unwrap();
        // The first store stays open: nothing depends on an orderly end.
        let again = Store::open(&url).await.unwrap();
        let seen = due(&again, 2, 0).await;
        assert_eq!(seen.len(), 1);
        again.settle_event(&seen[0], &understood(vec![notice("acme/1", note(), 2)]), at(2), &entry("e")).await.unwrap();
        assert_eq!(again.keep_event(&new("1", "{}", 3)).await.unwrap(), Kept::Same);
        assert_eq!(again.load_records().await.unwrap().len(), 1);
    }
}
