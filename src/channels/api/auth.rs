//! Who calls: the token in the header, and how often it may.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use axum::extract::{Request, State};
use axum::http::StatusCode;
use axum::http::header::AUTHORIZATION;
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use jiff::Timestamp;

use super::problem::Problem;
use crate::channels::ChannelState;
use crate::config::Config;
use crate::people::{Bearer, Identities, Scope, TokenRefused, looks_like_token};

/// Names under which people put tokens into addresses.
const IN_ADDRESS: [&str; 5] = ["token", "access_token", "api_key", "apikey", "key"];

/// How many requests each token has made in this minute.
#[derive(Clone)]
pub(super) struct Pace {
    per_minute: u32,
    counts: Arc<Mutex<(i64, BTreeMap<String, u32>)>>,
}

impl Pace {
    pub(super) fn new(config: &Config) -> Self {
        Self { per_minute: config.api.per_minute, counts: Arc::default() }
    }

    /// Counts a request. Answers for how many seconds its token has to wait where it made too many.
    fn too_many(&self, token: &str, now: Timestamp) -> Option<i64> {
        let minute = now.as_second().div_euclid(60);
        // Counts are whole after every step, so a panic elsewhere leaves nothing half-done in them.
        let mut counts = self.counts.lock().unwrap_or_else(PoisonError::into_inner);
        if counts.0 != minute {
            *counts = (minute, BTreeMap::new());
        }
        let count = counts.1.entry(token.to_owned()).or_default();
        *count = count.saturating_add(1);
        (*count > self.per_minute).then(|| 60 - now.as_second().rem_euclid(60))
    }
}

/// Lets in whoever has a token, and says who it is.
pub(super) async fn authenticate(
    State((state, pace)): State<(ChannelState, Pace)>,
    mut request: Request,
    next: Next,
) -> Response {
    let given = given(&request).map(str::to_owned);
    match caller(&state, &pace, given).await {
        Ok(bearer) => {
            request.extensions_mut().insert(bearer);
            next.run(request).await
        }
        Err(problem) => problem.into_response(),
    }
}

async fn caller(state: &ChannelState, pace: &Pace, given: Result<String, Problem>) -> Result<Bearer, Problem> {
    let bearer = identities(state).bearer(&given?).await.map_err(refused)?;
    if let Some(seconds) = pace.too_many(&bearer.token, state.clock.wire()) {
        let text = format!("At most {} requests of one token in a minute (api.per_minute).", pace.per_minute);
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
        TokenRefused::Store(_) => {
            let TokenRefused::Store(error) = refusal else { unreachable!("it was just matched") };
            return error.into();
        }
    };
    Problem::new(status, code, refusal.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_has_a_number_of_requests_each_minute() {
        let pace = Pace::new(&Config::load_from(None, &[]).unwrap());
        let at = |seconds| Timestamp::from_second(seconds).unwrap();
        for _ in 0..pace.per_minute {
            assert_eq!(pace.too_many("a", at(120)), None);
        }
        assert_eq!(pace.too_many("a", at(150)), Some(30));
        assert_eq!(pace.too_many("b", at(150)), None);
        assert_eq!(pace.too_many("a", at(180)), None);
    }
}
