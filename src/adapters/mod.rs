//! Adapters: what fills the ports. Here, and only here, vendors are known by name.
//!
//! [`recorded`] replays a recording of an Odoo server as a feed of domain records; [`webhook`] tells the receiver of
//! approved recommendations; [`openai`] asks a language model, through [`http`] and a [`breaker`].

pub mod breaker;
pub mod http;
pub mod openai;
pub mod recorded;
pub mod webhook;
