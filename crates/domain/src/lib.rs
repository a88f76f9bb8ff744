//! The field's words as types, and the rules that hold whatever the adapters, the store or the clock do.
//!
//! Nothing here reads a clock, a file or a network, and nothing here knows a vendor.

pub mod action;
mod agreed;
pub mod ahead;
pub mod announced;
pub mod audit;
pub mod bill;
pub mod bill_number;
pub mod book;
pub mod calendar;
pub mod carried;
pub mod case;
pub mod case_life;
pub mod channel;
pub mod company;
mod days;
pub mod decision;
pub mod detail;
pub mod digest;
pub mod draft;
pub mod event;
pub mod evidence;
pub mod exception;
pub mod gtin;
pub mod hand;
pub mod ids;
pub mod master;
pub mod money;
pub mod mute;
pub mod notice;
pub mod outbox;
pub mod outcome;
pub mod packs;
pub mod policy;
pub mod received;
pub mod recommendation;
pub mod record;
pub mod reference;
pub mod repeat;
pub mod setting;
pub mod shipped;
pub mod summed;
pub mod surplus;
pub mod terms;
#[cfg(test)]
mod tests;
pub mod text;
pub mod transit;
pub mod units;
pub mod waits;
pub mod wall;
pub mod words;
pub mod working;
pub mod workings;
