//! The way to the mail server, closed to others: with a certificate for this machine that is believed by whoever knows who signed it.

use std::io;
use std::sync::Arc;

use rustls::ServerConfig;
use rustls::crypto::ring;
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use tokio_rustls::TlsAcceptor;

use super::talk::Wire;

/// Speaks TLS over `wire` as the server.
pub(super) async fn encrypted(wire: Box<dyn Wire>) -> io::Result<Box<dyn Wire>> {
    Ok(Box::new(acceptor()?.accept(wire).await?))
}

fn acceptor() -> io::Result<TlsAcceptor> {
    let bad = |error: &dyn std::error::Error| io::Error::other(error.to_string());
    let certificate = CertificateDer::from_pem_slice(include_bytes!("server.pem")).map_err(|error| bad(&error))?;
    let key = PrivateKeyDer::from_pem_slice(include_bytes!("server.key.pem")).map_err(|error| bad(&error))?;
    let config = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()
        .and_then(|config| config.with_no_client_auth().with_single_cert(vec![certificate], key))
        .map_err(|error| bad(&error))?;
    Ok(TlsAcceptor::from(Arc::new(config)))
}
