//! Who is who: chat users and the people behind them, API tokens and what they may be used for.
//!
//! Invariants: nobody is taken for a person without a proof that both sides took part in; display names and e-mail addresses
//! prove nothing; only hashes of codes and tokens are kept and they are compared in constant time; everything that is given
//! ends by itself; what somebody else did in a person's name, that person is told. It decides nothing: who may approve what
//! is the policy's business.

mod chat;
mod code;
mod scope;
#[cfg(test)]
mod tests;
mod token;

use std::sync::Arc;

use jiff::Timestamp;
use serde_json::Value;

pub use self::chat::{ChatChannel, ChatUser, IdentityRefused, Invitation, Linked};
pub use self::scope::{BadScope, Scope};
pub use self::token::{Bearer, NewToken, PREFIX, TokenRefused, looks_like_token};

use crate::clock::Clock;
use crate::config::Config;
use crate::domain::audit::{AuditEntry, BY_COMMAND};
use crate::domain::ids::PersonId;
use crate::domain::policy::Person;
use crate::store::Store;

/// Links between chat users and people, and API tokens. Cheap to clone.
#[derive(Clone)]
pub struct Identities {
    /// Where they are kept.
    pub store: Store,
    /// People, and how long things hold.
    pub config: Arc<Config>,
    /// When it is. What lets somebody in holds by the machine's clock; the log counts in business time.
    pub clock: Clock,
}

impl Identities {
    /// The person as configured now: whoever left the configuration is nobody.
    fn person(&self, id: &PersonId) -> Option<&Person> {
        self.config.people.iter().find(|p| &p.id == id)
    }

    /// An audit entry of now; of what is done by command with the operating system's user.
    fn entry(&self, by: By<'_>, action: &str, subject: String, detail: Value) -> AuditEntry {
        self.store.with_os_user(entry(self.clock.now(), by, action, subject, detail))
    }
}

/// Who does something to a link or a token, and through what: `("ari", "web")`, `("cli", "cli")`.
///
/// Only who is signed in on the page has shown who they are. Whoever gives a command gives any name beside it.
#[derive(Clone, Copy, Debug)]
pub struct By<'a> {
    /// A person's id, or `cli` where nobody is named.
    pub actor: &'a str,
    /// `web`, `cli`, or a chat.
    pub channel: &'a str,
}

impl By<'_> {
    /// Did `person` do it themselves, so that they need not be told?
    fn is_proven(self, person: &str) -> bool {
        self.channel == ON_THE_PAGE && self.actor == person
    }

    /// Who it was, as kept beside what was done: a name that was only given with a command is not kept as that person's.
    fn recorded(self) -> String {
        if self.channel == BY_COMMAND && self.actor != BY_COMMAND {
            return format!("{BY_COMMAND}:{}", self.actor);
        }
        self.actor.to_owned()
    }
}

/// The channel of whoever is signed in on the page.
const ON_THE_PAGE: &str = "web";

fn entry(at: Timestamp, by: By<'_>, action: &str, subject: String, detail: Value) -> AuditEntry {
    AuditEntry::by(by.actor, by.channel, at, action, subject).with(detail)
}

/// Random bytes from the operating system.
fn random<const N: usize>() -> [u8; N] {
    let mut bytes = [0_u8; N];
    getrandom::fill(&mut bytes).expect("the operating system has randomness, or nothing secret can be made safely");
    bytes
}
