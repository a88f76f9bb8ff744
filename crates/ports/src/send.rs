//! Sending: what leaves, who sends it, and which sender a message goes to.

use std::sync::Arc;

use async_trait::async_trait;
use jiff::Timestamp;
use reeve_domain::outbox::OutboxKind;

use crate::PortError;

/// A message on its way out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Outgoing {
    /// What it is.
    pub kind: OutboxKind,
    /// The destination's name.
    pub to: String,
    /// The same for every attempt: the receiver's idempotency key.
    pub id: String,
    /// The body, as it was signed off: never changed between attempts.
    pub body: String,
    /// The time of this attempt, by the machine's clock: the receiver compares it with its own.
    pub at: Timestamp,
    /// Of what is shown in a chat: where it is shown already.
    pub shown: Shown,
}

/// Where something that a chat shows has been put up before, as far as that is known.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Shown {
    /// What is shown: a case, a day's digest. Empty where the message is no such thing.
    pub what: String,
    /// What the chat calls the message that shows it; None where none is known.
    pub reference: Option<String>,
    /// Since when, by the machine's clock, it may have been put up by an attempt that nobody knows the end of: then it is looked
    /// for before it is put up again.
    pub lost_since: Option<Timestamp>,
}

/// A receiver's acknowledgement.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Receipt {
    /// What the receiver calls the message, where it gives it a name: what people look for on the other side. Text from
    /// outside, on one line and short.
    pub reference: Option<String>,
    /// When it came, by the machine's clock.
    pub at: Timestamp,
}

impl Receipt {
    /// The acknowledgement of a receiver that gives messages no names.
    pub fn unnamed(at: Timestamp) -> Self {
        Self { reference: None, at }
    }
}

/// Sends messages to destinations. Which one a message goes to, and what it is, stands in the message; nothing here has a
/// default, so that no sender says yes to a destination that it never thought of.
#[async_trait]
pub trait Sender: Send + Sync {
    /// What it is called where the configuration is wrong: `webhook`.
    fn name(&self) -> &'static str;

    /// The kinds of messages that it sends. No other sender may send any of them.
    fn kinds(&self) -> &'static [OutboxKind];

    /// Sends once. Ok means the receiver acknowledged.
    async fn send(&self, message: &Outgoing) -> Result<Receipt, PortError>;

    /// Is there a destination of this name?
    fn knows(&self, destination: &str) -> bool;

    /// From when the destination may be sent to, by the machine's clock: `now`, or later when it is left alone or has had
    /// enough for the moment.
    fn free_at(&self, destination: &str, now: Timestamp) -> Timestamp;
}

/// The senders of a process. For each kind of message there is at most one, so that it leaves by one way; a kind without one
/// waits. Only what chats show ([`OutboxKind::SHOWN`]) has one for each chat: a destination is in one of them.
#[derive(Clone, Default)]
pub struct Senders(Vec<Arc<dyn Sender>>);

/// Two senders would send the same messages.
#[derive(Debug, thiserror::Error)]
#[error(
    "{first} and {second} would both send messages of the kind {:?}: each kind leaves by one way, so leave one of them out",
    .kind.name()
)]
pub struct TwoSenders {
    /// Of this kind.
    pub kind: OutboxKind,
    /// The one that came first.
    pub first: &'static str,
    /// The other one.
    pub second: &'static str,
}

impl Senders {
    /// All of `senders`.
    ///
    /// # Errors
    /// [`TwoSenders`] where two of them send one kind.
    pub fn new(senders: Vec<Arc<dyn Sender>>) -> Result<Self, TwoSenders> {
        for (at, second) in senders.iter().enumerate() {
            for first in &senders[..at] {
                let both = |kind: &&OutboxKind| !kind.is_shown() && first.kinds().contains(kind);
                if let Some(kind) = second.kinds().iter().find(both) {
                    return Err(TwoSenders { kind: *kind, first: first.name(), second: second.name() });
                }
            }
        }
        Ok(Self(senders))
    }

    /// `sender` alone.
    pub fn only(sender: Arc<dyn Sender>) -> Self {
        Self(vec![sender])
    }

    /// Each of them.
    pub fn all(&self) -> &[Arc<dyn Sender>] {
        &self.0
    }

    /// Who sends messages of this kind, if anybody does.
    pub fn of(&self, kind: OutboxKind) -> Option<&dyn Sender> {
        self.0.iter().map(AsRef::as_ref).find(|sender| sender.kinds().contains(&kind))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Fake(&'static str, &'static [OutboxKind]);

    #[async_trait]
    impl Sender for Fake {
        fn name(&self) -> &'static str {
            self.0
        }

        fn kinds(&self) -> &'static [OutboxKind] {
            self.1
        }

        async fn send(&self, message: &Outgoing) -> Result<Receipt, PortError> {
            Ok(Receipt::unnamed(message.at))
        }

        fn knows(&self, _: &str) -> bool {
            true
        }

        fn free_at(&self, _: &str, now: Timestamp) -> Timestamp {
            now
        }
    }

    fn senders(each: &[(&'static str, &'static [OutboxKind])]) -> Result<Senders, TwoSenders> {
        Senders::new(each.iter().map(|(name, kinds)| Arc::new(Fake(name, kinds)) as Arc<dyn Sender>).collect())
    }

    #[test]
    fn a_kind_has_the_sender_that_names_it_or_none() {
        let both =
            senders(&[("webhook", &[OutboxKind::Approved, OutboxKind::NotSeen]), ("mail", &[OutboxKind::Stuck])]).unwrap();
        let of = |kind| both.of(kind).map(Sender::name);
        assert_eq!(OutboxKind::ALL.map(of), [Some("webhook"), Some("webhook"), Some("mail"), None, None, None, None]);
        assert!(Senders::default().of(OutboxKind::Approved).is_none());
    }

    #[test]
    fn two_senders_of_one_kind_are_refused_and_the_error_names_both() {
        let two = senders(&[("webhook", &OutboxKind::ALL), ("mail", &[OutboxKind::Stuck])]);
        let error = two.err().expect("one kind would leave by two ways").to_string();
        assert_eq!(
            error,
            "webhook and mail would both send messages of the kind \"stuck\": each kind leaves by one way, so leave one of \
             them out"
        );
    }
}
