//! The mail server: getting through to it, being known there, and handing one letter over. Each step says what went wrong with it, for what
//! a refusal means depends on what was asked.

use std::time::Duration;

use lettre::Address;
use lettre::transport::smtp::Error;
use lettre::transport::smtp::authentication::{Credentials, Mechanism};
use lettre::transport::smtp::client::{AsyncSmtpConnection, Certificate, TlsParameters};
use lettre::transport::smtp::commands::{Data, Mail, Rcpt};
use lettre::transport::smtp::extension::ClientId;
use secrecy::ExposeSecret as _;

use crate::cards::plain;
use crate::config::{MailConfig, MailTls};
use crate::domain::words::cut;

/// Longest word of the server that is kept, in characters.
const WORD_CHARS: usize = 200;

/// What was being done when it went wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Step {
    /// Reaching it, and its greeting.
    Connect,
    /// Closing the connection to others.
    Encrypt,
    /// Signing in.
    SignIn,
    /// Saying from whom the mail comes.
    Sender,
    /// Saying to whom it goes.
    Recipient,
    /// Saying that a letter comes.
    Data,
    /// Handing it over. What is lost from here on may have arrived.
    Letter,
}

/// Why a step failed.
#[derive(Debug, thiserror::Error)]
pub enum Failure {
    /// The server said no, for now or for good.
    #[error("{said}")]
    Refused {
        /// At what.
        step: Step,
        /// Should it be tried again later?
        for_now: bool,
        /// The answer's number.
        code: u16,
        /// The number and the words.
        said: String,
    },
    /// No connection, no answer, none that could be read. At [`Step::Letter`] nobody knows what became of the letter.
    #[error("{said}")]
    Lost {
        /// At what.
        step: Step,
        /// Why.
        said: String,
    },
    /// Something about the settings.
    #[error("{0}")]
    Unusable(String),
}

impl Failure {
    fn of(step: Step, error: &Error) -> Self {
        let mut said = error.to_string();
        let mut source = std::error::Error::source(error);
        while let Some(cause) = source {
            let cause = format!(": {cause}");
            // Some errors repeat what they come from.
            if !said.ends_with(&cause) {
                said.push_str(&cause);
            }
            source = source.and_then(std::error::Error::source);
        }
        let said = cut(&plain(&said), WORD_CHARS);
        // A number is the server's no; without one nobody knows what became of it.
        match error.status() {
            Some(code) => Self::Refused { step, for_now: error.is_transient(), code: code.into(), said },
            None => Self::Lost { step, said },
        }
    }
}

/// Gets through to the server and signs in, as configured, within the time that is set.
///
/// # Errors
/// Says at which step it ended.
pub async fn open(mail: &MailConfig) -> Result<AsyncSmtpConnection, Failure> {
    let mut at = Step::Connect;
    let opened = tokio::time::timeout(mail.timeout, connect(mail, &mut at)).await;
    opened.unwrap_or_else(|_| Err(late(at)))
}

/// It took too long, with this as what was being done.
fn late(step: Step) -> Failure {
    Failure::Lost { step, said: "it did not answer in time".to_owned() }
}

async fn connect(mail: &MailConfig, at: &mut Step) -> Result<AsyncSmtpConnection, Failure> {
    let hello = ClientId::Domain(domain(&mail.from).to_owned());
    let at_once = match mail.tls {
        MailTls::Tls => Some(tls(mail)?),
        MailTls::Starttls | MailTls::None => None,
    };
    let server = (mail.server.as_str(), mail.port);
    let step = |error: &Error| if error.is_tls() { Step::Encrypt } else { Step::Connect };
    let opened = AsyncSmtpConnection::connect_tokio1(server, Some(mail.timeout), &hello, at_once, None).await;
    let mut server = opened.map_err(|error| Failure::of(step(&error), &error))?;
    if mail.tls == MailTls::Starttls {
        *at = Step::Encrypt;
        if !server.can_starttls() {
            // Whoever sits on the way could have taken the offer out: nothing is said in the open.
            let said = "it does not offer STARTTLS".to_owned();
            return Err(Failure::Refused { step: Step::Encrypt, for_now: false, code: 0, said });
        }
        server.starttls(tls(mail)?, &hello).await.map_err(|error| Failure::of(Step::Encrypt, &error))?;
    }
    if !mail.user.is_empty() {
        *at = Step::SignIn;
        let who = Credentials::new(mail.user.clone(), mail.password.expose_secret().to_owned());
        let signed_in = server.auth(&[Mechanism::Plain, Mechanism::Login], &who).await;
        signed_in.map_err(|error| {
            // Without an offer of ours the server's words are none.
            if error.is_client() {
                let said = "it lets nobody sign in by a password here".to_owned();
                return Failure::Refused { step: Step::SignIn, for_now: false, code: 0, said };
            }
            Failure::of(Step::SignIn, &error)
        })?;
    }
    Ok(server)
}

/// Hands one letter over. Answers what the server calls it. Until the server takes the letter it has `mail.timeout` for all; once it has the
/// letter, `mail.letter_timeout`: some look through it before they answer, and whoever does not wait for that sends it twice.
///
/// # Errors
/// Says at which step it ended.
pub async fn hand_over(mail: &MailConfig, from: &Address, to: &Address, letter: &[u8]) -> Result<String, Failure> {
    let mut at = Step::Connect;
    let announced = tokio::time::timeout(mail.timeout, announce(mail, from, to, &mut at)).await;
    let mut server = announced.unwrap_or_else(|_| Err(late(at)))?;
    let taken = tokio::time::timeout(mail.letter_timeout, server.message(letter)).await;
    let taken = taken.map_err(|_| late(Step::Letter))?.map_err(|error| Failure::of(Step::Letter, &error))?;
    let words = taken.message().collect::<Vec<_>>().join(" ");
    // It has been taken: whether the server hears the farewell makes no difference.
    drop(tokio::time::timeout(FAREWELL, server.quit()).await);
    Ok(cut(&plain(&words), WORD_CHARS))
}

/// Goes all the way up to the letter itself.
async fn announce(mail: &MailConfig, from: &Address, to: &Address, at: &mut Step) -> Result<AsyncSmtpConnection, Failure> {
    let mut server = connect(mail, at).await?;
    let failed = |step: Step| move |error: Error| Failure::of(step, &error);
    *at = Step::Sender;
    server.command(Mail::new(Some(from.clone()), Vec::new())).await.map_err(failed(Step::Sender))?;
    *at = Step::Recipient;
    server.command(Rcpt::new(to.clone(), Vec::new())).await.map_err(failed(Step::Recipient))?;
    *at = Step::Data;
    server.command(Data).await.map_err(failed(Step::Data))?;
    Ok(server)
}

/// How long the server may take to say good-bye.
const FAREWELL: Duration = Duration::from_secs(1);

/// The part behind the @ of a sender.
fn domain(from: &str) -> &str {
    from.rsplit_once('@').map_or("localhost", |(_, domain)| domain.trim_end_matches('>'))
}

fn tls(mail: &MailConfig) -> Result<TlsParameters, Failure> {
    let mut tls = TlsParameters::builder(mail.server.clone());
    if !mail.ca_file.as_os_str().is_empty() {
        let unusable = |why: String| Failure::Unusable(format!("mail.ca_file {}: {why}", mail.ca_file.display()));
        let pem = std::fs::read(&mail.ca_file).map_err(|error| unusable(error.to_string()))?;
        tls = tls.add_root_certificate(Certificate::from_pem(&pem).map_err(|error| unusable(error.to_string()))?);
    }
    tls.build_rustls().map_err(|error| Failure::Unusable(format!("TLS can not be set up: {error}")))
}
