//! Reeve: exception triage for retailers who run Odoo.
pub mod adapters;
pub mod clock;
pub mod config;
pub mod domain;
pub mod models;
pub mod pipeline;
pub mod ports;
pub mod render;
pub mod store;
pub mod web;
