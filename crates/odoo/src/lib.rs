//! Odoo as a source of records. It is read, never written.
//!
//! [`live`] reads a server, 17 to 19; [`recorded`] replays a recording of one; both translate by the same [`rows`]. A recording
//! may use what reads a server (one that was made of a server says which of its rows were passed over), and both the
//! translation; nothing the other way round. Nothing here knows what becomes of the records.

mod kits;
mod link;
pub mod live;
pub mod recorded;
pub mod rows;
mod settings;

pub use self::settings::{OdooConfig, OdooProtocol};
