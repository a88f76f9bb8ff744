//! A receiver of hand-offs at its worst: it drops calls, delays, fails, and takes what it then denies. It keeps what came.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use serde_json::Value;
use standardwebhooks::Webhook;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Notify;

/// What it shares with Reeve.
pub(super) const SECRET: &str = "whsec_aG9sZG91dC1zZWNyZXQtMzItYnl0ZXMtbG9uZyEhISE=";

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
pub(super) struct Receiver {
    pub(super) seen: Arc<Mutex<Seen>>,
    /// Rung in the middle of calls: the moments at which a kill hurts most.
    pub(super) busy: Arc<Notify>,
    pub(super) url: String,
}

impl Receiver {
    pub(super) async fn start() -> Self {
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
