//! What the log says about cases that wait too long, for whoever passes it on to people.

use crate::domain::audit::Chained;
use crate::domain::case::Case;
use crate::domain::ids::{CaseId, PersonId};
use crate::pipeline::context::Context;
use crate::pipeline::noise::Muting;
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

/// The case, where it still waits and people are shown it: not in shadow, not muted, and none about Reeve itself.
///
/// # Errors
/// The store's.
pub(super) async fn still_shown(context: &Context, id: &CaseId) -> Result<Option<Case>, StoreError> {
    let Context { store, config, clock, .. } = context;
    let Some(case) = store.find_case(id).await? else { return Ok(None) };
    // The entry may be some time back: what was decided since waits no more.
    if !case.state.is_undecided() || case.state.is_shadow() || case.is_mute_proposal() {
        return Ok(None);
    }
    let muting = Muting::load(store, config, clock.now()).await?;
    let hidden = muting.hides_each(store, std::slice::from_ref(&case)).await?;
    Ok(hidden.iter().all(Option::is_none).then_some(case))
}
