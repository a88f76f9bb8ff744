//! `/api/v1`: what the pages show and do, for programs of people and for machines.
//!
//! Invariants: every call carries a token in its header and is made as the token's owner and nobody else; cookies mean nothing
//! here and tokens mean nothing on the pages, so a browser can not be made to call; what is not known is refused, never
//! ignored; a decision goes the same way as a click on the page; errors are problem documents (RFC 9457) with codes that stay.

mod answers;
pub(super) mod auth;
mod cards;
pub(super) mod cases;
mod decisions;
pub(super) mod input;
mod openapi;
pub(super) mod problem;
pub(super) mod reads;
mod refused;

use axum::Router;
use axum::extract::DefaultBodyLimit;
use axum::http::header::{CACHE_CONTROL, X_CONTENT_TYPE_OPTIONS};
use axum::http::{HeaderValue, Method, StatusCode};
use axum::middleware;
use axum::response::{IntoResponse, Response};
use axum::routing::{MethodRouter, get, post};

use self::openapi::{Operation, Parts};
use self::problem::Problem;
use crate::channels::ChannelState;
use crate::channels::quota::Quota;
use crate::people::Scope;

pub use self::openapi::document;

/// Where it is.
pub(super) const BASE: &str = "/api/v1";

/// Everything that can be asked: the router and the document are both made of this list, so neither can lack what the other
/// has.
fn operations() -> Vec<(Operation, MethodRouter<ChannelState>)> {
    let read = |path, id, summary, scope: Option<Scope>, parts: Parts| Operation {
        method: Method::GET,
        path,
        id,
        summary,
        scope: scope.map(|s| s.to_string()),
        parts,
    };
    vec![
        (
            read("/me", "me", "Who the token makes you, and what it may be used for", None, Parts::answer::<answers::Me>()),
            get(reads::me),
        ),
        (
            read(
                "/cases",
                "listCases",
                "Cases in the order of the queue",
                Some(Scope::ReadCases),
                Parts::answer::<answers::CaseList>().query::<cases::CasesQuery>(),
            ),
            get(cases::list),
        ),
        (
            read(
                "/cases/{id}",
                "getCase",
                "A case with its cards and evidence",
                Some(Scope::ReadCases),
                Parts::answer::<answers::CaseFull>(),
            ),
            get(cases::one),
        ),
        (
            Operation {
                method: Method::POST,
                path: "/cases/{id}/want",
                id: "wantCase",
                summary: "Ask for recommendations on a latent case, as the person whose token it is",
                scope: Some(Scope::Decide(None).to_string()),
                parts: Parts::answer::<answers::Wanted>(),
            },
            post(cases::want),
        ),
        (
            read(
                "/digests",
                "listDigests",
                "The days there are digests of, newest first",
                Some(Scope::ReadDigests),
                Parts::answer::<answers::DigestList>().query::<reads::DigestQuery>(),
            ),
            get(reads::digests),
        ),
        (
            read(
                "/digests/{day}",
                "getDigest",
                "A digest as it was sent",
                Some(Scope::ReadDigests),
                Parts::answer::<answers::Digest>().query::<reads::DigestQuery>(),
            ),
            get(reads::digest),
        ),
        (
            read(
                "/audit",
                "listAudit",
                "Entries of the audit log, oldest first",
                Some(Scope::ReadAudit),
                Parts::answer::<answers::AuditList>().query::<reads::AuditQuery>(),
            ),
            get(reads::audit),
        ),
        (
            read(
                "/kpi",
                "getKpis",
                "Figures of a period, each with its formula and what it was counted from",
                Some(Scope::ReadKpi),
                Parts::answer::<answers::Kpis>().query::<reads::KpiQuery>(),
            ),
            get(reads::kpi),
        ),
        (
            Operation {
                method: Method::POST,
                path: "/decisions",
                id: "decide",
                summary: "Decide on a recommendation, as the person whose token it is",
                scope: Some(Scope::Decide(None).to_string()),
                parts: Parts::answer::<answers::Decided>().body::<decisions::DecisionBody>(),
            },
            post(decisions::decide),
        ),
    ]
}

/// The routes. They stand outside of what protects the pages from other sites: without a token in a header, which no browser
/// adds by itself, nothing is answered.
pub(super) fn routes(state: &ChannelState) -> Router<ChannelState> {
    let inner =
        operations().into_iter().fold(Router::new(), |router, (operation, method)| router.route(operation.path, method));
    let inner = inner
        .fallback(nothing_here)
        .method_not_allowed_fallback(wrong_method)
        .layer(middleware::from_fn_with_state((state.clone(), Quota::new(state.config.api.per_minute)), auth::authenticate))
        // Public: it says nothing about anybody.
        .route("/openapi.json", get(openapi_json))
        .layer(DefaultBodyLimit::max(state.config.api.body_max))
        .layer(middleware::map_response(sealed));
    Router::new().nest(BASE, inner)
}

async fn openapi_json() -> impl IntoResponse {
    axum::Json(document())
}

async fn nothing_here() -> Problem {
    Problem::new(
        StatusCode::NOT_FOUND,
        "not-found",
        "There is no such address in this API; /api/v1/openapi.json lists them.",
    )
}

async fn wrong_method() -> Problem {
    Problem::new(StatusCode::METHOD_NOT_ALLOWED, "wrong-method", "This address does not take that method.")
}

/// Nothing of it may be kept or taken for something else on the way.
async fn sealed(mut response: Response) -> Response {
    let headers = response.headers_mut();
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    headers.insert(X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    response
}
