//! A receiver of hand-offs at its worst: it drops calls, delays, fails, and takes what it then denies. It keeps what came.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;

pub(super) use reeve_testing::receiver::SECRET;

use reeve_testing::endpoint::{Asked, Endpoint, Says};
use reeve_testing::receiver::is_signed;
use tokio::sync::Notify;

/// Numbers by chance, the same in every run.
pub(super) struct Chance(pub(super) u64);

impl Chance {
    pub(super) fn below(&mut self, n: u64) -> u64 {
        // Knuth's multiplier; the high bits are the good ones.
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % n
    }
}

/// What one call came to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Call {
    pub(super) id: String,
    pub(super) case: String,
    pub(super) body: String,
    /// Was it answered that it is taken? What was dropped or denied has arrived all the same.
    pub(super) answered: bool,
}

/// What went over the wire, and whether the receiver still misbehaves.
pub(super) struct Seen {
    chance: Chance,
    pub(super) calls: Vec<Call>,
    pub(super) faults: BTreeMap<&'static str, u32>,
    pub(super) good: bool,
}

#[derive(Clone)]
struct Manner {
    seen: Arc<Mutex<Seen>>,
    busy: Arc<Notify>,
}

pub(super) struct Receiver {
    pub(super) seen: Arc<Mutex<Seen>>,
    /// Rung in the middle of calls: the moments at which a kill hurts most.
    pub(super) busy: Arc<Notify>,
    pub(super) url: String,
    _endpoint: Endpoint,
}

impl Receiver {
    pub(super) async fn start() -> Self {
        let seen = Seen { chance: Chance(7), calls: Vec::new(), faults: BTreeMap::new(), good: false };
        let manner = Manner { seen: Arc::new(Mutex::new(seen)), busy: Arc::new(Notify::new()) };
        let Manner { seen, busy } = manner.clone();
        let endpoint = Endpoint::start(move |call| {
            let manner = manner.clone();
            async move { manner.take(&call).await }
        })
        .await;
        Self { seen, busy, url: format!("{}/", endpoint.url), _endpoint: endpoint }
    }
}

impl Manner {
    /// Takes a call as badly as it comes. Nothing: the connection is dropped.
    async fn take(&self, call: &Asked) -> Option<Says> {
        let id = call.header("webhook-id").to_owned();
        assert!(is_signed(call, SECRET), "a call of {id} is not signed");
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
        let case = call.json()["data"]["case_id"].as_str().unwrap().to_owned();
        {
            let mut seen = self.seen.lock().unwrap();
            *seen.faults.entry(what).or_default() += 1;
            if keeps {
                seen.calls.push(Call { id, case, body: call.text().to_owned(), answered });
            }
        }
        self.busy.notify_one();
        match what {
            "dropped unread" | "took and dropped" => return None,
            "took and was too slow" => tokio::time::sleep(Duration::from_millis(400)).await,
            "took slowly" => tokio::time::sleep(Duration::from_millis(60)).await,
            _ => {}
        }
        Some(Says::status(if what.ends_with("500") { 500 } else { 204 }))
    }
}
