//! Full disks, transactions that the database ended by itself, and servers that drop connections.

use sqlx::{Any, AssertSqlSafe, Executor as _, pool::PoolConnection};

use crate::domain::case::CaseState;
use crate::domain::decision::{DecisionVerb, RecommendationState};
use crate::domain::ids::PersonId;
use crate::domain::money::Money;
use crate::pipeline::{Progress, Stage};
use crate::store::testing::{at, entry, moved, on_each, on_each_at, recommendation, with_case};
use crate::store::{Backend, Change, DecisionRow, Store, audit};

/// As many as a pool has.
const ALL: usize = 8;

/// Every connection of the pool at once.
async fn every_connection(store: &Store) -> Vec<PoolConnection<Any>> {
    let mut all = Vec::new();
    for _ in 0..ALL {
        all.push(store.pool.acquire().await.unwrap());
    }
    all
}

/// Lets the store's file grow to so many pages: on each connection, as SQLite forgets it with each.
async fn room(store: &Store, pages: i64) {
    for mut connection in every_connection(store).await {
        connection.execute(AssertSqlSafe(format!("pragma max_page_count = {pages}"))).await.unwrap();
    }
}

/// What a person and the machine write at once, much of it: answers what went wrong, of each in its order.
async fn write_at_once(store: &Store, size: usize, round: &str) -> Vec<Result<(), String>> {
    let mut writes = tokio::task::JoinSet::new();
    for n in 0..2 * ALL {
        let (store, text, key) = (store.clone(), "x".repeat(size), format!("{round}.{n}"));
        writes.spawn(async move {
            let mut said = entry(&key);
            said.detail = serde_json::json!({ "text": text });
            let written = match n % 2 {
                0 => store.put_setting(&key, &text).await,
                _ => store.append_audit(&[said]).await,
            };
            (n, written.map_err(|error| error.about(store.url()).to_string()))
        });
    }
    let mut written = writes.join_all().await;
    written.sort_by_key(|(n, _)| *n);
    written.into_iter().map(|(_, written)| written).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_disk_that_was_full_once_leaves_nothing_broken() {
    let folder = tempfile::tempdir().unwrap();
    let url = format!("sqlite:{}/reeve.db", folder.path().display());
    let store = Store::open_and_migrate(&url).await.unwrap();
    store.put_setting("before", "kept").await.unwrap();
    let pages: i64 = sqlx::query_scalar("pragma page_count").fetch_one(&store.pool).await.unwrap();
    room(&store, pages).await;
    // A connection that is opened anew meanwhile has room: what is written by it is acknowledged, and counts.
    let written = write_at_once(&store, 1 << 20, "full").await;
    let said: Vec<&String> = written.iter().filter_map(|written| written.as_ref().err()).collect();
    assert!(!said.is_empty());
    for error in said {
        let expected = "has no room: the disk is full; make room and try again: what was confirmed is safe";
        assert_eq!(*error, format!("the store {url} {expected}"));
    }
    room(&store, 1 << 30).await;
    let free = write_at_once(&store, 1 << 12, "free").await;
    assert_eq!(free.iter().filter(|written| written.is_err()).count(), 0, "{free:?}");
    assert_eq!(store.find_setting("before").await.unwrap().as_deref(), Some("kept"));
    let mut entries = 0;
    for (round, written) in [("full", written), ("free", free)] {
        for (n, written) in written.iter().enumerate() {
            match n % 2 {
                0 => {
                    let kept = store.find_setting(&format!("{round}.{n}")).await.unwrap();
                    assert_eq!(
                        kept.is_some(),
                        written.is_ok(),
                        "{round}.{n}: what was acknowledged is there, and nothing else"
                    );
                }
                _ => entries += i64::from(written.is_ok()),
            }
        }
    }
    assert_eq!(store.verify_audit().await.unwrap().0, entries, "what was acknowledged is there, and nothing else");
    let sound: String = sqlx::query_scalar("pragma integrity_check").fetch_one(&store.pool).await.unwrap();
    assert_eq!(sound, "ok");
}

/// SQLite ends a transaction by itself for more reasons than room: a failed read or write, no memory, an interrupt.
#[tokio::test]
async fn a_transaction_that_the_database_ended_by_itself_takes_its_connection_along() {
    on_each(|store| async move {
        let mut open = Vec::new();
        // SQLite has one writer at a time: there they follow each other.
        let at_once = if store.backend == Backend::Sqlite { 1 } else { ALL };
        for _ in 0..ALL {
            let mut tx = store.begin().await.unwrap();
            sqlx::query("insert into settings (key, value) values ('half', 'x')").execute(&mut *tx).await.ok();
            tx.execute("rollback").await.unwrap();
            open.push(tx);
            if open.len() == at_once {
                open.clear();
            }
        }
        drop(open);
        for written in write_at_once(&store, 100, "after").await {
            written.unwrap();
        }
        assert_eq!(store.find_setting("half").await.unwrap(), None);
    })
    .await;
}

/// A stage that writes, as all of them do.
struct Writes(Store, std::sync::atomic::AtomicU32);

#[async_trait::async_trait]
impl Stage for Writes {
    fn name(&self) -> &'static str {
        "writes"
    }

    async fn run_once(&self) -> anyhow::Result<Progress> {
        let run = self.1.fetch_add(1, std::sync::atomic::Ordering::SeqCst);
        self.0.put_setting(&format!("run.{run}"), &"x".repeat(1 << 20)).await?;
        Ok(Progress::Idle)
    }
}

#[tokio::test]
async fn a_stage_that_found_the_disk_full_goes_on() {
    let folder = tempfile::tempdir().unwrap();
    let store = Store::open_and_migrate(&format!("sqlite:{}/reeve.db", folder.path().display())).await.unwrap();
    let pages: i64 = sqlx::query_scalar("pragma page_count").fetch_one(&store.pool).await.unwrap();
    let stages: [Box<dyn Stage>; 1] = [Box::new(Writes(store.clone(), 0.into()))];
    let clock = crate::clock::Clock::System;
    for _ in 0..2 * ALL {
        room(&store, pages).await;
        let error = crate::worker::run_until_idle(&stages, &store, &clock).await.unwrap_err();
        assert!(format!("{error:#}").contains("has no room"), "{error:#}");
    }
    room(&store, 1 << 30).await;
    crate::worker::run_until_idle(&stages, &store, &clock).await.unwrap();
    assert!(store.find_setting("run.16").await.unwrap().is_some());
}

/// Ends every other connection to this schema's store from outside, as a restart of the server does, and waits until they are
/// gone.
async fn cut_off(url: &str, name: &str) {
    let other = Store::open(url).await.unwrap();
    let ended = "select pg_terminate_backend(pid, 10000) from pg_stat_activity
                 where application_name = $1 and pid <> pg_backend_pid()";
    sqlx::query(ended).bind(name.to_owned()).execute(&other.pool).await.unwrap();
    other.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn connections_that_a_server_dropped_are_opened_anew() {
    on_each_at(|store, url| async move {
        if store.backend == Backend::Sqlite {
            return;
        }
        store.put_setting("before", "kept").await.unwrap();
        let name = format!("reeve-test-{}", std::process::id());
        let named = || async {
            for mut connection in every_connection(&store).await {
                connection.execute(AssertSqlSafe(format!("set application_name = '{name}'"))).await.unwrap();
            }
        };
        // While they idle.
        named().await;
        cut_off(&url, &name).await;
        for written in write_at_once(&store, 100, "idle").await {
            written.unwrap();
        }
        // In the middle of transactions.
        named().await;
        let mut open = Vec::new();
        for n in 0..ALL {
            let mut tx = store.begin().await.unwrap();
            let half = "insert into settings (key, value) values ($1, 'x')";
            sqlx::query(half).bind(format!("half.{n}")).execute(&mut *tx).await.unwrap();
            open.push(tx);
        }
        cut_off(&url, &name).await;
        for tx in open {
            let error = crate::store::StoreError::from(tx.commit().await.unwrap_err()).about(store.url()).to_string();
            assert!(error.contains("went away") || error.contains("can not be reached"), "{error}");
        }
        for written in write_at_once(&store, 100, "open").await {
            written.unwrap();
        }
        assert_eq!(store.find_setting("before").await.unwrap().as_deref(), Some("kept"));
        assert_eq!(store.find_setting("half.0").await.unwrap(), None, "nothing is half there");
    })
    .await;
}

/// Ends the connections of `name` that wait for a lock, from outside, as soon as there is one.
async fn cut_off_who_waits(url: &str, name: &str) {
    let other = Store::open(url).await.unwrap();
    loop {
        let ended = "select cast(pg_terminate_backend(pid, 10000) as text) from pg_stat_activity
                     where application_name = $1 and wait_event_type = 'Lock'";
        let ended = sqlx::query(ended).bind(name.to_owned()).fetch_all(&other.pool).await.unwrap();
        if !ended.is_empty() {
            break;
        }
        tokio::task::yield_now().await;
    }
    other.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_decision_whose_connection_was_cut_on_the_way_is_kept_once() {
    on_each_at(|store, url| async move {
        if store.backend == Backend::Sqlite {
            return;
        }
        let case = moved(&with_case(&store, "case-1", 100).await, CaseState::Open);
        let rec = recommendation(&case, 1, RecommendationState::Queued);
        store.replace_recommendations(&case, 1, std::slice::from_ref(&rec), &[]).await.unwrap();
        let name = format!("reeve-cut-{}", std::process::id());
        let clicked = Store::open(&format!("{url}&application_name={name}")).await.unwrap();
        let decision = DecisionRow {
            id: "click-1".to_owned(),
            case_id: case.id.clone(),
            recommendation_id: rec.id.clone(),
            person: PersonId::new("ada"),
            verb: DecisionVerb::Reject,
            content_hash: rec.content_hash(),
            reason: None,
            note: String::new(),
            value: Money::ZERO,
            at: at(50),
            body: serde_json::json!({}),
        };
        let before = store.audit_head().await.unwrap().0;
        // It waits for the log's head, with half of what it writes written.
        let mut lock = store.begin().await.unwrap();
        audit::lock(&mut lock).await.unwrap();
        let entries = [entry("recommendation.rejected")];
        let change = Change { decision: Some(&decision), entries: &entries, ..Change::default() };
        let cut = async {
            cut_off_who_waits(&url, &name).await;
            drop(lock);
        };
        let (written, ()) = tokio::join!(clicked.advance(change), cut);
        written.unwrap();
        assert_eq!(store.list_decisions(at(0)).await.unwrap().len(), 1);
        assert_eq!(store.verify_audit().await.unwrap().0, before + 1);
        clicked.close().await;
    })
    .await;
}
