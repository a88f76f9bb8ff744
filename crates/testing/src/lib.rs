//! What tests put in place of the outside: one fake with a state of its own for each system.
//!
//! [`odoo`] is an Odoo server, 17 to 19; `qdrant`, behind the feature of its name, a Qdrant server; [`model`] what a language model's
//! endpoint says; [`receiver`] takes signed messages, [`slack`] is a workspace, [`teams`] a tenant of Microsoft Teams. The last four stand on [`endpoint`], a server that answers
//! in one manner. [`smtp`] is a mail server with mailboxes. [`records`] are what a source tells, [`cases`] what detection makes of it; [`vectors`] is what every index of memory
//! has to do.

pub mod cases;
pub mod endpoint;
pub mod model;
pub mod odoo;
#[cfg(feature = "qdrant")]
pub mod qdrant;
pub mod receiver;
pub mod records;
pub mod slack;
pub mod smtp;
pub mod teams;
pub mod vectors;
