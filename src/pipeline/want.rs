//! Latent cases that are wanted all the same: drafted and put before people although nobody expects a decision to gain anything.
//! A person asks for one, or the digest draws it, so that what is missed stays measured.

use jiff::Timestamp;
use serde_json::json;

use crate::domain::audit::AuditEntry;
use crate::domain::case::{Case, CaseState};
use crate::domain::case_life::CaseEvent;
use crate::store::{Store, StoreError};

/// Opens `case` whatever it is worth, which `entry` (of action [`OPENED`], about [`subject`]) says in the log with `because`.
/// False where it is not latent any more: it is before people already, or on its way there.
///
/// # Errors
/// When the store can not be used.
pub async fn want(store: &Store, case: &Case, entry: AuditEntry, because: &str, now: Timestamp) -> anyhow::Result<bool> {
    if case.state != CaseState::Latent {
        return Ok(false);
    }
    let first = store.list_case_exceptions(&case.id).await?.into_iter().next().map(|e| e.signal.fingerprint());
    let next = Case {
        state: case.state.clone().after(CaseEvent::Want)?,
        wanted: true,
        // People are reminded of it by how long it has been before them.
        opened_at: now,
        updated_at: now,
        version: case.version + 1,
        ..case.clone()
    };
    let entry = entry.with(json!({ "exception": first, "because": because }));
    match store.advance_case(&next, case.version, &[entry]).await {
        Ok(()) => Ok(true),
        // It was raised, or is gone, meanwhile.
        Err(StoreError::Conflict) => Ok(false),
        Err(error) => Err(error.into()),
    }
}

/// What an opened case is logged as.
pub const OPENED: &str = "case.opened";

/// What the log calls a case.
pub fn subject(case: &Case) -> String {
    format!("case:{}", case.id)
}
