//! What Slack sends, read: interactions, commands and events, by whichever way they come. What is not known is nothing, and no error: the
//! platform adds types and fields without notice.
//!
//! Who clicked is the user's id in the configured workspace, for the configured app; names are not read.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::press;
use crate::channels::chat::heard::{Heard, Press, Wish};
use crate::config::SlackConfig;
use crate::domain::ids::content_hash;

/// The name of our forms.
pub(super) const FORM: &str = "reeve/form";

/// Before the names of a form's fields.
pub(super) const FIELD: &str = "reeve/field/";

/// Longest text of a field that is read, in characters: what is kept is shorter.
const TEXT_MAX: usize = 4_000;

/// What came.
#[derive(Clone, Debug, PartialEq)]
pub enum Came {
    /// Something to do. It is written down, acknowledged and then done.
    Asked(Heard),
    /// A form that was sent: whoever sent it sees at once what is wrong with a field.
    Sent(Heard),
    /// A word that Slack wants to hear back.
    Challenge(String),
    /// Nothing that concerns us.
    Nothing(&'static str),
    /// From another workspace or for another app.
    Foreign(String),
}

/// What a form carries along unseen.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(super) struct Carried {
    /// What the form is for.
    #[serde(rename = "p")]
    pub(super) press: Press,
    /// In which channel it was asked for; None where that was on somebody's own page.
    #[serde(rename = "c")]
    pub(super) channel: Option<String>,
}

/// An interaction: a button, or a form that was sent.
pub fn interaction(payload: &Value, slack: &SlackConfig) -> Came {
    let text = |at: &str| payload.pointer(at).and_then(Value::as_str).unwrap_or_default();
    // In a channel that is shared between workspaces the user may be of another one.
    let teams = [text("/team/id"), text("/user/team_id")];
    if let Some(foreign) = foreign(slack, &teams, text("/api_app_id")) {
        return foreign;
    }
    let heard = |kind: &str, wish: Wish, back: Value| Heard {
        id: id(kind, text("/trigger_id"), payload),
        tenant: slack.team.clone(),
        user: text("/user/id").to_owned(),
        wish,
        back,
    };
    match text("/type") {
        "block_actions" => {
            let actions = payload["actions"].as_array().map(Vec::as_slice).unwrap_or_default();
            let pressed = actions.iter().find_map(|action| {
                press::read(action["action_id"].as_str().unwrap_or_default(), action["value"].as_str().unwrap_or_default())
            });
            let Some(wish) = pressed else { return Came::Nothing("no button of ours") };
            let channel = [text("/channel/id"), text("/container/channel_id")].into_iter().find(|id| !id.is_empty());
            let back = json!({
                "response_url": text("/response_url"),
                "channel": channel,
                "trigger": text("/trigger_id"),
            });
            Came::Asked(heard("action", wish, back))
        }
        "view_submission" => {
            if text("/view/callback_id") != FORM {
                return Came::Nothing("no form of ours");
            }
            let Ok(Carried { press, channel }) = serde_json::from_str(text("/view/private_metadata")) else {
                return Came::Nothing("a form that does not say what it is for");
            };
            let fields = fields(&payload["view"]["state"]["values"]);
            Came::Sent(heard("form", Wish::Decide { press, fields }, json!({ "channel": channel })))
        }
        _ => Came::Nothing("a type of interaction that Reeve does not use"),
    }
}

/// What was filled in, by name.
fn fields(values: &Value) -> BTreeMap<String, String> {
    let mut fields = BTreeMap::new();
    for (block, elements) in values.as_object().into_iter().flatten() {
        let Some(name) = block.strip_prefix(FIELD) else { continue };
        let element = elements.as_object().and_then(|elements| elements.values().next());
        let said = element.and_then(|element| {
            // Each kind of field has its value under another name.
            let chosen = &element["selected_option"]["value"];
            [&element["value"], chosen, &element["selected_date"]].into_iter().find_map(Value::as_str)
        });
        if let Some(said) = said {
            fields.insert(name.to_owned(), said.chars().take(TEXT_MAX).collect());
        }
    }
    fields
}

/// A command, as its fields are called by either way.
pub fn command(field: &dyn Fn(&str) -> String, slack: &SlackConfig) -> Came {
    if let Some(foreign) = foreign(slack, &[&field("team_id")], &field("api_app_id")) {
        return foreign;
    }
    let text = field("text");
    let mut words = text.split_whitespace();
    let wish = match (words.next().unwrap_or_default().to_lowercase().as_str(), words.next()) {
        ("link", Some(code)) => Wish::Link([code].into_iter().chain(words).collect::<Vec<_>>().join(" ")),
        ("queue", _) => Wish::Queue,
        _ => Wish::Help,
    };
    let channel = Some(field("channel_id")).filter(|id| !id.is_empty());
    let back = json!({ "response_url": field("response_url"), "channel": channel, "trigger": field("trigger_id") });
    let whole = json!({ "text": text, "user": field("user_id"), "url": field("response_url") });
    Came::Asked(Heard {
        id: id("command", &field("trigger_id"), &whole),
        tenant: slack.team.clone(),
        user: field("user_id"),
        wish,
        back,
    })
}

/// An event, or the handshake of the address that events are sent to.
pub fn event(body: &Value, slack: &SlackConfig) -> Came {
    let text = |at: &str| body.pointer(at).and_then(Value::as_str).unwrap_or_default();
    if text("/type") == "url_verification" {
        return Came::Challenge(text("/challenge").chars().take(TEXT_MAX).collect());
    }
    if let Some(foreign) = foreign(slack, &[text("/team_id")], text("/api_app_id")) {
        return foreign;
    }
    match (text("/type"), text("/event/type")) {
        ("event_callback", "app_home_opened") if text("/event/tab") != "messages" => Came::Asked(Heard {
            id: id("event", text("/event_id"), body),
            tenant: slack.team.clone(),
            user: text("/event/user").to_owned(),
            wish: Wish::Home,
            back: json!({}),
        }),
        _ => Came::Nothing("an event that Reeve does not use"),
    }
}

/// What comes from elsewhere; at least one workspace has to be named.
fn foreign(slack: &SlackConfig, teams: &[&str], app: &str) -> Option<Came> {
    let named: Vec<&str> = teams.iter().copied().filter(|team| !team.is_empty()).collect();
    if named.is_empty() || named.iter().any(|team| *team != slack.team) {
        return Some(Came::Foreign(format!("it comes from the workspace {:?}", named.first().unwrap_or(&""))));
    }
    (app != slack.app_id).then(|| Came::Foreign(format!("it is for the app {app:?}")))
}

/// The request's own name: Slack's for the click, or its content where it has none.
fn id(kind: &str, given: &str, whole: &Value) -> String {
    let usable = !given.is_empty() && given.len() <= 200 && given.bytes().all(|b| b.is_ascii_graphic());
    let name = if usable { given.to_owned() } else { content_hash(&[&whole.to_string()]) };
    format!("slack/{kind}/{name}")
}
