//! The first recommendation of each of many cases, read together.

use std::collections::{BTreeMap, BTreeSet};

use crate::domain::ids::CaseId;
use crate::domain::recommendation::Recommendation;
use crate::store::{Drill, States, Store, StoreError};

/// Recommendations with their versions.
type Versioned = Vec<(Recommendation, i64)>;

/// The first recommendation of each of `cases` in one of `states`, of what `shown` leaves where a drill stands or stood:
/// [`super::drill::cards`] for people, [`super::drill::true_ones`] for the digest.
///
/// # Errors
/// When the store can not be read.
pub async fn first_recommendations(
    store: &Store,
    cases: &[&CaseId],
    states: States<'_>,
    shown: impl Fn(Versioned, &[Drill]) -> Versioned,
) -> Result<BTreeMap<CaseId, Recommendation>, StoreError> {
    let drills = store.list_drills_in(cases).await?;
    let mut firsts = store.list_first_recommendations(cases, states).await?;
    // Where a drill is, the first one may not be what is shown: of these few cases every one is read.
    let drilled: BTreeSet<&CaseId> = drills.iter().map(|drill| &drill.case_id).collect();
    firsts.retain(|case, _| !drilled.contains(case));
    let drilled: Vec<&CaseId> = drilled.into_iter().collect();
    // They come by the drafter's order, so the first of each case stays.
    for (rec, _) in shown(store.list_recommendations_of(&drilled, states).await?, &drills) {
        firsts.entry(rec.case_id.clone()).or_insert(rec);
    }
    Ok(firsts)
}
