//! People in the workspace: what the platform sends when they press a button, send a form or type a command, and how it signs that.

use hmac::{Hmac, KeyInit as _, Mac as _};
use serde_json::{Value, json};
use sha2::Sha256;

use super::{APP_ID, CHANNEL, Posted, SECRET, Slack, TEAM};

/// A request as the platform sends it over HTTP.
#[derive(Clone, Debug)]
pub struct Signed {
    /// Its headers.
    pub headers: Vec<(String, String)>,
    /// Its body.
    pub body: String,
}

/// A body signed at `seconds` with `secret`.
pub fn signed_at(secret: &str, seconds: i64, kind: &str, body: String) -> Signed {
    let mut mac = Hmac::<Sha256>::new_from_slice(secret.as_bytes()).expect("a key of any length will do");
    mac.update(format!("v0:{seconds}:{body}").as_bytes());
    let signature = format!("v0={}", hex::encode(mac.finalize().into_bytes()));
    let headers = [
        ("content-type", kind.to_owned()),
        ("user-agent", "Slackbot 1.0 (+https://api.slack.com/robots)".to_owned()),
        ("x-slack-request-timestamp", seconds.to_string()),
        ("x-slack-signature", signature),
    ];
    Signed { headers: headers.map(|(name, value)| (name.to_owned(), value)).to_vec(), body }
}

impl Signed {
    /// An interaction over HTTP, signed at `seconds`.
    pub fn interaction(payload: &Value, seconds: i64) -> Self {
        let body = form_urlencoded::Serializer::new(String::new()).append_pair("payload", &payload.to_string()).finish();
        signed_at(SECRET, seconds, "application/x-www-form-urlencoded", body)
    }

    /// A command over HTTP.
    pub fn command(fields: &Value, seconds: i64) -> Self {
        let mut body = form_urlencoded::Serializer::new(String::new());
        for (name, value) in fields.as_object().into_iter().flatten() {
            body.append_pair(name, value.as_str().unwrap_or_default());
        }
        signed_at(SECRET, seconds, "application/x-www-form-urlencoded", body.finish())
    }

    /// An event over HTTP.
    pub fn event(body: &Value, seconds: i64) -> Self {
        signed_at(SECRET, seconds, "application/json", body.to_string())
    }
}

impl Slack {
    /// Somebody presses a button of a message: the first whose name begins with `start`.
    ///
    /// # Panics
    /// Where there is no such button.
    pub fn press(&self, user: &str, posted: &Posted, start: &str) -> Value {
        let buttons = posted.buttons(start);
        let (id, value) = buttons.first().unwrap_or_else(|| panic!("no button {start}: {}", posted.shown()));
        self.press_value(user, &posted.ts, id, value)
    }

    /// The same with a button's name and value.
    pub fn press_value(&self, user: &str, ts: &str, id: &str, value: &str) -> Value {
        let trigger = self.trigger();
        json!({
            "type": "block_actions",
            "user": { "id": user, "username": "somebody", "name": "somebody", "team_id": TEAM },
            "api_app_id": APP_ID,
            "token": "legacy-verification-token",
            "container": { "type": "message", "message_ts": ts, "channel_id": CHANNEL, "is_ephemeral": false },
            "trigger_id": trigger,
            "team": { "id": TEAM, "domain": "acme" },
            "enterprise": null,
            "is_enterprise_install": false,
            "channel": { "id": CHANNEL, "name": "stock-approvals" },
            "state": { "values": {} },
            "response_url": format!("{}/actions/R{trigger}", self.host),
            "actions": [{ "action_id": id, "block_id": "b", "value": value, "type": "button", "action_ts": "1795407350.290000" }],
        })
    }

    /// Somebody sends the form that was opened last, with these fields: name and value, by the names of the form's own blocks.
    ///
    /// # Panics
    /// Where no form was opened, or it has no such field.
    pub fn send_form(&self, user: &str, fields: &[(&str, &str)]) -> Value {
        let view = self.views().pop().expect("a form was opened");
        let mut values = json!({});
        for (name, value) in fields {
            let blocks = view["blocks"].as_array().expect("it has blocks");
            let block = blocks.iter().find(|block| block["element"]["action_id"] == *name);
            let block = block.unwrap_or_else(|| panic!("the form has no field {name}: {view}"));
            let kind = block["element"]["type"].as_str().unwrap_or_default();
            let said = match kind {
                "static_select" => json!({ "type": kind, "selected_option": { "value": value } }),
                "datepicker" => json!({ "type": kind, "selected_date": value }),
                _ => json!({ "type": kind, "value": value }),
            };
            values[block["block_id"].as_str().unwrap_or_default()] = json!({ *name: said });
        }
        let mut sent = view.clone();
        sent["state"] = json!({ "values": values });
        json!({
            "type": "view_submission",
            "team": { "id": TEAM, "domain": "acme" },
            "user": { "id": user, "username": "somebody", "name": "somebody", "team_id": TEAM },
            "api_app_id": APP_ID,
            "token": "legacy-verification-token",
            "trigger_id": self.trigger(),
            "view": sent,
            "response_urls": [],
            "is_enterprise_install": false,
            "enterprise": null,
        })
    }

    /// Somebody types a command: `/reeve queue`.
    pub fn command(&self, user: &str, text: &str) -> Value {
        let trigger = self.trigger();
        json!({
            "token": "legacy-verification-token",
            "team_id": TEAM,
            "team_domain": "acme",
            "channel_id": CHANNEL,
            "channel_name": "stock-approvals",
            "user_id": user,
            "user_name": "somebody",
            "command": "/reeve",
            "text": text,
            "api_app_id": APP_ID,
            "is_enterprise_install": "false",
            "response_url": format!("{}/actions/R{trigger}", self.host),
            "trigger_id": trigger,
        })
    }

    /// Somebody opens the app's own page.
    pub fn open_home(&self, user: &str) -> Value {
        let number = self.trigger();
        json!({
            "token": "legacy-verification-token",
            "team_id": TEAM,
            "api_app_id": APP_ID,
            "type": "event_callback",
            "event_id": format!("Ev{number}"),
            "event_time": 1_795_407_350,
            "event": { "type": "app_home_opened", "user": user, "channel": format!("D{user}"), "tab": "home" },
        })
    }

    /// A new trigger: it opens one form, once.
    fn trigger(&self) -> String {
        let mut state = self.state();
        state.clicks += 1;
        let trigger = format!("1795407350.074880.trg{}", state.clicks);
        state.triggers.insert(trigger.clone());
        trigger
    }
}
