//! `POST /hooks/{source}`: events from partners and other systems, and calls of Odoo's automation rules.
//!
//! Invariants: nothing is taken from a call before its signature (or, for an Odoo rule, the secret in its path) is checked in
//! constant time; an event is on the disk before it is acknowledged; a signature's time must be near ours, and an id counts
//! once, so an overheard call can not be sent again. No session and no form: a browser has nothing to do here. What an event
//! means is not looked at here: `pipeline::understand` does that later.

mod hand_offs;
mod signed;

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use axum::Router;
use axum::body::Bytes;
use axum::extract::rejection::BytesRejection;
use axum::extract::{DefaultBodyLimit, Path, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::Response;
use axum::routing::post;
use jiff::{SignedDuration, Timestamp};
use secrecy::{ExposeSecret as _, SecretString};
use serde_json::json;
use standardwebhooks::Webhook;
use subtle::ConstantTimeEq as _;
use tokio::sync::Notify;
use tokio_util::sync::CancellationToken;
use tower_http::limit::RequestBodyLimitLayer;

use self::signed::{Refusal, answer, unread};
use crate::channels::ChannelState;
use crate::channels::quota::Quota;
use crate::config::{Config, HookConfig, HookKind};
use crate::people::ChatChannel;
use crate::pipeline::watermark::Hint;
use crate::store::{Kept, NewEvent, Store};

/// How long after a call the stages are woken: Odoo 18 calls before it commits, and a burst of calls is one reason to look.
const SETTLE: Duration = Duration::from_secs(5);

/// The senders that are known, and what they have called for.
pub struct Hooks {
    senders: BTreeMap<String, Sender>,
    window: SignedDuration,
    quota: Quota,
    settle: Duration,
    rung: Notify,
    /// One for each chat: each has somebody else who waits for it.
    asked: [Arc<Notify>; ChatChannel::ALL.len()],
    hint: Arc<Hint>,
    /// Calls that carry nothing and are not yet written down, and the newest of each sender.
    calls: Mutex<BTreeMap<String, (u64, Timestamp)>>,
}

struct Sender {
    kind: HookKind,
    keys: Vec<Webhook>,
    path_secrets: Vec<SecretString>,
}

impl Hooks {
    /// The configured senders; `hint` tells the reading stage of Odoo's calls.
    pub fn new(config: &Config, hint: Arc<Hint>) -> Self {
        Self {
            senders: config.hooks.iter().map(|hook| (hook.name.clone(), Sender::new(hook))).collect(),
            window: SignedDuration::try_from(config.events.window).unwrap_or(SignedDuration::ZERO),
            quota: Quota::new(config.events.per_minute),
            settle: SETTLE,
            rung: Notify::new(),
            asked: std::array::from_fn(|_| Arc::default()),
            hint,
            calls: Mutex::default(),
        }
    }

    /// Wakes the stages after calls, until `stop`: once for a burst. Writes down how many calls there were.
    pub async fn pass_on(self: Arc<Self>, store: Store, wake: Arc<Notify>, stop: CancellationToken) {
        while !stop.is_cancelled() {
            tokio::select! {
                () = stop.cancelled() => break,
                () = self.rung.notified() => {}
            }
            tokio::select! {
                () = stop.cancelled() => {}
                () = tokio::time::sleep(self.settle) => {}
            }
            // Whatever rang meanwhile is of the same burst.
            tokio::select! {
                biased;
                () = self.rung.notified() => {}
                () = std::future::ready(()) => {}
            }
            self.write_down(&store).await;
            wake.notify_waiters();
        }
        // What rang since the last burst is counted before the process ends.
        self.write_down(&store).await;
    }

    async fn write_down(&self, store: &Store) {
        let calls = std::mem::take(&mut *self.calls());
        // First the hint: a store that can not count calls must not keep the ERP from being looked at.
        if !calls.is_empty() {
            self.hint.give();
        }
        for (source, (count, last_at)) in calls {
            if let Err(error) = store.add_hook_calls(&source, count, last_at).await {
                tracing::warn!(source, count, "Could not count {count} calls of hook {source}: {error}");
            }
        }
    }

    /// Rung when something that somebody asked for in a chat was kept.
    pub(super) fn asked(&self, chat: ChatChannel) -> Arc<Notify> {
        Arc::clone(&self.asked[chat as usize])
    }

    /// Something was kept that a stage has to look at.
    pub(super) fn wake(&self) {
        self.rung.notify_one();
    }

    fn called(&self, source: &str, now: Timestamp) {
        let mut calls = self.calls();
        let (count, last) = calls.entry(source.to_owned()).or_insert((0, now));
        *count += 1;
        *last = now.max(*last);
        drop(calls);
        self.rung.notify_one();
    }

    /// Counts an event against its sender's limit. Answers for how many seconds it has to wait where it has too many.
    pub(super) fn too_many(&self, source: &str, now: Timestamp) -> Option<i64> {
        self.quota.too_many(source, now)
    }

    fn calls(&self) -> MutexGuard<'_, BTreeMap<String, (u64, Timestamp)>> {
        // Counts are whole after every step, so a panic elsewhere leaves nothing half-done in them.
        self.calls.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Sender {
    fn new(hook: &HookConfig) -> Self {
        let keys = hook.signing_keys().into_iter().filter_map(|key| Webhook::from_bytes(key).ok()).collect();
        Self { kind: hook.kind, keys, path_secrets: hook.path_secrets() }
    }

    /// The id and text of a signed call.
    fn check<'b>(
        &self,
        headers: &HeaderMap,
        body: &'b [u8],
        now: Timestamp,
        window: SignedDuration,
    ) -> Result<(String, &'b str), Refusal> {
        signed::check(&self.keys, headers, body, now, window)
    }
}

/// The routes, with a body limit of their own. They stand outside of what protects the pages from other sites.
pub(super) fn routes(state: &ChannelState) -> Router<ChannelState> {
    Router::new()
        .route("/hooks/{source}", post(take_signed))
        .route("/hooks/{source}/{secret}", post(by_path))
        .layer(DefaultBodyLimit::disable())
        .layer(RequestBodyLimitLayer::new(state.config.events.body_max))
        .merge(hand_offs::routes())
}

/// `POST /hooks/{source}`
async fn take_signed(
    State(state): State<ChannelState>,
    Path(source): Path<String>,
    headers: HeaderMap,
    body: Result<Bytes, BytesRejection>,
) -> Result<Response, Refusal> {
    let ChannelState { hooks, clock, store, .. } = &state;
    // A signature's time and a sender's pace are the machine's; what the event says happened in business time.
    let (now, wire) = (clock.now(), clock.wire());
    let sender = hooks.senders.get(&source).ok_or(Refusal::NotFound("there is no such hook"))?;
    let body = body.map_err(|rejection| unread(&rejection))?;
    let (id, text) = sender.check(&headers, &body, wire, hooks.window)?;
    // Such a call only says that something has changed, and nothing in it is believed. A burst of them comes to one look, so
    // they have no limit.
    if sender.kind == HookKind::Odoo {
        hooks.called(&source, now);
        return Ok(noted());
    }
    if let Some(seconds) = hooks.too_many(&source, wire) {
        return Err(Refusal::TooMany(seconds));
    }
    // An id is unique among its sender's calls only.
    let id = format!("{source}/{id}");
    let event = NewEvent { id: id.clone(), source, received_at: now, body: text.to_owned() };
    match store.keep_event(&event).await {
        Ok(Kept::New) => hooks.rung.notify_one(),
        Ok(Kept::Same) => {}
        Ok(Kept::Other) => return Err(Refusal::Other),
        Err(error) => {
            tracing::error!(event = id, error = &error as &dyn std::error::Error, "Event {id} could not be kept");
            return Err(Refusal::NotKept);
        }
    }
    Ok(answer(StatusCode::ACCEPTED, &json!({ "id": id, "state": "accepted" })))
}

/// `POST /hooks/{source}/{secret}`: Odoo can not sign.
async fn by_path(
    State(state): State<ChannelState>,
    Path((source, secret)): Path<(String, String)>,
    body: Result<Bytes, BytesRejection>,
) -> Result<Response, Refusal> {
    let sender = state.hooks.senders.get(&source).ok_or(Refusal::NotFound("there is no such hook"))?;
    // Read and thrown away: whatever it says, the ERP itself is asked.
    body.map_err(|rejection| unread(&rejection))?;
    // Each known secret is compared to its end, so that the time it takes tells nothing.
    let fits = sender
        .path_secrets
        .iter()
        .fold(subtle::Choice::from(0), |fits, known| fits | known.expose_secret().as_bytes().ct_eq(secret.as_bytes()));
    if !bool::from(fits) {
        return Err(Refusal::Unsigned("the secret in the path does not fit"));
    }
    state.hooks.called(&source, state.clock.now());
    Ok(noted())
}

fn noted() -> Response {
    answer(StatusCode::ACCEPTED, &json!({ "state": "noted" }))
}

#[cfg(test)]
mod tests {
    use axum::http::HeaderValue;
    use axum::response::IntoResponse as _;

    use super::*;

    const KEY: &str = "whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oD";
    const NEXT: &str = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";
    const BODY: &[u8] = br#"{"email":"test@example.com","username":"test_user"}"#;
    /// Of the reference implementations, for the id, time and body below.
    const SIGNATURE: &str = "v1,tZ1I4/hDygAJgO5TYxiSd6Sd0kDW6hPenDe+bTa3Kkw=";
    const ID: &str = "msg_27UH4WbU6Z5A5EzD8u03UvzRbpk";
    const AT: i64 = 1_649_367_553;

    fn sender(secrets: &[&str]) -> Sender {
        let keys = secrets.iter().map(|s| Webhook::new(s).unwrap()).collect();
        Sender { kind: HookKind::Events, keys, path_secrets: vec![] }
    }

    fn headers(id: &str, at: &str, signature: &str) -> HeaderMap {
        let value = |text: &str| HeaderValue::from_str(text).unwrap();
        HeaderMap::from_iter(
            [("webhook-id", id), ("webhook-timestamp", at), ("webhook-signature", signature)]
                .map(|(name, text)| (name.parse().unwrap(), value(text))),
        )
    }

    fn status(sender: &Sender, headers: &HeaderMap, body: &[u8], now: i64) -> u16 {
        let now = Timestamp::from_second(now).unwrap();
        match sender.check(headers, body, now, SignedDuration::from_mins(5)) {
            Ok(_) => 202,
            Err(refusal) => refusal.into_response().status().as_u16(),
        }
    }

    #[test]
    fn the_reference_signature_fits_and_no_other() {
        let (ours, at) = (sender(&[KEY]), AT.to_string());
        assert_eq!(status(&ours, &headers(ID, &at, SIGNATURE), BODY, AT), 202);
        // A sender that exchanges its secret, or signs in a way that is not known here too, sends several.
        let several = format!("v1a,{} v1,AAAA {SIGNATURE}", &SIGNATURE[3..]);
        assert_eq!(status(&ours, &headers(ID, &at, &several), BODY, AT), 202);
        for wrong in [
            headers(ID, &at, &SIGNATURE[..SIGNATURE.len() - 1]),
            headers(ID, &at, &SIGNATURE.replace("v1", "v2")),
            headers(ID, &at, "v1,"),
            headers(ID, &at, &SIGNATURE[3..]),
            headers("msg_28", &at, SIGNATURE),
            headers(ID, "1649367554", SIGNATURE),
            headers(ID, "now", SIGNATURE),
            headers("", &at, SIGNATURE),
            HeaderMap::new(),
        ] {
            assert_eq!(status(&ours, &wrong, BODY, AT), 401, "{wrong:?}");
        }
        assert_eq!(status(&ours, &headers(ID, &at, SIGNATURE), b"{}", AT), 401);
        assert_eq!(status(&sender(&[NEXT]), &headers(ID, &at, SIGNATURE), BODY, AT), 401);
        assert_eq!(status(&sender(&[]), &headers(ID, &at, SIGNATURE), BODY, AT), 401);
        assert_eq!(status(&ours, &headers(ID, &at, SIGNATURE), b"\xff", AT), 400);
    }

    #[test]
    fn while_a_secret_is_rotated_both_fit() {
        let both = sender(&[NEXT, KEY]);
        let new = Webhook::new(NEXT).unwrap().sign(ID, AT, BODY).unwrap();
        for signature in [SIGNATURE, &new] {
            assert_eq!(status(&both, &headers(ID, &AT.to_string(), signature), BODY, AT), 202);
        }
    }

    #[test]
    fn a_call_from_beyond_the_window_is_refused_on_both_sides() {
        let (ours, signed) = (sender(&[KEY]), headers(ID, &AT.to_string(), SIGNATURE));
        for (now, expected) in [(-301, 401), (-300, 202), (300, 202), (301, 401)] {
            assert_eq!(status(&ours, &signed, BODY, AT + now), expected, "{now}");
        }
        let far = Webhook::new(KEY).unwrap().sign(ID, i64::MIN, BODY).unwrap();
        assert_eq!(status(&ours, &headers(ID, &i64::MIN.to_string(), &far), BODY, AT), 401);
    }

    #[test]
    fn an_id_that_could_be_read_two_ways_is_refused() {
        let odd = [
            "msg.1",
            "msg 1",
            "msg#1",
            "<b>",
            "=1+1",
            "@sum",
            "a/b",
            "a%2fb",
            "a\\b",
            "a|b",
            "a\tb",
            "\t",
            " ",
            "ü",
            "\u{202e}a",
            "\u{9b}2J",
            &"m".repeat(201),
            &"m".repeat(60_000),
        ];
        for id in odd {
            let signature = Webhook::new(KEY).unwrap().sign(id, AT, BODY).unwrap();
            let mut signed = headers(ID, &AT.to_string(), &signature);
            // As bytes: a header's value may hold more than letters.
            signed.insert("webhook-id", HeaderValue::from_bytes(id.as_bytes()).unwrap());
            assert_eq!(status(&sender(&[KEY]), &signed, BODY, AT), 400, "{id:.40}");
        }
        for id in [ID, "7d4c9a3e-1f2b-4c5d-8e9f-0a1b2c3d4e5f", "order:7~2"] {
            let signature = Webhook::new(KEY).unwrap().sign(id, AT, BODY).unwrap();
            assert_eq!(status(&sender(&[KEY]), &headers(id, &AT.to_string(), &signature), BODY, AT), 202, "{id}");
        }
    }

    #[test]
    fn a_header_that_is_there_twice_or_a_time_that_is_written_oddly_is_refused() {
        for name in ["webhook-id", "webhook-timestamp", "webhook-signature"] {
            let mut twice = headers(ID, &AT.to_string(), SIGNATURE);
            twice.append(name, HeaderValue::from_static("x"));
            assert_eq!(status(&sender(&[KEY]), &twice, BODY, AT), 400, "{name}");
        }
        for at in ["+1649367553", "01649367553", "1649367553.0", "1.6e9", "-1", "", "99999999999999999999"] {
            assert_eq!(status(&sender(&[KEY]), &headers(ID, at, SIGNATURE), BODY, AT), 401, "{at}");
        }
    }

    #[test]
    fn a_sender_has_a_number_of_events_each_minute() {
        let hooks = Hooks::new(&Config::load_from(None, &[]).unwrap(), Arc::default());
        let at = |seconds| Timestamp::from_second(seconds).unwrap();
        for _ in 0..hooks.quota.per_minute {
            assert_eq!(hooks.too_many("acme", at(120)), None);
        }
        assert_eq!(hooks.too_many("acme", at(150)), Some(30));
        assert_eq!(hooks.too_many("other", at(150)), None);
        assert_eq!(hooks.too_many("acme", at(180)), None);
    }

    #[tokio::test]
    async fn a_burst_of_a_thousand_calls_is_one_wake_up_and_is_counted() {
        let store = Store::open_and_migrate("sqlite::memory:").await.unwrap();
        let mut hooks = Hooks::new(&Config::load_from(None, &[]).unwrap(), Arc::default());
        hooks.settle = Duration::from_millis(1);
        let (hooks, wake, stop) = (Arc::new(hooks), Arc::new(Notify::new()), CancellationToken::new());
        let at = |second| Timestamp::from_second(second).unwrap();
        let mut tasks = tokio::task::JoinSet::new();
        for burst in 1..=2 {
            // Nothing else runs until this test waits, so the calls are one burst.
            (0..1000).for_each(|call| hooks.called("erp", at(burst * 1000 + call)));
            let woken = wake.notified();
            if burst == 1 {
                tasks.spawn(Arc::clone(&hooks).pass_on(store.clone(), Arc::clone(&wake), stop.clone()));
            }
            woken.await;
            assert_eq!(store.list_hook_calls().await.unwrap()["erp"], (burst * 1000, at(burst * 1000 + 999)));
            let rung = hooks.rung.notified();
            tokio::select! {
                biased;
                () = rung => panic!("a ring is left over that wakes the stages again"),
                () = std::future::ready(()) => {}
            }
        }
        hooks.called("erp", at(5000));
        stop.cancel();
        tasks.join_all().await;
        assert_eq!(store.list_hook_calls().await.unwrap()["erp"], (2001, at(5000)), "what came last is counted too");
    }
}
