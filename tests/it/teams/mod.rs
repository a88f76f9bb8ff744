//! Microsoft Teams from end to end: cards in a channel, buttons that decide, and whatever can go wrong on the way. The tenant is a fake
//! with a state of its own that signs as the Bot Connector does and holds Reeve to the platform's contract.

#![expect(clippy::unwrap_used, reason = "what the tests share is test code too")]

mod bench;
mod both;
mod clicks;
mod daemon;
mod drawn;
mod faults;
mod forms;
mod killed;
mod refused;
mod said;
mod shown;
