//! The tokens by which requests of Teams are known, made with real keys of RSA, and made wrong where a test wants that.

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use hmac::{Hmac, KeyInit as _, Mac as _};
use ring::rand::SystemRandom;
use ring::rsa::KeyPair;
use ring::signature::{KeyPair as _, RSA_PKCS1_SHA256};
use serde_json::{Value, json};
use sha2::Sha256;

use super::{APP_ID, ISSUER, keys};

/// Whose key signs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Signer {
    /// The Bot Connector's for Teams.
    Teams,
    /// One of the Bot Connector's for another channel.
    Elsewhere,
    /// Anybody's.
    Stranger,
}

impl Signer {
    /// The name of its key.
    pub fn kid(self) -> &'static str {
        match self {
            Self::Teams => "07_ydhCNDu4",
            Self::Elsewhere => "KOCJ1pJDMic",
            Self::Stranger => "never-told-of",
        }
    }

    fn pair(self) -> KeyPair {
        let text = match self {
            Self::Teams => keys::TEAMS,
            Self::Elsewhere => keys::ELSEWHERE,
            Self::Stranger => keys::STRANGER,
        };
        let der = STANDARD.decode(text).expect("the key is base64");
        KeyPair::from_pkcs8(&der).expect("the key is one of RSA")
    }

    /// As the keys of the Bot Connector tell of it.
    pub(super) fn told(self) -> Value {
        let pair = self.pair();
        let public: ring::rsa::PublicKeyComponents<Vec<u8>> = pair.public_key().into();
        let endorsements = if self == Self::Elsewhere { json!(["skype"]) } else { json!(["msteams", "webchat"]) };
        json!({
            "kty": "RSA", "use": "sig", "kid": self.kid(), "x5t": self.kid(), "endorsements": endorsements,
            "n": URL_SAFE_NO_PAD.encode(&public.n), "e": URL_SAFE_NO_PAD.encode(&public.e),
        })
    }
}

/// What a token says, and how it is signed.
#[derive(Clone, Debug)]
pub struct Claims {
    /// The header: `alg`, `kid`.
    pub header: Value,
    /// The claims.
    pub claims: Value,
    /// Whose key it is signed with.
    pub signer: Signer,
}

impl Claims {
    /// What the Bot Connector says at `seconds`.
    pub fn good(service: &str, seconds: i64) -> Self {
        Self {
            header: json!({ "alg": "RS256", "typ": "JWT", "kid": Signer::Teams.kid(), "x5t": Signer::Teams.kid() }),
            claims: json!({
                "serviceurl": service, "iss": ISSUER, "aud": APP_ID, "nbf": seconds - 300, "exp": seconds + 3_300, "iat": seconds,
            }),
            signer: Signer::Teams,
        }
    }
}

/// The token. Where the header names HS256 it is signed with the public key as if that were a secret; where it names none, not at all.
pub fn token(of: &Claims) -> String {
    let part = |value: &Value| URL_SAFE_NO_PAD.encode(value.to_string());
    let message = format!("{}.{}", part(&of.header), part(&of.claims));
    let signature = match of.header["alg"].as_str() {
        Some("none") => Vec::new(),
        Some("HS256") => {
            let public = of.signer.pair().public_key().as_ref().to_vec();
            let mut mac = Hmac::<Sha256>::new_from_slice(&public).expect("a key of any length will do");
            mac.update(message.as_bytes());
            mac.finalize().into_bytes().to_vec()
        }
        _ => {
            let pair = of.signer.pair();
            let mut signature = vec![0; pair.public().modulus_len()];
            let signed = pair.sign(&RSA_PKCS1_SHA256, &SystemRandom::new(), message.as_bytes(), &mut signature);
            signed.expect("the key signs");
            signature
        }
    };
    format!("{message}.{}", URL_SAFE_NO_PAD.encode(signature))
}
