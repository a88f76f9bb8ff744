//! Calls of machines, signed by the Standard Webhooks convention: which are taken, and how others are refused.
//!
//! Invariants: signatures are compared in constant time, over the bytes as they came; a signature's time must be near ours, so
//! that an overheard call can not be sent again later.

use axum::Json;
use axum::extract::rejection::BytesRejection;
use axum::http::header::{CACHE_CONTROL, RETRY_AFTER};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use jiff::{SignedDuration, Timestamp};
use serde_json::json;
use standardwebhooks::{HEADER_WEBHOOK_ID, HEADER_WEBHOOK_SIGNATURE, HEADER_WEBHOOK_TIMESTAMP, Webhook};
use subtle::ConstantTimeEq as _;

/// Longest id of a call.
const ID_MAX: usize = 200;
/// Most signatures that are looked at: a sender that rotates sends two.
const SIGNATURES_MAX: usize = 8;

/// The id and text of a signed call.
pub(super) fn check<'b>(
    keys: &[Webhook],
    headers: &HeaderMap,
    body: &'b [u8],
    now: Timestamp,
    window: SignedDuration,
) -> Result<(String, &'b str), Refusal> {
    let Ok(text) = std::str::from_utf8(body) else { return Err(Refusal::Bad("the body must be UTF-8")) };
    let names = [HEADER_WEBHOOK_ID, HEADER_WEBHOOK_TIMESTAMP, HEADER_WEBHOOK_SIGNATURE];
    // Of two headers, one could be what was signed and the other what is used.
    if names.iter().any(|name| headers.get_all(*name).iter().nth(1).is_some()) {
        return Err(Refusal::Bad("webhook-id, webhook-timestamp and webhook-signature may each be there once"));
    }
    // Of which letters the id is decides before anything else: it stands in our own names, in the log and on pages.
    let id = headers.get(HEADER_WEBHOOK_ID).map_or(&[][..], |value| value.as_bytes());
    let is_plain = |b: &u8| b.is_ascii_alphanumeric() || b"-_:~".contains(b);
    if !id.is_empty() && (id.len() > ID_MAX || !id.iter().all(is_plain)) {
        return Err(Refusal::Bad("webhook-id must be at most 200 letters, digits, - and _"));
    }
    let header = |name| headers.get(name).and_then(|v| v.to_str().ok()).unwrap_or_default();
    let (id, signatures) = (header(HEADER_WEBHOOK_ID), header(HEADER_WEBHOOK_SIGNATURE));
    if id.is_empty() || signatures.is_empty() {
        return Err(Refusal::Unsigned("sign the call: webhook-id, webhook-timestamp and webhook-signature are needed"));
    }
    let Some(seconds) = time_of(header(HEADER_WEBHOOK_TIMESTAMP)) else {
        return Err(Refusal::Unsigned("webhook-timestamp must be the seconds since 1970"));
    };
    let given = || signatures.split_ascii_whitespace().take(SIGNATURES_MAX);
    let mut fits = subtle::Choice::from(0);
    for key in keys {
        let Ok(expected) = key.sign(id, seconds, body) else { continue };
        for one in given() {
            fits |= one.as_bytes().ct_eq(expected.as_bytes());
        }
    }
    if !bool::from(fits) {
        return Err(Refusal::Unsigned("the signature does not fit"));
    }
    if now.as_second().abs_diff(seconds) > window.as_secs().unsigned_abs() {
        return Err(Refusal::Unsigned("webhook-timestamp is too far from now: set the clock, and sign each attempt anew"));
    }
    Ok((id.to_owned(), text))
}

/// Seconds since 1970, as digits and nothing else: `+1`, ` 1` and `01` would be signed as another text.
fn time_of(text: &str) -> Option<i64> {
    let digits = !text.is_empty() && text.len() <= 12 && text.bytes().all(|b| b.is_ascii_digit());
    text.parse().ok().filter(|_| digits && (text == "0" || !text.starts_with('0')))
}

/// Why a call is not taken.
pub(super) enum Refusal {
    NotFound(&'static str),
    Unsigned(&'static str),
    Bad(&'static str),
    TooLarge,
    Other,
    TooMany(i64),
    NotKept,
}

impl IntoResponse for Refusal {
    fn into_response(self) -> Response {
        let (status, why) = match self {
            Self::NotFound(why) => (StatusCode::NOT_FOUND, why),
            Self::Unsigned(why) => (StatusCode::UNAUTHORIZED, why),
            Self::Bad(why) => (StatusCode::BAD_REQUEST, why),
            Self::TooLarge => (StatusCode::PAYLOAD_TOO_LARGE, "the body is too large: send several events"),
            Self::Other => (StatusCode::CONFLICT, "another event came under this webhook-id: give each its own"),
            Self::TooMany(_) => (StatusCode::TOO_MANY_REQUESTS, "too many events: send again later"),
            Self::NotKept => (StatusCode::SERVICE_UNAVAILABLE, "the event could not be kept: send it again"),
        };
        let mut response = answer(status, &json!({ "error": why }));
        if let Self::TooMany(seconds) = self {
            response.headers_mut().insert(RETRY_AFTER, seconds.into());
        }
        response
    }
}

pub(super) fn answer(status: StatusCode, body: &serde_json::Value) -> Response {
    (status, [(CACHE_CONTROL, "no-store")], Json(body)).into_response()
}

pub(super) fn unread(rejection: &BytesRejection) -> Refusal {
    if rejection.status() == StatusCode::PAYLOAD_TOO_LARGE {
        Refusal::TooLarge
    } else {
        Refusal::Bad("the body could not be read")
    }
}
