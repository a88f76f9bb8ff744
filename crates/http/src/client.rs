//! The one maker of HTTP clients for everything that goes out: time-outs always, redirects never.
//!
//! [`client`] takes settings from nowhere but the configuration (no proxy from the environment). [`client_by`] is for a
//! server that stands in a company's own network: its own certificate authority, its proxy. It never leaves that server: a
//! redirect is an answer like any other, so that no header ever reaches another host.

use std::path::{Path, PathBuf};
use std::time::Duration;

/// Longest wait for a connection.
pub const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);

/// Makes a client whose requests take at most `total`, connecting included.
///
/// # Errors
/// When the machine's root certificates can not be loaded.
pub fn client(total: Duration) -> Result<reqwest::Client, reqwest::Error> {
    base(total).no_proxy().build()
}

/// The way to a server.
#[derive(Clone, Debug, Default)]
pub struct Route {
    /// File with certificates (PEM) to trust beside the system's.
    pub ca_file: Option<PathBuf>,
    /// The proxy.
    pub proxy: Proxy,
}

/// Which proxy leads to a server.
#[derive(Clone, Default)]
pub enum Proxy {
    /// None, whatever the environment says.
    #[default]
    None,
    /// What `HTTPS_PROXY`, `HTTP_PROXY` and `NO_PROXY` say.
    Environment,
    /// This one, such as `http://proxy.example.com:3128`. It may hold a password.
    At(String),
}

impl std::fmt::Debug for Proxy {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::None => "None",
            Self::Environment => "Environment",
            Self::At(_) => "At(…)",
        })
    }
}

/// Why a client could not be made.
#[derive(Debug, thiserror::Error)]
pub enum RouteError {
    /// The file with certificates can not be read.
    #[error("the file of certificates {path} can not be read: {source}")]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// What happened.
        source: std::io::Error,
    },
    /// It holds none.
    #[error("the file {path} holds no certificate in PEM form (`-----BEGIN CERTIFICATE-----`)")]
    NoCertificate {
        /// The file.
        path: PathBuf,
    },
    /// The proxy's address is none.
    #[error("the proxy's address is not one, such as http://proxy.example.com:3128")]
    Proxy,
    /// Anything else.
    #[error("no HTTP client can be made: {0}")]
    Client(#[from] reqwest::Error),
}

/// Makes a client whose requests take at most `total`, connecting included, by a given way. Trusted are the system's roots
/// (a machine may have none: then only plain HTTP and the given file work) and those in the file.
///
/// # Errors
/// When the file or the proxy's address can not be used.
pub fn client_by(route: &Route, total: Duration) -> Result<reqwest::Client, RouteError> {
    let mut roots: Vec<reqwest::Certificate> = Vec::new();
    // A root that can not be read is none; what is missing shows when a server's certificate is not trusted.
    for certificate in rustls_native_certs::load_native_certs().certs {
        roots.extend(reqwest::Certificate::from_der(&certificate));
    }
    if let Some(path) = &route.ca_file {
        roots.extend(certificates(path)?);
    }
    let builder = base(total).tls_certs_only(roots);
    let builder = match &route.proxy {
        Proxy::None => builder.no_proxy(),
        Proxy::Environment => builder,
        Proxy::At(address) => {
            let proxy = reqwest::Proxy::all(address).map_err(|_| RouteError::Proxy)?;
            builder.proxy(proxy)
        }
    };
    Ok(builder.build()?)
}

fn certificates(path: &Path) -> Result<Vec<reqwest::Certificate>, RouteError> {
    let pem = std::fs::read(path).map_err(|source| RouteError::Unreadable { path: path.to_owned(), source })?;
    match reqwest::Certificate::from_pem_bundle(&pem) {
        Ok(found) if !found.is_empty() => Ok(found),
        Ok(_) | Err(_) => Err(RouteError::NoCertificate { path: path.to_owned() }),
    }
}

fn base(total: Duration) -> reqwest::ClientBuilder {
    // Fails only when a provider is there already, which is what is wanted.
    drop(rustls::crypto::ring::default_provider().install_default());
    #[expect(clippy::disallowed_methods, reason = "this is the one place that makes a client")]
    let builder = reqwest::Client::builder();
    builder
        .connect_timeout(CONNECT_TIMEOUT.min(total))
        .timeout(total)
        .redirect(reqwest::redirect::Policy::none())
        .user_agent(concat!("reeve/", env!("CARGO_PKG_VERSION")))
}

#[cfg(test)]
mod tests {
    use super::*;

    const SOON: Duration = Duration::from_secs(2);

    #[test]
    fn a_file_without_a_certificate_is_named() {
        let file = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(file.path(), "not a certificate").unwrap();
        let route = Route { ca_file: Some(file.path().to_owned()), proxy: Proxy::None };
        let error = client_by(&route, SOON).unwrap_err().to_string();
        assert!(error.contains(&*file.path().to_string_lossy()) && error.contains("PEM"), "{error}");
        let route = Route { ca_file: Some("/no/such/file.pem".into()), proxy: Proxy::None };
        assert!(matches!(client_by(&route, SOON), Err(RouteError::Unreadable { .. })));
    }

    #[test]
    fn a_proxy_that_is_no_address_is_refused_and_its_password_is_shown_nowhere() {
        let route = Route { ca_file: None, proxy: Proxy::At("http://me:s3cret@[bad".to_owned()) };
        let error = client_by(&route, SOON).unwrap_err();
        assert!(!format!("{error} {error:?} {route:?}").contains("s3cret"));
    }
}
