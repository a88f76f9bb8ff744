//! The keys of the work around decisions: approval, the log, figures, noise.

use std::path::PathBuf;

use secrecy::SecretString;
use serde::Deserialize;

use crate::domain::money::Money;
use crate::domain::setting::money;

/// `[approval]` (handbook §9)
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ApprovalConfig {
    pub undo_minutes: u32,
    pub policy_file: String,
}

/// `[safety]`: what stops Reeve beside `reeve stop`.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SafetyConfig {
    pub stop_file: PathBuf,
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
