//! A live Odoo server, 17 to 19, as a source. It is read, never written: [`call`] is the closed set of what can be asked.
//!
//! [`connect`] signs in, by JSON-2 or JSON-RPC; [`patient`] asks again what failed in passing; [`barrier`] makes sure that the
//! reading user could not write either. [`pull`] brings rows into the mirror, [`levels`] and [`demand`] sums, and [`source`]
//! tells them as records.

mod answer;
pub mod barrier;
pub mod call;
mod client;
pub mod connect;
pub mod costs;
pub mod demand;
pub mod error;
mod http;
mod json2;
mod jsonrpc;
mod kits;
pub mod levels;
mod lots;
mod open;
pub mod pace;
pub mod patient;
pub mod progress;
pub mod pull;
pub mod record;
mod refusal;
pub mod source;
pub mod streams;
mod wire;

pub use self::open::{Opened, Setup, companies_read, look, open};
