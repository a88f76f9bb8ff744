//! What goes wrong, as a problem document (RFC 9457): a code that stays for programs, a sentence for people.

use axum::Json;
use axum::http::header::{CONTENT_TYPE, RETRY_AFTER, WWW_AUTHENTICATE};
use axum::http::{HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};
use schemars::JsonSchema;
use serde::Serialize;
use serde_json::{Map, Value};

use crate::store::StoreError;

/// What every `type` begins with.
const TYPE: &str = "urn:reeve:problem:";

/// Every code there is, with the sentence of its kind. A code never changes its meaning.
pub(super) const CODES: [(&str, &str); 37] = [
    ("bad-request", "The request can not be read"),
    ("token-in-address", "A token does not belong into an address"),
    ("not-authenticated", "A token is needed"),
    ("token-expired", "The token's time is over"),
    ("token-revoked", "The token was taken back"),
    ("token-owner-gone", "The token's owner no longer uses Reeve"),
    ("scope-missing", "The token may not be used for this"),
    ("machine-never-approves", "A machine can not decide"),
    ("not-found", "There is no such thing"),
    ("wrong-method", "The address does not take this method"),
    ("wrong-content-type", "The body has to be JSON"),
    ("too-large", "The body is too large"),
    ("bad-field", "A field is missing, unknown or has a value that can not be"),
    ("idempotency-key-missing", "A decision needs an idempotency key"),
    ("idempotency-key-reused", "The idempotency key belongs to another decision"),
    ("too-many-requests", "Too many requests"),
    ("person-unknown", "The person is not configured"),
    ("not-permitted", "The policy lets nobody release it"),
    ("role-missing", "The person's role does not decide this"),
    ("tier-too-low", "It is above the person's limit"),
    ("above-own-limit", "It is above the person's own limit"),
    ("out-of-scope", "It is outside of what the person looks after"),
    ("separation-of-duties", "The person has had a hand in it"),
    ("second-person-needed", "The second signature has to be somebody else's"),
    ("one-hand", "The two could be one person"),
    ("first-signature-lapsed", "The first signature no longer counts"),
    ("pair-incomplete", "The two together are not who it takes"),
    ("facts-changed", "The facts changed since this was shown"),
    ("checks-failed", "It can not be done any more"),
    ("already-decided", "It is decided already"),
    ("wrong-state", "It does not fit where the recommendation stands"),
    ("edit-refused", "The edit changes more than it may"),
    ("decision-refused", "The decision can not be taken"),
    ("already-left", "It is on its way and can not be taken back"),
    ("not-live", "Its scope is in shadow or off"),
    ("busy", "Somebody else was changing it at the same moment"),
    ("unavailable", "Reeve's store did not answer"),
];

/// Why there is no answer.
#[derive(Debug)]
pub(in crate::channels) struct Problem {
    status: StatusCode,
    code: &'static str,
    detail: String,
    retry_after: Option<i64>,
    more: Map<String, Value>,
}

/// What a problem document holds.
#[derive(Serialize, JsonSchema)]
#[schemars(rename = "Problem")]
pub(super) struct ProblemDocument {
    /// `urn:reeve:problem:` and a code that stays.
    r#type: String,
    /// The kind of problem, in a sentence.
    title: String,
    /// The HTTP status.
    status: u16,
    /// What is wrong and what to do about it.
    detail: String,
    /// More of it by kind: `newest` with the card that holds now, `checks` that failed, `pointer` to a field.
    #[serde(flatten)]
    more: Map<String, Value>,
}

impl Problem {
    /// A problem of a kind in [`CODES`].
    pub(super) fn new(status: StatusCode, code: &'static str, detail: impl Into<String>) -> Self {
        debug_assert!(CODES.iter().any(|(known, _)| *known == code), "{code} is in the list of codes");
        Self { status, code, detail: sentence(detail.into()), retry_after: None, more: Map::new() }
    }

    pub(super) fn not_found(what: &str) -> Self {
        Self::new(StatusCode::NOT_FOUND, "not-found", format!("there is no {what} here"))
    }

    pub(super) fn bad_field(pointer: &str, detail: impl Into<String>) -> Self {
        Self::new(StatusCode::UNPROCESSABLE_ENTITY, "bad-field", detail).with("pointer", pointer)
    }

    /// What is wrong, in a sentence.
    pub(in crate::channels) fn said(&self) -> &str {
        &self.detail
    }

    /// Adds something for programs.
    #[must_use]
    pub(super) fn with(mut self, key: &str, value: impl Into<Value>) -> Self {
        self.more.insert(key.to_owned(), value.into());
        self
    }

    /// Says in how many seconds to come again.
    #[must_use]
    pub(super) fn again_after(mut self, seconds: i64) -> Self {
        self.retry_after = Some(seconds);
        self
    }
}

/// Errors are written to stand in a longer text; here each stands alone.
fn sentence(text: String) -> String {
    let mut letters = text.chars();
    let Some(first) = letters.next() else { return text };
    let mut said: String = first.to_uppercase().chain(letters).collect();
    if !said.ends_with(['.', '?', '!']) {
        said.push('.');
    }
    said
}

impl From<StoreError> for Problem {
    fn from(error: StoreError) -> Self {
        match error {
            StoreError::NotFound { what, .. } => Self::not_found(what),
            error => {
                tracing::error!(error = &error as &dyn std::error::Error, "the store did not answer the API");
                let text = "Nothing was changed; whoever runs Reeve finds the reason in its log.";
                Self::new(StatusCode::SERVICE_UNAVAILABLE, "unavailable", text).again_after(5)
            }
        }
    }
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let title = CODES.iter().find(|(code, _)| *code == self.code).map_or("", |(_, title)| title);
        let document = ProblemDocument {
            r#type: format!("{TYPE}{}", self.code),
            title: title.to_owned(),
            status: self.status.as_u16(),
            detail: self.detail,
            more: self.more,
        };
        let mut response = (self.status, Json(document)).into_response();
        let headers = response.headers_mut();
        headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/problem+json"));
        if self.status == StatusCode::UNAUTHORIZED {
            headers.insert(WWW_AUTHENTICATE, HeaderValue::from_static("Bearer realm=\"reeve\""));
        }
        if let Some(seconds) = self.retry_after {
            headers.insert(RETRY_AFTER, seconds.into());
        }
        response
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_code_is_there_once_and_reads_as_one() {
        let mut codes: Vec<&str> = CODES.iter().map(|(code, _)| *code).collect();
        assert!(codes.iter().all(|code| code.bytes().all(|b| b.is_ascii_lowercase() || b == b'-')));
        codes.sort_unstable();
        codes.dedup();
        assert_eq!(codes.len(), CODES.len());
    }

    #[test]
    fn each_code_is_explained() {
        let page = include_str!("../../../docs/API.md");
        let missing: Vec<_> = CODES.iter().map(|(code, _)| code).filter(|c| !page.contains(&format!("`{c}`"))).collect();
        assert!(missing.is_empty(), "docs/API.md says nothing of {missing:?}");
    }

    #[test]
    fn what_is_wrong_is_a_sentence() {
        assert_eq!(sentence("the facts changed".to_owned()), "The facts changed.");
        assert_eq!(sentence("Ask Ari.".to_owned()), "Ask Ari.");
        assert_eq!(sentence(String::new()), "");
    }
}
