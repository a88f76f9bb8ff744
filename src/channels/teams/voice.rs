//! How Reeve speaks in Teams to one person: the answer to a button goes back by its own request, the answer to a message as a reply to it. What
//! everybody sees leaves by the outbox.

use async_trait::async_trait;
use serde_json::{Value, json};

use super::api::{Api, CallError};
use super::cards::CARD_TYPE;
use super::{SERVICE, forms, reply};
use crate::cards::form::ChatForm;
use crate::cards::plain;
use crate::channels::ChannelState;
use crate::channels::chat::heard::Press;
use crate::channels::chat::voice::{Answer, Reply, Voice, Waiting};
use crate::people::{ChatChannel, ChatUser};
use crate::pipeline::stop;
use crate::ports::PortError;

/// Teams' own part of what all chats do.
pub struct TeamsVoice {
    /// The connector.
    pub api: Api,
    /// The store, and whether Reeve is stopped.
    pub state: ChannelState,
}

#[async_trait]
impl Voice for TeamsVoice {
    fn chat(&self) -> ChatChannel {
        ChatChannel::Teams
    }

    async fn say(&self, back: &Value, _: &ChatUser, answer: &Answer) -> Result<Reply, PortError> {
        let headline = self.headline(answer).await;
        let has_more = answer.undo.is_some() || answer.decided.is_some() || answer.waiting.is_some();
        // A few words pass by on the screen; what can be pressed needs a card that stays.
        if back["invoke"] == true {
            let card = || reply::card(&forms::answer_card(answer, headline.as_deref()));
            return Ok(Some(if has_more { card() } else { reply::message(&answer.text) }));
        }
        let text = |field: &str| back[field].as_str().unwrap_or_default();
        let mut said = if has_more || answer.link.is_some() {
            let card = forms::answer_card(answer, headline.as_deref());
            json!({ "type": "message", "summary": answer.text, "attachments": [{ "contentType": CARD_TYPE, "content": card }] })
        } else {
            json!({ "type": "message", "text": super::text::escaped(&answer.text), "textFormat": "markdown" })
        };
        said["from"] = json!({ "id": text("bot") });
        said["replyToId"] = text("reply_to").into();
        self.api.post(text("service"), text("conversation"), &said).await.map(|_| None).map_err(failed)
    }

    async fn ask(&self, back: &Value, press: &Press, form: &ChatForm) -> Result<Reply, PortError> {
        if back["invoke"] != true {
            return Err(PortError::Permanent { service: SERVICE, source: "only a button allows a form".into() });
        }
        Ok(Some(reply::card(&forms::form_card(press, form))))
    }

    /// There is none in Teams: what waits is asked for with a word.
    async fn show_home(&self, _: &ChatUser, _: &Waiting) -> Result<(), PortError> {
        Ok(())
    }

    fn at_field(&self, back: &Value, _: &str, says: &str) -> Reply {
        // What was filled in stays on the card, under this.
        (back["invoke"] == true).then(|| reply::message(says))
    }

    async fn afterwards(&self, back: &Value, who: &ChatUser, reply: &Value) -> Result<(), PortError> {
        let store = &self.state.store;
        if back["invoke"] != true || !matches!(stop::stopped(store, &self.state.config).await, Ok(None)) {
            return Ok(());
        }
        let permanent = |error: crate::store::StoreError| PortError::Permanent { service: SERVICE, source: error.into() };
        let talk = store.find_teams_talk(&self.state.config.teams.tenant, who.user_id()).await.map_err(permanent)?;
        // Whoever never spoke with the bot sees it on the card.
        let Some(talk) = talk else { return Ok(()) };
        let mut said = reply::as_activity(reply);
        said["from"] = json!({ "id": talk.bot });
        self.api.post(&talk.service_url, &talk.id, &said).await.map(drop).map_err(failed)
    }
}

impl TeamsVoice {
    /// What the case is about that was decided on: the answer stands in the place of its card.
    async fn headline(&self, answer: &Answer) -> Option<String> {
        let case = self.state.store.find_case(answer.decided.as_ref()?).await.ok().flatten()?;
        Some(plain(&case.headline))
    }
}

fn failed(error: CallError) -> PortError {
    match error {
        CallError::TooMany(wait) => {
            PortError::Transient { service: SERVICE, retry_after: Some(wait), source: Box::new(error) }
        }
        CallError::Lost(_) => PortError::Transient { service: SERVICE, retry_after: None, source: Box::new(error) },
        _ => PortError::Permanent { service: SERVICE, source: Box::new(error) },
    }
}
