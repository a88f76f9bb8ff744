//! What the request of a button is answered. Never nothing: an answer that is empty makes Teams say that the app can not be reached, and send
//! it again.

use serde_json::{Value, json};

use super::cards::CARD_TYPE;
use crate::channels::chat::words::whole_words;

/// Longest text of a message that is shown over a card, in characters.
const TEXT_CHARS: usize = 1_000;

const MESSAGE: &str = "application/vnd.microsoft.activity.message";
const ERROR: &str = "application/vnd.microsoft.error";

/// A card that takes the place of the one that was pressed on, for whoever pressed.
pub(super) fn card(card: &Value) -> Value {
    json!({ "statusCode": 200, "type": CARD_TYPE, "value": card })
}

/// A text that whoever pressed sees.
pub(super) fn message(text: &str) -> Value {
    json!({ "statusCode": 200, "type": MESSAGE, "value": whole_words(text, TEXT_CHARS) })
}

/// A refusal: 400 for what is none of ours, 403 for who may not.
pub(super) fn error(status: u16, code: &str, text: &str) -> Value {
    json!({ "statusCode": status, "type": ERROR, "value": { "code": code, "message": whole_words(text, TEXT_CHARS) } })
}

/// The same as a message of its own, for whom the request itself has been answered before.
pub(super) fn as_activity(reply: &Value) -> Value {
    if reply["type"] == CARD_TYPE {
        return json!({ "type": "message", "attachments": [{ "contentType": CARD_TYPE, "content": reply["value"] }] });
    }
    let text = reply["value"].as_str().or_else(|| reply["value"]["message"].as_str()).unwrap_or_default();
    json!({ "type": "message", "text": super::text::escaped(text), "textFormat": "markdown" })
}
