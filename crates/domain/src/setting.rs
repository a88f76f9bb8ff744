//! Types of single settings, as a configuration writes them: each refuses what it can not be, and says what it should look like.

use std::time::Duration;

use jiff::tz::TimeZone;
use rust_decimal::Decimal;
use serde::{Deserialize, Deserializer};

use crate::money::Money;

/// An amount that is not negative, to the cent: `"12.50"`.
pub fn money<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Money, D::Error> {
    let text = String::deserialize(deserializer)?;
    match text.parse::<Decimal>() {
        Ok(amount) if !amount.is_sign_negative() && amount.round_dp(2) == amount => Ok(Money::from_decimal(amount)),
        _ => Err(serde::de::Error::custom(format!("{text:?} is not an amount such as \"12.50\""))),
    }
}

/// A duration above zero: a limit of nothing lets nothing through, a period of nothing never rests.
pub fn duration<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Duration, D::Error> {
    let text = String::deserialize(deserializer)?;
    match humantime_serde::re::humantime::parse_duration(&text) {
        Ok(duration) if !duration.is_zero() => Ok(duration),
        _ => Err(serde::de::Error::custom(format!("{text:?} is not a time above zero such as \"60s\" or \"5min\""))),
    }
}

/// A time zone by its IANA name.
pub fn time_zone<'de, D: Deserializer<'de>>(deserializer: D) -> Result<TimeZone, D::Error> {
    let name = String::deserialize(deserializer)?;
    TimeZone::get(&name).map_err(|_| {
        serde::de::Error::custom(format!("{name:?} is no time zone; give an IANA name such as \"Europe/Berlin\""))
    })
}
