//! An index for the contract's vectors, and what errors say.

use std::time::Duration;

use reeve_domain::words;
use reeve_ports::PortError;
use reeve_qdrant::{QdrantConfig, QdrantIndex, Shape};
use reeve_testing::vectors::{PROFILE, TEXT};

pub(crate) fn config(url: &str) -> QdrantConfig {
    QdrantConfig {
        url: url.to_owned(),
        api_key: String::new().into(),
        api_key_file: String::new(),
        ca_file: String::new(),
        collection: "reeve_contract".to_owned(),
        // Long, since it is no limit that a test waits for: the machine may be busy.
        timeout: Duration::from_mins(1),
    }
}

pub(crate) fn shape(embedder: &str) -> Shape {
    Shape { embedder: embedder.to_owned(), text: TEXT, profile: PROFILE }
}

pub(crate) fn index(url: &str) -> QdrantIndex {
    QdrantIndex::new(&config(url), shape("model-1")).expect("the settings can be used")
}

/// What a transient error says, with its causes.
#[track_caller]
pub(crate) fn transient<T>(result: Result<T, PortError>) -> String {
    match result {
        Err(error @ PortError::Transient { .. }) => words::with_causes(&error),
        Err(error) => panic!("it should be transient: {}", words::with_causes(&error)),
        Ok(_) => panic!("it should not work"),
    }
}

/// What a permanent error says, with its causes.
#[track_caller]
pub(crate) fn permanent<T>(result: Result<T, PortError>) -> String {
    match result {
        Err(error @ PortError::Permanent { .. }) => words::with_causes(&error),
        Err(error) => panic!("it should be permanent: {}", words::with_causes(&error)),
        Ok(_) => panic!("it should not work"),
    }
}
