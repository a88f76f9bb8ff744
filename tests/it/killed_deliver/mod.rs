//! People decide and Reeve delivers, and `reeve` is killed without warning again and again, with a receiver that drops calls,
//! delays, fails, and takes what it then denies: everything approved arrives, under one key, in order for each case, and nothing
//! else does; what people were answered stands.
//!
//! What is killed is the program itself: `reeve serve` with a configuration file, and `reeve queue` beside it. People decide over
//! its API and by its commands. `REEVE_KILLS` says how often the daemon is killed (20 times when it is not set), on each database.
#![expect(clippy::unwrap_used, reason = "a test that can not go on has failed")]
#![expect(clippy::print_stderr, reason = "how often it was killed, and what the receiver did, is what a long run is for")]

mod people;
mod receiver;
mod shop;

use std::collections::{BTreeMap, BTreeSet};
use std::io::{BufRead as _, BufReader};
use std::net::SocketAddr;
use std::process::ChildStdout;
use std::sync::Arc;
use std::time::Duration;

use reeve::store::{OutboxState, Store};

use self::people::{Acknowledged, People};
use self::receiver::{Chance, Receiver};
use self::shop::Shop;
use crate::support::binary::{Process, reeve, started};
use crate::support::databases::databases;
use crate::support::variable;

/// Bills that came twice: each is a case, and goes through round after round of decisions. Few, so that one comes soon again.
const BILLS: usize = 6;
/// Looks at what is left in the end, 20 ms apart, after which it counts as stuck.
const LOOKS: usize = 3_000;

/// `reeve serve`.
struct Daemon {
    process: Process,
    out: BufReader<ChildStdout>,
}

impl Daemon {
    fn start(shop: &Shop) -> Self {
        let mut process = started(&["--config", shop.config.to_str().unwrap(), "serve"], &shop.log);
        let out = BufReader::new(process.stdout.take().unwrap());
        Self { process, out }
    }

    /// Where its page is, once it is there.
    fn address(&mut self) -> SocketAddr {
        let mut line = String::new();
        loop {
            line.clear();
            assert!(self.out.read_line(&mut line).unwrap() > 0, "the daemon ended by itself");
            if let Some((_, rest)) = line.split_once("The queue is at http://") {
                return rest.split(". ").next().unwrap().parse().unwrap();
            }
        }
    }
}

/// Lets the people work until the moment to kill the daemon has come. It is counted in what happens, not in time, so that a slow
/// machine shows as much as a fast one.
async fn until_killed(people: &mut People<'_>, receiver: &Receiver, daemon: SocketAddr, chance: &mut Chance) {
    let (decided, events, span) = (chance.below(2) == 0, chance.below(4), chance.below(40));
    let most = if decided { u32::MAX } else { 2 + u32::try_from(chance.below(6)).unwrap() };
    let asked = Arc::clone(&people.asked);
    let moment = async {
        // Half of the kills come while somebody decides, the others in the middle of a call.
        for _ in 0..=events {
            let (rung, longest) = if decided { (asked.notified(), 20_000) } else { (receiver.busy.notified(), 700) };
            // Where nothing is under way there is no call to wait for; a daemon that is gone is found out at the kill.
            let _ended = tokio::time::timeout(Duration::from_millis(longest), rung).await;
        }
        tokio::time::sleep(if decided { Duration::from_millis(span) } else { Duration::from_micros(span * 75) }).await;
    };
    let working = async {
        let mut most = most;
        loop {
            let before = people.made();
            // Whoever is not answered tries again.
            let _gone = people.work(daemon, most, true).await;
            most = most.saturating_sub(people.made() - before);
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };
    tokio::select! {
        () = moment => {}
        () = working => {}
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_approved_arrives_once_for_each_key_in_order_however_often_the_program_is_killed() {
    let kills: u32 = variable("REEVE_KILLS").map_or(20, |n| n.parse().unwrap());
    for db in databases().await {
        let receiver = Receiver::start().await;
        let folder = tempfile::tempdir().unwrap();
        let shop = Shop::open(folder.path(), &db.store_url(), &receiver.url, BILLS).await;
        let mut people = People::new(&shop, BILLS).await;
        let mut chance = Chance(11);
        for _ in 0..kills {
            let mut daemon = Daemon::start(&shop);
            // One of six kills comes while it starts.
            if chance.below(6) == 0 {
                tokio::time::sleep(Duration::from_millis(chance.below(150))).await;
            } else {
                let address = tokio::task::block_in_place(|| daemon.address());
                until_killed(&mut people, &receiver, address, &mut chance).await;
            }
            daemon.process.killed();
        }
        let before = receiver.seen.lock().unwrap().calls.len();
        receiver.seen.lock().unwrap().good = true;
        finish(&shop, &mut people).await;
        let behind = holds(&shop.store, &receiver, &people.told, db.kind()).await;
        let verified = reeve(&["--config", shop.config.to_str().unwrap(), "audit", "verify"], &[]);
        if verified.code != Some(0) {
            for one in shop.store.list_audit(0, i64::MAX).await.unwrap() {
                eprintln!("{} {} {} {} {}", one.seq, one.entry.actor, one.entry.action, one.entry.subject, one.entry.detail);
            }
        }
        assert_eq!(verified.code, Some(0), "{}: {verified:?}", db.kind());
        let (calls, faults) = {
            let seen = receiver.seen.lock().unwrap();
            (seen.calls.len(), format!("{:?}", seen.faults))
        };
        let Acknowledged { approved, signed, rejected, undone, again, killed } = &people.told;
        eprintln!(
            "{}: the daemon killed {kills} times, commands {killed} times; answered: {} approvals ({behind} behind another of \
             their case), {} first signatures, {} \
             rejections, {} undone, {again} of them when asked again; {calls} calls ({before} between kills), {faults}",
            db.kind(),
            approved.len(),
            signed.len(),
            rejected.len(),
            undone.len()
        );
        // A run in which nothing happens shows nothing.
        assert!(
            people.made() * 2 >= kills && before as u32 * 3 >= kills,
            "{}: too little happened between the kills",
            db.kind()
        );
        shop.store.close().await;
    }
}

/// Does what is left, without a kill until it is done.
async fn finish(shop: &Shop, people: &mut People<'_>) {
    let mut daemon = Daemon::start(shop);
    let address = tokio::task::block_in_place(|| daemon.address());
    let mut left = 1;
    for look in 0.. {
        if look >= LOOKS {
            for one in shop.store.list_audit(0, i64::MAX).await.unwrap() {
                eprintln!("{} {} {} {} {}", one.seq, one.entry.actor, one.entry.action, one.entry.subject, one.entry.detail);
            }
            panic!("{left} cases do not come to an end: {}", people.stand().await);
        }
        // A command of theirs may still be killed.
        left = people.work(address, u32::MAX, false).await.unwrap_or(left);
        if left == 0 && shop.store.list_outbox(OutboxState::Pending).await.unwrap().is_empty() {
            break;
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    daemon.process.killed();
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
/// Answers how many were approved while an earlier one of their case was under way.
async fn holds(store: &Store, receiver: &Receiver, told: &Acknowledged, kind: &str) -> u32 {
    let (mut approved, mut undone, mut order) = (BTreeSet::new(), BTreeSet::new(), BTreeMap::<String, Vec<String>>::new());
    let mut done: BTreeMap<String, BTreeMap<String, u32>> = BTreeMap::new();
    // Messages of a case that are under way, and how many were approved behind one.
    let (mut under_way, mut behind) = (BTreeMap::<String, String>::new(), 0);
    for one in store.list_audit(0, i64::MAX).await.unwrap() {
        let message = || one.entry.detail["outbox"].as_str().unwrap().to_owned();
        match one.entry.action.as_str() {
            "recommendation.approved" => {
                assert!(approved.insert(message()), "{kind}: approved twice under one key");
                let case = one.entry.detail["case"].as_str().unwrap().to_owned();
                order.entry(case.clone()).or_default().push(message());
                behind += u32::from(under_way.values().any(|other| *other == case));
                under_way.insert(message(), case);
            }
            "recommendation.undone" => {
                assert!(undone.insert(message()));
                under_way.remove(&message());
            }
            "outbox.sent" => assert!(under_way.remove(one.entry.detail["message"].as_str().unwrap()).is_some()),
            _ => {}
        }
        if let Some(id) = one.entry.subject.strip_prefix("recommendation:") {
            let verb = one.entry.action.split_once('.').unwrap().1.to_owned();
            *done.entry(verb).or_default().entry(id.to_owned()).or_default() += 1;
        }
    }
    let expected: BTreeSet<String> = approved.difference(&undone).cloned().collect();
    came_right(receiver, kind, (&approved, &undone, &expected), order);
    let sent: BTreeSet<String> = store.list_outbox(OutboxState::Sent).await.unwrap().into_iter().map(|row| row.id).collect();
    assert_eq!(sent, expected, "{kind}");
    assert!(
        store.list_dead().await.unwrap().is_empty() && store.list_outbox(OutboxState::Pending).await.unwrap().is_empty()
    );
    assert!(store.list_recommendations_in(&["approved"]).await.unwrap().is_empty(), "{kind}: it left and is not handed off");
    store.verify_audit().await.unwrap();

    // What people were answered is what was done, once, however often they had to ask.
    for (verb, answered) in
        [("approved", &told.approved), ("signed", &told.signed), ("rejected", &told.rejected), ("undone", &told.undone)]
    {
        let kept = &done[verb];
        assert!(!answered.is_empty() && kept.values().all(|times| *times == 1), "{kind}: {verb} {kept:?}");
        // All clicks are answered by now, so nothing else was done either.
        assert_eq!(kept.keys().collect::<Vec<_>>(), answered.iter().collect::<Vec<_>>(), "{kind}: {verb}");
    }
    let left: BTreeSet<&String> = told.approved.difference(&told.undone).collect();
    let handed = &done["handed_off"];
    assert!(handed.values().all(|times| *times == 1), "{kind}: handed off twice: {handed:?}");
    assert_eq!(handed.keys().collect::<BTreeSet<_>>(), left, "{kind}: acknowledged and not handed off, or the other way");
    behind
}
