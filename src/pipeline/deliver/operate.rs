//! What an operator may do with the outbox, each with a name in the audit log.

use anyhow::Context as _;
use serde_json::json;

use super::lost::REPLAYED;
use super::{Deliver, with_message};
use crate::domain::audit::{AuditEntry, BY_COMMAND};
use crate::domain::ids::PersonId;
use crate::store::Unsent;

impl Deliver {
    /// Puts a dead letter back into the outbox, to be sent as it was approved, by order of a person.
    ///
    /// # Errors
    /// When the person is not known, there is no such dead letter, its time has passed, or a later message of its case has left
    /// already.
    pub async fn replay(&self, message: &str, by: &PersonId, channel: &str) -> anyhow::Result<()> {
        self.known(by)?;
        let now = self.clock.now();
        let entry = self.ordered(REPLAYED, message, by.as_str(), channel, json!({})).await?;
        self.store.replay_dead(message, now, &[entry]).await.with_context(|| {
            format!(
                "message {message} can not be sent again; `reeve outbox dead` lists those that can, and one that has \
                 expired or whose case has moved on can only be discarded"
            )
        })
    }

    /// Takes a message that waits or is dead out for good, by order of a person who gives a reason. An approval that waited
    /// for it to leave ends with it.
    ///
    /// # Errors
    /// When the person or the message is not known, the reason is missing, or it is being sent at this moment.
    pub async fn discard(&self, message: &str, reason: &str, by: &PersonId, channel: &str) -> anyhow::Result<()> {
        self.known(by)?;
        let reason = reason.trim();
        anyhow::ensure!(!reason.is_empty(), "say why {message} is discarded: what was approved will not be handed off");
        let now = self.clock.now();
        let entry = self.ordered("outbox.discarded", message, by.as_str(), channel, json!({ "reason": reason })).await?;
        let discarded = format!("discarded by {by}: {reason}");
        let refused = || {
            format!("message {message} can not be discarded; `reeve outbox list` and `reeve outbox dead` show what is there")
        };
        let row = self.store.find_outbox(message).await?.with_context(refused)?;
        // An attempt that nobody answered may have arrived. Whoever reads "not sent" has to know that.
        let tried = match row.attempts {
            0 => String::new(),
            1 => " (it was tried once and may have arrived)".to_owned(),
            n => format!(" (it was tried {n} times and may have arrived)"),
        };
        let who = self.config.people.iter().find(|p| p.id == *by).map_or(by.as_str(), |p| &p.name);
        let because = format!("discarded by {who}, because {reason}{tried}");
        let unsent = Unsent::Discarded { row: &row, reason: &discarded, at: now };
        self.end(&row, unsent, &because, Some(by), entry).await.with_context(refused)
    }

    /// Sends to a destination again that said it was gone, by order of a person.
    ///
    /// # Errors
    /// When the person is not known or the destination is not disabled.
    pub async fn enable(&self, destination: &str, by: &PersonId) -> anyhow::Result<()> {
        self.known(by)?;
        let subject = format!("destination:{destination}");
        let entry = AuditEntry::by(by.as_str(), BY_COMMAND, self.clock.now(), "destination.enabled", subject);
        self.store
            .enable_destination(destination, &entry)
            .await
            .with_context(|| format!("destination {destination:?} can not be enabled; `reeve outbox status` shows all"))
    }

    fn known(&self, by: &PersonId) -> anyhow::Result<()> {
        anyhow::ensure!(
            self.config.people.iter().any(|p| p.id == *by),
            "there is no person {:?} in the configuration; name one of [[people]]",
            by.as_str()
        );
        Ok(())
    }

    async fn ordered(
        &self,
        action: &str,
        message: &str,
        actor: &str,
        channel: &str,
        detail: serde_json::Value,
    ) -> anyhow::Result<AuditEntry> {
        let about = self.store.find_outbox(message).await?.map(|row| row.about).filter(|about| !about.is_empty());
        Ok(AuditEntry::by(
            actor,
            channel,
            self.clock.now(),
            action,
            about.map_or_else(|| format!("outbox:{message}"), |about| format!("recommendation:{about}")),
        )
        .with(with_message(detail, message)))
    }
}
