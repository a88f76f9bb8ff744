//! Standing in for one another: who gives whom their rights, from when to when. Both names are in the log, both are told, and
//! separation of duties holds for both.

use jiff::civil::Date;
use serde_json::json;

use super::{Approvals, DecisionRefused, failed};
use crate::domain::audit::AuditEntry;
use crate::domain::ids::{PersonId, content_id};
use crate::domain::policy::{BadDelegation, Delegation, check_new};
use crate::store::{Notice, NoticeKind, StoreError};

/// How often a delegation is judged anew because another was made in between.
const TRIES: usize = 5;

/// Why a delegation was not made or ended. Written for whoever asked.
#[derive(Debug, thiserror::Error)]
pub enum DelegationRefused {
    /// The policy, or what is there already, says no.
    #[error(transparent)]
    Bad(#[from] BadDelegation),
    /// Only whoever gives their rights, or has them, ends it.
    #[error("{0} is not yours to end; ask {1}")]
    NotYours(String, PersonId),
    /// There is none, or it has ended.
    #[error("there is no delegation {0:?} that holds; look at the list again")]
    Unknown(String),
    /// Days that are over.
    #[error("{0} is over; a delegation begins today or later")]
    Past(Date),
    /// Others keep making delegations.
    #[error("somebody else was making a delegation at the same moment; look at the list and try again")]
    Busy,
    /// Not the person's fault.
    #[error("it could not be kept, and nothing was changed: {0:#}")]
    Failed(anyhow::Error),
}

impl From<StoreError> for DelegationRefused {
    fn from(error: StoreError) -> Self {
        Self::Failed(error.into())
    }
}

impl Approvals {
    /// `from` gives their own rights to `to` from `starts` to `ends`, both included. Only they can: no administrator gives
    /// away what is another's.
    ///
    /// # Errors
    /// [`DelegationRefused`], written for `from`.
    pub async fn delegate(
        &self,
        from: &PersonId,
        to: &PersonId,
        (starts, ends): (Date, Date),
        reason: &str,
        channel: &str,
    ) -> Result<Delegation, DelegationRefused> {
        for _ in 0..TRIES {
            let now = self.clock.now();
            if starts < self.today(now) {
                return Err(DelegationRefused::Past(starts));
            }
            let parts = [from.as_str(), to.as_str(), &starts.to_string(), &ends.to_string(), &now.to_string()];
            let new = Delegation {
                id: content_id("d-", &parts, 12),
                from: from.clone(),
                to: to.clone(),
                starts,
                ends,
                reason: reason.trim().chars().take(500).collect(),
                revoked_at: None,
            };
            // Counted before the list is read: one that is made in between is then a conflict, and is seen by the next try.
            let (seen, _) = self.store.count_delegations().await?;
            let existing = self.store.list_delegations_from(self.today(now)).await?;
            check_new(&new, &existing, &self.config.people, &self.config.rules.policy)?;
            let (giver, taker) = (self.name_of(from), self.name_of(to));
            let said = format!("You stand in for {giver} from {starts} to {ends}: {}", new.reason);
            let own = format!("{taker} stands in for you from {starts} to {ends}");
            let by_command = self.store.told_by_command(channel, from, &[&new.id], &own, now);
            // Both hear of it. Whoever's name a command gave is told that it was a command, and in one message.
            let notices = [
                Notice::new(to, NoticeKind::Delegated, &[&new.id], said, now),
                by_command.unwrap_or_else(|| Notice::new(from, NoticeKind::Delegated, &[&new.id], own, now)),
            ];
            let entry = self.delegation_entry("delegation.made", &new, from, channel);
            match self.store.insert_delegation(&new, seen, &notices, &[entry]).await {
                Ok(()) => return Ok(new),
                Err(StoreError::Conflict) => {}
                Err(error) => return Err(error.into()),
            }
        }
        Err(DelegationRefused::Busy)
    }

    /// Ends a delegation at once. What was signed under it stands.
    ///
    /// # Errors
    /// [`DelegationRefused`], written for `by`.
    pub async fn end_delegation(&self, id: &str, by: &PersonId, channel: &str) -> Result<(), DelegationRefused> {
        let now = self.clock.now();
        let all = self.store.list_delegations_from(self.today(now)).await?;
        let Some(found) = all.into_iter().find(|d| d.id == id) else {
            return Err(DelegationRefused::Unknown(id.to_owned()));
        };
        if *by != found.from && *by != found.to {
            return Err(DelegationRefused::NotYours(found.id, found.from));
        }
        let other = if *by == found.from { &found.to } else { &found.from };
        let said = format!(
            "{} ended that {} stands in for {}",
            self.name_of(by),
            self.name_of(&found.to),
            self.name_of(&found.from)
        );
        let mut notices = vec![Notice::new(other, NoticeKind::Delegated, &[id, "ended"], said.clone(), now)];
        notices.extend(self.store.told_by_command(channel, by, &[id, "ended"], &said, now));
        let entry = self.delegation_entry("delegation.ended", &found, by, channel);
        match self.store.revoke_delegation(id, now, &notices, &[entry]).await {
            Ok(()) => Ok(()),
            Err(StoreError::NotFound { .. }) => Err(DelegationRefused::Unknown(id.to_owned())),
            Err(error) => Err(error.into()),
        }
    }

    fn delegation_entry(&self, action: &str, of: &Delegation, by: &PersonId, channel: &str) -> AuditEntry {
        self.store.with_os_user(
            AuditEntry::by(by.as_str(), channel, self.clock.now(), action, format!("delegation:{}", of.id)).with(json!({
                "from": of.from, "to": of.to, "starts": of.starts, "ends": of.ends, "reason": of.reason,
                "policy": self.config.rules.policy.version(),
            })),
        )
    }

    /// Whom everybody stands in for, and who stands in for them: every delegation that holds today or later.
    ///
    /// # Errors
    /// When the store can not be read.
    pub async fn standing_in(&self) -> Result<Vec<Delegation>, DecisionRefused> {
        let today = self.today(self.clock.now());
        self.store.list_delegations_from(today).await.map_err(failed)
    }
}
