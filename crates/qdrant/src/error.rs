//! What goes wrong with a Qdrant server, told so that whoever reads it knows what to do. Never a key.

use std::time::Duration;

use reeve_domain::words;
use reeve_ports::PortError;
use tonic::{Code, Status};

pub(crate) const SERVICE: &str = "Qdrant";

/// Longest text of the server's that is shown.
const DETAIL_CHARS: usize = 300;

/// Why a question was not answered.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum QdrantError {
    /// A key of the configuration has to be set otherwise.
    #[error("{key}: {message}")]
    Setting {
        /// The key.
        key: &'static str,
        /// What is wrong, and what to do.
        message: String,
    },
    /// Nobody answers.
    #[error(
        "{url} can not be reached: {detail}; check memory.qdrant.url (its gRPC port, 6334 as a rule), the network and that Qdrant runs"
    )]
    Unreachable {
        /// The address.
        url: String,
        /// What happened.
        detail: String,
    },
    /// Its certificate is not trusted.
    #[error("the certificate of {url} is not trusted: {detail}; name the authority's certificate in memory.qdrant.ca_file")]
    Untrusted {
        /// The address.
        url: String,
        /// What happened.
        detail: String,
    },
    /// No answer in time.
    #[error("{url} did not {what} within {} ms (memory.qdrant.timeout); it is asked again later", limit.as_millis())]
    Slow {
        /// The address.
        url: String,
        /// What was asked.
        what: &'static str,
        /// How long was waited.
        limit: Duration,
    },
    /// It asks to be left alone, or could not do it just now.
    #[error("{url} did not {what} just now: {detail}; it is asked again later")]
    Busy {
        /// The address.
        url: String,
        /// What was asked.
        what: &'static str,
        /// What it said.
        detail: String,
        /// How long it asked to be left alone.
        retry_after: Option<Duration>,
    },
    /// The key is none of its keys, or may not do it.
    #[error(
        "{url} refuses the key ({detail}); check memory.qdrant.api_key: it has to be allowed to read, write and make collections"
    )]
    Key {
        /// The address.
        url: String,
        /// What it said.
        detail: String,
    },
    /// It is Qdrant of a version that is not spoken.
    #[error("{url} is Qdrant {version}; update it to 1.13 or later")]
    TooOld {
        /// The address.
        url: String,
        /// What it says it is.
        version: String,
    },
    /// It is something else, or a port on which something else is spoken.
    #[error(
        "{url} does not answer as Qdrant does ({detail}); check that memory.qdrant.url is its gRPC port, 6334 as a rule"
    )]
    NotQdrant {
        /// The address.
        url: String,
        /// What it said.
        detail: String,
    },
    /// A collection of this name has other vectors.
    #[error("the collection {collection} is not as Reeve makes it: {detail}; remove it, and it is made and filled anew")]
    OtherShape {
        /// Its name.
        collection: String,
        /// What differs.
        detail: String,
    },
    /// A vector does not fit.
    #[error(
        "the vector `{space}` of {of} has {found} numbers, not {expected}: it was made by another model than the collection's"
    )]
    Length {
        /// Which of a point's vectors.
        space: &'static str,
        /// What it is of.
        of: String,
        /// How many it has.
        found: usize,
        /// How many it should have.
        expected: usize,
    },
    /// It was asked in a manner that it does not accept.
    #[error("{url} refused to {what}: {detail}")]
    Refused {
        /// The address.
        url: String,
        /// What was asked.
        what: &'static str,
        /// What it said.
        detail: String,
    },
    /// There is no such collection.
    #[error("the collection is not there; it is made and filled anew")]
    Missing,
    /// There is such a collection already.
    #[error("the collection is there already")]
    AlreadyThere,
    /// The collection was dropped or emptied by somebody else while it was filled.
    #[error("the collection {collection} was made anew by somebody else; what is missing is put from its position on")]
    MadeAnew {
        /// Its name.
        collection: String,
    },
}

impl QdrantError {
    /// What a status means that came in answer to `what`.
    pub(crate) fn of(url: &str, what: &'static str, status: &Status) -> Self {
        let url = url.to_owned();
        let detail = detail(status);
        match status.code() {
            Code::NotFound => Self::Missing,
            Code::AlreadyExists => Self::AlreadyThere,
            Code::Unauthenticated | Code::PermissionDenied => Self::Key { url, detail },
            Code::Unimplemented => Self::NotQdrant { url, detail },
            Code::InvalidArgument | Code::FailedPrecondition | Code::OutOfRange => match detail {
                // Older servers say so where newer ones say `AlreadyExists`.
                detail if detail.contains("already exists") => Self::AlreadyThere,
                detail => Self::Refused { url, what, detail },
            },
            _ if detail.contains("invalid peer certificate") => Self::Untrusted { url, detail },
            _ if came_from_here(status) => Self::Unreachable { url, detail },
            // What is left may be otherwise the next time: overloaded, no room on its disk, a shard that is moved.
            _ => Self::Busy { url, what, detail, retry_after: retry_after(status) },
        }
    }

    fn is_transient(&self) -> bool {
        match self {
            Self::Unreachable { .. }
            | Self::Slow { .. }
            | Self::Busy { .. }
            | Self::Missing
            | Self::AlreadyThere
            | Self::MadeAnew { .. } => true,
            Self::Setting { .. }
            | Self::Untrusted { .. }
            | Self::Key { .. }
            | Self::TooOld { .. }
            | Self::NotQdrant { .. }
            | Self::OtherShape { .. }
            | Self::Length { .. }
            | Self::Refused { .. } => false,
        }
    }
}

impl From<QdrantError> for PortError {
    fn from(error: QdrantError) -> Self {
        if !error.is_transient() {
            return Self::Permanent { service: SERVICE, source: Box::new(error) };
        }
        let retry_after = match &error {
            QdrantError::Busy { retry_after, .. } => *retry_after,
            _ => None,
        };
        Self::Transient { service: SERVICE, retry_after, source: Box::new(error) }
    }
}

/// A status that the transport made, not the server: it has the error that it was made of.
fn came_from_here(status: &Status) -> bool {
    std::error::Error::source(status).is_some()
}

/// What the server said, and what lies below it where the connection itself failed. It is text from outside.
fn detail(status: &Status) -> String {
    let mut said = status.message().to_owned();
    let mut below = std::error::Error::source(status);
    while let Some(error) = below {
        let text = error.to_string();
        if !said.contains(&text) {
            if !said.is_empty() {
                said.push_str(": ");
            }
            said.push_str(&text);
        }
        below = error.source();
    }
    if said.is_empty() {
        said.push_str(status.code().description());
    }
    words::quoted(&said, DETAIL_CHARS)
}

/// Seconds, as Qdrant's own limits and those of its cloud say them.
fn retry_after(status: &Status) -> Option<Duration> {
    let seconds = status.metadata().get("retry-after")?.to_str().ok()?.parse().ok()?;
    Some(Duration::from_secs(seconds))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(status: &Status) -> PortError {
        QdrantError::of("http://127.0.0.1:6334", "search", status).into()
    }

    #[test]
    fn what_may_pass_is_tried_again_and_what_will_not_is_not() {
        for code in [Code::Unavailable, Code::ResourceExhausted, Code::DeadlineExceeded, Code::Internal, Code::Aborted] {
            assert!(matches!(of(&Status::new(code, "x")), PortError::Transient { .. }), "{code:?}");
        }
        for code in [Code::Unauthenticated, Code::PermissionDenied, Code::InvalidArgument, Code::Unimplemented] {
            assert!(matches!(of(&Status::new(code, "x")), PortError::Permanent { .. }), "{code:?}");
        }
    }

    #[test]
    fn how_long_it_wants_to_be_left_alone_is_kept() {
        let mut status = Status::resource_exhausted("too many requests");
        status.metadata_mut().insert("retry-after", "7".parse().unwrap());
        let PortError::Transient { retry_after, .. } = of(&status) else { panic!("it is transient") };
        assert_eq!(retry_after, Some(Duration::from_secs(7)));
    }

    #[test]
    fn what_it_says_is_cut_and_cleaned() {
        let status = Status::invalid_argument(format!("bad\u{1b}[2J\n{}", "x".repeat(5000)));
        let said = reeve_domain::words::with_causes(&of(&status));
        assert!(!said.contains('\u{1b}') && !said.contains('\n') && said.len() < 600, "{said}");
    }
}
