//! Socket Mode: requests come by a socket that Reeve opens, so nothing of it has to be reachable. The socket was opened with the app's
//! token over TLS, which is the proof that what comes is Slack's.
//!
//! Invariants: an envelope is acknowledged once what it asks is on the disk, before the work (of a form that was sent: after at most two
//! seconds); one that could not be written down is not acknowledged, and comes again. When Slack wants a socket renewed the new one is open
//! before the old one is let go.

use std::collections::BTreeMap;
use std::time::Duration;

use futures_util::{SinkExt as _, StreamExt as _};
use serde_json::{Value, json};
use tokio::net::TcpStream;
use tokio::sync::mpsc;
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep_until, timeout};
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::protocol::WebSocketConfig;
use tokio_tungstenite::{MaybeTlsStream, WebSocketStream, connect_async_with_config};
use tokio_util::sync::CancellationToken;

use super::api::{Api, CallError};
use super::http::{FORM_WAIT, errors};
use super::wire::{self, Came};
use crate::channels::chat::inbox::Inbox;

/// How long a socket may take to open, and to say hello.
const OPENING: Duration = Duration::from_secs(20);

/// How long nothing may be heard before it is asked whether anybody is there, and how long after that the socket counts as dead.
const SILENCE: Duration = Duration::from_mins(1);
const NO_ANSWER: Duration = Duration::from_secs(20);

/// Largest frame: an interaction brings the whole message along.
const FRAME_MAX: usize = 1024 * 1024;

/// A socket that ends or is to be renewed sooner than this has failed, whatever it said: another one right away would come to the same.
const LIVED: Duration = Duration::from_mins(1);

/// For how long a socket is listened to after the next one has said hello: Slack may have sent something its way already.
const LINGERS: Duration = Duration::from_secs(30);

/// Longest pause that Slack can ask for.
const ASKED_MAX: Duration = Duration::from_mins(10);

/// First and longest pause before another socket is opened.
const PAUSE: Duration = Duration::from_millis(500);
const PAUSE_MAX: Duration = Duration::from_mins(1);

type Socket = WebSocketStream<MaybeTlsStream<TcpStream>>;

/// What a socket tells whoever keeps them.
enum Told {
    /// It is open.
    Hello(u64),
    /// It is to be replaced.
    Refresh(u64),
    /// It is gone.
    Ended(u64, Ended),
}

/// Why a socket is gone.
struct Ended {
    why: String,
    /// How long Slack asked to be left alone, where it did.
    asked: Duration,
}

impl Ended {
    fn because(why: impl Into<String>) -> Self {
        Self { why: why.into(), asked: Duration::ZERO }
    }
}

/// A socket that is kept.
struct Kept {
    /// Ends it at once.
    end: CancellationToken,
    /// Ends it in a while: the next one is there.
    renewed: CancellationToken,
    /// When it said hello.
    since: Option<Instant>,
}

impl Kept {
    fn has_lived(&self) -> bool {
        self.since.is_some_and(|since| since.elapsed() >= LIVED)
    }
}

/// Keeps a socket open until `stop`.
pub(super) async fn run(inbox: Inbox, api: Api, stop: CancellationToken) {
    let (tell, mut told) = mpsc::unbounded_channel();
    let mut open: BTreeMap<u64, Kept> = BTreeMap::new();
    let mut sockets = JoinSet::new();
    let (mut newest, mut failures) = (0_u64, 0_u32);
    // Each has a number, as two are open while one is renewed: what an older one tells is no news of the newer.
    let mut start = |open: &mut BTreeMap<u64, Kept>, sockets: &mut JoinSet<()>| {
        newest += 1;
        let (end, renewed) = (stop.child_token(), CancellationToken::new());
        let tokens = Tokens { end: end.clone(), renewed: renewed.clone() };
        open.insert(newest, Kept { end, renewed, since: None });
        sockets.spawn(one(newest, inbox.clone(), api.clone(), tell.clone(), tokens));
    };
    start(&mut open, &mut sockets);
    loop {
        let heard = tokio::select! {
            () = stop.cancelled() => break,
            Some(_) = sockets.join_next(), if !sockets.is_empty() => continue,
            heard = told.recv() => heard,
        };
        let pause = match heard {
            Some(Told::Hello(number)) => {
                tracing::info!("The socket to Slack is open");
                if let Some(kept) = open.get_mut(&number) {
                    kept.since = Some(Instant::now());
                }
                // The new one hears: those before it may go.
                for (_, kept) in open.range(..number) {
                    kept.renewed.cancel();
                }
                continue;
            }
            Some(Told::Refresh(number)) => {
                // Another one is on its way.
                if open.range(number + 1..).next().is_some() {
                    continue;
                }
                let has_lived = open.get(&number).is_some_and(Kept::has_lived);
                failures = if has_lived { 0 } else { failures + 1 };
                // The first time it is renewed at once, however young it is: Slack moves sockets as it likes.
                if failures > 1 { pause(failures) } else { Duration::ZERO }
            }
            Some(Told::Ended(number, ended)) => {
                let has_lived = open.remove(&number).is_some_and(|kept| kept.has_lived());
                // Another one is there already, or on its way.
                if open.range(number + 1..).next().is_some() || stop.is_cancelled() {
                    continue;
                }
                failures = if has_lived { 1 } else { failures + 1 };
                let pause = pause(failures).max(ended.asked.min(ASKED_MAX));
                tracing::warn!(
                    failures,
                    "The socket to Slack is gone and is opened again in {} ms: {}",
                    pause.as_millis(),
                    ended.why
                );
                pause
            }
            None => break,
        };
        tokio::select! {
            () = stop.cancelled() => break,
            () = tokio::time::sleep(pause) => start(&mut open, &mut sockets),
        }
    }
    for kept in open.values() {
        kept.end.cancel();
    }
    while sockets.join_next().await.is_some() {}
}

/// By what a socket is told to go: at once, or after a while.
struct Tokens {
    end: CancellationToken,
    renewed: CancellationToken,
}

/// The pause after so many failures in a row, up to half as long again, so that those who lost their sockets together do not come back together.
fn pause(failures: u32) -> Duration {
    let plain = PAUSE.saturating_mul(2_u32.saturating_pow(failures.saturating_sub(1).min(10))).min(PAUSE_MAX);
    let chance = getrandom::u32().map_or(0.0, |n| f64::from(n) / f64::from(u32::MAX));
    plain.mul_f64(1.0 + chance / 2.0)
}

/// One socket from its opening to its end.
async fn one(number: u64, inbox: Inbox, api: Api, tell: mpsc::UnboundedSender<Told>, tokens: Tokens) {
    let ended = tokio::select! {
        // Only while nothing has come by it: from then on what was begun is finished.
        () = tokens.end.cancelled() => Ended::because("it is not needed any more"),
        opened = timeout(OPENING, opened(&inbox, &api)) => match opened {
            Err(_) => Ended::because("it did not open in time"),
            Ok(Err(ended)) => ended,
            Ok(Ok(socket)) => {
                // Nobody listens any more where everything ends.
                drop(tell.send(Told::Hello(number)));
                Ended::because(listen(socket, number, &inbox, &tell, &tokens).await)
            }
        },
    };
    drop(tell.send(Told::Ended(number, ended)));
}

/// Opens a socket and waits for its hello.
async fn opened(inbox: &Inbox, api: &Api) -> Result<Socket, Ended> {
    let url = match api.open_connection().await {
        Ok(url) => url,
        Err(CallError::TooMany(asked)) => {
            return Err(Ended { why: "Slack wants to be left alone for a while".to_owned(), asked });
        }
        Err(error) => {
            return Err(Ended::because(match super::send::remedy(error.word()) {
                Some(_) => {
                    format!("{error}: make a new app-level token with the scope connections:write and set slack.app_token")
                }
                None => error.to_string(),
            }));
        }
    };
    connected(inbox, &url).await.map_err(Ended::because)
}

/// Connects, and waits for the hello.
async fn connected(inbox: &Inbox, url: &str) -> Result<Socket, String> {
    let limits = WebSocketConfig::default().max_message_size(Some(FRAME_MAX)).max_frame_size(Some(FRAME_MAX));
    // The address holds a ticket, so an error is told without it.
    let (mut socket, _) = connect_async_with_config(url, Some(limits), true).await.map_err(|error| error.to_string())?;
    while let Some(frame) = socket.next().await {
        // Pings may come before it.
        let Message::Text(text) = frame.map_err(|error| error.to_string())? else { continue };
        let hello: Value = serde_json::from_str(&text).map_err(|_| "the first frame is no JSON".to_owned())?;
        if hello["type"] != "hello" {
            return Err(format!("the first frame is {:?} and no hello", hello["type"].as_str().unwrap_or_default()));
        }
        let app = hello["connection_info"]["app_id"].as_str().unwrap_or_default();
        if !app.is_empty() && app != inbox.state.config.slack.app_id {
            return Err(format!("the app-level token is that of {app}, and slack.app_id says another one"));
        }
        return Ok(socket);
    }
    Err("it was closed before its hello".to_owned())
}

/// Takes what comes by an open socket, until it ends. Says why it did.
async fn listen(
    mut socket: Socket,
    number: u64,
    inbox: &Inbox,
    tell: &mpsc::UnboundedSender<Told>,
    tokens: &Tokens,
) -> String {
    let (ack, mut acks) = mpsc::unbounded_channel::<String>();
    let mut at_work: JoinSet<()> = JoinSet::new();
    let (mut asked, mut leaving) = (false, false);
    // Set once the next one is there.
    let mut until = None;
    let why = loop {
        // A quiet workspace sends nothing for hours: a ping tells a quiet socket from a dead one.
        let silence = if asked { NO_ANSWER } else { SILENCE };
        tokio::select! {
            () = tokens.end.cancelled(), if !leaving => leaving = true,
            () = tokens.renewed.cancelled(), if until.is_none() => until = Some(Instant::now() + LINGERS),
            () = sleep_until(until.unwrap_or_else(Instant::now)), if until.is_some() && !leaving => leaving = true,
            Some(ack) = acks.recv() => {
                if let Err(error) = socket.send(Message::text(ack)).await {
                    break error.to_string();
                }
            }
            Some(_) = at_work.join_next(), if !at_work.is_empty() => {}
            frame = timeout(silence, socket.next()), if !leaving => match frame {
                Err(_) if asked => break "nobody answers on it".to_owned(),
                Err(_) => {
                    asked = true;
                    if let Err(error) = socket.send(Message::Ping(Vec::new().into())).await {
                        break error.to_string();
                    }
                }
                Ok(None) => break "it was closed".to_owned(),
                Ok(Some(Err(error))) => break error.to_string(),
                Ok(Some(Ok(frame))) => {
                    asked = false;
                    match frame {
                        Message::Text(text) => match taken(&text) {
                            Frame::Envelope(envelope) => {
                                let (inbox, ack) = (inbox.clone(), ack.clone());
                                at_work.spawn(async move {
                                    if let Some(said) = acknowledgement(&inbox, &envelope).await {
                                        // The socket may be gone: then it comes again, and is known.
                                        drop(ack.send(said.to_string()));
                                    }
                                });
                            }
                            Frame::Refresh => drop(tell.send(Told::Refresh(number))),
                            Frame::Disabled => break "Socket Mode was switched off for the app".to_owned(),
                            Frame::Other => {}
                        },
                        Message::Close(_) => break "it was closed".to_owned(),
                        Message::Ping(_) | Message::Pong(_) | Message::Binary(_) | Message::Frame(_) => {}
                    }
                }
            },
        }
        // Not before everything that came is acknowledged: Slack would send the rest once more.
        if leaving && at_work.is_empty() && acks.is_empty() {
            break "it is not needed any more".to_owned();
        }
    };
    // What was written down is done whether or not this socket could say so.
    while at_work.join_next().await.is_some() {}
    while let Ok(last) = acks.try_recv() {
        if socket.send(Message::text(last)).await.is_err() {
            break;
        }
    }
    drop(socket.close(None).await);
    why
}

/// What a frame is.
enum Frame {
    Envelope(Value),
    Refresh,
    Disabled,
    Other,
}

fn taken(text: &str) -> Frame {
    let Ok(frame) = serde_json::from_str::<Value>(text) else { return Frame::Other };
    match (frame["type"].as_str().unwrap_or_default(), frame["reason"].as_str().unwrap_or_default()) {
        ("disconnect", "link_disabled") => Frame::Disabled,
        ("disconnect", _) => Frame::Refresh,
        _ if frame["envelope_id"].is_string() => Frame::Envelope(frame),
        _ => Frame::Other,
    }
}

/// Writes down what an envelope asks. Answers its acknowledgement; None where it could not be written down.
async fn acknowledgement(inbox: &Inbox, envelope: &Value) -> Option<Value> {
    let (slack, payload) = (&inbox.state.config.slack, &envelope["payload"]);
    let came = match envelope["type"].as_str().unwrap_or_default() {
        "interactive" => wire::interaction(payload, slack),
        "slash_commands" => {
            let field = |name: &str| payload[name].as_str().unwrap_or_default().to_owned();
            wire::command(&field, slack)
        }
        "events_api" => wire::event(payload, slack),
        _ => Came::Nothing("a type of envelope that Reeve does not use"),
    };
    let mut said = json!({ "envelope_id": envelope["envelope_id"] });
    match came {
        Came::Asked(heard) => {
            if let Err(error) = inbox.keep(&heard).await {
                tracing::error!(error = &error as &dyn std::error::Error, "What was asked in Slack could not be kept");
                // What is not acknowledged comes again.
                return None;
            }
        }
        Came::Sent(heard) => match inbox.keep_and_work(&heard, FORM_WAIT).await {
            Ok(ended) => {
                let errors = ended.as_ref().and_then(errors).filter(|_| envelope["accepts_response_payload"] == true);
                if let Some(errors) = errors {
                    said["payload"] = errors;
                }
            }
            Err(error) => {
                tracing::error!(error = &error as &dyn std::error::Error, "What was asked in Slack could not be kept");
                return None;
            }
        },
        // Acknowledged like the rest: sent again, it would be refused again.
        Came::Foreign(why) => tracing::warn!("A request by the socket was refused: {why}"),
        Came::Nothing(_) | Came::Challenge(_) => {}
    }
    Some(said)
}
