//! What goes wrong, as a small page for the person who sees it. What only the operator can mend goes to the log.

use axum::http::StatusCode;
use axum::response::{Html, IntoResponse, Response};
use serde_json::json;

use super::frame::Shell;
use super::templates;
use crate::approve::DecisionRefused;
use crate::pipeline::moment::BeingRead;
use crate::store::{AuditFault, StoreError};

/// Why there is no page.
#[derive(Debug, thiserror::Error)]
pub(super) enum WebError {
    /// There is no such thing.
    #[error("There is no {0} here. It may have been merged into another, or the address is mistyped.")]
    NotFound(&'static str),
    /// The request did not come from a page of ours, or the page is too old.
    #[error("{0}")]
    Forbidden(&'static str),
    /// Something in it is missing or can not be read.
    #[error("{0}")]
    BadRequest(String),
    /// The store did not answer.
    #[error("Reeve's store could not be read. Nothing was changed. Whoever runs Reeve finds the reason in its log.")]
    Store(#[source] StoreError),
    /// Something could not be read or computed.
    #[error(
        "What the page shows could not be computed. Nothing was changed. Whoever runs Reeve finds the reason in its log."
    )]
    Work(anyhow::Error),
    /// It can be computed in a while.
    #[error("Not now: {0}. Nothing was changed.")]
    NotNow(BeingRead),
    /// A fault of ours.
    #[error("The page could not be made. Nothing was changed. Whoever runs Reeve finds the reason in its log.")]
    Page(#[from] minijinja::Error),
}

impl WebError {
    /// What a page shows could not be computed.
    pub(super) fn work(error: anyhow::Error) -> Self {
        error.downcast_ref::<BeingRead>().copied().map_or(Self::Work(error), Self::NotNow)
    }

    /// Nobody could be told what they may do.
    pub(super) fn judged(refusal: DecisionRefused) -> Self {
        match refusal {
            DecisionRefused::Failed(error) => Self::work(error),
            other => Self::BadRequest(other.to_string()),
        }
    }
}

impl From<StoreError> for WebError {
    fn from(error: StoreError) -> Self {
        match error {
            StoreError::NotFound { what, .. } => Self::NotFound(what),
            other => Self::Store(other),
        }
    }
}

impl From<AuditFault> for WebError {
    fn from(fault: AuditFault) -> Self {
        match fault {
            AuditFault::Store(error) => Self::Store(error),
            other => Self::BadRequest(other.to_string()),
        }
    }
}

impl IntoResponse for WebError {
    fn into_response(self) -> Response {
        let (status, title) = match &self {
            Self::NotFound(_) => (StatusCode::NOT_FOUND, "Not found"),
            Self::Forbidden(_) => (StatusCode::FORBIDDEN, "Not accepted"),
            Self::BadRequest(_) => (StatusCode::BAD_REQUEST, "Not understood"),
            Self::Store(error) => {
                tracing::error!(error = error as &dyn std::error::Error, "the store did not answer a page");
                (StatusCode::SERVICE_UNAVAILABLE, "Not available")
            }
            Self::Work(error) => {
                tracing::error!(error = format!("{error:#}"), "a page's figures could not be computed");
                (StatusCode::SERVICE_UNAVAILABLE, "Not available")
            }
            Self::NotNow(_) => (StatusCode::SERVICE_UNAVAILABLE, "Not now"),
            Self::Page(error) => {
                tracing::error!(error = error as &dyn std::error::Error, "a page could not be made");
                (StatusCode::INTERNAL_SERVER_ERROR, "Not available")
            }
        };
        message(status, title, &self.to_string())
    }
}

/// A page that says one thing.
pub(super) fn message(status: StatusCode, title: &str, text: &str) -> Response {
    let values = json!({
        "shell": Shell::stranger(title),
        "message": text,
        "next": { "href": "/", "name": "To the queue" },
    });
    match templates::render("message.html", &values) {
        Ok(page) => (status, Html(page)).into_response(),
        // A page about a fault must not fail by one: then its words have to do.
        Err(_) => (status, text.to_owned()).into_response(),
    }
}
