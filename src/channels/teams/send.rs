//! Shows cards and digests in Teams: put up once, changed in place from then on.
//!
//! The connector has no key by which a message that is sent twice is one, and no way to look for it: where the answer to a first message is
//! lost it is sent again and may stand there twice (changes may be made as often as one likes). What Teams says no to is told apart by what it
//! means: again later, not until somebody changes something, with less, in plain text, or never.

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use async_trait::async_trait;
use jiff::Timestamp;
use serde_json::{Value, json};

use super::api::{Api, CallError};
use super::cards::{CARD_TYPE, SIZES, draw, plain_text};
use super::workflow::Workflow;
use super::{SERVICE, lookers};
use crate::cards::chat::{Content, Message};
use crate::clock::Clock;
use crate::config::{DeliveryConfig, TEAMS, TeamsConfig, TeamsTarget};
use crate::domain::outbox::OutboxKind;
use crate::http::breaker::Breaker;
use crate::http::bucket::Bucket;
use crate::ports::{Outgoing, PortError, Receipt, Sender, Shown};
use crate::store::{Store, StoreError, TeamsConversation, TeamsKind};

/// What may be sent to one conversation within an hour, over time and at once: together less than the 1,800 that Teams takes of a bot.
const PER_HOUR: f64 = 1_700.0;
const HOUR_BURST: u32 = 60;

/// How long nothing is tried where Teams has told of no conversation: somebody has to add the app first.
const NOT_IN: Duration = Duration::from_mins(1);

/// The sender to one tenant.
pub struct TeamsSender {
    api: Api,
    teams: TeamsConfig,
    store: Store,
    clock: Clock,
    workflow: Workflow,
    lanes: BTreeMap<String, Lane>,
}

/// What keeps one destination from being asked too often.
struct Lane {
    short: Bucket,
    hour: Bucket,
    breaker: Breaker,
    /// Until when it wants to be left alone.
    rest: Mutex<Timestamp>,
}

/// Why something could not be shown.
enum Failure {
    Call(CallError),
    Store(StoreError),
}

impl From<CallError> for Failure {
    fn from(error: CallError) -> Self {
        Self::Call(error)
    }
}

impl From<StoreError> for Failure {
    fn from(error: StoreError) -> Self {
        Self::Store(error)
    }
}

impl TeamsSender {
    /// A sender as configured; `store` has the conversations.
    pub fn new(teams: &TeamsConfig, delivery: &DeliveryConfig, store: Store, clock: Clock) -> Self {
        let lane = || Lane {
            short: Bucket::new(teams.per_second, teams.burst),
            hour: Bucket::new(PER_HOUR / 3_600.0, HOUR_BURST),
            breaker: Breaker::new(delivery.breaker_failures, delivery.breaker_pause),
            rest: Mutex::new(Timestamp::MIN),
        };
        Self {
            api: Api::new(teams, clock.clone()),
            workflow: Workflow::new(teams, clock.clone()),
            lanes: teams.destinations().into_iter().map(|name| (name, lane())).collect(),
            teams: teams.clone(),
            store,
            clock,
        }
    }

    /// Puts it up or changes it. Answers where it is.
    async fn show(&self, target: TeamsTarget<'_>, message: &Message, shown: &Shown) -> Result<String, Failure> {
        if let Some(place) = &shown.reference {
            match self.change(place, message).await {
                Ok(()) => return Ok(place.clone()),
                // Somebody has deleted it there. What is over is not put up again.
                Err(Failure::Call(CallError::Refused { status: 404, .. })) if !waits(message) => return Ok(place.clone()),
                Err(Failure::Call(CallError::Refused { status: 404, .. })) => {}
                Err(error) => return Err(error),
            }
        }
        if shown.lost_since.is_some() {
            tracing::warn!(message = message.id, "An answer of Teams was lost: this may stand there twice");
        }
        if let Content::Note(note) = &message.data
            && !note.under.is_empty()
        {
            let Some((conversation, _)) = note.under.rsplit_once('/') else { return Err(CallError::NotIn.into()) };
            let known = self.leads_to(conversation).await?;
            let id = self.say(message, &known, &|activity| self.post(&known, conversation, activity)).await?;
            return Ok(format!("{conversation}/{id}"));
        }
        match target {
            TeamsTarget::Channel(channel) => {
                let known = self.leads_to(channel).await?;
                // A thread of its own for each, so that what is said about it stands under it.
                let begin = |activity: Value| {
                    let body = json!({
                        "isGroup": true, "bot": { "id": known.bot }, "tenantId": self.teams.tenant,
                        "channelData": { "channel": { "id": channel } }, "activity": activity,
                    });
                    let service = known.service_url.clone();
                    async move {
                        let (conversation, id) = self.api.begin(&service, &body).await?;
                        // Its id says in which message it begins.
                        let id = if id.is_empty() { root(&conversation).to_owned() } else { id };
                        Ok(format!("{conversation}/{id}"))
                    }
                };
                self.say(message, &known, &begin).await
            }
            TeamsTarget::Person(person) => {
                let talk = self.talk(person).await?;
                let id = self.say(message, &talk, &|activity| self.post(&talk, &talk.id, activity)).await?;
                Ok(format!("{}/{id}", talk.id))
            }
            TeamsTarget::Workflow => {
                self.workflow.post(message).await?;
                Ok(String::new())
            }
        }
    }

    /// Changes what stands at a place, `conversation/message`.
    async fn change(&self, place: &str, message: &Message) -> Result<(), Failure> {
        let Some((conversation, id)) = place.rsplit_once('/') else { return Err(CallError::NotIn.into()) };
        let known = self.leads_to(conversation).await?;
        let put = |activity: Value| {
            let service = known.service_url.clone();
            async move { self.api.put(&service, conversation, id, &activity).await }
        };
        self.say(message, &known, &put).await
    }

    async fn post(&self, known: &TeamsConversation, conversation: &str, activity: Value) -> Result<String, CallError> {
        self.api.post(&known.service_url, conversation, &activity).await
    }

    /// Sends a message as a card, as one with less where it is too large, or in plain text where Teams does not take it.
    async fn say<T, F>(&self, message: &Message, known: &TeamsConversation, send: &impl Fn(Value) -> F) -> Result<T, Failure>
    where
        F: Future<Output = Result<T, CallError>>,
    {
        // The apps of these people ask for their own part of the card once they show it.
        let lookers = match &message.data {
            Content::Card(_) => lookers(&self.store, &self.teams.tenant, &self.clock).await?,
            Content::Digest(_) | Content::Note(_) => Vec::new(),
        };
        let from = json!({ "id": known.bot });
        for size in 0..SIZES {
            let drawn = draw(message, &lookers, size);
            let attachment = json!({ "contentType": CARD_TYPE, "content": drawn.card });
            let activity = json!({ "type": "message", "from": from, "summary": drawn.summary, "attachments": [attachment] });
            match send(activity).await {
                // Teams counts in its own way: what is within our bound can still be too large for it.
                Err(CallError::TooLarge) => {}
                Err(CallError::Refused { status: 400 | 422, code }) => {
                    tracing::warn!(message = message.id, "Teams does not take its card ({code}); it is sent in plain text");
                    break;
                }
                answer => return Ok(answer?),
            }
        }
        let text = plain_text(message);
        let activity = json!({ "type": "message", "from": from, "text": text, "textFormat": "markdown" });
        Ok(send(activity).await?)
    }

    /// What is known of a channel, or of one that is reached by the same connector; of a thread, what is known of its channel.
    async fn leads_to(&self, conversation: &str) -> Result<TeamsConversation, Failure> {
        let tenant = &self.teams.tenant;
        let channel = conversation.split_once(";messageid=").map_or(conversation, |(channel, _)| channel);
        if let Some(known) = self.store.find_teams_conversation(tenant, channel).await? {
            return Ok(known);
        }
        // The bot is told of the team that it is added to, by its first channel; the others are reached in the same way.
        let of_a_team = self.store.find_newest_teams_conversation(tenant, TeamsKind::Channel).await?;
        of_a_team.filter(|_| channel.starts_with("19:")).ok_or_else(|| CallError::NotIn.into())
    }

    /// The conversation with a person; it is begun where there is none.
    async fn talk(&self, person: &str) -> Result<TeamsConversation, Failure> {
        let tenant = &self.teams.tenant;
        let person = person.to_lowercase();
        if let Some(known) = self.store.find_teams_talk(tenant, &person).await? {
            return Ok(known);
        }
        // A talk is begun at a service that Teams has told of, and any that leads into this directory will do.
        let mut known = None;
        for kind in [TeamsKind::Personal, TeamsKind::Channel] {
            known = known.or(self.store.find_newest_teams_conversation(tenant, kind).await?);
        }
        let known = known.ok_or(CallError::NotIn)?;
        let body = json!({
            "isGroup": false, "bot": { "id": known.bot }, "members": [{ "id": person }], "tenantId": tenant,
            "channelData": { "tenant": { "id": tenant } },
        });
        let (id, _) = self.api.begin(&known.service_url, &body).await?;
        let seen_at = self.clock.wire();
        let talk = TeamsConversation { id, kind: TeamsKind::Personal, team: String::new(), person, seen_at, ..known };
        self.store.keep_teams_conversation(&talk).await?;
        Ok(talk)
    }

    fn failed(error: CallError, to: &str, lane: &Lane, at: Timestamp) -> PortError {
        let resting = |wait: Duration| {
            let until = at.checked_add(wait).unwrap_or(Timestamp::MAX);
            *lane.rest.lock().unwrap_or_else(PoisonError::into_inner) = until;
            PortError::Resting { service: SERVICE, until }
        };
        let shut = |why: &str, remedy: &str| PortError::Shut {
            service: SERVICE,
            why: format!("{why}: {remedy}, and `reeve outbox enable {to} --as PERSON`"),
        };
        let said = error.to_string();
        match error {
            CallError::TooMany(wait) => resting(wait),
            // Configured before the app was added: it rests, and no attempt is counted (decision 94).
            CallError::NotIn => {
                tracing::warn!(
                    "Teams has told of no conversation that leads to {to}: add the app to the team of teams.channel"
                );
                resting(NOT_IN)
            }
            CallError::Lost(_) => {
                lane.breaker.failed(at);
                PortError::Transient { service: SERVICE, retry_after: None, source: Box::new(error) }
            }
            CallError::NoToken(_) => {
                shut(&said, "make a new client secret of the app's registration and set teams.app_secret")
            }
            CallError::Elsewhere(_) => shut(&said, "name the host in teams.service_hosts where it is Microsoft's"),
            // Before the arms about the bot: a workflow has nothing but its address and its switch.
            CallError::Refused { .. } if to.ends_with(":workflow") => {
                shut(&said, "look whether the workflow is switched on, and set its address (teams.workflow_url)")
            }
            CallError::Refused { status: 401, .. } => {
                shut(&said, "set teams.app_id and teams.app_secret to those of the bot")
            }
            CallError::Refused { status: 403 | 404, .. } => {
                shut(&said, "add the app to the team (and its channel) again, or name another channel in teams.channel")
            }
            CallError::Refused { .. } | CallError::TooLarge => {
                PortError::Permanent { service: SERVICE, source: Box::new(error) }
            }
        }
    }
}

#[async_trait]
impl Sender for TeamsSender {
    fn name(&self) -> &'static str {
        TEAMS
    }

    fn kinds(&self) -> &'static [OutboxKind] {
        &OutboxKind::SHOWN
    }

    async fn send(&self, message: &Outgoing) -> Result<Receipt, PortError> {
        let permanent = |why: String| PortError::Permanent { service: SERVICE, source: why.into() };
        let target = self.teams.target(&message.to).zip(self.lanes.get(&message.to));
        let (target, lane) = target.ok_or_else(|| permanent(format!("there is no destination {:?}", message.to)))?;
        let read: Message =
            serde_json::from_str(&message.body).map_err(|error| permanent(format!("the body can not be read: {error}")))?;
        if let Err(wait) = lane.breaker.admit(message.at) {
            let until = message.at.checked_add(wait).unwrap_or(Timestamp::MAX);
            return Err(PortError::Resting { service: SERVICE, until });
        }
        lane.short.take(message.at);
        lane.hour.take(message.at);
        match self.show(target, &read, &message.shown).await {
            Ok(place) => {
                lane.breaker.answered();
                Ok(Receipt { reference: Some(place).filter(|place| !place.is_empty()), at: message.at })
            }
            // Our own fault: nothing counts against Teams.
            Err(Failure::Store(error)) => {
                Err(PortError::Transient { service: SERVICE, retry_after: None, source: error.into() })
            }
            Err(Failure::Call(error)) => {
                // A no is an answer, too: only silence counts against the service.
                if !matches!(error, CallError::Lost(_)) {
                    lane.breaker.answered();
                }
                Err(Self::failed(error, &message.to, lane, message.at))
            }
        }
    }

    fn knows(&self, destination: &str) -> bool {
        self.lanes.contains_key(destination)
    }

    fn free_at(&self, destination: &str, now: Timestamp) -> Timestamp {
        let Some(lane) = self.lanes.get(destination) else { return now };
        let rest = *lane.rest.lock().unwrap_or_else(PoisonError::into_inner);
        lane.breaker.free_at(now).max(lane.short.free_at(now)).max(lane.hour.free_at(now)).max(rest)
    }
}

/// The message that a thread begins with.
fn root(conversation: &str) -> &str {
    conversation.split_once(";messageid=").map_or("", |(_, root)| root)
}

/// Can what a message shows still be decided? Then it is put up again where somebody took it away.
fn waits(message: &Message) -> bool {
    match &message.data {
        Content::Card(card) => card.open,
        Content::Digest(_) | Content::Note(_) => false,
    }
}
