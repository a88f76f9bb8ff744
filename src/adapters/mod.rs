//! Adapters: what fills the ports. Here, and only here, vendors are known by name.
//!
//! [`recorded`] replays a recording of an Odoo server as a feed of domain records.

pub mod recorded;
