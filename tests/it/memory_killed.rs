//! `reeve memory status`, which tells a Qdrant server what it does not hold yet, killed at random upserts and started again: no position
//! claims what is not there, and in the end the index holds what the store holds, vectors and all.
//!
//! `REEVE_MEMORY_KILLS` says in how many rounds (5 when it is not set; `scripts/memory-kill-test` sets 50). Each round fills a server
//! that is empty, by a seed of its own.
#![expect(clippy::unwrap_used, reason = "a test that can not go on has failed")]
#![expect(clippy::print_stderr, reason = "how often it was killed is what a long run is for")]

use std::collections::BTreeMap;
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use rand::{Rng as _, SeedableRng as _};
use rand_chacha::ChaCha8Rng;
use reeve::adapters::minilm;
use reeve::domain::exception::{ExceptionType, Subject};
use reeve::domain::ids::CaseId;
use reeve::domain::remembered::{Ended, MemoryKind, Remembered, Verdict};
use reeve::ports::{Embedder as _, Point};
use reeve::rules::likeness;
use reeve::store::{Memory, MemoryChange, Store};
use reeve_testing::qdrant::{Collection, Halt, Qdrant, Shelf};
use serde_json::Value;

use crate::support::binary::{reeve, started};
use crate::support::databases::{TestDb, databases};
use crate::support::variable;

/// Memories of a store, and how many of them it has forgotten again, which indexes are told as well.
const REMEMBERED: u32 = 2_600;
const FORGOTTEN: u32 = 400;
/// Kills of one round, at most.
const KILLS: u32 = 3;

fn unit(random: &mut ChaCha8Rng, length: usize) -> Vec<f32> {
    let made: Vec<f32> = (0..length).map(|_| random.gen_range(-1.0..1.0)).collect();
    let scale = made.iter().map(|c| c * c).sum::<f32>().sqrt();
    made.into_iter().map(|c| c / scale).collect()
}

/// A store with memories, and the changes that an index is to hold, by their ids.
struct Kept {
    _db: TestDb,
    url: String,
    points: BTreeMap<String, Point>,
    /// By the number of its last change, whether each id is remembered.
    changes: BTreeMap<i64, (String, bool)>,
}

impl Kept {
    async fn fill(db: TestDb) -> Self {
        let url = db.store_url();
        let store = Store::open_and_migrate(&url).await.unwrap();
        let mut random = ChaCha8Rng::seed_from_u64(1);
        let begins: Timestamp = "2026-01-01T00:00:00Z".parse().unwrap();
        let model = minilm::InProcess::default().name();
        let at = |n: u32| begins + SignedDuration::from_hours(i64::from(n));
        let memory = |n: u32| Memory {
            what: Remembered {
                kind: MemoryKind::Case,
                company: String::new(),
                subject: Subject { document: Some(n.to_string()), ..Subject::default() },
                codes: vec![ExceptionType::ILow],
                case: Some(CaseId::new(format!("case-{n}"))),
                notice: None,
                at: at(n),
                words: format!("stock ran low, the {n}th time"),
                ended: Some(Ended { verdict: Verdict::Approved, actions: String::new(), measured: None }),
            },
            known_at: at(n),
            text: unit(&mut random, 384),
            model: model.clone(),
            profile: unit(&mut random, likeness::PROFILE),
        };
        let memories: Vec<Memory> = (0..REMEMBERED).map(memory).collect();
        store.remember(&memories, None).await.unwrap();
        assert_eq!(store.forget_before(at(FORGOTTEN)).await.unwrap(), FORGOTTEN as usize);
        let (mut points, mut changes) = (BTreeMap::new(), BTreeMap::new());
        for change in store.list_memory_changes(0, 10_000, &model).await.unwrap() {
            let seq = change.seq();
            match change {
                MemoryChange::Put(point) => {
                    changes.insert(seq, (point.id.clone(), true));
                    points.insert(point.id.clone(), *point);
                }
                MemoryChange::Gone { id, .. } => drop(changes.insert(seq, (id, false))),
            }
        }
        store.close().await;
        Self { _db: db, url, points, changes }
    }

    /// The command that tells `server` what is new.
    fn tell<'a>(&'a self, config: &'a str) -> Vec<&'a str> {
        vec!["--config", config, "--store", &self.url, "--json", "memory", "status"]
    }
}

/// The collection, once it is made.
fn collection(shelf: &Shelf) -> Option<Collection> {
    shelf.collections().iter().find_map(|name| shelf.collection(name))
}

/// The ids that a server holds, and up to which change it says that it does.
fn held(collection: &Collection) -> (Vec<&str>, i64) {
    let (points, marks): (Vec<_>, Vec<_>) =
        collection.points.values().partition(|stored| stored.number("position").is_none());
    let mut ids: Vec<&str> = points.into_iter().map(|stored| stored.text("id")).collect();
    ids.sort_unstable();
    (ids, marks.into_iter().filter_map(|stored| stored.number("position")).max().unwrap_or(0))
}

fn assert_claims_no_more_than_is_there(shelf: &Shelf, kept: &Kept, round: u32) {
    let Some(collection) = collection(shelf) else { return };
    let (ids, position) = held(&collection);
    for (seq, (id, is_kept)) in kept.changes.range(..=position) {
        assert_eq!(ids.binary_search(&id.as_str()).is_ok(), *is_kept, "round {round}: change {seq} of {position}: {id}");
    }
}

fn assert_equals_the_store(shelf: &Shelf, kept: &Kept, round: u32) {
    let collection = collection(shelf).unwrap();
    let (ids, position) = held(&collection);
    assert_eq!(position, *kept.changes.keys().last().unwrap(), "round {round}");
    let mut wanted: Vec<&str> = kept.points.keys().map(String::as_str).collect();
    wanted.sort_unstable();
    assert_eq!(ids, wanted, "round {round}");
    for stored in collection.points.values().filter(|stored| stored.number("position").is_none()) {
        let point = &kept.points[stored.text("id")];
        for (space, wanted) in [("text", &point.text), ("profile", &point.profile)] {
            let near = stored.vectors[space].iter().zip(wanted).all(|(a, b)| (a - b).abs() < 1e-5);
            assert!(near, "round {round}: {space} of {}", point.id);
        }
    }
}

fn settings(server: &Qdrant) -> String {
    // Long, since it is no limit that a test waits for: the machine may be busy.
    format!("[memory]\nindex = \"qdrant\"\n[memory.qdrant]\nurl = \"{}\"\ntimeout = \"1m\"\n", server.url)
}

/// Starts the command until it stands still at an upsert, and kills it there. Answers whether it was, or came to its end before.
async fn kill(server: &Qdrant, args: &[&str], log: &std::path::Path, halt: Halt) -> bool {
    server.shelf.halt(halt);
    let mut process = started(args, log);
    loop {
        tokio::select! {
            () = server.shelf.halted() => {
                process.killed();
                return true;
            }
            () = tokio::time::sleep(Duration::from_millis(20)) => if let Some(ended) = process.try_wait().unwrap() {
                assert!(ended.success(), "{}", std::fs::read_to_string(log).unwrap_or_default());
                return false;
            }
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_index_that_is_killed_while_it_is_told_ends_equal_to_the_store() {
    let rounds = variable("REEVE_MEMORY_KILLS").map_or(5, |rounds| rounds.parse::<u32>().expect("a number of rounds"));
    let mut stores = Vec::new();
    for db in databases().await {
        stores.push(Kept::fill(db).await);
    }
    let folder = tempfile::tempdir().unwrap();
    let (config, log) = (folder.path().join("reeve.toml"), folder.path().join("reeve.log"));
    // Upserts that fill an empty server: points, and positions.
    let server = Qdrant::start().await;
    std::fs::write(&config, settings(&server)).unwrap();
    reeve(&stores[0].tell(config.to_str().unwrap()), &[]).fine();
    assert_equals_the_store(&server.shelf, &stores[0], 0);
    let upserts = server.shelf.upserts().len();
    let mut killed = 0;
    for (round, kept) in (0..rounds).zip(stores.iter().cycle()) {
        let server = Qdrant::start().await;
        std::fs::write(&config, settings(&server)).unwrap();
        let args = kept.tell(config.to_str().unwrap());
        let mut random = ChaCha8Rng::seed_from_u64(u64::from(round));
        let mut kills = 0;
        for _ in 0..random.gen_range(1..=KILLS) {
            let halt = Halt { upsert: random.gen_range(0..upserts), applied: random.gen_bool(0.5) };
            if !kill(&server, &args, &log, halt).await {
                break;
            }
            kills += 1;
            assert_claims_no_more_than_is_there(&server.shelf, kept, round);
        }
        assert!(kills > 0, "round {round}: it was done before it was killed");
        killed += kills;
        // What stands still where nothing comes any more must not meet the last run.
        server.shelf.halt(Halt { upsert: usize::MAX, applied: false });
        let told: Value = serde_json::from_str(&reeve(&args, &[]).fine()).unwrap();
        assert_eq!(told["points"], kept.points.len(), "round {round}: {told}");
        assert_eq!(told["holds"], told["last"], "round {round}: {told}");
        assert_equals_the_store(&server.shelf, kept, round);
    }
    eprintln!("killed {killed} times in {rounds} rounds; each time the index ended equal to the store");
}
