//! Every way out of the process: small traits that adapters fill. The inside knows no vendor.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use jiff::Timestamp;

use crate::domain::record::Observed;

/// A source's error, boxed.
pub type BoxError = Box<dyn std::error::Error + Send + Sync>;

/// Why an outside system did not do what was asked. Callers ask one thing: is it worth trying again?
#[derive(Debug, thiserror::Error)]
pub enum PortError {
    /// It may work later.
    #[error("{service} is unavailable")]
    Transient {
        /// Which system.
        service: &'static str,
        /// When it asked to be left alone until.
        retry_after: Option<Duration>,
        /// What happened.
        source: BoxError,
    },
    /// It will not work however often it is tried.
    #[error("{service} refused the request")]
    Permanent {
        /// Which system.
        service: &'static str,
        /// What happened.
        source: BoxError,
    },
}

/// A page of records, in the order in which a reader could have seen them.
#[derive(Clone, Debug, Default)]
pub struct Page {
    /// The records.
    pub observed: Vec<Observed>,
    /// Where the next page starts. Opaque to everybody but the source.
    pub next: String,
    /// Is there more up to the asked time?
    pub more: bool,
}

/// Where records come from. It can only read: there is no method by which anything could be written.
#[async_trait]
pub trait Source: Send + Sync {
    /// Names the source and what it holds; the store refuses to mix two that differ.
    fn identity(&self) -> String;

    /// Reads records that became visible after `cursor` (None: from the beginning) and not later than `until`, at most
    /// `limit` of them.
    async fn read(&self, cursor: Option<&str>, until: Timestamp, limit: usize) -> Result<Page, PortError>;

    /// The first and last time at which anything changed, for sources that have an end.
    fn span(&self) -> Option<(Timestamp, Timestamp)>;
}

/// What a language model is asked.
#[derive(Clone, Debug)]
pub struct ModelRequest {
    /// The rules.
    pub system: String,
    /// The case, with text from outside fenced.
    pub user: String,
    /// Name of the answer's schema.
    pub schema_name: String,
    /// JSON schema of the answer, strict.
    pub schema: serde_json::Value,
}

/// What it answered.
#[derive(Clone, Debug)]
pub struct ModelReply {
    /// The text, which should be JSON of the asked schema. Nothing in it is trusted.
    pub text: String,
    /// The model that answered.
    pub model: String,
    /// Was the answer cut short?
    pub truncated: bool,
    /// Tokens of prompt and answer.
    pub tokens: u64,
    /// How long it took.
    pub latency_ms: u64,
}

/// A language model. Its words are a draft; it can not act.
#[async_trait]
pub trait LanguageModel: Send + Sync {
    /// The configured model's name.
    fn name(&self) -> String;

    /// Asks once.
    async fn complete(&self, request: &ModelRequest) -> Result<ModelReply, PortError>;
}

/// A message on its way out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Outgoing {
    /// The same for every attempt: the receiver's idempotency key.
    pub id: String,
    /// The body, as it was signed off: never changed between attempts.
    pub body: String,
    /// The time of this attempt.
    pub at: Timestamp,
}

/// Sends a message to one channel.
#[async_trait]
pub trait Sender: Send + Sync {
    /// Sends once. Ok means the receiver acknowledged.
    async fn send(&self, message: &Outgoing) -> Result<(), PortError>;
}

/// All the ways out that a process has.
#[derive(Clone)]
pub struct Ports {
    /// The ERP, or a recording of one.
    pub source: Arc<dyn Source>,
    /// A language model, where one is configured.
    pub model: Option<Arc<dyn LanguageModel>>,
    /// Who is told about approved recommendations, where a receiver is configured.
    pub webhook: Option<Arc<dyn Sender>>,
}
