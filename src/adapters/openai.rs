//! A language model behind any OpenAI-compatible endpoint.
//!
//! One call: within a slot and the circuit breaker, under one time limit for all its attempts. The retries are our own: the
//! client's honour a Retry-After of any length. A refusal is classified by its status and raw body before the client parses
//! it: endpoints put numbers where its error type wants text, and the status would be lost. Messages of errors never hold
//! the key.

use std::sync::Arc;
use std::time::Duration;

use async_openai::Client;
use async_openai::config::Config as EndpointConfig;
use async_openai::error::OpenAIError;
use async_openai::middleware::HttpRequestFactory;
use async_openai::types::chat::{
    ChatCompletionRequestSystemMessage, ChatCompletionRequestUserMessage, CreateChatCompletionRequest,
    CreateChatCompletionResponse, FinishReason, ResponseFormat, ResponseFormatJsonSchema,
};
use async_trait::async_trait;
use jiff::Timestamp;
use reqwest::StatusCode;
use reqwest::header::{AUTHORIZATION, HeaderMap, HeaderValue, RETRY_AFTER};
use secrecy::{ExposeSecret, SecretString};
use tokio::sync::Semaphore;

use super::breaker::Breaker;
use super::http;
use crate::clock::Clock;
use crate::config::ModelConfig;
use crate::domain::text::clean;
use crate::ports::{BoxError, LanguageModel, ModelReply, ModelRequest, PortError};

const SERVICE: &str = "language model";
/// The same question gives the same answer, as far as the endpoint can.
const SEED: i64 = 7;
/// Transient failures in a row after which the endpoint is left alone, and for how long.
const BREAKER_FAILURES: u32 = 5;
const BREAKER_PAUSE: Duration = Duration::from_mins(1);
/// Longest piece of a refusal's body that is read (bytes) and shown (characters).
const BODY_READ: usize = 4096;
const BODY_SHOWN: usize = 200;

/// Why the configured model can not be used.
#[derive(Debug, thiserror::Error)]
pub enum SetupError {
    /// Not an address.
    #[error(
        "configuration key `model.base_url`: {0:?} is not an http or https address such as \"http://localhost:8080/v1\""
    )]
    BaseUrl(String),
    /// A key that can not stand in a header.
    #[error("configuration key `model.api_key`: the key has characters that can not be sent; check for line breaks")]
    Key,
    /// No client.
    #[error("the HTTP client can not be made: {0}; check the machine's root certificates")]
    Client(#[from] reqwest::Error),
}

/// When and how often a failed attempt is repeated.
#[derive(Clone, Copy, Debug)]
struct Retries {
    /// Attempts after the first.
    max: u32,
    /// The first pause; it doubles.
    base: Duration,
    /// A Retry-After beyond this is not waited for: the caller is told instead.
    longest: Duration,
}

const RETRIES: Retries = Retries { max: 2, base: Duration::from_millis(500), longest: Duration::from_secs(20) };

/// The adapter.
pub struct OpenAi {
    client: Client<Endpoint>,
    endpoint: Endpoint,
    name: String,
    tokens_max: u32,
    timeout: Duration,
    retries: Retries,
    slots: Semaphore,
    breaker: Breaker,
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
        let endpoint = Endpoint::new(config)?;
        let http = http::client(config.timeout)?;
        let sender = http.clone();
        let told = clock.clone();
        let service = tower::service_fn(move |request: HttpRequestFactory| send(sender.clone(), told.clone(), request));
        Ok(Some(Self {
            client: Client::build(http, endpoint.clone()).with_http_service(service),
            endpoint,
            name: config.name.clone(),
            tokens_max: config.tokens_max,
            timeout: config.timeout,
            retries: RETRIES,
            slots: Semaphore::new(config.concurrency.clamp(1, Semaphore::MAX_PERMITS)),
            breaker: Breaker::new(BREAKER_FAILURES, BREAKER_PAUSE),
            clock,
        }))
    }

    /// Asks, and asks again where that may help. The caller bounds the time.
    async fn attempts(&self, request: &CreateChatCompletionRequest) -> Result<CreateChatCompletionResponse, PortError> {
        let mut attempt = 0;
        loop {
            let error = match self.client.chat().create(request.clone()).await {
                Ok(response) => return Ok(response),
                Err(error) => error,
            };
            let failure = classify(&error, &self.endpoint);
            let Failure { error: PortError::Transient { retry_after, .. }, again: true } = &failure else {
                return Err(failure.error);
            };
            let pause = retry_after.unwrap_or_else(|| self.retries.base * 2_u32.pow(attempt).min(64));
            if attempt >= self.retries.max || pause > self.retries.longest {
                return Err(failure.error);
            }
            attempt += 1;
            // Up to half as long again, so that callers who failed together do not come back together.
            tokio::time::sleep(pause.mul_f64(1.0 + rand::random::<f64>() / 2.0)).await;
        }
    }

    fn body(&self, request: &ModelRequest) -> CreateChatCompletionRequest {
        #[expect(deprecated, reason = "compatible endpoints know max_tokens and seed; few know their successors")]
        CreateChatCompletionRequest {
            model: self.name.clone(),
            messages: vec![
                ChatCompletionRequestSystemMessage::from(request.system.as_str()).into(),
                ChatCompletionRequestUserMessage::from(request.user.as_str()).into(),
            ],
            response_format: Some(ResponseFormat::JsonSchema {
                json_schema: ResponseFormatJsonSchema {
                    description: None,
                    name: request.schema_name.clone(),
                    schema: request.schema.clone(),
                    strict: Some(true),
                },
            }),
            temperature: Some(0.0),
            seed: Some(SEED),
            max_tokens: Some(self.tokens_max),
            ..CreateChatCompletionRequest::default()
        }
    }
}

#[async_trait]
impl LanguageModel for OpenAi {
    fn name(&self) -> String {
        self.name.clone()
    }

    async fn complete(&self, request: &ModelRequest) -> Result<ModelReply, PortError> {
        let _slot = self.slots.acquire().await.map_err(|closed| permanent(closed.to_string()))?;
        let started = self.clock.wire();
        self.breaker.admit(started).map_err(|rest| {
            transient(Some(rest), format!("it failed {BREAKER_FAILURES} times in a row and is left alone for a while"))
        })?;
        let body = self.body(request);
        let answer = match tokio::time::timeout(self.timeout, self.attempts(&body)).await {
            Ok(answer) => answer,
            Err(_) => Err(transient(None, format!("no answer within {} s", self.timeout.as_secs_f32()))),
        };
        let now = self.clock.wire();
        match &answer {
            Err(PortError::Transient { .. }) => self.breaker.failed(now),
            _ => self.breaker.answered(),
        }
        let latency_ms = u64::try_from(now.as_millisecond() - started.as_millisecond()).unwrap_or(0);
        reply(answer?, latency_ms)
    }
}

fn reply(response: CreateChatCompletionResponse, latency_ms: u64) -> Result<ModelReply, PortError> {
    let tokens = response.usage.map_or(0, |usage| u64::from(usage.total_tokens));
    let Some(choice) = response.choices.into_iter().next() else {
        return Err(permanent("it answered without a choice".to_owned()));
    };
    if let Some(refusal) = choice.message.refusal.filter(|text| !text.is_empty()) {
        return Err(permanent(format!("it declined: {}", clean(&refusal, BODY_SHOWN))));
    }
    if choice.finish_reason == Some(FinishReason::ContentFilter) {
        return Err(permanent("its content filter withheld the answer".to_owned()));
    }
    Ok(ModelReply {
        text: choice.message.content.unwrap_or_default(),
        model: clean(&response.model, 80),
        truncated: choice.finish_reason == Some(FinishReason::Length),
        tokens,
        latency_ms,
    })
}

/// Where to ask, and with which key. The library's own configuration would read the environment.
#[derive(Clone, Debug)]
struct Endpoint {
    base_url: String,
    key: SecretString,
    headers: HeaderMap,
}

impl Endpoint {
    fn new(config: &ModelConfig) -> Result<Self, SetupError> {
        let base_url = config.base_url.trim_end_matches('/').to_owned();
        let is_address =
            reqwest::Url::parse(&base_url).is_ok_and(|url| matches!(url.scheme(), "http" | "https") && url.has_host());
        if !is_address {
            return Err(SetupError::BaseUrl(clean(&base_url, BODY_SHOWN)));
        }
        let mut headers = HeaderMap::new();
        let key = config.api_key.expose_secret();
        if !key.is_empty() {
            let mut value = HeaderValue::from_str(&format!("Bearer {key}")).map_err(|_| SetupError::Key)?;
            value.set_sensitive(true);
            headers.insert(AUTHORIZATION, value);
        }
        Ok(Self { base_url, key: config.api_key.clone(), headers })
    }

    /// Text of the endpoint for people: short, clean, and without the key should it echo that.
    fn shown(&self, text: &str) -> String {
        let key = self.key.expose_secret();
        let text = if key.is_empty() { text.to_owned() } else { text.replace(key, "(key)") };
        clean(&text, BODY_SHOWN)
    }
}

impl EndpointConfig for Endpoint {
    fn headers(&self) -> HeaderMap {
        self.headers.clone()
    }

    fn url(&self, path: &str) -> String {
        format!("{}{path}", self.base_url)
    }

    fn query(&self) -> Vec<(&str, &str)> {
        Vec::new()
    }

    fn api_base(&self) -> &str {
        &self.base_url
    }

    fn api_key(&self) -> &SecretString {
        &self.key
    }
}

/// What the endpoint said instead of an answer.
#[derive(Debug, thiserror::Error)]
#[error("{status}: {body}")]
struct Refusal {
    status: StatusCode,
    retry_after: Option<Duration>,
    body: String,
}

/// Sends once, and keeps the status and the raw body of a refusal.
async fn send(http: reqwest::Client, clock: Clock, request: HttpRequestFactory) -> Result<reqwest::Response, OpenAIError> {
    let request = request.build().await?;
    let mut response = http.execute(request).await.map_err(|error| OpenAIError::Reqwest(error.without_url()))?;
    let status = response.status();
    if status.is_success() {
        return Ok(response);
    }
    let retry_after = response
        .headers()
        .get(RETRY_AFTER)
        .and_then(|value| value.to_str().ok())
        .and_then(|value| wait_of(value, clock.wire()));
    let mut body = Vec::new();
    // A body that breaks off still leaves the status to go by.
    while body.len() < BODY_READ {
        let Ok(Some(chunk)) = response.chunk().await else { break };
        body.extend_from_slice(&chunk[..chunk.len().min(BODY_READ - body.len())]);
    }
    let body = String::from_utf8_lossy(&body).into_owned();
    Err(OpenAIError::Boxed(Box::new(Refusal { status, retry_after, body })))
}

/// Reads a Retry-After: seconds, or a date.
fn wait_of(value: &str, now: Timestamp) -> Option<Duration> {
    if let Ok(seconds) = value.trim().parse::<u64>() {
        return Some(Duration::from_secs(seconds));
    }
    let at = jiff::fmt::rfc2822::parse(value.trim()).ok()?.timestamp();
    Some(Duration::try_from(at.duration_since(now)).unwrap_or_default())
}

/// An error, and whether another attempt within this call makes sense.
struct Failure {
    error: PortError,
    again: bool,
}

fn classify(error: &OpenAIError, endpoint: &Endpoint) -> Failure {
    match error {
        OpenAIError::Boxed(boxed) => match boxed.downcast_ref::<Refusal>() {
            Some(refusal) => classify_refusal(refusal, endpoint),
            None => Failure { error: permanent(endpoint.shown(&boxed.to_string())), again: false },
        },
        OpenAIError::Reqwest(error) => {
            let text = endpoint.shown(&with_causes(error));
            if error.is_builder() || error.is_redirect() {
                return Failure { error: permanent(text), again: false };
            }
            // After a time-out there is no time left; a connection that failed or broke is worth another try.
            Failure { error: transient(None, text), again: !error.is_timeout() }
        }
        OpenAIError::JSONDeserialize(error, body) => {
            let text = format!("its answer is not a chat completion ({error}): {}", endpoint.shown(body));
            Failure { error: permanent(text), again: false }
        }
        other => Failure { error: permanent(endpoint.shown(&other.to_string())), again: false },
    }
}

fn classify_refusal(refusal: &Refusal, endpoint: &Endpoint) -> Failure {
    let Refusal { status, retry_after, body } = refusal;
    let text = format!("{status}: {}", endpoint.shown(&message_of(body)));
    let passes = matches!(status.as_u16(), 408 | 425 | 429 | 500..=599);
    // "Too many requests" also means "no money left", and waiting does not help against that.
    if passes && !body.contains("insufficient_quota") {
        return Failure { error: transient(*retry_after, text), again: true };
    }
    Failure { error: permanent(text), again: false }
}

/// The message in an error body, wherever the endpoint puts it; otherwise the body.
fn message_of(body: &str) -> String {
    let json: serde_json::Value = serde_json::from_str(body).unwrap_or_default();
    [&json["error"]["message"], &json["message"], &json["error"], &json["detail"]]
        .into_iter()
        .find_map(|value| value.as_str())
        .map_or_else(|| body.to_owned(), str::to_owned)
}

fn with_causes(error: &reqwest::Error) -> String {
    let mut text = error.to_string();
    let mut cause = std::error::Error::source(error);
    while let Some(inner) = cause {
        text = format!("{text}: {inner}");
        cause = inner.source();
    }
    text
}

fn transient(retry_after: Option<Duration>, text: String) -> PortError {
    PortError::Transient { service: SERVICE, retry_after, source: BoxError::from(text) }
}

fn permanent(text: String) -> PortError {
    PortError::Permanent { service: SERVICE, source: BoxError::from(text) }
}

/// The adapter as the port.
///
/// # Errors
/// As [`OpenAi::from_config`].
pub fn model(config: &ModelConfig, clock: Clock) -> Result<Option<Arc<dyn LanguageModel>>, SetupError> {
    Ok(OpenAi::from_config(config, clock)?.map(|model| Arc::new(model) as Arc<dyn LanguageModel>))
}

#[cfg(test)]
mod tests {
    use std::collections::VecDeque;
    use std::sync::Mutex;

    use axum::Router;
    use axum::body::Body;
    use axum::extract::State;
    use axum::http::{HeaderMap as Headers, Response};
    use axum::routing::post;
    use serde_json::{Value, json};
    use tokio::task::JoinSet;

    use super::*;
    use crate::config::Config;

    /// What the fake endpoint does with the next call.
    #[derive(Clone)]
    enum Step {
        Say(u16, &'static [(&'static str, &'static str)], String),
        Hang,
    }

    #[derive(Clone, Default)]
    struct Script {
        steps: Arc<Mutex<VecDeque<Step>>>,
        seen: Arc<Mutex<Vec<(Headers, Value)>>>,
    }

    async fn play(State(script): State<Script>, headers: Headers, body: String) -> Response<Body> {
        script.seen.lock().unwrap().push((headers, serde_json::from_str(&body).unwrap()));
        let step = script.steps.lock().unwrap().pop_front().expect("the script has a step for each call");
        let Step::Say(status, headers, body) = step else { return std::future::pending().await };
        let mut response = Response::builder().status(status).header("content-type", "application/json");
        for (name, value) in headers {
            response = response.header(*name, *value);
        }
        response.body(Body::from(body)).unwrap()
    }

    /// A fake endpoint, and the adapter on it.
    struct Fake {
        script: Script,
        model: OpenAi,
        clock: Clock,
        _server: JoinSet<()>,
    }

    const KEY: &str = "sk-not-for-logs";

    fn config(base_url: &str) -> ModelConfig {
        let mut config = Config::load_from(None, &[]).unwrap().model;
        base_url.clone_into(&mut config.base_url);
        config.name = "tiny".to_owned();
        config.api_key = SecretString::from(KEY.to_owned());
        config.timeout = Duration::from_secs(20);
        config
    }

    async fn fake(steps: Vec<Step>) -> Fake {
        fake_with(steps, |_| {}).await
    }

    async fn fake_with(steps: Vec<Step>, change: impl FnOnce(&mut ModelConfig)) -> Fake {
        let script = Script { steps: Arc::new(Mutex::new(steps.into())), ..Script::default() };
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let router = Router::new().route("/v1/chat/completions", post(play)).with_state(script.clone());
        let mut server = JoinSet::new();
        server.spawn(async move { axum::serve(listener, router).await.unwrap() });
        let mut config = config(&format!("http://{address}/v1/"));
        change(&mut config);
        let clock = Clock::standing_at(Timestamp::from_second(1_790_000_000).unwrap());
        let mut model = OpenAi::from_config(&config, clock.clone()).unwrap().unwrap();
        model.retries.base = Duration::from_millis(1);
        Fake { script, model, clock, _server: server }
    }

    fn answer(content: &str, finish_reason: &str) -> Step {
        let body = json!({
            "id": "c-1", "object": "chat.completion", "created": 1, "model": "tiny-q4",
            "choices": [{"index": 0, "finish_reason": finish_reason, "message": {"role": "assistant", "content": content}}],
            "usage": {"prompt_tokens": 300, "completion_tokens": 50, "total_tokens": 350}
        });
        Step::Say(200, &[], body.to_string())
    }

    fn refusal(status: u16, headers: &'static [(&'static str, &'static str)], body: &str) -> Step {
        Step::Say(status, headers, body.to_owned())
    }

    fn request() -> ModelRequest {
        ModelRequest {
            system: "rules".to_owned(),
            user: "case".to_owned(),
            schema_name: "draft".to_owned(),
            schema: json!({"type": "object"}),
        }
    }

    impl Fake {
        async fn ask(&self) -> Result<ModelReply, PortError> {
            self.model.complete(&request()).await
        }

        fn calls(&self) -> usize {
            self.script.seen.lock().unwrap().len()
        }
    }

    /// The error's kind and its words, cause included.
    fn told(error: &PortError) -> (&'static str, String) {
        match error {
            PortError::Transient { source, .. } => ("transient", format!("{error}: {source}")),
            PortError::Permanent { source, .. } => ("permanent", format!("{error}: {source}")),
            PortError::Resting { .. } => ("resting", error.to_string()),
            PortError::Gone { .. } => ("gone", error.to_string()),
        }
    }

    #[tokio::test]
    async fn a_good_reply_comes_back_with_its_account() {
        let fake = fake(vec![answer("{\"abstain\": false}", "stop")]).await;
        let reply = fake.ask().await.unwrap();
        assert_eq!((reply.text.as_str(), reply.model.as_str()), ("{\"abstain\": false}", "tiny-q4"));
        assert_eq!((reply.truncated, reply.tokens), (false, 350));
        let seen = fake.script.seen.lock().unwrap();
        let (headers, body) = &seen[0];
        assert_eq!(headers["authorization"], format!("Bearer {KEY}"));
        assert_eq!(body["model"], "tiny");
        assert_eq!(body["temperature"], 0.0);
        assert_eq!(body["seed"], SEED);
        assert_eq!(body["max_tokens"], 1200);
        assert_eq!(body["response_format"]["type"], "json_schema");
        assert_eq!(body["response_format"]["json_schema"]["strict"], true);
        assert_eq!(body["response_format"]["json_schema"]["schema"], json!({"type": "object"}));
        assert_eq!(body["messages"][0], json!({"role": "system", "content": "rules"}));
        assert_eq!(body["messages"][1], json!({"role": "user", "content": "case"}));
    }

    #[tokio::test]
    async fn an_answer_cut_at_the_token_limit_is_marked() {
        let fake = fake(vec![answer("{\"abs", "length")]).await;
        assert!(fake.ask().await.unwrap().truncated);
    }

    #[tokio::test]
    async fn a_busy_endpoint_is_asked_again() {
        let busy = || refusal(429, &[("retry-after", "0")], "{\"error\": {\"message\": \"slow down\", \"code\": 429}}");
        let fake = fake(vec![busy(), refusal(503, &[], "<html>down</html>"), answer("{}", "stop")]).await;
        assert_eq!(fake.ask().await.unwrap().text, "{}");
        assert_eq!(fake.calls(), 3);
    }

    #[tokio::test]
    async fn a_long_retry_after_is_told_and_not_slept() {
        let fake = fake(vec![refusal(429, &[("retry-after", "3600")], "{}")]).await;
        let error = fake.ask().await.unwrap_err();
        assert!(
            matches!(&error, PortError::Transient { retry_after: Some(wait), .. } if *wait == Duration::from_hours(1)),
            "{error:?}"
        );
        assert_eq!(fake.calls(), 1);
    }

    #[tokio::test]
    async fn failures_are_retried_twice_and_then_given_up() {
        let fake = fake(vec![refusal(500, &[], "boom"); 3]).await;
        let (kind, text) = told(&fake.ask().await.unwrap_err());
        assert_eq!(kind, "transient");
        assert!(text.contains("500") && text.contains("boom"), "{text}");
        assert_eq!(fake.calls(), 3);
    }

    #[tokio::test]
    async fn a_refusal_keeps_its_status_when_its_code_is_a_number() {
        let body = format!(
            "{{\"error\": {{\"code\": 401, \"message\": \"Invalid API Key {KEY}\", \"type\": \"authentication_error\"}}}}"
        );
        let fake = fake(vec![refusal(401, &[], &body)]).await;
        let error = fake.ask().await.unwrap_err();
        let (kind, text) = told(&error);
        assert_eq!(kind, "permanent");
        assert!(text.contains("401") && text.contains("Invalid API Key (key)"), "{text}");
        assert!(!format!("{error:?} {text}").contains(KEY), "the key is in the error: {error:?}");
        assert_eq!(fake.calls(), 1);
    }

    #[tokio::test]
    async fn an_empty_purse_is_not_a_busy_endpoint() {
        let body = "{\"error\": {\"message\": \"You exceeded your quota\", \"code\": \"insufficient_quota\"}}";
        let fake = fake(vec![refusal(429, &[], body)]).await;
        assert_eq!(told(&fake.ask().await.unwrap_err()).0, "permanent");
    }

    #[tokio::test]
    async fn an_answer_that_is_no_chat_completion_is_permanent() {
        let fake = fake(vec![refusal(200, &[], "{\"error\": \"model not loaded\"}")]).await;
        let (kind, text) = told(&fake.ask().await.unwrap_err());
        assert_eq!(kind, "permanent");
        assert!(text.contains("not a chat completion") && text.contains("model not loaded"), "{text}");
    }

    #[tokio::test]
    async fn a_redirect_is_not_followed() {
        let fake = fake(vec![refusal(307, &[("location", "/v1/chat/completions")], "")]).await;
        let (kind, text) = told(&fake.ask().await.unwrap_err());
        assert_eq!((kind, fake.calls()), ("permanent", 1), "{text}");
    }

    #[tokio::test]
    async fn a_slow_endpoint_runs_into_the_time_limit() {
        let fake = fake_with(vec![Step::Hang], |config| config.timeout = Duration::from_millis(200)).await;
        let (kind, text) = told(&fake.ask().await.unwrap_err());
        assert_eq!((kind, fake.calls()), ("transient", 1), "{text}");
    }

    #[tokio::test]
    async fn an_endpoint_that_is_not_there_is_transient() {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        drop(listener);
        let clock = Clock::standing_at(Timestamp::UNIX_EPOCH);
        let mut model = OpenAi::from_config(&config(&format!("http://{address}/v1")), clock).unwrap().unwrap();
        model.retries.base = Duration::from_millis(1);
        assert_eq!(told(&model.complete(&request()).await.unwrap_err()).0, "transient");
    }

    #[tokio::test]
    async fn an_endpoint_that_keeps_failing_is_left_alone_and_tried_again_later() {
        let mut steps = vec![refusal(429, &[("retry-after", "3600")], "{}"); BREAKER_FAILURES as usize];
        steps.push(answer("{}", "stop"));
        let fake = fake(steps).await;
        for _ in 0..BREAKER_FAILURES {
            fake.ask().await.unwrap_err();
        }
        let (_, text) = told(&fake.ask().await.unwrap_err());
        assert!(text.contains("left alone"), "{text}");
        assert_eq!(fake.calls(), BREAKER_FAILURES as usize);
        fake.clock.set(fake.clock.now() + BREAKER_PAUSE);
        assert_eq!(fake.ask().await.unwrap().text, "{}");
    }

    #[test]
    fn a_retry_after_is_seconds_or_a_date() {
        let now: Timestamp = "2015-10-21T07:27:30Z".parse().unwrap();
        assert_eq!(wait_of("12", now), Some(Duration::from_secs(12)));
        assert_eq!(wait_of("Wed, 21 Oct 2015 07:28:00 GMT", now), Some(Duration::from_secs(30)));
        assert_eq!(wait_of("Wed, 21 Oct 2015 07:00:00 GMT", now), Some(Duration::ZERO));
        assert_eq!(wait_of("soon", now), None);
    }

    #[test]
    fn a_bad_configuration_names_its_key_and_not_its_value() {
        let clock = Clock::standing_at(Timestamp::UNIX_EPOCH);
        let none = Config::load_from(None, &[]).unwrap().model;
        assert!(OpenAi::from_config(&none, clock.clone()).unwrap().is_none());
        let told = |config: &ModelConfig| OpenAi::from_config(config, clock.clone()).err().unwrap().to_string();
        assert!(told(&config("localhost:8080")).contains("model.base_url"));
        let mut bad = config("http://localhost:8080/v1");
        bad.api_key = SecretString::from("sk-\nbroken".to_owned());
        let text = told(&bad);
        assert!(text.contains("model.api_key") && !text.contains("broken"), "{text}");
    }
}
