//! Mail from end to end: digests and reminders as letters, whatever can go wrong on the way, and the links in them. The server is a fake with
//! mailboxes that holds Reeve to the order of commands.

#![expect(clippy::unwrap_used, reason = "what the tests share is test code too")]

mod bench;
mod digest;
mod faults;
mod look;
mod planners;
mod reminders;
