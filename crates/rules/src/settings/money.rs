//! `[money]`, `[costs]` and `[tolerances]`: what things cost, and how far off is still right.

use reeve_domain::money::Money;
use reeve_domain::setting::money;
use serde::Deserialize;

/// `[money]`
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct MoneyConfig {
    pub currency: String,
    pub holding_rate: f64,
    pub recapture: f64,
    pub cancelled: f64,
    pub cancelled_weight: f64,
}

/// `[costs]`
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CostsConfig {
    #[serde(deserialize_with = "money")]
    pub transfer_fixed: Money,
    #[serde(deserialize_with = "money")]
    pub transfer_per_unit: Money,
    pub transfer_days: u32,
    #[serde(deserialize_with = "money")]
    pub expedite_fixed: Money,
    pub expedite_rate: f64,
    pub expedite_saves: f64,
    #[serde(deserialize_with = "money")]
    pub order_fixed: Money,
    #[serde(deserialize_with = "money")]
    pub change_fixed: Money,
    #[serde(deserialize_with = "money")]
    pub recount: Money,
    #[serde(deserialize_with = "money")]
    pub contact: Money,
    #[serde(deserialize_with = "money")]
    pub paperwork: Money,
    #[serde(deserialize_with = "money")]
    pub split_fixed: Money,
    #[serde(deserialize_with = "money")]
    pub return_fixed: Money,
    #[serde(deserialize_with = "money")]
    pub return_per_unit: Money,
    #[serde(deserialize_with = "money")]
    pub hold: Money,
    #[serde(deserialize_with = "money")]
    pub promotion_change: Money,
    pub alternative_percent: f64,
    pub markdown_restores: f64,
    pub cover: f64,
}

/// `[tolerances]` (handbook §3.5)
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TolerancesConfig {
    pub quantity_percent: f64,
    pub quantity_units: f64,
    pub early_days: i32,
    pub late_days: i32,
    pub price_percent: f64,
    #[serde(deserialize_with = "money")]
    pub price_line: Money,
    pub count_percent: f64,
    #[serde(deserialize_with = "money")]
    pub count_value: Money,
    pub count_units: f64,
}
