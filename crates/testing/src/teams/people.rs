//! People in the tenant: what Teams sends when they press a button, write to the bot or add it, and how it signs that.

use serde_json::{Value, json};

use super::{BOT, CHANNEL, Claims, Posted, TEAM, TENANT, Teams, token};

/// A request as Teams sends it.
#[derive(Clone, Debug)]
pub struct Signed {
    /// Its headers.
    pub headers: Vec<(String, String)>,
    /// Its body.
    pub body: String,
}

impl Signed {
    /// A body with a token.
    pub fn with(claims: &Claims, body: &Value) -> Self {
        let headers = [
            ("content-type", "application/json; charset=utf-8".to_owned()),
            ("user-agent", "Microsoft-SkypeBotApi (Microsoft-BotFramework/3.0)".to_owned()),
            ("authorization", format!("Bearer {}", token(claims))),
        ];
        Self { headers: headers.map(|(name, value)| (name.to_owned(), value)).to_vec(), body: body.to_string() }
    }
}

impl Teams {
    /// A request of Teams' at `seconds`.
    pub fn sign(&self, activity: &Value, seconds: i64) -> Signed {
        Signed::with(&Claims::good(&self.service(), seconds), activity)
    }

    /// Somebody presses a button of a message: the first whose verb is `verb`, with `inputs` filled in where it stands under some.
    ///
    /// # Panics
    /// Where there is no such button.
    pub fn press(&self, user: &str, posted: &Posted, verb: &str, inputs: &[(&str, Value)]) -> Value {
        let buttons = posted.buttons(verb);
        let button = buttons.first().unwrap_or_else(|| panic!("no button {verb}: {}", posted.shown()));
        self.press_button(user, posted, button, inputs)
    }

    /// The same with a button that stands elsewhere: on a card that somebody was answered with.
    ///
    /// # Panics
    /// Where the button has no data.
    pub fn press_button(&self, user: &str, posted: &Posted, button: &Value, inputs: &[(&str, Value)]) -> Value {
        let mut data = button["data"].clone();
        for (name, value) in inputs {
            // As Teams does: whatever stood under that name is gone.
            data[*name] = value.clone();
        }
        let mut activity = self.activity("invoke", user, &posted.conversation, "channel");
        activity["name"] = "adaptiveCard/action".into();
        activity["replyToId"] = posted.id.as_str().into();
        activity["value"] = json!({
            "action": { "type": "Action.Execute", "title": button["title"], "verb": button["verb"], "data": data },
            "trigger": "manual",
        });
        activity
    }

    /// Somebody's app shows a card and asks how it stands for them.
    pub fn look(&self, user: &str, posted: &Posted) -> Value {
        let mut activity = self.press_button(user, posted, &posted.card()["refresh"]["action"], &[]);
        activity["value"]["trigger"] = "automatic".into();
        activity
    }

    /// Somebody writes to the bot alone.
    pub fn write(&self, user: &str, text: &str) -> Value {
        let talk = self.talk(user);
        let mut activity = self.activity("message", user, &talk, "personal");
        activity["text"] = text.into();
        activity["textFormat"] = "plain".into();
        activity
    }

    /// Somebody writes in the channel, to the bot where `mentions` says so.
    pub fn write_in_channel(&self, user: &str, text: &str, mentions: bool) -> Value {
        let mut activity = self.activity("message", user, &format!("{CHANNEL};messageid=1"), "channel");
        activity["text"] = if mentions { format!("<at>Reeve</at>&nbsp;{text}\n") } else { text.to_owned() }.into();
        activity["entities"] = json!([
            { "type": "clientInfo", "locale": "en-US", "platform": "Web" },
            { "type": "ProductInfo", "id": "Chat" },
        ]);
        if mentions && let Some(entities) = activity["entities"].as_array_mut() {
            entities.push(json!({
                "type": "mention", "text": "<at>Reeve</at>", "mentioned": { "id": BOT, "name": "Reeve" },
            }));
        }
        activity
    }

    /// The bot is added to the team, or taken out of it.
    pub fn team_changes(&self, by: &str, is_in: bool) -> Value {
        self.put_in_team(is_in);
        let mut activity = self.activity("conversationUpdate", by, TEAM, "channel");
        activity["channelData"]["eventType"] = if is_in { "teamMemberAdded" } else { "teamMemberRemoved" }.into();
        activity[if is_in { "membersAdded" } else { "membersRemoved" }] = json!([{ "id": BOT }]);
        activity
    }

    /// Somebody adds the app for themselves, or takes it away.
    pub fn install(&self, user: &str, is_in: bool) -> Value {
        let talk = self.talk(user);
        let mut activity = self.activity("installationUpdate", user, &talk, "personal");
        activity["action"] = if is_in { "add" } else { "remove" }.into();
        activity
    }

    /// The conversation of somebody with the bot.
    fn talk(&self, user: &str) -> String {
        let mut state = self.state();
        let known = state.talks.iter().find(|(_, person)| *person == user).map(|(talk, _)| talk.clone());
        let talk = known.unwrap_or_else(|| format!("a:talk-{}", state.talks.len() + 1));
        state.talks.insert(talk.clone(), user.to_owned());
        talk
    }

    fn activity(&self, kind: &str, user: &str, conversation: &str, scope: &str) -> Value {
        let id = {
            let mut state = self.state();
            state.count += 1;
            format!("f:{:08}-99f6", state.count)
        };
        let mut activity = json!({
            "type": kind,
            "id": id,
            "timestamp": "2026-11-23T04:48:29.378Z",
            "localTimezone": "UTC",
            "serviceUrl": self.service(),
            "channelId": "msteams",
            "from": { "id": format!("29:{user}"), "name": "Ari Approver", "aadObjectId": user },
            "conversation": {
                "id": conversation, "conversationType": scope, "tenantId": TENANT, "isGroup": scope != "personal",
            },
            "recipient": { "id": BOT, "name": "Reeve" },
            "locale": "en-US",
            "channelData": { "tenant": { "id": TENANT }, "source": { "name": "message" } },
        });
        if scope == "channel" {
            activity["channelData"]["team"] = json!({ "id": TEAM });
            activity["channelData"]["channel"] = json!({ "id": CHANNEL });
        }
        activity
    }
}
