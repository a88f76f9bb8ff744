//! A letter: what leaves as mail, as it is kept in the outbox. To whom it goes the outbox says, and the settings at which address.
//!
//! Its id is made of what it says: the same letter that is sent again, since nobody knows whether the first attempt arrived, is known by it.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::cards::plain;
use crate::domain::digest::{Digest, DigestLine};
use crate::domain::ids::content_id;
use crate::domain::words::cut;
use crate::render::{self, Pictured, unlinked};
use crate::store::StoredDigest;

/// Longest subject, in characters: what is beyond is not shown in a list of mails anyway.
const SUBJECT_CHARS: usize = 150;

/// What leaves for the server: the body of its message in the outbox.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Mailed {
    /// The message's id in the outbox.
    pub id: String,
    /// What it is about: `digest:…` or `reminder:…`.
    pub shows: String,
    /// That.
    pub data: Content,
}

/// What a mail holds.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Content {
    /// A letter, to be sent as it is.
    Letter(Letter),
}

/// A letter.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Letter {
    /// Its id among all mails, without the brackets.
    pub id: String,
    /// What it is about, on one line.
    pub subject: String,
    /// What it says, to be read as plain text.
    pub text: String,
    /// The same with pictures and links; None where plain text is all there is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub html: Option<String>,
    /// The pictures in it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub pictures: Vec<Picture>,
    /// The case that it reminds of, where it does.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub case: Option<String>,
    /// When it was written, by the machine's clock.
    pub written_at: Timestamp,
}

/// A picture in a letter.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Picture {
    /// By which name the letter shows it.
    pub cid: String,
    /// The name of its file, for who saves it.
    pub file: String,
    /// PNG, in base64.
    pub png: String,
}

/// The chart of a case, drawn.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Drawn {
    /// PNG, in base64.
    pub png: String,
    /// What it shows, in words.
    pub words: String,
    /// What it is of, and what is drawn how.
    pub caption: String,
}

impl Letter {
    /// The letter of a digest: `link` says where a page is read, `drawn` has the charts of its first lines.
    pub fn of_digest(
        kept: &StoredDigest,
        drawn: impl Fn(&DigestLine) -> Option<Drawn>,
        link: impl Fn(&str) -> Option<String>,
        written_at: Timestamp,
    ) -> Self {
        let digest = &kept.digest;
        let mut pictures = Vec::new();
        let mut shown: Vec<Pictured> = Vec::new();
        for line in &digest.lines {
            let picture = drawn(line).map(|drawn| {
                let cid = format!("chart-{}-{}@reeve", digest.day, line.place);
                pictures.push(Picture { cid: cid.clone(), file: format!("chart-{}.png", line.place), png: drawn.png });
                (cid, drawn.words, drawn.caption)
            });
            let link = link(&format!("/cases/{}", line.case_id));
            shown.push(match picture {
                Some((cid, alt, caption)) => Pictured { link, cid: Some(cid), alt, caption },
                None => Pictured { link, ..Pictured::default() },
            });
        }
        let html = render::html_with(digest, |line| {
            let place = usize::try_from(line.place).unwrap_or_default();
            // Places count from 1: what has none leads behind the end, and so to no picture and no link.
            shown.get(place.wrapping_sub(1)).cloned().unwrap_or_default()
        });
        Self {
            id: String::new(),
            subject: subject(&format!("Reeve, {}: {}", digest.day, render::title(digest))),
            text: format!("{}{}", unlinked(&kept.text), links(digest, &shown, link(&render::page_of(digest)))),
            html: Some(html),
            pictures,
            case: None,
            written_at,
        }
        .named()
    }

    /// The letter that says that a case waits for somebody.
    pub fn of_reminder(case: &str, said: &str, stakes: &str, link: Option<&str>, written_at: Timestamp) -> Self {
        let mut text = format!("{}\n", unlinked(&plain(said)));
        for line in [unlinked(&plain(stakes)), link.map_or_else(String::new, |link| format!("Look at it: {link}"))] {
            if !line.is_empty() {
                text.extend(["\n", line.as_str(), "\n"]);
            }
        }
        text.push_str("\nNothing is decided by waiting, and nothing by this mail or by answering it.\n");
        let subject = subject(&format!("Reeve: {said}"));
        Self { id: String::new(), subject, text, html: None, pictures: Vec::new(), case: Some(case.to_owned()), written_at }
            .named()
    }

    /// The same with the id that it has by what it says.
    fn named(mut self) -> Self {
        // Not of when it was written: put together again after a crash it is the same letter.
        let mut parts = vec![self.subject.as_str(), &self.text, self.html.as_deref().unwrap_or_default()];
        parts.extend(self.pictures.iter().flat_map(|picture| [picture.cid.as_str(), &picture.png]));
        self.id = content_id("reeve-", &parts, 32);
        self
    }
}

/// One line, without anything that could begin another header, that reads like an address, or that a reader of mail would decode into what
/// nobody has looked at.
fn subject(text: &str) -> String {
    cut(&unlinked(&plain(text)).replace("=?", "= ?"), SUBJECT_CHARS)
}

/// Where the cases and the digest are read, below the text.
fn links(digest: &Digest, shown: &[Pictured], page: Option<String>) -> String {
    let cases = digest.lines.iter().zip(shown);
    let mut lines: Vec<String> =
        cases.filter_map(|(line, shown)| Some(format!("{:>2}. {}", line.place, shown.link.as_ref()?))).collect();
    lines.extend(page.map(|page| format!("    {page}")));
    if lines.is_empty() {
        return String::new();
    }
    format!("\nTo look at, on the page (nothing is decided by opening it):\n{}\n", lines.join("\n"))
}
