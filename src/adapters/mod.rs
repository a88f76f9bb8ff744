//! Adapters: what fills the ports. Here, and only here, vendors are known by name.
//!
//! [`odoo`] reads a live server; [`recorded`] replays a recording of one; both translate rows
//! into domain records by `rows`; [`openai`] asks any OpenAI-compatible
//! endpoint, through [`http`]'s one client and behind a [`breaker`]; [`webhook`] tells the destinations of
//! approved recommendations, each behind its own [`breaker`] and [`bucket`].

pub mod breaker;
pub mod bucket;
pub mod http;
pub mod odoo;
pub mod openai;
pub mod recorded;
mod rows;
pub mod webhook;
