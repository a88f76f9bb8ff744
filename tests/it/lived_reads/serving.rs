//! The stages as `reeve serve` runs them, side by side, with a clock that is set.

use std::sync::Arc;
use std::time::Duration;

use reeve::domain::exception::ExceptionState;
use reeve::worker;
use tokio::sync::Notify;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use super::{Shop, at};

/// Longest wait for what the stages do by themselves: many times of what it takes.
const PATIENCE: Duration = Duration::from_mins(5);

async fn until(what: &str, mut holds: impl AsyncFnMut() -> bool) {
    let waiting = async {
        while !holds().await {
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(PATIENCE, waiting).await.unwrap_or_else(|_| panic!("there was no {what}"));
}

#[tokio::test(flavor = "multi_thread")]
async fn read_in_the_evening_and_in_the_morning_the_digest_knows_both() {
    let folder = tempfile::tempdir().expect("a folder");
    let shop = Shop::open(&format!("sqlite:{}", folder.path().join("reeve.db").display()), "2026-10-29T20:00:00Z").await;
    let (wake, stop, tasks) = (Arc::new(Notify::new()), CancellationToken::new(), TaskTracker::new());
    for stage in shop.app.stages() {
        let (store, clock) = (shop.store.clone(), shop.clock.clone());
        tasks.spawn(worker::drive(stage, store, clock, Duration::from_millis(20), Arc::clone(&wake), stop.clone()));
    }
    tasks.close();
    let looked = async || reeve::pipeline::observe::looked_at(&shop.store).await.expect("the store answers");
    for (evening, morning, day) in [
        ("2026-10-29T21:00:00Z", "2026-10-30T06:10:00Z", "2026-10-30"),
        ("2026-10-30T20:00:00Z", "2026-10-31T06:10:00Z", "2026-10-31"),
    ] {
        shop.clock.set(at(evening));
        until("evening's look", async || looked().await == Some(at(evening))).await;
        shop.clock.set(at(morning));
        until("digest", async || shop.digest(day).await.is_some()).await;
        let digest = shop.digest(day).await.expect("it was there").digest;
        assert_eq!((digest.as_of, digest.unread.len()), (at(morning), 0), "it waited for the morning's look");
        assert!(!digest.lines.is_empty());
    }
    stop.cancel();
    tasks.wait().await;
    assert!(shop.found().await.iter().any(|e| e.state == ExceptionState::Open));
}
