//! How a chat answers: what every chat has to be able to say, in its own way.

use async_trait::async_trait;
use serde_json::Value;

use super::heard::Press;
use crate::cards::form::ChatForm;
use crate::domain::ids::CaseId;
use crate::people::{ChatChannel, ChatUser};
use crate::ports::PortError;

/// What goes back to whoever asked by the request itself, in the chat's own form; None where the answer went another way.
pub type Reply = Option<Value>;

/// A chat's own part. It is told what to say and to whom, and draws it.
#[async_trait]
pub trait Voice: Send + Sync {
    /// Which chat.
    fn chat(&self) -> ChatChannel;

    /// Answers whoever asked, and nobody else. `back` is what came with the request.
    async fn say(&self, back: &Value, who: &ChatUser, answer: &Answer) -> Result<Reply, PortError>;

    /// Shows a form to whoever asked for it. `press` is what it is for.
    async fn ask(&self, back: &Value, press: &Press, form: &ChatForm) -> Result<Reply, PortError>;

    /// What is answered where something is wrong with a field of what was sent, in a chat that says so by the request itself.
    fn at_field(&self, _back: &Value, _field: &str, _says: &str) -> Reply {
        None
    }

    /// Tells whoever asked what came of it after all, where their request itself was answered before that was known.
    async fn afterwards(&self, _back: &Value, _who: &ChatUser, _reply: &Value) -> Result<(), PortError> {
        Ok(())
    }

    /// Shows somebody's own page in the chat, where it has one.
    async fn show_home(&self, who: &ChatUser, waiting: &Waiting) -> Result<(), PortError>;
}

/// What somebody is answered.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Answer {
    /// In a sentence or two.
    pub text: String,
    /// A button that takes back what was just done, where that can be done.
    pub undo: Option<Press>,
    /// Where to read on.
    pub link: Option<String>,
    /// A list, where they asked for one.
    pub waiting: Option<Waiting>,
    /// The case that a decision of theirs was counted on.
    pub decided: Option<CaseId>,
}

impl Answer {
    /// Words alone.
    pub fn words(text: impl Into<String>) -> Self {
        Self { text: text.into(), ..Self::default() }
    }
}

/// What waits for somebody.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Waiting {
    /// What stands above it: for whom it is, or how to be known.
    pub title: String,
    /// The first of them.
    pub lines: Vec<WaitingLine>,
    /// How many there are in all.
    pub of: usize,
    /// Where the whole queue is.
    pub link: Option<String>,
}

/// A case that waits.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WaitingLine {
    /// What happened.
    pub headline: String,
    /// Money and time.
    pub stakes: String,
    /// What is recommended.
    pub action: String,
    /// By which it is opened here.
    pub press: Option<Press>,
    /// Its page.
    pub link: Option<String>,
}
