//! Adapters: what fills the ports. Here, and only here, vendors are known by name.
//!
//! [`recorded`] replays a recording of an Odoo server as a feed of domain records; [`webhook`] tells the receiver of
//! approved recommendations.

pub mod recorded;
pub mod webhook;
