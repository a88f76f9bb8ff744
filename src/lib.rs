//! Reeve: exception triage for retailers who run Odoo.
//!
//! Where to start reading: [`app`] wires everything; [`pipeline`] has one file for each verb, in the order in which an
//! exception meets them; [`domain`] has the words. What holds everywhere:
//!
//! - the ERP is read, never written: [`ports::Source`] has no method that could;
//! - a human decides: only [`approve`] moves a recommendation to approved, on a person's click, bound to content;
//! - arithmetic makes the numbers: [`rules::assess`] computes candidates and money, drafters only order and explain;
//! - no change without a trace: the store writes state, audit entry and outbox rows in one transaction.
//!
//! ```text
//! main -> cli -> evals -> app -> channels -> cards -> reports -> approve -> pipeline, people -> memory -> store, render -> config
//!         cli, evals -> adapters, odoo, lab                      worker -> pipeline
//! below all: rules -> models, domain    ports -> domain    clock
//! ```

pub mod adapters;
pub mod app;
pub mod approve;
pub mod cards;
pub mod channels;
pub mod cli;
pub mod config;
pub mod evals;
pub mod memory;
pub mod people;
pub mod pipeline;
pub mod render;
pub mod reports;
pub mod store;
pub mod worker;

pub use reeve_domain as domain;
pub use reeve_evals as suites;
pub use reeve_http as http;
pub use reeve_lab as lab;
pub use reeve_models as models;
pub use reeve_odoo as odoo;
pub use reeve_ports as ports;
pub use reeve_ports::clock;
pub use reeve_qdrant as qdrant;
pub use reeve_rules as rules;
