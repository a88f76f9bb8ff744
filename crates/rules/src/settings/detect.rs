//! `[detect]` and `[channel]`: what is looked at, for how long, and from where on it is odd.

use std::collections::BTreeSet;
use std::time::Duration;

use reeve_domain::carried::CarriedBy;
use reeve_domain::exception::ExceptionType;
use reeve_domain::money::Money;
use reeve_domain::setting::{duration, money};
use serde::{Deserialize, Deserializer};

/// `[detect]`
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DetectConfig {
    pub window_days: u32,
    pub warmup_days: u32,
    pub spike_p: f64,
    pub collapse_p: f64,
    pub shift_p: f64,
    pub false_share: f64,
    pub receiving_model: String,
    #[serde(deserialize_with = "usual")]
    pub explain_usual: BTreeSet<ExceptionType>,
    pub low_probability: f64,
    pub promo_uplift_per_ten_percent: f64,
    pub promo_band: f64,
    pub event_days: i32,
    pub claim_days: i32,
    pub keep_days: i32,
    pub forest_trees: usize,
    pub forest_seed: u64,
    pub service_level: f64,
    pub horizon_days: u32,
    pub carried_by: BTreeSet<CarriedBy>,
    pub carried_days: u32,
    pub confirm_working_days: u32,
    pub confirm_lead_share: f64,
    pub confirms_usually: usize,
    pub sales_in_memory: u64,
    pub stale_days: i32,
    pub shelf_share: f64,
    pub unbilled_days: i32,
    #[serde(deserialize_with = "money")]
    pub policy_value: Money,
    pub over_factor: f64,
    pub dead_days: i32,
    pub reserve_days: i32,
    pub bulk_factor: f64,
}

/// Types that a supplier's usual way may explain: what is billed is never explained by being usual.
fn usual<'de, D: Deserializer<'de>>(deserializer: D) -> Result<BTreeSet<ExceptionType>, D::Error> {
    use ExceptionType as T;
    const MAY: [T; 4] = [T::RShort, T::ROver, T::RLate, T::REarly];
    let types = BTreeSet::<ExceptionType>::deserialize(deserializer)?;
    match types.iter().find(|code| !MAY.contains(code)) {
        None => Ok(types),
        Some(code) => Err(serde::de::Error::custom(format!(
            "{code} can not be explained by being usual; only R-SHORT, R-OVER, R-LATE and R-EARLY can"
        ))),
    }
}

impl DetectConfig {
    /// Days for which the records of an event are looked at that is news for `news` days: longer, for what waits for a decision.
    pub fn keep(&self, news: i32) -> i32 {
        news.max(self.keep_days)
    }
}

/// `[channel]`: what web shops and marketplaces offer.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ChannelConfig {
    pub buffer_units: f64,
    pub buffer_percent: f64,
    #[serde(deserialize_with = "duration")]
    pub drift: Duration,
    #[serde(deserialize_with = "duration")]
    pub fresh: Duration,
}

#[cfg(test)]
mod tests {
    use crate::settings::Settings;

    #[test]
    fn what_is_billed_is_never_explained_by_being_usual() {
        let set = Settings::with("[detect]\nexplain_usual = [\"R-SHORT\", \"R-EARLY\"]").unwrap();
        assert_eq!(set.detect.explain_usual.len(), 2);
        let refused = Settings::with("[detect]\nexplain_usual = [\"F-PRICE\"]").unwrap_err();
        assert!(refused.contains("F-PRICE can not be explained by being usual; only R-SHORT"), "{refused}");
    }
}
