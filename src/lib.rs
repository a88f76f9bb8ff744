//! Reeve: exception triage for retailers who run Odoo.
pub mod domain;
pub mod models;
