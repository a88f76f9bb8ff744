//! Socket Mode: sockets that an app opens, envelopes that go to one of them, and acknowledgements.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use futures_util::{SinkExt as _, StreamExt as _};
use serde_json::{Value, json};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{mpsc, watch};
use tokio::task::JoinSet;
use tokio_tungstenite::accept_async;
use tokio_tungstenite::tungstenite::Message;

use super::APP_ID;

/// An open socket.
#[derive(Clone, Debug)]
pub struct Link {
    /// Which one, from 1.
    pub number: u64,
    out: mpsc::UnboundedSender<Order>,
}

/// What a socket is told to do.
#[derive(Debug)]
enum Order {
    Frame(Value),
    Close,
}

impl Link {
    /// Sends a frame. False where the socket is gone.
    pub fn send(&self, frame: Value) -> bool {
        self.out.send(Order::Frame(frame)).is_ok()
    }

    /// Says that it is to be replaced.
    pub fn refresh(&self) {
        self.send(
            json!({ "type": "disconnect", "reason": "refresh_requested", "debug_info": { "host": "applink-holdout" } }),
        );
    }

    /// Closes it without a word.
    pub fn close(&self) {
        drop(self.out.send(Order::Close));
    }
}

#[derive(Debug, Default)]
struct Kept {
    opened: u64,
    open: BTreeMap<u64, Link>,
    acks: Vec<Value>,
    envelopes: u64,
}

/// All sockets. They end when dropped.
#[derive(Debug)]
pub struct Links {
    /// Where they are opened.
    pub url: String,
    kept: Arc<Mutex<Kept>>,
    changed: watch::Receiver<u64>,
    _server: JoinSet<()>,
}

impl Links {
    pub(super) async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port is free");
        let url = format!("ws://{}", listener.local_addr().expect("a bound listener has an address"));
        let kept = Arc::new(Mutex::new(Kept::default()));
        let (tell, changed) = watch::channel(0);
        let tell = Arc::new(tell);
        let mut server = JoinSet::new();
        let all = Arc::clone(&kept);
        server.spawn(async move {
            let mut sockets = JoinSet::new();
            while let Ok((stream, _)) = listener.accept().await {
                sockets.spawn(one(stream, Arc::clone(&all), Arc::clone(&tell)));
            }
        });
        Self { url, kept, changed, _server: server }
    }

    fn kept(&self) -> MutexGuard<'_, Kept> {
        lock(&self.kept)
    }

    /// Waits until something holds of the sockets.
    pub async fn until(&self, holds: impl Fn(&Self) -> bool) {
        let mut changed = self.changed.clone();
        while !holds(self) {
            changed.changed().await.expect("the workspace runs");
        }
    }

    /// The newest open socket.
    pub fn newest(&self) -> Option<Link> {
        self.kept().open.values().next_back().cloned()
    }

    /// The numbers of the open ones.
    pub fn open(&self) -> Vec<u64> {
        self.kept().open.keys().copied().collect()
    }

    /// How many were opened in all.
    pub fn opened(&self) -> u64 {
        self.kept().opened
    }

    /// The acknowledgements so far.
    pub fn acks(&self) -> Vec<Value> {
        self.kept().acks.clone()
    }

    /// The acknowledgement of an envelope, where it has come.
    pub fn ack(&self, envelope: &str) -> Option<Value> {
        self.acks().into_iter().find(|ack| ack["envelope_id"] == envelope)
    }

    /// An envelope around a payload.
    pub fn envelope(&self, kind: &str, payload: &Value) -> Value {
        let mut kept = self.kept();
        kept.envelopes += 1;
        let id = format!("cef99251-0b73-4935-a3b6-{:012}", kept.envelopes);
        json!({ "envelope_id": id, "type": kind, "payload": payload, "accepts_response_payload": kind != "events_api" })
    }

    /// Sends a payload by the newest socket and waits for its acknowledgement.
    ///
    /// # Panics
    /// Where no socket is open.
    pub async fn deliver(&self, kind: &str, payload: &Value) -> Value {
        let envelope = self.envelope(kind, payload);
        assert!(self.newest().expect("a socket is open").send(envelope.clone()), "the socket is open");
        let id = envelope["envelope_id"].as_str().unwrap_or_default().to_owned();
        self.until(|links| links.ack(&id).is_some()).await;
        self.ack(&id).expect("it has come")
    }
}

fn lock(kept: &Mutex<Kept>) -> MutexGuard<'_, Kept> {
    kept.lock().unwrap_or_else(PoisonError::into_inner)
}

async fn one(stream: TcpStream, kept: Arc<Mutex<Kept>>, tell: Arc<watch::Sender<u64>>) {
    let Ok(mut socket) = accept_async(stream).await else { return };
    let (out, mut orders) = mpsc::unbounded_channel();
    let number = {
        let mut kept = lock(&kept);
        kept.opened += 1;
        kept.opened
    };
    let hello = json!({
        "type": "hello",
        "num_connections": 1,
        "debug_info": { "host": "applink-holdout", "build_number": 1, "approximate_connection_time": 18060 },
        "connection_info": { "app_id": APP_ID },
    });
    if socket.send(Message::text(hello.to_string())).await.is_err() {
        return;
    }
    // Only after the greeting, so that nothing is sent before it.
    lock(&kept).open.insert(number, Link { number, out });
    let note = || tell.send_modify(|count| *count += 1);
    note();
    loop {
        tokio::select! {
            order = orders.recv() => match order {
                Some(Order::Frame(frame)) => {
                    if socket.send(Message::text(frame.to_string())).await.is_err() {
                        break;
                    }
                }
                Some(Order::Close) | None => break,
            },
            frame = socket.next() => match frame {
                Some(Ok(Message::Text(text))) => {
                    if let Ok(ack) = serde_json::from_str(&text) {
                        lock(&kept).acks.push(ack);
                        note();
                    }
                }
                Some(Ok(Message::Close(_)) | Err(_)) | None => break,
                Some(Ok(_)) => {}
            },
        }
    }
    lock(&kept).open.remove(&number);
    note();
}
