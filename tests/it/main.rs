//! The integration tests: one binary, a module for each feature.
//!
//! What they share is in `support`: a fresh database of each kind and a real browser. `tidy` looks at the tree itself.

mod announced;
mod audit;
mod bad_input;
mod bills;
mod cases;
mod chat;
mod concurrent;
mod decisions;
mod duty;
mod edges;
mod eval_doors;
mod evals;
mod event_cases;
mod events;
mod evidence;
mod fake_odoo_answers;
mod fake_odoo_client;
mod hostile;
mod killed;
mod killed_deliver;
mod kpi;
mod latent;
mod lived_reads;
mod mail;
mod memory;
mod model;
mod models;
mod modes;
mod odoo_client;
mod odoo_demand;
mod odoo_live;
mod odoo_sync;
mod odoo_tills;
mod plans;
mod received;
mod recording;
mod signals;
mod slack;
mod stopped;
mod support;
mod teams;
mod tidy;
mod web;
mod words;
