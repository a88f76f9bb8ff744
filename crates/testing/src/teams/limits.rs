//! What an Adaptive Card may hold, as Teams draws it: what is not known there, or too much, is refused.

use serde_json::Value;

/// Bytes of a card that are taken everywhere.
const CARD_MAX: usize = 28 * 1024;

/// Buttons of a card that are drawn beside each other; others stand behind dots.
const PRIMARY_MAX: usize = 6;

/// What is wrong with a message; nothing where all is well.
pub(super) fn check_activity(activity: &Value) -> Result<(), String> {
    if activity["type"] != "message" {
        return Err(format!("an activity of type {}", activity["type"]));
    }
    let attachments = activity["attachments"].as_array().map(Vec::as_slice).unwrap_or_default();
    if attachments.is_empty() && activity["text"].as_str().unwrap_or_default().is_empty() {
        return Err("a message without anything".to_owned());
    }
    for attachment in attachments {
        if attachment["contentType"] != "application/vnd.microsoft.card.adaptive" {
            return Err(format!("an attachment of type {}", attachment["contentType"]));
        }
        check_card(&attachment["content"])?;
    }
    Ok(())
}

/// Would Teams draw this card whole?
///
/// # Errors
/// Says what is wrong.
pub fn check_card(card: &Value) -> Result<(), String> {
    let bytes = card.to_string().len();
    if bytes > CARD_MAX {
        return Err(format!("{bytes} bytes"));
    }
    if card["refresh"].is_object() {
        let users = card["refresh"]["userIds"].as_array().map(Vec::as_slice).unwrap_or_default();
        if users.is_empty() || users.len() > 60 {
            return Err(format!("{} people are asked to look", users.len()));
        }
        action(&card["refresh"]["action"])?;
    }
    nested(card)
}

fn nested(card: &Value) -> Result<(), String> {
    if card["type"] != "AdaptiveCard" || card["version"] != "1.5" {
        return Err(format!("a card of type {} and version {}", card["type"], card["version"]));
    }
    list(&card["body"]).iter().try_for_each(element)?;
    let actions = list(&card["actions"]);
    if actions.iter().filter(|action| action["mode"] != "secondary").count() > PRIMARY_MAX {
        return Err(format!("{} buttons", actions.len()));
    }
    actions.iter().try_for_each(action)
}

fn element(value: &Value) -> Result<(), String> {
    match value["type"].as_str().unwrap_or_default() {
        "TextBlock" => text(&value["text"]),
        "RichTextBlock" => {
            let inlines = list(&value["inlines"]);
            if inlines.is_empty() {
                return Err("a paragraph without words".to_owned());
            }
            inlines.iter().try_for_each(|run| match run["type"].as_str() {
                Some("TextRun") => text(&run["text"]),
                other => Err(format!("a run of type {other:?}")),
            })
        }
        "Container" => {
            if value["selectAction"].is_object() {
                action(&value["selectAction"])?;
            }
            list(&value["items"]).iter().try_for_each(element)
        }
        // Of pictures, only those that the card brings along: Reeve shows none from anywhere.
        "Image" => {
            let url = value["url"].as_str().unwrap_or_default();
            if !url.starts_with("data:image/png;base64,iVBORw0KGgo") {
                return Err(format!("a picture from {}", url.chars().take(40).collect::<String>()));
            }
            text(&value["altText"])
        }
        "ActionSet" => list(&value["actions"]).iter().try_for_each(action),
        "Input.Text" | "Input.Number" | "Input.Date" | "Input.ChoiceSet" => {
            let id = value["id"].as_str().unwrap_or_default();
            let choices = list(&value["choices"]);
            if id.is_empty() || (value["type"] == "Input.ChoiceSet") == choices.is_empty() {
                return Err(format!("the input {id:?} has no name, or no choices"));
            }
            if value["type"] == "Input.Number" && value["value"].is_string() {
                return Err("the value of a number is text".to_owned());
            }
            choices.iter().try_for_each(|choice| text(&choice["title"]).and(text(&choice["value"])))?;
            text(&value["label"])
        }
        other => Err(format!("an element of type {other:?}")),
    }
}

fn action(value: &Value) -> Result<(), String> {
    text(&value["title"])?;
    match value["type"].as_str().unwrap_or_default() {
        "Action.Execute" => text(&value["verb"]),
        "Action.OpenUrl" => text(&value["url"]),
        "Action.ShowCard" => nested(&value["card"]),
        other => Err(format!("an action of type {other:?}")),
    }
}

fn list(value: &Value) -> &[Value] {
    value.as_array().map(Vec::as_slice).unwrap_or_default()
}

fn text(value: &Value) -> Result<(), String> {
    if value.as_str().is_some_and(|text| !text.is_empty()) { Ok(()) } else { Err(format!("a text that is {value}")) }
}
