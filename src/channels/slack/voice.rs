//! How Reeve speaks in Slack to one person: ephemeral answers, modals, the App Home. What everybody sees leaves by the outbox.

use async_trait::async_trait;
use serde_json::{Value, json};

use super::api::{Api, CallError};
use super::{SERVICE, views};
use crate::cards::form::ChatForm;
use crate::channels::ChannelState;
use crate::channels::chat::heard::Press;
use crate::channels::chat::voice::{Answer, Reply, Voice, Waiting};
use crate::people::{ChatChannel, ChatUser};
use crate::pipeline::stop;
use crate::ports::PortError;

/// Slack's own part of what all chats do.
pub struct SlackVoice {
    /// The Web API.
    pub api: Api,
    /// Whether Reeve is stopped.
    pub state: ChannelState,
}

#[async_trait]
impl Voice for SlackVoice {
    fn chat(&self) -> ChatChannel {
        ChatChannel::Slack
    }

    async fn say(&self, back: &Value, who: &ChatUser, answer: &Answer) -> Result<Reply, PortError> {
        let blocks = views::answer_blocks(answer);
        let text = super::text::escaped(&answer.text);
        if let Some(url) = back["response_url"].as_str().filter(|url| !url.is_empty()) {
            let said = json!({ "response_type": "ephemeral", "replace_original": false, "text": text, "blocks": blocks });
            match self.api.respond(url, &said).await {
                Ok(true) => return Ok(None),
                Ok(false) => tracing::warn!("The address for the answer to a click is none of Slack's, and is not used"),
                // It was used five times, half an hour has passed, or it can not be reached: there is another way.
                Err(error) => tracing::info!("An answer to a click went another way: {error}"),
            }
        }
        let user = who.user_id();
        let said = match back["channel"].as_str().filter(|channel| !channel.is_empty()) {
            Some(channel) => {
                let said = json!({ "channel": channel, "user": user, "text": text, "blocks": blocks });
                self.api.call("chat.postEphemeral", &said).await
            }
            // While Reeve is stopped no message leaves; what goes with a click is an answer to it.
            None if self.is_stopped().await => {
                return Err(PortError::Permanent {
                    service: SERVICE,
                    source: "reeve is stopped and sends no message".into(),
                });
            }
            None => self.api.call("chat.postMessage", &json!({ "channel": user, "text": text, "blocks": blocks })).await,
        };
        said.map(|_| None).map_err(failed)
    }

    async fn ask(&self, back: &Value, press: &Press, form: &ChatForm) -> Result<Reply, PortError> {
        // A form opens by its click's trigger alone, which holds for seconds.
        let trigger = back["trigger"].as_str().filter(|trigger| !trigger.is_empty());
        let Some(trigger) = trigger else {
            return Err(PortError::Permanent { service: SERVICE, source: "the click allows no form".into() });
        };
        let view = views::modal(press, back["channel"].as_str(), form);
        self.api.call("views.open", &json!({ "trigger_id": trigger, "view": view })).await.map(|_| None).map_err(failed)
    }

    async fn show_home(&self, who: &ChatUser, waiting: &Waiting) -> Result<(), PortError> {
        let home = json!({ "user_id": who.user_id(), "view": views::home(waiting) });
        self.api.call("views.publish", &home).await.map(drop).map_err(failed)
    }
}

impl SlackVoice {
    /// Where it can not be known, nothing leaves.
    async fn is_stopped(&self) -> bool {
        !matches!(stop::stopped(&self.state.store, &self.state.config).await, Ok(None))
    }
}

fn failed(error: CallError) -> PortError {
    match error {
        CallError::TooMany(wait) | CallError::NotReady(wait) => {
            PortError::Transient { service: SERVICE, retry_after: Some(wait), source: Box::new(error) }
        }
        CallError::Lost(_) => PortError::Transient { service: SERVICE, retry_after: None, source: Box::new(error) },
        CallError::Refused(_) => PortError::Permanent { service: SERVICE, source: Box::new(error) },
    }
}
