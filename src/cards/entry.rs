//! The audit log as it is shown to people who decide.

use std::collections::BTreeSet;

use jiff::tz::TimeZone;
use serde::Serialize;

use super::names::{actor_name, moment};
use super::plain;
use crate::domain::audit::Chained;
use crate::domain::ids::{RecommendationId, is_id};
use crate::domain::policy::Person;
use crate::pipeline::noise::drill;
use crate::store::{Store, StoreError};

/// Entries of the log as they are shown to people who decide: nothing by which a waiting drill could be known.
pub async fn told(store: &Store, entries: Vec<Chained>) -> Result<Vec<Chained>, StoreError> {
    // First the entries were read: what is answered since may be shown.
    let drills = store.list_waiting_drills().await?;
    let about = entries.iter().filter_map(|entry| entry.entry.subject.strip_prefix("recommendation:"));
    let mut ids: BTreeSet<RecommendationId> = about.map(RecommendationId::new).collect();
    ids.extend(drills.iter().map(|drill| drill.recommendation_id.clone()));
    let recs = store.list_recommendations_named(&ids.iter().collect::<Vec<_>>()).await?;
    Ok(drill::told(entries, &recs, &drills))
}

/// An audit entry, ready to be shown.
#[derive(Clone, Debug, Serialize)]
pub struct Entry {
    pub seq: i64,
    pub at: String,
    pub actor: String,
    pub channel: String,
    pub action: String,
    pub subject: String,
    pub href: Option<String>,
    pub detail: String,
    pub hash: String,
    pub short: String,
}

impl Entry {
    pub fn of(chained: &Chained, people: &[Person], zone: &TimeZone) -> Self {
        let entry = &chained.entry;
        Self {
            seq: chained.seq,
            at: moment(entry.at, zone),
            actor: actor_name(&entry.actor, people),
            channel: plain(&entry.channel),
            action: plain(&entry.action).replace(['_', '.'], " "),
            subject: plain(&entry.subject),
            href: entry.subject.strip_prefix("case:").filter(|id| is_id(id)).map(|id| format!("/cases/{id}")),
            detail: detail_text(&entry.detail),
            hash: chained.hash.clone(),
            short: chained.hash.chars().take(12).collect(),
        }
    }
}

/// A JSON object in words: `reason: not-real, note: …`.
fn detail_text(detail: &serde_json::Value) -> String {
    match detail {
        serde_json::Value::Object(map) => map
            .iter()
            .filter(|(_, value)| !value.is_null() && value.as_str() != Some(""))
            .map(|(key, value)| format!("{}: {}", plain(key).replace('_', " "), detail_text(value)))
            .collect::<Vec<_>>()
            .join(", "),
        serde_json::Value::Array(all) => all.iter().map(detail_text).collect::<Vec<_>>().join(", "),
        serde_json::Value::String(text) => plain(text),
        serde_json::Value::Null => String::new(),
        other => other.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn details_read_as_words() {
        let detail = serde_json::json!({ "note": "", "reason": "not-real", "sizes": [1, 2], "none": null });
        assert_eq!(detail_text(&detail), "reason: not-real, sizes: 1, 2");
    }
}
