//! One call: retries, limits, the breaker, the form that is remembered, the account.

use jiff::Timestamp;
use reeve_testing::endpoint::{Asked, Endpoint, Says};
use reeve_testing::model::{BASE, scripted};
use secrecy::SecretString;
use serde_json::{Value, json};

use super::dialect::{FORMS_MAX, SEED};
use super::*;
use crate::config::Config;
use crate::ports::{NoWay, Unread};

/// A fake endpoint, and the adapter on it.
struct Fake {
    endpoint: Endpoint,
    model: OpenAi,
    clock: Clock,
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

async fn fake(steps: Vec<Says>) -> Fake {
    fake_with(steps, |_| {}).await
}

async fn fake_with(steps: Vec<impl Into<Option<Says>>>, change: impl FnOnce(&mut ModelConfig)) -> Fake {
    let endpoint = scripted(steps).await;
    let mut config = config(&format!("{}{BASE}/", endpoint.url));
    change(&mut config);
    let clock = Clock::standing_at(Timestamp::from_second(1_790_000_000).unwrap());
    let model = OpenAi::impatient(&config, clock.clone());
    Fake { endpoint, model, clock }
}

fn answer(content: &str, finish_reason: &str) -> Says {
    let body = json!({
        "id": "c-1", "object": "chat.completion", "created": 1, "model": "tiny-q4",
        "choices": [{"index": 0, "finish_reason": finish_reason, "message": {"role": "assistant", "content": content}}],
        "usage": {"prompt_tokens": 300, "completion_tokens": 50, "total_tokens": 350}
    });
    Says::json(200, &body)
}

fn refusal(status: u16, headers: &[(&str, &str)], body: &str) -> Says {
    let says = Says::raw(status, "application/json", body);
    headers.iter().fold(says, |says, (name, value)| says.with(name, value))
}

fn request() -> ModelRequest {
    ModelRequest {
        system: "rules".to_owned(),
        user: "case".to_owned(),
        form: "form".to_owned(),
        schema_name: "draft".to_owned(),
        schema: json!({"type": "object"}),
    }
}

impl Fake {
    async fn ask(&self) -> Result<ModelReply, ModelError> {
        self.model.complete(&request()).await
    }

    fn calls(&self) -> usize {
        self.endpoint.asked().len()
    }
}

#[tokio::test]
async fn a_good_reply_comes_back_with_its_account() {
    let fake = fake(vec![answer("{\"abstain\": false}", "stop")]).await;
    let reply = fake.ask().await.unwrap();
    assert_eq!(reply.text, "{\"abstain\": false}");
    assert_eq!((reply.truncated, reply.tokens), (false, 350));
    let asked = &fake.endpoint.asked()[0];
    let body = asked.json();
    assert_eq!((&*asked.path, asked.header("authorization")), ("/v1/chat/completions", &*format!("Bearer {KEY}")));
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
async fn the_whole_address_is_taken_for_its_base() {
    let fake = fake_with(vec![answer("{}", "stop")], |config| config.base_url.push_str("chat/completions")).await;
    assert_eq!(fake.ask().await.unwrap().text, "{}");
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
    let wait = Some(Duration::from_hours(1));
    assert_eq!(fake.ask().await.unwrap_err(), ModelError::Busy { status: 429, retry_after: wait });
    assert_eq!(fake.calls(), 1);
}

#[tokio::test]
async fn failures_are_retried_twice_and_then_given_up() {
    let fake = fake(vec![refusal(500, &[], "boom"); 3]).await;
    let error = fake.ask().await.unwrap_err();
    assert_eq!(error, ModelError::Down { status: 500, retry_after: None });
    assert!(error.is_transient() && !error.to_string().contains("boom"), "{error}");
    assert_eq!(fake.calls(), 3);
}

#[tokio::test]
async fn a_refusal_keeps_its_status_when_its_code_is_a_number() {
    let body = format!(
        "{{\"error\": {{\"code\": 401, \"message\": \"Invalid API Key {KEY}\", \"type\": \"authentication_error\"}}}}"
    );
    let fake = fake(vec![refusal(401, &[], &body)]).await;
    let error = fake.ask().await.unwrap_err();
    assert_eq!(error, ModelError::Key(401));
    assert!(!error.is_transient());
    assert_eq!(fake.calls(), 1);
}

#[tokio::test]
async fn an_empty_purse_is_not_a_busy_endpoint() {
    let body = "{\"error\": {\"message\": \"You exceeded your quota\", \"code\": \"insufficient_quota\"}}";
    let fake = fake(vec![refusal(429, &[], body)]).await;
    assert_eq!(fake.ask().await.unwrap_err(), ModelError::Quota(429));
    assert_eq!(fake.calls(), 1);
}

#[tokio::test]
async fn an_answer_that_is_no_chat_completion_is_permanent() {
    let steps = [
        ("{\"error\": \"model not loaded\"}", ModelError::ErrorInside),
        ("{\"answer\": 1}", ModelError::Unread(Unread::Field("choices"))),
    ];
    for (body, expected) in steps {
        let fake = fake(vec![refusal(200, &[], body)]).await;
        let error = fake.ask().await.unwrap_err();
        assert_eq!(error, expected);
        assert!(!error.is_transient() && !error.to_string().contains("loaded"), "{error}");
    }
}

#[tokio::test]
async fn a_redirect_is_not_followed() {
    let fake = fake(vec![refusal(307, &[("location", "/v1/chat/completions")], "")]).await;
    assert_eq!(fake.ask().await.unwrap_err(), ModelError::Elsewhere(307));
    assert_eq!(fake.calls(), 1);
}

#[tokio::test]
async fn a_slow_endpoint_runs_into_the_time_limit() {
    let fake = fake_with(vec![None::<Says>], |config| config.timeout = Duration::from_millis(200)).await;
    assert_eq!(fake.ask().await.unwrap_err(), ModelError::Late(Duration::from_millis(200)));
    assert_eq!(fake.calls(), 1);
}

#[tokio::test]
async fn an_endpoint_that_is_not_there_is_transient() {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    drop(listener);
    let clock = Clock::standing_at(Timestamp::UNIX_EPOCH);
    let model = OpenAi::impatient(&config(&format!("http://{address}/v1")), clock);
    let error = model.complete(&request()).await.unwrap_err();
    assert_eq!(error, ModelError::NoWay(NoWay::Refused));
    assert!(error.is_transient());
}

#[tokio::test]
async fn an_endpoint_that_keeps_failing_is_left_alone_and_tried_again_later() {
    let mut steps = vec![refusal(429, &[("retry-after", "3600")], "{}"); BREAKER_FAILURES as usize];
    steps.push(answer("{}", "stop"));
    let fake = fake(steps).await;
    for _ in 0..BREAKER_FAILURES {
        fake.ask().await.unwrap_err();
    }
    assert_eq!(fake.ask().await.unwrap_err(), ModelError::Resting(BREAKER_FAILURES));
    assert_eq!(fake.calls(), BREAKER_FAILURES as usize);
    fake.clock.set(fake.clock.now() + BREAKER_PAUSE);
    assert_eq!(fake.ask().await.unwrap().text, "{}");
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

/// What was asked of the forms: the limit's name, and what stands under `temperature`, `seed` and the response format.
fn forms(fake: &Fake) -> Vec<String> {
    let form = |asked: &Asked| {
        let body = asked.json();
        let limit =
            ["max_tokens", "max_completion_tokens"].into_iter().find(|name| body[*name].is_number()).unwrap_or("none");
        format!("{limit} {} {} {}", body["temperature"], body["seed"], body["response_format"]["type"])
    };
    fake.endpoint.asked().iter().map(form).collect()
}

fn unsupported(param: &str) -> Says {
    let error = json!({ "error": { "message": "It is not supported with this model.", "param": param } });
    refusal(400, &[], &error.to_string())
}

#[tokio::test]
async fn what_an_endpoint_refuses_is_left_out_once_and_for_all() {
    let steps = vec![
        unsupported("max_tokens"),
        unsupported("temperature"),
        unsupported("response_format"),
        answer("{}", "stop"),
        answer("{}", "stop"),
    ];
    let fake = fake(steps).await;
    fake.ask().await.unwrap();
    fake.ask().await.unwrap();
    let last = "max_completion_tokens null 7 \"json_object\"";
    assert_eq!(
        forms(&fake),
        [
            "max_tokens 0.0 7 \"json_schema\"",
            "max_completion_tokens 0.0 7 \"json_schema\"",
            "max_completion_tokens null 7 \"json_schema\"",
            last,
            last
        ]
    );
    assert_eq!(fake.model.dialect(), "max_completion_tokens, no temperature, json_object, the schema in the prompt");
    let seen: Vec<Value> = fake.endpoint.asked().iter().map(Asked::json).collect();
    assert_eq!(seen[0]["messages"][0]["content"], "rules");
    assert_eq!(seen[3]["messages"][0]["content"], "rules\n\nform", "no schema holds the model: it is told");
}

#[tokio::test]
async fn a_form_that_is_not_taken_any_more_is_forgotten() {
    let steps = vec![
        unsupported("max_tokens"),
        answer("{}", "stop"),
        // The server was changed: it now takes the first form only, and says so only then.
        unsupported("max_completion_tokens"),
        refusal(400, &[], "{\"error\": {\"message\": \"invalid api key\"}}"),
        answer("{}", "stop"),
    ];
    let fake = fake(steps).await;
    fake.ask().await.unwrap();
    assert_eq!(fake.ask().await.unwrap_err(), ModelError::Key(400));
    fake.ask().await.unwrap();
    let limits: Vec<String> = forms(&fake).iter().map(|form| form.split(' ').next().unwrap().to_owned()).collect();
    assert_eq!(limits, ["max_tokens", "max_completion_tokens", "max_completion_tokens", "max_tokens", "max_tokens"]);
}

#[tokio::test]
async fn an_endpoint_that_refuses_everything_is_asked_a_few_times_and_never_without_a_limit() {
    let words = "{\"error\": {\"message\": \"max_tokens max_completion_tokens temperature seed strict response_format\"}}";
    let fake = fake(vec![refusal(400, &[], words); FORMS_MAX]).await;
    assert_eq!(fake.ask().await.unwrap_err(), ModelError::Refused(400));
    let forms = forms(&fake);
    assert!(forms.len() <= FORMS_MAX, "{forms:?}");
    assert!(forms.iter().all(|form| form.starts_with("max_")), "{forms:?}");
}

#[tokio::test]
async fn a_refusal_that_names_nothing_is_tried_once_in_the_barest_form() {
    let steps = vec![refusal(400, &[], "{\"error\": {\"status\": \"INVALID_ARGUMENT\"}}"), answer("{}", "stop")];
    let fake = fake(steps).await;
    fake.ask().await.unwrap();
    assert_eq!(forms(&fake), ["max_tokens 0.0 7 \"json_schema\"", "max_tokens null null null"]);
}

#[tokio::test]
async fn words_about_the_form_come_once_it_was_not_kept() {
    let fake = fake(vec![answer("{}", "stop"); 2]).await;
    fake.ask().await.unwrap();
    fake.model.tell_form();
    fake.ask().await.unwrap();
    let seen = fake.endpoint.asked();
    let systems: Vec<Value> = seen.iter().map(|asked| asked.json()["messages"][0]["content"].clone()).collect();
    assert_eq!(systems, ["rules", "rules\n\nform"]);
}

#[test]
fn tokens_are_what_the_endpoint_says_unless_that_can_not_be() {
    let said = |tokens| Said { text: "x".repeat(300), tokens, ..Said::default() };
    let count = |tokens| tokens_of(&said(tokens), 3000, 1200);
    assert_eq!(count([Some(900), Some(100), Some(1000)]), (1000, false));
    assert_eq!(count([Some(900), Some(100), None]), (1000, false));
    assert_eq!(count([Some(900), Some(5000), Some(1000)]), (5900, false), "thoughts that the total leaves out");
    let estimate = (1000 + 100, true);
    for nonsense in [
        [None, None, None],
        [Some(10), None, None],
        [Some(0), Some(0), Some(0)],
        [Some(1), Some(1), Some(2)],
        [None, None, Some(u64::MAX)],
        [Some(u64::MAX), Some(u64::MAX), None],
    ] {
        assert_eq!(count(nonsense), estimate, "{nonsense:?}");
    }
    let cut = Said { truncated: true, ..said([None; 3]) };
    assert_eq!(tokens_of(&cut, 3000, 1200), (2200, true), "it used up the limit");
}
