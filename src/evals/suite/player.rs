//! A language model that answers from cassettes, and one that is listened to: what is asked and answered is noted either way.
//!
//! Offline a question without a cassette gets no answer; it is noted as such and fails its scenario, for a playbook that stepped in
//! silently would look like a model that did well.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use async_trait::async_trait;
use jiff::civil::Date;

use crate::ports::{LanguageModel, ModelError, ModelReply, ModelRequest, NoWay};
use crate::suites::attempt::Call;
use crate::suites::cassette::{self, Cassette, Origin, request_hash};

/// What records a model's answers.
#[derive(Clone)]
pub struct Recorder {
    /// The model that is asked where no cassette answers.
    pub model: Arc<dyn LanguageModel>,
    /// Which model at which endpoint that is, for its cassettes.
    pub asked: String,
    /// The day that the cassettes say.
    pub today: Date,
}

/// Answers of one scenario.
pub(super) struct Player {
    cassettes: BTreeMap<String, Cassette>,
    folder: PathBuf,
    recorder: Option<Recorder>,
    prompt: String,
    /// Whom it plays.
    name: String,
    calls_max: u32,
    noted: Mutex<Vec<Call>>,
}

impl Player {
    /// Answers from `cassettes`; what they lack is recorded into `folder` where there is a recorder.
    pub(super) fn new(
        cassettes: BTreeMap<String, Cassette>,
        folder: PathBuf,
        recorder: Option<Recorder>,
        prompt: String,
        calls_max: u32,
    ) -> Self {
        let played = cassettes.values().next().map(|cassette| cassette.model.clone());
        let name = recorder.as_ref().map(|r| r.model.name()).or(played).unwrap_or_else(|| "nobody".to_owned());
        Self { cassettes, folder, recorder, prompt, name, calls_max, noted: Mutex::default() }
    }

    fn noted(&self) -> MutexGuard<'_, Vec<Call>> {
        self.noted.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// What was asked, in order.
    pub(super) fn calls(&self) -> Vec<Call> {
        self.noted().clone()
    }

    fn note(&self, request: &str, asked: &ModelRequest, answer: Option<&Cassette>) {
        self.noted().push(Call {
            request: request.to_owned(),
            system: asked.system.clone(),
            user: asked.user.clone(),
            schema: asked.schema.clone(),
            origin: answer.map(|kept| kept.origin),
            asked: answer.map(|kept| kept.asked.clone()).unwrap_or_default(),
            reply: answer.map(|kept| kept.reply.clone()).unwrap_or_default(),
            tokens: answer.map_or(0, |kept| kept.tokens),
        });
    }

    async fn record(&self, recorder: &Recorder, request: &str, asked: &ModelRequest) -> Result<ModelReply, ModelError> {
        let reply = match recorder.model.complete(asked).await {
            Ok(reply) => reply,
            Err(error) => {
                // Unanswered is what the scenario came to, as without a cassette.
                self.note(request, asked, None);
                return Err(error);
            }
        };
        let kept = Cassette {
            origin: Origin::Live,
            model: recorder.model.name(),
            asked: recorder.asked.clone(),
            recorded_on: Some(recorder.today),
            prompt: self.prompt.clone(),
            request: request.to_owned(),
            round: u32::try_from(self.noted().len() + 1).unwrap_or(u32::MAX),
            reply: reply.text.clone(),
            truncated: reply.truncated,
            thought: reply.thought,
            tokens: reply.tokens,
            latency_ms: reply.latency_ms,
        };
        if let Err(error) = cassette::write(&self.folder, &kept) {
            // It would be asked for and paid for once more, and no later run could tell what was judged: it counts as none.
            tracing::error!("The answer can not be kept: {error:#}");
            return Err(ModelError::NoWay(NoWay::Other));
        }
        self.note(request, asked, Some(&kept));
        Ok(reply)
    }
}

#[async_trait]
impl LanguageModel for Player {
    fn name(&self) -> String {
        self.name.clone()
    }

    async fn complete(&self, asked: &ModelRequest) -> Result<ModelReply, ModelError> {
        let request = request_hash(&asked.system, &asked.user, &asked.schema);
        // Bounds what a drafter that keeps asking can cost while its answers are recorded.
        if self.noted().len() >= self.calls_max as usize {
            return Err(ModelError::UsedUp(self.calls_max));
        }
        if let Some(kept) = self.cassettes.get(&request) {
            self.note(&request, asked, Some(kept));
            return Ok(ModelReply {
                text: kept.reply.clone(),
                truncated: kept.truncated,
                thought: kept.thought,
                tokens: kept.tokens,
                estimated: false,
                latency_ms: kept.latency_ms,
            });
        }
        if let Some(recorder) = &self.recorder {
            return self.record(recorder, &request, asked).await;
        }
        self.note(&request, asked, None);
        Err(ModelError::NoWay(NoWay::Other))
    }

    fn tell_form(&self) {
        if let Some(recorder) = &self.recorder {
            recorder.model.tell_form();
        }
    }
}
