//! A letter on the wire: headers, plain text, the same as HTML, and its pictures. The same letter to the same address is the same bytes.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use lettre::address::AddressError;
use lettre::message::header::{ContentType, Header, HeaderName, HeaderValue};
use lettre::message::{Attachment, Mailbox, MultiPart, SinglePart};
use lettre::{Address, Message};

use super::letter::Letter;

/// What is wrong with a letter, or with an address.
#[derive(Debug, thiserror::Error)]
pub(super) enum Unwritable {
    /// The sender or the receiver.
    #[error("{0:?} is no address: {1}")]
    Address(String, #[source] AddressError),
    /// A picture of it.
    #[error("the picture {0} can not be read")]
    Picture(String),
    /// All of it.
    #[error("it can not be written as mail: {0}")]
    Letter(#[from] lettre::error::Error),
}

/// A letter, ready to be handed over.
pub(super) struct Written {
    /// From whom, as the server is told.
    pub(super) from: Address,
    /// To whom.
    pub(super) to: Address,
    /// Headers and body.
    pub(super) bytes: Vec<u8>,
}

/// Says that a program wrote it: no absence note comes back.
#[derive(Clone)]
struct AutoSubmitted;

impl Header for AutoSubmitted {
    fn name() -> HeaderName {
        HeaderName::new_from_ascii_str("Auto-Submitted")
    }

    fn parse(_: &str) -> Result<Self, Box<dyn std::error::Error + Send + Sync>> {
        Ok(Self)
    }

    fn display(&self) -> HeaderValue {
        HeaderValue::new(Self::name(), "auto-generated".to_owned())
    }
}

/// Writes `letter` as mail.
pub(super) fn write(letter: &Letter, from: &str, to: &str) -> Result<Written, Unwritable> {
    let sender: Mailbox = from.parse().map_err(|error| Unwritable::Address(from.to_owned(), error))?;
    let address: Address = to.parse().map_err(|error| Unwritable::Address(to.to_owned(), error))?;
    let from = sender.email.clone();
    let headers = Message::builder()
        .message_id(Some(format!("<{}@{}>", letter.id, from.domain())))
        .date(letter.written_at.into())
        .from(sender)
        .to(Mailbox::new(None, address.clone()))
        .subject(letter.subject.as_str())
        .header(AutoSubmitted);
    let plain = SinglePart::plain(letter.text.clone());
    let message = match &letter.html {
        None => headers.singlepart(plain)?,
        Some(html) => {
            let html = SinglePart::html(html.clone());
            // Boundaries by the letter's id: chance has no part in what is sent.
            let both = MultiPart::alternative().boundary(format!("{}-a", letter.id)).singlepart(plain);
            let both =
                if letter.pictures.is_empty() { both.singlepart(html) } else { both.multipart(pictured(letter, html)?) };
            headers.multipart(both)?
        }
    };
    Ok(Written { from, to: address, bytes: message.formatted() })
}

fn pictured(letter: &Letter, html: SinglePart) -> Result<MultiPart, Unwritable> {
    let mut parts = MultiPart::related().boundary(format!("{}-b", letter.id)).singlepart(html);
    for picture in &letter.pictures {
        let bytes = STANDARD.decode(&picture.png).map_err(|_| Unwritable::Picture(picture.cid.clone()))?;
        let png = ContentType::parse("image/png").expect("it is one");
        let inline = Attachment::new_inline_with_name(picture.cid.clone(), picture.file.clone());
        parts = parts.singlepart(inline.body(bytes, png));
    }
    Ok(parts)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::channels::mail::letter::Drawn;
    use crate::render;
    use crate::render::tests::{quiet, sample};
    use crate::store::StoredDigest;

    fn kept(digest: crate::domain::digest::Digest) -> StoredDigest {
        StoredDigest {
            text: render::text(&digest),
            markdown: render::markdown(&digest),
            html: render::html(&digest),
            made_at: digest.as_of,
            digest,
        }
    }

    fn letter() -> Letter {
        let drawn = |line: &crate::domain::digest::DigestLine| {
            (line.place == 1).then(|| Drawn {
                png: STANDARD.encode(b"\x89PNG pretended"),
                words: "28 days".to_owned(),
                caption: "Units".to_owned(),
            })
        };
        let link = |path: &str| Some(format!("https://reeve.example.com{path}"));
        Letter::of_digest(&kept(sample()), drawn, link, "2026-10-09T06:10:00Z".parse().unwrap())
    }

    fn text(letter: &Letter) -> String {
        let written = write(letter, "Reeve <reeve@example.com>", "pia@example.com").unwrap();
        String::from_utf8(written.bytes).expect("what is on the wire is ASCII")
    }

    /// The header lines, unfolded.
    fn headers(mail: &str) -> Vec<String> {
        let (head, _) = mail.split_once("\r\n\r\n").unwrap();
        head.replace("\r\n ", " ").split("\r\n").map(str::to_owned).collect()
    }

    #[test]
    fn a_digest_is_text_html_and_pictures_in_one() {
        let mail = text(&letter());
        // The plain text comes first, and the HTML holds its pictures together with it.
        let parts = [
            "Content-Type: multipart/alternative;",
            "Content-Type: text/plain; charset=utf-8",
            "Content-Type: multipart/related;",
            "Content-Type: text/html; charset=utf-8",
            "Content-ID: <chart-2026-10-08-1@reeve>",
            "Content-Type: image/png",
        ];
        let mut rest = mail.as_str();
        for part in &parts[..4] {
            let (_, after) = rest.split_once(part).unwrap_or_else(|| panic!("{part} is not next in\n{mail}"));
            rest = after;
        }
        assert!(parts[4..].iter().all(|part| rest.contains(part)), "{mail}");
        assert!(mail.contains(&STANDARD.encode(b"\x89PNG pretended")), "{mail}");
        assert!(mail.contains("To look at, on the page (nothing is decided by opening it):"), "{mail}");
        assert!(mail.lines().all(|line| line.len() < 998), "no line is longer than a server takes");
    }

    #[test]
    fn the_same_letter_is_the_same_bytes_and_another_one_has_another_id() {
        assert_eq!(text(&letter()), text(&letter()));
        let mut later = letter();
        later.written_at = "2026-10-09T07:00:00Z".parse().unwrap();
        assert_eq!(later.id, letter().id, "when it was written is not what it says");
        let none = |_: &str| None;
        let other = Letter::of_digest(&kept(quiet()), |_| None, none, later.written_at);
        assert_ne!(other.id, letter().id);
        assert!(!other.text.contains("on the page"), "without an address there are no links");
        assert!(headers(&text(&letter())).contains(&format!("Message-ID: <{}@example.com>", letter().id)));
    }

    #[test]
    fn no_name_of_a_product_makes_a_header_or_ends_the_mail() {
        for evil in [
            "Beans\r\nBcc: eve@evil.example",
            "Beans\nBcc: eve@evil.example\n\nhello",
            "Beans\r\n.\r\nMAIL FROM:<eve@evil.example>",
            "Beans\u{2028}Bcc: eve@evil.example\u{85}X: y",
            "=?utf-8?Q?Beans=0D=0ABcc:_eve@evil.example?=",
            "Bohnen \u{202e}\u{0}\u{7} ü \u{1f4a3}\r\nTo: eve@evil.example",
        ] {
            let at = "2026-10-09T06:10:00Z".parse().unwrap();
            let reminder = Letter::of_reminder("c-1", evil, evil, Some("https://reeve.example.com/cases/c-1"), at);
            let mut digest = sample();
            digest.lines[0].headline = evil.to_owned();
            digest.currency = evil.to_owned();
            digest.planner = Some(crate::domain::digest::DigestOf {
                id: crate::domain::ids::PersonId::new("pia"),
                name: evil.to_owned(),
            });
            let listed = Letter::of_digest(&kept(digest), |_| None, |_| None, at);
            for letter in [reminder, listed] {
                assert!(!letter.subject.chars().any(char::is_control), "{:?}", letter.subject);
                let mail = text(&letter);
                let names: Vec<String> =
                    headers(&mail).iter().map(|line| line.split(':').next().unwrap_or_default().to_lowercase()).collect();
                for name in &names {
                    let known = ["message-id", "date", "from", "to", "subject", "auto-submitted", "mime-version"];
                    let known = known.contains(&name.as_str()) || name.starts_with("content-");
                    assert!(known, "{evil:?} made the header {name:?}");
                }
                assert_eq!(names.iter().filter(|name| *name == "to").count(), 1);
                let written = write(&letter, "Reeve <reeve@example.com>", "pia@example.com").unwrap();
                assert_eq!(
                    (written.from.to_string(), written.to.to_string()),
                    ("reeve@example.com".into(), "pia@example.com".into())
                );
            }
        }
    }

    #[test]
    fn no_name_of_a_product_makes_a_link_or_a_subject_that_reads_otherwise() {
        let at = "2026-10-09T06:10:00Z".parse().unwrap();
        let ours = "https://reeve.example.com/cases/c-1";
        for (evil, subject) in [
            ("VER-1 https://reeve-login.example/approve", "Reeve: VER-1 https[:]//reeve-login[.]example/approve"),
            ("VER-1 www.reeve-login.example", "Reeve: VER-1 www[.]reeve-login[.]example"),
            ("VER-1 pay@reeve-login.example", "Reeve: VER-1 pay[@]reeve-login[.]example"),
            ("=?utf-8?B?aHR0cHM6Ly9ldmlsLmV4YW1wbGU=?=", "Reeve: = ?utf-8?B?aHR0cHM6Ly9ldmlsLmV4YW1wbGU= ?="),
        ] {
            let reminder = Letter::of_reminder("c-1", evil, evil, Some(ours), at);
            assert!(headers(&text(&reminder)).contains(&format!("Subject: {subject}")), "{:?}", headers(&text(&reminder)));
            let mut digest = sample();
            evil.clone_into(&mut digest.lines[0].headline);
            evil.clone_into(&mut digest.lines[1].why);
            evil.clone_into(&mut digest.currency);
            digest.decided = vec![evil.to_owned()];
            let drawn = |_: &crate::domain::digest::DigestLine| {
                Some(Drawn { png: String::new(), words: evil.to_owned(), caption: evil.to_owned() })
            };
            let listed = Letter::of_digest(&kept(digest), drawn, |_| Some(ours.to_owned()), at);
            assert!(!listed.subject.contains("=?"), "{}", listed.subject);
            for said in [&reminder.subject, &reminder.text, &listed.subject, &listed.text, listed.html.as_ref().unwrap()] {
                let theirs = said.replace(ours, "");
                let linked =
                    ["://", "www.", "reeve-login.", "evil.example", "pay@"].iter().find(|link| theirs.contains(**link));
                assert_eq!(linked, None, "{said}");
            }
            assert!(reminder.text.contains(ours) && listed.text.contains(ours), "our own stay");
            assert!(listed.html.as_ref().unwrap().contains(&format!("<a href=\"{ours}\"")), "our own stay");
        }
    }

    #[test]
    fn what_is_no_address_is_refused_and_named() {
        let error = |to: &str| write(&letter(), "Reeve <reeve@example.com>", to).err().unwrap().to_string();
        assert!(error("pia").contains("\"pia\""), "{}", error("pia"));
        assert!(error("pia@example.com\r\nRCPT TO:<eve@evil.example>").contains("no address"));
    }
}
