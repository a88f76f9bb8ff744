//! `[mail]`: the server by which digests and reminders leave as mail, and at which address people are reached.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::time::Duration;

use secrecy::{ExposeSecret as _, SecretString};
use serde::Deserialize;

use super::read::read_secret;
use super::{Config, ConfigError, Patience};
use crate::domain::ids::PersonId;
use crate::domain::setting::duration;
use crate::ports::is_loopback;

/// What destinations of mail are called: `mail:` and the person's id.
pub const MAIL: &str = "mail";

/// Longest gap between two attempts: a digest is worth less each hour.
const LONGEST_GAP: Duration = Duration::from_mins(15);

/// How the way to the server is closed to others.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum MailTls {
    /// The connection begins open and is closed before anything is said; a server that does not offer it is not used.
    #[default]
    Starttls,
    /// From the first byte on.
    Tls,
    /// Not at all: only for a server on this machine.
    None,
}

/// `[mail]`
#[derive(Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct MailConfig {
    pub server: String,
    pub port: u16,
    pub tls: MailTls,
    pub ca_file: PathBuf,
    pub user: String,
    pub password: SecretString,
    pub password_file: String,
    pub from: String,
    pub people: Vec<String>,
    pub digest: Vec<String>,
    pub charts: usize,
    pub link_hours: u32,
    #[serde(deserialize_with = "duration")]
    pub timeout: Duration,
    #[serde(deserialize_with = "duration")]
    pub letter_timeout: Duration,
    pub attempts: u32,
    pub per_second: f64,
    pub burst: u32,
}

impl std::fmt::Debug for MailConfig {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self { server, port, tls, from, people, digest, .. } = self;
        f.debug_struct("MailConfig")
            .field("server", server)
            .field("port", port)
            .field("tls", tls)
            .field("from", from)
            .field("people", people)
            .field("digest", digest)
            .finish_non_exhaustive()
    }
}

impl MailConfig {
    /// Is there a server? Then all that is needed has to be there, which is checked when the settings are read.
    pub fn is_set(&self) -> bool {
        !self.server.is_empty()
    }

    /// Who is reached at which address.
    pub fn addresses(&self) -> BTreeMap<&str, &str> {
        let pairs = self.people.iter().filter_map(|entry| entry.split_once('='));
        pairs.map(|(person, address)| (person.trim(), address.trim())).collect()
    }

    /// At which address somebody is reached; None where mail is not set up or nobody said.
    pub fn address(&self, person: &str) -> Option<&str> {
        self.is_set().then(|| self.addresses().get(person).copied()).flatten()
    }

    /// The destinations: everybody whose address is known. None where there is no server.
    pub fn destinations(&self) -> Vec<String> {
        if !self.is_set() {
            return Vec::new();
        }
        self.addresses().keys().map(|person| format!("{MAIL}:{person}")).collect()
    }

    /// Whom a destination is, and at which address.
    pub fn target<'a>(&'a self, destination: &'a str) -> Option<(&'a str, &'a str)> {
        let person = destination.strip_prefix(MAIL)?.strip_prefix(':')?;
        Some((person, self.address(person)?))
    }

    /// How patient one is with the server: an attempt may take both of its times, one after the other.
    pub fn patience(&self) -> Patience {
        Patience { timeout: self.timeout + self.letter_timeout, attempts: self.attempts, longest_gap: LONGEST_GAP }
    }

    pub(super) fn read_secrets(&mut self) -> Result<(), ConfigError> {
        read_secret("mail.password_file", &self.password_file, &mut self.password)
    }
}

pub(super) fn check(config: &Config) -> Result<(), ConfigError> {
    let mail = &config.mail;
    let bad = |key: &str, message: String| {
        Err(ConfigError::Key { key: format!("mail.{key}"), origin: "[mail]".to_owned(), message })
    };
    if !mail.is_set() {
        let (people, digest, user) = (!mail.people.is_empty(), !mail.digest.is_empty(), !mail.user.is_empty());
        if people || digest || user || !mail.from.is_empty() {
            return bad(
                "server",
                "mail is set up in part: name the server too, or leave the whole of [mail] empty".to_owned(),
            );
        }
        return Ok(());
    }
    let is_host = |host: &str| host.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'-' | b':'));
    if !is_host(&mail.server) {
        return bad(
            "server",
            format!("{:?} is no server's name, such as smtp.example.com (the port is mail.port)", mail.server),
        );
    }
    if mail.port == 0 {
        return bad("port", "must be the server's port: 587 for starttls, 465 for tls".to_owned());
    }
    // Password and letters go in the open only where nobody else can listen.
    if mail.tls == MailTls::None && !is_loopback(&mail.server) {
        return bad("tls", "may be \"none\" only for a server on this machine: use \"starttls\" or \"tls\"".to_owned());
    }
    if mail.user.is_empty() != mail.password.expose_secret().is_empty() {
        return bad(
            "password",
            "set both mail.user and its password (REEVE_MAIL__PASSWORD or mail.password_file), or neither".to_owned(),
        );
    }
    if !is_mailbox(&mail.from) {
        return bad("from", format!("{:?} is no sender, such as \"Reeve <reeve@example.com>\"", mail.from));
    }
    for entry in &mail.people {
        let pair = entry.split_once('=').map(|(person, address)| (person.trim(), address.trim()));
        let Some((person, address)) = pair.filter(|(_, address)| is_address(address)) else {
            return bad("people", format!("{entry:?} is no PERSON=ADDRESS, such as \"ada=ada@example.com\""));
        };
        if !config.people.iter().any(|known| known.id == PersonId::new(person)) {
            return bad("people", format!("there is no person {person:?} ({address}); name one of [[people]]"));
        }
    }
    // Addresses are kept by person, so a second one of the same person makes them fewer.
    if mail.addresses().len() < mail.people.len() {
        return bad("people", "names somebody twice; a person has one address".to_owned());
    }
    if let Some(stranger) = mail.digest.iter().find(|person| mail.address(person).is_none()) {
        return bad("digest", format!("{stranger:?} has no address; add it to mail.people"));
    }
    Ok(())
}

/// Is it an address that a mail can be sent to? Only what nobody has to quote: it stands in a command to the server.
fn is_address(text: &str) -> bool {
    let is_part = |part: &str, more: &[u8]| {
        !part.is_empty() && part.bytes().all(|b| b.is_ascii_alphanumeric() || more.contains(&b)) && !part.starts_with('.')
    };
    text.len() <= 254
        && text.split_once('@').is_some_and(|(name, host)| is_part(name, b".!#$%&'*+-/?^_`{|}~") && is_part(host, b".-"))
}

/// Is it an address, or a name with an address behind it?
fn is_mailbox(text: &str) -> bool {
    match text.rsplit_once('<') {
        None => is_address(text),
        Some((name, rest)) => {
            !name.chars().any(|c| c.is_control() || "<>\"".contains(c)) && rest.strip_suffix('>').is_some_and(is_address)
        }
    }
}

#[cfg(test)]
mod tests {
    use crate::config::{Config, MailTls};

    const WHOLE: [(&str, &str); 5] = [
        ("SERVER", "smtp.example.com"),
        ("FROM", "Reeve <reeve@example.com>"),
        ("PEOPLE", "pia=pia@example.com, dan=dan@example.com"),
        ("DIGEST", "dan"),
        ("LINK_HOURS", "24"),
    ];

    fn with(change: &[(&str, &str)]) -> Result<Config, String> {
        let mut all: Vec<(String, String)> = Vec::new();
        for (key, value) in WHOLE.iter().chain(change) {
            let name = format!("REEVE_MAIL__{key}");
            all.retain(|(known, _)| *known != name);
            all.push((name, (*value).to_owned()));
        }
        Config::load_from(None, &all).map_err(|error| error.to_string())
    }

    #[test]
    fn without_a_server_there_is_no_mail_and_with_one_everybody_with_an_address_can_get_some() {
        let none = Config::load_from(None, &[]).unwrap();
        assert!(!none.mail.is_set() && none.mail.destinations().is_empty());
        let config = with(&[]).unwrap();
        assert_eq!(config.mail.destinations(), ["mail:dan", "mail:pia"]);
        assert_eq!(config.mail.target("mail:pia"), Some(("pia", "pia@example.com")));
        for other in ["mail:ari", "mail", "mailbox", "mail:", "slack"] {
            assert_eq!(config.mail.target(other), None, "{other}");
        }
        assert_eq!(config.mail.tls, MailTls::Starttls);
        assert!(config.destination_names().contains("mail:pia"));
        assert_eq!(config.patience("mail:pia"), config.mail.patience());
        assert!(config.card_destinations().is_empty(), "cards are for chats");
        assert!(config.mail.patience().timeout >= config.mail.timeout + config.mail.letter_timeout, "it is leased for both");
    }

    #[test]
    fn what_is_missing_is_named_with_what_to_do() {
        for (change, named) in [
            (&[("SERVER", "")][..], "mail.server"),
            (&[("SERVER", "smtp example")], "mail.server"),
            (&[("PORT", "0")], "mail.port"),
            (&[("TLS", "none")], "on this machine"),
            (&[("TLS", "ssl")], "mail.tls"),
            (&[("USER", "reeve")], "REEVE_MAIL__PASSWORD"),
            (&[("PASSWORD", "x")], "mail.user"),
            (&[("FROM", "reeve")], "mail.from"),
            (&[("FROM", "A\r\nBcc: b@c.de <reeve@example.com>")], "mail.from"),
            (&[("PEOPLE", "pia")], "mail.people"),
            (&[("PEOPLE", "pia=pia@example.com\r\nRCPT TO:<x@y.z>")], "mail.people"),
            (&[("PEOPLE", "eve=eve@example.com")], "[[people]]"),
            (&[("PEOPLE", "dan=a@example.com, dan=b@example.com")], "twice"),
            (&[("DIGEST", "ari")], "mail.people"),
            (&[("BURST", "0")], "mail.burst"),
        ] {
            let error = with(change).unwrap_err();
            assert!(error.contains(named), "{change:?}: {error}");
        }
        assert!(with(&[("SERVER", "127.0.0.1"), ("TLS", "none"), ("PORT", "2525")]).is_ok());
    }

    #[test]
    fn its_password_is_never_printed() {
        let config = with(&[("USER", "reeve"), ("PASSWORD", "s3cr3t")]).unwrap();
        assert!(!format!("{config:?}").contains("s3cr3t"));
    }
}
