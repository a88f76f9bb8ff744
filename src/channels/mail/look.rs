//! Links in mails: whoever has one may look at the pages as its reader for a while, and decide nothing.
//!
//! A mail is forwarded and read along, so a link in one proves little: it opens a session of its own kind, which no form takes
//! anything from. It is signed with a key that the store made up for itself, so nothing about it has to be kept, and the same mail sent
//! again has the same links. It is signed together with its person's stamp, which changes when they end their sessions: no link that was made
//! before holds any more.

use hmac::{Hmac, KeyInit as _, Mac as _};
use jiff::{SignedDuration, Timestamp};
use sha2::Sha256;

use crate::domain::ids::PersonId;
use crate::store::{Store, StoreError};

/// Under which setting the key is kept.
const KEY: &str = "mail.link_key";

/// What a link proves: whose it is, and until when.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Look {
    /// Whose.
    pub person: PersonId,
    /// What their links are told apart by from those that they have ended ([`Store::look_stamp`]).
    pub stamp: String,
    /// Until when, by the machine's clock.
    pub until: Timestamp,
}

/// The key by which links of a store are signed. It is made up where there is none yet.
///
/// # Errors
/// The store's.
pub async fn key(store: &Store) -> Result<String, StoreError> {
    if let Some(key) = store.find_setting(KEY).await? {
        return Ok(key);
    }
    let mut bytes = [0_u8; 32];
    getrandom::fill(&mut bytes).expect("the operating system has randomness, or anybody could make such links");
    // Of several processes that begin at once all take the one that was first.
    store.settle_setting(KEY, &hex::encode(bytes)).await
}

impl Look {
    /// For `hours` from `now` on, with the stamp that its person has now.
    pub fn new(person: &PersonId, stamp: String, now: Timestamp, hours: u32) -> Self {
        let until = now.checked_add(SignedDuration::from_hours(hours.into())).unwrap_or(now);
        Self { person: person.clone(), stamp, until }
    }

    /// The link to a page, `path` with its question, below `base`.
    pub fn link(&self, key: &str, base: &str, path: &str) -> String {
        let until = self.until.as_second().to_string();
        let question = form_urlencoded::Serializer::new(String::new())
            .append_pair("p", self.person.as_str())
            .append_pair("u", &until)
            .append_pair("k", &hex::encode(self.signed(key, &until)))
            .append_pair("to", path)
            .finish();
        format!("{base}/look?{question}")
    }

    /// What a link that came back proves; None for one that was not made here, is too old, or was ended: its person has another stamp now.
    pub fn read(key: &str, person: &str, stamp: &str, (until, signature): (&str, &str), now: Timestamp) -> Option<Self> {
        let ends = Timestamp::from_second(until.parse().ok()?).ok()?;
        let look = Self { person: PersonId::new(person), stamp: stamp.to_owned(), until: ends };
        let signature = hex::decode(signature).ok()?;
        look.mac(key, until).verify_slice(&signature).ok()?;
        (look.until > now).then_some(look)
    }

    fn signed(&self, key: &str, until: &str) -> Vec<u8> {
        self.mac(key, until).finalize().into_bytes().to_vec()
    }

    fn mac(&self, key: &str, until: &str) -> Hmac<Sha256> {
        let mut mac = Hmac::<Sha256>::new_from_slice(key.as_bytes()).expect("a key of any length will do");
        for part in ["look", self.person.as_str(), until, self.stamp.as_str()] {
            mac.update(part.as_bytes());
            // A mark behind each part, or letters could be moved from one to the next under the same signature.
            mac.update(&[0x1f]);
        }
        mac
    }
}

/// Is it a page of ours that a link may lead to? Nothing that a browser would take for another place.
pub fn is_page(path: &str) -> bool {
    let odd = |c: char| c.is_control() || c == '\\';
    path.starts_with('/') && !path.starts_with("//") && !path.contains(odd) && path.len() <= 300
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(second).unwrap()
    }

    fn parts(link: &str) -> Vec<String> {
        let (_, question) = link.split_once('?').unwrap();
        form_urlencoded::parse(question.as_bytes()).map(|(_, value)| value.into_owned()).collect()
    }

    #[test]
    fn a_link_holds_for_whom_and_as_long_as_it_says() {
        let look = Look::new(&PersonId::new("pia"), "1".to_owned(), at(1_000), 1);
        let link = look.link("key", "https://reeve.example.com", "/cases/c-1");
        assert!(link.starts_with("https://reeve.example.com/look?"), "{link}");
        assert_eq!(link, look.link("key", "https://reeve.example.com", "/cases/c-1"), "the same mail has the same links");
        let parts = parts(&link);
        let [person, until, signature, to] = parts.as_slice() else { panic!("{parts:?}") };
        assert_eq!(to, "/cases/c-1");
        assert_eq!(Look::read("key", person, "1", (until, signature), at(4_599)), Some(look));
        assert_eq!(Look::read("key", person, "2", (until, signature), at(4_599)), None, "they have ended it");
        for (key, person, until, signature, now) in [
            ("key", person.as_str(), until.as_str(), signature.as_str(), 4_600),
            ("other", person, until, signature, 1_000),
            ("key", "ari", until, signature, 1_000),
            ("key", person, "9999999999", signature, 1_000),
            ("key", person, until, "", 1_000),
            ("key", person, until, &signature[..62], 1_000),
            ("key", person, "soon", signature, 1_000),
        ] {
            let read = Look::read(key, person, "1", (until, signature), at(now));
            assert_eq!(read, None, "{key} {person} {until} {signature} {now}");
        }
    }

    #[test]
    fn it_leads_to_a_page_of_ours_only() {
        for path in ["/", "/cases/c-1", "/digests/2026-10-31?of=pia"] {
            assert!(is_page(path), "{path}");
        }
        for path in ["", "cases", "//evil.example", "https://evil.example", "/\\evil.example", "/a\r\nSet-Cookie: x"] {
            assert!(!is_page(path), "{path:?}");
        }
    }
}
