//! What can be set of the rules: the sections of `config/default.toml` that they go by, and nothing else of the configuration.

mod calendar;
mod companies;
mod detect;
mod left;
mod models;
mod money;
mod places;
mod priority;
mod ranking;
mod working_days;

use crate::prompts::DraftPrompt;
use reeve_domain::policy::Policy;
use serde::Deserialize;

pub use self::calendar::{CalendarConfig, ClosedDays};
pub use self::companies::CompaniesConfig;
pub use self::detect::{ChannelConfig, DetectConfig};
pub use self::left::{LeftConfig, learned};
pub use self::models::{DemandModel, Models, program};
pub use self::money::{CostsConfig, MoneyConfig, TolerancesConfig};
pub use self::priority::{PlaceClass, PriorityConfig};
pub use self::ranking::RankingConfig;
pub use self::working_days::WorkingDays;

/// The built-in defaults of the whole configuration: every key, commented.
pub const DEFAULT_TOML: &str = include_str!("../../../../config/default.toml");

/// The sections that the rules go by.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Settings {
    pub calendar: CalendarConfig,
    pub money: MoneyConfig,
    pub costs: CostsConfig,
    pub left: LeftConfig,
    pub tolerances: TolerancesConfig,
    pub detect: DetectConfig,
    pub channel: ChannelConfig,
    pub ranking: RankingConfig,
    pub companies: CompaniesConfig,
    pub priority: PriorityConfig,
    /// Who may approve what: `approval.policy_file`, or the policy that comes with the program.
    #[serde(skip, default = "Policy::standard")]
    pub policy: Policy,
    /// The models: `detect.receiving_model`, or those that come with the program.
    #[serde(skip)]
    pub models: Models,
    /// What a language model is told: `model.prompt`, or the prompt that comes with the program.
    #[serde(skip)]
    pub prompt: DraftPrompt,
}

impl Settings {
    /// The names of the sections.
    pub const SECTIONS: [&str; 10] =
        ["calendar", "money", "costs", "left", "tolerances", "detect", "channel", "ranking", "companies", "priority"];

    /// As they are where nothing is configured.
    pub fn defaults() -> Self {
        let mut all: toml::Table = DEFAULT_TOML.parse().expect("a test reads the built-in defaults");
        all.retain(|section, _| Self::SECTIONS.contains(&section));
        all.try_into().expect("a test reads the built-in defaults")
    }

    /// The defaults with the keys of a TOML text set.
    #[cfg(test)]
    pub(crate) fn with(text: &str) -> Result<Self, String> {
        let mut all: toml::Table = DEFAULT_TOML.parse().expect("TOML");
        all.retain(|section, _| Self::SECTIONS.contains(&section));
        for (section, keys) in text.parse::<toml::Table>().expect("TOML") {
            let of = all[&section].as_table_mut().expect("a section");
            of.extend(keys.as_table().expect("keys").clone());
        }
        all.try_into().map_err(|error: toml::de::Error| error.to_string())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_built_in_defaults_can_be_read() {
        assert_eq!(Settings::defaults().money.currency, "USD");
    }
}
