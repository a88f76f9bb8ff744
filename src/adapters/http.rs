//! The one HTTP client for everything that goes out: time-outs always, redirects never, settings from nowhere but the
//! configuration (no proxy from the environment).

use std::time::Duration;

/// Longest wait for a connection.
pub const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);

/// Makes a client whose requests take at most `total`, connecting included.
///
/// # Errors
/// When the machine's root certificates can not be loaded.
pub fn client(total: Duration) -> Result<reqwest::Client, reqwest::Error> {
    // Fails only when a provider is there already, which is what is wanted.
    drop(rustls::crypto::ring::default_provider().install_default());
    #[expect(clippy::disallowed_methods, reason = "this is the one place that makes a client")]
    let builder = reqwest::Client::builder();
    builder
        .connect_timeout(CONNECT_TIMEOUT.min(total))
        .timeout(total)
        .redirect(reqwest::redirect::Policy::none())
        .no_proxy()
        .user_agent(concat!("reeve/", env!("CARGO_PKG_VERSION")))
        .build()
}
