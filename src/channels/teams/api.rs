//! The Bot Connector's REST API: one call, one answer, and what an answer that says no means.
//!
//! Invariants: the token goes to hosts of the allow-list only, whatever an activity says its service is, over TLS but for this very
//! machine; redirects are not followed. What the connector says is text from outside: it is cut before it is kept.

use std::time::Duration;

use reqwest::header::CONTENT_TYPE;
use reqwest::{Client, Method, RequestBuilder, StatusCode, Url};
use secrecy::ExposeSecret as _;
use serde_json::{Value, json};

use super::token::Tokens;
use crate::clock::Clock;
use crate::config::TeamsConfig;
use crate::domain::words::cut;
use crate::http::retry::retry_after;
use crate::ports::is_loopback;

/// No answer may put a call off for longer than this.
const LONGEST_WAIT: Duration = Duration::from_hours(1);

/// How long one waits after a refusal for too many calls that does not say for how long.
const UNSAID_WAIT: Duration = Duration::from_secs(30);

/// Longest answer that is read.
const ANSWER_BYTES: usize = 1024 * 1024;

/// Longest word of the connector that is kept, in characters.
const WORD_CHARS: usize = 200;

/// A call that did not do what was asked.
#[derive(Debug, thiserror::Error)]
pub enum CallError {
    /// Too many calls: again after so long.
    #[error("too many calls; again after {} s", .0.as_secs())]
    TooMany(Duration),
    /// No answer, or one that says to try again: nobody knows whether it was done.
    #[error("no answer that says anything: {0}")]
    Lost(String),
    /// The message is too large.
    #[error("Teams says that it is too large")]
    TooLarge,
    /// Teams says no.
    #[error("Teams says {code} ({status})")]
    Refused {
        /// The status.
        status: u16,
        /// In its own word: `BotNotInConversationRoster`.
        code: String,
    },
    /// The directory gives the bot no token, in its own word.
    #[error("the directory gives no token: {0}")]
    NoToken(String),
    /// Nothing that Teams has told of leads there.
    #[error("Teams has not told of a conversation that leads there")]
    NotIn,
    /// The address is none that the token may be sent to.
    #[error("{0:?} is no address of the allow-list teams.service_hosts")]
    Elsewhere(String),
}

/// The connector, as the bot.
#[derive(Clone)]
pub struct Api {
    /// Without one every call says why: a page can be served although no client can be made.
    tools: Result<(Client, Tokens), String>,
    hosts: Vec<String>,
    clock: Clock,
}

impl std::fmt::Debug for Api {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Api").field("hosts", &self.hosts).finish_non_exhaustive()
    }
}

impl Api {
    /// The connector as configured.
    pub fn new(teams: &TeamsConfig, clock: Clock) -> Self {
        let client = crate::http::client(teams.timeout).map_err(|error| error.to_string());
        let tools = client.map(|client| (client.clone(), Tokens::new(teams, client, clock.clone())));
        Self { tools, hosts: teams.service_hosts.clone(), clock }
    }

    /// Begins a conversation. Answers its id, and the message's where the body holds one.
    ///
    /// # Errors
    /// [`CallError`].
    pub async fn begin(&self, service: &str, body: &Value) -> Result<(String, String), CallError> {
        let answer = self.call(Method::POST, service, &["v3", "conversations"], body).await?;
        let text = |field: &str| answer[field].as_str().unwrap_or_default().to_owned();
        Ok((said(text("id"))?, text("activityId")))
    }

    /// Puts a message into a conversation. Answers its id.
    ///
    /// # Errors
    /// [`CallError`].
    pub async fn post(&self, service: &str, conversation: &str, activity: &Value) -> Result<String, CallError> {
        let path = ["v3", "conversations", conversation, "activities"];
        let answer = self.call(Method::POST, service, &path, activity).await?;
        said(answer["id"].as_str().unwrap_or_default().to_owned())
    }

    /// Puts a message in the place of another.
    ///
    /// # Errors
    /// [`CallError`].
    pub async fn put(&self, service: &str, conversation: &str, id: &str, activity: &Value) -> Result<(), CallError> {
        let path = ["v3", "conversations", conversation, "activities", id];
        self.call(Method::PUT, service, &path, activity).await.map(drop)
    }

    /// Asks for a token, to see whether there is one.
    ///
    /// # Errors
    /// [`CallError`].
    pub async fn sign_in(&self) -> Result<(), CallError> {
        let (_, tokens) = self.tools.as_ref().map_err(|why| CallError::Lost(why.clone()))?;
        tokens.token().await.map(drop)
    }

    async fn call(&self, method: Method, service: &str, path: &[&str], body: &Value) -> Result<Value, CallError> {
        let mut url = self.allowed(service)?;
        let (client, tokens) = self.tools.as_ref().map_err(|why| CallError::Lost(why.clone()))?;
        // Each part is a segment of its own, whatever signs an id is made of.
        let cannot = || CallError::Elsewhere(cut(service, WORD_CHARS));
        url.path_segments_mut().map_err(|()| cannot())?.pop_if_empty().extend(path);
        let mut renewed = false;
        loop {
            let token = tokens.token().await?;
            let request = client
                .request(method.clone(), url.clone())
                .bearer_auth(token.expose_secret())
                .header(CONTENT_TYPE, "application/json")
                .body(body.to_string());
            match read_json(request, &self.clock).await {
                // It may have been taken back before its time; once, or a wrong secret would be asked for ever.
                Err(CallError::Refused { status: 401, .. }) if !renewed => {
                    tokens.forget(&token).await;
                    renewed = true;
                }
                answer => return answer,
            }
        }
    }

    /// The address of a service that the token may be sent to.
    ///
    /// # Errors
    /// [`CallError::Elsewhere`].
    pub fn allowed(&self, service: &str) -> Result<Url, CallError> {
        let url = Url::parse(service).ok().filter(|url| is_allowed(url, &self.hosts));
        url.ok_or_else(|| CallError::Elsewhere(cut(service, WORD_CHARS)))
    }
}

fn is_allowed(url: &Url, hosts: &[String]) -> bool {
    let Some(host) = url.host_str() else { return false };
    let named = match url.port() {
        Some(port) => format!("{host}:{port}"),
        None => host.to_owned(),
    };
    let safe = url.scheme() == "https" || (url.scheme() == "http" && is_loopback(host));
    // Nothing else stands in an address of the connector's; a name before the host makes one address look like another.
    let plain = url.username().is_empty() && url.password().is_none() && url.query().is_none() && url.fragment().is_none();
    safe && plain && hosts.iter().any(|allowed| allowed.eq_ignore_ascii_case(&named))
}

fn said(id: String) -> Result<String, CallError> {
    if id.is_empty() {
        return Err(CallError::Lost("the answer does not say where it put the message".to_owned()));
    }
    Ok(id)
}

/// Sends a request and reads the JSON of its answer; an answer without one is an empty object.
pub(super) async fn read_json(request: RequestBuilder, clock: &Clock) -> Result<Value, CallError> {
    let bytes = answered(request, clock).await?;
    if bytes.is_empty() {
        return Ok(json!({}));
    }
    serde_json::from_slice(&bytes).map_err(|_| CallError::Lost("the answer is no JSON".to_owned()))
}

/// Sends a request. Answers the body of a success.
pub(super) async fn answered(request: RequestBuilder, clock: &Clock) -> Result<Vec<u8>, CallError> {
    let response = request.send().await.map_err(|error| CallError::Lost(error.without_url().to_string()))?;
    let status = response.status();
    let asked = retry_after(response.headers(), clock.wire(), LONGEST_WAIT);
    let bytes = body(response).await?;
    if status.is_success() {
        return Ok(bytes);
    }
    // The connector's errors are `{error: {code, message}}`, the directory's `{error, error_description}`.
    let answer: Value = serde_json::from_slice(&bytes).unwrap_or_default();
    let word = [&answer["error"]["code"], &answer["error"]].into_iter().find_map(Value::as_str).unwrap_or("nothing more");
    let code = cut(word, WORD_CHARS);
    Err(match status {
        StatusCode::TOO_MANY_REQUESTS => CallError::TooMany(asked.unwrap_or(UNSAID_WAIT)),
        StatusCode::PAYLOAD_TOO_LARGE => CallError::TooLarge,
        StatusCode::BAD_REQUEST if code == "MessageSizeTooBig" => CallError::TooLarge,
        // As Microsoft says of them: to be tried again.
        status
            if status.is_server_error()
                || matches!(status, StatusCode::PRECONDITION_FAILED | StatusCode::REQUEST_TIMEOUT) =>
        {
            match asked {
                Some(wait) => CallError::TooMany(wait),
                None => CallError::Lost(format!("it answered {status}")),
            }
        }
        // Not followed: the token would go to wherever it leads.
        status if status.is_redirection() => CallError::Lost(format!("it leads elsewhere ({status})")),
        status => CallError::Refused { status: status.as_u16(), code },
    })
}

async fn body(mut response: reqwest::Response) -> Result<Vec<u8>, CallError> {
    let mut bytes = Vec::new();
    loop {
        match response.chunk().await {
            Ok(Some(chunk)) if bytes.len() + chunk.len() <= ANSWER_BYTES => bytes.extend_from_slice(&chunk),
            Ok(Some(_)) => return Err(CallError::Lost("the answer is too long".to_owned())),
            Ok(None) => return Ok(bytes),
            Err(error) => return Err(CallError::Lost(error.without_url().to_string())),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_token_goes_to_the_hosts_that_are_named_and_nowhere_else() {
        let hosts = ["smba.trafficmanager.net".to_owned(), "127.0.0.1:4050".to_owned()];
        let is = |url: &str| Url::parse(url).is_ok_and(|url| is_allowed(&url, &hosts));
        assert!(is("https://smba.trafficmanager.net/emea/") && is("https://SMBA.trafficmanager.net:443/x"));
        assert!(is("http://127.0.0.1:4050/_connector"));
        for other in [
            "http://smba.trafficmanager.net/emea/",
            "https://smba.trafficmanager.net.evil.example/",
            "https://smba.trafficmanager.net:444/",
            "https://smba.trafficmanager.net@evil.example/",
            "https://user@smba.trafficmanager.net/",
            "https://smba.trafficmanager.net/?to=x",
            "https://evil.example/smba.trafficmanager.net",
            "http://127.0.0.1:4051/",
            "http://169.254.169.254/",
            "file:///etc/passwd",
        ] {
            assert!(!is(other), "{other}");
        }
    }
}
