//! Vectors of words from an endpoint that speaks OpenAI's dialect: `POST /embeddings`.

use std::sync::atomic::{AtomicUsize, Ordering};

use async_trait::async_trait;
use serde::Deserialize;
use serde_json::json;

use super::wire::{EMBEDDINGS, Endpoint, Failure, Refusal, Wire};
use super::{RETRIES, SetupError};
use crate::clock::Clock;
use crate::config::EmbeddingEndpoint;
use crate::http;
use crate::http::retry::Retries;
use crate::ports::{BoxError, Embedder, PortError};

/// Texts that are sent at once: what every known server takes.
const BATCH: usize = 64;

const SERVICE: &str = "the embedding endpoint";

/// An endpoint that makes vectors of words.
pub struct Embeddings {
    wire: Wire,
    model: String,
    retries: Retries,
    /// How many components its vectors have; 0 before the first. They may not change under one name.
    dimensions: AtomicUsize,
}

/// What comes back, as far as it is read.
#[derive(Deserialize)]
struct Answer {
    data: Vec<Embedded>,
}

#[derive(Deserialize)]
struct Embedded {
    index: usize,
    embedding: Vec<f32>,
}

impl Embeddings {
    /// The adapter for the configured endpoint.
    ///
    /// # Errors
    /// Names the key that can not be used.
    pub fn from_config(config: &EmbeddingEndpoint, clock: Clock) -> Result<Self, SetupError> {
        let EmbeddingEndpoint { base_url, model, api_key, timeout, .. } = config;
        let endpoint = Endpoint { base_url, api_key, timeout: *timeout, section: "memory.endpoint" };
        let wire = Wire::new(endpoint, EMBEDDINGS, http::client(*timeout)?, clock)?;
        Ok(Self { wire, model: model.clone(), retries: RETRIES, dimensions: AtomicUsize::new(0) })
    }

    /// The same for tests: it pauses next to nothing between attempts.
    #[cfg(test)]
    fn impatient(mut self) -> Self {
        self.retries.first = std::time::Duration::from_millis(1);
        self
    }

    async fn batch(&self, texts: &[String]) -> Result<Vec<Vec<f32>>, PortError> {
        let body = json!({ "model": self.model, "input": texts, "encoding_format": "float" });
        let mut failed = 0;
        let answer = loop {
            let (error, after) = match self.wire.post(&body).await {
                Ok(answer) => break answer,
                Err(Failure::Refused(refusal)) => refused(&refusal),
                Err(Failure::Lost { error, again }) => {
                    let source: BoxError = Box::new(error);
                    let error = if again { transient(source) } else { permanent(source) };
                    (error, None)
                }
            };
            failed += 1;
            let again = matches!(error, PortError::Transient { .. });
            let pause = again.then(|| self.retries.pause(failed, after, rand::random())).flatten();
            let Some(pause) = pause else { return Err(error) };
            tokio::time::sleep(pause).await;
        };
        // What it said itself is text from outside, and names nothing that helps.
        let answer: Answer =
            serde_json::from_slice(&answer).map_err(|_| permanent("it answered no list of vectors".into()))?;
        self.in_order(answer, texts.len())
    }

    /// The vectors by the places of their texts, of length one each.
    fn in_order(&self, answer: Answer, texts: usize) -> Result<Vec<Vec<f32>>, PortError> {
        let mut vectors = vec![Vec::new(); texts];
        for Embedded { index, embedding } in answer.data {
            // A text that got two vectors: nobody knows which is its own.
            let place = vectors.get_mut(index).filter(|place| place.is_empty());
            *place.ok_or_else(|| permanent("it answered more vectors than it was sent texts".into()))? = embedding;
        }
        // Where the settings do not say how long vectors are, the first answer does:
        // another model behind the address is noticed.
        let dimensions = self.dimensions.load(Ordering::Relaxed);
        let dimensions = if dimensions == 0 { vectors.first().map_or(0, Vec::len) } else { dimensions };
        for vector in &mut vectors {
            let length = vector.iter().map(|component| component * component).sum::<f32>().sqrt();
            let is_one = vector.len() == dimensions && length.is_finite() && length > 0.0;
            if !is_one {
                return Err(permanent("it left out a vector, or answered vectors of different lengths".into()));
            }
            for component in vector.iter_mut() {
                *component /= length;
            }
        }
        self.dimensions.store(dimensions, Ordering::Relaxed);
        Ok(vectors)
    }
}

/// What a refusal means, and how long it asked to be left alone.
fn refused(refusal: &Refusal) -> (PortError, Option<std::time::Duration>) {
    let Refusal { status, retry_after, .. } = *refusal;
    let said = |what: &str| -> BoxError { format!("it answered {status}: {what}").into() };
    let error = match status {
        401 | 403 => permanent(said("the key is not accepted; check memory.endpoint.api_key")),
        404 => permanent(said("no such address or model; check memory.endpoint.base_url and model")),
        408 | 425 | 429 | 500..=599 => {
            PortError::Transient { service: SERVICE, retry_after, source: said("try again later") }
        }
        _ => permanent(said("it does not take such a request; check memory.endpoint.model")),
    };
    (error, retry_after)
}

fn transient(source: BoxError) -> PortError {
    PortError::Transient { service: SERVICE, retry_after: None, source }
}

fn permanent(source: BoxError) -> PortError {
    PortError::Permanent { service: SERVICE, source }
}

#[async_trait]
impl Embedder for Embeddings {
    fn name(&self) -> String {
        format!("endpoint/{}", self.model)
    }

    async fn embed(&self, texts: &[String]) -> Result<Vec<Vec<f32>>, PortError> {
        let mut made = Vec::with_capacity(texts.len());
        for some in texts.chunks(BATCH) {
            made.extend(self.batch(some).await?);
        }
        Ok(made)
    }
}

#[cfg(test)]
mod tests {
    #![expect(clippy::disallowed_methods, reason = "what a test starts ends with the test's runtime")]

    use super::*;
    use axum::Json;
    use axum::extract::State;
    use axum::http::StatusCode;
    use axum::response::{IntoResponse as _, Response};
    use axum::routing::post;
    use secrecy::SecretString;
    use serde_json::Value;
    use std::sync::Arc;
    use std::sync::atomic::AtomicU32;

    /// An endpoint that answers by the text: its length as the first component, in the order turned round.
    async fn answer(State(asked): State<Arc<AtomicU32>>, Json(body): Json<Value>) -> Response {
        let texts: Vec<String> = serde_json::from_value(body["input"].clone()).unwrap();
        let n = asked.fetch_add(1, Ordering::SeqCst);
        match texts[0].as_str() {
            "busy" if n == 0 => (StatusCode::TOO_MANY_REQUESTS, [("retry-after", "0")]).into_response(),
            "refused" => StatusCode::UNAUTHORIZED.into_response(),
            "nonsense" => "nothing of the kind".into_response(),
            "short" => Json(json!({ "data": [] })).into_response(),
            _ => {
                let vectors = texts.iter().enumerate().rev();
                let vectors = vectors.map(|(index, text)| json!({ "index": index, "embedding": [text.len(), 1.0] }));
                Json(json!({ "data": vectors.collect::<Vec<_>>(), "model": "m" })).into_response()
            }
        }
    }

    async fn endpoint() -> (Embeddings, Arc<AtomicU32>) {
        let asked = Arc::new(AtomicU32::new(0));
        let app = axum::Router::new().route("/v1/embeddings", post(answer)).with_state(Arc::clone(&asked));
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let base_url = format!("http://{}/v1", listener.local_addr().unwrap());
        tokio::spawn(async move { axum::serve(listener, app).await });
        let config = EmbeddingEndpoint {
            base_url,
            model: "m".into(),
            dimensions: 0,
            api_key: SecretString::from("k"),
            api_key_file: String::new(),
            timeout: std::time::Duration::from_secs(5),
        };
        (Embeddings::from_config(&config, Clock::System).unwrap().impatient(), asked)
    }

    #[tokio::test]
    async fn vectors_come_in_the_order_of_the_texts_each_of_length_one() {
        let (it, asked) = endpoint().await;
        let texts: Vec<String> = (1..=130).map(|n| "x".repeat(n)).collect();
        let made = it.embed(&texts).await.unwrap();
        assert_eq!((made.len(), asked.load(Ordering::SeqCst)), (130, 3));
        for (text, vector) in texts.iter().zip(&made) {
            let length = vector.iter().map(|c| c * c).sum::<f32>().sqrt();
            assert!((length - 1.0).abs() < 1e-5, "{vector:?}");
            assert!((vector[0] / vector[1] - text.len() as f32).abs() < 1e-2, "{} {vector:?}", text.len());
        }
    }

    #[tokio::test]
    async fn what_may_work_later_is_asked_again_and_what_will_not_is_told() {
        let (it, asked) = endpoint().await;
        assert_eq!(it.embed(&["busy".to_owned()]).await.unwrap().len(), 1);
        assert_eq!(asked.load(Ordering::SeqCst), 2, "asked again");
        for (text, says) in [("refused", "api_key"), ("nonsense", "no list of vectors"), ("short", "left out a vector")] {
            let error = it.embed(&[text.to_owned()]).await.unwrap_err();
            assert!(matches!(error, PortError::Permanent { .. }), "{text}: {error}");
            let said = crate::domain::words::with_causes(&error);
            assert!(said.contains(says), "{text}: {said}");
        }
    }
}
