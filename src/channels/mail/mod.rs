//! Mail: digests and reminders as letters. It goes out only; what people answer to a mail is read by nobody, and no link in one decides
//! anything.
//!
//! [`tell`] writes letters ([`letter`]) and puts them into the outbox; [`send`] takes them to the server ([`server`]) in the form that mail has
//! on the wire (`wire`). [`look`] makes the links by which a reader may look at the pages.

pub mod letter;
pub mod look;
pub mod send;
pub mod server;
pub mod tell;
mod wire;

/// What it is called in errors.
const SERVICE: &str = "the mail server";
