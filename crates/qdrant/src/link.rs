//! The way to the server: one channel, its TLS, the key on every call, and a limit of time around each.
//!
//! The crate's own client is not used: it trusts the system's certificates only, prints when it compares versions, and writes the
//! key into the error where it is no header. Its generated calls are.

use std::sync::OnceLock;
use std::time::Duration;

use qdrant_client::qdrant::collections_client::CollectionsClient;
use qdrant_client::qdrant::points_client::PointsClient;
use qdrant_client::qdrant::qdrant_client::QdrantClient;
use rustls::RootCertStore;
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;
use secrecy::{ExposeSecret, SecretString};
use tonic::metadata::{Ascii, MetadataValue};
use tonic::service::Interceptor;
use tonic::service::interceptor::InterceptedService;
use tonic::transport::{Channel, ClientTlsConfig, Endpoint, Uri};
use tonic::{Request, Response, Status};

use reeve_domain::words;
use reeve_ports::{is_loopback, shown_address};

use crate::error::QdrantError;
use crate::settings::QdrantConfig;

/// Longest wait for a connection.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);

/// How often a connection on which nothing happens is tried: firewalls forget what is silent for some minutes, and nobody is told.
const KEEP_ALIVE: Duration = Duration::from_mins(1);

/// Longest answer: ids and scores of some hundred thousand points that are all as near.
const ANSWER_BYTES: usize = 64 << 20;

type Keyed = InterceptedService<Channel, Key>;

/// The way to a server. Connects when it is first asked, and again when the connection was lost.
pub(crate) struct Link {
    /// What of its address may be shown.
    pub(crate) url: String,
    endpoint: Endpoint,
    // Made at the first question, because a channel belongs to the runtime that it was made in.
    channel: OnceLock<Channel>,
    key: Key,
    timeout: Duration,
}

impl Link {
    /// Asks nothing yet.
    ///
    /// # Errors
    /// When the address, the key or the file with certificates can not be used.
    pub(crate) fn new(config: &QdrantConfig) -> Result<Self, QdrantError> {
        if config.timeout.is_zero() {
            return Err(setting("memory.qdrant.timeout", "is nothing: use a few seconds"));
        }
        let (uri, tls) = address(&config.url)?;
        let key = Key::new(&config.api_key)?;
        if key.0.is_some() && !tls && !uri.host().is_some_and(is_loopback) {
            return Err(setting(
                "memory.qdrant.url",
                "use https:// where there is a key: over http:// anybody on the way reads it",
            ));
        }
        let mut endpoint = Endpoint::from(uri)
            .connect_timeout(CONNECT_TIMEOUT.min(config.timeout))
            .http2_keep_alive_interval(KEEP_ALIVE)
            .keep_alive_timeout(config.timeout)
            .keep_alive_while_idle(true)
            .user_agent(concat!("reeve/", env!("CARGO_PKG_VERSION")))
            .map_err(|error| setting("memory.qdrant", &error.to_string()))?;
        if tls {
            // Fails only when a provider is there already, which is what is wanted.
            drop(rustls::crypto::ring::default_provider().install_default());
            let roots = roots(&config.ca_file)?;
            let tls = ClientTlsConfig::new().trust_anchors(roots.roots);
            endpoint =
                endpoint.tls_config(tls).map_err(|error| setting("memory.qdrant.url", &words::with_causes(&error)))?;
        }
        let url = shown_address(&config.url);
        Ok(Self { url, endpoint, channel: OnceLock::new(), key, timeout: config.timeout })
    }

    fn keyed(&self) -> Keyed {
        let channel = self.channel.get_or_init(|| self.endpoint.connect_lazy());
        InterceptedService::new(channel.clone(), self.key.clone())
    }

    /// Calls about points.
    pub(crate) fn points(&self) -> PointsClient<Keyed> {
        PointsClient::new(self.keyed()).max_decoding_message_size(ANSWER_BYTES)
    }

    /// Calls about collections and aliases.
    pub(crate) fn collections(&self) -> CollectionsClient<Keyed> {
        CollectionsClient::new(self.keyed())
    }

    /// The call that tells the version.
    pub(crate) fn health(&self) -> QdrantClient<Keyed> {
        QdrantClient::new(self.keyed())
    }

    /// Waits for an answer, for so long. `what` completes "did not …".
    pub(crate) async fn ask<T>(
        &self,
        what: &'static str,
        call: impl Future<Output = Result<Response<T>, Status>> + Send,
    ) -> Result<T, QdrantError> {
        match tokio::time::timeout(self.timeout, call).await {
            Ok(Ok(answer)) => Ok(answer.into_inner()),
            Ok(Err(status)) => Err(QdrantError::of(&self.url, what, &status)),
            Err(_) => Err(QdrantError::Slow { url: self.url.clone(), what, limit: self.timeout }),
        }
    }
}

fn setting(key: &'static str, message: &str) -> QdrantError {
    QdrantError::Setting { key, message: message.to_owned() }
}

/// The address, and whether it asks for TLS.
fn address(url: &str) -> Result<(Uri, bool), QdrantError> {
    const EXPECTED: &str = "is no address such as https://qdrant.example.com:6334";
    let uri: Uri = url.trim().parse().map_err(|_| setting("memory.qdrant.url", EXPECTED))?;
    let tls = match uri.scheme_str() {
        Some("https") => true,
        Some("http") => false,
        _ => return Err(setting("memory.qdrant.url", EXPECTED)),
    };
    // A user and a password in an address would be sent nowhere, and whoever wrote them believes that they are.
    if uri.authority().is_some_and(|authority| authority.as_str().contains('@')) {
        return Err(setting("memory.qdrant.url", "names a user; Qdrant knows only keys: set memory.qdrant.api_key"));
    }
    if !matches!(uri.path(), "" | "/") || uri.query().is_some() {
        return Err(setting("memory.qdrant.url", "ends after the port: gRPC has no paths of its own choice"));
    }
    Ok((uri, tls))
}

/// What is trusted: the system's certificates and those in the file.
fn roots(ca_file: &str) -> Result<RootCertStore, QdrantError> {
    let mut roots = RootCertStore::empty();
    // A machine may have none, and one that can not be read is none: what is missing shows when a server is not trusted.
    roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
    if ca_file.is_empty() {
        return Ok(roots);
    }
    let problem = |detail: &str| setting("memory.qdrant.ca_file", &format!("{ca_file} {detail}"));
    let pem = std::fs::read(ca_file).map_err(|error| problem(&format!("can not be read: {error}")))?;
    let none = || problem("holds no certificate in PEM form (`-----BEGIN CERTIFICATE-----`)");
    let found: Vec<CertificateDer<'static>> =
        CertificateDer::pem_slice_iter(&pem).collect::<Result<_, _>>().map_err(|_| none())?;
    if found.is_empty() {
        return Err(none());
    }
    for certificate in found {
        roots.add(certificate).map_err(|error| problem(&format!("holds a certificate that can not be used: {error}")))?;
    }
    Ok(roots)
}

/// The key, as it is sent with every call; a server without keys is sent none.
#[derive(Clone)]
pub(crate) struct Key(Option<MetadataValue<Ascii>>);

impl Key {
    fn new(key: &SecretString) -> Result<Self, QdrantError> {
        let key = key.expose_secret().trim();
        if key.is_empty() {
            return Ok(Self(None));
        }
        let unusable = |_| setting("memory.qdrant.api_key", "holds a character that no key has; it may be of a longer text");
        let mut value = MetadataValue::<Ascii>::try_from(key).map_err(unusable)?;
        value.set_sensitive(true);
        Ok(Self(Some(value)))
    }
}

impl Interceptor for Key {
    fn call(&mut self, mut request: Request<()>) -> Result<Request<()>, Status> {
        if let Some(key) = &self.0 {
            request.metadata_mut().insert("api-key", key.clone());
        }
        Ok(request)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn link(url: &str, key: &str, ca_file: &str) -> Result<Link, QdrantError> {
        Link::new(&QdrantConfig {
            url: url.to_owned(),
            api_key: key.to_owned().into(),
            api_key_file: String::new(),
            ca_file: ca_file.to_owned(),
            collection: "memory".to_owned(),
            timeout: Duration::from_secs(5),
        })
    }

    #[test]
    fn an_address_that_is_none_is_refused_with_its_key() {
        for url in
            ["", "qdrant:6334", "ftp://a:6334", "https://me:s3cret@a:6334", "https://a:6334/grpc", "https://a:6334?x=1"]
        {
            let error = link(url, "", "").err().expect("it is refused").to_string();
            assert!(error.starts_with("memory.qdrant.url") && !error.contains("s3cret"), "{url}: {error}");
        }
        assert!(link("http://127.0.0.1:6334", "", "").is_ok());
    }

    #[test]
    fn a_key_leaves_this_machine_only_over_tls() {
        assert!(link("http://qdrant.example.com:6334", "s3cret", "").is_err());
        assert!(link("http://qdrant.example.com:6334", "", "").is_ok());
        assert!(link("http://127.0.0.1:6334", "s3cret", "").is_ok());
        assert!(link("https://qdrant.example.com:6334", "s3cret", "").is_ok());
    }

    #[test]
    fn a_key_that_no_header_can_hold_is_not_told() {
        let error = link("https://a:6334", "s3cret\nnext", "").err().expect("it is refused").to_string();
        assert!(error.starts_with("memory.qdrant.api_key") && !error.contains("s3cret"), "{error}");
    }

    #[test]
    fn a_file_without_a_certificate_is_named() {
        let file = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(file.path(), "not a certificate").unwrap();
        let path = file.path().to_string_lossy().into_owned();
        let error = link("https://a:6334", "", &path).err().expect("it is refused").to_string();
        assert!(error.contains(&path) && error.contains("PEM"), "{error}");
        assert!(link("https://a:6334", "", "/no/such/file.pem").is_err());
    }
}
