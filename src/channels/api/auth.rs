//! Who calls: the token in the header, and how often it may.

use std::sync::Arc;

use axum::extract::{Request, State};
use axum::http::StatusCode;
use axum::http::header::AUTHORIZATION;
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};

use super::problem::Problem;
use crate::channels::ChannelState;
use crate::channels::quota::Quota;
use crate::people::{Bearer, Identities, Scope, TokenRefused, looks_like_token};

/// Names under which people put tokens into addresses.
const IN_ADDRESS: [&str; 5] = ["token", "access_token", "api_key", "apikey", "key"];

/// Lets in whoever has a token, and says who it is.
pub(in crate::channels) async fn authenticate(
    State((state, quota)): State<(ChannelState, Quota)>,
    mut request: Request,
    next: Next,
) -> Response {
    let given = given(&request).map(str::to_owned);
    match caller(&state, &quota, given).await {
        Ok(bearer) => {
            request.extensions_mut().insert(bearer);
            next.run(request).await
        }
        Err(problem) => problem.into_response(),
    }
}

async fn caller(state: &ChannelState, quota: &Quota, given: Result<String, Problem>) -> Result<Bearer, Problem> {
    let bearer = identities(state).bearer(&given?).await.map_err(refused)?;
    // Counted by the token, and so after it was found: whoever only guesses can not use up anybody's minute.
    if let Some(seconds) = quota.too_many(&bearer.token, state.clock.wire()) {
        let text = format!("At most {} requests of one token in a minute (api.per_minute).", quota.per_minute);
        return Err(Problem::new(StatusCode::TOO_MANY_REQUESTS, "too-many-requests", text).again_after(seconds));
    }
    Ok(bearer)
}

/// The token in the header, and nowhere else.
fn given(request: &Request) -> Result<&str, Problem> {
    let query = request.uri().query().unwrap_or_default();
    let names = query.split('&').filter_map(|pair| pair.split('=').next());
    if looks_like_token(query) || names.map(str::to_ascii_lowercase).any(|name| IN_ADDRESS.contains(&&*name)) {
        return Err(Problem::new(
            StatusCode::BAD_REQUEST,
            "token-in-address",
            "Addresses are kept in logs and histories. Send the token in the header Authorization: Bearer, and take a token \
             back that stood in an address (`reeve token revoke`).",
        ));
    }
    let mut all = request.headers().get_all(AUTHORIZATION).iter();
    let (first, second) = (all.next(), all.next());
    // Of two headers it would be chance whose rights are used.
    if second.is_some() {
        return Err(Problem::new(StatusCode::BAD_REQUEST, "bad-request", "There is more than one Authorization header."));
    }
    let text = first.and_then(|value| value.to_str().ok()).unwrap_or_default();
    match text.split_once(' ') {
        Some((scheme, token)) if scheme.eq_ignore_ascii_case("bearer") => Ok(token),
        _ => Err(refused(TokenRefused::Unknown)),
    }
}

pub(super) fn identities(state: &ChannelState) -> Identities {
    Identities { store: state.store.clone(), config: Arc::clone(&state.config), clock: state.clock.clone() }
}

/// Refuses a token without the scope.
pub(super) fn needs(bearer: &Bearer, scope: &Scope) -> Result<(), Problem> {
    bearer.may(scope).map_err(refused)
}

pub(super) fn refused(refusal: TokenRefused) -> Problem {
    let (status, code) = match &refusal {
        TokenRefused::Unknown => (StatusCode::UNAUTHORIZED, "not-authenticated"),
        TokenRefused::Expired(_) => (StatusCode::UNAUTHORIZED, "token-expired"),
        TokenRefused::Revoked(_) => (StatusCode::UNAUTHORIZED, "token-revoked"),
        TokenRefused::OwnerGone => (StatusCode::UNAUTHORIZED, "token-owner-gone"),
        TokenRefused::Scope(_) => (StatusCode::FORBIDDEN, "scope-missing"),
        TokenRefused::Machine => (StatusCode::FORBIDDEN, "machine-never-approves"),
        TokenRefused::Bad(_) => (StatusCode::BAD_REQUEST, "bad-request"),
        // It was matched by reference, since the others need it for their text below; only this one gives its error away.
        TokenRefused::Store(_) => {
            let TokenRefused::Store(error) = refusal else { unreachable!("it was just matched") };
            return error.into();
        }
    };
    Problem::new(status, code, refusal.to_string())
}
