//! A live Odoo server, 17 to 19, as a source. It is read, never written: [`call`] is the closed set of what can be asked.

pub mod call;
pub mod cell;
pub mod error;
pub mod source;
pub mod streams;
