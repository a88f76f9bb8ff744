//! When somebody first saw what they can decide, wherever it was shown: how long a decision takes is counted from then.

use jiff::Timestamp;

use crate::domain::ids::PersonId;
use crate::domain::recommendation::Recommendation;
use crate::store::{Store, StoreError, View};

/// Keeps that `person` is shown `shown` on `channel` (`web`, `api`, `cli`) at `now`, with its content as it is. What can not be
/// decided is passed over, and what they saw before stays as it was.
///
/// # Errors
/// When the store can not be written.
pub async fn opened(
    store: &Store,
    now: Timestamp,
    person: &PersonId,
    channel: &str,
    shown: impl IntoIterator<Item = &Recommendation>,
) -> Result<(), StoreError> {
    let waiting = shown.into_iter().filter(|rec| rec.state.is_waiting());
    let views: Vec<View> = waiting
        .map(|rec| View {
            person: person.clone(),
            recommendation_id: rec.id.clone(),
            case_id: rec.case_id.clone(),
            content_hash: rec.content_hash(),
            channel: channel.to_owned(),
            opened_at: now,
        })
        .collect();
    store.keep_views(&views).await
}
