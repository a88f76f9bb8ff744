//! Asking for recommendations where nobody expects a decision to gain anything. It decides nothing.

use super::{Approvals, DecisionRefused, failed};
use crate::domain::audit::AuditEntry;
use crate::domain::ids::{CaseId, PersonId};
use crate::domain::policy::may_turn_down;
use crate::pipeline::want;

impl Approvals {
    /// Opens a latent case because `person` asks for it on `channel`. False where it is before people already, or over.
    ///
    /// # Errors
    /// [`DecisionRefused`] where they decide nothing, or there is no such case.
    pub async fn want(&self, case: &CaseId, person: &PersonId, channel: &str) -> Result<bool, DecisionRefused> {
        may_turn_down(self.person(person)?)?;
        let Some(case) = self.store.find_case(case).await.map_err(failed)? else {
            return Err(DecisionRefused::BadRequest(format!("there is no case {case}; copy the id from its page")));
        };
        let now = self.clock.now();
        let entry = AuditEntry::by(person.as_str(), channel, now, want::OPENED, want::subject(&case));
        let entry = self.store.with_os_user(entry);
        want::want(&self.store, &case, entry, "asked for", now).await.map_err(DecisionRefused::Failed)
    }
}
