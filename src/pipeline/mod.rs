//! The stages, one file for each verb, in the order in which an exception meets them.
//!
//! A stage takes no input: it reads its work from the store, thinks without a transaction open, and writes the new state,
//! the audit entry and the outbox rows in one short transaction guarded by the version it read.

pub mod approve;
pub mod deliver;
pub mod publish;
