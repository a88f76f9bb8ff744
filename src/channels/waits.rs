//! What the log says about cases that wait too long, for whoever passes it on to people.

use crate::domain::audit::Chained;
use crate::domain::case::Case;
use crate::domain::ids::{CaseId, PersonId};
use crate::pipeline::context::Context;
use crate::pipeline::noise;
use crate::store::StoreError;

/// A step that was taken since a case waits: people were told.
pub(super) struct Waits {
    /// The log's entry.
    pub(super) seq: i64,
    /// Which case.
    pub(super) case: CaseId,
    /// For how long it has waited.
    pub(super) hours: i64,
    /// Who was told.
    pub(super) told: Vec<PersonId>,
}

/// The steps that `entries` tell of, in their order.
pub(super) fn told_of(entries: &[Chained]) -> impl Iterator<Item = Waits> {
    let steps = entries.iter().filter(|e| matches!(&*e.entry.action, "case.reminded" | "case.escalated"));
    steps.filter_map(|Chained { seq, entry, .. }| {
        let told = entry.detail["told"].as_array().map(Vec::as_slice).unwrap_or_default();
        Some(Waits {
            seq: *seq,
            case: CaseId::new(entry.subject.strip_prefix("case:")?),
            hours: entry.detail["waiting_hours"].as_i64().unwrap_or_default(),
            told: told.iter().filter_map(|id| id.as_str()).map(PersonId::new).collect(),
        })
    })
}

/// The case, where it still waits and people are shown it ([`noise::still_shown`]).
///
/// # Errors
/// The store's.
pub(super) async fn still_shown(context: &Context, id: &CaseId) -> Result<Option<Case>, StoreError> {
    noise::still_shown(&context.store, &context.config, context.clock.now(), id).await
}
