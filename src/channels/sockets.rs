//! The page's connections: how many there may be, from where, and for how long.
//!
//! A connection costs a file descriptor whether it asks anything or not, so whoever only opens them must not keep others out.
//! There is a most in all and a most for one address; when either is reached, the connection that has waited longest for a
//! request, or for the rest of one, makes room. Only where every one of them is being answered is a new one turned away, with
//! 503.
//!
//! A request's headers have to come in time, an idle connection ends by itself, and none lives for ever.

use std::collections::BTreeMap;
use std::io::ErrorKind;
use std::net::{IpAddr, Ipv6Addr, SocketAddr};
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll};
use std::time::Duration;

use axum::Router;
use axum::body::{Body, Bytes, HttpBody};
use axum::extract::Request;
use hyper::body::{Frame, Incoming, SizeHint};
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::net::{TcpListener, TcpStream};
use tokio::time::{Instant, sleep};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use tower::ServiceExt as _;

/// Longest time until a request's headers are there, and so also the longest a connection may be idle: longer than proxies keep
/// theirs, so that it is the proxy who ends an idle one.
const HEADERS_MAX: Duration = Duration::from_secs(75);
/// After this long a connection takes no further request. Browsers and proxies open another one unseen.
const LIFE_MAX: Duration = Duration::from_mins(10);
/// How long a connection that takes no further request may go on with the one it has.
const LAST_MAX: Duration = Duration::from_mins(1);
/// How long one that asked nothing yet may take to end when everything stops.
const IDLE_MAX: Duration = Duration::from_millis(500);
/// Most bytes of a request's headers.
const HEADER_BYTES: usize = 64 * 1024;
/// File descriptors left to everything else: the store, Odoo, the model, deliveries, files.
const RESERVED: usize = 96;
/// Where even so few descriptors are free that nothing is left, this many connections are still taken.
const FEWEST: usize = 16;
/// Pause after the system could not open another connection.
const PAUSE: Duration = Duration::from_millis(50);

const TURNED_AWAY: &[u8] = b"HTTP/1.1 503 Service Unavailable\r\nretry-after: 2\r\nconnection: close\r\n\
    content-type: text/plain; charset=utf-8\r\ncontent-length: 49\r\n\r\nToo many connections are open. Try again shortly.";

/// Answers connections until `stop`, then lets those that are being answered end.
///
/// `most` is the most connections at one time; less are taken where the process may not open that many files.
pub async fn serve(listener: TcpListener, router: Router, most: usize, stop: CancellationToken) {
    let slots = Arc::new(Slots::new(room(most, open_files_max())));
    let tasks = TaskTracker::new();
    loop {
        let accepted = tokio::select! {
            accepted = listener.accept() => accepted,
            () = stop.cancelled() => break,
        };
        match accepted {
            Ok((stream, from)) => match slots.take(from) {
                Some(slot) => {
                    tasks.spawn(answer(stream, router.clone(), slot, stop.clone()));
                }
                None => turn_away(&stream),
            },
            // The other side was gone before it was taken.
            Err(error) if matches!(error.kind(), ErrorKind::ConnectionAborted | ErrorKind::ConnectionReset) => {}
            Err(error) => {
                tracing::warn!(error = %error, "The page can not take another connection; one that is idle makes room");
                // As a rule it is out of file descriptors: an idle connection gives one back.
                slots.make_room();
                sleep(PAUSE).await;
            }
        }
    }
    drop(listener);
    tasks.close();
    tasks.wait().await;
}

/// Answers one connection's requests until it ends, is idle for too long, has to make room, or everything stops.
async fn answer(stream: TcpStream, router: Router, slot: Slot, stop: CancellationToken) {
    let close = slot.close.clone();
    let slot = Arc::new(slot);
    let held = Arc::clone(&slot);
    let service = service_fn(move |request: Request<Incoming>| {
        let (router, slot) = (router.clone(), Arc::clone(&slot));
        // Whoever sends headers and no body has asked nothing yet.
        slot.set_waiting((!request.body().is_end_stream()).then(Instant::now));
        let request = request.map(|inner| Arriving { inner, slot: Arc::clone(&slot) });
        async move {
            let answered = Answering(slot);
            let answer = router.oneshot(request).await;
            answer.map(|answer| answer.map(|inner| Leaving { inner, _answered: answered }))
        }
    });
    let connection = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(HEADERS_MAX)
        .max_buf_size(HEADER_BYTES)
        .serve_connection(TokioIo::new(stream), service);
    tokio::pin!(connection);
    let until = tokio::select! {
        // First, so that an answer that is ready goes out.
        biased;
        ended = connection.as_mut() => return gone(ended),
        // What was asked has been answered or was never asked: there is nothing to wait for.
        () = close.cancelled() => return,
        () = stop.cancelled() => if held.is_waiting() { IDLE_MAX } else { LAST_MAX },
        () = sleep(LIFE_MAX) => LAST_MAX,
    };
    connection.as_mut().graceful_shutdown();
    tokio::select! {
        biased;
        ended = connection => gone(ended),
        () = close.cancelled() => {}
        () = sleep(until) => {}
    }
}

/// Whoever goes away in the middle is no fault of ours.
fn gone(ended: hyper::Result<()>) {
    if let Err(error) = ended {
        tracing::debug!(error = %error, "A connection ended early");
    }
}

/// A request's body: once it is all there, its connection is being answered.
struct Arriving {
    inner: Incoming,
    slot: Arc<Slot>,
}

impl HttpBody for Arriving {
    type Data = Bytes;
    type Error = hyper::Error;

    fn poll_frame(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, hyper::Error>>> {
        let frame = Pin::new(&mut self.inner).poll_frame(cx);
        if self.inner.is_end_stream() || matches!(frame, Poll::Ready(None)) {
            self.slot.set_waiting(None);
        }
        frame
    }

    fn is_end_stream(&self) -> bool {
        self.inner.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.inner.size_hint()
    }
}

/// While it is there, its connection's request is not answered whole.
struct Answering(Arc<Slot>);

impl Drop for Answering {
    fn drop(&mut self) {
        self.0.set_waiting(Some(Instant::now()));
    }
}

/// An answer's body: when it is given away, the connection waits for a request again. Pages fit into the buffers on the way, so
/// what a slow reader has not fetched by then is cut off only when nobody else has waited longer.
struct Leaving {
    inner: Body,
    _answered: Answering,
}

impl HttpBody for Leaving {
    type Data = Bytes;
    type Error = axum::Error;

    fn poll_frame(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, axum::Error>>> {
        Pin::new(&mut self.inner).poll_frame(cx)
    }

    fn is_end_stream(&self) -> bool {
        self.inner.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.inner.size_hint()
    }
}

/// Says that there is no room, where that can be said at once.
fn turn_away(stream: &TcpStream) {
    if let Err(error) = stream.try_write(TURNED_AWAY) {
        tracing::debug!(error = %error, "A connection was turned away without a word");
    }
}

/// The most connections in all, and of one address: a quarter is kept for others.
fn room(most: usize, open_files: usize) -> (usize, usize) {
    let all = most.min(open_files.saturating_sub(RESERVED)).max(FEWEST);
    (all, all - all / 4)
}

/// How many files this process may have open, as Linux says; where it does not, no bound is known.
fn open_files_max() -> usize {
    let limits = std::fs::read_to_string("/proc/self/limits").unwrap_or_default();
    let soft = limits.lines().find_map(|line| line.strip_prefix("Max open files"));
    soft.and_then(|rest| rest.split_whitespace().next()?.parse().ok()).unwrap_or(usize::MAX)
}

/// Who counts as one address: of IPv6 the network of 64 bits, which is what one household or server gets.
fn address(from: SocketAddr) -> IpAddr {
    match from.ip().to_canonical() {
        IpAddr::V6(ip) => IpAddr::V6(Ipv6Addr::from_bits(ip.to_bits() & !u128::from(u64::MAX))),
        ip @ IpAddr::V4(_) => ip,
    }
}

/// One open connection.
struct Held {
    from: IpAddr,
    /// Since when it waits for a request; None while one is being answered.
    waiting: Option<Instant>,
    close: CancellationToken,
}

#[derive(Default)]
struct Open {
    next: u64,
    held: BTreeMap<u64, Held>,
}

/// The connections that are open.
struct Slots {
    all: usize,
    each: usize,
    open: Mutex<Open>,
}

impl Slots {
    fn new((all, each): (usize, usize)) -> Self {
        Self { all, each, open: Mutex::default() }
    }

    /// Nothing in here can be left half-changed, so what a panicking thread left is good.
    fn open(&self) -> MutexGuard<'_, Open> {
        self.open.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A place for a connection from `from`, where there is one or one can be made.
    fn take(self: &Arc<Self>, from: SocketAddr) -> Option<Slot> {
        let from = address(from);
        let mut open = self.open();
        let of_it = open.held.values().filter(|held| held.from == from).count();
        // An address that has its share makes room among its own; beyond the bound of all, whoever waits longest does.
        if (of_it >= self.each && !open.evict(|held| held.from == from))
            || (open.held.len() >= self.all && !open.evict(|_| true))
        {
            return None;
        }
        open.next += 1;
        let (id, close) = (open.next, CancellationToken::new());
        open.held.insert(id, Held { from, waiting: Some(Instant::now()), close: close.clone() });
        Some(Slot { slots: Arc::clone(self), id, close })
    }

    /// Ends the connection that has waited longest, where any waits.
    fn make_room(&self) {
        self.open().evict(|_| true);
    }
}

impl Open {
    /// Ends the one of these that has waited longest; false where all are being answered.
    fn evict(&mut self, among: impl Fn(&Held) -> bool) -> bool {
        let waiting = self.held.iter().filter(|(_, held)| among(held)).filter_map(|(id, held)| Some((held.waiting?, *id)));
        let Some((_, id)) = waiting.min() else { return false };
        if let Some(held) = self.held.remove(&id) {
            held.close.cancel();
        }
        true
    }
}

/// The place of one connection; free again when it is dropped.
struct Slot {
    slots: Arc<Slots>,
    id: u64,
    close: CancellationToken,
}

impl Slot {
    fn is_waiting(&self) -> bool {
        self.slots.open().held.get(&self.id).is_none_or(|held| held.waiting.is_some())
    }

    fn set_waiting(&self, since: Option<Instant>) {
        if let Some(held) = self.slots.open().held.get_mut(&self.id) {
            held.waiting = since;
        }
    }
}

impl Drop for Slot {
    fn drop(&mut self) {
        self.slots.open().held.remove(&self.id);
    }
}

#[cfg(test)]
mod tests {
    #![expect(clippy::disallowed_methods, reason = "what a test starts ends with the test's runtime")]

    use axum::routing::get;
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
    use tokio::sync::Semaphore;

    use super::*;

    async fn started(router: Router, most: usize) -> (SocketAddr, CancellationToken) {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let (address, stop) = (listener.local_addr().unwrap(), CancellationToken::new());
        tokio::spawn(serve(listener, router, most, stop.clone()));
        (address, stop)
    }

    fn quick() -> Router {
        Router::new().route("/", get(|| async { "here" }))
    }

    /// What a connection that was already opened answers to one request; empty where it was closed.
    async fn ask(stream: &mut TcpStream) -> String {
        let mut said = Vec::new();
        if stream.write_all(b"GET / HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n").await.is_ok() {
            // A connection that was reset has said what it had to say.
            let _ended = stream.read_to_end(&mut said).await;
        }
        String::from_utf8(said).unwrap()
    }

    #[tokio::test]
    async fn idle_and_half_asking_connections_make_room_the_longest_waiting_first() {
        let (address, _stop) = started(quick(), 20).await;
        let mut idle = Vec::new();
        for n in 0..300 {
            let mut stream = TcpStream::connect(address).await.unwrap();
            if n % 2 == 0 {
                // May be gone already: that is what is tried.
                let _sent = stream.write_all(b"GET / HTTP/1.1\r\nhost:").await;
            }
            idle.push(stream);
        }
        let mut new = TcpStream::connect(address).await.unwrap();
        assert!(ask(&mut new).await.ends_with("here"));
        let mut rest = Vec::new();
        let _ended = idle[0].read_to_end(&mut rest).await;
        assert_eq!(rest, b"", "the first one was closed without a word");
        assert!(ask(&mut idle[299]).await.ends_with("here"), "the last one that asked nothing yet is still there");
    }

    #[tokio::test]
    async fn what_is_being_answered_is_not_cut_off_and_one_too_many_is_told() {
        let gate = Arc::new(Semaphore::new(0));
        let arrived = Arc::new(Semaphore::new(0));
        let (wait, come) = (Arc::clone(&gate), Arc::clone(&arrived));
        let slow = move || async move {
            come.add_permits(1);
            wait.acquire().await.unwrap().forget();
            "slow"
        };
        let (address, _stop) = started(Router::new().route("/", get(slow)), FEWEST).await;
        let mut busy = Vec::new();
        // One address has three quarters of all places; these fill its share.
        for _ in 0..FEWEST * 3 / 4 {
            let mut stream = TcpStream::connect(address).await.unwrap();
            busy.push(tokio::spawn(async move { ask(&mut stream).await }));
            arrived.acquire().await.unwrap().forget();
        }
        let mut over = String::new();
        TcpStream::connect(address).await.unwrap().read_to_string(&mut over).await.unwrap();
        assert!(over.starts_with("HTTP/1.1 503 ") && over.ends_with("Try again shortly."), "{over}");
        let (head, body) = over.split_once("\r\n\r\n").unwrap();
        assert!(head.contains(&format!("content-length: {}", body.len())), "{over}");
        gate.add_permits(busy.len());
        for answer in busy {
            assert!(answer.await.unwrap().ends_with("slow"));
        }
    }

    #[tokio::test]
    async fn whoever_owes_the_rest_of_a_request_makes_room_too() {
        let router =
            Router::new().route("/", axum::routing::post(|body: Bytes| async move { format!("{} bytes", body.len()) }));
        let (address, _stop) = started(router, FEWEST).await;
        let mut owing = Vec::new();
        for _ in 0..FEWEST * 2 {
            let mut stream = TcpStream::connect(address).await.unwrap();
            // May be gone already: that is what is tried.
            let _sent = stream.write_all(b"POST / HTTP/1.1\r\nhost: x\r\ncontent-length: 5\r\n\r\nab").await;
            owing.push(stream);
        }
        let whole = b"POST / HTTP/1.1\r\nhost: x\r\nconnection: close\r\ncontent-length: 5\r\n\r\nabcde";
        let mut stream = TcpStream::connect(address).await.unwrap();
        stream.write_all(whole).await.unwrap();
        let mut said = String::new();
        stream.read_to_string(&mut said).await.unwrap();
        assert!(said.ends_with("5 bytes"), "{said}");
    }

    #[tokio::test(start_paused = true)]
    async fn an_idle_or_slow_connection_ends_by_itself() {
        let (address, _stop) = started(quick(), 20).await;
        for sent in ["", "GET / HTTP/1.1\r\nhost: x\r\nx-slow: "] {
            let mut stream = TcpStream::connect(address).await.unwrap();
            stream.write_all(sent.as_bytes()).await.unwrap();
            let began = Instant::now();
            let mut said = String::new();
            stream.read_to_string(&mut said).await.unwrap();
            assert!(said.is_empty() || said.starts_with("HTTP/1.1 408"), "{said}");
            assert!(began.elapsed() >= HEADERS_MAX && began.elapsed() < HEADERS_MAX * 2, "{:?}", began.elapsed());
        }
    }

    #[tokio::test]
    async fn stopping_lets_an_answer_end_and_closes_idle_ones() {
        let gate = Arc::new(Semaphore::new(0));
        let arrived = Arc::new(Semaphore::new(0));
        let (wait, come) = (Arc::clone(&gate), Arc::clone(&arrived));
        let slow = move || async move {
            come.add_permits(1);
            wait.acquire().await.unwrap().forget();
            "slow"
        };
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let (address, stop) = (listener.local_addr().unwrap(), CancellationToken::new());
        let server = tokio::spawn(serve(listener, Router::new().route("/", get(slow)), 20, stop.clone()));
        let mut idle = TcpStream::connect(address).await.unwrap();
        let mut stream = TcpStream::connect(address).await.unwrap();
        let busy = tokio::spawn(async move { ask(&mut stream).await });
        arrived.acquire().await.unwrap().forget();
        stop.cancel();
        let mut said = Vec::new();
        idle.read_to_end(&mut said).await.unwrap();
        gate.add_permits(1);
        assert!(busy.await.unwrap().ends_with("slow"));
        server.await.unwrap();
    }

    #[test]
    fn a_quarter_is_kept_for_others_and_descriptors_for_everything_else() {
        for (most, files, expected) in [
            (512, usize::MAX, (512, 384)),
            (512, 256, (160, 120)),
            (512, 64, (16, 12)),
            (1, 1024, (16, 12)),
            (40, 1024, (40, 30)),
        ] {
            assert_eq!(room(most, files), expected, "{most} {files}");
        }
        assert!(open_files_max() > 16);
    }

    #[test]
    fn a_network_of_64_bits_is_one_address() {
        for (one, other, same) in [
            ("10.0.0.1:1", "10.0.0.1:2", true),
            ("10.0.0.1:1", "10.0.0.2:1", false),
            ("[::ffff:10.0.0.1]:1", "10.0.0.1:1", true),
            ("[2001:db8::1]:1", "[2001:db8::ffff:1]:1", true),
            ("[2001:db8::1]:1", "[2001:db8:0:1::1]:1", false),
        ] {
            let same_address = address(one.parse().unwrap()) == address(other.parse().unwrap());
            assert_eq!(same_address, same, "{one} {other}");
        }
    }
}
