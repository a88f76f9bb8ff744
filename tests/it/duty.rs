//! Two `reeve serve` on one PostgreSQL, one of them killed or stopped again and again while they work: what comes of it is what one
//! process comes to that nobody disturbs. The same digest, the same steps in the log, each once, and each message once under one
//! id.
//!
//! `REEVE_KILL_SECONDS` says for how long (20 when it is not set; `scripts/kill-test` sets 300). Rounds begin with a fresh store until
//! that has passed: there is work all the time.
#![expect(clippy::unwrap_used, reason = "a test that can not go on has failed")]
#![expect(clippy::print_stderr, reason = "how often they were killed is what a long run is for")]

use std::collections::BTreeMap;
use std::path::Path;
use std::time::{Duration, Instant};

use jiff::civil::{Date, date};
use reeve::store::{OutboxState, Store};
use reeve::worker::duty;
use reeve_testing::receiver::{Receiver, SECRET};
use serde_json::Value;

use crate::support::binary::{Process, reeve, started};
use crate::support::databases::{TestDb, databases};
use crate::support::variable;

/// The morning after the last day of the retailer's records.
const DAY: Date = date(2026, 10, 9);
const STANDS_AT: &str = "2026-10-09T06:10:00Z";
/// Looks, 20 ms apart, after which it counts as stuck; and how many that find nothing new mean that it is at rest.
const LOOKS: usize = 6_000;
const AT_REST: usize = 100;
/// What people approve in each round.
const APPROVED: usize = 4;

/// Kills and stops that are too few to show anything.
const ENOUGH: u32 = 3;

/// A made-up retailer with much to find, and who works on it.
struct Shop {
    db: TestDb,
    folder: tempfile::TempDir,
    receiver: Receiver,
    store: Store,
}

impl Shop {
    async fn open(db: TestDb) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let receiver = Receiver::start(&[]).await;
        // A process that stands still in the middle of a change holds up the others for this long.
        let give_up = if db.kind() == "postgres" { "?options[idle_in_transaction_session_timeout]=1000" } else { "" };
        let settings = format!(
            "[store]\nurl = \"{}{give_up}\"\n[approval]\nundo_minutes = 0\n[web]\nlisten = \"127.0.0.1:0\"\n\
             [webhook]\nurl = \"{}\"\nsecret = \"{SECRET}\"\ntimeout = \"2s\"\nattempts = 1000\nper_second = 400.0\n\
             [delivery]\nfirst_gap = \"100ms\"\nlongest_gap = \"200ms\"\nmargin = \"500ms\"\n\
             [ranking]\nsample_places = 0\n[worker]\nperiod = \"100ms\"\nlease = \"600ms\"\n",
            db.store_url(),
            receiver.url()
        );
        std::fs::write(folder.path().join("reeve.toml"), settings).unwrap();
        let size = ["--items", "32", "--locations", "3", "--days", "100", "--injected", "0.2", "--seed", "5"];
        let store = Store::open_and_migrate(&db.store_url()).await.unwrap();
        let shop = Self { db, folder, receiver, store };
        shop.command(&[&["--store", &shop.db.store_url(), "lab", "retailer"], size.as_slice()].concat()).unwrap();
        let began = reeve::clock::Clock::System.now();
        shop.store.put_setting("demo.stands_at", &format!("{STANDS_AT} {began}")).await.unwrap();
        shop
    }

    fn config(&self) -> String {
        self.folder.path().join("reeve.toml").to_str().unwrap().to_owned()
    }

    fn log(&self) -> std::path::PathBuf {
        self.folder.path().join("reeve.log")
    }

    /// What a command printed where it ended well.
    fn command(&self, args: &[&str]) -> Result<String, String> {
        let ended = reeve(&[&["--config", &self.config()], args].concat(), &[]);
        if ended.code == Some(0) { Ok(ended.out) } else { Err(format!("{args:?}: {ended:?}")) }
    }

    fn serve(&self) -> Process {
        started(&["--config", &self.config(), "serve"], &self.log())
    }

    /// Has the digest been made, and everything that was decided been sent?
    async fn is_done(&self) -> bool {
        self.store.find_digest(DAY).await.unwrap().is_some()
            && self.store.list_outbox(OutboxState::Pending).await.unwrap().is_empty()
    }

    /// Waits until nothing happens any more.
    async fn rest(&self) {
        let (mut still, mut before) = (0, 0);
        for look in 0.. {
            let log = std::fs::read_to_string(self.log()).unwrap_or_default();
            assert!(look < LOOKS, "{}: it does not come to rest: {log}", self.db.kind());
            let head = self.store.audit_head().await.unwrap().0;
            still = if head == before && self.is_done().await { still + 1 } else { 0 };
            before = head;
            if still == AT_REST {
                return;
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }

    /// The first proposals in the order of the queue that one person may approve.
    fn approve(&self) -> usize {
        let cases: Value = serde_json::from_str(&self.command(&["--json", "queue", "list"]).unwrap()).unwrap();
        let mut approved = 0;
        for case in cases.as_array().unwrap() {
            if approved == APPROVED {
                break;
            }
            let Ok(shown) = self.command(&["queue", "show", case["id"].as_str().unwrap()]) else { continue };
            let mut proposals = shown.lines().filter_map(|line| {
                let mut words = line.split_whitespace().skip_while(|word| *word != "--content").skip(1);
                Some((words.next()?.to_owned(), words.next()?.to_owned()))
            });
            // One of a case: two would be alternatives.
            approved += usize::from(proposals.any(|(content, id)| {
                self.command(&["queue", "approve", &id, "--as", "ari", "--content", &content]).is_ok()
            }));
        }
        approved
    }

    /// What must be the same however it was worked on: the digest without the log's head, and how often each step was taken.
    async fn result(&self) -> (String, BTreeMap<(String, String), usize>) {
        self.command(&["audit", "verify"]).unwrap();
        let digest = self.store.find_digest(DAY).await.unwrap().unwrap().text;
        let head = |line: &&str| !line.to_lowercase().contains("audit log");
        let digest = digest.lines().filter(head).collect::<Vec<_>>().join("\n");
        let mut steps = BTreeMap::new();
        // What else a decided case proposed is taken off by the look over the queue or by the hand-off, whichever comes first.
        let log = self.store.list_audit(0, i64::MAX).await.unwrap();
        for one in log.into_iter().filter(|one| one.entry.action != "case.cleared") {
            // Cases are named by the moment at which they were found, proposals and messages by their content, which says to the second
            // as of when the records were read.
            let (kind, id) = one.entry.subject.split_once(':').unwrap_or_default();
            let about = if matches!(kind, "case" | "recommendation" | "outbox") { kind } else { id };
            *steps.entry((one.entry.action.clone(), about.to_owned())).or_default() += 1;
        }
        (digest, steps)
    }

    /// Each message came under one id with one content, and was handed off once.
    async fn came_right(&self) {
        let mut bodies: BTreeMap<String, String> = BTreeMap::new();
        for (id, body) in self.receiver.got() {
            assert_eq!(bodies.entry(id.clone()).or_insert_with(|| body.clone()), &body, "{id} came with two contents");
        }
        let sent = self.store.list_outbox(OutboxState::Sent).await.unwrap();
        assert_eq!(sent.iter().map(|row| &row.id).collect::<Vec<_>>().len(), bodies.len(), "what came is what was sent");
        assert!(sent.iter().all(|row| bodies.contains_key(&row.id)));
        let log = self.store.list_audit(0, i64::MAX).await.unwrap();
        for action in ["outbox.sent", "recommendation.handed_off", "recommendation.approved", "case.opened"] {
            let mut of = BTreeMap::<String, usize>::new();
            for one in log.iter().filter(|one| one.entry.action == action) {
                *of.entry(format!("{} {}", one.entry.subject, one.entry.detail["message"])).or_default() += 1;
            }
            assert!(of.values().all(|n| *n == 1), "{action} twice: {of:?}");
        }
        assert!(self.store.list_dead().await.unwrap().is_empty());
    }
}

/// Numbers that look like chance and are the same each time.
struct Chance(u64);

impl Chance {
    fn below(&mut self, n: u64) -> u64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % n
    }
}

/// What was done to the daemons.
#[derive(Default)]
struct Disturbed {
    killed: u32,
    stopped: u32,
    rounds: u32,
    take_overs: i64,
}

/// Two daemons work until everything is done, and one of them is killed or stopped every now and then.
async fn disturbed(shop: &Shop, chance: &mut Chance, until: Instant, done: &mut Disturbed) {
    let mut two = [shop.serve(), shop.serve()];
    let mut approved = false;
    while !(approved && shop.is_done().await) && Instant::now() < until {
        tokio::time::sleep(Duration::from_millis(300 + chance.below(900))).await;
        if !approved && shop.store.find_digest(DAY).await.unwrap().is_some() {
            tokio::task::block_in_place(|| shop.approve());
            approved = true;
        }
        // Mostly the one that works; the other one too.
        let on = shop.store.find_duty(duty::STAGES).await.unwrap().map(|on| on.process.pid);
        let works = two.iter().position(|daemon| Some(daemon.id()) == on);
        let which = if chance.below(4) > 0 { works.unwrap_or(0) } else { chance.below(2) as usize };
        if chance.below(2) == 0 {
            two[which] = shop.serve();
            done.killed += 1;
        } else {
            two[which].signal("STOP");
            tokio::time::sleep(Duration::from_millis(700 + chance.below(900))).await;
            two[which].signal("CONT");
            done.stopped += 1;
        }
    }
    drop(two);
    let _last = shop.serve();
    if !approved {
        while shop.store.find_digest(DAY).await.unwrap().is_none() {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        tokio::task::block_in_place(|| shop.approve());
    }
    shop.rest().await;
    done.take_overs += shop.store.find_duty(duty::STAGES).await.unwrap().unwrap().token;
    done.rounds += 1;
}

async fn postgres() -> Option<TestDb> {
    databases().await.into_iter().find(|db| db.kind() == "postgres")
}

#[tokio::test(flavor = "multi_thread")]
async fn two_of_which_one_is_killed_or_stopped_come_to_what_one_comes_to() {
    let seconds: u64 = variable("REEVE_KILL_SECONDS").map_or(20, |n| n.parse().unwrap());
    let Some(db) = postgres().await else { return };
    let alone = Shop::open(db).await;
    let one = alone.serve();
    while alone.store.find_digest(DAY).await.unwrap().is_none() {
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    let approved = tokio::task::block_in_place(|| alone.approve());
    assert_eq!(approved, APPROVED, "there is something to send");
    alone.rest().await;
    drop(one);
    alone.came_right().await;
    let expected = alone.result().await;
    let (until, mut chance, mut done) = (Instant::now() + Duration::from_secs(seconds), Chance(19), Disturbed::default());
    // On a slow machine it takes longer until enough has happened.
    while Instant::now() < until || done.killed + done.stopped <= ENOUGH {
        let until = until.max(Instant::now() + Duration::from_secs(1));
        let shop = Shop::open(postgres().await.unwrap()).await;
        disturbed(&shop, &mut chance, until, &mut done).await;
        shop.came_right().await;
        let came = shop.result().await;
        keep_for_a_look(&shop, &expected.0, &came.0);
        assert_eq!(came.0, expected.0, "the digest");
        assert_eq!(came.1, expected.1, "the steps");
        shop.store.close().await;
    }
    let Disturbed { killed, stopped, rounds, take_overs } = done;
    eprintln!(
        "{rounds} rounds in {seconds} s: killed {killed} times, stopped {stopped} times, {take_overs} holders of the work"
    );
    assert!(killed + stopped > ENOUGH && take_overs > i64::from(rounds), "too little happened");
    alone.store.close().await;
}

/// Says where two digests part.
fn keep_for_a_look(shop: &Shop, expected: &str, came: &str) {
    for (a, b) in expected.lines().zip(came.lines()).filter(|(a, b)| a != b) {
        eprintln!("- {a}\n+ {b}");
    }
    let log: &Path = &shop.log();
    if expected != came {
        eprintln!("{}", std::fs::read_to_string(log).unwrap_or_default());
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_ends_by_a_signal_gives_the_work_back_and_the_commands_say_who_has_it() {
    for db in databases().await {
        let shop = Shop::open(db).await;
        let kind = shop.db.kind();
        let doctor = |shop: &Shop| {
            let said = reeve(&["--config", &shop.config(), "--json", "doctor"], &[]).out;
            let all: Value = serde_json::from_str(&said).unwrap();
            let work = all.as_array().unwrap().iter().find(|finding| finding["what"] == "work").unwrap().clone();
            (work["ok"].as_bool().unwrap(), work["says"].as_str().unwrap().to_owned())
        };
        assert!(doctor(&shop).1.starts_with("no process"), "{kind}");
        let mut one = shop.serve();
        let on = async |pid: u32| loop {
            let on = shop.store.find_duty(duty::STAGES).await.unwrap();
            if on.is_some_and(|on| on.process.pid == pid && !on.is_over) {
                break;
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        };
        on(one.id()).await;
        let (ok, says) = doctor(&shop);
        assert!(ok && says.starts_with(&format!("process {} on ", one.id())), "{kind}: {says}");
        let refused = tokio::task::block_in_place(|| shop.command(&["run"])).unwrap_err();
        assert!(refused.contains("one process at a time runs the stages"), "{kind}: {refused}");
        let two = shop.serve();
        one.signal("TERM");
        tokio::task::block_in_place(|| one.wait()).unwrap();
        on(two.id()).await;
        // Killed, it gives nothing back: on its own machine it is known to be dead, and nobody waits.
        drop(two);
        let run = tokio::task::block_in_place(|| shop.command(&["run"]));
        assert!(run.is_ok(), "{kind}: {run:?}");
        assert!(doctor(&shop).1.starts_with("nobody does it now"), "{kind}");
        assert_eq!(shop.store.find_duty(duty::STAGES).await.unwrap().unwrap().token, 3, "{kind}");
        shop.store.close().await;
    }
}
