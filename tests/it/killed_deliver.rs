//! People decide and Reeve delivers, killed without warning again and again, with a receiver that drops calls, delays, fails,
//! and takes what it then denies: everything approved arrives, under one key, in order for each case, and nothing else does.
//!
//! What is killed is a process of its own that runs the real store, decisions, outbox and sender. `REEVE_KILLS` says how often
//! (20 when it is not set), on each database.
#![expect(clippy::unwrap_used, reason = "a test that can not go on has failed")]
#![expect(clippy::print_stderr, reason = "how often it was killed, and what the receiver did, is what a long run is for")]

use std::collections::{BTreeMap, BTreeSet};
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use reeve::adapters::webhook::Destinations;
use reeve::clock::Clock;
use reeve::config::Config;
use reeve::domain::action::{Action, Candidate, Check, MoneySum, Range};
use reeve::domain::case::{Case, CaseState};
use reeve::domain::decision::{RecommendationState, RejectReason};
use reeve::domain::exception::Subject;
use reeve::domain::ids::{CaseId, ItemId, LocationId, PersonId};
use reeve::domain::money::{Money, Quantity};
use reeve::domain::recommendation::{Drafter, Prose, Recommendation};
use reeve::pipeline::approve::{Approvals, DecisionRefused, DecisionRequest, Recheck, Verb};
use reeve::pipeline::deliver::Deliver;
use reeve::store::{OutboxState, Store, StoreError};
use serde_json::Value;
use standardwebhooks::Webhook;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Notify;

use crate::support::databases::databases;
use crate::support::variable;

const SECRET: &str = "whsec_aG9sZG91dC1zZWNyZXQtMzItYnl0ZXMtbG9uZyEhISE=";
/// Where the process that is killed finds what it works on.
const CONFIG: &str = "REEVE_TEST_KILLED_CONFIG";
/// Rounds of decisions that each case goes through: proposed anew while the round before may still be on its way.
const ROUNDS: u32 = 5;

/// Numbers by chance, the same in every run.
struct Chance(u64);

impl Chance {
    fn below(&mut self, n: u64) -> u64 {
        // Knuth's multiplier; the high bits are the good ones.
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % n
    }
}

/// What one call came to.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Call {
    id: String,
    case: String,
    body: String,
    /// Was it answered that it is taken? What was dropped or denied has arrived all the same.
    answered: bool,
}

/// What went over the wire, and whether the receiver still misbehaves.
struct Seen {
    chance: Chance,
    calls: Vec<Call>,
    faults: BTreeMap<&'static str, u32>,
    good: bool,
}

#[derive(Clone)]
struct Receiver {
    seen: Arc<Mutex<Seen>>,
    /// Rung in the middle of calls: the moments at which a kill hurts most.
    busy: Arc<Notify>,
    url: String,
}

impl Receiver {
    async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}/", listener.local_addr().unwrap());
        let seen = Seen { chance: Chance(7), calls: Vec::new(), faults: BTreeMap::new(), good: false };
        let it = Self { seen: Arc::new(Mutex::new(seen)), busy: Arc::new(Notify::new()), url };
        let this = it.clone();
        #[expect(clippy::disallowed_methods, reason = "ends with the test's runtime")]
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let this = this.clone();
                tokio::spawn(async move { this.serve(stream).await });
            }
        });
        it
    }

    /// Takes the calls of one connection, each as badly as it comes.
    async fn serve(&self, mut stream: TcpStream) -> Option<()> {
        loop {
            let (id, body) = call(&mut stream).await?;
            let (good, fault) = {
                let mut seen = self.seen.lock().unwrap();
                (seen.good, seen.chance.below(10))
            };
            let (what, answered, keeps) = match fault {
                _ if good => ("took", true, true),
                0 => ("dropped unread", false, false),
                1 => ("answered 500", false, false),
                2 => ("took and dropped", false, true),
                3 => ("took and answered 500", false, true),
                4 => ("took and was too slow", false, true),
                5 => ("took slowly", true, true),
                _ => ("took", true, true),
            };
            let case = serde_json::from_str::<Value>(&body).unwrap()["data"]["case_id"].as_str().unwrap().to_owned();
            {
                let mut seen = self.seen.lock().unwrap();
                *seen.faults.entry(what).or_default() += 1;
                if keeps {
                    seen.calls.push(Call { id, case, body, answered });
                }
            }
            self.busy.notify_one();
            match what {
                "dropped unread" | "took and dropped" => return None,
                "took and was too slow" => tokio::time::sleep(Duration::from_millis(400)).await,
                "took slowly" => tokio::time::sleep(Duration::from_millis(60)).await,
                _ => {}
            }
            let status = if what.ends_with("500") { "500 Internal Server Error" } else { "204 No Content" };
            let answer = format!("HTTP/1.1 {status}\r\ncontent-length: 0\r\n\r\n");
            stream.write_all(answer.as_bytes()).await.ok()?;
        }
    }
}

/// Reads one call and checks its signature. None when the caller is gone before it is whole.
async fn call(stream: &mut TcpStream) -> Option<(String, String)> {
    let mut read = Vec::new();
    let head = loop {
        if let Some(at) = read.windows(4).position(|four| four == b"\r\n\r\n") {
            break at + 4;
        }
        if stream.read_buf(&mut read).await.ok()? == 0 {
            return None;
        }
    };
    let text = String::from_utf8(read[..head].to_vec()).unwrap();
    let header = |name: &str| {
        let line = text.lines().find_map(|line| line.split_once(": ").filter(|(n, _)| n.eq_ignore_ascii_case(name)));
        line.map(|(_, value)| value.to_owned()).unwrap()
    };
    let length: usize = header("content-length").parse().unwrap();
    while read.len() < head + length {
        if stream.read_buf(&mut read).await.ok()? == 0 {
            return None;
        }
    }
    let body = String::from_utf8(read[head..head + length].to_vec()).unwrap();
    let (id, at) = (header("webhook-id"), header("webhook-timestamp").parse().unwrap());
    let signed = Webhook::new(SECRET).unwrap().sign(&id, at, body.as_bytes()).unwrap();
    assert_eq!(header("webhook-signature"), signed, "a call of {id} is not signed");
    Some((id, body))
}

struct AllHolds;

#[async_trait]
impl Recheck for AllHolds {
    async fn recheck(&self, _: &Case, _: &Action) -> anyhow::Result<Vec<Check>> {
        Ok(Vec::new())
    }
}

/// What is proposed for a case in a round: a transfer, or one that takes two people.
fn proposal(case: &Case, round: u32) -> Recommendation {
    let two = round == ROUNDS;
    let action = Action::Transfer {
        item: ItemId::new("75"),
        from: LocationId::new("1"),
        to: LocationId::new("3"),
        quantity: Quantity::units(i64::from(round)),
        ship_on: "2099-12-01".parse().unwrap(),
    };
    let reverse = Action::ReverseDoc { document: format!("BILL/{}", case.id), duplicate_of: "BILL/1".into() };
    let nothing = Range::default();
    let candidate = Candidate {
        id: "A1".into(),
        action: if two { reverse } else { action },
        summary: format!("Round {round}"),
        money: MoneySum::new(1.0, nothing, nothing, Money::ZERO, Money::ZERO),
        value: Money::ZERO,
        latest_date: "2099-12-31".parse().unwrap(),
        checks: vec![],
        cites: vec![],
    };
    let drafter = Drafter::Playbook { because: None };
    let evidence = format!("e{round}");
    let mut rec =
        Recommendation::drafted(case.id.clone(), 1, candidate, Prose::default(), evidence, drafter, case.opened_at);
    rec.state = RecommendationState::Queued;
    rec
}

/// Proposes a round for a case, as detection and drafting do when its facts change.
async fn propose(store: &Store, case: &Case, round: u32) -> Result<(), StoreError> {
    let mut next = Case { state: CaseState::Open, evidence_hash: Some(format!("e{round}")), ..case.clone() };
    next.version += 1;
    store.replace_recommendations(&next, case.version, &[proposal(&next, round)], &[]).await
}

async fn fill(store: &Store, cases: u32) {
    let at = Clock::System.now();
    for n in 0..cases {
        let case = Case {
            id: CaseId::new(format!("case-{n:03}")),
            version: 1,
            state: CaseState::Open,
            exceptions: vec![],
            codes: vec![],
            subject: Subject::default(),
            links: vec![],
            headline: String::new(),
            rank: None,
            evidence_hash: None,
            owner: None,
            opened_at: at,
            updated_at: at,
        };
        store.save_detection(&[], &[(case.clone(), None)], &[], None).await.unwrap();
        propose(store, &case, 1).await.unwrap();
    }
}

/// Makes decisions, one case after the other, as far as they are not made yet. The keys are those of the clicks: a click that
/// was answered by a process that died is the same click when it comes again.
async fn decide(approvals: &Approvals, with_window: &Approvals, cases: u32) -> bool {
    let mut open = false;
    for n in 0..cases {
        let case = approvals.store.get_case(&CaseId::new(format!("case-{n:03}"))).await.unwrap();
        let all = approvals.store.list_recommendations(&case.id).await.unwrap();
        let round = case.evidence_hash.as_deref().unwrap()[1..].parse::<u32>().unwrap();
        let Some((rec, _)) = all.iter().find(|(r, _)| r.evidence_hash == format!("e{round}")) else { continue };
        let click = |person: &str, verb: Verb| DecisionRequest {
            idempotency_key: format!("{}-{}-{person}", rec.id, verb.name()),
            person: PersonId::new(person),
            channel: "test".into(),
            recommendation_id: rec.id.clone(),
            content_hash: rec.content_hash(),
            verb,
        };
        let wanted = RecommendationState::Queued.name() == rec.state.name();
        let answer = match (n % 4 + round) % 4 {
            // Two signatures are needed and one is given; whoever comes last would have to be of finance.
            _ if round == ROUNDS && wanted => approvals.decide(&click("ari", Verb::Approve)).await.map(|_| ()),
            _ if !wanted && !matches!(rec.state, RecommendationState::Approved { .. }) => Ok(()),
            0 if wanted => {
                let reject = Verb::Reject { reason: RejectReason::WrongQuantity, note: String::new() };
                approvals.decide(&click("ari", reject)).await.map(|_| ())
            }
            // Approved by mistake and taken back inside the window: nothing may leave in between.
            1 => {
                if wanted {
                    with_window.decide(&click("ari", Verb::Approve)).await.map(|_| ()).unwrap();
                }
                with_window.decide(&click("ari", Verb::Undo)).await.map(|_| ())
            }
            _ if wanted => approvals.decide(&click("ari", Verb::Approve)).await.map(|_| ()),
            _ => Ok(()),
        };
        match answer {
            Ok(()) | Err(DecisionRefused::AlreadyDecided { .. } | DecisionRefused::FactsChanged { .. }) => {}
            Err(other) => panic!("{} round {round}: {other}", case.id),
        }
        if round < ROUNDS {
            open = true;
            let case = approvals.store.get_case(&case.id).await.unwrap();
            match propose(&approvals.store, &case, round + 1).await {
                // The hand-off of the round before moved the case in between.
                Ok(()) | Err(StoreError::Conflict) => {}
                Err(other) => panic!("{other}"),
            }
        }
    }
    open
}

/// The process that is killed: decides and delivers, side by side, until there is nothing left.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "it is the process that the test below starts and kills: run that one, which runs this"]
async fn the_process_that_is_killed() {
    let Some(path) = variable(CONFIG) else { return };
    let config = Config::load_from(Some(path.as_ref()), &[]).unwrap();
    let cases = config.detect.forest_seed as u32;
    let store = Store::open_and_migrate(&config.store.url).await.unwrap();
    let sender = Destinations::new(&config.all_destinations(), &config.delivery).map_err(|(_, e)| e).unwrap();
    let mut windowed = config.clone();
    windowed.approval.undo_minutes = 60;
    let of = |config: Config| Approvals {
        store: store.clone(),
        config: Arc::new(config),
        clock: Clock::System,
        recheck: Arc::new(AllHolds),
    };
    let (approvals, with_window) = (of(config.clone()), of(windowed));
    let deliver =
        Deliver { store: store.clone(), config: Arc::new(config), clock: Clock::System, sender: Some(Arc::new(sender)) };
    let decided = AtomicBool::new(false);
    let deciding = async {
        while decide(&approvals, &with_window, cases).await {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        decided.store(true, Ordering::SeqCst);
    };
    let delivering = async {
        loop {
            let all = decided.load(Ordering::SeqCst);
            deliver.run_once().await.unwrap();
            if all && store.list_outbox(OutboxState::Pending).await.unwrap().is_empty() {
                return;
            }
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };
    tokio::join!(deciding, delivering);
    store.close().await;
}

#[expect(clippy::disallowed_methods, reason = "a process has to be started to be killed")]
fn start(config: &std::path::Path) -> Child {
    let test = "killed_deliver::the_process_that_is_killed";
    let mut command = Command::new(std::env::current_exe().unwrap());
    command.args(["--exact", test, "--ignored", "--nocapture"]).env(CONFIG, config).stdin(Stdio::null());
    command.stdout(Stdio::null()).spawn().unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_approved_arrives_once_for_each_key_in_order_however_often_the_process_is_killed() {
    let kills: u32 = variable("REEVE_KILLS").map_or(20, |n| n.parse().unwrap());
    let cases = 4 + kills * 3 / 5;
    for db in databases().await {
        let receiver = Receiver::start().await;
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("reeve.toml");
        let text = format!(
            "[store]\nurl = \"{}\"\n[approval]\nundo_minutes = 0\n[detect]\nforest_seed = {cases}\n\
             [webhook]\nurl = \"{}\"\nsecret = \"{SECRET}\"\ntimeout = \"250ms\"\nattempts = 1000\nper_second = 400.0\n\
             [delivery]\nfirst_gap = \"10ms\"\nlongest_gap = \"40ms\"\nmargin = \"50ms\"\nbreaker_failures = 3\n\
             breaker_pause = \"30ms\"\n",
            db.store_url(),
            receiver.url
        );
        std::fs::write(&file, text).unwrap();
        let store = Store::open_and_migrate(&db.store_url()).await.unwrap();
        fill(&store, cases).await;
        let (mut chance, mut killed) = (Chance(11), 0);
        while killed < kills {
            let mut child = start(&file);
            // Half of the kills come in the middle of a call, the others whenever.
            let after = if chance.below(2) == 0 {
                for _ in 0..=chance.below(6) {
                    let called = receiver.busy.notified();
                    let _ended = tokio::time::timeout(Duration::from_secs(2), called).await;
                }
                Duration::from_micros(chance.below(3_000))
            } else {
                Duration::from_millis(30 + chance.below(150))
            };
            tokio::time::sleep(after).await;
            if let Some(ended) = child.try_wait().unwrap() {
                assert!(ended.success(), "the process failed by itself after {killed} kills");
                break;
            }
            child.kill().unwrap();
            child.wait().unwrap();
            killed += 1;
        }
        let before = receiver.seen.lock().unwrap().calls.len();
        receiver.seen.lock().unwrap().good = true;
        assert!(start(&file).wait().unwrap().success(), "what was left is done without a kill");
        holds(&store, &receiver, db.kind()).await;
        let (calls, faults) = {
            let seen = receiver.seen.lock().unwrap();
            (seen.calls.len(), format!("{:?}", seen.faults))
        };
        eprintln!("{}: {killed} kills, {cases} cases, {calls} calls ({before} between kills), {faults}", db.kind());
        assert!(killed * 2 >= kills, "it was done after {killed} kills: there is too little to do");
        store.close().await;
    }
}

/// What went over the wire: each key with one content, in the order of approval, all of it and nothing else.
fn came_right(
    receiver: &Receiver,
    kind: &str,
    (approved, undone, expected): (&BTreeSet<String>, &BTreeSet<String>, &BTreeSet<String>),
    order: BTreeMap<String, Vec<String>>,
) {
    let seen = receiver.seen.lock().unwrap();
    let arrived: BTreeSet<String> = seen.calls.iter().map(|c| c.id.clone()).collect();
    assert_eq!(arrived, *expected, "{kind}: what arrived is not what was approved");
    assert!(!undone.is_empty() && expected.len() > 3, "{kind}: {} of {}", undone.len(), approved.len());
    // One key has one content.
    let mut bodies = BTreeMap::new();
    for call in &seen.calls {
        assert_eq!(bodies.entry(&call.id).or_insert(&call.body), &&call.body, "{kind}: {} came with two contents", call.id);
    }
    // In the order of approval; and once a later one has come, the earlier one is not sent any more.
    for (case, approved) in order {
        let place = |id: &str| approved.iter().position(|a| a == id);
        let came: Vec<_> = seen.calls.iter().filter(|c| c.case == case).map(|c| place(&c.id)).collect();
        assert!(came.is_sorted(), "{kind}: {case} came in the order {came:?}");
        let firsts = came.iter().collect::<BTreeSet<_>>().len();
        assert_eq!(firsts, approved.iter().filter(|a| !undone.contains(*a)).count(), "{kind}: {case}");
    }
    for id in expected {
        assert!(seen.calls.iter().any(|c| c.id == *id && c.answered), "{kind}: {id} counts as sent and was never taken");
    }
}

/// What must be true in the end, whatever happened on the way.
async fn holds(store: &Store, receiver: &Receiver, kind: &str) {
    let (mut approved, mut undone, mut order) = (BTreeSet::new(), BTreeSet::new(), BTreeMap::<String, Vec<String>>::new());
    for one in store.list_audit(0, i64::MAX).await.unwrap() {
        let message = || one.entry.detail["outbox"].as_str().unwrap().to_owned();
        match one.entry.action.as_str() {
            "recommendation.approved" => {
                assert!(approved.insert(message()), "{kind}: approved twice under one key");
                order.entry(one.entry.detail["case"].as_str().unwrap().to_owned()).or_default().push(message());
            }
            "recommendation.undone" => assert!(undone.insert(message())),
            _ => {}
        }
    }
    let expected: BTreeSet<String> = approved.difference(&undone).cloned().collect();
    came_right(receiver, kind, (&approved, &undone, &expected), order);
    let sent: BTreeSet<String> = store.list_outbox(OutboxState::Sent).await.unwrap().into_iter().map(|row| row.id).collect();
    assert_eq!(sent, expected, "{kind}");
    assert!(
        store.list_dead().await.unwrap().is_empty() && store.list_outbox(OutboxState::Pending).await.unwrap().is_empty()
    );
    let handed = store.list_recommendations_in(&["handed_off"]).await.unwrap().len();
    assert_eq!(handed, expected.len(), "{kind}");
    store.verify_audit().await.unwrap();
}
