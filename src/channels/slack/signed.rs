//! Slack's signature over HTTP: which requests come from Slack.
//!
//! Invariants: the signature is over the bytes as they came; it is compared in constant time; its time must be near ours on either side, so
//! that an overheard request can not be sent again later.

use axum::http::HeaderMap;
use hmac::{Hmac, KeyInit as _, Mac as _};
use jiff::Timestamp;
use secrecy::{ExposeSecret as _, SecretString};
use sha2::Sha256;
use subtle::ConstantTimeEq as _;

/// How far a signature's time may be from ours, in seconds.
pub const WINDOW_SECONDS: u64 = 300;

const SIGNATURE: &str = "x-slack-signature";
const TIMESTAMP: &str = "x-slack-request-timestamp";

/// The signature of a body that is sent at `seconds`.
pub fn signature(secret: &SecretString, seconds: &str, body: &[u8]) -> String {
    let mut mac = Hmac::<Sha256>::new_from_slice(secret.expose_secret().as_bytes()).expect("a key of any length will do");
    mac.update(b"v0:");
    mac.update(seconds.as_bytes());
    mac.update(b":");
    mac.update(body);
    format!("v0={}", hex::encode(mac.finalize().into_bytes()))
}

/// Is a request Slack's, and sent now? Says why not.
pub fn check(secret: &SecretString, headers: &HeaderMap, body: &[u8], now: Timestamp) -> Result<(), &'static str> {
    let one = |name: &str| {
        let mut all = headers.get_all(name).iter();
        let (first, second) = (all.next(), all.next());
        first.filter(|_| second.is_none()).and_then(|value| value.to_str().ok())
    };
    let (Some(given), Some(seconds)) = (one(SIGNATURE), one(TIMESTAMP)) else {
        return Err("it is not signed");
    };
    let digits = !seconds.is_empty() && seconds.len() <= 12 && seconds.bytes().all(|b| b.is_ascii_digit());
    let Some(at) = seconds.parse::<i64>().ok().filter(|_| digits) else { return Err("its time is no number of seconds") };
    // By an empty secret anybody could sign.
    if secret.expose_secret().is_empty() {
        return Err("no signing secret is set");
    }
    if !bool::from(signature(secret, seconds, body).as_bytes().ct_eq(given.as_bytes())) {
        return Err("its signature does not fit");
    }
    if now.as_second().abs_diff(at) > WINDOW_SECONDS {
        return Err("it was signed too long ago, or in the future");
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use axum::http::HeaderValue;

    use super::*;

    const AT: i64 = 1_795_407_327;
    const BODY: &[u8] = br#"{"token":"legacy-verification-token","challenge":"3eZbrw1aBm2rZgRNFdxV2595E9CY3gmdALWMmHkvFXO7tYXAYM8P","type":"url_verification"}"#;
    /// Of a request that Bolt and slack_sdk took.
    const FITS: &str = "v0=81b4a23933f3683647bcd69e0921a468c731c523429a2bd44015e5ea8bf71956";

    fn headers(seconds: &str, signature: &str) -> HeaderMap {
        let pair = |name: &'static str, value: &str| (name.parse().unwrap(), HeaderValue::from_str(value).unwrap());
        HeaderMap::from_iter([pair(TIMESTAMP, seconds), pair(SIGNATURE, signature)])
    }

    fn checked(headers: &HeaderMap, body: &[u8], now: i64) -> Result<(), &'static str> {
        check(&SecretString::from("holdout-signing-secret"), headers, body, Timestamp::from_second(now).unwrap())
    }

    #[test]
    fn a_signature_that_others_made_fits_and_no_other() {
        let at = AT.to_string();
        assert_eq!(checked(&headers(&at, FITS), BODY, AT), Ok(()));
        for (name, wrong) in [
            ("another body", checked(&headers(&at, FITS), b"{}", AT)),
            ("another time", checked(&headers("1795407328", FITS), BODY, AT)),
            ("cut", checked(&headers(&at, &FITS[..FITS.len() - 1]), BODY, AT)),
            ("upper case", checked(&headers(&at, &FITS.to_uppercase()), BODY, AT)),
            ("another version", checked(&headers(&at, &FITS.replace("v0", "v1")), BODY, AT)),
            ("nothing", checked(&HeaderMap::new(), BODY, AT)),
            ("no number", checked(&headers("now", FITS), BODY, AT)),
            ("a sign", checked(&headers(&format!("+{at}"), FITS), BODY, AT)),
        ] {
            assert!(wrong.is_err(), "{name}");
        }
        let mut twice = headers(&at, FITS);
        twice.append(SIGNATURE, HeaderValue::from_static(FITS));
        assert!(checked(&twice, BODY, AT).is_err());
        let empty = check(&SecretString::from(""), &headers(&at, FITS), BODY, Timestamp::from_second(AT).unwrap());
        assert_eq!(empty, Err("no signing secret is set"));
    }

    #[test]
    fn its_time_may_be_five_minutes_off_on_either_side() {
        let at = AT.to_string();
        for (late, fits) in [(300, true), (-300, true), (301, false), (-301, false)] {
            assert_eq!(checked(&headers(&at, FITS), BODY, AT + late).is_ok(), fits, "{late}");
        }
    }
}
