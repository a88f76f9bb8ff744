//! What tests put in place of the outside: one fake with a state of its own for each system.
//!
//! [`odoo`] is an Odoo server, 17 to 19.

pub mod odoo;
