//! A language model behind any OpenAI-compatible endpoint, as such endpoints are: `dialect` is how each wants to be asked,
//! `reply` reads what they answer, `refusal` tells apart why they do not.
//!
//! One call: within a slot and the circuit breaker, under one time limit for all its attempts. Nothing of an endpoint's own
//! words leaves here but the answer, which the guard reads: errors are kinds and statuses.

mod dialect;
mod embeddings;
mod message;
mod refusal;
mod reply;
#[cfg(test)]
mod tests;
mod wire;

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use async_trait::async_trait;
use serde_json::Value;
use tokio::sync::Semaphore;

pub use self::embeddings::Embeddings;

use self::dialect::Form;
use self::refusal::{Words, judge};
use self::reply::{NoAnswer, Said};
use self::wire::{Endpoint, Failure, QUESTIONS, Refusal, Wire};
use crate::clock::Clock;
use crate::config::ModelConfig;
use crate::http;
use crate::http::breaker::Breaker;
use crate::http::retry::Retries;
use crate::ports::{LanguageModel, ModelError, ModelReply, ModelRequest};

/// Transient failures in a row after which the endpoint is left alone, and for how long.
const BREAKER_FAILURES: u32 = 5;
const BREAKER_PAUSE: Duration = Duration::from_mins(1);

/// Why the configured model can not be used.
#[derive(Debug, thiserror::Error)]
pub enum SetupError {
    /// Not an address.
    #[error(
        "configuration key `{section}.base_url`: {url} is not an http or https address such as \"http://localhost:8080/v1\""
    )]
    BaseUrl { section: &'static str, url: String },
    /// A key that can not stand in a header.
    #[error("configuration key `{section}.api_key`: the key has characters that can not be sent; check for line breaks")]
    Key { section: &'static str },
    /// No client.
    #[error("the HTTP client can not be made: {0}; check the machine's root certificates")]
    Client(#[from] reqwest::Error),
}

/// How often a question is put, and how long is waited in between.
const RETRIES: Retries = Retries { attempts: 3, first: Duration::from_millis(500), longest: Duration::from_secs(20) };

/// The adapter.
pub struct OpenAi {
    wire: Wire,
    name: String,
    tokens_max: u32,
    timeout: Duration,
    retries: Retries,
    slots: Semaphore,
    breaker: Breaker,
    /// The form that was taken last.
    form: Mutex<Form>,
    clock: Clock,
}

impl OpenAi {
    /// Makes the adapter, or None when no endpoint is configured.
    ///
    /// # Errors
    /// Names the key that can not be used.
    pub fn from_config(config: &ModelConfig, clock: Clock) -> Result<Option<Self>, SetupError> {
        if config.base_url.is_empty() {
            return Ok(None);
        }
        Ok(Some(Self {
            wire: Wire::new(endpoint_of(config), QUESTIONS, http::client(config.timeout)?, clock.clone())?,
            name: config.name.clone(),
            tokens_max: config.tokens_max,
            timeout: config.timeout,
            retries: RETRIES,
            slots: Semaphore::new(config.concurrency.clamp(1, Semaphore::MAX_PERMITS)),
            breaker: Breaker::new(BREAKER_FAILURES, BREAKER_PAUSE),
            form: Mutex::new(Form::FULL),
            clock,
        }))
    }

    /// The same for tests: it pauses next to nothing between attempts.
    #[cfg(test)]
    pub(crate) fn impatient(config: &ModelConfig, clock: Clock) -> Self {
        let mut model = Self::from_config(config, clock).unwrap().expect("an endpoint is configured");
        model.retries.first = Duration::from_millis(1);
        model
    }

    /// Asks, in another form where this one is refused, and again where that may help. The caller bounds the time.
    async fn attempts(&self, request: &ModelRequest) -> Result<(Said, Value), ModelError> {
        let (mut form, mut tried, mut failed, mut inside) = (self.form(), Vec::new(), 0, 0);
        loop {
            let body = form.body(request, &self.name, self.tokens_max);
            let (error, again) = match self.once(&body).await {
                Ok(said) => {
                    self.remember(form);
                    return Ok((said, body));
                }
                Err(Failure::Lost { error, again }) => (error, again),
                Err(Failure::Refused(refusal)) => {
                    let words = Words::of(&refusal);
                    // One call is counted: what may have cost is asked once more and no further.
                    inside += u32::from(refusal.inside);
                    if inside > 1 {
                        return Err(judge(&refusal, &words).0);
                    }
                    // What was refused is not gone back to, or two refusals could send the question to and fro.
                    tried.push(form);
                    if let Some(next) = form.after(&refusal, &words, &tried) {
                        form = next;
                        continue;
                    }
                    if matches!(refusal.status, 400 | 404 | 422) {
                        // What was learned leads nowhere any more: the next question starts anew.
                        self.keep(Form::FULL);
                    }
                    judge(&refusal, &words)
                }
            };
            failed += 1;
            let pause = again.then(|| self.retries.pause(failed, error.retry_after(), rand::random())).flatten();
            let Some(pause) = pause else { return Err(error) };
            tokio::time::sleep(pause).await;
        }
    }

    /// Asks in one form.
    async fn once(&self, body: &Value) -> Result<Said, Failure> {
        let answer = self.wire.post(body).await?;
        let lost = |error| Failure::Lost { error, again: false };
        reply::read(&answer).map_err(|none| {
            // To the log alone: what an endpoint says is shown to nobody (decision 53).
            self.wire.log(200, &String::from_utf8_lossy(&answer[..answer.len().min(4096)]));
            match none {
                // A router answers 200 and puts the status of whoever it asked inside.
                NoAnswer::Error { status: Some(status), body } => {
                    Failure::Refused(Refusal { status, retry_after: None, body, inside: true })
                }
                NoAnswer::Error { status: None, .. } => lost(ModelError::ErrorInside),
                NoAnswer::Unread(unread) => lost(ModelError::Unread(unread)),
                NoAnswer::Declined => lost(ModelError::Declined),
                NoAnswer::Filtered => lost(ModelError::Filtered),
            }
        })
    }

    fn form(&self) -> Form {
        *self.form.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn remember(&self, form: Form) {
        // Whoever asked before the form had to be told in words does not take that back.
        self.keep(if self.form().is_telling() { form.telling() } else { form });
    }

    fn keep(&self, form: Form) {
        let mut kept = self.form.lock().unwrap_or_else(PoisonError::into_inner);
        if *kept != form {
            tracing::info!("The language model's server is asked with {form} from now on");
            *kept = form;
        }
    }
}

#[async_trait]
impl LanguageModel for OpenAi {
    fn name(&self) -> String {
        self.name.clone()
    }

    async fn complete(&self, request: &ModelRequest) -> Result<ModelReply, ModelError> {
        // Nobody closes the slots.
        let _slot = self.slots.acquire().await.map_err(|_| ModelError::Resting(0))?;
        // Measured from here: waiting for a place is not the endpoint's time.
        let started = self.clock.wire();
        self.breaker.admit(started).map_err(|_| ModelError::Resting(BREAKER_FAILURES))?;
        let answer = match tokio::time::timeout(self.timeout, self.attempts(request)).await {
            Ok(answer) => answer,
            Err(_) => Err(ModelError::Late(self.timeout)),
        };
        let now = self.clock.wire();
        match &answer {
            // A refusal is an answer: the endpoint is there.
            Err(error) if error.is_transient() => self.breaker.failed(now),
            _ => self.breaker.answered(),
        }
        let latency_ms = u64::try_from(now.as_millisecond() - started.as_millisecond()).unwrap_or(0);
        let (said, body) = answer?;
        let (tokens, estimated) = tokens_of(&said, body.to_string().len(), self.tokens_max);
        Ok(ModelReply {
            truncated: said.truncated,
            thought: said.thoughts > 0,
            text: said.text,
            tokens,
            estimated,
            latency_ms,
        })
    }

    fn tell_form(&self) {
        self.remember(self.form().telling());
    }

    fn dialect(&self) -> String {
        self.form().to_string()
    }
}

/// The tokens of a call: what the endpoint says where that can be true, else an estimate on the high side. What a call costs
/// is counted by this, and an endpoint that says nothing, or nonsense, must not cost nothing.
fn tokens_of(said: &Said, asked: usize, tokens_max: u32) -> (u64, bool) {
    /// No tokeniser puts so many bytes of text into one token.
    const BYTES_PER_TOKEN_MOST: u64 = 40;
    /// On average; a token of English has four.
    const BYTES_PER_TOKEN: u64 = 3;
    /// More than any model thinks, beyond what it shows.
    const HIDDEN_MOST: u64 = 1_000_000;
    let (asked, answered) = (asked as u64, (said.text.len() + said.thoughts) as u64);
    let [prompt, answer, total] = said.tokens;
    let sum = prompt.zip(answer).map(|(prompt, answer)| prompt.saturating_add(answer));
    let possible = (asked + answered) / BYTES_PER_TOKEN_MOST..=asked + answered + HIDDEN_MOST;
    if let Some(tokens) = total.max(sum).filter(|tokens| *tokens > 0 && possible.contains(tokens)) {
        return (tokens, false);
    }
    // Thoughts that are not shown are paid for up to the limit.
    let hidden = said.truncated || (said.text.is_empty() && answered == 0);
    let answer = answered.div_ceil(BYTES_PER_TOKEN).max(if hidden { u64::from(tokens_max) } else { 1 });
    (asked.div_ceil(BYTES_PER_TOKEN) + answer, true)
}

fn endpoint_of(config: &ModelConfig) -> Endpoint<'_> {
    Endpoint { base_url: &config.base_url, api_key: &config.api_key, timeout: config.timeout, section: "model" }
}

/// The adapter as the port.
///
/// # Errors
/// As [`OpenAi::from_config`].
pub fn model(config: &ModelConfig, clock: Clock) -> Result<Option<Arc<dyn LanguageModel>>, SetupError> {
    Ok(OpenAi::from_config(config, clock)?.map(|model| Arc::new(model) as Arc<dyn LanguageModel>))
}
