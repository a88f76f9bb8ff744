//! The page: over real HTTP, and in a real browser.

#![expect(clippy::unwrap_used, reason = "what the tests share is test code too")]

mod api;
mod barriers;
mod browser;
mod flows;
mod hand_offs;
mod hands;
mod hooks;
pub(crate) mod http;
mod mcp;
mod me;
mod metrics;
mod models;
mod modes;
mod noise;
mod pages;
mod people;
mod plans;
mod stopped;
mod words;
pub(crate) mod world;
