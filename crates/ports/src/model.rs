//! The language model: what it is asked, what it answers, and why it does not.

use std::time::Duration;

use async_trait::async_trait;

/// What a language model is asked.
#[derive(Clone, Debug)]
pub struct ModelRequest {
    /// The rules.
    pub system: String,
    /// The case, with text from outside fenced.
    pub user: String,
    /// The answer's form in words, schema included: for an endpoint that does not hold its model to a schema.
    pub form: String,
    /// Name of the answer's schema.
    pub schema_name: String,
    /// JSON schema of the answer, strict.
    pub schema: serde_json::Value,
}

/// What it answered.
#[derive(Clone, Debug)]
pub struct ModelReply {
    /// The text, which should hold JSON of the asked schema. Nothing in it is trusted.
    pub text: String,
    /// Was the answer cut short?
    pub truncated: bool,
    /// Did the model think first, in text that is told apart from the answer?
    pub thought: bool,
    /// Tokens of prompt and answer.
    pub tokens: u64,
    /// Are the tokens estimated, because the endpoint gave no number that can be true?
    pub estimated: bool,
    /// How long it took.
    pub latency_ms: u64,
}

/// A language model. Its words are a draft; it can not act.
#[async_trait]
pub trait LanguageModel: Send + Sync {
    /// The configured model's name.
    fn name(&self) -> String;

    /// Asks once.
    ///
    /// # Errors
    /// What kept it from answering, in words of ours alone.
    async fn complete(&self, request: &ModelRequest) -> Result<ModelReply, ModelError>;

    /// The last answer had not the asked form: from now on the form is told in words too.
    fn tell_form(&self) {}

    /// How the endpoint wants to be asked, as far as it is known: `max_completion_tokens, no temperature, json_object`.
    fn dialect(&self) -> String {
        String::new()
    }
}

/// Why a language model gave no answer: a kind, and at most a status. It can hold no word of the endpoint, so that it may
/// stand wherever people read: on a card, in a digest, in a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ModelError {
    /// There is no connection.
    #[error("the language model can not be reached ({0})")]
    NoWay(NoWay),
    /// It did not answer in time.
    #[error("the language model gave no answer within {} s", .0.as_secs_f32())]
    Late(Duration),
    /// It failed too often in a row.
    #[error("the language model failed {0} times in a row and is left alone for a while")]
    Resting(u32),
    /// Too much is asked of it.
    #[error("the language model is busy ({status})")]
    Busy {
        /// The HTTP status.
        status: u16,
        /// When it asked to be left alone until.
        retry_after: Option<Duration>,
    },
    /// Its server fails.
    #[error("the language model's server fails ({status})")]
    Down {
        /// The HTTP status.
        status: u16,
        /// When it asked to be left alone until.
        retry_after: Option<Duration>,
    },
    /// The key is refused.
    #[error("the language model's server refused the key ({0})")]
    Key(u16),
    /// There is nothing at the address.
    #[error("there is no language model at its address ({0})")]
    NoPath(u16),
    /// There is no model of the name.
    #[error("the language model's server knows no model of that name ({0})")]
    NoModel(u16),
    /// The account is empty.
    #[error("the language model's account has nothing left to spend ({0})")]
    Quota(u16),
    /// The prompt does not fit.
    #[error("the case is too long for the language model ({0})")]
    TooLong(u16),
    /// The limit of tokens is beyond what it gives.
    #[error("the language model's server gives no answer of that many tokens ({0})")]
    Limit(u16),
    /// It sends to another address.
    #[error("the language model's address sends elsewhere ({0})")]
    Elsewhere(u16),
    /// It refused for another reason.
    #[error("the language model's server refused the request ({0})")]
    Refused(u16),
    /// It answered with an error and no status.
    #[error("the language model's server answered with an error in place of a chat completion")]
    ErrorInside,
    /// The model would not.
    #[error("the language model declined to answer")]
    Declined,
    /// A filter between model and us.
    #[error("a content filter withheld the language model's answer")]
    Filtered,
    /// It answered, and that can not be read.
    #[error("{0}")]
    Unread(Unread),
    /// The budget.
    #[error("the day's {0} model calls are used up")]
    UsedUp(u32),
    /// The budget can not be kept, so nothing is spent.
    #[error("the count of model calls can not be kept in the store")]
    Uncounted,
    /// People have stopped Reeve: nothing is asked.
    #[error("Reeve is stopped, so no language model is asked")]
    Stopped,
}

impl ModelError {
    /// May it work later, without anybody doing anything?
    pub fn is_transient(&self) -> bool {
        matches!(self, Self::NoWay(_) | Self::Late(_) | Self::Resting(_) | Self::Busy { .. } | Self::Down { .. })
    }

    /// When the endpoint asked to be left alone until.
    pub fn retry_after(&self) -> Option<Duration> {
        match self {
            Self::Busy { retry_after, .. } | Self::Down { retry_after, .. } => *retry_after,
            _ => None,
        }
    }

    /// What whoever runs Reeve can do about it.
    pub fn remedy(&self) -> &'static str {
        match self {
            Self::NoWay(NoWay::Refused) => {
                "nothing listens there: start the model's server or check the port in model.base_url"
            }
            Self::NoWay(NoWay::Name) => "check the host in model.base_url",
            Self::NoWay(NoWay::Certificate) => {
                "add its certificate authority to the machine's, or use http for a server on this machine"
            }
            Self::NoWay(NoWay::BrokeOff | NoWay::Other) => "check model.base_url, the network and the server's own log",
            Self::Late(_) => "raise model.timeout or use a faster model",
            Self::Resting(_) | Self::Down { .. } => "see the server's own log",
            Self::Busy { .. } => "it is asked again later; a lower model.concurrency asks less at once",
            Self::Key(_) => "check model.api_key or model.api_key_file",
            Self::NoPath(_) => "check model.base_url: does it end in /v1 or what the server has in its place?",
            Self::NoModel(_) => "check model.name against the server's list of models",
            Self::Quota(_) => "see the account's limits and payments at the provider",
            Self::TooLong(_) => "give the model a context of 8000 tokens or more",
            Self::Limit(_) => "lower model.tokens_max",
            Self::Elsewhere(_) => "set model.base_url to where it sends, if that is right; redirects are not followed",
            Self::Refused(_) => {
                "see the server's own log, or what it said with `reeve -vv doctor`; check model.name and model.tokens_max"
            }
            Self::ErrorInside => "see the server's own log, or what it said with `reeve -vv doctor`",
            Self::Declined | Self::Filtered => "use another model, or loosen the provider's filter",
            Self::Unread(Unread::Page) => {
                "something else answers there: check model.base_url (does it end in /v1?) and any proxy in between"
            }
            Self::Unread(_) => "check that model.base_url leads to an OpenAI-compatible server",
            Self::UsedUp(_) => "raise model.calls_per_day",
            Self::Uncounted => "run `reeve doctor`: the store can not be written",
            Self::Stopped => "`reeve resume` ends the stop; docs/GOLIVE.md",
        }
    }
}

/// Why there is no connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NoWay {
    /// Nobody listens.
    #[error("connection refused")]
    Refused,
    /// The host's name is not known.
    #[error("its name is not known")]
    Name,
    /// No trust.
    #[error("its certificate is not trusted")]
    Certificate,
    /// It ended before the answer did.
    #[error("the connection broke off")]
    BrokeOff,
    /// Anything else.
    #[error("no connection")]
    Other,
}

/// Why an answer can not be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Unread {
    /// A field that is needed is missing, or holds something else.
    #[error("the language model's answer had another form ({0})")]
    Field(&'static str),
    /// There is nothing in it.
    #[error("the language model's answer is not a chat completion (it is empty)")]
    Empty,
    /// A page for a browser.
    #[error("the language model's answer is not a chat completion (it is an HTML page)")]
    Page,
    /// Something else.
    #[error("the language model's answer is not a chat completion (it is not JSON)")]
    NotJson,
    /// It breaks off.
    #[error("the language model's answer is not a chat completion (it breaks off)")]
    Cut,
    /// More than anybody would read, in MiB.
    #[error("the language model's answer is not a chat completion (it is longer than {0} MiB)")]
    TooLong(usize),
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_error_is_one_short_line_with_a_remedy() {
        let status = 500;
        for error in [
            ModelError::NoWay(NoWay::Refused),
            ModelError::Late(Duration::from_millis(1500)),
            ModelError::Resting(5),
            ModelError::Busy { status, retry_after: None },
            ModelError::Down { status, retry_after: None },
            ModelError::Key(status),
            ModelError::NoPath(status),
            ModelError::NoModel(status),
            ModelError::Quota(status),
            ModelError::TooLong(status),
            ModelError::Limit(status),
            ModelError::Elsewhere(status),
            ModelError::Refused(status),
            ModelError::ErrorInside,
            ModelError::Declined,
            ModelError::Filtered,
            ModelError::Unread(Unread::Field("choices")),
            ModelError::UsedUp(8),
            ModelError::Uncounted,
            ModelError::Stopped,
        ] {
            let said = error.to_string();
            // A head line is cut at a colon: the reason of an error has none.
            assert!(said.len() < 110 && !said.contains([':', ';', '\n']), "{said}");
            assert!(!error.remedy().is_empty());
        }
    }
}
