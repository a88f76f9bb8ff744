//! Whose request it is: the token that the Bot Connector signs, held against the keys of Teams.
//!
//! Invariants: nothing of a body has any effect before this has said yes; the one algorithm is RS256, whatever a token names; times are
//! compared with the machine's clock; there is no setting that turns any of it off. The token does not cover the body: that it is the one that
//! was sent is TLS's to keep, so what a body says is held against the token wherever both say it.

use std::sync::Once;

use axum::http::HeaderMap;
use axum::http::header::AUTHORIZATION;
use jiff::Timestamp;
use jsonwebtoken::crypto::{CryptoProvider, JwtSigner, JwtVerifier, KeyUtils};
use jsonwebtoken::errors::ErrorKind;
use jsonwebtoken::signature::{self, Verifier};
use jsonwebtoken::{Algorithm, DecodingKey, DecodingKeyKind, EncodingKey, Validation};
use ring::signature::{RSA_PKCS1_2048_8192_SHA256, RsaPublicKeyComponents};
use serde::Deserialize;

use super::keys::{Key, KeyError, Keys};
use crate::config::TeamsConfig;

/// How far a token's times may be from ours, in seconds.
pub const SKEW_SECONDS: u64 = 300;

/// Longest token that is looked at.
const TOKEN_MAX: usize = 16 * 1024;

/// What a request's token says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Token {
    /// Where the connector is that sent it.
    pub service_url: String,
    /// For which channels its key speaks.
    pub endorsements: Vec<String>,
}

/// Why a request is not Teams'.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Unsigned {
    /// It is not.
    #[error("{0}")]
    Refused(&'static str),
    /// It can not be known now.
    #[error("{0}")]
    NotNow(KeyError),
}

#[derive(Deserialize)]
struct Claims {
    iss: String,
    aud: String,
    exp: u64,
    nbf: u64,
    serviceurl: String,
}

/// Is a request Teams', for this bot, and sent now? Says why not.
pub async fn check(keys: &Keys, teams: &TeamsConfig, headers: &HeaderMap, now: Timestamp) -> Result<Token, Unsigned> {
    // Of two headers it would be chance which one is believed.
    let mut all = headers.get_all(AUTHORIZATION).iter();
    let (first, second) = (all.next(), all.next());
    let given = first.filter(|_| second.is_none()).and_then(|value| value.to_str().ok());
    let token = given.and_then(|value| value.split_once(' ')).filter(|(scheme, _)| scheme.eq_ignore_ascii_case("bearer"));
    let Some((_, token)) = token.filter(|(_, token)| token.len() <= TOKEN_MAX) else {
        return Err(Unsigned::Refused("it carries no token"));
    };
    let header = jsonwebtoken::decode_header(token).map_err(|_| Unsigned::Refused("its token can not be read"))?;
    if header.alg != Algorithm::RS256 {
        return Err(Unsigned::Refused("its token is not signed by RS256"));
    }
    let kid = header.kid.ok_or(Unsigned::Refused("its token names no key"))?;
    // Only now: what Teams can not have written must not make us ask the directory for keys.
    let key = keys.find(&kid).await.map_err(|error| match error {
        KeyError::Unknown => Unsigned::Refused("its token is signed with a key that Teams does not have"),
        error @ KeyError::Unreachable(_) => Unsigned::NotNow(error),
    })?;
    let claims = claims(token, &key, teams).map_err(Unsigned::Refused)?;
    let seconds = u64::try_from(now.as_second()).unwrap_or_default();
    if seconds > claims.exp.saturating_add(SKEW_SECONDS) {
        return Err(Unsigned::Refused("its token has expired"));
    }
    if claims.nbf > seconds.saturating_add(SKEW_SECONDS) {
        return Err(Unsigned::Refused("its token is from the future"));
    }
    Ok(Token { service_url: claims.serviceurl, endorsements: key.endorsements })
}

fn claims(token: &str, key: &Key, teams: &TeamsConfig) -> Result<Claims, &'static str> {
    install();
    let mut validation = Validation::new(Algorithm::RS256);
    validation.set_issuer(&[&teams.issuer]);
    validation.set_audience(&[&teams.app_id]);
    validation.set_required_spec_claims(&["exp", "nbf", "iss", "aud"]);
    // Times are held against the clock that everything else goes by, above.
    (validation.validate_exp, validation.validate_nbf) = (false, false);
    let key = DecodingKey::from_rsa_components(&key.n, &key.e).map_err(|_| "the key of its token can not be used")?;
    let decoded = jsonwebtoken::decode::<Claims>(token, &key, &validation);
    let claims = decoded
        .map_err(|error| match error.kind() {
            ErrorKind::InvalidIssuer => "its token is not Teams'",
            ErrorKind::InvalidAudience => "its token is for another bot",
            ErrorKind::InvalidSignature => "the signature of its token does not fit",
            _ => "its token does not say what it has to",
        })?
        .claims;
    // One each: a list with ours among others is nothing that Teams makes.
    if claims.iss != teams.issuer || claims.aud != teams.app_id {
        return Err("its token is for others too");
    }
    Ok(claims)
}

/// Signatures are checked by ring, which TLS stands on already.
static PROVIDER: CryptoProvider =
    CryptoProvider { signer_factory: no_signer, verifier_factory: verifier, key_utils: KeyUtils::new_unimplemented() };

fn install() {
    static ONCE: Once = Once::new();
    // Whatever else may have been installed checks the same signatures.
    ONCE.call_once(|| {
        PROVIDER.install_default().ok();
    });
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "the form that jsonwebtoken asks for")]
fn no_signer(_: &Algorithm, _: &EncodingKey) -> jsonwebtoken::errors::Result<Box<dyn JwtSigner>> {
    Err(ErrorKind::InvalidAlgorithm.into())
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "the form that jsonwebtoken asks for")]
fn verifier(algorithm: &Algorithm, key: &DecodingKey) -> jsonwebtoken::errors::Result<Box<dyn JwtVerifier>> {
    match key.kind() {
        DecodingKeyKind::RsaModulusExponent { n, e } if *algorithm == Algorithm::RS256 => {
            Ok(Box::new(Rs256 { n: n.clone(), e: e.clone() }))
        }
        _ => Err(ErrorKind::InvalidAlgorithm.into()),
    }
}

struct Rs256 {
    n: Vec<u8>,
    e: Vec<u8>,
}

impl Verifier<Vec<u8>> for Rs256 {
    fn verify(&self, message: &[u8], signature: &Vec<u8>) -> Result<(), signature::Error> {
        let key = RsaPublicKeyComponents { n: &self.n, e: &self.e };
        key.verify(&RSA_PKCS1_2048_8192_SHA256, message, signature).map_err(|_| signature::Error::new())
    }
}

impl JwtVerifier for Rs256 {
    fn algorithm(&self) -> Algorithm {
        Algorithm::RS256
    }
}
