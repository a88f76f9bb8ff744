//! The keys of the work around decisions: ranking, approval, the log, figures, noise.

use std::collections::BTreeSet;
use std::path::PathBuf;

use secrecy::SecretString;
use serde::Deserialize;

use super::read::money;
use crate::domain::money::Money;

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

/// `[approval]` (handbook §9)
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ApprovalConfig {
    pub undo_minutes: u32,
    pub policy_file: String,
}

/// `[audit]`: where heads of the log are put down outside of it.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AuditConfig {
    pub anchor_file: PathBuf,
    pub anchor_destination: String,
}

/// `[kpi]`: figures of the work.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct KpiConfig {
    pub decide_hours: f64,
    pub metrics_token: SecretString,
    pub metrics_token_file: String,
}

/// `[noise]`: what people are not shown, and when Reeve proposes that. The longest mute and drills are the policy's.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NoiseConfig {
    #[serde(deserialize_with = "money")]
    pub mute_value_max: Money,
    pub history_days: u32,
    pub proposal_shown_min: u32,
    pub proposal_share: f64,
    pub proposal_days: u32,
}
