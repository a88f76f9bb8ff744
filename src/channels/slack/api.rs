//! Slack's Web API: one call, one answer, and what an answer that says no means.
//!
//! The token goes to the configured address and nowhere else; redirects are not followed. What Slack says is text from outside: it is
//! cut before it is kept.

use std::time::Duration;

use reqwest::header::{AUTHORIZATION, CONTENT_TYPE};
use reqwest::{Client, StatusCode, Url};
use secrecy::{ExposeSecret as _, SecretString};
use serde_json::{Value, json};

use crate::clock::Clock;
use crate::config::SlackConfig;
use crate::domain::words::cut;
use crate::http::retry::retry_after;

/// The type that Slack asks for, and the one that the methods of files take.
const JSON: &str = "application/json; charset=utf-8";
const FORM: &str = "application/x-www-form-urlencoded";

/// No answer may put a call off for longer than this.
const LONGEST_WAIT: Duration = Duration::from_hours(1);

/// How long one waits after a refusal for too many calls that does not say for how long.
const UNSAID_WAIT: Duration = Duration::from_secs(30);

/// Longest answer that is read.
const ANSWER_BYTES: usize = 4 * 1024 * 1024;

/// Longest word of Slack that is kept, in characters.
const WORD_CHARS: usize = 200;

/// Where answers of the platform to one click are sent to, beside the API's own host.
const HOOKS_HOST: &str = "hooks.slack.com";

/// Where files are uploaded to, beside the API's own host.
const FILES_HOST: &str = "files.slack.com";

/// Most characters of a file's title.
const TITLE_CHARS: usize = 200;

/// The scopes of a bot token, as the header of an answer names them.
const SCOPES: &str = "x-oauth-scopes";

/// A call that did not do what was asked.
#[derive(Debug, thiserror::Error)]
pub enum CallError {
    /// Too many calls: again after so long.
    #[error("too many calls; again after {} s", .0.as_secs())]
    TooMany(Duration),
    /// No answer, or none that could be one of the API's: nobody knows whether it was done.
    #[error("no answer that says anything: {0}")]
    Lost(String),
    /// What a message shows is still being looked through: again after so long.
    #[error("a file is still being looked through; again after {} s", .0.as_secs())]
    NotReady(Duration),
    /// Slack says no, in its own word: `channel_not_found`.
    #[error("Slack says {0}")]
    Refused(String),
}

impl CallError {
    /// The word with which Slack refused; nothing where it did not.
    pub fn word(&self) -> &str {
        if let Self::Refused(word) = self { word } else { "" }
    }
}

/// The Web API with its tokens.
#[derive(Clone)]
pub struct Api {
    /// Without one every call says why: a page can be served although no client can be made.
    client: Result<Client, String>,
    base: String,
    bot: SecretString,
    app: SecretString,
    clock: Clock,
}

impl std::fmt::Debug for Api {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Api").field("base", &self.base).finish_non_exhaustive()
    }
}

/// An answer, and the scopes of the token that it was given for.
#[derive(Clone, Debug)]
pub struct Answered {
    /// What it says.
    pub body: Value,
    /// What the token may do; nothing where that is not said.
    pub scopes: Vec<String>,
}

impl Api {
    /// The API as configured.
    pub fn new(slack: &SlackConfig, clock: Clock) -> Self {
        Self {
            client: crate::http::client(slack.timeout).map_err(|error| error.to_string()),
            base: slack.api_base.trim_end_matches('/').to_owned(),
            bot: slack.bot_token.clone(),
            app: slack.app_token.clone(),
            clock,
        }
    }

    /// Calls a method as the bot.
    ///
    /// # Errors
    /// [`CallError`].
    pub async fn call(&self, method: &str, arguments: &Value) -> Result<Answered, CallError> {
        self.call_with(&self.bot, method, (JSON, arguments.to_string())).await
    }

    /// Uploads a picture, for messages of the bot's to show; it is in no channel by itself. Answers what Slack calls the file.
    ///
    /// # Errors
    /// [`CallError`].
    pub async fn upload(&self, title: &str, png: Vec<u8>) -> Result<String, CallError> {
        let form =
            |fields: &[(&str, &str)]| (FORM, form_urlencoded::Serializer::new(String::new()).extend_pairs(fields).finish());
        let asked = form(&[("filename", "chart.png"), ("length", &png.len().to_string())]);
        let place = self.call_with(&self.bot, "files.getUploadURLExternal", asked).await?.body;
        let file = place["file_id"].as_str().unwrap_or_default().to_owned();
        let is_id = (2..=40).contains(&file.len()) && file.bytes().all(|b| b.is_ascii_alphanumeric());
        let url = place["upload_url"].as_str().and_then(|url| Url::parse(url).ok());
        // The address is a secret by itself, and no token goes there; a picture goes to nobody but Slack.
        let Some(url) = url.filter(|url| is_id && self.is_slacks(url, FILES_HOST)) else {
            return Err(CallError::Lost("what it says of where to upload to is no address of Slack's".to_owned()));
        };
        let client = self.client.as_ref().map_err(|why| CallError::Lost(why.clone()))?;
        let request = client.post(url).header(CONTENT_TYPE, "application/octet-stream").body(png);
        let response = request.send().await.map_err(|error| CallError::Lost(error.without_url().to_string()))?;
        let status = response.status();
        if status == StatusCode::TOO_MANY_REQUESTS {
            let asked = retry_after(response.headers(), self.clock.wire(), LONGEST_WAIT);
            return Err(CallError::TooMany(asked.unwrap_or(UNSAID_WAIT)));
        }
        if !status.is_success() {
            return Err(CallError::Lost(format!("the upload was answered {status}")));
        }
        let files = json!([{ "id": file, "title": cut(title, TITLE_CHARS) }]).to_string();
        self.call_with(&self.bot, "files.completeUploadExternal", form(&[("files", &files)])).await?;
        Ok(file)
    }

    /// Asks for the address of a new socket, as the app.
    ///
    /// # Errors
    /// [`CallError`].
    pub async fn open_connection(&self) -> Result<String, CallError> {
        let answer = self.call_with(&self.app, "apps.connections.open", (JSON, "{}".to_owned())).await?;
        let url = answer.body["url"].as_str().unwrap_or_default();
        // In the open only where the API itself is asked in the open: a double on this machine.
        if url.starts_with("wss://") || (url.starts_with("ws://") && self.base.starts_with("http://")) {
            return Ok(url.to_owned());
        }
        Err(CallError::Lost("the address of the socket is none".to_owned()))
    }

    async fn call_with(
        &self,
        token: &SecretString,
        method: &str,
        (kind, arguments): (&str, String),
    ) -> Result<Answered, CallError> {
        let client = self.client.as_ref().map_err(|why| CallError::Lost(why.clone()))?;
        let request = client
            .post(format!("{}/{method}", self.base))
            .header(AUTHORIZATION, format!("Bearer {}", token.expose_secret()))
            .header(CONTENT_TYPE, kind)
            .body(arguments);
        let response = request.send().await.map_err(|error| CallError::Lost(error.without_url().to_string()))?;
        let status = response.status();
        let asked = retry_after(response.headers(), self.clock.wire(), LONGEST_WAIT);
        if status == StatusCode::TOO_MANY_REQUESTS {
            return Err(CallError::TooMany(asked.unwrap_or(UNSAID_WAIT)));
        }
        let scopes = response.headers().get(SCOPES).and_then(|value| value.to_str().ok()).unwrap_or_default();
        let scopes = scopes.split(',').map(str::trim).filter(|s| !s.is_empty()).map(str::to_owned).collect();
        if !status.is_success() {
            return Err(CallError::Lost(format!("it answered {status}")));
        }
        let body = body(response).await?;
        // Slack says no with status 200, in the body.
        match body["ok"].as_bool() {
            Some(true) => Ok(Answered { body, scopes }),
            Some(false) => Err(refused(&body, asked)),
            None => Err(CallError::Lost("the answer does not say whether it is ok".to_owned())),
        }
    }

    /// Sends an answer to where the platform said that answers to this click go. False where that is no place of Slack's: such an address is
    /// not followed, whoever wrote it.
    ///
    /// # Errors
    /// [`CallError`].
    pub async fn respond(&self, url: &str, answer: &Value) -> Result<bool, CallError> {
        let Some(url) = Url::parse(url).ok().filter(|url| self.is_slacks(url, HOOKS_HOST)) else { return Ok(false) };
        let client = self.client.as_ref().map_err(|why| CallError::Lost(why.clone()))?;
        let request = client.post(url).header(CONTENT_TYPE, JSON).body(answer.to_string());
        let response = request.send().await.map_err(|error| CallError::Lost(error.without_url().to_string()))?;
        let status = response.status();
        if status.is_success() { Ok(true) } else { Err(CallError::Lost(format!("it answered {status}"))) }
    }

    /// Is it an address of Slack's, or of the API that is configured in its place?
    fn is_slacks(&self, url: &Url, host: &str) -> bool {
        let ours = Url::parse(&self.base).ok();
        let same = ours.is_some_and(|ours| ours.origin() == url.origin());
        same || (url.scheme() == "https" && url.host_str() == Some(host) && url.port().is_none())
    }
}

fn refused(body: &Value, asked: Option<Duration>) -> CallError {
    let word = cut(body["error"].as_str().unwrap_or("something without a name"), WORD_CHARS);
    match word.as_str() {
        "ratelimited" | "rate_limited" => CallError::TooMany(asked.unwrap_or(UNSAID_WAIT)),
        // It says no and means not now.
        "internal_error" | "fatal_error" | "service_unavailable" | "request_timeout" | "team_added_to_org" => {
            CallError::Lost(format!("Slack says {word}"))
        }
        _ => CallError::Refused(word),
    }
}

async fn body(mut response: reqwest::Response) -> Result<Value, CallError> {
    let mut bytes = Vec::new();
    loop {
        match response.chunk().await {
            Ok(Some(chunk)) if bytes.len() + chunk.len() <= ANSWER_BYTES => bytes.extend_from_slice(&chunk),
            Ok(Some(_)) => return Err(CallError::Lost("the answer is too long".to_owned())),
            Ok(None) => break,
            Err(error) => return Err(CallError::Lost(error.without_url().to_string())),
        }
    }
    serde_json::from_slice(&bytes).map_err(|_| CallError::Lost("the answer is no JSON".to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::Config;

    #[test]
    fn answers_go_to_slack_and_to_nobody_else() {
        let of = |base: &str| {
            let config = SlackConfig { api_base: base.to_owned(), ..Config::load_from(None, &[]).unwrap().slack };
            Api::new(&config, Clock::System)
        };
        let (real, emulated) = (of("https://slack.com/api"), of("http://127.0.0.1:4040/api"));
        let is = |api: &Api, url: &str| Url::parse(url).is_ok_and(|url| api.is_slacks(&url, HOOKS_HOST));
        assert!(is(&real, "https://hooks.slack.com/actions/T1/2/x"));
        assert!(is(&emulated, "http://127.0.0.1:4040/actions/RMWSR6HOY0"));
        for other in [
            "http://hooks.slack.com/actions/x",
            "https://hooks.slack.com.evil.example/x",
            "https://hooks.slack.com:444/x",
            "https://169.254.169.254/",
            "http://127.0.0.1:4041/actions/x",
            "file:///etc/passwd",
        ] {
            assert!(!is(&real, other), "{other}");
        }
        let files = |url: &str| real.is_slacks(&Url::parse(url).unwrap(), FILES_HOST);
        assert!(files("https://files.slack.com/upload/v1/CwAB") && files("https://slack.com/upload/v1/CwAB"));
        assert!(!files("http://files.slack.com/upload/v1/CwAB") && !files("https://hooks.slack.com/upload/v1/CwAB"));
    }
}
