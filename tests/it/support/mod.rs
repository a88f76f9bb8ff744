//! What the integration tests stand on: fresh databases, a real browser, the real program, and the App on a recording.
//! Nothing here knows a feature of Reeve.

pub(crate) mod binary;
pub(crate) mod browser;
pub(crate) mod databases;
pub(crate) mod earned;
pub(crate) mod recordings;
pub(crate) mod shop;

/// The value of an environment variable that steers the tests, `None` when it is unset or empty.
#[expect(clippy::disallowed_methods, reason = "what steers the tests is no configuration of Reeve")]
pub(crate) fn variable(name: &str) -> Option<String> {
    std::env::var(name).ok().filter(|value| !value.is_empty())
}
