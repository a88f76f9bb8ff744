//! How anything is asked over HTTP: the one maker of clients, and what keeps a service from being asked too often.
//!
//! [`client`] makes clients; [`breaker`] leaves a service alone that keeps failing; [`bucket`] limits how much is sent to it;
//! [`retry`] says when it is asked again.

pub mod breaker;
pub mod bucket;
mod client;
pub mod retry;

pub use self::client::{CONNECT_TIMEOUT, Proxy, Route, RouteError, client, client_by};
