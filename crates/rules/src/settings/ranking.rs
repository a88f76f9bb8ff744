//! `[ranking]`: how many lines a digest has, and in what order.

use std::collections::BTreeSet;

use reeve_domain::money::Money;
use reeve_domain::setting::money;
use serde::Deserialize;

/// `[ranking]` (handbook §6)
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RankingConfig {
    pub capacity: usize,
    pub lambda: f64,
    pub digest_days: f64,
    pub approval_days: f64,
    pub sample_places: usize,
    #[serde(deserialize_with = "money")]
    pub least_value: Money,
    #[serde(deserialize_with = "money")]
    pub least_value_lane: Money,
    pub key_items: BTreeSet<String>,
}
