//! The keys of the work around decisions: approval, the log, figures, noise.

use std::path::PathBuf;

use secrecy::SecretString;
use serde::Deserialize;

use crate::domain::exception::ExceptionType;
use crate::domain::mode::{Mode, ModeRule, ModeScope, Modes};
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

/// `[modes]`: what is live, in shadow and off.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ModesConfig {
    pub default: Mode,
    pub rules: Vec<ModeRuleConfig>,
    pub four_eyes_to_go_live: bool,
}

/// One of `modes.rules`.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ModeRuleConfig {
    pub category: Option<String>,
    pub location: Option<String>,
    pub supplier: Option<String>,
    pub r#type: Option<ExceptionType>,
    pub mode: Mode,
}

impl ModeRuleConfig {
    /// As a rule.
    pub fn rule(&self) -> ModeRule {
        let Self { category, location, supplier, r#type: code, mode } = self.clone();
        ModeRule { scope: ModeScope { category, location, supplier, code }, mode }
    }
}

impl ModesConfig {
    /// The configured modes.
    pub fn modes(&self) -> Modes {
        Modes { default: self.default, rules: self.rules.iter().map(ModeRuleConfig::rule).collect() }
    }

    /// A rule that names nothing, or names what another one names too, is a mistake.
    pub(super) fn check(&self) -> Result<(), String> {
        let rules = self.modes().rules;
        for (i, rule) in rules.iter().enumerate() {
            if rule.scope.names() == 0 {
                return Err(
                    "a rule names none of category, location, supplier and type; use modes.default for all others".into()
                );
            }
            if rules[..i].iter().any(|other| other.scope.is(&rule.scope)) {
                return Err(format!("two rules are about {}; keep one", rule.scope));
            }
        }
        Ok(())
    }
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
