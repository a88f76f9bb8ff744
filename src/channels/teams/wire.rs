//! What Teams sends, read: an activity, whose token has been checked by then. What is not known is nothing, and no error: the platform
//! adds types, entities and events without notice.
//!
//! Who acts is the directory's id of the user in the configured tenant; names are not read. What is told of conversations is kept, for it
//! is what lets the bot speak first.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::CHANNEL_ID;
use super::press::{self, Pressed};
use crate::channels::chat::heard::{Heard, Wish};
use crate::config::TeamsConfig;
use crate::domain::ids::content_hash;
use crate::store::TeamsKind;

/// Longest text of a message or a field that is read, in characters.
const TEXT_MAX: usize = 4_000;

/// Longest id that is kept.
const ID_MAX: usize = 400;

/// What came.
#[derive(Clone, Debug, PartialEq)]
pub enum Came {
    /// A button: whoever pressed waits for the answer.
    Pressed(Heard),
    /// Somebody's app shows a card and asks how it stands for them: about which case.
    Shown {
        /// The case.
        case: String,
        /// Who looks, by the directory's id.
        user: String,
    },
    /// A word to the bot.
    Said(Heard),
    /// The bot is in a conversation, or was taken out of one.
    Told(Place),
    /// Something that whoever sent it should hear is none of ours.
    Unclear(&'static str),
    /// Nothing that concerns us.
    Nothing(&'static str),
    /// From another directory, or from no channel of Teams.
    Foreign(String),
}

/// A conversation that was told of.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Place {
    /// Its id.
    pub conversation: String,
    /// What it is.
    pub kind: TeamsKind,
    /// The team of a channel.
    pub team: String,
    /// Of a personal one the person.
    pub person: String,
    /// What the bot is called there.
    pub bot: String,
    /// Is the bot in it?
    pub is_in: bool,
}

/// Reads an activity.
pub fn activity(body: &Value, teams: &TeamsConfig) -> Came {
    let text = |at: &str| body.pointer(at).and_then(Value::as_str).unwrap_or_default();
    if text("/channelId") != CHANNEL_ID {
        return Came::Foreign(format!("it comes from the channel {:?}", short(text("/channelId"))));
    }
    let named = [text("/conversation/tenantId"), text("/channelData/tenant/id")];
    let named: Vec<&str> = named.into_iter().filter(|tenant| !tenant.is_empty()).collect();
    // One of the two may be missing; where both are there, both have to be ours.
    if named.is_empty() || named.iter().any(|tenant| !tenant.eq_ignore_ascii_case(&teams.tenant)) {
        return Came::Foreign(format!("it comes from the directory {:?}", short(named.first().unwrap_or(&""))));
    }
    if [text("/conversation/id"), text("/recipient/id"), text("/from/id")].iter().any(|id| id.len() > ID_MAX) {
        return Came::Nothing("an id that is longer than any");
    }
    match text("/type") {
        "invoke" if text("/name") == "adaptiveCard/action" => invoke(body, teams),
        "invoke" => Came::Unclear("an action that Reeve does not have"),
        "message" => message(body, teams),
        "installationUpdate" => match text("/action") {
            "add" | "add-upgrade" => told(body, true),
            "remove" => told(body, false),
            _ => Came::Nothing("an installation that changes nothing here"),
        },
        "conversationUpdate" => conversation_update(body, teams),
        _ => Came::Nothing("an activity that Reeve does not use"),
    }
}

fn invoke(body: &Value, teams: &TeamsConfig) -> Came {
    let text = |at: &str| body.pointer(at).and_then(Value::as_str).unwrap_or_default();
    let action = &body["value"]["action"];
    let (wish, fields) = match press::read(action) {
        Some(Pressed::Look(case)) => return Came::Shown { case, user: user(body) },
        Some(Pressed::Button(wish)) => (wish, None),
        Some(Pressed::Form(press)) => {
            let fields = fields(&action["data"]);
            (Wish::Decide { press, fields: fields.clone() }, Some(fields))
        }
        None => return Came::Unclear("no button of Reeve's"),
    };
    if user(body).is_empty() {
        return Came::Unclear("a press of nobody in the directory");
    }
    // The same activity again is the same request; one that says something else under its name is another.
    let pressed = json!([&wish, fields]).to_string();
    let parts = [text("/conversation/id"), text("/id"), &user(body), &pressed];
    Came::Pressed(Heard {
        id: format!("teams/invoke/{}", content_hash(&parts)),
        tenant: teams.tenant.clone(),
        user: user(body),
        wish,
        back: json!({ "invoke": true }),
    })
}

/// What was filled in, by name: a form's inputs come among the data of its button.
fn fields(data: &Value) -> BTreeMap<String, String> {
    let mut fields = BTreeMap::new();
    for (name, value) in data.as_object().into_iter().flatten() {
        // Whoever presses could send any name: only the fields of our forms are taken.
        let Some(name) = name.strip_prefix(press::FIELD).filter(|name| press::FIELDS.contains(name)) else { continue };
        let said = match value {
            Value::String(said) => said.chars().take(TEXT_MAX).collect(),
            Value::Number(number) => number.to_string(),
            _ => continue,
        };
        fields.insert(name.to_owned(), said);
    }
    fields
}

fn message(body: &Value, teams: &TeamsConfig) -> Came {
    let text = |at: &str| body.pointer(at).and_then(Value::as_str).unwrap_or_default();
    let place = place(body, true);
    let bot = text("/recipient/id");
    let mut said: String = text("/text").chars().take(TEXT_MAX).collect();
    // In a channel only what mentions the bot is meant for it.
    let mut is_meant = place.kind == TeamsKind::Personal;
    for entity in body["entities"].as_array().into_iter().flatten() {
        if entity["type"] == "mention" && entity["mentioned"]["id"] == bot && !bot.is_empty() {
            is_meant = true;
            said = said.replace(entity["text"].as_str().filter(|at| !at.is_empty()).unwrap_or("\0"), " ");
        }
    }
    if !is_meant {
        return Came::Nothing("a message to others");
    }
    if user(body).is_empty() {
        return Came::Nothing("a message of nobody in the directory");
    }
    // Teams puts these behind a mention.
    let said = said.replace("&nbsp;", " ");
    let mut words = said.split_whitespace();
    let first = words.next().unwrap_or_default().trim_start_matches('/').to_lowercase();
    let wish = match (first.as_str(), words.next()) {
        ("link", Some(code)) => Wish::Link([code].into_iter().chain(words).collect::<Vec<_>>().join(" ")),
        ("queue", _) => Wish::Queue,
        _ => Wish::Help,
    };
    let parts = [text("/conversation/id"), text("/id"), &user(body), &said];
    Came::Said(Heard {
        id: format!("teams/message/{}", content_hash(&parts)),
        tenant: teams.tenant.clone(),
        user: user(body),
        wish,
        back: json!({
            "service": text("/serviceUrl"), "conversation": text("/conversation/id"), "reply_to": text("/id"), "bot": bot,
        }),
    })
}

fn conversation_update(body: &Value, teams: &TeamsConfig) -> Came {
    let text = |at: &str| body.pointer(at).and_then(Value::as_str).unwrap_or_default();
    let is_bot = |member: &Value| {
        let id = member["id"].as_str().unwrap_or_default();
        // Some updates name the bot by its app's id behind `28:`.
        !id.is_empty() && (id == text("/recipient/id") || id == format!("28:{}", teams.app_id))
    };
    let among = |field: &str| body[field].as_array().into_iter().flatten().any(is_bot);
    match text("/channelData/eventType") {
        "teamDeleted" | "teamHardDeleted" => return told(body, false),
        "channelDeleted" => {
            // One channel of the team, and not the one that it is told in.
            let id = text("/channelData/channel/id").to_owned();
            let place = Place { conversation: id, team: String::new(), ..place(body, false) };
            return Came::Told(place);
        }
        _ => {}
    }
    if among("membersRemoved") {
        return told(body, false);
    }
    if among("membersAdded") { told(body, true) } else { Came::Nothing("a change that is not about the bot") }
}

fn told(body: &Value, is_in: bool) -> Came {
    Came::Told(place(body, is_in))
}

/// Where an activity comes from.
pub(super) fn place(body: &Value, is_in: bool) -> Place {
    let text = |at: &str| body.pointer(at).and_then(Value::as_str).unwrap_or_default();
    let team = text("/channelData/team/id").to_owned();
    let kind = TeamsKind::named(text("/conversation/conversationType")).unwrap_or_else(|| {
        match (team.is_empty(), body["conversation"]["isGroup"] == true) {
            (false, _) => TeamsKind::Channel,
            (true, true) => TeamsKind::Group,
            (true, false) => TeamsKind::Personal,
        }
    });
    let whole = text("/conversation/id");
    // A thread is a part of its channel.
    let conversation = whole.split_once(";messageid=").map_or(whole, |(channel, _)| channel).to_owned();
    let person = if kind == TeamsKind::Personal { user(body) } else { String::new() };
    Place { conversation, kind, team, person, bot: text("/recipient/id").to_owned(), is_in }
}

/// Who acts, by the directory's id; nothing where that is not said.
pub(super) fn user(body: &Value) -> String {
    body.pointer("/from/aadObjectId").and_then(Value::as_str).unwrap_or_default().to_lowercase()
}

fn short(text: &str) -> String {
    text.chars().take(80).collect()
}
