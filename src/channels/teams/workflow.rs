//! The webhook of a workflow: it takes a card and says nothing more. What stands there has no buttons but those that lead to the page, and is
//! never changed. Its address is a secret by itself, and is told to nobody.

use reqwest::Client;
use reqwest::header::CONTENT_TYPE;
use secrecy::{ExposeSecret as _, SecretString};
use serde_json::{Value, json};

use super::api::{CallError, answered};
use super::cards::{CARD_TYPE, SIZES, draw};
use crate::cards::chat::Message;
use crate::clock::Clock;
use crate::config::TeamsConfig;

/// The webhook.
pub(super) struct Workflow {
    client: Result<Client, String>,
    url: SecretString,
    clock: Clock,
}

impl Workflow {
    pub(super) fn new(teams: &TeamsConfig, clock: Clock) -> Self {
        let client = crate::http::client(teams.timeout).map_err(|error| error.to_string());
        Self { client, url: teams.workflow_url.clone(), clock }
    }

    /// Posts a digest.
    ///
    /// # Errors
    /// [`CallError`].
    pub(super) async fn post(&self, message: &Message) -> Result<(), CallError> {
        let client = self.client.as_ref().map_err(|why| CallError::Lost(why.clone()))?;
        for size in 0..SIZES {
            // A workflow knows nobody, so there is nobody whose app could ask for their own part.
            let card = draw(message, &[], size).card;
            let attachment = json!({ "contentType": CARD_TYPE, "contentUrl": Value::Null, "content": card });
            let body = json!({ "type": "message", "attachments": [attachment] });
            let request = client.post(self.url.expose_secret());
            let request = request.header(CONTENT_TYPE, "application/json").body(body.to_string());
            match answered(request, &self.clock).await {
                Err(CallError::TooLarge) => {}
                answer => return answer.map(drop),
            }
        }
        Err(CallError::TooLarge)
    }
}
