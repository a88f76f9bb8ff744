//! The page: server-rendered, works without scripts, shows what is stored and hands clicks to the approval stage.
//!
//! Invariants: nobody sees anything before signing in; every change comes by POST with the session's CSRF token; every value
//! is escaped; nothing is loaded from elsewhere. It computes no business number and decides nothing. The one script (`assets`)
//! leads by keys to what is there for the mouse as well, and no key decides.

mod assets;
mod batch_page;
mod case_page;
mod cases_about;
mod error;
mod frame;
mod guard;
mod item_page;
mod kpi_page;
mod look;
mod me_page;
mod models_page;
mod modes_page;
mod mutes_page;
mod outbox_page;
mod pages;
mod policy_page;
mod queue_filter;
mod queue_page;
mod queue_read;
mod queue_rows;
mod queue_saved;
mod session;
mod stop_page;
mod supplier_page;
mod templates;

use axum::Router;
use axum::middleware;
use axum::routing::{get, post};
use tower_http::limit::RequestBodyLimitLayer;
use tower_http::timeout::TimeoutLayer;

use super::ChannelState;

pub use self::pages::VERSION_HEADER;
pub use self::session::{LinkFor, sign_in_link};

/// Largest request body: the forms are small.
const BODY_MAX: usize = 64 * 1024;

/// The pages, behind the guard that browsers need.
pub(super) fn routes(state: &ChannelState, timeout: TimeoutLayer) -> Router<ChannelState> {
    Router::new()
        .route("/", get(queue_page::queue))
        .route("/saved", post(queue_saved::keep))
        .route("/saved/forget", post(queue_saved::forget))
        .route("/items/{id}", get(item_page::item))
        .route("/suppliers", get(supplier_page::suppliers))
        .route("/suppliers/{id}", get(supplier_page::supplier))
        .route("/cases/{id}", get(case_page::show))
        .route("/cases/{id}/decide", post(case_page::decide))
        .route("/cases/{id}/want", post(case_page::want))
        .route("/batch", get(batch_page::confirm).post(batch_page::decide))
        .route("/modes", get(modes_page::modes).post(modes_page::change))
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
        .route("/health", get(models_page::health))
        .route("/models", post(models_page::change))
        .route("/words", post(models_page::confirm_words))
        .route("/me", get(me_page::show).post(me_page::act))
        .route("/stop", get(stop_page::show).post(stop_page::begin))
        .route("/stop/end", post(stop_page::end))
        .route("/sign-in", get(session::ask).post(session::sign_in))
        .route(session::SIGN_OUT, post(session::sign_out))
        .route("/look", get(look::ask).post(look::begin))
        .route("/assets/{name}", get(assets::asset))
        .route("/healthz", get(pages::healthz))
        .route("/readyz", get(pages::readyz))
        .fallback(pages::nothing_here)
        // The last layer is asked first: what the guard refuses is not read at all.
        .layer(RequestBodyLimitLayer::new(BODY_MAX))
        .layer(timeout)
        .layer(middleware::from_fn_with_state(state.clone(), guard::guard))
}
