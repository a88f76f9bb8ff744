//! `[odoo]`: the live server to read, and how.

use std::collections::BTreeMap;
use std::time::Duration;

use jiff::tz::TimeZone;
use secrecy::SecretString;
use serde::Deserialize;

use reeve_domain::setting::duration;
use reeve_ports::shown_address;

/// `[odoo]`: the live server to read.
#[derive(Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct OdooConfig {
    pub url: String,
    pub database: String,
    pub user: String,
    pub api_key: SecretString,
    pub api_key_file: String,
    pub protocol: OdooProtocol,
    pub ca_file: String,
    pub proxy: String,
    #[serde(deserialize_with = "duration")]
    pub timeout: Duration,
    pub companies: Vec<String>,
    pub history_days: u32,
    pub detail_days: u32,
    pub time_zones: Vec<String>,
    pub page_max: usize,
    #[serde(deserialize_with = "duration")]
    pub page_time: Duration,
    pub requests_per_second: f64,
    pub quiet_hours: String,
    #[serde(deserialize_with = "duration")]
    pub overlap: Duration,
    #[serde(deserialize_with = "duration")]
    pub sweep_every: Duration,
    pub allow_write_capable_credential: String,
}

impl std::fmt::Debug for OdooConfig {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("OdooConfig")
            .field("url", &shown_address(&self.url))
            .field("database", &self.database)
            .field("user", &self.user)
            .field("proxy", &shown_address(&self.proxy))
            .finish_non_exhaustive()
    }
}

impl OdooConfig {
    /// The zones of warehouses that are not in the calendar's, by short code. What is no zone is left out here: whoever reads
    /// the server says so.
    pub fn zones(&self) -> BTreeMap<String, TimeZone> {
        let zone = |entry: &String| {
            let (code, name) = entry.split_once('=')?;
            Some((code.trim().to_owned(), TimeZone::get(name.trim()).ok()?))
        };
        self.time_zones.iter().filter_map(zone).collect()
    }
}

/// How to talk to Odoo.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum OdooProtocol {
    /// JSON-2 where the server has it, else JSON-RPC.
    Auto,
    /// `/json/2` with a bearer key.
    Json2,
    /// `/jsonrpc` with user and key.
    JsonRpc,
}

/// The defaults of `config/default.toml`, for tests.
#[cfg(test)]
pub(crate) fn defaults() -> OdooConfig {
    let all: toml::Table = include_str!("../../../config/default.toml").parse().expect("the defaults are TOML");
    all["odoo"].clone().try_into().expect("the defaults hold")
}
