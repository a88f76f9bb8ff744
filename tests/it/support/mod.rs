//! What the integration tests stand on: fresh databases and a real browser. Nothing here knows a feature of Reeve.

pub(crate) mod browser;
pub(crate) mod databases;

/// The value of an environment variable that steers the tests, `None` when it is unset or empty.
#[expect(clippy::disallowed_methods, reason = "what steers the tests is no configuration of Reeve")]
fn variable(name: &str) -> Option<String> {
    std::env::var(name).ok().filter(|value| !value.is_empty())
}
