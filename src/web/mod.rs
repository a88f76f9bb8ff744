//! The page: server-rendered, works without scripts, shows what is stored and hands clicks to the approval stage.
//!
//! Invariants: nobody sees anything before signing in; every change comes by POST with the session's CSRF token; every value
//! is escaped; nothing is loaded from elsewhere. It computes no business number and decides nothing. Beside the pages, the
//! hooks take signed events from machines, and `/api/v1` answers programs that have a token.

mod api;
mod batch_page;
mod case_page;
mod case_sums;
mod case_view;
pub mod chart;
mod error;
mod guard;
mod hand_offs;
mod hooks;
mod kpi_page;
mod me_page;
mod mutes_page;
mod outbox_page;
mod pages;
mod policy_page;
mod queue_page;
mod session;
mod signed;
mod sockets;
mod templates;
mod view;

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use axum::Router;
use axum::http::StatusCode;
use axum::middleware;
use axum::routing::{get, post};
use jiff::Timestamp;
use tower_http::limit::RequestBodyLimitLayer;
use tower_http::timeout::TimeoutLayer;

pub use self::api::document as api_document;
pub use self::hooks::Hooks;
pub use self::pages::VERSION_HEADER;
pub use self::session::{LinkFor, sign_in_link};
pub use self::sockets::serve;

use self::chart::ChartData;
use crate::clock::Clock;
use crate::config::Config;
use crate::domain::exception::Subject;
use crate::pipeline::approve::Approvals;
use crate::pipeline::kpi::Figures;
use crate::store::Store;

/// Largest request body: the forms are small.
const BODY_MAX: usize = 64 * 1024;
/// Longest time for one request.
const REQUEST_MAX: Duration = Duration::from_secs(30);

/// Where the demand chart of a case comes from. Supplied by whoever knows the books.
#[async_trait]
pub trait ChartSource: Send + Sync {
    /// The days of a subject up to `as_of`; None where a chart says nothing about it.
    async fn chart(&self, subject: &Subject, as_of: Timestamp) -> Option<ChartData>;
}

/// What the page needs. Cheap to clone.
#[derive(Clone)]
pub struct WebState {
    /// Where everything is kept.
    pub store: Store,
    /// People, limits, time zone.
    pub config: Arc<Config>,
    /// When it is.
    pub clock: Clock,
    /// What a click does.
    pub approvals: Approvals,
    /// The charts.
    pub charts: Arc<dyn ChartSource>,
    /// The figures.
    pub figures: Arc<Figures>,
    /// Who may send events.
    pub hooks: Arc<Hooks>,
}

/// The whole page as a router.
pub fn router(state: WebState) -> Router {
    let pages = Router::new()
        .route("/", get(queue_page::queue))
        .route("/cases/{id}", get(case_page::show))
        .route("/cases/{id}/decide", post(case_page::decide))
        .route("/batch", get(batch_page::confirm).post(batch_page::decide))
        .route("/mutes", get(mutes_page::mutes).post(mutes_page::add))
        .route("/mutes/end", post(mutes_page::end))
        .route("/digests", get(pages::digests))
        .route("/digests/{day}", get(pages::digest))
        .route("/digests/{day}/mail", get(pages::mail))
        .route("/audit", get(pages::audit))
        .route("/kpi", get(kpi_page::show))
        .route("/metrics", get(kpi_page::metrics))
        .route("/outbox", get(outbox_page::outbox))
        .route("/policy", get(policy_page::policy))
        .route("/policy/stand-ins", post(policy_page::delegate))
        .route("/policy/stand-ins/end", post(policy_page::end))
        .route("/notices/{id}/seen", post(queue_page::seen))
        .route("/health", get(pages::health))
        .route("/me", get(me_page::show).post(me_page::act))
        .route("/sign-in", get(session::ask).post(session::sign_in))
        .route("/sign-out", post(session::sign_out))
        .route("/style.css", get(pages::style))
        .route("/healthz", get(pages::healthz))
        .route("/readyz", get(pages::readyz))
        .fallback(pages::nothing_here)
        .layer(RequestBodyLimitLayer::new(BODY_MAX))
        .layer(TimeoutLayer::with_status_code(StatusCode::SERVICE_UNAVAILABLE, REQUEST_MAX))
        .layer(middleware::from_fn_with_state(state.clone(), guard::guard));
    // What machines send is signed and comes through gateways under other names: the guard is for browsers.
    let timeout = TimeoutLayer::with_status_code(StatusCode::SERVICE_UNAVAILABLE, REQUEST_MAX);
    pages.merge(hooks::routes(&state).merge(hand_offs::routes()).merge(api::routes(&state)).layer(timeout)).with_state(state)
}
