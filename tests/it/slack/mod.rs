//! Slack from end to end: cards in a channel, clicks that decide, and whatever can go wrong on the way. The workspace is a fake with
//! a state of its own that holds Reeve to the platform's contract.

#![expect(clippy::unwrap_used, reason = "what the tests share is test code too")]

mod bench;
mod clicks;
mod daemon;
mod drawn;
mod faults;
mod forms;
mod pictures;
mod refused;
mod shown;
mod socket;
mod waits;
