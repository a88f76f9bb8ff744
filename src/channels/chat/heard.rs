//! What somebody asked for in a chat, whatever the chat is called and however it says it.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::approve::{Loose, Unclear};
use crate::domain::decision::DecisionVerb;
use crate::domain::ids::content_hash;
use crate::people::{ChatChannel, ChatUser, IdentityRefused};

/// A request from a chat, as it is kept until it is done with.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Heard {
    /// Made of the chat's own name for the click: the same click twice is one request.
    pub id: String,
    /// The workspace or directory of whoever asks.
    pub tenant: String,
    /// Who asks, as the chat itself identifies them. Never a name.
    pub user: String,
    /// What they want.
    pub wish: Wish,
    /// Where the answer goes. Only the chat's own part can read it.
    pub back: Value,
}

/// What is wanted.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Wish {
    /// To decide, with what was filled in where there was a form.
    Decide {
        /// What was pressed.
        press: Press,
        /// The form's fields, by name.
        #[serde(default)]
        fields: BTreeMap<String, String>,
    },
    /// To be shown the form for a decision, or why something is proposed.
    Open(Press),
    /// To be taken for the person who was told this code.
    Link(String),
    /// To see what waits for oneself, in the conversation.
    Queue,
    /// The same, on one's own page in the chat.
    Home,
    /// To know what can be asked.
    Help,
}

/// A button: what it does, on which recommendation, with which content. It fits in any chat's button.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Press {
    /// What it does: a verb of decisions, or `why`.
    #[serde(rename = "v")]
    pub verb: String,
    /// On what.
    #[serde(rename = "r")]
    pub recommendation: String,
    /// The content that was shown.
    #[serde(rename = "h")]
    pub content_hash: String,
    /// How often it had moved when it was shown.
    #[serde(rename = "n")]
    pub version: i64,
}

impl Press {
    /// The verb that asks for the arithmetic. It decides nothing.
    pub const WHY: &'static str = "why";

    /// The same button with another verb.
    #[must_use]
    pub fn to(&self, verb: &str) -> Self {
        Self { verb: verb.to_owned(), ..self.clone() }
    }

    /// What pressing it asks for: a form, where one is to be filled in first. None where no button of a chat says that.
    pub fn wish(self) -> Option<Wish> {
        if self.verb == Self::WHY {
            return Some(Wish::Open(self));
        }
        match DecisionVerb::asked(&self.verb)? {
            DecisionVerb::Approve | DecisionVerb::Undo | DecisionVerb::Return => {
                Some(Wish::Decide { press: self, fields: BTreeMap::new() })
            }
            DecisionVerb::Edit | DecisionVerb::Reject | DecisionVerb::Snooze | DecisionVerb::Forward => {
                Some(Wish::Open(self))
            }
            DecisionVerb::Merge | DecisionVerb::Drill => None,
        }
    }
}

impl Heard {
    /// Who asks.
    ///
    /// # Errors
    /// Where what the chat says can be nobody's id.
    pub fn who(&self, chat: ChatChannel) -> Result<ChatUser, IdentityRefused> {
        ChatUser::new(chat, &self.tenant, &self.user)
    }

    /// What is asked, in loose fields. The key is made of who asks and of what was shown and typed: one button pressed twice is one
    /// decision, what is pressed after it was shown anew is another.
    pub fn loose(&self, chat: ChatChannel, press: &Press, fields: &BTreeMap<String, String>) -> Loose {
        let field = |name: &str| fields.get(name).cloned().unwrap_or_default();
        // A quantity or day that was left empty means: as proposed.
        let typed = |name: &str| fields.get(name).filter(|text| !text.trim().is_empty()).cloned();
        let version = press.version.to_string();
        let mut parts =
            vec![chat.name(), &self.tenant, &self.user, &press.recommendation, &press.content_hash, &version, &press.verb];
        for (name, text) in fields {
            parts.extend([name.as_str(), text.as_str()]);
        }
        Loose {
            recommendation: press.recommendation.clone(),
            content_hash: press.content_hash.clone(),
            key: content_hash(&parts),
            verb: press.verb.clone(),
            step: field("step"),
            quantity: typed("quantity"),
            date: typed("date"),
            reason: field("reason"),
            note: field("note").chars().take(NOTE_MAX).collect(),
            until: field("until"),
            wake: field("wake"),
            above: field("above"),
            to: field("to"),
            into: field("into"),
        }
    }
}

/// Longest note that is kept, in characters, as on the page.
const NOTE_MAX: usize = 500;

/// The field in which something could not be read.
pub fn field_of(unclear: &Unclear) -> &'static str {
    match unclear {
        Unclear::Quantity(_) => "quantity",
        Unclear::Step(..) => "step",
        Unclear::Reason(_) => "reason",
        Unclear::Day { field, .. } => field,
        Unclear::Case(_) => "into",
        Unclear::Nobody => "to",
        Unclear::Above(_) => "above",
        Unclear::Wake(_) => "wake",
        Unclear::Verb(_) => "",
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn heard() -> Heard {
        let press = Press { verb: "reject".into(), recommendation: "r-1".into(), content_hash: "h".into(), version: 3 };
        let fields = BTreeMap::from([("reason".to_owned(), "not-real".to_owned())]);
        Heard {
            id: "slack/t1".into(),
            tenant: "T1".into(),
            user: "U1".into(),
            wish: Wish::Decide { press, fields },
            back: json!({"trigger": "t1"}),
        }
    }

    fn key(heard: &Heard) -> String {
        let Wish::Decide { press, fields } = &heard.wish else { panic!("it decides") };
        heard.loose(ChatChannel::Slack, press, fields).key
    }

    #[test]
    fn one_button_pressed_twice_is_one_decision_and_anything_else_is_another() {
        let first = heard();
        let again = Heard { id: "slack/t2".into(), back: json!({}), ..heard() };
        assert_eq!(key(&first), key(&again));
        let change = |change: fn(&mut Heard)| {
            let mut other = heard();
            change(&mut other);
            key(&other)
        };
        let press = |heard: &mut Heard, change: fn(&mut Press)| {
            if let Wish::Decide { press, .. } = &mut heard.wish {
                change(press);
            }
        };
        let others = [
            change(|h| h.user = "U2".into()),
            change(|h| h.tenant = "T2".into()),
            change(|h| {
                if let Wish::Decide { fields, .. } = &mut h.wish {
                    fields.insert("note".into(), "x".into());
                }
            }),
            {
                let mut other = heard();
                press(&mut other, |p| p.version = 4);
                key(&other)
            },
            {
                let mut other = heard();
                press(&mut other, |p| p.content_hash = "h2".into());
                key(&other)
            },
        ];
        assert!(!others.contains(&key(&first)));
    }

    #[test]
    fn what_is_kept_reads_back() {
        let kept = serde_json::to_string(&heard()).unwrap();
        assert_eq!(serde_json::from_str::<Heard>(&kept).unwrap(), heard());
    }
}
