//! The inbox of a chat: what was asked is written down before it is acknowledged, and worked on afterwards, by whichever process
//! has it. What a killed process had acknowledged is taken up by the next one.

use std::sync::Arc;
use std::time::Duration;

use anyhow::Context as _;
use jiff::SignedDuration;
use tokio::sync::Notify;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

use super::act::{Ended, NotYet, act, say};
use super::heard::Heard;
use super::voice::{Answer, Reply, Voice};
use crate::channels::ChannelState;
use crate::pipeline::moment::BeingRead;
use crate::store::{ChatRow, StoreError};

/// How long a process has for one request before another one may take it up.
const LEASE: Duration = Duration::from_mins(1);

/// Requests that are worked on at once.
const AT_ONCE: usize = 8;

/// Attempts before a request is given up: what fails that often fails for a reason that whoever asked has seen by then.
const ATTEMPTS: i64 = 5;

/// Pause before a request that failed is taken up again.
const PAUSE: SignedDuration = SignedDuration::from_secs(5);

/// For how long what can not be judged yet waits: longer than the ERP is read anew, and short enough that whoever asked still means it.
const NOT_YET: SignedDuration = SignedDuration::from_hours(6);

/// The longest pause of what can not be judged yet.
const PAUSE_MAX: SignedDuration = SignedDuration::from_mins(5);

/// What whoever pressed is told where it can not be judged yet, and where nothing came of it.
pub(in crate::channels) const LATER: &str = "Kept, and not counted yet: the records are being read, or others are deciding. It is judged after that, and you are told how it ended.";
const GIVEN_UP: &str = "Not counted: Reeve could not do this. Look how the card stands, and press again.";

/// How often it is looked for what another process left lying.
const PERIOD: Duration = Duration::from_secs(15);

/// For how long it is known that a request was dealt with: longer than any chat sends one again.
const KEPT: SignedDuration = SignedDuration::from_hours(24 * 7);

/// The inbox of one chat.
#[derive(Clone)]
pub struct Inbox {
    /// The store, the door of decisions, the clock.
    pub state: ChannelState,
    /// How the chat answers.
    pub voice: Arc<dyn Voice>,
    /// Rung when something was written down.
    rung: Arc<Notify>,
}

impl Inbox {
    /// The inbox of the chat that `voice` speaks in.
    pub fn new(state: ChannelState, voice: Arc<dyn Voice>) -> Self {
        let rung = state.hooks.asked(voice.chat());
        Self { state, voice, rung }
    }

    fn chat(&self) -> &'static str {
        self.voice.chat().name()
    }

    /// Writes a request down. It may be acknowledged once this has returned. Answers whether it is new.
    ///
    /// # Errors
    /// When it could not be written: then it must not be acknowledged.
    pub async fn keep(&self, heard: &Heard) -> Result<bool, StoreError> {
        let body = serde_json::to_string(heard).expect("a request has no maps with keys that are not text");
        let new = self.state.store.keep_chat(&heard.id, self.chat(), &body, self.state.clock.wire()).await?;
        if new {
            self.rung.notify_one();
        } else {
            tracing::info!(request = heard.id, "It came before and is not done twice");
        }
        Ok(new)
    }

    /// Writes a form's fields down and works on them at once, for at most `most`. Answers how it ended, where it has by then; what has not
    /// goes on.
    ///
    /// # Errors
    /// As [`Self::keep`].
    pub async fn keep_and_work(&self, heard: &Heard, most: Duration) -> Result<Option<Ended>, StoreError> {
        let body = serde_json::to_string(heard).expect("a request has no maps with keys that are not text");
        if !self.state.store.keep_chat(&heard.id, self.chat(), &body, self.state.clock.wire()).await? {
            return Ok(None);
        }
        // A task of its own: running out of time here must not break off what was begun.
        let (it, id) = (self.clone(), heard.id.clone());
        let mut work = JoinSet::new();
        work.spawn(async move { it.work_on(&id).await });
        match tokio::time::timeout(most, work.join_next()).await {
            Ok(Some(Ok(Ok(ended)))) => Ok(ended),
            Ok(Some(Ok(Err(error)))) => {
                tracing::warn!(request = heard.id, "It could not be worked on yet: {error:#}");
                self.rung.notify_one();
                Ok(None)
            }
            // It panicked. Its lease runs out, and then it is taken up again.
            Ok(_) => Ok(None),
            Err(_) => {
                // It goes on without anybody waiting for it.
                work.detach_all();
                Ok(None)
            }
        }
    }

    /// Works on one request, where nobody else does.
    async fn work_on(&self, id: &str) -> anyhow::Result<Option<Ended>> {
        let now = self.state.clock.wire();
        match self.state.store.claim_chat(self.chat(), Some(id), now, LEASE).await? {
            Some(row) => self.work(&row).await.map(Some),
            None => Ok(None),
        }
    }

    /// Works on everything that waits, until nothing does.
    ///
    /// # Errors
    /// When the store can not be used.
    pub async fn work_off(&self) -> anyhow::Result<usize> {
        let mut done = 0;
        while let Some(row) = self.next().await? {
            self.work(&row).await?;
            done += 1;
        }
        Ok(done)
    }

    /// Works on what waits and on whatever comes, until `stop`.
    pub async fn run(self, stop: CancellationToken) {
        let mut at_work = JoinSet::new();
        while !stop.is_cancelled() {
            while at_work.len() < AT_ONCE {
                match self.next().await {
                    Ok(Some(row)) => {
                        let it = self.clone();
                        at_work.spawn(async move {
                            if let Err(error) = it.work(&row).await {
                                tracing::warn!(request = row.id, "It could not be worked on yet: {error:#}");
                            }
                        });
                    }
                    Ok(None) => break,
                    Err(error) => {
                        tracing::warn!("The inbox of {} can not be read: {error:#}", self.chat());
                        break;
                    }
                }
            }
            // Nothing rings for what a dead process left, or for what was put back for a while: hence a look now and then.
            tokio::select! {
                () = stop.cancelled() => {}
                () = self.rung.notified() => {}
                Some(_) = at_work.join_next() => {}
                () = tokio::time::sleep(PERIOD) => self.forget().await,
            }
        }
        // What was begun is finished: it would only be done again.
        while at_work.join_next().await.is_some() {}
    }

    async fn next(&self) -> Result<Option<ChatRow>, StoreError> {
        self.state.store.claim_chat(self.chat(), None, self.state.clock.wire(), LEASE).await
    }

    async fn work(&self, row: &ChatRow) -> anyhow::Result<Ended> {
        let store = &self.state.store;
        let heard = serde_json::from_str::<Heard>(&row.body);
        let outcome = match &heard {
            Ok(heard) => act(&self.state, self.voice.as_ref(), heard).await,
            Err(error) => Err(anyhow::anyhow!("it was not written by this program: {error}")),
        };
        let now = self.state.clock.wire();
        let mut ended = match outcome {
            Ok(ended) => ended,
            Err(error) if is_not_yet(&error) && now.duration_since(row.received_at) < NOT_YET => {
                // Whoever pressed sees nothing happen, so they are told, once.
                if row.attempts <= 1 {
                    self.tell(row, LATER).await;
                }
                // Longer each time, from the pause of what failed on.
                let times = 1 << row.attempts.clamp(0, 10);
                let from = now.checked_add((PAUSE * times).min(PAUSE_MAX)).unwrap_or(now);
                taken(store.put_back_chat(row, from).await)?;
                return Err(error);
            }
            Err(error) if row.attempts >= ATTEMPTS => {
                tracing::error!(request = row.id, "Given up after {} attempts: {error:#}", row.attempts);
                let reply = self.tell(row, GIVEN_UP).await;
                Ended::with(format!("given up: {error:#}")).saying(reply)
            }
            Err(error) => {
                let from = now.checked_add(PAUSE).unwrap_or(now);
                taken(store.put_back_chat(row, from).await)?;
                return Err(error);
            }
        };
        if let (None, Some((field, says)), Ok(heard)) = (&ended.reply, &ended.field, &heard) {
            ended.reply = self.voice.at_field(&heard.back, field, says);
        }
        // Kept with the outcome, in one statement: a press that comes again gets the same bytes (decision 92).
        let answer = ended.reply.as_ref().map(ToString::to_string);
        let finished = store.finish_chat(row, now, &ended.outcome, answer.as_deref()).await;
        taken(finished).context("writing down how a request ended")?;
        // The request was answered long before where this is not the first attempt.
        if let (Some(reply), Ok(heard), true) = (&ended.reply, &heard, row.attempts > 1)
            && let Ok(who) = heard.who(self.voice.chat())
            && let Err(error) = self.voice.afterwards(&heard.back, &who, reply).await
        {
            tracing::warn!(request = row.id, "Whoever asked could not be told how it ended: {error}");
        }
        Ok(ended)
    }

    /// Tells whoever asked what became of it.
    async fn tell(&self, row: &ChatRow, text: &str) -> Reply {
        let heard = serde_json::from_str::<Heard>(&row.body).ok()?;
        let who = heard.who(self.voice.chat()).ok()?;
        say(self.voice.as_ref(), &heard, &who, Answer::words(text)).await
    }

    async fn forget(&self) {
        let before = self.state.clock.wire().checked_sub(KEPT).unwrap_or_default();
        if let Err(error) = self.state.store.forget_chat(before).await {
            tracing::warn!("Old requests could not be forgotten: {error}");
        }
    }
}

/// Will it pass by itself: is the source being read, or are others deciding?
fn is_not_yet(error: &anyhow::Error) -> bool {
    error.is::<NotYet>() || BeingRead::is_why(error)
}

/// Another process may have taken the request up meanwhile; then it is theirs to finish, and what both did is one by its key.
fn taken(settled: Result<(), StoreError>) -> Result<(), StoreError> {
    match settled {
        Err(StoreError::Conflict) => Ok(()),
        settled => settled,
    }
}
