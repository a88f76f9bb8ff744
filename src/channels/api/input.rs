//! What callers send: addresses and bodies, read strictly. A field that is not known is refused, so that nobody believes they
//! said something that was not heard.

use axum::body::Bytes;
use axum::extract::rejection::BytesRejection;
use axum::extract::{FromRequest, FromRequestParts, Query, Request};
use axum::http::StatusCode;
use axum::http::header::CONTENT_TYPE;
use axum::http::request::Parts;
use serde::de::DeserializeOwned;

use super::problem::Problem;
use crate::channels::ChannelState;

/// The fields behind the question mark.
pub(in crate::channels) struct Asked<T>(pub T);

impl<T: DeserializeOwned> FromRequestParts<ChannelState> for Asked<T> {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &ChannelState) -> Result<Self, Problem> {
        match Query::<T>::try_from_uri(&parts.uri) {
            Ok(Query(asked)) => Ok(Self(asked)),
            Err(rejection) => {
                let why = rejection.body_text();
                let why = why.strip_prefix("Failed to deserialize query string: ").unwrap_or(&why);
                Err(Problem::bad_field("query", format!("The address can not be understood: {why}")))
            }
        }
    }
}

/// A body of JSON.
pub(super) struct Sent<T>(pub T);

impl<T: DeserializeOwned> FromRequest<ChannelState> for Sent<T> {
    type Rejection = Problem;

    async fn from_request(request: Request, state: &ChannelState) -> Result<Self, Problem> {
        let kind = request.headers().get(CONTENT_TYPE).and_then(|v| v.to_str().ok()).unwrap_or_default();
        if !kind.split(';').next().unwrap_or_default().trim().eq_ignore_ascii_case("application/json") {
            let text = "Send the body as Content-Type: application/json.";
            return Err(Problem::new(StatusCode::UNSUPPORTED_MEDIA_TYPE, "wrong-content-type", text));
        }
        let body = Bytes::from_request(request, state).await.map_err(|rejection| unread(&rejection, state))?;
        let mut json = serde_json::Deserializer::from_slice(&body);
        let value = serde_path_to_error::deserialize(&mut json).map_err(|error| {
            let pointer = error.path().to_string();
            let inner = error.into_inner();
            if inner.is_data() {
                return Problem::bad_field(&pointer, format!("The field {pointer} can not be taken: {inner}"));
            }
            Problem::new(StatusCode::BAD_REQUEST, "bad-request", format!("The body is not JSON: {inner}"))
        })?;
        // A second object would be taken for heard by whoever sent it.
        json.end().map_err(|_| {
            Problem::new(StatusCode::BAD_REQUEST, "bad-request", "The body has something behind the JSON object.")
        })?;
        Ok(Self(value))
    }
}

fn unread(rejection: &BytesRejection, state: &ChannelState) -> Problem {
    if rejection.status() == StatusCode::PAYLOAD_TOO_LARGE {
        let text = format!("A body has at most {} bytes (api.body_max).", state.config.api.body_max);
        return Problem::new(StatusCode::PAYLOAD_TOO_LARGE, "too-large", text);
    }
    Problem::new(StatusCode::BAD_REQUEST, "bad-request", "The body could not be read.")
}
