//! Shows cards and digests in a channel: put up once, changed in place from then on.
//!
//! Where an earlier attempt ended without an answer, the channel's history is looked at before anything is put up again: each
//! message carries a mark of what it shows. What Slack says no to is told apart by what it means: again later, not until somebody changes
//! something, in plain text, or never.

use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use async_trait::async_trait;
use jiff::Timestamp;
use serde_json::{Value, json};

use super::SERVICE;
use super::api::{Api, CallError};
use super::blocks::{draw, mark};
use super::pictures::{Picture, Pictures};
use super::place::Place;
use crate::cards::chat::{Content, Message};
use crate::clock::Clock;
use crate::config::{DeliveryConfig, SLACK, SlackConfig};
use crate::domain::outbox::OutboxKind;
use crate::http::breaker::Breaker;
use crate::http::bucket::Bucket;
use crate::ports::{Outgoing, PortError, Receipt, Sender, Shown};

/// Changes at once, within what a minute allows.
const UPDATES_BURST: u32 = 10;

/// Pages of a channel's history that are looked at for a message whose answer was lost, and messages on one.
const PAGES: usize = 5;
const PAGE: u32 = 200;

/// How much earlier than the first attempt it is looked from: clocks differ.
const EARLIER: Duration = Duration::from_mins(5);

/// The type of the data that a message carries.
const EVENT: &str = "reeve_shown";

/// The sender to one workspace.
pub struct SlackSender {
    api: Api,
    slack: SlackConfig,
    pictures: Pictures,
    posts: Bucket,
    updates: Bucket,
    breaker: Breaker,
    /// Until when Slack wants to be left alone.
    rest: Mutex<Timestamp>,
}

impl SlackSender {
    /// A sender as configured.
    pub fn new(slack: &SlackConfig, delivery: &DeliveryConfig, clock: Clock) -> Self {
        let api = Api::new(slack, clock);
        Self {
            pictures: Pictures::new(&api, slack, delivery),
            api,
            posts: Bucket::new(slack.per_second, slack.burst),
            updates: Bucket::new(f64::from(slack.updates_per_minute) / 60.0, UPDATES_BURST.min(slack.updates_per_minute)),
            breaker: Breaker::new(delivery.breaker_failures, delivery.breaker_pause),
            rest: Mutex::new(Timestamp::MIN),
            slack: slack.clone(),
        }
    }

    fn rest(&self) -> Timestamp {
        *self.rest.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Puts it up or changes it. Answers where it is.
    async fn show(&self, target: &str, message: &Message, shown: &Shown, at: Timestamp) -> Result<Place, CallError> {
        let mut place = shown.reference.as_deref().and_then(Place::read);
        let before = place.as_ref().and_then(|place| place.picture.as_ref());
        let picture = self.pictures.of(message.chart.as_deref(), before, at).await;
        let say = Say { message, picture: picture.as_ref(), at };
        // Where an answer was lost it may stand somewhere else than is known: in place of one that is gone, or for the first time.
        let mut lost_since = shown.lost_since;
        loop {
            if let Some(known) = &place {
                match self.change(known, &say).await? {
                    Changed::Done(now) => return Ok(now),
                    // Somebody has deleted it there. What is over is not put up again.
                    Changed::Gone if !waits(message) => return Ok(known.clone()),
                    // It stands there and can not be changed: what holds now is said below it.
                    Changed::Gone | Changed::Frozen => {}
                }
            }
            let Some(since) = lost_since.take() else { break };
            let found = self.look(target, &message.shows, since).await?;
            let is_known = |found: &Place| place.as_ref().is_some_and(|place| place.is(found));
            if found.as_ref().is_none_or(is_known) {
                break;
            }
            place = found;
        }
        self.posts.take(at);
        let mut to = json!({ "channel": target, "unfurl_links": false, "unfurl_media": false });
        if let Content::Note(note) = &message.data
            && let Some(under) = Place::read(&note.under)
        {
            // Under the card, and in the channel too: who is asked next should not have to look for it.
            (to["channel"], to["thread_ts"], to["reply_broadcast"]) = (under.channel.into(), under.ts.into(), true.into());
        }
        let (answer, picture) = self.say("chat.postMessage", to, &say).await?;
        // A person's id leads to a conversation whose own id only the answer tells, and changes need that one.
        let (channel, ts) = (answer["channel"].as_str().unwrap_or(target), answer["ts"].as_str().unwrap_or_default());
        if ts.is_empty() {
            return Err(CallError::Lost("the answer does not say where it put the message".to_owned()));
        }
        Ok(Place { channel: channel.to_owned(), ts: ts.to_owned(), picture: picture.map(Into::into) })
    }

    /// Changes what stands at a place.
    async fn change(&self, place: &Place, say: &Say<'_>) -> Result<Changed, CallError> {
        // Changes have a limit of their own, by the minute.
        self.updates.take(say.at);
        match self.say("chat.update", json!({ "channel": place.channel, "ts": place.ts }), say).await {
            Ok((_, picture)) => Ok(Changed::Done(Place { picture: picture.map(Into::into), ..place.clone() })),
            Err(CallError::Refused(word)) if is_gone(&word) => Ok(Changed::Gone),
            Err(CallError::Refused(word)) if is_frozen(&word) => Ok(Changed::Frozen),
            Err(error) => Err(error),
        }
    }

    /// Sends a message as a card, without its picture where that is what Slack does not take, or in plain text where the workspace takes no
    /// card. Answers what Slack said, and the picture that is shown.
    async fn say<'a>(&self, method: &str, mut to: Value, say: &Say<'a>) -> Result<(Value, Option<&'a Picture>), CallError> {
        let Say { message, picture, at } = *say;
        // By this, an attempt after a lost answer finds the message again (decision 83).
        to["metadata"] = json!({ "event_type": EVENT, "event_payload": { "shows": message.shows, "message": message.id } });
        if let Some(picture) = picture {
            let drawn = draw(message, Some(picture));
            (to["text"], to["blocks"]) = (drawn.text.into(), drawn.blocks.into());
            match self.api.call(method, &to).await {
                Err(CallError::Refused(word)) if is_about_form(&word) || word.contains("file") => {
                    if let Some(wait) = self.pictures.refused(picture, at) {
                        return Err(CallError::NotReady(wait));
                    }
                    tracing::warn!(message = message.id, "Slack does not take its picture ({word}); it is sent without");
                }
                answer => return Ok((answer?.body, Some(picture))),
            }
        }
        let drawn = draw(message, None);
        (to["text"], to["blocks"]) = (drawn.text.into(), drawn.blocks.clone().into());
        match self.api.call(method, &to).await {
            Err(CallError::Refused(word)) if is_about_form(&word) => {
                tracing::warn!(message = message.id, "Slack does not take its blocks ({word}); it is sent in plain text");
                // An empty list takes away those that are there.
                to["blocks"] = if method == "chat.update" { json!([]) } else { Value::Null };
                if let (Some(object), true) = (to.as_object_mut(), method != "chat.update") {
                    object.remove("blocks");
                }
                // It was not about the blocks: they stay, and without metadata the first block's name is the mark.
                if let (Some(object), "invalid_metadata_format" | "metadata_must_be_sent_from_app" | "metadata_too_large") =
                    (to.as_object_mut(), word.as_str())
                {
                    object.remove("metadata");
                    object.insert("blocks".to_owned(), drawn.blocks.into());
                }
                Ok((self.api.call(method, &to).await?.body, None))
            }
            answer => Ok((answer?.body, None)),
        }
    }

    /// Looks whether something is up already that an earlier attempt put there. Where the token may not look, it can not be known.
    async fn look(&self, target: &str, shows: &str, since: Timestamp) -> Result<Option<Place>, CallError> {
        // Of a person, only the conversation with them has a history.
        let channel = match target.chars().next() {
            Some('U' | 'W') => match self.api.call("conversations.open", &json!({ "users": target })).await {
                Ok(answer) => answer.body["channel"]["id"].as_str().unwrap_or_default().to_owned(),
                Err(CallError::Refused(_)) => return Ok(None),
                Err(error) => return Err(error),
            },
            _ => target.to_owned(),
        };
        let oldest = since.checked_sub(EARLIER).unwrap_or(since).as_second();
        let (mark, mut cursor) = (mark(shows), String::new());
        for _ in 0..PAGES {
            let mut asked = json!({
                "channel": channel, "oldest": format!("{oldest}.000000"), "limit": PAGE, "include_all_metadata": true,
            });
            if !cursor.is_empty() {
                asked["cursor"] = cursor.as_str().into();
            }
            let page = match self.api.call("conversations.history", &asked).await {
                Ok(answer) => answer.body,
                Err(CallError::Refused(word)) => {
                    tracing::warn!(
                        "It can not be looked for a message whose answer was lost ({word}); it may stand there twice"
                    );
                    return Ok(None);
                }
                Err(error) => return Err(error),
            };
            let messages = page["messages"].as_array().map(Vec::as_slice).unwrap_or_default();
            if let Some(found) = messages.iter().find(|message| is_marked(message, shows, &mark)) {
                let ts = found["ts"].as_str().unwrap_or_default();
                return Ok((!ts.is_empty()).then(|| Place { channel, ts: ts.to_owned(), picture: None }));
            }
            page["response_metadata"]["next_cursor"].as_str().unwrap_or_default().clone_into(&mut cursor);
            if cursor.is_empty() {
                break;
            }
        }
        Ok(None)
    }

    fn failed(&self, error: CallError, at: Timestamp) -> PortError {
        match error {
            CallError::TooMany(wait) | CallError::NotReady(wait) => {
                let until = at.checked_add(wait).unwrap_or(Timestamp::MAX);
                *self.rest.lock().unwrap_or_else(PoisonError::into_inner) = until;
                PortError::Resting { service: SERVICE, until }
            }
            CallError::Lost(_) => {
                self.breaker.failed(at);
                PortError::Transient { service: SERVICE, retry_after: None, source: Box::new(error) }
            }
            // What somebody can mend is true of every message: nothing more is tried until they have (decision 83).
            CallError::Refused(word) => match remedy(&word) {
                Some(remedy) => PortError::Shut { service: SERVICE, why: format!("it says {word}: {remedy}") },
                None => PortError::Permanent { service: SERVICE, source: format!("it says {word}").into() },
            },
        }
    }
}

#[async_trait]
impl Sender for SlackSender {
    fn name(&self) -> &'static str {
        SLACK
    }

    fn kinds(&self) -> &'static [OutboxKind] {
        &OutboxKind::SHOWN
    }

    async fn send(&self, message: &Outgoing) -> Result<Receipt, PortError> {
        let permanent = |why: String| PortError::Permanent { service: SERVICE, source: why.into() };
        let target = self.slack.target(&message.to);
        let target = target.ok_or_else(|| permanent(format!("there is no destination {:?}", message.to)))?;
        let read =
            serde_json::from_str(&message.body).map_err(|error| permanent(format!("the body can not be read: {error}")))?;
        if let Err(wait) = self.breaker.admit(message.at) {
            let until = message.at.checked_add(wait).unwrap_or(Timestamp::MAX);
            return Err(PortError::Resting { service: SERVICE, until });
        }
        match self.show(target, &read, &message.shown, message.at).await {
            Ok(place) => {
                self.breaker.answered();
                Ok(Receipt { reference: Some(place.to_string()), at: message.at })
            }
            Err(error) => {
                // A no is an answer, too: only silence counts against the service.
                if !matches!(error, CallError::Lost(_)) {
                    self.breaker.answered();
                }
                Err(self.failed(error, message.at))
            }
        }
    }

    fn knows(&self, destination: &str) -> bool {
        self.slack.target(destination).is_some()
    }

    fn free_at(&self, _: &str, now: Timestamp) -> Timestamp {
        // Whether the next one is put up or changed is not known here, so both limits have to allow it.
        let free = self.breaker.free_at(now).max(self.posts.free_at(now)).max(self.updates.free_at(now));
        free.max(self.rest())
    }
}

/// A message as it is to be said in one attempt.
#[derive(Clone, Copy)]
struct Say<'a> {
    message: &'a Message,
    picture: Option<&'a Picture>,
    at: Timestamp,
}

/// What came of changing a message.
enum Changed {
    /// It shows this now.
    Done(Place),
    /// It is not there any more.
    Gone,
    /// It is there and stays as it is.
    Frozen,
}

/// Is it a message of ours that shows this? By the data that it carries, or by the name of its first block, which comes back where data
/// does not.
fn is_marked(message: &Value, shows: &str, mark: &str) -> bool {
    let by_data = message["metadata"]["event_type"] == EVENT && message["metadata"]["event_payload"]["shows"] == shows;
    let blocks = message["blocks"].as_array().map(Vec::as_slice).unwrap_or_default();
    by_data || blocks.iter().any(|block| block["block_id"] == mark)
}

/// Can what a message shows still be decided, or read today? Then it is put up again where somebody took it away.
fn waits(message: &Message) -> bool {
    match &message.data {
        Content::Card(card) => card.open,
        Content::Digest(_) | Content::Note(_) => false,
    }
}

/// The refusal that means that the message is not there any more.
fn is_gone(word: &str) -> bool {
    word == "message_not_found"
}

/// Refusals that mean that the message is there and stays as it is.
fn is_frozen(word: &str) -> bool {
    matches!(word, "cant_update_message" | "edit_window_closed")
}

/// Refusals that are about how the message looks.
fn is_about_form(word: &str) -> bool {
    matches!(
        word,
        "invalid_blocks"
            | "invalid_blocks_format"
            | "msg_blocks_too_long"
            | "invalid_arguments"
            | "invalid_metadata_format"
            | "metadata_must_be_sent_from_app"
            | "metadata_too_large"
    )
}

/// What has to be done about a refusal that holds for everything that would be sent, until it is.
pub(super) fn remedy(word: &str) -> Option<&'static str> {
    Some(match word {
        "token_revoked"
        | "token_expired"
        | "invalid_auth"
        | "not_authed"
        | "account_inactive"
        | "not_allowed_token_type" => {
            "install the app again, set its new bot token (slack.bot_token), and `reeve outbox enable slack --as PERSON`"
        }
        "missing_scope" | "no_permission" | "access_denied" | "ekm_access_denied" | "team_access_not_granted" => {
            "give the app the scopes of config/slack/manifest.yaml, install it again, and `reeve outbox enable slack --as PERSON`"
        }
        "not_in_channel" => "invite the app into the channel (/invite), and `reeve outbox enable slack --as PERSON`",
        "channel_not_found" => {
            "set slack.channel to the id of a channel that the app is in (C…), and `reeve outbox enable slack --as PERSON`"
        }
        "is_archived" => {
            "take the channel out of the archive or name another one, and `reeve outbox enable slack --as PERSON`"
        }
        "restricted_action" | "restricted_action_read_only_channel" | "restricted_action_non_threadable_channel" => {
            "let the app write in the channel, and `reeve outbox enable slack --as PERSON`"
        }
        _ => return None,
    })
}
