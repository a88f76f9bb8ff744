//! Odoo as a source of records. It is read, never written.
//!
//! [`live`] reads a server, 17 to 19; [`recorded`] replays a recording of one; both translate by the same [`rows`]. Nothing here
//! knows what becomes of the records.

pub mod live;
pub mod recorded;
pub mod rows;
mod settings;

pub use self::settings::{OdooConfig, OdooProtocol};
