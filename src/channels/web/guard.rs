//! What holds for every request: from where it may come, and what the browser is told about the answer.

use axum::extract::{Request, State};
use axum::http::header::{
    CACHE_CONTROL, CONTENT_SECURITY_POLICY, HOST, ORIGIN, REFERRER_POLICY, X_CONTENT_TYPE_OPTIONS, X_FRAME_OPTIONS,
};
use axum::http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode, Uri};
use axum::middleware::Next;
use axum::response::Response;

use super::error::message;
use crate::channels::ChannelState;
use crate::config::WebConfig;
use crate::ports::is_loopback;

/// Nothing but our own style sheet and script, images of our own and forms to ourselves. Nothing runs that stands in a page, and the
/// script can ask no server.
const POLICY: &str = "default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self' data:; form-action 'self'; \
                      frame-ancestors 'none'; base-uri 'none'";

/// Refuses foreign hosts and origins, and sets the headers.
pub(super) async fn guard(State(state): State<ChannelState>, request: Request, next: Next) -> Response {
    let mut response = match refusal(&state.config.web, &request) {
        Some(why) => message(StatusCode::FORBIDDEN, "Not accepted", why),
        None => next.run(request).await,
    };
    let headers = response.headers_mut();
    // A stored e-mail brings a policy of its own.
    headers.entry(CONTENT_SECURITY_POLICY).or_insert(HeaderValue::from_static(POLICY));
    // Only what its address names by its content says that it may be kept.
    headers.entry(CACHE_CONTROL).or_insert(HeaderValue::from_static("no-store"));
    for (name, value) in [
        (X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (X_FRAME_OPTIONS, "DENY"),
        (REFERRER_POLICY, "same-origin"),
        (HeaderName::from_static("cross-origin-opener-policy"), "same-origin"),
        (HeaderName::from_static("cross-origin-resource-policy"), "same-origin"),
        (HeaderName::from_static("permissions-policy"), "camera=(), geolocation=(), microphone=()"),
    ] {
        headers.insert(name, HeaderValue::from_static(value));
    }
    response
}

fn refusal(web: &WebConfig, request: &Request) -> Option<&'static str> {
    let host = host_of(request.headers(), request.uri());
    // A name that an attacker points at the loopback address is not ours (DNS rebinding). A proxy on this machine comes under
    // the name that is configured.
    let known = host.is_some_and(|host| is_loopback(host) || is_named(web, host));
    if is_loopback(&web.listen) && !known {
        return Some("This address only answers to localhost and to web.base_url. Open it as one of these.");
    }
    if *request.method() == Method::POST && !same_origin(request.headers(), host) {
        return Some("The form came from another site. Open the page again and repeat what you did.");
    }
    None
}

fn host_of<'r>(headers: &'r HeaderMap, uri: &'r Uri) -> Option<&'r str> {
    headers.get(HOST).and_then(|h| h.to_str().ok()).or_else(|| uri.authority().map(axum::http::uri::Authority::as_str))
}

/// Is `host` the one of the configured address?
fn is_named(web: &WebConfig, host: &str) -> bool {
    let base = web.base_url.trim_end_matches('/');
    let named = base.strip_prefix("https://").or_else(|| base.strip_prefix("http://"));
    named.is_some_and(|named| named.eq_ignore_ascii_case(host))
}

/// Browsers say with every POST where it comes from; other programs may leave it out and still need the CSRF token.
fn same_origin(headers: &HeaderMap, host: Option<&str>) -> bool {
    let Some(origin) = headers.get(ORIGIN) else { return true };
    let origin = origin.to_str().unwrap_or_default();
    let authority = origin.strip_prefix("http://").or_else(|| origin.strip_prefix("https://"));
    authority.is_some() && authority.map(str::to_ascii_lowercase) == host.map(str::to_ascii_lowercase)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_foreign_or_unknown_origin_is_refused() {
        let with = |origin: &'static str| HeaderMap::from_iter([(ORIGIN, HeaderValue::from_static(origin))]);
        assert!(same_origin(&HeaderMap::new(), Some("localhost:1")));
        assert!(same_origin(&with("http://localhost:1"), Some("localhost:1")));
        assert!(!same_origin(&with("http://localhost:2"), Some("localhost:1")));
        assert!(!same_origin(&with("null"), Some("localhost:1")));
        assert!(!same_origin(&with("http://evil.example"), Some("localhost:1")));
    }
}
