//! Takes letters to the mail server, one after the other, each to one person. What the server says no to is told apart by what it was about:
//! an address that it does not take is that letter's end, and a sender or a password that it does not take is everybody's until
//! somebody has done something.
//!
//! SMTP has no key by which a letter that is sent twice is one. Where the answer to the last step is lost it is sent again, byte for byte and
//! under the same Message-ID, by which most mailboxes keep it once; not all do, so that is done seldom ([`PortError::Unknown`]).

use async_trait::async_trait;
use jiff::Timestamp;

use super::SERVICE;
use super::letter::{Content, Mailed};
use super::server::{Failure, Step, hand_over};
use super::wire::write;
use crate::config::{DeliveryConfig, MAIL, MailConfig};
use crate::domain::outbox::OutboxKind;
use crate::http::breaker::Breaker;
use crate::http::bucket::Bucket;
use crate::ports::{Outgoing, PortError, Receipt, Sender};

/// What is mailed. Cards are not: they change, and a letter does not.
const KINDS: &[OutboxKind] = &[OutboxKind::Digest, OutboxKind::Reminder];

/// The answer by which a server says that it is about to end.
const CLOSING: u16 = 421;

/// The sender to one server.
pub struct MailSender {
    mail: MailConfig,
    bucket: Bucket,
    breaker: Breaker,
}

impl MailSender {
    /// A sender as configured.
    pub fn new(mail: &MailConfig, delivery: &DeliveryConfig) -> Self {
        Self {
            bucket: Bucket::new(mail.per_second, mail.burst),
            breaker: Breaker::new(delivery.breaker_failures, delivery.breaker_pause),
            mail: mail.clone(),
        }
    }

    async fn attempt(&self, mailed: &Mailed, address: &str) -> Result<String, Attempt> {
        let Content::Letter(letter) = &mailed.data;
        let written = write(letter, &self.mail.from, address).map_err(|error| Attempt::Never(error.to_string()))?;
        Ok(hand_over(&self.mail, &written.from, &written.to, &written.bytes).await?)
    }

    fn failed(&self, attempt: Attempt, to: &str, at: Timestamp) -> PortError {
        let permanent = |said: String| PortError::Permanent { service: SERVICE, source: said.into() };
        let again = |said: String| PortError::Transient { service: SERVICE, retry_after: None, source: said.into() };
        let failure = match attempt {
            Attempt::Never(said) => return permanent(said),
            Attempt::Failed(failure) => failure,
        };
        match failure {
            Failure::Lost { said, step: Step::Letter } => {
                self.breaker.failed(at);
                PortError::Unknown { service: SERVICE, source: said.into() }
            }
            Failure::Lost { said, .. } => {
                self.breaker.failed(at);
                again(said)
            }
            Failure::Refused { for_now: true, code, said, step } => {
                // Of one letter, such as one that a server wants to see twice before it believes in it, the others know nothing.
                let is_about_it = matches!(step, Step::Recipient | Step::Data | Step::Letter) && code != CLOSING;
                if is_about_it {
                    self.breaker.answered();
                } else {
                    self.breaker.failed(at);
                }
                again(said)
            }
            Failure::Refused { step: Step::Recipient, said, .. } => {
                self.breaker.answered();
                permanent(format!("the address is not taken: {said}; mend it in mail.people, and `reeve outbox replay`"))
            }
            Failure::Refused { step: Step::Data | Step::Letter, said, .. } => {
                self.breaker.answered();
                permanent(format!("the letter is not taken: {said}"))
            }
            // About the sender or the way there, and so about every letter: nothing more goes until somebody has mended it.
            Failure::Refused { step, said, .. } => {
                self.breaker.answered();
                PortError::Shut {
                    service: SERVICE,
                    why: format!("{said}: {}, and `reeve outbox enable {to} --as PERSON`", remedy(step)),
                }
            }
            Failure::Unusable(said) => PortError::Shut {
                service: SERVICE,
                why: format!("{said}; mend it, and `reeve outbox enable {to} --as PERSON`"),
            },
        }
    }
}

/// Why a letter did not leave.
enum Attempt {
    Never(String),
    Failed(Failure),
}

impl From<Failure> for Attempt {
    fn from(failure: Failure) -> Self {
        Self::Failed(failure)
    }
}

/// What has to be done about a refusal that holds for every letter, until it is.
pub fn remedy(step: Step) -> &'static str {
    match step {
        Step::Connect => "see whether mail.server and mail.port are those of a server that takes mail from this machine",
        Step::Encrypt => {
            "set mail.tls to what the server offers (\"tls\" with port 465, \"starttls\" with 587), and mail.ca_file where its certificate is \
             its own"
        }
        Step::SignIn => "set mail.user and mail.password to those of an account that may send here",
        Step::Sender => {
            "set mail.from to an address that the account may send from, and mail.user where the server wants a sign-in"
        }
        Step::Recipient => "mend the address in mail.people",
        Step::Data | Step::Letter => "look at what the server says",
    }
}

#[async_trait]
impl Sender for MailSender {
    fn name(&self) -> &'static str {
        MAIL
    }

    fn kinds(&self) -> &'static [OutboxKind] {
        KINDS
    }

    async fn send(&self, message: &Outgoing) -> Result<Receipt, PortError> {
        let permanent = |why: String| PortError::Permanent { service: SERVICE, source: why.into() };
        let target = self.mail.target(&message.to);
        let (_, address) = target.ok_or_else(|| permanent(format!("there is no address for {:?}", message.to)))?;
        let mailed: Mailed =
            serde_json::from_str(&message.body).map_err(|error| permanent(format!("the body can not be read: {error}")))?;
        // A server that is away is not asked anew for each letter: they rest, and no attempt is counted.
        if let Err(wait) = self.breaker.admit(message.at) {
            let until = message.at.checked_add(wait).unwrap_or(Timestamp::MAX);
            return Err(PortError::Resting { service: SERVICE, until });
        }
        self.bucket.take(message.at);
        match self.attempt(&mailed, address).await {
            Ok(words) => {
                self.breaker.answered();
                Ok(Receipt { reference: Some(words), at: message.at })
            }
            Err(attempt) => Err(self.failed(attempt, &message.to, message.at)),
        }
    }

    fn knows(&self, destination: &str) -> bool {
        self.mail.target(destination).is_some()
    }

    fn free_at(&self, _: &str, now: Timestamp) -> Timestamp {
        self.breaker.free_at(now).max(self.bucket.free_at(now))
    }
}
