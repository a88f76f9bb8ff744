//! A live Odoo server, 17 to 19, as a source. It is read, never written: [`call`] is the closed set of what can be asked.
//!
//! [`connect`] signs in, by JSON-2 or JSON-RPC; [`patient`] asks again what failed in passing; [`barrier`] makes sure that the
//! reading user could not write either.

mod answer;
pub mod barrier;
pub mod call;
pub mod cell;
mod client;
pub mod connect;
pub mod error;
mod http;
mod json2;
mod jsonrpc;
pub mod patient;
mod refusal;
pub mod pace;
pub mod progress;
pub mod pull;
pub mod demand;
pub mod error;
pub mod levels;
pub mod streams;
mod wire;
