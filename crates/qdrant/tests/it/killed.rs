//! The server or the process that fills the index is killed between two upserts, five times each. Whatever the moment, no position
//! claims what is not there, and catching up from it makes the index equal to the store.

use std::collections::{BTreeMap, BTreeSet};
use std::process::{Command, Stdio};
use std::sync::LazyLock;

use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::SeedableRng;
use reeve_ports::{Point, PortError, VectorIndex};
use reeve_testing::qdrant::{Halt, Qdrant, Shelf};
use reeve_testing::vectors::random_points;

use crate::support::index;

const KILLS: usize = 5;

/// Changes in the order of their numbers, as the store tells them: each thing once, at its last change; none where it is forgotten.
static STORE: LazyLock<BTreeMap<i64, (String, Option<Point>)>> = LazyLock::new(|| {
    let mut random = ChaCha8Rng::seed_from_u64(11);
    let points = random_points(&mut random, 3_000);
    let change = |point: Point| {
        let kept = (point.seq % 7 != 0).then(|| point.clone());
        (point.seq, (point.id, kept))
    };
    points.into_iter().map(change).collect()
});

/// Brings an index up to the store's end, a few changes at a time.
async fn catch_up(index: &dyn VectorIndex) -> Result<(), PortError> {
    let mut held = index.position().await?;
    loop {
        let page: Vec<_> = STORE.range(held + 1..).take(300).collect();
        let Some((last, _)) = page.last() else { return Ok(()) };
        let put: Vec<Point> = page.iter().filter_map(|(_, (_, point))| point.clone()).collect();
        let gone: Vec<String> =
            page.iter().filter(|(_, (_, point))| point.is_none()).map(|(_, (id, _))| id.clone()).collect();
        index.put(&put).await?;
        index.forget(&gone).await?;
        held = **last;
        index.hold_up_to(held).await?;
    }
}

/// What the server holds, and up to where it says it does.
fn held(shelf: &Shelf, collection: &str) -> (BTreeSet<String>, i64) {
    let collection = shelf.collection(collection).expect("it has been made");
    let mut position = 0;
    let mut ids = BTreeSet::new();
    for stored in collection.points.values() {
        match stored.number("position") {
            Some(number) => position = number,
            None => drop(ids.insert(stored.text("id").to_owned())),
        }
    }
    (ids, position)
}

fn assert_claims_no_more_than_is_there(shelf: &Shelf, collection: &str) {
    let (ids, position) = held(shelf, collection);
    for (seq, (id, point)) in STORE.range(..=position) {
        assert_eq!(ids.contains(id), point.is_some(), "change {seq} of {position}: {id}");
    }
}

async fn assert_equal_after_catching_up(index: &dyn VectorIndex, shelf: &Shelf, collection: &str) {
    catch_up(index).await.expect("nothing fails any more");
    let (ids, position) = held(shelf, collection);
    let kept: BTreeSet<String> = STORE.values().filter_map(|(_, point)| Some(point.as_ref()?.id.clone())).collect();
    assert_eq!((ids, position), (kept.clone(), 3_000));
    assert_eq!(index.count().await.expect("it counts"), kept.len());
}

#[tokio::test]
async fn a_server_that_is_killed_between_upserts_is_caught_up_with() {
    let mut server = Qdrant::start().await;
    let index = index(&server.url);
    for kill in 0..KILLS {
        // Every other time the points are there, and only the answer is missing.
        server.shelf.halt(Halt { upsert: kill, applied: kill % 2 == 0 });
        let filling = catch_up(&index);
        let killing = async {
            server.shelf.halted().await;
            server.stop().await
        };
        let (filled, stopped) = tokio::join!(filling, killing);
        assert!(matches!(filled, Err(PortError::Transient { .. })), "{filled:?}");
        server = stopped.start().await;
        if server.shelf.collection(index.collection()).is_some() {
            assert_claims_no_more_than_is_there(&server.shelf, index.collection());
        }
    }
    assert_equal_after_catching_up(&index, &server.shelf, index.collection()).await;
}

#[tokio::test]
async fn a_process_that_is_killed_between_upserts_is_gone_on_from() {
    let server = Qdrant::start().await;
    let index = index(&server.url);
    for kill in 0..KILLS {
        server.shelf.halt(Halt { upsert: 1 + kill, applied: kill % 2 == 0 });
        let mut child = filler(&server.url);
        server.shelf.halted().await;
        // SIGKILL: nothing of it runs any more.
        child.kill().expect("a child can be killed");
        child.wait().expect("a killed child ends");
        assert_claims_no_more_than_is_there(&server.shelf, index.collection());
    }
    assert_equal_after_catching_up(&index, &server.shelf, index.collection()).await;
}

const FILL: &str = "REEVE_TEST_FILL";

#[expect(clippy::disallowed_methods, reason = "what is killed has to be a process of its own")]
fn filler(url: &str) -> std::process::Child {
    let tests = std::env::current_exe().expect("this process has a program");
    Command::new(tests)
        .args(["--ignored", "--exact", "killed::fills_until_it_is_killed"])
        .env(FILL, url)
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .spawn()
        .expect("this program can be started once more")
}

#[tokio::test]
#[ignore = "is started, and killed, by the test above"]
async fn fills_until_it_is_killed() {
    #[expect(clippy::disallowed_methods, reason = "it is told by whoever starts it")]
    let Ok(url) = std::env::var(FILL) else { return };
    catch_up(&index(&url)).await.expect("the server answers");
}
